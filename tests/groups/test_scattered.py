"""Values that share no lattice, with totals that tie, against all ways to draw them."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from catallax.groups import GroupTrade, evaluate
from catallax.groups.sums import Voters, expected_excess, probability_at_least, vote_law
from catallax.groups.sums import law as sums_law
from catallax.groups.sums.draws.ballots import Leaf, Terms, weigh
from catallax.groups.sums.series.dither import dithered_excess
from catallax.groups.sums.series.streamed import quickly
from catallax.groups.sums.series.vaaler import fejer, weights_of
from catallax.groups.sums.values import atoms as sums_atoms
from catallax.groups.sums.values import mixture as sums_mixture
from catallax.groups.sums.values import plan as sums_plan
from catallax.groups.sums.values import scattered as sums_scattered
from catallax.groups.sums.values import sides as sums_sides
from catallax.groups.sums.values import sieve as sums_sieve
from catallax.groups.sums.values.atoms import atom_terms
from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.scattered import scattered_terms
from catallax.groups.sums.values.tally import Ends, tally_of
from catallax.priors import Discrete, Empirical

PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71]


def all_ways(voters: Voters) -> list[tuple[Fraction, Fraction, int]]:
    """Return the sum, the probability and the votes of all ways to draw, exactly."""
    values = [Fraction(value) for value in voters.measure.atoms.tolist()]
    masses = [Fraction(mass) for mass in voters.measure.masses.tolist()]
    found = []
    for ways in itertools.combinations_with_replacement(range(len(values)), voters.count):
        times = [ways.count(k) for k in range(len(values))]
        chance = Fraction(math.factorial(voters.count)) / sum(masses) ** voters.count
        for mass, many in zip(masses, times, strict=True):
            chance *= mass**many / math.factorial(many)
        votes = sum(many for x, many in zip(values, times, strict=True) if x >= voters.bar)
        found.append((sum((values[k] for k in ways), Fraction(0)), chance, votes))
    return found


def by_votes(found: list[Terms], size: int) -> np.ndarray:
    line = np.zeros(size)
    for terms in found:
        line[terms.first : terms.first + terms.values.size] += terms.values
    return line


def missed(found: list[Terms], exact: np.ndarray) -> tuple[float, float]:
    """Return by how much any sum of the numbers is wrong, and what it may be wrong by."""
    off = by_votes(found, exact.size) - exact
    return max(off[off > 0].sum(), -off[off < 0].sum()), math.fsum(one.error for one in found)


@pytest.mark.parametrize("listing", [0.0, 300.0, 3000.0, 1e9])
def test_bounds_hold_with_ties_everywhere(listing: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing, a part, or all of it listed; the rest is a short series."""
    monkeypatch.setattr(sums_scattered, "_LISTING", listing)
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 10)
    monkeypatch.setattr(sums_scattered, "_MOST", 1 << 14)
    rng = np.random.default_rng(int(listing))
    for _ in range(25):
        n, k = int(rng.integers(3, 8)), int(rng.integers(3, 6))
        values, masses = rng.random(k), rng.random(k) ** 4 + 1e-3
        sign = int(rng.choice([1, -1]))
        price = float(rng.choice(values))
        one = Voters(Discrete(values.tolist(), (masses / masses.sum()).tolist()), n, 2, price, sign)
        # The price is a value, the total often the sum of some draws, at times rounded otherwise.
        sums = [price * n, values.mean() * n, float(rng.choice(values, n).sum())]
        total = sign * float(rng.choice(sums))
        least = Fraction(total) - Fraction(64, 2**52) * n * Fraction(float(values.max()))
        exact = np.zeros(2 * n + 1)
        for reached, chance, votes in all_ways(one):
            exact[2 * votes] += float(chance) if reached >= least else 0.0
        found = scattered_terms([one], total, 1e-7, quick=False)
        assert found is not None
        off, error = missed(found, exact)
        assert off <= error + 1e-13
        if listing == 1e9:
            assert error < 1e-9


def test_members_of_several_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 10)
    monkeypatch.setattr(sums_scattered, "_MOST", 1 << 14)
    rng = np.random.default_rng(7)
    for _ in range(20):
        group = [
            Voters(Empirical(rng.random(int(rng.integers(2, 5))).tolist()), n, weight, 0.5)
            for n, weight in ((2, 1), (3, 2))
        ]
        total = float(sum(rng.choice(one.measure.atoms, one.count).sum() for one in group))
        listed = atom_terms(group, total)
        found = scattered_terms(group, total, 1e-7, quick=False)
        assert listed is not None and found is not None
        off, error = missed(found, by_votes(listed, 9))
        assert off <= error + 1e-13


