"""Reasons: what `explain` and `agents` say must be what happens when the report moves there."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import pytest

import catallax as cx
from catallax.mechanisms import Claims
from catallax.mechanisms.base import SeparableMechanism
from tests.mechanisms.test_offering import MECHANISMS, as_market, random_market


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_critical_reports_are_critical(mechanism: str) -> None:
    """Beyond the critical report an agent trades, short of it not: for every agent."""
    rng = np.random.default_rng(MECHANISMS.index(mechanism))
    seen = {"trader": 0, "waiting": 0, "hopeless": 0}
    for _ in range(40):
        edges, priors, bids, asks = random_market(rng, 4, 5)
        market = as_market(edges, priors, bids, asks)
        outcome = cx.clear(market, mechanism)
        for row in outcome.agents.iter_rows(named=True):
            side = 0 if row["role"] == "buyer" else 1
            index = (market.buyers, market.sellers)[side].index(row["id"])
            reports = [np.array(bids, float), np.array(asks, float)]

            def trades_at(
                report: float, side=side, index=index, reports=reports, market=market
            ) -> bool:
                moved = [own.copy() for own in reports]
                moved[side][index] = report
                again = cx.clear(market, mechanism, cx.Reports(*moved))
                return index in (again.buyer_index, again.seller_index)[side]

            step = 1 if side == 0 else -1
            if row["critical_report"] is None:
                seen["hopeless"] += 1
                assert not trades_at(10.0**6 if side == 0 else 0.0)
                continue
            if side == 1 and row["critical_report"] < 1:
                continue  # asks below zero are no reports
            seen["trader" if row["trades"] else "waiting"] += 1
            critical = row["critical_report"]
            assert trades_at(critical + step)
            assert not trades_at(critical - step)
            if row["trades"]:
                assert row["price"] == critical
            assert row["set_by"] is not None
    assert min(seen.values()) > 5


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_agent_has_a_plain_sentence(mechanism: str) -> None:
    market = cx.instances.get("neighbourhood-energy")
    outcome = cx.clear(market, mechanism)
    for row in outcome.agents.iter_rows(named=True):
        sentence = outcome.explain(row["id"], row["role"])
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert repr(row["id"]) in sentence
        assert "nan" not in sentence.lower()
        if row["trades"]:
            assert f"{row['price']:.12g}" in sentence
        if row["set_by"] is not None:
            assert f"{row['set_by_role']} {row['set_by']!r} sets it" in sentence
        numbers = [float(x) for x in re.findall(r"\d+\.\d+", sentence)]
        assert all(math.isfinite(x) for x in numbers)


def test_an_id_on_both_sides_must_be_qualified() -> None:
    outcome = cx.clear(cx.Market([{"id": "a", "bid": 2}], [{"id": "a", "ask": 1}]), "first-best")
    with pytest.raises(cx.UnknownAgentError, match="both a buyer and a seller"):
        outcome.explain("a")
    assert outcome.explain("a", "buyer").startswith("Buyer 'a'")
    assert outcome.explain("a", "seller").startswith("Seller 'a'")
    with pytest.raises(cx.UnknownAgentError, match="nobody"):
        outcome.explain("nobody")


def test_a_tie_needs_more_than_the_level() -> None:
    market = cx.Market([{"id": "a", "bid": 5}, {"id": "b", "bid": 5}], [{"id": "s", "ask": 1}])
    outcome = cx.clear(market, "first-best")
    assert outcome.trades["buyer"].to_list() == ["a"]
    assert "a bid of more than 5 would" in outcome.explain("b")
    prior = cx.parse_prior("uniform(0, 10)")
    market = cx.Market(
        [{"id": "a", "bid": 9, "prior": prior}, {"id": "b", "bid": 9, "prior": prior}],
        [{"id": "s", "ask": 1}],
    )
    assert "a bid of more than 9 would" in cx.clear(market, "gsom").explain("b")


def test_frames_come_in_the_callers_library() -> None:
    import pandas as pd

    market = cx.Market(
        pd.DataFrame({"id": ["b"], "bid": [2.0]}), pd.DataFrame({"id": ["s"], "ask": [1.0]})
    )
    outcome = cx.clear(market, "first-best")
    assert isinstance(outcome.trades, pd.DataFrame)
    assert isinstance(outcome.agents, pd.DataFrame)
    assert list(outcome.trades.columns) == [
        "buyer", "seller", "buyer_pays", "seller_receives", "gain",
    ]  # fmt: skip


def test_mechanisms_by_name_and_path() -> None:
    assert cx.mechanisms.names()[:3] == ["first-best", "gsom", "gbom"]
    with pytest.raises(cx.UnknownNameError, match="did you mean 'gsom'"):
        cx.mechanisms.get("gsmo")
    found = cx.mechanisms.get("catallax.mechanisms.gsom:SellersOffering")
    assert found == cx.mechanisms.get("gsom")
    with pytest.raises(cx.UnknownNameError, match="no_such_module"):
        cx.mechanisms.get("no_such_module:Rule")
    with pytest.raises(cx.UnknownNameError, match="has no 'Rule'"):
        cx.mechanisms.get("math:Rule")
    with pytest.raises(cx.UnknownNameError, match="not a Mechanism"):
        cx.mechanisms.get("math:pi")


def test_missing_priors_and_reports_are_named() -> None:
    market = cx.Market([{"id": "b", "bid": 2}], [{"id": "s", "ask": 1}])
    with pytest.raises(cx.MissingPriorError, match="buyer 'b'"):
        cx.clear(market, "gsom")
    with pytest.raises(cx.MissingPriorError, match="seller 's'"):
        cx.clear(market, "gbom")
    silent = cx.Market([{"id": "b"}], [{"id": "s", "ask": 1}])
    with pytest.raises(cx.MissingReportError, match="buyer 'b'"):
        cx.clear(silent, "first-best")
    with pytest.raises(cx.ReportError):
        cx.clear(market, "first-best", cx.Reports([math.nan], [1.0]))


def _steps(bids: list[float], asks: list[float], values: list[float]) -> cx.Market:
    """A market in which all buyers, and all sellers, have the same few values."""
    return cx.Market(
        [{"id": f"b{k}", "bid": bid, "prior": "bidders"} for k, bid in enumerate(bids)],
        [{"id": f"s{k}", "ask": ask, "prior": "owners"} for k, ask in enumerate(asks)],
        priors={
            "bidders": {"kind": "empirical", "values": values},
            "owners": {"kind": "empirical", "values": values},
        },
    )


def test_a_higher_bid_that_counts_for_as_much_is_told_why_it_lost() -> None:
    values = [120, 140, 150, 165, 180, 180, 195, 200, 210, 220, 225, 240, 250, 250, 265, 280]
    market = _steps([250, 250.01, 150], [10], [*values, 300, 320, 350, 400])
    outcome = cx.clear(market, "gsom")
    assert outcome.trades["buyer"].to_list() == ["b0"]
    assert outcome.explain("b1").endswith(
        "; the bid of 250.01 counts for as much, as does any from 250 to below 300, "
        "and buyer 'b0' is listed first."
    )
    assert "any bid from 250 to below 300 counts for as much, and buyer 'b0'" in outcome.explain(
        "b2"
    )
    # The one who is first of the equals never reads that she is not.
    assert "listed first" not in outcome.explain("b0")


@pytest.mark.parametrize("mechanism", ["gsom", "gbom"])
def test_reports_said_to_count_for_as_much_do(mechanism: str) -> None:
    """All along the interval the rival listed first still trades, and at its end no more."""
    rng = np.random.default_rng(8)
    side = 0 if mechanism == "gsom" else 1
    rule = re.compile(r"any (?:bid |ask )?from (\S+) (?:to below|down to above) (\S+) counts|"
                      r"as does any from (\S+) (?:to below|down to above) (\S+),")  # fmt: skip
    seen = 0
    for _ in range(60):
        values = [*map(float, np.sort(rng.integers(1, 30, 7)))]
        reports = [rng.integers(1, 30, 5).astype(float) for _ in range(2)]
        market = _steps([*reports[0]], [*reports[1]], values)
        outcome = cx.clear(market, mechanism)
        for row in outcome.agents.iter_rows(named=True):
            if row["role"] != ("buyer", "seller")[side] or row["trades"]:
                continue
            found = rule.search(outcome.explain(row["id"], row["role"]))
            if found is None:
                continue
            first, last = (float(x) for x in found.groups() if x is not None)
            index = (market.buyers, market.sellers)[side].index(row["id"])
            traded = []
            for report in (first, (first + last) / 2, last):
                moved = [own.copy() for own in reports]
                moved[side][index] = report
                again = cx.clear(market, mechanism, cx.Reports(*moved))
                traded.append(index in (again.buyer_index, again.seller_index)[side])
            assert traded == [False, False, True]
            weigh = market.buyers.virtual_values if side == 0 else market.sellers.virtual_costs
            inside = [weigh(np.full(5, x))[0] for x in (first, (first + last) / 2, last)]
            assert inside[0] == inside[1] != inside[2]
            seen += 1
    assert seen > 10


def test_no_bid_beyond_the_end_of_a_prior_helps() -> None:
    market = _steps([40, 35], [90], [20, 30, 40])
    sentence = cx.clear(market, "gsom").explain("b0")
    assert sentence == (
        "Buyer 'b0' bid 40 and does not trade; no bid would: under the prior 'bidders' every bid "
        "above 40 counts as 40; seller 's0' sets it with an ask of 90."
    )
    market = _steps([400], [10], [20, 30, 40])
    assert cx.clear(market, "gbom").explain("b0").startswith("Buyer 'b0' bid 400, trades")


def test_with_constraints_no_bid_would_names_whom_it_would_take() -> None:
    pytest.importorskip("ortools")
    market = cx.Market(
        [{"id": "a", "bid": 50, "prior": "top"}, {"id": "b", "bid": 45, "prior": "low"}],
        [{"id": "s", "ask": 1, "prior": "low"}, {"id": "t", "ask": 1, "prior": "low"}],
        priors={
            "top": {"kind": "empirical", "values": [40, 50]},
            "low": {"kind": "empirical", "values": [10, 20]},
        },
        constraints=[{"kind": "cap", "limit": 1}],
    )
    sentence = cx.clear(market, "gsom").explain("b")
    assert sentence == (
        "Buyer 'b' bid 45 and does not trade; no bid would: under the prior 'low' every bid above "
        "20 counts as 20; it would take buyer 'a' (bid 50) to drop out."
    )


@pytest.mark.parametrize("constraints", [[], [{"kind": "cap", "limit": 2}]])
def test_no_seller_is_told_to_ask_less_than_nothing(constraints: list[dict[str, object]]) -> None:
    if constraints:
        pytest.importorskip("ortools")
    market = cx.Market(
        [{"id": "b", "bid": 1, "prior": "uniform(0, 10)"}],
        [
            {"id": "s", "ask": 0.5, "prior": "uniform(0, 1)"},
            {"id": "n", "ask": 0.5, "prior": "uniform(-20, 1)"},
        ],
        constraints=constraints,
    )
    outcome = cx.clear(market, "gsom")
    assert len(outcome) == 0
    start = "Seller 's' asked 0.5 and does not trade; no ask would: asks below 0 are refused; "
    reason = (
        "it would take buyer 'b' (bid 1) to come in."
        if constraints
        else "buyer 'b' sets it with a bid of 1 (virtual value -8)."
    )
    assert outcome.explain("s") == start + reason
    # A prior that reaches below zero allows such asks, and then one helps.
    bound = "less than" if constraints else "at most"
    assert f"an ask of {bound} -8 would" in outcome.explain("n")
    report = dict(zip(outcome.agents["id"], outcome.agents["critical_report"], strict=True))
    assert (report["s"], report["n"]) == (None, pytest.approx(-8))


def test_asks_said_not_to_help_do_not_and_others_do() -> None:
    """Under a cap, every seller without a trade: nothing helps, or just what the table says."""
    pytest.importorskip("ortools")
    rng, seen = np.random.default_rng(5), {"none": 0, "some": 0}
    for _ in range(24):
        bids, asks = rng.integers(0, 12, 4).astype(float), rng.integers(0, 12, 4).astype(float)
        market = cx.Market(
            [{"id": f"b{k}", "bid": bid, "group": k % 2} for k, bid in enumerate(bids)],
            [{"id": f"s{k}", "ask": ask} for k, ask in enumerate(asks)],
            [(f"b{i}", f"s{j}") for i in range(4) for j in range(4) if rng.random() < 0.6],
            constraints=[{"kind": "quota", "over": "buyers", "column": "group", "limits": 1}],
        )
        outcome = cx.clear(market, "first-best")
        for row in outcome.agents.iter_rows(named=True):
            if row["role"] != "seller" or row["trades"]:
                continue
            index, need = market.sellers.index(row["id"]), row["critical_report"]
            sentence = outcome.explain(row["id"])
            at = 0.0 if need is None else max(0.0, need - 0.5)
            moved = np.where(np.arange(4) == index, at, asks)
            again = cx.clear(market, "first-best", cx.Reports(bids, moved))
            assert (index in again.seller_index) == (need is not None)
            assert ("no ask would" in sentence) <= (need is None)
            assert "less than -" not in sentence and "at most -" not in sentence
            seen["none" if need is None else "some"] += 1
    assert min(seen.values()) > 3


def test_sentences_show_no_rounding_to_ticks() -> None:
    pytest.importorskip("ortools")
    market = cx.Market(
        [{"id": "a", "bid": 30.1}, {"id": "b", "bid": 29.3}],
        [{"id": "s", "ask": 0.01}, {"id": "t", "ask": 0.07}],
        [("a", "s"), ("a", "t"), ("b", "t")],
        constraints=[{"kind": "cap", "limit": 1}],
    )
    outcome = cx.clear(market, "first-best")
    assert outcome.tick is not None and outcome.seller_receives[0] != 0.81 + 0.01
    told = [outcome.explain(agent) for agent in "abst"]
    assert "and pays 29.24, the lowest" in told[0]
    assert "a bid of at least 30.16 would" in told[1] or "a bid of more than 30.16" in told[1]
    numbers = re.findall(r"\d+\.\d+", " ".join(told))
    assert numbers and all(len(number.partition(".")[2]) <= 2 for number in numbers)


@pytest.mark.parametrize("ask", [5.0, 9.9])
def test_a_price_that_the_mechanism_sets_is_nobody_elses(ask: float) -> None:
    """A reserve price is no rival's; above it rivals set prices as ever."""
    market = cx.Market(
        buyers=[{"id": "ann", "bid": 40.0}, {"id": "bob", "bid": 20.0}],
        sellers=[{"id": "cy", "ask": ask}, {"id": "dee", "ask": 10.0}],
    )
    outcome = cx.clear(market, Reserve())
    own = "the mechanism's own rule sets it (below 30 no bid counts)."
    assert outcome.explain("ann").endswith(f"pays 30, the lowest bid that still trades: {own}")
    assert outcome.explain("bob").endswith(f"a bid of at least 30 would: {own}")
    assert outcome.explain("cy").endswith("seller 'dee' sets it with an ask of 10.")
    low = cx.clear(market, Reserve(price=1.0))
    assert low.explain("ann").endswith("seller 'dee' sets it with an ask of 10.")
    tight = cx.clear(market, Reserve(), cx.Reports([40.0, 35.0], [5.0, 36.0]))
    assert tight.explain("ann").endswith(
        "pays 35, the lowest bid that still trades: buyer 'bob' sets it with a bid of 35."
    )


