"""The meta-auctions: posted prices and thresholds against direct search, with ties everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest

import catallax as cx
from catallax.matching import best_matching
from catallax.mechanisms import MetaAuctionBuyers, MetaAuctionSellers, MultiQuantile, PostQuantile
from tests.matching.test_families import PROGRAMS, RULES
from tests.mechanisms import brute_force as brute
from tests.mechanisms.deviations import utilities
from tests.mechanisms.test_bic_payments import with_rules
from tests.mechanisms.test_offering import as_market, random_market

GRID = np.arange(0, 20) * (brute.UNIT / 2)
# Masses are eighths: with half of a quantile all comparisons are exact.
SELLERS = MetaAuctionSellers(MultiQuantile(0.5))
BUYERS = MetaAuctionBuyers()
RULED = {"plain": []} | {
    name: (RULES | PROGRAMS)[name] for name in ("cap", "both", "edge conflicts", "knapsack")
}


def markets(seed: int, rounds: int, rules: str = "plain", largest: int = 4, steps: int = 6):
    rng = np.random.default_rng([seed, list(RULED).index(rules)])
    while rounds:
        edges, priors, bids, asks = random_market(rng, largest, steps)
        if not edges:
            continue
        rounds -= 1
        if rules == "plain":
            market = as_market(edges, priors, bids, asks)
        else:
            market = with_rules(rng, RULED[rules], edges, priors, bids, asks)
        yield priors, market, np.array(bids, float), np.array(asks, float)


def first_best_cap(market, bids, asks, j: int) -> float:
    """Largest ask, in half units, with which a seller is in the first best, by trying them all."""
    tried = []
    for ask in np.arange(-1, 30) * (brute.UNIT // 2):
        moved = asks.copy()
        moved[j] = ask
        if j in best_matching(market.family, bids, moved, scale=market.scale).seller:
            tried.append(ask)
    return max(tried)


@pytest.mark.parametrize("rules", RULED)
def test_posted_quantiles_against_all_prices(rules: str) -> None:
    """Who trades at what price, from first-best caps found by trying asks and prices one by one."""
    traded, refused = 0, 0
    for priors, market, bids, asks in markets(1, 500, rules, 3):
        if traded > 5 and traded + refused > (60 if rules == "plain" else 12):
            break
        reports = cx.Reports(bids, asks)
        best = cx.clear(market, "first-best", reports)
        outcome = cx.clear(market, BUYERS, reports)
        got = dict(zip(outcome.seller_index.tolist(), outcome.buyer_pays.tolist(), strict=True))
        for i, j in zip(best.buyer_index.tolist(), best.seller_index.tolist(), strict=True):
            values, masses = priors[1][j]
            cap = first_best_cap(market, bids, asks, j)
            profits = []
            for price in values:
                # A seller of this cost accepts and, by ties, is in the matching or is not.
                accepts = sum(m for c, m in zip(values, masses, strict=True) if c <= price)
                if price <= cap and price <= bids[i]:
                    profits.append((accepts * (int(bids[i]) - price), price))
            price = max(profits)[1] if profits else -np.inf
            traded += asks[j] <= price
            refused += asks[j] > price
            assert (j in got) == (asks[j] <= price)
            assert got.get(j, price) == price
    assert traded > 5 and refused > 1


@pytest.mark.parametrize("rules", RULED)
def test_thresholds_of_buyers_against_direct_search(rules: str) -> None:
    """A buyer trades past what she pays and not before; a seller's price is within her cap."""
    compared, above = 0, 0
    for _, market, bids, asks in markets(2, 500, rules, 4 if rules == "plain" else 3):
        if compared > (80 if rules == "plain" else 8) and above:
            break
        outcome = cx.clear(market, SELLERS, cx.Reports(bids, asks))
        assert outcome.buyer_pays.tolist() == outcome.seller_receives.tolist()
        assert (outcome.seller_receives >= asks[outcome.seller_index]).all()
        assert (outcome.buyer_pays <= bids[outcome.buyer_index]).all()
        slack = 4 * (outcome.tick or 0.0)
        first = cx.clear(market, "first-best", cx.Reports(bids, asks))
        least = dict(zip(first.buyer_index.tolist(), first.buyer_pays.tolist(), strict=True))
        for i, price in zip(outcome.buyer_index.tolist(), outcome.buyer_pays, strict=True):
            for bid in {*GRID[::2], price - 1, price + 1}:
                moved = bids.copy()
                moved[i] = bid
                if abs(bid - price) <= slack:
                    continue  # at the threshold itself a tie decides
                then = cx.clear(market, SELLERS, cx.Reports(moved, asks))
                assert (i in then.buyer_index) == (bid > price)
            compared += 1
            above += price > least[i] + slack
    assert compared > 5 and above > 0


