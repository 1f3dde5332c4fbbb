"""Array-only kernels that search a large graph for free sellers: at first near, then guided.

Searches start from a buyer, the *root*, and go along alternating paths to a free seller. Nearly
all end within a few steps, and a few see much of the graph; on large graphs these few take nearly
all the time. So a search that has not ended soon begins anew, guided by *bounds*: how many steps
each buyer needs at least to a free seller. Paths are shortest (Hopcroft and Karp), therefore
distances never fall while sellers are taken or leave, and a bound once right stays right. Bounds
come from measuring all distances backwards from the free sellers, and from every guided search:
where a path of l steps was shortest, whoever was reached after s steps is l - s away or more.
Measuring costs a pass over the graph and is paid for by the guided searches before it.

Bounds only decide where to look first: a search gives up when everything has been reached, except
for buyers who were measured to have no path, and these never get one again.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from catallax.compiled import compiled
from catallax.matching.kernels_prefetch import prefetch

__all__ = ["FREE", "GONE", "PARTNER", "START", "STOP", "Search", "assign", "new_search", "search"]

# Columns of `Search.buyer`. What one step of a search needs of a buyer lies in half a cache line.
START, STOP = 0, 1  # her row
FRESH = 2  # where in it a free seller may stand: before it there is none, and never again
PARTNER = 3  # her seller, or -1
PARENT = 4  # the buyer from whom this search has reached her
BOUND = 5  # steps to a free seller, at least
STEPS = 6  # steps from the root
BELOW = 7  # who lies below her on the shelf

# Values of `Search.holder`; a seller with a partner has four times the buyer, and two marks:
FREE, GONE = -1, -2
SPENT = 1  # no free seller stands in the row of the buyer
VISITED = 2  # seen by the present search

NEVER = 2**30
NEAR = 512  # edges that a search may see before it is guided


class Search(NamedTuple):
    """The state of a matching, and the memory that searches share.

    Attributes
    ----------
    buyer
        One line for each buyer: START, STOP and so on.
    rows
        Sellers next to each buyer; edges to sellers that are gone are squeezed out.
    holder
        Of each seller FREE, GONE or her buyer, with marks.
    column_start, columns
        Buyers next to each seller, ascending.
    arc
        How far in a buyer's row no bound is smaller than hers.
    shelf
        The buyer on top of each shelf, for guided searches; -1 where it is empty.
    queue
        The buyers that a search has reached.
    credit
        One number: edges that guided searches may see before distances are measured again.
    """

    buyer: np.ndarray
    rows: np.ndarray
    holder: np.ndarray
    column_start: np.ndarray
    columns: np.ndarray
    arc: np.ndarray
    shelf: np.ndarray
    queue: np.ndarray
    credit: np.ndarray


@compiled
def new_search(start, rows, column_start, columns):
    """Begin with nobody matched; `rows` is used up."""
    n_buyers = start.size - 1
    buyer = np.empty((n_buyers, 8), np.int32)
    for i in range(n_buyers):
        buyer[i, START] = start[i]
        buyer[i, STOP] = start[i + 1]
        buyer[i, FRESH] = start[i]
        buyer[i, PARTNER] = -1
        buyer[i, BOUND] = 1
    return Search(
        buyer,
        rows,
        np.full(column_start.size - 1, FREE, np.int32),
        column_start,
        columns,
        start[:-1].copy(),
        np.full(2 * n_buyers + 2, -1, np.int32),
        np.empty(n_buyers + 1, np.int32),
        np.full(1, rows.size // 2, np.int64),
    )


@compiled
def _free_seller(i, s):
    """Return a free seller next to buyer i, or -1; the place to look from only moves forward."""
    k = s.buyer[i, FRESH]
    stop = s.buyer[i, STOP]
    while k < stop:
        if s.holder[s.rows[k]] == FREE:
            s.buyer[i, FRESH] = k
            return s.rows[k]
        k += 1
    s.buyer[i, FRESH] = k
    return -1


@compiled
def _keep_rest(i, kept, k, s):
    """Move the rest of a row up to where it has been squeezed so far."""
    if kept < k:
        while k < s.buyer[i, STOP]:
            s.rows[kept] = s.rows[k]
            kept += 1
            k += 1
        s.buyer[i, STOP] = kept


@compiled
def _search_near(root, s):
    """Search breadth-first until an end is found or NEAR edges are seen.

    Returns the last buyer of the path and the free seller, or -1 and -1, and whether all that
    can be reached has been seen.
    """
    s.queue[0] = root
    reached = 1
    head = 0
    seen = 0
    last, free = -1, -1
    while head < reached and free < 0:
        i = s.queue[head]
        head += 1
        k = s.buyer[i, START]
        stop = s.buyer[i, STOP]
        seen += stop - k
        if seen > NEAR:
            break
        if head < reached:
            prefetch(s.rows, s.buyer[s.queue[head], START])
        kept = k
        while k < stop:
            j = s.rows[k]
            k += 1
            held = s.holder[j]
            if held == GONE:
                continue
            s.rows[kept] = j
            kept += 1
            if held & VISITED:
                continue
            other = held >> 2
            prefetch(s.buyer, other)
            s.queue[reached] = other
            reached += 1
            s.holder[j] = held | SPENT | VISITED
            s.buyer[other, PARENT] = i
            if not held & SPENT:
                free = _free_seller(other, s)
                if free >= 0:
                    last = other
                    break
        if free >= 0:
            _keep_rest(i, kept, k, s)
        else:
            s.buyer[i, STOP] = kept
    for k in range(1, reached):
        i = s.queue[k]
        s.holder[s.buyer[i, PARTNER]] = i << 2 | SPENT
    return last, free, seen <= NEAR


@compiled
def _measure(joined, s):
    """Measure the distances of all buyers before `joined`, backwards from the free sellers."""
    reached = 0
    for i in range(joined):
        s.arc[i] = s.buyer[i, START]
        j = s.buyer[i, PARTNER]
        if j < 0 or s.holder[j] == GONE:
            s.buyer[i, BOUND] = 1  # may be a root, now or later: nothing is known
            continue
        s.buyer[i, BOUND] = NEVER
        if not s.holder[j] & SPENT:
            if _free_seller(i, s) >= 0:
                s.buyer[i, BOUND] = 1
                s.queue[reached] = i
                reached += 1
            else:
                s.holder[j] |= SPENT
    head = 0
    seen = joined
    while head < reached:
        i = s.queue[head]
        if head + 8 < reached:
            prefetch(s.buyer, s.queue[head + 8])
        if head + 4 < reached:
            prefetch(s.column_start, s.buyer[s.queue[head + 4], PARTNER])
        if head + 2 < reached:
            prefetch(s.columns, s.column_start[s.buyer[s.queue[head + 2], PARTNER]])
        head += 1
        j = s.buyer[i, PARTNER]
        for k in range(s.column_start[j], s.column_start[j + 1]):
            other = s.columns[k]
            if other >= joined:
                break
            seen += 1
            if s.buyer[other, BOUND] == NEVER:
                s.buyer[other, BOUND] = s.buyer[i, BOUND] + 1
                s.queue[reached] = other
                reached += 1
    # The next measurement waits until half as many edges have been seen by guided searches.
    s.credit[0] = seen // 2


@compiled
def _descend(root, s):
    """Walk from the root along falling bounds, as far as that goes; see `_search_near`.

    No edge is looked at again before the bound of its buyer has risen: a root with a long row
    that is displaced again and again does not read the row each time.
    """
    i = root
    while True:
        k = max(s.arc[i], s.buyer[i, START])
        onward = -1
        while k < s.buyer[i, STOP] and onward < 0:
            j = s.rows[k]
            held = s.holder[j]
            if held >= 0 and s.buyer[held >> 2, BOUND] < s.buyer[i, BOUND]:
                onward = held >> 2
                if not held & SPENT:
                    free = _free_seller(onward, s)
                    if free >= 0:
                        s.arc[i] = k
                        s.buyer[onward, PARENT] = i
                        return onward, free
                    s.holder[j] = held | SPENT
                    s.buyer[onward, BOUND] = max(s.buyer[onward, BOUND], 2)
                    onward = -1
                    continue
            if onward < 0:
                k += 1
        s.arc[i] = k
        if onward < 0:
            return -1, -1
        s.buyer[onward, PARENT] = i
        i = onward


@compiled
def _search_guided(root, s):
    """Search by the smallest sum of the steps from the root and the bound (A*).

    Buyers wait on shelves numbered by that sum, the last one put there on top.
    """
    s.buyer[root, STEPS] = 0
    s.buyer[root, BELOW] = -1
    s.shelf[0] = root
    s.queue[0] = root
    reached = 1
    level, highest = 0, 0
    seen = 0
    last, free = -1, -1
    while level <= highest and free < 0:
        i = s.shelf[level]
        if i < 0:
            level += 1
            continue
        s.shelf[level] = s.buyer[i, BELOW]
        k = s.buyer[i, START]
        stop = s.buyer[i, STOP]
        kept = k
        seen += stop - k
        steps = s.buyer[i, STEPS] + 1
        while k < stop:
            j = s.rows[k]
            k += 1
            held = s.holder[j]
            if held == GONE:
                continue
            s.rows[kept] = j
            kept += 1
            if held & VISITED:
                continue
            other = held >> 2
            bound = s.buyer[other, BOUND]
            if bound == NEVER:
                continue
            s.holder[j] = held | SPENT | VISITED
            s.queue[reached] = other
            reached += 1
            s.buyer[other, PARENT] = i
            s.buyer[other, STEPS] = steps
            if not held & SPENT:
                free = _free_seller(other, s)
                if free >= 0:
                    last = other
                    break
                bound = max(bound, 2)
            # No nearer than one step less than the buyer before her.
            bound = max(bound, level - steps)
            s.buyer[other, BOUND] = bound
            s.buyer[other, BELOW] = s.shelf[steps + bound]
            s.shelf[steps + bound] = other
            highest = max(highest, steps + bound)
        if free >= 0:
            _keep_rest(i, kept, k, s)
        else:
            s.buyer[i, STOP] = kept
    s.credit[0] -= seen
    _clear_up(reached, last, s)
    return last, free


@compiled
def _clear_up(reached, last, s):
    """Empty the shelves after a guided search, and raise bounds by what it has found."""
    length = s.buyer[last, STEPS] + 1 if last >= 0 else 0
    s.shelf[0] = -1
    for k in range(reached):
        i = s.queue[k]
        if k > 0:
            s.holder[s.buyer[i, PARTNER]] = i << 2 | SPENT
            if i != last:
                s.shelf[s.buyer[i, STEPS] + s.buyer[i, BOUND]] = -1
        s.buyer[i, BOUND] = max(s.buyer[i, BOUND], length - s.buyer[i, STEPS])
        s.arc[i] = s.buyer[i, START]


@compiled
def search(root, joined, s):
    """Find a path from a root to a free seller.

    Parameters
    ----------
    root
        A buyer without a partner, or one whose partner is gone.
    joined
        Buyers before this one take part.
    s
        The `Search`.

    Returns
    -------
    last, free
        The last buyer of the path and the free seller, or -1 and -1; the buyers before the last
        one are in PARENT.
    """
    free = _free_seller(root, s)
    if free >= 0:
        return root, free
    last, free, exhausted = _search_near(root, s)
    if free >= 0 or exhausted:
        return last, free
    last, free = _descend(root, s)
    if free >= 0:
        return last, free
    if s.credit[0] <= 0:
        _measure(joined, s)
    return _search_guided(root, s)


@compiled
def assign(root, last, free, s):
    """Shift the partners along a path from a root, so that all its buyers have one."""
    i, j, mark = last, free, 0
    while True:
        previous = s.buyer[i, PARTNER]
        s.buyer[i, PARTNER] = j
        s.holder[j] = i << 2 | mark
        if i == root:
            return
        i = s.buyer[i, PARENT]
        j = previous
        mark = SPENT
