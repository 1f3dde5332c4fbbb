"""Array-only kernels that pair the traders, in market order and by nothing else."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.kernels_prefetch import prefetch
from catallax.matching.kernels_search import (
    NEAR,
    PARTNER,
    assign,
    free_seller,
    new_search,
    search_far,
    search_near,
)

__all__ = ["pairing"]

# Columns of a trader's line: her row, how many traders without a partner are in it, her partner.
BEGIN, END, DEGREE, MATE = range(4)


@compiled
def _rows_of_traders(start, neighbours, buyers, sellers, n_sellers):
    """Lay out the edges between the traders, numbered n buyers first and then n sellers."""
    n = buyers.size
    number = np.full(n_sellers, -1, np.int32)
    for k in range(n):
        number[sellers[k]] = n + k
    trader = np.zeros((2 * n, 4), np.int32)
    size = 0
    for x in range(n):
        size += start[buyers[x] + 1] - start[buyers[x]]
    kept = np.empty(size, np.int32)
    filled = 0
    for x in range(n):
        trader[x, BEGIN] = filled
        for k in range(start[buyers[x]], start[buyers[x] + 1]):
            y = number[neighbours[k]]
            if y >= 0:
                kept[filled] = y
                filled += 1
                trader[y, DEGREE] += 1
        trader[x, END] = filled
        trader[x, DEGREE] = filled - trader[x, BEGIN]
    around = np.empty(2 * filled, np.int32)
    around[:filled] = kept[:filled]
    for y in range(n, 2 * n):
        trader[y, BEGIN] = filled
        trader[y, END] = filled
        filled += trader[y, DEGREE]
    for x in range(n):
        for k in range(trader[x, BEGIN], trader[x, END]):
            y = around[k]
            around[trader[y, END]] = x
            trader[y, END] += 1
    trader[:, MATE] = -1
    return trader, around


@compiled
def _choose(x, trader, around):
    """Return whom a trader takes: a buyer the seller with the fewest others, a seller the first."""
    chosen = -1
    fewest = 2**31 - 1
    for k in range(trader[x, BEGIN], trader[x, END]):
        y = around[k]
        if trader[y, MATE] < 0 and trader[y, DEGREE] < fewest:
            chosen = y
            if 2 * x >= trader.shape[0]:
                break
            fewest = trader[y, DEGREE]
    return chosen


@compiled
def _force(trader, around):
    """Pair off whoever has one possible partner left, and otherwise the first buyer listed.

    This is the rule of Karp and Sipser: taking a forced pair never spoils a largest matching,
    so nearly all traders are paired here and few are left to search for. Returns how many
    buyers are.
    """
    n = trader.shape[0] // 2
    unpaired = n
    stack = np.empty(2 * n + 1, np.int32)
    depth = 0
    for x in range(2 * n - 1, -1, -1):
        if trader[x, DEGREE] == 1:
            stack[depth] = x
            depth += 1
    for first in range(-1, n):
        if first >= 0 and trader[first, MATE] < 0:
            stack[0] = first
            depth = 1
        while depth > 0:
            depth -= 1
            x = stack[depth]
            if depth > 3:
                prefetch(trader, stack[depth - 4])
                prefetch(around, trader[stack[depth - 2], BEGIN])
            if trader[x, MATE] >= 0:
                continue
            y = _choose(x, trader, around)
            if y < 0:
                continue
            prefetch(around, trader[y, BEGIN])
            unpaired -= 1
            trader[x, MATE] = y
            trader[y, MATE] = x
            # First those around the buyer, then those around the seller.
            for paired in (min(x, y), max(x, y)):
                for k in range(trader[paired, BEGIN], trader[paired, END]):
                    z = around[k]
                    trader[z, DEGREE] -= 1
                    if trader[z, DEGREE] == 1 and trader[z, MATE] < 0:
                        prefetch(around, trader[z, BEGIN])
                        stack[depth] = z
                        depth += 1
    return unpaired


@compiled
def _search_for_the_rest(trader, around):
    """Find partners for the buyers without one, by shortest paths, in market order."""
    n = trader.shape[0] // 2
    half = around.size // 2
    start = np.empty(n + 1, np.int32)
    column_start = np.empty(n + 1, np.int32)
    start[:n], start[n] = trader[:n, BEGIN], half
    column_start[:n], column_start[n] = trader[n:, BEGIN] - half, half
    s = new_search(start, around[:half] - np.int32(n), column_start, around[half:])
    buyer, rows, holder, queue = s.buyer, s.rows, s.holder, s.queue
    for x in range(n):
        if trader[x, MATE] >= 0:
            buyer[x, PARTNER] = trader[x, MATE] - n
            holder[trader[x, MATE] - n] = x << 2
    for x in range(n):
        if trader[x, MATE] < 0:
            last, free = x, free_seller(x, buyer, rows, holder)
            if free < 0:
                last, free, complete = search_near(x, NEAR, buyer, rows, holder, queue)
                if not complete:
                    last, free = search_far(x, n, s)
            assign(x, last, free, buyer, holder)
    for x in range(n):
        trader[x, MATE] = buyer[x, PARTNER] + n


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
    trader, around = _rows_of_traders(start, neighbours, buyers, sellers, n_sellers)
    if _force(trader, around) > 0:
        _search_for_the_rest(trader, around)
    return sellers[trader[: buyers.size, MATE] - buyers.size]
