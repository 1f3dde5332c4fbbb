"""What a vote at a price brings, exactly: sums over the votes of both sides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError
from catallax.groups.ballots import MOST_TOTALS, SideLaw, kinds_law, side_law
from catallax.groups.rules import VotingRule
from catallax.groups.score_rules import Scores
from catallax.groups.trade import Group, GroupTrade
from catallax.groups.vote import Prices, Vote
from catallax.groups.weighted_rules import WeightedQuota, WholeShares

__all__ = ["Accepted", "VoteValues", "exact_vote", "expected_gain"]

Array = NDArray[np.float64]

# Rules that look at who is in favour are summed over all sets of so many members a side.
_MOST_MEMBERS = 12


@dataclass(frozen=True)
class VoteValues:
    """What a vote brings in expectation.

    Attributes
    ----------
    trade_probability
        Of a trade.
    buyers_sum, sellers_sum
        The expected total value of the buyers, and minus the expected total cost of the sellers,
        both on the event of a trade; in money.
    better_off_buyers, better_off_sellers, better_off_both
        The probability that a side's total utility is nonnegative, and that both are.
    error
        Bounds the error of these probabilities.
    """

    trade_probability: float
    buyers_sum: float
    sellers_sum: float
    better_off_buyers: float
    better_off_sellers: float
    better_off_both: float
    error: float


Accepted = Callable[[list[Array]], list[Array]]
"""From arrays over sellers' rows to their sums over the rows that trade, for each buyers' row."""


def exact_vote(vote: Vote, trade: GroupTrade) -> VoteValues | None:
    """Return what a vote brings, or None where there is no exact law.

    Parameters
    ----------
    vote
        The price and the rule.
    trade
        The groups.

    Returns
    -------
    VoteValues or None
        None for rules that look at who is in favour in groups of more than 12 a side, and for
        shares in units so small that their sums cannot be listed.
    """
    prices = vote.prices(trade)
    vote.rule.check(trade.n_buyers, trade.n_sellers)
    for how in (_by_counts, _by_shares, _by_scores, _by_sets):
        found = how(vote.rule, trade, prices)
        if found is not None:
            buyers, sellers, accepted = found
            return _values(buyers, sellers, accepted)
    return None


def _values(buyers: SideLaw, sellers: SideLaw, accepted: Accepted) -> VoteValues:
    """Sum over the rows of both sides that trade."""
    assert buyers.reached is not None
    assert sellers.reached is not None
    chance, sums, reached, worse = accepted(
        [sellers.chance, sellers.sums, sellers.reached, sellers.worse]
    )
    trades = math.fsum(buyers.chance * chance)
    return VoteValues(
        trade_probability=_probability(trades),
        buyers_sum=math.fsum(buyers.sums * chance),
        sellers_sum=math.fsum(buyers.chance * sums),
        better_off_buyers=_probability(1.0 - math.fsum(buyers.worse * chance)),
        better_off_sellers=_probability(1.0 - math.fsum(buyers.chance * worse)),
        better_off_both=_probability(1.0 - trades + math.fsum(buyers.reached * reached)),
        error=buyers.error + sellers.error + 1e-15 * (buyers.chance.size + sellers.chance.size),
    )


def _probability(number: float) -> float:
    return min(max(number, 0.0), 1.0)


Found = tuple[SideLaw, SideLaw, Accepted] | None


def both_laws(
    trade: GroupTrade,
    prices: Prices,
    weights: tuple[tuple[int, ...] | None, tuple[int, ...] | None] = (None, None),
) -> tuple[SideLaw, SideLaw]:
    """Return the laws of both sides' votes, with the chances of being better off."""
    total = float(prices.pays * trade.n_buyers)
    return (
        side_law(trade.buyers, prices.least_bid, weights[0], total),
        side_law(trade.sellers, prices.largest_ask, weights[1], total),
    )


def from_starts(starts: NDArray[np.integer]) -> Accepted:
    """Accept, for each buyers' row, the sellers' rows from a place on."""

    def accepted(columns: list[Array]) -> list[Array]:
        tails = [np.append(np.cumsum(column[::-1])[::-1], 0.0) for column in columns]
        return [tail[starts] for tail in tails]

    return accepted


def _by_counts(rule: VotingRule, trade: GroupTrade, prices: Prices) -> Found:
    least = rule.least_sellers(trade.n_buyers, trade.n_sellers)
    if least is None:
        return None
    buyers, sellers = both_laws(trade, prices)
    return buyers, sellers, from_starts(np.searchsorted(sellers.votes, least[buyers.votes]))


