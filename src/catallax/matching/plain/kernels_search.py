"""Array-only kernels that search a large graph for free sellers: at first near, then guided.

Searches start from a buyer, the *root*, and go along alternating paths to a free seller. Nearly
all end within a few steps, and a few see much of the graph; on large graphs these few take nearly
all the time. So a search that has not ended soon begins anew, guided by *bounds*: guesses from
below of how many steps each buyer needs to a free seller.

Now and then all distances are measured backwards from the free sellers, a pass over the graph,
paid for by the guided searches before it. Between two measurements sellers are taken or leave.
Along shortest paths no distance falls by that (Hopcroft and Karp, 1973), so what was measured
stays a bound; and where a path of l steps was found, whoever was reached after s steps is taken
to be l - s away or more. A guided search keeps the first way on which it reaches a buyer, which
may be a detour, and then a bound can come out too large. That costs time and nothing else.

The result rests on two facts. Which free seller a search ends with does not matter: the sweep
ends at the one matching that is best in the strict order of all agents. And a search gives up only
when it has reached all it can, except buyers who were measured to have no way to a free seller:
nobody who has one is ever led through their sellers, so they never get one again.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_prefetch import prefetch

__all__ = [
    "FREE",
    "FRESH",
    "GONE",
    "NEAR",
    "PARTNER",
    "START",
    "STOP",
    "Search",
    "assign",
    "free_seller",
    "new_search",
    "search_far",
    "search_near",
]

# Columns of `Search.buyer`. What one step of a search needs of a buyer lies in half a cache line.
START, STOP = 0, 1  # her row
FRESH = 2  # where in it a free seller may stand: before it there is none, and never again
PARTNER = 3  # her seller, or -1
PARENT = 4  # the buyer from whom this search has reached her
BOUND = 5  # steps to a free seller, at least (a guess)
STEPS = 6  # steps from the root
BELOW = 7  # who lies below her on the shelf

# Values of `Search.holder`; a seller with a partner has four times the buyer, and two marks:
FREE, GONE = -1, -2
SPENT = 1  # no free seller stands in the row of the buyer
VISITED = 2  # seen by the present search

NEVER = 2**30
NEAR = 512  # edges that a search sees before it is guided; tests take fewer


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
def free_seller(i, buyer, rows, holder):
    """Return a free seller next to buyer i, or -1; the place to look from only moves forward."""
    k = buyer[i, FRESH]
    stop = buyer[i, STOP]
    while k < stop:
        if holder[rows[k]] == FREE:
            buyer[i, FRESH] = k
            return rows[k]
        k += 1
    buyer[i, FRESH] = k
    return -1


@compiled
def _keep_rest(i, kept, k, buyer, rows):
    """Move the rest of a row up to where it has been squeezed so far."""
    if kept < k:
        while k < buyer[i, STOP]:
            rows[kept] = rows[k]
            kept += 1
            k += 1
        buyer[i, STOP] = kept


@compiled
def search_near(root, near, buyer, rows, holder, queue):
    """Search breadth-first until an end is found or `near` edges are seen.

    Returns the last buyer of the path and the free seller, or -1 and -1, and whether all that
    can be reached has been seen.
    """
    queue[0] = root
    reached = 1
    head = 0
    seen = 0
    last, free = -1, -1
    while head < reached and free < 0:
        i = queue[head]
        head += 1
        k = buyer[i, START]
        stop = buyer[i, STOP]
        seen += stop - k
        if seen > near:
            break
        if head < reached:
            prefetch(rows, buyer[queue[head], START])
        kept = k
        while k < stop:
            j = rows[k]
            k += 1
            held = holder[j]
            if held == GONE:
                continue
            rows[kept] = j
            kept += 1
            if held & VISITED:
                continue
            other = held >> 2
            prefetch(buyer, other)
            queue[reached] = other
            reached += 1
            holder[j] = held | SPENT | VISITED
            buyer[other, PARENT] = i
            if not held & SPENT:
                free = free_seller(other, buyer, rows, holder)
                if free >= 0:
                    last = other
                    break
        if free >= 0:
            _keep_rest(i, kept, k, buyer, rows)
        else:
            buyer[i, STOP] = kept
    for k in range(1, reached):
        i = queue[k]
        holder[buyer[i, PARTNER]] = i << 2 | SPENT
    return last, free, seen <= near


@compiled
def _measure(joined, s):
    """Measure the distances of all buyers before `joined`, backwards from the free sellers."""
    buyer, rows, holder, queue = s.buyer, s.rows, s.holder, s.queue
    column_start, columns, arc = s.column_start, s.columns, s.arc
    reached = 0
    for i in range(joined):
        arc[i] = buyer[i, START]
        j = buyer[i, PARTNER]
        if j < 0 or holder[j] == GONE:
            buyer[i, BOUND] = 1  # may be a root, now or later: nothing is known
            continue
        buyer[i, BOUND] = NEVER
        if not holder[j] & SPENT:
            if free_seller(i, buyer, rows, holder) >= 0:
                buyer[i, BOUND] = 1
                queue[reached] = i
                reached += 1
            else:
                holder[j] |= SPENT
    head = 0
    seen = joined
    while head < reached:
        i = queue[head]
        if head + 8 < reached:
            prefetch(buyer, queue[head + 8])
        if head + 4 < reached:
            prefetch(column_start, buyer[queue[head + 4], PARTNER])
        if head + 2 < reached:
            prefetch(columns, column_start[buyer[queue[head + 2], PARTNER]])
        head += 1
        j = buyer[i, PARTNER]
        for k in range(column_start[j], column_start[j + 1]):
            other = columns[k]
            if other >= joined:
                break
            seen += 1
            if buyer[other, BOUND] == NEVER:
                buyer[other, BOUND] = buyer[i, BOUND] + 1
                queue[reached] = other
                reached += 1
    # The next measurement waits until half as many edges have been seen by guided searches.
    s.credit[0] = seen // 2


@compiled
def _descend(root, s):
    """Walk from the root along falling bounds, as far as that goes; see `search_near`.

    No edge is looked at again before the bound of its buyer has risen: a root with a long row
    that is displaced again and again does not read the row each time.
    """
    buyer, rows, holder, arc = s.buyer, s.rows, s.holder, s.arc
    i = root
    while True:
        k = max(arc[i], buyer[i, START])
        onward = -1
        while k < buyer[i, STOP] and onward < 0:
            j = rows[k]
            held = holder[j]
            if held >= 0 and buyer[held >> 2, BOUND] < buyer[i, BOUND]:
                onward = held >> 2
                if not held & SPENT:
                    free = free_seller(onward, buyer, rows, holder)
                    if free >= 0:
                        arc[i] = k
                        buyer[onward, PARENT] = i
                        return onward, free
                    holder[j] = held | SPENT
                    buyer[onward, BOUND] = max(buyer[onward, BOUND], 2)
                    onward = -1
                    continue
            if onward < 0:
                k += 1
        arc[i] = k
        if onward < 0:
            return -1, -1
        buyer[onward, PARENT] = i
        i = onward


@compiled
def _search_guided(root, s):
    """Search by the smallest sum of the steps from the root and the bound (A*).

    Buyers wait on shelves numbered by that sum, the last one put there on top.
    """
    buyer, rows, holder, shelf, queue = s.buyer, s.rows, s.holder, s.shelf, s.queue
    buyer[root, STEPS] = 0
    buyer[root, BELOW] = -1
    shelf[0] = root
    queue[0] = root
    reached = 1
    level, highest = 0, 0
    seen = 0
    last, free = -1, -1
    while level <= highest and free < 0:
        i = shelf[level]
        if i < 0:
            level += 1
            continue
        shelf[level] = buyer[i, BELOW]
        k = buyer[i, START]
        stop = buyer[i, STOP]
        kept = k
        seen += stop - k
        steps = buyer[i, STEPS] + 1
        while k < stop:
            j = rows[k]
            k += 1
            held = holder[j]
            if held == GONE:
                continue
            rows[kept] = j
            kept += 1
            if held & VISITED:
                continue
            other = held >> 2
            bound = buyer[other, BOUND]
            if bound == NEVER:
                continue
            holder[j] = held | SPENT | VISITED
            queue[reached] = other
            reached += 1
            buyer[other, PARENT] = i
            buyer[other, STEPS] = steps
            if not held & SPENT:
                free = free_seller(other, buyer, rows, holder)
                if free >= 0:
                    last = other
                    break
                bound = max(bound, 2)
            # No nearer than one step less than the buyer before her.
            bound = max(bound, level - steps)
            buyer[other, BOUND] = bound
            buyer[other, BELOW] = shelf[steps + bound]
            shelf[steps + bound] = other
            highest = max(highest, steps + bound)
        if free >= 0:
            _keep_rest(i, kept, k, buyer, rows)
        else:
            buyer[i, STOP] = kept
    s.credit[0] -= seen
    _clear_up(reached, last, s)
    return last, free


@compiled
def _clear_up(reached, last, s):
    """Empty the shelves after a guided search, and raise bounds by what it has found."""
    buyer, holder, arc, shelf, queue = s.buyer, s.holder, s.arc, s.shelf, s.queue
    length = buyer[last, STEPS] + 1 if last >= 0 else 0
    shelf[0] = -1
    for k in range(reached):
        i = queue[k]
        if k > 0:
            holder[buyer[i, PARTNER]] = i << 2 | SPENT
            if i != last:
                shelf[buyer[i, STEPS] + buyer[i, BOUND]] = -1
        buyer[i, BOUND] = max(buyer[i, BOUND], length - buyer[i, STEPS])
        arc[i] = buyer[i, START]


@compiled
def search_far(root, joined, s):
    """Find a path from a root where `search_near` has not ended.

    Parameters
    ----------
    root
        A buyer without a partner, or one whose partner is gone; nobody free is next to her.
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
    last, free = _descend(root, s)
    if free < 0:
        if s.credit[0] <= 0:
            _measure(joined, s)
        last, free = _search_guided(root, s)
    return last, free


@compiled
def assign(root, last, free, buyer, holder):
    """Shift the partners along a path from a root, so that all its buyers have one."""
    i, j, mark = last, free, 0
    while True:
        previous = buyer[i, PARTNER]
        buyer[i, PARTNER] = j
        holder[j] = i << 2 | mark
        if i == root:
            return
        i = buyer[i, PARENT]
        j = previous
        mark = SPENT
