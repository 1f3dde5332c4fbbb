"""Surveys to priors to recommended votes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catallax.errors import CatallaxError, PriorError, UnknownNameError
from catallax.groups import (
    GroupReports,
    GroupTrade,
    Vote,
    evaluate,
    priced_vote,
    read_survey,
    recommend,
)
from catallax.groups.rules import Majority, Unanimity

ANSWERS = "who,wtp_low,wtp_high,weight\nann,0,10,1\nbob,10,20,2\ncy,10,,1\n\ndee,20,50,1\n"
SHARED = Path(__file__).parents[3] / "shared" / "data"


def write(folder: Path, text: str) -> Path:
    path = folder / "park.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_answers_and_their_priors(tmp_path: Path) -> None:
    answers = read_survey(write(tmp_path, ANSWERS), weights="weight")
    assert answers.low.tolist() == [0, 10, 10, 20]
    assert answers.high.tolist() == [10, 20, np.inf, 50]
    values = answers.prior("buyer")
    assert values.mean < 20
    with pytest.raises(PriorError, match="no upper end"):
        read_survey(write(tmp_path, "low,high\n0,1\n1,\n")).prior("seller")
    costs = read_survey(write(tmp_path, "low,high\n0,1\n1,\n")).prior("seller", highest=4)
    assert costs.atoms[0].tolist() == [1, 4]
    assert costs.mean == 2.5
    with pytest.raises(PriorError, match="not below any answer"):
        read_survey(write(tmp_path, "low,high\n0,1\n1,\n")).prior("seller", highest=0.5)


@pytest.mark.parametrize(
    ("text", "arguments", "error", "parts"),
    [
        ("low,high\n0,1\n5,2\n", {}, PriorError, ["line 3", "high = 2", "low = 5"]),
        ("low,high\n0,1\n\n5,2\n", {}, PriorError, ["line 4"]),
        ("low,high\n0,x\n", {}, PriorError, ["line 2", "'x'"]),
        ("low,high\n,1\n", {}, PriorError, ["line 2", "low is empty"]),
        ("a,b\n0,1\n", {}, UnknownNameError, ["'low'", "--low"]),
        ("low,wtp_low,high\n0,0,1\n", {}, UnknownNameError, ["2 columns"]),
        ("low,high\n", {}, UnknownNameError, ["no answers"]),
        (ANSWERS, {"rows": {"whom": "ann"}}, UnknownNameError, ["who"]),
        (ANSWERS, {"rows": {"who": "anna"}}, UnknownNameError, ["'ann'"]),
        (ANSWERS, {"weights": "weights"}, PriorError, ["weight"]),
        (ANSWERS, {"low": "lo"}, PriorError, ["'lo'"]),
    ],
)
def test_bad_surveys(tmp_path: Path, text: str, arguments, error, parts) -> None:
    with pytest.raises(error) as caught:
        read_survey(write(tmp_path, text), **arguments)
    assert "\n" not in str(caught.value)
    for part in ("park.csv", *parts):
        assert part in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match="does not exist"):
        read_survey(tmp_path / "none.csv")


def test_a_familiar_rule_gets_its_best_price() -> None:
    trade = GroupTrade(4, 3, "uniform(0, 1)", "exponential(0.5)")
    for rule in (Majority(), Unanimity()):
        best = evaluate(trade, priced_vote(trade, rule)).gains_from_trade
        for price in np.linspace(0.02, 0.98, 25):
            other = evaluate(trade, "vote", price=float(price), rule=rule)
            assert other.gains_from_trade <= best + 1e-9


def test_a_recommendation_says_what_it_brings() -> None:
    seen = []
    trade = GroupTrade(5, 2, "uniform(0, 1)", "uniform(0, 2)")
    found = recommend(trade, progress=lambda part, what: seen.append(part))
    assert seen[-1] == 1.0
    best = found.best.value
    for other in found.others:
        assert other.value.gains_from_trade * (1 - 1e-3) <= best.gains_from_trade
    assert f"{found.vote.price:.10g} for each buyer" in found.sentence
    assert found.to_dict()["best"]["ir_both"] == best.ir_both
    nothing = recommend(GroupTrade(2, 2, "uniform(0, 1)", "uniform(2, 3)"))
    assert nothing.sentence.startswith("Do not trade")


def test_the_words_say_who_may_be_worse_off_and_who_is_overruled() -> None:
    trade = GroupTrade(20, 1, "discrete([0, 100, 250], [0.2, 0.4, 0.4])", "point(2000)")
    found = recommend(trade, rules=(), currency="AUD")
    assert not found.warnings
    assert "AUD for each buyer (" in found.sentence
    assert "AUD for the seller)" in found.sentence
    assert "for the buyers as a group and" in found.sentence
    at_200 = replace(found.best, mechanism=Vote(200), value=evaluate(trade, Vote(200)))
    lines = replace(found, best=at_200).warnings
    assert [line.split(" would ")[0] for line in lines] == ["the seller"]
    assert "4000" in lines[0]
    assert "2000" in lines[0]
    forced = evaluate(trade, Vote(200, "quota(0, 0)"))
    lines = replace(found, best=replace(at_200, value=forced)).warnings
    assert "buyers as a group are probably worse off" in lines[0]
    assert all("--least-better-off" in line for line in lines)
    plain = found.to_dict()
    assert plain["warnings"] == []
    assert plain["currency"] == "AUD"


def test_a_side_that_can_be_overruled_is_told() -> None:
    one = recommend(GroupTrade(20, 1, "uniform(0, 100)", "uniform(500, 1500)"), rules=())
    least = one.vote.rule.least_sellers(20, 1)
    assert least is not None
    alone = int(np.flatnonzero(least == 0)[0])
    some = int(np.flatnonzero(least <= 1)[0])
    assert 0 < some < 10
    assert one.notes[1:] == (
        f"{alone} buyers in favour decide even against the seller; --least-sellers 1 lets nobody "
        "be overruled",
        f"{some} of 20 buyers can decide for all; --least-buyers 50% asks for half",
    )
    consent = recommend(
        GroupTrade(20, 1, "uniform(0, 100)", "uniform(500, 1500)"), least_sellers=1, rules=()
    )
    assert len(consent.notes) == 2 and "can decide for all" in consent.notes[1]
    half = recommend(
        GroupTrade(20, 1, "uniform(0, 100)", "uniform(500, 1500)"), least_buyers="50%",
        least_sellers=1, rules=(),
    )  # fmt: skip
    assert [note[:13] for note in half.notes] == ["if it trades,"]
    both = recommend(GroupTrade(5, 5, "uniform(0.11, 0.91)", "uniform(0.09, 0.89)"), rules=())
    assert ["all 5 sellers" in note for note in both.notes[1:]] == [True, False]
    assert ["all 5 buyers" in note for note in both.notes[1:]] == [False, True]


def test_who_loses_in_a_trade_is_told_as_all_profiles_say() -> None:
    values, weights = [0.0, 1.0, 3.0], [0.25, 0.5, 0.25]
    costs, chances = [0.5, 1.5, 4.0], [0.5, 0.375, 0.125]
    trade = GroupTrade(3, 2, f"discrete({values}, {weights})", f"discrete({costs}, {chances})")
    found = recommend(trade, rules=())
    traded, loses = 0.0, np.zeros(2)
    for bids in itertools.product(range(3), repeat=3):
        for asks in itertools.product(range(3), repeat=2):
            v, c = np.array(values)[list(bids)], np.array(costs)[list(asks)]
            one = found.vote.decide(trade, GroupReports(v, c))
            chance = np.prod(np.array(weights)[list(bids)]) * np.prod(np.array(chances)[list(asks)])
            traded += chance * one.x
            worse = one.buyer_utilities(v).sum() < 0, one.seller_utilities(c).sum() < 0
            loses += chance * np.array(worse)
    told = found.loses_if_traded
    assert 0 < loses.max() < traded
    assert [told["buyers"], told["sellers"]] == pytest.approx(loses / traded, abs=1e-9)
    assert found.to_dict()["loses_if_traded"] == told
    assert found.notes[0] == (
        f"if it trades, the buyers as a group lose with a chance of {told['buyers']:.1%}, the "
        f"sellers as a group with {told['sellers']:.1%}"
    )
    never = recommend(GroupTrade(1, 1, "point(1)", "point(2)"), rules=())
    assert never.loses_if_traded == {"buyers": None, "sellers": None}
    assert never.notes == ()


def test_a_table_of_several_surveys_is_noticed(tmp_path: Path) -> None:
    text = "who,study,year,low,high\n" + "".join(
        f"p{k},{'ab'[k % 2]},{2000 + k % 2},{k},{k + 5}\n" for k in range(8)
    )
    answers = read_survey(write(tmp_path, text))
    assert answers.mixed == (("study", 2),)
    assert answers.table_rows == len(answers) == 8
    some = read_survey(write(tmp_path, text), rows={"study": "a"})
    assert (some.mixed, len(some), some.table_rows) == ((), 4, 8)


@pytest.mark.parametrize(
    ("name", "mean"),
    [("kakadu_major", 111.5), ("kakadu_minor", 99.5), ("exxon_valdez", 54.1),
     ("albemarle_pamlico", 154.3), ("alentejo_park", 19.4), ("swedish_forests", 2141.8),
     ("us_carbon_tax", 89.2)],
)  # fmt: skip
def test_known_means_of_real_surveys(name: str, mean: float) -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared data is not here")
    answers = read_survey(SHARED / "cv_wtp_intervals.csv", weights="weight", rows={"dataset": name})
    assert answers.prior("buyer").mean == pytest.approx(mean, abs=0.06)


def test_kakadu_from_answers_to_a_vote() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared data is not here")
    answers = read_survey(
        SHARED / "cv_wtp_intervals.csv", weights="weight", rows={"dataset": "kakadu_major"}
    )
    trade = GroupTrade(100, 1, answers.prior("buyer"), "uniform(5000, 15000)")
    found = recommend(trade, rules=())
    checked = evaluate(trade, found.vote, monte_carlo=20_000, rng=0)
    assert checked.check is not None
    for name in ("ir_buyers", "ir_sellers", "ir_both", "gains_from_trade"):
        error = checked.check.stderr[name]
        assert abs(getattr(checked.check, name) - getattr(checked, name)) < 5 * error
    assert checked.share_of_first_best is not None
    assert checked.share_of_first_best > 0.9


def test_mugs_have_both_sides() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared data is not here")
    path = SHARED / "mug_wta_wtp_mexico.csv"
    good = {"monotone": "1", "complete": "1"}
    asked = read_survey(path, rows=good | {"condition": "owner_sells"})
    offered = read_survey(path, rows=good | {"condition": "nonowner_buys"})
    trade = GroupTrade(10, 10, offered.prior("buyer"), asked.prior("seller", highest=1000))
    with pytest.raises(CatallaxError):
        evaluate(trade, "vote")
    assert recommend(trade, rules=()).best.value.gains_from_trade >= 0


def test_a_value_that_is_known_is_an_atom(tmp_path) -> None:
    answers = read_survey(write(tmp_path, "low,high\n5,5\n0,4\n5,9\n5,5\n"))
    values = answers.prior("buyer")
    assert values.atoms[0].tolist() == [0.0, 5.0]
    assert values.atoms[1].tolist() == pytest.approx([0.25, 0.75], abs=1e-9)
    costs = answers.prior("seller")
    assert costs.atoms[0].tolist() == [4.0, 5.0]
