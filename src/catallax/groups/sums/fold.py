"""Sums of a few draws whose densities are steep: convolved as piecewise polynomials.

Two densities that are polynomials on cells are convolved exactly, at any point. The law of half of
the members is found so on cells of its own, finer and finer towards the points where it is steep;
what both halves reach together is one more such integral. Narrow peaks and poles that tie with the
total are no obstacle, for nothing is cut off a series.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from catallax.groups.sums.ballots import Terms
from catallax.groups.sums.blocks import Block, blocks_of, single_layers
from catallax.groups.sums.measure import FIT, NODES, POINTS, WEIGHTS, Measure
from catallax.groups.sums.voters import Voters

__all__ = ["FEW_CELLS", "fold_terms"]

Array = NDArray[np.float64]

_MOST_MEMBERS = 8
_MOST_BLOCKS = 64
_MOST_WORK, FEW_CELLS = 2e8, 4e6
_ROUNDING = 2.0**-52
_LEVELS = 1100
# A cell is fine enough if the last of its coefficients are this small, by themselves or in parts.
_RELATIVE, _ABSOLUTE = 1e-11, 1e-12
# What halving does not mend is the rounding of places, if it is as small as this.
_IDLE = 1e-7
_UNLIKE = 8.0
_SHARES = (1e-9, 1e-6, 1e-3, 0.1, 0.5, 0.9, 1 - 1e-3, 1 - 1e-6, 1 - 1e-9)
_SPOTS = legendre.leggauss(4)[0]
# The integrals of Legendre polynomials times the polynomial that is 1 at one of the spots.
_CUBICS = (2.0 / (2.0 * np.arange(4) + 1.0))[:, None] * np.linalg.inv(legendre.legvander(_SPOTS, 3))


class _TooMuchError(Exception):
    """The cells are too many."""


@dataclass(frozen=True, eq=False)
class _Law:
    """The law of a sum with one total of votes: atoms, and blocks of densities."""

    atoms: tuple[tuple[float, float], ...]
    blocks: tuple[Block, ...]

    @property
    def mass(self) -> float:
        return math.fsum([m for _, m in self.atoms] + [b.measure.cell_mass for b in self.blocks])


_Laws = dict[int, _Law]


class _Folder:
    """Convolutions within a budget, and what they have missed so far."""

    def __init__(self, slack: float, most: float) -> None:
        self.slack = slack
        self.most = most
        self.work = 0.0
        self.error = 0.0
        self.known: dict[tuple[object, ...], _Laws] = {}

    def integral(self, at: Array, block: Block, function: _Function) -> Array:
        """Return the integrals of the block's density times a function of what is missing."""
        from catallax.groups.sums.kernels import convolve

        measure = block.measure
        self.work += at.size * (measure.low.size + function.ends.size)
        if self.work > self.most:
            raise _TooMuchError
        few = measure.coefficients[:, :4] @ _CUBICS
        return np.asarray(
            convolve(
                at, measure.low, measure.high, np.ascontiguousarray(measure.coefficients), few,
                function.ends, function.coefficients, function.few, function.below, function.above,
                NODES, WEIGHTS, _SPOTS,
            )
        )  # fmt: skip

    def shift(self, to: float, first: Block, second: Block) -> float:
        """Return a place by its distance from the sum of two anchors; roundings are ties."""
        apart = math.fsum([to, -first.anchor, -second.anchor])
        return 0.0 if abs(apart) <= self.slack else apart

    # ------------------------------------------------------------------------------ whole laws

    def law(self, members: Sequence[Voters]) -> _Laws:
        """Return the laws of the sum for each total of votes."""
        key = tuple((one.prior, one.weight, one.price, one.sign) for one in members)
        if key not in self.known:
            if len(members) == 1:
                self.known[key] = _of_one(members[0])
            else:
                half = len(members) // 2
                self.known[key] = self.sum(self.law(members[:half]), self.law(members[half:]))
        return self.known[key]

    def sum(self, first: _Laws, second: _Laws) -> _Laws:
        """Return the laws of the sum of two independent sums."""
        found: dict[int, list[tuple[_Law, _Law]]] = {}
        for votes, one in first.items():
            for more, other in second.items():
                found.setdefault(votes + more, []).append((one, other))
        return {votes: self._together(pairs) for votes, pairs in found.items()}

    def _together(self, pairs: Sequence[tuple[_Law, _Law]]) -> _Law:
        atoms: dict[float, float] = {}
        blocks: list[Block] = []
        both: list[tuple[Block, Block]] = []
        for one, other in pairs:
            for a, mass in one.atoms:
                for b, more in other.atoms:
                    atoms[a + b] = atoms.get(a + b, 0.0) + mass * more
            for law, others in ((one.atoms, other.blocks), (other.atoms, one.blocks)):
                for value, mass in law:
                    blocks.extend(_moved(block, value, mass) for block in others)
            both.extend((a, b) for a in one.blocks for b in other.blocks)
        blocks.extend(self._convolved(both))
        if len(blocks) > _MOST_BLOCKS or len(atoms) > _MOST_BLOCKS**2:
            raise _TooMuchError
        return _Law(tuple(atoms.items()), tuple(blocks))

    def _convolved(self, pairs: Sequence[tuple[Block, Block]]) -> list[Block]:
        """Return the sum of the convolutions of pairs of blocks, around the sums of anchors."""
        pairs = [pair for pair in pairs if all(block.measure.low.size for block in pair)]
        if not pairs:
            return []
        anchors: list[float] = []
        for place in sorted(a.anchor + b.anchor for a, b in pairs):
            if not anchors or place - anchors[-1] > self.slack:
                anchors.append(place)
        turns = [-math.inf, *((a + b) / 2 for a, b in itertools.pairwise(anchors)), math.inf]
        functions = [_density(b) for _, b in pairs]
        found = []
        for anchor, start, end in zip(anchors, turns[:-1], turns[1:], strict=True):

            def height(at: Array, anchor: float = anchor) -> Array:
                total = np.zeros(at.size)
                for (a, b), function in zip(pairs, functions, strict=True):
                    total += self.integral(at + self.shift(anchor, a, b), a, function)
                return total

            seeds = np.concatenate(
                [
                    np.add.outer(_features(a), _features(b)).ravel() - self.shift(anchor, a, b)
                    for a, b in pairs
                ]
            )
            low, high = max(start - anchor, seeds.min()), min(end - anchor, seeds.max())
            seeds = np.unique(np.concatenate([seeds[(seeds > low) & (seeds < high)], [low, high]]))
            if low < 0 < high:
                seeds = np.unique(np.append(seeds, 0.0))
            if seeds.size > 1:
                found.append(Block(anchor, self._cells(height, seeds)))
        # What narrow place was overlooked is missing from the whole.
        whole = math.fsum(a.measure.cell_mass * b.measure.cell_mass for a, b in pairs)
        self.error += abs(whole - math.fsum(block.measure.cell_mass for block in found))
        return found

    def _cells(self, height: Callable[[Array], Array], seeds: Array) -> Measure:
        low, high = seeds[:-1], seeds[1:]
        done: list[tuple[Array, Array, Array]] = []
        before = np.full(low.size, math.inf)
        for level in range(_LEVELS):
            half = (high - low) / 2
            at = (low + half)[:, None] + half[:, None] * NODES
            series = (height(at.ravel()).reshape(at.shape) * half[:, None]) @ FIT.T
            last = np.abs(series[:, -4:]).sum(axis=1)
            size = np.abs(series).max(axis=1)
            middle = low + half
            ended = (level == _LEVELS - 1) | ~((low < middle) & (middle < high))
            idle = (last <= _IDLE * size) & (last >= np.minimum(before, 1e3) * size / 4)
            good = (last <= _RELATIVE * size) | (size <= _ABSOLUTE) | idle | ended
            self.error += float(np.where(size <= _ABSOLUTE, size, 2.0 * last)[good].sum())
            done.append((low[good], high[good], series[good]))
            low, high, middle = low[~good], high[~good], middle[~good]
            if not low.size:
                break
            before = np.tile(last[~good] / np.maximum(size[~good], 1e-300), 2)
            low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        first, second, series = (np.concatenate([one[k] for one in done]) for k in range(3))
        order = np.argsort(first)
        none = np.empty(0)
        layer = np.zeros(order.size, dtype=np.int64)
        return Measure(none, none, first[order], second[order], series[order], layer)

    # ---------------------------------------------------------------------------------- the end

    def reached(self, one: _Law, other: _Law, total: float) -> float:
        """Return P(sum >= total) of two laws."""
        parts = []
        for a, mass in one.atoms:
            parts.extend(mass * more for b, more in other.atoms if a + b >= total - self.slack)
        for law, others in ((one.atoms, other.blocks), (other.atoms, one.blocks)):
            for value, mass in law:
                for block in others:
                    apart = math.fsum([total, -value, -block.anchor])
                    apart = 0.0 if abs(apart) <= self.slack else apart
                    parts.append(mass * block.measure.restricted(start=apart).cell_mass)
        for b in other.blocks:
            tail = _tail(b)
            for a in one.blocks:
                at = np.array([self.shift(total, a, b)])
                parts.append(float(self.integral(at, a, tail)[0]))
        return math.fsum(parts)


