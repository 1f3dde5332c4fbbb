"""Array-only kernels that compare agents by weight, where ranks would move with every change.

Buyers and sellers are numbered together here: buyer i as i, seller j as `n_buyers` + j.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["alike", "better", "heavier"]


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
