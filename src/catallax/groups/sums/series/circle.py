"""Sums with densities: Fourier series on a window, with the error of both of its ends.

The law of a sum is wrapped around a circle that is as long as a window which the sum leaves with
negligible probability (Chernoff); a probability or an expected excess is then a series in the
characteristic function (Poisson summation), and what is cut off the series is bounded by how
fast transforms of densities fall.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.bounds import (
    Draws,
    first_terms,
    quiet_reach,
    usual_spread,
    window,
    without_atoms,
)
from catallax.groups.sums.draws.measure import Measure

__all__ = ["Circle", "circle_of"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

MOST_FREQUENCIES = 1 << 20
_QUIET_FROM = 1 << 15
_GRID = np.exp2(np.arange(0.0, 90.0, 0.5))
# Series of so many terms are taken if their error is at most this.
_ACCEPTED = ((1 << 10, 1e-14), (1 << 12, 1e-12), (1 << 14, 1e-10), (1 << 17, 1e-8))
_TAILS = (1e-16, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7)
_OUTSIDE = 1e-15
_MARGIN = 0.02


@dataclass(frozen=True, eq=False)
class Circle:
    """A window wrapped around a circle, and how many frequencies are enough on it.

    Attributes
    ----------
    draws
        What is summed; the far tails of unbounded priors are cut off.
    low, high
        The window.
    period
        The length of the circle, at least that of the window.
    count
        How many frequencies, 0 included.
    cut
        What the series leaves out, at most (in probability, or in money for an excess).
    outside
        The probability that the sum is not in the window, or that a draw was cut off.
    reach
        If above 0, atoms are still in the transform, and the series needs Vaaler's weights for so
        many frequencies; those from `count` on are bounded in `cut`.
    """

    draws: tuple[Draws, ...]
    low: float
    high: float
    period: float
    count: int
    cut: float
    outside: float
    reach: int = 0

    @property
    def step(self) -> float:
        """The distance of neighbouring frequencies."""
        return 2.0 * math.pi / self.period

    @property
    def frequencies(self) -> Array:
        """All frequencies, shape (count,)."""
        return self.step * np.arange(self.count, dtype=np.float64)

    def widened(self, count: int) -> Circle:
        """Return a circle with nothing next to the window's ends, and so many frequencies."""
        margin = _MARGIN * (self.high - self.low)
        return replace(
            self,
            low=self.low - margin,
            high=self.high + margin,
            period=self.period + 2.0 * margin,
            count=count,
            cut=0.0,
            reach=0,
        )

    def tail(self, total: float, centre: float, *, below: bool = False) -> Complex:
        """Return weights k with P(sum >= total) = Re sum(k * transform of sum - centre).

        With `below` they are those of P(sum < total).
        """
        at = min(max(total, self.low), self.high) - centre
        start, end = (self.low - centre, at) if below else (at, self.high - centre)
        u = self.frequencies[1:]
        weights = np.empty(self.count, dtype=np.complex128)
        weights[0] = (end - start) / self.period
        weights[1:] = (np.exp(-1j * u * start) - np.exp(-1j * u * end)) / (0.5j * u * self.period)
        return weights * self._vaaler() if self.reach else weights

    def _vaaler(self) -> Array:
        share = np.arange(1, self.count) / self.reach
        turn = math.pi * share
        inner = turn * (1.0 - share) / np.tan(turn) + share
        return np.concatenate([[1.0], inner])

    def jump_error(self, transform: Complex, total: float, centre: float) -> float:
        """Bound the error of Vaaler's series: half the mass near either jump.

        Parameters
        ----------
        transform
            Of the sum less `centre`.
        total, centre
            As for `tail`.

        References
        ----------
        Vaaler, Some extremal functions in Fourier analysis (1985), theorem 18.
        """
        fejer = (1.0 - np.arange(self.count) / self.reach) * np.append(
            1.0, np.full(self.count - 1, 2.0)
        )
        bound = 0.0
        for end in (min(max(total, self.low), self.high), self.high):
            wave = np.exp(-1j * self.frequencies * (end - centre))
            bound += max(float((fejer * (transform * wave).real).sum()), 0.0)
        return bound / (2.0 * self.reach)

    def excess(self, centre: float, *, below: bool = False) -> Complex:
        """Return weights k with E[max(sum, 0)] = Re sum(k * transform of sum - centre).

        With `below` they are those of E[max(-sum, 0)]. The function is continued to a continuous
        one on the circle, so that its series converges like 1 / u^2.
        """
        corners = [self.low, 0.0, self.high] if self.low < 0 < self.high else [self.low, self.high]
        knots = np.unique(corners)
        heights = np.maximum(-knots if below else knots, 0.0)
        ends = np.append(knots[1:], knots[0] + self.period)
        after = np.append(heights[1:], heights[0])
        slopes = (after - heights) / (ends - knots)
        bends = slopes - np.roll(slopes, 1)
        u = self.frequencies[1:]
        weights = np.zeros(self.count, dtype=np.complex128)
        for knot, bend in zip(knots, bends, strict=True):
            weights[1:] -= bend * np.exp(-1j * u * (knot - centre))
        weights[1:] *= 2.0 / (u * u * self.period)
        weights[0] = ((heights + after) / 2 @ (ends - knots)) / self.period
        return weights


