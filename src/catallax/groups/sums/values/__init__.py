"""Sums of values: on a common step, or odd ones, listed or by series."""
