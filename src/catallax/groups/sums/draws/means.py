"""Partial means of one draw: E[draw, draw at least y], heavy tails to the last digits."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.cells import measure_of
from catallax.groups.sums.draws.measure import NODES, WEIGHTS
from catallax.priors import Prior

__all__ = ["PartialMeans", "partial_means"]

Array = NDArray[np.float64]

# A tail is integrated over its quantiles, at probabilities down to exp(-700).
_FAR, _PANEL = 700.0, 4.0


class PartialMeans:
    """E[draw, draw >= y] as a function of y, from the cells of the prior and its far tails.

    Parameters
    ----------
    prior
        Of a finite mean.
    sign
        1 for its values, -1 for their negatives.

    Examples
    --------
    >>> from catallax.priors import Pareto
    >>> round(float(PartialMeans(Pareto(1.5), 1)(np.array([100.0]))[0]), 12)
    0.3
    """

    def __init__(self, prior: Prior, sign: int) -> None:
        found = measure_of(prior)
        self._measure = found if sign > 0 else found.mirrored()
        self._prior, self._sign = prior, sign
        self._mean = sign * prior.mean
        self._low = prior.support[0] if sign > 0 else 0.0 - prior.support[1]
        atoms = self._measure.atoms * self._measure.masses
        self._atoms = np.append(np.cumsum(atoms[::-1])[::-1], 0.0)
        self._layers: list[tuple[NDArray[np.int64], Array]] = []
        whole = self._moments(np.arange(self._measure.low.size), self._measure.low)
        for layer in np.unique(self._measure.layer):
            own = np.flatnonzero(self._measure.layer == layer)
            own = own[np.argsort(self._measure.low[own], kind="stable")]
            self._layers.append((own, np.append(np.cumsum(whole[own][::-1])[::-1], 0.0)))
        self._end = self._measure.support[1]
        self._beyond = self._tail(self._measure.lost_above, 1)

    def __call__(self, y: Array) -> Array:
        """Return the partial means; atoms at y count."""
        measure = self._measure
        out = self._atoms[np.searchsorted(measure.atoms, y, side="left")] + self._beyond
        for own, rest in self._layers:
            low, high = measure.low[own], measure.high[own]
            at = np.searchsorted(low, y, side="right") - 1
            out = out + rest[at + 1]
            cut = np.flatnonzero((at >= 0) & (y < high[np.maximum(at, 0)]))
            out[cut] += self._moments(own[at[cut]], y[cut])
        far = np.flatnonzero((y > self._end) & (measure.lost_above > 0))
        for k in far:
            out[k] = self._tail(self._chance(float(y[k]), 1), 1)
        far = np.flatnonzero((y < self._measure.support[0]) & (measure.lost_below > 0))
        for k in far:
            out[k] = self._mean - self._tail(self._chance(float(y[k]), -1), -1)
        return np.where(y <= self._low, self._mean, out)

    def _moments(self, cells: NDArray[np.int64], start: Array) -> Array:
        """Return the first moments of cells from some place in them on."""
        high = self._measure.high[cells]
        series = self._measure.reread(cells, start, high)
        half = (high - start) / 2
        heights = np.polynomial.legendre.legval(NODES, series.T)
        return ((start + half)[:, None] + half[:, None] * NODES) * heights @ WEIGHTS

    def _chance(self, y: float, side: int) -> float:
        """Return P(draw >= y), or P(draw <= y)."""
        tail = self._prior.probability_at_least if side == self._sign else self._prior.cdf
        return float(tail(self._sign * y))

    def _tail(self, chance: float, side: int) -> float:
        """Integrate the quantiles of the upper or the lower tail of a probability."""
        if chance <= 0:
            return 0.0
        panels = max(1, int((_FAR + math.log(chance)) / _PANEL))
        at = _PANEL * (np.arange(panels)[:, None] + (NODES + 1.0) / 2)
        with np.errstate(all="ignore"):
            levels = chance * np.exp(-at.ravel())
            if side == self._sign:
                quantiles = np.asarray(self._prior._upper_quantile(levels))
            else:
                quantiles = 0.0 - np.asarray(self._prior._quantile(levels))
        # Sizes of the values in the tail, whichever way it goes.
        sizes = quantiles.reshape(at.shape) * np.exp(-at) @ WEIGHTS * (_PANEL / 2)
        usable = np.cumprod(np.isfinite(sizes)).astype(bool)
        sizes = sizes[usable]
        if not sizes.size:
            return 0.0
        rest = 0.0
        if sizes.size > 1 and 0 < sizes[-1] < sizes[-2]:  # geometric from there on
            rest = sizes[-1] ** 2 / (sizes[-2] - sizes[-1])
        return side * chance * (math.fsum(sizes) + rest)


@lru_cache(maxsize=1024)
def partial_means(prior: Prior, sign: int) -> PartialMeans:
    """Return the partial means of a prior's values, or of their negatives."""
    return PartialMeans(prior, sign)
