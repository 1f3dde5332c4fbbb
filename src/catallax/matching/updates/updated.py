"""Matchings that are followed while weights change."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.order import order_agents
from catallax.matching.plain.pairs import pair_traders
from catallax.matching.plain.ranked import RankedMatching
from catallax.matching.result import Thresholds, thresholds_set_by

if TYPE_CHECKING:
    from catallax.matching.updates.stores import Store
    from catallax.matching.updates.versions import Version

__all__ = ["Pairs", "UpdatedMatching", "stated"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]


class Pairs:
    """Who trades, and with whom: shared by all matchings in which the same agents trade.

    Parameters
    ----------
    graph
        Who may trade with whom.
    buyer, seller
        Who trades, ascending on either side; None where it has not been looked up yet.
    """

    def __init__(
        self, graph: Graph, buyer: Indices | None = None, seller: Indices | None = None
    ) -> None:
        self.graph = graph
        self._ends = None if buyer is None or seller is None else (buyer, seller)

    def look_up(self, version: Version) -> None:
        """Find who trades, in one of the versions in which these do."""
        if self._ends is not None:
            return
        n_buyers = self.graph.n_buyers
        with version.lock:
            trades = version.store().trades()
            ends = np.flatnonzero(trades[:n_buyers]), np.flatnonzero(trades[n_buyers:])
        self._ends = frozen(ends[0].astype(np.int32)), frozen(ends[1].astype(np.int32))

    @property
    def buyer(self) -> Indices:
        """The buyers that trade, ascending."""
        assert self._ends is not None
        return self._ends[0]

    @property
    def seller(self) -> Indices:
        """The sellers that trade, ascending."""
        assert self._ends is not None
        return self._ends[1]

    @cached_property
    def partner(self) -> Indices:
        """The seller of each of the buyers: a function of the two sets of traders."""
        if self.graph.complete:
            return self.seller
        return pair_traders(self.graph, self.buyer, self.seller)


class UpdatedMatching(RankedMatching):
    """The matching that `best_matching` would find, followed from an earlier one.

    Everything is found when it is asked for, from the arrays of its version: above all the
    pairs, which one change may rearrange all over the market.

    Attributes
    ----------
    version
        Where it is read from, and what the next update starts from.
    """

    version: Version

    def __init__(self, graph: Graph, version: Version, pairs: Pairs) -> None:
        vars(self).update(
            graph=graph,
            solver="sort" if graph.complete else "sweep",
            tick=None,
            version=version,
            shared_pairs=pairs,
        )

    @property
    def pairs(self) -> Pairs:
        """Who trades, and with whom."""
        pairs: Pairs = vars(self)["shared_pairs"]
        pairs.look_up(self.version)
        return pairs

    @cached_property
    def _weights(self) -> Weights:
        with self.version.lock:
            return frozen(self.version.store().weight.copy())

    @property
    def buyer_weights(self) -> Weights:  # type: ignore[override]
        """Weight of each buyer."""
        return self._weights[: self.graph.n_buyers]

    @property
    def seller_weights(self) -> Weights:  # type: ignore[override]
        """Weight of each seller."""
        return self._weights[self.graph.n_buyers :]

    @property
    def buyer(self) -> Indices:  # type: ignore[override]
        """The buyer of each trade."""
        return self.pairs.buyer

    @property
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
        n_buyers = self.graph.n_buyers
        with self.version.lock:
            store = self.version.store()
            source = store.sources(agent if buyers else agent + np.int32(n_buyers))
            return _read(store, agent, source, buyers=buyers)

    def threshold(self, index: int, *, buyers: bool) -> Thresholds | None:
        """Give the threshold of one agent if she trades; else None."""
        at = index if buyers else self.graph.n_buyers + index
        with self.version.lock:
            store = self.version.store()
            if not store.trades_of(at):
                return None
            source = store.sources(np.array([at]))
            return _read(store, np.array([index], np.int32), source, buyers=buyers)

    def waiting(self, index: int, *, buyers: bool) -> Thresholds:
        """Give the threshold of one agent that does not trade; of nobody where there is none."""
        with self.version.lock:
            store = self.version.store()
            source = store.entry(index if buyers else self.graph.n_buyers + index)
            known = np.array([index] if source >= 0 else [], np.int32)
            return _read(store, known, np.full(known.size, source, np.int32), buyers=buyers)

    def reports_of(self, agent: NDArray[np.integer], *, buyers: bool) -> Weights:
        """Give what some agents of a side have reported."""
        with self.version.lock:
            report = self.version.store().report
            return report[agent if buyers else agent + self.graph.n_buyers]

    def _entry(self, *, buyers: bool) -> Thresholds:
        n_buyers, n_agents = self.graph.n_buyers, self.graph.n_buyers + self.graph.n_sellers
        with self.version.lock:
            store = self.version.store()
            entry = store.entries(*((0, n_buyers) if buyers else (n_buyers, n_agents)))
            agent = np.flatnonzero(entry >= 0).astype(np.int32)
            return _read(store, agent, entry[agent], buyers=buyers)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only."""
    array.flags.writeable = False
    return array


def _read(store: Store, agent: Indices, numbered: Indices, *, buyers: bool) -> Thresholds:
    return stated(agent, numbered, store.weight[numbered], store.graph.n_buyers, buyers=buyers)


def stated(
    agent: Indices, numbered: Indices, level: Weights, n_buyers: int, *, buyers: bool
) -> Thresholds:
    """State thresholds of some agents of a side, set by agents that are numbered together."""
    source = np.where(numbered < n_buyers, numbered, n_buyers - 1 - numbered).astype(np.int32)
    return thresholds_set_by(source, agent, level, buyers=buyers)
