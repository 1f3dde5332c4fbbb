"""Members of several kinds, each with usual values of its own: what is not listed of their draws.

Listed is the event that no kind has more than so many unusual draws; its sums are all listed, kind
by kind. What is left, one kind after the other having more, is spread, and its transform a sum of
products.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.draws.bounds import window
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.series.vaaler import fejer, largest, weights_of
from catallax.groups.sums.values.mixture import Part
from catallax.groups.sums.values.multisets import Heap, binomial
from catallax.groups.sums.values.tally import Ends, Found

__all__ = ["Kind", "Several", "kind_of"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

_MOST_USUAL = 4
# All but so much of the cases is looked at.
_NOTHING = 1e-14
_ROUNDING = 2.0**-52
# As many products as the kernel does in the time of one of the others.
_QUICK = 2.0
# Bounds are looked up for so many sizes.
_STEPS = 4096
# So many frequencies tell how far transforms usually fall, and so many neighbours are tried.
_SAMPLE, _BLOCKS = 1 << 12, (5, 9, 17, 33, 65, 129, 257, 513, 1025)


@dataclass(frozen=True, eq=False)
class Kind:
    """Members that are alike, with usual values and others.

    Attributes
    ----------
    voters
        The members.
    first, second
        The usual values, whose owners all vote alike, and the others.
    chances
        The probability that d draws are not usual, for d = 0, 1, ...; the rest is negligible.
    """

    voters: Voters
    first: Heap
    second: Heap
    chances: Array

    @property
    def favour(self) -> int:
        """1 where those with usual values are in favour, else 0."""
        return int(self.first.votes[0])

    @property
    def typical(self) -> tuple[float, float]:
        """Return about how large the transforms of a usual draw and of another one are."""
        found = []
        for heap in (self.first, self.second):
            each = [heap.chances[heap.votes == vote] for vote in (0, 1)]
            found.append(min(sum(float(one @ one) ** 0.5 for one in each), 1.0))
        return found[0], found[1]

    @cached_property
    def parts(self) -> tuple[Part, Part]:
        """The draws from either heap."""
        one = self.voters
        centre = float(self.first.values[0]) if self.first.values.size == 1 else one.mean
        first, second = (heap.within(one.measure) for heap in (self.first, self.second))
        return Part.of(one, centre, first), Part.of(one, centre, second)


def kind_of(one: Voters) -> Kind:
    """Tell the usual values of alike members from the others.

    Parameters
    ----------
    one
        The members; no densities.
    """
    values, chances = one.measure.atoms, one.measure.masses / one.measure.masses.sum()
    votes = (values >= one.bar).astype(np.int64)
    order = np.argsort(-chances, kind="stable")
    values, chances, votes = values[order], chances[order], votes[order]
    # Where the probabilities fall most.
    most = min(_MOST_USUAL, values.size - 1)
    alike = int(np.argmin(np.append(votes[:most] == votes[0], False)))
    falls = chances[:alike] / chances[1 : alike + 1]
    size = 1 + int(np.argmax(falls)) if alike else 1
    first, second = (
        Heap(values[part], chances[part] / chances[part].sum(), votes[part])
        for part in (slice(None, size), slice(size, None))
    )
    share = float(chances[size:].sum())
    if share == 0.0:
        return Kind(one, first, second, np.ones(1))
    cases = binomial(one.count, share, np.arange(one.count + 1))
    beyond = np.append(np.cumsum(cases[::-1])[::-1][1:], 0.0)
    return Kind(one, first, second, cases[: int(np.argmax(beyond <= _NOTHING)) + 1])


@dataclass(frozen=True, eq=False)
class Several:
    """Draws of several kinds, but for the cases that are listed.

    Attributes
    ----------
    kinds
        The members.
    listed
        What is listed: no kind has more unusual draws than this.
    """

    kinds: tuple[Kind, ...]
    listed: Integers

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The draws from either heap of the first kind, the second one, and so on."""
        return tuple(part for kind in self.kinds for part in kind.parts)

    @property
    def members(self) -> Integers:
        """How many are of each kind."""
        return np.array([kind.voters.count for kind in self.kinds])

    @property
    def centre(self) -> float:
        """What the sum is centred at."""
        return math.fsum(kind.voters.count * kind.parts[0].centre for kind in self.kinds)

    @cached_property
    def chances(self) -> Array:
        """The probability that d draws of each kind are not usual, shape (kinds, d)."""
        found = np.zeros((len(self.kinds), max(kind.chances.size for kind in self.kinds)))
        for row, kind in zip(found, self.kinds, strict=True):
            row[: kind.chances.size] = kind.chances
        return found

    @cached_property
    def tables(self) -> Array:
        """Bounds of transforms where those of usual draws are 1, as the kernels take them."""
        sizes = np.arange(_STEPS + 2) / _STEPS
        found = []
        for row, last in zip(self.chances, self.listed.tolist(), strict=True):
            terms = row[:, None] * np.minimum(sizes, 1.0) ** np.arange(row.size)[:, None]
            beyond = np.cumsum(terms[::-1], axis=0)[::-1]
            beyond = np.append(beyond[1:], np.zeros((1, sizes.size)), axis=0)
            found.append(np.stack([terms[: last + 1].sum(axis=0), beyond[last], *beyond]))
        # What differs from 1 by rounding is raised to powers.
        return np.stack(found) * (1.0 + 1e-9)

    @property
    def unlisted(self) -> float:
        """The probability of what is not listed."""
        kept = 1.0
        for row, last in zip(self.chances, self.listed.tolist(), strict=True):
            kept *= float(row[: last + 1].sum())
        return max(1.0 - kept, 0.0) + len(self.kinds) * _NOTHING

    def likely(self, least: float) -> tuple[Several, float]:
        """Return all cases, and what is negligible: at most so much of each kind's."""
        return self, len(self.kinds) * min(_NOTHING, least)

    def window(self, outside: float) -> tuple[float, float]:
        """Return where the sum lies, but for a small probability."""
        return window([kind.voters.draws for kind in self.kinds], outside)

    def sizes(self, each: Sequence[Array]) -> Array:
        """Bound the transform of the sum by bounds of those of the parts' draws."""
        from catallax.groups.sums.values.kernels_several import sizes

        given = np.ascontiguousarray(each[::2]), np.ascontiguousarray(each[1::2])
        return np.asarray(sizes(self.members, self.chances, self.listed, *given, self.tables))

    def block(self, step: float, count: int, passed: float, extra: float) -> int:
        """Return how many neighbouring frequencies to look at once; 1 if all closely.

        Parameters
        ----------
        step, count
            The frequencies.
        passed
            What may be passed over, of all of them together.
        extra
            How much longer than its frequencies a block takes that is looked at closely.
        """
        k = np.floor((np.arange(_SAMPLE) + 0.5) * (count / _SAMPLE))
        sizes = [part.sampled(step, k) for part in self.parts]
        reach = largest(k, count)
        best, least = 1, 1.0
        for block in _BLOCKS:
            moved = [part.pace * block / 2 * step + part.coarse for part in self.parts]
            near = [np.minimum(size + more, 1.0) for size, more in zip(sizes, moved, strict=True)]
            close = float((reach * self.sizes(near) > passed / count).mean())
            cost = (0.5 + close * (block + extra)) / block
            best, least = (block, cost) if cost < least else (best, least)
        return best

    def added(self, each: Sequence[Sequence[Complex]], ends: Ends, passed: float) -> Found:
        """Add up Vaaler's weights times the transforms, for each total of votes.

        Parameters
        ----------
        each
            The transforms of the parts' draws, without and with a vote.
        ends
            The frequencies, and the interval.
        passed
            Frequencies that add no more than this are passed over.
        """
        from catallax.groups.sums.values.kernels_several import limits, summed

        members, kinds = self.members, len(self.kinds)
        inside = (ends.k >= 0) & (ends.k < ends.count)
        weights = np.array([kind.voters.weight for kind in self.kinds])
        line, sums = np.zeros(1 + int(members @ weights)), np.zeros(2)
        bounds = [np.abs(no) + np.abs(yes) for no, yes in each]
        size = self.sizes(bounds)
        reach = largest(ends.k, ends.count)
        faint = inside & (reach * size <= passed)
        dropped = float(reach[faint] @ size[faint])
        at = np.flatnonzero(inside & ~faint)
        if not at.size:
            return Found(Terms(0, line, dropped), 0.0, 0.0)
        firsts, seconds = (np.stack([bounds[2 * j + s][at] for j in range(kinds)]) for s in (0, 1))
        highs = np.zeros((kinds, at.size), dtype=np.int64)
        given = members, self.chances, self.listed
        spare = 0.125 * passed / reach[at]
        lost = limits(*given, firsts, seconds, self.tables, spare, highs)
        dropped += float(reach[at] @ lost)
        # Transforms are rounded like numbers about 1, and each counts as often as it is a factor.
        unlike = 1.0 + (1.0 / np.maximum(firsts, 1e-300)).sum(axis=0)
        unlike += np.where(highs > 0, 1.0 / np.maximum(seconds, 1e-300), 0.0).sum(axis=0)
        steps = 132 * int(members.sum()) + 16 * float(special.gammaln(members + 1.0).sum()) + 4096
        rounded = _ROUNDING * steps * float((reach * size)[at] @ unlike)
        order = np.lexsort(highs)
        at, highs = at[order], np.ascontiguousarray(highs[:, order])
        k, turns = ends.k[at], (ends.near[at], ends.far[at])
        factors = weights_of(k, turns, (0.0, ends.share), 1.0, ends.count)
        edges = fejer(k, ends.count) * (turns[0] + turns[1])
        usual, no, yes = (
            np.stack([waves[at] for waves in some])
            for some in (
                [pair[0] + pair[1] for pair in each[::2]],
                [pair[0] for pair in each[1::2]],
                [pair[1] for pair in each[1::2]],
            )
        )
        favour = np.array([kind.favour for kind in self.kinds])
        summed(
            members, weights, self.chances, self.listed, favour,
            usual, no, yes, highs, factors, edges, line, sums,
        )  # fmt: skip
        return Found(Terms(0, line, dropped + rounded), float(sums[0]), float(sums[1]) / _QUICK)
