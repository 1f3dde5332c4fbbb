"""Expected excesses of a few draws whose densities are steep, convolved cell by cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from catallax.groups.sums.draws.blocks import Block, blocks_of
from catallax.groups.sums.draws.piecewise import overshoots_of
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.steep.fold import (
    MOST_WORK,
    Folder,
    Law,
    TooMuchError,
    missed_by,
    one_by_one,
    slack_of,
)

__all__ = ["fold_excess"]

_MOST_MEMBERS = 10
_FINEST = 1e-10


def fold_excess(voters: Sequence[Voters], most: float = MOST_WORK) -> tuple[float, float] | None:
    """Return E[max(sum, 0)] of a few draws, and a bound of its error, in money.

    Parameters
    ----------
    voters
        The members of both sides, without votes.
    most
        How many pairs of points and cells may be looked at.

    Returns
    -------
    tuple of float or None
        None for more than 10 members, or where the cells are too many.

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> value, error = fold_excess(
    ...     [Voters(Uniform(0, 1), 1), Voters(Uniform(0, 1), 1, sign=-1)]
    ... )
    >>> round(value, 9), error < 1e-9
    (0.166666667, True)
    """
    members = one_by_one(voters)
    if not 2 <= len(members) <= _MOST_MEMBERS:
        return None
    extent = math.fsum(max(abs(end) for end in one.measure.support) for one in members)
    # An excess moves by no more than a draw does: poles need not be seen to their bottoms.
    finest = _FINEST * extent
    folder = Folder(slack_of(members, 0.0), most, finest)
    half = len(members) // 2
    try:
        (first,), (second,) = (
            folder.law(part).values() for part in (members[:half], members[half:])
        )
        value = _excess(folder, first, second)
    except TooMuchError:
        return None
    # Probability in a wrong place counts with the farthest that the sum may be from there.
    error = len(members) * finest + (folder.error + missed_by(members)) * extent
    error += math.fsum(block.moved for one in members for block in blocks_of(one.prior))
    for one in members:
        if one.measure.lost_above > 0:
            error += abs(one.mean_beyond(one.measure.support[1])) + one.measure.lost_above * extent
        if one.measure.lost_below > 0:
            error += abs(one.mean_below(one.measure.support[0])) + one.measure.lost_below * extent
    return value, error


def _excess(folder: Folder, first: Law, second: Law) -> float:
    """Return E[max(sum, 0)] of two laws."""
    parts: list[float] = []
    for a, mass in first.atoms:
        parts.extend(mass * more * max(a + b, 0.0) for b, more in second.atoms)
    for law, others in ((first.atoms, second.blocks), (second.atoms, first.blocks)):
        for value, mass in law:
            parts.extend(mass * _overshoot(block, -value) for block in others)
    for b in second.blocks:
        for a in first.blocks:
            at = folder.shift(0.0, a, b)
            room = abs(at) + math.fsum(abs(end) for one in (a, b) for end in one.measure.support)
            function = overshoots_of(b, 2.0 * room)
            parts.append(float(folder.integral(np.array([at]), a, function)[0]))
    return math.fsum(parts)


def _overshoot(block: Block, y: float) -> float:
    """Return E[max(value - y, 0)] on the event of the block."""
    start = y - block.anchor
    at, weight = block.measure.restricted(start=start).nodes()
    return float((at - start) @ weight)
