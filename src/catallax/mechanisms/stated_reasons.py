"""Reasons that a mechanism states agent by agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.explain import as_shown, money
from catallax.mechanisms.outcome import NOBODY

if TYPE_CHECKING:
    from catallax.mechanisms.outcome import Outcome, Role

__all__ = ["StatedReason", "StatedReasons"]


class StatedReason(NamedTuple):
    """What one agent would have to report to trade, and why.

    Attributes
    ----------
    report
        The critical report; infinite or NaN where no report would do.
    source
        Who sets it: buyer i as i, seller j as -1 - j, `NOBODY` where that is not one agent.
    clause
        The end of the sentence, without its full stop.
    strict
        Whether the report has to be passed, not only met.
    """

    report: float
    source: int
    clause: str
    strict: bool = False


@dataclass(frozen=True, eq=False)
class StatedReasons:
    """Reasons of a mechanism that is not separable.

    Attributes
    ----------
    state
        Gives the reason of an agent, by role and index.
    limits
        How the price of a trading buyer and a trading seller relates to their reports.
    """

    state: Callable[[Role, int], StatedReason]
    limits: dict[Literal["buyer", "seller"], str] = field(
        default_factory=lambda: {
            "buyer": "the lowest bid that still trades",
            "seller": "the highest ask that still trades",
        }
    )

    def critical(
        self, outcome: Outcome, role: Role
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the critical report of every agent of a side, and who sets it."""
        market = outcome.market
        count = len(market.buyers if role == "buyer" else market.sellers)
        stated = [self.state(role, index) for index in range(count)]
        report = np.array([reason.report for reason in stated], np.float64)
        source = np.array([reason.source for reason in stated], np.int64)
        return report, np.where(np.isfinite(report), source, NOBODY)

    def explain(self, outcome: Outcome, role: Role, index: int) -> str:
        """Say in one sentence why an agent trades or not."""
        market, buyers, tick = outcome.market, role == "buyer", outcome.tick
        reason = self.state(role, index)
        label = (market.buyers if buyers else market.sellers).label(index)
        said = (outcome.reports.bids if buyers else outcome.reports.asks)[index]
        subject = f"{label[0].upper()}{label[1:]} {'bid' if buyers else 'asked'} {money(said)}"
        trade = outcome.partner(role, index)
        if trade is not None:
            price = (outcome.buyer_pays if buyers else outcome.seller_receives)[trade]
            partner = (
                market.sellers.label(int(outcome.seller_index[trade]))
                if buyers
                else market.buyers.label(int(outcome.buyer_index[trade]))
            )
            verb = "pays" if buyers else "receives"
            return (
                f"{subject}, trades with {partner} and {verb} "
                f"{money(price, market.currency, tick)}, {self.limits[role]}: {reason.clause}."
            )
        if not np.isfinite(reason.report):
            word = "bid" if buyers else "ask"
            return f"{subject} and does not trade; no {word} would: {reason.clause}."
        # The twelve digits shown may fall short of the report they stand for.
        shown = as_shown(reason.report, tick)
        strict = reason.strict or (shown < reason.report if buyers else shown > reason.report)
        if buyers:
            bound = "a bid of more than" if strict else "a bid of at least"
        else:
            bound = "an ask of less than" if strict else "an ask of at most"
        needed = money(reason.report, market.currency, tick)
        return f"{subject} and does not trade; {bound} {needed} would: {reason.clause}."
