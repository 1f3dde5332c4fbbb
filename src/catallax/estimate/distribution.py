"""How an amount varies from sample to sample."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

__all__ = ["PROBABILITIES", "Distribution"]

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The probabilities whose quantiles are printed."""


@dataclass(frozen=True, eq=False)
class Distribution:
    """How an amount varies from sample to sample: its percentiles, and how many were seen.

    Attributes
    ----------
    percentiles
        The smallest values that 0, 1, ..., 100 percent of what was seen do not exceed; of 0
        percent it is the smallest value seen. Shape (101,).
    count
        How many values were seen; of lotteries every outcome's.
    mean
        Their mean, weighted by the outcomes' probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> seen = Distribution.of(np.array([3.0, 1.0, 2.0, 4.0]))
    >>> seen.quantile(0.5), seen.quantile(1.0), seen.mean
    (2.0, 4.0, 2.5)
    """

    percentiles: NDArray[np.float64]
    count: int
    mean: float

    @classmethod
    def of(
        cls, values: NDArray[np.float64], weights: NDArray[np.float64] | None = None
    ) -> Distribution | None:
        """Summarise values, each with its weight; None if there are none."""
        if not values.size:
            return None
        levels = np.arange(101) / 100
        if weights is None:
            ordered = np.sort(values)
            at = np.ceil(levels * values.size - 1e-9).astype(np.int64) - 1
            with np.errstate(over="ignore"):
                mean = float(values.mean())
            if not isfinite(mean):  # the sum alone may be too large
                mean = float((values / values.size).sum())
        else:
            order = np.argsort(values, kind="stable")
            ordered, reached = values[order], np.cumsum(weights[order])
            at = np.searchsorted(reached, levels * reached[-1] * (1 - 1e-12))
            mean = float((values * weights).sum() / weights.sum())
        return cls(ordered[np.clip(at, 0, values.size - 1)], int(values.size), mean)

    def quantile(self, probability: float) -> float:
        """Give the percentile next to a probability, between 0 and 1."""
        return float(self.percentiles[round(100 * probability)])

    def to_dict(self) -> dict[str, float]:
        """Give the quantiles that are printed, by their probabilities."""
        return {f"{probability:g}": self.quantile(probability) for probability in PROBABILITIES}
