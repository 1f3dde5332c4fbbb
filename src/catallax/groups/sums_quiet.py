"""Frequencies at which the transform of a sum is provably nothing, without looking at each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catallax.groups.sums_bounds import Draws
from catallax.groups.sums_transform import characteristic

__all__ = ["quiet_reach"]

_KINDS = 6
_SOME, _MANY = 24, 400


def quiet_reach(draws: Sequence[Draws], step: float, count: int) -> tuple[int, float]:
    """Return how far beyond `count` frequencies the transform of the sum stays below a bound.

    The transform of a sum of many draws moves fast, but that of one draw does not: between two
    points at a distance d it moves by at most d E|V - mean|. So one draw is looked at on a coarse
    grid, and the bound there to the power of the number of draws.

    Parameters
    ----------
    draws
        What is summed.
    step
        The distance of the frequencies.
    count
        From which one on.

    Returns
    -------
    tuple of int and float
        The number of frequencies up to which the bound holds, and the bound of the transforms of
        all votes together.
    """
    kinds = sorted(draws, key=lambda one: -one.count)[:_KINDS]
    spreads = []
    for one in kinds:
        at, weight = one.measure.nodes()
        total = float(weight.sum())
        mean = float(at @ weight) / total if total > 0 else 0.0
        spreads.append((mean, float(np.abs(at - mean) @ weight)))
    widest = max(spread for _, spread in spreads)
    if widest <= 0:
        return count, 1.0
    members = sum(one.count for one in kinds)
    points = 1 << (20 if members >= _MANY else 21)
    grid = (0.5 if members >= _SOME else 0.25) / widest
    reach = int(points * min(grid / step, 1024.0))
    if reach <= 4 * count:
        return count, 1.0
    grid = step * reach / points
    size = np.ones(points)
    for one, (mean, spread) in zip(kinds, spreads, strict=True):
        parts = [np.abs(characteristic(part, grid, points, mean)) for part in one.split()]
        size *= np.minimum(parts[0] + parts[1] + spread * grid / 2, 1.0) ** one.count
    first = int(step * count / grid)
    return reach, float(size[first:].max())
