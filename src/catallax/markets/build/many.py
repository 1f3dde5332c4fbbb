"""From the tables of many markets to positions: who and which edge belongs to which market."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import numpy as np
import polars as pl

from catallax.errors import (
    DuplicateIdError,
    FileFormatError,
    UnknownAgentError,
    UnknownNameError,
    nearest,
)
from catallax.markets.agents import Agents
from catallax.markets.build.agents import build_agents
from catallax.markets.build.edges import build_graph
from catallax.markets.build.inside import Inside
from catallax.markets.tables.cells import clean_ids
from catallax.markets.tables.columns import declared
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import Table, check_names

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["Source", "grouped", "joined"]

# What columns of markets and of results are called already.
_TAKEN = frozenset(
    """
    id bid ask prior buyer seller buyer_pays seller_receives gain role report trades partner
    price critical_report set_by set_by_role transfer transfers gains_from_trade objective
    buyers_pay sellers_receive surplus
    """.split()  # noqa: SIM905  # a list of words is easier to read
)

_WORDS: Mapping[Any, str] = {pl.Int64: "integers", pl.String: "text"}


class _Members(Agents):
    """One side of all markets together: identifiers are unique only within a market."""

    market_of: np.ndarray
    market_names: pl.Series

    def label(self, position: int) -> str:
        """Return how messages call an agent, with the market."""
        market = self.market_names[int(self.market_of[int(position)])]
        return f"{super().label(position)} of market {market!r}"

    def index(self, agent: str | int) -> int:
        """Refuse to look anybody up: of equal identifiers none is meant more than another."""
        raise UnknownAgentError(
            f"{self.role} {agent!r} may be in several markets: look in one, as "
            f"markets[NAME].{self.role}s"
        )


class Source(NamedTuple):
    """A table, and how a market file says it is to be read."""

    table: Table
    integers: bool = False
    types: Mapping[str, str] = MappingProxyType({})


def joined(
    buyers: Source,
    sellers: Source,
    edges: Source | None,
    *,
    by: str,
    names: Iterable[str | int] | None = None,
    named: Mapping[str, Prior],
    unnamed: Mapping[str, Prior] | None = None,
    largest: float | None = None,
) -> dict[str, Any]:
    """Return the parts of `Markets` that come from tables.

    Parameters
    ----------
    buyers, sellers, edges
        The tables, with a column that names the market.
    by
        That column.
    names
        All markets, or None for those that the tables name.
    named, unnamed, largest
        As in `build_agents`.

    Raises
    ------
    CatallaxError
        One subclass per cause, naming the row and the agent.
    """
    if by in _TAKEN or not by:
        raise UnknownNameError(
            f"the column that tells markets apart cannot be called '{by}', which means something "
            "else in these tables or in results: rename it"
        )
    given = [source for source in (buyers, sellers, edges) if source is not None]
    columns = _alike([_market_column(source, by) for source in given], given, by)
    known, numbers = _numbered(columns, given, by, names)
    sides: dict[str, Any] = {}
    rows: list[np.ndarray] = []
    for role, word, source, column, number in zip(
        ("buyer", "seller"), ("bids", "asks"), given, columns, numbers, strict=False
    ):
        agents, reports = build_agents(
            _without(source.table, by),
            "buyer" if role == "buyer" else "seller",
            named,
            integers=source.integers,
            types={name: kind for name, kind in source.types.items() if name != by},
            unnamed=unnamed,
            largest=largest,
            within=column,
        )
        order, start = grouped(number, len(known))
        rows.append(order)
        sides[f"{role}s"] = _members(agents, order, number[order], known)
        sides[f"{role}_start"] = start
        sides[word] = None if reports is None else _frozen(reports[order])
    graph, edge_table = None, pl.DataFrame()
    if edges is not None:
        inside = Inside(numbers[2], numbers[0][rows[0]], numbers[1][rows[1]], known)
        types = {name: kind for name, kind in edges.types.items() if name != by}
        graph, edge_table, _ = build_graph(
            _without(edges.table, by), sides["buyers"], sides["sellers"], edges.table.origin,
            types, inside,
        )  # fmt: skip
    libraries = [source.table.backend for source in given if source.table.backend is not None]
    backend = libraries[0] if libraries else nw.Implementation.POLARS
    return sides | {
        "by": by,
        "graph": graph,
        "edge_table": edge_table,
        "priors": named,
        "largest_report": largest,
        "backend": backend.value,
        "_names": known,
        "_rows": (rows[0], rows[1]),
    }


def _market_column(source: Source, by: str) -> pl.Series:
    """Return the names of the markets of a table's rows, all text or all integers."""
    table, origin = source.table, source.table.origin
    check_names(table, [by], [])
    column = table.columns.get(by, [])
    if by in source.types:
        column = declared(by, column, source.types[by], origin)
    try:
        return clean_ids(column, origin, "market", new=True).rename(by)
    except DuplicateIdError:
        row = next(k for k, v in enumerate(column) if v is None or v == "" or v != v)
        raise FileFormatError(
            f"{origin.at(row)}: this row names no market; write one in the column '{by}'"
        ) from None


