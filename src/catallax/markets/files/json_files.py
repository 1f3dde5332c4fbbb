"""A market as one JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from catallax.markets.build.agents import WORDS, build_agents
from catallax.markets.build.edges import build_graph
from catallax.markets.build.priors import named_priors
from catallax.markets.families import parse_constraints, written_constraints
from catallax.markets.files.document import Document, load_json, validate
from catallax.markets.scale import as_largest_report
from catallax.markets.tables.columns import as_text, type_name
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import Table, as_table
from catallax.markets.tables.words import number_words, plain_words, word_of

if TYPE_CHECKING:
    from catallax.markets.agents import Agents, Role
    from catallax.markets.content import Content

__all__ = ["json_of_market", "parts_of_json"]


def parts_of_json(
    text: str | bytes, where: str, *, name: str = "market", folder: Path | None = None
) -> dict[str, Any]:
    """Return the parts of the market in a JSON text.

    Parameters
    ----------
    text
        The document.
    where
        What errors call it.
    name
        The market's name where the document gives none.
    folder
        What relative file names in priors start from.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    document = validate(Document, load_json(text, where), where)
    named = named_priors(number_words(document.priors), Origin(where, "json", folder=folder))
    largest = as_largest_report(document.largest_report, where)
    sides: dict[str, Any] = {}
    for role, word in WORDS.items():
        section = f"{role}s"
        types = getattr(document.columns, section)
        origin = Origin(where, "json", section, folder=folder)
        table = as_table(getattr(document, section), origin)
        # No records name no columns: an empty side has an id column all the same.
        table = _declared_too(table, types if table.height else {"id": "", **types})
        agents, values = build_agents(
            _with_priors(table), _role(role), named, types=types, largest=largest
        )
        sides[section], sides[f"{word}s"] = agents, values
    types = document.columns.edges
    origin = Origin(where, "json", "edges")
    edges: Any = document.edges
    if edges is not None and (not edges or isinstance(edges[0], dict)) and types:
        edges = _declared_too(as_table(edges, origin), {"buyer": "", "seller": "", **types})
    graph, edge_table, _ = build_graph(edges, sides["buyers"], sides["sellers"], origin, types)
    return {
        "name": name if document.name is None else document.name,
        "currency": document.currency,
        "largest_report": largest,
        "graph": graph,
        "edge_table": edge_table,
        "priors": named,
        "constraints": parse_constraints(document.constraints, where),
        "backend": "polars",
        "where": where,
        **sides,
    }


def _role(role: str) -> Role:
    return "buyer" if role == "buyer" else "seller"


def _declared_too(table: Table, types: Mapping[str, str]) -> Table:
    """Return a table with the declared columns that no record happens to have."""
    missing: dict[str, Any] = {
        name: [None] * table.height for name in types if name not in table.columns
    }
    return Table({**table.columns, **missing}, table.height, table.origin) if missing else table


def _with_priors(table: Table) -> Table:
    column = table.get("prior")
    if not isinstance(column, list):
        return table
    words = [number_words(entry) if isinstance(entry, dict) else entry for entry in column]
    return Table({**table.columns, "prior": words}, table.height, table.origin)


# ----------------------------------------------------------------------------------------- writing


def json_of_market(market: Content) -> str:
    """Return a market as a JSON text, one agent or edge a line."""
    parts = [f'"name": {_dump(market.name)}', f'"currency": {_dump(market.currency)}']
    if market.largest_report is not None:
        parts.append(f'"largest_report": {_dump(market.largest_report)}')
    columns: dict[str, dict[str, str]] = {}
    for agents, reports in ((market.buyers, market.bids), (market.sellers, market.asks)):
        section = f"{agents.role}s"
        records = _records(market, agents, reports)
        parts.append(f'"{section}": {_lines(records)}')
        columns[section] = _declarations(agents.table, section)
    if not market.graph.complete:
        parts.append(f'"edges": {_lines(_edge_records(market))}')
        columns["edges"] = _declarations(market.edge_table, "edges")
    columns = {section: types for section, types in columns.items() if types}
    if columns:
        parts.append(f'"columns": {_dump(columns)}')
    if market.priors:
        priors = ",\n  ".join(
            f"{_dump(name)}: {_dump(plain_words(prior.spec()))}"
            for name, prior in market.priors.items()
        )
        parts.append(f'"priors": {{\n  {priors}\n }}')
    if market.constraints:
        constraints = list(written_constraints(market.constraints))
        parts.append(f'"constraints": {_lines(plain_words(constraints))}')
    return "{" + ",\n ".join(parts) + "}\n"


# One encoder for all lines: `json.dumps` would make a new one for each.
_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _lines(records: Iterable[Any]) -> str:
    lines = ",\n  ".join(map(_dump, records))
    return f"[\n  {lines}\n ]" if lines else "[]"


def _records(market: Content, agents: Agents, reports: Any) -> Iterable[dict[str, Any]]:
    columns: dict[str, list[Any]] = {"id": agents.ids.to_list()}
    if reports is not None:
        columns[WORDS[agents.role]] = reports.tolist()
    entries = [*_prior_entries(market, agents), None]
    others = _other_columns(agents.table)
    names = [*columns, *others]
    for values, prior in zip(
        zip(*columns.values(), *others.values(), strict=True), agents.prior_of.tolist(), strict=True
    ):
        record = dict(zip(names, values, strict=True))
        if prior >= 0:
            record["prior"] = entries[prior]
        yield record


def _edge_records(market: Content) -> Iterable[Any]:
    graph = market.graph
    buyers = market.buyers.ids.gather(graph.buyer).to_list()
    sellers = market.sellers.ids.gather(graph.seller).to_list()
    others = _other_columns(market.edge_table)
    if not others:
        return zip(buyers, sellers, strict=True)
    names = ["buyer", "seller", *others]
    rows = zip(buyers, sellers, *others.values(), strict=True)
    return (dict(zip(names, row, strict=True)) for row in rows)


def _other_columns(table: pl.DataFrame) -> dict[str, list[Any]]:
    return {
        series.name: [
            word_of(value) if isinstance(value, float) and not math.isfinite(value) else value
            for value in as_text(series).to_list()
        ]
        for series in table
    }


def _declarations(table: pl.DataFrame, section: str) -> dict[str, str]:
    """Return the types that JSON alone would not bring back."""
    result: dict[str, str] = {}
    for series in table:
        word = type_name(series.name, series, section)
        silent = series.null_count() == len(series) and word != "text"
        no_values = not len(series)
        endless = word == "number" and not series.is_finite().all()
        if silent or no_values or endless or word in ("date", "datetime"):
            result[series.name] = word
    return result


def _prior_entries(market: Content, agents: Agents) -> list[Any]:
    """Return each distinct prior of a side as its name, or as a specification."""
    return [
        name if name is not None and market.priors.get(name) == prior else plain_words(prior.spec())
        for prior, name in zip(agents.priors, agents.prior_names, strict=True)
    ]
