"""Complete markets of agents alike: all profiles, one pair, known fractions, and draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import catallax as cx
from catallax.estimate.exact import exact_values
from catallax.estimate.exact.bilateral import bilateral_values
from catallax.estimate.exact.complete import complete_values
from catallax.estimate.exact.counts import at_least, expected_smaller, fewer, probabilities
from catallax.estimate.exact.enumeration import enumerated_values
from catallax.estimate.exact.laws import Law
from catallax.mechanisms import PostedPrice, SecondBest, get
from catallax.mechanisms.mcafee import mcafee
from catallax.mechanisms.second_best import CombinedWeights
from catallax.mechanisms.trade_reduction import trade_reduction
from tests.estimate.exact_markets import assert_equal, discrete, market_of, numbers, sampled
from tests.mechanisms import brute_force as brute

COUNTED = [
    "first-best",
    "gsom",
    "gbom",
    "gsom-bic",
    "gbom-bic",
    "random-offerer",
    "random-offerer-bic",
    "random-offerer-balanced",
]
REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "double_auction_shares.json"

# ------------------------------------------------------------------------------------------ counts


def test_counts_against_sums_over_all_outcomes() -> None:
    rng = np.random.default_rng(1)
    for n, m in ((0, 1), (1, 1), (3, 2), (2, 6), (7, 7)):
        p, q = rng.random(5), rng.random(5)
        p[0], q[1] = 0.0, 1.0
        left, right = probabilities(n, p), probabilities(m, q)
        i, j = np.arange(n + 1)[:, None], np.arange(m + 1)[None, :]
        both = left[:, :, None] * right[:, None, :]
        assert fewer(n, p, m, q) == pytest.approx((both * (i < j)).sum(axis=(1, 2)), abs=1e-14)
        smaller = (both * np.minimum(i, j)).sum(axis=(1, 2))
        assert expected_smaller(n, p, m, q) == pytest.approx(smaller, abs=1e-14)
        assert at_least(left)[:, 0] == pytest.approx(np.ones(5), abs=1e-14)


def test_many_trials_keep_their_digits() -> None:
    from scipy import stats

    mass = probabilities(1000, np.array([0.1, 0.5]))
    exact = stats.binom.pmf(np.arange(1001), 1000, np.array([[0.1], [0.5]]))
    assert mass == pytest.approx(exact, rel=1e-10, abs=1e-300)


# ----------------------------------------------------------------------- thresholds, ties and all


@pytest.mark.parametrize("mechanism", COUNTED)
def test_ties_and_plateaus_equal_all_profiles(mechanism: str) -> None:
    """Atoms that meet, ironed atoms, and certain values; sides of different size."""
    rng = np.random.default_rng(COUNTED.index(mechanism))
    partial = 0
    for n, m in ((1, 1), (2, 1), (1, 3), (2, 2), (3, 2), (2, 3)):
        market = market_of(*(discrete(*brute.random_prior(rng, 4)) for _ in range(2)), n, m)
        found = complete_values(market, get(mechanism))
        assert found is not None and found.method == "order statistics" and found.reliable
        assert_equal(found, enumerated_values(market, get(mechanism)), 1e-12)
        partial += 0 < found.trades < min(n, m)
    assert partial > 2


@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_combined_weights_equal_all_profiles(share: float) -> None:
    rng = np.random.default_rng(4)
    for n, m in ((2, 2), (3, 2)):
        market = market_of(*(discrete(*brute.random_prior(rng, 5)) for _ in range(2)), n, m)
        rule = CombinedWeights(share)
        assert_equal(complete_values(market, rule), enumerated_values(market, rule), 1e-12)


def test_posted_prices_equal_all_profiles() -> None:
    rng = np.random.default_rng(5)
    for n, m in ((1, 2), (3, 2), (2, 4)):
        market = market_of(*(discrete(*brute.random_prior(rng, 4)) for _ in range(2)), n, m)
        for rule in (PostedPrice(), PostedPrice(2.0 * brute.UNIT), PostedPrice(-1.0)):
            assert_equal(complete_values(market, rule), enumerated_values(market, rule), 1e-12)


@pytest.mark.parametrize(
    ("buyer", "seller"),
    [
        ("exponential(1)", "exponential(1)"),
        ("equal-revenue(1, 10)", "beta(0.5, 0.5, low=0, high=10)"),
        (
            "mixture([uniform(0, 1), point(0.5)], [0.6, 0.4])",
            "mixture([point(0.5), beta(2, 2)], [0.4, 0.6])",
        ),
        ("lognormal(3, 0.5)", "piecewise([0, 1, 2, 3, 4, 4], [0.2, 0.2, 0.6, 0.6, 0.7, 1])"),
    ],
)
def test_one_of_each_is_a_pair(buyer: str, seller: str) -> None:
    """The same numbers by integrals that have nothing in common."""
    market = market_of(buyer, seller)
    for mechanism in ("first-best", "gsom", "gbom", "posted-price"):
        one, other = (way(market, get(mechanism)) for way in (complete_values, bilateral_values))
        assert_equal(one, other, 1e-10)


def test_the_first_best_is_an_integral_of_the_smaller_crowd() -> None:
    """Between t and t + dt gain as many pairs as there are values above t, or costs below it."""
    market = market_of("exponential(1)", "uniform(0, 2)", 6, 4)
    found = exact_values(market, "first-best")
    t = (np.arange(400_000) + 0.5) / 10_000
    buyer, seller = (side.priors[0] for side in (market.buyers, market.sellers))
    crowd = expected_smaller(6, buyer.sf(t), 4, seller.cdf(t))
    assert found is not None
    assert found.gains_from_trade == pytest.approx(crowd.sum() / 10_000, rel=1e-8)


def test_a_thousand_of_each_balance_as_theory_says() -> None:
    market = market_of("uniform(0, 1)", "uniform(0, 1)", 1000, 1000)
    found = exact_values(market, "first-best")
    assert found is not None and found.error_bound < 1e-9
    # Uniform: n^2 / (2n + 1) trades of 1/2 each; k (v_[m+1] - v_[m]) makes the deficit.
    assert found.gains_from_trade == pytest.approx(1000**2 / (2 * 2001), rel=1e-10)


def test_the_second_best_is_exact_at_the_share_that_was_found() -> None:
    market = market_of("uniform(0, 1)", "uniform(0, 1)", 3, 3)
    mechanism = SecondBest(samples=200)
    found = exact_values(market, mechanism)
    assert found is not None
    multiplier = mechanism.multiplier(market)
    # The share came from few draws, which is why it does not quite break even.
    assert 0 < abs(found.surplus) < 5 * multiplier.stderr
    mean, error = sampled(market, mechanism, 20_000)
    assert (np.abs(mean - numbers(found)) < 4.5 * error).all()


# ------------------------------------------------------------------- trade reduction and McAfee


def double_auction(mechanism: str, n: int, m: int, buyer="uniform(0, 1)", seller="uniform(0, 1)"):
    market = market_of(buyer, seller, n, m)
    found, best = exact_values(market, mechanism), exact_values(market, "first-best")
    assert found is not None and best is not None and found.error_bound < 1e-9
    traders = found.buyers_utility + found.sellers_utility
    return found.gains_from_trade / best.gains_from_trade, traders / best.gains_from_trade


@pytest.mark.parametrize(
    ("n", "by_mcafee", "reduced"),
    [
        (2, (37 / 48, 11 / 16), (1 / 4, 1 / 6)),
        (3, (127 / 144, 4 / 5), (47 / 90, 1 / 3)),
    ],
)
def test_small_uniform_markets_are_fractions(n, by_mcafee, reduced) -> None:
    assert double_auction("mcafee", n, n) == pytest.approx(by_mcafee, rel=1e-12)
    assert double_auction("trade-reduction", n, n) == pytest.approx(reduced, rel=1e-12)


def spread_of_shares(rule, n: int) -> tuple[float, float]:
    """Estimate the standard deviations of one run's shares, as parts of ratios of means."""
    rng = np.random.default_rng(n)
    bids, asks = -np.sort(-rng.random((4000, n)), axis=1), np.sort(rng.random((4000, n)), axis=1)
    best = np.maximum(bids - asks, 0.0).sum(axis=1)
    decided = rule(bids, asks)
    trading = np.arange(n) < decided.trades[:, None]
    total = ((bids - asks) * trading).sum(axis=1)
    kept = np.nan_to_num(decided.buyer_pays - decided.seller_receives) * decided.trades
    found = []
    for part in (total, total - kept):
        share = part.mean() / best.mean()
        found.append(float(np.std(part - share * best) / best.mean()))
    return found[0], found[1]


