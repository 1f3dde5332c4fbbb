"""GBOM-BIC: GBOM's trades with a budget that balances in every outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.averages import AverageReasons, chances
from catallax.mechanisms.base import Claims
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.gbom import BuyersOffering
from catallax.mechanisms.registry import register

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.matching import Matching
    from catallax.mechanisms.outcome import Outcome

__all__ = ["BalancedBuyersOffering"]

Array = NDArray[np.float64]


@register
@dataclass(frozen=True)
class BalancedBuyersOffering(BuyersOffering):
    """Trade as GBOM does, and never pay sellers more than buyers bring.

    Trades the feasible matching with the largest sum of bids less ironed virtual costs. Every
    seller receives the highest ask with which she would trade. Every buyer pays the *average* of
    GBOM's price over the costs of her partner, drawn from the partner's prior, with which the two
    would trade.

    Claims
    ------
    Bayesian truthful for buyers (whose expected price is GBOM's, whatever they bid),
    dominant-strategy truthful for sellers, individually rational and weakly budget balanced in
    every outcome, pair by pair. Where constraints round weights to ticks, the average is taken
    before rounding, and buyers' truthfulness holds up to two ticks.

    Notes
    -----
    Let R be what seller j receives and G(z) the prior probability of a cost of at most z. With the
    matching's `PairBounds` (slack d, and B below which j would serve somebody else), GBOM would
    charge buyer i, if her partner's cost were c, the larger of psi(c) + d and B; this is B up to
    t = min(R, sup{z: psi(z) <= B - d}). As E[psi(c) 1(c <= z)] = z G(z) at both points, the average
    over c <= R is ::

        R + d - (t + d - B) G(t) / G(R)

    without the last term where j has no other buyer. (The paper says that there is no useful closed
    form.) An ask so low that the prior deems R impossible (G(R) = 0) leaves nothing to average; the
    buyer then pays the limit of the average, max(R + d, B).

    References
    ----------
    arXiv 2604.00129, Definition A.10 and Theorem A.12.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market(
    ...     [{"id": "i", "bid": 1.0}, {"id": "k", "bid": 0.5}],
    ...     [{"id": "s", "ask": 0.0, "prior": "uniform(0, 1)"}],
    ... )
    >>> outcome = cx.clear(market, "gbom-bic")
    >>> outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    ([0.625], [0.5])
    """

    slug = "gbom-bic"
    summary = "GBOM's trades; buyers pay averages, and no outcome runs a deficit"
    claims = Claims("BIC", "DSIC", "ex post", "weak ex post")

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Clear as GBOM, then average the buyers' prices."""
        plain = super().clear(market, reports)
        assert isinstance(plain.reasons, ThresholdReasons)
        average = _average(market, plain.reasons.matching, plain.seller_receives)
        # The average lies between these two; only its rounding may not.
        pays = np.clip(average, plain.seller_receives, reports.bids[plain.buyer_index])
        return replace(plain, buyer_pays=pays, reasons=AverageReasons(plain, "buyer"))


def _average(market: Market, matching: Matching, received: Array) -> Array:
    """Average GBOM's price of each buyer over the costs with which her partner trades."""
    bounds, seller = matching.pair_bounds, matching.seller
    slack, elsewhere = bounds.slack, bounds.seller_elsewhere
    left = np.minimum(received, market.sellers.largest_costs(elsewhere - slack, False, seller))
    trades = chances(market.sellers, seller, received, lambda prior, z: prior.cdf(z))
    leaves = chances(market.sellers, seller, left, lambda prior, z: prior.cdf(z))
    average = received + slack
    known = (trades > 0) & (leaves > 0)
    excess = left[known] + slack[known] - elsewhere[known]
    average[known] -= excess * (leaves[known] / trades[known])
    return np.where(trades > 0, average, np.maximum(average, elsewhere))
