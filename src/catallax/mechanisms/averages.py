"""Payments averaged over the partner's possible reports, and the reasons for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.explain import money

if TYPE_CHECKING:
    from collections.abc import Callable

    from catallax.markets import Agents
    from catallax.mechanisms.outcome import Outcome, Role
    from catallax.priors import Prior

__all__ = ["AverageReasons", "chances"]

Array = NDArray[np.float64]


def chances(
    side: Agents,
    which: NDArray[np.integer],
    points: Array,
    function: Callable[[Prior, Array], Array],
) -> Array:
    """Give a probability under the prior of each of some agents.

    Parameters
    ----------
    side
        The agents of a side.
    which
        Indices of agents; shape (k,).
    points
        One number for each; shape (k,).
    function
        From a prior and numbers to probabilities.

    Returns
    -------
    ndarray of float64
        Shape (k,).
    """
    found = np.empty(points.size)
    for prior, members in side.groups(which):
        found[members] = function(prior, points[members])
    return found


@dataclass(frozen=True, eq=False)
class AverageReasons:
    """Reasons where one side's prices are averages of what another mechanism would charge.

    Who trades is the other mechanism's choice, so its critical reports hold for everybody; only
    the prices of the traders on one side have a reason of their own.

    Attributes
    ----------
    plain
        What the other mechanism makes of the same reports.
    averaged
        The side whose prices are averages.
    """

    plain: Outcome
    averaged: Literal["buyer", "seller"]

    def critical(
        self, outcome: Outcome, role: Role
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the critical report of every agent of a side, and who sets it."""
        return self.plain.reasons.critical(self.plain, role)

    def explain(self, outcome: Outcome, role: Role, index: int) -> str:
        """Say in one sentence why an agent trades or not, and what sets the price."""
        trade = outcome.partner(role, index)
        if role != self.averaged or trade is None:
            return self.plain.reasons.explain(self.plain, role, index)
        market, buyers, tick = outcome.market, role == "buyer", outcome.tick
        label = (market.buyers if buyers else market.sellers).label(index)
        said = (outcome.reports.bids if buyers else outcome.reports.asks)[index]
        if buyers:
            price, plain = outcome.buyer_pays[trade], self.plain.buyer_pays[trade]
            end = outcome.seller_receives[trade]
            partner = market.sellers.label(int(outcome.seller_index[trade]))
            words = ("bid", "pays", "costs", "the lowest bid that still trades", "or less", "ask")
        else:
            price, plain = outcome.seller_receives[trade], self.plain.seller_receives[trade]
            end = outcome.buyer_pays[trade]
            partner = market.buyers.label(int(outcome.buyer_index[trade]))
            words = ("asked", "receives", "values", "the highest ask that still trades",
                     "or more", "bid")  # fmt: skip
        deed, verb, types, limit, beyond, made = words
        return (
            f"{label[0].upper()}{label[1:]} {deed} {money(said)}, trades with {partner} and {verb} "
            f"{money(price, market.currency, tick)}, the average of {limit} over the {types} with "
            f"which {partner} would trade ({money(end, tick=tick)} {beyond}); at the {made} "
            f"made it is {money(plain, tick=tick)}."
        )
