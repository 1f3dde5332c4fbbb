"""Who has how many points in a vote that adds points up, and why some have none."""

from __future__ import annotations

from collections import Counter

from catallax.groups.score_rules import Scores
from catallax.groups.sums.draws.voters import voters_of
from catallax.groups.trade import GroupTrade
from catallax.groups.vote import Vote

__all__ = ["points_notes"]

_LISTED = 3
"""Up to so many different numbers of points on a side are told one by one."""


def points_notes(trade: GroupTrade, vote: Vote) -> tuple[str, ...]:
    """Say who has how many points, and why some members have none.

    Parameters
    ----------
    trade
        The groups and their priors.
    vote
        The vote; there is something to say only if its rule adds up points.

    Returns
    -------
    tuple of str
        Notes without their full stops.

    Examples
    --------
    >>> priors = ["uniform(0, 2)", "uniform(0, 4)", "point(1)"]
    >>> trade = GroupTrade(3, 1, priors, "uniform(0, 3)")
    >>> for note in points_notes(trade, Vote(1, Scores([10, 20, 0], [15], 25))):
    ...     print(note)
    points: of the buyers 1 has 20, 1 has 10, 1 has none; the seller has 15
    1 of 3 buyers has no points: what is believed foretells that vote at this price, so it tells \
nothing; --least-buyers asks for a number in favour besides
    """
    rule = vote.rule
    if not isinstance(rule, Scores) or not rule.points:
        return ()
    prices = vote.prices(trade)
    sides = (
        (trade.buyers, rule.buyer_scores, prices.least_bid),
        (trade.sellers, rule.seller_scores, prices.largest_ask),
    )
    notes = [f"points: {'; '.join(_who(group.word, scores) for group, scores, _ in sides)}"]
    for group, scores, price in sides:
        none = {position for position, score in enumerate(scores) if score == 0}
        if not none:
            continue
        known = sum(
            len(none.intersection(part.positions.tolist()))
            for kind, part in zip(voters_of(group, price), group.parts, strict=True)
            if kind.chance <= 0 or kind.refusal <= 0
        )
        one, word = len(none) == 1, group.word
        why = [
            *(["what is believed foretells " + ("that vote" if one else "their votes")
               + f" at this price, so {'it tells' if one else 'they tell'} nothing"]
              if known else []),
            *([f"{'a' if one or not known else 'the'} yes "
               f"{'adds' if one or not known else 'of others adds'} next to nothing to what is "
               "expected"] if known < len(none) else []),
        ]  # fmt: skip
        notes.append(
            f"{len(none):,} of {group.size:,} {word}s {'has' if one else 'have'} no points: "
            f"{', and '.join(why)}; --least-{word}s asks for a number in favour besides"
        )
    return tuple(notes)


def _who(word: str, scores: tuple[int, ...]) -> str:
    """Say how many members of a side have how many points, most points first."""
    if len(scores) == 1:
        return f"the {word} has {_count(scores[0])}"
    counts = sorted(Counter(scores).items(), reverse=True)
    if len(counts) == 1:
        return f"each {word} has {_count(scores[0])}"
    if len(counts) <= _LISTED:
        told = [f"{many:,} {_has(many)} {_count(score)}" for score, many in counts]
    else:
        some = [score for score in scores if score]
        told = [f"{len(some):,} have from {min(some):,} to {max(some):,}"]
        if len(some) < len(scores):
            none = len(scores) - len(some)
            told.append(f"{none:,} {_has(none)} none")
    return f"of the {word}s {', '.join(told)}"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _count(points: int) -> str:
    return f"{points:,}" if points else "none"
