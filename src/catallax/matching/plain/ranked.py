"""Matching by ranks: plain graphs by the sweep, complete graphs by sorting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.order import order_agents, ranks_in
from catallax.matching.parallel import both
from catallax.matching.plain.guided import (
    FEWEST_EDGES,
    Traders,
    find_traders,
    fits,
    match_guided,
)
from catallax.matching.plain.pairs import pair_traders
from catallax.matching.plain.reading import read_thresholds
from catallax.matching.result import Matching, PairBounds, Thresholds, thresholds_set_by

__all__ = ["RankedMatching", "match_by_rank", "match_sparse"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class RankedMatching(Matching):
    """A matching found by comparing single weights, and therefore exact."""

    _agent_at: Indices
    _labels: tuple[Indices, Indices]

    @cached_property
    def _ranks(self) -> tuple[Indices, Indices]:
        return ranks_in(self._agent_at, self.graph.n_buyers)

    @cached_property
    def trading_buyers(self) -> Thresholds:
        """Thresholds of the buyers that trade, in the order of the trades."""
        return self._thresholds(self.buyer, self._labels[0], buyers=True)

    @cached_property
    def trading_sellers(self) -> Thresholds:
        """Thresholds of the sellers that trade, in the order of the trades."""
        return self._thresholds(self.seller, self._labels[1], buyers=False)

    @cached_property
    def waiting_buyers(self) -> Thresholds:
        """What the buyers that do not trade would have to beat, where anything would do."""
        return self._entry(buyers=True)

    @cached_property
    def waiting_sellers(self) -> Thresholds:
        """What the sellers that do not trade would have to undercut, where anything would do."""
        return self._entry(buyers=False)

    @cached_property
    def pair_bounds(self) -> PairBounds:
        """What the partners of each trade could do otherwise, in the order of the trades."""
        if self.graph.complete:
            ranks = self._complete_elsewhere()
        else:
            from catallax.matching.plain import kernels_thresholds

            partners = self._partners
            by_buyer, by_seller = self.graph.by_buyer, self.graph.by_seller
            labels = (
                kernels_thresholds.two_buyer_thresholds(*by_buyer, self._agent_at, *partners),
                kernels_thresholds.two_seller_thresholds(*by_seller, self._agent_at, *partners),
            )
            ranks = (
                kernels_thresholds.buyer_elsewhere(*by_buyer, *self._ranks, *partners, *labels[1])[
                    self.buyer
                ],
                kernels_thresholds.seller_elsewhere(
                    *by_seller, *self._ranks, *partners, *labels[0]
                )[self.seller],
            )
        elsewhere = [np.full(self.buyer.size, end) for end in (np.inf, -np.inf)]
        for rank, level in zip(ranks, elsewhere, strict=True):
            known = rank >= 0
            level[known] = self._weight_of[self._agent_at[rank[known]]]
        return PairBounds(np.zeros(self.buyer.size), *elsewhere)

    def _complete_elsewhere(self) -> tuple[Indices, Indices]:
        """Find in a complete graph what each partner could do with anybody else.

        Whoever trades could take the cheapest free seller, or the place of the lightest other
        trading buyer, whose own partner is then free to serve her (mirrored for sellers).
        """
        buyer_rank, seller_rank = self._ranks
        last = self._agent_at.size - 1
        for_buyers = _largest_other(buyer_rank[self.buyer], np.delete(seller_rank, self.seller))
        for_sellers = _largest_other(
            last - seller_rank[self.seller], last - np.delete(buyer_rank, self.buyer)
        )
        return for_buyers, np.where(for_sellers >= 0, last - for_sellers, -1)

    @cached_property
    def _weight_of(self) -> Weights:
        """Weights of all agents, each at her number as a source (sellers count from the end)."""
        return np.concatenate([self.buyer_weights, self.seller_weights[::-1]])

    def _thresholds(self, agent: Indices, rank: Indices, *, buyers: bool) -> Thresholds:
        """State thresholds of some agents, from the ranks of those who set those of a side."""
        weights = self.buyer_weights, self.seller_weights
        if not self.graph.complete:  # and therefore compiled kernels are loaded
            return read_thresholds(agent, rank, self._agent_at, *weights, buyers=buyers)
        source = self._agent_at[rank[agent]]
        return thresholds_set_by(source, agent, self._weight_of[source], buyers=buyers)

    def _entry(self, *, buyers: bool) -> Thresholds:
        """Find the thresholds of the agents of one side that do not trade."""
        n_agents = self.graph.n_buyers if buyers else self.graph.n_sellers
        waiting = np.ones(n_agents, bool)
        waiting[self.buyer if buyers else self.seller] = False
        entry = np.full(n_agents, -1, np.int32)
        if self.graph.complete:
            entry[waiting] = self._complete_entry(buyers=buyers)
        else:
            from catallax.matching.plain import kernels_thresholds

            partner_of_buyer, partner_of_seller = self._partners
            if buyers:
                entry = kernels_thresholds.buyer_entry(
                    *self.graph.by_buyer, self._ranks[1], partner_of_buyer, partner_of_seller,
                    self._labels[1],
                )  # fmt: skip
            else:
                entry = kernels_thresholds.seller_entry(
                    *self.graph.by_seller, self._ranks[0], partner_of_buyer, partner_of_seller,
                    self._labels[0],
                )  # fmt: skip
        agent = np.flatnonzero(waiting & (entry >= 0)).astype(np.int32)
        return self._thresholds(agent, entry, buyers=buyers)

    @property
    def _partners(self) -> tuple[Indices, Indices]:
        partner_of_buyer = np.full(self.graph.n_buyers, -1, np.int32)
        partner_of_seller = np.full(self.graph.n_sellers, -1, np.int32)
        partner_of_buyer[self.buyer] = self.seller
        partner_of_seller[self.seller] = self.buyer
        return partner_of_buyer, partner_of_seller

    def _complete_entry(self, *, buyers: bool) -> int:
        """Rank that any agent left out has to beat in a complete graph, -1 if there is none.

        It is the lighter of the next free seller and the last trading buyer (mirrored for
        sellers): the newcomer either brings in that seller or takes that buyer's place.
        """
        buyer_rank, seller_rank = self._ranks
        trades, free = (self.buyer, self.seller) if buyers else (self.seller, self.buyer)
        own, others = (buyer_rank, seller_rank) if buyers else (seller_rank, buyer_rank)
        unused = np.ones(others.size, bool)
        unused[free] = False
        candidates = np.concatenate([own[trades], others[unused]])
        if candidates.size == 0:
            return -1
        # A buyer must beat the lightest way in: the last trading buyer or the cheapest free
        # seller; a seller the heaviest: the first trading seller or the dearest free buyer.
        return int(candidates.max() if buyers else candidates.min())


class LargeMatching(RankedMatching):
    """The matching of a large sparse graph: pairs and labels are found when one is asked for.

    They are found at the same time, on two cores.
    """

    def __init__(
        self, graph: Graph, buyer_weights: Weights, seller_weights: Weights, agent_at: Indices
    ) -> None:
        found = find_traders(graph, agent_at)
        vars(self).update(
            graph=graph,
            buyer_weights=buyer_weights,
            seller_weights=seller_weights,
            buyer=found.buyer,
            solver="sweep",
            tick=None,
            _agent_at=agent_at,
            _found=found,
        )

    def _find(self) -> None:
        """Find pairs, labels, and what follows from these before pairs are known."""
        known = vars(self)
        found: Traders | None = known.get("_found")
        if found is None:
            return

        def pair() -> None:
            if "seller" not in known:
                known["seller"] = found.pairs()

        def label() -> None:
            if "_labels" not in known:
                known["_labels"] = labels = found.labels()
                known["trading_buyers"] = self._thresholds(self.buyer, labels[0], buyers=True)

        try:
            # Pairs take longer, and so stay where the graph is in the cache already.
            both(pair, label)
        finally:
            if known.keys() >= {"_labels", "seller"}:
                known.pop("_found", None)  # it holds the whole graph once more

    @cached_property
    def seller(self) -> Indices:  # type: ignore[override]
        """The seller of each trade."""
        self._find()
        return vars(self)["seller"]

    @cached_property
    def _labels(self) -> tuple[Indices, Indices]:  # type: ignore[override]
        self._find()
        return vars(self)["_labels"]


def _largest_other(own: Indices, free: Indices) -> Indices:
    """For every member of a group the largest rank of the other members and of a free group."""
    best_free = free.max(initial=-1)
    second, first = np.sort(np.concatenate([[-1, -1], own]))[-2:]
    return np.maximum(np.where(own == first, second, first), best_free).astype(np.int32)


def match_by_rank(graph: Graph, buyer_weights: Weights, seller_weights: Weights) -> RankedMatching:
    """Match in a graph without constraints; see `best_matching`."""
    agent_at = order_agents(buyer_weights, seller_weights)
    if not graph.complete and fits(graph):
        return LargeMatching(graph, buyer_weights, seller_weights, agent_at)
    solve, solver = (_by_sorting, "sort") if graph.complete else (_by_sweep, "sweep")
    buyer, seller, labels = solve(graph, agent_at)
    return RankedMatching(
        graph, buyer_weights, seller_weights, buyer, seller, solver, None, agent_at, labels
    )


def match_sparse(
    graph: Graph, agent_at: Indices, buyer_start: NDArray[np.int64] | None = None
) -> tuple[Indices, Indices, tuple[Indices, Indices]]:
    """Match a sparse graph by the simple sweep, or guided where it is large: the same result.

    Parameters
    ----------
    graph
        Who may trade with whom.
    agent_at
        As `order_agents` gives it.
    buyer_start
        As for `pair_traders`. Then the largest market has to be large.

    Returns
    -------
    buyer, seller, labels
        As `match_guided` returns them.
    """
    large = fits(graph)
    if large and buyer_start is not None:
        edges = int(np.diff(graph.by_buyer[0][buyer_start]).max(initial=0))
        large = edges >= FEWEST_EDGES
    return (match_guided if large else _by_sweep)(graph, agent_at, buyer_start)


def _by_sweep(
    graph: Graph, agent_at: Indices, buyer_start: NDArray[np.int64] | None = None
) -> tuple[Indices, Indices, tuple[Indices, Indices]]:
    """Match a sparse graph: who trades, every label, and then the pairs."""
    from catallax.matching.plain import kernels_sweep, kernels_thresholds

    buyer_rank, seller_rank = ranks_in(agent_at, graph.n_buyers)
    useful = kernels_sweep.useful_rows(*graph.by_buyer, buyer_rank, seller_rank)
    partners = kernels_sweep.sweep(*useful, graph.n_sellers, agent_at)
    # An edge on which a trade would lose carries no threshold: the own partner outbids it.
    turned = kernels_sweep.turned_rows(*useful, graph.n_sellers)
    labels = (
        kernels_thresholds.buyer_thresholds(*useful, agent_at, *partners),
        kernels_thresholds.seller_thresholds(*turned, agent_at, *partners),
    )
    buyer, seller = (np.flatnonzero(side >= 0).astype(np.int32) for side in partners)
    return buyer, pair_traders(graph, buyer, seller, buyer_start), labels


def _by_sorting(
    graph: Graph, agent_at: Indices
) -> tuple[Indices, Indices, tuple[Indices, Indices]]:
    """Match a complete graph: the heaviest buyers with the lightest sellers, while it pays."""
    buyer_rank, seller_rank = ranks_in(agent_at, graph.n_buyers)
    buyers = agent_at[agent_at >= 0]
    sellers = -1 - agent_at[agent_at < 0][::-1]
    most = min(graph.n_buyers, graph.n_sellers)
    # The k-th buyer outranks the k-th seller up to some k and never after it.
    count = int(np.count_nonzero(buyer_rank[buyers[:most]] < seller_rank[sellers[:most]]))
    labels = (
        np.full(graph.n_buyers, -1, np.int32),
        np.full(graph.n_sellers, -1, np.int32),
    )
    if count:
        # Without one buyer the next one comes in, or else the dearest seller is let go.
        next_buyer = buyer_rank[buyers[count]] if count < graph.n_buyers else agent_at.size
        next_seller = seller_rank[sellers[count]] if count < graph.n_sellers else -1
        labels[0][buyers[:count]] = min(next_buyer, seller_rank[sellers[count - 1]])
        labels[1][sellers[:count]] = max(next_seller, buyer_rank[buyers[count - 1]])
    # In market order on both sides: the pairs depend on who trades and on nothing else.
    return np.sort(buyers[:count]), np.sort(sellers[:count]), labels
