"""Array-only kernels that keep the sides of a complete graph sorted while weights change."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from catallax.compiled import compiled
from catallax.matching.updates.kernels_compare import heavier

__all__ = ["change_order"]


@compiled
def _position(a, order, size, weight, n_buyers):
    """Find where an agent stands, or would stand, among the first `size` of a sorted side."""
    low, high = 0, size
    while low < high:
        middle = (low + high) >> 1
        v = order[middle]
        # Buyers stand heaviest first, sellers lightest first.
        if v != a and heavier(v, a, weight, n_buyers) == (a < n_buyers):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def change_order(agents, weights, weight, buyers, sellers, count):
    """Give agents of a complete graph new weights, one after another, and sort them in.

    Parameters
    ----------
    agents, weights
        Who weighs what from now on.
    weight, buyers, sellers
        Weights, and either side sorted: buyers heaviest first, sellers lightest first. They
        change in place.
    count
        The number of trades before.

    Returns
    -------
    tuple
        The number of trades now, and whether anybody else trades than before.
    """
    n_buyers = buyers.size
    most = min(n_buyers, sellers.size)
    changed = False
    for step in range(agents.size):
        a = agents[step]
        order = buyers if a < n_buyers else sellers
        old = _position(a, order, order.size, weight, n_buyers)
        for p in range(old, order.size - 1):
            order[p] = order[p + 1]
        weight[a] = weights[step]
        new = _position(a, order, order.size - 1, weight, n_buyers)
        for p in range(order.size - 1, new, -1):
            order[p] = order[p - 1]
        order[new] = a
        before = count
        while count < most and heavier(buyers[count], sellers[count], weight, n_buyers):
            count += 1
        while count > 0 and not heavier(buyers[count - 1], sellers[count - 1], weight, n_buyers):
            count -= 1
        changed |= count != before or (old < count) != (new < count)
    return count, changed
