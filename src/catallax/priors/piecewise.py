"""A distribution function drawn with straight lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import PriorError
from catallax.priors.base import Parts, register
from catallax.priors.checks import as_numbers, show
from catallax.priors.density import DensityPrior
from catallax.priors.floats import FloatArray, IntArray

__all__ = ["Piecewise"]

_SUM_TOLERANCE = 1e-9


@register
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Piecewise(DensityPrior):
    """A distribution function that is linear between given points.

    A repeated value is an atom, of the size of the step; so is a first `cdf` above 0, at the first
    value. Where `cdf` stays flat there are no values.

    Parameters
    ----------
    values
        Nondecreasing.
    cdf
        P(V <= value), nondecreasing, the last one 1 (up to 1e-9).

    Examples
    --------
    Half the values in [0, 1], an atom of 1/4 at 2, the rest in [2, 3]:

    >>> prior = Piecewise([0, 1, 2, 2, 3], [0, 0.5, 0.5, 0.75, 1])
    >>> prior.probability_at_least([1, 2, 3]).tolist()
    [0.5, 0.5, 0.0]
    """

    kind: ClassVar[str] = "piecewise"
    values: FloatArray
    heights: FloatArray = field(metadata={"key": "cdf"})

    def __init__(self, values: ArrayLike, cdf: ArrayLike) -> None:
        points, heights = as_numbers(values, "values"), as_numbers(cdf, "cdf")
        if points.size != heights.size:
            raise PriorError(
                f"cdf has {heights.size} entries for {points.size} values; give one for each"
            )
        _check_rising(points, "values")
        _check_rising(heights, "cdf")
        if heights[0] < 0:
            raise PriorError(f"cdf[0] = {show(heights[0])} must not be negative")
        if abs(heights[-1] - 1.0) > _SUM_TOLERANCE:
            raise PriorError(f"cdf ends at {show(heights[-1])}; the last one must be 1")
        self._set(values=points, heights=heights)

    @cached_property
    def _knots(self) -> tuple[FloatArray, FloatArray]:
        """The points without flat ends, an atom at the first value drawn as a step."""
        values, heights = self.values + 0.0, np.minimum(self.heights, 1.0)
        heights[-1] = 1.0
        values, heights = np.append(values[0], values), np.append(0.0, heights)
        first = np.flatnonzero(heights > 0.0)[0] - 1
        last = np.flatnonzero(heights >= 1.0)[0] + 1
        return values[first:last], heights[first:last]

    @cached_property
    def _falls(self) -> FloatArray:
        return 1.0 - self._knots[1]

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        values, _ = self._knots
        return float(values[0]), float(values[-1])

    @property
    def mean(self) -> float:
        """The expected value."""
        values, heights = self._knots
        return float(np.dot(np.diff(heights), (values[1:] + values[:-1]) / 2))

    @cached_property
    def _drawn(self) -> Parts:
        values, heights = self._knots
        rise, run = np.diff(heights), np.diff(values)
        smooth = np.flatnonzero((rise > 0) & (run > 0))
        steps = np.flatnonzero((rise > 0) & (run == 0))
        pieces = tuple((float(values[k]), float(values[k + 1])) for k in smooth)
        atoms, where = np.unique(values[steps], return_inverse=True)
        masses = np.bincount(where, weights=rise[steps], minlength=atoms.size).astype(np.float64)
        return Parts(pieces, atoms, masses)

    def _parts(self) -> Parts:
        return self._drawn

    def _line(self, x: FloatArray, side: Literal["left", "right"]) -> tuple[IntArray, FloatArray]:
        """Return the point after x and how much of the way to it is left, both clipped."""
        values, _ = self._knots
        after = np.clip(np.searchsorted(values, x, side=side), 1, values.size - 1)
        run = values[after] - values[after - 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            left = (values[after] - np.clip(x, values[0], values[-1])) / run
        return after, np.where(run > 0, left, 0.0)

    def _read(self, x: FloatArray, drawn: FloatArray, side: Literal["left", "right"]) -> FloatArray:
        values, _ = self._knots
        after, left = self._line(x, side)
        inside = drawn[after] + left * (drawn[after - 1] - drawn[after])
        if side == "right":
            before, beyond = x < values[0], x >= values[-1]
        else:
            before, beyond = x <= values[0], x > values[-1]
        return np.where(before, drawn[0], np.where(beyond, drawn[-1], inside))

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._read(x, self._knots[1], "right")

    def _sf(self, x: FloatArray) -> FloatArray:
        return self._read(x, self._falls, "right")

    def _below(self, x: FloatArray) -> FloatArray:
        return self._read(x, self._knots[1], "left")

    def _at_least(self, x: FloatArray) -> FloatArray:
        return self._read(x, self._falls, "left")

    def _quantile(self, q: FloatArray) -> FloatArray:
        values, heights = self._knots
        after = np.clip(np.searchsorted(heights, q, side="left"), 1, heights.size - 1)
        rise = heights[after] - heights[after - 1]
        left = np.clip((heights[after] - q) / rise, 0.0, 1.0)
        return values[after] - left * (values[after] - values[after - 1])

    def _slopes(self, x: FloatArray) -> FloatArray:
        values, heights = self._knots
        after = np.clip(np.searchsorted(values, x, side="right"), 1, values.size - 1)
        with np.errstate(all="ignore"):
            slope = np.diff(heights)[after - 1] / np.diff(values)[after - 1]
        inside = (x >= values[0]) & (x < values[-1]) & np.isfinite(slope)
        return np.where(inside, slope, 0.0)

    def _log_density(self, x: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.log(self._slopes(x))

    def _density(self, x: FloatArray) -> FloatArray:
        return self._slopes(x)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        values, heights = self._knots
        after = np.clip(np.searchsorted(values, x, side="right"), 1, values.size - 1)
        with np.errstate(all="ignore"):
            width = np.diff(values)[after - 1] / np.diff(heights)[after - 1]  # 1 / density
            return self._falls[after] * width + (values[after] - x)

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        values, heights = self._knots
        after = np.clip(np.searchsorted(values, x, side="left"), 1, values.size - 1)
        with np.errstate(all="ignore"):
            width = np.diff(values)[after - 1] / np.diff(heights)[after - 1]
            return heights[after - 1] * width + (x - values[after - 1])

    def _nodes(self) -> FloatArray:
        return np.unique(self._knots[0])


def _check_rising(numbers: FloatArray, key: str) -> None:
    falls = np.diff(numbers) < 0
    if falls.any():
        at = int(np.argmax(falls)) + 1
        raise PriorError(
            f"{key}[{at}] = {show(numbers[at])} is below the entry before it, "
            f"{show(numbers[at - 1])}; {key} must not decrease"
        )
