"""From tables of ids to positions: agents with their priors, and the edges between them."""

from __future__ import annotations

import json
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
    UnknownNameError,
    nearest,
)
from catallax.markets.agents import Agents, Role
from catallax.markets.cells import Column, clean_ids, finite_numbers
from catallax.markets.graph import Graph, duplicate_edge
from catallax.markets.inside import Inside
from catallax.markets.origin import Origin
from catallax.markets.reports import refuse_beyond, refuse_negative_asks
from catallax.markets.tables import Table, as_table, check_names, extra_columns
from catallax.markets.words import number_words
from catallax.priors import Prior, make_prior

__all__ = ["build_agents", "build_graph", "named_priors"]

WORDS: Mapping[str, str] = {"buyer": "bid", "seller": "ask"}


def named_priors(priors: Mapping[str, Any] | None, origin: Origin) -> dict[str, Prior]:
    """Return the named priors of a market.

    Raises
    ------
    PriorError
        If one is not a distribution.
    """
    return {
        str(name): make_prior(spec, base=origin.folder, where=f"{origin.name} prior '{name}'")
        for name, spec in (priors or {}).items()
    }


def build_agents(
    table: Table,
    role: Role,
    priors: Mapping[str, Prior],
    *,
    integers: bool = False,
    types: Mapping[str, str] | None = None,
    unnamed: Mapping[str, Prior] | None = None,
    largest: float | None = None,
    within: pl.Series | None = None,
) -> tuple[Agents, np.ndarray | None]:
    """Return the agents of a table, and their reports where the table has them.

    Parameters
    ----------
    table
        With the columns id, bid or ask (optional), prior (optional) and any others.
    role
        ``"buyer"`` or ``"seller"``.
    priors
        The market's named priors.
    integers
        Read textual ids as integers.
    types
        Declared types of other columns.
    unnamed
        Priors under names that only stand for them in the column.
    largest
        The largest report that the market allows, or None.
    within
        The market of each row, where ids are unique only within one.

    Returns
    -------
    tuple
        `Agents`, and float64 reports of shape ``(n,)`` or None.

    Raises
    ------
    CatallaxError
        One subclass per cause, naming the row and the agent.
    """
    word, origin = WORDS[role], table.origin
    check_names(table, ["id"], [word, "prior"])
    other = "ask" if word == "bid" else "bid"
    if other in table.columns and word not in table.columns:
        raise UnknownNameError(
            f"{origin.table}: {role}s have a column '{other}' and none '{word}': "
            f"did you mean '{word}'?"
        )
    ids = clean_ids(table.columns.get("id", []), origin, role, integers=integers, new=True)
    _refuse_duplicates(ids, origin, role, within)

    def label(row: int) -> str:
        return f"{role} {ids[row]!r}"

    column = table.get("prior")
    distinct, names, prior_of = (), (), None
    if column is not None:
        distinct, names, prior_of = _PriorColumn(priors, origin, label, unnamed).read(column)
    others = extra_columns(table, ("id", word, "prior"), types)
    agents = Agents(role, ids, distinct, names, prior_of, others, origin)
    reports = table.get(word)
    if reports is None:
        return agents, None
    values = finite_numbers(reports, origin, word, label)
    refuse_beyond(agents, values, word, largest, origin)
    if role == "seller":
        refuse_negative_asks(agents, values, origin)
    return agents, values


def _refuse_duplicates(ids: pl.Series, origin: Origin, role: str, within: pl.Series | None) -> None:
    keys = ids
    if within is not None:
        pairs = pl.DataFrame({"market": within, "id": ids})
        if pairs.hash_rows().n_unique() == len(ids):  # fast, and sure where all differ
            return
        keys = pairs.to_struct()
    if keys.n_unique() == len(keys):
        return
    again = ~keys.is_first_distinct()
    row = int(again.arg_max() or 0)
    first = int(keys.index_of(keys[row]) or 0)
    where = "" if within is None else f" of market {within[row]!r}"
    raise DuplicateIdError(
        f"{origin.at(row)}: {role} {ids[row]!r}{where} was already listed at "
        f"{origin.at(first).removeprefix(origin.name).strip()}; give every {role} an id of its own"
    )


