"""Bilateral trade under any two priors: integrals over one of them, the other in closed form.

A mechanism for one pair trades where the value is at least `lowest(cost)`, which is where the cost
is at most `highest(value)`. Given the cost c, with T = lowest(c), trade has the probability
P(V >= T), the buyer's gain above T is the integral of P(V >= y) over y >= T, and what is left of
the gains is (T - c) P(V >= T); given the value, mirrored. So everything is an integral over one
agent's prior, and the gains are two: over costs, and over values. What they differ by is part of
the error that is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact_integrals import Integral, Tail, expectation, tail_of
from catallax.estimate.exact_result import ExactValues, Method, mixed
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
from catallax.priors.combination import weighing

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.priors import Prior

__all__ = ["bilateral_values", "only_pair"]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
Prices = Literal["own", "buyer's", "seller's"]

_EVERY = 8
"""Of the nodes of one prior one in so many cuts the integral over the other."""


class Side(NamedTuple):
    """How one agent's report weighs, which report has a given weight, and where this changes."""

    weight: Function
    critical: Callable[[Array, NDArray[np.bool_]], Array]
    kinks: Array


@dataclass(frozen=True, eq=False)
class Region:
    """Which values and costs trade.

    Attributes
    ----------
    lowest
        From costs to the lowest value that trades with each; infinite if none does.
    highest
        From values to the highest cost that trades with each, -inf if none does; or None where
        prices do not depend on it.
    at_costs, at_values
        Where these functions, or probabilities at their values, may jump or bend.
    """

    lowest: Function
    highest: Function | None
    at_costs: Array
    at_values: Array


