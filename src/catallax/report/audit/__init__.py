"""Audits and the properties of mechanisms as tables and pictures."""
