"""Polynomials in the votes at many frequencies, one in each lane: made, multiplied and measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled

__all__ = [
    "LANES",
    "multiply",
    "multiply_real",
    "power_of",
    "scale",
    "spread",
    "squares",
    "transformed",
    "triple",
]

Array = NDArray[np.float64]

# So many frequencies are summed at once, one in each lane.
LANES = 16
# Places that cannot be negative are not checked for it, so many are added at once.
_ONE, _TWO, _THREE = np.uint64(LANES), np.uint64(2 * LANES), np.uint64(3 * LANES)
_FOUR = np.uint64(4 * LANES)
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)


@compiled
def transformed(
    real: Array, imag: Array, at: int, heads: Array, heads_i: Array, tails: Array, tails_i: Array,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Write down the sum of some heads times tails, one in each lane."""
    out = np.uint64(at) * _ONE
    for t in range(_ONE):
        real[out + t], imag[out + t] = 0.0, 0.0
    most = np.uint64(stop - (stop - start) % 4)
    for k in range(np.uint64(start), most, np.uint64(4)):
        a, b, c, d = heads[k], heads[k + _1], heads[k + _2], heads[k + _3]
        e, f, g, h = heads_i[k], heads_i[k + _1], heads_i[k + _2], heads_i[k + _3]
        place = k * _ONE
        for t in range(_ONE):
            x, y = tails[place + t], tails_i[place + t]
            r, s = a * x - e * y, a * y + e * x
            x, y = tails[place + _ONE + t], tails_i[place + _ONE + t]
            r, s = r + (b * x - f * y), s + (b * y + f * x)
            x, y = tails[place + _TWO + t], tails_i[place + _TWO + t]
            r, s = r + (c * x - g * y), s + (c * y + g * x)
            x, y = tails[place + _THREE + t], tails_i[place + _THREE + t]
            real[out + t] += r + (d * x - h * y)
            imag[out + t] += s + (d * y + h * x)
    for k in range(most, np.uint64(stop)):
        a, b, place = heads[k], heads_i[k], k * _ONE
        for t in range(_ONE):
            x, y = tails[place + t], tails_i[place + t]
            real[out + t] += a * x - b * y
            imag[out + t] += a * y + b * x


@compiled
def triple(
    out: Array, out_i: Array, at: int, real: Array, imag: Array, i: int, j: int, k: int
) -> None:
    """Write down the product of no + yes z for three parts; all of their terms, four."""
    u, a = np.uint64(at) * _ONE, np.uint64(2 * i) * _ONE
    b, c = np.uint64(2 * j) * _ONE, np.uint64(2 * k) * _ONE
    for t in range(_ONE):
        p, p_i, q, q_i = real[a + t], imag[a + t], real[a + _ONE + t], imag[a + _ONE + t]
        r, r_i, s, s_i = real[b + t], imag[b + t], real[b + _ONE + t], imag[b + _ONE + t]
        x, x_i = p * r - p_i * r_i, p * r_i + p_i * r
        y = p * s - p_i * s_i + q * r - q_i * r_i
        y_i = p * s_i + p_i * s + q * r_i + q_i * r
        z, z_i = q * s - q_i * s_i, q * s_i + q_i * s
        r, r_i, s, s_i = real[c + t], imag[c + t], real[c + _ONE + t], imag[c + _ONE + t]
        out[u + t] = x * r - x_i * r_i
        out_i[u + t] = x * r_i + x_i * r
        out[u + _ONE + t] = x * s - x_i * s_i + y * r - y_i * r_i
        out_i[u + _ONE + t] = x * s_i + x_i * s + y * r_i + y_i * r
        out[u + _TWO + t] = y * s - y_i * s_i + z * r - z_i * r_i
        out_i[u + _TWO + t] = y * s_i + y_i * s + z * r_i + z_i * r
        out[u + _THREE + t] = z * s - z_i * s_i
        out_i[u + _THREE + t] = z * s_i + z_i * s


