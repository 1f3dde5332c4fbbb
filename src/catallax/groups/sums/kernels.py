"""Convolutions of piecewise polynomials, exact but for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled

__all__ = ["convolve"]

Array = NDArray[np.float64]


@compiled
def _series(coefficients: Array, row: int, terms: int, inside: float) -> float:
    """Evaluate one Legendre series (Clenshaw)."""
    above = 0.0
    here = 0.0
    for k in range(terms - 1, 0, -1):
        once = (
            coefficients[row, k] + (2 * k + 1) / (k + 1) * inside * here - (k + 1) / (k + 2) * above
        )
        above = here
        here = once
    return coefficients[row, 0] + inside * here - 0.5 * above


@compiled
def _part(
    coefficients: Array,
    row: int,
    terms: int,
    first: float,
    last: float,
    start: float,
    half: float,
) -> float:
    """Integrate a Legendre series over a part of its cell."""
    a = max((first - start) / half - 1.0, -1.0)
    b = min((last - start) / half - 1.0, 1.0)
    total = 0.0
    for side in range(2):
        s = b if side == 0 else a
        before, here = 1.0, s
        found = coefficients[row, 0] * (s + 1.0)
        for k in range(1, terms):
            after = ((2 * k + 1) * s * here - k * before) / (k + 1)
            found += coefficients[row, k] * (after - before) / (2 * k + 1)
            before, here = here, after
        total += found if side == 0 else -found
    return total


@compiled
def convolve(
    at: Array,
    low: Array,
    high: Array,
    coefficients: Array,
    few: Array,
    ends: Array,
    other: Array,
    seldom: Array,
    below: float,
    above: float,
    nodes: Array,
    weights: Array,
    spots: Array,
) -> Array:
    """Return the integrals of f(v) g(x - v) for each x.

    Parameters
    ----------
    at
        The points x.
    low, high, coefficients
        f on cells, ascending and apart: Legendre coefficients of f times half the width.
    few
        For each cell of f, weights of `spots` that integrate cubic polynomials times f.
    ends, other, seldom, below, above
        g: the ends of contiguous cells, its coefficients on them, weights of `spots` as for f, and
        what g is below and above.
    nodes, weights, spots
        Gauss-Legendre rules on [-1, 1].
    """
    out = np.zeros(at.size)
    cells = ends.size - 1
    terms, more = coefficients.shape[1], other.shape[1]
    for k in range(at.size):
        x = at[k]
        total = 0.0
        if low.size == 0:
            continue
        # The cell of g that holds x - v: -1 stands for what is below, `cells` for what is above.
        j = min(np.searchsorted(ends, x - low[0]) - 1, cells)
        for i in range(low.size):
            start, end = low[i], high[i]
            half = (end - start) / 2
            top, bottom = x - start, x - end
            while j >= 0 and ends[j] >= top:
                j -= 1
            if j < 0:
                total += 2.0 * coefficients[i, 0] * below
                continue
            if j == cells and bottom >= ends[cells]:
                total += 2.0 * coefficients[i, 0] * above
                continue
            if j < cells and bottom >= ends[j]:
                width = ends[j + 1] - ends[j]
                if end - start <= 1e-3 * width:
                    for q in range(spots.size):
                        y = x - (start + half + half * spots[q])
                        inside = 2.0 * (y - ends[j]) / width - 1.0
                        total += few[i, q] * _series(other, j, more, inside)
                    continue
            for here in range(j, -2, -1):
                least = ends[here] if here >= 0 else -np.inf
                if here < 0 or here == cells:
                    first = start if here == cells else max(start, x - ends[0])
                    last = end if here < 0 else min(end, x - ends[cells])
                    value = below if here < 0 else above
                    if last > first and value != 0:
                        total += value * _part(coefficients, i, terms, first, last, start, half)
                elif ends[here + 1] - least < end - start:
                    # The cell of g is the narrower one: go along it.
                    width = ends[here + 1] - least
                    first, last = max(least, bottom), min(ends[here + 1], top)
                    if last > first:
                        middle, reach = least + width / 2, width / 2
                        whole = first == least and last == ends[here + 1]
                        if whole and width <= 1e-3 * (end - start):
                            for q in range(spots.size):
                                v = x - (middle + reach * spots[q])
                                f = _series(coefficients, i, terms, (v - start) / half - 1.0)
                                total += seldom[here, q] * f / half
                        else:
                            centre, span = (first + last) / 2, (last - first) / 2
                            for q in range(nodes.size):
                                y = centre + span * nodes[q]
                                f = _series(coefficients, i, terms, (x - y - start) / half - 1.0)
                                g = _series(other, here, more, (y - middle) / reach)
                                total += span * weights[q] * f * g / half
                else:
                    width = ends[here + 1] - least
                    first, last = max(start, x - ends[here + 1]), min(end, x - least)
                    if last > first:
                        middle, reach = (first + last) / 2, (last - first) / 2
                        for q in range(nodes.size):
                            v = middle + reach * nodes[q]
                            f = _series(coefficients, i, terms, (v - start) / half - 1.0)
                            g = _series(other, here, more, 2.0 * (x - v - least) / width - 1.0)
                            total += reach * weights[q] * f * g / half
                if least <= bottom:
                    break
        out[k] = total
    return out
