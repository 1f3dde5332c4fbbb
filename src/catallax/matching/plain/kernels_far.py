"""Array-only kernels of the guided searches: for the few that would see much of a large graph.

A search that has not ended soon begins anew, guided by *bounds*: guesses from below of how many
steps each buyer needs to a free seller.

Now and then all distances are measured backwards from the free sellers, a pass over the graph,
paid for by the guided searches before it. Between two measurements sellers are taken or leave.
Along shortest paths no distance falls by that (Hopcroft and Karp, 1973), so what was measured
stays a bound; and where a path of l steps was found, whoever was reached after s steps is taken
to be l - s away or more. A guided search keeps the first way on which it reaches a buyer, which
may be a detour, and then a bound can come out too large. That costs time and nothing else.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from catallax.compiled import compiled
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import (
    BELOW,
    BOUND,
    GONE,
    PARENT,
    PARTNER,
    SPENT,
    START,
    STEPS,
    STOP,
    VISITED,
    free_seller,
    keep_rest,
)

__all__ = ["search_far"]

NEVER = 2**30


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
            keep_rest(i, kept, k, buyer, rows)
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
