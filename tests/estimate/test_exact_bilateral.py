"""Bilateral trade: closed forms, every mechanism against all profiles, identities, and draws."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import catallax as cx
from catallax.estimate.exact import exact_values
from catallax.estimate.exact.bilateral import bilateral_values
from catallax.estimate.exact.enumeration import enumerated_values
from catallax.estimate.exact.integrals import tail_of
from catallax.mechanisms import (
    MetaAuctionBuyers,
    MetaAuctionSellers,
    MultiQuantile,
    PostedPrice,
    get,
)
from tests.estimate.exact_markets import assert_equal, discrete, market_of, numbers, sampled
from tests.mechanisms import brute_force as brute
from tests.mechanisms.test_second_best import by_linear_program
from tests.priors.conftest import EVERY

# All that clear one pair.
MECHANISMS = [name for name in cx.mechanisms.names() if name not in ("gbom-unit-demand", "sapp")]
QUICK = [name for name in MECHANISMS if name != "second-best"]
FINITE = [spec for spec in EVERY if spec != "pareto(1)"]


def gains(name: str, mechanism, **parameters) -> float:
    found = exact_values(cx.instances.get(name, **parameters), mechanism)
    assert found is not None and found.error_bound < 1e-10 and found.method == "quadrature"
    return found.gains_from_trade


# ------------------------------------------------------------------------------------ closed forms


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("bilateral-uniform", {}),
        ("negative-expected-gain", {}),
        ("power-family", {"k": 2.0}),
        ("power-family", {"k": 0.5}),
        ("power-family", {"k": 7.0}),
        ("exponential-pair", {}),
        ("mirrored-exponential", {"t": 0.5}),
        ("mirrored-exponential", {"t": 6.0}),
        ("equal-revenue", {"high": 50.0}),
        ("pareto", {"alpha": 2.0}),
        ("pareto", {"alpha": 1.2}),
        ("pareto", {"alpha": 11.0}),
    ],
)
def test_named_instances_match_their_formulas(name: str, parameters: dict) -> None:
    """Every value that the library itself says is known, of theory section 10."""
    known = cx.instances.describe(name, **parameters).known
    mechanisms = {
        "first best": "first-best",
        "seller offers": "gsom",
        "buyer offers": "gbom",
        "posted price 1/2": PostedPrice(0.5),
    }
    compared = 0
    for what, mechanism in mechanisms.items():
        if what in known:
            found = gains(name, mechanism, **parameters)
            assert found == pytest.approx(known[what].value, rel=3e-10), what
            compared += 1
    assert compared > 0


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("bilateral-uniform", {}), ("power-family", {"k": 1.0}), ("exponential-pair", {})],
)
def test_second_best_matches_its_formula(name: str, parameters: dict) -> None:
    known = cx.instances.describe(name, **parameters).known
    found = gains(name, "second-best", **parameters)
    assert found == pytest.approx(known["second best"].value, rel=3e-10)


@pytest.mark.parametrize(
    ("log_high", "b", "share"), [(20.0, 0.1, 0.480992), (30.0, 0.08, 0.476525)]
)
def test_the_random_offerer_at_its_worst(log_high: float, b: float, share: float) -> None:
    """A seller whose density has a pole, and a buyer who trades once in 10^9 profiles."""
    values = [
        gains("random-offerer-worst-case", mechanism, log_high=log_high, b=b)
        for mechanism in ("random-offerer", "first-best")
    ]
    assert values[0] / values[1] == pytest.approx(share, abs=6e-7)
    # The seller's offer is the top of the values, which she makes if her cost is below it.
    seller = gains("random-offerer-worst-case", "gsom", log_high=log_high, b=b)
    assert seller == pytest.approx(1 / (1 + b), rel=1e-9)


def test_a_posted_price_is_two_probabilities() -> None:
    market = market_of("exponential(1)", "uniform(0, 2)")
    found = exact_values(market, PostedPrice(0.5))
    assert found is not None
    buys, sells = math.exp(-0.5), 0.25
    assert numbers(found) == pytest.approx(
        [buys * sells * 1.25, buys * sells, buys * sells * 0.25, 0, buys * sells, buys * sells],
        rel=1e-12,
    )


def test_multi_quantile_posts_what_it_says() -> None:
    """Uniform pair, lambda 1/2: the price is 2c, up to 1, and both pay and receive it."""
    market = market_of("uniform(0, 1)", "uniform(0, 1)")
    found = exact_values(market, MetaAuctionSellers(MultiQuantile(0.5)))
    assert found is not None
    # E[(1 - 2c)^2 / 2; c < 1/2], E[c (1 - 2c); c < 1/2]
    assert numbers(found) == pytest.approx([1 / 8, 1 / 12, 1 / 24, 0, 1 / 4, 1 / 4], rel=1e-12)


# ---------------------------------------------------------------- all profiles of discrete priors


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_sums_equal_all_profiles(mechanism: str) -> None:
    """Ties, plateaus and certain values everywhere, as the mechanism itself clears and pays."""
    rng = np.random.default_rng(MECHANISMS.index(mechanism))
    traded, paid = 0, 0
    for _ in range(12 if mechanism in ("second-best", "hybrid") else 40):
        buyer, seller = (discrete(*brute.random_prior(rng, 8)) for _ in range(2))
        market = market_of(buyer, seller)
        found = bilateral_values(market, get(mechanism))
        assert found is not None and found.method == "enumeration" and found.reliable
        # The mechanism's own share is as exact as the library's other integrals.
        within = 1e-9 if mechanism == "second-best" else 1e-12
        assert_equal(found, enumerated_values(market, get(mechanism)), within)
        traded += 0 < found.trades < 1
        paid += found.surplus != 0
    if mechanism not in ("trade-reduction", "mcafee"):
        assert traded > 4
    if mechanism in ("first-best", "second-best"):
        assert paid > 4


@given(st.integers(0, 10**6), st.floats(0.05, 1), st.floats(0, 1))
def test_any_posted_rule_equals_all_profiles(seed: int, lambda_: float, position: float) -> None:
    rng = np.random.default_rng(seed)
    market = market_of(*(discrete(*brute.random_prior(rng, 6)) for _ in range(2)))
    price = float(rng.integers(0, 7)) * brute.UNIT
    for mechanism in (
        MetaAuctionSellers(MultiQuantile(lambda_, position)),
        MetaAuctionBuyers(),
        PostedPrice(price),
    ):
        assert_equal(bilateral_values(market, mechanism), enumerated_values(market, mechanism))


def test_the_second_best_is_the_linear_program() -> None:
    rng = np.random.default_rng(8)
    mixtures = 0
    for _ in range(25):
        priors = [[brute.random_prior(rng, 5)] for _ in range(2)]
        market = market_of(discrete(*priors[0][0]), discrete(*priors[1][0]))
        found = exact_values(market, "second-best")
        assert found is not None
        best = by_linear_program(priors, [(0, 0)])
        assert found.gains_from_trade == pytest.approx(best, abs=1e-6 * brute.UNIT)
        mixtures += found.trades not in (0.0, 1.0)
    assert mixtures > 5


# ------------------------------------------------------------------------------------- any two laws


def any_two(seed: int, count: int) -> list[tuple[str, str]]:
    rng = np.random.default_rng(seed)
    return [tuple(rng.choice(FINITE, 2).tolist()) for _ in range(count)]


@pytest.mark.parametrize(
    ("buyer", "seller"),
    [pair for pair in any_two(3, 12) if not any("1e-6" in law for law in pair)][:8],
)
def test_identities_under_any_two_laws(buyer: str, seller: str) -> None:
    """Myerson's: what GSOM and GBOM collect they pay; Vickrey's: each side gains all there is."""
    market = market_of(buyer, seller)
    found = {name: bilateral_values(market, get(name)) for name in QUICK}
    best = found["first-best"]
    assert best is not None and best.error_bound < 1e-10
    assert best.buyers_utility == pytest.approx(best.gains_from_trade, rel=1e-10)
    assert best.sellers_utility == pytest.approx(best.gains_from_trade, rel=1e-10)
    slack = 1e-10 * best.gains_from_trade
    for name, value in found.items():
        assert value is not None
        assert value.gains_from_trade <= best.gains_from_trade + slack
        assert min(value.buyers_utility, value.sellers_utility) >= -slack
        parts = value.buyers_utility + value.sellers_utility + value.surplus
        assert parts == pytest.approx(value.gains_from_trade, abs=slack)
        if name != "first-best" and value.reliable:
            assert abs(value.surplus) <= 1e-9 * value.scale
    plain, averaged, random = (found[n] for n in ("gsom", "gsom-bic", "random-offerer"))
    assert plain is not None and averaged is not None and random is not None
    if plain.reliable:
        assert_equal(averaged, plain, 1e-9)
    # Half of the second best, which is all there is below the first best; and Theorem 1.1.
    assert random.gains_from_trade >= best.gains_from_trade / 3.15 - slack


@pytest.mark.parametrize(
    ("buyer", "seller"),
    [
        ("beta(0.5, 0.5)", "equal-revenue(0.1, 1)"),
        ("mixture([normal(0, 1), normal(6, 0.5)], [0.5, 0.5])", "discrete([0, 3], [0.5, 0.5])"),
        ("piecewise([0, 1, 2, 2, 3], [0, 0.5, 0.5, 0.75, 1])", "lognormal(1, 0.7)"),
        (
            "mixture([point(1), uniform(1, 4)], [0.3, 0.7])",
            "mixture([point(1), beta(2, 2)], [0.4, 0.6])",
        ),
    ],
)
@pytest.mark.parametrize("mechanism", ["gsom", "gbom", "hybrid", "meta-auction-sellers"])
def test_draws_agree(buyer: str, seller: str, mechanism: str) -> None:
    """Poles, atoms that meet, gaps and plateaus, as the mechanism clears its draws."""
    market = market_of(buyer, seller)
    found = exact_values(market, mechanism)
    assert found is not None
    mean, error = sampled(market, mechanism, 300 if mechanism == "hybrid" else 50_000)
    assert (np.abs(mean - numbers(found)) <= 4.5 * error + 1e-9).all()
    assert error[0] > 0


def test_second_best_breaks_even_where_densities_have_poles() -> None:
    """Equal revenue against a seller whose density is endless at 0."""
    market = cx.instances.get("random-offerer-worst-case", log_high=3.0, b=0.3)
    found = exact_values(market, "second-best")
    assert found is not None and abs(found.surplus) < 1e-9 * found.scale
    offers = exact_values(market, "gbom")
    assert offers is not None and offers.gains_from_trade < found.gains_from_trade


def test_a_threshold_at_a_pole() -> None:
    """psi(3) = 4 is the end of the values, next to which lie many and at which there is none."""
    seller = "mixture([mixture([point(1), point(2)], [0.5, 0.5]), point(3)], [0.5, 0.5])"
    found = exact_values(market_of("beta(3, 0.3, low=-1, high=4)", seller), "gbom")
    assert found is not None
    prior = cx.parse_prior("beta(3, 0.3, low=-1, high=4)")
    above = tail_of(prior, 1)(np.array([1.0, 3.0]))
    wins = prior.probability_at_least([1.0, 3.0])  # psi(1) = 1 and psi(2) = 3
    assert found.trades == pytest.approx(0.25 * wins.sum(), rel=1e-9)
    gains = 0.25 * (above.sum() + wins[1])
    assert found.gains_from_trade == pytest.approx(gains, rel=1e-9)


def test_one_edge_among_many_agents_is_a_pair() -> None:
    agents = [{"id": k, "prior": "uniform(0, 1)"} for k in range(3)]
    market = cx.Market(agents, [agents[0], {"id": 1, "prior": "uniform(0, 3)"}], [(2, 0)])
    found = exact_values(market, "gsom")
    assert found is not None and found.gains_from_trade == pytest.approx(1 / 8, rel=1e-12)
    with pytest.raises(cx.UnsupportedMarketError, match="every buyer"):
        exact_values(market, "mcafee")


# ---------------------------------------------------------------------------------- what cannot be


def test_what_is_infinite_or_unknown_is_not_exact() -> None:
    assert exact_values(market_of("pareto(1)", "point(0)"), "first-best") is None
    assert exact_values(market_of("uniform(0, 1)", "scipy('cauchy')"), "posted-price") is None

    class Elsewhere(cx.mechanisms.FirstBest):
        """Says it is ours, and may do anything."""

    assert bilateral_values(market_of("point(1)", "point(0)"), Elsewhere()) is None
    assert exact_values(market_of("uniform(0, 1)", "point(0)"), Elsewhere()) is None


def test_a_tail_too_heavy_for_numbers_is_left_out() -> None:
    """Of Pareto's mean at alpha = 1.01 a third lies beyond the largest numbers there are."""
    market = market_of("pareto(1.01)", "uniform(0, 1)")
    found = bilateral_values(market, get("first-best"))
    assert found is not None and not found.reliable
    assert exact_values(market, "first-best") is None


def test_a_prior_is_missing() -> None:
    market = cx.Market([{"id": "b"}], [{"id": "s", "prior": "uniform(0, 1)"}])
    with pytest.raises(cx.MissingPriorError, match="buyer 'b'"):
        exact_values(market, "first-best")


def test_no_warning_reaches_the_user() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for pair in (
            ("lognormal(3, 2)", "normal(0, 1)"),
            ("beta(0.5, 2)", "equal-revenue(0.1, 1)"),
        ):
            for name in QUICK:
                bilateral_values(market_of(*pair), get(name))
