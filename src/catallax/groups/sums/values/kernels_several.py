"""Draws of several kinds of members, but for what was listed of them: frequency by frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled
from catallax.groups.sums.values.kernels_tally import power

__all__ = ["limits", "sizes", "summed"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# So many frequencies are summed at once, and so many times before that is added to the rest.
_LANES, _RUN = 16, 64
# What differs from 1 by rounding only.
_ONE = 1.0 - 1e-13


@compiled
def _rest_size(
    members: Integers,
    chances: Array,
    listed: Integers,
    firsts: Array,
    seconds: Array,
    tables: Array,
    whole: Array,
) -> float:
    """Bound what is not listed of the sum's transform, and all of the transform of each kind."""
    some, rest, steps = 1.0, 0.0, tables.shape[2] - 2
    for j in range(members.size):
        kept, left = 0.0, 0.0
        if firsts[j] > _ONE:
            at = min(int(seconds[j] * steps) + 1, steps + 1)
            kept, left = tables[j, 0, at], tables[j, 1, at]
        else:
            last = min(chances.shape[1] - 1, members[j])
            usual = 1.0
            for _ in range(members[j] - last):
                usual *= firsts[j]
            # Horner's scheme, from the case with most draws that are not usual on.
            for d in range(last, -1, -1):
                term = chances[j, d] * usual
                kept = kept * seconds[j] + (term if d <= listed[j] else 0.0)
                left = left * seconds[j] + (0.0 if d <= listed[j] else term)
                usual *= firsts[j]
        whole[j] = kept + left
        rest = rest * whole[j] + some * left
        some *= kept
    return rest


@compiled
def sizes(
    members: Integers,
    chances: Array,
    listed: Integers,
    firsts: Array,
    seconds: Array,
    tables: Array,
) -> Array:
    """Bound the transform of the sum, but for what is listed, by those of single draws.

    Parameters
    ----------
    members
        How many there are of each kind.
    chances
        The probability that d of their draws are not usual, for d = 0, 1, ...; shape (kinds, d).
    listed
        What is listed: no kind has more unusual draws than this.
    firsts, seconds
        Bounds of the transforms of a usual draw and of another one, shape (kinds, frequencies).
    tables
        For each kind, bounds of the part that is listed, of the other one, and of the cases of
        more than d unusual draws for all d; for usual draws with a transform of 1, and others with
        one of up to k / steps. Shape (kinds, 2 + d, steps + 2).
    """
    out, whole = np.empty(firsts.shape[1]), np.empty(members.size)
    for f in range(out.size):
        out[f] = _rest_size(members, chances, listed, firsts[:, f], seconds[:, f], tables, whole)
    return out


@compiled
def limits(
    members: Integers,
    chances: Array,
    listed: Integers,
    firsts: Array,
    seconds: Array,
    tables: Array,
    spare: Array,
    highs: Integers,
) -> Array:
    """Find up to which number of unusual draws of each kind matters at each frequency.

    Parameters
    ----------
    members, chances, listed, firsts, seconds, tables
        As for `sizes`.
    spare
        How much of the transform may be left out.
    highs
        The numbers are written here, shape (kinds, frequencies).

    Returns
    -------
    ndarray
        Bounds of what is left out.
    """
    kinds, steps = members.size, tables.shape[2] - 2
    out, whole = np.zeros(firsts.shape[1]), np.empty(members.size)
    for f in range(out.size):
        _rest_size(members, chances, listed, firsts[:, f], seconds[:, f], tables, whole)
        for j in range(kinds):
            others = 1.0
            for i in range(kinds):
                if i != j:
                    others *= whole[i]
            at, high = min(int(seconds[j, f] * steps) + 1, steps + 1), 0
            last = min(chances.shape[1] - 1, members[j])
            while high < last and tables[j, 2 + high, at] * others > spare[f] / kinds:
                high += 1
            highs[j, f] = high
            out[f] += tables[j, 2 + high, at] * others
    return out


@compiled
def _times_line(real: Array, imag: Array, degree: int, c: Array, e: Array) -> None:
    """Multiply polynomials, one in each lane, by no + yes z; rows of c, e are (real, imag)."""
    for q in range(degree + 1, -1, -1):
        for t in range(_LANES):
            r, i = 0.0, 0.0
            if q <= degree:
                r = real[q, t] * c[0, t] - imag[q, t] * c[1, t]
                i = real[q, t] * c[1, t] + imag[q, t] * c[0, t]
            if q > 0:
                r += real[q - 1, t] * e[0, t] - imag[q - 1, t] * e[1, t]
                i += real[q - 1, t] * e[1, t] + imag[q - 1, t] * e[0, t]
            real[q, t], imag[q, t] = r, i


@compiled
def _add_product(
    out: Array, out_i: Array, a: Array, a_i: Array, first: int, b: Array, b_i: Array, second: int,
    stride: int,
) -> None:  # fmt: skip
    """Add products of polynomials; of the second one only some powers are there."""
    # Places that cannot be negative are not checked for it, so many are added at once.
    lanes, step = np.uint64(_LANES), np.uint64(stride)
    for p in range(np.uint64(first + 1)):
        for q in range(np.uint64(second + 1)):
            at = p + step * q
            for t in range(lanes):
                r, i, x, y = a[p, t], a_i[p, t], b[q, t], b_i[q, t]
                out[at, t] += r * x - i * y
                out_i[at, t] += r * y + i * x


