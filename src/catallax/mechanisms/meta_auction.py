"""The meta-auctions: first-best pairs, each of which trades by a posted price of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError
from catallax.matching import best_matching
from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.bilateral_rules import BilateralRule, MultiQuantile, PostQuantile
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.posted_reasons import PostedReasons
from catallax.mechanisms.registry import register
from catallax.priors.floats import smallest_float

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.matching import Matching

__all__ = ["MetaAuctionBuyers", "MetaAuctionSellers", "largest_asks"]

Array = NDArray[np.float64]


@register
@dataclass(frozen=True)
class MetaAuctionBuyers(Mechanism):
    """Let each buyer of the first-best matching post the price that is best for her.

    The feasible matching with the largest gains pairs buyers and sellers. In each pair, the
    seller's cap is the highest ask with which she would be in that matching; the buyer posts a
    price up to it, knowing the seller's prior and nothing of her ask; they trade if the seller asks
    no more, and the price is what the buyer pays and the seller receives.

    Parameters
    ----------
    rule
        How prices are posted: `PostQuantile`, or another `BilateralRule` of the buyer's.

    Claims
    ------
    Dominant-strategy truthful for sellers, individually rational and strongly budget balanced in
    every outcome. Buyers run the auction: it is *not* truthful for them, whose values the theorem
    takes as known. With them honest, buyers' profits are in every outcome at least those of the
    rule run on each pair alone (Lemma 4.7).

    Notes
    -----
    The cap is c_ij of the paper, of which only an ask *at* it needs care: a seller with an atom
    there that loses the tie is not in the matching, so her cap lies just below. (The paper takes
    the supremum, with which Lemma 5.3 counts such trades twice.) The seller receives the smaller of
    price and cap, which is the price.

    In the frame of all agents, critical reports are given for sellers in the first-best matching,
    to whom the price is posted; `explain` finds that of any one agent, by a search.

    References
    ----------
    arXiv 2604.00129, Auction 1 with T = B and Lemmas 4.6 and 4.7.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> outcome = cx.clear(market, "meta-auction-buyers", cx.Reports(bids=[0.75], asks=[0.25]))
    >>> outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    ([0.375], [0.375])
    """

    rule: BilateralRule = field(default_factory=PostQuantile)

    slug = "meta-auction-buyers"
    summary = "in each first-best pair the buyer posts her best price to the seller"
    claims = Claims("none", "DSIC", "ex post", "strong ex post")

    def __post_init__(self) -> None:
        """Check who posts."""
        _check_poster(self.rule, "buyer")

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Match for the largest gains, then let buyers post prices."""
        matching = _first_best(market, reports)
        cap = largest_asks(market, matching)
        bids, asks = reports.bids[matching.buyer], reports.asks[matching.seller]
        posted = _post(self.rule, market, matching.seller, cap, bids)
        price = np.minimum(posted, matching.trading_sellers.level)
        return _outcome(self, market, reports, matching, asks <= price, price, posted)


