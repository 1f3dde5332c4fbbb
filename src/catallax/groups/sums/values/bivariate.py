"""Sums of members whose votes and values go together, and who weigh unlike.

The transform of votes and values together is a product, and small at nearly every pair of
frequencies, one of the values and one of the votes; the pairs at which it is not are summed. What
all others add to the chance of any number of votes and more is bounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.draws.transform import phases
from catallax.groups.sums.series.vaaler import largest
from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.product import Added
from catallax.groups.sums.values.sieve import share_of
from catallax.groups.sums.values.tables import Total

__all__ = ["Bivariate", "bivariate_of"]

fft: Any = scipy_fft  # its types say nothing

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# How many neighbouring frequencies of the values are looked at at once; the first boxes are so
# many times longer than alike on the side of the votes.
_BLOCKS, _LONGER = (1, 3, 9, 27, 81), 2.0
# So many frequencies, here and there, tell how long it takes.
_SAMPLE = 64
# There is no place for more totals of votes; so few members tell too little, and so many enough.
_MOST_TOTALS, _FEWEST, _MOST_ALIKE = 1 << 20, 24, 64
# Nanoseconds that the bounds of 64 boxes take, a factor of a pair that is summed, a phase, and
# what there is to do for each member in a block.
_BOUND, _FACTOR, _PHASE, _BESIDE = 18.0, 2.0, 20.0, 4.0
# Short numbers are rounded some times for each member.
_SHORT, _ROUNDING = 1.0 + 2.0**-20, 2.0**-52


@dataclass(frozen=True, eq=False)
class Bivariate:
    """Members of whom nothing is listed, as they are looked at.

    Attributes
    ----------
    mixture
        All members.
    order
        The part of each, alike ones as often as there are, the most telling ones first; as many as
        are a multiple of four.
    gauge, degree
        What the weights of the votes are multiples of, and how many of it there are together.
    total
        The interval, and all frequencies.
    """

    mixture: Mixture
    order: tuple[int, ...]
    gauge: int
    degree: int
    total: Total

    @property
    def totals(self) -> int:
        """How many frequencies of the votes there are: more than totals, and a power of two."""
        return 1 << self.degree.bit_length()

    @cached_property
    def _shares(self) -> Array:
        """The largest weights of the frequencies of the votes, those before each added up."""
        j = np.arange(1, self.totals)
        each = 1.0 / (self.totals * np.sin(np.pi * j / self.totals))
        return np.cumsum([0.0, 1.0, *each])

    @cached_property
    def _bounds(self) -> tuple[NDArray[Any], ...]:
        """What bounds the transform of each member, as the kernel takes it."""
        parts = [self.mixture.parts[j] for j in self.order]
        turns, chances, various, paces = np.zeros(len(parts)), np.zeros((len(parts), 2)), [], []
        for i, (j, part) in enumerate(zip(self.order, parts, strict=True)):
            no, yes = part.draws.split()
            telling = no.atoms.size == yes.atoms.size == 1
            various.append(-1 if telling else j)
            paces.append(0.0 if telling else _pace(part) * self.total.step)
            if telling:
                turns[i] = yes.atoms[0] - no.atoms[0]
                chances[i] = no.atom_mass, yes.atom_mass
            else:
                turns[i] = np.ptp(part.draws.measure.atoms)
        turns *= self.total.step / (2.0 * math.pi)
        weights = np.array([part.weight // self.gauge for part in parts], dtype=np.int64)
        angles = ((weights << 31) // self.totals & 0xFFFFFFFF).astype(np.uint32)
        least = (chances[:, 0] - chances[:, 1]) ** 2 * _SHORT
        most = 4.0 * chances[:, 0] * chances[:, 1] * _SHORT
        short = least.astype(np.float32), most.astype(np.float32)
        of = np.array(various, dtype=np.int64)
        return turns, of, np.array(paces), angles, weights / self.totals, *short

    @cached_property
    def _values(self) -> tuple[Array, Array, Integers, Integers, Integers, Array, Array]:
        """All that the transforms at a pair of frequencies are made of."""
        parts, total = self.mixture.parts, self.total
        each = [(one, part.centre) for part in parts for one in part.draws.split()]
        ends = [-place / total.period for place in total.places]
        values = np.concatenate([one.atoms - centre for one, centre in each])
        turns = np.append(values * (total.step / (2.0 * math.pi)), ends)
        masses = np.concatenate([*(one.masses for one, _ in each), [1.0, 1.0]])
        starts = np.cumsum([0, *(one.atoms.size for one, _ in each), 1, 1])
        votes = np.array([part.weight // self.gauge for part in parts], dtype=np.int64)
        circle = phases(np.arange(self.totals, dtype=np.float64), 1.0 / self.totals)
        waves = np.ascontiguousarray(circle.real), np.ascontiguousarray(circle.imag)
        return turns, masses, starts, votes, self.mixture.counts[0], *waves

    @property
    def stretch(self) -> int:
        """How many frequencies are summed together."""
        return 1 << 14

    @property
    def work(self) -> float:
        """About how many nanoseconds a frequency takes."""
        return self._way[1]

    @cached_property
    def _way(self) -> tuple[int, float]:
        """Choose how many neighbouring frequencies are looked at together, from a sample."""
        turns, _, starts, *_ = self._values
        various = np.unique(self._bounds[1])
        values = sum(self.mixture.parts[j].draws.measure.atoms.size for j in various if j >= 0)
        best, least = 1, math.inf
        for block in _BLOCKS:
            every = -(-self.total.count // block)
            size = min(_SAMPLE, every)
            blocks = np.unique(((np.arange(size) + 0.5) * (every / size)).astype(np.int64))
            work = np.zeros(3, dtype=np.int64)
            for one in blocks.tolist():
                self._summed(one * block, (one + 1) * block, block, work)
            time = _BOUND * work[0] + _FACTOR * starts.size / 2 * work[1]
            time += _PHASE * (turns.size * work[2] + values * (block + 1) * blocks.size)
            time += _BESIDE * len(self.order) * blocks.size
            each = float(time) / (blocks.size * block)
            if each < least:
                best, least = block, each
            elif each > 2.0 * least:
                break
        return best, least

    def all(self, start: int, stop: int) -> Added:
        """Add up all frequencies from one to another.

        Parameters
        ----------
        start, stop
            The first one, and the first one that is left out, at most a `stretch` further.
        """
        line, sums = self._summed(start, stop, self._way[0], np.zeros(3, dtype=np.int64))
        votes = fft.fft(line).real[: self.degree + 1] / self.totals
        spread = np.zeros(self.degree * self.gauge + 1)
        spread[:: self.gauge] = votes
        members = int(self.mixture.counts[0].sum())
        steps = 128.0 * members + self._values[0].size + 8.0 * math.log2(self.totals)
        error = float(sums[1]) + _ROUNDING * steps * float(sums[2])
        return Added(Terms(0, spread, error), float(sums[0]))

    def _summed(
        self, start: int, stop: int, block: int, work: Integers
    ) -> tuple[NDArray[np.complex128], Array]:
        """Add up some frequencies; the last block may end early."""
        from catallax.groups.sums.values.kernels_bivariate import summed_in_boxes

        total = self.total
        blocks = -(-(stop - start) // block)
        k = start + np.arange(blocks * block, dtype=np.float64)
        reach = largest(k, total.count).reshape(blocks, block).sum(axis=1)
        line, line_i, sums = np.zeros(self.totals), np.zeros(self.totals), np.zeros(3)
        share = (total.places[1] - total.places[0]) / total.period
        summed_in_boxes(
            start, block, reach, share_of(total.passed, total.count, reach, block),
            min(stop, total.count), total.count, share, *self._bounds, self._shares, _LONGER,
            *self._values, line, line_i, sums, work,
        )  # fmt: skip
        return line + 1j * line_i, sums


def bivariate_of(mixture: Mixture, total: Total) -> Bivariate | None:
    """Return the way to sum at pairs of frequencies; None where there are too few members.

    Parameters
    ----------
    mixture
        Members.
    total
        The interval, and all frequencies.
    """
    if len(mixture.counts) > 1 or mixture.chances[0] < 1.0:
        return None
    counts = mixture.counts[0].tolist()
    gauge = math.gcd(*(part.weight for part in mixture.parts)) or 1
    votes = [
        part.weight // gauge * count for part, count in zip(mixture.parts, counts, strict=True)
    ]
    sizes = [_typical(part) for part in mixture.parts]
    order = [
        j
        for j in sorted(range(len(counts)), key=sizes.__getitem__)
        for _ in range(min(counts[j], _MOST_ALIKE))
        if sizes[j] < 1.0
    ]
    if len(order) < _FEWEST or sum(votes) >= _MOST_TOTALS:
        return None
    # Whoever is left out makes nothing smaller.
    several = tuple(order[: len(order) // 4 * 4])
    return Bivariate(mixture, several, gauge, sum(votes), total)


def _typical(part: Part) -> float:
    """Return about how large a transform is: the probabilities decide, with a vote and without."""
    return sum(float(one.masses @ one.masses) for one in part.draws.split())


def _pace(part: Part) -> float:
    """Return how fast a transform moves at most, with any frequency of the votes."""
    law = part.draws.measure
    middle = law.atoms[min(int(np.searchsorted(np.cumsum(law.masses), 0.5)), law.atoms.size - 1)]
    return float(np.abs(law.atoms - middle) @ law.masses)
