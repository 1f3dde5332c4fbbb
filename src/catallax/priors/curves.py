"""Ironed virtual values as functions that know their generalised inverse.

Everything here is on the buyer's side. A seller's cost c is a buyer's value x = -c: her virtual
cost is minus the virtual value of the mirrored prior, so one algorithm serves both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from catallax.priors.floats import BoolArray, FloatArray, IntArray, smallest_float
from catallax.priors.ironing import iron_steps

_PIECE = 1 << 13  # so many floats are worked on at once where there are many passes


class IronedInterval(NamedTuple):
    """An interval on which ironing made the virtual value (or cost) constant.

    Parameters
    ----------
    low, high
        Its ends. For values the plateau is ``[low, high)``, for costs ``(low, high]``; an end that
        is also the end of the support belongs to it.
    level
        The ironed virtual value, or cost.
    """

    low: float
    high: float
    level: float


class Curve(ABC):
    """A nondecreasing virtual value: -inf below `low`, constant above the support."""

    low: float
    """Where the support begins."""

    @abstractmethod
    def raw(self, x: FloatArray) -> FloatArray:
        """Return the virtual value before ironing."""

    @abstractmethod
    def ironed(self, x: FloatArray) -> FloatArray:
        """Return the virtual value after ironing."""

    @abstractmethod
    def smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Return the smallest float whose ironed virtual value reaches (or exceeds) a level."""

    @property
    @abstractmethod
    def intervals(self) -> tuple[IronedInterval, ...]:
        """The ironed intervals, ascending."""


def reaches(value: FloatArray, level: FloatArray, strict: BoolArray) -> BoolArray:
    """Return whether a virtual value wins at a level under its tie rule."""
    return (value > level) | ((value == level) & ~strict)


