"""Whole numbers for solvers that need them: ticks of money, and favours that decide ties.

All weights are rounded down to a multiple of the tick, a power of two. Rounding is monotone, so
the rounded rule is as truthful as the exact one, and its prices are reports at which a rounded
weight changes. Equal weights stay equal, and no trade that would not lose is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, ldexp

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.markets.scale import Scale

__all__ = ["Favours", "Ticks", "favours", "round_weights", "spread"]

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ticks:
    """Weights as whole numbers of ticks.

    Attributes
    ----------
    tick
        Money in one tick; a power of two.
    buyers, sellers
        Rounded weights, cut to the range of the amounts at stake, which decide who trades;
        shapes (n_buyers,) and (n_sellers,).
    buyers_in, sellers_in
        Who may trade at all: weights that are not infinite.
    all_buyers, all_sellers
        The same for prices, cut to `most`.
    most
        The largest number of ticks that anything can be told of.
    """

    tick: float
    buyers: Whole
    sellers: Whole
    buyers_in: NDArray[np.bool_]
    sellers_in: NDArray[np.bool_]
    all_buyers: Whole
    all_sellers: Whole
    most: int


def round_weights(
    graph: Graph,
    buyer_weights: NDArray[np.float64],
    seller_weights: NDArray[np.float64],
    bits: int,
    all_bits: int,
    scale: Scale | None,
) -> Ticks:
    """Round weights to ticks.

    Parameters
    ----------
    graph
        Who may trade with whom.
    buyer_weights, seller_weights
        The weights; -inf keeps a buyer out, +inf a seller.
    bits
        How many bits the amounts at stake have.
    all_bits
        How many bits any amount may have in prices.
    scale
        The largest amount that the market's reports may be, or its priors speak of, or None.

    Notes
    -----
    Where the market states its largest report, the tick comes from it, and no report moves it; so
    it does from the scale of the priors where the amounts at stake lie within it and not far
    below. Otherwise it comes from the amounts at stake,
    of which the largest counts for no more than all others together: as much as it could ever
    have to beat. Then a report can move the tick, and prices by no more than a tick.
    """
    buyers_in, sellers_in = buyer_weights > -np.inf, seller_weights < np.inf
    amount = _amount(graph, buyer_weights, seller_weights, scale)
    tick = ldexp(1.0, max(frexp(amount)[1] - bits, -1074))
    # Weights beyond the range keep their order against the other side: a buyer who bids more
    # than all others together wins all the same, and a seller beyond every buyer never does.
    most = 2.0 ** (bits + 1)
    with np.errstate(over="ignore"):
        buyers, sellers = np.floor(buyer_weights / tick), np.floor(seller_weights / tick)
    limit = 2.0**all_bits

    def whole(ticks: NDArray[np.float64], low: float, high: float) -> Whole:
        return np.clip(ticks, low, high).astype(np.int64)

    return Ticks(
        tick,
        whole(buyers, -2 * most, most),
        whole(sellers, -most, 2 * most),
        buyers_in,
        sellers_in,
        whole(buyers, -limit, limit),
        whole(sellers, -limit, limit),
        int(limit),
    )


def _amount(
    graph: Graph,
    buyer_weights: NDArray[np.float64],
    seller_weights: NDArray[np.float64],
    scale: Scale | None,
) -> float:
    """Find the amount from which the tick comes."""
    if scale is not None and scale.public:
        return scale.amount
    at_stake = _at_stake(graph, buyer_weights, seller_weights)
    if scale is None or (at_stake and not at_stake <= scale.amount <= at_stake * 2.0**12):
        return at_stake or 1.0
    return scale.amount or 1.0


def _at_stake(
    graph: Graph, buyer_weights: NDArray[np.float64], seller_weights: NDArray[np.float64]
) -> float:
    """Find the largest amount among agents with a trade that would not lose.

    The largest of all counts for no more than the sum of the others.
    """
    if graph.complete:
        lowest = seller_weights.min(initial=np.inf)
        highest = buyer_weights.max(initial=-np.inf)
        buyers, sellers = buyer_weights >= lowest, seller_weights <= highest
    else:
        useful = buyer_weights[graph.buyer] >= seller_weights[graph.seller]
        buyers, sellers = np.zeros(graph.n_buyers, bool), np.zeros(graph.n_sellers, bool)
        buyers[graph.buyer[useful]] = True
        sellers[graph.seller[useful]] = True
    amounts = np.abs(np.concatenate([buyer_weights[buyers], seller_weights[sellers]]))
    amounts = amounts[np.isfinite(amounts)]
    if not amounts.size:
        return 0.0
    at = int(np.argmax(amounts))
    top = float(amounts[at])
    with np.errstate(over="ignore"):
        # Not the sum less the largest, in which the others could drown.
        others = float(np.delete(amounts, at).sum())
    return min(top, others) if others > 0 else top


def spread(buyers: NDArray[np.integer], sellers: NDArray[np.integer], bits: int) -> Whole:
    """Give every pair of agents a number that looks random and depends on nothing else."""
    x = buyers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + sellers.astype(np.uint64)
    # The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(64 - bits)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Favours:
    """Whole numbers that decide among matchings of equal weight: the largest sum wins.

    A trade without gain takes place; the agent listed first wins, whatever becomes of the
    pairs; and what is still equal is settled by numbers that look random and are fixed.

    Attributes
    ----------
    buyers, sellers
        Favour of each agent; shapes (n_buyers,) and (n_sellers,).
    pair_bits
        Bits of the favour that a pair adds.
    """

    buyers: Whole
    sellers: Whole
    pair_bits: int

    def pairs(self, buyers: NDArray[np.integer], sellers: NDArray[np.integer]) -> Whole:
        """Give the favour of pairs as such, without that of the agents."""
        return spread(buyers, sellers, self.pair_bits)


def favours(n_buyers: int, n_sellers: int) -> Favours:
    """Favour agents listed early, by more than all that the pairs can do together."""
    size = (n_buyers + n_sellers).bit_length()
    step_bits = 58 - 2 * size
    pair_bits = max(1, step_bits - min(n_buyers, n_sellers).bit_length() - 2)
    none = np.iinfo(np.uint32).max
    who, whom = np.arange(n_buyers), np.arange(n_sellers)
    buyers = (1 + n_buyers - who << step_bits) + spread(who, np.full_like(who, none), pair_bits)
    sellers = (n_sellers - whom << step_bits) + spread(np.full_like(whom, none), whom, pair_bits)
    return Favours(buyers, sellers, pair_bits)
