"""Draws of one kind from two heaps of values: votes, frequency by frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled

__all__ = ["power", "sizes", "tallied"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# So many frequencies are added up before they are added to the rest: less is rounded.
_RUN = 1024
# Rows of a multiple of so many numbers leave nothing over where many are added at once.
_LANES = 16
# No transform is known to be smaller than this.
_ROUNDED = 2.0**-52
# Bounds are looked up for so many sizes.
_STEPS = 8192


@compiled
def power(base, exponent, one):  # pyright: ignore[reportMissingParameterType]
    """Raise a real or complex number to a whole power; `one` is 1 of its kind."""
    found, square, rest = one, base, exponent
    while rest > 0:
        if rest & 1:
            found *= square
        square *= square
        rest >>= 1
    return found


@compiled
def _size(
    members: int, chances: Array, first: float, second: float, firsts: Array, terms: Array
) -> float:
    """Bound the transform of the sum by those of a draw from either heap, and each case's part."""
    most = chances.size - 1
    usual = power(first, members - most, 1.0)
    for d in range(most, -1, -1):
        firsts[d] = usual
        usual *= first
    found, others = 0.0, 1.0
    for d in range(most + 1):
        term = chances[d] * firsts[d] * others
        terms[d] = term
        found += term
        others *= second
    return found


@compiled
def _add(
    out: Array, shift: int, real: Array, imag: Array, size: int, factor: float, factor_i: float
) -> None:
    """Add the real part of a number times a complex row to a row from somewhere on."""
    # Places that cannot be negative are not checked for it, so many are added at once.
    start = np.uint64(shift)
    for q in range(np.uint64(size)):
        out[start + q] += factor * real[q] - factor_i * imag[q]


@compiled
def _add_both(
    out: Array,
    out_i: Array,
    shift: int,
    real: Array,
    imag: Array,
    size: int,
    by: float,
    by_i: float,
) -> None:
    """Add a number times a complex row to a complex row from somewhere on."""
    start = np.uint64(shift)
    for q in range(np.uint64(size)):
        out[start + q] += by * real[q] - by_i * imag[q]
        out_i[start + q] += by * imag[q] + by_i * real[q]


@compiled
def _votes_of(
    out: Array,
    out_i: Array,
    nays: Array,
    nays_i: Array,
    yeas: Array,
    yeas_i: Array,
    d: int,
    high: int,
    start: int,
    stop: int,
    ways: Array,
    chance: float,
) -> None:
    """Write down terms of (no + yes z)^d from powers of no, up to `high` and falling, and of yes.

    The first one written is that of z^start.
    """
    row, first, ahead = np.uint64(d), np.uint64(start), np.uint64(high - d + start)
    for q in range(np.uint64(stop - start)):
        factor = chance * ways[row, first + q]
        r, i, s, t = nays[ahead + q], nays_i[ahead + q], yeas[first + q], yeas_i[first + q]
        out[q] = factor * (r * s - i * t)
        out_i[q] = factor * (r * t + i * s)


@compiled
def _rising(out: Array, out_i: Array, size: int, first: complex, ratio: complex) -> None:
    """Write down a geometric series, many terms at once; so that some are past its end."""
    one, lanes = first, np.uint64(_LANES)
    for q in range(lanes):
        out[q], out_i[q] = one.real, one.imag
        one *= ratio
    far = power(ratio, _LANES, complex(1.0, 0.0))
    by, by_i = far.real, far.imag
    for start in range(np.uint64(0), np.uint64(max(size - _LANES, 0)), lanes):
        for q in range(lanes):
            r, i = out[start + q], out_i[start + q]
            out[start + q + lanes] = r * by - i * by_i
            out_i[start + q + lanes] = r * by_i + i * by


@compiled
def _quick(chances: Array) -> Array:
    """Return bounds of the transform of the sum by that of a draw from the second heap.

    The k-th is good up to k / `_STEPS`.
    """
    out = np.empty(_STEPS + 2)
    for k in range(out.size):
        found = 0.0
        for d in range(chances.size - 1, -1, -1):
            found = found * (k / _STEPS) + chances[d]
        out[k] = found * (1.0 + 1e-12)
    return out


@compiled
def sizes(members: int, chances: Array, first: Array, second: Array) -> Array:
    """Return bounds of the transform of the sum by bounds of those of a draw from either heap.

    Parameters
    ----------
    members
        How many draws there are.
    chances
        The probability that d of them are from the second heap, for d = 0, 1, ...
    first, second
        Bounds of the transforms of one draw.
    """
    out = np.empty(first.size)
    firsts, terms = np.empty(chances.size), np.empty(chances.size)
    for f in range(first.size):
        out[f] = _size(members, chances, first[f], second[f], firsts, terms)
    return out


