"""Means with intervals that no rare value can fool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from catallax.audit.setting import Setting

__all__ = ["LEVEL", "Mean", "bounded_mean", "money_width"]

Array = NDArray[np.float64]

LEVEL = 0.999
"""With what probability an interval covers the expectation."""

# The largest share of her money that a gambler stakes.
_STAKE = 0.75


@dataclass(frozen=True)
class Mean:
    """An expectation.

    Attributes
    ----------
    mean
        The expectation itself, or the mean of a sample.
    interval
        Where the expectation lies, with probability `LEVEL`; None where it is exact.
    least, most
        The smallest and the largest number that went into it.
    count
        How many.
    """

    mean: float
    interval: tuple[float, float] | None
    least: float
    most: float
    count: int


def bounded_mean(sample: Array, width: float, level: float = LEVEL) -> Mean:
    """Estimate an expectation with an interval that rare large values cannot fool.

    Parameters
    ----------
    sample
        Independent draws; shape (n,).
    width
        How far values can be from zero; what the sample shows counts if it is more.
    level
        With what probability the interval covers the expectation.

    Returns
    -------
    Mean

    Notes
    -----
    A normal interval would be wrong here: a report a little off the truth gains a little nearly
    always and loses much rarely, and a sample in which the rare case is missing has hardly any
    variance. This interval holds for every law on [-width, width] and every number of draws: it
    keeps the means against which no gambler, who stakes before each draw what the draws before
    it suggest, would have multiplied her money by 2 / (1 - level).

    References
    ----------
    Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting (2024),
    Theorem 3.

    Examples
    --------
    >>> import numpy as np
    >>> found = bounded_mean(np.tile([0.0, 1.0], 2000), width=1.0)
    >>> found.mean, round(found.interval[0], 2), round(found.interval[1], 2)
    (0.5, 0.47, 0.53)
    """
    n = sample.size
    mean, least, most = float(sample.mean()), float(sample.min()), float(sample.max())
    reach = max(width, abs(least), abs(most))
    if not reach:
        return Mean(mean, (mean, mean), least, most, n)
    scaled = (sample + reach) / (2 * reach)
    # Mean and variance of the draws before each, as if half a draw more had been seen.
    before = np.arange(n)
    middles = (0.5 + np.cumsum(scaled)) / (before + 2)
    spreads = (0.25 + np.cumsum((scaled - middles) ** 2)) / (before + 2)
    earlier = np.concatenate([[0.25], spreads[:-1]])
    odds = 2.0 / (1.0 - level)
    stake = np.sqrt(2.0 * log(odds) / (n * earlier))

    def refuted(at: float) -> tuple[bool, bool]:
        """Say whether a gambler on larger values, or on smaller ones, has won against a mean."""
        up = np.cumsum(np.log1p(np.minimum(stake, _STAKE / max(at, 1e-12)) * (scaled - at)))
        down = np.cumsum(np.log1p(-np.minimum(stake, _STAKE / max(1 - at, 1e-12)) * (scaled - at)))
        return bool(up.max() >= log(odds)), bool(down.max() >= log(odds))

    centre = float(scaled.mean())
    low = _edge(lambda at: refuted(at)[0], 0.0, centre)
    high = 1.0 - _edge(lambda at: refuted(1.0 - at)[1], 0.0, 1.0 - centre)
    return Mean(mean, ((2 * low - 1) * reach, (2 * high - 1) * reach), least, most, n)


def _edge(refuted: Callable[[float], bool], out: float, kept: float) -> float:
    """Bisect for the last mean that is refuted, below one that is not."""
    if not refuted(out):
        return out
    for _ in range(40):
        middle = (out + kept) / 2
        if refuted(middle):
            out = middle
        else:
            kept = middle
    return out


def money_width(setting: Setting) -> float:
    """Return how far apart values can be, but for one chance in a billion."""
    ends = []
    for prior in set(setting.priors):
        if prior is not None:
            low, high = prior.support
            ends.append(low if np.isfinite(low) else float(prior.quantile(1e-9)))
            ends.append(high if np.isfinite(high) else float(prior.quantile(1 - 1e-9)))
    return max(ends) - min(ends) if ends else 0.0
