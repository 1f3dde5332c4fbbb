"""Members of many kinds: the product of their transforms at many frequencies, compiled.

The polynomials in the votes, of members whose votes weigh as much, are multiplied two by two, like
with like, so that most of the work is a few products of long ones; of the last product only the
real part is needed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.draws.ballots import Terms, added
from catallax.groups.sums.draws.transform import phases
from catallax.groups.sums.values.mixture import Mixture, Part

__all__ = ["Added", "Frequencies", "Product", "Total", "product_of"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# Of more members alike the binomial coefficients would be too large, and of more totals of votes
# a Fourier transform is faster.
_MOST_ALIKE, _MOST_TOTALS = 512, 768
# What is at one place: a triple of parts, a power of one, a product, and one in powers of z.
_TRIPLE, _POWER, _MULTIPLY, _SPREAD = range(4)
# Zeros before and after each polynomial.
_BEFORE, _AFTER = 4, 12
# Nanoseconds that one product, a real part of one, one that is not among many, a value, a part and
# a frequency take.
_TILED, _REAL, _SINGLE, _VALUE, _PART, _OTHERS = 0.3, 0.2, 0.7, 0.45, 5.0, 40.0
# And a value at a frequency that is not one of a whole stretch, beside.
_GATHERED = 3.0
# Digits of frequencies; with many values shorter ones. And so many phases are gathered at once.
_BITS, _MANY, _FEW_BITS, _AT_ONCE = 10, 1 << 11, 6, 1 << 17
# With more values there would be no place for the phases.
_MOST_VALUES = 1 << 15
_ROUNDING = 2.0**-52


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


@dataclass(frozen=True)
class Total:
    """What the interval is, and the frequencies.

    Attributes
    ----------
    step
        Between frequencies.
    places, period
        The interval, and what sums are taken modulo.
    count
        How many frequencies there are in all.
    passed
        What those that are passed over may add, of all of them together.
    """

    step: float
    places: Sequence[float]
    period: float
    count: int
    passed: float


@dataclass(frozen=True, eq=False)
class Added:
    """What was added up.

    Attributes
    ----------
    terms
        For each total of votes; the error is that of rounding and of what was passed over.
    beside
        What lies next to both ends.
    """

    terms: Terms
    beside: float


class _Program:
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


@dataclass(frozen=True, eq=False)
class Product:
    """Draws of members of many kinds, as the kernel takes them.

    Attributes
    ----------
    parts, counts
        The draws, and how many of each.
    base
        The votes of those who are always in favour.
    gauge, degree
        What the weights of all others are multiples of, and how many of it they have together.
    votes, silent
        The parts of these others, and all other parts.
    program, ways, positions
        How their polynomials are multiplied, the binomial coefficients for it, and how many terms
        there is place for.
    work
        About how many nanoseconds a frequency takes.
    """

    parts: tuple[Part, ...]
    counts: tuple[int, ...]
    base: int
    gauge: int
    degree: int
    votes: Integers
    silent: Integers
    program: Integers
    ways: Array
    positions: int
    work: float

    @property
    def values(self) -> int:
        """How many values there are, of members alike once."""
        return sum(part.draws.measure.atoms.size for part in self.parts)

    @property
    def kept(self) -> float:
        """About how many nanoseconds a frequency takes that is not one of a whole stretch."""
        return self.work + _GATHERED * self.values

    @property
    def steps(self) -> float:
        """Bound how often a term is rounded, and the weights beside."""
        values = sum(
            count * part.draws.measure.atoms.size
            for count, part in zip(self.counts, self.parts, strict=True)
        )
        # Values are added up, and phases and powers are rounded as often as there are members. In
        # products, and where totals are added up, each term is as often as it has neighbours.
        return values + 128.0 * sum(self.counts) + 18.0 * self.degree + 4096.0


class Frequencies:
    """The phases of all values, and of both ends of an interval, at many frequencies.

    A frequency is written with two digits and a rest; its phases are products of three.

    Parameters
    ----------
    product
        The draws.
    total
        The interval, and all frequencies.
    """

    def __init__(self, product: Product, total: Total) -> None:
        from catallax.groups.sums.values.kernels_product import LANES

        each = [(one, part.centre) for part in product.parts for one in part.draws.split()]
        values = np.concatenate([one.atoms - centre for one, centre in each])
        self.product, self.total = product, total
        self.starts = np.cumsum([0, *(one.atoms.size for one, _ in each)])
        self.masses = np.concatenate([*(one.masses for one, _ in each), [1.0, 1.0]])
        ends = [-place / total.period for place in total.places]
        self.turns = np.append(values * (total.step / (2.0 * math.pi)), ends)
        self.digit = 1 << (_BITS if self.turns.size <= _MANY else _FEW_BITS)
        digits = np.arange(self.digit, dtype=np.float64)
        self.low = phases(digits[:, None], self.turns)
        self.high = phases(self.digit * digits[:, None], self.turns)
        lanes = self.low.reshape(-1, LANES, self.turns.size).transpose(0, 2, 1)
        self.tails = _apart(lanes.reshape(lanes.shape[0], -1))
        self.tables = *_apart(self.high), *_apart(self.low)
        self.columns = digits

    @property
    def stretch(self) -> int:
        """How many frequencies share all but two digits."""
        return self.digit * self.digit

    def all(self, start: int, stop: int) -> Added:
        """Add up Vaaler's weights times the transforms, at all frequencies from one to another.

        Parameters
        ----------
        start, stop
            The first one, and the first one that is left out, at most a `stretch` further.
        """
        heads = phases(float(start), self.turns) * self.masses * self.high
        rows = start + self.digit * self.columns[: -(-(stop - start) // self.digit)]
        return self._summed(rows, self.columns, heads, self.tails, stop)

    def at(self, k: Integers) -> Added:
        """Add up the same at some frequencies.

        Parameters
        ----------
        k
            Whole numbers, ascending; what is not a frequency is passed over.
        """
        from catallax.groups.sums.values.kernels_product import LANES, gathered

        k = k[(k >= 0) & (k < self.total.count)]
        found = []
        most = max(LANES, _AT_ONCE // self.turns.size)
        for stretch in np.unique(k // self.stretch).tolist():
            start = stretch * self.stretch
            inside = k[np.searchsorted(k, start) : np.searchsorted(k, start + self.stretch)] - start
            head = (phases(float(start), self.turns) * self.masses)[None]
            for first in range(0, inside.size, most):
                some = inside[first : first + most]
                groups = -(-some.size // LANES)
                tails = np.empty((2, groups, self.turns.size * LANES))
                tails[:, -1] = 0.0
                gathered(*self.tables, *np.divmod(some, self.digit), *tails)
                columns = np.full(groups * LANES, math.nan)
                columns[: some.size] = some
                rows = np.array([float(start)])
                found.append(self._summed(rows, columns, head, tails, self.total.count))
        error = sum(one.terms.error for one in found)
        whole = added([one.terms for one in found])
        return Added(replace(whole, error=error), math.fsum(one.beside for one in found))

    def _summed(
        self, rows: Array, columns: Array, heads: Complex, tails: Iterable[Array], stop: int
    ) -> Added:
        from catallax.groups.sums.values.kernels_product import summed

        one, total = self.product, self.total
        line, sums = np.zeros(1 + one.degree), np.zeros(4)
        share = (total.places[1] - total.places[0]) / total.period
        summed(
            rows, columns, *_apart(heads), *tails, self.starts, np.array(one.counts),
            one.votes, one.silent, one.program, one.ways, one.positions,
            share, total.count, float(min(stop, total.count)), total.passed, line, sums,
        )  # fmt: skip
        spread = np.zeros(one.degree * one.gauge + 1)
        spread[:: one.gauge] = line
        error = float(sums[1]) + _ROUNDING * one.steps * float(sums[2])
        return Added(Terms(one.base, spread, error), float(sums[0]))


def _apart(waves: Complex) -> tuple[Array, Array]:
    return np.ascontiguousarray(waves.real), np.ascontiguousarray(waves.imag)


def product_of(mixture: Mixture) -> Product | None:
    """Return what the kernel takes; None for more cases than one, or too many members.

    Parameters
    ----------
    mixture
        Draws from values.
    """
    counts = tuple(mixture.counts[0].tolist())
    values = sum(part.draws.measure.atoms.size for part in mixture.parts)
    if mixture.chances.size > 1 or mixture.chances[0] != 1.0:
        return None
    if min(counts) < 1 or max(counts) > _MOST_ALIKE or values > _MOST_VALUES:
        return None
    base, silent, by_weight = 0, [], dict[int, list[int]]()
    for j, (part, count) in enumerate(zip(mixture.parts, counts, strict=True)):
        no, yes = (one.atoms.size for one in part.draws.split())
        if part.weight == 0 or no == 0 or yes == 0:
            base += part.weight * count if yes and not no else 0
            silent.append(j)
        else:
            by_weight.setdefault(part.weight, []).append(j)
    gauge = math.gcd(*by_weight) or 1
    votes = sorted(j for some in by_weight.values() for j in some)
    degree = sum(counts[j] * mixture.parts[j].weight for j in votes) // gauge
    if degree >= _MOST_TOTALS:
        return None
    program = _Program()
    ways = program.write({weight // gauge: some for weight, some in by_weight.items()}, counts)
    work = program.effort + _VALUE * values + _PART * len(counts) + _OTHERS
    return Product(
        mixture.parts, counts, base, gauge, degree, np.array(votes, dtype=np.int64),
        np.array(silent, dtype=np.int64), np.array(program.steps), ways, program.positions, work,
    )  # fmt: skip
