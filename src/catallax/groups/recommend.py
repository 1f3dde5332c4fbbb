"""Which vote to hold: the best one beside what people know, with everybody's chances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from catallax.groups.ballots import SideLaw, side_law
from catallax.groups.base import GroupMechanism
from catallax.groups.best_price import best_price
from catallax.groups.best_vote import BestVote
from catallax.groups.evaluate import GroupEvaluation, evaluate
from catallax.groups.exact_votes import from_starts
from catallax.groups.fair_price import HAIR, fairest_vote
from catallax.groups.member import Member
from catallax.groups.points import points_notes
from catallax.groups.problem import GroupProblem
from catallax.groups.requirements import as_fraction
from catallax.groups.rules import Majority, Quota, Unanimity, VotingRule
from catallax.groups.sums.series.streamed import quickly
from catallax.groups.trade import GroupTrade
from catallax.groups.vote import Prices, Vote
from catallax.progress import Progress

__all__ = ["FAMILIAR", "Alternative", "Recommendation", "priced_vote", "recommend"]

FAMILIAR: tuple[tuple[str, VotingRule], ...] = (
    ("majority", Majority()),
    ("two thirds", Quota("2/3", "2/3")),
    ("80%", Quota("80%", "80%")),
    ("unanimity", Unanimity()),
)
"""The rules that groups know."""

_CERTAIN = 1.0 - 1e-9  # a chance that differs from 1 by the bound of its error


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
        What it is compared with: the vote with the largest gain of all, if it is another one;
        forced trade; and familiar rules, each at its own best price.
    currency
        What amounts are in.
    """

    trade: GroupTrade
    best: Alternative
    others: tuple[Alternative, ...]
    currency: str = ""

    @property
    def vote(self) -> Vote:
        """The recommended vote."""
        assert isinstance(self.best.mechanism, Vote)
        return self.best.mechanism

    @property
    def sentence(self) -> str:
        """The recommendation in words."""
        value, n, m = self.best.value, self.trade.n_buyers, self.trade.n_sellers
        if not self._trades:
            return "Do not trade: no price and no vote is expected to bring a gain."
        unit = f" {self.currency}" if self.currency else ""
        receives = value.seller_receives
        at = f"{value.price:.10g}{unit} for {'each' if n > 1 else 'the'} buyer"
        if n != m and receives is not None:
            at += f" ({receives:.10g}{unit} for {'each' if m > 1 else 'the'} seller)"
        share = value.share_of_first_best
        kept = "" if share is None else f", {share:.1%} of all that could be gained"
        sides = f"{_amount(value.buyers_utility, value)} for the {_side('buyer', n)}"
        sides += f" and {_amount(value.sellers_utility, value)} for the {_side('seller', m)}"
        return (
            f"Vote on a trade at {at}; it takes place {self._condition}. It is expected "
            f"to gain {value.gains_from_trade:.6g}{unit}{kept}: {sides}. It takes place with a "
            f"chance of {value.trade_probability:.1%}. {self._not_worse_off}"
        )

    @property
    def _condition(self) -> str:
        rule = self.best.value.rule
        return "whatever anybody votes" if rule == "nobody" else f"with {rule} in favour"

    @property
    def _not_worse_off(self) -> str:
        value, n, m = self.best.value, self.trade.n_buyers, self.trade.n_sellers
        if value.ir_both >= _CERTAIN:
            return "Neither side as a whole is worse off."
        return (
            f"The {_side('buyer', n)} {_are(n)} not worse off with a chance of "
            f"{value.ir_buyers:.1%}, the {_side('seller', m)} with {value.ir_sellers:.1%}, both "
            f"with {value.ir_both:.1%}."
        )

    @property
    def _trades(self) -> bool:
        value = self.best.value
        return value.trade_probability > 0 and value.gains_from_trade > 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against the recommended vote, a line each: who is probably worse off."""
        if not self._trades:
            return ()
        value, n, m = self.best.value, self.trade.n_buyers, self.trade.n_sellers
        said = [
            f"the {_side(word, size)} {_are(size)} probably worse off: a chance of {chance:.1%} "
            "not to be; --least-better-off 0.8 demands four in five of either side"
            for word, size, chance in (
                ("buyer", n, value.ir_buyers),
                ("seller", m, value.ir_sellers),
            )
            if chance < 0.5
        ]
        largest = self.trade.sellers.support[1]
        paid = n * self.vote.price
        if paid > largest + HAIR * abs(largest):
            said.append(
                f"the {_side('seller', m)} would be paid {paid:.10g} in all, more than the largest "
                f"possible cost of {largest:.10g}; try --least-better-off 0.9, or agree on a "
                "lower price"
            )
        return tuple(said)

    @property
    def loses_if_traded(self) -> dict[str, float | None]:
        """The chance of each side as a whole to be worse off, given that a trade takes place.

        Without a trade nobody is worse off. None where a trade is next to impossible.
        """
        value = self.best.value
        traded = value.trade_probability
        if not self._trades or traded <= 100 * value.error_bound:
            return {"buyers": None, "sellers": None}
        sides = {"buyers": value.ir_buyers, "sellers": value.ir_sellers}
        return {side: min(max((1.0 - ok) / traded, 0.0), 1.0) for side, ok in sides.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader may miss: who loses in a trade, and who can decide for all others."""
        n, m = self.trade.n_buyers, self.trade.n_sellers
        said = []
        loses = self.loses_if_traded
        if (
            loses["buyers"] is not None
            and loses["sellers"] is not None
            and self.best.value.ir_both < _CERTAIN
        ):
            said.append(
                f"if it trades, the {_side('buyer', n)} {_lose(n)} with a chance of "
                f"{loses['buyers']:.1%}, the {_side('seller', m)} with {loses['sellers']:.1%}"
            )
        if self._trades:
            said += points_notes(self.trade, self.vote)
        least = self.vote.rule.least_sellers(n, m)
        if least is None or not self._trades:
            return tuple(said)
        alone = np.flatnonzero(least == 0)
        if alone.size:
            said.append(_overruled(int(alone[0]), "buyer", m, "seller"))
        if least[0] <= m:
            said.append(_overruled(int(least[0]), "seller", n, "buyer"))
        enough = np.flatnonzero(least <= m)
        for count, size, word in ((int(enough[0]), n, "buyer"), (int(least[-1]), m, "seller")):
            # Where none is needed, the other side overrules this one, which is said already.
            if 0 < 2 * count < size:
                said.append(
                    f"{count} of {size} {word}s can decide for all; --least-{word}s 50% asks for "
                    "half"
                )
        return tuple(said)

    def to_problem(self, problem: GroupProblem | None = None, name: str = "vote") -> GroupProblem:
        """Return the recommended vote as what a group file holds, ready for reports.

        Parameters
        ----------
        problem
            Whose members vote; without it they are numbered.
        name
            What to call it, where there is no problem.
        """
        vote = {"mechanism": "vote", "price": self.vote.price, "rule": self.vote.rule}
        if problem is not None:
            return replace(problem, **vote, currency=self.currency, parameters={}, where="")
        # No priors: a vote looks at none, and a report they rule out would be refused.
        sizes = (self.trade.n_buyers, self.trade.n_sellers)
        sides = [tuple(Member(k + 1) for k in range(size)) for size in sizes]
        return GroupProblem(*sides, name=name, currency=self.currency, **vote)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as `catallax groups recommend --json` prints it."""
        return {
            "recommendation": self.sentence,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "currency": self.currency,
            "price": self.vote.price,
            "rule": self.vote.rule.to_dict(),
            "loses_if_traded": self.loses_if_traded,
            "best": self.best.to_dict(),
            "alternatives": [one.to_dict() for one in self.others],
        }


def recommend(
    trade: GroupTrade,
    *,
    least_better_off: float | None = None,
    least_buyers: object = 0,
    least_sellers: object = 0,
    rules: Sequence[tuple[str, VotingRule | Vote]] = FAMILIAR,
    currency: str = "",
    progress: Progress | None = None,
) -> Recommendation:
    """Recommend a price and a voting rule.

    Of the votes that gain within a thousandth of the largest gain, it is the one that leaves both
    sides best off; see `fairest_vote`. The vote with the largest gain itself is `BestVote`.

    Parameters
    ----------
    trade
        The groups and their priors.
    least_better_off, least_buyers, least_sellers
        What the vote has to grant besides a large expected gain; see `BestVote`.
    rules
        Rules to compare it with, each at the price that is best for it; or whole votes.
    currency
        What amounts are in, for the words.
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
    (0.5, ['largest gain', 'forced trade', 'majority', 'two thirds', '80%', 'unanimity'])
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
    largest = best.choose(trade).vote
    vote = fairest_vote(trade, best)
    chosen = Alternative("recommended", vote, evaluate(trade, vote))
    others = [] if vote == largest else [Alternative("largest gain", *_valued(trade, largest))]
    tell("forced trade")
    others.append(Alternative("forced trade", *_valued(trade, "forced-trade")))
    laws = _side_laws(trade)
    for name, rule in rules:
        tell(name)
        other = rule if isinstance(rule, Vote) else _priced_vote(trade, rule, laws)
        others.append(Alternative(name, *_valued(trade, other)))
    if progress is not None:
        progress(1.0, "done")
    return Recommendation(trade, chosen, tuple(others), currency)


