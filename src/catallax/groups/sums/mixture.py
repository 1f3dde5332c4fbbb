"""Draws from parts of a law, so many from each: their transforms, case by case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.ballots import Leaf, Terms, weigh, weighted
from catallax.groups.sums.bounds import Draws
from catallax.groups.sums.transform import phases, powers

__all__ = ["Mixture", "Part"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# The votes of so many members are told apart one by one.
_FEW = 256
_ROUNDING = 2.0**-52


@dataclass(frozen=True, eq=False)
class Part:
    """Draws from some of the values: their law, centred, and what bounds its transform."""

    draws: Draws
    weight: int
    chance: float
    centre: float

    def waves(self, step: float, start: int, stop: int) -> list[Complex]:
        """Return the transforms without and with a vote in favour, frequency by frequency."""
        row = math.isqrt(stop - start - 1) + 1
        heads = np.arange(start, stop, row, dtype=np.float64)
        found = self.at(step, heads, np.arange(row, dtype=np.float64))
        return [one.ravel()[: stop - start] for one in found]

    def at(self, step: float, middles: Array, offsets: Array) -> list[Complex]:
        """Return them at given frequencies and their neighbours, shape (middles, offsets)."""
        from catallax.groups.sums.kernels_multisets import multiplied

        found = []
        for one in self.draws.split():
            turns = (one.atoms - self.centre) * (step / (2.0 * math.pi))
            heads = phases(middles[:, None], turns) * one.masses
            tails = phases(offsets, turns[:, None])
            # Not a matrix product: its threads wait for each other where cores are busy.
            parts = (heads.real, heads.imag, tails.real, tails.imag)
            found.append(multiplied(*(np.ascontiguousarray(part) for part in parts)))
        return found

    def lengths(self, step: float, start: int, stop: int) -> Array:
        """Bound what `waves` says in size, in half the time."""
        from catallax.groups.sums.kernels_multisets import lengths

        row = math.isqrt(stop - start - 1) + 1
        heads = np.arange(start, stop, row, dtype=np.float64)
        found = np.zeros(stop - start)
        for one in self.draws.split():
            turns = (one.atoms - self.centre) * (step / (2.0 * math.pi))
            first = phases(heads[:, None], turns) * one.masses
            second = phases(np.arange(row, dtype=np.float64), turns[:, None])
            parts = (first.real, first.imag, second.real, second.imag)
            short = [np.ascontiguousarray(part, dtype=np.float32) for part in parts]
            found += lengths(*short).ravel()[: stop - start]
        return found + self.coarse

    @property
    def coarse(self) -> float:
        """Bound what `lengths` errs by: short numbers are rounded whenever they are added."""
        return (self.draws.measure.atoms.size + 8) * 2.0**-23

    @property
    def pace(self) -> float:
        """Return how fast its transform moves at most."""
        own = self.draws.measure
        return float(np.abs(own.atoms - self.centre) @ own.masses)


@dataclass(frozen=True, eq=False)
class Mixture:
    """The event that so many draws are from each part, for several such numbers.

    Attributes
    ----------
    parts
        The parts; what a draw is given that it is from there.
    counts
        Numbers of draws, shape (cases, parts).
    chances
        The probability of each case.
    """

    parts: tuple[Part, ...]
    counts: Integers
    chances: Array

    @property
    def alike(self) -> bool:
        """Whether it is a few members of one kind."""
        return len(self.parts) == 1 and self.parts[0].draws.count <= _FEW

    @property
    def effort(self) -> float:
        """Return how long a total of votes takes at a frequency, in one case."""
        if self.alike:
            return 1.0
        return 0.4 if self._beside_one else 4.0

    def size(self, each: Sequence[Array]) -> Array:
        """Bound the transform of the sum by bounds of those of the parts' draws."""
        found = np.zeros(each[0].size)
        for counts, chance in zip(self.counts, self.chances, strict=True):
            term = np.full(found.size, chance)
            for count, one in zip(counts.tolist(), each, strict=True):
                if count:
                    term *= powers(one, count)
            found += term
        return found

    def whole(self, each: Sequence[Complex]) -> Complex:
        """Return the transform of the sum from those of the parts' draws."""
        found = np.zeros(each[0].size, dtype=np.complex128)
        for counts, chance in zip(self.counts, self.chances, strict=True):
            term = np.full(found.size, chance, dtype=np.complex128)
            for count, one in zip(counts.tolist(), each, strict=True):
                if count:
                    term *= powers(one, count)
            found += term
        return found

    def votes(self, each: Sequence[list[Complex]], weights: Complex) -> list[Terms]:
        """Add up weights times the transforms for each total of votes."""
        if self.alike:
            return [_of_one_kind(self.parts[0], each[0], weights)]
        if self._beside_one:
            return [self._votes_beside_one(each, weights)]
        found = []
        for counts, chance in zip(self.counts, self.chances, strict=True):
            leaves = [
                Leaf(count, part.weight, part.chance, *waves)
                for count, part, waves in zip(counts.tolist(), self.parts, each, strict=True)
                if count
            ]
            found.append(weigh(leaves, weights * chance))
        return found

    @property
    def _beside_one(self) -> bool:
        """Whether all draws of the first of two parts of one kind are one value."""
        first = self.parts[0]
        few = int(self.counts[0].sum()) <= _FEW
        return len(self.parts) == 2 and first.draws.measure.atoms.size == 1 and few

    def _votes_beside_one(self, each: Sequence[list[Complex]], weights: Complex) -> Terms:
        from catallax.groups.sums.kernels_multisets import ballots_beside_one

        (first_no, first_yes), (no, yes) = each
        members = int(self.counts[0].sum())
        voted = int(np.abs(first_yes).sum() > 0)
        others = self.counts[:, 1]
        ways = special.binom(others[:, None], np.arange(members + 1))
        given = (weights, self.counts, self.chances, voted, ways)
        line = ballots_beside_one(first_no + first_yes, no, yes, *given)
        size = self.size([np.abs(wave[0]) + np.abs(wave[1]) for wave in each])
        error = _ROUNDING * (members + 32) * float(np.abs(weights) @ size)
        return Terms(0, weighted(line, self.parts[0].weight), error)


def _of_one_kind(part: Part, each: list[Complex], weights: Complex) -> Terms:
    """Return what `weigh` does for members that are alike."""
    from catallax.groups.sums.kernels_multisets import ballots

    count = part.draws.count
    if part.weight == 0:
        each = [each[0] * 0.0, each[0] + each[1]]
    ways = special.binom(count, np.arange(count + 1))
    line = ballots(*each, weights, ways)
    size = np.abs(each[0]) + np.abs(each[1])
    error = _ROUNDING * (count + 32) * float(np.abs(weights) @ powers(size, count))
    return Terms(0, weighted(line, part.weight), error)
