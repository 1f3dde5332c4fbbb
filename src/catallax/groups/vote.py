"""A vote at a fixed price: who would be better off is in favour, and a rule counts the votes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError, ReportError
from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, register
from catallax.groups.requirements import as_fraction, is_finite
from catallax.groups.rule_words import make_rule
from catallax.groups.rules import BoolArray, VotingRule, standing
from catallax.groups.trade import GroupReports, GroupTrade

__all__ = ["Prices", "Vote"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """What every buyer pays and every seller receives in a trade, and the reports in favour of it.

    Attributes
    ----------
    pays, receives
        Exact amounts with n pays = m receives.
    least_bid, largest_ask
        Floats: a bid is at least `pays` if it is at least `least_bid`, an ask at most `receives`
        if it is at most `largest_ask`.
    """

    pays: Fraction
    receives: Fraction
    least_bid: float
    largest_ask: float

    @classmethod
    def of(cls, price: Fraction, n: int, m: int) -> Prices:
        """Return the prices at which n buyers pay `price` each, and m sellers share it.

        Raises
        ------
        ReportError
            If an amount is too large for a floating-point number.
        """
        receives = price * n / m
        try:
            bid, ask = float(price), float(receives)
        except OverflowError:
            raise ReportError(
                f"a price that {n} buyers pay and {m} sellers share is too large an amount for a "
                "floating-point number; state amounts in a larger unit"
            ) from None
        # Amounts mean the decimals that are written: 3 times 0.7 reaches an ask of 2.1.
        if as_fraction(bid) < price:
            bid = math.nextafter(bid, math.inf)
        if as_fraction(ask) > receives:
            ask = math.nextafter(ask, -math.inf)
        return cls(price, receives, bid, ask)

    def votes(self, bids: Array, asks: Array) -> tuple[BoolArray, BoolArray]:
        """Say who is in favour: who would not lose by the trade."""
        return bids >= self.least_bid, asks <= self.largest_ask


@register
@dataclass(frozen=True, init=False)
class Vote(GroupMechanism):
    """Trade at a fixed price if enough members are in favour.

    Parameters
    ----------
    price
        What each buyer pays in a trade, in units of money. Each seller receives n/m times as
        much, so that the budget balances whatever the sizes of the groups.
    rule
        How votes are counted: a `VotingRule`, its one-line form such as ``"majority"`` or
        ``"quota(80%, 50%)"``, or its keys.

    Claims
    ------
    Truthful in dominant strategies: a bid counts only as a vote for or against paying the price.
    Strongly budget balanced. These are all such rules that are deterministic (Theorem 4.2).
    Each side as a whole is better off always under unanimity, else with a probability that
    `evaluate` gives.

    Raises
    ------
    CatallaxError
        If the price is no finite number.
    VotingRuleError
        If the rule is not monotone, or not for groups of these sizes.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 4.2.

    Examples
    --------
    >>> from catallax.groups import GroupReports, GroupTrade
    >>> trade = GroupTrade(3, 2, "uniform(0, 1)", "uniform(0, 1)")
    >>> outcome = Vote(0.4, "majority").decide(trade, GroupReports([0.9, 0.4, 0.1], [0.6, 0.2]))
    >>> outcome.x, outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    (1.0, [0.4, 0.4, 0.4], [0.6, 0.6])
    >>> print(outcome.reason)
    trade: 2 of 3 buyers and 2 of 2 sellers are in favour of a price of 0.4 (0.6 for each seller); \
needed: 2 of 3 buyers and 2 of 2 sellers
    """

    price: float
    rule: VotingRule

    slug = "vote"
    summary = "trade at a fixed price if enough members are in favour"
    claims = GroupClaims("DSIC", "strong", "with a probability that follows from the rule")

    def __init__(self, price: float, rule: VotingRule | str | dict[str, Any] = "majority") -> None:
        if not is_finite(price):
            raise CatallaxError(f"the price of a vote is {price!r}; write a finite number")
        object.__setattr__(self, "price", float(price))
        made = rule if isinstance(rule, VotingRule) else make_rule(rule)
        object.__setattr__(self, "rule", made)

    def prices(self, trade: GroupTrade) -> Prices:
        """Return the two prices, exactly: the price as it is written in decimals."""
        return Prices.of(as_fraction(self.price), trade.n_buyers, trade.n_sellers)

    def _prices(self, trade: GroupTrade) -> tuple[float, float]:
        prices = self.prices(trade)
        return prices.least_bid, prices.largest_ask

    def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        n, m = trade.n_buyers, trade.n_sellers
        prices = self.prices(trade)
        buyers, sellers = prices.votes(reports.bids, reports.asks)
        accepted = bool(self.rule.accepts(buyers, sellers))
        at = f"{self.price:.10g}"
        if n != m:
            at += f" ({float(prices.receives):.10g} for {'each' if m > 1 else 'the'} seller)"
        reason = (
            f"{'trade' if accepted else 'no trade'}: {self.rule.tally(buyers, sellers)} of a price "
            f"of {at}; needed: {self.rule.describe(n, m)}"
            f"{standing(self.rule, buyers, sellers)}"
        )
        if accepted:
            for votes, word in ((buyers, "buyer"), (sellers, "seller")):
                if votes.size == 1 and not votes[0]:
                    reason += f"; the {word} is overruled"
        paid = (prices.pays, prices.receives) if accepted else (Fraction(0), Fraction(0))
        details = {
            "price": self.price,
            "rule": self.rule.describe(n, m),
            "buyers_in_favour": int(buyers.sum()),
            "sellers_in_favour": int(sellers.sum()),
        }
        return GroupOutcome(self.slug, n, m, float(accepted), *paid, reason, details)
