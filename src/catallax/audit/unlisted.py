"""Constraints that are Python functions, written out so that a file can hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from catallax.errors import OutputError
from catallax.markets.families import Constraint
from catallax.markets.families.bound import Indices, Parts, Predicate

if TYPE_CHECKING:
    from catallax.markets import Market

__all__ = ["ListedSets", "from_listed", "open_set", "without_unlisted"]

# With more edges than this there may be too many sets of trades to list.
_MOST_EDGES = 14
# Sets of trades that are drawn, in larger markets, to find one with a part that is not allowed.
_DRAWN_SETS = 500


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
    return [chosen for chosen in _graph_matchings(ends) if family.allows(chosen)]


def _graph_matchings(ends: list[tuple[int, int]]) -> list[list[int]]:
    """List all sets of edges that share no agent."""
    found: list[list[int]] = []

    def extend(chosen: list[int], start: int) -> None:
        found.append(chosen)
        for edge in range(start, len(ends)):
            i, j = ends[edge]
            if all(i != ends[other][0] and j != ends[other][1] for other in chosen):
                extend([*chosen, edge], edge + 1)

    extend([], 0)
    return found


def open_set(market: Market) -> tuple[list[Any], list[Any]] | None:
    """Look for trades that are allowed together, and a part of them that is not.

    Parameters
    ----------
    market
        A market; constraints with a specification are downward closed by themselves, so only
        functions are looked at.

    Returns
    -------
    tuple or None
        Both sets, as pairs of identifiers; None if none is found: among all sets where there
        are few edges, among drawn ones (with a fixed seed) where there are many.
    """
    if not any(isinstance(one, Constraint) for one in market.constraints):
        return None
    family = market.family
    for chosen in _some_sets(market):
        if family.allows(chosen):
            for out in range(len(chosen)):
                part = chosen[:out] + chosen[out + 1 :]
                if not family.allows(part):
                    return [_names(market, e) for e in chosen], [_names(market, e) for e in part]
    return None


def _some_sets(market: Market) -> Iterator[list[int]]:
    """Yield sets of edges that share no agent, small ones first."""
    parts, n_edges = market.family.parts, market.graph.n_edges
    if n_edges <= _MOST_EDGES:
        ends = [parts.ends(edge) for edge in range(n_edges)]
        yield from sorted(_graph_matchings(ends), key=len)
        return
    rng = np.random.default_rng(0)
    for turn in range(_DRAWN_SETS):
        chosen: list[int] = []
        taken: set[tuple[str, int]] = set()
        for edge in rng.integers(n_edges, size=24).tolist():
            i, j = parts.ends(edge)
            if len(chosen) <= turn % 6 and not {("b", i), ("s", j)} & taken:
                chosen.append(edge)
                taken |= {("b", i), ("s", j)}
        yield chosen


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
    closed = (
        all(frozenset(chosen) - {edge} in known for chosen in allowed for edge in chosen)
        and frozenset() in known
    )
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
    return market._changed(constraints=constraints)
