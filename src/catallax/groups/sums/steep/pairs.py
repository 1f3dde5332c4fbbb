"""Two draws, both from densities: polynomials multiplied cell by cell, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.draws.measure import Measure
from catallax.groups.sums.draws.voters import Voters

__all__ = ["pair_excess", "pair_terms"]

Array = NDArray[np.float64]


def pair_terms(voters: Sequence[Voters], total: float) -> list[Terms]:
    """Return P(votes, sum >= total, both draws from a density) of two members.

    Parameters
    ----------
    voters
        Two members in all.
    total
        What the sum is compared with.

    Returns
    -------
    list of Terms
        One for each pair of votes.
    """
    first, second = (replace(one, count=1) for one in voters for _ in range(one.count))
    # Where the second draw's distribution function bends, and where its vote turns.
    bends = total - np.concatenate([second.measure.low, second.measure.high, [second.bar]])
    error = first.measure.error + second.measure.error + 1e-15
    for one in (first, second):
        error += one.measure.lost_below + one.measure.lost_above
    found = []
    for vote, weight in ((False, 0), (True, first.weight)):
        measure = first.measure.smooth
        cut = dict(start=first.bar) if vote else dict(end=first.bar)
        at, chances = _nodes(measure.restricted(**cut), bends)
        for other, more in ((False, 0), (True, second.weight)):
            missing = second.smooth_at_least(total - at, other)
            found.append(Terms(weight + more, np.array([chances @ missing]), error / 4))
    return found


def pair_excess(voters: Sequence[Voters]) -> tuple[float, float]:
    """Return E[max(sum, 0)] of two draws of any kind, and its error in money.

    Parameters
    ----------
    voters
        Two members in all.
    """
    first, second = (replace(one, count=1) for one in voters for _ in range(one.count))
    if np.ptp(first.measure.support) > np.ptp(second.measure.support):
        first, second = second, first  # the tails of the farther one are known exactly
    measure = first.measure
    atoms, masses = measure.atoms, measure.masses
    bends = 0.0 - np.concatenate([second.measure.low, second.measure.high, second.measure.atoms])
    at, weights = _nodes(measure.smooth, bends)
    points, chances = np.concatenate([atoms, at]), np.concatenate([masses, weights])
    over = second.overshoots(0.0 - points)
    value = float(chances @ over)
    error = (measure.error + 4e-16) * float(np.abs(over).max(initial=0.0))
    if measure.lost_above > 0:
        end = measure.support[1]
        beyond = first.mean_beyond(end) + second.mean * measure.lost_above
        value += beyond
        error += measure.lost_above * second.shortfall(-end) + 1e-12 * abs(beyond)
    if measure.lost_below > 0:
        error += measure.lost_below * second.overshoot(-measure.support[0])
    return value, error


def _nodes(measure: Measure, bends: Array) -> tuple[Array, Array]:
    """Return points and weights for functions that bend at some places."""
    bends = np.unique(bends[np.isfinite(bends)])
    which, _, low, high = measure.cut(bends)
    return measure.pieces(which, low, high).nodes()
