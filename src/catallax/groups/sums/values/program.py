"""How polynomials in the votes of members are multiplied: the steps that a kernel takes.

Those of members whose votes weigh as much are multiplied two by two, like with like, so that most
of the work is a few products of long ones.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Line", "Program"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# What a step writes: a triple of parts, a power of one, a product, and one in powers of z. The
# others find a part's transforms, and bound the rest by those of a part or by a polynomial.
_TRIPLE, _POWER, _MULTIPLY, _SPREAD, _PART, _SILENT, _MEASURE = range(7)
# Zeros before and after each polynomial.
_BEFORE, _AFTER = 4, 12
# Nanoseconds that one product, a real part of one, and one that is not among many take; and those
# of a value, and of a part beside.
_TILED, _REAL, _SINGLE = 0.3, 0.2, 0.7
VALUE, PART = 0.45, 5.0
"""Nanoseconds that a value takes at a frequency, and a part beside."""


class Line(NamedTuple):
    """A polynomial in the votes.

    Parameters
    ----------
    size
        How many terms it has.
    at
        Where the first one is.
    """

    size: int
    at: int


class Program:
    """How polynomials are multiplied: steps, and places for what they make."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, ...]] = []
        self.effort = 0.0
        self.positions = 0
        self.one = self.place(1)

    def place(self, size: int) -> Line:
        """Return where there is place for so many terms, with zeros about them."""
        at = self.positions + _BEFORE
        self.positions = at + size + _AFTER
        return Line(size, at)

    def triple(self, parts: Sequence[int], constant: int) -> Line:
        """Multiply up to three parts; `constant` is the number of the one that is 1."""
        line = self.place(4)
        i, j, k = (*parts, constant, constant)[:3]
        self.steps.append((_TRIPLE, line.at, i, j, k, 0, 0, 0))
        self.effort += 10 * _TILED
        return Line(1 + len(parts), line.at)

    def power(self, part: int, count: int, ways: int) -> Line:
        """Take a part as often as there are members."""
        line = self.place(count + 1)
        self.steps.append((_POWER, line.at, part, count, ways, 0, 0, 0))
        self.effort += 3 * count * _SINGLE
        return line

    def multiply(self, first: Line, second: Line) -> Line:
        """Multiply polynomials."""
        line = self.place(first.size + second.size - 1)
        self.steps.append((_MULTIPLY, line.at, first.at, first.size, second.at, second.size, 1, 1))
        self.effort += _TILED * _products(first.size, second.size)
        return line

    def spread(self, first: Line, stride: int, second: Line, more: int) -> Line:
        """Multiply polynomials in powers of z."""
        line = self.place((first.size - 1) * stride + (second.size - 1) * more + 1)
        ends = (first.at, first.size, second.at, second.size)
        self.steps.append((_SPREAD, line.at, *ends, stride, more))
        self.effort += _SINGLE * (first.size * second.size + line.size / 4)
        return line

    def finish(self, first: Line, second: Line) -> None:
        """Say of which product the real part is taken."""
        if first is self.one:
            first = self.spread(first, 1, first, 1)
        self.steps.append((_MULTIPLY, 0, first.at, first.size, second.at, second.size, 1, 1))
        self.effort += _REAL * _products(first.size, second.size)

    def transform(self, part: int, values: int) -> None:
        """Find the transforms of a part."""
        self.steps.append((_PART, 0, part, 0, 0, 0, 0, 0))
        self.effort += VALUE * values + PART / 2

    def silent(self, part: int, count: int, values: int) -> None:
        """Bound the rest by the transform of members whose votes are certain."""
        self.steps.append((_SILENT, 0, part, count, 0, 0, 0, 0))
        self.effort += VALUE * values + PART

    def measure(self, line: Line) -> None:
        """Bound the rest by a polynomial."""
        self.steps.append((_MEASURE, 0, line.at, line.size, 0, 0, 0, 0))
        self.effort += _SINGLE * line.size

    def write(self, by_weight: Mapping[int, Sequence[int]], counts: Sequence[int]) -> Array:
        """Multiply parts, given by the weight of their votes; return binomial coefficients."""
        ways = [np.zeros(0)]
        lines: dict[int, list[Line]] = {}
        for weight, some in sorted(by_weight.items()):
            alone = [j for j in some if counts[j] == 1]
            found = [self.triple(alone[i : i + 3], len(counts)) for i in range(0, len(alone), 3)]
            for j in some:
                if counts[j] > 1:
                    found.append(self.power(j, counts[j], sum(one.size for one in ways)))
                    ways.append(special.binom(counts[j], np.arange(counts[j] + 1)))
            # Of votes that all weigh the same the last product is left.
            lines[weight] = self.joined(found, 2 if len(by_weight) == 1 else 1)
        if len(lines) == 1:
            self.finish(*(*lines[1], self.one)[:2])
            return np.concatenate(ways)
        first = self.one
        for weight, (line,) in lines.items():
            first = self.spread(first, 1, line, weight)
        self.finish(first, self.one)
        return np.concatenate(ways)

    def joined(self, lines: Sequence[Line], left: int) -> list[Line]:
        """Multiply the shortest two, until so many are left."""
        heap = [(line.size, -line.at, line) for line in lines]
        heapq.heapify(heap)
        while len(heap) > left:
            second, first = heapq.heappop(heap)[2], heapq.heappop(heap)[2]
            both = self.multiply(first, second)
            heapq.heappush(heap, (both.size, -both.at, both))
        return [line for _, _, line in sorted(heap)]


def _products(size: int, other: int) -> int:
    """Count the products of terms of two polynomials, four of each at once."""
    return (size + 6) // 4 * 4 * ((other + 3) // 4 * 4)
