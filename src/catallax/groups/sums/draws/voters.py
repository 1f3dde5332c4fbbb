"""Members of one side as independent draws, each with a vote."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.bounds import Draws
from catallax.groups.sums.draws.cells import measure_of
from catallax.groups.sums.draws.means import partial_means
from catallax.groups.sums.draws.measure import Measure
from catallax.groups.trade import Group
from catallax.priors import Prior

__all__ = ["Voters", "silent", "voters_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Voters:
    """Members of one side that are alike: one prior, one price, one weight of the vote.

    Sellers are turned into buyers of negative values: the sum of -cost is what counts, and a
    seller is in favour if -cost >= -price.

    Attributes
    ----------
    prior
        Of the value or the cost.
    count
        How many they are.
    weight
        Of a vote; 0 where votes do not count.
    price
        Who values at least this much, or bears at most this cost, is in favour.
    sign
        1 for buyers, -1 for sellers.
    """

    prior: Prior
    count: int
    weight: int = 0
    price: float = -math.inf
    sign: int = 1

    @cached_property
    def bar(self) -> float:
        """The price in terms of the draws: who reaches it is in favour."""
        return self.price if self.sign > 0 else 0.0 - self.price

    @cached_property
    def measure(self) -> Measure:
        """The law of one draw."""
        found = measure_of(self.prior)
        return found if self.sign > 0 else found.mirrored()

    @cached_property
    def draws(self) -> Draws:
        """The draws that decide the votes."""
        return Draws(self.count, self.measure, self.bar)

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest possible draw; may be infinite."""
        low, high = self.prior.support
        return (low, high) if self.sign > 0 else (0.0 - high, 0.0 - low)

    @cached_property
    def mean(self) -> float:
        """The expected draw."""
        return self.sign * self.prior.mean

    @cached_property
    def chance(self) -> float:
        """The probability that one is in favour."""
        if math.isinf(self.bar):
            return float(self.bar < 0)
        p = self.prior
        return float(p.probability_at_least(self.price) if self.sign > 0 else p.cdf(self.price))

    @cached_property
    def refusal(self) -> float:
        """The probability that one is not in favour."""
        if math.isinf(self.bar):
            return float(self.bar > 0)
        p = self.prior
        return float(p.probability_below(self.price) if self.sign > 0 else p.sf(self.price))

    @cached_property
    def mean_in_favour(self) -> float:
        """The expected draw on the event that its owner is in favour, 0 elsewhere."""
        if math.isinf(self.bar):
            return self.mean if self.bar < 0 else 0.0
        return self.mean_beyond(self.bar)

    def means_beyond(self, y: Array) -> Array:
        """Return the expected draw on the event that it is at least y."""
        return partial_means(self.prior, self.sign)(y)

    def overshoots(self, y: Array) -> Array:
        """Return E[max(draw - y, 0)]."""
        return np.maximum(self.means_beyond(y) - y * self.at_least(y), 0.0)

    def mean_beyond(self, y: float) -> float:
        """Return `means_beyond` of one number."""
        return float(self.means_beyond(np.array([y]))[0])

    def mean_below(self, y: float) -> float:
        """Return the expected draw on the event that it is at most y."""
        return 0.0 - float(partial_means(self.prior, -self.sign)(np.array([-y]))[0])

    def overshoot(self, y: float) -> float:
        """Return E[max(draw - y, 0)]."""
        return float(self.overshoots(np.array([y]))[0])

    def shortfall(self, y: float) -> float:
        """Return E[max(y - draw, 0)]."""
        return max(self.overshoot(y) + y - self.mean, 0.0)

    def at_least(self, y: Array) -> Array:
        """Return P(draw >= y)."""
        p = self.prior
        return p.probability_at_least(y) if self.sign > 0 else p.cdf(0.0 - y)

    def smooth_at_least(self, y: Array, in_favour: bool) -> Array:
        """Return P(draw >= y, of the density, and in favour or not)."""
        bar = self.bar
        if in_favour:
            return self._smooth(np.maximum(y, bar)) if bar < math.inf else np.zeros(y.shape)
        above = self._smooth(np.array([bar]))[0] if bar < math.inf else 0.0
        return np.maximum(self._smooth(np.minimum(y, bar)) - above, 0.0)

    def _smooth(self, y: Array) -> Array:
        """Return P(draw >= y, of the density)."""
        atoms, masses = self.measure.atoms, self.measure.masses
        tails = np.append(np.cumsum(masses[::-1])[::-1], 0.0)
        whole = np.where(np.isneginf(y), 1.0, self.at_least(np.where(np.isneginf(y), 0.0, y)))
        return np.maximum(whole - tails[np.searchsorted(atoms, y, side="left")], 0.0)


def silent(one: Voters) -> Voters:
    """Return the same members without their votes."""
    return Voters(one.prior, one.count, 0, -one.sign * math.inf, one.sign)


def voters_of(
    group: Group, price: float | None = None, weights: NDArray[np.int64] | None = None
) -> list[Voters]:
    """Return the members of a group, those together that are alike.

    Parameters
    ----------
    group
        One side.
    price
        What the votes are about; none if there is no vote.
    weights
        The weight of each member's vote, whole numbers of shape (members,); 1 each if left out.

    Returns
    -------
    list of Voters
        In the order in which the kinds appear.
    """
    sign = 1 if group.word == "buyer" else -1
    if price is None:
        return [Voters(prior, who.size, 0, -sign * math.inf, sign) for prior, who in group.parts]
    found = []
    for prior, who in group.parts:
        if weights is None:
            found.append(Voters(prior, who.size, 1, price, sign))
            continue
        kinds, counts = np.unique(weights[who], return_counts=True)
        found.extend(
            Voters(prior, int(count), int(weight), price, sign)
            for weight, count in zip(kinds, counts, strict=True)
        )
    return found