def test_published_shares() -> None:
    """50,000 runs by somebody else, rounded to two digits, against ours without any."""
    if not REFERENCE.is_file():
        pytest.skip("the reference figures are not here")
    rows = json.loads(REFERENCE.read_text(encoding="utf-8"))["rows"]
    assert len(rows) == 7
    for row in rows[:6]:
        n = row["n"]
        for rule, slug, key in (
            (mcafee, "mcafee", "mcafee"),
            (trade_reduction, "trade-reduction", "trade_reduction"),
        ):
            shares = double_auction(slug, n, n, *["uniform(1, 1000)"] * 2)
            for share, spread, what in zip(
                shares, spread_of_shares(rule, n), ("total", "traders"), strict=True
            ):
                noise = 4 * 100 * spread / 50_000**0.5 + 0.005
                assert 100 * share == pytest.approx(row[f"{key}_{what}"], abs=noise)
                assert noise < 1.0


@pytest.mark.parametrize(
    ("buyer", "seller", "n", "m"),
    [
        ("uniform(0, 1)", "uniform(0.3, 2)", 3, 5),
        ("mixture([uniform(0, 1), uniform(2, 3)], [0.5, 0.5])", "uniform(0.5, 1.5)", 5, 4),
        ("normal(0, 1)", "normal(0.5, 0.3)", 7, 4),
        ("pareto(2.5)", "exponential(2)", 2, 3),
        ("uniform(0, 1)", "uniform(0, 1)", 2, 40),
    ],
)
@pytest.mark.parametrize("mechanism", ["trade-reduction", "mcafee"])
def test_double_auctions_agree_with_draws(mechanism, buyer, seller, n, m) -> None:
    market = market_of(buyer, seller, n, m)
    found = exact_values(market, mechanism)
    assert found is not None and found.method == "order statistics"
    mean, error = sampled(market, mechanism, 60_000, seed=n)
    assert (np.abs(mean - numbers(found)) <= 4.5 * error + 1e-9).all()


