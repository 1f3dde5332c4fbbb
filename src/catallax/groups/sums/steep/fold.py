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

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.draws.blocks import Block, blocks_of, single_layers
from catallax.groups.sums.draws.measure import FIT, NODES, SPOTS, TIE, WEIGHTS, Measure
from catallax.groups.sums.draws.piecewise import Piecewise, density_of, tail_of
from catallax.groups.sums.draws.voters import Voters

__all__ = [
    "FEW_CELLS",
    "MOST_WORK",
    "Folder",
    "Law",
    "TooMuchError",
    "fold_terms",
    "law_of_one",
    "missed_by",
    "one_by_one",
    "slack_of",
]

Array = NDArray[np.float64]

_MOST_MEMBERS = 8
_MOST_BLOCKS = 64
MOST_WORK, FEW_CELLS = 1e9, 4e6
_ROUNDING = 2.0**-52
_LEVELS = 1100
# A cell is fine enough if the last of its coefficients are this small, by themselves or in parts.
_RELATIVE, _ABSOLUTE = 1e-11, 1e-12
# What halving does not mend is the rounding of places, if it is as small as this.
_IDLE = 1e-7
_UNLIKE = 8.0
# Cells that would be halved so often start in octaves.
_MANY_OCTAVES = 40
_SHARES = (1e-9, 1e-6, 1e-3, 0.1, 0.5, 0.9, 1 - 1e-3, 1 - 1e-6, 1 - 1e-9)


class TooMuchError(Exception):
    """The cells are too many."""


@dataclass(frozen=True, eq=False)
class Law:
    """The law of a sum with one total of votes: atoms, and blocks of densities."""

    atoms: tuple[tuple[float, float], ...]
    blocks: tuple[Block, ...]

    @property
    def mass(self) -> float:
        """The probability of these votes."""
        return math.fsum([m for _, m in self.atoms] + [b.measure.cell_mass for b in self.blocks])


Laws = dict[int, Law]


class Folder:
    """Convolutions within a budget, and what they have missed so far.

    Parameters
    ----------
    slack
        How near to a total counts as a tie.
    most
        How many pairs of points and cells may be looked at.
    finest
        Nothing is told apart that is nearer than this to the pole of a draw.
    """

    def __init__(self, slack: float, most: float, finest: float = 0.0) -> None:
        self.slack = slack
        self.most = most
        self.finest = finest
        self.work = 0.0
        self.error = 0.0
        self.known: dict[tuple[object, ...], Laws] = {}

    def integral(self, at: Array, block: Block, function: Piecewise) -> Array:
        """Return the integrals of the block's density times a function of what is missing."""
        from catallax.groups.sums.draws.kernels import convolve

        measure = block.measure
        self.work += at.size * (measure.low.size + function.ends.size)
        if self.work > self.most:
            raise TooMuchError
        return np.asarray(
            convolve(
                at, measure.low, measure.high, np.ascontiguousarray(measure.coefficients),
                measure.few, function.ends, function.coefficients, function.few,
                function.below, function.above, NODES, WEIGHTS, SPOTS,
            )
        )  # fmt: skip

    def shift(self, to: float, first: Block, second: Block) -> float:
        """Return a place by its distance from the sum of two anchors; roundings are ties."""
        apart = math.fsum([to, -first.anchor, -second.anchor])
        return 0.0 if abs(apart) <= self.slack else apart

    # ------------------------------------------------------------------------------ whole laws

    def law(self, members: Sequence[Voters]) -> Laws:
        """Return the laws of the sum for each total of votes."""
        key = tuple((one.prior, one.weight, one.price, one.sign) for one in members)
        if key not in self.known:
            if len(members) == 1:
                self.known[key] = law_of_one(members[0], self.finest)
            else:
                half = len(members) // 2
                self.known[key] = self.sum(self.law(members[:half]), self.law(members[half:]))
        return self.known[key]

    def sum(self, first: Laws, second: Laws) -> Laws:
        """Return the laws of the sum of two independent sums."""
        found: dict[int, list[tuple[Law, Law]]] = {}
        for votes, one in first.items():
            for more, other in second.items():
                found.setdefault(votes + more, []).append((one, other))
        return {votes: self._together(pairs) for votes, pairs in found.items()}

    def _together(self, pairs: Sequence[tuple[Law, Law]]) -> Law:
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
            raise TooMuchError
        return Law(tuple(atoms.items()), tuple(blocks))

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
        functions = [density_of(b) for _, b in pairs]
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
            finest = [
                max(_nearest(a), _nearest(b)) for a, b in pairs if self.shift(anchor, a, b) == 0
            ]
            seeds = np.append(seeds, _octaves(min(finest, default=1.0), max(-low, high)))
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

    def reached(self, one: Law, other: Law, total: float) -> float:
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
            tail = tail_of(b)
            for a in one.blocks:
                at = np.array([self.shift(total, a, b)])
                parts.append(float(self.integral(at, a, tail)[0]))
        return math.fsum(parts)


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


