"""Markets of finitely many profiles: every one of them, cleared one by one, is what is summed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import catallax as cx
from catallax.estimate.exact import exact_values
from catallax.estimate.exact.enumeration import (
    MOST_AT_ONCE,
    MOST_ONE_BY_ONE,
    count_profiles,
    enumerated_values,
)
from catallax.mechanisms import get
from tests.estimate.exact_markets import discrete, market_of, numbers
from tests.mechanisms.test_offering import as_market, random_market

PLAIN = [
    "first-best",
    "gsom",
    "gbom-bic",
    "random-offerer-balanced",
    "meta-auction-sellers",
    "second-best",
]


def one_by_one(market: cx.Market, mechanism) -> np.ndarray:
    """Sum over all profiles by hand."""
    everyone = [
        side.prior(k).atoms for side in (market.buyers, market.sellers) for k in range(len(side))
    ]
    cut, total = len(market.buyers), np.zeros(6)
    for profile in product(*(zip(*atoms, strict=True) for atoms in everyone)):
        chance = np.prod([mass for _, mass in profile])
        values = [float(value) for value, _ in profile]
        result = cx.clear(market, mechanism, cx.Reports(values[:cut], values[cut:]))
        lottery = isinstance(result, cx.Lottery)
        for p, outcome in result.outcomes if lottery else [(1, result)]:
            v = outcome.reports.bids[outcome.buyer_index].sum()
            c = outcome.reports.asks[outcome.seller_index].sum()
            pays, receives = outcome.buyer_pays.sum(), outcome.seller_receives.sum()
            lump = np.zeros(2)
            if outcome.transfers is not None:
                lump = np.array([outcome.transfers[:cut].sum(), outcome.transfers[cut:].sum()])
            row = [v - c, v - pays + lump[0], receives - c + lump[1], pays - receives - lump.sum()]
            total += chance * float(p) * np.array([*row, len(outcome), len(outcome) > 0])
    return total


@pytest.mark.parametrize("mechanism", PLAIN)
def test_sparse_markets_equal_the_sum_by_hand(mechanism: str) -> None:
    rng = np.random.default_rng(PLAIN.index(mechanism))
    traded = rounds = 0
    while rounds < 6:
        edges, priors, bids, asks = random_market(rng, 3, 4)
        market = as_market(edges, priors, bids, asks)
        count = count_profiles(market)
        if len(edges) < 2 or count is None or not 4 < count < 120:
            continue
        rounds += 1
        found = enumerated_values(market, get(mechanism))
        assert found is not None and found.method == "enumeration"
        scale = max(found.scale, 1.0)
        assert numbers(found) == pytest.approx(one_by_one(market, mechanism), abs=1e-12 * scale)
        traded += found.trades > 0
    assert traded > 3


@pytest.mark.parametrize("mechanism", ["gsom", "posted-price", "random-offerer-bic"])
def test_constraints_are_cleared_one_by_one(mechanism: str) -> None:
    market = market_of(
        discrete([1, 2, 4], [0.5, 0.25, 0.25]),
        discrete([0, 1], [0.5, 0.5]),
        2,
        2,
        constraints=[{"kind": "cap", "limit": 1}],
    )
    found = exact_values(market, mechanism)
    assert found is not None and found.method == "enumeration" and found.trades <= 1.0
    assert numbers(found) == pytest.approx(one_by_one(market, mechanism), abs=1e-12)


class Halved(cx.mechanisms.FirstBest):
    """A mechanism of somebody else: the first best if the first buyer bids 2, else nothing."""

    slug = "halved"

    def weights(self, market, reports):
        """Weigh nobody where the first buyer bids less."""
        high = reports.bids[0] >= 2
        return reports.bids if high else reports.bids - 1e6, reports.asks


def test_mechanisms_from_elsewhere_are_enumerated_too() -> None:
    market = market_of(discrete([1, 2], [0.5, 0.5]), discrete([0, 1.5], [0.5, 0.5]), 2, 1)
    found, best = exact_values(market, Halved()), exact_values(market, "first-best")
    assert found is not None and best is not None
    assert numbers(found) == pytest.approx(one_by_one(market, Halved()), abs=1e-12)
    assert 0 < found.gains_from_trade < best.gains_from_trade


def test_the_limits_are_what_they_say() -> None:
    coin = discrete([0, 1], [0.5, 0.5])
    inside, outside = market_of(coin, coin, 9, 9), market_of(coin, coin, 10, 9)
    assert count_profiles(inside) == MOST_AT_ONCE and count_profiles(outside) == 2**19
    assert enumerated_values(inside, get("first-best")) is not None
    assert enumerated_values(outside, get("first-best")) is None
    assert enumerated_values(inside, Halved()) is None
    at_most = market_of(coin, coin, 7, 6)
    assert count_profiles(at_most) == 2 * MOST_ONE_BY_ONE
    assert enumerated_values(at_most, Halved()) is None
    mixed = cx.Market([{"id": "b", "prior": coin}], [{"id": "s", "prior": "uniform(0, 1)"}])
    assert count_profiles(mixed) is None and enumerated_values(mixed, get("gsom")) is None


def test_a_mechanism_that_does_not_apply_says_so() -> None:
    coin = discrete([0, 1], [0.5, 0.5])
    market = market_of(coin, coin, 2, 2, edges=[("b0", "s0"), ("b0", "s1"), ("b1", "s0")])
    with pytest.raises(cx.UnsupportedMarketError, match="every buyer"):
        exact_values(market, "trade-reduction")


def test_empty_sides_and_no_edges_gain_nothing() -> None:
    coin = discrete([0, 1], [0.5, 0.5])
    for market in (market_of(coin, coin, 0, 2), market_of(coin, coin, 2, 2, edges=[])):
        found = exact_values(market, "gsom")
        assert found is not None and numbers(found).tolist() == [0.0] * 6
