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
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact.integrals import Integral, Tail, cuts_of, expectation, tail_of
from catallax.estimate.exact.result import ExactValues, Method

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["Pair", "Prices", "Region", "region_values"]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

Prices = Literal["own", "buyer's", "seller's"]
"""Whose thresholds set the prices: everybody's own, or for both the buyer's or the seller's."""

_FAINT = 1e-100
"""Reports with so small a share of all efficient trades and gains are left out."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The priors of two agents who may trade with each other, of finite means."""

    buyer: Prior
    seller: Prior

    @property
    def method(self) -> Method:
        """How expectations are computed: sums are no quadrature."""
        smooth = self.buyer._parts().pieces or self.seller._parts().pieces
        return "quadrature" if smooth else "enumeration"

    @cached_property
    def possible(self) -> tuple[float, float]:
        """Probability and expected gains of efficient trade."""
        found = expectation(self.seller, self._chances, cuts_of(self.buyer), (0, 1)).value
        return float(found[0]), float(found[1])

    def _chances(self, costs: Array) -> Array:
        return np.stack([self.buyer.probability_at_least(costs), tail_of(self.buyer, 1)(costs)])

    def _mirrored(self, values: Array) -> Array:
        return np.stack([self.seller.cdf(values), tail_of(self.seller, -1)(values)])

    def costs_matter(self, costs: Array) -> NDArray[np.bool_]:
        """Return whether trade at these costs is likely enough, or gainful enough, to count."""
        return self._matter(self._chances(costs))

    def values_matter(self, values: Array) -> NDArray[np.bool_]:
        """Return whether trade at these values is likely enough, or gainful enough, to count."""
        return self._matter(self._mirrored(values))

    def _matter(self, chances: Array) -> NDArray[np.bool_]:
        trades, gains = self.possible
        return (chances[0] > _FAINT * trades) | (chances[1] > _FAINT * gains)


@dataclass(frozen=True, eq=False)
class Region:
    """Which values and costs trade; never a value below the cost.

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


def region_values(pair: Pair, region: Region, prices: Prices) -> ExactValues:
    """Compute what a pair gains that trades in a region.

    Parameters
    ----------
    pair
        The pair.
    region
        Where it trades.
    prices
        Whose thresholds the buyer pays and the seller receives.

    Returns
    -------
    ExactValues
    """
    costs = _over_costs(pair, region)
    values = costs if region.highest is None else _over_values(pair, region)
    count = _better(costs.trades, values.trades)
    gains = _better(costs.gains, values.gains)
    # Above the buyer's threshold all is hers, below the seller's all the seller's; a price that is
    # one threshold leaves the other agent what lies between it and her own report.
    bought = values.rest if prices == "seller's" else costs.own
    sold = costs.rest if prices == "buyer's" else values.own
    amounts = (gains, bought, sold)
    money = 3 * max(error for _, error in amounts) + _FAINT * pair.possible[1]
    surplus = gains[0] - bought[0] - sold[0]
    if prices != "own" or abs(surplus) <= money:
        surplus = 0.0
    found = ExactValues(
        gains[0], bought[0], sold[0], surplus, count[0], count[0], pair.method, error_bound=0.0
    )
    counted = count[1] + _FAINT * pair.possible[0]
    bound = max(_ratio(counted, count[0]), _ratio(money, found.scale))
    return replace(found, error_bound=bound)


def _ratio(error: float, scale: float) -> float:
    return error / scale if scale > 0 else 0.0


Known = tuple[float, float]
"""A value and a bound on its error."""


def _better(one: Known, other: Known) -> Known:
    """Return the more exact of two ways to compute a value, which should agree."""
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


def _over_costs(pair: Pair, region: Region) -> _Found:
    """Integrate over costs: the buyer's own gain lies above her threshold."""
    tail = tail_of(pair.buyer, 1)

    def rows(costs: Array) -> Array:
        matter = pair.costs_matter(costs)
        return _rows(costs, matter, region.lowest, pair.buyer.probability_at_least, tail)

    return _found(expectation(pair.seller, rows, region.at_costs, _UNITS))


def _over_values(pair: Pair, region: Region) -> _Found:
    """Integrate over values: the seller's own gain lies below her threshold."""
    tail, highest = tail_of(pair.seller, -1), region.highest
    assert highest is not None

    def rows(values: Array) -> Array:
        return _rows(values, pair.values_matter(values), highest, pair.seller.cdf, tail)

    return _found(expectation(pair.buyer, rows, region.at_values, _UNITS))


_UNITS = (0, 1, 1, 1)


def _rows(
    reports: Array,
    matter: NDArray[np.bool_],
    threshold: Function,
    probability: Function,
    tail: Tail,
) -> Array:
    """Return, for each report: probability of trade, own gain, rest, and the error of the tail."""
    out = np.zeros((4, reports.size))
    which = np.flatnonzero(matter)
    if not which.size:
        return out
    at = threshold(reports[which])
    which, at = which[np.isfinite(at)], at[np.isfinite(at)]
    out[0, which] = probability(at)
    out[1, which] = tail(at)
    out[2, which] = np.abs(at - reports[which]) * out[0, which]
    out[3, which] = tail.error(at)
    return out


def _found(integral: Integral) -> _Found:
    value, error = integral.value.tolist(), integral.error.tolist()
    return _Found((value[0], error[0]), (value[1], error[1] + value[3]), (value[2], error[2]))
