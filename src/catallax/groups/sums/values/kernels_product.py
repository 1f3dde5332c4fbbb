"""Draws of members of many kinds: the product of their transforms, frequency by frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled
from catallax.groups.sums.values.kernels_tally import power

__all__ = ["LANES", "gathered", "summed"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# So many frequencies are summed at once, and so many times before that is added to the rest.
LANES = 16
_RUN, _NEAR = 64, 32
# Places that cannot be negative are not checked for it, so many are added at once.
_ONE, _TWO, _THREE = np.uint64(LANES), np.uint64(2 * LANES), np.uint64(3 * LANES)
_FOUR = np.uint64(4 * LANES)
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)


@compiled
def _transform(
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
def _triple(
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
def _power(
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
def _multiply(
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
def _multiply_real(
    out: Array, real: Array, imag: Array, first: int, size: int, second: int, other: int
) -> None:
    """Add the real part of the product of two polynomials; like `_multiply`."""
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
def _spread(
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
def _squares(real: Array, imag: Array, first: int, size: int, out: Array) -> None:
    """Write down the sums of all terms' squared sizes."""
    v = np.uint64(first) * _ONE
    out[:] = 0.0
    for p in range(np.uint64(0), np.uint64(size) * _ONE, _ONE):
        for t in range(_ONE):
            x, y = real[v + p + t], imag[v + p + t]
            out[t] += x * x + y * y


@compiled
def _scale(real: Array, imag: Array, first: int, size: int, by: Array, by_i: Array) -> None:
    """Multiply a polynomial by a number, one in each lane."""
    v = np.uint64(first) * _ONE
    for p in range(np.uint64(0), np.uint64(size) * _ONE, _ONE):
        for t in range(_ONE):
            x, y = real[v + p + t], imag[v + p + t]
            real[v + p + t], imag[v + p + t] = x * by[t] - y * by_i[t], x * by_i[t] + y * by[t]


@compiled
def _sizes(real: Array, imag: Array, counts: Integers, size: Array) -> None:
    """Write down bounds of the transform of the sum."""
    size[:] = 1.0
    for j in range(counts.size):
        a, b, times = np.uint64(2 * j) * _ONE, np.uint64(2 * j + 1) * _ONE, counts[j]
        for t in range(_ONE):
            x, y, r, s = real[a + t], imag[a + t], real[b + t], imag[b + t]
            factor = np.sqrt(x * x + y * y) + np.sqrt(r * r + s * s)
            size[t] *= factor if times == 1 else power(factor, times, 1.0)


@compiled
def _wholes(
    real: Array, imag: Array, counts: Integers, chosen: Integers, out: Array, out_i: Array
) -> None:
    """Multiply by no + yes of the parts that are chosen, as often as there are members."""
    for j in chosen:
        a, b, times = np.uint64(2 * j) * _ONE, np.uint64(2 * j + 1) * _ONE, counts[j]
        for t in range(_ONE):
            r, s = real[a + t] + real[b + t], imag[a + t] + imag[b + t]
            if times > 1:
                one = power(complex(r, s), times, complex(1.0, 0.0))
                r, s = one.real, one.imag
            x, y = out[t], out_i[t]
            out[t], out_i[t] = x * r - y * s, x * s + y * r


@compiled
def gathered(
    high: Array, high_i: Array, low: Array, low_i: Array, rows: Integers, columns: Integers,
    out: Array, out_i: Array,
) -> None:  # fmt: skip
    """Multiply phases at a high digit by those at a low one, frequency by frequency.

    Parameters
    ----------
    high, high_i, low, low_i
        The phases of all values at each digit, real and imaginary parts, shape (digits, values).
    rows, columns
        The digits of each frequency.
    out, out_i
        Written here, as `summed` takes it: shape (frequencies / LANES, values times LANES).
    """
    size = high.shape[1]
    for group in range(out.shape[0]):
        real, imag = out[group], out_i[group]
        first = group * LANES
        # What is written stays in the nearest cache.
        for start in range(0, size, _NEAR):
            for f in range(first, min(first + LANES, rows.size)):
                lane = np.uint64(f - first)
                a, a_i, b, b_i = high[rows[f]], high_i[rows[f]], low[columns[f]], low_i[columns[f]]
                for k in range(np.uint64(start), np.uint64(min(start + _NEAR, size))):
                    real[k * _ONE + lane] = a[k] * b[k] - a_i[k] * b_i[k]
                    imag[k * _ONE + lane] = a[k] * b_i[k] + a_i[k] * b[k]


