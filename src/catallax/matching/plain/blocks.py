"""Memory for the kernels of large graphs, in few large pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["blocks"]

LINE = 16  # numbers in a line of the processor's cache


def blocks(*sizes: int) -> list[NDArray[np.int32]]:
    """Return arrays of these sizes, with nothing in them yet, that lie in one piece of memory.

    For a large piece NumPy asks the system for large pages, which a kernel's own arrays do not
    get. Where a graph is larger than the processor's caches that saves looking up a page for
    nearly every edge, and tens of thousands of interruptions when pages are first written to.
    Every array begins with a line of the cache.

    Examples
    --------
    >>> [array.shape for array in blocks(3, 0, 20)]
    [(3,), (0,), (20,)]
    """
    rounded = [-(-size // LINE) * LINE for size in sizes]
    piece = np.empty(sum(rounded) + LINE, np.int32)
    at = -(piece.ctypes.data // piece.itemsize) % LINE
    arrays = []
    for size, room in zip(sizes, rounded, strict=True):
        arrays.append(piece[at : at + size])
        at += room
    return arrays
