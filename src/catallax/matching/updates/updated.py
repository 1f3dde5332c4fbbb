"""Matchings that are followed while weights change, and what they are followed by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.order import order_agents
from catallax.matching.plain.pairs import pair_traders
from catallax.matching.plain.ranked import RankedMatching
from catallax.matching.result import Thresholds

if TYPE_CHECKING:
    from catallax.matching.updates.kernels_relabel import Rows

__all__ = ["Labels", "Pairs", "Sorted", "UpdatedMatching", "rows_of"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]

_rows: WeakKeyDictionary[Graph, Rows] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who trades with whom: a function of the two sets of traders, found when it is asked for.

    Attributes
    ----------
    graph
        Who may trade with whom.
    buyer, seller
        Who trades, ascending on either side.
    """

    graph: Graph
    buyer: Indices
    seller: Indices

    @cached_property
    def partner(self) -> Indices:
        """The seller of each of the buyers."""
        if self.graph.complete:
            return self.seller
        return pair_traders(self.graph, self.buyer, self.seller)


@dataclass(frozen=True, eq=False)
class Labels:
    """Weights, one possible pairing and who sets each threshold, in a graph that is not complete.

    Buyers and sellers are numbered together, buyer i as i and seller j as `n_buyers` + j.
    Shapes (n_buyers + n_sellers,), read-only.

    Attributes
    ----------
    weight
        Weight of each agent.
    partner
        Partner of each trader in a pairing that serves the search alone; -1 without a trade.
    label
        The agent that sets each trader's threshold; -1 without a trade.
    member, tie, near, bloc
        A set of pairs that have the same thresholds, kept as one; see `kernels_bloc`.
    """

    weight: Weights
    partner: Indices
    label: Indices
    member: NDArray[np.bool_]
    tie: Indices
    near: Indices
    bloc: NDArray[np.int64]

    @property
    def has_bloc(self) -> bool:
        """Whether there is such a set now."""
        return bool(self.bloc[0] >= 0)


@dataclass(frozen=True, eq=False)
class Sorted:
    """Weights and the order of either side of a complete graph, numbered as in `Labels`.

    Attributes
    ----------
    weight
        Weight of each agent.
    buyers, sellers
        Buyers from the heaviest, sellers from the lightest.
    count
        The number of trades.
    """

    weight: Weights
    buyers: Indices
    sellers: Indices
    count: int


