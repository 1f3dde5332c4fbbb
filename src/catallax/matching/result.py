"""What a solver returns: the trades, and the threshold of every agent with its source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.ticks import Ticks

__all__ = [
    "NOBODY",
    "Matching",
    "PairBounds",
    "Thresholds",
    "thresholds_set_by",
    "whole_thresholds",
]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]

NOBODY = np.iinfo(np.int64).max
"""The source of a threshold that no single agent sets."""


@dataclass(frozen=True, eq=False)
class Thresholds:
    """The weights at which agents of one side would just trade, and who sets them.

    Attributes
    ----------
    agent
        Indices of the agents spoken of, in market order; shape (k,).
    level
        Weight of the agent that sets the threshold, in the units of the weights; shape (k,).
        NaN never occurs; agents that nothing could bring to trade are not spoken of.
    wins_ties
        Whether the agent trades when her own weight equals the level; shape (k,).
    source
        The agent that sets the threshold: buyer i as i, seller j as -1 - j, `NOBODY` where it
        takes several; shape (k,).
    """

    agent: Indices
    level: Weights
    wins_ties: NDArray[np.bool_]
    source: NDArray[np.integer]


def thresholds_set_by(
    source: NDArray[np.integer], agent: Indices, level: Weights, *, buyers: bool
) -> Thresholds:
    """State thresholds that are the weights of single agents, `source`, on either side."""
    from_buyer = source >= 0
    # Against the other side a tie is a trade; on one side the agent listed first wins.
    wins_ties = ~from_buyer | (agent < source) if buyers else from_buyer | (agent < -1 - source)
    return Thresholds(agent, level, wins_ties, source)


def whole_thresholds(
    agent: NDArray[np.integer],
    level: NDArray[np.int64],
    ticks: Ticks,
    *,
    buyers: bool,
    trading: bool,
) -> Thresholds:
    """State thresholds of rounded weights: the last whole number with which each agent trades.

    Weights are rounded down. A buyer reaches the number with its money, and a seller keeps to
    it below the money of the next.
    """
    money: Weights = (level if buyers else level + 1) * np.float64(ticks.tick)
    if not trading:  # what is out of range is out of reach
        money = np.where(np.abs(level) >= ticks.most, np.inf if buyers else -np.inf, money)
    return Thresholds(
        agent.astype(np.int32),
        money,
        np.full(agent.size, buyers),
        np.full(agent.size, NOBODY),
    )


@dataclass(frozen=True, eq=False)
class PairBounds:
    """What the partners of each trade could do otherwise; all shapes (trades,).

    With the own weights of buyer i and seller j left out, W_in is the largest weight of a
    matching that contains their trade, W_none of one without both, W_i of one in which i
    trades with another seller and j does not trade, and W_j the mirror of it.

    Attributes
    ----------
    slack
        d = W_none - W_in, what the trade has to bring to take place; 0 in a plain graph.
    buyer_elsewhere
        A = W_in - W_i: at a larger cost of j, buyer i is served by another seller; +inf if none.
    seller_elsewhere
        B = W_j - W_in: below this weight of i, seller j serves another buyer; -inf if none.

    References
    ----------
    arXiv 2604.00129, Definition A.7, in the corrected closed form of catallax.
    """

    slack: Weights
    buyer_elsewhere: Weights
    seller_elsewhere: Weights


@dataclass(frozen=True, eq=False)
class Matching(ABC):
    """A feasible matching of largest total weight, its pairs and its thresholds.

    Attributes
    ----------
    graph
        Who may trade with whom.
    buyer_weights, seller_weights
        What was maximised: the sum of buyers' less sellers' weights over the traders.
    buyer, seller
        The trades: the k-th is between `buyer[k]` and `seller[k]`; buyers in market order.
    solver
        "sweep", "sort", "flow", "program" or "search".
    tick
        What the weights were rounded to, in money; None where they are exact.
    """

    graph: Graph
    buyer_weights: Weights
    seller_weights: Weights
    buyer: Indices
    seller: Indices
    solver: str
    tick: float | None

    @cached_property
    @abstractmethod
    def trading_buyers(self) -> Thresholds:
        """Thresholds of the buyers that trade, in the order of the trades."""

    @cached_property
    @abstractmethod
    def trading_sellers(self) -> Thresholds:
        """Thresholds of the sellers that trade, in the order of the trades."""

    @cached_property
    @abstractmethod
    def waiting_buyers(self) -> Thresholds:
        """What the buyers that do not trade would have to beat, where anything would do."""

    @cached_property
    @abstractmethod
    def waiting_sellers(self) -> Thresholds:
        """What the sellers that do not trade would have to undercut, where anything would do."""

    def waiting(self, index: int, *, buyers: bool) -> Thresholds:
        """Give the threshold of one agent that does not trade; of nobody where there is none."""
        every = self.waiting_buyers if buyers else self.waiting_sellers
        at = np.flatnonzero(every.agent == index)
        return Thresholds(every.agent[at], every.level[at], every.wins_ties[at], every.source[at])

    @cached_property
    @abstractmethod
    def pair_bounds(self) -> PairBounds:
        """What the partners of each trade could do otherwise, in the order of the trades."""
