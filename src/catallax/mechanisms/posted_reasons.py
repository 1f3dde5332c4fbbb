"""Reasons of the meta-auctions: a price posted inside a pair of the best matching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.explain import money
from catallax.mechanisms.outcome import NOBODY, Outcome
from catallax.mechanisms.stated_reasons import StatedReason, StatedReasons
from catallax.priors.floats import smallest_float

if TYPE_CHECKING:
    from catallax.matching import Matching
    from catallax.mechanisms.base import Mechanism
    from catallax.mechanisms.bilateral_rules import BilateralRule
    from catallax.mechanisms.outcome import Role

__all__ = ["PostedReasons"]

# A bid that beats every price; its square is still a number.
_FAR = 1e150


@dataclass(frozen=True, eq=False)
class PostedReasons:
    """Why the partners of a pair trade at a posted price, and what everybody else would need.

    Attributes
    ----------
    mechanism, rule
        The meta-auction and its rule.
    matching
        The first-best matching.
    price
        What each of its pairs would pay; shape (pairs,).
    posted
        The price that the rule posts in each; shape (pairs,).
    """

    mechanism: Mechanism
    rule: BilateralRule
    matching: Matching
    price: NDArray[np.float64]
    posted: NDArray[np.float64]

    def critical(
        self, outcome: Outcome, role: Role
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give critical reports of those to whom prices are posted, and who posts them."""
        buyers = role == "buyer"
        size = len(outcome.market.buyers if buyers else outcome.market.sellers)
        report, source = np.full(size, np.nan), np.full(size, NOBODY)
        if self.rule.poster == role:
            return report, source
        pairs = np.isfinite(self.price)
        if buyers:  # a buyer's price is a threshold only where she trades
            pairs = np.isin(self.matching.buyer, outcome.buyer_index)
            report[self.matching.buyer[pairs]] = self.price[pairs]
            source[self.matching.buyer[pairs]] = -1 - self.matching.seller[pairs].astype(np.int64)
        else:
            report[self.matching.seller[pairs]] = self.price[pairs]
            source[self.matching.seller[pairs]] = self.matching.buyer[pairs]
        return report, source

    def explain(self, outcome: Outcome, role: Role, index: int) -> str:
        """Say in one sentence why an agent trades or not, and what sets the price."""
        limits: dict[Role, str] = {
            "buyer": "the lowest bid that still trades",
            "seller": "the highest ask that still trades",
        }
        limits[self.rule.poster] = "the same as the other side of the pair"
        stated = StatedReasons(lambda role, index: self._state(outcome, role, index), limits)
        return stated.explain(outcome, role, index)

    def _state(self, outcome: Outcome, role: Role, index: int) -> StatedReason:
        own = self.matching.buyer if role == "buyer" else self.matching.seller
        if outcome.partner(role, index) is not None:
            pair = int(np.flatnonzero(own == index)[0])
            price = float(self.price[pair])
            return StatedReason(price, NOBODY, self._posting(outcome, pair, money(price)))
        report = self._search(outcome, role, index)
        paired = np.flatnonzero(own == index)
        now = f" (now {self._posting(outcome, int(paired[0]))})" if paired.size else ""
        if not np.isfinite(report):
            return StatedReason(report, NOBODY, f"no pair that it could be in would trade{now}")
        then = self._moved(outcome, role, index, report)
        trade = then.partner(role, index)
        assert trade is not None
        side, other = (
            (outcome.market.sellers, then.seller_index)
            if role == "buyer"
            else (outcome.market.buyers, then.buyer_index)
        )
        price = money(then.buyer_pays[trade], outcome.market.currency)
        clause = f"it would be paired with {side.label(int(other[trade]))}, at {price}{now}"
        return StatedReason(report, NOBODY, clause)

    def _posting(self, outcome: Outcome, pair: int, said: str = "") -> str:
        """Say what the rule posts in a pair, and what the best matching adds.

        `said` is the amount that the sentence has named just before.
        """
        market = outcome.market
        i, j = int(self.matching.buyer[pair]), int(self.matching.seller[pair])
        posted, price = self.posted[pair], self.price[pair]
        if self.rule.poster == "buyer":
            who, made = market.buyers.label(i), f"bid of {money(outcome.reports.bids[i])}"
            cap = self.matching.trading_sellers.level[pair]
            bound = f"of the prices up to {money(cap)}, where the best matching drops the seller"
        else:
            who, made = market.sellers.label(j), f"ask of {money(outcome.reports.asks[j])}"
            bound = "by the quantile of that ask"
            if price > posted and price == self.matching.trading_buyers.level[pair]:
                bound = f"and below {money(price)} the best matching drops the buyer"
            elif price > posted:
                bound = f"and at less than {money(price)} the pair would not carry that price"
        if not np.isfinite(posted):
            return f"{who} posts no price at its {made}, as none is within what the pair allows"
        # What trades say already is not said twice.
        amount = "it" if money(posted) == said else money(posted)
        return f"{who} posts {amount} at its {made}, {bound}"

    def _search(self, outcome: Outcome, role: Role, index: int) -> float:
        """Find the report at which an agent that does not trade would, clearing again and again."""
        market, buyers = outcome.market, role == "buyer"
        sign = 1.0 if buyers else -1.0
        said = float((outcome.reports.bids if buyers else outcome.reports.asks)[index])
        waiting = self.matching.waiting_buyers if buyers else self.matching.waiting_sellers
        level = waiting.level[waiting.agent == index]
        if market.constraints and market.scale is None:
            # The tick follows the largest report, which must not run away.
            far = 8.0 * float(np.abs([*outcome.reports.bids, *outcome.reports.asks]).sum())
        else:
            far = _FAR
        prior = market.sellers.prior(index) if not buyers else None
        end = far if buyers else min(0.0, max(prior.support[0], -far) if prior else 0.0)

        def trades(reports: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.bool_]:
            made = [self._moved(outcome, role, index, sign * float(x)) for x in reports]
            return np.array([then.partner(role, index) is not None for then in made])

        nobody = np.zeros(1, np.int64)
        if not trades(np.array([sign * end]), nobody)[0]:
            return sign * np.inf
        bounds = [np.array([sign * x]) for x in (level[0] if level.size else said, said, end)]
        return sign * float(smallest_float(trades, *bounds)[0])

    def _moved(self, outcome: Outcome, role: Role, index: int, report: float) -> Outcome:
        from catallax.markets import Reports

        reports = [outcome.reports.bids.copy(), outcome.reports.asks.copy()]
        reports[0 if role == "buyer" else 1][index] = report
        then = self.mechanism.clear(outcome.market, Reports(*reports))
        assert isinstance(then, Outcome)  # a meta-auction does not randomise
        return then
