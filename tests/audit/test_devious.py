"""What an audit might overlook or stumble over is found, and told as a finding."""

from __future__ import annotations

import json

import numpy as np
import pytest

import catallax as cx
from catallax.audit import BrokenClaimError, audit, check_mechanism
from catallax.audit.claims.battery import fixed_markets
from tests.audit import devious
from tests.audit.devious import Twisted

UNIFORM = "uniform(0, 1)"
THREE = "discrete([0, 0.5, 1], [0.25, 0.5, 0.25])"


def market(prior: str | None = None, scale: float = 1.0) -> cx.Market:
    belief = {} if prior is None else {"prior": prior}
    return cx.Market(
        [{"id": f"b{k}", "bid": bid * scale, **belief} for k, bid in enumerate((0.8, 0.55))],
        [{"id": f"s{k}", "ask": ask * scale, **belief} for k, ask in enumerate((0.1, 0.45))],
    )


# ------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit(3), "it raises SystemExit: 3"),
        (GeneratorExit(), "it raises GeneratorExit: no message"),
        (devious.Interruption("me"), "it raises Interruption: me"),
        (devious.MuteError(), "it raises MuteError: no message"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_whatever_is_raised_is_a_finding(error: BaseException, told: str) -> None:
    report = audit(market(THREE), Twisted(devious.raising(error)), budget=200)
    assert told in report["feasibility"].story
    assert report["feasibility"].verdict == "violated"
    json.dumps(report.to_dict(), allow_nan=False)


def test_an_interrupt_of_the_users_stops_the_audit() -> None:
    with pytest.raises(KeyboardInterrupt):
        audit(market(), Twisted(devious.raising(KeyboardInterrupt())), "feasibility", budget=50)


@pytest.mark.parametrize(
    ("part", "change", "told"),
    [
        ("buyer_pays", lambda old: old.astype(str), "prices are numbers, and not <U"),
        ("buyer_pays", lambda old: [str(one) for one in old], "prices are numbers, and not <U"),
        ("buyer_pays", lambda old: old + 0.5j, "prices are numbers, and not complex"),
        ("buyer_pays", lambda old: old + 1e308, "too large to be added up"),
        ("buyer_index", lambda old: old.astype(float), "positions of buyers are whole numbers"),
        ("buyer_index", lambda old: np.ones(old.size, bool), "positions of buyers are whole"),
        ("seller_index", lambda old: old + 5, "by position, and the market has"),
    ],
)
def test_outcomes_of_the_wrong_kind_are_findings(part: str, change, told: str) -> None:
    mechanism = Twisted(devious.of_kind(change, part))
    found = audit(market(), mechanism, "feasibility", budget=60)["feasibility"]
    assert found.verdict == "violated" and told in found.story
    assert found.witness.rerun(mechanism) == 0.0


def test_lists_in_place_of_arrays_are_no_fault() -> None:
    mechanism = Twisted(devious.of_kind(lambda old: old.tolist(), "buyer_pays"))
    names = ["feasibility", "dsic-buyers", "dsic-sellers", "threshold-payments"]
    assert not audit(market(), mechanism, names, budget=200).violated


def test_where_there_is_no_outcome_nothing_holds() -> None:
    nothing = Twisted(lambda market, reports, found: None)
    for where in (market(UNIFORM), market(THREE), market()):
        report = audit(where, nothing, budget=150)
        assert "it returns nothing, not an Outcome" in report["feasibility"].story
        about_names = {"renaming", "irrelevant-losers"}
        assert {finding.name for finding in report.holding} <= about_names


def test_a_mechanism_that_refuses_only_some_reports_is_at_fault() -> None:
    mechanism = Twisted(devious.refusing_some)
    for where in (market(THREE), market(scale=1.2)):  # the second is refused at its own reports
        found = audit(where, mechanism, "feasibility", budget=100)["feasibility"]
        assert "it refuses the market, but not at other reports: not with such" in found.story
        assert found.witness.rerun(mechanism) == 0.0
    never = Twisted(devious.refusing_numbers)
    numbered = cx.Market([{"id": 1, "bid": 1.0}], [{"id": 2, "ask": 0.0}])
    with pytest.raises(cx.UnsupportedMarketError, match="names must be text"):
        audit(numbered, never, budget=50)


def test_a_mechanism_that_refuses_other_names_depends_on_names() -> None:
    mechanism = Twisted(devious.refusing_numbers)
    found = audit(market(), mechanism, "renaming", budget=50)["renaming"]
    assert found.verdict == "violated"
    assert "it clears; other names change this: it refuses the market: names must" in found.story


def test_a_mechanism_that_changes_the_market_is_at_fault_and_the_market_is_as_before() -> None:
    sparse = cx.Market(
        [{"id": "b", "bid": 1.0}], [{"id": j, "ask": 0.5} for j in range(2)], [("b", 0)]
    )
    graph = sparse.graph
    mechanism = Twisted(devious.changing_the_market)
    found = audit(sparse, mechanism, "feasibility", budget=50)["feasibility"]
    assert "it changes the market it is given (graph)" in found.story
    assert sparse.graph is graph


def test_a_coin_that_is_tossed_only_at_ties_is_noticed() -> None:
    found = audit(market(THREE), devious.CoinAtTies(), "feasibility", budget=900)["feasibility"]
    assert found.verdict == "violated" and "does not always do the same" in found.story
    assert len(found.witness.market.buyers) == 2


# ------------------------------------------------------------------------------- what is small


@pytest.mark.parametrize("tick", [1e9, float("nan"), "no", -1.0])
def test_nobody_is_excused_by_a_tick_of_his_own(tick) -> None:
    mechanism = Twisted(devious.stating_a_tick(tick))
    assert audit(market(), mechanism, "dsic-buyers", budget=200)["dsic-buyers"].worst > 0.1
    capped = cx.Market(
        [{"id": k, "bid": b} for k, b in enumerate((0.8, 0.55))],
        [{"id": k, "ask": a} for k, a in enumerate((0.1, 0.45))],
        constraints=[{"kind": "cap", "limit": 1}],
    )
    assert audit(capped, mechanism, "dsic-buyers", budget=200)["dsic-buyers"].worst > 0.1


@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e12, 1e-300, 1e299])
def test_a_ten_millionth_is_found_at_every_scale(scale: float) -> None:
    mechanism = Twisted(devious.above(1e-7))
    names = ["dsic-buyers", "threshold-payments", "ir-ex-post"]
    report = audit(market(scale=scale), mechanism, names, budget=400)
    assert [finding.verdict for finding in report] == ["violated"] * 3
    assert all(1e-9 * scale < finding.worst < 1e-6 * scale for finding in report)
    assert not audit(market(scale=scale), "first-best", names, budget=200).violated


