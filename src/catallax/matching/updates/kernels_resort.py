"""Array-only kernels that keep the sides of a complete graph sorted while weights change."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled, subkernel
from catallax.matching.updates.kernels_compare import heavier

__all__ = ["exchange", "setter", "step"]


@subkernel
def _position(a, order, size, weight, n_buyers):
    """Find where an agent stands, or would stand, among the others of a sorted side."""
    low, high = 0, size
    while low < high:
        middle = (low + high) >> 1
        v = order[middle]
        # Buyers stand heaviest first, sellers lightest first.
        if v != a and heavier(v, a, weight, n_buyers) == (a < n_buyers):
            low = middle + 1
        else:
            high = middle
    return low


@subkernel
def _place(a, order, old, weight, n_buyers):
    """Find where an agent that stands at a place would stand with her new weight."""
    low, high = 0, order.size - 1
    while low < high:
        middle = (low + high) >> 1
        v = order[middle if middle < old else middle + 1]
        if heavier(v, a, weight, n_buyers) == (a < n_buyers):
            low = middle + 1
        else:
            high = middle
    return low


@subkernel
def _move(order, old, new):
    """Move who stands at a place to another, past those in between."""
    a = order[old]
    # Places that cannot be negative are not checked for it, so many are moved at once.
    one = np.uint64(1)
    if old < new:
        for p in range(np.uint64(old), np.uint64(new)):
            order[p] = order[p + one]
    else:
        for p in range(np.uint64(old), np.uint64(new), -1):
            order[p] = order[p - one]
    order[new] = a


@compiled
def setter(lightest, weight, buyers, sellers, count):
    """Find who sets the thresholds in a complete graph, numbered together; -1 for nobody.

    Sellers that trade and buyers that wait face the lightest of the next seller and the
    last trading buyer, the others the heaviest of the next buyer and the last seller.
    """
    own, other = (buyers, sellers) if lightest else (sellers, buyers)
    last = own[count - 1] if count > 0 else -1
    following = other[count] if count < other.size else -1
    if last < 0 or following < 0:
        return max(last, following)
    return following if heavier(last, following, weight, buyers.size) == lightest else last


@subkernel
def _change_order(agents, weights, weight, buyers, sellers, trades, count, moves, flipped):
    """Give agents of a complete graph new weights, one after another, and sort them in.

    Parameters
    ----------
    agents, weights
        Who weighs what from now on.
    weight, buyers, sellers, trades
        Weights; either side sorted, buyers heaviest first, sellers lightest first; who trades.
        They change in place.
    count
        The number of trades before.
    moves
        To be written: the places that each of the agents has left and taken, and her weight
        before.
    flipped
        To be written: who has begun or ceased to trade, those twice who have done both.

    Returns
    -------
    tuple
        The number of trades now, and how many are flipped.
    """
    n_buyers = buyers.size
    most = min(n_buyers, sellers.size)
    old_places, new_places, old_weights = moves
    found = 0
    for step in range(agents.size):
        a = agents[step]
        order = buyers if a < n_buyers else sellers
        old = _position(a, order, order.size, weight, n_buyers)
        old_weights[step] = weight[a]
        weight[a] = weights[step]
        new = _place(a, order, old, weight, n_buyers)
        _move(order, old, new)
        old_places[step], new_places[step] = old, new
        before = count
        while count < most and heavier(buyers[count], sellers[count], weight, n_buyers):
            count += 1
        while count > 0 and not heavier(buyers[count - 1], sellers[count - 1], weight, n_buyers):
            count -= 1
        # One weight moves one trade at most; who stands at the margin may have changed with it.
        first, last = max(0, min(before, count) - 1), max(before, count) + 1
        for side in (buyers, sellers):
            for p in range(first, min(last, side.size)):
                v = side[p]
                if trades[v] != (p < count):
                    trades[v] = p < count
                    flipped[found] = v
                    found += 1
        if trades[a] != (new < count):
            trades[a] = new < count
            flipped[found] = a
            found += 1
    return count, found


@compiled
def step(
    reporters, reports, agents, weights, report, weight, buyers, sellers, trades, count, moves,
    flips, seen, told,
):  # fmt: skip
    """Go on to new reports and weights, and list what that does to prices.

    Parameters
    ----------
    reporters, reports
        Who reports anew, and what they reported before; what they report now is in `report`.
    agents, weights, weight, buyers, sellers, trades, count, moves
        As in `_change_order`.
    flips
        To be written: who trades and did not before, or the other way round.
    seen
        Zeros, as many as agents; they are zeros again afterwards.
    told
        To be written, as in `kernels_journal.summary`, where all trades are one bloc.

    Returns
    -------
    tuple
        The number of trades, how many agents are flipped, and how many are listed.
    """
    agent, sources, levels, said, wide_sources, wide_levels = told
    for side in range(2):
        source = setter(side == 1, weight, buyers, sellers, count)
        wide_sources[side, 0] = source if count > 0 else -1
        wide_levels[side, 0] = weight[source] if count > 0 else 0.0
    count, found = _change_order(
        agents, weights, weight, buyers, sellers, trades, count, moves, flips
    )
    for side in range(2):
        source = setter(side == 1, weight, buyers, sellers, count)
        wide_sources[side, 1] = source if count > 0 else -1
        wide_levels[side, 1] = weight[source] if count > 0 else 0.0
    for k in range(found):
        seen[flips[k]] ^= 1
    n_flipped = 0
    for k in range(found):
        v = flips[k]
        if seen[v] & 1:
            seen[v] = 2
            flips[n_flipped] = v
            n_flipped += 1
    for k in range(n_flipped):
        seen[flips[k]] = 1
    listed = 0
    for k in range(reporters.size + n_flipped):
        v = reporters[k] if k < reporters.size else flips[k - reporters.size]
        if k >= reporters.size and seen[v] & 2:
            continue
        traded = trades[v] != (seen[v] & 1 != 0)
        seen[v] |= 2
        if not traded and not trades[v]:
            continue
        side = 0 if v < buyers.size else 1
        agent[listed] = v
        for when in range(2):
            here = trades[v] if when else traded
            sources[when, listed] = wide_sources[side, when] if here else -1
            levels[when, listed] = wide_levels[side, when] if here else 0.0
            said[when, listed] = report[v]
        if k < reporters.size:
            said[0, listed] = reports[k]
        listed += 1
    for v in reporters:
        seen[v] = 0
    for k in range(n_flipped):
        seen[flips[k]] = 0
    return count, n_flipped, listed


@compiled
def exchange(
    agents, moves, flips, reporters, reports, report, weight, buyers, sellers, trades, back
):  # fmt: skip
    """Take a step back, or make it again; what is noted changes with it.

    Parameters
    ----------
    agents, moves, flips
        Who weighs anew, each once, and what was written of them; who is flipped, each once.
    reporters, reports
        Who reports anew, and what.
    report, weight, buyers, sellers, trades
        As in `step`; they change in place, and so do noted weights and reports.
    back
        Whether the step was made, so that it is taken back.
    """
    old_places, new_places, weights = moves
    for k in range(agents.size):
        step = agents.size - 1 - k if back else k
        a = agents[step]
        old, new = old_places[step], new_places[step]
        if back:
            old, new = new, old
        _move(buyers if a < buyers.size else sellers, old, new)
        weight[a], weights[step] = weights[step], weight[a]
    for v in flips:
        trades[v] = not trades[v]
    for k in range(reporters.size):
        v = reporters[k]
        report[v], reports[k] = reports[k], report[v]
