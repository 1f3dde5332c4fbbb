"""Constraints that are Python functions, written out so that a file can hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from catallax.errors import OutputError
from catallax.markets.families import Constraint
from catallax.markets.families.base import Indices, Parts, Predicate

if TYPE_CHECKING:
    from catallax.markets import Market

__all__ = ["ListedSets", "from_listed", "without_unlisted"]

# With more edges than this there may be too many sets of trades to list.
_MOST_EDGES = 14


@dataclass(frozen=True)
class ListedSets(Constraint):
    """The trades must be one of the listed sets, whose parts need not be.

    Such a family need not be downward closed, so no mechanism is made for it; this is what a
    witness keeps of a constraint that was a function.

    Attributes
    ----------
    sets
        Lists of edges, each a buyer and a seller.
    """

    kind: ClassVar[str] = "listed-sets"
    sets: Sequence[Sequence[Sequence[Any]]]

    def bind(self, parts: Parts, where: str) -> Predicate:
        """Look up every edge."""
        allowed = {
            frozenset(parts.edge(buyer, seller, where) for buyer, seller in trades)
            for trades in self.sets
        }

        def function(edges: Indices) -> bool:
            return frozenset(int(edge) for edge in edges) in allowed

        return Predicate(function)


def matchings(market: Market) -> list[list[int]]:
    """List all sets of edges that a market's family allows.

    Raises
    ------
    OutputError
        If the market has too many edges.
    """
    parts, family = market.family.parts, market.family
    if market.graph.n_edges > _MOST_EDGES:
        raise OutputError(
            f"market '{market.name}' has a constraint that is a Python function and "
            f"{market.graph.n_edges} edges, too many to write out what it allows"
        )
    ends = [parts.ends(edge) for edge in range(market.graph.n_edges)]
    found: list[list[int]] = []

    def extend(chosen: list[int], start: int) -> None:
        found.append(chosen)
        for edge in range(start, len(ends)):
            i, j = ends[edge]
            if all(i != ends[other][0] and j != ends[other][1] for other in chosen):
                extend([*chosen, edge], edge + 1)

    extend([], 0)
    bound = family.bound
    allowed = []
    for chosen in found:
        edges = np.array(chosen, np.int64)
        buyers = np.array([ends[e][0] for e in chosen], np.int64)
        sellers = np.array([ends[e][1] for e in chosen], np.int64)
        if all(one.allows(edges, buyers, sellers) for one in bound):
            allowed.append(chosen)
    return allowed


def without_unlisted(market: Market) -> tuple[Market, list[list[list[Any]]]]:
    """Return a market that a file can hold, and the sets of trades that were left out of it.

    Parameters
    ----------
    market
        Any market.

    Returns
    -------
    tuple
        The market itself and an empty list where all its constraints have specifications. Where
        one is a function: the market with a constraint of kind "family" instead of all
        constraints, if that is the same family; else without constraints, and every set of
        trades that is allowed.

    Raises
    ------
    OutputError
        If there are too many sets.
    """
    if not any(isinstance(one, Constraint) for one in market.constraints):
        return market, []
    allowed = matchings(market)
    known = {frozenset(chosen) for chosen in allowed}
    closed = all(
        frozenset(chosen) - {edge} in known for chosen in allowed for edge in chosen
    ) and frozenset() in known
    named = [[_names(market, edge) for edge in chosen] for chosen in allowed]
    if not closed:
        return replaced(market, ()), named
    largest = [
        trades
        for trades, chosen in zip(named, allowed, strict=True)
        if not any(frozenset(chosen) < other for other in known)
    ]
    return replaced(market, ({"kind": "family", "matchings": largest},)), []


def _names(market: Market, edge: int) -> list[Any]:
    i, j = market.family.parts.ends(edge)
    return [market.buyers.ids[i], market.sellers.ids[j]]


def from_listed(market: Market, sets: Sequence[Sequence[Sequence[Any]]] | None) -> Market:
    """Undo the second case of `without_unlisted`."""
    return replaced(market, (ListedSets(sets),)) if sets else market


def replaced(market: Market, constraints: tuple[Any, ...]) -> Market:
    """Return a market with other constraints."""
    from catallax.markets import Market

    parts = {name: getattr(market, name) for name in market.__dataclass_fields__}
    return Market._of_parts(**parts | {"constraints": constraints})