@compiled
def power_of(
    out: Array, out_i: Array, at: int, real: Array, imag: Array, i: int, count: int, ways: Array
) -> None:
    """Write down (no + yes z)^count for a part, with the binomial coefficients given."""
    u, a, b = np.uint64(at) * _ONE, np.uint64(2 * i) * _ONE, np.uint64(2 * i + 1) * _ONE
    for t in range(_ONE):
        out[u + t], out_i[u + t] = 1.0, 0.0
    for q in range(np.uint64(count)):
        v = u + q * _ONE
        for t in range(_ONE):
            x, y, r, s = out[v + t], out_i[v + t], real[b + t], imag[b + t]
            out[v + _ONE + t], out_i[v + _ONE + t] = x * r - y * s, x * s + y * r
    nay, nay_i = np.ones(LANES), np.zeros(LANES)
    for left in range(np.uint64(1), np.uint64(count + 1)):
        q = np.uint64(count) - left
        v, way = u + q * _ONE, ways[q]
        for t in range(_ONE):
            x, y, r, s = nay[t], nay_i[t], real[a + t], imag[a + t]
            x, y = x * r - y * s, x * s + y * r
            nay[t], nay_i[t] = x, y
            r, s = way * out[v + t], way * out_i[v + t]
            out[v + t], out_i[v + t] = x * r - y * s, x * s + y * r


@compiled
def multiply(
    out: Array, out_i: Array, target: int, real: Array, imag: Array, first: int, size: int,
    second: int, other: int,
) -> None:  # fmt: skip
    """Add the product of two polynomials, four terms of each at once.

    About both of them there are zeros: four before each, and eight after it.
    """
    u, v, w = (np.uint64(target) * _ONE, np.uint64(first) * _ONE, np.uint64(second) * _ONE)
    for q in range(np.uint64(0), np.uint64(other) * _ONE, _FOUR):
        b = w + q
        for p in range(np.uint64(0), np.uint64(size + 3) * _ONE, _FOUR):
            a, o = v + p, u + q + p
            for t in range(_ONE):
                e, i = real[b + t], imag[b + t]
                f, j = real[b + _ONE + t], imag[b + _ONE + t]
                g, k = real[b + _TWO + t], imag[b + _TWO + t]
                h, m = real[b + _THREE + t], imag[b + _THREE + t]
                x, y = real[a - _THREE + t], imag[a - _THREE + t]
                r0, s0 = x * h - y * m, x * m + y * h
                x, y = real[a - _TWO + t], imag[a - _TWO + t]
                r0 += x * g - y * k
                s0 += x * k + y * g
                r1, s1 = x * h - y * m, x * m + y * h
                x, y = real[a - _ONE + t], imag[a - _ONE + t]
                r0 += x * f - y * j
                s0 += x * j + y * f
                r1 += x * g - y * k
                s1 += x * k + y * g
                r2, s2 = x * h - y * m, x * m + y * h
                x, y = real[a + t], imag[a + t]
                r0 += x * e - y * i
                s0 += x * i + y * e
                r1 += x * f - y * j
                s1 += x * j + y * f
                r2 += x * g - y * k
                s2 += x * k + y * g
                r3, s3 = x * h - y * m, x * m + y * h
                x, y = real[a + _ONE + t], imag[a + _ONE + t]
                r1 += x * e - y * i
                s1 += x * i + y * e
                r2 += x * f - y * j
                s2 += x * j + y * f
                r3 += x * g - y * k
                s3 += x * k + y * g
                x, y = real[a + _TWO + t], imag[a + _TWO + t]
                r2 += x * e - y * i
                s2 += x * i + y * e
                r3 += x * f - y * j
                s3 += x * j + y * f
                x, y = real[a + _THREE + t], imag[a + _THREE + t]
                r3 += x * e - y * i
                s3 += x * i + y * e
                out[o + t] += r0
                out[o + _ONE + t] += r1
                out[o + _TWO + t] += r2
                out[o + _THREE + t] += r3
                out_i[o + t] += s0
                out_i[o + _ONE + t] += s1
                out_i[o + _TWO + t] += s2
                out_i[o + _THREE + t] += s3


