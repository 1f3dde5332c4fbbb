"""Ironing of step priors: pool adjacent violators, on arrays only."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from catallax.priors.floats import FloatArray, IntArray

# Below this the plain Python loop is faster than loading Numba.
_COMPILE_FROM = 5_000


def _pool(
    values: FloatArray,
    masses: FloatArray,
    tails: FloatArray,
    first: IntArray,
    level: FloatArray,
    weight: FloatArray,
) -> int:
    """Fill the blocks' first atoms, levels and masses; return how many blocks there are."""
    blocks = 0
    for k in range(values.size):
        following = values[k + 1] if k + 1 < values.size else values[k]
        start = k
        mass = masses[k]
        # The mean of phi over a block: the slope of the revenue curve between its two ends,
        # written so that it does not cancel.
        mean = values[k] - tails[k] * ((following - values[k]) / mass)
        while blocks > 0 and level[blocks - 1] > mean:
            blocks -= 1
            start = first[blocks]
            mass += weight[blocks]
            mean = values[start] - tails[k] * ((following - values[start]) / mass)
        first[blocks] = start
        level[blocks] = mean
        weight[blocks] = mass
        blocks += 1
    return blocks


@cache
def _compiled() -> Any:
    from catallax.compiled import compiled

    return compiled(_pool)


def iron_steps(values: FloatArray, masses: FloatArray) -> tuple[IntArray, FloatArray]:
    """Iron the virtual values of a discrete prior.

    Parameters
    ----------
    values
        The K atoms, ascending and distinct.
    masses
        Their masses, positive; any total.

    Returns
    -------
    first : ndarray of int64
        The first atom of every block, ascending.
    level : ndarray of float64
        The ironed virtual value of the block, nondecreasing. Only strict violations are pooled.

    References
    ----------
    Myerson, Optimal auction design (1981), section 6.

    Examples
    --------
    >>> import numpy as np
    >>> first, level = iron_steps(np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 2.0]))
    >>> first.tolist(), level.tolist()
    ([0, 1, 2], [-0.5, 0.0, 3.0])
    """
    count = values.size
    tails = np.zeros(count)
    tails[:-1] = np.cumsum(masses[:0:-1])[::-1]
    first = np.empty(count, dtype=np.int64)
    level = np.empty(count)
    weight = np.empty(count)
    pool = _compiled() if count >= _COMPILE_FROM else _pool
    blocks = pool(values, masses, tails, first, level, weight)
    return first[:blocks].copy(), level[:blocks].copy()