class StepCurve(Curve):
    """The virtual value of a prior with finitely many atoms.

    Parameters
    ----------
    values
        The atoms, ascending and distinct.
    masses
        Their positive masses.
    """

    def __init__(self, values: FloatArray, masses: FloatArray) -> None:
        self.low = float(values[0])
        self._values = values
        self._masses = masses
        self._first, self._levels = iron_steps(values, masses)
        self._starts = values[self._first]

    def raw(self, x: FloatArray) -> FloatArray:
        """Return ``v - (next value - v) P(V > v) / P(V = v)`` at the atom v at or below x."""
        tails = np.cumsum(self._masses[::-1])[::-1] - self._masses
        tails[-1] = 0.0
        gaps = np.append(np.diff(self._values), 0.0)
        levels = self._values - tails * (gaps / self._masses)
        return self._step(self._values, levels, x)

    def ironed(self, x: FloatArray) -> FloatArray:
        """Return the level of the block that x falls in."""
        return self._step(self._starts, self._levels, x)

    @staticmethod
    def _step(starts: FloatArray, levels: FloatArray, x: FloatArray) -> FloatArray:
        at = np.searchsorted(starts, x, side="right") - 1
        return np.where(at < 0, -np.inf, levels[np.maximum(at, 0)])

    def smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Return the first atom of the first block at or above the level."""
        at = np.searchsorted(self._levels, level, side="left")
        if strict.any():
            at = np.where(strict, np.searchsorted(self._levels, level, side="right"), at)
        return np.append(self._starts, np.inf)[at]

    @property
    def intervals(self) -> tuple[IronedInterval, ...]:
        """The blocks of more than one atom."""
        ends = np.append(self._starts[1:], self._values[-1])
        sizes = np.diff(np.append(self._first, self._values.size))
        return tuple(
            IronedInterval(float(self._starts[k]), float(ends[k]), float(self._levels[k]))
            for k in np.flatnonzero(sizes > 1)
        )


class ClosedCurve(Curve):
    """A virtual value with a formula that is nondecreasing in floating point.

    Parameters
    ----------
    low, high
        The support; `high` may be infinite.
    formula
        The ironed virtual value on the support.
    inverse
        A level's first value, up to rounding; the exact float is found from there.
    top
        The virtual value at and above `high`.
    raw
        The virtual value before ironing, where it differs.
    intervals
        The ironed intervals.
    """

    def __init__(
        self,
        low: float,
        high: float,
        formula: Callable[[FloatArray], FloatArray],
        inverse: Callable[[FloatArray], FloatArray],
        top: float,
        *,
        raw: Callable[[FloatArray], FloatArray] | None = None,
        intervals: tuple[IronedInterval, ...] = (),
    ) -> None:
        self.low = low
        self._high = high
        self._formula = formula
        self._raw = raw or formula
        self._inverse = inverse
        self._top = top
        self._intervals = intervals

    def raw(self, x: FloatArray) -> FloatArray:
        """Return the formula before ironing."""
        return self._on_support(self._raw, x)

    def ironed(self, x: FloatArray) -> FloatArray:
        """Return the formula after ironing."""
        return self._on_support(self._formula, x)

    def _on_support(self, formula: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
        if x.size and x.min() >= self.low and x.max() < self._high:
            with np.errstate(over="ignore", invalid="ignore"):
                out = formula(x)
            return out if out.max() <= self._top else np.minimum(out, self._top)
        inside = (x >= self.low) & (x < self._high)
        out = np.where(x < self.low, -np.inf, self._top)
        with np.errstate(over="ignore", invalid="ignore"):
            out[inside] = np.minimum(formula(x[inside]), self._top)
        return out

    def smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Return the smallest float that reaches the level."""
        out = np.empty(level.shape)
        # In pieces that stay in the processor's caches: there is a score of passes over each.
        for start in range(0, level.size, _PIECE):
            piece = slice(start, start + _PIECE)
            out[piece] = self._smallest(level[piece], strict[piece])
        return out

    def _smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        with np.errstate(over="ignore", invalid="ignore"):
            out, settled = self._near_guess(level, strict)
        if not settled.all():
            rest = np.flatnonzero(~settled)
            out[rest] = self._searched(level[rest], strict[rest])
        return out

    def _near_guess(self, level: FloatArray, strict: BoolArray) -> tuple[FloatArray, BoolArray]:
        """Look at the guess of the inverse and at one float beside it, which nearly always do.

        Returns what was found, and where the test fails just below it, which makes it right.
        """
        guess = self._inverse(level)
        holds = reaches(self.ironed(guess), level, strict)
        # The bits of a positive float are a whole number, and those of its neighbours the next.
        step = 1 - 2 * (holds == (guess > 0)).view(np.int8)
        beside = (guess.view(np.int64) + step).view(np.float64)
        also = reaches(self.ironed(beside), level, strict)
        found = np.where(holds, guess, beside)
        right = holds != also
        # Zero has other neighbours. Up to the end of the support no rule about ends applies, and
        # nothing is out of reach; a float that is no number fails here too.
        if not (max(self.low, 0.0) < guess.min() and found.min() > self.low):
            right &= (guess != 0) & (found > self.low)
        if not found.max() < self._high:
            right &= found < self._high
        return found, right

    def _searched(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        out = np.full(level.shape, np.inf)
        reachable = reaches(np.full(level.shape, self._top), level, strict) & (level < np.inf)
        out[level == -np.inf] = self.low
        which = np.flatnonzero(reachable & (level > -np.inf))
        if which.size:
            wanted, ties = level[which], strict[which]

            def holds(x: FloatArray, some: IntArray) -> BoolArray:
                return reaches(self.ironed(x), wanted[some], ties[some])

            with np.errstate(over="ignore", invalid="ignore"):
                guess = self._inverse(wanted)
            low = np.full(which.size, self.low)
            high = np.full(which.size, self._high)
            out[which] = smallest_float(holds, guess, low, high)
        return out

    @property
    def intervals(self) -> tuple[IronedInterval, ...]:
        """The ironed intervals."""
        return self._intervals