def _by_shares(rule: VotingRule, trade: GroupTrade, prices: Prices) -> Found:
    if not isinstance(rule, WeightedQuota):
        return None
    sides = [_smallest(side) for side in rule.sides(trade.n_buyers, trade.n_sellers)]
    if any(side.total > MOST_TOTALS for side in sides):
        return None
    buyers, sellers = both_laws(trade, prices, (sides[0].weights, sides[1].weights))
    start = int(np.searchsorted(sellers.votes, sides[1].need))
    starts = np.where(buyers.votes >= sides[0].need, start, sellers.votes.size)
    return buyers, sellers, from_starts(starts)


def _smallest(side: WholeShares) -> WholeShares:
    """Return shares in the largest unit that keeps them whole."""
    unit = math.gcd(*side.weights) or 1
    weights = tuple(weight // unit for weight in side.weights)
    return WholeShares(weights, -(-side.need // unit), side.unit)


def expected_gain(rule: Scores, trade: GroupTrade, prices: Prices) -> float:
    """Return the expected gain of a rule that adds scores up, without the law of the sums.

    Raises
    ------
    CatallaxError
        If too many sums of scores would have to be told apart.
    """
    found = _scored(rule, trade, prices, None)
    if found is None:
        raise CatallaxError(
            "members of so many different priors cannot be told apart while a number of them has "
            "to be in favour; demand none, or give members fewer different priors"
        )
    buyers, sellers, accepted = found
    chance, sums = accepted([sellers.chance, sellers.sums])
    return math.fsum(buyers.sums * chance) + math.fsum(buyers.chance * sums)


def _by_scores(rule: VotingRule, trade: GroupTrade, prices: Prices) -> Found:
    if not isinstance(rule, Scores):
        return None
    return _scored(rule, trade, prices, float(prices.pays * trade.n_buyers))


def _scored(rule: Scores, trade: GroupTrade, prices: Prices, total: float | None) -> Found:
    rows = []
    given = (
        (trade.buyers, prices.least_bid, rule.buyer_scores, rule.least_buyers),
        (trade.sellers, prices.largest_ask, rule.seller_scores, rule.least_sellers_),
    )
    for group, price, scores, least in given:
        found = _score_rows(group, price, scores, least, total)
        if found is None:
            return None
        rows.append(found)
    (buyers, first), (sellers, second) = rows
    order = np.argsort(second, kind="stable")
    starts = np.searchsorted(second[order], rule.need - first)
    # A row that has not the votes its own side needs stands below everything.
    accepted = from_starts(np.where(first > _NEVER // 2, starts, second.size))
    return buyers, sellers, lambda columns: accepted([column[order] for column in columns])


_NEVER = -(2**62)


def _score_rows(
    group: Group, price: float, scores: tuple[int, ...], least: int, total: float | None
) -> tuple[SideLaw, NDArray[np.int64]] | None:
    """Return a side's law and the score of each row, far below 0 where too few are in favour."""
    listed = _by_kind(group, scores)
    found = None if listed is None else kinds_law(group, price, total)
    if found is not None and listed is not None:
        law, counts, _ = found
        score = counts @ listed
        return law, np.where(counts.sum(axis=1) >= least, score, _NEVER)
    # All weights in the largest unit; how many are in favour is then not known.
    unit = math.gcd(*scores) or 1
    if least > 0 or sum(scores) // unit > MOST_TOTALS:
        return None
    law = side_law(group, price, tuple(score // unit for score in scores), total)
    return law, law.votes * unit


def _by_kind(group: Group, scores: tuple[int, ...]) -> NDArray[np.int64] | None:
    """Return the score of each kind of members, if members of one kind have the same."""
    given = np.array(scores, dtype=np.int64)
    found = []
    for _, who in group.parts:
        kinds = np.unique(given[who])
        if kinds.size > 1:
            return None
        found.append(int(kinds[0]))
    return np.array(found, dtype=np.int64)


def _by_sets(rule: VotingRule, trade: GroupTrade, prices: Prices) -> Found:
    """Sum over all sets of members, for rules that look at who they are."""
    n, m = trade.n_buyers, trade.n_sellers
    if max(n, m) > _MOST_MEMBERS:
        return None
    marks = tuple(1 << k for k in range(n)), tuple(1 << k for k in range(m))
    buyers, sellers = both_laws(trade, prices, marks)
    first = _sets(buyers, n)
    second = _sets(sellers, m)
    table = np.array(
        [rule.accepts(np.broadcast_to(row, (len(second), n)), second) for row in first]
    )

    def accepted(columns: list[Array]) -> list[Array]:
        return [table @ column for column in columns]

    return buyers, sellers, accepted


def _sets(law: SideLaw, size: int) -> NDArray[np.bool_]:
    """Return who is in favour in each row, shape (rows, members)."""
    return (law.votes[:, None] >> np.arange(size)) & 1 == 1
