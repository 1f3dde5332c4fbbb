"""Array-only kernels that pair the traders, in market order and by nothing else."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_far import NEAR, find_seller
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import PARTNER, new_search, room_for_search

__all__ = ["edges_of", "force_pairs", "pairing", "rows_of_traders", "search_for_the_rest"]

PAIRED = -(2**30)  # stands for the degree of whoever has a partner


@compiled
def edges_of(start, buyers):
    """Count the edges of these buyers."""
    size = 0
    for buyer in buyers:
        size += start[buyer + 1] - start[buyer]
    return size


@compiled
def rows_of_traders(start, neighbours, buyers, sellers, number, begin, degree, around):
    """Lay out the edges between the n traders of each side, buyers numbered from 0, sellers from n.

    Parameters
    ----------
    start, neighbours, buyers, sellers
        As in `pairing`.
    number
        To work with, one for each seller.
    begin, degree
        Become where the row of each trader begins, and how many are in it; the first has one
        entry more, where the last row ends.
    around
        Becomes the rows, and should hold twice the edges of these buyers.

    Returns
    -------
    int
        The number of edges between traders.
    """
    n = buyers.size
    number[:] = -1
    degree[:] = 0
    for x in range(n):
        number[sellers[x]] = n + x
    filled = 0
    for x in range(n):
        begin[x] = filled
        for k in range(start[buyers[x]], start[buyers[x] + 1]):
            y = number[neighbours[k]]
            if y >= 0:
                around[filled] = y
                filled += 1
                degree[y] += 1
        degree[x] = filled - begin[x]
    edges = filled
    for y in range(n, 2 * n):
        begin[y] = filled
        filled += degree[y]
        number[y - n] = degree[y]
    begin[2 * n] = filled
    # The rows of the sellers are filled from their ends, the last buyer first.
    for x in range(n - 1, -1, -1):
        for k in range(begin[x], begin[x + 1]):
            y = around[k] - n
            number[y] -= 1
            around[begin[n + y] + number[y]] = x
    return edges


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
def force_pairs(begin, degree, around, mate, stack):
    """Pair off whoever has one possible partner left, and otherwise the first buyer listed.

    This is the rule of Karp and Sipser: taking a forced pair never spoils a largest matching,
    so nearly all traders are paired here and few are left to search for. Returns how many
    buyers are. `mate` becomes the partner of each trader, -1 of those who are left; `stack` has
    room for one trader more than there are.
    """
    n = mate.size // 2
    unpaired = n
    mate[:] = -1
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
def search_for_the_rest(begin, around, mate, space):
    """Find partners for the buyers without one, by shortest paths, in market order.

    `space` has room for a search and twice the edges of one side; see `room_for_search`.
    """
    n = mate.size // 2
    half = around.size // 2
    rows = space[:half]
    for k in range(half):
        rows[k] = around[k] - n
    s = new_search(begin[: n + 1], rows, begin[n:] - np.int32(half), around[half:], space[half:])
    s.credit[0] = 0  # few sellers are free, and far away: measure at once
    for x in range(n):
        if mate[x] >= 0:
            s.buyer[x, PARTNER] = mate[x] - n
            s.holder[mate[x] - n] = x << 2
    for x in range(n):
        if mate[x] < 0:
            find_seller(x, n, NEAR, s)
    for x in range(n):
        mate[x] = s.buyer[x, PARTNER] + n


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
    n = buyers.size
    number, begin = np.empty(n_sellers, np.int32), np.empty(2 * n + 1, np.int32)
    degree, mate = np.empty(2 * n, np.int32), np.empty(2 * n, np.int32)
    around = np.empty(2 * edges_of(start, buyers), np.int32)
    edges = rows_of_traders(start, neighbours, buyers, sellers, number, begin, degree, around)
    if force_pairs(begin, degree, around, mate, np.empty(2 * n + 1, np.int32)) > 0:
        space = np.empty(edges + room_for_search(n, n), np.int32)
        search_for_the_rest(begin, around[: 2 * edges], mate, space)
    return sellers[mate[:n] - n]
