"""From a table of edges to a graph, by position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from catallax.errors import (
    CatallaxError,
    DuplicateEdgeError,
    DuplicateIdError,
    FileFormatError,
    UnknownAgentError,
)
from catallax.markets.agents import Agents
from catallax.markets.build.inside import Inside
from catallax.markets.graph import Graph, duplicate_edge
from catallax.markets.tables.cells import Column, clean_ids
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import Table, as_table, check_names, extra_columns

__all__ = ["build_graph"]


def build_graph(
    edges: object,
    buyers: Agents,
    sellers: Agents,
    origin: Origin,
    types: Mapping[str, str] | None = None,
    inside: Inside | None = None,
) -> tuple[Graph, pl.DataFrame, nw.Implementation | None]:
    """Return the graph of a table of edges, and the edges' other columns.

    Parameters
    ----------
    edges
        None (everybody may trade with everybody), a `Graph`, a frame with the columns buyer and
        seller, or a list of pairs of ids or of objects.
    buyers, sellers
        The two sides.
    origin
        What errors call the edges.
    types
        Declared types of other columns.
    inside
        Of many markets, the one of each edge and of each agent: an edge stays in its market.

    Returns
    -------
    tuple
        `Graph`, a frame with one row per edge and the other columns, and the frame library.

    Raises
    ------
    UnknownAgentError
        If an end of an edge is nobody.
    DuplicateEdgeError
        If an edge occurs twice.
    """
    if edges is None:
        return Graph.complete_graph(len(buyers), len(sellers)), pl.DataFrame(), None
    if isinstance(edges, Graph):
        if (edges.n_buyers, edges.n_sellers) != (len(buyers), len(sellers)):
            raise CatallaxError(
                f"the graph is for {edges.n_buyers} buyers and {edges.n_sellers} sellers, and the "
                f"market has {len(buyers)} and {len(sellers)}; make them agree"
            )
        return edges, pl.DataFrame(), None
    table = _edge_table(edges, origin)
    check_names(table, ["buyer", "seller"], [])
    ends = {
        agents.role: _positions(
            table.columns.get(agents.role, []), agents, others, table.origin, inside
        )
        for agents, others in ((buyers, sellers), (sellers, buyers))
    }
    try:
        graph = Graph(len(buyers), len(sellers), ends["buyer"], ends["seller"])
    except DuplicateEdgeError:
        first, row = duplicate_edge(ends["buyer"], ends["seller"])
        raise DuplicateEdgeError(
            f"{table.origin.at(row)}: {buyers.label(int(ends['buyer'][row]))} and "
            f"{sellers.label(int(ends['seller'][row]))} were already joined at "
            f"{table.origin.at(first).removeprefix(origin.name).strip()}; leave one out"
        ) from None
    return graph, extra_columns(table, ("buyer", "seller"), types), table.backend


def _edge_table(edges: Any, origin: Origin) -> Table:
    """Return edges as a table: a frame, pairs, or objects."""
    if isinstance(edges, np.ndarray):
        edges = edges.tolist()
    elif not isinstance(edges, Mapping | Table | Sequence) and not hasattr(type(edges), "columns"):
        edges = list(edges) if isinstance(edges, Iterable) else edges
    if not isinstance(edges, list | tuple):
        return as_table(edges, origin)
    if len(edges) and all(isinstance(edge, dict) for edge in edges):
        return as_table(edges, origin)
    for row, pair in enumerate(edges):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise FileFormatError(
                f"{origin.at(row)}: {repr(pair)[:60]} is no edge; write [buyer, seller], "
                "or an object with 'buyer' and 'seller' for every edge"
            )
    columns: dict[str, Column] = {
        "buyer": [pair[0] for pair in edges],
        "seller": [pair[1] for pair in edges],
    }
    return Table(columns, len(edges), origin)


def _positions(
    column: Column, agents: Agents, others: Agents, origin: Origin, inside: Inside | None
) -> np.ndarray:
    """Return the positions of the agents that a column names, by a join."""
    role = agents.role
    try:
        named = clean_ids(column, origin, role)
    except DuplicateIdError:
        # NaN, which JSON readers let pass, names nobody either, and does not equal itself.
        row = next(k for k, value in enumerate(column) if value in (None, "") or value != value)
        raise UnknownAgentError(
            f"{origin.at(row)}: this edge names no {role}; write a {role}'s id"
        ) from None
    wanted = named
    if agents.ids.dtype == pl.Int64 and named.dtype == pl.String and origin.text_is_typed:
        wanted = named.cast(pl.Int64, strict=False)
    if wanted.dtype != agents.ids.dtype:
        found = pl.Series([None] * len(named), dtype=pl.Int32)
    else:
        keys, known = wanted, agents.ids
        if inside is not None:
            keys, known = inside.keys(role, wanted, known)
        found = (
            keys.to_frame("id")
            .join(
                pl.DataFrame({"id": known, "at": np.arange(len(agents), dtype=np.int32)}),
                on="id",
                how="left",
                maintain_order="left",
            )
            .get_column("at")
        )
    unknown = found.is_null()
    where = ""
    if unknown.any():
        row = int(unknown.arg_max() or 0)
        if inside is not None:
            agents, where = inside.of_edge(row, agents)
        raise UnknownAgentError(
            f"{origin.at(row)}: the edge names {role} {named[row]!r}, and there is none{where}"
            f"{_remedy(agents, others if inside is None else agents, named, row)}"
        )
    return found.to_numpy()


def _remedy(agents: Agents, others: Agents, named: pl.Series, row: int) -> str:
    if named[row] in others:
        return f": this is a {others.role}; write the buyer and the seller the other way round"
    if agents.ids.dtype != named.dtype and len(agents):
        words = {pl.Int64: "integers", pl.String: "text"}
        return (
            f"; the {agents.role}s' ids are {words[type(agents.ids.dtype)]}: write both alike "
            f'(in market.toml, ids = "integer" makes the ids of a CSV file integers)'
        )
    hint = agents.nearest(named[row])
    if hint.startswith("did you mean"):
        return f": {hint}"
    known = f": {hint}" if len(agents) <= 20 else ""
    return f"{known}; add it to {agents.place} or delete the edge"
