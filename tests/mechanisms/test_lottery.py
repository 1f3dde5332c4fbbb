"""Lotteries: exact probabilities, expectations, draws, and their JSON."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

import catallax as cx
from catallax.mechanisms import Lottery


def two_outcomes() -> tuple[cx.Market, cx.Outcome, cx.Outcome]:
    market = cx.Market([{"id": "b", "bid": 5}], [{"id": "s", "ask": 1}], name="two")
    low, high = cx.mechanisms.PostedPrice(2), cx.mechanisms.PostedPrice(6)
    reports = market.require_reports()
    return market, low.clear(market, reports), high.clear(market, reports)


def test_expectations_are_weighted_sums() -> None:
    market, trade, nothing = two_outcomes()
    lottery = Lottery(market, "coin", ((Fraction(1, 4), trade), (Fraction(3, 4), nothing)))
    assert lottery.totals == lottery.expected_totals
    assert lottery.totals["trades"] == 0.25
    assert lottery.totals["gains_from_trade"] == 1.0
    assert lottery.totals["buyers_pay"] == 0.5
    assert lottery.trades["outcome"].to_list() == [0]
    assert lottery.agents["probability"].to_list() == [0.25, 0.25, 0.75, 0.75]
    assert repr(lottery).startswith("<Lottery of coin on 'two': 2 outcomes, expected gains 1,")


def test_draws_depend_on_the_seed_and_on_nothing_else() -> None:
    market, trade, nothing = two_outcomes()
    lottery = Lottery(market, "coin", ((0.25, trade), (0.75, nothing)))
    drawn = [lottery.draw(seed) for seed in range(2000)]
    share = np.mean([outcome is trade for outcome in drawn])
    assert share == pytest.approx(0.25, abs=4 * 0.433 / 2000**0.5)
    assert lottery.draw(7) is lottery.draw(7) is lottery.draw(np.random.default_rng(7))
    # The share 1/3 + 1/3 + 1/3 falls short of 1 in floats: the last outcome still comes last.
    third = Lottery(market, "coin", tuple((Fraction(1, 3), trade) for _ in range(3)))
    assert third.draw(0) is trade


def test_probabilities_must_sum_to_one() -> None:
    market, trade, nothing = two_outcomes()
    almost = Fraction(10**15 - 1, 10**15)
    for wrong in (
        (),
        ((0.5, trade),),
        ((almost, trade),),
        ((0.0, trade), (1.0, nothing)),
        ((1.5, trade), (-0.5, nothing)),
    ):
        with pytest.raises(cx.CatallaxError, match="probabilities"):
            Lottery(market, "coin", wrong)
    assert len(Lottery(market, "coin", ((0.1, trade),) * 10)) == 10


def test_json_and_sentences() -> None:
    market, trade, nothing = two_outcomes()
    lottery = Lottery(market, "coin", ((Fraction(1, 2), trade), (Fraction(1, 2), nothing)))
    written = json.loads(json.dumps(lottery.to_dict()))
    assert list(written) == ["market", "mechanism", "lottery"]
    assert [entry["probability"] for entry in written["lottery"]] == [0.5, 0.5]
    assert written["lottery"][0]["outcome"] == trade.to_dict()
    said = lottery.explain("b")
    assert said == (
        f"With probability 1/2: {trade.explain('b')} With probability 1/2: {nothing.explain('b')}"
    )
    assert Lottery(market, "sure", ((1.0, trade),)).explain("b") == trade.explain("b")
