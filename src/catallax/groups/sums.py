"""The exact law of sums of independent draws from any priors, with the votes of those who drew.

Atoms are handled apart from densities. What has no draw from a density lies on a lattice, or on
few enough points to list them, and is summed exactly; what has one is a sum of distribution
functions; the rest is a Fourier series whose error is bounded. Nothing is sampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums_atoms import AtomLaw, atom_terms, law_of_atoms, split
from catallax.groups.sums_ballots import Leaf, product
from catallax.groups.sums_bounds import Draws
from catallax.groups.sums_line import Circle, circle_of
from catallax.groups.sums_measure import Measure
from catallax.groups.sums_pairs import pair_terms
from catallax.groups.sums_transform import characteristic
from catallax.groups.sums_voters import Voters
from catallax.groups.sums_weigh import Terms, size_of, weigh

__all__ = ["VoteLaw", "expected_excess", "probability_at_least", "vote_law"]

Array = NDArray[np.float64]

_NOTHING = 1e-15
_ROUNDING = 2.0**-52


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
        Bounds the error of every sum of entries of `reached`.
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
        start, stop = max(0, shift), min(chance.size, shift + terms.values.size)
        reached[start:stop] += terms.values[start - shift : stop - shift]
    kept = chance > 0
    votes = basis.first + np.flatnonzero(kept)
    reached = np.clip(reached, 0.0, chance)
    return VoteLaw(votes, chance[kept], reached[kept], sums[kept], error)


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
    >>> round(chance, 12), error < 1e-9
    (0.166666666667, True)
    """
    law = vote_law([_silent(one) for one in voters], total)
    return float(law.reached.sum()), law.error


def _silent(one: Voters) -> Voters:
    return Voters(one.prior, one.count, 0, -one.sign * math.inf, one.sign)


def _chances(one: Voters) -> Leaf:
    """Return probabilities and expected values in place of transforms."""
    mean = one.mean_in_favour
    pairs = (one.refusal, one.chance, one.mean - mean, mean)
    no, yes, no_once, yes_once = (np.array([number]) for number in pairs)
    return Leaf(one.count, one.weight, one.chance, no, yes, no_once, yes_once)


# ------------------------------------------------------------------------------ what is added up


def _terms(voters: Sequence[Voters], total: float) -> list[Terms]:
    """Return the terms of P(votes, sum >= total): from atoms, from one density, from more."""
    draws = [Draws(one.count, one.measure) for one in voters]
    found: list[Terms] = []
    few = _few(draws) > _NOTHING
    exact = atom_terms(voters, total) if few else found
    rough = exact is None
    members = sum(one.count for one in voters)
    dense = any(one.measure.low.size for one in voters)
    if dense and members == 2 and not rough:
        found = pair_terms(voters, total)
    elif rough or (dense and members > 2):
        found = _series(voters, draws, total, less=few and not rough, rough=rough)
    return [*(exact or []), *found]


def _few(draws: Sequence[Draws]) -> float:
    """Return the probability of at most one draw from a density."""
    total = math.prod(measure.atom_mass**count for count, measure in draws)
    for k, (count, measure) in enumerate(draws):
        others = math.prod(m.atom_mass ** (c - (j == k)) for j, (c, m) in enumerate(draws))
        total += count * measure.cell_mass * others
    return total


def _series(
    voters: Sequence[Voters], draws: Sequence[Draws], total: float, *, less: bool, rough: bool
) -> list[Terms]:
    """Return the terms with two draws or more from densities; or all of them, if `rough`."""
    circle = circle_of(draws, rough=rough)
    means = [one.mean for one in voters]
    centre = math.fsum(one.count * mean for one, mean in zip(voters, means, strict=True))
    weights = circle.tail(total, centre)
    cast = list(zip(voters, circle.draws, means, strict=True))
    whole = [_leaf(one, circle, draw.measure, mean) for one, draw, mean in cast]
    error = circle.cut + circle.outside + _misfit(circle.draws)
    if rough:
        sums = product([_together(leaf) for leaf in whole]).plain[:, 0]
        error += circle.jump_error(sums, total, centre)
    found = weigh(whole, weights)
    parts = [Terms(found.first, found.values, found.error + error)]
    if less:
        atoms = [_atoms_and_once(one, circle, draw.measure, mean) for one, draw, mean in cast]
        parts.append(weigh(atoms, -weights, -weights))
    return parts


def _misfit(draws: Sequence[Draws]) -> float:
    return math.fsum(count * measure.error for count, measure in draws)


def _leaf(one: Voters, circle: Circle, measure: Measure, mean: float) -> Leaf:
    no, yes = (
        characteristic(part, circle.step, circle.count, mean) for part in split(one, measure)
    )
    return Leaf(one.count, one.weight, one.chance, no, yes)


def _together(leaf: Leaf) -> Leaf:
    return Leaf(leaf.count, 0, 1.0, leaf.no, leaf.yes)


