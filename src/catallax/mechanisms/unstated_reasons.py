"""Outcomes whose prices somebody else's mechanism has set, without saying why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.explain import ThresholdReasons, money
from catallax.mechanisms.outcome import NOBODY

if TYPE_CHECKING:
    from catallax.mechanisms.outcome import Outcome, Role

__all__ = ["UnstatedReasons", "with_own_reasons"]


@dataclass(frozen=True, eq=False)
class UnstatedReasons:
    """What can be said of an outcome whose mechanism gives no reasons: the prices, and no more."""

    def critical(
        self, outcome: Outcome, role: Role
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Say that no critical report is known of anybody."""
        count = len(outcome.market.buyers if role == "buyer" else outcome.market.sellers)
        return np.full(count, np.nan), np.full(count, NOBODY)

    def explain(self, outcome: Outcome, role: Role, index: int) -> str:
        """Say what an agent trades at, and that the mechanism does not say why."""
        market, buyers = outcome.market, role == "buyer"
        label = (market.buyers if buyers else market.sellers).label(index)
        said = (outcome.reports.bids if buyers else outcome.reports.asks)[index]
        subject = f"{label[0].upper()}{label[1:]} {'bid' if buyers else 'asked'} {money(said)}"
        trade = outcome.partner(role, index)
        if trade is None:
            return f"{subject} and does not trade; {outcome.mechanism} does not say why."
        side, other = (
            (market.sellers, outcome.seller_index)
            if buyers
            else (market.buyers, outcome.buyer_index)
        )
        price = (outcome.buyer_pays if buyers else outcome.seller_receives)[trade]
        return (
            f"{subject}, trades with {side.label(int(other[trade]))} and "
            f"{'pays' if buyers else 'receives'} {money(price, market.currency)}; "
            f"{outcome.mechanism} does not say why."
        )


def with_own_reasons(outcome: Outcome) -> Outcome:
    """Drop reasons that belong to other trades or prices.

    A mechanism may take another one's outcome and change its prices or its trades; the reasons
    that came along would then be false.

    Parameters
    ----------
    outcome
        What a mechanism from elsewhere gave.

    Returns
    -------
    Outcome
        The same where its reasons are its own, or of a kind that cannot be checked.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import catallax as cx
    >>> best = cx.clear(cx.instances.get("horse-market"), "first-best")
    >>> with_own_reasons(best) is best
    True
    >>> free = with_own_reasons(replace(best, mechanism="free", buyer_pays=0 * best.buyer_pays))
    >>> print(free.explain("A1"))
    Buyer 'A1' bid 30, trades with seller 'B1' and pays 0 £; free does not say why.
    """
    reasons = outcome.reasons
    if not isinstance(reasons, ThresholdReasons):
        return outcome
    matching, rule, market = reasons.matching, reasons.mechanism, outcome.market
    theirs = (
        np.array_equal(matching.buyer, outcome.buyer_index)
        and np.array_equal(matching.seller, outcome.seller_index)
        and np.array_equal(
            outcome.buyer_pays,
            np.minimum(
                rule.critical_bids(market, matching.trading_buyers),
                outcome.reports.bids[matching.buyer],
            ),
        )
        and np.array_equal(
            outcome.seller_receives,
            np.maximum(
                rule.critical_asks(market, matching.trading_sellers),
                outcome.reports.asks[matching.seller],
            ),
        )
    )
    return outcome if theirs else replace(outcome, reasons=UnstatedReasons())
