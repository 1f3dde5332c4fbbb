"""Densities so steep that floats cannot tell where their probability lies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.voters import Voters

__all__ = ["pinned_at"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_NEAR = 1e-11
_SAME = 1e-15
_NOTHING = 1e-13
_MOST = 1 << 18


def pinned_at(voters: Sequence[Voters], total: float) -> float:
    """Bound the probability that a sum ties with a total in all that floats can tell.

    The next float below 1 is 1e-16 away, and beta(0.1, 0.1) has 1 % of its probability between
    the two. Where such draws, and atoms, add up to the total nobody can say on which side of it.

    Parameters
    ----------
    voters
        The members.
    total
        What the sum is compared with.

    Returns
    -------
    float
        0 where no density is so steep.
    """
    steep = [one for one in voters if one.measure.pins.size]
    if not steep:
        return 0.0
    chance = math.prod(_held(one) ** one.count for one in voters)
    if chance <= _NOTHING:
        return 0.0
    values, masses, steeped = np.zeros(1), np.ones(1), np.zeros(1, dtype=bool)
    for one in voters:
        points = np.concatenate([one.measure.atoms, one.measure.pins])
        parts = np.concatenate([one.measure.masses, one.measure.pinned])
        steepness = np.arange(points.size) >= one.measure.atoms.size
        for _ in range(one.count):
            if values.size * points.size > _MOST:
                return chance
            values = np.add.outer(values, points).ravel()
            masses = np.multiply.outer(masses, parts).ravel()
            steeped = np.logical_or.outer(steeped, steepness).ravel()
            values, masses, steeped = _merged(values, masses, steeped)
    reach = _NEAR * max(abs(total), float(np.abs(values).max(initial=0.0)))
    return float(masses[steeped & (np.abs(values - total) <= reach)].sum())


def _merged(values: Array, masses: Array, steeped: Flags) -> tuple[Array, Array, Flags]:
    """Add up what lies on one point; roundings are far below what counts as near."""
    order = np.lexsort((values, steeped))
    values, masses, steeped = values[order], masses[order], steeped[order]
    apart = np.diff(values) > _SAME * float(np.abs(values).max(initial=0.0))
    starts = np.flatnonzero(np.append(True, apart | (np.diff(steeped.astype(int)) != 0)))
    return values[starts], np.add.reduceat(masses, starts), steeped[starts]


def _held(one: Voters) -> float:
    return float(one.measure.masses.sum() + one.measure.pinned.sum())
