"""Array-only kernels: the matching sweep, every agent's threshold, the pairing.

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

__all__ = [
    "buyer_elsewhere",
    "buyer_entry",
    "buyer_thresholds",
    "pairing",
    "seller_elsewhere",
    "seller_entry",
    "seller_thresholds",
    "sweep",
    "turned_rows",
    "two_buyer_thresholds",
    "two_seller_thresholds",
    "useful_rows",
]

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


@compiled
def buyer_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading buyer the rank of the agent that sets her threshold.

    Without buyer i her seller could serve an unmatched buyer, or be spared, directly or after
    a chain of buyers has moved up one place; the heaviest of these is what i must beat. The
    candidates are walked heaviest first, each labelling all pairs that lead to it.
    """
    label = np.full(partner_of_buyer.size, -1, np.int32)
    stack = np.empty(partner_of_buyer.size, np.int32)
    for rank in range(agent_at.size):
        agent = agent_at[rank]
        if agent >= 0:
            if partner_of_buyer[agent] >= 0:
                continue
            i = agent
        else:
            i = partner_of_seller[-1 - agent]
            if i < 0 or label[i] >= 0:
                continue
            label[i] = rank
        depth = 0
        while True:
            for k in range(start[i], start[i + 1]):
                other = partner_of_seller[neighbours[k]]
                if other >= 0 and label[other] < 0:
                    label[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            i = stack[depth]
    return label


@compiled
def seller_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading seller the rank of the agent that sets her threshold.

    The mirror of `buyer_thresholds`, on the rows of the sellers: the lightest of the free
    sellers that could step in and of the buyers that could be let go.
    """
    label = np.full(partner_of_seller.size, -1, np.int32)
    stack = np.empty(partner_of_seller.size, np.int32)
    for rank in range(agent_at.size - 1, -1, -1):
        agent = agent_at[rank]
        if agent < 0:
            j = -1 - agent
            if partner_of_seller[j] >= 0:
                continue
        else:
            j = partner_of_buyer[agent]
            if j < 0 or label[j] >= 0:
                continue
            label[j] = rank
        depth = 0
        while True:
            for k in range(start[j], start[j + 1]):
                other = partner_of_buyer[neighbours[k]]
                if other >= 0 and label[other] < 0:
                    label[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            j = stack[depth]
    return label


@compiled
def two_buyer_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading buyer the two heaviest candidates for her threshold.

    As `buyer_thresholds`, but every pair takes labels from up to two distinct sources, so
    that one of them is left when the other is not to count.
    """
    first = np.full(partner_of_buyer.size, -1, np.int32)
    second = np.full(partner_of_buyer.size, -1, np.int32)
    stack = np.empty(partner_of_buyer.size, np.int32)
    for rank in range(agent_at.size):
        agent = agent_at[rank]
        depth = 0
        if agent >= 0:
            i = agent
            if partner_of_buyer[i] >= 0:
                continue
        else:
            i = partner_of_seller[-1 - agent]
            if i < 0 or second[i] >= 0:
                continue
            if first[i] < 0:
                first[i] = rank
            else:
                second[i] = rank
        while True:
            for k in range(start[i], start[i + 1]):
                other = partner_of_seller[neighbours[k]]
                if other >= 0 and first[other] != rank and second[other] < 0:
                    if first[other] < 0:
                        first[other] = rank
                    else:
                        second[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            i = stack[depth]
    return first, second


@compiled
def two_seller_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading seller the two lightest candidates for her threshold."""
    first = np.full(partner_of_seller.size, -1, np.int32)
    second = np.full(partner_of_seller.size, -1, np.int32)
    stack = np.empty(partner_of_seller.size, np.int32)
    for rank in range(agent_at.size - 1, -1, -1):
        agent = agent_at[rank]
        depth = 0
        if agent < 0:
            j = -1 - agent
            if partner_of_seller[j] >= 0:
                continue
        else:
            j = partner_of_buyer[agent]
            if j < 0 or second[j] >= 0:
                continue
            if first[j] < 0:
                first[j] = rank
            else:
                second[j] = rank
        while True:
            for k in range(start[j], start[j + 1]):
                other = partner_of_buyer[neighbours[k]]
                if other >= 0 and first[other] != rank and second[other] < 0:
                    if first[other] < 0:
                        first[other] = rank
                    else:
                        second[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            j = stack[depth]
    return first, second


@compiled
def buyer_elsewhere(
    start, neighbours, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller, first, second
):
    """Find for every trading buyer the rank of the cheapest way to serve her by another seller.

    Over all her edges, also those on which she would lose now: the lightest of the free
    sellers and of the other trading sellers' thresholds that she does not set herself.
    """
    best = np.full(partner_of_buyer.size, -1, np.int32)
    for i in range(partner_of_buyer.size):
        if partner_of_buyer[i] >= 0:
            for k in range(start[i], start[i + 1]):
                j = neighbours[k]
                if j == partner_of_buyer[i]:
                    continue
                rank = seller_rank[j]
                if partner_of_seller[j] >= 0:
                    rank = first[j] if first[j] != buyer_rank[i] else second[j]
                best[i] = max(best[i], rank)
    return best


@compiled
def seller_elsewhere(
    start, neighbours, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller, first, second
):
    """Find for every trading seller the rank of the best way to sell to another buyer."""
    best = np.full(partner_of_seller.size, -1, np.int32)
    for j in range(partner_of_seller.size):
        if partner_of_seller[j] >= 0:
            for k in range(start[j], start[j + 1]):
                i = neighbours[k]
                if i == partner_of_seller[j]:
                    continue
                rank = buyer_rank[i]
                if partner_of_buyer[i] >= 0:
                    rank = first[i] if first[i] != seller_rank[j] else second[i]
                if rank >= 0 and (best[j] < 0 or rank < best[j]):
                    best[j] = rank
    return best


@compiled
def buyer_entry(start, neighbours, seller_rank, partner_of_buyer, partner_of_seller, seller_label):
    """Find for every buyer left out the rank of the agent she would have to beat.

    That is the lightest of the free sellers she knows and of the thresholds of the trading
    ones: through those she would push out whoever sets them. -1 where she knows no seller,
    or trades.
    """
    entry = np.full(partner_of_buyer.size, -1, np.int32)
    for i in range(partner_of_buyer.size):
        if partner_of_buyer[i] < 0:
            for k in range(start[i], start[i + 1]):
                j = neighbours[k]
                rank = seller_label[j] if partner_of_seller[j] >= 0 else seller_rank[j]
                entry[i] = max(entry[i], rank)
    return entry


@compiled
def seller_entry(start, neighbours, buyer_rank, partner_of_buyer, partner_of_seller, buyer_label):
    """Find for every seller left out the rank of the agent she would have to undercut."""
    entry = np.full(partner_of_seller.size, -1, np.int32)
    for j in range(partner_of_seller.size):
        if partner_of_seller[j] < 0:
            for k in range(start[j], start[j + 1]):
                i = neighbours[k]
                rank = buyer_label[i] if partner_of_buyer[i] >= 0 else buyer_rank[i]
                if entry[j] < 0 or rank < entry[j]:
                    entry[j] = rank
    return entry


@compiled
def _induced_rows(start, neighbours, buyers, seller_place):
    """Copy the rows of some buyers, keeping only some sellers, all numbered by their places."""
    kept_start = np.empty(buyers.size + 1, np.int64)
    filled = 0
    for x in range(buyers.size):
        kept_start[x] = filled
        for k in range(start[buyers[x]], start[buyers[x] + 1]):
            filled += seller_place[neighbours[k]] >= 0
    kept_start[buyers.size] = filled
    kept = np.empty(filled, np.int32)
    filled = 0
    for x in range(buyers.size):
        for k in range(start[buyers[x]], start[buyers[x] + 1]):
            y = seller_place[neighbours[k]]
            if y >= 0:
                kept[filled] = y
                filled += 1
    return kept_start, kept


@compiled
def _forced_pairs(start, sellers_of, seller_start, buyers_of, partner, taken_by):
    """Pair off whoever has one possible partner left, and otherwise the first buyer listed.

    This is the rule of Karp and Sipser: taking a forced pair never spoils a largest matching,
    so nearly all traders are paired here and few are left to search for.
    """
    n = partner.size
    stack = np.empty(2 * n + 1, np.int32)
    degree = np.empty(2 * n, np.int32)
    depth = 0
    for x in range(2 * n - 1, -1, -1):
        rows = start if x < n else seller_start
        degree[x] = rows[x % n + 1] - rows[x % n]
        if degree[x] == 1:
            stack[depth] = x
            depth += 1
    for first in range(-1, n):
        if first >= 0:
            stack[0] = first
            depth = 1
        while depth > 0:
            depth -= 1
            x = stack[depth]
            i, j = -1, -1
            if x < n:
                if partner[x] < 0:
                    fewest = 2**31 - 1
                    for k in range(start[x], start[x + 1]):
                        candidate = sellers_of[k]
                        if taken_by[candidate] < 0 and degree[n + candidate] < fewest:
                            fewest = degree[n + candidate]
                            i, j = x, candidate
            elif taken_by[x - n] < 0:
                for k in range(seller_start[x - n], seller_start[x - n + 1]):
                    if partner[buyers_of[k]] < 0:
                        i, j = buyers_of[k], x - n
                        break
            if j < 0:
                continue
            partner[i] = j
            taken_by[j] = i
            for k in range(start[i], start[i + 1]):
                other = sellers_of[k]
                degree[n + other] -= 1
                if degree[n + other] == 1 and taken_by[other] < 0:
                    stack[depth] = n + other
                    depth += 1
            for k in range(seller_start[j], seller_start[j + 1]):
                other = buyers_of[k]
                degree[other] -= 1
                if degree[other] == 1 and partner[other] < 0:
                    stack[depth] = other
                    depth += 1


@compiled
def _layers(start, sellers_of, partner, taken_by, layer, queue):
    """Find every buyer's distance from an unpaired one; tell if a free seller is near."""
    filled = 0
    for i in range(partner.size):
        layer[i] = -1
        if partner[i] < 0:
            layer[i] = 0
            queue[filled] = i
            filled += 1
    head = 0
    found = False
    while head < filled:
        i = queue[head]
        head += 1
        for k in range(start[i], start[i + 1]):
            other = taken_by[sellers_of[k]]
            if other < 0:
                found = True
            elif layer[other] < 0:
                layer[other] = layer[i] + 1
                queue[filled] = other
                filled += 1
        if found and head < filled and layer[queue[head]] > layer[i]:
            # Free sellers lie beside this layer: deeper ones are not needed in this phase.
            for k in range(head, filled):
                layer[queue[k]] = -1
            break
    return found


@compiled
def _augment_by_layers(start, sellers_of, partner, taken_by, layer, position, path):
    """Find paths through the layers that share no agent, and shift the partners along them."""
    for root in range(partner.size):
        if layer[root] != 0:
            continue
        depth = 0
        path[0] = root
        while depth >= 0:
            i = path[depth]
            advanced = False
            while position[i] < start[i + 1]:
                j = sellers_of[position[i]]
                position[i] += 1
                other = taken_by[j]
                if other < 0:
                    free = j
                    for step in range(depth, -1, -1):
                        previous = partner[path[step]]
                        partner[path[step]] = free
                        taken_by[free] = path[step]
                        layer[path[step]] = -1
                        free = previous
                    depth = -1
                    advanced = True
                    break
                if layer[other] == layer[i] + 1:
                    depth += 1
                    path[depth] = other
                    advanced = True
                    break
            if not advanced:
                layer[i] = -1
                depth -= 1


@compiled
def pairing(start, neighbours, buyers, sellers, n_sellers):
    """Pair the traders, as a function of who trades and of nothing else.

    Forced pairs first, then the phases of Hopcroft and Karp, both in market order, on all edges
    between traders. Reports enter only through the two sets, so nobody who trades can choose
    her partner by her report (arXiv 2604.00129, Lemma 4.4).

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
    place = np.full(n_sellers, -1, np.int32)
    for y in range(sellers.size):
        place[sellers[y]] = y
    start, sellers_of = _induced_rows(start, neighbours, buyers, place)
    seller_start, buyers_of = turned_rows(start, sellers_of, sellers.size)
    partner = np.full(buyers.size, -1, np.int32)
    taken_by = np.full(sellers.size, -1, np.int32)
    _forced_pairs(start, sellers_of, seller_start, buyers_of, partner, taken_by)
    layer = np.empty(partner.size, np.int32)
    queue = np.empty(partner.size, np.int32)
    while _layers(start, sellers_of, partner, taken_by, layer, queue):
        _augment_by_layers(start, sellers_of, partner, taken_by, layer, start[:-1].copy(), queue)
    return sellers[partner]
