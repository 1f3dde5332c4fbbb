"""Members whose votes tell their values, and weigh unlike: pairs of frequencies."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.groups.sums import Voters
from catallax.groups.sums import law as sums_law
from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.values import bivariate as sums_bivariate
from catallax.groups.sums.values import plan as sums_plan
from catallax.groups.sums.values import product as sums_product
from catallax.groups.sums.values import scattered as sums_scattered
from catallax.groups.sums.values.bivariate import Bivariate, bivariate_of
from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.product import Added, Frequencies, product_of
from catallax.groups.sums.values.scattered import scattered_terms
from catallax.groups.sums.values.tables import Total
from catallax.priors import Discrete


def members(rng: np.random.Generator, n: int, weights: int, alike: int = 1) -> list[Voters]:
    """Return members with two values mostly, the price between them, and shares that differ."""
    found = []
    for _ in range(n):
        size = int(rng.choice([1, 2, 2, 2, 2, 3, 4]))
        values = np.append(0.45 * rng.random(), 0.45 + 0.5 * rng.random(size - 1))
        prior = Discrete(values.tolist(), rng.dirichlet(np.full(size, 8.0)).tolist())
        weight = int(rng.integers(0 if rng.random() < 0.1 else 1, weights))
        found.append(Voters(prior, int(rng.integers(1, alike + 1)), weight, 0.45, 1))
    return found


def whole(group: list[Voters]) -> Mixture:
    parts = tuple(Part.of(one, one.mean) for one in group)
    return Mixture(parts, np.array([[one.count for one in group]]), np.ones(1))


@pytest.mark.parametrize(("n", "weights", "alike"), [(60, 18, 1), (30, 9, 3), (90, 2, 1)])
def test_what_is_passed_over_is_no_more_than_is_said(
    n: int, weights: int, alike: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against all pairs of frequencies, whatever number of votes is needed."""
    rng = np.random.default_rng(n)
    monkeypatch.setattr(sums_product, "_MOST_TOTALS", 2_000)
    pairs = []
    for passed in (1e-1, 1e-6, 1e-13):
        mixture = whole(members(rng, n, weights, alike))
        total = Total(0.3, [-0.7, 1.9], 2.0 * math.pi / 0.3, 3_000, passed)
        product = product_of(mixture)
        assert product is not None
        for start, stop in ((0, 1_024), (2_500, 3_500)):
            exact = Frequencies(product, replace(total, passed=0.0)).all(start, stop)
            for block, longer in ((1, 2.0), (3, 0.0), (9, 2.0), (27, 64.0)):
                monkeypatch.setattr(sums_bivariate, "_BLOCKS", (block,))
                monkeypatch.setattr(sums_bivariate, "_LONGER", longer)
                way = bivariate_of(mixture, total)
                assert isinstance(way, Bivariate)
                found = way.all(start, stop)
                size = found.terms.values.size
                off = on_line([found.terms], size) - on_line([exact.terms], size)
                error = found.terms.error + exact.terms.error
                assert np.abs(off[::-1].cumsum()).max() <= error <= 1.1 * passed + 1e-9
                assert abs(found.beside - exact.beside) <= 2 * total.count * error
                work = np.zeros(3, dtype=np.int64)
                way._summed(start, stop, block, work)
                pairs.append(int(work[1]) / (1_024 * way.totals))
    assert min(pairs) < 0.01
    assert max(pairs) > 0.01


def test_too_few_members_and_too_many_totals() -> None:
    rng = np.random.default_rng(3)
    total = Total(0.3, [-0.7, 1.9], 2.0 * math.pi / 0.3, 1 << 20, 1e-8)
    assert bivariate_of(whole(members(rng, 20, 9)), total) is None
    assert bivariate_of(whole(members(rng, 90, 1 << 20)), total) is None


def every_way(group: list[Voters]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums, votes and probabilities of everything that may be drawn."""
    sums, votes, masses = np.zeros(1), np.zeros(1, dtype=np.int64), np.ones(1)
    for one in group:
        favour = (one.measure.atoms >= one.bar) * one.weight
        for _ in range(one.count):
            sums = np.add.outer(sums, one.measure.atoms).ravel()
            votes = np.add.outer(votes, favour).ravel()
            masses = np.multiply.outer(masses, one.measure.masses).ravel()
    return sums, votes, masses


def on_line(found: list[Terms], size: int) -> np.ndarray:
    line = np.zeros(size)
    for terms in found:
        line[terms.first : terms.first + terms.values.size] += terms.values
    return line


def test_laws_against_all_that_may_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums from any total of votes on are within the bound, with pairs passed over."""
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 8)
    monkeypatch.setattr(sums_scattered, "_MOST_QUICKLY", 1 << 10)
    monkeypatch.setattr(sums_plan, "_SLOW", -1.0)
    monkeypatch.setattr(sums_plan, "screen_of", lambda *given: None)
    monkeypatch.setattr(sums_bivariate, "_FEWEST", 4)
    monkeypatch.setattr(sums_bivariate, "_SAMPLE", 2)
    monkeypatch.setattr("catallax.groups.sums.values.tables._BITS", 6)
    monkeypatch.setattr(Bivariate, "work", 0.0)
    plain, calls = Bivariate.all, []

    def watched(self: Bivariate, start: int, stop: int) -> Added:
        calls.append(start)
        return plain(self, start, stop)

    monkeypatch.setattr(Bivariate, "all", watched)
    rng = np.random.default_rng(7)
    for _ in range(60):
        monkeypatch.setattr(sums_plan, "_PASSED_BY_PAIRS", float(10 ** rng.uniform(-3, 0)))
        group = members(rng, int(rng.integers(4, 12)), 9)
        sums, votes, masses = every_way(group)
        total = float(rng.choice(sums, p=masses / masses.sum())) + rng.normal() * 0.1
        reached = sums >= total
        exact = np.bincount(votes[reached], masses[reached], 1 + int(votes.max()))
        found = scattered_terms(group, total, 1e-7, quick=True)
        assert found is not None
        line = on_line(found, max(exact.size, 1 + sum(one.count * one.weight for one in group)))
        line[: exact.size] -= exact
        off = np.abs(line[::-1].cumsum()).max()
        assert off <= math.fsum(terms.error for terms in found) + 1e-12
    assert len(calls) > 20


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0, 0.3), st.randoms())
def test_probabilities_are_put_where_they_can_be(
    parts: list[float], error: float, random: np.random.Generator
) -> None:
    """Between nothing and what the votes allow, and no further from the truth than before."""
    chance = np.array(parts) / max(sum(parts), 1.0)
    exact = np.array([random.random() * one for one in chance])
    sums = exact[::-1].cumsum()[::-1]
    off = np.append(sums + [error * (2 * random.random() - 1) for _ in sums], 0.0)
    found, moved = sums_law._between(off[:-1] - off[1:], chance, error)
    assert (found >= 0).all()
    assert (found <= chance).all()
    assert np.abs(found[::-1].cumsum()[::-1] - sums).max() <= error + moved + 1e-14
