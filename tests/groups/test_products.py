"""Members of many kinds, compiled: against products in NumPy, and against all ways to draw."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catallax.groups.sums import Voters
from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.series.vaaler import fejer, weights_of
from catallax.groups.sums.values import plan as sums_plan
from catallax.groups.sums.values import scattered as sums_scattered
from catallax.groups.sums.values import tables as sums_tables
from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.product import Added, Frequencies, product_of
from catallax.groups.sums.values.scattered import scattered_terms
from catallax.groups.sums.values.sieve import Sieve
from catallax.groups.sums.values.tables import Total
from catallax.priors import Discrete, Empirical


def whole(group: list[Voters]) -> Mixture:
    parts = tuple(Part.of(one, one.mean) for one in group)
    return Mixture(parts, np.array([[one.count for one in group]]), np.ones(1))


def by_numpy(mixture: Mixture, k: np.ndarray, total: Total) -> tuple[np.ndarray, float]:
    """Return the same sums of all frequencies given, and what lies next to both ends."""
    each = [
        [wave.ravel() for wave in part.at(total.step, k, np.zeros(1))] for part in mixture.parts
    ]
    turns = [np.exp(-2j * math.pi * k * (place / total.period)) for place in total.places]
    weights = weights_of(k, turns, total.places, total.period, total.count)
    line = on_line(mixture.votes(each, weights), mixture.totals)
    transform = mixture.whole([no + yes for no, yes in each])
    return line, float(fejer(k, total.count) @ (transform * sum(turns)).real)


def on_line(found: list[Terms], size: int) -> np.ndarray:
    line = np.zeros(size)
    for terms in found:
        line[terms.first : terms.first + terms.values.size] += terms.values
    return line


def some_members(rng: np.random.Generator, most: int, weights: list[int]) -> list[Voters]:
    """Few alike, some of whom always vote the same way; values are at times prices."""
    found = []
    for _ in range(int(rng.integers(2, most + 1))):
        values = rng.random(int(rng.integers(1, 4)))
        masses = rng.dirichlet(np.ones(values.size))
        price = float(rng.choice([0.5, float(rng.choice(values))]))
        count, sign = int(rng.choice([1, 1, 1, 2, 5])), int(rng.choice([1, -1]))
        prior = Discrete(values.tolist(), masses.tolist())
        found.append(Voters(prior, count, int(rng.choice(weights)), price, sign))
    return found


@pytest.mark.parametrize("digits", [10, 5])
@pytest.mark.parametrize("weights", [[1], [2], [0, 1, 2, 3], [0, 6, 9], [0]])
def test_products_are_those_of_numpy(
    digits: int, weights: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole stretches and single frequencies, whatever the weights and the digits."""
    monkeypatch.setattr(sums_tables, "_BITS", digits)
    rng = np.random.default_rng(digits * 100 + sum(weights))
    for _ in range(15):
        mixture = whole(some_members(rng, 14, weights))
        product = product_of(mixture)
        assert product is not None
        total = Total(0.3, [-0.7, 1.9], 21.0, 5_000, 0.0)
        over = Frequencies(product, total)
        start, stop = (0, 150) if digits == 10 else (1024, 2048)
        at = np.unique(rng.integers(0, total.count, 70))
        padded = np.concatenate([[-3, -1], at, [total.count, total.count + 1]])
        cases = [
            (over.all(start, stop), np.arange(start, stop, dtype=np.float64)),
            (over.at(padded), at.astype(np.float64)),
        ]
        for found, k in cases:
            exact, beside = by_numpy(mixture, k, total)
            assert np.abs(on_line([found.terms], mixture.totals) - exact).max() < 1e-13
            assert found.beside == pytest.approx(beside, abs=1e-10)
            assert 0.0 < found.terms.error < 1e-9


@pytest.mark.parametrize(("n", "k", "count"), [(60, 3, 1), (33, 2, 1), (4, 25, 15), (2, 3, 300)])
def test_many_members_are_multiplied_like_few(n: int, k: int, count: int) -> None:
    rng = np.random.default_rng(n)
    group = [Voters(Empirical(rng.random(k).tolist()), count, 1, 0.5) for _ in range(n)]
    mixture = whole(group)
    product = product_of(mixture)
    assert product is not None
    step = 0.3 / count**0.5
    total = Total(step, [-0.7, 1.9], 2.0 * math.pi / step, 1 << 26, 0.0)
    found = Frequencies(product, total).all(0, 90)
    exact, beside = by_numpy(mixture, np.arange(90.0), total)
    assert np.abs(exact).max() > 1e-3
    assert np.abs(on_line([found.terms], mixture.totals) - exact).max() < 1e-13
    assert found.beside == pytest.approx(beside, abs=1e-10)


