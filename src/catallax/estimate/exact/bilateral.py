"""Bilateral trade under any two priors, by every mechanism of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from catallax.estimate.exact.integrals import has_mean, tail_of
from catallax.estimate.exact.pair import Pair, Prices, Region, region_values
from catallax.estimate.exact.regions import balancing, efficient, offered, posted_by_seller
from catallax.estimate.exact.result import ExactValues, mixed
from catallax.estimate.exact.second_best import balanced
from catallax.mechanisms import (
    BalancedBuyersOffering,
    BalancedRandomOfferer,
    BalancedSellersOffering,
    BuyersOffering,
    FirstBest,
    Hybrid,
    McAfee,
    Mechanism,
    MetaAuctionBuyers,
    MetaAuctionSellers,
    MultiQuantile,
    PostedPrice,
    PostQuantile,
    RandomOfferer,
    RandomOffererBalanced,
    SecondBest,
    SellersOffering,
    TradeReduction,
)
from catallax.mechanisms.double_auction import check_complete
from catallax.mechanisms.posted_price import best_price
from catallax.mechanisms.second_best import CombinedWeights

if TYPE_CHECKING:
    from catallax.markets import Market

__all__ = ["bilateral_values", "only_pair"]


def only_pair(market: Market) -> Pair | None:
    """Return the only pair that can trade, if a market has but one edge.

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    """
    for side in (market.buyers, market.sellers):
        list(side.groups())
    if market.graph.n_edges != 1 or market.constraints:
        return None
    complete = market.graph.complete
    i = 0 if complete else int(market.graph.buyer[0])
    j = 0 if complete else int(market.graph.seller[0])
    buyer, seller = market.buyers.prior(i), market.sellers.prior(j)
    assert buyer is not None and seller is not None
    return Pair(buyer, seller)


def bilateral_values(market: Market, mechanism: Mechanism) -> ExactValues | None:
    """Compute what a mechanism achieves on a market with one edge.

    Parameters
    ----------
    market
        A market whose agents all have priors.
    mechanism
        A mechanism of this library.

    Returns
    -------
    ExactValues or None
        None for other markets and mechanisms, and where an expectation is infinite.

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    UnsupportedMarketError
        If the mechanism does not apply to the market.
    """
    pair = only_pair(market)
    if pair is None:
        return None
    kind = type(mechanism)
    if kind in (TradeReduction, McAfee, Hybrid):
        check_complete(market, mechanism.slug)
    if not has_mean(pair.buyer) or not has_mean(pair.seller):
        return None
    if kind in (TradeReduction, McAfee):  # the only pair sets the prices and stays out
        return ExactValues(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, pair.method, 0.0)
    if isinstance(mechanism, PostedPrice) and kind is PostedPrice:
        price = best_price(market) if mechanism.price is None else mechanism.price
        return _posted(pair, price)
    parts = _parts(mechanism, pair)
    if parts is None:
        return None
    return mixed([(p, region_values(pair, at, how)) for p, at, how in parts])


def _parts(mechanism: Mechanism, pair: Pair) -> list[tuple[float, Region, Prices]] | None:
    """Return what a mechanism does with one pair: regions with probabilities, and who sets prices.

    With one pair GSOM is the seller's best offer and GBOM the buyer's, which is what the hybrid's
    coin decides between, and what the buyer posts in her meta-auction. The averages of the BIC
    variants are over nothing then: both pay the threshold of one of them, and the surplus that
    `random-offerer-balanced` hands back is zero.
    """
    kind = type(mechanism)
    if kind is SecondBest:
        return [(p, region, "own") for p, region in balanced(pair)]
    if isinstance(mechanism, CombinedWeights) and kind is CombinedWeights:
        return [(1.0, balancing(pair, mechanism.share), "own")]
    if isinstance(mechanism, MetaAuctionSellers) and kind is MetaAuctionSellers:
        rule = mechanism.rule
        if type(rule) is not MultiQuantile:
            return None
        return [(1.0, posted_by_seller(pair, rule), "buyer's")]
    if isinstance(mechanism, MetaAuctionBuyers) and type(mechanism.rule) is not PostQuantile:
        return None
    if kind is FirstBest:
        return [(1.0, efficient(pair), "own")]
    if kind not in _OFFERS:
        return None
    return [(p, offered(pair, by), prices) for p, by, prices in _OFFERS[kind]]


_OFFERS: dict[type[Mechanism], list[tuple[float, Literal["seller", "buyer"], Prices]]] = {
    SellersOffering: [(1.0, "seller", "own")],
    BuyersOffering: [(1.0, "buyer", "own")],
    BalancedSellersOffering: [(1.0, "seller", "buyer's")],
    BalancedBuyersOffering: [(1.0, "buyer", "seller's")],
    RandomOfferer: [(0.5, "seller", "own"), (0.5, "buyer", "own")],
    Hybrid: [(0.5, "seller", "own"), (0.5, "buyer", "own")],
    BalancedRandomOfferer: [(0.5, "seller", "buyer's"), (0.5, "buyer", "seller's")],
    RandomOffererBalanced: [(0.5, "seller", "own"), (0.5, "buyer", "own")],
    MetaAuctionBuyers: [(1.0, "buyer", "seller's")],
}
"""Who offers with which probability, and whose threshold sets the prices."""


def _posted(pair: Pair, price: float) -> ExactValues:
    """Both accept a posted price independently."""
    buyer, seller, at = pair.buyer, pair.seller, np.array([price])
    buys, sells = float(buyer.probability_at_least(price)), float(seller.cdf(price))
    above, below = tail_of(buyer, 1), tail_of(seller, -1)
    bought, sold = float(above(at)[0]) * sells, float(below(at)[0]) * buys
    error = float(above.error(at)[0]) * sells + float(below.error(at)[0]) * buys
    trades = buys * sells
    bound = max(error / (bought + sold) if bought + sold > 0 else 0.0, 4e-16)
    return ExactValues(bought + sold, bought, sold, 0.0, trades, trades, pair.method, bound)
