"""Exact expectations, where there are any, by whatever method gives them."""

from catallax.estimate.exact.methods import exact_values
from catallax.estimate.exact.result import ExactValues

__all__ = ["ExactValues", "exact_values"]