@pytest.mark.parametrize(("n", "k", "usual"), [(20, 20, 0.8), (36, 12, 0.0), (2100, 3, 0.0)])
def test_a_total_that_is_a_possible_sum_is_exact(n: int, k: int, usual: float) -> None:
    """Draws that are mostly one value, its multiple the total; and each value equally often."""
    values = np.sqrt(PRIMES[:k]) % 1.0
    masses = np.full(k, (1.0 - usual) / (k - 1)) if usual else np.full(k, 1.0 / k)
    masses[0] += 1.0 - masses.sum()
    prior = Discrete(values.tolist(), masses.tolist())
    total = n * (values[0] if usual else math.fsum(values) / k)
    here, beyond = (probability_at_least([Voters(prior, n)], x) for x in (total, total + 1e-10))
    assert here[1] < 1e-8
    # Nothing else lies so close.
    tie = float(masses[0]) ** n
    if not usual:
        logs = math.lgamma(n + 1) - k * math.lgamma(n // k + 1) + n * math.log(1 / k)
        tie = math.exp(logs) if n % k == 0 else 0.0
    assert here[0] - beyond[0] == pytest.approx(tie, abs=here[1] + beyond[1] + 1e-12)


@pytest.mark.parametrize("price", [0.2, 0.45, 0.6])
@pytest.mark.parametrize(("usual", "weight"), [(0, 1), (1, 3), (1, 0), (2, 1), (4, 2)])
def test_draws_from_two_heaps_are_tallied_as_any(usual: int, weight: int, price: float) -> None:
    """Some draws are from a few values, in favour or not: as by products of transforms."""
    rng = np.random.default_rng(2)
    prior = Discrete([0.5, 0.4, 0.3, 0.25, *rng.random(6)], [0.3, 0.2, 0.1, 0.1] + [0.05] * 6)
    one = Voters(prior, 9, weight, price)
    atoms, masses = one.measure.atoms, one.measure.masses
    order = np.argsort(-masses, kind="stable")
    heaps = [
        replace(one.measure, atoms=atoms[at], masses=masses[at] / masses[at].sum())
        for at in (np.sort(order[:usual]), np.sort(order[usual:]))
        if at.size
    ]
    draws = np.array([3, 4, 9]) if usual else np.array([9])
    mixture = Mixture(
        tuple(Part.of(one, 0.4, heap) for heap in heaps),
        np.stack([9 - draws, draws], axis=1)[:, 2 - len(heaps) :],
        np.array([0.2, 0.1, 0.4])[: draws.size],
    )
    tally = tally_of(mixture)
    assert tally is not None
    k, count, places = np.arange(40.0), 64, [-0.7, 1.9]
    waves = [part.at(0.3, k, np.zeros(1)) for part in mixture.parts]
    waves = [[wave.ravel() for wave in pair] for pair in waves]
    turns = [np.exp(-0.3j * k * place) for place in places]
    ends = Ends(np.append(k, -1.0), *(np.append(turn, 1.0) for turn in turns), 0.125, count)
    padded = [[np.append(wave, 0.5) for wave in pair] for pair in waves]
    weights = weights_of(k, turns, places, (places[1] - places[0]) / 0.125, count)
    slow = [Terms(0, np.zeros(9 * weight + 1), 0.0)]
    for counts, chance in zip(mixture.counts, mixture.chances, strict=True):
        leaves = [
            Leaf(n, weight, part.chance, *wave)
            for n, part, wave in zip(counts.tolist(), mixture.parts, waves, strict=True)
            if n
        ]
        slow.append(weigh(leaves, weights * chance))
    exact = by_votes(slow, 9 * weight + 1)
    beside = float(fejer(k, count) @ (mixture.whole([a + b for a, b in waves]) * sum(turns)).real)
    assert np.abs(exact).max() > 0.01
    fast = tally.added(padded, ends, 0.0)
    assert np.abs(fast.terms.values - exact).max() < 1e-13
    assert fast.beside == pytest.approx(beside, abs=1e-12)
    rough = tally.added(padded, ends, 1e-3)
    off, error = missed([rough.terms], exact)
    assert 0.0 < off <= error
    sizes = [np.abs(no) + np.abs(yes) for no, yes in waves]
    assert np.abs(tally.sizes(sizes) - mixture.size(sizes)).max() < 1e-14


def test_a_long_stretch_of_frequencies_is_transformed(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    one = Voters(Empirical(rng.random(50).tolist()), 9, 1, 0.4)
    part = Part.of(one, one.mean)
    given = 0.37, 2.0**26 + 3 + 64 * np.arange(70.0), np.arange(64.0)
    direct = part.at(*given)
    monkeypatch.setattr(sums_mixture, "_MANY", 5)
    monkeypatch.setattr(sums_mixture, "_LONG", 64)
    found = part.at(*given)
    gaps = [float(np.abs(a - b).max()) for a, b in zip(direct, found, strict=True)]
    assert 0.0 < max(gaps) < 1e-13
    # Frequencies with others in between are summed one by one.
    apart = 0.37, given[1] + 7.0 * np.arange(70.0), given[2]
    assert np.abs(part.at(*apart)[1][0] - direct[1][0]).max() == 0.0


def test_a_hundred_members_of_dozens_of_values() -> None:
    """A series of tens of millions of frequencies, most of them passed over."""
    values = np.random.default_rng(3).random(30)
    prior = Empirical(values.tolist())
    law = vote_law([Voters(prior, 100, 1, 0.5)], 100 * float(values[4]))
    assert law.error < 5e-8
    mirrored = Empirical((1.0 - values).tolist())
    other = vote_law([Voters(mirrored, 100, 1, 0.5)], 100 * (1.0 - float(values[4])))
    assert law.reached.sum() + other.reached.sum() == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("masses", [[0.8], [0.5, 0.3]])
def test_sixty_members_who_mostly_have_usual_values(
    masses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists of some, and a series for the rest, whose cases matter at every frequency."""
    monkeypatch.setattr(sums_scattered, "_LISTING", 2.0**25)
    rng = np.random.default_rng(3)
    values = np.append(rng.random(60), 0.55)
    k = len(masses)
    chances = np.append(masses, np.full(61 - k, (1.0 - sum(masses)) / (61 - k)))
    prior = Discrete(values.tolist(), (chances / chances.sum()).tolist())
    price, total = float(values[:k].mean()) + 1e-9, 60 * float(values[0])
    found = scattered_terms([Voters(prior, 60, 1, price)], total, 5e-6, quick=False)
    assert found is not None
    line, error = by_votes(found, 61), math.fsum(terms.error for terms in found)
    assert error < 5e-6
    # The negative values reach the negative total if these do not, or tie.
    other = scattered_terms([Voters(prior, 60, 1, price, -1)], -total, 5e-6, quick=False)
    assert other is not None
    both = line.sum() + by_votes(other, 61).sum()
    tie = masses[0] ** 60
    assert both == pytest.approx(1.0 + tie, abs=error + math.fsum(one.error for one in other))
    times = rng.multinomial(60, chances / chances.sum(), 50_000)
    reached = times @ values >= total
    votes = times[:, values >= price].sum(axis=1)
    assert line.sum() == pytest.approx(float(reached.mean()), abs=1e-2)
    mean, spread = float((votes * reached).mean()), float((votes * reached).std())
    assert line @ np.arange(61) == pytest.approx(mean, abs=5 * spread / 50_000**0.5)


@pytest.mark.parametrize("listing", [0.0, 300.0, 1e9])
def test_kinds_with_usual_values_of_their_own(
    listing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two or three kinds, any weights, with nothing, a part, or all of it listed."""
    monkeypatch.setattr(sums_sides, "_SPREAD", 1e-2 if listing == 300.0 else 1e-10)
    rng = np.random.default_rng(int(listing))
    series = 0
    for _ in range(12):
        group, most = [], int(rng.integers(2, 4))
        for _ in range(most):
            k = int(rng.integers(1, 6))
            values, masses = rng.random(k), 0.2 * rng.random(k) ** 3 + 1e-3
            masses[: int(rng.integers(1, 3))] += 2.0
            prior = Discrete(values.tolist(), (masses / masses.sum()).tolist())
            n, weight, sign = (int(rng.integers(*ends)) for ends in ((1, 6 - most), (0, 4), (0, 2)))
            price = float(rng.choice([*values, 2.0]))
            group.append(Voters(prior, n, weight, price, 2 * sign - 1))
        usual = math.fsum(
            one.count * one.measure.atoms[one.measure.masses.argmax()] for one in group
        )
        drawn = math.fsum(float(rng.choice(one.measure.atoms, one.count).sum()) for one in group)
        total = float(rng.choice([usual, drawn])) - 1e-13
        exact = np.zeros(1 + sum(one.count * one.weight for one in group))
        for ways in itertools.product(*map(all_ways, group)):
            votes = sum(one.weight * way[2] for one, way in zip(group, ways, strict=True))
            reached = sum(way[0] for way in ways) >= total
            exact[votes] += float(math.prod(way[1] for way in ways)) if reached else 0.0
        several = sums_sides.chosen(group, listing)
        assert (several is None) == (listing == 0.0)
        found = [Terms(0, np.zeros(1), 1.0)]
        if several is not None:
            line, error = sums_sides.listed_sides(several, total)
            assert error < 1e-11
            found = [Terms(0, line, error)]
            rest = sums_scattered._series(several, total, 1e-7, 1 << int(rng.integers(4, 13)))
            assert rest is not None
            found += rest
            series += several.unlisted > 1e-3
        off, error = missed(found, exact)
        assert off <= error + 1e-13
    assert series > 3 or listing != 300.0


@pytest.mark.parametrize("weights", [(1, 1), (1, 2), (0, 3)])
def test_two_kinds_are_tallied_as_cases(weights: tuple[int, int]) -> None:
    """All cases that are not listed, one by one, at frequencies near and far."""
    rng = np.random.default_rng(4)
    group = []
    for n, weight in zip((7, 5), weights, strict=True):
        values = rng.random(9)
        prior = Discrete(values.tolist(), [0.52, *[0.06] * 8])
        group.append(Voters(prior, n, weight, float(values[0] + rng.choice([-1e-3, 1e-3]))))
    several = sums_sides.chosen(group, 3_000.0)
    assert several is not None and (several.listed < (7, 5)).all() and (several.listed > 0).all()
    k, count = np.concatenate([np.arange(40.0), 4e6 + np.arange(7.0), [-1.0]]), 1 << 23
    waves = [
        [np.concatenate([wave[:40, 0], wave[40:, 0], [0.5]]) for wave in pair]
        for pair in (part.at(0.3, k[:-1], np.zeros(1)) for part in several.parts)
    ]
    ends = Ends(k, *(np.exp(-0.3j * k * place) for place in (-0.7, 1.9)), 0.125, count)
    cases = [
        (d, e, several.chances[0, d] * several.chances[1, e])
        for d in range(8)
        for e in range(6)
        if d > several.listed[0] or e > several.listed[1]
    ]
    counts = np.array([[7 - d, d, 5 - e, e] for d, e, _ in cases])
    mixture = Mixture(several.parts, counts, np.array([chance for _, _, chance in cases]))
    inside = slice(None, -1)
    shares = weights_of(k[inside], [ends.near[inside], ends.far[inside]], (0.0, 0.125), 1.0, count)
    each = [[wave[inside] for wave in pair] for pair in waves]
    size = 1 + 7 * weights[0] + 5 * weights[1]
    exact = by_votes(mixture.votes(each, shares), size)
    fast = several.added(waves, ends, 0.0)
    assert np.abs(exact).max() > 1e-3
    assert np.abs(by_votes([fast.terms], size) - exact).max() < 1e-13
    whole = mixture.whole([no + yes for no, yes in each]) * (ends.near + ends.far)[inside]
    assert fast.beside == pytest.approx(float(fejer(k[inside], count) @ whole.real), abs=1e-12)
    sizes = [np.abs(no) + np.abs(yes) for no, yes in each]
    bound, least = several.sizes(sizes), mixture.size(sizes)
    assert (bound >= least * (1.0 - 1e-12)).all() and (bound <= least * 1.1 + 1e-9).all()
    rough = several.added(waves, ends, 1e-3)
    off, error = missed([rough.terms], exact)
    assert 0.0 < off <= error


def test_forty_members_of_two_kinds_with_usual_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """All usual values are the total: then 10^-4 of the probability ties."""
    monkeypatch.setattr(sums_scattered, "_LISTING", 2.0**23)
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 16)
    rng = np.random.default_rng(3)
    values, masses = rng.random((2, 12)), [0.8, *[0.2 / 11] * 11]
    priors = [Discrete(row.tolist(), masses) for row in values]
    group = [Voters(prior, 20, 1 + k, float(values[0, 3])) for k, prior in enumerate(priors)]
    total = 20 * float(values[:, 0].sum())
    lines, errors = [], []
    for sign in (1, -1):
        mirrored = [replace(one, sign=sign) for one in group]
        found = scattered_terms(mirrored, sign * total, 2e-6, quick=False)
        assert found is not None
        lines.append(by_votes(found, 61))
        errors.append(math.fsum(terms.error for terms in found))
    assert max(errors) < 2e-6
    assert lines[0].sum() + lines[1].sum() == pytest.approx(1.0 + 0.8**40, abs=sum(errors))
    times = rng.multinomial(20, masses, (20_000, 2))
    reached = np.einsum("skv,kv->s", times, values) >= total - 1e-9
    favour = values >= values[0, 3]
    votes = np.einsum("skv,kv,k->s", times, favour, [1, 2])
    mean, spread = float((votes * reached).mean()), float((votes * reached).std())
    assert lines[0] @ np.arange(61) == pytest.approx(mean, abs=5 * spread / 20_000**0.5)


def test_first_best_is_within_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    monkeypatch.setattr(sums_atoms, "_MOST_LISTED", 0)
    for n, m in ((2, 1), (3, 3), (4, 2)):
        buyers = Voters(Empirical(rng.random(4).tolist()), n)
        # Ties everywhere: the costs are values.
        sellers = Voters(Empirical(buyers.measure.atoms[[0, 2, 3]].tolist()), m, sign=-1)
        exact = sum(
            p * q * max(v + c, Fraction(0))
            for v, p, _ in all_ways(buyers)
            for c, q, _ in all_ways(sellers)
        )
        found = dithered_excess([buyers, sellers])
        assert found is not None
        assert abs(found[0] - float(exact)) <= found[1] < 1e-6
        assert expected_excess([buyers], [sellers])[0] == pytest.approx(float(exact), abs=1e-6)


def test_dithering_on_coarse_lattices_keeps_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what is rounded matters, the sums are near zero, and the bound is not far off."""
    monkeypatch.setattr("catallax.groups.sums.series.dither._FEWEST_POINTS", 1)
    monkeypatch.setattr("catallax.groups.sums.series.dither._POINTS", 1)
    rng = np.random.default_rng(6)
    tight = 0
    for case in range(400):
        priors = []
        for _ in range(int(rng.integers(2, 9))):
            size = int(rng.integers(1, 4))
            values = rng.random(size) if case % 2 else rng.integers(1, 40, size) / 7.0
            priors.append(Empirical(values.tolist()))
        signs = [1, -1, *rng.choice([1, -1], len(priors) - 2).tolist()]
        sums, masses = np.zeros(1), np.ones(1)
        voters = [Voters(prior, 1, sign=sign) for prior, sign in zip(priors, signs, strict=True)]
        for one in voters:
            sums = np.add.outer(sums, one.measure.atoms).ravel()
            masses = np.multiply.outer(masses, one.measure.masses).ravel()
        if sums.size == 1:
            continue
        exact = math.fsum(masses * np.maximum(sums, 0.0))
        found = dithered_excess(voters)
        assert found is not None
        assert abs(found[0] - exact) <= found[1], case
        tight += abs(found[0] - exact) > 0.2 * found[1]
    assert tight > 40


def test_a_gain_that_is_hardly_ever_large_is_never_below_zero() -> None:
    """One value in 10^12 is a billion, so the lattice is far coarser than all other values."""
    rare = Voters(Discrete([0.3, 1e9], [1 - 1e-12, 1e-12]), 1)
    others = [Voters(Empirical([1 / k, 2**0.5 / k]), 1, sign=(-1) ** k) for k in range(1, 20)]
    found = dithered_excess([rare, *others])
    assert found is not None
    assert found[0] - found[1] >= 0.0
    assert found[1] < 10.0


def exact_line(kinds: list[Voters], total: float) -> np.ndarray:
    """Return P(votes, sum >= total) from all ways to draw; what misses by rounding reaches."""
    law = {(Fraction(0), 0): Fraction(1)}
    for one in kinds:
        parts = list(zip(one.measure.atoms.tolist(), one.measure.masses.tolist(), strict=True))
        whole = sum(Fraction(mass) for _, mass in parts)
        for _ in range(one.count):
            longer: dict[tuple[Fraction, int], Fraction] = {}
            for ((done, votes), chance), (x, mass) in itertools.product(law.items(), parts):
                key = done + Fraction(x), votes + (one.weight if x >= one.bar else 0)
                longer[key] = longer.get(key, Fraction(0)) + chance * Fraction(mass) / whole
            law = longer
    line = np.zeros(1 + sum(one.count * one.weight for one in kinds))
    for (done, votes), chance in law.items():
        if done >= Fraction(total) - Fraction(1, 10**9):
            line[votes] += float(chance)
    return line


def many_kinds(rng: np.random.Generator, lattice: bool) -> list[Voters]:
    """Members each with values of their own, which tie across members."""
    roots = np.sqrt([1.0, 2.0, 3.0, 5.0, 7.0, 0.09, 0.81])
    found, sign = [], int(rng.choice([1, -1]))
    for least in (2, *[1] * int(rng.integers(1, 4))):
        size = int(rng.integers(least, 4))
        some = (
            rng.choice(80, size, replace=False) / 10 - 2
            if lattice
            else rng.choice(roots, size, replace=False)
        )
        values = np.unique(some)
        masses = rng.dirichlet(np.ones(values.size)).tolist()
        price, weight = sign * float(rng.choice(values)), int(rng.integers(0, 4))
        prior = Discrete((sign * values)[::sign].tolist(), masses)
        found.append(Voters(prior, int(rng.integers(1, 3)), weight, price, sign))
    return found


@pytest.mark.parametrize("passed", [8e-9, 0.5])
def test_what_is_passed_over_of_many_kinds_is_in_the_bound(
    passed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where totals tie or not, whatever the blocks; some of the bounds are large, none is wrong."""
    rng = np.random.default_rng(int(1 / passed))
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 8)
    monkeypatch.setattr(sums_scattered, "_MOST", 1 << 12)
    monkeypatch.setattr(sums_plan, "_PASSED_BY_KINDS", passed)
    monkeypatch.setattr(sums_atoms, "_PASSED", (passed,))
    monkeypatch.setattr(sums_atoms, "_FEW", 1.0)
    monkeypatch.setattr(sums_atoms, "_MANY", 2)
    monkeypatch.setattr(sums_atoms, "_LONG", 0)
    sifted, dropped = 0, 0
    for case in range(18):
        monkeypatch.setattr(sums_sieve, "_BLOCKS", (1, 3, 9)[case % 3 :][:1])
        monkeypatch.setattr(sums_sieve, "_ROW", (1, 16, 128)[case % 3])
        kinds = many_kinds(rng, case % 2 == 0)
        total = math.fsum(
            float(rng.choice(one.measure.atoms)) for one in kinds for _ in range(one.count)
        ) + rng.choice([0.0, 0.05])
        exact = exact_line(kinds, total)
        if case % 2 == 0:
            lattice = sums_atoms.lattice_of([one.draws for one in kinds])
            found = None if lattice is None else sums_atoms._sifted(kinds, lattice, total)
            if found is not None:
                off, bound = missed([found], exact)
                assert off <= bound + 1e-13, (case, off, bound)
                sifted, dropped = sifted + 1, dropped + (off > 1e-10)
        whole = sums_mixture.mixture_of(kinds, None)
        slack = 1e-12 * max(1.0, abs(total))
        series = sums_scattered._series(whole, total - slack, 1e-9, 1 << 12)
        assert series is not None
        off, bound = missed(series, exact)
        assert off <= bound + 1e-13, (case, off, bound)
    assert sifted >= 6
    assert passed < 0.5 or dropped >= 1


@pytest.mark.parametrize("cents", [True, False])
def test_fifty_members_with_three_values_each_of_their_own(
    cents: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against sums of values rounded to cents, down and up; of whole cents all are the same."""
    monkeypatch.setattr(sums_law, "_ALLOWED", 4e-7)
    rng = np.random.default_rng(7)
    values = np.sort(rng.uniform(20.0, 120.0, (50, 3)), axis=1)
    masses = rng.dirichlet([4.0, 4.0, 4.0], 50)
    if cents:
        values = np.round(values, 2)
    kinds = [
        Voters(Discrete(row.tolist(), chances.tolist()), 1, *((2, 60.0) if k % 8 == 0 else ()))
        for k, (row, chances) in enumerate(zip(values, masses, strict=True))
    ]
    total = math.fsum(one.mean for one in kinds) + 25.0
    sums_law._scattered.cache_clear()
    law = vote_law(kinds, total)
    sums_law._scattered.cache_clear()
    # What is more than rounding was passed over.
    assert 1e-12 < law.error < (1e-8 if cents else 5e-7)
    ends = []
    for rounded in (np.rint,) if cents else (np.floor, np.ceil):
        line, first = np.ones(1), 0
        for row, chances in zip(values, masses, strict=True):
            at = rounded(row * 100).astype(int)
            longer = np.zeros(line.size + at[-1] - at[0])
            for place, chance in zip(at - at[0], chances, strict=True):
                longer[place : place + line.size] += chance * line
            line, first = longer, first + int(at[0])
        ends.append(float(line[max(0, math.ceil(total * 100 - 1e-6) - first) :].sum()))
    assert ends[0] - law.error - 1e-12 <= law.reached.sum() <= ends[-1] + law.error + 1e-12
    assert ends[-1] - ends[0] < 2e-3


def test_whoever_waits_for_a_law_hears_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums_law, "_ALLOWED", 1e-5)
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 12)
    monkeypatch.setattr(sums_scattered, "_STRETCH", 1 << 13)
    rng = np.random.default_rng(3)
    own = [Discrete(np.sort(row).tolist(), [0.3, 0.3, 0.4]) for row in rng.uniform(2, 9, (40, 3))]
    trade = GroupTrade(1, 40, "uniform(200, 300)", own)
    told: list[tuple[float, str]] = []
    sums_law._scattered.cache_clear()
    heard = evaluate(trade, "forced-trade", progress=lambda part, words: told.append((part, words)))
    parts = [part for part, _ in told]
    assert parts == sorted(parts)
    assert len(set(parts)) > 3
    assert 0.5 <= parts[0] < 0.6 < parts[-1] < 1.0
    assert {words for _, words in told} == {"summing frequencies"}
    sums_law._scattered.cache_clear()
    assert evaluate(trade, "forced-trade") == heard
    sums_law._scattered.cache_clear()


def test_values_packed_near_their_roundings_are_put_on_no_lattice() -> None:
    """So fine a step any values would share, and a tie would be off it."""
    first, second = [1e6 + 8.829e-7, 1e6 + 4.6123e-6], [1e6 + 2.0331e-6, 1e6 + 2.5952e-6]
    priors = [Discrete(values, [0.5, 0.5]) for values in (first, second)]
    group = GroupTrade(2, 1, priors, "point(1)")
    price = (first[1] + second[1]) / 2
    found = evaluate(group, "vote", price=price, rule="quota(buyers=1, sellers=1)")
    # They lose where one is in favour and together they do not reach the price.
    outcomes = [a + b >= 2 * price or max(a, b) < price for a in first for b in second]
    assert found.ir_buyers == sum(outcomes) / 4 == 0.75
    assert found.method == "exact"


def test_a_comparison_does_without_a_lattice_of_too_many_totals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(6)
    cents = [np.unique(rng.integers(1000, 90_000, 3) / 100).tolist() for _ in range(5)]
    voters = [
        Voters(Discrete(values, [1 / len(values)] * len(values)), 1, weight, 400.0)
        for values, weight in zip(cents, [31, 17, 0, 23, 5], strict=True)
    ]
    total = sum(values[1] for values in cents)
    exact = vote_law(voters, total)
    asked: list[bool] = []
    terms = atom_terms

    def watched(given: list[Voters], least: float, *, quick: bool = False) -> list[Terms] | None:
        found = terms(given, least, quick=quick)
        asked.append(found is None)
        return found

    monkeypatch.setattr(sums_law, "atom_terms", watched)
    monkeypatch.setattr(sums_atoms, "_HASTY", 1)
    assert np.array_equal(vote_law(voters, total).reached, exact.reached)
    with quickly():
        rough = vote_law(voters, total)
    assert asked == [False, True]
    assert abs(rough.reached.sum() - exact.reached.sum()) <= rough.error
    assert rough.votes.tolist() == exact.votes.tolist()