@compiled
def multiply_real(
    out: Array, real: Array, imag: Array, first: int, size: int, second: int, other: int
) -> None:
    """Add the real part of the product of two polynomials; like `multiply`."""
    v, w = np.uint64(first) * _ONE, np.uint64(second) * _ONE
    for q in range(np.uint64(0), np.uint64(other) * _ONE, _FOUR):
        b = w + q
        for p in range(np.uint64(0), np.uint64(size + 3) * _ONE, _FOUR):
            a, o = v + p, q + p
            for t in range(_ONE):
                e, i = real[b + t], imag[b + t]
                f, j = real[b + _ONE + t], imag[b + _ONE + t]
                g, k = real[b + _TWO + t], imag[b + _TWO + t]
                h, m = real[b + _THREE + t], imag[b + _THREE + t]
                x, y = real[a - _THREE + t], imag[a - _THREE + t]
                r0 = x * h - y * m
                x, y = real[a - _TWO + t], imag[a - _TWO + t]
                r0 += x * g - y * k
                r1 = x * h - y * m
                x, y = real[a - _ONE + t], imag[a - _ONE + t]
                r0 += x * f - y * j
                r1 += x * g - y * k
                r2 = x * h - y * m
                x, y = real[a + t], imag[a + t]
                r0 += x * e - y * i
                r1 += x * f - y * j
                r2 += x * g - y * k
                r3 = x * h - y * m
                x, y = real[a + _ONE + t], imag[a + _ONE + t]
                r1 += x * e - y * i
                r2 += x * f - y * j
                r3 += x * g - y * k
                x, y = real[a + _TWO + t], imag[a + _TWO + t]
                r2 += x * e - y * i
                r3 += x * f - y * j
                x, y = real[a + _THREE + t], imag[a + _THREE + t]
                r3 += x * e - y * i
                out[o + t] += r0
                out[o + _ONE + t] += r1
                out[o + _TWO + t] += r2
                out[o + _THREE + t] += r3


@compiled
def spread(
    out: Array, out_i: Array, target: int, real: Array, imag: Array, first: int, size: int,
    stride: int, second: int, other: int, more: int,
) -> None:  # fmt: skip
    """Add the product of two polynomials in powers of z; term by term."""
    u, v, w = (np.uint64(target) * _ONE, np.uint64(first) * _ONE, np.uint64(second) * _ONE)
    for q in range(np.uint64(other)):
        for p in range(np.uint64(size)):
            a, b = v + p * _ONE, w + q * _ONE
            o = u + (p * np.uint64(stride) + q * np.uint64(more)) * _ONE
            for t in range(_ONE):
                x, y, r, s = real[a + t], imag[a + t], real[b + t], imag[b + t]
                out[o + t] += x * r - y * s
                out_i[o + t] += x * s + y * r


@compiled
def squares(real: Array, imag: Array, first: int, size: int, out: Array) -> None:
    """Write down the sums of all terms' squared sizes."""
    v = np.uint64(first) * _ONE
    out[:] = 0.0
    for p in range(np.uint64(0), np.uint64(size) * _ONE, _ONE):
        for t in range(_ONE):
            x, y = real[v + p + t], imag[v + p + t]
            out[t] += x * x + y * y


@compiled
def scale(real: Array, imag: Array, first: int, size: int, by: Array, by_i: Array) -> None:
    """Multiply a polynomial by a number, one in each lane."""
    v = np.uint64(first) * _ONE
    for p in range(np.uint64(0), np.uint64(size) * _ONE, _ONE):
        for t in range(_ONE):
            x, y = real[v + p + t], imag[v + p + t]
            real[v + p + t], imag[v + p + t] = x * by[t] - y * by_i[t], x * by_i[t] + y * by[t]
