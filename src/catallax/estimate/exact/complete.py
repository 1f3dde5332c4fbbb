"""Complete markets whose buyers are alike, and whose sellers are: what each mechanism achieves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from catallax.estimate.exact.counts import expected_smaller
from catallax.estimate.exact.integrals import has_mean, tail_of
from catallax.estimate.exact.mcafee import mcafee_values
from catallax.estimate.exact.order_statistics import Alike, stated, threshold_values
from catallax.estimate.exact.result import ExactValues, mixed
from catallax.estimate.exact.sides import REPORT, Side, combined, virtual
from catallax.estimate.exact.trade_reduction import trade_reduction_values
from catallax.mechanisms import (
    BalancedBuyersOffering,
    BalancedRandomOfferer,
    BalancedSellersOffering,
    BuyersOffering,
    FirstBest,
    McAfee,
    Mechanism,
    PostedPrice,
    RandomOfferer,
    RandomOffererBalanced,
    SecondBest,
    SellersOffering,
    TradeReduction,
)
from catallax.mechanisms.posted_price import best_price
from catallax.mechanisms.second_best import CombinedWeights

if TYPE_CHECKING:
    from catallax.markets import Agents, Market
    from catallax.priors import Prior

__all__ = ["MOST_AGENTS", "complete_values"]

MOST_AGENTS = 4_000
"""Markets of more agents than this take too long."""

# The averages that the BIC variants pay have the expectation of the prices they replace.
_SELLERS_OFFER = (SellersOffering, BalancedSellersOffering)
_BUYERS_OFFER = (BuyersOffering, BalancedBuyersOffering)
_EITHER_OFFERS = (RandomOfferer, BalancedRandomOfferer, RandomOffererBalanced)


def complete_values(market: Market, mechanism: Mechanism) -> ExactValues | None:
    """Compute what a mechanism achieves where everybody may trade and each side is alike.

    Parameters
    ----------
    market
        A market whose agents all have priors.
    mechanism
        A mechanism of this library.

    Returns
    -------
    ExactValues or None
        None for other markets and for the mechanisms whose prices depend on more than the reports
        next to the last trade (the meta-auctions, and the hybrid's offers); for trade reduction
        and McAfee's rule also where a prior has atoms, and for the second best where it has atoms
        or gaps.

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    """
    alike = _alike(market)
    if alike is None:
        return None
    kind = type(mechanism)
    if kind is TradeReduction:
        return trade_reduction_values(alike)
    if kind is McAfee:
        return mcafee_values(alike)
    if isinstance(mechanism, PostedPrice) and kind is PostedPrice:
        return _posted(alike, best_price(market) if mechanism.price is None else mechanism.price)
    parts = []
    for probability, value, cost in _weighings(market, mechanism, alike):
        found = threshold_values(alike, value, cost)
        if found is None:
            return None
        parts.append((probability, found))
    if not parts:
        return None
    found = mixed(parts)
    if isinstance(mechanism, RandomOffererBalanced):
        return _with_lump_sums(found, alike, mechanism.expected_surplus(market).mean)
    return found


def _alike(market: Market) -> Alike | None:
    """Return the market as one of agents alike, if that is what it is."""
    n, m = len(market.buyers), len(market.sellers)
    if market.constraints or not n or not m or n + m > MOST_AGENTS:
        return None
    if not market.graph.complete and market.graph.n_edges < n * m:
        return None
    buyer, seller = _only_prior(market.buyers), _only_prior(market.sellers)
    if buyer is None or seller is None:
        return None
    if not has_mean(buyer) or not has_mean(seller):
        return None
    return Alike(buyer, seller, n, m)


def _only_prior(side: Agents) -> Prior | None:
    priors = [prior for prior, _ in side.groups()]
    return priors[0] if all(prior == priors[0] for prior in priors) else None


def _weighings(
    market: Market, mechanism: Mechanism, alike: Alike
) -> list[tuple[float, Side, Side]]:
    """Return how both sides are weighed, with probabilities; nothing for other mechanisms."""
    kind = type(mechanism)
    if kind is FirstBest:
        return [(1.0, REPORT, REPORT)]
    if isinstance(mechanism, CombinedWeights) and kind is CombinedWeights:
        shares = [(1.0, mechanism.share)]
    elif isinstance(mechanism, SecondBest) and kind is SecondBest:
        if not (_in_one_piece(alike.buyer) and _in_one_piece(alike.seller)):
            return []
        found = mechanism.multiplier(market)
        shares = list(zip(found.probabilities, found.shares, strict=True))
    else:
        sellers_offer = (virtual(alike.buyer, "buyer"), REPORT)
        buyers_offer = (REPORT, virtual(alike.seller, "seller"))
        if kind in _SELLERS_OFFER:
            return [(1.0, *sellers_offer)]
        if kind in _BUYERS_OFFER:
            return [(1.0, *buyers_offer)]
        return [(0.5, *sellers_offer), (0.5, *buyers_offer)] if kind in _EITHER_OFFERS else []
    return [
        (p, combined(alike.buyer, "buyer", share), combined(alike.seller, "seller", share))
        for p, share in shares
    ]


def _in_one_piece(prior: Prior) -> bool:
    """Whether a prior has a density on one interval, and nothing else."""
    parts = prior._parts()
    ends = [piece[1] for piece in parts.pieces[:-1]]
    starts = [piece[0] for piece in parts.pieces[1:]]
    return bool(parts.pieces) and not parts.atoms.size and ends == starts


def _posted(alike: Alike, price: float) -> ExactValues:
    """Of those that accept a price as many trade as can, chosen without their reports."""
    n, m = alike.n_buyers, alike.n_sellers
    buys = alike.buyer.probability_at_least(np.array([price]))
    sells = alike.seller.cdf(np.array([price]))
    trades = float(expected_smaller(n, buys, m, sells)[0])
    if trades == 0.0:
        return stated((0.0, 0.0, 0.0), 0.0, (0.0, 0.0), 0.0)
    above, below = tail_of(alike.buyer, 1), tail_of(alike.seller, -1)
    at, eps = np.array([price]), float(np.finfo(np.float64).eps)
    bought = trades * float(above(at)[0] / buys[0])
    sold = trades * float(below(at)[0] / sells[0])
    error = trades * float(above.error(at)[0] / buys[0] + below.error(at)[0] / sells[0])
    some = -np.expm1(n * np.log1p(-buys[0])) if buys[0] < 1.0 else 1.0
    some *= -np.expm1(m * np.log1p(-sells[0])) if sells[0] < 1.0 else 1.0
    rounding = 16 * (n + m) * eps
    return stated(
        (bought + sold, bought, sold),
        error + rounding * (bought + sold),
        (trades, float(some)),
        rounding * trades,
    )


def _with_lump_sums(found: ExactValues, alike: Alike, total: float) -> ExactValues:
    """Hand a sum back to all agents alike."""
    share = alike.n_buyers / (alike.n_buyers + alike.n_sellers)
    surplus = found.surplus - total
    surplus = 0.0 if abs(surplus) <= found.error_bound * found.scale else surplus
    return replace(
        found,
        buyers_utility=found.buyers_utility + share * total,
        sellers_utility=found.sellers_utility + (1.0 - share) * total,
        surplus=surplus,
    )
