"""What is said of votes in words: rules, tallies, and who has how many points."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from catallax.groups import Anonymous, Coalitions, GroupTrade, Scores, Vote, points, recommend
from catallax.groups.points import _change_nothing, points_notes
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
    # Twelve digits are told as parts of all, and the numbers where they decide.
    large = Scores([3 * 10**9, 10**9], [0, 2 * 10**9], 10**9 + 1)
    assert large.describe(2, 2) == "16.6667% of all points"
    assert large.tally([False, True], [False, False]) == (
        "1 of 2 buyers and 0 of 2 sellers, with 16.6667% of all points (1,000,000,000; "
        "1,000,000,001 are needed), are in favour"
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
    large = Scores([1, 2, 3, 40_000_000, 0, 60_000_000], [100_000_000], 3)
    assert points_notes(trade, Vote(50, large))[0] == (
        "points: of the buyers 5 have from 0.00% to 30.00%, 1 has none; the seller has 50.00%"
    )
    assert points_notes(trade, Vote(50, "majority")) == ()
    # The recommendation prints them, in the smallest whole numbers.
    found = recommend(trade, rules=())
    assert isinstance(found.vote.rule, Scores)
    assert any(note.startswith("points: ") for note in found.notes)
    assert any("have no points" in note for note in found.notes)
    numbers = [*found.vote.rule.buyer_scores, *found.vote.rule.seller_scores]
    assert np.gcd.reduce(numbers) == 1
    assert "in favour in favour" not in found.sentence


def test_a_side_without_a_say_is_told() -> None:
    """Brute force over all votes; and no remedy is offered that would be refused."""
    rng = np.random.default_rng(3)
    told = 0
    for _ in range(600):
        n, m = (int(k) for k in rng.integers(1, 5, 2))
        buyers, sellers = rng.integers(0, 9, n).tolist(), rng.integers(0, 9, m).tolist()
        if not sum(buyers) + sum(sellers):
            continue
        rule = Scores(buyers, sellers, int(rng.integers(1, sum(buyers) + sum(sellers) + 2)))
        trade = GroupTrade(n, m, "uniform(0, 2)", "uniform(0, 2)")
        notes = points_notes(trade, Vote(1, rule))
        votes = [np.array(list(itertools.product([False, True], repeat=size))) for size in (n, m)]
        accepted = np.array([[bool(rule.accepts(b, s)) for s in votes[1]] for b in votes[0]])
        for idle, word, theirs in (
            ((accepted == accepted[:, :1]).all(), "buyer", sellers),
            ((accepted == accepted[:1]).all(), "seller", buyers),
        ):
            said = any(note.startswith((f"the {word} dec", f"the {word}s dec")) for note in notes)
            assert said == (idle and any(theirs) and rule.need <= rule.points)
            told += said
    assert told > 30
    many = [f"uniform(0, {2 + k / 7})" for k in range(25)]
    trade = GroupTrade(25, 1, many, "uniform(0, 30)")
    rule = Scores([*range(24), 0], [300], 400)
    assert not any("--least" in note for note in points_notes(trade, Vote(1, rule)))


@pytest.mark.parametrize("most", [0, 3, 10, 10**7])
def test_totals_are_told_by_bits_as_by_lists(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(most)
    for _ in range(100):
        others = tuple(rng.integers(0, 20, 6).tolist())
        need = int(rng.integers(0, 70))
        listed = _change_nothing(most, others, need)
        with monkeypatch.context() as changed:
            changed.setattr(points, "_ENUMERATED", 0)
            assert _change_nothing(most, others, need) == listed
