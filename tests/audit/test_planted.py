"""Planted faults: each is found, with a small witness that runs again and tells its story."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import catallax as cx
from catallax.audit import read_witness
from catallax.markets.families import Oracle
from catallax.mechanisms import Mechanism
from tests.audit import planted

UNIFORM = "uniform(0, 1)"
# 3 and 4 share a plateau of the virtual value, at level 1.
PLATEAU = "discrete([3, 4, 6], [0.5, 0.1, 0.4])"
COSTS = "discrete([0, 1, 3], [0.4, 0.3, 0.3])"
SPARSE = [(f"b{i}", f"s{j}") for i in range(3) for j in range(3) if (i + j) % 3]


def market(buyer=UNIFORM, seller=UNIFORM, edges=None, **options) -> cx.Market:
    rng = np.random.default_rng(5)
    return cx.Market(
        [{"id": f"b{i}", "bid": round(rng.random(), 3), "prior": buyer} for i in range(3)],
        [{"id": f"s{i}", "ask": round(rng.random(), 3), "prior": seller} for i in range(3)],
        edges,
        **options,
    )


def plateau_market() -> cx.Market:
    buyers = [{"id": f"b{i}", "bid": b, "prior": PLATEAU} for i, b in enumerate((4, 3, 6))]
    sellers = [{"id": f"s{i}", "ask": a, "prior": COSTS} for i, a in enumerate((1, 0, 3))]
    return cx.Market(buyers, sellers)


FIRST_BEST = cx.mechanisms.get("first-best")
FAULTS = [
    (planted.PayYourBid(), market(), "dsic-buyers", 2),
    (planted.PayYourBid(), market(), "dsic-sellers", 2),
    (planted.PayYourBid(), market(), "bic-buyers", 2),
    (planted.PayYourBid(), market(edges=SPARSE), "bic-sellers", 2),
    (planted.LemmaA8(), plateau_market(), "bic-sellers", 3),
    (planted.LeftEnds(), plateau_market(), "dsic-buyers", 3),
    (planted.LeftEnds(), plateau_market(), "threshold-payments", 3),
    (planted.Greedy(), market(edges=SPARSE), "dsic-buyers", 5),
    (planted.Greedy(), market(edges=SPARSE), "dsic-sellers", 5),
    (planted.PairedByReport(), market(), "partner-independence", 4),
    (planted.NotCapMonotone(), market(), "cap-monotone", 2),
    (planted.NotCapMonotone(), market(), "monotone", 3),
    (planted.NotCapMonotone(), market(), "dsic-buyers", 3),
    (FIRST_BEST, market(constraints=[planted.PairsOnly()]), "feasibility", 4),
    (planted.SlightlyOff(), market(edges=SPARSE), "dsic-buyers", 2),
    (planted.SlightlyOff(), market(edges=SPARSE), "ir-ex-post", 2),
    (planted.SlightlyOff(), market(edges=SPARSE), "threshold-payments", 2),
    (planted.Raises(), market(), "feasibility", 1),
    (planted.PaysNaN(), market(), "feasibility", 2),
    (planted.NoSuchEdge(), market(edges=SPARSE), "feasibility", 2),
]


@pytest.mark.parametrize(
    ("mechanism", "where", "name", "size"),
    FAULTS,
    ids=[f"{type(one[0]).__name__}-{one[2]}" for one in FAULTS],
)
def test_a_planted_fault_is_found_with_a_small_witness(
    mechanism: Mechanism, where: cx.Market, name: str, size: int, tmp_path: Path
) -> None:
    report = cx.audit(where, mechanism, name, budget=900 if name.startswith("bic") else 500)
    finding = report[name]
    assert finding.verdict == "violated" and finding.checked > 0
    witness = finding.witness
    assert witness is not None and witness.story == finding.story
    agents = len(witness.market.buyers) + len(witness.market.sellers)
    assert agents <= size
    # One line, which names the agent and the amounts.
    assert "\n" not in witness.story and len(witness.story) < 400
    if witness.agent is not None:
        assert f"{witness.role} {witness.agent!r}" in witness.story
    if witness.amount and name != "partner-independence":  # where it is a difference of prices
        assert f"{witness.amount:.6g}" in witness.story
    # It runs again, also after it was written and read, and the amount is the same to the bit.
    assert witness.rerun(mechanism) == witness.amount
    again = read_witness(witness.write(tmp_path / "w.json"))
    assert again.rerun(mechanism) == witness.amount
    assert again.to_dict() == witness.to_dict()
    assert again.market.equals(witness.market) or where.constraints
    # An audit of the file finds the fault again, for it looks at the file's own reports first.
    found = cx.audit(again.market, mechanism, name, budget=150)[name]
    assert found.verdict == "violated"
    # A correct mechanism passes the very case.
    if not where.constraints:
        right = "gsom" if isinstance(mechanism, planted.LeftEnds | planted.LemmaA8) else FIRST_BEST
        if name not in ("cap-monotone", "partner-independence") and name != "bic-sellers":
            assert witness.rerun(right) is None
    if name == "bic-sellers":
        assert witness.rerun("gsom-bic" if "A8" in repr(mechanism) else "first-best") is None


def test_the_story_of_pay_your_bid_is_the_textbooks() -> None:
    pair = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.3}])
    found = cx.audit(pair, planted.PayYourBid(), "dsic-sellers", budget=300)["dsic-sellers"]
    story = (
        r"seller 's' with cost (\S+) gains (\S+) by asking (\S+): "
        r"then sells for \3, at the truth sells for \1"
    )
    told = re.fullmatch(story, found.story)
    assert told is not None
    cost, gain, ask = map(float, told.groups())
    assert gain == pytest.approx(ask - cost) and gain > 0


def test_the_closed_form_of_lemma_a8_is_caught_where_the_partner_has_another_seller() -> None:
    """The paper's remark: a bid of 1, sellers at 0 and 1/2; A.7 gives 3/8, A.8 gives 1/2."""
    coin = "discrete([0, 0.25, 0.5, 0.75, 1], [0.2, 0.2, 0.2, 0.2, 0.2])"
    case = cx.Market(
        [{"id": "b", "prior": coin}],
        [{"id": "j", "prior": "discrete([0, 0.25], [0.5, 0.5])"}, {"id": "k", "prior": coin}],
    )
    wrong = cx.audit(case, planted.LemmaA8(), ["bic-sellers", "dsic-buyers"])
    assert wrong["bic-sellers"].verdict == "violated" and wrong["bic-sellers"].exact
    assert wrong["dsic-buyers"].verdict == "holds"
    right = cx.audit(case, "gsom-bic", ["bic-sellers", "weak-budget-ex-post"])
    assert {finding.verdict for finding in right} == {"holds"}