def only_pair(market: Market) -> tuple[Prior, Prior] | None:
    """Return the priors of the only pair that can trade, if a market has but one edge.

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
    return buyer, seller


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
    buyer, seller = pair
    kind = type(mechanism)
    if kind in (TradeReduction, McAfee, Hybrid):
        check_complete(market, mechanism.slug)
    if not np.isfinite(buyer.mean) or not np.isfinite(seller.mean):
        return None
    pieces = buyer._parts().pieces or seller._parts().pieces
    method: Method = "quadrature" if pieces else "enumeration"
    if kind in (TradeReduction, McAfee):  # the only pair sets the prices and stays out
        return ExactValues(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, method, 0.0)
    if isinstance(mechanism, PostedPrice) and kind is PostedPrice:
        price = best_price(market) if mechanism.price is None else mechanism.price
        return _posted(buyer, seller, price, method)
    parts = _parts(market, mechanism, buyer, seller)
    if parts is None:
        return None
    return mixed([(p, _values(buyer, seller, at, how, method)) for p, at, how in parts])


def _parts(
    market: Market, mechanism: Mechanism, buyer: Prior, seller: Prior
) -> list[tuple[float, Region, Prices]] | None:
    """Return what a mechanism does with one pair: regions with probabilities, and who sets prices.

    With one pair GSOM is the seller's best offer and GBOM the buyer's, which is what the hybrid's
    coin decides between, and what the buyer posts in her meta-auction. The averages of the BIC
    variants are over nothing then: both pay the threshold of one of them, and the surplus that
    `random-offerer-balanced` hands back is zero.
    """
    kind = type(mechanism)
    if isinstance(mechanism, SecondBest) and kind is SecondBest:
        found = mechanism.multiplier(market)
        shares = zip(found.probabilities, found.shares, strict=True)
        return [(p, _combined(buyer, seller, share), "own") for p, share in shares]
    if isinstance(mechanism, CombinedWeights) and kind is CombinedWeights:
        return [(1.0, _combined(buyer, seller, mechanism.share), "own")]
    if isinstance(mechanism, MetaAuctionSellers) and kind is MetaAuctionSellers:
        rule = mechanism.rule
        if type(rule) is not MultiQuantile:
            return None
        return [(1.0, _posted_by_seller(rule, buyer, seller), "buyer's")]
    if isinstance(mechanism, MetaAuctionBuyers) and type(mechanism.rule) is not PostQuantile:
        return None
    if kind is FirstBest:
        return [(1.0, _region(buyer, seller, _REPORT, _REPORT), "own")]
    if kind not in _OFFERS:
        return None
    offers = {
        "seller": lambda: _region(buyer, seller, _virtual_value(buyer), _REPORT),
        "buyer": lambda: _region(buyer, seller, _REPORT, _virtual_cost(seller)),
    }
    return [(p, offers[offerer](), prices) for p, offerer, prices in _OFFERS[kind]]


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

_WITH_TIES = np.array(False)
_REPORT = Side(lambda report: report, lambda level, strict: level, np.empty(0))


def _virtual_value(prior: Prior) -> Side:
    ends = [end for block in prior.ironed_values for end in (block.low, block.high)]
    return Side(prior.virtual_value, prior.smallest_value, np.array(ends))


def _virtual_cost(prior: Prior) -> Side:
    ends = [end for block in prior.ironed_costs for end in (block.low, block.high)]
    return Side(prior.virtual_cost, prior.largest_cost, np.array(ends))


def _combined(buyer: Prior, seller: Prior, share: float) -> Region:
    """Return where values and virtual values combined decide, as for the second best."""
    value, cost = weighing(buyer, "buyer", share), weighing(seller, "seller", share)
    sides = [Side(one.weight, one.critical, one.kinks) for one in (value, cost)]
    return _region(buyer, seller, *sides)


def _region(buyer: Prior, seller: Prior, value: Side, cost: Side) -> Region:
    """Return where the buyer's weight is at least the seller's."""
    return Region(
        lambda costs: value.critical(cost.weight(costs), _WITH_TIES),
        lambda values: cost.critical(value.weight(values), _WITH_TIES),
        np.concatenate([cost.kinks, _images(buyer, value, cost)]),
        np.concatenate([value.kinks, _images(seller, cost, value)]),
    )


def _images(prior: Prior, own: Side, other: Side) -> Array:
    """Return the other side's reports that meet what is special of this side."""
    marks = np.concatenate([own.kinks, _marks(prior)])
    # A step has two levels: the one it comes from, and its own.
    points = np.concatenate([marks, np.nextafter(marks, -np.inf), np.nextafter(marks, np.inf)])
    levels = own.weight(np.concatenate([points, prior._nodes()[::_EVERY]]))
    levels = levels[np.isfinite(levels)]
    met = other.critical(np.tile(levels, 2), np.repeat([False, True], levels.size))
    return met[np.isfinite(met)]


def _marks(prior: Prior) -> Array:
    """Return the atoms of a prior and the finite ends of its pieces."""
    parts = prior._parts()
    ends = np.array([end for piece in parts.pieces for end in piece])
    return np.concatenate([parts.atoms, ends[np.isfinite(ends)]])


def _posted_by_seller(rule: MultiQuantile, buyer: Prior, seller: Prior) -> Region:
    """Return where the value is at least the price that the seller's quantile posts."""

    def lowest(costs: Array) -> Array:
        return rule.price(seller, np.full(costs.shape, np.inf), costs)

    # The cost whose price is y has lambda times the quantile of y.
    marks = np.concatenate([_marks(buyer), _marks(seller), buyer._nodes()[::_EVERY]])
    quantiles = np.concatenate([seller.cdf(marks), seller.probability_below(marks), np.ones(1)])
    met = seller.quantile(rule.lambda_ * quantiles)
    return Region(lowest, None, met[np.isfinite(met)], np.empty(0))


# ------------------------------------------------------------------------------------ integrals


