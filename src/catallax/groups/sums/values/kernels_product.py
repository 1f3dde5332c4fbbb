"""Draws of members of many kinds: the product of their transforms, frequency by frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled
from catallax.groups.sums.values.kernels_polynomials import (
    LANES,
    multiply,
    multiply_real,
    power_of,
    scale,
    spread,
    squares,
    transformed,
    triple,
)
from catallax.groups.sums.values.kernels_tally import power

__all__ = ["LANES", "gathered", "screened", "summed"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

# So many times frequencies are summed before that is added to the rest.
_RUN, _NEAR = 64, 32
_ONE = np.uint64(LANES)
# Steps up to the first of these write down polynomials.
_PART, _SILENT, _MEASURE = 4, 5, 6
# More than rounding adds to the length of a polynomial of a hundred members.
_SLACK = 2.0**-38


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
def _executed(
    do: Integers, pool: Array, pool_i: Array, real: Array, imag: Array, ways: Array
) -> None:
    """Take one step: write down a polynomial."""
    kind, out, a, n, b, m, stride, more = do[0], do[1], do[2], do[3], do[4], do[5], do[6], do[7]
    if kind == 0:
        triple(pool, pool_i, out, real, imag, a, n, b)
    elif kind == 1:
        power_of(pool, pool_i, out, real, imag, a, n, ways[b:])
    else:
        degree = (n - 1) * stride + (m - 1) * more
        pool[out * LANES : (out + degree + 1) * LANES] = 0.0
        pool_i[out * LANES : (out + degree + 1) * LANES] = 0.0
        if kind == 2:
            multiply(pool, pool_i, out, pool, pool_i, a, n, b, m)
        else:
            spread(pool, pool_i, out, pool, pool_i, a, n, stride, b, m, more)


@compiled
def screened(
    rows: Array,
    columns: Array,
    heads: Array,
    heads_i: Array,
    tails: Array,
    tails_i: Array,
    starts: Integers,
    program: Integers,
    ways: Array,
    positions: int,
    count: int,
    stop: float,
    passed: float,
    kept: Bools,
    ended: Integers,
) -> float:
    """Tell which frequencies matter: bound the sum over all totals of votes, step by step.

    The terms of a polynomial together are no larger than its length times the root of their
    number, and those of a product no larger than those of its factors, multiplied.

    Parameters
    ----------
    rows, columns, heads, heads_i, tails, tails_i, starts, ways, positions, count, stop, passed
        As for `summed`.
    program
        The steps, with those that bound the rest in between.
    kept
        Written here, shape (rows, columns).
    ended
        After which steps nothing was left of `LANES` frequencies: added here.

    Returns
    -------
    float
        What all those may add, weighted, that are not kept.
    """
    parts = starts.size // 2
    real, imag = np.zeros((2 * parts + 2) * LANES), np.zeros((2 * parts + 2) * LANES)
    real[2 * parts * LANES : (2 * parts + 1) * LANES] = 1.0
    pool, pool_i = np.zeros(positions * LANES), np.zeros(positions * LANES)
    pool[4 * LANES : 5 * LANES] = 1.0
    size, limit, one = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    slope, dropped = 1.0 / (2.0 + np.log(count)), 0.0
    for group in range(columns.size // LANES):
        for row in range(rows.size):
            for t in range(LANES):
                k = rows[row] + columns[group * LANES + t]
                reach = 2.0 / (np.pi * max(k, 0.5)) + 2.0 / count if 0 <= k < stop else 0.0
                size[t] = reach
                limit[t] = 0.5 * passed * (1.0 / count + reach * slope)
            given = heads[row], heads_i[row], tails[group], tails_i[group]
            step, last, faint = 0, program.shape[0], False
            while step < last and not faint:
                do = program[step]
                step += 1
                if do[0] == _MEASURE:
                    squares(pool, pool_i, do[2], do[3], one)
                    faint = True
                    for t in range(LANES):
                        size[t] *= min(np.sqrt(do[3] * one[t]) + _SLACK, 1.0)
                        faint &= size[t] <= limit[t]
                    continue
                if do[0] < _PART:
                    _executed(do, pool, pool_i, real, imag, ways)
                    continue
                part = do[2]
                for side in range(2 * part, 2 * part + 2):
                    transformed(real, imag, side, *given, starts[side], starts[side + 1])
                if do[0] == _SILENT:
                    faint = True
                    a, b = np.uint64(2 * part) * _ONE, np.uint64(2 * part + 1) * _ONE
                    for t in range(_ONE):
                        r, s = real[a + t] + real[b + t], imag[a + t] + imag[b + t]
                        size[t] *= power(min(np.sqrt(r * r + s * s) + _SLACK, 1.0), do[3], 1.0)
                        faint &= size[t] <= limit[t]
            ended[step - 1] += 1
            for t in range(LANES):
                kept[row, group * LANES + t] = size[t] > limit[t]
                dropped += 0.0 if size[t] > limit[t] else size[t]
    return dropped


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
                transformed(real, imag, side, *given, starts[side], starts[side + 1])
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
                _executed(program[step], pool, pool_i, real, imag, ways)
            do = program[last]
            a, n, b, m = do[2], do[3], do[4], do[5]
            # No term of a product is larger than the lengths of both factors multiplied.
            squares(pool, pool_i, a, n, one)
            squares(pool, pool_i, b, m, two)
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
                transformed(real, imag, ends + side, *given, at, at + 1)
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
            scale(pool, pool_i, a, n, turn, turn_i)
            multiply_real(run, pool, pool_i, a, n, b, m)
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
