"""Array-only kernels that pair the traders, in market order and by nothing else."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import (
    NEAR,
    PARTNER,
    assign,
    free_seller,
    new_search,
    search_far,
    search_near,
)

__all__ = ["pairing"]

PAIRED = -(2**30)  # stands for the degree of whoever has a partner


@compiled
def _rows_of_traders(start, neighbours, buyers, sellers, n_sellers):
    """Lay out the edges between the traders, numbered n buyers first and then n sellers.

    Returns where the row of each begins, the row ends, how many are in it, and the rows.
    """
    n = buyers.size
    number = np.full(n_sellers, -1, np.int32)
    size = 0
    for x in range(n):
        number[sellers[x]] = n + x
        size += start[buyers[x] + 1] - start[buyers[x]]
    begin = np.empty(2 * n + 1, np.int32)
    degree = np.zeros(2 * n, np.int32)
    kept = np.empty(size, np.int32)
    filled = 0
    for x in range(n):
        begin[x] = filled
        for k in range(start[buyers[x]], start[buyers[x] + 1]):
            y = number[neighbours[k]]
            if y >= 0:
                kept[filled] = y
                filled += 1
                degree[y] += 1
        degree[x] = filled - begin[x]
    if filled >= 2**30:
        raise OverflowError("2^30 edges or more between traders; leave some out")
    around = np.empty(2 * filled, np.int32)
    around[:filled] = kept[:filled]
    for y in range(n, 2 * n):
        begin[y] = filled
        filled += degree[y]
    begin[2 * n] = filled
    place = begin[n:].copy()
    for x in range(n):
        for k in range(begin[x], begin[x + 1]):
            y = around[k] - n
            around[place[y]] = x
            place[y] += 1
    return begin, degree, around


@compiled
def _choose(x, begin, degree, around):
    """Return whom a trader takes: a buyer the seller with the fewest others, a seller the first."""
    chosen = -1
    fewest = 2**31 - 1
    for k in range(begin[x], begin[x + 1]):
        y = around[k]
        if 0 < degree[y] < fewest:
            chosen = y
            if 2 * x >= degree.size:
                break
            fewest = degree[y]
    return chosen


@compiled
def _force(begin, degree, around, mate):
    """Pair off whoever has one possible partner left, and otherwise the first buyer listed.

    This is the rule of Karp and Sipser: taking a forced pair never spoils a largest matching,
    so nearly all traders are paired here and few are left to search for. Returns how many
    buyers are.
    """
    n = mate.size // 2
    unpaired = n
    stack = np.empty(2 * n + 1, np.int32)
    depth = 0
    for x in range(2 * n - 1, -1, -1):
        if degree[x] == 1:
            stack[depth] = x
            depth += 1
    for first in range(-1, n):
        if first >= 0 and degree[first] > 0:
            stack[0] = first
            depth = 1
        while depth > 0:
            depth -= 1
            x = stack[depth]
            if depth > 3:
                prefetch(begin, stack[depth - 4])
                prefetch(around, begin[stack[depth - 2]])
            if degree[x] <= 0:
                continue
            y = _choose(x, begin, degree, around)
            prefetch(around, begin[y])
            unpaired -= 1
            mate[x], mate[y] = y, x
            degree[x], degree[y] = PAIRED, PAIRED
            # First those around the buyer, then those around the seller.
            for paired in (min(x, y), max(x, y)):
                for k in range(begin[paired], begin[paired + 1]):
                    z = around[k]
                    degree[z] -= 1
                    if degree[z] == 1:
                        prefetch(begin, z)
                        stack[depth] = z
                        depth += 1
    return unpaired


@compiled
def _search_for_the_rest(begin, around, mate):
    """Find partners for the buyers without one, by shortest paths, in market order."""
    n = mate.size // 2
    half = around.size // 2
    s = new_search(
        begin[: n + 1],
        around[:half] - np.int32(n),
        begin[n:] - np.int32(half),
        around[half:],
    )
    s.credit[0] = 0  # few sellers are free, and far away: measure at once
    buyer, rows, holder, queue = s.buyer, s.rows, s.holder, s.queue
    for x in range(n):
        if mate[x] >= 0:
            buyer[x, PARTNER] = mate[x] - n
            holder[mate[x] - n] = x << 2
    for x in range(n):
        if mate[x] < 0:
            last, free = x, free_seller(x, buyer, rows, holder)
            if free < 0:
                last, free, complete = search_near(x, NEAR, buyer, rows, holder, queue)
                if not complete:
                    last, free = search_far(x, n, s)
            assign(x, last, free, buyer, holder)
    for x in range(n):
        mate[x] = buyer[x, PARTNER] + n


@compiled
def pairing(start, neighbours, buyers, sellers, n_sellers):
    """Pair the traders, as a function of who trades and of nothing else.

    Forced pairs first, then searches for the rest, both in market order, on all edges between
    traders. Reports enter only through the two sets, so nobody who trades can choose her partner
    by her report (arXiv 2604.00129, Lemma 4.4).

    Parameters
    ----------
    start, neighbours
        Rows of all buyers.
    buyers, sellers
        Who trades, ascending; as many buyers as sellers.
    n_sellers
        Number of all sellers.

    Returns
    -------
    numpy.ndarray
        The seller of each of `buyers`.
    """
    begin, degree, around = _rows_of_traders(start, neighbours, buyers, sellers, n_sellers)
    mate = np.full(degree.size, -1, np.int32)
    if _force(begin, degree, around, mate) > 0:
        _search_for_the_rest(begin, around, mate)
    return sellers[mate[: buyers.size] - buyers.size]
