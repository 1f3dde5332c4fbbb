"""Prices in bilateral trade against closed forms (Myerson 1981; Myerson and Satterthwaite 1983)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import catallax as cx


def bilateral(buyer: str, seller: str, bid: float, ask: float, mechanism: str) -> cx.Outcome:
    market = cx.Market(
        [{"id": "b", "bid": bid, "prior": cx.parse_prior(buyer)}],
        [{"id": "s", "ask": ask, "prior": cx.parse_prior(seller)}],
    )
    outcome = cx.clear(market, mechanism)
    assert isinstance(outcome, cx.Outcome)
    return outcome


Price = Callable[[float, float], float]

# Prior of the buyer, what she pays under GSOM for (bid, ask), and what the seller receives.
SELLER_OFFERS: list[tuple[str, Price, Price]] = [
    ("uniform(0, 1)", lambda v, c: (1 + c) / 2, lambda v, c: 2 * v - 1),
    ("exponential(1)", lambda v, c: c + 1, lambda v, c: v - 1),
    ("pareto(3, 0.2)", lambda v, c: max(0.2, 1.5 * c), lambda v, c: v * 2 / 3),
    # P(v >= x) = (1 - x)^2: virtual value x - (1 - x) / 2.
    ("beta(1, 2)", lambda v, c: (2 * c + 1) / 3, lambda v, c: (3 * v - 1) / 2),
    # Every price from 1 on is optimal against a cost of 0; ties are a trade, so 1 is charged.
    ("equal-revenue(1, 10)", lambda v, c: 1.0 if c == 0 else 10.0, lambda v, c: 0.0),
]

# Prior of the seller, what the buyer pays under GBOM, and what the seller receives.
BUYER_OFFERS: list[tuple[str, Price, Price]] = [
    ("uniform(0, 1)", lambda v, c: 2 * c, lambda v, c: min(v, 2.0) / 2),
    ("exponential(1)", lambda v, c: c + math.expm1(c), None),  # type: ignore[list-item]
    # P(c <= x) = x^2: virtual cost 3x/2.
    ("beta(2, 1)", lambda v, c: 1.5 * c, lambda v, c: min(1.0, v / 1.5)),
]


@pytest.mark.parametrize(("prior", "pays", "receives"), SELLER_OFFERS)
def test_seller_offers(prior: str, pays: Price, receives: Price) -> None:
    traded = 0
    for bid in np.linspace(0.05, 3.0, 60):
        for ask in (0.0, 0.1, 0.35, 0.8):
            outcome = bilateral(prior, "uniform(0, 1)", float(bid), ask, "gsom")
            support = cx.parse_prior(prior).support
            wins = support[0] <= bid and receives(min(bid, support[1]), ask) >= ask
            if abs(receives(min(bid, support[1]), ask) - ask) < 1e-12:
                continue  # a tie up to rounding
            assert len(outcome) == wins
            if wins:
                traded += 1
                assert outcome.buyer_pays[0] == pytest.approx(pays(bid, ask), rel=1e-9)
                expected = max(receives(min(bid, support[1]), ask), ask)
                assert outcome.seller_receives[0] == pytest.approx(expected, rel=1e-9)
    assert traded or prior.startswith("equal")


@pytest.mark.parametrize(("prior", "pays", "receives"), BUYER_OFFERS)
def test_buyer_offers(prior: str, pays: Price, receives: Price | None) -> None:
    traded = 0
    for ask in np.linspace(0.0, 0.99, 34):
        for bid in (0.15, 0.33, 0.71, 1.9):
            outcome = bilateral("uniform(0, 2)", prior, bid, float(ask), "gbom")
            if abs(pays(bid, ask) - bid) < 1e-12:
                continue
            assert len(outcome) == (pays(bid, ask) < bid)
            if len(outcome):
                traded += 1
                assert outcome.buyer_pays[0] == pytest.approx(pays(bid, ask), rel=1e-9)
                if receives is not None:
                    expected = receives(bid, ask)
                    assert outcome.seller_receives[0] == pytest.approx(expected, rel=1e-9)
                else:  # the seller's price solves psi(price) = bid
                    price = outcome.seller_receives[0]
                    assert price + math.expm1(price) == pytest.approx(bid, rel=1e-9)
    assert traded > 10


def test_equal_revenue_charges_the_lowest_price_at_cost_zero() -> None:
    outcome = bilateral("equal-revenue(1, 10)", "uniform(0, 1)", 3.0, 0.0, "gsom")
    assert outcome.buyer_pays.tolist() == [1.0]
    assert (
        bilateral("equal-revenue(1, 10)", "uniform(0, 1)", 3.0, 1e-9, "gsom").totals["trades"] == 0
    )
    high = bilateral("equal-revenue(1, 10)", "uniform(0, 1)", 10.0, 0.5, "gsom")
    assert high.buyer_pays.tolist() == [10.0]


def test_the_remark_after_theorem_a9() -> None:
    """GSOM itself on the market of the remark: the buyer pays 1/2, the seller receives 1/2.

    (Under GSOM-BIC the seller receives 3/8.)
    """
    outcome = cx.clear(cx.instances.get("offering-remark"), "gsom")
    assert outcome.buyer_pays.tolist() == [0.5]
    assert outcome.seller_receives.tolist() == [0.5]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_huge_and_tiny_amounts(scale: float) -> None:
    outcome = bilateral(
        f"uniform(0, {scale!r})", f"uniform(0, {scale!r})", 0.9 * scale, 0.2 * scale, "gsom"
    )
    assert outcome.buyer_pays[0] == pytest.approx(0.6 * scale, rel=1e-12)
    assert outcome.seller_receives[0] == pytest.approx(0.8 * scale, rel=1e-12)
