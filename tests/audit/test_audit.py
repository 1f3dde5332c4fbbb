"""The door: what can be asked, of whom, with how much work, and what comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

import catallax as cx
from catallax.audit import AuditReport, audit, properties
from catallax.audit.audit import default_budget
from catallax.audit.claims.battery import random_market
from catallax.audit.claims.claims import claimed_properties
from catallax.audit.setting import Setting
from catallax.mechanisms import MultiQuantile, PostQuantile
from tests.audit import planted

UNIFORM = "uniform(0, 1)"


def pair(**options) -> cx.Market:
    return cx.Market(
        [{"id": "b", "bid": 0.75, "prior": UNIFORM}],
        [{"id": "s", "ask": 0.25, "prior": UNIFORM}],
        **options,
    )


# ------------------------------------------------------------------------------- no false alarms


ALWAYS = {"renaming", "irrelevant-losers", "partner-independence", "monotone"}


@pytest.mark.parametrize(
    "name",
    [
        "first-best",
        "gsom",
        "gbom",
        "gsom-bic",
        "gbom-bic",
        "random-offerer",
        "random-offerer-bic",
        "meta-auction-buyers",
        "meta-auction-sellers",
        "posted-price",
        "mcafee",
        "trade-reduction",
        "hybrid",
    ],
)
def test_correct_mechanisms_raise_no_alarm_on_random_markets(name: str) -> None:
    """Ties, atoms, plateaus, empty sides, constraints: see `catallax.audit.battery`."""
    mechanism = cx.mechanisms.get(name)
    claimed = claimed_properties(mechanism) | ALWAYS
    if name.startswith("meta"):
        claimed |= {"cap-monotone"}
    held = 0
    for seed in range(7):
        market = random_market(100 * len(name) + seed)
        setting = Setting.of(market, mechanism)
        asked = [one for one in claimed if properties.get(one).excuse(setting) is None]
        try:
            report = audit(market, mechanism, sorted(asked), rng=seed, budget=60)
        except cx.UnsupportedMarketError:
            continue
        assert not report.violated, (market.name, seed, [f.story for f in report.violated])
        held += len(report.holding)
    assert held > 8


@pytest.mark.parametrize("name", ["gbom-unit-demand", "sapp"])
def test_one_buyer_of_many_items_is_audited_too(name: str) -> None:
    values, costs = "discrete([1, 3, 6], [0.5, 0.25, 0.25])", "discrete([0, 1, 2], [0.5, 0.3, 0.2])"
    sellers = ("s1", "s2")
    market = cx.Market(
        [{"id": "ann"}],
        [{"id": s, "ask": a, "prior": costs} for s, a in zip(sellers, (1, 2), strict=True)],
        [{"buyer": "ann", "seller": s, "bid": 3, "prior": values} for s in sellers],
    )
    mechanism = cx.mechanisms.get(name)
    claims = sorted(claimed_properties(mechanism) | {"renaming"})
    report = audit(market, mechanism, claims, budget=250)
    assert not report.violated, [finding.story for finding in report.violated]
    assert report["dsic-sellers"].checked > 0
    assert report["bic-buyers"].exact or report["bic-buyers"].checked > 50


def test_a_buyer_of_items_who_regrets_is_found_with_her_bids() -> None:
    """GBOM charges the buyer what the seller might have asked: true bids are best on average."""
    law = "discrete([0, 2, 4], [0.4, 0.3, 0.3])"
    market = cx.Market(
        [{"id": "ann"}],
        [{"id": s, "ask": a, "prior": law} for s, a in (("s1", 0), ("s2", 2))],
        [{"buyer": "ann", "seller": s, "bid": b, "prior": law} for s, b in (("s1", 4), ("s2", 4))],
    )
    finding = audit(market, "gbom-unit-demand", "dsic-buyers", budget=600)["dsic-buyers"]
    assert finding.verdict == "violated" and "buyer 'ann'" in finding.story
    assert finding.witness.rerun() == finding.witness.amount > 0
    with pytest.raises(cx.UnsupportedMarketError, match="values on the edges"):
        audit(market, "gsom")


# ------------------------------------------------------------------------------------- the report


def test_the_module_is_the_function() -> None:
    import catallax.audit as module

    assert cx.audit is module
    report = cx.audit(pair(), "gsom", "feasibility", budget=5)
    assert isinstance(report, AuditReport)
    assert report.to_dict() == module.audit(pair(), "gsom", "feasibility", budget=5).to_dict()


def test_a_report_is_a_table_a_text_and_json() -> None:
    report = audit(pair(), "first-best", budget=300)
    frame = report.frame
    assert frame["property"].to_list() == [finding.name for finding in report]
    assert len(report) == len(frame) and "dsic-buyers" in report
    assert report["dsic-buyers"] in report.holding
    text = json.dumps(report.to_dict(), allow_nan=False)
    first = json.loads(text)["properties"][0]
    assert {"name", "verdict", "worst", "checked", "story", "witness"} <= set(first)
    assert "weak-budget-ex-post" in str(report) and "violated by" in str(report)
    assert repr(report).startswith("<Audit of first-best on 'market': ")
    for finding in report:
        assert finding.meaning.endswith(".") and finding.how
        assert (finding.verdict == "violated") == (finding.witness is not None)
        assert finding.verdict == "violated" or finding.worst == 0.0
    with pytest.raises(cx.UnknownNameError, match="did you mean 'dsic-buyers'"):
        _ = report["dsic-buyer"]


def test_the_frame_comes_in_the_callers_library() -> None:
    import pandas

    market = cx.Market(pandas.DataFrame({"id": ["b"], "bid": [1.0]}), [{"id": "s", "ask": 0.5}])
    frame = audit(market, "first-best", "feasibility", budget=5).frame
    assert isinstance(frame, pandas.DataFrame)


def test_every_property_is_listed_once_and_says_what_it_means() -> None:
    names = properties.names()
    assert len(set(names)) == len(names) == 17
    for name in names:
        assert properties.get(name).slug == name and properties.get(name).meaning.endswith(".")
        assert properties.get(properties.get(name)) is properties.get(name)


# -------------------------------------------------------------------------- budget, seeds, choice


def test_results_depend_on_the_seed_alone() -> None:
    market = random_market(11)
    one, two, other = (
        audit(market, planted.PayYourBid(), rng=seed, budget=200).to_dict() for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


def test_the_budget_is_kept() -> None:
    market = cx.Market(
        [{"id": i, "bid": 1 - i / 9, "prior": UNIFORM} for i in range(6)],
        [{"id": j, "ask": j / 9, "prior": UNIFORM} for j in range(6)],
    )
    for budget in (1, 10, 100, 1000):
        report = audit(market, "gsom-bic", ["dsic-buyers", "ir-ex-post"], budget=budget)
        # A curve that is begun is finished.
        assert report.runs <= budget + 400
        finding = report["dsic-buyers"]
        assert finding.verdict == ("holds" if finding.checked else "undecided")
        assert not finding.exact and bool(finding.checked) >= (budget >= 100)


def test_of_a_large_market_it_says_how_many_agents_were_tried() -> None:
    rng = np.random.default_rng(0)
    pairs = sorted({(int(i), int(j)) for i, j in rng.integers(300, size=(900, 2))})
    market = cx.Market(
        {"id": range(300), "bid": rng.random(300)},
        {"id": range(300), "ask": rng.random(300)},
        pairs,
    )
    assert default_budget(market) <= 8000
    report = audit(market, "first-best", "dsic-buyers", budget=400)
    assert "of 600 agents" in report["dsic-buyers"].how
    small = audit(market, planted.PayYourBid(), "dsic-buyers", budget=400)["dsic-buyers"].witness
    assert len(small.market.buyers) + len(small.market.sellers) <= 4


def test_all_profiles_of_discrete_priors_are_looked_at_where_they_are_few() -> None:
    law = "discrete([1, 2, 4], [0.3, 0.3, 0.4])"
    market = cx.Market([{"id": "b", "prior": law}], [{"id": i, "prior": law} for i in range(2)])
    report = audit(market, "gsom", ["dsic-buyers", "monotone", "weak-budget-ex-ante"])
    assert all(finding.exact for finding in report)
    assert report["dsic-buyers"].profiles == 27
    few = audit(market, "gsom", "dsic-buyers", budget=20)
    assert not few["dsic-buyers"].exact


@pytest.mark.parametrize("mechanism", ["first-best", "gsom-bic"])
def test_progress_is_told(mechanism: str) -> None:
    told: list[tuple[float, str]] = []
    audit(pair(), mechanism, budget=400, progress=lambda share, what: told.append((share, what)))
    parts = [share for share, _ in told]
    assert parts == sorted(parts) and parts[0] >= 0 and told[-1] == (1.0, "done")
    assert any("shrinking" in what for _, what in told)


# ------------------------------------------------------------------------------ rules by themselves


def test_a_bilateral_rule_is_audited_by_itself() -> None:
    for rule in (PostQuantile(), MultiQuantile(0.4)):
        report = audit(pair(), rule)
        assert [finding.name for finding in report] == ["cap-monotone"]
        assert report["cap-monotone"].verdict == "holds"
    found = audit(pair(), planted.TwiceTheCap())["cap-monotone"]
    assert found.verdict == "violated" and "larger cap" in found.story
    assert found.witness.mechanism == "tests.audit.planted:TwiceTheCap"
    with pytest.raises(cx.UnsupportedMarketError, match="does not apply"):
        audit(pair(), PostQuantile(), "dsic-buyers")
    with pytest.raises(cx.CatallaxError, match="neither a mechanism nor a bilateral rule"):
        audit(pair(), object())


def test_cap_monotone_needs_a_rule() -> None:
    assert "cap-monotone" in audit(pair(), "gsom", budget=50).skipped
    with pytest.raises(cx.UnsupportedMarketError, match="has no bilateral rule"):
        audit(pair(), "gsom", "cap-monotone")


# ------------------------------------------------------------------------- what should not matter


@dataclass(frozen=True)
class AlphabeticalTies(planted.PayYourBid):
    """Whoever comes first in the alphabet trades first, at nobody's report."""

    def clear(self, market, reports):
        from catallax.mechanisms.first_best import FirstBest

        found = FirstBest().clear(market, reports)
        first = min(market.buyers.ids.to_list(), key=str)
        extra = np.where(found.buyer_index == market.buyers.index(first), 0.125, 0.0)
        from dataclasses import replace

        return replace(found, buyer_pays=found.buyer_pays + extra)


