"""What is said of votes in words: rules, tallies, and who has how many points."""

from __future__ import annotations

import numpy as np

from catallax.groups import Anonymous, Coalitions, GroupTrade, Scores, Vote, recommend
from catallax.groups.points import points_notes
from catallax.groups.rules import standing
from catallax.groups.voting_rule import NEVER


def test_rules_read_as_sentences() -> None:
    for rule, words in (
        (Scores([3, 0, 1], [2, 0], 0), "nobody"),
        (Scores([3, 0, 1], [2, 0], 7), NEVER),
        (Scores([3, 0, 1], [2, 0], 4, 1), "4 of 6 points and 1 of 3 buyers"),
        (Coalitions([]), NEVER),
        (Anonymous.from_least([3, 3, 3, 3], 2), NEVER),
        (
            Anonymous.from_least([2, 2, 1, 0], 2),
            "at least 2 sellers, or 2 buyers and 1 seller, or 3 buyers",
        ),
    ):
        assert rule.describe(3, 2) == words
    assert Scores([0], [1], 1).describe(1, 1) == "1 of 1 point"
    five = Anonymous.from_least([5, 4, 3, 2, 1, 0], 5)
    assert five.describe(5, 5).endswith("3 buyers and 2 sellers, or one of 2 further pairs")
    four = Anonymous.from_least([4, 3, 2, 1, 0], 4)
    assert four.describe(4, 4).endswith("3 buyers and 1 seller, or one further pair")
    scores = Scores([3, 0, 1], [2, 0], 4, 1)
    assert scores.tally([True, True, False], [True, False]) == (
        "2 of 3 buyers and 1 of 2 sellers, with 5 of 6 points, are in favour"
    )
    met = standing(Anonymous.from_least([2, 2, 1, 0], 2), np.ones(3, bool), np.ones(2, bool))
    assert met == " (the first, the second and the third are met)"


def test_points_are_told_with_why_some_have_none() -> None:
    priors = ["point(10)"] * 3 + ["uniform(0, 100)"] * 2 + ["uniform(40, 60)"]
    trade = GroupTrade(6, 1, priors, "uniform(100, 300)")
    rule = Scores([0, 0, 0, 50, 50, 10], [70], 100)
    first, second = points_notes(trade, Vote(50, rule))
    assert first == ("points: of the buyers 2 have 50, 1 has 10, 3 have none; the seller has 70")
    assert second.startswith("3 of 6 buyers have no points: what is believed foretells their votes")
    # A yes may also be too little to be counted: nothing foretold it.
    (_, note) = points_notes(trade, Vote(50, Scores([5, 5, 5, 50, 50, 0], [70], 100)))
    assert note.startswith("1 of 6 buyers has no points: a yes adds next to nothing")
    many = Scores([0, 1, 2, 3, 4, 50], [0], 3)
    assert points_notes(trade, Vote(50, many))[0] == (
        "points: of the buyers 5 have from 1 to 50, 1 has none; the seller has none"
    )
    assert points_notes(trade, Vote(50, "majority")) == ()
    # The recommendation prints them, in the smallest whole numbers.
    found = recommend(trade)
    assert isinstance(found.vote.rule, Scores)
    assert any(note.startswith("points: ") for note in found.notes)
    assert any("have no points" in note for note in found.notes)
    numbers = [*found.vote.rule.buyer_scores, *found.vote.rule.seller_scores]
    assert np.gcd.reduce(numbers) == 1
    assert "in favour in favour" not in found.sentence