class UpdatedMatching(RankedMatching):
    """The matching that `best_matching` would find, followed from an earlier one.

    Everything but who trades and who sets the traders' thresholds is found when it is asked
    for: above all the pairs, which one change may rearrange all over the market.

    Attributes
    ----------
    state
        What the next update starts from.
    pairs
        Who trades, and with whom.
    """

    state: Labels | Sorted
    pairs: Pairs

    def __init__(self, graph: Graph, state: Labels | Sorted, pairs: Pairs) -> None:
        n_buyers = graph.n_buyers
        vars(self).update(
            graph=graph,
            buyer_weights=state.weight[:n_buyers],
            seller_weights=state.weight[n_buyers:],
            buyer=pairs.buyer,
            solver="sort" if graph.complete else "sweep",
            tick=None,
            state=state,
            pairs=pairs,
        )

    @cached_property
    def seller(self) -> Indices:  # type: ignore[override]
        """The seller of each trade."""
        return self.pairs.partner

    @cached_property
    def _agent_at(self) -> Indices:  # type: ignore[override]
        return order_agents(self.buyer_weights, self.seller_weights)

    @cached_property
    def trading_buyers(self) -> Thresholds:
        """Thresholds of the buyers that trade, in the order of the trades."""
        return self.thresholds_of(self.buyer, buyers=True)

    @cached_property
    def trading_sellers(self) -> Thresholds:
        """Thresholds of the sellers that trade, in the order of the trades."""
        return self.thresholds_of(self.seller, buyers=False)

    def thresholds_of(self, agent: Indices, *, buyers: bool) -> Thresholds:
        """Give the thresholds of some agents of a side that trade."""
        if isinstance(self.state, Labels):
            source = self.state.label[agent if buyers else agent + self.graph.n_buyers]
        else:
            source = np.full(agent.size, self._either_way(lightest=not buyers), np.int32)
        return self._from(agent, source, buyers=buyers)

    def waiting(self, index: int, *, buyers: bool) -> Thresholds:
        """Give the threshold of one agent that does not trade; of nobody where there is none."""
        if isinstance(self.state, Labels):
            from catallax.matching.updates import kernels_update

            n_buyers = self.graph.n_buyers
            rows, state = rows_of(self.graph), self.state
            source = kernels_update.entry_of(
                index if buyers else n_buyers + index,
                *rows[:2], state.weight, state.partner, state.label, n_buyers,
            )  # fmt: skip
        else:
            source = self._either_way(lightest=buyers)
        known = np.array([index] if source >= 0 else [], np.int32)
        return self._from(known, np.full(known.size, source, np.int32), buyers=buyers)

    def _entry(self, *, buyers: bool) -> Thresholds:
        n_buyers, n_sellers = self.graph.n_buyers, self.graph.n_sellers
        entry = np.empty(n_buyers if buyers else n_sellers, np.int32)
        if isinstance(self.state, Labels):
            from catallax.matching.updates import kernels_update

            rows, state = rows_of(self.graph), self.state
            first = 0 if buyers else n_buyers
            kernels_update.entries(
                first, first + entry.size, *rows[:2], state.weight, state.partner, state.label,
                n_buyers, entry,
            )  # fmt: skip
        else:
            entry[:] = self._either_way(lightest=buyers)
            entry[self.pairs.buyer if buyers else self.pairs.seller] = -1
        agent = np.flatnonzero(entry >= 0).astype(np.int32)
        return self._from(agent, entry[agent], buyers=buyers)

    def _from(self, agent: Indices, numbered: Indices, *, buyers: bool) -> Thresholds:
        """State thresholds set by agents that are numbered together."""
        n_buyers = self.graph.n_buyers
        from_buyer = numbered < n_buyers
        source = np.where(from_buyer, numbered, n_buyers - 1 - numbered).astype(np.int32)
        # Against the other side a tie is a trade; on one side the agent listed first wins.
        if buyers:
            wins_ties = ~from_buyer | (agent < source)
        else:
            wins_ties = from_buyer | (agent < -1 - source)
        return Thresholds(agent, self.state.weight[numbered], wins_ties, source)

    def _either_way(self, *, lightest: bool) -> int:
        """Find who sets the thresholds in a complete graph, numbered together; -1 for nobody.

        Sellers that trade and buyers that wait face the lightest of the next seller and the
        last trading buyer, the others the heaviest of the next buyer and the last seller.
        """
        from catallax.matching.updates.kernels_compare import heavier

        state = self.state
        assert isinstance(state, Sorted)
        own, other = (state.buyers, state.sellers) if lightest else (state.sellers, state.buyers)
        last = int(own[state.count - 1]) if state.count else -1
        following = int(other[state.count]) if state.count < other.size else -1
        if last < 0 or following < 0:
            return max(last, following)
        above = heavier(last, following, state.weight, self.graph.n_buyers)
        return following if above == lightest else last


def rows_of(graph: Graph) -> Rows:
    """Give the rows of all agents of a graph, numbered together; made once for each graph."""
    rows = _rows.get(graph)
    if rows is None:
        from catallax.matching.updates import kernels_update
        from catallax.matching.updates.kernels_relabel import Rows

        start, neighbours = graph.by_buyer
        ends = (
            np.empty(graph.n_buyers + graph.n_sellers + 1, np.int64),
            np.empty(2 * neighbours.size, np.int32),
        )
        kernels_update.both_rows(start, neighbours, graph.n_sellers, *ends)
        rows = _rows[graph] = Rows(*ends, graph.n_buyers)
    return rows
