"""What one pair gains where it trades: integrals over one prior, the other in closed form.

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
from catallax.estimate.exact_result import ExactValues, Method
from catallax.mechanisms import MultiQuantile
from catallax.priors.combination import weighing

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = [
    "Prices",
    "Region",
    "combined",
    "efficient",
    "offered",
    "posted_by_seller",
    "region_values",
]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

Prices = Literal["own", "buyer's", "seller's"]
"""Whose thresholds set the prices: everybody's own, or for both the buyer's or the seller's."""

_EVERY = 8
"""Of the nodes of one prior, one in so many cuts the integral over the other."""


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


_WITH_TIES = np.array(False)
_REPORT = Side(lambda report: report, lambda level, strict: level, np.empty(0))


def efficient(buyer: Prior, seller: Prior) -> Region:
    """Return where the value is at least the cost."""
    return _region(buyer, seller, _REPORT, _REPORT)


def offered(buyer: Prior, seller: Prior, by: str) -> Region:
    """Return where the best offer of the "seller" or of the "buyer" is accepted."""
    if by == "seller":
        return _region(buyer, seller, _virtual_value(buyer), _REPORT)
    return _region(buyer, seller, _REPORT, _virtual_cost(seller))


def _virtual_value(prior: Prior) -> Side:
    ends = [end for block in prior.ironed_values for end in (block.low, block.high)]
    return Side(prior.virtual_value, prior.smallest_value, np.array(ends))


def _virtual_cost(prior: Prior) -> Side:
    ends = [end for block in prior.ironed_costs for end in (block.low, block.high)]
    return Side(prior.virtual_cost, prior.largest_cost, np.array(ends))


def combined(buyer: Prior, seller: Prior, share: float) -> Region:
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


def posted_by_seller(rule: MultiQuantile, buyer: Prior, seller: Prior) -> Region:
    """Return where the value is at least the price that the seller's quantile posts."""

    def lowest(costs: Array) -> Array:
        return rule.price(seller, np.full(costs.shape, np.inf), costs)

    # The cost whose price is y has lambda times the quantile of y.
    marks = np.concatenate([_marks(buyer), _marks(seller), buyer._nodes()[::_EVERY]])
    quantiles = np.concatenate([seller.cdf(marks), seller.probability_below(marks), np.ones(1)])
    met = seller.quantile(rule.lambda_ * quantiles)
    return Region(lowest, None, met[np.isfinite(met)], np.empty(0))


# ------------------------------------------------------------------------------------ integrals


def region_values(
    buyer: Prior, seller: Prior, region: Region, prices: Prices, method: Method = "quadrature"
) -> ExactValues:
    """Compute what a pair gains that trades in a region.

    Parameters
    ----------
    buyer, seller
        Their priors, of finite means.
    region
        Where they trade.
    prices
        Whose thresholds they pay and receive.
    method
        What to call it.

    Returns
    -------
    ExactValues
    """
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
    return _Found((value[0], error[0]), (value[1], error[1] + value[3]), (value[2], error[2]))
