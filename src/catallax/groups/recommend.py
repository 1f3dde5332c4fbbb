"""Which vote to hold: the best one beside what people know, with everybody's chances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from catallax.groups.ballots import side_law
from catallax.groups.base import GroupMechanism
from catallax.groups.best_price import best_price
from catallax.groups.best_vote import BestVote
from catallax.groups.evaluate import GroupEvaluation, evaluate
from catallax.groups.exact_votes import from_starts
from catallax.groups.requirements import as_fraction
from catallax.groups.rules import Majority, Quota, Unanimity, VotingRule
from catallax.groups.trade import GroupTrade
from catallax.groups.vote import Prices, Vote

__all__ = ["Alternative", "Recommendation", "priced_vote", "recommend"]

Progress = Callable[[float, str], None]

FAMILIAR: tuple[tuple[str, VotingRule], ...] = (
    ("majority", Majority()),
    ("two thirds", Quota("2/3", "2/3")),
    ("80 %", Quota("80%", "80%")),
    ("unanimity", Unanimity()),
)
"""The rules that groups know."""


@dataclass(frozen=True)
class Alternative:
    """One way to decide, and what it brings.

    Attributes
    ----------
    name
        What people call it.
    mechanism
        The mechanism.
    value
        What it brings.
    """

    name: str
    mechanism: GroupMechanism
    value: GroupEvaluation

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"name": self.name, **self.value.to_dict()}


@dataclass(frozen=True)
class Recommendation:
    """The vote to hold, and what else there is.

    Attributes
    ----------
    trade
        The groups and their priors.
    best
        The recommended vote.
    others
        What it is compared with: forced trade, and familiar rules, each at its own best price.
    """

    trade: GroupTrade
    best: Alternative
    others: tuple[Alternative, ...]

    @property
    def vote(self) -> Vote:
        """The recommended vote."""
        assert isinstance(self.best.mechanism, Vote)
        return self.best.mechanism

    @property
    def sentence(self) -> str:
        """The recommendation in words."""
        value, n, m = self.best.value, self.trade.n_buyers, self.trade.n_sellers
        if value.trade_probability <= 0 or value.gains_from_trade <= 0:
            return "Do not trade: no price and no vote is expected to bring a gain."
        receives = value.seller_receives
        at = f"{value.price:.10g} for each buyer"
        if n != m and receives is not None:
            at += f" ({receives:.10g} for each seller)"
        share = value.share_of_first_best
        kept = "" if share is None else f", {share:.1%} of all that could be gained"
        return (
            f"Vote on a trade at {at}; it takes place with {value.rule} in favour. It is expected "
            f"to gain {value.gains_from_trade:.6g}{kept}, and takes place with a chance of "
            f"{value.trade_probability:.1%}. The buyers as a group are not worse off with a chance "
            f"of {value.ir_buyers:.1%}, the sellers with {value.ir_sellers:.1%}, both with "
            f"{value.ir_both:.1%}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as `catallax groups recommend --json` prints it."""
        return {
            "recommendation": self.sentence,
            "price": self.vote.price,
            "rule": self.vote.rule.to_dict(),
            "best": self.best.to_dict(),
            "alternatives": [one.to_dict() for one in self.others],
        }


def recommend(
    trade: GroupTrade,
    *,
    least_better_off: float | None = None,
    least_buyers: object = 0,
    least_sellers: object = 0,
    rules: Sequence[tuple[str, VotingRule]] = FAMILIAR,
    progress: Progress | None = None,
) -> Recommendation:
    """Recommend a price and a voting rule.

    Parameters
    ----------
    trade
        The groups and their priors.
    least_better_off, least_buyers, least_sellers
        What the vote has to grant besides a large expected gain; see `BestVote`.
    rules
        Rules to compare it with, each at the price that is best for it.
    progress
        Called with the part that is done and what is being done.

    Returns
    -------
    Recommendation
        With exact chances.

    Examples
    --------
    >>> found = recommend(GroupTrade(3, 3, "uniform(0, 1)", "uniform(0, 1)"))
    >>> found.vote.price, [one.name for one in found.others]
    (0.5, ['forced trade', 'majority', 'two thirds', '80 %', 'unanimity'])
    """
    steps = len(rules) + 2
    done = 0

    def tell(what: str) -> None:
        nonlocal done
        if progress is not None:
            progress(done / steps, what)
        done += 1

    tell("the best vote")
    best = BestVote(least_better_off, least_buyers, least_sellers)
    vote = best.choose(trade).vote
    chosen = Alternative("best vote", vote, evaluate(trade, vote))
    tell("forced trade")
    others = [Alternative("forced trade", *_valued(trade, "forced-trade"))]
    for name, rule in rules:
        tell(name)
        others.append(Alternative(name, *_valued(trade, priced_vote(trade, rule))))
    if progress is not None:
        progress(1.0, "done")
    return Recommendation(trade, chosen, tuple(others))


def _valued(
    trade: GroupTrade, mechanism: str | GroupMechanism
) -> tuple[GroupMechanism, GroupEvaluation]:
    from catallax.groups.base import get

    made = get(mechanism)
    return made, evaluate(trade, made)


def priced_vote(trade: GroupTrade, rule: VotingRule) -> Vote:
    """Return the vote by a given rule at the price that is best for it.

    Parameters
    ----------
    trade
        The groups and their priors.
    rule
        A rule that counts votes; for others the vote is at the price of the best vote.

    Examples
    --------
    >>> priced_vote(GroupTrade(3, 3, "uniform(0, 1)", "uniform(0, 1)"), Majority()).price
    0.5
    """
    n, m = trade.n_buyers, trade.n_sellers
    least = rule.least_sellers(n, m)
    if least is None:
        return Vote(BestVote().choose(trade).vote.price, rule)

    @cache
    def gain_at(price: float) -> float:
        prices = Prices.of(as_fraction(price), n, m)
        buyers = side_law(trade.buyers, prices.least_bid)
        sellers = side_law(trade.sellers, prices.largest_ask)
        accepted = from_starts(np.searchsorted(sellers.votes, least[buyers.votes]))
        chance, sums = accepted([sellers.chance, sellers.sums])
        return float(buyers.sums @ chance + buyers.chance @ sums)

    return Vote(best_price(trade, gain_at)[0], rule)
