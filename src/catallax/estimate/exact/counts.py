"""How many of independent agents do something: binomial laws, for many probabilities at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["at_least", "expected_smaller", "fewer", "probabilities"]

Array = NDArray[np.float64]

_NUMBERS = 2**20
"""About so many numbers are held at a time."""


def probabilities(count: int, chance: Array) -> Array:
    """Return P(X = j) for j = 0, ..., count, where X counts successes.

    Parameters
    ----------
    count
        Number of trials.
    chance
        Probability of success; shape (points,).

    Returns
    -------
    ndarray of float64
        Shape (points, count + 1); every row sums to 1.

    Examples
    --------
    >>> probabilities(2, np.array([0.0, 0.25])).tolist()
    [[1.0, 0.0, 0.0], [0.5625, 0.375, 0.0625]]
    """
    number = np.arange(count + 1)
    ways = special.gammaln(count + 1) - special.gammaln(number + 1)
    ways -= special.gammaln(count - number + 1)
    p = chance[:, None]
    mass = np.exp(ways + special.xlogy(number, p) + special.xlog1py(count - number, -p))
    # What the logarithms of factorials lack is nearly the same for all numbers near each other.
    return mass / mass.sum(axis=1, keepdims=True)


def at_least(mass: Array) -> Array:
    """Return P(X >= j) for j = 0, ..., count from P(X = j); shape (points, count + 1)."""
    return np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]


def fewer(count: int, chance: Array, others: int, theirs: Array) -> Array:
    """Return P(X < A) for independent X and A, of `count` and of `others` trials.

    Parameters
    ----------
    count, chance
        Trials and probability of success of X; shape (points,).
    others, theirs
        Of A.

    Examples
    --------
    >>> half = np.array([0.5])
    >>> fewer(1, half, 1, half).tolist()
    [0.25]
    """
    most = min(count, others - 1) + 1
    if most <= 0:
        return np.zeros(chance.size)

    def part(rows: slice) -> Array:
        left = probabilities(count, chance[rows])[:, :most]
        right = at_least(probabilities(others, theirs[rows]))[:, 1 : most + 1]
        return (left * right).sum(axis=1)

    return _in_parts(part, chance.size, count + others)


def _in_parts(function: Callable[[slice], Array], points: int, width: int) -> Array:
    """Apply a function to some of the points at a time, so that its tables stay small."""
    step = max(1, _NUMBERS // (width + 1))
    parts = [function(slice(start, start + step)) for start in range(0, points, step)]
    return np.concatenate(parts) if parts else np.empty(0)


def expected_smaller(count: int, chance: Array, others: int, theirs: Array) -> Array:
    """Return E[min(X, A)] for independent X and A, of `count` and of `others` trials.

    Examples
    --------
    >>> half = np.array([0.5])
    >>> expected_smaller(1, half, 1, half).tolist()
    [0.25]
    """
    most = min(count, others)

    def part(rows: slice) -> Array:
        left = at_least(probabilities(count, chance[rows]))[:, 1 : most + 1]
        right = at_least(probabilities(others, theirs[rows]))[:, 1 : most + 1]
        return (left * right).sum(axis=1)

    return _in_parts(part, chance.size, count + others)
