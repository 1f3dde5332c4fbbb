"""Priors with densities: their two laws, and their virtual values by ironing stretch by stretch."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from catallax.errors import PriorError
from catallax.priors.base import Prior
from catallax.priors.curves import Curve
from catallax.priors.floats import FloatArray
from catallax.priors.hull import Function, Law, Piece
from catallax.priors.smooth_curve import SmoothCurve

__all__ = ["DensityPrior", "node_grid"]


class DensityPrior(Prior):
    """A prior with a density, perhaps with atoms and gaps too."""

    @abstractmethod
    def _log_density(self, x: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        """Return P(V > x) / density(x), without cancellation or underflow."""

    @abstractmethod
    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        """Return P(V < x) / density(x), without cancellation or underflow."""

    def _density(self, x: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return np.exp(self._log_density(x))

    def _nodes(self) -> FloatArray:
        low, high = self.support
        return node_grid(self._quantile, self._upper_quantile, low, high)

    def _value_curve(self) -> Curve:
        return self._ironed(1)

    def _cost_curve(self) -> Curve:
        return self._ironed(-1)

    def _ironed(self, side: int) -> Curve:
        law = self._law(side)
        try:
            curve = SmoothCurve(law)
        except (RuntimeError, OverflowError):  # a root that cannot be found
            curve = None
        if curve is None or not curve.rises():
            raise self._too_spread("value" if side > 0 else "cost")
        return curve

    def _too_spread(self, word: str) -> PriorError:
        return PriorError(
            f"{self.describe()}: its virtual {word} cannot be ironed in floating point, for it "
            "turns where numbers end or are too coarse; use a law of less spread"
        )

    def _law(self, side: int) -> Law:
        """Return the buyer's side (1), or the seller's mirrored onto it (-1)."""
        parts = self._parts()
        limit = self._upper_revenue() if side > 0 else self._lower_revenue()
        if limit == np.inf:
            raise PriorError(
                f"{self.describe()}: its tail is heavier than 1/x, so the best revenue is infinite "
                "and no virtual value exists; use a lighter tail (alpha >= 1) or end the support"
            )
        tail = self._at_least if side > 0 else lambda x: self._cdf(0.0 - x)
        beyond = self._sf if side > 0 else lambda x: self._below(0.0 - x)
        atoms = parts.atoms if side > 0 else 0.0 - parts.atoms[::-1]
        masses = parts.masses if side > 0 else parts.masses[::-1]
        ends = parts.pieces if side > 0 else [(0.0 - b, 0.0 - a) for a, b in parts.pieces[::-1]]
        nodes = self._nodes() if side > 0 else 0.0 - self._nodes()[::-1]
        where = set(atoms.tolist())

        def ratio(x: FloatArray) -> FloatArray:
            with np.errstate(all="ignore"):
                return self._upper_ratio(x) if side > 0 else self._lower_ratio(0.0 - x)

        def at(function: Function, x: float) -> float:
            return float(function(np.array([x]))[0])

        pieces = tuple(
            Piece(
                start,
                end,
                at(beyond if start in where else tail, start),
                at(tail, end),
                _between(nodes, start, end),
                ratio,
                tail,
                self._density if side > 0 else lambda x: self._density(0.0 - x),
            )
            for start, end in ends
        )
        return Law(pieces, atoms, masses, tail(atoms), limit, ratio)


def _between(nodes: FloatArray, start: float, end: float) -> FloatArray:
    """Return the nodes inside an interval, with its two first and last floats."""
    inner = nodes[(nodes > start) & (nodes < end)]
    ends = [np.nextafter(start, np.inf), np.nextafter(end, -np.inf)]
    finite = [x for x, end_of in zip(ends, (start, end), strict=True) if np.isfinite(end_of)]
    if np.isfinite(start) and np.isfinite(end):
        steps = np.linspace(start, end, 34)[1:-1]
        inner = np.concatenate([inner, steps[(steps > start) & (steps < end)]])
    return np.unique(np.concatenate([inner, finite]))


def node_grid(
    quantile: Function,
    upper_quantile: Function,
    low: float,
    high: float,
    *,
    smallest: float = 1e-290,
) -> FloatArray:
    """Return about 1,800 points dense in probability, in value, and near both ends."""
    even = np.linspace(0.0, 1.0, 602)[1:-1]
    tiny = np.geomspace(smallest, 1.0 / 600.0, 240)
    with np.errstate(all="ignore"):
        lower = quantile(np.concatenate([tiny, even]))
        upper = upper_quantile(tiny)
    points = [lower, upper]
    left = low if np.isfinite(low) else float(lower[160])  # where the tail is about 1e-99
    right = high if np.isfinite(high) else float(upper[160])
    if left < right and np.isfinite(right - left):
        points.append(np.linspace(left, right, 502)[1:-1])
        width = right - left
        near = width * np.geomspace(1e-16, 1e-2, 120)
        points.extend([left + near, right - near])
    grid = np.concatenate(points)
    return np.unique(grid[np.isfinite(grid) & (grid > low) & (grid < high)])
