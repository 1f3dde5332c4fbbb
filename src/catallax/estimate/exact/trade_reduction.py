"""Trade reduction on complete markets of agents alike, with continuous priors.

Let b_(i) be the i-th highest value, s_(i) the i-th lowest cost, and D_i the event that the first
best has i trades or more, b_(i) >= s_(i). Given b_(i+1) = z, the i values above it are independent
draws above z, and the least of them exceeds z on average by G_i(z), the integral of
``(P(V > t) / P(V > z)) ** i`` over t >= z; D_(i+1) is then that i + 1 sellers ask at most z. Trade
reduction lets the i-th pair trade exactly in D_(i+1), so ::

    gains            sum over i of E[(b_(i) - s_(i)) D_(i+1)]
    buyers' utility  sum over i of i E[(b_(i) - b_(i+1)) D_(i+1)]

are integrals over the law of b_(i+1), and over that of s_(i+1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.estimate.exact.counts import at_least, probabilities
from catallax.estimate.exact.integrals import (
    Integral,
    cuts_of,
    expectation,
)
from catallax.estimate.exact.laws import FAINT, Array, Law, in_chunks
from catallax.estimate.exact.order_statistics import Alike, stated
from catallax.estimate.exact.sides import marks_of

if TYPE_CHECKING:
    from catallax.estimate.exact.result import ExactValues

__all__ = ["NOTHING", "both_sides", "state", "trade_reduction_values"]

_REDUCED = (0, 0, 1, 1, 1)
"""Units of: trades, any trade, sum of reports that trade, utility, and the error in these."""


def _reduced(own: Law, count: int, other: Law, others: int, centre: float) -> Integral:
    """Return what trade reduction brings one side."""
    most = min(count, others)

    def rows(z: Array) -> Array:
        chance = probabilities(count - 1, own.beyond(z))[:, 1:most]
        chance *= count * at_least(probabilities(others, other.within(z)))[:, 2 : most + 1]
        return _reduced_rows(own, chance, z, centre)

    prior = own.prior
    breaks = np.concatenate([marks_of(other.prior), cuts_of(other.prior)])
    return expectation(prior, lambda x: in_chunks(rows, own.sign * x), breaks, _REDUCED)


def _reduced_rows(own: Law, chance: Array, z: Array, centre: float) -> Array:
    """Sum over i, given the probabilities of its terms at each z."""
    out = np.zeros((5, z.size))
    counts = np.flatnonzero((chance > FAINT).any(axis=0))
    if not counts.size:
        return out
    window = slice(counts[0], counts[-1] + 1)
    powers = np.arange(counts[0] + 1, counts[-1] + 2, dtype=np.float64)
    excess, error = own.excess(z, powers)
    chance = chance[:, window]
    out[0] = chance.sum(axis=1)
    out[1] = chance[:, 0] if window.start == 0 else 0.0
    out[2] = (chance * (z[:, None] - centre + excess)).sum(axis=1)
    out[3] = (chance * powers * excess).sum(axis=1)
    out[4] = (chance * powers * error).sum(axis=1)
    return out


def trade_reduction_values(market: Alike) -> ExactValues | None:
    """Compute what trade reduction achieves.

    Parameters
    ----------
    market
        A market whose priors have no atoms.

    Returns
    -------
    ExactValues or None
        None if a prior has an atom.

    References
    ----------
    McAfee, A dominant strategy double auction (1992).
    """
    sides = both_sides(market)
    return None if sides is None else state(market, *sides, NOTHING)


NOTHING = Integral(np.zeros(7), np.zeros(7))


def both_sides(market: Alike) -> tuple[Integral, Integral] | None:
    """Return what trade reduction brings buyers and sellers; None if a prior has an atom."""
    if market.buyer.atoms[0].size or market.seller.atoms[0].size:
        return None
    n, m, centre = market.n_buyers, market.n_sellers, market.price
    buyers, sellers = market.buyer, market.seller
    return (
        _reduced(Law(buyers, 1), n, Law(sellers, 1), m, centre),
        _reduced(Law(sellers, -1), m, Law(buyers, -1), n, -centre),
    )


def state(market: Alike, buyers: Integral, sellers: Integral, extra: Integral) -> ExactValues:
    """State what both sides get from trade reduction, and from prices that fit."""
    fits, alone, pair, bought, sold = extra.value[:5].tolist()
    trades, again = float(buyers.value[0]), float(sellers.value[0])
    # Reports are counted from one amount on both sides, which drops out of their sum.
    gains = float(buyers.value[2] + sellers.value[2])
    utilities = float(buyers.value[3]) + bought, float(sellers.value[3]) + sold
    money = [*buyers.error[2:4], *sellers.error[2:4], buyers.value[4], sellers.value[4]]
    money += [*extra.error[2:5], 2 * extra.value[5]]
    counts = [abs(trades - again), buyers.error[0], *extra.error[:2], extra.value[6]]
    return stated(
        (gains + pair, *utilities),
        float(2 * sum(money)),
        (trades + fits, float(buyers.value[1]) + alone),
        float(sum(counts)),
    )