@register
@dataclass(frozen=True)
class MetaAuctionSellers(Mechanism):
    """Let each seller of the first-best matching post a price that her own ask sets.

    The feasible matching with the largest gains pairs buyers and sellers. In each pair, the
    seller's cap is the highest ask with which she would be in that matching; she posts a price,
    from her ask and her prior, which stands only if it is within the cap; they trade if the buyer
    bids as much. Every buyer pays, and her seller receives, the lowest bid with which the buyer
    would trade.

    Parameters
    ----------
    rule
        How prices are posted: `MultiQuantile`, or another `BilateralRule` of the seller's.

    Claims
    ------
    Dominant-strategy truthful for buyers if the rule is cap-monotone (as `MultiQuantile` is),
    individually rational and strongly budget balanced in every outcome. Sellers run the auction; it
    is *not* truthful for them, whose costs the theorem takes as known. With them honest, sellers'
    profits are in every outcome at least those of the rule run on each pair alone (Lemma 4.13).

    Notes
    -----
    A buyer's bid moves her own cap: with the matching's `PairBounds` it is min(b - d, A). So with
    `MultiQuantile`, whose price p does not move with the cap, a buyer of a first-best threshold r
    trades from max(r, p + d) on if p <= A, and never if p > A. For any rule the threshold is found
    by bisection to the last float; it is the threshold only if the rule is cap-monotone.

    In the frame of all agents, critical reports are given for buyers that trade; `explain` finds
    that of any one agent, by a search.

    References
    ----------
    arXiv 2604.00129, Auction 1 with T = S and Lemmas 4.10 to 4.13.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> auction = cx.mechanisms.MetaAuctionSellers(cx.mechanisms.MultiQuantile(0.5))
    >>> outcome = cx.clear(market, auction, cx.Reports(bids=[0.75], asks=[0.25]))
    >>> outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()
    ([0.5], [0.5])
    """

    rule: BilateralRule = field(default_factory=MultiQuantile)

    slug = "meta-auction-sellers"
    summary = "in each first-best pair the seller posts a price by the quantile of her ask"
    claims = Claims("DSIC", "none", "ex post", "strong ex post")

    def __post_init__(self) -> None:
        """Check who posts."""
        _check_poster(self.rule, "seller")

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Match for the largest gains, then let sellers post prices."""
        matching = _first_best(market, reports)
        bids, asks = reports.bids[matching.buyer], reports.asks[matching.seller]
        bounds = matching.pair_bounds

        def posted(bid: Array, which: NDArray[np.int64]) -> Array:
            cap = np.minimum(bid - bounds.slack[which], bounds.buyer_elsewhere[which])
            return _post(self.rule, market, matching.seller[which], cap, asks[which])

        price = posted(bids, np.arange(bids.size))
        trades = bids >= price
        trading = np.flatnonzero(trades)
        low = np.minimum(matching.trading_buyers.level[trading], bids[trading])
        pays = price.copy()
        pays[trading] = smallest_float(
            lambda bid, which: bid >= posted(bid, trading[which]),
            np.maximum(low, price[trading] + bounds.slack[trading]),
            low,
            bids[trading],
        )
        return _outcome(self, market, reports, matching, trades, pays, price)


def largest_asks(market: Market, matching: Matching) -> Array:
    """Return the largest ask with which each trading seller would still trade.

    Parameters
    ----------
    market, matching
        A market and its matching; sellers' weights are their asks.

    Returns
    -------
    ndarray of float64
        Shape (trades,): the threshold, or where an atom of the seller's prior stands on a
        threshold at which she loses the tie, the float below it.
    """
    return before_ties(market, *_parts_of(matching))


def before_ties(
    market: Market, seller: NDArray[np.integer], level: Array, wins_ties: NDArray[np.bool_]
) -> Array:
    """Step below the levels at which sellers with an atom there would lose a tie."""
    cap = level.copy()
    for prior, members in market.sellers.groups(seller):
        at = level[members]
        lost = ~wins_ties[members] & (prior.cdf(at) > prior.probability_below(at))
        cap[members[lost]] = np.nextafter(at[lost], -np.inf)
    return cap


def _parts_of(matching: Matching) -> tuple[NDArray[np.integer], Array, NDArray[np.bool_]]:
    thresholds = matching.trading_sellers
    return thresholds.agent, thresholds.level, thresholds.wins_ties


def _check_poster(rule: BilateralRule, poster: str) -> None:
    if rule.poster != poster:
        raise CatallaxError(
            f"{rule} is a rule for {rule.poster}s that post prices; give one for {poster}s"
        )


def _first_best(market: Market, reports: Reports) -> Matching:
    # All priors are asked for, lest it depend on the reports whether one is missing.
    list(market.sellers.groups())
    return best_matching(market.family, reports.bids, reports.asks, scale=market.scale)


def _post(
    rule: BilateralRule, market: Market, seller: NDArray[np.integer], cap: Array, report: Array
) -> Array:
    price = np.empty(seller.size)
    for prior, members in market.sellers.groups(seller):
        price[members] = rule.price(prior, cap[members], report[members])
    return price


def _outcome(
    mechanism: MetaAuctionBuyers | MetaAuctionSellers,
    market: Market,
    reports: Reports,
    matching: Matching,
    trades: NDArray[np.bool_],
    price: Array,
    posted: Array,
) -> Outcome:
    buyer, seller = matching.buyer[trades], matching.seller[trades]
    return Outcome(
        market=market,
        reports=reports,
        mechanism=mechanism.slug,
        solver=matching.solver,
        tick=matching.tick,
        buyer_index=buyer,
        seller_index=seller,
        buyer_pays=price[trades],
        seller_receives=price[trades],
        weights=reports.bids[buyer] - reports.asks[seller],
        reasons=PostedReasons(mechanism, mechanism.rule, matching, price, posted),
    )
