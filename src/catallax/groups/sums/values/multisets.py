"""Sums of many draws of few values, or of few draws that are not the usual value: listed.

The values are divided into two heaps, and draws by how many of them, d, are from the second one.
Given d, all sums of either heap are listed, or of two halves of the draws from the second one,
and two lists are matched. That is done for those d for which the lists are short; what is left is
an event without large atoms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.draws.measure import Measure
from catallax.groups.sums.draws.voters import Voters

__all__ = [
    "SORTING",
    "Division",
    "Heap",
    "Sums",
    "binomial",
    "divided",
    "likeliest",
    "listed",
    "outer",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Sums = tuple[Array, Array]

_MOST_HEAPED, _MOST_TRIED = 1 << 24, 24
SORTING = 20.0
"""To list and sort a sum takes as long as to match so many."""
_FAINT, _NOTHING = 1e-17, 1e-13
# To list what is less likely is idle.
_IDLE = 1e-9
# A normal law of many dimensions is within so many deviations of its mean, squared.
_FAR, _OFTEN = 64.0, 4.0
_ROUNDING = 2.0**-52


@dataclass(frozen=True, eq=False)
class Heap:
    """Some of the values of a draw.

    Attributes
    ----------
    values
        In any order.
    chances
        Their probabilities given that a draw is one of them.
    votes
        1 for those whose owner is in favour, else 0.
    """

    values: Array
    chances: Array
    votes: Integers

    def within(self, whole: Measure) -> Measure:
        """Return the law of a draw that is one of them."""
        order = np.argsort(self.values)
        return replace(whole, atoms=self.values[order], masses=self.chances[order])

    @property
    def groups(self) -> bool:
        """Whether draws differ in their votes."""
        return bool(np.unique(self.votes).size > 1)

    @cached_property
    def _spread(self) -> float:
        return 0.5 * float(np.log(self.chances).sum())

    def sizes(self, draws: Integers) -> Array:
        """Return the logarithm of about how many sums of so many draws there are."""
        k = self.values.size
        if k == 0:
            return np.where(draws == 0, 0.0, math.inf)
        ways = special.gammaln(draws + k) - special.gammaln(draws + 1.0) - special.gammaln(float(k))
        # Those that are not too far from the mean: the volume of an ellipsoid.
        ball = (k - 1) / 2 * math.log(math.pi * _FAR) - float(special.gammaln((k + 1) / 2))
        near = ball + (k - 1) / 2 * np.log(np.maximum(draws, 1)) + self._spread
        # Where every value is drawn a few times.
        often = draws * float(self.chances.min()) >= _OFTEN
        return np.where(often, np.minimum(ways, near + math.log(4.0)), ways)

    def sums(self, draws: int) -> dict[int, Sums]:
        """Return, for each number of votes, the sums of so many draws and their probabilities."""
        from catallax.groups.sums.values.kernels_multisets import extended

        order = np.argsort(-self.chances, kind="stable")
        tails = np.append(np.cumsum(self.chances[order][::-1])[::-1], 0.0)
        factorials = special.gammaln(np.arange(draws + 1) + 1.0)
        left, votes = np.array([draws]), np.zeros(1, dtype=np.int64)
        sums, logs = np.zeros(1), np.array([float(factorials[-1])])
        none = _room(0)
        for k, at in enumerate(order.tolist()):
            last = k == order.size - 1
            if last:
                # What is left is all of the last value.
                sums = sums + left * self.values[at]
                logs = logs + left * math.log(self.chances[at]) - factorials[left]
                votes = votes + left * self.votes[at]
                break
            given = (
                left, votes, sums, logs, float(self.values[at]), int(self.votes[at]),
                math.log(self.chances[at]), math.log(tails[k + 1]), factorials,
                math.log(_FAINT),
            )  # fmt: skip
            size = extended(*given, *none)
            out = _room(size)
            extended(*given, *out)
            left, votes, sums, logs = out
        masses = np.exp(logs)
        del logs, left
        return _grouped(votes, sums, masses)


def _room(size: int) -> tuple[Integers, Integers, Array, Array]:
    whole = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    return *whole, np.empty(size), np.empty(size)


def _grouped(votes: Integers, sums: Array, masses: Array) -> dict[int, Sums]:
    """Sort the sums of each number of votes."""
    order = np.argsort(sums)
    votes, sums, masses = votes[order], sums[order], masses[order]
    if votes.size == 0 or (votes == votes[0]).all():
        return {int(votes[0]): (sums, masses)} if votes.size else {}
    order = np.argsort(votes, kind="stable")
    votes, sums, masses = votes[order], sums[order], masses[order]
    cuts = [0, *(np.flatnonzero(np.diff(votes)) + 1).tolist(), votes.size]
    return {int(votes[a]): (sums[a:b], masses[a:b]) for a, b in pairwise(cuts)}


@dataclass(frozen=True, eq=False)
class Division:
    """Two heaps of values, and for which numbers of draws from the second sums are listed.

    Attributes
    ----------
    count
        How many draws there are.
    first, second
        The heaps.
    share
        The probability of the second one.
    draws, chances
        Numbers of draws from the second one, and their probabilities; the rest is negligible.
    halved
        Whether the draws from the second heap are halved, for each number.
    kept
        Which of these numbers are listed.
    cost
        What that costs.
    """

    count: int
    first: Heap
    second: Heap
    share: float
    draws: Integers
    chances: Array
    halved: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    cost: float

    @property
    def covered(self) -> float:
        """The probability of what is listed."""
        return float(self.chances[self.kept].sum())


def divided(one: Voters, most: float) -> Division | None:
    """Divide the values of alike members so that as much as possible can be listed.

    Parameters
    ----------
    one
        The members; no densities.
    most
        What it may cost, in sums matched.

    Returns
    -------
    Division or None
        The cheapest that covers everything, or the one that covers most; None if there is none,
        or if it does not cover everything and no single sum is likely enough to matter.
    """
    measure = one.measure
    values, chances = measure.atoms, measure.masses / measure.masses.sum()
    votes = (values >= one.bar).astype(np.int64)
    found: list[Division] = []
    for order in (np.argsort(-chances, kind="stable"), np.arange(values.size), None):
        ranks = np.arange(values.size)[::-1] if order is None else order
        for size in range(min(values.size, _MOST_TRIED)):
            first, second = (
                Heap(values[part], chances[part] / chances[part].sum(), votes[part])
                for part in (ranks[:size], ranks[size:])
            )
            share = float(chances[ranks[size:]].sum()) if size else 1.0
            found.append(_costed(one.count, first, second, share, most))
    best = max(found, key=lambda way: (round(min(way.covered, 1.0 - 1e-9), 10), -way.cost))
    if best.covered >= 1.0 - _IDLE or likeliest(one.count, chances) > _IDLE:
        return best if best.kept.any() else None
    return None


def likeliest(count: int, chances: Array) -> float:
    """Return about the probability of the likeliest way to draw the values."""
    times = np.floor(count * chances)
    for _ in range(count - int(times.sum())):
        times[np.argmax(chances / (times + 1.0))] += 1.0
    logs = times @ np.log(chances) - special.gammaln(times + 1.0).sum()
    return float(np.exp(logs + special.gammaln(count + 1.0)))


def _costed(count: int, first: Heap, second: Heap, share: float, most: float) -> Division:
    """Take those numbers of draws that are cheapest for their probability."""
    draws = np.arange(count + 1) if first.values.size else np.array([count])
    chances = binomial(count, share, draws)
    likely = chances > _NOTHING / draws.size
    draws, chances = draws[likely], chances[likely]
    half = draws // 2
    own, others = first.sizes(count - draws), second.sizes(draws)
    halves = second.sizes(half), second.sizes(draws - half)
    with np.errstate(over="ignore"):
        ways = []
        for a, b, mixed in ((own, others, first.groups), (own + halves[0], halves[1], True)):
            long = np.exp(a), np.exp(b)
            groups = 1.0 + (count - draws) * first.groups, 1.0 + draws * second.groups
            times = groups if mixed else (1.0, groups[1])
            work = long[0] * times[1] + long[1] * times[0]
            size = long[0] + long[1]
            ways.append(np.where(size > _MOST_HEAPED, math.inf, SORTING * size + work))
    costs = np.minimum(*ways)
    order = np.argsort(costs / chances, kind="stable")
    spent = np.cumsum(costs[order])
    kept = np.zeros(draws.size, dtype=bool)
    kept[order[spent <= most]] = True
    kept &= chances > _IDLE
    return Division(
        count, first, second, share, draws, chances, ways[1] < ways[0], kept,
        float(costs[kept].sum()),
    )  # fmt: skip


def listed(division: Division, total: float) -> tuple[Array, float]:
    """Return, for each number of votes, P(votes, sum >= total, what is listed), and its error.

    Parameters
    ----------
    division
        What is listed.
    total
        What the sum is compared with.

    Returns
    -------
    tuple of ndarray and float
        Shape (draws + 1,), and what every sum of these numbers may be wrong by.
    """
    from catallax.groups.sums.values.kernels_multisets import matched

    found = np.zeros(division.count + 1)
    seen = 0.0
    whole: dict[int, dict[int, Sums]] = {}

    def of_second(draws: int) -> dict[int, Sums]:
        if draws not in whole:
            whole[draws] = division.second.sums(draws)
        return whole[draws]

    rows = zip(division.draws, division.chances, division.halved, division.kept, strict=True)
    for draws, chance, halved, kept in rows:
        if not kept:
            continue
        own = _nothing() if division.count == draws else division.first.sums(
            int(division.count - draws)
        )  # fmt: skip
        if halved:
            left = outer(own, of_second(int(draws // 2)))
            right = of_second(int(draws - draws // 2))
        else:
            whole.clear()
            left, right = own, division.second.sums(int(draws)) if draws else _nothing()
        sides = [sum(float(masses.sum()) for _, masses in side.values()) for side in (left, right)]
        seen += float(chance) * math.prod(sides)
        for votes, (sums, masses) in right.items():
            tails = np.append(np.cumsum(masses[::-1])[::-1], 0.0)
            for more, (others, weights) in left.items():
                found[votes + more] += chance * matched(others, weights, sums, tails, total)
    # Logarithms of factorials are rounded.
    rounding = 16 * _ROUNDING * (float(special.gammaln(division.count + 1.0)) + 64.0)
    return found, max(division.covered - seen, 0.0) + rounding


def _nothing() -> dict[int, Sums]:
    return {0: (np.zeros(1), np.ones(1))}


def outer(first: dict[int, Sums], second: dict[int, Sums]) -> dict[int, Sums]:
    """Add each sum of one list to each of another."""
    heaps: dict[int, list[Sums]] = {}
    for votes, (sums, masses) in first.items():
        for more, (others, weights) in second.items():
            both = np.add.outer(sums, others).ravel(), np.multiply.outer(masses, weights).ravel()
            heaps.setdefault(votes + more, []).append(both)
    found = {}
    for votes, heap in heaps.items():
        sums, masses = (np.concatenate([one[k] for one in heap]) for k in (0, 1))
        order = np.argsort(sums) if len(heap) > 1 or len(first) + len(second) > 2 else None
        if order is None and sums.size > 1 and (np.diff(sums) < 0).any():
            order = np.argsort(sums)
        found[votes] = (sums, masses) if order is None else (sums[order], masses[order])
    return found


def binomial(count: int, share: float, draws: Integers) -> Array:
    """Return the probabilities of so many draws from a part of the values."""
    if share >= 1.0:
        return (draws == count).astype(np.float64)
    gamma = special.gammaln
    ways = gamma(count + 1.0) - gamma(draws + 1.0) - gamma(count - draws + 1.0)
    return np.exp(ways + draws * math.log(share) + (count - draws) * math.log1p(-share))
