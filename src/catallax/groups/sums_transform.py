"""Characteristic functions on evenly spaced frequencies, directly or by a nonuniform transform."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from catallax.groups.sums_measure import Measure

__all__ = ["characteristic", "powers"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_DIRECT = 1 << 27
"""Up to so many products of points and frequencies are summed directly."""
_WIDTH = 16
_SHARPNESS = 2.3 * _WIDTH


def characteristic(measure: Measure, step: float, count: int, centre: float = 0.0) -> Complex:
    """Return E[exp(i u (V - centre))] at the frequencies u = 0, step, ..., (count - 1) step.

    Parameters
    ----------
    measure
        The measure; its density is integrated exactly up to the largest frequency.
    step, count
        The frequencies.
    centre
        What is subtracted from the value, so that phases stay small.

    Returns
    -------
    ndarray of complex128
        Shape (count,).

    Examples
    --------
    >>> from catallax.groups.sums_measure import measure_of
    >>> from catallax.priors import Uniform
    >>> found = characteristic(measure_of(Uniform(-1, 1)), 0.5, 3)
    >>> bool(abs(found[2] - np.sin(1.0)) < 1e-15)
    True
    """
    at, weight = measure.nodes(frequency=step * (count - 1))
    at = at - centre
    if at.size * count <= _DIRECT:
        return _direct(at, weight, step, count)
    return _gridded(at, weight, step, count)


def _direct(at: Array, weight: Array, step: float, count: int) -> Complex:
    """Sum in two levels: exp(i (a B + b) d x) = exp(i a B d x) exp(i b d x)."""
    block = max(1, math.isqrt(count))
    rows = -(-count // block)
    total = np.zeros((rows, block), dtype=np.complex128)
    most = max(1, (1 << 21) // (rows + block))
    for start in range(0, at.size, most):
        x = at[start : start + most] * step
        outer = np.exp(1j * np.outer(np.arange(rows) * block, x)) * weight[start : start + most]
        inner = np.exp(1j * np.outer(x, np.arange(block)))
        total += outer @ inner
    return total.ravel()[:count]


def _gridded(at: Array, weight: Array, step: float, count: int) -> Complex:
    """Spread the points to a grid twice as fine as needed, transform, and undo the spreading.

    The kernel exp(b (sqrt(1 - z^2) - 1)) on 16 grid points is good to about 1e-14.
    """
    size = fft.next_fast_len(4 * count, real=True)
    place = np.mod(at * (step / (2 * math.pi)), 1.0) * size
    first = np.ceil(place - _WIDTH / 2).astype(np.int64)
    grid = np.zeros(size + _WIDTH)
    for k in range(_WIDTH):
        index = first + k
        height = _kernel((index - place) * (2.0 / _WIDTH))
        grid += np.bincount(index + _WIDTH // 2, weights=weight * height, minlength=grid.size)[
            : grid.size
        ]
    # Undo the shift by half the width, and fold what lies past the ends.
    folded = np.zeros(size)
    positions = np.mod(np.arange(grid.size) - _WIDTH // 2, size)
    np.add.at(folded, positions, grid)
    spectrum = np.conj(fft.rfft(folded)[:count])
    nodes, weights = np.polynomial.legendre.leggauss(48)
    angles = np.outer(np.arange(count) * (math.pi * _WIDTH / size), nodes)
    shape = np.cos(angles) @ (weights * _kernel(nodes)) * (_WIDTH / 2)
    return spectrum / shape


def _kernel(z: Array) -> Array:
    inside = np.maximum(1.0 - z * z, 0.0)
    return np.where(np.abs(z) < 1.0, np.exp(_SHARPNESS * (np.sqrt(inside) - 1.0)), 0.0)


def powers(base: Complex, exponent: int) -> Complex:
    """Return a complex array to a nonnegative integer power, by squaring."""
    result = np.ones_like(base)
    square: Complex = base
    rest = exponent
    while rest:
        if rest & 1:
            result = result * square
        rest >>= 1
        if rest:
            square = square * square
    return result


Transform = Callable[[Measure], Complex]
