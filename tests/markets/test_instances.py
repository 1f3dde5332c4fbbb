"""The shipped markets: they load, they repeat, and what is said of them is so."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.optimize import linear_sum_assignment

from catallax.errors import CatallaxError, UnknownNameError
from catallax.markets import Market, far_outside, instances

NAMES = instances.names()


def best(market: Market) -> tuple[float, int]:
    """Return the largest gains, and with how many trades of positive gain."""
    reports = market.require_reports()
    gains = reports.bids[:, None] - reports.asks[None, :]
    if not market.graph.complete:
        allowed = np.zeros(gains.shape, dtype=bool)
        allowed[market.graph.buyer, market.graph.seller] = True
        gains = np.where(allowed, gains, 0.0)
    gains = np.maximum(gains, 0.0)
    chosen = gains[linear_sum_assignment(gains, maximize=True)]
    return float(chosen.sum()), int((chosen > 0).sum())


def known(name: str, **parameters) -> dict[str, float]:
    facts = instances.describe(name, **parameters).known
    return {fact: value.value for fact, value in facts.items()}


def test_there_are_at_least_twelve():
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_every_instance_is_whole(name):
    described, market = instances.describe(name), instances.get(name)
    assert described.name == name
    assert described.summary
    assert described.source
    assert described.known
    assert all(fact.formula and fact.source for fact in described.known.values())
    assert min(market.buyers.prior_of.min(), market.sellers.prior_of.min()) >= 0
    assert far_outside(market, market.require_reports()) == []
    assert instances.get(name).equals(market)


@pytest.mark.parametrize("name", NAMES)
def test_seeds_decide(name):
    if "seed" not in instances.describe(name).parameters:
        assert instances.get(name).equals(instances.get(name))
        return
    one, two = (instances.get(name, seed=seed) for seed in (5, 6))
    assert instances.get(name, seed=5).equals(one)
    assert not one.equals(two)


@pytest.mark.parametrize("name", NAMES)
def test_every_instance_comes_back_from_disk(name, tmp_path):
    market = instances.get(name)
    assert Market.read(market.write(tmp_path / "folder")).equals(market)
    assert Market.read(market.write(tmp_path / "one.json")).equals(market)


def test_unknown_names_and_parameters():
    with pytest.raises(UnknownNameError, match="did you mean 'double-auction'"):
        instances.get("double-action")
    with pytest.raises(UnknownNameError, match="no parameter 'm'"):
        instances.get("double-auction", m=3)
    for value in ("many", 2.5, None):
        with pytest.raises(CatallaxError, match=r"n is .*; give a whole number"):
            instances.get("double-auction", n=value)
    assert len(instances.get("double-auction", n="3").buyers) == 3


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("double-auction", {"n": -1}),
        ("power-family", {"k": 0}),
        ("pareto", {"alpha": 1}),
        ("equal-revenue", {"high": 1}),
        ("mirrored-exponential", {"t": -1}),
        ("random-offerer-worst-case", {"b": 0}),
        ("spatial", {"n_buyers": -1}),
        ("sparse-random", {"degree": 2000}),
    ],
)
def test_parameters_out_of_range(name, parameters):
    with pytest.raises(CatallaxError):
        instances.get(name, **parameters)


def test_the_path_of_a_shipped_market():
    path = instances.path("neighbourhood-energy")
    assert Market.read(path).equals(instances.get("neighbourhood-energy"))
    assert "made-up" in (path / "market.toml").read_text(encoding="utf-8")
    with pytest.raises(UnknownNameError, match="made by a formula"):
        instances.path("double-auction")
    with pytest.raises(UnknownNameError, match="no instance"):
        instances.path("nowhere")


# -------------------------------------------------------------------------- what is known of them


def first_best(market: Market) -> float:
    """Return E[(v - c)^+], which is the integral of P(v >= x) P(c <= x) over x."""
    value, cost = market.buyers.priors[0], market.sellers.priors[0]
    # Nothing is left beyond 60 units of the exponentials, and of Pareto's tail beyond 10^4.
    start = max(cost.support[0], value.support[0] - 60.0)
    end = min(value.support[1], 1e4 if value.kind == "pareto" else 60.0)
    inside = [p for p in (*value.support, *cost.support) if start < p < end]
    corners = sorted({start, end, *inside})
    if value.kind == "pareto":
        corners = [*corners[:-1], 10.0, 100.0, 1000.0, end]

    def both(x: float) -> float:
        return float(value.probability_at_least(x) * cost.cdf(x))

    return sum(quad(both, a, b, limit=200)[0] for a, b in pairwise(corners))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("bilateral-uniform", {}),
        ("negative-expected-gain", {}),
        ("power-family", {"k": 1.0}),
        ("power-family", {"k": 3.0}),
        ("exponential-pair", {}),
        ("mirrored-exponential", {"t": 2.0}),
        ("equal-revenue", {"high": 30.0}),
        ("pareto", {"alpha": 3.0}),
        ("double-auction", {"n": 1}),
    ],
)
def test_first_bests_by_quadrature(name, parameters):
    value = first_best(instances.get(name, **parameters))
    assert value == pytest.approx(known(name, **parameters)["first best"], rel=1e-7)


def test_the_exponential_pair_of_offers():
    """The seller adds 1 to her cost; the buyer shades to where e^p = 1 + x - p."""
    facts, market = known("exponential-pair"), instances.get("exponential-pair")
    value, cost = market.buyers.priors[0], market.sellers.priors[0]
    prices = np.linspace(0, 4, 4001)
    asked = prices[np.argmax((prices - 0.7) * value.probability_at_least(prices))]
    assert asked == pytest.approx(1.7)
    gain = quad(lambda c: math.exp(-c) * math.exp(-c - 1) * 2, 0, 60)[0]
    assert gain == pytest.approx(facts["seller offers"], rel=1e-9)

    offered = float(prices[np.argmax((2.0 - prices) * cost.cdf(prices))])
    assert math.exp(offered) == pytest.approx(3.0 - offered, abs=4e-3)

    def gain_at(price: float) -> float:
        # By the price instead of the value x = p + e^p - 1, with dx = (1 + e^p) dp.
        x = price + math.exp(price) - 1
        traded = x * -math.expm1(-price) - (1 - (1 + price) * math.exp(-price))
        return traded * math.exp(-x) * (1 + math.exp(price))

    assert quad(gain_at, 0, 6)[0] == pytest.approx(facts["buyer offers"], abs=1e-9)


def test_uniform_trade_with_a_margin():
    facts = known("bilateral-uniform")
    for margin, fact in ((0.25, "second best"), (0.0, "first best")):
        gain = dblquad(lambda v, c: v - c, 0, 1 - margin, lambda c, m=margin: c + m, 1)[0]
        assert gain == pytest.approx(facts[fact], rel=1e-9)
    # The seller with cost c asks (1 + c) / 2, and the buyer with value v offers v / 2.
    gain = dblquad(lambda v, c: v - c, 0, 1, lambda c: (1 + c) / 2, 1)[0]
    assert gain == pytest.approx(facts["seller offers"], rel=1e-9)
    gain = dblquad(lambda c, v: v - c, 0, 1, 0, lambda v: v / 2)[0]
    assert gain == pytest.approx(facts["buyer offers"], rel=1e-9)
    gain = dblquad(lambda v, c: v - c, 0, 0.5, 0.5, 1)[0]
    assert gain == pytest.approx(facts["posted price 1/2"], rel=1e-9)


def test_the_power_family_contains_the_uniform_pair():
    power = known("power-family", k=1.0)
    assert power == pytest.approx(known("bilateral-uniform"), rel=1e-12)


def test_the_power_family_s_second_best_and_offers():
    """The rules are those of the family: a margin of 1/(2k+2), and prices (k c + 1) / (k + 1)."""
    k = 2.0
    facts = known("power-family", k=k)

    def weight(v: float, c: float) -> float:
        return (v - c) * k * (1 - v) ** (k - 1) * k * c ** (k - 1)

    margin = 1 / (2 * k + 2)
    gain = dblquad(weight, 0, 1 - margin, lambda c: c + margin, 1)[0]
    assert gain == pytest.approx(facts["second best"], rel=1e-9)
    gain = dblquad(weight, 0, 1, lambda c: (k * c + 1) / (k + 1), 1)[0]
    assert gain == pytest.approx(facts["seller offers"], rel=1e-9)
    gain = dblquad(weight, 0, 0.5, 0.5, 1)[0]
    assert gain == pytest.approx(facts["posted price 1/2"], rel=1e-9)


def test_mirrored_exponential_shares_tend_to_two_over_e():
    facts = known("mirrored-exponential", t=400.0)
    for name in ("seller offers", "second best"):
        assert facts[name] / facts["first best"] == pytest.approx(2 / math.e, rel=5e-3)
    assert instances.get("mirrored-exponential").sellers.priors[0].support == (-math.inf, 4.0)


def test_equal_revenue_is_equal():
    value = instances.get("equal-revenue", high=8.0).buyers.priors[0]
    prices = np.linspace(1, 8, 50)
    revenue = known("equal-revenue")["best revenue"]
    assert (prices * value.probability_at_least(prices)).tolist() == pytest.approx([revenue] * 50)


def test_the_pareto_offer():
    facts, alpha = known("pareto", alpha=3.0), 3.0
    price = alpha / (alpha - 1)
    gain = quad(lambda v: (v - 1) * alpha * v ** (-alpha - 1), price, math.inf)[0]
    assert gain == pytest.approx(facts["seller offers"], rel=1e-9)


def test_the_worst_case_of_the_random_offerer():
    limit = "limit share of the random offerer"
    facts = known("random-offerer-worst-case", b=0.067947)
    assert facts[limit] == pytest.approx(0.47284155, abs=2e-9)
    for b in (0.06, 0.075):
        assert known("random-offerer-worst-case", b=b)[limit] > facts[limit]
    # The finite share lies above its limit for the same b, and is told only where it is known.
    finite = known("random-offerer-worst-case", log_high=30.0, b=0.08)
    assert finite[limit] < finite["share of the random offerer"] < finite[limit] + 0.01
    assert "share of the random offerer" not in known("random-offerer-worst-case", b=0.2)
    market = instances.get("random-offerer-worst-case")
    cost = market.sellers.priors[0]
    assert float(cost.cdf(math.exp(20) / 2)) == pytest.approx(0.5**0.1, rel=1e-12)
    assert market.buyers.priors[0].mean == pytest.approx(21.0, rel=1e-12)


def test_the_remark_of_three_eighths():
    """E[min(1/2, 2B - 1) | B >= 1/2] for B uniform on [0, 1]."""
    facts, market = known("offering-remark"), instances.get("offering-remark")
    mean = quad(lambda b: min(0.5, 2 * b - 1) * 2, 0.5, 1, points=[0.75])[0]
    assert mean == pytest.approx(facts["GSOM-BIC: seller s1 receives, at these reports"])
    reports = market.require_reports()
    assert (reports.bids.tolist(), reports.asks.tolist()) == ([1.0], [0.0, 0.5])
    # She trades with s1 from phi(b) = 0 on, whatever s2 asks.
    reserve = market.buyers.smallest_values([0.0], False, [0])
    assert reserve.tolist() == [facts["GSOM: buyer pays, at these reports"]]


def test_theorem_4_4_by_simulation():
    """First best of one group trade, E[(sum v - n/2)^+], within 4 standard errors."""
    n, runs = 100, 20_000
    facts = known("groups-theorem-4-4", n=n)
    draws = np.random.default_rng(1).random((runs, n))
    together = np.maximum(draws.sum(axis=1) - n / 2, 0)
    alone = np.maximum(draws - 0.5, 0).sum(axis=1)
    for gains, fact in (
        (together, "first best of one group trade, for large n"),
        (alone, "first best of unit traders"),
    ):
        assert abs(gains.mean() - facts[fact]) < 4 * gains.std() / math.sqrt(runs)
    limit = facts["limit share of deterministic truthful group trade"]
    assert limit == pytest.approx(math.sqrt((1 / 32) / (1 / 24)))


def test_the_double_auction_by_simulation():
    facts = known("double-auction", n=4)
    outcomes = np.array([best(instances.get("double-auction", n=4, seed=k)) for k in range(800)])
    error = 4 * outcomes.std(axis=0) / math.sqrt(len(outcomes))
    assert abs(outcomes[:, 0].mean() - facts["first best"]) < error[0]
    assert abs(outcomes[:, 1].mean() - facts["trades"]) < error[1]


def test_the_horse_market():
    facts, market = known("horse-market"), instances.get("horse-market")
    reports = market.require_reports()
    gains, trades = best(market)
    assert gains == facts["first best, at these reports"]
    assert trades == facts["trades, at these reports"]
    low = facts["lowest market price, at these reports"]
    high = facts["highest market price, at these reports"]
    for price, clears in ((low - 0.1, False), (low, True), (high, True), (high + 0.1, False)):
        # A price clears when some number of trades suits both sides.
        must = max((reports.bids > price).sum(), (reports.asks < price).sum())
        may = min((reports.bids >= price).sum(), (reports.asks <= price).sum())
        assert (must <= may) == clears


def test_the_neighbourhood():
    market, facts = instances.get("neighbourhood-energy"), known("neighbourhood-energy")
    assert (len(market.buyers), len(market.sellers)) == (facts["buyers"], facts["sellers"])
    assert "Maple St 12" in market.buyers
    assert not market.graph.complete
    lines = [
        dict(zip(agents.ids, agents.table["feeders"], strict=True))
        for agents in (market.buyers, market.sellers)
    ]
    expected = {
        (buyer, seller)
        for buyer, own in lines[0].items()
        for seller, other in lines[1].items()
        if set(own.split()) & set(other.split())
    }
    buyers = market.buyers.ids.gather(market.graph.buyer)
    sellers = market.sellers.ids.gather(market.graph.seller)
    assert set(zip(buyers, sellers, strict=True)) == expected
    assert best(market)[1] >= 10


@pytest.mark.parametrize("name", ["sparse-random", "degree-skewed"])
def test_random_markets_have_the_edges_they_promise(name):
    size = {"n_buyers": 400, "n_sellers": 300, "degree": 2.5}
    assert instances.get(name, **size).graph.n_edges == known(name, **size)["edges"] == 1000


def test_the_spatial_market_has_the_edges_it_promises():
    size = {"n_buyers": 300, "n_sellers": 300, "degree": 6.0}
    edges = [instances.get("spatial", **size, seed=k).graph.n_edges for k in range(60)]
    error = 4 * float(np.std(edges)) / math.sqrt(len(edges))
    assert abs(float(np.mean(edges)) - known("spatial", **size)["edges"]) < error