def circle_of(draws: Sequence[Draws], *, excess: bool = False, rough: bool = False) -> Circle:
    """Choose the window and the number of frequencies.

    Parameters
    ----------
    draws
        What is summed.
    excess
        Whether an expected excess is wanted, or probabilities.
    rough
        Whether terms with at most one draw from a density are left in the transform (for an
        excess: the terms with none).

    Returns
    -------
    Circle
        Of all tried the first with negligible error, or else the one with the least.
    """
    unit = (usual_spread(draws) or 1.0) if excess else 1.0
    best: Circle | None = None
    for cut in _cut_off(draws):
        lost = math.fsum(one.count * one.lost for one in cut)
        low, high = window(cut, _OUTSIDE)
        circle = _with_frequencies(cut, low, high, lost + _OUTSIDE, rough, excess, unit)
        if best is None or circle.cut / unit + circle.outside < best.cut / unit + best.outside:
            best = circle
        if best.cut / unit + best.outside <= 1e-10 or (rough and best.outside <= 1e-8):
            break
    assert best is not None
    return best


def _cut_off(draws: Sequence[Draws]) -> Iterator[tuple[Draws, ...]]:
    """Yield the draws with more and more of their unbounded tails cut off."""
    yield tuple(draws)
    if not any(one.lost > 0 for one in draws):
        return
    members = sum(one.count for one in draws)
    for tail in _TAILS:
        yield tuple(replace(one, measure=_without(one.measure, tail / members)) for one in draws)


def _without(measure: Measure, tail: float) -> Measure:
    """Return a measure without the outer cells of the unbounded ends, up to a probability."""
    mass = 2.0 * measure.coefficients[:, 0]
    start, end = -math.inf, math.inf
    if measure.lost_below > 0:
        order = np.argsort(measure.high, kind="stable")
        few = int(np.searchsorted(np.cumsum(mass[order]), tail))
        start = float(measure.high[order[few - 1]]) if few else start
    if measure.lost_above > 0:
        order = np.argsort(-measure.low, kind="stable")
        few = int(np.searchsorted(np.cumsum(mass[order]), tail))
        end = float(measure.low[order[few - 1]]) if few else end
    return measure if start == -math.inf and end == math.inf else measure.trimmed(start, end)


def _with_frequencies(
    draws: tuple[Draws, ...],
    low: float,
    high: float,
    outside: float,
    rough: bool,
    excess: bool,
    unit: float,
) -> Circle:
    period = (high - low) * (2.0 if excess else 1.0 + 1e-9)
    if period <= 0:  # all is certain
        period = max(abs(low), 1.0)
    if rough:
        return _rough(draws, low, high, period, outside, excess)
    step = 2.0 * math.pi / period
    errors = _series_errors(draws, step, period, excess)
    counts = np.ceil(_GRID)
    allowed = counts <= MOST_FREQUENCIES
    at = int(np.flatnonzero(allowed)[-1])
    for most, error in _ACCEPTED:
        enough = np.flatnonzero(allowed & (counts <= most) & (errors <= error * unit))
        if enough.size:
            at = int(enough[0])
            break
    return Circle(draws, low, high, period, int(counts[at]) + 1, float(errors[at]), outside)


def _rough(
    draws: tuple[Draws, ...], low: float, high: float, period: float, outside: float, excess: bool
) -> Circle:
    """Choose frequencies for transforms that keep their atoms, and so never fall for good."""
    step = 2.0 * math.pi / (period if excess else period * (1.0 + 2.0 * _MARGIN))
    count = _QUIET_FROM
    reach, size = quiet_reach(draws, step, count)
    between = size * (math.log(max(reach / count, 1.0)) + 2.0)
    if reach == count or between > 1e-9:
        count = reach = MOST_FREQUENCIES
        between = 0.0
    if not excess:
        # Vaaler's series errs by what lies next to a jump, and densities may be steepest where
        # they end.
        circle = Circle(draws, low, high, period, count, between, outside).widened(count)
        return replace(circle, cut=between, reach=reach)
    # Sums of 16 / (u^2 period), between the two numbers of frequencies and beyond both.
    unit = 16.0 * period / (2.0 * math.pi) ** 2
    cut = unit * (between / count + 1.0 / (reach - 1))
    return Circle(draws, low, high, period, count, cut, outside)


def _series_errors(draws: tuple[Draws, ...], step: float, period: float, excess: bool) -> Array:
    """Bound what is left out beyond each number of frequencies of the grid."""
    u = step * _GRID
    if excess:
        rest = without_atoms(draws, u)
        # Four corners with slopes of at most 1 on either side, twice 1 / (u^2 period) each.
        size = rest * 16.0 / (u * u * period)
    else:
        size = first_terms(draws, u) * 2.0 / (math.pi * _GRID)
    # Between two points of the grid lie fewer frequencies than this.
    between = np.ceil(_GRID * (math.sqrt(2.0) - 1.0)) + 1.0
    return np.cumsum((size * between)[::-1])[::-1]
