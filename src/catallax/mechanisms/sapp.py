"""SAPP: prices for one buyer, posted after the sellers have asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.markets.unit_demand import UnitDemand, UnitDemandReports
from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.explain import money
from catallax.mechanisms.outcome import NOBODY
from catallax.mechanisms.registry import register
from catallax.mechanisms.stated_reasons import StatedReason
from catallax.mechanisms.unit_demand import first_best_item, single_trade, unit_demand_of
from catallax.priors.base import RandomSource
from catallax.priors.floats import from_order, to_order

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.mechanisms.outcome import Outcome, Role
    from catallax.priors import Prior

__all__ = ["Measured", "SellerAdjustedPostedPrice", "expected_sapp", "margin", "posted_prices"]

Array = NDArray[np.float64]

# A test at this many points costs about as much as at a few.
_AT_ONCE = 2048


def margin(priors: tuple[Prior, ...], asks: Array) -> Array:
    """Return tau: the median of the best virtual value less ask, or 0 if that is negative.

    Parameters
    ----------
    priors
        Priors of the buyer's value of each item.
    asks
        One row for each profile; shape ``(profiles, items)``.

    Returns
    -------
    ndarray of float64
        Shape ``(profiles,)``. Exact: the smallest float t >= 0 with P(max_i phi_i - s_i <= t) >=
        1/2, a product of distribution functions. Under atoms this is the lower median, and it is
        0 exactly where P(max_i phi_i - s_i >= 0) <= 1/2 would have it so.

    Examples
    --------
    >>> import numpy as np
    >>> from catallax.priors import Uniform
    >>> margin((Uniform(0, 1),), np.array([[0.0], [0.9]])).tolist()
    [0.0, 0.0]
    >>> margin((Uniform(2, 3),), np.array([[0.5]])).round(9).tolist()
    [1.5]
    """

    def half(t: Array, which: NDArray[np.int64]) -> NDArray[np.bool_]:
        chance = np.ones(t.size)
        for item, prior in enumerate(priors):
            # phi <= level exactly below the first value whose virtual value exceeds it.
            first = prior.smallest_value(t + asks[which, item], True)
            chance *= prior.probability_below(first)
        return chance >= 0.5

    if not priors:
        return np.zeros(len(asks))
    if not any(prior._parts().pieces for prior in priors):
        return np.maximum(_median_of_steps(priors, asks), 0.0)
    # Where every phi_i - s_i is below t with probability 2^(-1/n), their maximum is with 1/2.
    share = 0.5 ** (1.0 / len(priors))
    ends = [prior.virtual_value(prior.quantile(min(share * (1 + 1e-12), 1.0))) for prior in priors]
    top = np.maximum((np.array(ends) - asks).max(axis=1), 0.0)
    return _first_float(half, np.zeros(len(asks)), top)


def _median_of_steps(priors: tuple[Prior, ...], asks: Array) -> Array:
    """Return the lower median of the best virtual value less ask, for finitely many values."""
    scores = [p.virtual_value(p.atoms[0]) - asks[:, k, None] for k, p in enumerate(priors)]
    candidates = np.concatenate(scores, axis=1)
    chance = np.ones(candidates.shape)
    for prior, score in zip(priors, scores, strict=True):
        chance *= (score[:, None, :] <= candidates[:, :, None]) @ prior.atoms[1]
    return np.where(chance >= 0.5 - 1e-12, candidates, np.inf).min(axis=1)


def _first_float(
    holds: Callable[[Array, NDArray[np.int64]], NDArray[np.bool_]], low: Array, high: Array
) -> Array:
    """Return the smallest floats in [low, high] at which a rising test holds; it does at `high`.

    Where there are few questions the test is asked at many points at once, which costs little
    more than asking at one: eleven rounds of 63 points tell all floats apart.
    """
    good = to_order(high)
    bad = to_order(low) - 1
    inner = np.arange(1, 1 + min(max(_AT_ONCE // max(good.size, 1), 1), 63), dtype=np.uint64)
    while True:
        # Unsigned, because the floats from -max to max are more than 2^63.
        width = good.astype(np.uint64) - bad.astype(np.uint64)
        open_ = np.flatnonzero(width > 1)
        if not open_.size:
            return from_order(good)
        step = np.maximum(width[open_] // np.uint64(inner.size + 1), np.uint64(1))
        offset = np.minimum(step[:, None] * inner, width[open_, None] - np.uint64(1))
        points = (bad[open_].astype(np.uint64)[:, None] + offset).astype(np.int64)
        found = holds(from_order(points.ravel()), np.repeat(open_, inner.size))
        found = found.reshape(points.shape)
        first = np.where(found.any(axis=1), found.argmax(axis=1), inner.size)
        edges = np.concatenate([bad[open_, None], points, good[open_, None]], axis=1)
        rows = np.arange(open_.size)
        bad[open_], good[open_] = edges[rows, first], edges[rows, first + 1]


def posted_prices(priors: tuple[Prior, ...], asks: Array) -> Array:
    """Return theta_i, the value at which phi_i reaches s_i + tau; infinite where none does.

    Parameters
    ----------
    priors
        Priors of the buyer's value of each item.
    asks
        Shape ``(profiles, items)``.

    Returns
    -------
    ndarray of float64
        Shape ``(profiles, items)``; rises with the own ask and falls with any other.
    """
    tau = margin(priors, asks)
    prices = np.empty(asks.shape)
    for k, prior in enumerate(priors):
        # The median may be this item's at an atom: rounding up would ask for the value after it.
        slack = 4 * np.spacing(np.maximum(np.abs(asks[:, k]), tau))
        prices[:, k] = prior.smallest_value(asks[:, k] + tau - slack)
    return prices


def _bought(priors: tuple[Prior, ...], bids: Array, asks: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the item that is bought in each profile (-1: none), and all prices."""
    prices = posted_prices(priors, asks)
    left = np.where(np.isfinite(prices), bids - prices, -np.inf)
    best = np.argmax(left, axis=1)
    return np.where(left.max(axis=1) >= 0, best, -1), prices


