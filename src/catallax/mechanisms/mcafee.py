"""McAfee's double auction: the next pair's price where it fits, else trade reduction."""

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
from catallax.mechanisms.trade_reduction import trade_reduction

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.mechanisms.outcome import Outcome

__all__ = ["McAfee", "mcafee"]


def mcafee(bids: NDArray[np.float64], asks: NDArray[np.float64]) -> Prices:
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
        All efficient pairs midway between the next bid and the next ask, where both exist and
        the last efficient pair accepts that price; else `trade_reduction`.

    Examples
    --------
    >>> import numpy as np
    >>> decided = mcafee(np.array([9.0, 4.0]), np.array([3.0, 8.0]))
    >>> int(decided.trades), float(decided.buyer_pays)
    (1, 6.0)
    """
    count = efficient_trades(bids, asks)
    # Halves first: the sum of two huge reports would overflow. NaN where there is no next one.
    price = pick(bids, count) / 2 + pick(asks, count) / 2
    fits = (count > 0) & (pick(asks, count - 1) <= price) & (price <= pick(bids, count - 1))
    reduced = trade_reduction(bids, asks)
    return Prices(
        np.where(fits, count, reduced.trades),
        np.where(fits, price, reduced.buyer_pays),
        np.where(fits, price, reduced.seller_receives),
        ~fits & reduced.marginal,
    )


@register
@dataclass(frozen=True)
class McAfee(Mechanism):
    """Let all efficient pairs trade at a price set by the next pair, if they accept it.

    With k efficient trades (those without gain included) the price is midway between bid and ask
    number k + 1. If the k-th bid and ask accept it, all k pairs trade at it. If not, or if there
    is no next buyer or no next seller, k - 1 pairs trade as in `trade-reduction`. Only for
    markets in which everybody may trade with everybody.

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
    ...     [{"id": "b1", "bid": 9}, {"id": "b2", "bid": 4}],
    ...     [{"id": "s1", "ask": 8}, {"id": "s2", "ask": 3}],
    ... )
    >>> outcome = cx.clear(market, "mcafee")
    >>> outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    ([6.0], [6.0])
    """

    slug = "mcafee"
    summary = "efficient trades at the next pair's price, or all but the last; complete graphs only"
    claims = Claims("DSIC", "DSIC", "ex post", "weak ex post")

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Try the next pair's price, else drop the last efficient pair.

        Raises
        ------
        UnsupportedMarketError
            If some buyer may not trade with some seller, or there are constraints.
        """
        check_complete(market, self.slug)
        return clear_by(mcafee, self.slug, Book.of(market, reports))