def _alike(columns: list[pl.Series], sources: list[Source], by: str) -> list[pl.Series]:
    """Refuse names that are text in one table and integers in another."""
    filled = [k for k, column in enumerate(columns) if len(column)]
    for k in filled[1:]:
        if columns[k].dtype != columns[filled[0]].dtype:
            one, two = (_WORDS[type(columns[at].dtype)] for at in (filled[0], k))
            first, second = (sources[at].table.origin.table for at in (filled[0], k))
            raise FileFormatError(
                f"{second}: the markets in the column '{by}' are {two}, and in {first} they are "
                f"{one}; write both alike"
            )
    kind = columns[filled[0]].dtype if filled else pl.String()
    return [column.cast(kind) for column in columns]


def _numbered(
    columns: list[pl.Series], sources: list[Source], by: str, names: Iterable[str | int] | None
) -> tuple[pl.Series, list[np.ndarray]]:
    """Return the names of all markets, and the number of each row's market."""
    if names is None:
        known = pl.concat(columns[:2]).unique(maintain_order=True)
    else:
        known = clean_ids(list(names), Origin("names"), "market")
        if known.n_unique() < len(known):
            twice = known.filter(known.is_duplicated())[0]
            raise DuplicateIdError(f"names: market {twice!r} is listed twice; leave one out")
        filled = [column for column in columns if len(column)]
        if filled and len(known) and known.dtype != filled[0].dtype:
            raise FileFormatError(
                f"names: these are {_WORDS[type(known.dtype)]} and the markets in the column "
                f"'{by}' are {_WORDS[type(filled[0].dtype)]}; write both alike"
            )
        columns = [column.cast(known.dtype) for column in columns]
    known = known.rename(by)
    numbers: list[np.ndarray] = []
    places = pl.DataFrame({by: known, "at": pl.Series(np.arange(len(known), dtype=np.int32))})
    for column, source in zip(columns, sources, strict=True):
        at = column.to_frame().join(places, on=by, how="left", maintain_order="left")["at"]
        if at.null_count():
            row = int(at.is_null().arg_max() or 0)
            edge = len(numbers) == 2
            what = "the edge is in" if edge else "this row is in"
            lacks = "which has no agents" if names is None else "which is not among the names"
            kind = UnknownAgentError if edge and names is None else UnknownNameError
            raise kind(
                f"{source.table.origin.at(row)}: {what} market {column[row]!r}, {lacks}: "
                f"{nearest(column[row], known.head(5000).to_list())}"
            )
        numbers.append(at.to_numpy().astype(np.int32, copy=False))
    return known, numbers


def _without(table: Table, by: str) -> Table:
    rest = {name: column for name, column in table.columns.items() if name != by}
    return replace(table, columns=rest)


def grouped(number: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows market after market, in their order within each; and where each market starts."""
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(number, minlength=count), out=start[1:])
    if (number[1:] >= number[:-1]).all():
        return np.arange(len(number)), start
    return np.argsort(number, kind="stable"), start


def _members(agents: Agents, order: np.ndarray, number: np.ndarray, names: pl.Series) -> Agents:
    """Return all agents of a side, market after market."""
    table = agents.table[order] if agents.table.width else agents.table
    members = _Members(
        agents.role, agents.ids.gather(order), agents.priors, agents.prior_names,
        agents.prior_of[order], table,
    )  # fmt: skip
    object.__setattr__(members, "market_of", number)
    object.__setattr__(members, "market_names", names)
    return members


def _frozen(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values
