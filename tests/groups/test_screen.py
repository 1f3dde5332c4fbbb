"""Frequencies at which nothing is left of members whose votes tell their values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catallax.groups.sums import Voters
from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.series.vaaler import largest
from catallax.groups.sums.values import plan as sums_plan
from catallax.groups.sums.values import scattered as sums_scattered
from catallax.groups.sums.values import screen as sums_screen
from catallax.groups.sums.values.mixture import Mixture, Part
from catallax.groups.sums.values.plan import planned
from catallax.groups.sums.values.scattered import scattered_terms
from catallax.groups.sums.values.screen import Screen, screen_of
from catallax.groups.sums.values.tables import Total
from catallax.priors import Discrete


def members(
    rng: np.random.Generator, n: int, weights: list[int], counts: list[int]
) -> list[Voters]:
    """Two or three values each, the price between them for most."""
    found = []
    for _ in range(n):
        values = np.append(0.45 * rng.random(), 0.45 + 0.5 * rng.random(int(rng.integers(1, 3))))
        if rng.random() < 0.1:
            values = 0.5 + 0.3 * rng.random(2)
        prior = Discrete(values.tolist(), rng.dirichlet(np.full(values.size, 8.0)).tolist())
        found.append(Voters(prior, int(rng.choice(counts)), int(rng.choice(weights)), 0.45, 1))
    return found


def whole(group: list[Voters]) -> Mixture:
    parts = tuple(Part.of(one, one.mean) for one in group)
    return Mixture(parts, np.array([[one.count for one in group]]), np.ones(1))


def all_votes(mixture: Mixture, step: float, k: np.ndarray) -> np.ndarray:
    """Return the sizes of the transforms of all totals of votes, added up, shape (k,)."""
    line = np.ones((k.size, 1), dtype=np.complex128)
    for part, count in zip(mixture.parts, mixture.counts[0].tolist(), strict=True):
        no, yes = (wave.ravel()[:, None] for wave in part.at(step, k, np.zeros(1)))
        for _ in range(count):
            longer = np.zeros((k.size, line.shape[1] + part.weight), dtype=np.complex128)
            longer[:, : line.shape[1]] += no * line
            longer[:, part.weight :] += yes * line
            line = longer
    return np.abs(line).sum(axis=1)


@pytest.mark.parametrize(
    ("n", "weights", "counts"),
    [(90, [1], [1]), (60, [1, 2, 3], [1]), (30, [2], [1, 2, 5]), (40, [0, 1], [1, 3])],
)
def test_what_is_dropped_is_no_more_than_is_said(
    n: int, weights: list[int], counts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each frequency that is not kept, and for all of them together."""
    monkeypatch.setattr("catallax.groups.sums.values.tables._BITS", 6)
    rng = np.random.default_rng(n)
    some = 0
    for passed in (1e-1, 1e-3, 1e-5):
        mixture = whole(members(rng, n, weights, counts))
        total = Total(0.3, [-0.7, 1.9], 2.0 * math.pi / 0.3, 3_000, passed)
        for together in (3, 12, 24):
            monkeypatch.setattr(sums_screen, "_TOGETHER", (together,))
            screen = screen_of(mixture, total, 1e4)
            if screen is None:
                continue
            start, stop = 100, 2_500
            kept, dropped = screen.kept(1, start, stop)
            k = np.setdiff1d(np.arange(start, stop), kept).astype(np.float64)
            assert kept.size + k.size == stop - start
            reach = largest(k, total.count)
            sizes = reach * all_votes(mixture, total.step, k)
            assert (sizes <= screen.limit(reach) * (1 + 1e-9)).all()
            assert sizes.sum() <= dropped * (1 + 1e-9) <= passed
            some += k.size > 1_000
            assert screen.choice.share == pytest.approx(kept.size / (stop - start), abs=0.1)
    assert some > 3


def test_frequencies_past_the_last_one_are_not_kept() -> None:
    rng = np.random.default_rng(2)
    total = Total(0.3, [-0.7, 1.9], 2.0 * math.pi / 0.3, 1_000, 1e-3)
    screen = screen_of(whole(members(rng, 90, [1], [1])), total, 1e4)
    assert screen is not None
    kept, _ = screen.kept(1, 0, 4_000)
    assert kept[0] == 0
    assert kept[-1] < 1_000


def test_too_few_members_are_not_screened() -> None:
    rng = np.random.default_rng(3)
    total = Total(0.3, [-0.7, 1.9], 2.0 * math.pi / 0.3, 1 << 20, 1e-8)
    assert screen_of(whole(members(rng, 20, [1], [1])), total, 1e4) is None
    # Whoever has a vote that nobody else's is like tells nothing.
    group = [Voters(Discrete([0.1, 0.7 + k / 997], [0.5, 0.5]), 1, 1 + k, 0.45) for k in range(200)]
    assert screen_of(whole(group), total, 1e4) is None


def on_line(found: list[Terms], size: int) -> np.ndarray:
    line = np.zeros(size)
    for terms in found:
        line[terms.first : terms.first + terms.values.size] += terms.values
    return line


@pytest.mark.parametrize("compiled", [True, False])
def test_a_screened_law_is_the_one_without(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the compiled product for what is kept, and with NumPy."""
    monkeypatch.setattr(sums_plan, "bivariate_of", lambda *given: None)
    monkeypatch.setattr(sums_scattered, "_FIRST", 1 << 12)
    monkeypatch.setattr(sums_scattered, "_MOST", 1 << 12)
    if not compiled:
        monkeypatch.setattr(sums_plan, "product_of", lambda mixture: None)
    rng = np.random.default_rng(8)
    group = members(rng, 110, [1], [1])
    total = sum(one.count * one.mean for one in group)
    plan = planned(whole(group), total, 1 << 12)
    assert isinstance(plan.sieve, Screen)
    assert plan.sieve.choice.share < 0.2
    assert (plan.product is not None) == compiled
    lines, errors = [], []
    for passed in (sums_plan._PASSED_BY_KINDS, 1e-4):
        monkeypatch.setattr(sums_plan, "_PASSED_BY_KINDS", passed)
        found = scattered_terms(group, total, 1e-7, quick=False)
        assert found is not None
        lines.append(on_line(found, 111))
        errors.append(math.fsum(terms.error for terms in found))
    monkeypatch.setattr(sums_plan, "screen_of", lambda *given: None)
    monkeypatch.setattr(sums_plan, "_PASSED_BY_KINDS", 0.0)
    found = scattered_terms(group, total, 1e-7, quick=False)
    assert found is not None
    exact = on_line(found, 111)
    for line in lines:
        off = line - exact
        assert max(off[off > 0].sum(), -off[off < 0].sum()) <= 2e-4
    off = lines[0] - exact
    assert max(off[off > 0].sum(), -off[off < 0].sum()) <= 2e-8
    # The frequencies themselves leave a thousandth.
    assert errors[0] == pytest.approx(math.fsum(terms.error for terms in found), abs=2e-8)
