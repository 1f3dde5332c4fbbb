"""Sums with no draw from a density, or with one: exact, on a lattice or on a list of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Leaf, Terms, weigh
from catallax.groups.sums.draws.measure import TIE, Measure
from catallax.groups.sums.draws.transform import powers
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.values.lattice import Lattice, lattice_of
from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.sieve import sieve_of

__all__ = ["AtomLaw", "atom_terms", "law_of_atoms", "terms_by_one"]

Array = NDArray[np.float64]

_MOST_LISTED = 1 << 19
_MOST_HALVED, _MOST_IN_HALF, _MOST_MATCHED = 64, 1 << 21, 1 << 26
# Of so many kinds of members, on so many points times kinds, few frequencies may matter, if so
# much, or so much, is passed over.
_MANY, _LONG, _FEW, _PASSED = 4, 1 << 20, 0.05, (1e-10, 8e-9)
# Up to so many frequencies times totals of votes take no second.
_QUICK = 1 << 20
# And up to so many a minute at most.
_HASTY = 1 << 28
_NOTHING = 1e-15
_ROUNDING = 2.0**-52


class AtomLaw(NamedTuple):
    """The law of a sum of atoms.

    Parameters
    ----------
    values
        Ascending.
    masses
        Their probabilities, summing to the probability of no draw from a density.
    error
        Bounds the error of every sum of masses.
    """

    values: Array
    masses: Array
    error: float

    @property
    def mass(self) -> float:
        """The probability of all values."""
        return float(self.masses.sum())

    @property
    def mean(self) -> float:
        """The expected sum on the event that no draw is from a density."""
        return float(self.values @ self.masses)


# ------------------------------------------------------------------------------------ both ways


def atom_terms(
    voters: Sequence[Voters], total: float, *, quick: bool = False
) -> list[Terms] | None:
    """Return P(votes, sum >= total, at most one draw from a density) for each total of votes.

    Parameters
    ----------
    voters
        All members.
    total
        What the sum is compared with.
    quick
        Whether to do without what takes long.

    Returns
    -------
    list of Terms, or None
        None if the atoms share no lattice and there are too many sums to list; or what takes long.
    """
    single = _single_density(voters)
    lattice = lattice_of([one.draws for one in voters])
    if lattice is not None:
        totals = 1 + sum(one.count * one.weight for one in voters)
        if quick and not single and lattice.frequencies * totals > _HASTY:
            return None
        return [_on_lattice(voters, lattice, total, single)]
    listed = _list_by_votes(voters)
    if listed is None:
        return None if single else _of_halves(voters, total)
    found = [
        Terms(votes, np.array([law.masses[law.values >= total - _slack(law)].sum()]), _NOTHING)
        for votes, law in listed.items()
    ]
    if single:
        found.extend(_listed_with_density(voters, total))
    return found


def law_of_atoms(voters: Sequence[Voters]) -> AtomLaw | None:
    """Return the law of the sum on the event that no draw is from a density.

    Parameters
    ----------
    voters
        The members; votes are not looked at.

    Returns
    -------
    AtomLaw or None
        None as in `atom_terms`.
    """
    if any(not one.measure.atoms.size for one in voters):
        return AtomLaw(np.zeros(1), np.zeros(1), 0.0)
    lattice = lattice_of([one.draws for one in voters])
    if lattice is not None:
        transform = np.ones(lattice.frequencies, dtype=np.complex128)
        for kind, one in enumerate(voters):
            transform = transform * powers(lattice.transform(one.measure, kind), one.count)
        members = sum(one.count for one in voters)
        error = lattice.error + _ROUNDING * (members + 32) * math.log2(lattice.points + 2)
        return AtomLaw(lattice.sums(), lattice.law(transform), error)
    silent = [Voters(v.prior, v.count, 0, -v.sign * math.inf, v.sign) for v in voters]
    listed = _list_by_votes(silent)
    return None if listed is None else listed[0]


def _single_density(voters: Sequence[Voters]) -> bool:
    """Say whether exactly one draw from a density has a probability to speak of."""
    for k, one in enumerate(voters):
        others = math.prod(
            v.measure.atom_mass ** (v.count - (j == k)) for j, v in enumerate(voters)
        )
        if one.count * one.measure.cell_mass * others > _NOTHING:
            return True
    return False


# ----------------------------------------------------------------------------------- on a lattice


def _on_lattice(voters: Sequence[Voters], lattice: Lattice, total: float, single: bool) -> Terms:
    if not single and len(voters) >= _MANY and len(voters) * lattice.frequencies >= _LONG:
        sifted = _sifted(voters, lattice, total)
        if sifted is not None:
            return sifted
    leaves = []
    for kind, one in enumerate(voters):
        no, yes = (lattice.transform(part, kind) for part in one.draws.split())
        if not single:
            leaves.append(Leaf(one.count, one.weight, one.chance, no, yes))
            continue
        # One draw from the density of this kind, all others atoms: the sum reaches the total if
        # the draw reaches what is missing.
        missing = total - (lattice.sums() - lattice.starts[kind])
        once = [lattice.pairing(one.smooth_at_least(missing, yes)) for yes in (False, True)]
        leaves.append(Leaf(one.count, one.weight, one.chance, no, yes, *once))
    weights = lattice.tail(total)
    once = np.ones(lattice.frequencies) if single else None
    found = weigh(leaves, weights, once, aloud=True)
    return Terms(found.first, found.values, found.error + lattice.error)


def _sifted(voters: Sequence[Voters], lattice: Lattice, total: float) -> Terms | None:
    """Look only at frequencies where something is left of the product, if they are few."""
    if any(one.measure.low.size for one in voters):
        return None
    parts = tuple(Part.of(one, one.mean) for one in voters)
    whole = Mixture(parts, np.array([[one.count for one in voters]]), np.ones(1))
    # The weights of a tail on a lattice are no larger than Vaaler's of an interval.
    step = 2.0 * math.pi / (lattice.points * lattice.step)
    sieve = None
    for passed in _PASSED:
        sieve = sieve_of(whole, step, lattice.frequencies, passed)
        if sieve is None or sieve.choice.share * lattice.frequencies * whole.totals <= _QUICK:
            break
    if sieve is None or sieve.choice.share > _FEW:
        return None
    size = sieve.choice.block
    blocks, dropped = sieve.kept(size, 0, -(-(lattice.frequencies + size // 2) // size))
    at = np.add.outer(blocks * size, np.arange(size) - size // 2).ravel()
    at = at[(at >= 0) & (at < lattice.frequencies)]
    leaves = []
    for kind, one in enumerate(voters):
        no, yes = (lattice.transform_at(part, kind, at) for part in one.draws.split())
        leaves.append(Leaf(one.count, one.weight, one.chance, no, yes))
    found = weigh(leaves, lattice.tail(total)[at], aloud=True)
    return Terms(found.first, found.values, found.error + lattice.error + dropped)


# -------------------------------------------------------------------------------------- on a list


def _slack(law: AtomLaw) -> float:
    return TIE * max(float(np.abs(law.values).max()), 1e-300) if law.values.size else 0.0


def _list_by_votes(voters: Sequence[Voters], most: int | None = None) -> dict[int, AtomLaw] | None:
    """List all sums of atoms, for each total of votes, if they are few."""
    states = 1
    for one in voters:
        kinds = one.measure.atoms.size
        if not kinds:
            return {0: AtomLaw(np.zeros(1), np.zeros(1), 0.0)}
        states *= math.comb(one.count + kinds - 1, kinds - 1)
        if states > (_MOST_LISTED if most is None else most):
            return None
    laws = {0: AtomLaw(np.zeros(1), np.ones(1), 0.0)}
    for one in voters:
        parts = one.draws.split()
        for _ in range(one.count):
            laws = _one_more(laws, parts, one.weight)
    return laws


def _of_halves(voters: Sequence[Voters], total: float) -> list[Terms] | None:
    """List the sums of either half of the members, and match each with what it misses."""
    members = _each(voters)
    halves = None if members is None else _halved(members)
    if members is None or halves is None:
        return None
    found = _matched(*halves, total - _extent(members))
    return [_one_total(votes, chance, members) for votes, chance in found.items()]


def terms_by_one(voters: Sequence[Voters], total: float) -> list[Terms] | None:
    """Return what `atom_terms` does: the values of one member in turn, the others halved.

    Parameters
    ----------
    voters, total
        As for `atom_terms`; there must be no densities.

    Returns
    -------
    list of Terms or None
        None if that is too much work too.
    """
    members = _each(voters)
    if members is None:
        return None
    single = max(members, key=lambda one: one.measure.atoms.size)
    halves = _halved([one for one in members if one is not single])
    size = single.measure.atoms.size
    if halves is None or size * sum(law.values.size for law in halves[1].values()) > _MOST_MATCHED:
        return None
    missing = total - _extent(members)
    added: dict[int, float] = {}
    for more, part in zip((0, single.weight), single.draws.split(), strict=True):
        for value, mass in zip(part.atoms.tolist(), part.masses.tolist(), strict=True):
            for votes, chance in _matched(*halves, missing - value).items():
                added[votes + more] = added.get(votes + more, 0.0) + mass * chance
    return [_one_total(votes, chance, members) for votes, chance in added.items()]


def _each(voters: Sequence[Voters]) -> list[Voters] | None:
    """Return the members one by one, if they are few and have no densities."""
    if sum(one.count for one in voters) > _MOST_HALVED:
        return None
    members = [replace(one, count=1) for one in voters for _ in range(one.count)]
    if any(not one.measure.atoms.size or one.measure.low.size for one in members):
        return None
    return members


def _extent(members: Sequence[Voters]) -> float:
    """Return by how much a sum may miss the total by rounding, and still count as a tie."""
    return TIE * sum(max(abs(end) for end in one.measure.support) for one in members)


def _one_total(votes: int, chance: float, members: Sequence[Voters]) -> Terms:
    return Terms(votes, np.array([chance]), _NOTHING * len(members))


def _halved(
    members: Sequence[Voters],
) -> tuple[dict[int, AtomLaw], dict[int, AtomLaw]] | None:
    """List the sums of two halves; those with the same prior together: their sums are fewer."""
    half = len(members) // 2
    parts = _together(members[:half]), _together(members[half:])
    first, second = (_list_by_votes(part, _MOST_IN_HALF) for part in parts)
    return None if first is None or second is None else (first, second)


def _matched(
    first: dict[int, AtomLaw], second: dict[int, AtomLaw], missing: float
) -> dict[int, float]:
    """Return the probability, for each total of votes, that two sums reach what is missing."""
    found: dict[int, float] = {}
    for votes, law in second.items():
        tails = np.append(np.cumsum(law.masses[::-1])[::-1], 0.0)
        for more, other in first.items():
            reached = np.searchsorted(law.values, missing - other.values)
            chance = float(other.masses @ tails[reached])
            found[votes + more] = found.get(votes + more, 0.0) + chance
    return found


def _together(members: Sequence[Voters]) -> list[Voters]:
    found: dict[tuple[object, ...], Voters] = {}
    for one in members:
        key = (one.prior, one.weight, one.price, one.sign)
        found[key] = replace(one, count=found[key].count + 1 if key in found else 1)
    return list(found.values())


def _one_more(
    laws: dict[int, AtomLaw], parts: tuple[Measure, Measure], weight: int
) -> dict[int, AtomLaw]:
    heaps: dict[int, list[tuple[Array, Array]]] = {}
    for votes, law in laws.items():
        for more, part in zip((0, weight), parts, strict=True):
            if part.atoms.size and law.values.size:
                values = np.add.outer(law.values, part.atoms).ravel()
                masses = np.multiply.outer(law.masses, part.masses).ravel()
                heaps.setdefault(votes + more, []).append((values, masses))
    return {
        votes: _merged(np.concatenate([v for v, _ in heap]), np.concatenate([m for _, m in heap]))
        for votes, heap in heaps.items()
    }


def _merged(values: Array, masses: Array) -> AtomLaw:
    """Add up the masses of values that differ by rounding only."""
    order = np.argsort(values, kind="stable")
    values, masses = values[order], masses[order]
    slack = 16 * _ROUNDING * float(np.abs(values).max())
    starts = np.flatnonzero(np.append(True, np.diff(values) > slack))
    return AtomLaw(values[starts], np.add.reduceat(masses, starts), _NOTHING)


def _listed_with_density(voters: Sequence[Voters], total: float) -> list[Terms]:
    """Return the terms with one draw from a density, its owner taken from each kind in turn."""
    found = []
    for k, one in enumerate(voters):
        if not one.measure.low.size:
            continue
        others = [
            Voters(v.prior, v.count - (j == k), v.weight, v.price, v.sign)
            for j, v in enumerate(voters)
            if v.count > (j == k)
        ]
        laws = _list_by_votes(others)
        for votes, law in (laws or {}).items():
            for more, yes in ((0, False), (one.weight, True)):
                share = law.masses @ one.smooth_at_least(total - law.values, yes)
                found.append(Terms(votes + more, np.array([one.count * share]), _NOTHING))
    return found
