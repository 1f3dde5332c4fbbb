"""Array-only kernels that compare agents by weight, where ranks would move with every change.

Buyers and sellers are numbered together here: buyer i as i, seller j as `n_buyers` + j.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled, subkernel

__all__ = ["alike", "better", "common_changes", "different", "heavier", "unknown"]


@subkernel
def heavier(a, c, weight, n_buyers):
    """Tell whether agent a stands before agent c in the one order of all agents.

    Ties are decided as in `catallax.matching.order`.
    """
    if weight[a] != weight[c]:
        return weight[a] > weight[c]
    if (a < n_buyers) != (c < n_buyers):
        return a < n_buyers
    return a < c if a < n_buyers else a > c


@subkernel
def better(side, a, c, weight, n_buyers):
    """Tell whether candidate a sets a threshold rather than c: for side 0, buyers, if heavier."""
    return heavier(a, c, weight, n_buyers) if side == 0 else heavier(c, a, weight, n_buyers)


@compiled
def alike(prior_of, source, level, wins_ties):
    """Find the first of all entries that are equal in all arrays.

    A source can have two levels: before an update, and after it.

    Returns
    -------
    tuple of numpy.ndarray
        The first entry of each kind, and for every entry the place of its kind there.
    """
    n = source.size
    size = 2
    while size < 2 * n:
        size *= 2
    table = np.full(size, -1, np.int32)
    first = np.empty(n, np.int32)
    of = np.empty(n, np.int32)
    found = 0
    for x in range(n):
        key = (np.int64(source[x]) * 2 + wins_ties[x]) * 1000003 + prior_of[x]
        at = (key * 2654435761 >> 13) & (size - 1)
        while True:
            kind = table[at]
            if kind < 0:
                table[at] = found
                first[found] = x
                kind = found
                found += 1
                break
            y = first[kind]
            if (
                source[y] == source[x]
                and level[y] == level[x]
                and wins_ties[y] == wins_ties[x]
                and prior_of[y] == prior_of[x]
            ):
                break
            at = (at + 1) & (size - 1)
        of[x] = kind
    return first[:found].copy(), of


@compiled
def unknown(agent, source, level, known_source, known_level):
    """Find whose threshold is another than what is known of the agent."""
    places = np.empty(agent.size, np.int64)
    found = 0
    for x in range(agent.size):
        v = agent[x]
        if known_source[v] != source[x] or known_level[v] != level[x]:
            places[found] = x
            found += 1
    return places[:found].copy()


@compiled
def different(old, new):
    """Find where two arrays of the bits of numbers differ."""
    places = np.empty(16, np.int64)
    found = 0
    for first in range(0, old.size, 256):
        last = min(first + 256, old.size)
        any_bits = np.int64(0)
        for x in range(first, last):
            any_bits |= old[x] ^ new[x]
        if any_bits == 0:
            continue
        for x in range(first, last):
            if old[x] != new[x]:
                if found == places.size:
                    wider = np.empty(2 * found, np.int64)
                    wider[:found] = places
                    places = wider
                places[found] = x
                found += 1
    return places[:found].copy()


@compiled
def common_changes(
    together, listed, few, traded, trades, few_before, few_after, before, after, rivals, report,
    lowest,
):  # fmt: skip
    """List a side's changes: those of a few, one by one, and of all who share a threshold.

    Parameters
    ----------
    together
        Who shares the threshold; an entry for each agent of the side, as in `report`.
    listed
        Who is not to be counted among these.
    few, traded, trades, few_before, few_after
        The few, ascending, whether they trade, and their prices.
    before, after
        The critical report of those who share, before and after: of who is listed before the
        rival who sets it, and of the others.
    rivals
        Who that rival is, before and after.
    report
        What everybody reports.
    lowest
        Whether a price is the lower of critical report and report, and not the higher.

    Returns
    -------
    tuple of numpy.ndarray
        Agents, whether they traded and trade, and prices before and after; who has changed only.
    """
    n = together.size
    agents = np.empty(n, np.int32)
    flags = np.ones((2, n), np.bool_)
    prices = np.empty((2, n))
    old_price, new_price = prices[0], prices[1]
    old_rival, new_rival = np.uint64(rivals[0]), np.uint64(rivals[1])
    found, first = np.uint64(0), 0
    for x in range(few.size + 1):
        last = few[x] if x < few.size else n
        # Who shares the threshold follows no pattern: written is everybody, and whoever has not
        # changed is written over. Places that cannot be negative are not checked for it.
        for v in range(np.uint64(first), np.uint64(last)):
            said = report[v]
            old = before[0] if v < old_rival else before[1]
            new = after[0] if v < new_rival else after[1]
            if lowest:
                old, new = min(old, said), min(new, said)
            else:
                old, new = max(old, said), max(new, said)
            agents[found], old_price[found], new_price[found] = v, old, new
            found += np.uint64(together[v] & (not listed[v]) & (old != new))
        if x == few.size:
            break
        first = last + 1
        if traded[x] == trades[x] and few_before[x] == few_after[x]:
            continue
        agents[found], flags[0, found], flags[1, found] = last, traded[x], trades[x]
        old_price[found], new_price[found] = few_before[x], few_after[x]
        found += np.uint64(1)
    return agents[:found].copy(), flags[:, :found].copy(), prices[:, :found].copy()
