"""GSOM: the generalized sellers-offering mechanism."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.base import Claims, SeparableMechanism
from catallax.mechanisms.registry import register

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.matching import Thresholds

__all__ = ["SellersOffering"]


@register
@dataclass(frozen=True)
class SellersOffering(SeparableMechanism):
    """Give the sellers' side the largest total profit it can expect.

    Trades the feasible matching with the largest sum of ironed virtual values less asks.
    Every buyer pays, and every seller receives, the report at which she would just trade.

    References
    ----------
    Brustle, Cai, Wu and Zhao (EC 2017); arXiv 2604.00129, Appendix A.1.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> outcome = cx.clear(market, "gsom", cx.Reports(bids=[0.9], asks=[0.2]))
    >>> outcome.trades["seller_receives"].to_list()
    [0.8]
    """

    slug = "gsom"
    summary = "the most the sellers' side can expect: virtual values less asks"
    claims = Claims("DSIC", "DSIC", "ex post", "weak ex ante")
    buyer_scale = "virtual value"

    def weights(
        self, market: Market, reports: Reports
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh buyers by ironed virtual value, sellers by ask."""
        return market.buyers.virtual_values(reports.bids), reports.asks

    def some_weights(
        self,
        market: Market,
        reports: Reports,
        buyers: NDArray[np.intp],
        sellers: NDArray[np.intp],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh some agents in the same way."""
        return market.buyers.virtual_values(reports.bids[buyers], buyers), reports.asks[sellers]

    def critical_bids(self, market: Market, thresholds: Thresholds) -> NDArray[np.float64]:
        """Give the lowest bid whose virtual value reaches the level (or exceeds it)."""
        return market.buyers.smallest_values(
            thresholds.level, ~thresholds.wins_ties, thresholds.agent
        )