def _highest_asks(
    priors: tuple[Prior, ...], bids: Array, asks: Array, items: NDArray[np.int64]
) -> Array:
    """Return the largest asks, as floats, at which the items are still bought.

    An ask below the item's own is known to be bought, or the answer is NaN where none is.
    """
    rows = np.arange(items.size)

    def still(x: Array, which: NDArray[np.int64]) -> NDArray[np.bool_]:
        moved = asks[which].copy()
        moved[np.arange(which.size), items[which]] = 0.0 - x
        return _bought(priors, bids[which], moved)[0] == items[which]

    # A price is never below the ask it belongs to, so no ask above the bid is bought.
    own = asks[rows, items]
    limit = np.maximum(bids[rows, items], own)
    return 0.0 - _first_float(still, 0.0 - limit, 0.0 - own)


@register
@dataclass(frozen=True)
class SellerAdjustedPostedPrice(Mechanism):
    """Post prices to one buyer that depend on the asks, so that she buys about half the time.

    tau is the median of the largest virtual value less ask over the items (0 if that is
    negative); the price of an item is the smallest value whose virtual value reaches ask plus
    tau. The buyer takes the item that leaves her most, if any, and pays its price. Its seller
    receives the supremum of the asks with which her item would still be bought.

    The market is one of `UnitDemand`: bids and priors stand on the edges. This is a
    *reconstruction* from the paper's description; the body of the paper that introduced it was
    not at hand. That it breaks even in expectation is proved for monotone hazard rates only, so
    no claim is made: `expected_sapp` measures it.

    Claims
    ------
    Dominant-strategy truthful for the buyer (whose prices do not depend on her bids) and for the
    sellers; individually rational in every outcome.

    References
    ----------
    Cai, Goldner, Ma and Zhao, On multi-dimensional gains from trade maximization (SODA 2021),
    "Seller Adjusted Posted Price"; arXiv 2604.00129, Corollary 6.1.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market(
    ...     [{"id": "ann"}],
    ...     [{"id": "s", "ask": 0.5}],
    ...     [{"buyer": "ann", "seller": "s", "bid": 2.75, "prior": "uniform(2, 3)"}],
    ... )
    >>> outcome = cx.mechanisms.get("sapp").clear(market)
    >>> outcome.buyer_pays.round(9).tolist(), outcome.seller_receives.round(9).tolist()
    ([2.5], [2.5])
    """

    slug = "sapp"
    summary = "one buyer, a value for each item: prices posted to her, adjusted to the asks"
    claims = Claims("DSIC", "DSIC", "ex post", "none")

    def read_reports(self, market: Market, reports: Any = None) -> UnitDemandReports:
        """Check the bids on the edges and the asks, or take those that came with the market."""
        return unit_demand_of(market, reports)[1]

    def clear(self, market: Market, reports: Reports | UnitDemandReports | None = None) -> Outcome:
        """Post the prices, let the buyer choose, and pay the seller her threshold.

        Parameters
        ----------
        market
            A market of one buyer; see `UnitDemand`.
        reports
            `UnitDemandReports`; those that came with the market if left out.

        Raises
        ------
        UnsupportedMarketError
            If the market has not exactly one buyer with bids on the edges.
        MissingPriorError
            If an edge has no prior.
        """
        view, given = unit_demand_of(market, reports)
        priors = view.require_priors()
        asks = given.asks[view.seller][None, :]
        prices = posted_prices(priors, asks)[0] if priors else np.empty(0)
        left = np.where(np.isfinite(prices), given.bids - prices, -np.inf)
        item = first_best_item(left)
        paid = (np.nan, np.nan, 0.0)
        if item >= 0:
            highest = _highest_asks(priors, given.bids[None, :], asks, np.array([item]))
            paid = (float(prices[item]), float(highest[0]), float(left[item]))
        state = _Statements(view, given, prices, item, paid[1])
        limit = "the price that the asks set"
        return single_trade(view, given, self.slug, item, paid, state, limit)


