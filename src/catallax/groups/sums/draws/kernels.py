"""Convolutions of piecewise polynomials, exact but for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled

__all__ = ["convolve", "merged"]

Array = NDArray[np.float64]


_MOST_TERMS = 24
_TIMES = np.array([(2 * k + 1) / (k + 1) for k in range(_MOST_TERMS)])
_LESS = np.array([(k + 1) / (k + 2) for k in range(_MOST_TERMS)])


@compiled
def _series(
    coefficients: Array, row: int, terms: int, inside: Array, here: Array, above: Array, size: int
) -> None:
    """Evaluate one Legendre series at some points (Clenshaw); the values are left in `here`."""
    for q in range(size):
        here[q] = 0.0
        above[q] = 0.0
    for k in range(terms - 1, 0, -1):
        coefficient, times, less = coefficients[row, k], _TIMES[k], _LESS[k]
        for q in range(size):
            once = coefficient + times * inside[q] * here[q] - less * above[q]
            above[q] = here[q]
            here[q] = once
    coefficient = coefficients[row, 0]
    for q in range(size):
        here[q] = coefficient + inside[q] * here[q] - 0.5 * above[q]


@compiled
def _product(weights: Array, f: Array, g: Array) -> float:
    """Integrate the product of two functions, known at the same nodes."""
    total = 0.0
    for q in range(weights.size):
        total += weights[q] * f[q] * g[q]
    return total


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
def _shares(spots: Array, place: float, weight: float, out: Array) -> None:
    """Share a weight at a place in [-1, 1] among the spots, so that cubic polynomials agree."""
    for q in range(spots.size):
        share = weight
        for r in range(spots.size):
            if r != q:
                share *= (place - spots[r]) / (spots[q] - spots[r])
        out[q] += share


@compiled
def merged(low: Array, high: Array, few: Array, spots: Array) -> Array:
    """Return weights as `few`, for runs of 1, 2, 4, ... cells, one level after the other.

    Near a pole there are a thousand cells, most of them so small that from farther away a run of
    them is as good as one.

    Parameters
    ----------
    low, high
        Cells, ascending and apart.
    few
        For each cell weights of `spots` that integrate cubic polynomials times a function.
    spots
        In [-1, 1].
    """
    cells = low.size
    size, rows = cells, cells
    while size > 1:
        size = (size + 1) // 2
        rows += size
    out = np.zeros((rows, spots.size))
    out[:cells] = few
    before, size, run = 0, cells, 1
    while size > 1:
        after, run = before + size, 2 * run
        for k in range((size + 1) // 2):
            start = low[k * run]
            half = (high[min((k + 1) * run, cells) - 1] - start) / 2
            for child in range(2 * k, min(2 * k + 2, size)):
                own = child * (run // 2)
                begin = low[own]
                reach = (high[min(own + run // 2, cells) - 1] - begin) / 2
                for q in range(spots.size):
                    place = ((begin - start) + reach * (1.0 + spots[q])) / half - 1.0
                    _shares(spots, place, out[before + child, q], out[after + k])
        before, size = after, (size + 1) // 2
    return out


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
        For runs of cells of f (`merged`), weights of `spots` that integrate cubic polynomials
        times f.
    ends, other, seldom, below, above
        g: the ends of contiguous cells, its coefficients on them, weights of `spots` as for f, and
        what g is below and above.
    nodes, weights, spots
        Gauss-Legendre rules on [-1, 1].
    """
    out = np.zeros(at.size)
    cells = ends.size - 1
    terms, more = coefficients.shape[1], other.shape[1]
    inside, across = np.empty(nodes.size), np.empty(nodes.size)
    f, g, spare = np.empty(nodes.size), np.empty(nodes.size), np.empty(nodes.size)
    for k in range(at.size):
        x = at[k]
        total = 0.0
        if low.size == 0:
            continue
        # The cell of g that holds x - v: -1 stands for what is below, `cells` for what is above.
        j = min(np.searchsorted(ends, x - low[0]) - 1, cells)
        i = 0
        while i < low.size:
            start = low[i]
            top = x - start
            while j >= 0 and ends[j] >= top:
                j -= 1
            # The longest run of cells from here on that one cell of g takes in.
            first_row, size, run = 0, low.size, 1
            row, taken = -1, 0
            while True:
                stop = min(i + run, low.size)
                bottom, span = x - high[stop - 1], high[stop - 1] - start
                if j < 0 or (j == cells and bottom >= ends[cells]):
                    fits = True
                elif j < cells and bottom >= ends[j]:
                    fits = span <= 1e-3 * (ends[j + 1] - ends[j])
                else:
                    fits = False
                if not fits:
                    break
                row, taken = first_row + i // run, stop - i
                if i % (2 * run) != 0 or size == 1:
                    break
                first_row += size
                size, run = (size + 1) // 2, 2 * run
            if row >= 0:
                half = (high[i + taken - 1] - start) / 2
                if j < 0 or j == cells:
                    mass = 0.0
                    for q in range(spots.size):
                        mass += few[row, q]
                    total += mass * (below if j < 0 else above)
                else:
                    width = ends[j + 1] - ends[j]
                    for q in range(spots.size):
                        y = x - (start + half + half * spots[q])
                        inside[q] = 2.0 * (y - ends[j]) / width - 1.0
                    _series(other, j, more, inside, g, spare, spots.size)
                    for q in range(spots.size):
                        total += few[row, q] * g[q]
                i += taken
                continue
            end = high[i]
            half = (end - start) / 2
            bottom = x - end
            here = j
            while here >= -1:
                least = ends[here] if here >= 0 else -np.inf
                step = 1
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
                        whole = first == least and last == ends[here + 1]
                        if whole and width <= 1e-3 * (end - start):
                            # The longest run of cells of g up to here that fits in.
                            first_row, size, run = 0, cells, 1
                            row = here
                            while (here + 1) % (2 * run) == 0:
                                begin = ends[here + 1 - 2 * run]
                                if begin < bottom or last - begin > 1e-3 * (end - start):
                                    break
                                first_row += size
                                size, run = (size + 1) // 2, 2 * run
                                row = first_row + here // run
                                step, least = run, begin
                            middle, reach = least + (last - least) / 2, (last - least) / 2
                            for q in range(spots.size):
                                v = x - (middle + reach * spots[q])
                                inside[q] = (v - start) / half - 1.0
                            _series(coefficients, i, terms, inside, f, spare, spots.size)
                            for q in range(spots.size):
                                total += seldom[row, q] * f[q] / half
                        else:
                            middle, reach = least + width / 2, width / 2
                            centre, span = (first + last) / 2, (last - first) / 2
                            for q in range(nodes.size):
                                y = centre + span * nodes[q]
                                inside[q] = (x - y - start) / half - 1.0
                                across[q] = (y - middle) / reach
                            _series(coefficients, i, terms, inside, f, spare, nodes.size)
                            _series(other, here, more, across, g, spare, nodes.size)
                            total += _product(weights, f, g) * span / half
                else:
                    width = ends[here + 1] - least
                    first, last = max(start, x - ends[here + 1]), min(end, x - least)
                    if last > first:
                        middle, reach = (first + last) / 2, (last - first) / 2
                        for q in range(nodes.size):
                            v = middle + reach * nodes[q]
                            inside[q] = (v - start) / half - 1.0
                            across[q] = 2.0 * (x - v - least) / width - 1.0
                        _series(coefficients, i, terms, inside, f, spare, nodes.size)
                        _series(other, here, more, across, g, spare, nodes.size)
                        total += _product(weights, f, g) * reach / half
                if least <= bottom:
                    break
                here -= step
            i += 1
        out[k] = total
    return out