@compiled
def summed(
    members: Integers,
    weights: Integers,
    chances: Array,
    listed: Integers,
    favour: Integers,
    usual: Complex,
    no: Complex,
    yes: Complex,
    highs: Integers,
    factors: Complex,
    edges: Complex,
    line: Array,
    sums: Array,
) -> None:
    """Add up factors times the transform of what is not listed, for each total of votes.

    Parameters
    ----------
    members, chances, listed
        As for `sizes`.
    weights
        Of each kind's votes.
    favour
        1 where usual draws are in favour, else 0.
    usual, no, yes
        The transforms of a usual draw, and of another one without and with a vote; shape (kinds,
        frequencies).
    highs
        As found by `limits`; the fewer differ from their neighbours the better.
    factors, edges
        Vaaler's weights, and the phases of both ends with Fejer's weights.
    line
        For each total of votes: what is found is added here.
    sums
        Added here is what lies next to both ends, and how much work it was.
    """
    kinds, count = members.size, factors.size
    most, longest = int(highs.max()) + 2, 2
    for j in range(kinds):
        longest += int(weights[j] * (highs[j].max() + 1))
    kept, kept_i = np.zeros((most, _LANES)), np.zeros((most, _LANES))
    left, left_i = np.zeros((most, _LANES)), np.zeros((most, _LANES))
    some, some_i = np.zeros((longest, _LANES)), np.zeros((longest, _LANES))
    rest, rest_i = np.zeros((longest, _LANES)), np.zeros((longest, _LANES))
    more, more_i = np.zeros((longest, _LANES)), np.zeros((longest, _LANES))
    c, e = np.zeros((2, _LANES)), np.zeros((2, _LANES))
    powers, turns = np.ones((most, _LANES), dtype=np.complex128), np.ones(_LANES, np.complex128)
    at = np.zeros(_LANES, dtype=np.int64)
    run, filled = np.zeros(line.size), 0
    for start in range(0, count, _LANES):
        for t in range(_LANES):
            at[t] = min(start + t, count - 1)
            turns[t] = 1.0 if start + t < count else 0.0
        some[0], some_i[0], rest[0], rest_i[0] = 1.0, 0.0, 0.0, 0.0
        degree, base, work = 0, 0, 16
        for j in range(kinds):
            high = 0
            for t in range(_LANES):
                f = at[t]
                high = max(high, highs[j, f])
                c[0, t], c[1, t] = no[j, f].real, no[j, f].imag
                e[0, t], e[1, t] = yes[j, f].real, yes[j, f].imag
            common = members[j] - high
            for t in range(_LANES):
                one = usual[j, at[t]]
                turns[t] *= power(one, common, complex(1.0, 0.0))
                for d in range(1, high + 1):
                    powers[d, t] = powers[d - 1, t] * one
            base += weights[j] * common * favour[j]
            # All cases that matter have the usual draws of the others in common.
            kept[:], kept_i[:], left[:], left_i[:] = 0.0, 0.0, 0.0, 0.0
            for d in range(high, -1, -1):
                if d < high:
                    if high > listed[j]:
                        _times_line(left, left_i, high - d - 1, c, e)
                    if d < listed[j]:
                        _times_line(kept, kept_i, high - d - 1, c, e)
                place = (high - d) * favour[j]
                for t in range(_LANES):
                    r = chances[j, d] * powers[high - d, t].real
                    i = chances[j, d] * powers[high - d, t].imag
                    if d <= listed[j]:
                        kept[place, t] += r
                        kept_i[place, t] += i
                    else:
                        left[place, t] += r
                        left_i[place, t] += i
            # What is not listed: of this kind, or of those before.
            stride = weights[j]
            for q in range(degree + stride * high + 1):
                more[q], more_i[q] = 0.0, 0.0
            _add_product(more, more_i, some, some_i, degree, left, left_i, high, stride)
            if j > 0:
                for q in range(high + 1):
                    for t in range(_LANES):
                        left[q, t] += kept[q, t]
                        left_i[q, t] += kept_i[q, t]
                _add_product(more, more_i, rest, rest_i, degree, left, left_i, high, stride)
            rest, rest_i, more, more_i = more, more_i, rest, rest_i
            work += (high + 1) * (high + 2 * (degree + 1))
            if j < kinds - 1:
                for q in range(degree + stride * high + 1):
                    more[q], more_i[q] = 0.0, 0.0
                _add_product(more, more_i, some, some_i, degree, kept, kept_i, high, stride)
                some, some_i, more, more_i = more, more_i, some, some_i
            degree += stride * high
        for t in range(_LANES):
            f = at[t]
            factor, whole = turns[t] * factors[f], complex(0.0, 0.0)
            for q in range(degree + 1):
                run[base + q] += factor.real * rest[q, t] - factor.imag * rest_i[q, t]
                whole += complex(rest[q, t], rest_i[q, t])
            sums[0] += (turns[t] * edges[f] * whole).real
        sums[1] += work * _LANES
        filled += 1
        if filled == _RUN or start + _LANES >= count:
            for q in range(line.size):
                line[q] += run[q]
                run[q] = 0.0
            filled = 0