@dataclass(frozen=True, eq=False)
class _Function:
    """A function that is a polynomial on contiguous cells, and constant beyond them."""

    ends: Array
    coefficients: Array
    below: float
    above: float

    @cached_property
    def few(self) -> Array:
        """Weights that integrate cubic polynomials times the function, shape (cells, 4)."""
        half = np.diff(self.ends) / 2
        return half[:, None] * (self.coefficients[:, :4] @ _CUBICS)


def _contiguous(measure: Measure) -> tuple[Array, NDArray[np.int64]]:
    """Return the ends of all cells, the gaps between them too, and which cell each is (or -1)."""
    ends = np.unique(np.concatenate([measure.low, measure.high]))
    which = np.full(ends.size - 1, -1, dtype=np.int64)
    which[np.searchsorted(ends, measure.low)] = np.arange(measure.low.size)
    return ends, which


def _density(block: Block) -> _Function:
    ends, which = _contiguous(block.measure)
    inside = which >= 0
    coefficients = np.zeros((which.size, POINTS))
    half = np.diff(ends) / 2
    coefficients[inside] = block.measure.coefficients[which[inside]] / half[inside, None]
    return _Function(ends, coefficients, 0.0, 0.0)


def _tail(block: Block) -> _Function:
    """Return the probability that a value is at least y, as a function of y."""
    ends, which = _contiguous(block.measure)
    inside = which >= 0
    own = np.zeros((which.size, POINTS))
    own[inside] = block.measure.coefficients[which[inside]]
    masses = 2.0 * own[:, 0]
    above = np.append(np.cumsum(masses[::-1])[::-1], 0.0)
    # The integral of a Legendre polynomial from s to 1.
    coefficients = np.zeros((which.size, POINTS + 1))
    coefficients[:, 0] = above[1:] + own[:, 0]
    coefficients[:, 1] -= own[:, 0]
    for degree in range(1, POINTS):
        part = own[:, degree] / (2 * degree + 1)
        coefficients[:, degree - 1] += part
        coefficients[:, degree + 1] -= part
    return _Function(ends, coefficients, float(above[0]), 0.0)


