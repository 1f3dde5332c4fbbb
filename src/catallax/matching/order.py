"""The one order of all agents that decides every comparison and every tie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.matching.parallel import both

__all__ = ["rank_agents"]

MANY = 100_000  # agents, from which on sorting on two threads pays


def rank_agents(
    buyer_weights: NDArray[np.float64], seller_weights: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Rank buyers and sellers together, heaviest first.

    At equal weight buyers stand before sellers, so that a trade without gain takes place, and
    on either side the agent listed first in the market has the better place: the first buyer
    stands highest and the first seller lowest.

    Parameters
    ----------
    buyer_weights
        What a trade of each buyer is worth; -inf keeps her out.
    seller_weights
        What a trade of each seller costs; +inf keeps her out.

    Returns
    -------
    buyer_rank, seller_rank
        Rank of each agent, 0 the heaviest.
    agent_at
        The agent at each rank: buyer i as i, seller j as -1 - j.

    Examples
    --------
    >>> import numpy as np
    >>> buyer_rank, seller_rank, agent_at = rank_agents(np.array([3.0, 5.0]), np.array([3.0]))
    >>> agent_at.tolist()
    [1, 0, -1]
    """
    n_buyers, n_sellers = buyer_weights.size, seller_weights.size
    if n_buyers + n_sellers < MANY:
        buyers, sellers = _ascending(-buyer_weights), _ascending(seller_weights)
    else:
        buyers, sellers = both(
            lambda: _ascending(-buyer_weights), lambda: _ascending(seller_weights)
        )
    sellers = sellers[::-1]
    # How many sellers stand strictly above each buyer: those with a larger weight.
    above = np.searchsorted(-seller_weights[sellers], -buyer_weights[buyers], side="left")
    buyer_rank = np.empty(n_buyers, np.int32)
    buyer_rank[buyers] = np.arange(n_buyers) + above
    at = np.empty(n_buyers + n_sellers, np.int32)
    is_seller = np.ones(at.size, bool)
    is_seller[buyer_rank] = False
    at[buyer_rank[buyers]] = buyers
    at[is_seller] = -1 - sellers
    seller_rank = np.empty(n_sellers, np.int32)
    seller_rank[sellers] = np.flatnonzero(is_seller)
    return buyer_rank, seller_rank, at


def _ascending(weights: NDArray[np.float64]) -> NDArray[np.intp]:
    """Sort by weight, and by index among equals."""
    order = np.argsort(weights)
    ordered = weights[order]
    larger = ordered[1:] != ordered[:-1]
    if larger.all():
        return order
    # Number the runs of equals, and sort runs and indices as one whole number: several times
    # faster than a stable sort of the weights.
    keys = np.zeros(order.size, np.int64)
    np.cumsum(larger, out=keys[1:])
    keys <<= 32
    keys |= order
    keys.sort()
    keys &= 2**32 - 1
    return keys
