"""Who has how many points in a vote that adds points up, and why some have none."""

from __future__ import annotations

from collections import Counter

from catallax.groups.ballots import kinds_law
from catallax.groups.score_rules import MOST_TOLD, Scores
from catallax.groups.sums.draws.voters import voters_of
from catallax.groups.trade import GroupTrade
from catallax.groups.vote import Vote

__all__ = ["points_notes"]

_ENUMERATED, _BITS = 14, 1 << 20
"""Of so many members all totals are listed, and totals up to here are told by a bit each."""
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
    told = [_who(group.word, scores, rule.points) for group, scores, _ in sides]
    notes = [f"points: {'; '.join(told)}"]
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
        # Of members of many priors numbers in favour are not told apart: then nothing is offered.
        offer = f"; --least-{word}s asks for a number in favour besides"
        notes.append(
            f"{len(none):,} of {group.size:,} {word}s {'has' if one else 'have'} no points: "
            f"{', and '.join(why)}{offer if kinds_law(group, price) is not None else ''}"
        )
    return (*_without_say(rule, trade), *notes)


def _without_say(rule: Scores, trade: GroupTrade) -> list[str]:
    """Name the side whose votes change nothing, if there is one."""
    if rule.least_buyers or rule.least_sellers_ or not 0 < rule.need <= rule.points:
        return []
    found = []
    sides = ((trade.buyers, rule.buyer_scores), (trade.sellers, rule.seller_scores))
    for (own, mine), (other, theirs) in (sides, sides[::-1]):
        if not any(mine):
            continue  # that nobody there has points is said already
        if _change_nothing(sum(mine), theirs, rule.need):
            who = f"the {other.word} decides" if other.size == 1 else f"the {other.word}s decide"
            votes = f"no {own.word}'s vote" if own.size > 1 else f"the {own.word}'s vote does not"
            found.append(
                f"{who} alone: {votes} {'can change' if own.size > 1 else 'change'} what is decided"
            )
    return found


def _change_nothing(most: int, others: tuple[int, ...], need: int) -> bool:
    """Tell whether up to so many points more never bring a total of others' points to the need."""
    some = [score for score in others if score]
    if len(some) <= _ENUMERATED:
        totals = {0}
        for score in some:
            totals |= {total + score for total in totals}
        return not any(need - most <= total < need for total in totals)
    if sum(some) > _BITS:
        return False  # not worth the time to tell
    reached = 1  # a bit for each total there may be
    for score in some:
        reached |= reached << score
    low = max(need - most, 0)
    return low >= need or (reached >> low) & ((1 << (need - low)) - 1) == 0


def _who(word: str, scores: tuple[int, ...], whole: int) -> str:
    """Say how many members of a side have how many points of all, most points first."""
    if len(scores) == 1:
        return f"the {word} has {_count(scores[0], whole)}"
    counts = sorted(Counter(scores).items(), reverse=True)
    if len(counts) == 1:
        return f"each {word} has {_count(scores[0], whole)}"
    if len(counts) <= _LISTED:
        told = [f"{many:,} {_has(many)} {_count(score, whole)}" for score, many in counts]
    else:
        some = [score for score in scores if score]
        ends = [_count(score, whole) for score in (min(some), max(some))]
        told = [f"{len(some):,} have from {ends[0]} to {ends[1]}"]
        if len(some) < len(scores):
            none = len(scores) - len(some)
            told.append(f"{none:,} {_has(none)} none")
    return f"of the {word}s {', '.join(told)}"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _count(points: int, whole: int) -> str:
    if points and whole > MOST_TOLD:
        return f"{points / whole:.2%}"
    return f"{points:,}" if points else "none"
