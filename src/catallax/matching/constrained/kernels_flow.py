"""Array-only kernels on residual networks whose costs are pairs of whole numbers.

The first number of a cost is money in ticks, the second decides ties; pairs are compared as
words are in a dictionary. A network comes as compressed rows of residual arcs: those that leave
node `x` are `start[x]:start[x + 1]`, with `head`, `money` and `favour` each.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from catallax.compiled import compiled

__all__ = ["FAR", "distances", "potentials"]

FAR = np.int64(2**62)
"""Distance of a node that cannot be reached."""


@compiled
def potentials(start, head, cost, usable):
    """Find node potentials under which no usable residual arc has a negative reduced cost.

    Labels are corrected in the order of a queue (Bellman, Ford, Moore), from all nodes at 0.
    """
    n = start.size - 1
    level = np.zeros(n, np.int64)
    queue = np.empty(n, np.int64)
    waiting = np.ones(n, np.bool_)
    for x in range(n):
        queue[x] = x
    first, count = 0, n
    while count > 0:
        x = queue[first]
        first = first + 1 if first + 1 < n else 0
        count -= 1
        waiting[x] = False
        for k in range(start[x], start[x + 1]):
            if usable[k] and level[x] + cost[k] < level[head[k]]:
                y = head[k]
                level[y] = level[x] + cost[k]
                if not waiting[y]:
                    waiting[y] = True
                    last = first + count
                    queue[last if last < n else last - n] = y
                    count += 1
    return level


@compiled
def distances(root, start, head, money, favour, barred, wanted, from_node):
    """Find the shortest distances from a node, in true costs given as reduced ones plus potentials.

    Parameters
    ----------
    root
        Where to start.
    start, head, money, favour
        Residual arcs with reduced costs; each pair of costs is at least (0, 0).
    barred
        Nodes that must not be entered; shape (n,).
    wanted
        How many nodes marked in `from_node == -2` to settle before stopping; -1 for all.
    from_node
        Filled with the arc by which each node was reached (-1: not reached); shape (n,).

    Returns
    -------
    money, favour
        Distances, `FAR` where there is no way.
    """
    n = start.size - 1
    far_money = np.full(n, FAR)
    far_favour = np.zeros(n, np.int64)
    target = from_node == -2
    settled = np.zeros(n, np.bool_)
    from_node[:] = -1
    far_money[root] = 0
    heap = [(np.int64(0), np.int64(0), np.int64(root))]
    while len(heap) > 0:
        a, b, x = heappop(heap)
        if settled[x]:
            continue
        settled[x] = True
        if target[x]:
            wanted -= 1
            if wanted == 0:
                break
        for k in range(start[x], start[x + 1]):
            y = head[k]
            if settled[y] or barred[y]:
                continue
            c = a + money[k]
            d = b + favour[k]
            if c >= FAR // 2:  # farther than any amount; sums beyond it could overflow
                continue
            if c < far_money[y] or (c == far_money[y] and d < far_favour[y]):
                far_money[y] = c
                far_favour[y] = d
                from_node[y] = k
                heappush(heap, (c, d, np.int64(y)))
    for x in range(n):
        if not settled[x]:
            far_money[x] = FAR
    return far_money, far_favour
