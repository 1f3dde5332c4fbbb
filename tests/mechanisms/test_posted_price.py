"""Posted price: maximum matchings of those that accept, the best price, deviations, reasons."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

import catallax as cx
from catallax.mechanisms import PostedPrice
from catallax.mechanisms.posted_price import best_price, expected_gain
from tests.mechanisms import brute_force as brute
from tests.mechanisms.deviations import check_no_deviation_helps
from tests.mechanisms.test_offering import as_market, random_market


def bilateral(buyer: str, seller: str) -> cx.Market:
    return cx.Market([{"id": "b", "prior": buyer}], [{"id": "s", "prior": seller}])


def test_as_many_trades_as_possible_and_the_first_listed() -> None:
    rng = np.random.default_rng(0)
    traded = 0
    for _ in range(80):
        edges, priors, bids, asks = random_market(rng, 6, 6)
        price = float(rng.integers(0, 7) * brute.UNIT)
        market = as_market(edges, priors, bids, asks)
        outcome = cx.clear(market, PostedPrice(price))
        accepted = [(i, j) for i, j in edges if bids[i] >= price >= asks[j]]
        graph = np.zeros((len(bids), len(asks)))
        for i, j in accepted:
            graph[i, j] = 1
        most = int((maximum_bipartite_matching(csr_array(graph)) >= 0).sum())
        pairs = list(zip(outcome.buyer_index, outcome.seller_index, strict=True))
        assert len(pairs) == most and set(pairs) <= set(accepted)
        assert (outcome.buyer_pays == price).all() and (outcome.seller_receives == price).all()
        assert outcome.totals["surplus"] == 0
        traded += most
        # Nothing but acceptance matters.
        moved = cx.Reports([1e6 if b >= price else 0 for b in bids], np.minimum(asks, price + 1))
        again = cx.clear(market, PostedPrice(price), moved)
        assert again.buyer_index.tolist() == outcome.buyer_index.tolist()
    assert traded > 50
    market = cx.Market([{"id": k, "bid": 5 + k} for k in range(3)], [{"id": "s", "ask": 1}])
    assert cx.clear(market, PostedPrice(4)).trades["buyer"].to_list() == [0]


def test_no_single_report_ever_helps() -> None:
    rng = np.random.default_rng(1)
    grid = np.arange(-1, 11) * (brute.UNIT / 2)
    harmed = 0
    for _ in range(25):
        edges, priors, bids, asks = random_market(rng, 4, 4)
        market = as_market(edges, priors, bids, asks)
        for mechanism in (PostedPrice(2.0 * brute.UNIT), PostedPrice()):
            harmed += check_no_deviation_helps(
                market, mechanism, np.array(bids, float), np.array(asks, float), grid
            )
    assert harmed > 50


def test_constraints_are_kept() -> None:
    buyers = [{"id": k, "bid": 5 + k} for k in range(4)]
    sellers = [{"id": f"s{k}", "ask": k} for k in range(4)]
    market = cx.Market(buyers, sellers, constraints=[{"kind": "cap", "limit": 2}])
    outcome = cx.clear(market, PostedPrice(4))
    assert outcome.trades["buyer"].to_list() == [0, 1]
    assert outcome.trades["seller"].to_list() == ["s0", "s1"]
    assert outcome.totals["surplus"] == 0
    assert "accepts the posted price of 4, but" in outcome.explain(3)
    assert "no bid would" in outcome.explain(3)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_power_family(k: int) -> None:
    """The price 1/2 gains 4^-k / (k + 1)."""
    market = bilateral(f"beta(1, {k})", f"beta({k}, 1)")
    assert expected_gain(market, 0.5) == pytest.approx(4**-k / (k + 1), abs=1e-12)
    assert best_price(market) == pytest.approx(0.5, abs=1e-6)


def test_the_best_price_of_discrete_priors_is_the_best_there_is() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        (values, masses), (costs, chances) = (brute.random_prior(rng, 8) for _ in range(2))
        market = as_market([(0, 0)], ([(values, masses)], [(costs, chances)]), [0], [0])

        def gain(price: float, values=values, masses=masses, costs=costs, chances=chances) -> float:
            return float(
                sum(
                    f * g * (v - c)
                    for v, f in zip(values, masses, strict=True)
                    for c, g in zip(costs, chances, strict=True)
                    if v >= price >= c
                )
            )

        best = max(gain(price) for price in np.arange(0, 17) * (brute.UNIT / 2))
        assert gain(best_price(market)) == pytest.approx(best, abs=1e-9)
        assert expected_gain(market, best_price(market)) == pytest.approx(best, abs=1e-9)


def test_the_measure_in_crowds() -> None:
    """A seller with a hundred buyers is worth more than half a price; large crowds are exact."""
    uniform = "uniform(0, 1)"
    one = cx.Market(
        [{"id": k, "prior": uniform} for k in range(100)], [{"id": "s", "prior": uniform}]
    )
    assert best_price(one) > 0.9
    listed = [(k, "s") for k in range(100)]
    sparse = cx.Market(
        [{"id": k, "prior": uniform} for k in range(100)], [{"id": "s", "prior": uniform}], listed
    )
    for price in (0.3, 0.8, 0.97):
        assert expected_gain(one, price) == pytest.approx(expected_gain(sparse, price))
    rng = np.random.default_rng(3)
    many = [{"id": k, "prior": uniform} for k in range(2000)]
    crowd = cx.Market(many, many)
    gained = [
        cx.clear(crowd, PostedPrice(0.6), cx.Reports(rng.random(2000), rng.random(2000))).totals
        for _ in range(20)
    ]
    mean = np.mean([totals["gains_from_trade"] for totals in gained])
    assert mean == pytest.approx(expected_gain(crowd, 0.6), rel=0.01)


def test_critical_reports_and_sentences() -> None:
    rng = np.random.default_rng(4)
    kinds = {"trader": 0, "refuses": 0, "hopeless": 0}
    for _ in range(30):
        edges, priors, bids, asks = random_market(rng, 4, 5)
        mechanism = PostedPrice(2.0 * brute.UNIT)
        market = as_market(edges, priors, bids, asks)
        outcome = cx.clear(market, mechanism)
        for row in outcome.agents.iter_rows(named=True):
            side = 0 if row["role"] == "buyer" else 1
            index = int(row["id"][1:])
            moved = [np.array(bids, float), np.array(asks, float)]
            moved[side][index] = 1e6 if side == 0 else 0.0
            again = cx.clear(market, mechanism, cx.Reports(*moved))
            would = index in (again.buyer_index, again.seller_index)[side]
            assert would == (row["critical_report"] is not None)
            sentence = outcome.explain(row["id"])
            assert sentence.endswith(".") and repr(row["id"]) in sentence
            if row["trades"]:
                kinds["trader"] += 1
                assert "that is the price posted for all" in sentence
                said = (bids if side == 0 else asks)[index]
                assert sentence.count("1680") == 1 + (said == 1680)
            else:
                kinds["refuses" if would else "hopeless"] += 1
            if would:
                assert row["critical_report"] == 2.0 * brute.UNIT
    assert min(kinds.values()) > 5


def test_refusals() -> None:
    with pytest.raises(cx.ReportError, match="finite"):
        PostedPrice(math.nan)
    with pytest.raises(cx.MissingPriorError, match="buyer 'b'"):
        cx.clear(cx.Market([{"id": "b", "bid": 1}], [{"id": "s", "ask": 0}]), "posted-price")
