"""Members of many kinds: the product of their transforms at many frequencies, compiled.

Of the last product of polynomials in the votes only the real part is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Terms, added
from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.program import PART, VALUE, Program
from catallax.groups.sums.values.tables import Grid, Tables, Total

__all__ = ["Added", "Frequencies", "Product", "product_of"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Of more members alike the binomial coefficients would be too large, and of more totals of votes
# a Fourier transform is faster.
_MOST_ALIKE, _MOST_TOTALS = 512, 768
# Nanoseconds that a frequency takes beside, and a value where it is not one of a whole stretch.
_OTHERS, _GATHERED = 40.0, 3.0
# With more values there would be no place for the phases.
_MOST_VALUES = 1 << 15
_ROUNDING = 2.0**-52


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
    """The sums of Vaaler's weights times the transforms, at many frequencies.

    Parameters
    ----------
    product
        The draws.
    total
        The interval, and all frequencies.
    """

    def __init__(self, product: Product, total: Total) -> None:
        self.product, self.total = product, total
        self.tables = Tables(product.parts, total)

    @property
    def stretch(self) -> int:
        """How many frequencies are summed together."""
        return self.tables.stretch

    @property
    def work(self) -> float:
        """About how many nanoseconds a frequency takes."""
        return self.product.work

    @property
    def kept(self) -> float:
        """And one that is not one of a whole stretch."""
        return self.product.kept

    def all(self, start: int, stop: int) -> Added:
        """Add up all frequencies from one to another.

        Parameters
        ----------
        start, stop
            The first one, and the first one that is left out, at most a stretch of the tables
            further.
        """
        return self._summed(self.tables.all(start, stop), stop)

    def at(self, k: Integers) -> Added:
        """Add up some frequencies.

        Parameters
        ----------
        k
            Whole numbers, ascending; what is not a frequency is passed over.
        """
        found = [self._summed(grid, self.total.count) for grid in self.tables.some(k)]
        error = sum(one.terms.error for one in found)
        whole = added([one.terms for one in found])
        return Added(replace(whole, error=error), math.fsum(one.beside for one in found))

    def _summed(self, grid: Grid, stop: int) -> Added:
        from catallax.groups.sums.values.kernels_product import summed

        one, total = self.product, self.total
        line, sums = np.zeros(1 + one.degree), np.zeros(4)
        share = (total.places[1] - total.places[0]) / total.period
        summed(
            grid.rows, grid.columns, *grid.heads, *grid.tails, self.tables.starts,
            np.array(one.counts), one.votes, one.silent, one.program, one.ways, one.positions,
            share, total.count, float(min(stop, total.count)), total.passed, line, sums,
        )  # fmt: skip
        spread = np.zeros(one.degree * one.gauge + 1)
        spread[:: one.gauge] = line
        error = float(sums[1]) + _ROUNDING * one.steps * float(sums[2])
        return Added(Terms(one.base, spread, error), float(sums[0]))


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
    program = Program()
    ways = program.write({weight // gauge: some for weight, some in by_weight.items()}, counts)
    work = program.effort + VALUE * values + PART * len(counts) + _OTHERS
    return Product(
        mixture.parts, counts, base, gauge, degree, np.array(votes, dtype=np.int64),
        np.array(silent, dtype=np.int64), np.array(program.steps), ways, program.positions, work,
    )  # fmt: skip