def one_sided(mechanism, market, bids, asks, agents) -> tuple[int, list]:
    """Try every report of the grid for some agents: how many hurt, and which help."""
    honest = utilities(cx.clear(market, mechanism, cx.Reports(bids, asks)), bids, asks)
    assert (honest >= 0).all()
    harmed, helped = 0, []
    for agent in agents:
        for report in GRID:
            moved = np.concatenate([bids, asks])
            moved[agent] = report
            reports = cx.Reports(moved[: bids.size], moved[bids.size :])
            lied = utilities(cx.clear(market, mechanism, reports), bids, asks)[agent]
            harmed += int(lied < honest[agent] - 1e-6)
            if lied > honest[agent] + 1e-6:
                helped.append((agent, report))
    return harmed, helped


@pytest.mark.parametrize("rules", ["plain", "cap", "edge conflicts"])
@pytest.mark.parametrize("mechanism", [BUYERS, SELLERS, MetaAuctionSellers()])
def test_the_other_side_is_truthful(mechanism, rules: str) -> None:
    harmed = 0
    for _, market, bids, asks in markets(3, 30 if rules == "plain" else 3, rules, 3):
        buyers = isinstance(mechanism, MetaAuctionSellers)
        agents = range(bids.size) if buyers else range(bids.size, bids.size + asks.size)
        more, helped = one_sided(mechanism, market, bids, asks, agents)
        assert not helped
        harmed += more
    assert harmed > (20 if rules == "plain" else 0)


def test_the_side_that_runs_the_auction_is_not_truthful() -> None:
    helped = []
    for _, market, bids, asks in markets(3, 25):
        for mechanism, agents in (
            (BUYERS, range(bids.size)),
            (SELLERS, range(bids.size, bids.size + asks.size)),
        ):
            helped += [type(mechanism)] * bool(one_sided(mechanism, market, bids, asks, agents)[1])
    assert set(helped) == {MetaAuctionBuyers, MetaAuctionSellers}


@dataclass(frozen=True)
class ShyOfWideCaps:
    """Sells at the ask, but not to a buyer that nobody else rivals: not cap-monotone."""

    poster: Literal["buyer", "seller"] = "seller"

    def price(self, prior, cap, report):
        return np.where(cap > 3 * brute.UNIT, np.inf, report)


def test_a_rule_that_is_not_cap_monotone_is_not_truthful() -> None:
    """Why Lemma 4.11 asks for it: a higher bid widens the cap, and that ends the trade."""
    helped, mechanism = [], MetaAuctionSellers(ShyOfWideCaps())
    for _, market, bids, asks in markets(4, 20, largest=3):
        helped += one_sided(mechanism, market, bids, asks, range(bids.size))[1]
    assert helped
    with pytest.raises(cx.CatallaxError, match="a rule for sellers"):
        MetaAuctionBuyers(ShyOfWideCaps())
    with pytest.raises(cx.CatallaxError, match="a rule for buyers"):
        MetaAuctionSellers(PostQuantile())
    with pytest.raises(cx.CatallaxError, match="lambda_"):
        MultiQuantile(0.0)


PRIORS = [
    "uniform(0, 1)", "exponential(1)", "normal(1, 0.5)", "beta(0.5, 0.5)", "equal-revenue(1, 20)",
    "pareto(2, 1)", "discrete([0, 2, 4], [0.3, 0.6, 0.1])", "lognormal(1, 1)",
    {"kind": "mixture", "components": ["uniform(0, 1)", "uniform(3, 4)", "point(2)"],
     "weights": [0.5, 0.3, 0.2]},
    {"kind": "mixture", "components": ["uniform(0, 1)", "uniform(0.9, 1)"], "weights": [0.4, 0.6]},
]  # fmt: skip


