"""Array-only kernels of the matching sweep.

Nothing here knows weights. Agents are compared by *rank*: their place in one strict order of
all buyers and sellers, heaviest first (see `catallax.matching.order`). Ranks are integers, so
every comparison is exact and every tie has been decided before a kernel starts.

A graph comes as compressed rows: the neighbours of agent `x` are
`neighbours[start[x]:start[x + 1]]`.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["sweep", "turned_rows", "useful_rows"]

FREE, MATCHED, GONE = 0, 1, 2


@compiled
def useful_rows(start, neighbours, buyer_rank, seller_rank):
    """Copy the rows of the buyers, keeping only edges on which a trade would not lose."""
    n = start.size - 1
    useful_start = np.empty(n + 1, np.int64)
    useful = np.empty(neighbours.size, np.int32)
    filled = 0
    for i in range(n):
        useful_start[i] = filled
        rank = buyer_rank[i]
        for k in range(start[i], start[i + 1]):
            j = neighbours[k]
            if rank < seller_rank[j]:
                useful[filled] = j
                filled += 1
    useful_start[n] = filled
    return useful_start, useful[:filled].copy()


@compiled
def turned_rows(start, neighbours, n_columns):
    """Turn the rows of one side into those of the other, neighbours ascending."""
    turned_start = np.zeros(n_columns + 1, np.int64)
    for j in neighbours:
        turned_start[j + 1] += 1
    for j in range(n_columns):
        turned_start[j + 1] += turned_start[j]
    filled = turned_start[:-1].copy()
    turned = np.empty(neighbours.size, np.int32)
    for i in range(start.size - 1):
        for k in range(start[i], start[i + 1]):
            j = neighbours[k]
            turned[filled[j]] = i
            filled[j] += 1
    return turned_start, turned


@compiled
def _free_neighbour(i, pointer, end, useful, state):
    """Return a free seller next to buyer i, or -1; the pointer only ever moves forward."""
    k = pointer[i]
    stop = end[i]
    while k < stop:
        j = useful[k]
        if state[j] == FREE:
            pointer[i] = k
            return j
        k += 1
    pointer[i] = k
    return -1


@compiled
def _search(root, stamp, seen, reached_from, queue, rows, state, partner_of_seller):
    """Search breadth-first from a buyer for a free seller.

    Returns the buyer at whose row a free seller was found, that seller (or -1), and the number
    of sellers reached, which then stand at the front of `queue`.
    """
    start, end, pointer, useful = rows
    j = _free_neighbour(root, pointer, end, useful, state)
    if j >= 0:
        return root, j, 0
    reached = 0
    head = 0
    i = root
    while True:
        # A row is read whole only once it holds no free seller, and then what has gone for
        # good is squeezed out of it, so dead edges are not read a second time.
        kept = start[i]
        for k in range(start[i], end[i]):
            j = useful[k]
            if state[j] != MATCHED:
                continue
            useful[kept] = j
            kept += 1
            if seen[j] != stamp:
                seen[j] = stamp
                reached_from[j] = i
                queue[reached] = j
                reached += 1
                other = partner_of_seller[j]
                free = _free_neighbour(other, pointer, end, useful, state)
                if free >= 0:
                    # The rest of this row must survive the squeeze.
                    for rest in range(k + 1, end[i]):
                        useful[kept] = useful[rest]
                        kept += 1
                    end[i] = kept
                    pointer[i] = kept
                    return other, free, reached
        end[i] = kept
        pointer[i] = kept
        if head == reached:
            return -1, -1, reached
        i = partner_of_seller[queue[head]]
        head += 1


@compiled
def _augment(root, last, free, reached_from, partner_of_buyer, partner_of_seller):
    """Shift the partners along the path that ends in a free seller."""
    i = last
    j = free
    while True:
        previous = partner_of_buyer[i]
        partner_of_buyer[i] = j
        partner_of_seller[j] = i
        if i == root:
            return
        j = previous
        i = reached_from[j]


@compiled
def sweep(start, neighbours, n_sellers, agent_at):
    """Match buyers and sellers so that the total weight is largest.

    Walks down the ranks. A buyer looks for a free seller that has not been passed yet; a
    matched seller that is passed is kept only if her buyer finds no other. What a failing
    search has reached can never be improved again and is closed, so failing searches cost
    one pass over the graph in all.

    Parameters
    ----------
    start, neighbours
        Useful rows of the buyers, as `useful_rows` gives them.
    n_sellers
        Number of sellers.
    agent_at
        Agent at each rank: buyer i as i, seller j as -1 - j.

    Returns
    -------
    partner_of_buyer, partner_of_seller
        Who trades; -1 where nobody. The partners are one possible pairing.
    """
    n_buyers = start.size - 1
    end = start[1:].copy()
    pointer = start[:-1].copy()
    rows = (start, end, pointer, neighbours.copy())
    partner_of_buyer = np.full(n_buyers, -1, np.int32)
    partner_of_seller = np.full(n_sellers, -1, np.int32)
    state = np.zeros(n_sellers, np.int8)
    seen = np.full(n_sellers, -1, np.int32)
    reached_from = np.empty(n_sellers, np.int32)
    queue = np.empty(n_sellers, np.int32)
    for rank in range(agent_at.size):
        agent = agent_at[rank]
        if agent >= 0:
            root = agent
        else:
            passed = -1 - agent
            if state[passed] != MATCHED:
                state[passed] = GONE
                continue
            state[passed] = GONE
            root = partner_of_seller[passed]
        last, free, reached = _search(
            root, rank, seen, reached_from, queue, rows, state, partner_of_seller
        )
        if free >= 0:
            if agent < 0:
                partner_of_seller[passed] = -1
            state[free] = MATCHED
            _augment(root, last, free, reached_from, partner_of_buyer, partner_of_seller)
        else:
            for k in range(reached):
                state[queue[k]] = GONE
    return partner_of_buyer, partner_of_seller
