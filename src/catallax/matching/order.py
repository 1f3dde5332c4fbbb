"""The one order of all agents that decides every comparison and every tie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["order_agents", "rank_agents", "ranks_in"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]
Keys = NDArray[np.uint64]


def rank_agents(
    buyer_weights: Weights, seller_weights: Weights
) -> tuple[Indices, Indices, Indices]:
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
    agent_at = order_agents(buyer_weights, seller_weights)
    return *ranks_in(agent_at, buyer_weights.size), agent_at


def order_agents(buyer_weights: Weights, seller_weights: Weights) -> Indices:
    """Give the agent at each rank alone; see `rank_agents`.

    Examples
    --------
    >>> import numpy as np
    >>> order_agents(np.array([3.0, 5.0]), np.array([3.0])).tolist()
    [1, 0, -1]
    """
    # Among equals: buyers as listed, then sellers from the last to the first.
    losses = np.concatenate([buyer_weights, seller_weights[::-1]])
    np.subtract(0.0, losses, out=losses)  # heaviest first, and no negative zero
    order = _ascending(losses)
    order -= (order >= buyer_weights.size) * np.int32(losses.size)  # without a branch
    return order


def ranks_in(agent_at: Indices, n_buyers: int) -> tuple[Indices, Indices]:
    """Give the rank of each buyer and of each seller, from the agent at each rank.

    Examples
    --------
    >>> [side.tolist() for side in ranks_in(np.array([1, 0, -1], np.int32), 2)]
    [[1, 0], [2]]
    """
    rank = np.empty(agent_at.size, np.int32)
    rank[agent_at] = np.arange(agent_at.size, dtype=np.int32)  # sellers count from the end
    return rank[:n_buyers], rank[n_buyers:][::-1].copy()


def _ascending(values: Weights) -> Indices:
    """Sort by value, and by index among equals.

    One whole number holds a value and its index, as far as they fit: such numbers are sorted
    several times as fast as indices are. What did not fit is looked at afterwards.
    """
    if values.size < 2:
        return np.arange(values.size, dtype=np.int32)
    keys = _whole(values)
    least = keys.min()
    keys -= least
    room = (values.size - 1).bit_length()
    cut = max(0, int(keys.max()).bit_length() + room - 64)
    keys >>= np.uint64(cut)
    order = _sorted_by(keys, room)
    if cut:
        keys >>= np.uint64(room)
        alike = np.flatnonzero(keys[1:] == keys[:-1])
        if (values[order[alike]] > values[order[alike + 1]]).any():
            _settle(values, least, cut, keys, order, alike)
    return order


def _settle(
    values: Weights, least: np.uint64, cut: int, keys: Keys, order: Indices, alike: NDArray[np.intp]
) -> None:
    """Sort anew, by what was cut off, those who are like the one after them in all the rest."""
    concerned = np.zeros(order.size, bool)
    concerned[alike] = True
    concerned[alike + 1] = True
    some = np.flatnonzero(concerned)
    room = (some.size - 1).bit_length()
    rest = (_whole(values[order[some]]) - least) & np.uint64(2**cut - 1)
    by_rest = _sorted_by(rest, room)
    group = np.zeros(some.size, np.uint64)
    np.cumsum(keys[some[1:]] != keys[some[:-1]], out=group[1:])
    order[some] = order[some][by_rest[_sorted_by(group[by_rest], room)]]


def _sorted_by(keys: Keys, room: int) -> Indices:
    """Sort keys that leave the first `room` bits free, each with its index; give the indices."""
    keys <<= np.uint64(room)
    keys |= np.arange(keys.size, dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(2**room - 1)).astype(np.int32)


def _whole(values: Weights) -> Keys:
    """Turn floats into whole numbers in the same order."""
    bits = values.view(np.int64)
    # Of negative numbers all bits are turned, of others the sign.
    turned = (bits >> 63).view(np.uint64)
    turned |= np.uint64(2**63)
    turned ^= bits.view(np.uint64)
    return turned