def test_nobody_trades_alone() -> None:
    for n, m in ((1, 1), (1, 4), (3, 1)):
        market = market_of("uniform(0, 1)", "uniform(0, 1)", n, m)
        found = complete_values(market, get("mcafee"))
        assert found is not None and numbers(found) == pytest.approx(np.zeros(6), abs=1e-15)


def test_the_least_of_some_draws() -> None:
    powers = np.arange(1.0, 40.0)
    z = np.array([0.2, 0.9])
    above, error = Law(cx.parse_prior("uniform(0, 1)"), 1).excess(z, powers)
    assert above == pytest.approx((1 - z)[:, None] / (powers + 1), rel=1e-12)
    below, _ = Law(cx.parse_prior("uniform(0, 1)"), -1).excess(-z, powers)
    assert below == pytest.approx(z[:, None] / (powers + 1), rel=1e-12)
    tail, _ = Law(cx.parse_prior("pareto(1.2)"), 1).excess(np.array([3.0]), powers)
    assert tail[0] == pytest.approx(3 / (1.2 * powers - 1), rel=1e-9)
    assert (error < 1e-12).all()


# ------------------------------------------------------------------------------------- what is not


def test_what_order_statistics_leave_out() -> None:
    uniform = market_of("uniform(0, 1)", "uniform(0, 1)", 2, 2)
    for mechanism in ("hybrid", "meta-auction-buyers", "meta-auction-sellers"):
        assert exact_values(uniform, mechanism) is None
    atoms = market_of("equal-revenue(1, 5)", "uniform(0, 4)", 2, 2)
    assert exact_values(atoms, "mcafee") is None
    assert exact_values(atoms, "gsom") is not None
    poles = market_of("beta(0.5, 0.5)", "uniform(0, 1)", 2, 2)
    assert exact_values(poles, "mcafee") is None
    assert exact_values(poles, "trade-reduction") is not None
    agents = [{"id": k, "prior": f"uniform(0, {k + 1})"} for k in range(2)]
    assert exact_values(cx.Market(agents, agents), "gsom") is None
    heavy = market_of("pareto(1.01)", "uniform(0, 1)", 2, 2)
    assert exact_values(heavy, "first-best") is None
    edges = [("b0", "s0"), ("b0", "s1"), ("b1", "s0")]
    sparse = market_of("uniform(0, 1)", "uniform(0, 1)", 2, 2, edges=edges)
    assert exact_values(sparse, "gsom") is None
    whole = market_of("uniform(0, 1)", "uniform(0, 1)", 2, 2, edges=[*edges, ("b1", "s1")])
    assert_equal(exact_values(whole, "gsom"), exact_values(uniform, "gsom"))


@pytest.mark.parametrize("exponent", [-300, 300, -450, 450, 1000])
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("slug", ["first-best", "gsom", "mcafee", "trade-reduction"])
def test_the_unit_of_money_makes_no_difference(slug: str, size: int, exponent: int) -> None:
    """Where densities leave the range of numbers, nothing is said to be exact."""

    def found(unit: float) -> Any:
        buyers = [{"id": k, "prior": f"uniform(0, {unit!r})"} for k in range(size)]
        sellers = [{"id": k, "prior": f"uniform(0, {unit!r})"} for k in range(size)]
        return exact_values(cx.Market(buyers, sellers), slug)

    unit, usual, scaled = 2.0**exponent, found(1.0), found(2.0**exponent)
    if abs(exponent) > 350:
        assert scaled is None
        return
    assert [amount / unit for amount in scaled.amounts] == pytest.approx(usual.amounts, rel=1e-9)
    assert (scaled.trades, scaled.trade_probability) == pytest.approx(
        (usual.trades, usual.trade_probability), rel=1e-9
    )