def _values(
    buyer: Prior, seller: Prior, region: Region, prices: Prices, method: Method
) -> ExactValues:
    """Integrate a region at the prices of `_parts`."""
    costs = _over_costs(buyer, seller, region)
    values = costs if region.highest is None else _over_values(buyer, seller, region)
    count = _better(costs.trades, values.trades)
    gains = _better(costs.gains, values.gains)
    # Above the buyer's threshold all is hers, below the seller's all the seller's; a price that is
    # one threshold leaves the other agent what lies between it and her own report.
    bought = values.rest if prices == "seller's" else costs.own
    sold = costs.rest if prices == "buyer's" else values.own
    money = max(part[1] for part in (gains, bought, sold))
    surplus = gains[0] - bought[0] - sold[0]
    if prices != "own" or abs(surplus) <= 3 * money:
        surplus = 0.0
    found = ExactValues(
        gains[0], bought[0], sold[0], surplus, count[0], count[0], method, error_bound=0.0
    )
    relative = max(_ratio(count[1], count[0]), _ratio(3 * money, found.scale))
    return replace(found, error_bound=relative)


def _ratio(error: float, scale: float) -> float:
    return error / scale if scale > 0 else 0.0


Known = tuple[float, float]
"""A value and a bound on its error."""


def _better(one: Known, other: Known) -> Known:
    """Return the more exact of two ways to compute a value; they must agree."""
    value, error = one if one[1] <= other[1] else other
    return value, max(error, abs(one[0] - other[0]))


class _Found(NamedTuple):
    """Integrals over one prior: trades, the other agent's gain at her threshold, and the rest."""

    trades: Known
    own: Known
    rest: Known

    @property
    def gains(self) -> Known:
        """Own gain and rest together."""
        return self.own[0] + self.rest[0], self.own[1] + self.rest[1]


def _over_costs(buyer: Prior, seller: Prior, region: Region) -> _Found:
    """Integrate over costs: the buyer's own gain lies above her threshold."""
    tail = tail_of(buyer, 1)

    def rows(costs: Array) -> Array:
        return _rows(costs, region.lowest(costs), buyer.probability_at_least, tail)

    return _found(expectation(seller, rows, region.at_costs, _UNITS))


def _over_values(buyer: Prior, seller: Prior, region: Region) -> _Found:
    """Integrate over values: the seller's own gain lies below her threshold."""
    tail, highest = tail_of(seller, -1), region.highest
    assert highest is not None

    def rows(values: Array) -> Array:
        return _rows(values, highest(values), seller.cdf, tail)

    return _found(expectation(buyer, rows, region.at_values, _UNITS))


_UNITS = (0, 1, 1, 1)


def _rows(reports: Array, threshold: Array, probability: Function, tail: Tail) -> Array:
    """Return, for each report: probability of trade, own gain, rest, and the error of the tail."""
    out = np.zeros((4, reports.size))
    finite = np.isfinite(threshold)
    at = threshold[finite]
    out[0, finite] = probability(at)
    out[1, finite] = tail(at)
    out[2, finite] = np.abs(at - reports[finite]) * out[0, finite]
    out[3, finite] = tail.error(at)
    return out


def _found(integral: Integral) -> _Found:
    value, error = integral.value.tolist(), integral.error.tolist()
    return _Found(
        (value[0], error[0]), (value[1], error[1] + value[3]), (value[2], error[2])
    )


def _posted(buyer: Prior, seller: Prior, price: float, method: Method) -> ExactValues:
    """Both accept a posted price independently."""
    at = np.array([price])
    buys, sells = float(buyer.probability_at_least(price)), float(seller.cdf(price))
    above, below = tail_of(buyer, 1), tail_of(seller, -1)
    bought, sold = float(above(at)[0]) * sells, float(below(at)[0]) * buys
    error = float(above.error(at)[0]) * sells + float(below.error(at)[0]) * buys
    trades = buys * sells
    bound = max(_ratio(error, bought + sold), 4e-16)
    return ExactValues(bought + sold, bought, sold, 0.0, trades, trades, method, bound)
