"""The exact law of sums of independent draws from any priors, with the votes of those who drew.

Atoms are handled apart from densities. What has no draw from a density lies on a lattice, or on
few enough points to list them, and is summed exactly; what has one is a sum of distribution
functions; the rest is a Fourier series whose error is bounded. Nothing is sampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Leaf, Terms, product
from catallax.groups.sums.draws.measure import TIE
from catallax.groups.sums.draws.voters import Voters, silent
from catallax.groups.sums.series.circle import Circle
from catallax.groups.sums.series.densities import (
    all_votes,
    planned,
    series_terms,
    tapered_terms,
)
from catallax.groups.sums.series.line import line_terms
from catallax.groups.sums.series.streamed import patient, streamed_terms
from catallax.groups.sums.steep.fold import FEW_CELLS, fold_terms
from catallax.groups.sums.steep.pairs import pair_terms
from catallax.groups.sums.steep.pins import pinned_at
from catallax.groups.sums.steep.scales import scale_terms
from catallax.groups.sums.values.atoms import atom_terms, terms_by_one
from catallax.groups.sums.values.scattered import scattered_terms
from catallax.priors import Prior

__all__ = ["VoteLaw", "ballot_law", "probability_at_least", "vote_law"]

Array = NDArray[np.float64]

_NOTHING = 1e-15
_COARSE = 2e-8
# Of either side, so that both together are known to 1e-7.
_ALLOWED = 4.8e-8
# In a search, where it only says which of many prices is the better one.
_HASTY = 1e-5
# So many frequencies are tried for densities with sharp peaks.
_FREQUENCIES = (1 << 16, 1 << 20)
_MANY = 1 << 18
# Cells are looked at before the last of them, if they are not more than this.
_MORE_CELLS = 6e7
# Draws of more kinds of members that tie take many seconds.
_FEW_KINDS = 6
# Where probabilities leave their place by rounding alone they are put back one by one.
_ROUNDED = 1e-13


@dataclass(frozen=True, eq=False)
class VoteLaw:
    """The joint law of one side's votes and of its sum reaching a total.

    Attributes
    ----------
    votes
        Totals of votes, ascending; only those of positive probability. Shape (totals,).
    chance
        The probability of each.
    reached
        The probability of each, and that the sum is at least the total asked for.
    sums
        The expected sum on the event of each (0 elsewhere).
    error
        Bounds the error of every sum of entries of `reached` from one of them on.
    """

    votes: NDArray[np.int64]
    chance: Array
    reached: Array
    sums: Array
    error: float


def vote_law(voters: Sequence[Voters], total: float) -> VoteLaw:
    """Return the joint law of votes and of the event that the sum of all draws reaches a total.

    Parameters
    ----------
    voters
        All members of one side.
    total
        What the sum of draws is compared with, ties counting as reached; for sellers, whose draws
        are negative costs, minus what they receive.

    Returns
    -------
    VoteLaw
        With the bound of its error.

    Examples
    --------
    Of two buyers with uniform values those who bid 0.5 are in favour; the sum is at least 1:

    >>> from catallax.priors import Uniform
    >>> law = vote_law([Voters(Uniform(0, 1), 2, 1, 0.5)], 1.0)
    >>> law.votes.tolist(), law.chance.tolist(), law.reached.round(9).tolist()
    ([0, 1, 2], [0.25, 0.5, 0.25], [0.0, 0.25, 0.25])
    """
    basis = product([_chances(one) for one in voters])
    assert basis.once is not None
    chance, sums = np.maximum(basis.plain[0].real, 0.0), basis.once[0].real
    reached, error = np.zeros(chance.size), _NOTHING
    for terms in _terms(voters, total):
        error += terms.error
        shift = terms.first - basis.first
        start = max(0, shift)
        stop = max(start, min(chance.size, shift + terms.values.size))
        reached[start:stop] += terms.values[start - shift : stop - shift]
    kept = chance > 0
    votes = basis.first + np.flatnonzero(kept)
    reached, moved = _between(reached, chance, error)
    return VoteLaw(votes, chance[kept], reached[kept], sums[kept], error + moved)


def _between(reached: Array, chance: Array, error: float) -> tuple[Array, float]:
    """Move probabilities to where they can be, between 0 and `chance`, and say what that may add.

    Sums from one entry on are known up to the error. The least and the largest ones that can be
    are so near to that, and what lies halfway between them is no further from the truth.
    """
    inside = np.clip(reached, 0.0, chance)
    moved = float(np.abs(inside - reached).sum())
    if moved <= _ROUNDED:
        return inside, moved
    sums, most = (np.append(np.cumsum(line[::-1])[::-1], 0.0) for line in (reached, chance))
    low, high = np.append(sums[:-1] - error, 0.0), np.append(sums[:-1] + error, 0.0)
    # From one entry to those before it a sum grows, and by no more than their chances.
    least = np.maximum(
        np.maximum.accumulate(low[::-1])[::-1], most + np.maximum.accumulate(low - most)
    )
    largest = np.minimum(
        np.minimum.accumulate(high), most + np.minimum.accumulate((high - most)[::-1])[::-1]
    )
    halfway = (least + largest) / 2.0
    return np.clip(halfway[:-1] - halfway[1:], 0.0, chance), _ROUNDED


def ballot_law(voters: Sequence[Voters]) -> tuple[NDArray[np.int64], Array, Array]:
    """Return totals of votes, their probabilities, and the expected sum on the event of each.

    Parameters
    ----------
    voters
        All members of one side.

    Returns
    -------
    tuple of ndarray
        As in `VoteLaw`, shape (totals,) each, without the law of the sum.
    """
    basis = product([_chances(one) for one in voters])
    assert basis.once is not None
    chance = np.maximum(basis.plain[0].real, 0.0)
    kept = chance > 0
    return basis.first + np.flatnonzero(kept), chance[kept], basis.once[0].real[kept]


def probability_at_least(voters: Sequence[Voters], total: float) -> tuple[float, float]:
    """Return P(sum of all draws >= total) and a bound of its error.

    Parameters
    ----------
    voters
        The members; their votes are not looked at.
    total
        What the sum is compared with.

    Returns
    -------
    tuple of float
        The probability and the bound.

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> chance, error = probability_at_least([Voters(Uniform(0, 1), 3)], 2.0)
    >>> round(chance, 9), error < 1e-9
    (0.166666667, True)
    """
    law = vote_law([silent(one) for one in voters], total)
    return float(law.reached.sum()), law.error


def _chances(one: Voters) -> Leaf:
    """Return probabilities and expected values in place of transforms."""
    mean = one.mean_in_favour
    pairs = (one.refusal, one.chance, one.mean - mean, mean)
    no, yes, no_once, yes_once = (np.array([number]) for number in pairs)
    return Leaf(one.count, one.weight, one.chance, no, yes, no_once, yes_once)


# ------------------------------------------------------------------------------ what is added up


def _terms(voters: Sequence[Voters], total: float) -> list[Terms]:
    """Return the terms of P(votes, sum >= total): from atoms, from one density, from more."""
    low, high = (math.fsum(v.count * v.support[k] for v in voters) for k in (0, 1))
    # Three times 0.3 is 0.9, though not in floats: at the ends of the support, too, ties count.
    if total > high + _rounding(high):
        return []
    if total <= low + _rounding(low):
        return all_votes(voters)
    few = _few(voters) > _NOTHING
    dense = any(one.measure.low.size for one in voters)
    members = sum(one.count for one in voters)
    tied = [Terms(0, np.zeros(1), pinned_at(voters, total) if members > 1 else 0.0)]
    if tied[0].error > _COARSE / 8:
        quick = patient() or len(voters) <= _FEW_KINDS
        scaled = scale_terms(voters, total) if quick else None
        if scaled is not None and _error(scaled) <= _COARSE:
            return scaled
        ways = [way for way in (scaled, fold_terms(voters, total)) if way is not None]
        if ways and _error(min(ways, key=_error)) < tied[0].error:
            return min(ways, key=_error)
    exact = atom_terms(voters, total, quick=not patient()) if few else []
    if exact is None:
        return _of_many_atoms(voters, total) + tied
    if not dense or members < 2:
        return exact + tied
    if members == 2:
        return [*exact, *pair_terms(voters, total), *tied]
    return _of_densities(voters, total, exact, less=few) + tied


def _of_densities(
    voters: Sequence[Voters], total: float, exact: list[Terms], *, less: bool
) -> list[Terms]:
    """Return all terms where two draws or more may be from densities, in the way that errs least.

    The exact terms are those with fewer such draws, and `less` says whether there are any.
    """
    plan, error = planned(voters, total)
    if error <= _COARSE and plan.count <= _MANY:
        return [*exact, *series_terms(voters, total, less=less, rough=False, plan=plan)]
    line = line_terms(voters, total, less=less)
    if line is not None and _error(line) <= _COARSE:
        return [*exact, *line]
    folded = fold_terms(voters, total, FEW_CELLS)
    if folded is not None and _error(folded) <= _COARSE:
        return folded
    scaled = scale_terms(voters, total) if patient() else None
    if scaled is not None and _error(scaled) <= _COARSE:
        return scaled
    few, many = _FREQUENCIES
    peaks = [*exact, *tapered_terms(voters, total, plan, less=less, count=few)]
    if _error(peaks) <= _COARSE:
        return peaks
    folded = folded or fold_terms(voters, total, _MORE_CELLS)
    if folded is not None and _error(folded) <= _COARSE:
        return folded
    peaks = min(peaks, _of_peaks(voters, total, exact, plan, many, less=less), key=_error)
    if _error(peaks) <= _COARSE:
        return peaks
    folded = folded or fold_terms(voters, total)
    ways = [way for way in (peaks, folded, scaled) if way is not None]
    return _streamed(voters, total, min(ways, key=_error))


def _of_peaks(
    voters: Sequence[Voters],
    total: float,
    exact: list[Terms],
    plan: Circle,
    count: int,
    *,
    less: bool,
) -> list[Terms]:
    """Return the terms for densities with sharp peaks, in the way that errs least."""
    ways = [[*exact, *tapered_terms(voters, total, plan, less=less, count=count)]]
    if _error(ways[0]) <= _COARSE:
        return ways[0]
    ways.append(series_terms(voters, total, less=False, rough=True))
    if _error(ways[-1]) > _COARSE:
        ways.append([*exact, *series_terms(voters, total, less=less, rough=False, plan=plan)])
    return min(ways, key=_error)


def _of_many_atoms(voters: Sequence[Voters], total: float) -> list[Terms]:
    """Return all terms where atoms share no lattice, and their sums are too many to list."""
    if not any(one.measure.low.size for one in voters):
        # Of members of several kinds the second way lists nothing.
        listed_first = patient() and len(voters) > 1
        listed = terms_by_one(voters, total) if listed_first else None
        if listed is not None:
            return listed
        scattered = _scattered(tuple(map(_key, voters)), total, quick=not patient())
        if scattered is not None and _error(scattered) <= (_ALLOWED if patient() else _HASTY):
            return scattered
        listed = None if listed_first else terms_by_one(voters, total)
        if listed is not None:
            return listed
        rough = series_terms(voters, total, less=False, rough=True)
        return rough if scattered is None else min(scattered, rough, key=_error)
    folded = fold_terms(voters, total)
    if folded is not None and _error(folded) <= _COARSE:
        return folded
    plan, _ = planned(voters, total)
    smooth = tapered_terms(voters, total, plan, less=False, count=_FREQUENCIES[-1])
    if _error(smooth) <= _COARSE:
        return smooth
    rough = series_terms(voters, total, less=False, rough=True)
    return _streamed(voters, total, min(smooth, rough, key=_error))


_Key = tuple[Prior, int, int, float, int]


def _key(one: Voters) -> _Key:
    return one.prior, one.count, one.weight, one.price, one.sign


@lru_cache(maxsize=64)
def _scattered(voters: tuple[_Key, ...], total: float, *, quick: bool) -> list[Terms] | None:
    """Remember what takes seconds: rules are compared at the same prices."""
    return scattered_terms([Voters(*one) for one in voters], total, _ALLOWED, quick=quick)


def _streamed(voters: Sequence[Voters], total: float, found: list[Terms]) -> list[Terms]:
    """Return what was found, or where that is not good enough the same with a minute's work."""
    if _error(found) <= _ALLOWED or not patient():
        return found
    more = streamed_terms(voters, total, _ALLOWED)
    return found if more is None else min(found, more, key=_error)


def _error(found: Sequence[Terms]) -> float:
    return math.fsum(terms.error for terms in found)


def _rounding(end: float) -> float:
    return TIE * abs(end) if math.isfinite(end) else 0.0


def _few(voters: Sequence[Voters]) -> float:
    """Return the probability of at most one draw from a density."""
    atoms = [(one.count, one.measure.atom_mass) for one in voters]
    total = math.prod(mass**count for count, mass in atoms)
    for k, one in enumerate(voters):
        others = math.prod(mass ** (count - (j == k)) for j, (count, mass) in enumerate(atoms))
        total += one.count * one.measure.cell_mass * others
    return total
