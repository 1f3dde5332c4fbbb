"""Two prices: what buyers pay hangs on the asks alone, what sellers receive on the bids alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MechanismError, VotingRuleError
from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, register
from catallax.groups.requirements import (
    Requirement,
    as_fraction,
    is_finite,
    least_amount,
    read_requirement,
)
from catallax.groups.rules import BoolArray, VotingRule, of
from catallax.groups.trade import GroupReports, GroupTrade

__all__ = ["RankedPrices", "TwoPrices"]

Array = NDArray[np.float64]
Price = Callable[[Array], float | Fraction]
SideRule = VotingRule | Callable[[Array], VotingRule]

_CLAIMS = GroupClaims("DSIC", "none", "everybody in favour, whenever the trade takes place")


@register
@dataclass(frozen=True)
class TwoPrices(GroupMechanism):
    """Both sides vote, each at a price that the other side's reports set.

    This is every truthful deterministic rule (with ties counted for the trade). The buyers vote at
    the price tau_a by the rule f_a, both functions of the asks; the sellers at theta_b by g_b, both
    functions of the bids. With a trade each buyer pays tau_a and each seller receives theta_b.

    Parameters
    ----------
    buyers_price, sellers_price
        tau as a function of all asks, theta as a function of all bids.
    buyers_rule, sellers_rule
        A voting rule, or a function of the other side's reports that returns one. Of such a rule
        only the one side is looked at; the other counts as in favour.

    Claims
    ------
    Truthful in dominant strategies. Nothing makes the budget balance.

    Notes
    -----
    The two votes are two accounts of one decision, and not any four functions agree. Where they do
    not, there is no truthful rule that both describe, and the reports are refused with the
    contradiction. `RankedPrices` is a family that always agrees.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 4.1.

    Examples
    --------
    One buyer and one seller, who trade if the bid is at least the ask:

    >>> from catallax.groups import GroupReports, GroupTrade
    >>> from catallax.groups.rules import Unanimity
    >>> all_agree = Unanimity()
    >>> rule = TwoPrices(lambda asks: asks[0], lambda bids: bids[0], all_agree, all_agree)
    >>> trade = GroupTrade(1, 1, "uniform(0, 1)", "uniform(0, 1)")
    >>> outcome = rule.decide(trade, GroupReports([0.75], [0.5]))
    >>> outcome.x, float(outcome.pays), float(outcome.receives), float(outcome.surplus)
    (1.0, 0.5, 0.75, -0.25)
    """

    buyers_price: Price
    sellers_price: Price
    buyers_rule: SideRule
    sellers_rule: SideRule

    slug = "two-prices"
    summary = "each side votes at a price that the other side's reports set; truthful, not balanced"
    claims = _CLAIMS

    def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        bids, asks = reports.bids, reports.asks
        n, m = bids.size, asks.size
        tau = _price(self.buyers_price, asks, "buyers")
        theta = _price(self.sellers_price, bids, "sellers")
        buyers, sellers = _in_favour(bids, tau), _in_favour(asks, theta, sellers=True)
        first = _rule(self.buyers_rule, asks).accepts(buyers, np.ones(m, dtype=np.bool_))
        second = _rule(self.sellers_rule, bids).accepts(np.ones(n, dtype=np.bool_), sellers)
        if bool(first) != bool(second):
            words = ("for", "against") if first else ("against", "for")
            raise MechanismError(
                f"the buyers' vote at {float(tau):.6g} is {words[0]} the trade and the sellers' "
                f"vote at {float(theta):.6g} {words[1]} it (bids {_list(bids)}; asks "
                f"{_list(asks)}): the two describe no common rule; change a price or a rule"
            )
        return _outcome(self.slug, tau, theta, buyers, sellers, bool(first))


@register
@dataclass(frozen=True, init=False)
class RankedPrices(GroupMechanism):
    """One side's bid of a certain rank is held against the other side's ask of a certain rank.

    Let B be the k-th highest bid and A the l-th lowest ask, where k buyers and l sellers have to be
    in favour. The groups trade if n B is at least m A and a margin. Each buyer then pays
    (m A + margin) / n, each seller receives (n B - margin) / m: the reports at which the k-th buyer
    and the l-th seller would just still be in favour. With half of each side this is the median
    rule.

    Parameters
    ----------
    buyers, sellers
        k and l: a count, or a part such as 0.5 or "80%", as in `Quota`; at least one member each.
    margin
        By how much the transfers have to differ, in all. A margin above zero makes the deficit
        smaller, and trades fewer.

    Claims
    ------
    Truthful in dominant strategies. With a trade the budget is short of
    ``n B - m A - 2 margin`` where that is positive.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 4.1, of which this is a family.

    Examples
    --------
    >>> from catallax.groups import GroupReports, GroupTrade
    >>> trade = GroupTrade(3, 1, "uniform(0, 1)", "uniform(0, 2)")
    >>> outcome = RankedPrices(buyers=2, sellers=1).decide(
    ...     trade, GroupReports([0.875, 0.5, 0.125], [0.75])
    ... )
    >>> float(outcome.pays), float(outcome.receives), float(outcome.surplus)
    (0.25, 1.5, -0.75)
    """

    buyers: Requirement
    sellers: Requirement
    margin: float

    slug = "ranked-prices"
    summary = "the bid of one rank against the ask of another; truthful, not balanced"
    claims = _CLAIMS

    def __init__(
        self, buyers: object = "50%", sellers: object = "50%", margin: float = 0.0
    ) -> None:
        object.__setattr__(self, "buyers", read_requirement(buyers, "buyers"))
        object.__setattr__(self, "sellers", read_requirement(sellers, "sellers"))
        if not is_finite(margin):
            raise MechanismError(f"the margin is {margin}; give a finite number")
        object.__setattr__(self, "margin", float(margin))

    def ranks(self, n: int, m: int) -> tuple[int, int]:
        """Return k and l for n buyers and m sellers.

        Raises
        ------
        VotingRuleError
            If a side is not asked, or asked for more members than it has.
        """
        found = []
        sides = ((self.buyers, n, "buyer"), (self.sellers, m, "seller"))
        for requirement, size, word in sides:
            rank = least_amount(requirement, size)
            if not 1 <= rank <= size:
                raise VotingRuleError(
                    f"'{self.slug}' asks for {of(rank, size, word)}; ask for 1 to {size} of them"
                )
            found.append(rank)
        return found[0], found[1]

    def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        del trade
        n, m = reports.bids.size, reports.asks.size
        k, rank = self.ranks(n, m)
        # In fractions, so that no rounding makes the votes and the prices differ.
        bid = Fraction(float(np.sort(reports.bids)[n - k]))
        ask = Fraction(float(np.sort(reports.asks)[rank - 1]))
        margin = as_fraction(self.margin)
        tau, theta = (m * ask + margin) / n, (n * bid - margin) / m
        buyers = _in_favour(reports.bids, tau)
        sellers = _in_favour(reports.asks, theta, sellers=True)
        return _outcome(self.slug, tau, theta, buyers, sellers, bid >= tau)


def _price(price: Price, reports: Array, side: str) -> Fraction:
    given = price(reports.copy())
    try:
        return Fraction(given)
    except (TypeError, ValueError, OverflowError):
        raise MechanismError(
            f"the {side}' price at the other side's reports {_list(reports)} is {given!r}; return "
            "a finite number"
        ) from None


def _rule(rule: SideRule, reports: Array) -> VotingRule:
    return rule if isinstance(rule, VotingRule) else rule(reports.copy())


def _in_favour(reports: Array, price: Fraction, *, sellers: bool = False) -> BoolArray:
    """Say who is in favour at a price, without rounding it."""
    nearest = float(price)
    votes = reports < nearest if sellers else reports > nearest
    equal = reports == nearest
    if equal.any():
        favours = Fraction(nearest) <= price if sellers else Fraction(nearest) >= price
        votes = votes | (equal & favours)
    return votes


def _outcome(
    slug: str, tau: Fraction, theta: Fraction, buyers: BoolArray, sellers: BoolArray, accepted: bool
) -> GroupOutcome:
    n, m = buyers.size, sellers.size
    reason = (
        f"{'trade' if accepted else 'no trade'}: {of(int(buyers.sum()), n, 'buyer')} would pay "
        f"{float(tau):.6g}, which the asks set, and {of(int(sellers.sum()), m, 'seller')} would "
        f"take {float(theta):.6g}, which the bids set"
    )
    details: dict[str, Any] = {
        "buyers_price": float(tau),
        "sellers_price": float(theta),
        "buyers_in_favour": int(buyers.sum()),
        "sellers_in_favour": int(sellers.sum()),
    }
    zero = Fraction(0)
    paid, received = (tau, theta) if accepted else (zero, zero)
    return GroupOutcome(slug, n, m, float(accepted), paid, received, reason, details)


def _list(values: Array) -> str:
    shown = ", ".join(f"{value:.6g}" for value in values[:8])
    return f"[{shown}, ...]" if values.size > 8 else f"[{shown}]"
