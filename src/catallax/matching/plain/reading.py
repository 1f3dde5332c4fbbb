"""Thresholds, read off the ranks of the agents that set them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.matching.result import Thresholds

__all__ = ["read_thresholds"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]


def read_thresholds(
    agent: Indices,
    rank: Indices,
    agent_at: Indices,
    buyer_weights: Weights,
    seller_weights: Weights,
    *,
    buyers: bool,
) -> Thresholds:
    """State thresholds by a compiled kernel: `thresholds_set_by` for large markets.

    Parameters
    ----------
    agent
        Whose thresholds are asked for.
    rank
        Of every agent of their side the rank of the agent that sets her threshold.
    agent_at
        As `order_agents` gives it.
    buyer_weights, seller_weights
        Of all agents.
    buyers
        Whether it is the side of the buyers.
    """
    from catallax.matching.plain import kernels_thresholds

    size = agent.size
    level, wins_ties, source = np.empty(size), np.empty(size, bool), np.empty(size, np.int32)
    given = map(_as_any_other, (agent, rank, agent_at, buyer_weights, seller_weights))
    kernels_thresholds.stated(*given, buyers, level, wins_ties, source)
    return Thresholds(agent, level, wins_ties, source)


class _Lent:
    """An array lent to a kernel that only reads it, without the mark that it is read-only."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.__array_interface__ = array.__array_interface__ | {"data": (array.ctypes.data, False)}


def _as_any_other(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of the type of most, so that kernels are compiled once and called fast."""
    array = np.ascontiguousarray(array)
    return array if array.flags.writeable else np.asarray(_Lent(array))
