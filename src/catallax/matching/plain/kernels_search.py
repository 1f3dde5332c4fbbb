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
    "CREDIT",
    "FREE",
    "FRESH",
    "GONE",
    "NEAR",
    "PARTNER",
    "READY",
    "SPENT",
    "START",
    "STOP",
    "VISITED",
    "Search",
    "assign",
    "assign_along",
    "free_seller",
    "keep_rest",
    "new_search",
    "room_for_search",
    "search_near",
]

# Columns of `Search.buyer`. A step of a search needs no more of a buyer, a quarter of a cache line.
START, STOP = 0, 1  # her row
FRESH = 2  # where in it a free seller may stand: before it there is none, and never again
PARTNER = 3  # her seller, or -1

# Values of `Search.holder`; a seller with a partner has four times the buyer, and two marks:
FREE, GONE = -1, -2
SPENT = 1  # no free seller stands in the row of the buyer
VISITED = 2  # seen by the present search

# Places in `Search.credit`.
CREDIT, READY = 0, 1

NEAR = 512  # edges that a search sees before it is guided; tests take fewer


class Search(NamedTuple):
    """The state of a matching, and the memory that searches share.

    Attributes
    ----------
    buyer
        One line for each buyer: START, STOP, FRESH and PARTNER.
    rows
        Sellers next to each buyer; edges to sellers that are gone are squeezed out.
    holder
        Of each seller FREE, GONE or her buyer, with marks.
    column_start, columns
        Buyers next to each seller, ascending.
    queue, came
        The buyers that a search has reached; and from whom, as her place in the queue.
    bound
        Of each buyer how many steps it is to a free seller, at least (a guess).
    arc
        How far in a buyer's row no bound is smaller than hers.
    steps, below, shelf
        For guided searches, of each place in the queue the steps from the root, and which place
        lies below it on the shelf; and what is on top of each shelf, -1 where it is empty.
    credit
        Edges that guided searches may see before distances are measured again; and whether
        their memory, which many a matching never needs, is made ready (CREDIT, READY).
    """

    buyer: np.ndarray
    rows: np.ndarray
    holder: np.ndarray
    column_start: np.ndarray
    columns: np.ndarray
    queue: np.ndarray
    came: np.ndarray
    bound: np.ndarray
    arc: np.ndarray
    steps: np.ndarray
    below: np.ndarray
    shelf: np.ndarray
    credit: np.ndarray


@compiled
def room_for_search(n_buyers, n_sellers):
    """Tell how many numbers `new_search` needs to work with."""
    return 12 * n_buyers + n_sellers + 2


@compiled
def new_search(start, rows, column_start, columns, space):
    """Begin with nobody matched; `rows` and `space` are used up."""
    n_buyers = start.size - 1
    n_sellers = column_start.size - 1
    buyer, rest = space[: 4 * n_buyers].reshape((n_buyers, 4)), space[4 * n_buyers :]
    each = rest[: 6 * n_buyers].reshape((6, n_buyers))
    queue, came, bound, arc, steps, below = each[0], each[1], each[2], each[3], each[4], each[5]
    shelf, rest = rest[6 * n_buyers : 8 * n_buyers + 2], rest[8 * n_buyers + 2 :]
    holder = rest[:n_sellers]
    for i in range(n_buyers):
        buyer[i, START] = start[i]
        buyer[i, STOP] = start[i + 1]
        buyer[i, FRESH] = start[i]
        buyer[i, PARTNER] = -1
    holder[:] = FREE
    credit = np.array([rows.size // 2, 0])
    return Search(
        buyer, rows, holder, column_start, columns, queue, came, bound, arc, steps, below, shelf,
        credit,
    )  # fmt: skip


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
def search_near(root, near, buyer, rows, holder, queue, came):
    """Search breadth-first until an end is found or `near` edges are seen.

    Returns the place in the queue of the last buyer of the path and the free seller, or -1 and
    -1; and how many buyers stand in the queue where they are all that can be reached, and are to
    be closed, else 0.
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
            came[reached] = head - 1
            reached += 1
            holder[j] = held | SPENT | VISITED
            if not held & SPENT:
                free = free_seller(other, buyer, rows, holder)
                if free >= 0:
                    last = reached - 1
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
def assign(i, free, buyer, holder):
    """Pair a buyer with a free seller next to her."""
    buyer[i, PARTNER] = free
    holder[free] = i << 2


@compiled
def assign_along(last, free, buyer, holder, queue, came):
    """Shift the partners along a path, so that all its buyers have one."""
    at, j, mark = last, free, 0
    while True:
        i = queue[at]
        previous = buyer[i, PARTNER]
        buyer[i, PARTNER] = j
        holder[j] = i << 2 | mark
        if at == 0:
            return
        at = came[at]
        j = previous
        mark = SPENT
