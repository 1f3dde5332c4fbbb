"""Which frequencies matter to a sum of members of many kinds: told kind by kind.

The transform of the sum is a product of many; after some factors nothing is left of it at most
frequencies. These are dropped a row at a time, so that the other factors are looked at for few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.transform import phases, powers
from catallax.groups.sums.series.vaaler import largest
from catallax.groups.sums.values.mixture import Mixture, Part

__all__ = ["LOOKED_UP", "Choice", "Sieve", "share_of", "sieve_of"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# So many blocks are dropped or kept together.
_ROW = 128
# So many frequencies tell how far transforms usually fall, and so many neighbours are tried.
_SAMPLE, _BLOCKS = 1 << 11, (1, 3, 5, 9, 17, 33, 65)
# As long as a bound of one product a kept frequency takes, and what a factor does beside.
_CLOSE, _BESIDE = 400.0, 3.0
LOOKED_UP = 0.2
"""So many nanoseconds it takes to look a number up."""
# Bounds are multiplied as short numbers: they are rounded, and what is smaller is nothing.
_ROUNDING, _UNDERFLOW = 2.0**-22, 1e-36


class Choice(NamedTuple):
    """How frequencies are looked at.

    Parameters
    ----------
    block
        How many neighbours at once.
    effort
        About how many numbers are looked up for a block, or take as long as what is done.
    share
        About which part of all blocks matters.
    """

    block: int
    effort: float
    share: float


def share_of(passed: float, count: int, reach: Array, block: int = 1) -> Array:
    """Return what a block may add and be dropped, so that all of them add no more than allowed.

    Parameters
    ----------
    passed
        What is allowed.
    count
        How many frequencies there are.
    reach
        The largest weights in the block, added up.
    block
        How many frequencies are in it.
    """
    each = block / count + reach / (2.0 + math.log(count))
    return 0.5 * passed * each


@dataclass(frozen=True, eq=False)
class Sieve:
    """The factors of one case of a mixture, those first that are smallest.

    Attributes
    ----------
    parts, counts
        The draws, and how many of each.
    step
        Between frequencies.
    count
        How many frequencies there are.
    passed
        What those that are dropped may add, of all of them together.
    close
        How long a frequency takes that is kept, in numbers looked up.
    """

    parts: tuple[Part, ...]
    counts: tuple[int, ...]
    step: float
    count: int
    passed: float
    close: float

    def limit(self, reach: Array, block: int = 1) -> Array:
        """Return what a block may add and be dropped, if the largest weights add up to this."""
        return share_of(self.passed, self.count, reach, block)

    @cached_property
    def _sampled(self) -> tuple[Array, list[Array]]:
        k = np.floor((np.arange(_SAMPLE) + 0.5) * (self.count / _SAMPLE))
        return k, [part.sampled(self.step, k) for part in self.parts]

    @cached_property
    def choice(self) -> Choice:
        """How to look at frequencies with the least work."""
        k, sizes = self._sampled
        best, least = Choice(1, 1.0, 1.0), math.inf
        for block in _BLOCKS:
            reach = block * largest(np.maximum(k - block // 2, 0.0), self.count)
            limit, alive, work = self.limit(reach, block), 1.0, 0.0
            bound = reach.copy()
            for part, times, size in zip(self.parts, self.counts, sizes, strict=True):
                rows = 1.0 - (1.0 - alive) ** _ROW
                work += rows * (part.draws.measure.atoms.size + _BESIDE)
                bound *= powers(np.minimum(size + self._slack(part, block), 1.0), times)
                alive = float((bound > limit).mean())
            work += alive * block * self.close
            if work / block < least:
                best, least = Choice(block, work, alive), work / block
        return best

    @property
    def least(self) -> float:
        """About how many numbers looked up a frequency takes, those included that are kept."""
        return self.choice.effort / self.choice.block

    def _slack(self, part: Part, block: int) -> float:
        """Bound by how much a transform may grow within a block."""
        return part.pace * (block / 2 if block > 1 else 0.0) * self.step + part.coarse

    def kept(self, block: int, start: int, stop: int) -> tuple[Integers, float]:
        """Return which of some blocks matter, and a bound of what the others add.

        Parameters
        ----------
        block
            How many frequencies are in one: about its number times as many.
        start, stop
            The blocks.
        """
        from catallax.groups.sums.values.kernels_multisets import lengths

        heads = np.arange(start, stop, _ROW, dtype=np.float64)
        offsets = np.arange(_ROW, dtype=np.float64)
        at = np.add.outer(heads, offsets)
        reach = block * largest(np.maximum(at * block - block // 2, 0.0), self.count)
        reach[at >= stop] = 0.0
        limit = self.limit(reach, block).astype(np.float32)
        bound, dropped = reach.astype(np.float32), 0.0
        for part, times in zip(self.parts, self.counts, strict=True):
            size = np.full(bound.shape, np.float32(self._slack(part, block)))
            for one in part.draws.split():
                if one.atoms.size == 1:
                    size += np.float32(one.masses[0])
                elif one.atoms.size:
                    turns = (one.atoms - part.centre) * (block * self.step / (2.0 * math.pi))
                    first = phases(heads[:, None], turns) * one.masses
                    second = phases(offsets, turns[:, None])
                    each = (first.real, first.imag, second.real, second.imag)
                    short = [np.ascontiguousarray(wave, dtype=np.float32) for wave in each]
                    size += lengths(*short)
            np.minimum(size, np.float32(1.0), out=size)
            bound *= size if times == 1 else powers(size, times)
            alive = (bound > limit).any(axis=1)
            if not alive.all():
                dropped += float(bound[~alive].sum(dtype=np.float64))
                heads, bound, limit = heads[alive], bound[alive], limit[alive]
            if not heads.size:
                break
        left = bound > limit
        dropped += float(bound[~left].sum(dtype=np.float64))
        rows, columns = np.nonzero(left)
        blocks = heads[rows].astype(np.int64) + columns
        rounded = 1.0 + _ROUNDING * (sum(self.counts) + 8 * len(self.counts) + 16)
        return blocks, dropped * rounded + _UNDERFLOW * (stop - start)


def sieve_of(
    mixture: Mixture, step: float, count: int, passed: float, close: float | None = None
) -> Sieve | None:
    """Return the factors of members of several kinds; None for one, or more cases than one.

    Parameters
    ----------
    mixture
        Members.
    step, count
        The frequencies.
    passed, close
        As in `Sieve`; the second as for NumPy if left out.
    """
    if len(mixture.parts) < 2 or len(mixture.counts) > 1 or mixture.chances[0] > 1.0:
        return None
    order: Sequence[int] = np.argsort(
        [
            count * math.log(_typical(part))
            for part, count in zip(mixture.parts, mixture.counts[0].tolist(), strict=True)
        ],
        kind="stable",
    ).tolist()
    parts = tuple(mixture.parts[j] for j in order)
    counts = tuple(int(mixture.counts[0, j]) for j in order)
    if close is None:
        close = _CLOSE * len(parts)
    return Sieve(parts, counts, step, count, passed, close)


def _typical(part: Part) -> float:
    """Return about how large a transform usually is."""
    sizes = [float(one.masses @ one.masses) ** 0.5 for one in part.draws.split()]
    return max(min(sum(sizes), 1.0), 1e-300)