@compiled
def summed(
    rows: Array,
    columns: Array,
    heads: Array,
    heads_i: Array,
    tails: Array,
    tails_i: Array,
    starts: Integers,
    counts: Integers,
    votes: Integers,
    silent: Integers,
    program: Integers,
    ways: Array,
    positions: int,
    share: float,
    count: int,
    stop: float,
    passed: float,
    line: Array,
    sums: Array,
) -> None:
    """Add up Vaaler's weights times the transforms, for each total of votes.

    Parameters
    ----------
    rows, columns
        A frequency is one of the first plus one of the second, whose number is a multiple of
        `LANES`; those that are not from 0 up to `stop` are passed over.
    heads, heads_i
        The phases of all values at the first ones times their probabilities, real and imaginary
        parts, shape (rows, values); at last those of both ends of the interval.
    tails, tails_i
        The phases at the second ones, shape (columns / LANES, values times LANES).
    starts
        Where the values of each part begin, without and with a vote.
    counts
        How many members each part stands for.
    votes, silent
        The parts that have to do with the votes, and those that have not.
    program
        How the product is made, as by `Product`.
    ways
        Binomial coefficients.
    positions
        How many terms there is place for.
    share
        The interval's part of the period.
    count
        How many frequencies there are in all.
    stop
        The first frequency that is no longer summed.
    passed
        What may be passed over, of all of them together.
    line
        For each total of votes: what is found is added here.
    sums
        Added here is what lies next to both ends, a bound of what was passed over, the largest
        weights added up, and how many frequencies were summed.
    """
    parts = counts.size
    ends = 2 * parts + 2
    # The transforms, 1 and 0, and the phases of both ends.
    real, imag = np.zeros((ends + 2) * LANES), np.zeros((ends + 2) * LANES)
    real[(ends - 2) * LANES : (ends - 1) * LANES] = 1.0
    pool, pool_i = np.zeros(positions * LANES), np.zeros(positions * LANES)
    # The first polynomial is 1.
    pool[4 * LANES : 5 * LANES] = 1.0
    run, filled = np.zeros((line.size + 12) * LANES), 0
    k, reach, size = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    whole, whole_i = np.zeros(LANES), np.zeros(LANES)
    turn, turn_i = np.zeros(LANES), np.zeros(LANES)
    one, two = np.zeros(LANES), np.zeros(LANES)
    slope = 1.0 / (2.0 + np.log(count))
    last = program.shape[0] - 1
    for group in range(columns.size // LANES):
        for row in range(rows.size):
            empty = True
            for t in range(LANES):
                k[t] = rows[row] + columns[group * LANES + t]
                inside = 0 <= k[t] < stop
                empty = empty and not inside
                reach[t] = 2.0 / (np.pi * max(k[t], 0.5)) + 2.0 / count if inside else 0.0
            if empty:
                continue
            given = heads[row], heads_i[row], tails[group], tails_i[group]
            for side in range(2 * parts):
                _transform(real, imag, side, *given, starts[side], starts[side + 1])
            _sizes(real, imag, counts, size)
            faint, lost = True, 0.0
            for t in range(LANES):
                sums[2] += reach[t]
                lost += reach[t] * size[t]
                faint &= reach[t] * size[t] <= 0.5 * passed * (1.0 / count + reach[t] * slope)
            if faint:
                sums[1] += lost
                continue
            for step in range(last):
                do = program[step]
                kind, out, a, n, b, m, stride, more = (
                    do[0], do[1], do[2], do[3], do[4], do[5], do[6], do[7],
                )  # fmt: skip
                if kind == 0:
                    _triple(pool, pool_i, out, real, imag, a, n, b)
                elif kind == 1:
                    _power(pool, pool_i, out, real, imag, a, n, ways[b:])
                else:
                    degree = (n - 1) * stride + (m - 1) * more
                    pool[out * LANES : (out + degree + 1) * LANES] = 0.0
                    pool_i[out * LANES : (out + degree + 1) * LANES] = 0.0
                    if kind == 2:
                        _multiply(pool, pool_i, out, pool, pool_i, a, n, b, m)
                    else:
                        _spread(pool, pool_i, out, pool, pool_i, a, n, stride, b, m, more)
            do = program[last]
            a, n, b, m = do[2], do[3], do[4], do[5]
            # No term of a product is larger than the lengths of both factors multiplied.
            _squares(pool, pool_i, a, n, one)
            _squares(pool, pool_i, b, m, two)
            faint, lost = True, 0.0
            for t in range(LANES):
                size[t] = min(size[t], (n + m) * np.sqrt(one[t] * two[t]))
                lost += reach[t] * size[t]
                faint &= reach[t] * size[t] <= 0.5 * passed * (1.0 / count + reach[t] * slope)
            if faint:
                sums[1] += lost
                continue
            for side in range(2):
                at = starts[2 * parts] + side
                _transform(real, imag, ends + side, *given, at, at + 1)
            turn[:], turn_i[:] = 1.0, 0.0
            _wholes(real, imag, counts, silent, turn, turn_i)
            whole[:], whole_i[:] = turn, turn_i
            _wholes(real, imag, counts, votes, whole, whole_i)
            for t in range(LANES):
                if reach[t] == 0.0:
                    turn[t], turn_i[t] = 0.0, 0.0
                    continue
                near = complex(real[ends * LANES + t], imag[ends * LANES + t])
                far = complex(real[(ends + 1) * LANES + t], imag[(ends + 1) * LANES + t])
                fold = (2.0 if k[t] > 0 else 1.0) * (1.0 - k[t] / count)
                sums[0] += fold * (complex(whole[t], whole_i[t]) * (near + far)).real
                weight = complex(share, 0.0)
                if k[t] > 0:
                    part = k[t] / count
                    angle = np.pi * part
                    taper = angle * (1.0 - part) / np.tan(angle) + part
                    weight = (near - far) * complex(0.0, -taper / (np.pi * k[t]))
                weight *= complex(turn[t], turn_i[t])
                turn[t], turn_i[t] = weight.real, weight.imag
            sums[3] += LANES
            _scale(pool, pool_i, a, n, turn, turn_i)
            _multiply_real(run, pool, pool_i, a, n, b, m)
            filled += 1
            if filled == _RUN:
                _emptied(run, line)
                filled = 0
    _emptied(run, line)


@compiled
def _emptied(run: Array, line: Array) -> None:
    """Add up the lanes of each total, add that to the rest, and begin anew."""
    for q in range(line.size):
        found = 0.0
        for t in range(LANES):
            found += run[q * LANES + t]
        line[q] += found
    run[:] = 0.0