@compiled
def tallied(
    k: Array,
    near: Complex,
    far: Complex,
    share: float,
    count: int,
    passed: float,
    members: int,
    chances: Array,
    first_no: Complex,
    first_yes: Complex,
    no: Complex,
    yes: Complex,
    parts: Array,
    lows: Integers,
    highs: Integers,
    usual: Array,
    ways: Array,
    line: Array,
    sums: Array,
) -> None:
    """Add up Vaaler's weights times the transforms, for each number of votes.

    Parameters
    ----------
    k
        Frequencies; those that are not from 0 up to `count` are passed over.
    near, far
        The phases of both ends of the interval there.
    share
        The interval's part of the period.
    count
        How many frequencies there are in all.
    passed
        What is smaller than this is passed over: each frequency, and cases at either end.
    members, chances
        As in `sizes`.
    first_no, first_yes, no, yes
        The transforms of a draw from either heap, without and with a vote.
    parts
        The probabilities of no vote and of a vote of a draw from the first heap, and of one from
        the second one.
    lows, highs, usual
        If d draws are from the second heap, from which number on, and up to which, votes of the
        others are looked at, so that others have a probability of at most 2^-bits, for 0, 1, ...
        bits; and probabilities from the very first number on, shape (cases, numbers).
    ways
        Binomial coefficients, shape (cases, cases).
    line
        For each number of votes: what is found is added here.
    sums
        Added here is what lies next to both ends, the bounds of what was passed over, of what was
        summed, and how much work it was.
    """
    most, width = chances.size - 1, usual.shape[1]
    firsts, terms = np.empty(most + 1), np.empty(most + 1)
    nays, nays_i = np.zeros(most + 1), np.zeros(most + 1)
    yeas, yeas_i = np.zeros(most + 1), np.zeros(most + 1)
    yeas[0] = 1.0
    own, own_i = np.zeros(most + 1), np.zeros(most + 1)
    short, short_i = np.zeros((most + 1, most + 1)), np.zeros((most + 1, most + 1))
    other, other_i = np.empty(most + 1), np.empty(most + 1)
    voted, voted_i = np.zeros(width + 2 * _LANES), np.zeros(width + 2 * _LANES)
    others_no, others_no_i = np.zeros(width + 2 * _LANES), np.zeros(width + 2 * _LANES)
    run = np.zeros(line.size + _LANES)
    quick = _quick(chances)
    alone = parts[0] == 0.0 or parts[1] == 0.0
    scale_no, scale_yes = max(parts[0], 1e-300), max(parts[1], 1e-300)
    filled = 0
    for f in range(k.size):
        at = k[f]
        if at < 0 or at >= count:
            continue
        a, b, c, e = first_no[f], first_yes[f], no[f], yes[f]
        # The weight of k > 0 is at most 2 / (pi k), and of 0 at most 1; half of the Fejer sum adds
        # two ends' 1 / N.
        reach = 2.0 / (np.pi * max(at, 0.5)) + 2.0 / count
        bound = quick[min(int((abs(c) + abs(e)) * _STEPS) + 1, _STEPS + 1)]
        if reach * bound <= passed:
            sums[1] += reach * bound
            continue
        size = _size(members, chances, abs(a) + abs(b), abs(c) + abs(e), firsts, terms)
        if reach * size <= passed:
            sums[1] += reach * size
            continue
        # Only some cases matter here.
        low, high, spare = 0, most, 0.125 * passed / reach
        dropped = 0.0
        while low < high and dropped + terms[low] <= spare:
            dropped += terms[low]
            low += 1
        while low < high and dropped + terms[high] <= spare:
            dropped += terms[high]
            high -= 1
        sums[1] += reach * dropped
        # Transforms are rounded like numbers about 1, and each counts as often as it is a factor.
        unlike = 1.0
        if high > 0:
            unlike += 1.0 / max(abs(c) + abs(e), _ROUNDED)
        if high < members:
            unlike += 1.0 / max(abs(a) + abs(b), _ROUNDED)
        sums[2] += reach * size * unlike
        # Powers of the second heap's transforms, those without a vote from the last one on.
        nays[high], nays_i[high] = 1.0, 0.0
        for d in range(1, high + 1):
            r, i = nays[high - d + 1], nays_i[high - d + 1]
            nays[high - d] = r * c.real - i * c.imag
            nays_i[high - d] = r * c.imag + i * c.real
            r, i = yeas[d - 1], yeas_i[d - 1]
            yeas[d] = r * e.real - i * e.imag
            yeas_i[d] = r * e.imag + i * e.real
        # (a + b z)^(high - d) for the cases that matter.
        one = complex(1.0, 0.0)
        for d in range(high - low + 1):
            if alone:
                short[d, 0], short_i[d, 0] = one.real, one.imag
                one *= a + b
            elif d == 0:
                short[0, 0], short_i[0, 0] = 1.0, 0.0
            else:
                before, before_i = 0.0, 0.0
                for j in range(d + 1):
                    r = before * b.real - before_i * b.imag
                    i = before * b.imag + before_i * b.real
                    if j < d:
                        before, before_i = short[d - 1, j], short_i[d - 1, j]
                        r += before * a.real - before_i * a.imag
                        i += before * a.imag + before_i * a.real
                    short[d, j], short_i[d, j] = r, i
        # What the cases have in common comes last: here is the rest, by the votes.
        for j in range(high + 1):
            own[j], own_i[j] = 0.0, 0.0
        for d in range(low, high + 1):
            if chances[d] == 0.0:
                continue
            start = 0 if parts[2] > 0.0 else d
            stop = d + 1 if parts[3] > 0.0 else 1
            ahead = high - d
            _votes_of(
                other, other_i, nays, nays_i, yeas, yeas_i,
                d, high, start, stop, ways, chances[d],
            )  # fmt: skip
            for q in range(1 if alone else ahead + 1):
                shift = start + (ahead if alone and parts[1] > 0.0 else q)
                by, by_i = short[ahead, q], short_i[ahead, q]
                _add_both(own, own_i, shift, other, other_i, stop - start, by, by_i)
        left = members - high
        whole, whole_i = 0.0, 0.0
        for j in range(high + 1):
            whole += own[j]
            whole_i += own_i[j]
        all_usual = power(a + b, left, complex(1.0, 0.0))
        product = all_usual * complex(whole, whole_i)
        fold = (2.0 if at > 0 else 1.0) * (1.0 - at / count)
        sums[0] += fold * (product * (near[f] + far[f])).real
        if at > 0:
            part = at / count
            turn = np.pi * part
            taper = turn * (1.0 - part) / np.tan(turn) + part
            weight = (near[f] - far[f]) * complex(0.0, -taper / (np.pi * at))
        else:
            weight = complex(share, 0.0)
        if alone:
            weight *= all_usual
            base = left if parts[1] > 0.0 else 0
            _add(run, base, own, own_i, high + 1, weight.real, weight.imag)
            long = 1
        else:
            # Of the votes of the others those that matter.
            bound, others = 0.0, power(abs(c) + abs(e), low, 1.0)
            for d in range(low, high + 1):
                bound += chances[d] * others
                others *= abs(c) + abs(e)
            bits = 0
            while bound > spare and bits < lows.shape[1] - 1:
                bound *= 0.5
                bits += 1
            sums[1] += reach * spare
            base, top = lows[high, bits], highs[high, bits]
            long = top - base + 1
            nay, yea = a / scale_no, b / scale_yes
            _rising(voted, voted_i, long, weight * power(yea, base, complex(1.0, 0.0)), yea)
            _rising(others_no, others_no_i, long, power(nay, left - top, complex(1.0, 0.0)), nay)
            skip, last = np.uint64(base - lows[high, -1]), np.uint64(long - 1)
            row = usual[high]
            for m in range(np.uint64(long)):
                factor, r, i = row[skip + m], voted[m], voted_i[m]
                s, t = factor * others_no[last - m], factor * others_no_i[last - m]
                voted[m], voted_i[m] = r * s - i * t, r * t + i * s
            padded = -(-long // _LANES) * _LANES
            for m in range(long, padded):
                voted[m], voted_i[m] = 0.0, 0.0
            for j in range(high + 1):
                _add(run, base + j, voted, voted_i, padded, own[j], own_i[j])
            long = padded
        sums[3] += 64.0 + long * (2.0 + high) + (high - low + 1.0) * (high + 2.0)
        filled += 1
        if filled == _RUN:
            for j in range(line.size):
                line[j] += run[j]
                run[j] = 0.0
            filled = 0
    for j in range(line.size):
        line[j] += run[j]
