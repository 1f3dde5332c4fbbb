"""Convolutions of piecewise polynomials, exact but for rounding."""

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["convolve"]


@compiled
def _series(coefficients, row, terms, inside):
    """Evaluate one Legendre series (Clenshaw)."""
    above = 0.0
    here = 0.0
    for k in range(terms - 1, 0, -1):
        once = (
            coefficients[row, k]
            + (2 * k + 1) / (k + 1) * inside * here
            - (k + 1) / (k + 2) * above
        )
        above = here
        here = once
    return coefficients[row, 0] + inside * here - 0.5 * above


@compiled
def convolve(at, low, high, coefficients, few, ends, other, below, above, nodes, weights, spots):
    """Return the integrals of f(v) g(x - v) for each x.

    Parameters
    ----------
    at
        The points x.
    low, high, coefficients
        f on cells, ascending and apart: Legendre coefficients of f times half the width.
    few
        For each cell of f, weights of `spots` that integrate cubic polynomials times f.
    ends, other, below, above
        g: the ends of contiguous cells, its coefficients on them, and what it is below and above.
    nodes, weights, spots
        Gauss-Legendre rules on [-1, 1].
    """
    out = np.zeros(at.size)
    cells = ends.size - 1
    terms, more = coefficients.shape[1], other.shape[1]
    for k in range(at.size):
        x = at[k]
        total = 0.0
        j = cells  # the cell of g that holds x - v; `cells` stands for what is above
        for i in range(low.size):
            start, end = low[i], high[i]
            half = (end - start) / 2
            top, bottom = x - start, x - end
            if j == cells and i == 0:
                j = np.searchsorted(ends, top, side="left") - 1
                j = min(j, cells)
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
            first = start
            here = j
            while first < end:
                if here < 0:
                    last = end
                else:
                    last = min(end, x - ends[here])
                if last > first:
                    middle, reach = (first + last) / 2, (last - first) / 2
                    for q in range(nodes.size):
                        v = middle + reach * nodes[q]
                        f = _series(coefficients, i, terms, (v - start) / half - 1.0) / half
                        if here < 0:
                            g = below
                        elif here == cells:
                            g = above
                        else:
                            width = ends[here + 1] - ends[here]
                            g = _series(other, here, more, 2.0 * (x - v - ends[here]) / width - 1.0)
                        total += reach * weights[q] * f * g
                if last >= end:
                    break
                first = last
                here -= 1
        out[k] = total
    return out
