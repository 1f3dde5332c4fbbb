"""The one order of all agents that decides every comparison and every tie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rank_agents"]


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
    buyers = _ascending(-buyer_weights)
    sellers = _ascending(seller_weights)[::-1]
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
    """Sort by weight, and by index among equals; several times faster where there are none."""
    order = np.argsort(weights)
    ordered = weights[order]
    if (ordered[1:] == ordered[:-1]).any():
        return np.argsort(weights, kind="stable")
    return order
