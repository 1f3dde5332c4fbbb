"""Deviations of a buyer who bids on each item: a finite set of vectors of bids."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.audit.search.candidates import breakpoints
from catallax.errors import PriorError

if TYPE_CHECKING:
    from catallax.audit.runs import Runner
    from catallax.audit.setting import Agent, Setting

__all__ = ["vector_deviations"]

Array = NDArray[np.float64]

# Bids on one item that are tried, at most, the others left as they are.
_MOST_SINGLE = 24


def vector_deviations(runner: Runner, agent: Agent, values: Array) -> Array:
    """Return bids that a unit-demand buyer may prefer to her values.

    Parameters
    ----------
    runner
        Of a market with a value for each item.
    agent
        The buyer.
    values
        The profile; hers are true.

    Returns
    -------
    ndarray of float64
        Shape (deviations, items): all bids shaded or raised alike; a high bid on one item and
        low ones on the others; the bid on one item moved to where the item's bid less its
        seller's ask or virtual cost meets another's, to the breakpoints of its prior, and to
        reports between these.
    """
    setting = runner.setting
    own = values[list(agent.slots)]
    span = max(float(np.ptp(own)), setting.typical, 1.0)
    low, high = float(own.min()) - 2 * span, float(own.max()) + 2 * span
    found = [own * share for share in (0.0, 0.25, 0.5, 0.75, 0.9, 1.1, 1.5)]
    found += [own - shift * span for shift in (0.05, 0.2, 0.5)]
    scores = _scores(setting, values)
    for item in range(own.size):
        alone = np.full(own.size, low)
        found += [np.where(np.arange(own.size) == item, bid, alone) for bid in (own[item], high)]
        found.append(np.where(np.arange(own.size) == item, low, own))
        for bid in _single(setting, own, scores, item, low, high):
            found.append(np.where(np.arange(own.size) == item, bid, own))
    return np.unique(np.clip(found, -setting.highest, setting.highest), axis=0)


def _scores(setting: Setting, values: Array) -> Array:
    """Return what sellers' items weigh: asks, and virtual costs where there are any."""
    assert setting.unit is not None
    asks = values[setting.n_first + setting.unit.seller]
    weights = [asks]
    try:
        costs = setting.market.sellers.virtual_costs(values[setting.n_first :])
        weights.append(costs[setting.unit.seller])
    except (PriorError, ValueError):
        pass
    return np.array(weights)


def _single(
    setting: Setting, own: Array, scores: Array, item: int, low: float, high: float
) -> list[float]:
    """Return bids on one item at which, or between which, another item may be bought."""
    prior = setting.priors[item]
    found = [scores[:, item]]  # where nothing is left
    with np.errstate(invalid="ignore"):  # what never trades weighs infinitely much
        for weights in scores:
            found.append(own - weights + weights[item])  # where another item leaves as much
    if prior is not None:
        found.append(breakpoints(prior, "buyer"))
    points = np.unique(np.concatenate(found))
    points = points[np.isfinite(points) & (points > low) & (points < high)]
    every = [*points.tolist(), *((a + b) / 2 for a, b in pairwise(points.tolist()))]
    if len(every) > _MOST_SINGLE:
        every.sort(key=lambda bid: abs(bid - own[item]))
    return every[:_MOST_SINGLE]
