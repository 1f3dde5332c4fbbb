"""Priors with finitely many values: a point, a list, a sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import PriorError
from catallax.priors.base import Parts, Prior, register
from catallax.priors.checks import as_number, as_numbers, as_weights, show
from catallax.priors.curves import Curve, StepCurve
from catallax.priors.floats import FloatArray
from catallax.priors.tables import read_columns

__all__ = ["Discrete", "Empirical", "Point", "StepPrior"]

_SUM_TOLERANCE = 1e-9


class Atoms(NamedTuple):
    """Distinct ascending values with positive masses of any total, and P(V <= .), P(V > .)."""

    values: FloatArray
    masses: FloatArray
    cdf: FloatArray
    sf: FloatArray


def gather(values: FloatArray, weights: FloatArray | None) -> Atoms:
    """Sort values, add up the weights of equal ones, and drop what has weight zero.

    Without weights the masses are counts, so that sums of them are exact.
    """
    if weights is None:
        ordered = np.sort(values)
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        masses = np.diff(np.append(starts, ordered.size)).astype(np.float64)
    else:
        order = np.argsort(values, kind="stable")
        order = order[weights[order] > 0]
        ordered = values[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        masses = np.add.reduceat(weights[order], starts)
    up = np.cumsum(masses)
    down = np.cumsum(masses[::-1])[::-1]
    sf = np.append(down[1:], 0.0) / down[0]
    return Atoms(ordered[starts] + 0.0, masses, up / up[-1], sf)


class StepPrior(Prior):
    """A prior with finitely many values: everything about it is exact."""

    @abstractmethod
    def _atoms_of(self) -> Atoms: ...

    @cached_property
    def _steps(self) -> Atoms:
        return self._atoms_of()

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        return float(self._steps.values[0]), float(self._steps.values[-1])

    @property
    def mean(self) -> float:
        """The expected value."""
        steps = self._steps
        return float(np.dot(steps.values, steps.masses / steps.masses.sum()))

    def _parts(self) -> Parts:
        return Parts((), self._steps.values, self._steps.masses / self._steps.masses.sum())

    def _cdf(self, x: FloatArray) -> FloatArray:
        at = np.searchsorted(self._steps.values, x, side="right")
        return np.append(0.0, self._steps.cdf)[at]

    def _below(self, x: FloatArray) -> FloatArray:
        at = np.searchsorted(self._steps.values, x, side="left")
        return np.append(0.0, self._steps.cdf)[at]

    def _sf(self, x: FloatArray) -> FloatArray:
        at = np.searchsorted(self._steps.values, x, side="right")
        return np.append(1.0, self._steps.sf)[at]

    def _at_least(self, x: FloatArray) -> FloatArray:
        at = np.searchsorted(self._steps.values, x, side="left")
        return np.append(1.0, self._steps.sf)[at]

    def _quantile(self, q: FloatArray) -> FloatArray:
        return self._steps.values[np.searchsorted(self._steps.cdf, q, side="left")]

    def _value_curve(self) -> Curve:
        return StepCurve(self._steps.values, self._steps.masses)

    def _cost_curve(self) -> Curve:
        values = np.ascontiguousarray(0.0 - self._steps.values[::-1])
        return StepCurve(values, np.ascontiguousarray(self._steps.masses[::-1]))


@register
@dataclass(frozen=True, eq=False, repr=False)
class Point(StepPrior):
    """A value known for certain.

    Parameters
    ----------
    value
        The value.

    Examples
    --------
    >>> float(Point(2).virtual_value(2)), float(Point(2).virtual_cost(2))
    (2.0, 2.0)
    """

    kind: ClassVar[str] = "point"
    value: float

    def __post_init__(self) -> None:
        self._set(value=as_number(self.value, "value"))

    def _atoms_of(self) -> Atoms:
        return gather(np.array([self.value]), None)


@register
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Discrete(StepPrior):
    """Finitely many values with their probabilities.

    Parameters
    ----------
    values
        The values, in any order; a repeated one adds up.
    probabilities
        Their probabilities. They may miss a sum of 1 by 1e-9, and are kept as given: virtual
        values do not depend on the total, and probabilities are divided by it.

    Examples
    --------
    >>> Discrete([1, 2, 3], [0.5, 0.2, 0.3]).virtual_value([1, 2, 3]).tolist()
    [0.0, 0.5, 3.0]
    """

    kind: ClassVar[str] = "discrete"
    values: FloatArray
    probabilities: FloatArray

    def __init__(self, values: ArrayLike, probabilities: ArrayLike) -> None:
        points = as_numbers(values, "values")
        chances = as_weights(probabilities, "probabilities", points.size, "values")
        total = float(np.sum(chances))
        if abs(total - 1.0) > _SUM_TOLERANCE:
            raise PriorError(
                f"probabilities sum to {show(total)}, not 1; divide them by their sum, "
                f"or write empirical(values, weights=...)"
            )
        self._set(values=points, probabilities=chances)

    def _atoms_of(self) -> Atoms:
        return gather(self.values, self.probabilities)


@register
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Empirical(StepPrior):
    """The distribution of a sample.

    In market files the sample may be a `column` of a `table` (CSV or Parquet), and `weights` the
    name of another column. A prior must be fitted on the past: one that is fitted on the very
    reports it then judges lets a report move its owner's own price, and truthfulness is lost.

    Parameters
    ----------
    values
        The sample, in any order.
    weights
        A weight for each value; equal if left out.

    Examples
    --------
    >>> prior = Empirical([4, 1, 1, 2])
    >>> prior.cdf([1, 2, 3, 4]).tolist()
    [0.5, 0.75, 0.75, 1.0]
    """

    kind: ClassVar[str] = "empirical"
    values: FloatArray
    weights: FloatArray | None = None

    def __init__(self, values: ArrayLike, weights: ArrayLike | None = None) -> None:
        points = as_numbers(values, "values")
        self._set(values=points, weights=None)
        if weights is not None:
            self._set(weights=as_weights(weights, "weights", points.size, "values"))

    def _atoms_of(self) -> Atoms:
        return gather(self.values, self.weights)

    @classmethod
    def usage(cls) -> str:
        """Return the arguments of this kind."""
        return "write empirical(values, weights?) or give a table and a column"

    @classmethod
    def from_spec(cls, given: Mapping[str, Any], base: Path | None = None) -> Self:
        """Make the prior from values, or from a column of a table."""
        cls._check_keys(given, ["values", "weights", "table", "column"])
        if "table" not in given:
            if "column" in given:
                raise PriorError("a column is given without a table; add table")
            return super().from_spec(given, base)
        if "values" in given:
            raise PriorError("both values and a table are given; keep one of them")
        if "column" not in given:
            raise PriorError("a table is given without a column; add column")
        wanted = {"values": given["column"]}
        weights: Any = given.get("weights")
        if isinstance(weights, str):
            wanted["weights"] = weights
        columns = read_columns(given["table"], wanted, base)
        return cls(columns["values"], columns.get("weights", weights))
