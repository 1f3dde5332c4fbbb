"""Complete markets with one prior for all buyers and one for all sellers: order statistics.

Whoever reports z trades or not by counting. A buyer trades if fewer other buyers stand before her
than sellers weigh no more than she does; both numbers are binomial. With the probability x(z) that
a buyer of report z trades, and y(z) that a seller does, n buyers of prior D and m sellers of prior
F, and prices that are thresholds, the expectations are ::

    trades            n E[x(V)] = m E[y(C)]
    gains from trade  n E[V x(V)] - m E[C y(C)]
    buyers' utility   n times the integral of P(V >= z) x(z) over z
    sellers' utility  m times the integral of P(C <= z) y(z) over z

Agents that tie, at an atom or on an ironed interval, are alike but for their place in the market's
list, so that on average each of them trades with the same probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact.counts import expected_smaller, fewer
from catallax.estimate.exact.integrals import (
    Integral,
    cuts_of,
    edges_between,
    expectation,
    integrate,
    tail_of,
)
from catallax.estimate.exact.result import ExactValues
from catallax.estimate.exact.sides import Side, images, marks_of

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["Alike", "stated", "threshold_values"]

Array = NDArray[np.float64]

# A tie of less probability than this is a rounding.
_NO_TIE = 1e-12
# Points times agents, beyond which it would take minutes.
_MOST_WORK = 2e7
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Alike:
    """A complete market whose buyers are alike, and whose sellers are.

    Attributes
    ----------
    buyer, seller
        The two priors, of finite means.
    n_buyers, n_sellers
        How many there are; at least one each.
    """

    buyer: Prior
    seller: Prior
    n_buyers: int
    n_sellers: int

    @cached_property
    def price(self) -> float:
        """A price at which about as many buy as sell, to count amounts from."""
        points = np.concatenate(
            [marks_of(self.buyer), marks_of(self.seller), cuts_of(self.buyer), cuts_of(self.seller)]
        )
        buy = self.n_buyers * self.buyer.probability_at_least(points)
        return float(points[np.argmin(np.abs(buy - self.n_sellers * self.seller.cdf(points)))])


@dataclass(frozen=True, eq=False)
class _Counts:
    """How likely trade is at a report, where everybody has a weight of her own report alone."""

    market: Alike
    value: Side
    cost: Side

    def _buyers_from(self, level: Array) -> tuple[Array, Array]:
        """Return the probabilities that a buyer weighs more than a level, and at least as much."""
        prior = self.market.buyer
        if self.value.plain:
            return prior.sf(level), prior.probability_at_least(level)
        least = self.value.critical(np.tile(level, 2), np.repeat([True, False], level.size))
        above, within = np.split(prior.probability_at_least(least), 2)
        return above, within

    def _sellers_to(self, level: Array) -> tuple[Array, Array]:
        """Return the probabilities that a seller weighs less than a level, and at most as much."""
        prior = self.market.seller
        if self.cost.plain:
            return prior.probability_below(level), prior.cdf(level)
        most = self.cost.critical(np.tile(level, 2), np.repeat([True, False], level.size))
        below, within = np.split(prior.cdf(most), 2)
        return below, within

    def buyers(self, reports: Array) -> tuple[Array, Array]:
        """Return a buyer's probability of trade at reports, and bounds on its error."""
        level = self.value.weight(reports)
        return self._place(
            self.market.n_buyers,
            self._buyers_from(level),
            self.market.n_sellers,
            self._sellers_to(level)[1],
        )

    def sellers(self, reports: Array) -> tuple[Array, Array]:
        """Return a seller's probability of trade at reports, and bounds on its error."""
        level = self.cost.weight(reports)
        return self._place(
            self.market.n_sellers,
            self._sellers_to(level),
            self.market.n_buyers,
            self._buyers_from(level)[1],
        )

    @staticmethod
    def _place(
        rivals: int, before: tuple[Array, Array], partners: int, ready: Array
    ) -> tuple[Array, Array]:
        """Return the probability that fewer rivals stand before than partners are ready."""
        first, within = before
        tied = within - first > _NO_TIE
        out, error = np.empty(first.size), np.empty(first.size)
        out[~tied] = fewer(rivals - 1, first[~tied], partners, ready[~tied])
        error[~tied] = 64 * _EPSILON * out[~tied]
        if tied.any():
            upper = expected_smaller(rivals, within[tied], partners, ready[tied])
            lower = expected_smaller(rivals, first[tied], partners, ready[tied])
            share = rivals * (within[tied] - first[tied])
            out[tied] = (upper - lower) / share
            error[tied] = 64 * _EPSILON * upper / share
        return out, error

    def any_trade(self) -> Integral:
        """Return the probability that some buyer weighs no less than the first seller."""
        count, prior = self.market.n_sellers, self.market.seller

        def rows(costs: Array) -> Array:
            some = self._buyers_from(self.cost.weight(costs))[1]
            with np.errstate(divide="ignore"):
                bought = -np.expm1(self.market.n_buyers * np.log1p(-np.minimum(some, 1.0)))
            within, beyond = prior.probability_at_least(costs), prior.sf(costs)
            mass = within - beyond
            with np.errstate(divide="ignore", invalid="ignore"):
                atom = (within**count - beyond**count) / mass
            first = np.where(mass > _NO_TIE, atom, count * beyond ** (count - 1))
            return (first * bought)[None]

        return expectation(prior, rows, self.at_costs)

    @cached_property
    def at_values(self) -> Array:
        """Where a buyer's chances may jump or bend."""
        market = self.market
        return np.concatenate([self.value.kinks, images(market.seller, self.cost, self.value)])

    @cached_property
    def at_costs(self) -> Array:
        """Where a seller's chances may jump or bend."""
        market = self.market
        return np.concatenate([self.cost.kinks, images(market.buyer, self.value, self.cost)])


