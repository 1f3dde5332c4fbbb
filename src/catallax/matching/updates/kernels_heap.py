"""A heap of agents in arrays, the one with the best label on top."""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from catallax.compiled import subkernel
from catallax.matching.updates.kernels_compare import better

__all__ = ["pop", "sift_up"]


@subkernel
def sift_up(heap, place, at, side, label, weight, n_buyers):
    """Move an entry of the heap towards its top, where the best label stands."""
    v = heap[at]
    while at > 0:
        above = (at - 1) >> 1
        u = heap[above]
        if not better(side, label[v], label[u], weight, n_buyers):
            break
        heap[at] = u
        place[u] = at + 1
        at = above
    heap[at] = v
    place[v] = at + 1


@subkernel
def pop(heap, place, size, side, label, weight, n_buyers):
    """Take the agent with the best label off the heap of `size` entries."""
    top = heap[0]
    place[top] = 0
    size -= 1
    if size > 0:
        v = heap[size]
        at = 0
        while True:
            below = 2 * at + 1
            if below >= size:
                break
            if below + 1 < size and better(
                side, label[heap[below + 1]], label[heap[below]], weight, n_buyers
            ):
                below += 1
            if not better(side, label[heap[below]], label[v], weight, n_buyers):
                break
            heap[at] = heap[below]
            place[heap[at]] = at + 1
            at = below
        heap[at] = v
        place[v] = at + 1
    return top
