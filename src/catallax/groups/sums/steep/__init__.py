"""Sums where densities are steep: poles and needles, and what ties next to them."""
