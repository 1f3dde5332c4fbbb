"""Trade reduction: the last efficient pair sets the prices and stays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.double_auction import (
    Book,
    Prices,
    check_complete,
    clear_by,
    efficient_trades,
    pick,
)
from catallax.mechanisms.registry import register

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.mechanisms.outcome import Outcome

__all__ = ["TradeReduction", "trade_reduction"]


def trade_reduction(bids: NDArray[np.float64], asks: NDArray[np.float64]) -> Prices:
    """Decide for sorted reports, of one market or of many at once.

    Parameters
    ----------
    bids
        Highest first along the last axis.
    asks
        Lowest first along the last axis.

    Returns
    -------
    Prices
        One pair less than the first best, at the reports of that pair.

    Examples
    --------
    >>> import numpy as np
    >>> decided = trade_reduction(np.array([9.0, 8.0]), np.array([3.0, 4.0]))
    >>> int(decided.trades), float(decided.buyer_pays), float(decided.seller_receives)
    (1, 8.0, 4.0)
    """
    count = efficient_trades(bids, asks)
    trades = np.maximum(count - 1, 0)
    no_trade = trades == 0
    pays = np.where(no_trade, np.nan, pick(bids, count - 1))
    receives = np.where(no_trade, np.nan, pick(asks, count - 1))
    return Prices(trades, pays, receives, ~no_trade)


@register
@dataclass(frozen=True)
class TradeReduction(Mechanism):
    """Give up the least valuable efficient trade, and charge the others its bid and its ask.

    With k efficient trades (those without gain included), the k - 1 highest bids and lowest asks
    trade; every buyer pays the k-th bid and every seller receives the k-th ask. Only for markets
    in which everybody may trade with everybody.

    Claims
    ------
    Dominant-strategy truthful for both sides, individually rational in every outcome, never a
    deficit.

    References
    ----------
    McAfee, A dominant strategy double auction (1992), section 2.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market(
    ...     [{"id": "b1", "bid": 9}, {"id": "b2", "bid": 8}],
    ...     [{"id": "s1", "ask": 4}, {"id": "s2", "ask": 3}],
    ... )
    >>> outcome = cx.clear(market, "trade-reduction")
    >>> outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    ([8.0], [4.0])
    """

    slug = "trade-reduction"
    summary = "all efficient trades but the last, which sets the prices; complete graphs only"
    claims = Claims("DSIC", "DSIC", "ex post", "weak ex post")

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Drop the last efficient pair and let the others trade at its reports.

        Raises
        ------
        UnsupportedMarketError
            If some buyer may not trade with some seller, or there are constraints.
        """
        check_complete(market, self.slug)
        return clear_by(trade_reduction, self.slug, Book.of(market, reports))