def test_too_many_members_are_left_to_numpy() -> None:
    prior, other = Empirical([0.1, 0.7]), Empirical([0.2, 0.9])
    few = [Voters(prior, 2, 1, 0.5), Voters(other, 1, 1, 0.5)]
    assert product_of(whole(few)) is not None
    assert product_of(whole([Voters(prior, 513, 1, 0.5), few[1]])) is None
    assert product_of(whole([Voters(prior, 2, 500, 0.5), Voters(other, 1, 1, 0.5)])) is None
    cases = Mixture(whole(few).parts, np.array([[2, 0], [1, 1]]), np.array([0.5, 0.5]))
    assert product_of(cases) is None


@pytest.mark.parametrize("passed", [1e-3, 0.3])
def test_what_is_passed_over_is_in_the_bound(passed: float) -> None:
    """By what all transforms come to, or by the lengths of two factors."""
    rng = np.random.default_rng(3)
    broken = 0
    for case in range(60):
        mixture = whole(some_members(rng, 14, [0, 1, 3] if case % 2 else [1]))
        product = product_of(mixture)
        assert product is not None
        count = 1 << 12
        total, none = (Total(0.3, [-0.7, 1.9], 21.0, count, part) for part in (passed, 0.0))
        exact: Added = Frequencies(product, none).all(0, count)
        rough: Added = Frequencies(product, total).all(0, count)
        off = on_line([rough.terms], mixture.totals) - on_line([exact.terms], mixture.totals)
        missed = max(off[off > 0].sum(), -off[off < 0].sum())
        missed += abs(rough.beside - exact.beside) / (2.0 * count)
        assert missed <= rough.terms.error + exact.terms.error
        assert rough.terms.error <= 1.5 * passed + exact.terms.error
        broken += missed > exact.terms.error
    assert broken > 5


def merged(
    sums: np.ndarray, votes: np.ndarray, masses: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put together what differs in the sum by rounding only."""
    keys, at = np.unique(np.stack([np.round(sums, 9), votes]), axis=1, return_inverse=True)
    return keys[0], keys[1].astype(np.int64), np.bincount(at.ravel(), masses)


def test_bounds_hold_against_all_ways_to_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums that tie with the total, weights of votes, and members whose votes are certain."""
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 8)
    monkeypatch.setattr(sums_scattered, "_MOST", 1 << 11)
    monkeypatch.setattr(sums_tables, "_BITS", 6)
    rng = np.random.default_rng(11)
    close = 0
    for case in range(80):
        # Whole stretches are summed, or what a sieve keeps.
        monkeypatch.setattr(Sieve, "least", math.inf if case % 2 else 0.0)
        monkeypatch.setattr(sums_plan, "_PASSED_BY_KINDS", 0.02 if case % 3 else 8e-9)
        group = some_members(rng, 5, [1, 1, 2, 0])
        if all(one.measure.atoms.size == 1 for one in group):
            continue
        sums, masses, votes = np.zeros(1), np.ones(1), np.zeros(1, dtype=np.int64)
        total = 0.0
        for one in group:
            atoms, chances = one.measure.atoms, one.measure.masses
            favour = (atoms >= one.bar) * one.weight
            for _ in range(one.count):
                sums = np.add.outer(sums, atoms).ravel()
                masses = np.multiply.outer(masses, chances).ravel()
                votes = np.add.outer(votes, favour).ravel()
                total += float(rng.choice(atoms)) * (case % 4 != 0)
                if sums.size > 1 << 10:
                    sums, votes, masses = merged(sums, votes, masses)
        size = 1 + sum(one.count * one.weight for one in group)
        reached = sums >= total - 1e-8
        exact = np.bincount(votes[reached], masses[reached], size)
        found = scattered_terms(group, total, 1e-7, quick=True)
        assert found is not None
        off = on_line(found, size) - exact
        error = math.fsum(terms.error for terms in found)
        assert max(off[off > 0].sum(), -off[off < 0].sum()) <= error + 1e-12, case
        close += error < 0.01
    assert close > 10


def test_forty_members_with_two_or_three_values_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Too many to list and on no lattice: sums and their negatives, and draws at random."""
    rng = np.random.default_rng(5)
    priors = [Empirical(rng.random(2 + k % 2).tolist()) for k in range(40)]
    total = 40 * 0.5
    lines, errors = [], []
    for sign in (1, -1):
        group = [Voters(prior, 1, 1, 0.5, sign) for prior in priors]
        found = scattered_terms(group, sign * total, 2e-6, quick=False)
        assert found is not None
        lines.append(on_line(found, 41))
        errors.append(math.fsum(terms.error for terms in found))
    assert max(errors) <= 2e-6 + 1e-11
    assert lines[0].sum() + lines[1].sum() == pytest.approx(1.0, abs=sum(errors))
    draws = np.stack([prior.sample(rng, 100_000) for prior in priors])
    reached, votes = draws.sum(axis=0) >= total, (draws >= 0.5).sum(axis=0)
    for line, chosen in ((lines[0], reached), (lines[1], ~reached)):
        seen = votes if chosen is reached else 40 - votes
        mean, spread = float((seen * chosen).mean()), float((seen * chosen).std())
        assert line @ np.arange(41) == pytest.approx(mean, abs=5 * spread / 100_000**0.5)
