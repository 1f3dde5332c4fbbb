"""Array-only kernels for graphs of at most 64 agents a side: a set of agents is one word.

They do what the sweep and the threshold kernels of `catallax.matching` do, row after row, several
times faster. Positions and rows are those of `kernels_batch`; here seller number y is the one at
position n_buyers + y, so that the bits of both sides ascend in the order that decides ties.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["MOST", "small_rows"]

MOST = 64
"""So many agents a side fit a word."""

_ONE = np.uint64(1)
_NONE = np.uint64(0)
_ALL = np.uint64(2**64 - 1)
_BIT = _ONE << np.arange(64, dtype=np.uint64)
# A product with this number has another six bits on top for each single bit (de Bruijn).
_FACTOR = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)
_PLACE = np.empty(64, np.int64)
_PLACE[((_BIT * _FACTOR) >> _SHIFT).astype(np.int64)] = np.arange(64)


@compiled
def _first(members):
    """Return the smallest member of a set that is not empty."""
    lowest = members & (~members + _ONE)
    return _PLACE[np.int64((lowest * _FACTOR) >> _SHIFT)]


@compiled
def _augment(root, last, free, reached_from, buyer_of, seller_of):
    """Shift the partners along the path that ends in a free seller."""
    x, y = last, free
    while True:
        previous = seller_of[x]
        seller_of[x] = y
        buyer_of[y] = x
        if x == root:
            return
        y = previous
        x = reached_from[y]


@compiled
def _sweep(row, sellers, seller_of, buyer_of, useful, reached_from, queue):
    """Match one row: walk down the ranks, as `matching.kernels.sweep` does.

    `useful[x]` becomes the sellers below buyer x, and `useful[n_buyers + y]` the buyers above
    seller y (by her number, of those who know her or not).
    """
    n_buyers = seller_of.size
    seller_of[:] = -1
    buyer_of[:] = -1
    free, open_, coming, passed = _ALL, _NONE, _ALL, _NONE
    for rank in range(row.size):
        at = row[rank]
        if at < n_buyers:
            useful[at] = coming
            passed |= _BIT[at]
            root = at
        else:
            gone = at - n_buyers
            useful[at] = passed
            coming &= ~_BIT[gone]
            if free & _BIT[gone]:
                free &= ~_BIT[gone]
                continue
            if not open_ & _BIT[gone]:
                continue
            open_ &= ~_BIT[gone]
            root = buyer_of[gone]
        # Search breadth-first from the root for a free seller.
        last, head, filled = root, 0, 0
        unseen = open_
        while True:
            found = sellers[last] & free
            if found:
                break
            new = sellers[last] & unseen
            unseen &= ~new
            while new:
                y = _first(new)
                new &= new - _ONE
                reached_from[y] = last
                queue[filled] = y
                filled += 1
            if head == filled:
                break
            last = buyer_of[queue[head]]
            head += 1
        if found:
            y = _first(found)
            if at >= n_buyers:
                buyer_of[gone] = -1
            free &= ~_BIT[y]
            open_ |= _BIT[y]
            _augment(root, last, y, reached_from, buyer_of, seller_of)
        else:
            # What a failing search has reached can never be improved again.
            open_ = unseen


@compiled
def _thresholds(row, sellers, buyers, useful, seller_of, buyer_of, trades, setter, stack):
    """Find who sets the threshold of each trader, heaviest candidates first for buyers."""
    n_buyers, n_sellers = seller_of.size, buyer_of.size
    left = _NONE  # sellers whose buyers have no label yet
    for y in range(n_sellers):
        trades[n_buyers + y] = buyer_of[y] >= 0
        setter[n_buyers + y] = -1
        if buyer_of[y] >= 0:
            left |= _BIT[y]
    waiting = _NONE  # buyers whose sellers have no label yet
    for x in range(n_buyers):
        trades[x] = seller_of[x] >= 0
        setter[x] = -1
        if seller_of[x] >= 0:
            waiting |= _BIT[x]
    for rank in range(row.size):
        if not left:
            break
        at = row[rank]
        if at < n_buyers:
            if seller_of[at] >= 0:
                continue
            x = at
        else:
            y = at - n_buyers
            if not left & _BIT[y]:
                continue
            left &= ~_BIT[y]
            x = buyer_of[y]
            setter[x] = at
        depth = 0
        while True:
            new = sellers[x] & useful[x] & left
            left &= ~new
            while new:
                y = _first(new)
                new &= new - _ONE
                stack[depth] = buyer_of[y]
                setter[stack[depth]] = at
                depth += 1
            if depth == 0:
                break
            depth -= 1
            x = stack[depth]
    for rank in range(row.size - 1, -1, -1):
        if not waiting:
            break
        at = row[rank]
        if at >= n_buyers:
            y = at - n_buyers
            if buyer_of[y] >= 0:
                continue
        else:
            if not waiting & _BIT[at]:
                continue
            waiting &= ~_BIT[at]
            y = seller_of[at]
            setter[n_buyers + y] = at
        depth = 0
        while True:
            new = buyers[y] & useful[n_buyers + y] & waiting
            waiting &= ~new
            while new:
                x = _first(new)
                new &= new - _ONE
                stack[depth] = seller_of[x]
                setter[n_buyers + stack[depth]] = at
                depth += 1
            if depth == 0:
                break
            depth -= 1
            y = stack[depth]


@compiled
def small_rows(start, neighbours, n_sellers, rows, trades, setter):
    """Match every row in a sparse graph of at most 64 agents a side.

    Parameters
    ----------
    start, neighbours
        Rows of the graph's buyers.
    n_sellers
        Number of sellers.
    rows
        Positions by rank; shape (profiles, n).
    trades
        Written: whether the agent at each position trades; shape (profiles, n).
    setter
        Written: the position of the agent that sets each trader's threshold, or -1.
    """
    n_buyers = start.size - 1
    sellers, buyers = np.zeros(n_buyers, np.uint64), np.zeros(n_sellers, np.uint64)
    for x in range(n_buyers):
        for k in range(start[x], start[x + 1]):
            y = n_sellers - 1 - neighbours[k]
            sellers[x] |= _BIT[y]
            buyers[y] |= _BIT[x]
    useful = np.empty(n_buyers + n_sellers, np.uint64)
    seller_of, buyer_of = np.empty(n_buyers, np.int64), np.empty(n_sellers, np.int64)
    reached_from, queue = np.empty(n_sellers, np.int64), np.empty(64, np.int64)
    for s in range(rows.shape[0]):
        _sweep(rows[s], sellers, seller_of, buyer_of, useful, reached_from, queue)
        _thresholds(
            rows[s], sellers, buyers, useful, seller_of, buyer_of, trades[s], setter[s], queue
        )