@dataclass(frozen=True)
class NosyAverage(planted.PayYourBid):
    """Everybody pays the average ask of the market, people who cannot trade included."""

    def clear(self, market, reports):
        from dataclasses import replace

        from catallax.mechanisms.first_best import FirstBest

        found = FirstBest().clear(market, reports)
        price = np.full(len(found), reports.asks.mean() if reports.asks.size else 0.0)
        return replace(found, buyer_pays=price, seller_receives=price)


def test_names_that_matter_are_noticed() -> None:
    market = cx.Market(
        {"id": ["zoe", "ann"], "bid": [1.0, 1.0]}, {"id": ["s", "t"], "ask": [0.0, 0.25]}
    )
    finding = audit(market, AlphabeticalTies(), "renaming", budget=60)["renaming"]
    assert finding.verdict == "violated" and finding.worst == pytest.approx(0.125)
    assert finding.witness.rerun(AlphabeticalTies()) == pytest.approx(0.125)
    assert "other names change this" in finding.story


def test_people_who_cannot_trade_and_yet_matter_are_noticed() -> None:
    market = cx.Market(
        {"id": ["b"], "bid": [1.0]}, {"id": ["s", "idle"], "ask": [0.0, 0.5]}, [("b", "s")]
    )
    finding = audit(market, NosyAverage(), "irrelevant-losers", budget=60)["irrelevant-losers"]
    assert finding.verdict == "violated" and "seller 'idle'" in finding.story
    assert len(finding.witness.market.sellers) == 2
    assert audit(market, "first-best", "irrelevant-losers")["irrelevant-losers"].verdict == "holds"


