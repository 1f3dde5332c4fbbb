"""Priors as tables and pictures."""
