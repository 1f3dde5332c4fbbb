"""Constraints by position: what remains of them once they are bound to agents and edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from catallax.errors import (
    ConstraintError,
    UnknownAgentError,
)

if TYPE_CHECKING:
    import polars as pl

    from catallax.markets.agents import Agents
    from catallax.markets.graph import Graph

__all__ = [
    "Bound",
    "Exclusions",
    "Explicit",
    "GroupLimits",
    "Knapsack",
    "Parts",
    "Predicate",
    "position",
]

Over = Literal["trades", "buyers", "sellers", "edges"]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a constraint is bound to: the sides, the graph and the edges' other columns."""

    buyers: Agents
    sellers: Agents
    graph: Graph
    edge_table: pl.DataFrame

    def edge(self, buyer: object, seller: object, where: str) -> int:
        """Find the number of the edge between two agents, by their identifiers."""
        i, j = position(self.buyers, buyer, where), position(self.sellers, seller, where)
        if self.graph.complete:
            return i * self.graph.n_sellers + j
        at = np.flatnonzero((self.graph.buyer == i) & (self.graph.seller == j))
        if not at.size:
            raise ConstraintError(
                f"{where}: {self.buyers.label(i)} and {self.sellers.label(j)} have no edge; "
                "add it to the edges or take the pair out"
            )
        return int(at[0])

    def ends(self, edge: int) -> tuple[int, int]:
        """Give the buyer and the seller of an edge, by index."""
        if self.graph.complete:
            i, j = divmod(int(edge), self.graph.n_sellers)
            return i, j
        return int(self.graph.buyer[edge]), int(self.graph.seller[edge])

    def name(self, edge: int) -> str:
        """Write an edge for people."""
        i, j = self.ends(edge)
        return f"({self.buyers.ids[i]!r}, {self.sellers.ids[j]!r})"


@dataclass(frozen=True, eq=False)
class GroupLimits:
    """At most so many trades in each group.

    Attributes
    ----------
    over
        What is grouped: all trades together (one group), buyers, sellers or edges.
    group
        Group of each agent or edge, -1 for none; empty where all trades are one group.
    limit
        Largest number of trades in each group.
    """

    over: Over
    group: Indices
    limit: Indices

    def allows(self, edges: Indices, buyers: Indices, sellers: Indices) -> bool:
        """Tell whether a set of trades keeps within every limit."""
        if self.over == "trades":
            return edges.size <= self.limit[0]
        members = {"buyers": buyers, "sellers": sellers, "edges": edges}[self.over]
        groups = self.group[members]
        count = np.bincount(groups[groups >= 0], minlength=self.limit.size)
        return bool((count <= self.limit).all())


@dataclass(frozen=True, eq=False)
class Exclusions:
    """Pairs of agents, or of edges, that cannot both trade; shape (k, 2)."""

    over: Over
    pairs: Indices

    def allows(self, edges: Indices, buyers: Indices, sellers: Indices) -> bool:
        """Tell whether no pair is complete."""
        members = {"buyers": buyers, "sellers": sellers, "edges": edges}[self.over]
        inside = np.isin(self.pairs, members)
        return not bool(inside.all(axis=1).any())


@dataclass(frozen=True, eq=False)
class Knapsack:
    """Amounts of the traded edges that sum to at most a limit, counted in whole ticks."""

    amount: Indices
    limit: int

    def allows(self, edges: Indices, buyers: Indices, sellers: Indices) -> bool:
        """Tell whether the amounts fit."""
        return int(self.amount[edges].sum()) <= self.limit


@dataclass(frozen=True, eq=False)
class Explicit:
    """Every subset of one of these matchings, each a set of edges."""

    matchings: tuple[frozenset[int], ...]

    def allows(self, edges: Indices, buyers: Indices, sellers: Indices) -> bool:
        """Tell whether some listed matching contains the trades."""
        trades = set(edges.tolist())
        return not trades or any(trades <= listed for listed in self.matchings)


@dataclass(frozen=True, eq=False)
class Predicate:
    """Whatever a function says of the trades."""

    function: Callable[[Indices], bool]

    def allows(self, edges: Indices, buyers: Indices, sellers: Indices) -> bool:
        """Ask the function."""
        return self.function(edges)


Bound = GroupLimits | Exclusions | Knapsack | Explicit | Predicate


def position(agents: Agents, agent: object, place: str) -> int:
    """Find an agent that a constraint names."""
    if not isinstance(agent, str | int):
        raise ConstraintError(f"{place}: {agent!r} is not the id of a {agents.role}")
    try:
        return agents.index(agent)
    except UnknownAgentError as error:
        raise UnknownAgentError(f"{place}: {error}") from None
