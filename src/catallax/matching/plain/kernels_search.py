"""Array-only kernels that search a large graph for free sellers, breadth-first and near.

Searches start from a buyer, the *root*, and go along alternating paths to a free seller. Nearly
all end within a few steps, and a few see much of the graph; on large graphs these few take nearly
all the time, and `kernels_far` has them guided.

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
    "BELOW",
    "BOUND",
    "FREE",
    "FRESH",
    "GONE",
    "NEAR",
    "PARENT",
    "PARTNER",
    "SPENT",
    "START",
    "STEPS",
    "STOP",
    "VISITED",
    "Search",
    "assign",
    "free_seller",
    "keep_rest",
    "new_search",
    "room_for_search",
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
def room_for_search(n_buyers, n_sellers):
    """Tell how many numbers `new_search` needs to work with."""
    return 12 * n_buyers + n_sellers + 3


@compiled
def new_search(start, rows, column_start, columns, space):
    """Begin with nobody matched; `rows` and `space` are used up."""
    n_buyers = start.size - 1
    n_sellers = column_start.size - 1
    buyer, rest = space[: 8 * n_buyers].reshape((n_buyers, 8)), space[8 * n_buyers :]
    arc, rest = rest[:n_buyers], rest[n_buyers:]
    shelf, rest = rest[: 2 * n_buyers + 2], rest[2 * n_buyers + 2 :]
    queue, rest = rest[: n_buyers + 1], rest[n_buyers + 1 :]
    holder = rest[:n_sellers]
    for i in range(n_buyers):
        buyer[i, START] = start[i]
        buyer[i, STOP] = start[i + 1]
        buyer[i, FRESH] = start[i]
        buyer[i, PARTNER] = -1
        buyer[i, BOUND] = 1
        arc[i] = start[i]
    shelf[:] = -1
    holder[:] = FREE
    credit = np.full(1, rows.size // 2, np.int64)
    return Search(buyer, rows, holder, column_start, columns, arc, shelf, queue, credit)


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
def keep_rest(i, kept, k, buyer, rows):
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

    Returns the last buyer of the path and the free seller, or -1 and -1; and how many buyers
    stand in the queue where they are all that can be reached, and are to be closed, else 0.
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
            keep_rest(i, kept, k, buyer, rows)
        else:
            buyer[i, STOP] = kept
    if free < 0 and seen <= near:  # no marks to be cleared: all is closed
        return last, free, reached
    for k in range(1, reached):
        i = queue[k]
        holder[buyer[i, PARTNER]] = i << 2 | SPENT
    return last, free, 0


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