def test_amounts_at_the_ends_of_floating_point_numbers() -> None:
    with pytest.raises(cx.ReportError, match=r"too large to be added up .* state them in a larger"):
        audit(market(scale=1e308), "first-best")
    report = audit(market(scale=1e-320), Twisted(devious.own_bids), "dsic-buyers", budget=100)
    assert report["dsic-buyers"].verdict == "violated"


def test_somebody_who_bids_a_billion_hides_nobody_elses_fault() -> None:
    """Tolerances are relative to the amounts of the agent concerned."""
    buyers = [("whale", "point(1e9)"), ("b", THREE)]
    where = cx.Market(
        [{"id": name, "prior": prior} for name, prior in buyers],
        [{"id": "s", "prior": THREE}, {"id": "t", "prior": "point(0)"}],
    )

    def others_pay_bids(market, reports, found):
        bids = reports.bids[found.buyer_index]
        from dataclasses import replace

        return replace(found, buyer_pays=np.where(bids < 10, bids, found.buyer_pays))

    names = ["dsic-buyers", "bic-buyers", "threshold-payments"]
    report = audit(where, Twisted(others_pay_bids), names, budget=600)
    assert [finding.verdict for finding in report] == ["violated"] * 3
    assert all(0.1 < finding.worst <= 1.5 for finding in report)
    for rule in ("first-best", "gsom", "gbom", "gsom-bic", "random-offerer"):
        claims = ["dsic-buyers", "ir-ex-post", "bic-sellers", "monotone"]
        right = audit(where, rule, claims, budget=600)
        assert not right.violated, [finding.story for finding in right.violated]


# ------------------------------------------------------------------------------- what is rare


def test_a_trade_at_any_report_is_no_threshold() -> None:
    found = audit(market(), Twisted(devious.always), "threshold-payments", budget=200)
    (finding,) = found
    assert finding.verdict == "violated" and "still trades" in finding.story
    assert finding.witness.rerun(Twisted(devious.always)) == finding.witness.amount


@pytest.mark.parametrize("more", [[], ["weak-budget-ex-post"]])
def test_draws_without_the_rare_case_are_no_proof(more: list[str]) -> None:
    names = ["weak-budget-ex-ante", *more]
    report = audit(market(UNIFORM), Twisted(devious.rare_deficit), names, budget=300)
    finding = report["weak-budget-ex-ante"]
    assert finding.verdict == "undecided"
    assert finding.interval is not None and finding.interval[0] < 0


def test_rare_losses_and_gains_are_no_proof_either() -> None:
    def twist(market, reports, found):
        from dataclasses import replace

        bids = reports.bids[found.buyer_index]
        return replace(found, buyer_pays=found.buyer_pays + np.where(bids > 0.9995, 9.0, 0.0))

    names = ["ir-interim", "bic-buyers"]
    for asked in (names, [*names, "dsic-buyers"]):
        report = audit(market(UNIFORM), Twisted(twist), asked, budget=900)
        assert {report[name].verdict for name in names}.isdisjoint({"holds"})


def test_what_the_others_cannot_mean_counts_for_dominant_strategies() -> None:
    mechanism = Twisted(devious.excluded_asks)
    for prior in (UNIFORM, THREE):
        report = audit(market(prior), mechanism, ["dsic-buyers", "ir-ex-post"], budget=3000)
        assert report["dsic-buyers"].verdict == "violated"
        assert report["ir-ex-post"].verdict == "holds"
        # It is no type's gain against possible values of the others.
        found = audit(market(prior), mechanism, "bic-buyers", budget=900)["bic-buyers"]
        assert found.verdict == "holds"


def test_a_fault_that_waits_for_a_fourth_buyer_is_found() -> None:
    crowd = [one for one in fixed_markets() if one.name == "a crowd"]
    with pytest.raises(BrokenClaimError, match="dsic-buyers, on market 'a crowd'"):
        check_mechanism(Twisted(devious.from_four_buyers), markets=crowd)


def test_one_buyer_of_one_item_is_looked_at() -> None:
    where = cx.Market(
        [{"id": "b"}],
        [{"id": "s", "ask": 0.0, "prior": THREE}],
        [{"buyer": "b", "seller": "s", "bid": 1.0, "prior": THREE}],
    )
    for name, verdict in (("sapp", "holds"), ("gbom-unit-demand", "violated")):
        finding = audit(where, name, "dsic-buyers", budget=200)["dsic-buyers"]
        assert finding.verdict == verdict and finding.checked > 10


def test_the_worst_is_no_smaller_than_the_witness() -> None:
    for where in (market(), market(scale=100)):
        for finding in audit(where, Twisted(devious.own_bids), budget=300).violated:
            assert finding.witness is not None and finding.worst >= finding.witness.amount
