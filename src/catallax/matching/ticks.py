"""Whole numbers for solvers that need them: ticks of money, and favours that decide ties.

Buyers' weights are rounded down and sellers' up to a multiple of the tick, a power of two, so
that rounding is monotone: the rounded rule is as truthful as the exact one, and its prices are
reports at which the rounded weight changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, ldexp

import numpy as np
from numpy.typing import NDArray

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
        Rounded weights; shapes (n_buyers,) and (n_sellers,). Weights beyond the range are cut
        to its ends, which keeps their order.
    buyers_in, sellers_in
        Who may trade at all: weights that are not infinite.
    """

    tick: float
    buyers: Whole
    sellers: Whole
    buyers_in: NDArray[np.bool_]
    sellers_in: NDArray[np.bool_]


def round_weights(
    buyer_weights: NDArray[np.float64],
    seller_weights: NDArray[np.float64],
    bits: int,
    scale: float | None,
) -> Ticks:
    """Round weights to ticks.

    Parameters
    ----------
    buyer_weights, seller_weights
        The weights; -inf keeps a buyer out, +inf a seller.
    bits
        How many bits a weight may have.
    scale
        The largest amount that matters, known before any report; None takes the largest
        weight, so that the tick moves when the largest report changes its order of magnitude.
    """
    buyers_in, sellers_in = buyer_weights > -np.inf, seller_weights < np.inf
    if scale is None or not np.isfinite(scale) or scale <= 0:
        sizes = np.abs(np.concatenate([buyer_weights[buyers_in], seller_weights[sellers_in]]))
        scale = float(sizes.max(initial=0.0)) or 1.0
    tick = ldexp(1.0, frexp(scale)[1] - bits)
    most = 2.0 ** (bits + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        buyers = np.clip(np.floor(buyer_weights / tick), -most, most)
        sellers = np.clip(np.ceil(seller_weights / tick), -most, most)
    return Ticks(tick, buyers.astype(np.int64), sellers.astype(np.int64), buyers_in, sellers_in)


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
