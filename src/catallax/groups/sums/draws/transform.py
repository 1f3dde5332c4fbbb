"""Characteristic functions on evenly spaced frequencies."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from catallax.groups.sums.draws.measure import POINTS, Measure

__all__ = [
    "END_DERIVATIVES",
    "characteristic",
    "deviation",
    "gridded",
    "phases",
    "powers",
    "stretch",
]

fft: Any = scipy_fft  # its types say nothing

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Values = NDArray[Any]

_WIDE = 20.0
"""A cell whose half width is so many radians long is integrated by parts, from its ends."""
_FAINT = 2e-15
"""Jumps are passed over, the smallest first, while they come to no more than this part of all."""
_DIRECT = 1 << 25
"""Up to so many products of points and frequencies are summed directly."""
_SPREAD = 16
_SHARPNESS = 2.3 * _SPREAD


def _end_derivatives() -> Array:
    """Return the r-th derivative of the l-th Legendre polynomial at 1, shape (r, l)."""
    table = np.zeros((POINTS, POINTS))
    for degree in range(POINTS):
        for order in range(degree + 1):
            ways = math.factorial(degree + order) // math.factorial(degree - order)
            table[order, degree] = ways / (2**order * math.factorial(order))
    return table


END_DERIVATIVES = _end_derivatives()
"""Derivatives of Legendre polynomials at 1, shape (order, degree)."""
_AT_START = END_DERIVATIVES * (-1.0) ** (np.arange(POINTS)[:, None] + np.arange(POINTS))
# Integration by parts: the r-th derivative comes with (-1)^r / i^(r + 1).
_TURNS = np.array([(-1) ** r / 1j ** (r + 1) for r in range(POINTS)])


def characteristic(measure: Measure, step: float, count: int, centre: float = 0.0) -> Complex:
    """Return E[exp(i u (V - centre))] at the frequencies u = 0, step, ..., (count - 1) step.

    In each octave of frequencies, cells that are long against the wave are integrated by parts,
    which is exact for polynomials and leaves only the places where the density jumps or bends;
    the others are summed at Gauss-Legendre points.

    Parameters
    ----------
    measure
        The measure.
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
    >>> from catallax.groups.sums.draws.cells import measure_of
    >>> from catallax.priors import Uniform
    >>> found = characteristic(measure_of(Uniform(-1, 1)), 0.5, 3)
    >>> bool(abs(found[2] - np.sin(1.0)) < 1e-15)
    True
    """
    out = np.zeros(count, dtype=np.complex128)
    half = (measure.high - measure.low) / 2
    longest = float(half.max()) if half.size else 0.0
    start, stop = 0, count
    if longest * step > 0:
        stop = min(count, max(64, math.ceil(2 * _WIDE / min(longest * step, _WIDE))))
    while start < count:
        wide = half * (step * start) >= _WIDE
        at, weight = measure.chosen(~wide).nodes(frequency=step * (stop - 1))
        at = at - centre
        if at.size * (stop - start) <= _DIRECT:
            out[start:stop] = _direct(at, weight, step, start, stop)
        else:
            out[start:stop] = _gridded(at, weight, step, stop)[start:]
        if wide.any():
            octave = step * np.arange(start, stop, dtype=np.float64)
            out[start:stop] += _by_parts(measure.chosen(wide), octave, centre)
        start, stop = stop, min(count, 2 * stop)
    return out


def phases(steps: Array | float, turns: Array | float) -> Complex:
    """Return exp(2 pi i steps turns), accurate for many millions of whole steps.

    Examples
    --------
    >>> bool(abs(phases(3e7, 0.1 + 2.0**-30) - np.exp(2j * np.pi * 3e7 / 2**30)) < 1e-7)
    True
    """
    # 24 bits of the turns times a number of steps are exact.
    upper = np.rint(np.multiply(turns, 2.0**24)) / 2.0**24
    return np.exp(2j * math.pi * (np.mod(steps * upper, 1.0) + steps * (turns - upper)))


def stretch(measure: Measure, step: float, start: int, stop: int, centre: float) -> Complex:
    """Return what `characteristic` does at the frequencies from `start` up to `stop`.

    Parameters
    ----------
    measure, step, centre
        As for `characteristic`.
    start, stop
        Whole numbers of steps, far out; the phases are as accurate there as near 0.

    Returns
    -------
    ndarray of complex128
        Shape (stop - start,).

    Examples
    --------
    >>> from catallax.groups.sums.draws.cells import measure_of
    >>> from catallax.priors import Uniform
    >>> measure = measure_of(Uniform(-1, 1))
    >>> found, other = stretch(measure, 0.5, 9, 12, 0.0), characteristic(measure, 0.5, 12)
    >>> bool(np.abs(found - other[9:]).max() < 1e-14)
    True
    """
    if start == 0:
        return characteristic(measure, step, stop, centre)
    wide = (measure.high - measure.low) / 2 * (step * start) >= _WIDE
    at, weight = measure.chosen(~wide).nodes(frequency=step * (stop - 1))
    at = at - centre
    begun = phases(float(start), at * (step / (2 * math.pi)))
    out = _direct(at, weight * begun, step, 0, stop - start)
    if wide.any():
        octave = step * np.arange(start, stop, dtype=np.float64)
        out += _by_parts(measure.chosen(wide), octave, centre)
    return out


def _direct(at: Array, weight: Values, step: float, start: int, stop: int) -> Complex:
    """Sum in two levels: exp(i (a B + b) d x) = exp(i a B d x) exp(i b d x)."""
    count = stop - start
    block = max(1, math.isqrt(count))
    rows = -(-count // block)
    total = np.zeros((rows, block), dtype=np.complex128)
    most = max(1, (1 << 21) // (rows + block))
    for first in range(0, at.size, most):
        x = at[first : first + most] * step
        phases = np.outer(start + np.arange(rows) * block, x)
        outer = np.exp(1j * phases) * weight[first : first + most]
        inner = np.exp(1j * np.outer(x, np.arange(block)))
        total += outer @ inner
    return total.ravel()[:count]


def _by_parts(measure: Measure, octave: Array, centre: float) -> Complex:
    """Integrate polynomials against waves from the values and derivatives at the cells' ends.

    The first of the frequencies must be the smallest.
    """
    first = float(octave[0])
    allowed = _FAINT * min(1.0, 2.0 * float(np.abs(measure.coefficients[:, 0]).sum()))
    reach = (measure.high - measure.low) / 2 * first
    scale = _TURNS / reach[:, None] ** np.arange(1, POINTS + 1)
    ends = np.concatenate([measure.high, measure.low])
    own = measure.coefficients
    terms = np.concatenate([own @ END_DERIVATIVES.T * scale, own @ _AT_START.T * -scale])
    places, which = np.unique(ends, return_inverse=True)
    # Where neighbouring cells continue one another nothing is left.
    jumps = np.zeros((places.size, POINTS), dtype=np.complex128)
    np.add.at(jumps, which, terms)
    sizes = np.abs(jumps)
    order = np.argsort(sizes, axis=None)
    faint = order[: np.searchsorted(np.cumsum(sizes.ravel()[order]), allowed)]
    sizes.ravel()[faint] = 0.0
    out = np.zeros(octave.size, dtype=np.complex128)
    nearer = first / octave
    for place, jump, size in zip(places, jumps, sizes, strict=True):
        kept = np.flatnonzero(size)
        if not kept.size:
            continue
        series = np.full(octave.size, jump[kept[-1]])
        for order in range(int(kept[-1]) - 1, -1, -1):
            series = series * nearer + jump[order]
        out += series * nearer * np.exp(1j * octave * (place - centre))
    return out


def deviation(measure: Measure, frequencies: Array, centre: float = 0.0) -> Complex:
    """Return E[1 - exp(i u (V - centre))] at any frequencies, accurate where it is small.

    Parameters
    ----------
    measure
        The measure; its total need not be 1.
    frequencies
        Positive, in any order.
    centre
        What is subtracted from the value.

    Returns
    -------
    ndarray of complex128
        Of the shape of the frequencies.

    Examples
    --------
    >>> from catallax.groups.sums.draws.cells import measure_of
    >>> from catallax.priors import Uniform
    >>> found = deviation(measure_of(Uniform(-1, 1)), np.array([1e-9, 1.0]))
    >>> bool(abs(found[0].real / (1e-18 / 6) - 1) < 1e-12), round(float(found[1].real), 12)
    (True, 0.158529015192)
    """
    out = np.zeros(frequencies.size, dtype=np.complex128)
    half = (measure.high - measure.low) / 2
    _, octaves = np.frexp(frequencies)
    for octave in np.unique(octaves):
        here = np.flatnonzero(octaves == octave)
        u = frequencies[here]
        first = float(np.ldexp(0.5, octave))
        wide = half * first >= _WIDE
        at, weight = measure.chosen(~wide).nodes(frequency=2.0 * first)
        at = at - centre
        rows = max(1, (1 << 20) // max(at.size, 1))
        for start in range(0, u.size, rows):
            phases = np.outer(u[start : start + rows], at)
            # 1 - cos x = 2 sin(x / 2)^2 keeps its digits.
            sines = np.sin(phases / 2)
            real = 2.0 * (sines * sines) @ weight
            out[here[start : start + rows]] = real - 1j * (np.sin(phases) @ weight)
        if wide.any():
            part = measure.chosen(wide).smooth
            waves = _by_parts(part, np.append(first, u), centre)[1:]
            out[here] += part.cell_mass - waves
    return out


def gridded(turns: Array, weight: Complex, start: int, stop: int) -> Complex:
    """Return sum(weight exp(2 pi i k turns)) for whole numbers k from `start` up to `stop`.

    Good to about 1e-14 of the weights, however many there are.

    Examples
    --------
    >>> found = gridded(np.array([0.3, 1 / 7]), np.array([0.5, 0.25]), 10**6, 10**6 + 2)
    >>> bool(abs(found[1] - 0.5 * phases(1e6 + 1, 0.3) - 0.25 * phases(1e6 + 1, 1 / 7)) < 1e-14)
    True
    """
    half = (stop - start + 1) // 2
    middle = start + half
    # Times a power of two places are exact.
    size = 1 << max((4 * half - 1).bit_length(), 8)
    places = turns * size
    first = np.ceil(places - _SPREAD / 2).astype(np.int64)
    begun = weight * phases(float(middle), turns)
    grid = np.zeros(size, dtype=np.complex128)
    for k in range(_SPREAD):
        heights = begun * _kernel((first + k - places) * (2.0 / _SPREAD))
        np.add.at(grid, (first + k) % size, heights)
    offsets = np.arange(start - middle, stop - middle)
    waves = fft.ifft(grid, norm="forward", overwrite_x=True)[offsets]
    waves *= _unspread(start - middle, stop - middle, size)
    return np.asarray(waves)


@lru_cache(maxsize=2)
def _unspread(first: int, last: int, size: int) -> Array:
    """Return what undoes the spreading at some frequencies of a grid."""
    return np.exp(-_spread_shape(np.abs(np.arange(first, last)) / size))


def _gridded(at: Array, weight: Array, step: float, count: int) -> Complex:
    """Spread the points to a grid twice as fine as needed, transform, and undo the spreading.

    The kernel exp(b (sqrt(1 - z^2) - 1)) on 16 grid points is good to about 1e-14.
    """
    size = fft.next_fast_len(4 * count, real=True)
    place = np.mod(at * (step / (2 * math.pi)), 1.0) * size
    first = np.ceil(place - _SPREAD / 2).astype(np.int64)
    grid = np.zeros(size + 2 * _SPREAD)
    for k in range(_SPREAD):
        index = first + k
        height = weight * _kernel((index - place) * (2.0 / _SPREAD))
        grid += np.bincount(index + _SPREAD, weights=height, minlength=grid.size)
    # What lies past the ends belongs on the other side.
    folded = grid[_SPREAD:-_SPREAD].copy()
    folded[-_SPREAD:] += grid[:_SPREAD]
    folded[:_SPREAD] += grid[-_SPREAD:]
    return np.conj(fft.rfft(folded)[:count]) * np.exp(-_spread_shape(np.arange(count) / size))


def _spread_shape(turn: Array) -> Array:
    """Return the logarithm of the kernel's transform at parts of a turn per grid point."""
    # It is smooth: 48 Chebyshev points on [0, 1/4] give it to the last digits.
    points = np.cos(np.pi * (np.arange(48) + 0.5) / 48)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    angles = np.outer((points + 1.0) / 8.0 * (math.pi * _SPREAD), nodes)
    exact = np.log(np.cos(angles) @ (weights * _kernel(nodes)) * (_SPREAD / 2))
    series = np.polynomial.chebyshev.chebfit(points, exact, 47)
    return np.asarray(np.polynomial.chebyshev.chebval(turn * 8.0 - 1.0, series), dtype=np.float64)


def _kernel(z: Array) -> Array:
    inside = np.maximum(1.0 - z * z, 0.0)
    return np.where(np.abs(z) < 1.0, np.exp(_SHARPNESS * (np.sqrt(inside) - 1.0)), 0.0)


def powers(base: Values, exponent: int) -> Values:
    """Return an array to a nonnegative integer power, by squaring."""
    result: Values = np.ones_like(base)
    square = base
    rest = exponent
    while rest:
        if rest & 1:
            result = result * square
        rest >>= 1
        if rest:
            square = square * square
    return result
