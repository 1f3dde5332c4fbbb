"""Means and products of deviations of several numbers, gathered block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """How many rows of k numbers were seen, their means, and how they vary together.

    Attributes
    ----------
    count
        Number of rows.
    mean
        Shape (k,).
    products
        Sums over the rows of the products of deviations from the means; shape (k, k).

    References
    ----------
    Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample
    variances (1979).

    Examples
    --------
    >>> import numpy as np
    >>> one, two = Moments.of(np.array([[1.0], [2.0]])), Moments.of(np.array([[6.0]]))
    >>> both = one.merged(two)
    >>> both.count, both.mean.tolist(), both.products.tolist()
    (3, [3.0], [[14.0]])
    """

    count: int
    mean: Array
    products: Array

    @classmethod
    def none(cls, columns: int) -> Moments:
        """Begin with no rows."""
        return cls(0, np.zeros(columns), np.zeros((columns, columns)))

    @classmethod
    def of(cls, rows: Array) -> Moments:
        """Take the moments of rows; shape (n, k)."""
        if not len(rows):
            return cls.none(rows.shape[1])
        mean = rows.mean(axis=0)
        away = rows - mean
        # Not by a matrix product: how that adds up may depend on the number of its threads.
        return cls(len(rows), mean, np.einsum("ni,nj->ij", away, away))

    def merged(self, other: Moments) -> Moments:
        """Join two sets of rows; the order of joining moves nothing but roundings."""
        count = self.count + other.count
        if not self.count or not other.count:
            return self if self.count else other
        step = other.mean - self.mean
        mean = self.mean + step * (other.count / count)
        scale = self.count * (other.count / count)
        return Moments(count, mean, self.products + other.products + scale * np.outer(step, step))

    def variance(self, weights: Array) -> float:
        """Return the sample variance of a weighted sum of the numbers."""
        return max(0.0, float(weights @ self.products @ weights)) / max(1, self.count - 1)
