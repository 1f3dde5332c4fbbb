"""Where the mechanisms for one pair trade."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact.integrals import cuts_of
from catallax.estimate.exact.pair import Pair, Region
from catallax.estimate.exact.sides import REPORT, Side, combined, images, marks_of, virtual
from catallax.mechanisms import MultiQuantile

__all__ = ["balancing", "efficient", "offered", "posted_by_seller"]

Array = NDArray[np.float64]

_WITH_TIES = np.array(False)


def efficient(pair: Pair) -> Region:
    """Return where the value is at least the cost."""
    return _region(pair, REPORT, REPORT)


def offered(pair: Pair, by: Literal["seller", "buyer"]) -> Region:
    """Return where the best offer of the seller, or of the buyer, is accepted."""
    if by == "seller":
        return _region(pair, virtual(pair.buyer, "buyer"), REPORT)
    return _region(pair, REPORT, virtual(pair.seller, "seller"))


def balancing(pair: Pair, share: float) -> Region:
    """Return where values and virtual values combined decide, as for the second best."""
    value, cost = combined(pair.buyer, "buyer", share), combined(pair.seller, "seller", share)
    return _region(pair, value, cost)


def _region(pair: Pair, value: Side, cost: Side) -> Region:
    """Return where the buyer's weight is at least the seller's."""
    return Region(
        lambda costs: value.critical(cost.weight(costs), _WITH_TIES),
        lambda values: cost.critical(value.weight(values), _WITH_TIES),
        np.concatenate([cost.kinks, images(pair.buyer, value, cost, pair.values_matter)]),
        np.concatenate([value.kinks, images(pair.seller, cost, value, pair.costs_matter)]),
    )


def posted_by_seller(pair: Pair, rule: MultiQuantile) -> Region:
    """Return where the value is at least the price that the seller's quantile posts."""
    buyer, seller = pair.buyer, pair.seller

    def lowest(costs: Array) -> Array:
        return rule.price(seller, np.full(costs.shape, np.inf), costs)

    # The cost whose price is y has lambda times the quantile of y.
    marks = np.concatenate([marks_of(buyer), marks_of(seller), cuts_of(buyer)])
    quantiles = np.concatenate([seller.cdf(marks), seller.probability_below(marks), np.ones(1)])
    met = seller.quantile(rule.lambda_ * quantiles)
    return Region(lowest, None, met[np.isfinite(met)], np.empty(0))
