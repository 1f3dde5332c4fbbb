"""Feasible families: which sets of trades may take place together.

A market's constraints are *bound* to its agents and edges by position, and from then on only
arrays remain. Edges are numbered as in the market's order; in a complete graph the edge of
buyer i and seller j has the number `i * n_sellers + j`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from catallax.errors import (
    ConstraintError,
    FileFormatError,
    OutputError,
    UnknownAgentError,
    UnknownNameError,
    nearest,
)

if TYPE_CHECKING:
    import polars as pl

    from catallax.markets.agents import Agents
    from catallax.markets.graph import Graph

__all__ = [
    "Constraint",
    "Exclusions",
    "Explicit",
    "Family",
    "GroupLimits",
    "Knapsack",
    "Parts",
    "Predicate",
    "bind",
    "parse_constraints",
    "register_constraint",
    "written_constraints",
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


class Constraint(ABC):
    """A rule about which trades may take place together; every subset of them must be too.

    A subclass is a frozen dataclass whose fields are the keys of its specification.
    """

    kind: ClassVar[str]

    @abstractmethod
    def bind(self, parts: Parts, where: str) -> Bound:
        """Turn names into positions, checking them.

        Parameters
        ----------
        parts
            What the constraint is about.
        where
            What errors call the constraint.
        """


_KINDS: dict[str, type[Constraint]] = {}
AnyConstraint = TypeVar("AnyConstraint", bound=Constraint)


def register_constraint(constraint: type[AnyConstraint]) -> type[AnyConstraint]:
    """Make a kind of constraint known to market files (a class decorator)."""
    _KINDS[constraint.kind] = constraint
    return constraint


def make_constraint(spec: Mapping[str, Any] | Constraint, where: str) -> Constraint:
    """Build a constraint from its specification.

    Raises
    ------
    UnknownNameError
        If the kind or a key is unknown.
    ConstraintError
        If a key is missing or holds something else than it should.
    """
    if isinstance(spec, Constraint):
        return spec
    given = dict(spec)
    kind = given.pop("kind", None)
    if kind not in _KINDS:
        raise UnknownNameError(f"{where}: unknown kind {kind!r}: {nearest(kind, _KINDS)}")
    fields = _KINDS[kind].__dataclass_fields__  # type: ignore[attr-defined]
    for key in given:
        if key not in fields:
            raise UnknownNameError(f"{where}: {kind} has no key '{key}': {nearest(key, fields)}")
    for key in fields:
        if key not in given:
            raise ConstraintError(f"{where}: {kind} needs '{key}'")
    return _KINDS[kind](**given)


@dataclass(frozen=True, eq=False)
class Family:
    """All sets of trades that a graph and a market's constraints allow.

    Attributes
    ----------
    parts
        The market's agents and edges.
    bound
        The constraints, by position.
    """

    parts: Parts
    bound: tuple[Bound, ...] = field(default=())

    @property
    def structure(self) -> Literal["plain", "network", "linear", "any"]:
        """What kind of problem it is, which decides how it is solved.

        "plain": nothing but the graph. "network": limits on all trades and on groups of
        buyers and of sellers, at most one grouping a side. "linear": anything that linear
        inequalities say. "any": a function decides.
        """
        if not self.bound:
            return "plain"
        if any(isinstance(b, Predicate) for b in self.bound):
            return "any"
        limits = [b for b in self.bound if isinstance(b, GroupLimits) and b.over != "edges"]
        sides = [b.over for b in limits if b.over != "trades"]
        if len(limits) == len(self.bound) and len(sides) == len(set(sides)):
            return "network"
        return "linear"

    def allows(self, edges: Iterable[int]) -> bool:
        """Tell whether a set of edges is a matching that every constraint allows."""
        chosen = np.fromiter(edges, np.int64)
        if self.parts.graph.complete:
            buyers, sellers = np.divmod(chosen, max(1, self.parts.graph.n_sellers))
        else:
            buyers, sellers = self.parts.graph.buyer[chosen], self.parts.graph.seller[chosen]
        if np.unique(buyers).size < buyers.size or np.unique(sellers).size < sellers.size:
            return False
        return all(b.allows(chosen, buyers, sellers) for b in self.bound)


def bind(specs: Iterable[Mapping[str, Any] | Constraint], parts: Parts, where: str) -> Family:
    """Bind a market's constraints to its agents and edges.

    Parameters
    ----------
    specs
        Specifications, as in a market file, or constraints.
    parts
        The market's agents and edges.
    where
        What errors call the market.

    Returns
    -------
    Family

    Raises
    ------
    ConstraintError
        If a constraint is wrong in itself, or does not fit the market.
    UnknownNameError
        If a kind, key, column or group is unknown.
    UnknownAgentError
        If a constraint names nobody.
    """
    places = ((f"{where} constraints[{k}]", spec) for k, spec in enumerate(specs))
    return Family(parts, tuple(make_constraint(spec, at).bind(parts, at) for at, spec in places))


def parse_constraints(entries: object, where: str) -> tuple[dict[str, Any] | Constraint, ...]:
    """Check that a market's constraints are a list of specifications.

    Parameters
    ----------
    entries
        A list of objects, each with a ``kind``, or of constraints.
    where
        What errors call the market.

    Returns
    -------
    tuple
        Specifications; a constraint that has none, such as an oracle, stays as it is.

    Raises
    ------
    FileFormatError
        If an entry is no object with a kind.
    """
    if isinstance(entries, Mapping | str) or not isinstance(entries, Iterable):
        raise FileFormatError(f"{where}: constraints must be a list of objects")
    found: list[dict[str, Any] | Constraint] = []
    for position, entry in enumerate(entries):
        if isinstance(entry, Constraint):
            found.append(_specified(entry))
        elif isinstance(entry, Mapping) and isinstance(entry.get("kind"), str):
            found.append(deepcopy(dict(entry)))
        else:
            raise FileFormatError(
                f"{where} constraints[{position}]: a constraint needs a kind, "
                'as in {"kind": "cap", "limit": 1}'
            )
    return tuple(found)


def _specified(constraint: Constraint) -> dict[str, Any] | Constraint:
    """Give the specification of a constraint of a registered kind."""
    if _KINDS.get(constraint.kind) is not type(constraint):
        return constraint
    fields = constraint.__dataclass_fields__  # type: ignore[attr-defined]
    return deepcopy({"kind": constraint.kind} | {key: getattr(constraint, key) for key in fields})


def written_constraints(
    constraints: Iterable[Mapping[str, Any] | Constraint],
) -> Iterator[Mapping[str, Any]]:
    """Give the specifications of a market's constraints, for a file.

    Raises
    ------
    OutputError
        If one is an oracle, which no file can hold.
    """
    for constraint in constraints:
        if isinstance(constraint, Constraint):
            raise OutputError(
                f"a constraint of kind '{constraint.kind}' is a Python function and cannot be "
                "written to a file; write the market without it and add it after reading"
            )
        yield constraint


def whole(value: object, key: str, where: str) -> int:
    """Check a limit: a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ConstraintError(f"{where}: '{key}' must be a whole number, not {value!r}")
    if value < 0:
        raise ConstraintError(f"{where}: '{key}' is {value}; a limit cannot be negative")
    return min(int(value), 2**62)  # more than there can be trades


def rows(value: object, key: str, where: str) -> Sequence[Any]:
    """Check that a key holds a list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConstraintError(f"{where}: '{key}' must be a list, not {value!r}")
    return value


def position(agents: Agents, agent: object, place: str) -> int:
    """Find an agent that a constraint names."""
    if not isinstance(agent, str | int):
        raise ConstraintError(f"{place}: {agent!r} is not the id of a {agents.role}")
    try:
        return agents.index(agent)
    except UnknownAgentError as error:
        raise UnknownAgentError(f"{place}: {error}") from None
