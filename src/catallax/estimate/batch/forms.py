"""Which mechanisms clear many profiles at once, and how; the others go through `clear`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.batch.clearing import Block, Branch, by_prior, clear_separable, joined
from catallax.markets import Reports
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
    PostedPrice,
    RandomOfferer,
    RandomOffererBalanced,
    SecondBest,
    SellersOffering,
    TradeReduction,
    gbom_bic,
    gsom_bic,
    meta_auction,
)
from catallax.mechanisms.double_auction import Rule, check_complete, efficient_trades
from catallax.mechanisms.mcafee import mcafee
from catallax.mechanisms.posted_price import best_price
from catallax.mechanisms.second_best import CombinedWeights
from catallax.mechanisms.trade_reduction import trade_reduction
from catallax.priors.combination import weighing
from catallax.priors.floats import smallest_float

if TYPE_CHECKING:
    from catallax.markets import Agents, Market

__all__ = ["Form", "batch_form"]

Array = NDArray[np.float64]
Form = Callable[[Block], Sequence[Branch]]


def batch_form(mechanism: Mechanism, market: Market) -> Form | None:
    """Find how a mechanism clears many profiles of a market at once.

    Parameters
    ----------
    mechanism
        The mechanism.
    market
        The market.

    Returns
    -------
    callable or None
        From a `Block` to the outcomes of the mechanism's lottery in every row, exactly those of
        `clear`; None where there is no such form: with constraints, and for mechanisms from
        elsewhere, whose subclasses of ours may do anything.
    """
    form = _FORMS.get(type(mechanism))
    if form is None or market.family.structure != "plain":
        return None
    return lambda block: form(block, mechanism)


# --------------------------------------------------------------------------- thresholds and coins


def _first_best(block: Block, mechanism: Any = None) -> list[Branch]:
    return [clear_separable(block, FirstBest(), lambda: block.reports)]


def _sellers_offer(block: Block, mechanism: Any = None) -> list[Branch]:
    def weigh() -> Array:
        buyers = block.market.buyers
        virtual = by_prior(buyers, block.draws.values, lambda prior, v: prior.virtual_value(v))
        return joined(virtual, block.draws.costs)

    return [clear_separable(block, SellersOffering(), weigh)]


def _buyers_offer(block: Block, mechanism: Any = None) -> list[Branch]:
    def weigh() -> Array:
        sellers = block.market.sellers
        virtual = by_prior(sellers, block.draws.costs, lambda prior, c: prior.virtual_cost(c))
        return joined(block.draws.values, virtual)

    return [clear_separable(block, BuyersOffering(), weigh)]


def _halves(*branches: list[Branch]) -> list[Branch]:
    return [replace(branch, probability=0.5) for (branch,) in branches]


def _random_offerer(block: Block, mechanism: Any = None) -> list[Branch]:
    return _halves(_sellers_offer(block), _buyers_offer(block))


def _random_offerer_balanced(block: Block, mechanism: RandomOffererBalanced) -> list[Branch]:
    surplus = mechanism.expected_surplus(block.market)
    agents = block.reports.shape[1]
    shares = np.full(agents, surplus.mean / max(1, agents))
    return [replace(branch, transfers=shares) for branch in _random_offerer(block)]


def _second_best(block: Block, mechanism: SecondBest) -> list[Branch]:
    found = mechanism.multiplier(block.market)
    return [
        replace(_combined(block, CombinedWeights(share)), probability=probability)
        for share, probability in zip(found.shares, found.probabilities, strict=True)
    ]


def _combined(block: Block, rule: CombinedWeights) -> Branch:
    def weigh_side(side: Agents, reports: Array) -> Array:
        return by_prior(side, reports, lambda p, x: weighing(p, side.role, rule.share).weight(x))

    def weigh() -> Array:
        market, draws = block.market, block.draws
        values, costs = (
            weigh_side(market.buyers, draws.values),
            weigh_side(market.sellers, draws.costs),
        )
        return joined(values, costs)

    return clear_separable(block, rule, weigh)


# ----------------------------------------------------------------------- averages and meta-auctions


def _sellers_offer_bic(block: Block, mechanism: Any = None) -> list[Branch]:
    (plain,) = _sellers_offer(block)
    assert plain.matched is not None
    pairs, n = plain.matched.pairs, block.reports.shape[1]
    seller_at = n - 1 - pairs.seller
    paid = plain.prices[pairs.row, pairs.buyer]
    known: Any = SimpleNamespace(buyer=pairs.buyer, pair_bounds=pairs.bounds)
    average = gsom_bic._average(block.market, known, paid)
    prices = plain.prices.copy()
    prices[pairs.row, seller_at] = np.clip(average, block.reports[pairs.row, seller_at], paid)
    return [replace(plain, prices=prices)]


def _buyers_offer_bic(block: Block, mechanism: Any = None) -> list[Branch]:
    (plain,) = _buyers_offer(block)
    assert plain.matched is not None
    pairs, n = plain.matched.pairs, block.reports.shape[1]
    received = plain.prices[pairs.row, n - 1 - pairs.seller]
    known: Any = SimpleNamespace(seller=pairs.seller, pair_bounds=pairs.bounds)
    average = gbom_bic._average(block.market, known, received)
    prices = plain.prices.copy()
    prices[pairs.row, pairs.buyer] = np.clip(
        average, received, block.reports[pairs.row, pairs.buyer]
    )
    return [replace(plain, prices=prices)]


def _random_offerer_bic(block: Block, mechanism: Any = None) -> list[Branch]:
    return _halves(_sellers_offer_bic(block), _buyers_offer_bic(block))


class _FirstBestPairs:
    """The pairs of the first best in all rows, with what the meta-auctions ask of them."""

    def __init__(self, block: Block) -> None:
        # All priors are asked for, lest it depend on the reports whether one is missing.
        list(block.market.sellers.groups())
        (plain,) = _first_best(block)
        assert plain.matched is not None
        self.matched = plain.matched
        self.pairs = self.matched.pairs
        n = block.reports.shape[1]
        self.buyer_at = self.pairs.row * n + self.pairs.buyer
        self.seller_at = self.pairs.row * n + n - 1 - self.pairs.seller
        flat = block.reports.reshape(-1)
        self.bids, self.asks = flat[self.buyer_at], flat[self.seller_at]

    def levels(self, block: Block, *, buyers: bool) -> tuple[Array, NDArray[np.bool_]]:
        """Give the thresholds of one partner of each pair, and whether she wins ties there."""
        matched = self.matched
        at, known = matched.thresholds(matched.trades, matched.setter, buyers=buyers)
        place = np.searchsorted(at, self.buyer_at if buyers else self.seller_at)
        return known.level[place], known.wins_ties[place]

    def branch(self, block: Block, which: Any, price: Array) -> list[Branch]:
        """Let some of the pairs trade, each at its price."""
        trades, prices = np.zeros(block.reports.shape, bool), np.zeros(block.reports.shape)
        for at in (self.buyer_at, self.seller_at):
            trades.reshape(-1)[at[which]] = True
            prices.reshape(-1)[at[which]] = price[which]
        return [Branch(1.0, trades, prices)]


def _meta_auction_buyers(block: Block, mechanism: MetaAuctionBuyers) -> list[Branch]:
    found, market = _FirstBestPairs(block), block.market
    seller = found.pairs.seller
    level, wins_ties = found.levels(block, buyers=False)
    cap = meta_auction.before_ties(market, seller, level, wins_ties)
    posted = meta_auction._post(mechanism.rule, market, seller, cap, found.bids)
    price = np.minimum(posted, level)
    return found.branch(block, found.asks <= price, price)


def _meta_auction_sellers(block: Block, mechanism: MetaAuctionSellers) -> list[Branch]:
    found, market = _FirstBestPairs(block), block.market
    bounds, seller = found.pairs.bounds, found.pairs.seller

    def posted(bid: Array, which: NDArray[np.int64]) -> Array:
        cap = np.minimum(bid - bounds.slack[which], bounds.buyer_elsewhere[which])
        return meta_auction._post(mechanism.rule, market, seller[which], cap, found.asks[which])

    price = posted(found.bids, np.arange(seller.size))
    trading = np.flatnonzero(found.bids >= price)
    low = np.minimum(found.levels(block, buyers=True)[0][trading], found.bids[trading])
    pays = price.copy()
    pays[trading] = smallest_float(
        lambda bid, which: bid >= posted(bid, trading[which]),
        np.maximum(low, price[trading] + bounds.slack[trading]),
        low,
        found.bids[trading],
    )
    return found.branch(block, trading, pays)


# --------------------------------------------------------------------------------- one price a side


def _posted_price(block: Block, mechanism: PostedPrice) -> list[Branch]:
    market, draws = block.market, block.draws
    price = best_price(market) if mechanism.price is None else float(mechanism.price)
    weights = (
        np.where(draws.values >= price, 1.0, -np.inf),
        np.where(draws.costs <= price, 0.0, np.inf),
    )
    matched = block.matched(("posted-price", price), lambda: joined(*weights))
    return [Branch(1.0, matched.trades, np.where(matched.trades, price, 0.0))]


def _double_auction(rule: Rule, slug: str) -> Callable[[Block, Any], list[Branch]]:
    def form(block: Block, mechanism: Any = None) -> list[Branch]:
        check_complete(block.market, slug)
        buyers = np.argsort(-block.draws.values, axis=1, kind="stable")
        sellers = np.argsort(block.draws.costs, axis=1, kind="stable")
        prices = rule(
            np.take_along_axis(block.draws.values, buyers, axis=1),
            np.take_along_axis(block.draws.costs, sellers, axis=1),
        )
        n, count = block.reports.shape[1], prices.trades[:, None]
        trades = np.empty(block.reports.shape, bool)
        np.put_along_axis(trades, buyers, np.arange(buyers.shape[1]) < count, axis=1)
        np.put_along_axis(trades, n - 1 - sellers, np.arange(sellers.shape[1]) < count, axis=1)
        paid = np.where(trades, prices.buyer_pays[:, None], 0.0)
        paid[:, block.n_buyers :] = np.where(
            trades[:, block.n_buyers :], prices.seller_receives[:, None], 0.0
        )
        return [Branch(1.0, trades, paid)]

    return form


_reduce_trade = _double_auction(trade_reduction, "hybrid")


def _hybrid(block: Block, mechanism: Hybrid) -> list[Branch]:
    (reduced,) = _reduce_trade(block, None)
    bids, asks = -np.sort(-block.draws.values, axis=1), np.sort(block.draws.costs, axis=1)
    branches = [
        Branch(0.5, reduced.trades.copy(), reduced.prices.copy()),
        Branch(0.5, reduced.trades.copy(), reduced.prices.copy()),
    ]
    n = block.reports.shape[1]
    # An offer is ironed between the rivals' reports, which no two profiles share.
    for row in np.flatnonzero(efficient_trades(bids, asks) == 1):
        reports = Reports(block.draws.values[row], block.draws.costs[row])
        lottery = mechanism.clear(block.market, reports)
        for branch, (_, outcome) in zip(branches, lottery.outcomes, strict=True):
            branch.trades[row, outcome.buyer_index] = True
            branch.trades[row, n - 1 - outcome.seller_index] = True
            branch.prices[row, outcome.buyer_index] = outcome.buyer_pays
            branch.prices[row, n - 1 - outcome.seller_index] = outcome.seller_receives
    return branches


_FORMS: dict[type[Mechanism], Callable[[Block, Any], list[Branch]]] = {
    FirstBest: _first_best,
    SellersOffering: _sellers_offer,
    BuyersOffering: _buyers_offer,
    BalancedSellersOffering: _sellers_offer_bic,
    BalancedBuyersOffering: _buyers_offer_bic,
    RandomOfferer: _random_offerer,
    BalancedRandomOfferer: _random_offerer_bic,
    RandomOffererBalanced: _random_offerer_balanced,
    SecondBest: _second_best,
    MetaAuctionBuyers: _meta_auction_buyers,
    MetaAuctionSellers: _meta_auction_sellers,
    PostedPrice: _posted_price,
    TradeReduction: _double_auction(trade_reduction, "trade-reduction"),
    McAfee: _double_auction(mcafee, "mcafee"),
    Hybrid: _hybrid,
}
