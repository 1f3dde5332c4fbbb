"""Rounding to ticks: what reports can and cannot do to it."""

from __future__ import annotations

import numpy as np
import pytest

import catallax as cx

CAP = [{"kind": "cap", "limit": 1}]
CONFLICT = [{"kind": "conflicts", "over": "buyers", "pairs": [["b1", "b2"]]}]


@pytest.mark.parametrize("prior", [None, "uniform(0, 1)"])
@pytest.mark.parametrize("rules", [CAP, CONFLICT])
@pytest.mark.parametrize("bid", [0.6, 1e3, 1e10, 1e17, 1e300])
def test_an_absurd_bid_pays_what_the_rivals_bid(bid: float, rules, prior) -> None:
    own = {} if prior is None else {"prior": prior}
    market = cx.Market(
        [{"id": "b1", **own}, {"id": "b2", **own}], [{"id": "s", **own}], constraints=rules
    )
    outcome = cx.clear(market, "first-best", cx.Reports([bid, 0.5], [0.1]))
    assert outcome.trades["buyer"].to_list() == ["b1"]
    assert outcome.buyer_pays[0] == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("ask", [0.9, 1e9, 1e300])
def test_an_absurd_ask_changes_nothing(ask: float) -> None:
    """A seller beyond every buyer trades nothing and moves no price."""
    market = cx.Market([{"id": "b1"}, {"id": "b2"}], [{"id": "s"}, {"id": "t"}], constraints=CAP)
    outcome = cx.clear(market, "first-best", cx.Reports([0.75, 0.5], [0.25, ask]))
    assert outcome.trades["seller"].to_list() == ["s"]
    assert outcome.buyer_pays[0] == pytest.approx(0.5, abs=1e-9)
    assert outcome.seller_receives[0] == pytest.approx(0.75, abs=1e-9)


def test_reports_beyond_the_priors_keep_their_order() -> None:
    prior = "uniform(0, 1)"
    market = cx.Market(
        [{"id": "b1", "bid": 10, "prior": prior}, {"id": "b2", "bid": 20, "prior": prior}],
        [{"id": "s", "ask": 0.5, "prior": prior}, {"id": "t", "ask": 1e9, "prior": prior}],
        constraints=CAP,
    )
    outcome = cx.clear(market, "first-best")
    assert outcome.trades["buyer"].to_list() == ["b2"]
    assert outcome.buyer_pays[0] == pytest.approx(10, abs=1e-9)


@pytest.mark.parametrize(
    "prior", ["lognormal(1, 5)", "pareto(1)", "equal-revenue(1, 1e12)", "uniform(0, 1e300)"]
)
def test_wide_priors_do_not_coarsen_the_tick(prior: str) -> None:
    market = cx.Market(
        [{"id": "b", "bid": 5, "prior": prior}],
        [{"id": "s", "ask": 2, "prior": prior}],
        constraints=CAP,
    )
    outcome = cx.clear(market, "first-best")
    assert outcome.buyer_pays[0] == pytest.approx(2, abs=1e-9)
    assert outcome.seller_receives[0] == pytest.approx(5, abs=1e-9)


def test_equal_decimals_trade_under_constraints_too() -> None:
    for amount in (0.3, 0.1, 1 / 3, 1e-9, 7e11):
        market = cx.Market(
            [{"id": "b", "bid": amount}], [{"id": "s", "ask": amount}], constraints=CAP
        )
        assert len(cx.clear(market, "first-best")) == 1


def test_within_the_priors_no_report_moves_the_tick() -> None:
    rng = np.random.default_rng(0)
    prior = "uniform(0, 100)"
    market = cx.Market(
        {"id": ["a", "b", "c"], "prior": [prior] * 3},
        {"id": ["s", "t"], "prior": [prior] * 2},
        constraints=CAP,
    )
    ticks = {
        cx.clear(market, mechanism, cx.Reports(rng.random(3) * 50 + 50, rng.random(2) * 50)).tick
        for _ in range(30)
        for mechanism in ("first-best", "gbom")
    }
    assert len(ticks) == 1


def test_the_remark_holds_under_a_cap_on_a_complete_market() -> None:
    """3/8, though all trades pass one hub of the flow network."""
    prior = "uniform(0, 1)"
    market = cx.Market(
        [{"id": "i", "bid": 1, "prior": prior}],
        [{"id": "j", "ask": 0, "prior": prior}, {"id": "k", "ask": 0.5, "prior": prior}],
        constraints=[{"kind": "cap", "limit": 2}],
    )
    outcome = cx.clear(market, "gsom-bic")
    assert isinstance(outcome, cx.Outcome)
    assert outcome.solver == "flow"
    assert outcome.seller_receives[0] == pytest.approx(0.375, abs=1e-9)
