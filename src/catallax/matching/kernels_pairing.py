"""Array-only kernels that pair the traders, in market order and by nothing else."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.kernels import turned_rows

__all__ = ["pairing"]


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