def _side(word: str, size: int) -> str:
    return f"{word}s as a group" if size > 1 else word


def _are(size: int) -> str:
    return "are" if size > 1 else "is"


def _lose(size: int) -> str:
    return "lose" if size > 1 else "loses"


def _amount(number: float, value: GroupEvaluation) -> str:
    """Write what a side gains; what is next to nothing beside the whole is nothing."""
    return f"{number:.6g}" if abs(number) > 1e-9 * abs(value.gains_from_trade) else "0"


def _overruled(least: int, word: str, others: int, other: str) -> str:
    """Say how many of one side decide without anybody of the other."""
    if least == 0:
        return f"no {other} has a say, and no {word} is needed; --least-{other}s 1 asks for one"
    who = f"{least} {word}s in favour decide" if least > 1 else f"1 {word} in favour decides"
    if others == 1:
        return f"{who} even against the {other}; --least-{other}s 1 lets nobody be overruled"
    return f"{who} even against all {others} {other}s; --least-{other}s 50% asks for half of them"


def _valued(
    trade: GroupTrade, mechanism: str | GroupMechanism
) -> tuple[GroupMechanism, GroupEvaluation]:
    from catallax.groups.base import get

    made = get(mechanism)
    # What it is compared with may be known less exactly where that would take minutes.
    with quickly():
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
    return _priced_vote(trade, rule, _side_laws(trade))


