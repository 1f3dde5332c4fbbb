"""Forced trade: trade if it is good on average, whatever anybody says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, register
from catallax.groups.trade import GroupReports, GroupTrade

__all__ = ["ForcedTrade"]

# Means that differ by less than this, relative to the amounts, are equal but for their rounding.
_ROUNDING = 1e-13


@register
@dataclass(frozen=True)
class ForcedTrade(GroupMechanism):
    """Trade if the buyers' expected total value exceeds the sellers' expected total cost.

    The buyers together pay the sellers the amount halfway between the two. Nobody is asked, so
    nobody can lie; a side can be worse off.

    Claims
    ------
    Truthful in dominant strategies and strongly budget balanced. Each side's total utility is
    nonnegative with a probability that tends to 1 in large groups, if the means differ.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Algorithm 1 and Theorem 4.3.

    Examples
    --------
    >>> from catallax.groups import GroupReports, GroupTrade
    >>> trade = GroupTrade(2, 2, "uniform(0.5, 1)", "uniform(0, 0.5)")
    >>> outcome = ForcedTrade().decide(trade, GroupReports([0.5, 0.6], [0.4, 0.1]))
    >>> outcome.x, outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    (1.0, [0.5, 0.5], [0.5, 0.5])
    """

    slug = "forced-trade"
    summary = "trade if it is good on average, at the price halfway; nobody is asked"
    claims = GroupClaims("DSIC", "strong", "in large groups, with a probability near 1")

    def takes_place(self, trade: GroupTrade) -> bool:
        """Say whether the groups trade; with equal means, up to their rounding, they do not."""
        return trade.expected_gain > _ROUNDING * trade.scale

    def transfer(self, trade: GroupTrade) -> Fraction:
        """Return what all buyers together pay all sellers, if they trade."""
        return Fraction((trade.buyers.total_mean + trade.sellers.total_mean) / 2)

    def _prices(self, trade: GroupTrade) -> tuple[float, float]:
        del trade
        return -math.inf, math.inf  # nobody is asked, so no report is a wrong one

    def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        values, costs = trade.buyers.total_mean, trade.sellers.total_mean
        if not self.takes_place(trade):
            reason = (
                f"no trade: the buyers' expected total value, {values:.10g}, does not exceed the "
                f"sellers' expected total cost, {costs:.10g}"
            )
            return GroupOutcome(
                self.slug, trade.n_buyers, trade.n_sellers, 0.0, Fraction(0), Fraction(0), reason
            )
        total = self.transfer(trade)
        reason = (
            f"trade: the buyers' expected total value, {values:.10g}, exceeds the sellers' "
            f"expected total cost, {costs:.10g}, and {float(total):.10g} lies halfway"
        )
        return GroupOutcome(
            self.slug, trade.n_buyers, trade.n_sellers, 1.0,
            total / trade.n_buyers, total / trade.n_sellers, reason,
        )  # fmt: skip