@pytest.mark.parametrize("prior", PRIORS)
def test_no_posted_price_is_better(prior) -> None:
    law = cx.make_prior(prior)
    rng = np.random.default_rng(0)
    for _ in range(25):
        cap, bid = (float(law.quantile(q)) for q in rng.uniform(0.02, 0.98, 2))
        bid = max(bid, 1.5 * cap) if rng.random() < 0.5 else bid
        found = float(PostQuantile().price(law, np.array([cap]), np.array([bid]))[0])
        assert found <= min(cap, bid)
        prices = np.append(law.quantile(np.linspace(1e-4, float(law.cdf(cap)), 3000)), cap)
        prices = prices[np.isfinite(prices) & (prices <= cap)]
        best = float((law.cdf(prices) * (bid - prices)).max(initial=0.0))
        if np.isfinite(found):
            assert float(law.cdf(found)) * (bid - found) >= best - 1e-9 * max(1.0, abs(bid))
        else:
            assert best <= 1e-12


@pytest.mark.parametrize("prior", PRIORS)
def test_the_sellers_price_is_a_larger_quantile(prior) -> None:
    law = cx.make_prior(prior)
    asks = np.asarray(law.quantile(np.linspace(0.01, 0.99, 50)))
    caps = np.full(50, float(law.quantile(0.9)))
    low, high = (MultiQuantile(0.4, p).price(law, caps, asks) for p in (0.0, 1.0))
    assert ((low <= high) & (low >= asks)).all()
    stands = np.isfinite(high)
    assert (high[stands] <= caps[stands]).all()
    assert (law.cdf(high[stands]) >= np.minimum(1.0, law.cdf(asks[stands]) / 0.4) - 1e-9).all()
    # Cap-monotone (Lemma 4.12): with a larger cap every price that stood still stands.
    wider = MultiQuantile(0.4).price(law, caps * 1.1, asks)
    assert (wider[stands] == high[stands]).all()


@pytest.mark.parametrize("mechanism", [BUYERS, SELLERS])
def test_sentences_state_what_happens(mechanism) -> None:
    seen = {"trader": 0, "waiting": 0, "hopeless": 0}
    for _, market, bids, asks in markets(5, 12):
        outcome = cx.clear(market, mechanism, cx.Reports(bids, asks))
        for row in outcome.agents.iter_rows(named=True):
            side = 0 if row["role"] == "buyer" else 1
            index = (market.buyers, market.sellers)[side].index(row["id"])
            sentence = outcome.explain(row["id"], row["role"])
            assert sentence.endswith(".") and "nan" not in sentence.lower()
            if row["trades"]:
                seen["trader"] += 1
                assert f"{row['price']:.12g}" in sentence
                continue
            word = ("bid", "ask")[side]
            if f"no {word} would" in sentence:
                seen["hopeless"] += 1
                report, trades = (10.0**6, 0.0)[side], False
            else:
                seen["waiting"] += 1
                said = sentence.split(" does not trade; ")[1].split(" would: ")[0]
                assert said.startswith(("a bid of ", "an ask of "))
                report, trades = float(said.split()[-1]), True
                report += (1, -1)[side] if "than" in said else 0
            moved = [bids.copy(), asks.copy()]
            moved[side][index] = report
            if report >= 0:
                then = cx.clear(market, mechanism, cx.Reports(*moved))
                assert (index in (then.buyer_index, then.seller_index)[side]) == trades
    assert min(seen.values()) > 3


def test_asks_and_bids_outside_the_priors() -> None:
    seller = {"id": "s", "ask": 0.5, "prior": "uniform(1, 2)"}
    for bid, trades in ((0.8, False), (1.5, True), (9.0, True)):
        market = cx.Market([{"id": "b", "bid": bid}], [seller])
        assert (len(cx.clear(market, "meta-auction-buyers")) == 1) is trades
        assert (len(cx.clear(market, "meta-auction-sellers")) == 1) is trades
    late = cx.Market([{"id": "b", "bid": 9.0}], [seller | {"ask": 5.0}])
    assert len(cx.clear(late, "meta-auction-buyers")) == 0
    assert cx.clear(late, "meta-auction-sellers").buyer_pays.tolist() == [5.0]
    with pytest.raises(cx.MissingPriorError, match="seller 's'"):
        cx.clear(cx.Market([{"id": "b", "bid": 1}], [{"id": "s", "ask": 2}]), "meta-auction-buyers")