Laws = Callable[[float], tuple[SideLaw, SideLaw]]

# Rows of laws that are kept for the next rule, of both sides at all prices.
_MOST_ROWS = 2_000_000


def _side_laws(trade: GroupTrade) -> Laws:
    """Return the laws of both sides' votes by price, kept: every rule is tried at the same ones."""
    n, m = trade.n_buyers, trade.n_sellers

    @lru_cache(maxsize=max(1, _MOST_ROWS // (n + m + 2)))
    def laws(price: float) -> tuple[SideLaw, SideLaw]:
        prices = Prices.of(as_fraction(price), n, m)
        buyers = side_law(trade.buyers, prices.least_bid)
        return buyers, side_law(trade.sellers, prices.largest_ask)

    return laws


def _priced_vote(trade: GroupTrade, rule: VotingRule, laws: Laws) -> Vote:
    n, m = trade.n_buyers, trade.n_sellers
    least = rule.least_sellers(n, m)
    if least is None:
        return Vote(BestVote().choose(trade).vote.price, rule)

    @cache
    def gain_at(price: float) -> float:
        buyers, sellers = laws(price)
        accepted = from_starts(np.searchsorted(sellers.votes, least[buyers.votes]))
        chance, sums = accepted([sellers.chance, sellers.sums])
        return float(buyers.sums @ chance + buyers.chance @ sums)

    return Vote(best_price(trade, gain_at)[0], rule)
