"""Values and virtual values combined, and then ironed; and virtual values between two prices.

The second best weighs a buyer by ``(1 - share) v + share phi(v)``. It is the *combination* that has
to be ironed: it is the slope of H(q) = (1 - share) E[V 1(V >= p)] + share p q over q = P(V >= p),
and the concave hull of H is not the combination of two hulls.

Between two prices that others' reports set, the revenue curve has other ends, and so another hull:
everything worth more than `high` sells at `high`, and nothing sells below `low`.

A seller is a buyer of value x = -c, so there is one algorithm here as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from catallax.priors.base import Prior
from catallax.priors.combination_density import Bounds, SmoothCombination
from catallax.priors.curves import BoolArray, Curve, IronedInterval, StepCurve
from catallax.priors.floats import FloatArray, elementwise, inverted

__all__ = ["Weighing", "weighing"]


@dataclass(frozen=True, eq=False)
class Weighing:
    """How much an agent's report weighs, and which report has a given weight.

    Attributes
    ----------
    role
        "buyer" or "seller".
    curve
        The weight on the buyer's side; for a seller, of x = -c, with the opposite sign.
    """

    role: Literal["buyer", "seller"]
    curve: Curve

    def weight(self, reports: ArrayLike) -> FloatArray:
        """Return the weights of reports; nondecreasing in the report."""
        if self.role == "buyer":
            return elementwise(self.curve.ironed, reports, what="report")
        return elementwise(lambda c: 0.0 - self.curve.ironed(0.0 - c), reports, what="report")

    def critical(self, level: ArrayLike, strict: bool | ArrayLike = False) -> FloatArray:
        """Return the smallest bid that reaches a level, or the largest ask within it.

        Parameters
        ----------
        level
            Weights.
        strict
            Pass the level instead of reaching it.

        Returns
        -------
        ndarray of float64
            Infinite where no report does.
        """
        sign = 1.0 if self.role == "buyer" else -1.0

        def invert(t: FloatArray, s: BoolArray) -> FloatArray:
            return 0.0 + sign * self.curve.smallest(0.0 + sign * t, s)

        return inverted(invert, level, strict)

    @property
    def kinks(self) -> FloatArray:
        """Finite reports at which the weight jumps or changes its form."""
        sign = 1.0 if self.role == "buyer" else -1.0
        return sign * np.asarray(getattr(self.curve, "_starts", [self.curve.low]))


@lru_cache(maxsize=1024)
def weighing(
    prior: Prior,
    role: Literal["buyer", "seller"],
    share: float,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    above: bool = False,
) -> Weighing:
    """Return the ironed weight ``(1 - share) v + share phi(v)`` of a prior.

    Parameters
    ----------
    prior
        The prior.
    role
        The side the agent is on; for a seller, the weight ``(1 - share) c + share psi(c)``.
    share
        How much the virtual value counts, from 0 to 1.
    low, high
        Between which prices a trade can be: a buyer does not trade below `low`, and weighs the
        same from `high` on (for a seller: not above `high`, and the same up to `low`).
    above
        Whether the bound on which trade ends (`low` for a buyer, `high` for a seller) must be
        passed rather than met.

    Returns
    -------
    Weighing

    Examples
    --------
    >>> from catallax.priors import Discrete, Uniform
    >>> float(weighing(Uniform(0, 1), "buyer", 0.5).weight(0.75))
    0.625
    >>> float(weighing(Uniform(0, 1), "buyer", 1.0, high=0.7).weight(0.9))
    0.7
    >>> prior = Discrete([1, 2, 3], [0.5, 0.1, 0.4])  # 1 and 2 are ironed together
    >>> [round(float(weighing(prior, "buyer", share).weight(2)), 9) for share in (1.0, 0.1)]
    [-0.333333333, 1.6]
    """
    if role == "seller":
        low, high = 0.0 - high, 0.0 - low
    bounds = Bounds(1 if role == "buyer" else -1, low, high, above)
    if not prior._parts().pieces:
        return Weighing(role, _step_curve(prior, share, bounds))
    return Weighing(role, SmoothCombination(prior, share, bounds))


def _step_curve(prior: Prior, share: float, bounds: Bounds) -> Curve:
    parts = prior._parts()
    values, masses = parts.atoms, parts.masses
    if bounds.side < 0:
        values, masses = 0.0 - values[::-1], masses[::-1]
    sold = values > bounds.low if bounds.above else values >= bounds.low
    values, masses = values[sold], masses[sold]
    if bounds.high < np.inf and (values >= bounds.high).any():
        top = masses[values >= bounds.high].sum()
        below = values < bounds.high
        values, masses = np.append(values[below], bounds.high), np.append(masses[below], top)
    if not values.size:
        return _Nothing()
    if share == 1.0:
        return StepCurve(np.ascontiguousarray(values), np.ascontiguousarray(masses))
    tails = np.append(np.cumsum(masses[:0:-1])[::-1], 0.0)
    gaps = np.append(np.diff(values), 0.0)
    raw = values - share * tails * (gaps / masses)
    ironed = optimize.isotonic_regression(raw, weights=masses)
    return _Steps(values[ironed.blocks[:-1]], ironed.x[ironed.blocks[:-1]])


class _Nothing(Curve):
    """The weight of an agent that cannot trade."""

    low = np.inf

    def raw(self, x: FloatArray) -> FloatArray:
        """Return -inf."""
        return np.full(x.shape, -np.inf)

    ironed = raw

    def smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Return +inf: no report reaches any level."""
        return np.full(np.broadcast(level, strict).shape, np.inf)

    @property
    def intervals(self) -> tuple[IronedInterval, ...]:
        """None."""
        return ()


class _Steps(Curve):
    """A nondecreasing right-continuous step, -inf below its start."""

    def __init__(self, starts: FloatArray, levels: FloatArray) -> None:
        self._starts = starts
        self._levels = levels
        self.low = float(starts[0])

    def ironed(self, x: FloatArray) -> FloatArray:
        """Return the level of the step that x is on."""
        at = np.searchsorted(self._starts, x, side="right") - 1
        return np.where(at < 0, -np.inf, self._levels[np.maximum(at, 0)])

    raw = ironed

    def smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Return where the first step at (or beyond) the level starts."""
        left = np.searchsorted(self._levels, level, side="left")
        right = np.searchsorted(self._levels, level, side="right")
        return np.append(self._starts, np.inf)[np.where(strict, right, left)]

    @property
    def intervals(self) -> tuple[IronedInterval, ...]:
        """Not kept."""
        return ()