def _nearest(block: Block) -> float:
    """Return the least distance of the end of a cell from the anchor, 0 left out."""
    ends = np.abs(np.concatenate([block.measure.low, block.measure.high]))
    return float(ends[ends > 0].min(initial=1.0))


def _octaves(finest: float, widest: float) -> Array:
    """Return distances from a place where cells are finer and finer, to either side."""
    octaves = math.frexp(widest)[1] - math.frexp(finest)[1] if widest > finest else 0
    if octaves < _MANY_OCTAVES:
        return np.empty(0)
    found = np.ldexp(np.array([[1.0], [1.5]]), math.frexp(finest)[1] + np.arange(octaves)).ravel()
    return np.concatenate([-found, found])


def law_of_one(one: Voters, finest: float = 0.0) -> Laws:
    """Return the law of one draw, without and with a vote in favour."""
    blocks = tuple(block.blurred(finest) for block in blocks_of(one.prior))
    if one.sign < 0:
        blocks = tuple(block.mirrored() for block in blocks)
    atoms = list(zip(one.measure.atoms.tolist(), one.measure.masses.tolist(), strict=True))
    found: Laws = {}
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
        law = Law(own, tuple(parts))
        if before is not None:
            law = Law(before.atoms + law.atoms, before.blocks + law.blocks)
        found[weight] = law
    return {weight: law for weight, law in found.items() if law.atoms or law.blocks}


def fold_terms(
    voters: Sequence[Voters], total: float, most: float = MOST_WORK
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
    members = one_by_one(voters)
    if not 2 <= len(members) <= _MOST_MEMBERS:
        return None
    folder = Folder(slack_of(members, total), most)
    half = len(members) // 2
    try:
        first, second = folder.law(members[:half]), folder.law(members[half:])
        found: dict[int, float] = {}
        for votes, one in first.items():
            for more, other in second.items():
                chance = folder.reached(one, other, total)
                found[votes + more] = found.get(votes + more, 0.0) + chance
    except TooMuchError:
        return None
    parts = [Terms(votes, np.array([chance]), 0.0) for votes, chance in found.items()]
    return [*parts, Terms(0, np.zeros(1), folder.error + missed_by(members) + _unseen(members))]


def one_by_one(voters: Sequence[Voters]) -> list[Voters]:
    """Return members, each by itself."""
    return [replace(one, count=1) for one in voters for _ in range(one.count)]


def slack_of(members: Sequence[Voters], total: float) -> float:
    """Return how near to a total counts as a tie.

    Anchors and atoms are added up as floats; nothing else is near enough to tie.
    """
    extent = abs(total)
    for one in members:
        anchors = [block.anchor for block in blocks_of(one.prior)]
        farthest = np.abs(np.concatenate([anchors, one.measure.atoms])).max(initial=0.0)
        extent += one.count * float(farthest)
    return TIE * extent


def missed_by(members: Sequence[Voters]) -> float:
    """Bound what the cells of members miss of their priors, in probability."""
    missed = math.fsum(
        one.measure.error + abs(math.fsum(law.mass for law in law_of_one(one).values()) - 1.0)
        for one in members
    )
    return missed + 1e-13


def _unseen(voters: Sequence[Voters]) -> float:
    """Bound what the bottoms of poles may change: if another draw is as near to its own pole."""
    found = 0.0
    members = [blocks_of(one.prior) for one in voters]
    for k, blocks in enumerate(members):
        found += math.fsum(block.error for block in blocks)
        for block in blocks:
            if block.bottom > 0:
                reach = len(members) * block.depth
                others = (max((b.within(reach) for b in other), default=0.0)
                          for j, other in enumerate(members) if j != k)  # fmt: skip
                found += block.bottom * math.fsum(others)
    return found