def test_a_cap_that_is_not_downward_closed_says_which_part_is_missing(tmp_path: Path) -> None:
    where = market(constraints=[planted.PairsOnly()])
    witness = cx.audit(where, "gsom", "feasibility")["feasibility"].witness
    assert "not downward closed" in witness.story
    assert witness.market.graph.n_edges == 2
    kept = json.loads(witness.write(tmp_path / "w.json").read_text())["witness"]
    assert sorted(map(len, kept["allowed"])) == [0, 2]
    # An oracle says so itself, before there is a market.
    with pytest.raises(cx.ConstraintError, match="not downward closed"):
        market(constraints=[Oracle(lambda trades: len(trades) != 1)])


def test_an_oracle_that_is_closed_becomes_a_list_in_the_witness(tmp_path: Path) -> None:
    one = Oracle(lambda trades: len(trades) <= 1)
    where = market(constraints=[one])
    ignores = planted.NoSuchEdge()
    found = cx.audit(where, ignores, "feasibility", budget=300)["feasibility"]
    assert found.verdict == "violated" and "not feasible" in found.story
    file = cx.Market.read(found.witness.write(tmp_path / "w.json"))
    (constraint,) = file.constraints
    assert constraint["kind"] == "family"
    assert cx.audit(file, ignores, "feasibility", budget=50)["feasibility"].verdict == "violated"


def test_a_hidden_coin_is_noticed() -> None:
    found = cx.audit(market(), planted.HiddenCoin(), "feasibility", budget=100)["feasibility"]
    assert found.verdict == "violated" and "does not always do the same" in found.story
    assert found.witness.rerun(planted.HiddenCoin()) == 0.0
    assert found.witness.rerun("first-best") is None


def test_what_goes_wrong_in_a_mechanism_is_a_finding_and_no_crash_of_ours() -> None:
    for mechanism, words in (
        (planted.Raises(), "it raises ZeroDivisionError: division by zero"),
        (planted.PaysNaN(), "pays nan"),
        (planted.NoSuchEdge(), "who have no edge"),
    ):
        report = cx.audit(market(edges=SPARSE), mechanism, budget=600)
        assert words in report["feasibility"].story
        assert report["feasibility"].worst == 0.0
        json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.parametrize(("bid", "least", "off"), [(0.6, 0.7, 0.6), (0.5, 0.0, 0.0)])
def test_whoever_meets_the_stated_report_and_does_not_trade_is_found(bid, least, off) -> None:
    pair = cx.Market([{"id": "b", "bid": bid}], [{"id": "s", "ask": 0.5}])
    mechanism = planted.StrictWords(least)
    finding = cx.audit(pair, mechanism, "threshold-payments", budget=100).findings[0]
    assert finding.verdict == "violated"
    assert (
        "does not trade, though the mechanism's reasons say that a bid of 0 would" in finding.story
    )
    assert finding.witness.rerun(mechanism) == finding.worst == off
    assert finding.witness.rerun("first-best") is None
