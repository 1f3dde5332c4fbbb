"""Where draws may be if none is in a smooth part: labels, and the ways to share them.

Sums of anchors are exact, for every float is a whole number of the same unit. Ways that add up to
one sum with one total of votes are looked at together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from catallax.groups.sums.draws.measure import Measure
from catallax.groups.sums.steep.clusters import Cluster, tapered

__all__ = [
    "START",
    "UNIT",
    "Key",
    "Label",
    "Part",
    "Settled",
    "State",
    "TooManyError",
    "exact",
    "label_of",
    "parts_of",
]

UNIT = 1 << 1074
"""Every float is a whole number of parts so small."""
_MOST_WAYS = 100_000
# Ways of so little probability are left out, and counted.
_NOTHING = 2e-15
_STEEP = 2.0**-60


class TooManyError(Exception):
    """The ways in which sums may tie are too many."""


class Key(NamedTuple):
    """What is the same of all ways to add up to one sum of anchors.

    Attributes
    ----------
    anchor
        The sum, in units.
    steep
        Whether all draws are atoms or next to poles.
    tag
        The logarithm of the part that is left on the next scale, where all scales are alike.
    """

    anchor: int = 0
    steep: bool = True
    tag: int | None = 0

    def plus(self, other: Key, times: int = 1) -> Key:
        """Return the key of a sum."""
        tag = None if self.tag is None or other.tag is None else self.tag + times * other.tag
        return Key(self.anchor + times * other.anchor, self.steep and other.steep, tag)


class State(NamedTuple):
    """Votes, and keys on the scale before and on this one."""

    votes: int
    before: Key
    now: Key

    def plus(self, other: State) -> State:
        """Return the state of all of both."""
        return State(
            self.votes + other.votes, self.before.plus(other.before), self.now.plus(other.now)
        )


_NO_KEY = Key()
START = State(0, _NO_KEY, _NO_KEY)


@dataclass(frozen=True, eq=False)
class Label:
    """Where a draw may be, an atom or a cluster, and what its owner votes.

    Attributes
    ----------
    votes
        How many.
    mass
        The probability.
    key, before
        Of one such draw, on this scale and on the one before.
    parent
        The position of the label that it was part of.
    share
        Its part of that.
    cluster, measure
        None for an atom.
    """

    votes: int
    mass: float
    key: Key
    before: Key = _NO_KEY
    parent: int = -1
    share: float = 0.0
    cluster: Cluster | None = None
    measure: Measure | None = None

    @property
    def support(self) -> tuple[float, float]:
        """The farthest from the anchor, to either side."""
        return (0.0, 0.0) if self.cluster is None else self.cluster.support


@dataclass(eq=False)
class Settled:
    """What is known: probabilities for totals of votes, and a bound of what is not."""

    values: dict[int, float] = field(default_factory=dict)
    error: float = 0.0
    # The probability of all that was looked at, whether the total is reached or not.
    mass: float = 0.0

    def add(self, votes: int, value: float) -> None:
        """Add up what is known."""
        self.values[votes] = self.values.get(votes, 0.0) + value


def exact(value: float) -> int:
    """Return a float in units."""
    return int(Fraction(value) * UNIT)


def label_of(cluster: Cluster, votes: int, extent: float) -> Label:
    """Return the label of a cluster of a density that is so wide.

    Parameters
    ----------
    cluster, votes
        As in `Label`.
    extent
        Of the whole density.
    """
    measure = tapered(cluster)
    widths = [part.measure.high - part.measure.low for part in cluster.parts]
    steep = min((float(width.min()) for width in widths), default=1.0) < _STEEP * extent
    key = Key(exact(cluster.anchor), steep, None)
    return Label(votes, measure.cell_mass, key, cluster=cluster, measure=measure)


class Part(NamedTuple):
    """Ways in which all members of a kind add up to one state."""

    ways: list[tuple[tuple[int, ...], float]]
    mass: float
    low: float
    high: float


def parts_of(
    labels: Sequence[Label], members: int, scale: float, found: Settled
) -> dict[State, Part]:
    """Return the states of members that are alike, and the ways to each."""
    masses = [label.mass for label in labels]
    rest = [math.fsum(masses[k:]) for k in range(len(masses) + 1)]
    shares: list[tuple[tuple[int, ...], int, float, float]] = [((), members, 1.0, 1.0)]
    for k, mass in enumerate(masses):
        longer = []
        last = k == len(masses) - 1
        for counts, left, times, chance in shares:
            for m in range(left if last else 0, left + 1):
                more = math.comb(left, m)
                size = chance * more * mass**m
                kept = size * rest[k + 1] ** (left - m) * scale
                if kept > _NOTHING:
                    longer.append(((*counts, m), left - m, times * more, size))
                else:
                    found.error += kept
        if len(longer) > _MOST_WAYS:
            raise TooManyError
        shares = longer
    states: dict[State, Part] = {}
    for counts, left, times, chance in shares:
        if left:
            continue
        votes, before, now, low, high = 0, _NO_KEY, _NO_KEY, 0.0, 0.0
        for label, m in zip(labels, counts, strict=True):
            if m:
                votes += m * label.votes
                before, now = before.plus(label.before, m), now.plus(label.key, m)
                low, high = low + m * label.support[0], high + m * label.support[1]
        state = State(votes, before, now)
        old = states.get(state)
        if old is None:
            states[state] = Part([(counts, times)], chance, low, high)
        else:
            states[state] = Part(
                [*old.ways, (counts, times)], old.mass + chance, min(low, old.low),
                max(high, old.high),
            )  # fmt: skip
    return states
