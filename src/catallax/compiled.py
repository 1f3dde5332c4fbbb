"""Compilation of the array-only kernels, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["compiled"]


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel when it is first called, and keep the result on disk for the next time.

    Where neither the package's folder nor the user's cache can be written, it is compiled in
    every process.

    Parameters
    ----------
    kernel
        A function of arrays and numbers.

    Returns
    -------
    callable
        The same, fast.
    """
    from numba import njit  # heavy

    try:
        return njit(cache=True, nogil=True)(kernel)
    except RuntimeError:  # no place for a cache
        return njit(nogil=True)(kernel)
