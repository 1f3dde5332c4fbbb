"""Of votes that gain the same, the one that leaves both sides best off: against a fine grid."""

from __future__ import annotations

import numpy as np
import pytest

from catallax.groups import BestVote, GroupTrade, Vote, evaluate
from catallax.groups.best_rules import rule_at
from catallax.groups.fair_price import HAIR, fairest_vote

ANSWERS = "discrete([0, 20, 100, 250], [0.25, 0.2, 0.2, 0.35])"


@pytest.mark.parametrize(
    "trade",
    [
        GroupTrade(30, 1, ANSWERS, "point(3000)"),
        GroupTrade(30, 1, ANSWERS, "uniform(1500, 4500)"),
        GroupTrade(30, 1, ANSWERS, "uniform(150, 450)"),
        GroupTrade(4, 3, "uniform(0, 1)", "exponential(0.8)"),
        GroupTrade(3, 2, ["uniform(0, 1)", "uniform(0, 2)", "uniform(0, 2)"], "uniform(0, 1)"),
    ],
    ids=["certain cost", "uncertain cost", "small cost", "small groups", "different members"],
)
def test_no_price_of_a_grid_gains_as_much_and_is_better_for_both(trade: GroupTrade) -> None:
    best = BestVote().choose(trade)
    vote = fairest_vote(trade, BestVote())
    found = evaluate(trade, vote)
    assert found.gains_from_trade >= best.gains * (1 - HAIR) - 1e-12
    assert found.ir_both >= evaluate(trade, best.vote).ir_both - HAIR
    demands = BestVote().demands(trade)
    low = min(trade.buyers.support[0], trade.sellers.support[0]) / trade.n_buyers
    high = max(prior.quantile(0.999) for prior, _ in trade.buyers.parts)
    most = 0.0
    for price in np.linspace(low, high, 101):
        at = rule_at(trade, float(price), demands)
        if at.gains >= best.gains * (1 - HAIR):
            most = max(most, evaluate(trade, Vote(float(price), at.rule())).ir_both)
    assert found.ir_both >= most - 0.01


def test_a_price_that_only_divides_the_gain_harms_nobody() -> None:
    """Kakadu's figures, in small: 200 each is as good in total, and the buyers mostly lose."""
    trade = GroupTrade(30, 1, ANSWERS, "point(3000)")
    dear = BestVote().choose(trade).vote
    fair = evaluate(trade, fairest_vote(trade, BestVote()))
    assert evaluate(trade, Vote(200, dear.rule)).ir_both < 0.5 < fair.ir_both
    assert fair.ir_sellers == 1.0
    cheap = fairest_vote(GroupTrade(30, 1, ANSWERS, "uniform(150, 450)"), BestVote())
    assert 30 * cheap.price <= 450 * (1 + HAIR)
    even = evaluate(GroupTrade(1, 1, "point(10)", "point(4)"), "best-vote")
    assert even.price == 7.0
    kept = fairest_vote(GroupTrade(1, 1, "point(10)", "point(4)"), BestVote())
    assert kept.price == 7.0


def test_a_trade_that_gains_nothing_is_left_out() -> None:
    trade = GroupTrade(3, 3, "uniform(0, 1)", "uniform(0, 1)")
    best = BestVote().choose(trade).vote
    fair = fairest_vote(trade, BestVote())
    before, after = evaluate(trade, best), evaluate(trade, fair)
    assert fair.price == best.price == 0.5
    assert after.gains_from_trade == pytest.approx(before.gains_from_trade, abs=1e-12)
    assert after.ir_both == pytest.approx(221 / 256, abs=1e-9)
    assert after.ir_both > before.ir_both
    assert fairest_vote(GroupTrade(2, 2, "uniform(0, 1)", "uniform(2, 3)"), BestVote()) == (
        BestVote().choose(GroupTrade(2, 2, "uniform(0, 1)", "uniform(2, 3)")).vote
    )


def test_demands_are_still_met() -> None:
    trade = GroupTrade(30, 1, ANSWERS, "uniform(1500, 4500)")
    for mechanism in (BestVote(0.9), BestVote(least_buyers="50%", least_sellers=1)):
        vote = fairest_vote(trade, mechanism)
        found = evaluate(trade, vote)
        if mechanism.least_better_off is not None:
            assert min(found.ir_buyers, found.ir_sellers) >= 0.9 - 1e-9
        else:
            table = vote.rule.counts(30, 1)
            assert table is not None
            assert not table[:15].any()
            assert not table[:, 0].any()
