"""Expected excesses of sums that share no lattice: values rounded at random, means kept.

Every atom is shared between its two neighbours on a fine lattice so that its mean stays. By
Jensen's inequality an expected excess can only grow by that, and it grows only where the sum is
closer to zero than it was moved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from catallax.groups.sums.draws.bounds import Draws, window
from catallax.groups.sums.draws.transform import powers
from catallax.groups.sums.draws.voters import Voters

__all__ = ["dithered_excess"]

fft: Any = scipy_fft  # its types say nothing

Array = NDArray[np.float64]

_POINTS = 1 << 22
_MOST_MEMBERS = 1 << 17
_OUTSIDE = 1e-16
_ROUNDING = 2.0**-52
# Hoeffding: a sum of n independent roundings below h passes h sqrt(n) times this once in 1e16.
_FARTHEST = math.sqrt(2.0 * math.log(2e16))


def dithered_excess(voters: Sequence[Voters]) -> tuple[float, float] | None:
    """Return E[max(sum, 0)] of draws that have no densities, and a bound of its error, in money.

    Parameters
    ----------
    voters
        The members of both sides, without votes.

    Returns
    -------
    tuple of float or None
        None for more members than such a lattice has room for.

    Examples
    --------
    >>> from catallax.priors import Empirical
    >>> value, error = dithered_excess(
    ...     [Voters(Empirical([0.1, 2**0.5]), 2), Voters(Empirical([3**0.5]), 1, sign=-1)]
    ... )
    >>> abs(value - (8**0.5 - 3**0.5) / 4) <= error < 1e-9
    True
    """
    draws: list[Draws] = [one.draws for one in voters]
    low, high = window(draws, _OUTSIDE)
    members = sum(one.count for one in draws)
    if members > _MOST_MEMBERS:
        return None
    widest = max(float(np.ptp(one.measure.support)) for one in draws)
    # Room for the roundings, and for one draw more: what leaves the window comes back elsewhere.
    step = (high - low + 2.0 * widest) / (_POINTS - 8 * members - 64)
    moved = min(float(members), _FARTHEST * math.sqrt(members)) * step
    transform, start = np.ones(_POINTS // 2 + 1, dtype=np.complex128), 0.0
    for one in draws:
        first = float(one.measure.atoms[0])
        place = (one.measure.atoms - first) / step
        below = np.floor(place)
        share, at = place - below, below.astype(np.int64)
        line = np.bincount(at % _POINTS, one.measure.masses * (1.0 - share), _POINTS)
        line += np.bincount((at + 1) % _POINTS, one.measure.masses * share, _POINTS)
        transform *= powers(fft.rfft(line), one.count)
        start += one.count * first
    law = fft.irfft(transform, _POINTS)
    base = math.floor((low - widest - start) / step)
    sums = start + step * (base + np.arange(_POINTS, dtype=np.float64))
    law = np.roll(law, -(base % _POINTS))
    value = float(law @ np.maximum(sums, 0.0))
    # It grew by no more than the sums that may have changed their sign.
    near = np.abs(sums) <= moved
    grown = float(np.maximum(law[near], 0.0) @ np.abs(sums[near]))
    numerical = _ROUNDING * (members + 32) * math.log2(_POINTS) + 4.0 * _OUTSIDE
    return value - grown / 2, grown / 2 + numerical * (max(abs(low), abs(high)) + moved)
