"""Which frequencies matter to members whose votes and values go together: told a few at a time.

Someone with two values, between which the price lies, says with the vote which one it is: the
transforms without and with a vote never fall, only their polynomial in the votes does, and the
more members, the more. So polynomials of a dozen members or more are measured one after the
other; at most frequencies nothing is left long before all members are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.program import Line, Program
from catallax.groups.sums.values.sieve import LOOKED_UP, Choice, share_of
from catallax.groups.sums.values.tables import Grid, Tables, Total

__all__ = ["Screen", "screen_of"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# How many members are measured together: the more, the closer, and the longer it takes.
_TOGETHER = (12, 24, 48)
# So many frequencies tell how soon nothing is left, and so many parts are looked at at most.
_SAMPLE, _MOST_PARTS = 1 << 11, 512
# With more values there would be no place for the phases, and few say what the vote is.
_MOST_VALUES = 1 << 14
# Whoever makes the rest smaller by less than this is not looked at.
_LEAST = 0.05
# Members are looked at until the rest is probably so many times smaller than it need be.
_SPARE = math.log(1e9)


class _Chunk(NamedTuple):
    """Members measured together: which parts, how many of each, and what is left after them."""

    parts: tuple[int, ...]
    counts: tuple[int, ...]
    silent: bool
    log_size: float


@dataclass(frozen=True, eq=False)
class Screen:
    """Some members, in the order in which they are looked at.

    Attributes
    ----------
    tables
        The phases of their values.
    program, ways, positions
        The steps, the binomial coefficients for them, and how many terms there is place for.
    costs
        How many nanoseconds a frequency takes that ends at each of the steps.
    close
        How many nanoseconds one takes that is kept.
    """

    tables: Tables
    program: Integers
    ways: Array
    positions: int
    costs: Array
    close: float

    def limit(self, reach: Array, block: int = 1) -> Array:
        """Return what may be dropped, as for a sieve."""
        return share_of(self.tables.total.passed, self.tables.total.count, reach, block)

    @cached_property
    def choice(self) -> Choice:
        """How much work a frequency is, and which part of them matters: from a sample."""
        count = self.tables.total.count
        size = min(_SAMPLE, count)
        k = np.unique(((np.arange(size) + 0.5) * (count / size)).astype(np.int64))
        ended, kept = np.zeros(len(self.program), dtype=np.int64), 0
        for grid in self.tables.some(k):
            kept += int(self._screened(grid, count, ended)[0].sum())
        share = kept / k.size
        cost = float(ended @ self.costs) / float(ended.sum()) + share * self.close
        return Choice(1, cost / LOOKED_UP, share)

    @property
    def least(self) -> float:
        """About how many numbers looked up a frequency takes, those included that are kept."""
        return self.choice.effort

    def kept(self, block: int, start: int, stop: int) -> tuple[Integers, float]:
        """Return which of some frequencies matter, and a bound of what the others add.

        Parameters
        ----------
        block
            Always 1.
        start, stop
            The first frequency, and the first one that is left out.
        """
        ended = np.zeros(len(self.program), dtype=np.int64)
        found, dropped = [np.zeros(0, dtype=np.int64)], 0.0
        stop = min(stop, self.tables.total.count)
        for first in range(start, stop, self.tables.stretch):
            last = min(first + self.tables.stretch, stop)
            grid = self.tables.all(first, last)
            matter, more = self._screened(grid, last, ended)
            rows, columns = np.nonzero(matter)
            found.append((grid.rows[rows] + grid.columns[columns]).astype(np.int64))
            dropped += more
        return np.concatenate(found), dropped

    def _screened(self, grid: Grid, stop: int, ended: Integers) -> tuple[NDArray[np.bool_], float]:
        from catallax.groups.sums.values.kernels_product import screened

        kept = np.zeros((grid.rows.size, grid.columns.size), dtype=np.bool_)
        dropped = screened(
            grid.rows, grid.columns, *grid.heads, *grid.tails, self.tables.starts, self.program,
            self.ways, self.positions, self.tables.total.count, float(stop),
            self.tables.total.passed, kept, ended,
        )  # fmt: skip
        return kept, float(dropped)


def screen_of(mixture: Mixture, total: Total, close: float) -> Screen | None:
    """Return the way to look at members that is the fastest; None where all would be kept.

    Parameters
    ----------
    mixture
        Members.
    total
        The interval, and all frequencies.
    close
        How many nanoseconds a frequency takes that is kept.
    """
    values = sum(part.draws.measure.atoms.size for part in mixture.parts)
    several = len(mixture.parts) > 1 and len(mixture.counts) == 1 and mixture.chances[0] >= 1.0
    if not several or values > _MOST_VALUES:
        return None
    found = [
        _screen(mixture.parts, chunks, total, close)
        for together in _TOGETHER
        if (chunks := _enough(mixture, total, together))
    ]
    return min(found, key=lambda one: one.least, default=None)


def _enough(mixture: Mixture, total: Total, together: int) -> list[_Chunk]:
    """Return members of whom there are probably enough that nothing is left; or nobody."""
    middle = np.array([2.0 / (math.pi * total.count / 2.0) + 2.0 / total.count])
    wanted = math.log(float((share_of(total.passed, total.count, middle) / middle)[0]))
    found: list[_Chunk] = []
    left, parts = 0.0, set[int]()
    for one in sorted(_chunks(mixture, together), key=lambda one: one.log_size / sum(one.counts)):
        parts.update(one.parts)
        if left < wanted - _SPARE or len(parts) > _MOST_PARTS or one.log_size > -_LEAST:
            break
        found.append(one)
        left += one.log_size
    return found if left < wanted else []


def _chunks(mixture: Mixture, together: int) -> Iterator[_Chunk]:
    """Put members together whose votes weigh as much, the most telling ones first."""
    open_: dict[int, list[tuple[int, int]]] = {}
    logs = [
        0.5 * math.log(sum(float(one.masses @ one.masses) for one in part.draws.split()))
        for part in mixture.parts
    ]
    for j in np.argsort(logs, kind="stable").tolist():
        part, left = mixture.parts[j], int(mixture.counts[0, j])
        no, yes = (one.atoms.size for one in part.draws.split())
        if part.weight == 0 or no == 0 or yes == 0:
            yield _Chunk((j,), (left,), True, logs[j] * left)
            continue
        while left:
            some = open_.setdefault(part.weight, [])
            more = min(left, together - sum(count for _, count in some))
            some.append((j, more))
            left -= more
            if sum(count for _, count in some) == together:
                yield _joined(open_.pop(part.weight), logs)
    for some in open_.values():
        yield _joined(some, logs)


def _joined(some: list[tuple[int, int]], logs: list[float]) -> _Chunk:
    parts, counts = zip(*some, strict=True)
    size = sum(logs[j] * count for j, count in some) + 0.5 * math.log(1 + sum(counts))
    return _Chunk(parts, counts, False, size)


def _screen(parts: tuple[Part, ...], chunks: list[_Chunk], total: Total, close: float) -> Screen:
    """Write down the steps."""
    used = sorted({j for one in chunks for j in one.parts})
    at = {j: place for place, j in enumerate(used)}
    program, costs = Program(), list[float]()
    ways, seen = [np.zeros(0)], set[int]()
    for chunk in chunks:
        first = len(program.steps)
        for j, count in zip(chunk.parts, chunk.counts, strict=True):
            values = parts[j].draws.measure.atoms.size
            if chunk.silent:
                program.silent(at[j], count, values)
            elif j not in seen:
                program.transform(at[j], values)
            seen.add(j)
        if not chunk.silent:
            program.measure(_line(program, [at[j] for j in chunk.parts], chunk, len(used), ways))
        costs += [program.effort] * (len(program.steps) - first)
    return Screen(
        Tables([parts[j] for j in used], total), np.array(program.steps), np.concatenate(ways),
        program.positions, np.array(costs), close,
    )  # fmt: skip


def _line(program: Program, at: list[int], chunk: _Chunk, parts: int, ways: list[Array]) -> Line:
    """Multiply the members of a chunk."""
    alone = [j for j, count in zip(at, chunk.counts, strict=True) if count == 1]
    found = [program.triple(alone[i : i + 3], parts) for i in range(0, len(alone), 3)]
    for j, count in zip(at, chunk.counts, strict=True):
        if count > 1:
            found.append(program.power(j, count, sum(one.size for one in ways)))
            ways.append(special.binom(count, np.arange(count + 1)))
    return program.joined(found, 1)[0]
