"""Errors: moments, ratios from common draws, controls; and that intervals cover."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import catallax as cx
from catallax.estimate.accounts import FIRST_BEST, GAINS, Account, Entry
from catallax.estimate.batch.clearing import Block
from catallax.estimate.batch.conditional import CONTROLS, controls
from catallax.estimate.batch.forms import batch_form
from catallax.estimate.batch.tally import COLUMNS, Seen, Tally, tally_branches
from catallax.estimate.draws import Draws, Plan, sampler_of
from catallax.estimate.moments import Moments
from catallax.estimate.ratios import Paired


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 40), max_size=4))
def test_moments_of_parts_are_those_of_the_whole(seed: int, cuts: list[int]) -> None:
    rows = np.random.default_rng(seed).normal(5.0, 2.0, (40, 3))
    gathered = Moments.none(3)
    for part in np.split(rows, sorted(cuts)):
        gathered = gathered.merged(Moments.of(part))
    assert gathered.count == 40
    np.testing.assert_allclose(gathered.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(gathered.products, 39 * np.cov(rows.T), rtol=1e-10, atol=1e-10)


def test_the_error_of_a_ratio_is_that_of_the_bootstrap() -> None:
    """Paired draws: independent ones would claim an error several times as large."""
    rng = np.random.default_rng(3)
    whole = rng.gamma(2.0, 1.0, 2000)
    part = 0.8 * whole * rng.uniform(0.8, 1.0, whole.size)
    seen = Paired(Moments.of(np.stack([part, whole], axis=1)))
    ratio = seen.ratio(0, 1)
    assert ratio is not None and ratio.mean == pytest.approx(part.mean() / whole.mean())
    again = rng.integers(0, whole.size, (2000, whole.size))
    ratios = part[again].mean(axis=1) / whole[again].mean(axis=1)
    assert ratio.stderr == pytest.approx(ratios.std(), rel=0.06)
    apart = np.hypot(seen.mean(0).stderr, ratio.mean * seen.mean(1).stderr) / whole.mean()
    assert apart > 4 * ratio.stderr


def test_controls_are_least_squares() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(0.0, 1.0, (500, 2))
    value = 3.0 + 2.0 * noise[:, 0] - noise[:, 1] + rng.normal(0.0, 0.1, 500)
    rows = np.column_stack([value, noise, noise[:, 0], np.zeros(500)])  # one twice, one of nothing
    leaning = Paired(Moments.of(rows), range(1, 5)).mean(0)
    fit = np.linalg.lstsq(noise - noise.mean(axis=0), value - value.mean(), rcond=None)[0]
    assert leaning.mean == pytest.approx(value.mean() - noise.mean(axis=0) @ fit, rel=1e-12)
    rest = value - value.mean() - (noise - noise.mean(axis=0)) @ fit
    assert leaning.stderr == pytest.approx(
        np.sqrt(rest @ rest / (500 - 5) / 500 * 498 / 494), rel=1e-9
    )
    plain = Paired(Moments.of(rows)).mean(0)
    assert plain.stderr > 15 * leaning.stderr


def test_no_gains_seen_is_no_ratio() -> None:
    assert Paired(Moments.of(np.zeros((5, 2)))).ratio(0, 1) is None


def test_few_units_have_wider_intervals() -> None:
    rows = np.random.default_rng(5).normal(size=(6, 1))
    found = Paired(Moments.of(rows)).mean(0)
    low, high = found.interval()
    assert (high - low) / 2 == pytest.approx(stats.t(5).ppf(0.975) * found.stderr)


# ------------------------------------------------------------------------------------- coverage

REPETITIONS = 2000


def rows_of(
    market: cx.Market, slug: str, plan: Plan, *, conditional: bool
) -> tuple[np.ndarray, Plan]:
    """Draw and clear, all repetitions one after the other."""
    sampler = sampler_of(market)
    form, best = (batch_form(cx.mechanisms.get(one), market) for one in (slug, "first-best"))
    assert form is not None and best is not None
    rows = []
    for number in range(plan.blocks):
        draws = sampler.draw(plan, 11, number)
        block = Block(market, draws)
        branches, first = form(block), best(block)
        gains = tally_branches(block, first).totals[:, :1]
        parts = [tally_branches(block, branches).totals, gains]
        if conditional:
            found = [controls(block, branch) for branch in branches]
            own = sum(part for part in found if part is not None)
            leading = controls(block, first[0])
            assert leading is not None
            parts += [own, leading[:, :2]]
        rows.append(np.concatenate(parts, axis=1))
    return np.concatenate(rows), plan


def account_of(rows: np.ndarray, plan: Plan, extra: int) -> Account:
    nothing = Seen(np.empty(0))
    account = Account(plan, extra)
    tally = Tally(rows[:, : len(COLUMNS)], nothing, nothing, nothing)
    account.add(Entry.of(rows, tally, plan))
    return account


def uniform_pair() -> cx.Market:
    return cx.instances.get("bilateral-uniform")


def coin_market() -> cx.Market:
    """Two buyers and two sellers with atoms, ties and a missing edge; known by enumeration."""
    coin = "discrete([0, 1, 2, 4], [0.25, 0.25, 0.25, 0.25])"
    buyers = [{"id": f"b{k}", "prior": coin} for k in range(2)]
    sellers = [{"id": f"s{k}", "prior": coin} for k in range(2)]
    return cx.Market(buyers, sellers, [("b0", "s0"), ("b0", "s1"), ("b1", "s1")])


def known_values(market: cx.Market, slug: str) -> tuple[np.ndarray, float]:
    """Look at all profiles, with `clear`."""
    from catallax.mechanisms.profiles import draw_profiles

    profiles = draw_profiles(market, 2, 0)
    assert profiles.exact
    totals, best = np.zeros(len(COLUMNS)), 0.0
    for bids, asks, chance in zip(profiles.bids, profiles.asks, profiles.chances, strict=True):
        block = Block(market, Draws(bids[None, :], asks[None, :]))
        form, first = (batch_form(cx.mechanisms.get(one), market) for one in (slug, "first-best"))
        assert form is not None and first is not None
        totals += chance * tally_branches(block, form(block)).totals[0]
        best += chance * tally_branches(block, first(block)).totals[0, GAINS]
    return totals, best


def coverage(
    rows: np.ndarray, plan: Plan, extra: int, columns: list[int], truths: list[float]
) -> np.ndarray:
    """Return how many of the repetitions cover each truth, the last one that of the share.

    Where the controls explain all there is, no interval is left to cover anything: there the
    estimates must be right, and are left out of the count as NaN.
    """
    hits, widest = np.zeros(len(truths)), np.zeros(len(truths))
    for part in np.split(rows, REPETITIONS):
        account = account_of(part, plan, extra)
        share = account.share
        assert share is not None
        found = [*(account.paired.mean(column) for column in columns), share]
        for k, (estimate, truth) in enumerate(zip(found, truths, strict=True)):
            low, high = estimate.interval()
            hits[k] += low - 1e-12 <= truth <= high + 1e-12
            widest[k] = max(widest[k], high - low)
    assert (hits[widest < 1e-9] == REPETITIONS).all()
    return np.where(widest < 1e-9, np.nan, hits / REPETITIONS)


@pytest.mark.parametrize(
    ("slug", "draws", "samples", "conditional"),
    [
        ("gsom", "plain", 250, False),
        ("random-offerer", "antithetic", 250, False),
        ("random-offerer", "plain", 600, True),
    ],
)
def test_intervals_cover(slug: str, draws: str, samples: int, conditional: bool) -> None:
    """95 % intervals cover what is known in 93 to 97 % of 2,000 repetitions."""
    truths = {  # U[0, 1] against U[0, 1]
        "gsom": [1 / 8, 1 / 24, 1 / 12, 0.0, 1 / 4, 1 / 6, 3 / 4],
        "random-offerer": [1 / 8, 1 / 16, 1 / 16, 0.0, 1 / 4, 1 / 6, 3 / 4],
    }[slug]
    plan = Plan.plan(draws, samples * REPETITIONS, 2, growing=False)
    rows, _ = rows_of(uniform_pair(), slug, plan, conditional=conditional)
    extra = CONTROLS + 2 if conditional else 0
    share = coverage(rows, plan, extra, [0, 1, 2, 3, 4, FIRST_BEST], truths)
    assert np.isfinite(share).sum() >= 5
    known = share[np.isfinite(share)]
    assert known.min() >= 0.93 and known.max() <= 0.97, share


def test_intervals_cover_with_atoms_and_ties() -> None:
    market = coin_market()
    totals, best = known_values(market, "random-offerer-bic")
    plan = Plan.plan("plain", 200 * REPETITIONS, 4, growing=False)
    rows, _ = rows_of(market, "random-offerer-bic", plan, conditional=False)
    truths = [*totals, best, totals[GAINS] / best]
    share = coverage(rows, plan, 0, [*range(len(COLUMNS)), FIRST_BEST], truths)
    known = share[np.isfinite(share)]
    assert known.size >= 6 and known.min() >= 0.93 and known.max() <= 0.97, share


def test_intervals_of_sobol_points_cover() -> None:
    """Fewer repetitions, as scrambling takes its time, and so a wider margin: 91 to 99 %."""
    market, repetitions, samples = uniform_pair(), 300, 256
    plan = Plan("sobol", samples * repetitions, samples // 32, 1024)
    rows, _ = rows_of(market, "gsom", plan, conditional=False)
    hits = 0
    for part in np.split(rows, repetitions):
        low, high = account_of(part, plan, 0).estimate(GAINS).interval()
        hits += low <= 1 / 8 <= high
    assert 0.91 * repetitions <= hits <= 0.99 * repetitions, hits


QUANTITIES = {
    "gains_from_trade": 1 / 8,
    "buyers_utility": 1 / 24,
    "sellers_utility": 1 / 12,
    "trades": 1 / 4,
    "trade_probability": 1 / 4,
    "share_of_first_best": 3 / 4,
}


@pytest.mark.parametrize(
    ("how", "repetitions", "margin"),
    [
        ({"samples": 400}, REPETITIONS, 0.02),
        # Drawing on until it is precise enough must not choose lucky draws; fewer repetitions.
        ({"until": 0.015, "samples": 10**5}, 300, 0.04),
    ],
)
def test_intervals_of_whole_simulations_cover(
    how: dict[str, Any], repetitions: int, margin: float
) -> None:
    """As a user gets them: GSOM on one pair, another seed each time."""
    hits, samples = dict.fromkeys(QUANTITIES, 0), set()
    for seed in range(repetitions):
        found = cx.simulate(uniform_pair(), ["gsom"], rng=seed, workers=1, exact=False, **how)
        samples.add(found.samples)
        for name, truth in QUANTITIES.items():
            low, high = getattr(found["gsom"], name).interval()
            hits[name] += low <= truth <= high
    share = {name: count / repetitions for name, count in hits.items()}
    assert all(abs(part - 0.95) <= margin for part in share.values()), share
    # Some went on after the first look, where stopping could go wrong.
    assert ("until" not in how) or len(samples) > 1
