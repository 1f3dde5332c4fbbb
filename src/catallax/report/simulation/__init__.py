"""Simulations as tables and pictures."""
