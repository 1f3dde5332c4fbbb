"""Many markets at once: matched and labelled in one pass, without Python for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.plain.ranked import match_sparse
from catallax.matching.plain.reading import read_thresholds
from catallax.matching.result import Thresholds

__all__ = ["ManyMatchings", "SortedMarkets", "match_markets", "sort_markets"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]
Starts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ManyMatchings:
    """The best matchings of many markets, which stand one after the other.

    What it says of an agent is what `best_matching` says of her in her market alone, with
    positions among all agents.

    Attributes
    ----------
    buyer_weights, seller_weights
        What was maximised in each market.
    buyer, seller
        The trades: the k-th is between `buyer[k]` and `seller[k]`; buyers in their order.
    solver
        "sweep" or "sort".
    """

    buyer_weights: Weights
    seller_weights: Weights
    buyer: Indices
    seller: Indices
    solver: str
    _agent_at: Indices
    _labels: tuple[Indices, Indices]
    _entries: Callable[[], tuple[Indices, Indices]]

    @cached_property
    def trading_buyers(self) -> Thresholds:
        """Thresholds of the buyers that trade, in the order of the trades."""
        return self._thresholds(self.buyer, self._labels[0], buyers=True)

    @cached_property
    def trading_sellers(self) -> Thresholds:
        """Thresholds of the sellers that trade, in the order of the trades."""
        return self._thresholds(self.seller, self._labels[1], buyers=False)

    @cached_property
    def _entry_ranks(self) -> tuple[Indices, Indices]:
        return self._entries()

    @cached_property
    def waiting_buyers(self) -> Thresholds:
        """What the buyers that do not trade would have to beat, where anything would do."""
        agent = np.flatnonzero(self._entry_ranks[0] >= 0).astype(np.int32)
        return self._thresholds(agent, self._entry_ranks[0], buyers=True)

    @cached_property
    def waiting_sellers(self) -> Thresholds:
        """What the sellers that do not trade would have to undercut, where anything would do."""
        agent = np.flatnonzero(self._entry_ranks[1] >= 0).astype(np.int32)
        return self._thresholds(agent, self._entry_ranks[1], buyers=False)

    def _thresholds(self, agent: Indices, rank: Indices, *, buyers: bool) -> Thresholds:
        weights = self.buyer_weights, self.seller_weights
        return read_thresholds(agent, rank, self._agent_at, *weights, buyers=buyers)


@dataclass(frozen=True, eq=False)
class SortedMarkets:
    """Markets in which everybody may trade with everybody, sorted and matched.

    Attributes
    ----------
    agent_at
        The agent at each rank, market after market: buyer i as i, seller j as -1 - j.
    count
        How many pairs trade in each market.
    buyers, sellers
        All agents market after market, those first that come first to trade.
    labels, entries
        Ranks of those who set the thresholds of traders, and of the others; -1 elsewhere.
    """

    agent_at: Indices
    count: NDArray[np.int64]
    buyers: Indices
    sellers: Indices
    labels: tuple[Indices, Indices]
    entries: tuple[Indices, Indices]


def sort_markets(
    buyer_start: Starts, seller_start: Starts, buyer_weights: Weights, seller_weights: Weights
) -> SortedMarkets:
    """Sort the agents of many markets and match the heaviest buyers with the lightest sellers.

    Parameters
    ----------
    buyer_start, seller_start
        The agents of market m are those from `start[m]` up to `start[m + 1]`.
    buyer_weights, seller_weights
        As in `best_matching`, for all agents.

    Examples
    --------
    >>> starts = np.array([0, 2, 2]), np.array([0, 1, 3])
    >>> sort_markets(*starts, np.array([3.0, 5.0]), np.array([4.0, 1.0, 2.0])).count.tolist()
    [1, 0]
    """
    from catallax.matching.plain import kernels_many

    starts = buyer_start, seller_start
    _, _, agent_at = kernels_many.rank_markets(*starts, -buyer_weights, seller_weights)
    count, sides, labels, entries = kernels_many.complete_markets(*starts, agent_at)
    return SortedMarkets(agent_at, count, sides[0], sides[1], labels, entries)


def match_markets(
    graph: Graph | None,
    buyer_start: Starts,
    seller_start: Starts,
    buyer_weights: Weights,
    seller_weights: Weights,
) -> ManyMatchings:
    """Find the best matching and all thresholds of each of many markets.

    Parameters
    ----------
    graph
        All edges, none of them between two markets; None where everybody may trade with
        everybody of the same market.
    buyer_start, seller_start
        The agents of market m are those from `start[m]` up to `start[m + 1]`.
    buyer_weights, seller_weights
        As in `best_matching`, for all agents.

    Returns
    -------
    ManyMatchings

    Raises
    ------
    ValueError
        If a weight is NaN.

    Notes
    -----
    Markets that share no agent are the components, or unions of components, of one graph, and
    whatever finds trades and thresholds does in a component what it would do there alone. Pairs
    are found market by market.

    Examples
    --------
    >>> starts = np.array([0, 2, 3]), np.array([0, 1, 2])
    >>> found = match_markets(None, *starts, np.array([3.0, 5.0, 1.0]), np.array([4.0, 1.0]))
    >>> found.buyer.tolist(), found.seller.tolist(), found.trading_buyers.level.tolist()
    ([1, 2], [0, 1], [4.0, 1.0])
    """
    if np.isnan(buyer_weights).any() or np.isnan(seller_weights).any():
        raise ValueError("a weight is NaN: weights must be numbers or infinities")
    weights = buyer_weights, seller_weights
    if graph is not None:
        return _by_sweep(graph, (buyer_start, seller_start), weights)
    found = sort_markets(buyer_start, seller_start, *weights)
    # In market order on both sides: market after market, the k-th with the k-th.
    buyer, seller = (np.flatnonzero(label >= 0).astype(np.int32) for label in found.labels)
    return ManyMatchings(
        buyer_weights, seller_weights, buyer, seller, "sort", found.agent_at, found.labels,
        lambda: found.entries,
    )  # fmt: skip


def _by_sweep(
    graph: Graph, starts: tuple[Starts, Starts], weights: tuple[Weights, Weights]
) -> ManyMatchings:
    """Match sparse markets: the sweep, the thresholds and the pairs of all as of one graph."""
    from catallax.matching.plain import kernels_many, kernels_thresholds

    buyer_rank, seller_rank, agent_at = kernels_many.rank_markets(*starts, -weights[0], weights[1])
    buyer, seller, labels = match_sparse(graph, agent_at, starts[0])

    def entries() -> tuple[Indices, Indices]:
        partners = [np.full(rank.size, -1, np.int32) for rank in (buyer_rank, seller_rank)]
        partners[0][buyer], partners[1][seller] = seller, buyer
        return (
            kernels_thresholds.buyer_entry(*graph.by_buyer, seller_rank, *partners, labels[1]),
            kernels_thresholds.seller_entry(*graph.by_seller, buyer_rank, *partners, labels[0]),
        )

    one, two = weights
    return ManyMatchings(one, two, buyer, seller, "sweep", agent_at, labels, entries)
