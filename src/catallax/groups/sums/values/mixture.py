"""Draws from parts of a law, so many from each: their transforms, case by case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Leaf, Terms, weigh
from catallax.groups.sums.draws.bounds import Draws, window
from catallax.groups.sums.draws.measure import Measure
from catallax.groups.sums.draws.transform import gridded, phases, powers
from catallax.groups.sums.draws.voters import Voters

if TYPE_CHECKING:
    from catallax.groups.sums.values.multisets import Division

__all__ = ["Mixture", "Part", "mixture_of"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# From so many values and frequencies on a Fourier transform is faster than sums.
_MANY, _LONG = 400, 1 << 15
# So many frequencies tell how far transforms usually fall.
_SAMPLE = 1 << 12


@dataclass(frozen=True, eq=False)
class Part:
    """Draws from some of the values: their law, centred, and what bounds its transform."""

    draws: Draws
    weight: int
    chance: float
    centre: float

    @classmethod
    def of(cls, one: Voters, centre: float, measure: Measure | None = None) -> Part:
        """Return the draws of alike members, or those of them that have another law."""
        draws = Draws(one.count, one.measure if measure is None else measure, one.bar)
        return cls(draws, one.weight, draws.split()[1].atom_mass, centre)

    def at(self, step: float, middles: Array, offsets: Array) -> list[Complex]:
        """Return them at given frequencies and their neighbours, shape (middles, offsets)."""
        from catallax.groups.sums.values.kernels_multisets import multiplied

        found = []
        size = middles.size * offsets.size
        # Whether they are all the frequencies of a long stretch.
        row = middles[0] + offsets.size * np.arange(middles.size)
        whole = size >= _LONG and offsets[0] == 0.0 and bool((middles == row).all())
        for one in self.draws.split():
            turns = (one.atoms - self.centre) * (step / (2.0 * math.pi))
            if whole and one.atoms.size >= _MANY:
                start = int(middles[0])
                waves = gridded(turns, one.masses.astype(np.complex128), start, start + size)
                found.append(waves.reshape(middles.size, offsets.size))
                continue
            heads = phases(middles[:, None], turns) * one.masses
            tails = phases(offsets, turns[:, None])
            # Not a matrix product: its threads wait for each other where cores are busy.
            parts = (heads.real, heads.imag, tails.real, tails.imag)
            found.append(multiplied(*(np.ascontiguousarray(part) for part in parts)))
        return found

    def lengths(self, step: float, start: int, stop: int) -> Array:
        """Bound the size of both together, frequency by frequency, in half the time."""
        from catallax.groups.sums.values.kernels_multisets import lengths

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

    def sampled(self, step: float, k: Array) -> Array:
        """Return the size of both together at some frequencies."""
        return np.sum([np.abs(one[:, 0]) for one in self.at(step, k, np.zeros(1))], axis=0)

    @property
    def coarse(self) -> float:
        """Bound what `lengths` errs by: short numbers are rounded whenever they are added."""
        return (self.draws.measure.atoms.size + 8) * 2.0**-23

    @property
    def pace(self) -> float:
        """Return how fast the sizes of its two transforms, added up, move at most."""
        found = 0.0
        for one in self.draws.split():
            if one.atoms.size > 1:
                # Sizes are the same about any value, and about the median they move least.
                half = np.searchsorted(np.cumsum(one.masses), one.atom_mass / 2)
                middle = one.atoms[min(int(half), one.atoms.size - 1)]
                found += float(np.abs(one.atoms - middle) @ one.masses)
        return found


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
    def totals(self) -> int:
        """How many totals of votes there may be."""
        return 1 + sum(part.draws.count * part.weight for part in self.parts)

    @property
    def centre(self) -> float:
        """What the sum is centred at."""
        return float((self.counts @ np.array([part.centre for part in self.parts]))[0])

    def likely(self, least: float) -> tuple[Mixture | None, float]:
        """Return the cases that are not too unlikely, and the probability of the others."""
        likely = self.chances > least
        left_out = float(self.chances[~likely].sum())
        if not likely.any():
            return None, left_out
        kept = replace(self, counts=self.counts[likely], chances=self.chances[likely])
        return kept, left_out

    def window(self, outside: float) -> tuple[float, float]:
        """Return where the sum lies in all cases, but for a small probability."""
        ends = []
        for counts in self.counts:
            draws = [
                replace(part.draws, count=count)
                for count, part in zip(counts.tolist(), self.parts, strict=True)
                if count
            ]
            ends.append(window(draws, outside))
        return min(low for low, _ in ends), max(high for _, high in ends)

    def block(self, step: float, count: int, passed: float, extra: float) -> tuple[int, bool]:
        """Return how many neighbouring frequencies to look at once, and whether closely at all.

        The longer the blocks, the fewer there are, and the more of them are looked at closely.

        Parameters
        ----------
        step, count
            The frequencies.
        passed
            What may be passed over, of all of them together.
        extra
            How much longer than its frequencies a block takes that is looked at closely.
        """
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            least = self.size([np.array([1.0])] * (len(self.parts) - 1) + [np.array([middle])])
            low, high = (middle, high) if float(least[0]) <= passed / 4 else (low, middle)
        last = self.parts[-1]
        sample = np.floor((np.arange(_SAMPLE) + 0.5) * (count / _SAMPLE))
        sizes = np.sort(last.sampled(step, sample))
        blocks = np.array([1, *(5 + 2 * np.arange(2000))])
        moved = np.where(blocks > 1, last.pace * blocks / 2 * step, 0.0) + last.coarse
        close = 1.0 - np.searchsorted(sizes, low - moved) / sizes.size
        costs = (0.5 + close * (blocks + extra)) / blocks
        least = int(np.argmin(costs))
        return (int(blocks[least]), False) if costs[least] < 1.0 else (1, True)

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
        found = []
        for counts, chance in zip(self.counts, self.chances, strict=True):
            leaves = [
                Leaf(count, part.weight, part.chance, *waves)
                for count, part, waves in zip(counts.tolist(), self.parts, each, strict=True)
                if count
            ]
            found.append(weigh(leaves, weights * chance))
        return found


def mixture_of(voters: Sequence[Voters], division: Division | None) -> Mixture:
    """Return the draws of all members, but for what was listed of alike ones.

    Parameters
    ----------
    voters
        Draws from values.
    division
        What was listed of the only kind of members; None for nothing.
    """
    if division is None:
        parts = tuple(Part.of(one, one.mean) for one in voters)
        return Mixture(parts, np.array([[one.count for one in voters]]), np.ones(1))
    one = voters[0]
    heaps = [heap for heap in (division.first, division.second) if heap.values.size]
    # About the value that is drawn most, if it is one, its own transform is 1.
    alone = len(heaps) == 2 and division.first.values.size == 1
    centre = float(division.first.values[0]) if alone else one.mean
    parts = tuple(Part.of(one, centre, heap.within(one.measure)) for heap in heaps)
    left = ~division.kept
    draws = division.draws[left]
    counts = np.stack([division.count - draws, draws][2 - len(parts) :], axis=1)
    return Mixture(parts, counts, division.chances[left])
