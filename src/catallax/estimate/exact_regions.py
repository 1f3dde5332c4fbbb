"""Where the mechanisms for one pair trade."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact_integrals import cuts_of
from catallax.estimate.exact_pair import Pair, Region
from catallax.mechanisms import MultiQuantile
from catallax.priors.combination import weighing

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["combined", "efficient", "offered", "posted_by_seller"]

Array = NDArray[np.float64]


class Side(NamedTuple):
    """How one agent's report weighs, which report has a given weight, and where this changes."""

    weight: Callable[[Array], Array]
    critical: Callable[[Array, NDArray[np.bool_]], Array]
    kinks: Array


_WITH_TIES = np.array(False)
_REPORT = Side(lambda report: report, lambda level, strict: level, np.empty(0))


def efficient(pair: Pair) -> Region:
    """Return where the value is at least the cost."""
    return _region(pair, _REPORT, _REPORT)


def offered(pair: Pair, by: Literal["seller", "buyer"]) -> Region:
    """Return where the best offer of the "seller" or of the "buyer" is accepted."""
    if by == "seller":
        return _region(pair, _virtual_value(pair.buyer), _REPORT)
    return _region(pair, _REPORT, _virtual_cost(pair.seller))


def _virtual_value(prior: Prior) -> Side:
    ends = [end for block in prior.ironed_values for end in (block.low, block.high)]
    return Side(prior.virtual_value, prior.smallest_value, np.array(ends))


def _virtual_cost(prior: Prior) -> Side:
    ends = [end for block in prior.ironed_costs for end in (block.low, block.high)]
    return Side(prior.virtual_cost, prior.largest_cost, np.array(ends))


def combined(pair: Pair, share: float) -> Region:
    """Return where values and virtual values combined decide, as for the second best."""
    value = weighing(pair.buyer, "buyer", share)
    cost = weighing(pair.seller, "seller", share)
    sides = [Side(one.weight, one.critical, one.kinks) for one in (value, cost)]
    return _region(pair, *sides)


def _region(pair: Pair, value: Side, cost: Side) -> Region:
    """Return where the buyer's weight is at least the seller's."""
    return Region(
        lambda costs: value.critical(cost.weight(costs), _WITH_TIES),
        lambda values: cost.critical(value.weight(values), _WITH_TIES),
        np.concatenate([cost.kinks, _images(pair.buyer, value, cost, pair.values_matter)]),
        np.concatenate([value.kinks, _images(pair.seller, cost, value, pair.costs_matter)]),
    )


def _images(
    prior: Prior, own: Side, other: Side, matter: Callable[[Array], NDArray[np.bool_]]
) -> Array:
    """Return the other side's reports that meet what is special of this side."""
    marks = np.concatenate([own.kinks, _marks(prior)])
    # A step has two levels: the one it comes from, and its own.
    points = np.concatenate([marks, np.nextafter(marks, -np.inf), np.nextafter(marks, np.inf)])
    points = np.concatenate([points, cuts_of(prior)])
    levels = own.weight(points[matter(points)])
    levels = levels[np.isfinite(levels)]
    met = other.critical(np.tile(levels, 2), np.repeat([False, True], levels.size))
    return met[np.isfinite(met)]


def _marks(prior: Prior) -> Array:
    """Return the atoms of a prior and the finite ends of its pieces."""
    parts = prior._parts()
    ends = np.array([end for piece in parts.pieces for end in piece])
    return np.concatenate([parts.atoms, ends[np.isfinite(ends)]])


def posted_by_seller(pair: Pair, rule: MultiQuantile) -> Region:
    """Return where the value is at least the price that the seller's quantile posts."""
    buyer, seller = pair.buyer, pair.seller

    def lowest(costs: Array) -> Array:
        return rule.price(seller, np.full(costs.shape, np.inf), costs)

    # The cost whose price is y has lambda times the quantile of y.
    marks = np.concatenate([_marks(buyer), _marks(seller), cuts_of(buyer)])
    quantiles = np.concatenate([seller.cdf(marks), seller.probability_below(marks), np.ones(1)])
    met = seller.quantile(rule.lambda_ * quantiles)
    return Region(lowest, None, met[np.isfinite(met)], np.empty(0))