def _atoms_and_once(one: Voters, circle: Circle, measure: Measure, mean: float) -> Leaf:
    """Return the atoms' transforms, and the density's as the second pair."""
    dense = measure.smooth
    atoms = measure.without_cells
    plain = [characteristic(part, circle.step, circle.count, mean) for part in split(one, atoms)]
    once = [characteristic(part, circle.step, circle.count, mean) for part in split(one, dense)]
    return Leaf(one.count, one.weight, one.chance, *plain, *once)


# ---------------------------------------------------------------------------------- first best


def expected_excess(buyers: Sequence[Voters], sellers: Sequence[Voters]) -> tuple[float, float]:
    """Return E[max(sum of values - sum of costs, 0)] and a bound of its error, in money.

    Parameters
    ----------
    buyers, sellers
        The members; votes are not looked at.

    Returns
    -------
    tuple of float
        The first best and the bound.

    References
    ----------
    Xu, Zhang, Conitzer (AAAI 2024), section 3.

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> value, error = expected_excess(
    ...     [Voters(Uniform(0, 1), 1)], [Voters(Uniform(0, 1), 1, sign=-1)]
    ... )
    >>> round(value, 9), error < 1e-7
    (0.166666667, True)
    """
    voters = [_silent(one) for one in (*buyers, *sellers)]
    draws = [Draws(one.count, one.measure) for one in voters]
    value, error, listed = _excess_of_atoms(buyers, sellers, draws)
    if all(not one.measure.low.size for one in voters) and listed:
        return value, error
    circle = circle_of(draws, excess=True, rough=not listed)
    means = [one.mean for one in voters]
    centre = math.fsum(one.count * mean for one, mean in zip(voters, means, strict=True))
    weights = circle.excess(centre)
    cast = list(zip(voters, circle.draws, means, strict=True))
    found = weigh([_leaf(one, circle, draw.measure, mean) for one, draw, mean in cast], weights)
    value += float(found.values.sum())
    extent = max(abs(circle.low), abs(circle.high))
    error += found.error + circle.cut + (_misfit(circle.draws) + 4 * _NOTHING) * extent
    if listed and math.prod(m.atom_mass**count for count, m in draws) > _NOTHING:
        atoms = [_leaf(one, circle, draw.measure.without_cells, mean) for one, draw, mean in cast]
        less = weigh(atoms, -weights)
        value, error = value + float(less.values.sum()), error + less.error
    more, bound = _beyond(voters, circle, centre)
    return value + more, error + bound


def _excess_of_atoms(
    buyers: Sequence[Voters], sellers: Sequence[Voters], draws: Sequence[Draws]
) -> tuple[float, float, bool]:
    """Return the excess on the event of no draw from a density, its error, and if it is known."""
    if math.prod(measure.atom_mass**count for count, measure in draws) <= _NOTHING:
        return 0.0, 0.0, True
    values, costs = law_of_atoms(buyers), law_of_atoms(sellers)
    if values is None or costs is None:
        return 0.0, 0.0, False
    found = _excess(values, costs)
    size = max(float(np.abs(law.values).max()) for law in (values, costs))
    return found, (values.error + costs.error) * size, True


def _excess(values: AtomLaw, negative: AtomLaw) -> float:
    """Return E[max(V - C, 0)] from the laws of V and of -C."""
    costs, masses = 0.0 - negative.values[::-1], negative.masses[::-1]
    middle = float(np.median(values.values))
    below = np.append(0.0, np.cumsum(masses))
    means = np.append(0.0, np.cumsum(masses * (costs - middle)))
    at = np.searchsorted(costs, values.values, side="right")
    return float(values.masses @ ((values.values - middle) * below[at] - means[at]))


def _beyond(voters: Sequence[Voters], circle: Circle, centre: float) -> tuple[float, float]:
    """Return what the tails that were cut off add to the expected excess, and its error.

    A draw so large that it was cut off makes the sum positive, up to a probability that is bounded
    here; one so small that it was cut off makes it negative.
    """
    lost = [(d.count, d.measure.lost_below, d.measure.lost_above) for d in circle.draws]
    chance = math.fsum(count * (below + above) for count, below, above in lost)
    if chance == 0:
        return 0.0, 0.0
    members = sum(count for count, _, _ in lost)
    more, bound = 0.0, 0.0
    for one, draw, (count, below, above) in zip(voters, circle.draws, lost, strict=True):
        start, end = draw.measure.support
        if above > 0:
            size = one.mean_beyond(end)
            more += count * (size + (centre - one.mean) * above)
            part = sum(v.count * v.shortfall(-end / max(members - 1, 1)) for v in voters)
            bound += count * (above * part + abs(size) * chance)
        if below > 0:
            part = sum(v.count * v.overshoot(-start / max(members - 1, 1)) for v in voters)
            bound += count * below * part
    return more, bound + 2.0 * chance * chance * abs(centre)
