"""Partial means: how much of a prior's mean lies beyond a price."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from catallax.priors.base import Prior
from catallax.priors.floats import FloatArray, elementwise

__all__ = ["Quadrature", "mean_at_least", "mean_at_most", "quadrature", "tail_integral"]

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(8)


class Quadrature(NamedTuple):
    """Points and weights with ``sum(weights * f(points))`` = E[f(V)]."""

    points: FloatArray
    weights: FloatArray


def quadrature(prior: Prior, breaks: ArrayLike = ()) -> Quadrature:
    """Return points and weights for expectations under a prior.

    Parameters
    ----------
    prior
        The prior. With finitely many values the expectation is a sum, and exact.
    breaks
        Where the integrand may have a kink or a jump.

    Returns
    -------
    Quadrature
        Atoms with their probabilities, and eight Gauss-Legendre points between neighbouring
        breaks of the smooth parts.

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> points, weights = quadrature(Uniform(0, 1), [0.3])
    >>> round(float(weights @ np.maximum(points - 0.3, 0)), 12)
    0.245
    """
    parts = prior._parts()
    points, weights = [parts.atoms], [parts.masses]
    inner = np.concatenate([prior._nodes(), np.asarray(breaks, dtype=np.float64).ravel()])
    for start, end in parts.pieces:
        grid = _grid(inner, start, end)
        half = np.diff(grid) / 2
        at = (grid[:-1] + half)[:, None] + half[:, None] * _POINTS
        density = prior.density(at)
        # Next to an end where the density is infinite only the probability of the cell is known.
        endless = np.flatnonzero((~np.isfinite(density)).sum(axis=1))
        density[endless] = 0.0
        weight = half[:, None] * _WEIGHTS * density
        mass = prior.probability_at_least(grid[:-1]) - prior.probability_at_least(grid[1:])
        weight[endless] = mass[endless, None] * _WEIGHTS / 2
        points.append(at.ravel())
        weights.append(weight.ravel())
    return Quadrature(np.concatenate(points), np.concatenate(weights))


def _grid(inner: FloatArray, start: float, end: float) -> FloatArray:
    """Return the finite break points of an interval, ascending."""
    inside = inner[np.isfinite(inner) & (inner > start) & (inner < end)]
    ends = [x for x in (start, end) if np.isfinite(x)]
    return np.unique(np.concatenate([inside, ends]))


class _TailIntegral:
    """The integral of P(V >= y) over y >= x, or for costs of P(C <= y) over y <= x."""

    def __init__(self, prior: Prior, side: int) -> None:
        parts = prior._parts()
        ends = [x for piece in parts.pieces for x in piece]
        own = np.concatenate([prior._nodes(), parts.atoms, ends, prior.support])
        own = own if side > 0 else 0.0 - own
        self._tail = prior.probability_at_least if side > 0 else lambda x: prior.cdf(0.0 - x)
        self.grid = np.unique(own[np.isfinite(own)])
        if (prior.support[1] if side > 0 else -prior.support[0]) == np.inf:
            self.grid = self._further(self.grid)
        cells = self._between(self.grid[:-1], self.grid[1:])
        self.rest = np.append(np.cumsum(cells[::-1])[::-1], 0.0)

    def _further(self, grid: FloatArray) -> FloatArray:
        """Let steps no more than double, beyond the last node too: heavy tails hold much."""
        step = max(float(np.diff(grid).min(initial=1.0)), float(np.spacing(abs(grid[0]))))
        doublings = np.arange(min(1000, int(1000 - np.log2(step))))
        further = grid[0] + step * 2.0**doublings
        left = self._tail(further) > 0
        further = further[: further.size if left.all() else int(np.argmin(left)) + 1]
        return np.unique(np.concatenate([grid, further]))

    def _between(self, start: FloatArray, end: FloatArray) -> FloatArray:
        half = (end - start) / 2
        at = (start + half)[:, None] + half[:, None] * _POINTS
        return half * (self._tail(at) @ _WEIGHTS)

    def __call__(self, x: FloatArray) -> FloatArray:
        low, high = self.grid[0], self.grid[-1]
        at = np.clip(np.searchsorted(self.grid, x, side="left"), 0, self.grid.size - 1)
        inside = np.clip(x, low, high)
        out = self.rest[at] + self._between(inside, self.grid[at])
        # Below the support everything is sold; beyond the last node nothing that counts is.
        return np.where(x < low, out + (low - x), out)


@lru_cache(maxsize=256)
def tail_integral(prior: Prior, side: int) -> _TailIntegral:
    """Return the integral of the tail as a function: of P(V >= y) above x for side 1.

    For side -1 the prior is mirrored: the function takes x = -c and integrates P(C <= y) below c.
    """
    return _TailIntegral(prior, side)


def mean_at_least(prior: Prior, x: ArrayLike) -> FloatArray:
    """Return E[V 1(V >= x)].

    Parameters
    ----------
    prior
        A prior with a finite mean.
    x
        Prices.

    Returns
    -------
    ndarray of float64
        Of the shape of `x`.

    Examples
    --------
    >>> from catallax.priors import Discrete, Uniform
    >>> float(mean_at_least(Uniform(0, 1), 0.6))
    0.32
    >>> float(mean_at_least(Discrete([1, 3], [0.5, 0.5]), 2))
    1.5
    """
    if not prior._parts().pieces:
        return _atoms_at_least(prior, x)
    integral = tail_integral(prior, 1)

    def partial(prices: FloatArray) -> FloatArray:
        prices = np.maximum(prices, prior.support[0])
        sold = prior.probability_at_least(prices)
        return np.where(sold > 0, prices * np.where(sold > 0, sold, 1.0), 0.0) + integral(prices)

    return elementwise(partial, x)


def _atoms_at_least(prior: Prior, x: ArrayLike) -> FloatArray:
    values, masses = prior._parts().atoms, prior._parts().masses
    sums = np.append(np.cumsum((values * masses)[::-1])[::-1], 0.0)
    return elementwise(lambda prices: sums[np.searchsorted(values, prices, side="left")], x)


def mean_at_most(prior: Prior, x: ArrayLike) -> FloatArray:
    """Return E[C 1(C <= x)], the mirror of `mean_at_least`.

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> float(mean_at_most(Uniform(0, 1), 0.5))
    0.125
    """
    if not prior._parts().pieces:
        values, masses = prior._parts().atoms, prior._parts().masses
        sums = np.append(0.0, np.cumsum(values * masses))
        return elementwise(lambda prices: sums[np.searchsorted(values, prices, side="right")], x)
    integral = tail_integral(prior, -1)

    def partial(prices: FloatArray) -> FloatArray:
        prices = np.minimum(prices, prior.support[1])
        bought = prior.cdf(prices)
        share = np.where(bought > 0, prices * np.where(bought > 0, bought, 1.0), 0.0)
        return share - integral(0.0 - prices)

    return elementwise(partial, x)
