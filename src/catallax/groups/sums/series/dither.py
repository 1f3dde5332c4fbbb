"""Expected excesses of sums that share no lattice: values rounded at random, means kept.

Every atom is shared between its two neighbours on a fine lattice so that its mean stays. By
Jensen's inequality an expected excess can only grow by that, and it grows only where the sum is
closer to zero than it was moved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from catallax.groups.sums.draws.bounds import Draws, window
from catallax.groups.sums.draws.transform import phases, powers
from catallax.groups.sums.draws.voters import Voters
from catallax.matching.parallel import both

__all__ = ["dithered_excess"]

fft: Any = scipy_fft  # its types say nothing

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# How many points there may be; with an error of so small a part of what a member may say, enough.
_FEWEST_POINTS, _POINTS, _ENOUGH = 1 << 18, 1 << 22, 2e-8
_MOST_MEMBERS = 1 << 17
# Of fewer points the transform is added up, for so many frequencies squared at once.
_FEW = 64
_ROW = 1 << 8
_OUTSIDE = 1e-16
_ROUNDING = 2.0**-52
# So many spreads from zero not even rounding goes in the next 10^16 cases.
_FARTHEST = 12.0


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
    members = sum(one.count for one in draws)
    if members > _MOST_MEMBERS:
        return None
    widest = max(float(np.ptp(one.measure.support)) for one in draws)
    ends = window(draws, _OUTSIDE)
    points = max(_FEWEST_POINTS, 1 << (32 * members + 127).bit_length())
    while True:
        value, error = _dithered(draws, ends, widest, points)
        if error <= _ENOUGH * widest or points >= _POINTS:
            return value, error
        # The error falls with the square of the step.
        while error > _ENOUGH * widest and points < _POINTS:
            points, error = 2 * points, error / 4


def _dithered(
    draws: Sequence[Draws], ends: tuple[float, float], widest: float, points: int
) -> tuple[float, float]:
    """Return the same with a lattice of so many points."""
    low, high = ends
    members = sum(one.count for one in draws)
    # Room for the roundings, and for one draw more: what leaves the window comes back elsewhere.
    step = (high - low + 2.0 * widest) / (points - 8 * members - 64)
    places = [_places(one, step) for one in draws]
    start = math.fsum(one.count * float(one.measure.atoms[0]) for one in draws)
    transform = np.concatenate(
        both(
            partial(_transforms, places, points, 0, points // 4),
            partial(_transforms, places, points, points // 4, points // 2 + 1),
        )
    )
    for one in places:
        if one.at.size > _FEW:
            line = np.bincount(one.at % points, one.masses, points)
            transform *= powers(fft.rfft(line), one.times)
    law = fft.irfft(transform, points)
    base = math.floor((low - widest - start) / step)
    sums = start + step * (base + np.arange(points, dtype=np.float64))
    law = np.roll(law, -(base % points))
    value = float(law @ np.maximum(sums, 0.0))
    spread = math.sqrt(members) * step / 2.0
    grown = float(np.maximum(law, 0.0) @ _growth(np.abs(sums), spread))
    numerical = _ROUNDING * (members + 32) * math.log2(points) + 4.0 * _OUTSIDE
    numerical *= max(abs(low), abs(high)) + members * step
    # Where buyers' and sellers' values cancel, each one's own is rounded.
    each = [one.count * max(abs(end) for end in one.measure.support) for one in draws]
    numerical += 8.0 * _ROUNDING * math.fsum(each)
    # It is at least zero, and at least the mean: this says more where the lattice is too coarse.
    mean = math.fsum(one.count * float(one.measure.atoms @ one.measure.masses) for one in draws)
    least, most = max(value - grown - numerical, mean - numerical, 0.0), value + numerical
    return (least + most) / 2.0, max(most - least, 0.0) / 2.0


def _growth(sizes: Array, spread: float) -> Array:
    """Bound, for rounded sums of these sizes, by how much rounding made them grow on average.

    Independent roundings whose variances add up to no more than the square of the spread, and
    whose tails are no heavier than the normal's with that, let an excess grow by no more than
    E[max(rounding - size, 0)], the size being that before rounding. Scarf bounds this by the
    variance, Hoeffding by the tails. Rounding moves a sum by more than two spreads in at most a
    fourth of all cases.
    """
    from scipy.special import erfc  # heavy

    found = np.zeros(sizes.size)
    near = sizes < _FARTHEST * spread
    before = np.maximum(sizes[near] - 2.0 * spread, 0.0)
    by_variance = 0.5 * spread * spread / (np.hypot(spread, before) + before)
    by_tails = spread * math.sqrt(math.pi / 2.0) * erfc(before / (spread * math.sqrt(2.0)))
    found[near] = (4.0 / 3.0) * np.minimum(by_variance, by_tails)
    return found


class _Places(NamedTuple):
    """Where on the lattice a draw may be, from its least value on, and how likely; how many."""

    at: Integers
    masses: Array
    times: int


def _places(one: Draws, step: float) -> _Places:
    """Share values between their neighbours on the lattice."""
    place = (one.measure.atoms - one.measure.atoms[0]) / step
    below = np.floor(place)
    share, at = place - below, below.astype(np.int64)
    masses = np.concatenate([one.measure.masses * (1.0 - share), one.measure.masses * share])
    some = masses > 0.0
    return _Places(np.concatenate([at, at + 1])[some], masses[some], one.count)


def _transforms(places: Sequence[_Places], points: int, start: int, stop: int) -> Complex:
    """Multiply the transforms of all who may be at few places, at some frequencies."""
    from catallax.groups.sums.values.kernels_multisets import multiplied

    found = np.ones(stop - start, dtype=np.complex128)
    offsets = np.arange(float(_ROW))
    # So few at once that they stay in the cache.
    for first in range(start, stop, _ROW * _ROW):
        heads = np.arange(first, min(first + _ROW * _ROW, stop), _ROW, dtype=np.float64)
        block = found[first - start :][: _ROW * _ROW]
        for one in places:
            if one.at.size > _FEW:
                continue
            turns = one.at / -points
            before = phases(heads[:, None], turns) * one.masses
            after = phases(offsets, turns[:, None])
            waves = (before.real, before.imag, after.real, after.imag)
            each = multiplied(*(np.ascontiguousarray(wave) for wave in waves)).ravel()
            block *= powers(each[: block.size], one.times) if one.times > 1 else each[: block.size]
    return found
