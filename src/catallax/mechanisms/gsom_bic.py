"""GSOM-BIC: GSOM's trades with a budget that balances in every outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.averages import AverageReasons, chances
from catallax.mechanisms.base import Claims
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.gsom import SellersOffering
from catallax.mechanisms.registry import register

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.matching import Matching
    from catallax.mechanisms.outcome import Outcome

__all__ = ["BalancedSellersOffering"]

Array = NDArray[np.float64]


@register
@dataclass(frozen=True)
class BalancedSellersOffering(SellersOffering):
    """Trade as GSOM does, and never pay sellers more than buyers bring.

    Trades the feasible matching with the largest sum of ironed virtual values less asks. Every
    buyer pays the lowest bid with which she would trade. Every seller receives the *average* of
    GSOM's price over the values of her partner, drawn from the partner's prior, with which the
    two would trade.

    Claims
    ------
    Dominant-strategy truthful for buyers, Bayesian truthful for sellers (whose expected price is
    GSOM's, whatever they ask), individually rational and weakly budget balanced in every outcome,
    pair by pair. Where constraints round weights to ticks, the average is taken before rounding,
    and sellers' truthfulness holds up to two ticks.

    Notes
    -----
    Let r be what buyer i pays and q(z) the prior probability of a value of at least z. With the
    matching's `PairBounds` (slack d, and A beyond which i would be served elsewhere), GSOM would
    pay seller j, if her partner's value were v, the smaller of phi(v) - d and A; this is A from
    t = max(r, inf{z: phi(z) >= A + d}) on. As E[phi(v) 1(v >= z)] = z q(z) at both points, the
    average over v >= r is ::

        r - d - (t - d - A) q(t) / q(r)

    without the last term where i has no other seller. Ties need no care beyond GSOM's own: r and t
    are ends of plateaus of phi, where the identity holds, with atoms too; from which end of a
    plateau i is served is in r already.

    Lemma A.8 of the paper gives r - d. It forgets that the partner may have another seller, and
    contradicts the paper's own remark (the example below), which follows Definition A.7: the
    seller receives 3/8 and not 1/2.

    A bid so high that the prior deems r impossible (q(r) = 0) leaves nothing to average; the seller
    then receives the limit of the average, min(r - d, A).

    References
    ----------
    arXiv 2604.00129, Definition A.7, Theorem A.9 and the remark after it.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market(
    ...     [{"id": "b", "bid": 1.0, "prior": "uniform(0, 1)"}],
    ...     [{"id": "j", "ask": 0.0}, {"id": "k", "ask": 0.5}],
    ... )
    >>> outcome = cx.clear(market, "gsom-bic")
    >>> outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    ([0.5], [0.375])
    """

    slug = "gsom-bic"
    summary = "GSOM's trades; sellers receive averages, and no outcome runs a deficit"
    claims = Claims("DSIC", "BIC", "ex post", "weak ex post")

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Clear as GSOM, then average the sellers' prices."""
        plain = super().clear(market, reports)
        assert isinstance(plain.reasons, ThresholdReasons)
        average = _average(market, plain.reasons.matching, plain.buyer_pays)
        # The average lies between these two; only its rounding may not.
        receives = np.clip(average, reports.asks[plain.seller_index], plain.buyer_pays)
        reasons = AverageReasons(plain, "seller")
        return replace(plain, seller_receives=receives, reasons=reasons)


def _average(market: Market, matching: Matching, paid: Array) -> Array:
    """Average GSOM's price of each seller over the values with which her partner trades."""
    bounds, buyer = matching.pair_bounds, matching.buyer
    slack, elsewhere = bounds.slack, bounds.buyer_elsewhere
    left = np.maximum(paid, market.buyers.smallest_values(elsewhere + slack, False, buyer))
    trades = chances(market.buyers, buyer, paid, lambda prior, z: prior.probability_at_least(z))
    leaves = chances(market.buyers, buyer, left, lambda prior, z: prior.probability_at_least(z))
    average = paid - slack
    known = (trades > 0) & (leaves > 0)
    excess = left[known] - slack[known] - elsewhere[known]
    average[known] -= excess * (leaves[known] / trades[known])
    return np.where(trades > 0, average, np.minimum(average, elsewhere))
