"""GBOM: the generalized buyers-offering mechanism."""

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

__all__ = ["BuyersOffering"]


@register
@dataclass(frozen=True)
class BuyersOffering(SeparableMechanism):
    """Give the buyers' side the largest total profit it can expect.

    Trades the feasible matching with the largest sum of bids less ironed virtual costs.
    Every buyer pays, and every seller receives, the report at which she would just trade.

    References
    ----------
    Brustle, Cai, Wu and Zhao (EC 2017); arXiv 2604.00129, Appendix A.3.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> outcome = cx.clear(market, "gbom", cx.Reports(bids=[0.75], asks=[0.25]))
    >>> outcome.trades["buyer_pays"].to_list(), outcome.trades["seller_receives"].to_list()
    ([0.5], [0.375])
    """

    slug = "gbom"
    summary = "the most the buyers' side can expect: bids less virtual costs"
    claims = Claims("DSIC", "DSIC", "ex post", "weak ex ante")
    seller_scale = "virtual cost"

    def weights(
        self, market: Market, reports: Reports
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh buyers by bid, sellers by ironed virtual cost."""
        return reports.bids, market.sellers.virtual_costs(reports.asks)

    def some_weights(
        self,
        market: Market,
        reports: Reports,
        buyers: NDArray[np.intp],
        sellers: NDArray[np.intp],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh some agents in the same way."""
        return reports.bids[buyers], market.sellers.virtual_costs(reports.asks[sellers], sellers)

    def critical_asks(self, market: Market, thresholds: Thresholds) -> NDArray[np.float64]:
        """Give the highest ask whose virtual cost stays at the level (or below it)."""
        return market.sellers.largest_costs(
            thresholds.level, ~thresholds.wins_ties, thresholds.agent
        )
