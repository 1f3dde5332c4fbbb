"""Array-only kernels that pair the traders, in market order and by nothing else."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_far import search_far
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import (
    CREDIT,
    NEAR,
    PARTNER,
    assign,
    assign_along,
    free_seller,
    new_search,
    room_for_search,
    search_near,
)
from catallax.matching.plain.kernels_sets import contains, new_set, number_in

__all__ = [
    "edges_of",
    "force_pairs",
    "pairing",
    "room_for_the_rest",
    "rows_of_traders",
    "search_for_the_rest",
]

# The state of a trader is one number. Its upper half says how many in her row have no partner yet,
# its lower half is the exclusive or of their numbers: who is left when there is just one.
ONE_LEFT = 2**32
WHO = 2**31 - 1
PAIRED = -(2**62)  # the state of whoever has a partner

TOGETHER = 64  # buyers who choose before what they force is looked at
HERE = 4096  # edges that a search sees before all that come are guided


@compiled
def edges_of(start, buyers):
    """Count the edges of these buyers."""
    size = 0
    for buyer in buyers:
        size += start[buyer + 1] - start[buyer]
    return size


@compiled
def rows_of_traders(start, neighbours, buyers, sellers, n_sellers, count, begin, state, around):
    """Lay out the edges between the n traders of each side, buyers numbered from 0, sellers from n.

    Parameters
    ----------
    start, neighbours, buyers, sellers, n_sellers
        As in `pairing`.
    count
        To work with, one for each seller who trades.
    begin
        Becomes where the row of each trader begins, and where the last one ends.
    state
        Becomes the state of each trader.
    around
        Becomes the rows, and should hold twice the edges of these buyers.

    Returns
    -------
    int
        The number of edges between traders.
    """
    n = buyers.size
    bits, before = new_set(sellers, n_sellers)
    count[:] = 0
    filled = 0
    for x in range(n):
        first = filled
        for k in range(start[buyers[x]], start[buyers[x] + 1]):
            around[filled] = neighbours[k]
            filled += contains(np.uint64(neighbours[k]), bits)
        who = 0
        for k in range(first, filled):
            y = number_in(np.uint64(around[k]), bits, before)
            around[k] = n + y
            who ^= n + y
            count[y] += 1
        begin[x] = first
        state[x] = np.int64(filled - first) << 32 | who
    edges = filled
    for y in range(n):
        begin[n + y] = filled
        state[n + y] = np.int64(count[y]) << 32
        filled += count[y]
        count[y] = filled
    begin[2 * n] = filled
    # The rows of the sellers are filled from their ends, the last buyer first.
    for x in range(n - 1, -1, -1):
        for k in range(begin[x], begin[x + 1]):
            y = around[k] - n
            count[y] -= 1
            around[count[y]] = x
    for y in range(n, 2 * n):
        who = 0
        for k in range(begin[y], begin[y + 1]):
            who ^= around[k]
        state[y] |= who
    return edges


@compiled
def _fewest_left(x, begin, state, around):
    """Return the seller next to a buyer who has the fewest others left."""
    chosen, fewest = -1, np.int64(2**31 - 1)
    for k in range(begin[x], begin[x + 1]):
        left = state[around[k]] >> 32
        if 0 < left < fewest:
            chosen, fewest = around[k], left
    return chosen


@compiled
def _take_out(x, begin, state, around, queue, end):
    """Tell those around a trader that she is taken, and queue who has one left."""
    for k in range(begin[x], begin[x + 1]):
        z = around[k]
        now = (state[z] - ONE_LEFT) ^ x
        state[z] = now
        queue[end] = z
        end += (now >> 32) == 1
    return end


@compiled
def force_pairs(begin, state, around, mate, queue, parts):
    """Pair off whoever has one possible partner left, and otherwise the first buyers listed.

    This is the rule of Karp and Sipser: taking a forced pair never spoils a largest matching,
    so nearly all traders are paired here and few are left to search for. Forced pairs are taken
    in the order in which they become forced; a buyer who has a choice takes the seller with the
    fewest others left. Some choose one after the other before what they force is looked at: one
    alone forces too little for anything to be asked for ahead.

    Parameters
    ----------
    begin, state, around
        As `rows_of_traders` leaves them.
    mate
        Becomes the partner of each trader, -1 of those who are left.
    queue
        To work with, one for each trader and one more.
    parts
        Where the traders of each market begin on either side, and where the last ones end.

    Returns
    -------
    int
        How many buyers have nobody.
    """
    # Called functions cost a fifth more here.
    n = mate.size // 2
    unpaired = n
    mate[:] = -1
    for part in range(parts.size - 1):
        stop = parts[part + 1]
        head, end = 0, 0
        for side in (0, n):
            for x in range(side + parts[part], side + stop):
                queue[end] = x
                end += (state[x] >> 32) == 1
        first = parts[part]
        chosen = TOGETHER  # to begin with nobody chooses
        while True:
            while first < stop and chosen < TOGETHER:
                # Ask for what the next choices will read.
                if first + 8 < n and state[first + 8] >= ONE_LEFT:
                    for k in range(begin[first + 8], begin[first + 9]):
                        prefetch(state, around[k])
                if first + 4 < n and state[first + 4] >= ONE_LEFT:
                    for k in range(begin[first + 4], begin[first + 5]):
                        if state[around[k]] >= ONE_LEFT:
                            prefetch(around, begin[around[k]])
                if state[first] < ONE_LEFT:
                    first += 1
                    continue
                chosen += 1
                y = _fewest_left(first, begin, state, around)
                mate[first], mate[y] = y, first
                state[first], state[y] = PAIRED, PAIRED
                unpaired -= 1
                end = _take_out(first, begin, state, around, queue, end)
                end = _take_out(y, begin, state, around, queue, end)
                first += 1
            while head < end:
                # And what the next forced pairs will.
                if head + 16 < end:
                    prefetch(state, queue[head + 16])
                if head + 12 < end:
                    prefetch(begin, state[queue[head + 12]] & WHO)
                    prefetch(state, state[queue[head + 12]] & WHO)
                if head + 8 < end:
                    prefetch(around, begin[state[queue[head + 8]] & WHO])
                if head + 4 < end:
                    y = state[queue[head + 4]] & WHO
                    for k in range(begin[y], begin[y + 1]):
                        prefetch(state, around[k])
                x = queue[head]
                head += 1
                if (state[x] >> 32) != 1:  # the last one is taken by now
                    continue
                y = state[x] & WHO
                mate[x], mate[y] = y, x
                state[x], state[y] = PAIRED, PAIRED
                unpaired -= 1
                # Around x nobody else is left to be told.
                end = _take_out(y, begin, state, around, queue, end)
            if first == stop:
                break
            chosen = 0
    return unpaired


@compiled
def _look_ahead_to_searches(k, left, begin, around, mate):
    """Ask for what the searches from the next buyers without a partner will read."""
    prefetch(begin, left[k + 6])
    prefetch(around, begin[left[k + 4]])
    x = left[k + 2]
    for at in range(begin[x], begin[x + 1]):
        prefetch(mate, around[at])
    x = left[k + 1]
    for at in range(begin[x], begin[x + 1]):
        prefetch(begin, mate[around[at]])


@compiled
def _search_here(x, here, begin, around, mate, seen, parent, queue):
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
        edges += begin[i + 1] - begin[i]
        if edges > here:
            break
        if head < reached:
            prefetch(around, begin[queue[head]])
        for k in range(begin[i], begin[i + 1]):
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
                prefetch(begin, other)
                queue[reached] = other
                reached += 1
    return False


@compiled
def room_for_the_rest(edges, n):
    """Tell how many numbers `search_for_the_rest` needs to work with."""
    return 2 * n + 6 + edges + room_for_search(n, n)


@compiled
def search_for_the_rest(begin, around, mate, space, parts, here=HERE):
    """Find partners for the buyers without one, by shortest paths, in market order.

    Nearly all ends are near, and found in the rows as they are. From the first buyer of a market
    on whose search has seen more than `here` edges, those of that market are guided, which first
    takes a pass over its rows. For `space` see `room_for_the_rest`.
    """
    n = mate.size // 2
    left, rest = space[: n + 6], space[n + 6 :]
    seen, parent, queue = rest[:n], rest[n : 2 * n], rest[2 * n : 3 * n]
    seen[:] = -1
    for part in range(parts.size - 1):
        count = 0
        for x in range(parts[part], parts[part + 1]):
            left[count] = x
            count += mate[x] < 0
        left[count : count + 6] = 0
        for k in range(count):
            _look_ahead_to_searches(k, left, begin, around, mate)
            if not _search_here(left[k], here, begin, around, mate, seen, parent, queue):
                market = parts[part], parts[part + 1]
                _search_guided(left[k], *market, begin, around, mate, rest[n:])
                break


@compiled
def _search_guided(x, first, stop, begin, around, mate, space):
    """Find partners for the buyers without one from x on, by guided searches in one market.

    Its buyers are those from `first` up to `stop`, and so are its sellers.
    """
    n = mate.size // 2
    own, other = begin[first : stop + 1], begin[n + first : n + stop + 1]
    rows, columns = space[: own[-1] - own[0]], around[other[0] : other[-1]]
    for k in range(rows.size):
        rows[k] = around[own[0] + k] - n - first
    if first > 0:
        columns -= first  # nobody reads these rows any more
    s = new_search(own - own[0], rows, other - other[0], columns, space[rows.size :])
    buyer, holder = s.buyer, s.holder
    s.credit[CREDIT] = 0  # few sellers are free, and far away: measure at once
    for i in range(stop - first):
        if mate[first + i] >= 0:
            buyer[i, PARTNER] = mate[first + i] - n - first
            holder[buyer[i, PARTNER]] = i << 2
    for i in range(x - first, stop - first):
        if mate[first + i] < 0:
            free = free_seller(i, buyer, rows, holder)
            if free >= 0:
                assign(i, free, buyer, holder)
                continue
            last, free, _ = search_near(i, NEAR, buyer, rows, holder, s.queue, s.came)
            if free < 0:  # everybody can be paired: the search was not at its end
                last, free = search_far(i, stop - first, s)
            assign_along(last, free, buyer, holder, s.queue, s.came)
    for i in range(stop - first):
        mate[first + i] = buyer[i, PARTNER] + n + first


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
    mate = np.empty(2 * n, np.int32)
    begin, state = np.empty(2 * n + 1, np.int32), np.empty(2 * n, np.int64)
    around = np.empty(2 * edges_of(start, buyers), np.int32)
    edges = rows_of_traders(
        start, neighbours, buyers, sellers, n_sellers, mate[:n], begin, state, around
    )
    parts = np.array([0, n])
    if force_pairs(begin, state, around, mate, np.empty(2 * n + 1, np.int32), parts) > 0:
        space = np.empty(room_for_the_rest(edges, n), np.int32)
        search_for_the_rest(begin, around, mate, space, parts)
    return sellers[mate[:n] - n]