def _moved(block: Block, value: float, mass: float) -> Block:
    measure = replace(block.measure, coefficients=mass * block.measure.coefficients)
    return replace(block, anchor=block.anchor + value, measure=measure)


def _features(block: Block) -> Array:
    """Return the distances at which a density ends, or at which its cells change their size."""
    measure = block.measure
    width = measure.high - measure.low
    unlike = np.maximum(width[1:], width[:-1]) > _UNLIKE * np.minimum(width[1:], width[:-1])
    apart = measure.low[1:] > measure.high[:-1]
    inner = np.flatnonzero(unlike | apart)
    found = [measure.low[:1], measure.high[-1:], measure.low[1:][inner], measure.high[:-1][inner]]
    inside = measure.low[0] < 0 < measure.high[-1]
    below = np.cumsum(measure.coefficients[:, 0])
    shares = np.searchsorted(below, np.array(_SHARES) * below[-1])
    found.append(measure.low[np.minimum(shares, below.size - 1)])
    return np.unique(np.concatenate([*found, np.zeros(int(inside))]))


def _of_one(one: Voters) -> _Laws:
    """Return the law of one draw, without and with a vote in favour."""
    blocks = blocks_of(one.prior)
    if one.sign < 0:
        blocks = tuple(block.mirrored() for block in blocks)
    atoms = list(zip(one.measure.atoms.tolist(), one.measure.masses.tolist(), strict=True))
    found: _Laws = {}
    for vote, weight in ((0, 0), (1, one.weight)):
        own = tuple((value, mass) for value, mass in atoms if (value >= one.bar) == bool(vote))
        parts = [block.parts(one.bar)[vote] for block in blocks]
        parts = [
            replace(block, measure=layer)
            for block in parts
            for layer in single_layers(block.measure)
            if layer.low.size
        ]
        before = found.get(weight)
        law = _Law(own, tuple(parts))
        if before is not None:
            law = _Law(before.atoms + law.atoms, before.blocks + law.blocks)
        found[weight] = law
    return {weight: law for weight, law in found.items() if law.atoms or law.blocks}