@dataclass(frozen=True)
class Ceiling(SeparableMechanism):
    """The mirror: nobody who asks more than 12 counts."""

    slug = "ceiling"
    summary = "the most gains from trade among sellers who ask 12 or less"
    claims = Claims("DSIC", "DSIC", "ex post", "none")

    def weights(self, market, reports):
        return reports.bids, np.where(reports.asks <= 12.0, reports.asks, np.inf)

    def critical_asks(self, market, thresholds):
        return np.minimum(thresholds.level, 12.0)


@dataclass(frozen=True)
class Reserve(SeparableMechanism):
    """Nobody who bids less than a reserve price counts."""

    price: float = 30.0
    slug = "reserve"
    summary = "the most gains from trade at a reserve price or more"
    claims = Claims("DSIC", "DSIC", "ex post", "none")

    def weights(self, market, reports):
        return np.where(reports.bids >= self.price, reports.bids, -np.inf), reports.asks

    def critical_bids(self, market, thresholds):
        return np.maximum(thresholds.level, self.price)


def test_a_highest_ask_of_the_mechanism_is_nobodys() -> None:
    market = cx.Market([{"id": "b", "bid": 40.0}], [{"id": "s", "ask": 5.0}])
    told = cx.clear(market, Ceiling()).explain("s")
    assert told.endswith("the mechanism's own rule sets it (above 12 no ask counts).")
