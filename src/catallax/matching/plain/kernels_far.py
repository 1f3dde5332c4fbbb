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
    CREDIT,
    GONE,
    PARTNER,
    READY,
    SPENT,
    START,
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
    buyer, rows, holder, queue, bound = s.buyer, s.rows, s.holder, s.queue, s.bound
    column_start, columns = s.column_start, s.columns
    s.arc[:joined] = 0
    reached = 0
    for i in range(joined):
        j = buyer[i, PARTNER]
        if j < 0 or holder[j] == GONE:
            bound[i] = 1  # may be a root, now or later: nothing is known
            continue
        bound[i] = NEVER
        if not holder[j] & SPENT:
            if free_seller(i, buyer, rows, holder) >= 0:
                bound[i] = 1
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
            if bound[other] == NEVER:
                bound[other] = bound[i] + 1
                queue[reached] = other
                reached += 1
    # The next measurement waits until half as many edges have been seen by guided searches.
    s.credit[CREDIT] = seen // 2


@compiled
def _descend(root, s):
    """Walk from the root along falling bounds, as far as that goes; see `search_near`.

    No edge is looked at again before the bound of its buyer has risen: a root with a long row
    that is displaced again and again does not read the row each time.
    """
    buyer, rows, holder, bound, arc = s.buyer, s.rows, s.holder, s.bound, s.arc
    s.queue[0] = root
    at = 0
    while True:
        i = s.queue[at]
        k = max(arc[i], buyer[i, START])
        onward = -1
        while k < buyer[i, STOP] and onward < 0:
            j = rows[k]
            held = holder[j]
            if held >= 0 and bound[held >> 2] < bound[i]:
                onward = held >> 2
                if not held & SPENT:
                    free = free_seller(onward, buyer, rows, holder)
                    if free >= 0:
                        arc[i] = k
                        s.queue[at + 1] = onward
                        s.came[at + 1] = at
                        return at + 1, free
                    holder[j] = held | SPENT
                    bound[onward] = max(bound[onward], 2)
                    onward = -1
                    continue
            if onward < 0:
                k += 1
        arc[i] = k
        if onward < 0:
            return -1, -1
        at += 1
        s.queue[at] = onward
        s.came[at] = at - 1


@compiled
def _search_guided(root, s):
    """Search by the smallest sum of the steps from the root and the bound (A*).

    Whoever is reached waits on the shelf numbered by that sum, the last one put there on top.
    """
    buyer, rows, holder, queue, came = s.buyer, s.rows, s.holder, s.queue, s.came
    bound, steps, below, shelf = s.bound, s.steps, s.below, s.shelf
    queue[0] = root
    steps[0] = 0
    below[0] = -1
    shelf[0] = 0
    reached = 1
    level, highest = 0, 0
    seen = 0
    last, free = -1, -1
    while level <= highest and free < 0:
        at = shelf[level]
        if at < 0:
            level += 1
            continue
        shelf[level] = below[at]
        i = queue[at]
        k = buyer[i, START]
        stop = buyer[i, STOP]
        kept = k
        seen += stop - k
        step = steps[at] + 1
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
            least = bound[other]
            if least == NEVER:
                continue
            holder[j] = held | SPENT | VISITED
            queue[reached] = other
            came[reached] = at
            steps[reached] = step
            reached += 1
            if not held & SPENT:
                free = free_seller(other, buyer, rows, holder)
                if free >= 0:
                    last = reached - 1
                    break
                least = max(least, 2)
            # No nearer than one step less than the buyer before her.
            least = max(least, level - step)
            bound[other] = least
            below[reached - 1] = shelf[step + least]
            shelf[step + least] = reached - 1
            highest = max(highest, step + least)
        if free >= 0:
            keep_rest(i, kept, k, buyer, rows)
        else:
            buyer[i, STOP] = kept
    s.credit[CREDIT] -= seen
    _clear_up(reached, last, s)
    return last, free


@compiled
def _clear_up(reached, last, s):
    """Empty the shelves after a guided search, and raise bounds by what it has found."""
    buyer, holder, queue, bound, steps = s.buyer, s.holder, s.queue, s.bound, s.steps
    length = steps[last] + 1 if last >= 0 else 0
    s.shelf[0] = -1
    for k in range(reached):
        i = queue[k]
        if k > 0:
            holder[buyer[i, PARTNER]] = i << 2 | SPENT
            if k != last:
                s.shelf[steps[k] + bound[i]] = -1
        bound[i] = max(bound[i], length - steps[k])
        s.arc[i] = 0


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
        The place in the queue of the last buyer of the path, and the free seller; or -1 and -1.
    """
    if not s.credit[READY]:
        s.bound[:] = 1
        s.arc[:] = 0
        s.shelf[:] = -1
        s.credit[READY] = 1
    last, free = _descend(root, s)
    if free < 0:
        if s.credit[CREDIT] <= 0:
            _measure(joined, s)
        last, free = _search_guided(root, s)
    return last, free