# --------------------------------------------------------------------------------------- bad input


def test_bad_questions_are_refused_with_a_remedy() -> None:
    with pytest.raises(cx.UnknownNameError, match="did you mean 'dsic-buyers'"):
        audit(pair(), "gsom", "dsic-buyer")
    with pytest.raises(cx.UnknownNameError, match="did you mean 'gsom'"):
        audit(pair(), "gsmo")
    with pytest.raises(cx.CatallaxError, match="needs at least one run"):
        audit(pair(), "gsom", budget=0)
    with pytest.raises(cx.UnsupportedMarketError):
        audit(cx.Market([{"id": "b", "bid": 1}], [{"id": "s", "ask": 0}], []), "mcafee")
    with pytest.raises(cx.MissingPriorError):
        audit(cx.Market([{"id": "b", "bid": 1}], [{"id": "s", "ask": 0}]), "gsom")
    with pytest.raises(cx.MissingReportError, match="neither a report nor a prior"):
        audit(cx.Market([{"id": "b"}], [{"id": "s"}]), "first-best", "dsic-buyers")


def test_a_market_without_agents_is_audited() -> None:
    report = audit(cx.Market([], []), "first-best", budget=20)
    assert not report.violated
    lonely = cx.Market([{"id": "b", "bid": 1.0, "prior": UNIFORM}], [])
    assert not audit(lonely, "gsom", budget=100).violated


def test_reports_beyond_what_the_market_takes_are_not_tried() -> None:
    @dataclass(frozen=True)
    class Watchful(planted.PayYourBid):
        def clear(self, market, reports):
            cx.mechanisms.base.Mechanism.read_reports(self, market, reports)
            return super().clear(market, reports)

    market = pair(largest_report=1.0)
    report = audit(market, Watchful(), ["feasibility", "dsic-buyers"], budget=400)
    assert report["feasibility"].verdict == "holds"
    assert report["dsic-buyers"].verdict == "violated"