class _PriorColumn:
    """Reads a column of priors, each distinct entry once."""

    def __init__(
        self,
        named: Mapping[str, Prior],
        origin: Origin,
        label: Any,
        unnamed: Mapping[str, Prior] | None = None,
    ) -> None:
        self.named = named
        self.unnamed = unnamed or {}
        self.origin = origin
        self.label = label
        self.numbers: dict[tuple[str | None, Prior], int] = {}

    def read(self, column: Column) -> tuple[tuple[Prior, ...], tuple[str | None, ...], np.ndarray]:
        """Return distinct priors, their names, and int32 positions among them."""
        if isinstance(column, pl.Series) and column.dtype in (pl.Categorical, pl.Enum):
            column = column.cast(pl.String)
        if isinstance(column, pl.Series) and column.dtype == pl.String:
            prior_of = self._texts(column)
        elif isinstance(column, pl.Series) and column.dtype == pl.Null:
            prior_of = np.full(len(column), -1, dtype=np.int32)
        else:
            prior_of = self._objects(list(column))
        keys = list(self.numbers)
        return tuple(key[1] for key in keys), tuple(key[0] for key in keys), prior_of

    def _texts(self, column: pl.Series) -> np.ndarray:
        # One pass whatever the number of distinct entries, with the row where each comes first.
        distinct = (
            pl.DataFrame({"text": column})
            .with_row_index("row")
            .drop_nulls()
            .unique("text", keep="first", maintain_order=True)
        )
        texts, rows = distinct["text"], distinct["row"].to_list()
        numbers = [self._number(text, row) for text, row in zip(texts, rows, strict=True)]
        if not numbers:
            return np.full(len(column), -1, dtype=np.int32)
        return column.replace_strict(
            texts, pl.Series(numbers, dtype=pl.Int32), default=-1, return_dtype=pl.Int32
        ).to_numpy()

    def _objects(self, column: list[Any]) -> np.ndarray:
        known: dict[Any, int] = {}
        result = np.empty(len(column), dtype=np.int32)
        for row, entry in enumerate(column):
            # Priors are told apart by identity first: a long empirical one hashes slowly.
            key = repr(entry) if isinstance(entry, Mapping) else entry
            key = id(entry) if isinstance(entry, Prior) else key
            try:
                number = known.get(key)
            except TypeError:
                raise FileFormatError(
                    f"{self.origin.at(row)}: the prior of {self.label(row)} is a "
                    f"{type(entry).__name__}; give a name, or an object with a 'kind'"
                ) from None
            if number is None:
                number = known[key] = self._number(entry, row)
            result[row] = number
        return result

    def _number(self, entry: Any, row: int) -> int:
        """Return the number of a prior, a new one where it has not occurred."""
        if entry is None:
            return -1
        if isinstance(entry, str) and not entry.strip() and entry not in self.named:
            return -1
        if isinstance(entry, float) and np.isnan(entry):
            return -1
        key = self._resolve(entry, row)
        return self.numbers.setdefault(key, len(self.numbers))

    def _resolve(self, entry: Any, row: int) -> tuple[str | None, Prior]:
        where = f"{self.origin.at(row)}: the prior of {self.label(row)}"
        if isinstance(entry, str):
            if entry in self.named:
                return entry, self.named[entry]
            if entry in self.unnamed:
                return None, self.unnamed[entry]
            text = entry.strip()
            if text.startswith("{"):
                try:
                    entry = number_words(json.loads(text))
                except ValueError:
                    raise FileFormatError(
                        f"{where} is {text[:60]!r}, which is no JSON object; write its name, or "
                        'an object such as {"kind": "point", "value": 1}'
                    ) from None
            elif "(" in text:
                return None, make_prior(text, base=self.origin.folder, where=where)
            else:
                raise UnknownNameError(
                    f"{where} is '{entry}', which is not among the market's priors: "
                    f"{nearest(entry, self.named)}"
                )
        if isinstance(entry, Mapping):
            # A column of structs fills the keys of the other rows with nulls.
            entry = {name: value for name, value in entry.items() if value is not None}
        elif not isinstance(entry, Prior):
            raise FileFormatError(f"{where} is {entry!r}; give a name, or an object with a 'kind'")
        return None, make_prior(entry, base=self.origin.folder, where=where)


# ------------------------------------------------------------------------------------------- edges


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
        agents.role: _positions(table.columns.get(agents.role, []), agents, table.origin, inside)
        for agents in (buyers, sellers)
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


def _positions(column: Column, agents: Agents, origin: Origin, inside: Inside | None) -> np.ndarray:
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
            f"{_remedy(agents, named, row)}"
        )
    return found.to_numpy()


def _remedy(agents: Agents, named: pl.Series, row: int) -> str:
    if agents.ids.dtype != named.dtype and len(agents):
        words = {pl.Int64: "integers", pl.String: "text"}
        return (
            f"; the {agents.role}s' ids are {words[type(agents.ids.dtype)]}: write both alike "
            f'(in market.toml, ids = "integer" makes the ids of a CSV file integers)'
        )
    return f": {agents.nearest(named[row])}"
