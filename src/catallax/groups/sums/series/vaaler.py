"""Vaaler's series for the probability of an interval, whose error is proved for every law.

References
----------
Vaaler, Some extremal functions in Fourier analysis (1985), theorem 18.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["fejer", "interval", "largest", "weights_of"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_MARGIN = 0.02


def interval(low: float, high: float, total: float) -> tuple[tuple[float, float], float]:
    """Return the interval from a total on, and a period, for a sum between two numbers."""
    margin = _MARGIN * (high - low)
    ends = (min(max(total, low - margin), high + margin), high + margin)
    return ends, high - low + 2.0 * margin


def weights_of(
    k: Array, waves: Sequence[Complex], places: Sequence[float], period: float, count: int
) -> Complex:
    """Return weights w with P(place_0 <= sum < place_1) = Re sum(w * transform), about.

    Parameters
    ----------
    k
        Which frequencies.
    waves
        The phases of either place at them.
    places, period
        The interval, and what the sum is taken modulo.
    count
        How many frequencies there are; 0 for the plain series.
    """
    weights = (waves[0] - waves[1]) / (1j * math.pi * np.maximum(k, 1.0))
    if count:
        share = np.maximum(k, 1.0) / count
        turn = math.pi * share
        weights *= turn * (1.0 - share) / np.tan(turn) + share
    weights[k == 0] = (places[1] - places[0]) / period
    return weights


def fejer(k: Array, count: int) -> Array:
    """Return weights of the real transform that add up to what lies next to a place."""
    return np.where(k > 0, 2.0, 1.0) * (1.0 - k / count)


def largest(k: Array, count: int) -> Array:
    """Bound the weights of a transform: of an interval, and half of the Fejer sums of its ends.

    The first is at most 2 / (pi k) for k > 0, and 1 for 0; the others are 1 / count each.
    """
    return 2.0 / (math.pi * np.maximum(k, 0.5)) + 2.0 / count