def threshold_values(market: Alike, value: Side, cost: Side) -> ExactValues | None:
    """Compute what comes of trading the best matching of weights at threshold prices.

    Parameters
    ----------
    market
        The market.
    value, cost
        How both sides are weighed.

    Returns
    -------
    ExactValues or None
        None where a tail is too heavy to be integrated.
    """
    buyer, seller = market.buyer, market.seller
    if max(tail_of(buyer, 1).beyond, tail_of(seller, -1).beyond) > 0.0:
        return None
    counts = _Counts(market, value, cost)
    lines = _line(counts, "buyer"), _line(counts, "seller")
    if max(line.size for line in lines) * (market.n_buyers + market.n_sellers) > _MOST_WORK:
        return None
    bought = _times(
        market.n_buyers, _expected(buyer, counts.buyers, counts.at_values, market.price)
    )
    sold = _times(
        market.n_sellers, _expected(seller, counts.sellers, counts.at_costs, market.price)
    )
    bidders = _times(market.n_buyers, _utility(buyer.probability_at_least, counts.buyers, lines[0]))
    askers = _times(market.n_sellers, _utility(seller.cdf, counts.sellers, lines[1]))
    some = counts.any_trade()
    gains = float(bought.value[1] - sold.value[1])
    return stated(
        (gains, float(bidders.value[0]), float(askers.value[0])),
        float(bought.error[1] + sold.error[1] + bidders.error[0] + askers.error[0]),
        (float(bought.value[0]), float(some.value[0])),
        float(max(abs(bought.value[0] - sold.value[0]), bought.error[0], some.error[0])),
    )


def stated(
    amounts: tuple[float, float, float],
    money_error: float,
    counts: tuple[float, float],
    count_error: float,
) -> ExactValues:
    """State what was computed.

    Parameters
    ----------
    amounts
        Gains, and the utilities of both sides; the rest is surplus.
    money_error
        Bound on the error of all three together.
    counts
        Trades, and the probability of any.
    count_error
        Bound on the error of each.
    """
    gains, buyers, sellers = amounts
    surplus = gains - buyers - sellers
    surplus = 0.0 if abs(surplus) <= money_error else surplus
    scale = max(gains, buyers, sellers, abs(surplus))
    parts = [money_error / scale] if scale > 0 else [0.0]
    parts += [count_error / count for count in counts if count > 0]
    return ExactValues(
        gains, buyers, sellers, surplus, *counts, "order statistics", error_bound=max(parts)
    )


Chances = Callable[[Array], tuple[Array, Array]]
"""From reports to probabilities of trade, and bounds on their errors."""


def _times(count: int, found: Integral) -> Integral:
    return Integral(count * found.value, count * found.error)


def _expected(prior: Prior, chances: Chances, breaks: Array, price: float) -> Integral:
    """Return the probability of trade, and the expected report, above a price, that trades."""

    def rows(reports: Array) -> Array:
        trade, error = chances(reports)
        above = reports - price
        return np.stack([trade, above * trade, error, np.abs(above) * error])

    value, error = expectation(prior, rows, breaks, (0, 1, 0, 1))
    return Integral(value[:2], error[:2] + value[2:])


def _utility(tail: Callable[[Array], Array], chances: Chances, edges: Array) -> Integral:
    """Integrate the probability of trade at a report against that of a report beyond it."""

    def rows(reports: Array) -> Array:
        trade, error = chances(reports)
        beyond = tail(reports)
        return np.stack([beyond * trade, beyond * error])

    value, error = integrate(rows, edges, units=(0, 0))
    return Integral(value[:1], error[:1] + value[1:])


def _line(counts: _Counts, role: str) -> Array:
    """Cut the line of an agent's reports, from where none trades to where all do or nobody is."""
    buyer, seller = counts.market.buyer, counts.market.seller
    points = [marks_of(buyer), marks_of(seller), counts.value.kinks, counts.cost.kinks]
    points += [edges_between(prior, cuts_of(prior), *prior.support) for prior in (buyer, seller)]
    points += [counts.at_values if role == "buyer" else counts.at_costs]
    line = np.unique(np.concatenate(points))
    # Where reports are weights themselves, those that no one can have may trade as well.
    if role == "buyer":
        low, high = (seller if counts.value.plain else buyer).support[0], buyer.support[1]
    else:
        low, high = seller.support[0], (buyer if counts.cost.plain else seller).support[1]
    return line[(line >= low) & (line <= high)]
