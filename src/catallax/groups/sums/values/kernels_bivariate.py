"""The transform of votes and values together, summed where it is not small: box by box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled

__all__ = ["summed_in_boxes"]

Array = NDArray[np.float64]
Short = NDArray[np.float32]
Integers = NDArray[np.int64]
Angles = NDArray[np.uint32]

# So many boxes are looked at at once; they are divided into so many parts.
_LANES, _DIVIDED = 64, 4
# So many pairs of frequencies are summed at once.
_PAIRS = 16
# So many members are multiplied at once; after them what is left is looked at.
_SOME = 4
# Short numbers are rounded some times for each member, and products near zero by this.
_SHORT, _CLOSE = 1.0 + 2.0**-20, 1e-14
# Of so few pairs all are summed, and angles are rounded to parts of 2^32 of a turn.
_FEW, _ANGLE = 8, 2.0**-24
_TURN, _HALF = 2.0**32, np.float32(2.0**-31)
_ZERO, _ONE, _BEND = np.float32(0.0), np.float32(1.0), np.float32(0.383)
# What is smaller is taken to be this, so that no number is too small to be told from nothing.
_LEAST = np.float32(1e-30)


@compiled
def _square(
    start: np.uint32, pace: np.uint32, at: np.uint32, slack: np.float32, least: np.float32,
    most: np.float32,
) -> np.float32:  # fmt: skip
    """Bound the squared size of p + q e^(i angle).

    It is (p - q)^2 + 4 p q cos^2(angle / 2), and for y = angle / pi up to 1 in size the squared
    cosine is at most (1 - y^2)^2 (1 - 0.383 y^2).
    """
    y = abs(np.float32(np.int32(np.uint32(start + pace * at)))) * _HALF - slack
    y = y if y > _ZERO else _ZERO
    y *= y
    rest = _ONE - y
    return least + most * (rest * rest * (_ONE - _BEND * y))


@compiled
def _multiplied(
    i: int, start: Angles, pace: Angles, at: Angles, slack: Short, least: Short, most: Short,
    bound: Short,
) -> None:  # fmt: skip
    """Multiply the bounds of four members, one for each box."""
    j, k, m = i + 1, i + 2, i + 3
    a, b, c, d = start[i], start[j], start[k], start[m]
    e, f, g, h = pace[i], pace[j], pace[k], pace[m]
    p, q, r, s = slack[i], slack[j], slack[k], slack[m]
    t, u, v, w = least[i], least[j], least[k], least[m]
    x, y, z, o = most[i], most[j], most[k], most[m]
    for lane in range(_LANES):
        place = at[lane]
        both = _square(a, e, place, p, t, x) * _square(b, f, place, q, u, y)
        both *= _square(c, g, place, r, v, z) * _square(d, h, place, s, w, o)
        both *= bound[lane]
        bound[lane] = both if both > _LEAST else _LEAST


@compiled
def _bounded(
    at: Angles, start: Angles, pace: Angles, slack: Short, least: Short, most: Short,
    limit: np.float32, bound: Short,
) -> int:  # fmt: skip
    """Bound the squared size of the product in each box, until none is above the limit.

    Returns how many members were multiplied; none of the boxes matters if it is negative.
    """
    bound[:] = _ONE
    for i in range(0, start.size, _SOME):
        _multiplied(i, start, pace, at, slack, least, most, bound)
        larger = np.int32(0)
        for lane in range(_LANES):
            larger |= np.int32(bound[lane] > limit)
        if larger == 0:
            return -i - _SOME
    return start.size


@compiled
def _divided(
    level: int, every: int, start: Angles, pace: Angles, slacks: Array, weights: Array,
    least: Short, most: Short, limit: np.float32, boxes: Angles, spare: Angles, work: Integers,
) -> int:  # fmt: skip
    """Write down at which frequencies of the votes the product may be larger than the limit.

    All boxes in which it may be are divided, from those of two to the power of the level on.
    Returns how many frequencies there are.
    """
    at, bound = np.zeros(_LANES, dtype=np.uint32), np.zeros(_LANES, dtype=np.float32)
    slack = np.zeros(start.size, dtype=np.float32)
    wide, filled = 1 << level, every >> level
    first, second = boxes, spare
    for t in range(filled):
        first[t] = t
    while filled:
        for i in range(start.size):
            slack[i] = slacks[i] + weights[i] * (wide - 1)
        first[filled : filled + _LANES] = 0
        more, parts = 0, min(_DIVIDED, wide)
        for head in range(0, filled, _LANES):
            for t in range(_LANES):
                at[t] = np.uint32(2 * wide) * first[head + t] + np.uint32(wide - 1)
            found = _bounded(at, start, pace, slack, least, most, limit, bound)
            work[0] += abs(found)
            if found < 0:
                continue
            for t in range(min(_LANES, filled - head)):
                if bound[t] > limit:
                    for part in range(parts):
                        second[more] = np.int64(first[head + t]) * parts + part
                        more += 1
        first, second, filled = second, first, more
        if wide == 1:
            break
        wide //= parts
    if filled:
        boxes[:filled] = first[:filled].copy()
    return filled


@compiled
def _chosen(
    boxes: Angles, filled: int, start: Angles, pace: Angles, slacks: Array, least: Short,
    most: Short, limit: np.float32, chosen: Angles, work: Integers,
) -> int:  # fmt: skip
    """Write down at which of some frequencies of the votes the product may be above the limit."""
    at, bound = np.zeros(_LANES, dtype=np.uint32), np.zeros(_LANES, dtype=np.float32)
    slack = slacks.astype(np.float32)
    more = 0
    for head in range(0, filled, _LANES):
        size = min(_LANES, filled - head)
        at[:] = 0
        for t in range(size):
            at[t] = np.uint32(2) * boxes[head + t]
        found = _bounded(at, start, pace, slack, least, most, limit, bound)
        work[0] += abs(found)
        if found < 0:
            continue
        for t in range(size):
            if bound[t] > limit:
                chosen[more] = boxes[head + t]
                more += 1
    return more


@compiled
def _transforms(
    k: float, parts: Integers, value_turns: Array, masses: Array, starts: Integers, real: Array,
    imag: Array,
) -> None:  # fmt: skip
    """Write down the transforms of some parts, without and with a vote, at one frequency."""
    for part in parts:
        for side in range(2 * part, 2 * part + 2):
            x, y = 0.0, 0.0
            for v in range(starts[side], starts[side + 1]):
                # 24 bits of the turns times a frequency are exact.
                upper = np.floor(value_turns[v] * 2.0**24 + 0.5) / 2.0**24
                turn = k * upper
                angle = 2.0 * np.pi * (turn - np.floor(turn) + k * (value_turns[v] - upper))
                x += masses[v] * np.cos(angle)
                y += masses[v] * np.sin(angle)
            real[side], imag[side] = x, y


@compiled
def _prepared(
    k: float, half: float, turns: Array, parts: Integers, paces: Array, least: Short, most: Short,
    real: Array, imag: Array, start: Angles, slack: Array, low: Short, more: Short,
) -> None:  # fmt: skip
    """Write down what bounds the transform of each member near a frequency, up to half a block off.

    Where a member has one value each without a vote and with it, only the angle between moves; the
    other transforms move by no more than their pace, and (a + b)^2 is at most
    a^2 (1 + b) + b (1 + b) for a, b >= 0.
    """
    for i in range(turns.size):
        part = parts[i]
        if part < 0:
            turn = k * turns[i]
            turn -= np.floor(turn)
            slack[i] = 2.0 * half * abs(turns[i]) + _ANGLE
            low[i], more[i] = least[i], most[i]
        else:
            a, b, c, d = real[2 * part], imag[2 * part], real[2 * part + 1], imag[2 * part + 1]
            no, yes, moved = np.sqrt(a * a + b * b), np.sqrt(c * c + d * d), half * paces[i]
            turn = np.arctan2(a * d - b * c, a * c + b * d) / (2.0 * np.pi)
            turn -= np.floor(turn)
            slack[i] = _ANGLE
            grown = _SHORT * (1.0 + moved)
            low[i] = grown * ((no - yes) * (no - yes) + moved) + _CLOSE
            more[i] = grown * 4.0 * no * yes
        start[i] = np.uint32(np.int64(turn * _TURN) & 0xFFFFFFFF)


@compiled
def _products(
    chosen: Angles, head: int, size: int, real: Array, imag: Array, votes: Integers,
    counts: Integers, circle: Array, circle_i: Array, x: Array, y: Array,
) -> None:  # fmt: skip
    """Multiply the transforms of all members at some frequencies of the votes, one in each lane."""
    mask = np.uint32(circle.size - 1)
    e, f = np.zeros(_PAIRS), np.zeros(_PAIRS)
    at = np.zeros(_PAIRS, dtype=np.uint32)
    at[:size] = chosen[head : head + size]
    x[:], y[:] = 1.0, 0.0
    for i in range(counts.size):
        vote = np.uint32(votes[i] & np.int64(mask))
        a, b, c, d = real[2 * i], imag[2 * i], real[2 * i + 1], imag[2 * i + 1]
        for t in range(_PAIRS):
            turn = np.uint32(vote * at[t]) & mask
            e[t], f[t] = circle[turn], circle_i[turn]
        for _ in range(counts[i]):
            for t in range(_PAIRS):
                one, two = a + c * e[t] - d * f[t], b + c * f[t] + d * e[t]
                p, q = x[t], y[t]
                x[t] = p * one - q * two
                y[t] = p * two + q * one


@compiled
def summed_in_boxes(
    first: int,
    block: int,
    sizes: Array,
    limits: Array,
    stop: int,
    count: int,
    share: float,
    turns: Array,
    various: Integers,
    paces: Array,
    votes_paces: Angles,
    weights: Array,
    least: Short,
    most: Short,
    shares: Array,
    longer: float,
    value_turns: Array,
    masses: Array,
    starts: Integers,
    votes: Integers,
    counts: Integers,
    circle: Array,
    circle_i: Array,
    line: Array,
    line_i: Array,
    sums: Array,
    work: Integers,
) -> None:
    """Add up Vaaler's weights times the transforms, at each frequency of the votes.

    Pairs of frequencies, of the values and of the votes, are passed over where bounds say that
    they are small, box by box.

    Parameters
    ----------
    first, block
        The first frequency, and how many there are in a block: an odd number.
    sizes
        Up to what the transforms in a block add up, weighted, if all are 1.
    limits
        What may be passed over in each.
    stop, count
        The first frequency that is not summed, and how many there are in all.
    share
        The interval's part of the period.
    turns
        How many turns the values of a telling member are apart at the frequency 1.
    various
        The part of each member who is not; -1 for telling ones.
    paces
        By how much the transforms of these move at most from one frequency to the next.
    votes_paces
        How many parts of 2^32 of a turn the votes of each member are apart at half a frequency of
        the votes.
    weights
        How many half turns they are apart at half a frequency.
    least, most
        The squared size of a telling member's transform at an angle of pi, and how much more it is
        at 0.
    shares
        The weights of all frequencies of the votes before each, shape (frequencies + 1,).
    longer
        How much longer than alike the first boxes are on the side of the votes.
    value_turns, masses, starts
        The turns of all values and their probabilities, and where those of a part begin, without
        and with a vote; at last both ends of the interval.
    votes, counts
        The weight of each part's vote, and how many members it stands for.
    circle, circle_i
        The points of the circle at all frequencies of the votes.
    line, line_i
        Added here, shape (frequencies of the votes,).
    sums
        Added here is what lies next to both ends, a bound of what was passed over, and the sizes
        of all pairs that are summed, weighted.
    work
        How many bounds were multiplied, pairs were summed, and frequencies looked at, is added.
    """
    every, parts = shares.size - 1, counts.size
    size = turns.size
    start, slack = np.zeros(size, dtype=np.uint32), np.zeros(size)
    low, more = np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)
    boxes, spare = np.zeros(every + _LANES, np.uint32), np.zeros(every + _LANES, np.uint32)
    closer = boxes.copy()
    # The last part are the ends of the interval.
    real, imag = np.zeros(2 * parts + 2), np.zeros(2 * parts + 2)
    whole, others = np.arange(parts + 1), np.unique(various[various >= 0])
    x, y = np.zeros(_PAIRS), np.zeros(_PAIRS)
    apart = np.median(np.abs(turns)) * every / max(np.median(weights * every), 1.0)
    level, half = 0, 0.5 * (block - 1)
    while (1 << (level + 1)) <= min(longer * block * apart, every):
        level += 1
    for b in range(sizes.size):
        first_of = first + b * block
        if first_of >= stop:
            break
        sums[1] += limits[b]
        small = limits[b] / (sizes[b] * shares[every])
        limit = np.float32(small * small)
        middle = float(first_of + block // 2)
        _transforms(middle, others, value_turns, masses, starts, real, imag)
        _prepared(
            middle, half, turns, various, paces, least, most, real, imag, start, slack, low, more
        )
        filled = _divided(
            level, every, start, votes_paces, slack, weights, low, more, limit, boxes, spare, work
        )
        if filled == 0:
            continue
        for k in range(first_of, min(first_of + block, stop)):
            left = filled
            chosen = boxes
            if block > 1 and filled > _FEW:
                _transforms(float(k), others, value_turns, masses, starts, real, imag)
                _prepared(
                    float(k), 0.0, turns, various, paces, least, most, real, imag, start, slack,
                    low, more,
                )  # fmt: skip
                left = _chosen(
                    boxes, filled, start, votes_paces, slack, low, more, limit, closer, work
                )
                chosen = closer
            if left == 0:
                continue
            work[1] += left
            work[2] += 1
            _transforms(float(k), whole, value_turns, masses, starts, real, imag)
            near = complex(real[2 * parts], imag[2 * parts])
            far = complex(real[2 * parts + 1], imag[2 * parts + 1])
            weight = complex(share, 0.0)
            if k > 0:
                part = k / count
                angle = np.pi * part
                taper = angle * (1.0 - part) / np.tan(angle) + part
                weight = (near - far) * complex(0.0, -taper / (np.pi * k))
            reach = 2.0 / (np.pi * max(float(k), 0.5)) + 2.0 / count
            for head in range(0, left, _PAIRS):
                some = min(_PAIRS, left - head)
                _products(chosen, head, some, real, imag, votes, counts, circle, circle_i, x, y)
                for t in range(some):
                    j, one = np.int64(chosen[head + t]), complex(x[t], y[t])
                    if j == 0:
                        fold = (2.0 if k > 0 else 1.0) * (1.0 - k / count)
                        sums[0] += fold * (one * (near + far)).real
                    sums[2] += abs(one) * reach * (shares[j + 1] - shares[j])
                    one *= weight
                    line[j] += one.real
                    line_i[j] += one.imag
