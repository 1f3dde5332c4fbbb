"""Array-only kernels that compare agents by weight, where ranks would move with every change.

Buyers and sellers are numbered together here: buyer i as i, seller j as `n_buyers` + j.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["alike", "better", "different", "heavier", "unknown"]


@compiled
def heavier(a, c, weight, n_buyers):
    """Tell whether agent a stands before agent c in the one order of all agents.

    Ties are decided as in `catallax.matching.order`.
    """
    if weight[a] != weight[c]:
        return weight[a] > weight[c]
    if (a < n_buyers) != (c < n_buyers):
        return a < n_buyers
    return a < c if a < n_buyers else a > c


@compiled
def better(side, a, c, weight, n_buyers):
    """Tell whether candidate a sets a threshold rather than c: for side 0, buyers, if heavier."""
    return heavier(a, c, weight, n_buyers) if side == 0 else heavier(c, a, weight, n_buyers)


@compiled
def alike(prior_of, source, wins_ties):
    """Find the first of all entries that are equal in three arrays.

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