@dataclass(frozen=True, eq=False)
class _Statements:
    """States the price of each item, and what its seller could have asked."""

    view: UnitDemand
    reports: UnitDemandReports
    prices: Array
    item: int
    received: float

    def __call__(self, role: Role, index: int) -> StatedReason:
        view, buyer = self.view, self.view.market.buyers.label(0)
        if role == "buyer":
            if self.item < 0:
                return StatedReason(np.nan, NOBODY, "no bid reaches the price of its item")
            seller = int(view.seller[self.item])
            ask = money(self.reports.asks[seller])
            clause = f"{view.market.sellers.label(seller)} sets it with an ask of {ask}"
            return StatedReason(float(self.prices[self.item]), -1 - seller, clause)
        items = np.flatnonzero(view.seller == index)
        if not items.size:
            return StatedReason(np.nan, NOBODY, "there is no buyer to trade with")
        item = int(items[0])
        said = money(self.reports.bids[item])
        clause = f"{buyer} sets it with a bid of {said} for {view.label(item)}"
        report = self.received if item == self.item else self._needed(item)
        if not np.isfinite(report):
            clause = f"{buyer} prefers another item, or none, whatever the ask"
            return StatedReason(np.nan, NOBODY, clause)
        return StatedReason(report, 0, clause)

    def _needed(self, item: int) -> float:
        """Return the highest ask, from 0 up, with which an item that is not bought would be."""
        priors = self.view.require_priors()
        asks = self.reports.asks[self.view.seller][None, :].copy()
        asks[0, item] = min(0.0, asks[0, item])
        bids = self.reports.bids[None, :]
        if _bought(priors, bids, asks)[0][0] != item:
            return np.nan
        return float(_highest_asks(priors, bids, asks, np.array([item]))[0])


class Measured(NamedTuple):
    """A mean and its standard error."""

    mean: float
    stderr: float


def expected_sapp(market: Market, samples: int, rng: RandomSource) -> dict[str, Measured]:
    """Measure what SAPP gains and keeps in expectation.

    Parameters
    ----------
    market
        A market of one buyer, with priors on edges and sellers; see `UnitDemand`.
    samples
        How many profiles are drawn.
    rng
        A seed, a `numpy.random.SeedSequence` or a `numpy.random.Generator`.

    Returns
    -------
    dict
        "gains_from_trade", "surplus" (negative: a deficit in expectation) and "trades", each as
        a mean with its standard error.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market(
    ...     [{"id": "ann"}],
    ...     [{"id": "s", "prior": "uniform(0, 1)"}],
    ...     [{"buyer": "ann", "seller": "s", "prior": "uniform(0, 1)"}],
    ... )
    >>> found = expected_sapp(market, 2000, rng=1)
    >>> abs(found["gains_from_trade"].mean - 1 / 8) < 4 * found["gains_from_trade"].stderr
    True
    """
    view = UnitDemand.of(market)
    priors = view.require_priors()
    values, costs = view.sample(rng, samples)
    item, prices = _bought(priors, values, costs)
    rows = np.flatnonzero(item >= 0)
    at = item[rows]
    gains, surplus = np.zeros(samples), np.zeros(samples)
    gains[rows] = values[rows, at] - costs[rows, at]
    receives = _highest_asks(priors, values[rows], costs[rows], at)
    surplus[rows] = prices[rows, at] - receives
    measured = {"gains_from_trade": gains, "surplus": surplus, "trades": 1.0 * (item >= 0)}
    return {
        name: Measured(float(of.mean()), float(of.std() / np.sqrt(samples)))
        for name, of in measured.items()
    }
