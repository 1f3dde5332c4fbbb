"""Array-only kernels that pair the traders, in market order and by nothing else."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_far import search_far
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import (
    NEAR,
    PARTNER,
    assign,
    free_seller,
    new_search,
    room_for_search,
    search_near,
)

__all__ = ["edges_of", "force_pairs", "pairing", "rows_of_traders", "search_for_the_rest"]

# Columns of what is known of a trader: where her row begins, how many in it have no partner yet,
# and the exclusive or of their numbers, which is who is left when there is just one.
BEGIN, LEFT, WHO = 0, 1, 2

PAIRED = -(2**30)  # stands for LEFT of whoever has a partner

HERE = 4096  # edges that a search sees before all that come are guided


@compiled
def edges_of(start, buyers):
    """Count the edges of these buyers."""
    size = 0
    for buyer in buyers:
        size += start[buyer + 1] - start[buyer]
    return size


@compiled
def rows_of_traders(start, neighbours, buyers, sellers, number, count, trader, around):
    """Lay out the edges between the n traders of each side, buyers numbered from 0, sellers from n.

    Parameters
    ----------
    start, neighbours, buyers, sellers
        As in `pairing`.
    number, count
        To work with, one for each seller of the market, and one for each who trades.
    trader
        Becomes of each trader BEGIN, LEFT and WHO; one line more than there are traders, which
        has where the last row ends.
    around
        Becomes the rows, and should hold twice the edges of these buyers.

    Returns
    -------
    int
        The number of edges between traders.
    """
    n = buyers.size
    number[:] = -1
    for y in range(n):
        number[sellers[y]] = y
        count[y] = 0
    filled = 0
    for x in range(n):
        begin = filled
        for k in range(start[buyers[x]], start[buyers[x] + 1]):
            y = number[neighbours[k]]
            around[filled] = n + y
            filled += y >= 0
        who = 0
        for k in range(begin, filled):
            who ^= around[k]
            count[around[k] - n] += 1
        trader[x, BEGIN] = begin
        trader[x, LEFT] = filled - begin
        trader[x, WHO] = who
    edges = filled
    for y in range(n):
        trader[n + y, BEGIN] = filled
        trader[n + y, LEFT] = count[y]
        filled += count[y]
        count[y] = filled
    trader[2 * n, BEGIN] = filled
    # The rows of the sellers are filled from their ends, the last buyer first.
    for x in range(n - 1, -1, -1):
        for k in range(trader[x, BEGIN], trader[x, BEGIN] + trader[x, LEFT]):
            y = around[k] - n
            count[y] -= 1
            around[count[y]] = x
    for y in range(n, 2 * n):
        who = 0
        for k in range(trader[y, BEGIN], trader[y + 1, BEGIN]):
            who ^= around[k]
        trader[y, WHO] = who
    return edges


@compiled
def _fewest_left(x, trader, around):
    """Return the seller next to a buyer who has the fewest others left."""
    chosen, fewest = -1, 2**31 - 1
    for k in range(trader[x, BEGIN], trader[x + 1, BEGIN]):
        left = trader[around[k], LEFT]
        if 0 < left < fewest:
            chosen, fewest = around[k], left
    return chosen


@compiled
def _take_out(x, trader, around, queue, end):
    """Tell those around a trader that she is taken, and queue who has one left."""
    for k in range(trader[x, BEGIN], trader[x + 1, BEGIN]):
        z = around[k]
        left = trader[z, LEFT] - 1
        trader[z, LEFT] = left
        trader[z, WHO] ^= x
        queue[end] = z
        end += left == 1
    return end


@compiled
def force_pairs(trader, around, mate, queue):
    """Pair off whoever has one possible partner left, and otherwise the first buyer listed.

    This is the rule of Karp and Sipser: taking a forced pair never spoils a largest matching,
    so nearly all traders are paired here and few are left to search for. Forced pairs are taken
    in the order in which they become forced; a buyer who has a choice takes the seller with the
    fewest others left. Returns how many buyers have nobody. `mate` becomes the partner of each
    trader, -1 of those who are left; `queue` has room for one trader more than there are.
    """
    # Called functions cost a fifth more here.
    n = mate.size // 2
    unpaired = n
    mate[:] = -1
    head, end = 0, 0
    for x in range(2 * n):
        queue[end] = x
        end += trader[x, LEFT] == 1
    for first in range(-1, n):
        if first >= 0:
            # Ask for what the next choices will read.
            if first + 8 < n and trader[first + 8, LEFT] > 0:
                for k in range(trader[first + 8, BEGIN], trader[first + 9, BEGIN]):
                    prefetch(trader, around[k])
            if first + 4 < n and trader[first + 4, LEFT] > 0:
                for k in range(trader[first + 4, BEGIN], trader[first + 5, BEGIN]):
                    if trader[around[k], LEFT] > 0:
                        prefetch(around, trader[around[k], BEGIN])
            if trader[first, LEFT] <= 0:
                continue
            y = _fewest_left(first, trader, around)
            mate[first], mate[y] = y, first
            trader[first, LEFT], trader[y, LEFT] = PAIRED, PAIRED
            unpaired -= 1
            end = _take_out(first, trader, around, queue, end)
            end = _take_out(y, trader, around, queue, end)
        while head < end:
            # And what the next forced pairs will.
            if head + 12 < end:
                prefetch(trader, queue[head + 12])
            if head + 8 < end:
                prefetch(trader, trader[queue[head + 8], WHO])
            if head + 4 < end:
                prefetch(around, trader[trader[queue[head + 4], WHO], BEGIN])
            if head + 2 < end:
                y = trader[queue[head + 2], WHO]
                for k in range(trader[y, BEGIN], trader[y + 1, BEGIN]):
                    prefetch(trader, around[k])
            x = queue[head]
            head += 1
            if trader[x, LEFT] != 1:  # the last one is taken by now
                continue
            y = trader[x, WHO]
            mate[x], mate[y] = y, x
            trader[x, LEFT], trader[y, LEFT] = PAIRED, PAIRED
            unpaired -= 1
            # Around x nobody else is left to be told.
            end = _take_out(y, trader, around, queue, end)
    return unpaired


@compiled
def _look_ahead_to_searches(k, left, trader, around, mate):
    """Ask for what the searches from the next buyers without a partner will read."""
    prefetch(trader, left[k + 6])
    prefetch(around, trader[left[k + 4], BEGIN])
    x = left[k + 2]
    for at in range(trader[x, BEGIN], trader[x + 1, BEGIN]):
        prefetch(mate, around[at])
    x = left[k + 1]
    for at in range(trader[x, BEGIN], trader[x + 1, BEGIN]):
        prefetch(trader, mate[around[at]])


@compiled
def _search_here(x, here, trader, around, mate, seen, parent, queue):
    """Search breadth-first from a buyer without a partner, and pair her if the end is near.

    `seen` has the buyer from whose search each was last reached. Returns whether she is paired.
    """
    queue[0] = x
    reached = 1
    head = 0
    edges = 0
    while head < reached:
        i = queue[head]
        head += 1
        edges += trader[i + 1, BEGIN] - trader[i, BEGIN]
        if edges > here:
            break
        if head < reached:
            prefetch(around, trader[queue[head], BEGIN])
        for k in range(trader[i, BEGIN], trader[i + 1, BEGIN]):
            other = mate[around[k]]
            if other < 0:  # free: shift the partners along the path
                y = around[k]
                while True:
                    before = mate[i]
                    mate[i], mate[y] = y, i
                    if i == x:
                        return True
                    i, y = parent[i], before
            if seen[other] != x and other != x:
                seen[other] = x
                parent[other] = i
                prefetch(trader, other)
                queue[reached] = other
                reached += 1
    return False


@compiled
def search_for_the_rest(trader, around, mate, space, here=HERE):
    """Find partners for the buyers without one, by shortest paths, in market order.

    Nearly all ends are near, and found in the rows as they are. From the first buyer on whose
    search has seen more than `here` edges, they are guided, which first takes a pass over all
    rows. `space` has room for a search and twice the edges of one side; see `room_for_search`.
    """
    n = mate.size // 2
    left, rest = space[: n + 6], space[n + 6 :]
    seen, parent, queue = rest[:n], rest[n : 2 * n], rest[2 * n : 3 * n]
    seen[:] = -1
    count = 0
    for x in range(n):
        left[count] = x
        count += mate[x] < 0
    left[count : count + 6] = 0
    for k in range(count):
        _look_ahead_to_searches(k, left, trader, around, mate)
        if not _search_here(left[k], here, trader, around, mate, seen, parent, queue):
            _search_guided(left[k], trader, around, mate, space)
            return


@compiled
def _search_guided(first, trader, around, mate, space):
    """Find partners for the buyers without one from the first on, who needs a guided search."""
    n = mate.size // 2
    half = around.size // 2
    begin = trader[:, BEGIN].copy()
    rows = space[:half]
    for k in range(half):
        rows[k] = around[k] - n
    s = new_search(begin[: n + 1], rows, begin[n:] - np.int32(half), around[half:], space[half:])
    buyer, holder = s.buyer, s.holder
    s.credit[0] = 0  # few sellers are free, and far away: measure at once
    for x in range(n):
        if mate[x] >= 0:
            buyer[x, PARTNER] = mate[x] - n
            holder[mate[x] - n] = x << 2
    for x in range(first, n):
        if mate[x] < 0:
            last, free = x, free_seller(x, buyer, rows, holder)
            if free < 0:
                last, free, _ = search_near(x, NEAR, buyer, rows, holder, s.queue)
                if free < 0:  # everybody can be paired: the search was not at its end
                    last, free = search_far(x, n, s)
            assign(x, last, free, buyer, holder)
    for x in range(n):
        mate[x] = buyer[x, PARTNER] + n


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
    number, mate = np.empty(n_sellers, np.int32), np.empty(2 * n, np.int32)
    trader = np.empty((2 * n + 1, 3), np.int32)
    around = np.empty(2 * edges_of(start, buyers), np.int32)
    edges = rows_of_traders(start, neighbours, buyers, sellers, number, mate[:n], trader, around)
    if force_pairs(trader, around, mate, np.empty(2 * n + 1, np.int32)) > 0:
        space = np.empty(edges + room_for_search(n, n), np.int32)
        search_for_the_rest(trader, around[: 2 * edges], mate, space)
    return sellers[mate[:n] - n]
