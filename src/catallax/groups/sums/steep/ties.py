"""Draws that are all atoms or in clusters: which of their sums tie with a total, and what then.

Sums of anchors are exact. Most are apart from the total, whatever the draws are inside of their
clusters; those that are not are looked at on a finer scale, and again. Next to poles that are
powers of the distance every scale is like the one before, and the rest is a geometric series.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.blocks import blocks_of
from catallax.groups.sums.draws.measure import Measure
from catallax.groups.sums.draws.transform import powers
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.steep.anchors import (
    START,
    UNIT,
    Key,
    Label,
    Part,
    Settled,
    State,
    TooManyError,
    exact,
    label_of,
    parts_of,
)
from catallax.groups.sums.steep.clusters import (
    BAND,
    Cluster,
    Fall,
    clusters_of,
    rest_of,
    wave_of,
)

__all__ = ["beyond", "settle"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_FINER = 4.0
_MOST_FREQUENCIES = 1 << 19
_MOST_STATES, _MOST_NUMBERS = 20_000, 1 << 26
_LEVELS = 400
# Of more kinds of members every way to tie falls in a way of its own.
_MOST_KINDS = 10
_MARGIN = 0.02
# Ways of so little probability are left out, and counted; scales of so little are passed over.
_NOTHING, _PASSED, _ENOUGH = 2e-15, 1e-15, 1e-12
# A pole whose octaves are so much alike is a power of the distance; how fast its probability
# falls is told in such parts.
_ALIKE, _TAG = 1e-12, 1e-12
_ALLOWED = 1e-10
_ROUNDING = 2.0**-52


def beyond(bounds: Sequence[tuple[int, float, Sequence[Fall]]], step: float, count: int) -> float:
    """Bound what a series leaves out if one draw at least is from a smooth part.

    Parameters
    ----------
    bounds
        For each kind of members how many, the probability of its clusters, and how the transforms
        of its smooth parts fall.
    step, count
        The frequencies.
    """
    grid = count * np.exp2(np.arange(0.0, 60.0, 0.5))
    u = step * grid
    smooth = [sum((fall(u) for fall in falling), np.zeros(u.size)) for _, _, falling in bounds]
    size = np.zeros(u.size)
    for k, (members, _, _) in enumerate(bounds):
        one = members * smooth[k]
        for j, (others, mass, _) in enumerate(bounds):
            one = one * np.minimum(mass + smooth[j], 1.0) ** (others - (j == k))
        size += one
    between = np.ceil(grid * (math.sqrt(2.0) - 1.0)) + 1.0
    missed = math.fsum(n * fall.missed for n, _, falling in bounds for fall in falling)
    return float((size * 2.0 / (math.pi * grid)) @ between) + missed


def settle(
    voters: Sequence[Voters],
    total: float,
    slack: float,
    kinds: Sequence[list[Label]],
    radius: float,
) -> Settled:
    """Return P(votes, sum >= total, all draws atoms or in clusters).

    Parameters
    ----------
    voters
        All members.
    total, slack
        What the sum is compared with, and how near to it is a tie.
    kinds
        The labels of a draw of each kind of members.
    radius
        The resolution at which they were told apart.
    """
    found = Settled()
    counts = [one.count for one in voters]
    extents = [float(np.ptp(one.measure.support)) or 1.0 for one in voters]
    # Of the bottom of a pole no more is known.
    bottom = max((block.depth for one in voters for block in blocks_of(one.prior)), default=0.0)
    wanted: set[tuple[Key, int]] | None = None
    left, first = 0.0, kinds
    for _ in range(_LEVELS):
        radius /= _FINER
        level = _Level(counts, extents, kinds, radius)
        tied = level.decided(total, slack, wanted, found)
        left = math.fsum(tie.mass for tie in tied.values())
        if left <= _ENOUGH or radius <= bottom:
            break
        before = found.error
        closed = level.solve(tied, found)
        if found.error - before > left:
            # Nothing is to be had from here on.
            break
        wanted = {(state.now, state.votes) for state in tied if state not in closed}
        kinds = level.children
    # Nothing may have been looked at twice, or not at all.
    whole = math.prod(
        math.fsum(label.mass for label in labels) ** count
        for labels, count in zip(first, counts, strict=True)
    )
    found.error += left + abs(whole - found.mass - left)
    return found


class _Tie(NamedTuple):
    """Ways that may tie: their probability, what is missing, and the range of what there is."""

    mass: float
    apart: float
    low: float
    high: float


class _Level:
    """One scale: labels, their finer clusters, and what is between."""

    def __init__(
        self,
        counts: Sequence[int],
        extents: Sequence[float],
        kinds: Sequence[list[Label]],
        radius: float,
    ) -> None:
        self.counts, self.radius = counts, radius
        self.kinds: list[list[Label]] = []
        self.children: list[list[Label]] = []
        self.rests: list[list[Measure | None]] = []
        self.fines: list[list[float]] = []
        for labels, extent in zip(kinds, extents, strict=True):
            own, finer, rests, fines = [], [], [], []
            for j, label in enumerate(labels):
                clusters: list[Cluster] = []
                rest: Measure | None = None
                if label.cluster is not None:
                    outer = label.cluster
                    hull = outer.start, outer.end
                    clusters = clusters_of(outer.parts, outer.anchor, radius, hull)
                    rest = rest_of(outer, clusters, radius)
                born = [label_of(cluster, label.votes, extent) for cluster in clusters]
                fine = label.mass if rest is None else math.fsum(child.mass for child in born)
                share = fine / label.mass if label.mass > 0 else 0.0
                tag: int | None = None
                if rest is None:
                    born, tag = [label], 0
                elif (
                    len(counts) <= _MOST_KINDS
                    and label.key.steep
                    and 0 < share < 1
                    and abs(share - label.share) <= _ALIKE
                ):
                    tag = round(math.log(share) / _TAG)
                key = label.key._replace(tag=tag)
                own.append(replace(label, key=key))
                finer += [replace(child, before=key, parent=j, share=share) for child in born]
                rests.append(rest)
                fines.append(fine)
            self.kinds.append(own)
            self.children.append(finer)
            self.rests.append(rests)
            self.fines.append(fines)

    # ------------------------------------------------------------------------------------- ways

    def decided(
        self,
        total: float,
        slack: float,
        wanted: set[tuple[Key, int]] | None,
        found: Settled,
    ) -> dict[State, _Tie]:
        """Add up the states that are apart from the total, and return the others."""
        chances = [math.fsum(label.mass for label in labels) for labels in self.kinds]
        rest = [
            math.prod(p**n for p, n in zip(chances[k:], self.counts[k:], strict=True))
            for k in range(len(chances) + 1)
        ]
        self.parts: list[dict[State, Part]] = []
        states: dict[State, tuple[float, float, float]] = {START: (1.0, 0.0, 0.0)}
        self.stages = [states]
        most = 1.0
        for k, labels in enumerate(self.kinds):
            parts = parts_of(labels, self.counts[k], most * rest[k + 1], found)
            longer: dict[State, tuple[float, float, float]] = {}
            for state, (mass, low, high) in states.items():
                for more, part in parts.items():
                    size = mass * part.mass
                    if size * rest[k + 1] <= _NOTHING:
                        found.error += size * rest[k + 1]
                        continue
                    both = state.plus(more)
                    old = longer.get(both, (0.0, math.inf, -math.inf))
                    longer[both] = (
                        old[0] + size, min(old[1], low + part.low), max(old[2], high + part.high)
                    )  # fmt: skip
                if len(longer) > _MOST_STATES:
                    raise TooManyError
            states = longer
            most = max((mass for mass, _, _ in states.values()), default=0.0)
            self.parts.append(parts)
            self.stages.append(states)
        # What is not told apart on the next scale is decided together.
        ranges: dict[tuple[Key, int], tuple[float, float]] = {}
        open_ = {
            state: ways
            for state, ways in states.items()
            if wanted is None or (state.before, state.votes) in wanted
        }
        for state, (_, low, high) in open_.items():
            old = ranges.get((state.now, state.votes), (math.inf, -math.inf))
            ranges[state.now, state.votes] = min(old[0], low), max(old[1], high)
        tied = {}
        for state, (mass, _, _) in open_.items():
            low, high = ranges[state.now, state.votes]
            apart = (exact(total) - state.now.anchor) / UNIT
            if abs(apart) <= slack and state.now.steep:
                apart = 0.0
            if low < apart < high:
                tied[state] = _Tie(mass, apart, low, high)
                continue
            found.mass += mass
            if apart <= low:
                found.add(state.votes, mass)
        return tied

    def solve(self, tied: dict[State, _Tie], found: Settled) -> set[State]:
        """Add up what is decided on this scale, and all below where they are alike.

        Returns
        -------
        set of State
            Those for which nothing is left.
        """
        masses = self._sums(
            tied, [[(np.array([label.mass]), np.array([fine]))
                    for label, fine in zip(labels, fines, strict=True)]
                   for labels, fines in zip(self.kinds, self.fines, strict=True)], 1
        )  # fmt: skip
        moved = math.fsum(float(abs(a[0] - b[0])) for a, b in masses.values())
        if moved <= _PASSED:
            found.error += moved
            return set()
        period = max(tie.high - tie.low for tie in tied.values()) * (1.0 + 2.0 * _MARGIN)
        step = 2.0 * math.pi / period
        bounds = [
            (
                count,
                math.fsum(label.mass for label in labels),
                [Fall(rest) for rest in rests if rest is not None],
            )
            for count, labels, rests in zip(self.counts, self.kinds, self.rests, strict=True)
        ]
        count = math.ceil(BAND / self.radius / step) + 1
        error = beyond(bounds, step, count)
        while error > _ALLOWED and 2 * count <= _MOST_FREQUENCIES:
            count *= 2
            error = beyond(bounds, step, count)
        if count > _MOST_FREQUENCIES:
            raise TooManyError
        found.error += error
        sums = self._sums(tied, self._waves(step, count), count)
        u = step * np.arange(1, count, dtype=np.float64)
        closed = set()
        for state, (whole, fine) in sums.items():
            tie = tied[state]
            start, end = tie.apart, tie.high + _MARGIN * (tie.high - tie.low)
            mass = float((whole[0] - fine[0]).real)
            value = (end - start) / period * mass
            weights = (np.exp(-1j * u * start) - np.exp(-1j * u * end)) / (0.5j * u * period)
            value += float((weights @ (whole[1:] - fine[1:])).real)
            # Both transforms are rounded, and the weights add up to a logarithm.
            found.error += _ROUNDING * 64.0 * math.log(count) * tie.mass
            tag = state.now.tag
            if tie.apart == 0.0 and tag is not None and tag < 0:
                value, mass = (one / -math.expm1(tag * _TAG) for one in (value, mass))
                closed.add(state)
            found.mass += mass
            found.add(state.votes, value)
        return closed

    def _sums(
        self, tied: Iterable[State], waves: list[list[tuple[Complex, Complex]]], count: int
    ) -> dict[State, tuple[Complex, Complex]]:
        """Return the transforms of tied states, of whole clusters and of the finer ones."""
        useful = [set(tied)]
        for k in range(len(self.kinds) - 1, 0, -1):
            useful.append(
                {
                    state
                    for state in self.stages[k]
                    if any(state.plus(part) in useful[-1] for part in self.parts[k])
                }
            )
        useful.reverse()
        ones = np.ones(count, dtype=np.complex128)
        sums = {START: (ones, ones)}
        for k, goals in enumerate(useful):
            if (len(goals) + len(sums)) * count > _MOST_NUMBERS:
                raise TooManyError
            known: dict[tuple[int, int], tuple[Complex, Complex]] = {}
            longer: dict[State, tuple[Complex, Complex]] = {}
            for more, part in self.parts[k].items():
                ends = [(state, state.plus(more)) for state in sums]
                ends = [(state, end) for state, end in ends if end in goals]
                if not ends:
                    continue
                own = _summed(part.ways, waves[k], known, count)
                for state, end in ends:
                    both = [a * b for a, b in zip(sums[state], own, strict=True)]
                    if end in longer:
                        both = [a + b for a, b in zip(both, longer[end], strict=True)]
                    longer[end] = both[0], both[1]
            sums = longer
        return sums

    def _waves(self, step: float, count: int) -> list[list[tuple[Complex, Complex]]]:
        """Return each label's transform, and that of what is in finer clusters."""
        found = []
        for labels, children, rests in zip(self.kinds, self.children, self.rests, strict=True):
            own = []
            for j, (label, rest) in enumerate(zip(labels, rests, strict=True)):
                if rest is None:
                    one = np.full(count, label.mass, dtype=np.complex128)
                    own.append((one, one))
                    continue
                fine = np.zeros(count, dtype=np.complex128)
                for child in children:
                    if child.parent == j and child.measure is not None:
                        shift = (child.key.anchor - label.key.anchor) / UNIT
                        fine = fine + wave_of(child.measure, step, count, shift)
                own.append((fine + wave_of(rest, step, count), fine))
            found.append(own)
        return found


def _summed(
    ways: Sequence[tuple[tuple[int, ...], float]],
    waves: Sequence[tuple[Complex, Complex]],
    known: dict[tuple[int, int], tuple[Complex, Complex]],
    count: int,
) -> tuple[Complex, Complex]:
    """Add up products of transforms over the ways in which members share labels."""
    out = [np.zeros(count, dtype=np.complex128) for _ in range(2)]
    for counts, times in ways:
        both = [np.full(count, times, dtype=np.complex128) for _ in range(2)]
        for j, m in enumerate(counts):
            if m:
                if (j, m) not in known:
                    known[j, m] = powers(waves[j][0], m), powers(waves[j][1], m)
                both = [a * b for a, b in zip(both, known[j, m], strict=True)]
        out = [a + b for a, b in zip(out, both, strict=True)]
    return out[0], out[1]
