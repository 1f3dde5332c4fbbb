"""Lists of sums of members of several kinds, on two sides, matched with each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.values.multisets import SORTING, Sums, likeliest, outer
from catallax.groups.sums.values.several import Kind, Several, kind_of

__all__ = ["chosen", "listed_sides"]

Array = NDArray[np.float64]

_MOST_KINDS, _MOST_LISTED = 6, 1 << 22
# To list what is less likely is idle, and what adds less to a usual transform.
_IDLE, _SPREAD = 1e-9, 1e-10
_ROUNDING = 2.0**-52

Lists = dict[int, Sums]


def chosen(voters: Sequence[Voters], most: float) -> Several | None:
    """Choose how many unusual draws of each kind are listed.

    Parameters
    ----------
    voters
        Members of several kinds; no densities.
    most
        What it may cost, in sums matched.

    Returns
    -------
    Several or None
        None if there are too many kinds, or no single sum is likely enough to matter.
    """
    alike = math.prod(likeliest(one.count, one.measure.masses) for one in voters)
    if len(voters) > _MOST_KINDS or alike <= _IDLE:
        return None
    kinds = tuple(kind_of(one) for one in voters)
    # How many sums there are with so many unusual draws at most.
    sums = [_sums_of(kind) for kind in kinds]
    last = np.zeros(len(kinds), dtype=np.int64)
    if _divided(kinds, sums, last.tolist(), most) is None:
        return None
    firsts, seconds = np.array([kind.typical for kind in kinds]).T
    stuck = {j for j, kind in enumerate(kinds) if kind.chances.size == 1}
    while len(stuck) < len(kinds):
        parts = _left(kinds, last.tolist(), firsts, seconds)
        at = max((j for j in range(len(kinds)) if j not in stuck), key=parts.__getitem__)
        if parts[at] <= _SPREAD:
            break
        last[at] += 1
        if _divided(kinds, sums, last.tolist(), most) is None:
            last[at] -= 1
            stuck.add(at)
        elif last[at] == kinds[at].chances.size - 1:
            stuck.add(at)
    return Several(kinds, last)


def _sums_of(kind: Kind) -> Array:
    draws = np.arange(kind.chances.size)
    with np.errstate(over="ignore"):
        logs = kind.first.sizes(kind.voters.count - draws) + kind.second.sizes(draws)
        return np.cumsum(np.exp(logs))


def _left(kinds: Sequence[Kind], last: Sequence[int], firsts: Array, seconds: Array) -> list[float]:
    """Return what each kind adds to the transform of what is not listed, at a usual frequency."""
    left, whole = [], []
    for kind, most, first, second in zip(kinds, last, firsts, seconds, strict=True):
        draws = np.arange(kind.chances.size)
        terms = kind.chances * first ** (kind.voters.count - draws) * second**draws
        left.append(float(terms[most + 1 :].sum()))
        whole.append(float(terms.sum()))
    return [
        one * math.prod(whole[i] for i in range(len(kinds)) if i != j) for j, one in enumerate(left)
    ]


def _divided(
    kinds: Sequence[Kind], sums: Sequence[Array], last: Sequence[int], most: float
) -> tuple[list[int], list[int]] | None:
    """Put the kinds on two sides whose lists are short; None if that is too much work."""
    best, least = None, most
    others = range(1, len(kinds))
    for size in range(len(kinds)):
        for right in itertools.combinations(others, size):
            sides = [j for j in range(len(kinds)) if j not in right], list(right)
            long, groups = [1.0, 1.0], [1.0, 1.0]
            for s, side in enumerate(sides):
                for j in side:
                    long[s] *= float(sums[j][last[j]])
                    groups[s] *= last[j] + 1.0
            cost = SORTING * sum(long) + long[0] * groups[1] + long[1] * groups[0]
            if cost <= least and max(long) <= _MOST_LISTED:
                best, least = sides, cost
    return best


def listed_sides(several: Several, total: float) -> tuple[Array, float]:
    """Return, for each total of votes, P(votes, sum >= total, what is listed), and its error.

    Parameters
    ----------
    several
        What is listed.
    total
        What the sum is compared with.

    Returns
    -------
    tuple of ndarray and float
        From no vote on, and what every sum of these numbers may be wrong by.
    """
    from catallax.groups.sums.values.kernels_multisets import matched

    kinds, last = several.kinds, several.listed.tolist()
    sides = _divided(kinds, [_sums_of(kind) for kind in kinds], last, math.inf)
    assert sides is not None
    left, right = (_side([kinds[j] for j in side], [last[j] for j in side]) for side in sides)
    found = np.zeros(1 + sum(kind.voters.count * kind.voters.weight for kind in kinds))
    for votes, (sums, masses) in right.items():
        tails = np.append(np.cumsum(masses[::-1])[::-1], 0.0)
        for more, (others, weights) in left.items():
            found[votes + more] += matched(others, weights, sums, tails, total)
    seen = math.prod(
        sum(float(masses.sum()) for _, masses in side.values()) for side in (left, right)
    )
    covered = math.prod(
        float(kind.chances[: most + 1].sum()) for kind, most in zip(kinds, last, strict=True)
    )
    # Logarithms of factorials are rounded.
    logs = float(special.gammaln(several.members + 1.0).sum())
    rounding = 16 * _ROUNDING * (2.0 * logs + 64.0 * len(kinds))
    return found, max(covered - seen, 0.0) + rounding


def _side(kinds: Sequence[Kind], last: Sequence[int]) -> Lists:
    """List the sums of some kinds by their votes, ascending."""
    found: Lists = {0: (np.zeros(1), np.ones(1))}
    for kind, most in zip(kinds, last, strict=True):
        found = outer(found, _of_kind(kind, most))
    return found


def _of_kind(kind: Kind, last: int) -> Lists:
    heaps: dict[int, list[Sums]] = {}
    for draws in range(last + 1):
        own = kind.first.sums(kind.voters.count - draws)
        for votes, (sums, masses) in outer(own, kind.second.sums(draws)).items():
            part = sums, masses * kind.chances[draws]
            heaps.setdefault(votes * kind.voters.weight, []).append(part)
    found = {}
    for votes, heap in heaps.items():
        sums, masses = (np.concatenate([one[k] for one in heap]) for k in (0, 1))
        order = np.argsort(sums)
        found[votes] = sums[order], masses[order]
    return found