def fold_terms(
    voters: Sequence[Voters], total: float, most: float = _MOST_WORK
) -> list[Terms] | None:
    """Return P(votes, sum >= total) of a few members, whatever their densities.

    Parameters
    ----------
    voters
        All members.
    total
        What the sum is compared with.
    most
        How many pairs of points and cells may be looked at.

    Returns
    -------
    list of Terms or None
        All terms, those without densities too; None for more than 8 members, or where the cells
        are too many.
    """
    members = [replace(one, count=1) for one in voters for _ in range(one.count)]
    if not 2 <= len(members) <= _MOST_MEMBERS:
        return None
    # Anchors and atoms are added up as floats; nothing else is near enough to tie.
    extent = abs(total)
    for one in members:
        anchors = [block.anchor for block in blocks_of(one.prior)]
        extent += float(np.abs(np.concatenate([anchors, one.measure.atoms])).max(initial=0.0))
    folder = _Folder(64 * _ROUNDING * extent, most)
    half = len(members) // 2
    try:
        first, second = folder.law(members[:half]), folder.law(members[half:])
        found: dict[int, float] = {}
        for votes, one in first.items():
            for more, other in second.items():
                chance = folder.reached(one, other, total)
                found[votes + more] = found.get(votes + more, 0.0) + chance
    except _TooMuchError:
        return None
    missed = math.fsum(
        one.measure.error + abs(math.fsum(law.mass for law in _of_one(one).values()) - 1.0)
        for one in members
    )
    error = folder.error + missed + _unseen([blocks_of(one.prior) for one in members]) + 1e-13
    parts = [Terms(votes, np.array([chance]), 0.0) for votes, chance in found.items()]
    return [*parts, Terms(0, np.zeros(1), error)]


def _unseen(members: Sequence[Sequence[Block]]) -> float:
    """Bound what the bottoms of poles may change: if another draw is as near to its own pole."""
    found = 0.0
    for k, blocks in enumerate(members):
        found += math.fsum(block.error for block in blocks)
        for block in blocks:
            if block.bottom > 0:
                reach = len(members) * block.depth
                others = (max((b.within(reach) for b in other), default=0.0)
                          for j, other in enumerate(members) if j != k)  # fmt: skip
                found += block.bottom * math.fsum(others)
    return found
