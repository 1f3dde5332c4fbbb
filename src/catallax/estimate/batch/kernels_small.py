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
    seller y (whether they know each other or not). Returns the buyers and the sellers that trade.
    """
    n_buyers = seller_of.size
    free, open_, coming, passed = _ALL, _NONE, _ALL, _NONE
    buying, selling = _NONE, _NONE
    for rank in range(row.size):
        at = row[rank]
        gone = -1
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
            if gone >= 0:
                selling &= ~_BIT[gone]
            free &= ~_BIT[y]
            open_ |= _BIT[y]
            selling |= _BIT[y]
            buying |= _BIT[root]
            _augment(root, last, y, reached_from, buyer_of, seller_of)
        else:
            # What a failing search has reached can never be improved again.
            open_ = unseen
    return buying, selling


@compiled
def _buyers_thresholds(row, sellers, useful, buyer_of, buying, selling, setter, stack):
    """Find whom each trading buyer has to beat: the candidates heaviest first."""
    n_buyers = sellers.size
    left = selling  # sellers whose buyers have no label yet
    for rank in range(row.size):
        if not left:
            break
        at = row[rank]
        if at < n_buyers:
            if buying & _BIT[at]:
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
                x = buyer_of[_first(new)]
                new &= new - _ONE
                setter[x] = at
                stack[depth] = x
                depth += 1
            if depth == 0:
                break
            depth -= 1
            x = stack[depth]


@compiled
def _sellers_thresholds(row, buyers, useful, seller_of, buying, selling, setter, stack):
    """Find whom each trading seller has to undercut: the candidates lightest first."""
    n_buyers = seller_of.size
    left = buying  # buyers whose sellers have no label yet
    for rank in range(row.size - 1, -1, -1):
        if not left:
            break
        at = row[rank]
        if at >= n_buyers:
            y = at - n_buyers
            if selling & _BIT[y]:
                continue
        else:
            if not left & _BIT[at]:
                continue
            left &= ~_BIT[at]
            y = seller_of[at]
            setter[n_buyers + y] = at
        depth = 0
        while True:
            new = buyers[y] & useful[n_buyers + y] & left
            left &= ~new
            while new:
                y = seller_of[_first(new)]
                new &= new - _ONE
                setter[n_buyers + y] = at
                stack[depth] = y
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
    setter[:] = -1
    for s in range(rows.shape[0]):
        row = rows[s]
        buying, selling = _sweep(row, sellers, seller_of, buyer_of, useful, reached_from, queue)
        for x in range(n_buyers):
            trades[s, x] = (buying & _BIT[x]) != _NONE
        for y in range(n_sellers):
            trades[s, n_buyers + y] = (selling & _BIT[y]) != _NONE
        _buyers_thresholds(row, sellers, useful, buyer_of, buying, selling, setter[s], queue)
        _sellers_thresholds(row, buyers, useful, seller_of, buying, selling, setter[s], queue)
