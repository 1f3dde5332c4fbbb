"""Writing a market: a folder with ``market.toml`` and its tables, or one JSON file."""

from __future__ import annotations

import json
import secrets
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from catallax.errors import OutputError, PriorError
from catallax.markets.build.agents import WORDS
from catallax.markets.families import written_constraints
from catallax.markets.files.folders import DOCUMENT
from catallax.markets.files.json_files import json_of_market
from catallax.markets.files.toml_text import toml_key, toml_section
from catallax.markets.tables.columns import as_text, type_name
from catallax.markets.tables.words import plain_words
from catallax.priors import parse_prior
from catallax.staging import Staging, undisturbed
from catallax.text_files import writing_to

if TYPE_CHECKING:
    from catallax.markets.agents import Agents
    from catallax.markets.content import Content
    from catallax.priors import Prior

__all__ = ["write_market"]

# A prior in a table's cell is written out up to this length, and named beyond it.
_LONGEST_CELL = 200


def write_market(market: Content, path: Path, tables: str = "csv") -> Path:
    """Write a market; see `Market.write`.

    Raises
    ------
    OutputError
        If the place is taken by something else, or cannot be written.
    """
    if tables not in ("csv", "parquet"):
        raise OutputError(f"tables are 'csv' or 'parquet', not '{tables}'")
    with writing_to(path):
        if path.suffix == ".json":
            _write_json(market, path)
            return path
        folder = path.parent if path.name == DOCUMENT else path
        _write_folder(market, folder, tables)
        return folder


def _beside(path: Path) -> Path:
    """Return a name beside a path that nobody else uses: a rename within a folder is atomic."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}")


def _write_json(market: Content, path: Path) -> None:
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder; remove it or choose another name")
    text = json_of_market(market)
    with Staging() as staging:
        # A link stays a link: what it leads to is replaced.
        staging.add(
            path.resolve(), lambda place: place.write_text(text, encoding="utf-8", newline="\n")
        )


def _write_folder(market: Content, folder: Path, tables: str) -> None:
    target = folder.resolve()
    if target.exists() and not target.is_dir():
        raise OutputError(
            f"{folder}: this is a file; choose a folder, or a name that ends in .json"
        )
    if target.is_dir() and not (target / DOCUMENT).exists() and any(target.iterdir()):
        raise OutputError(
            f"{folder}: the folder holds other things and no {DOCUMENT}; choose an empty one"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(target)
    temporary.mkdir()
    try:
        _fill(market, temporary, tables)
        with undisturbed():
            _swap(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(new: Path, target: Path) -> None:
    """Put a finished folder in the place of another, and carry over what is not the market's."""
    if not target.exists():
        new.rename(target)
        return
    own = _own_files(target)
    old = _beside(target)
    target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        old.rename(target)
        raise
    for entry in list(old.iterdir()):
        if entry.name not in own and not (target / entry.name).exists():
            entry.rename(target / entry.name)
    shutil.rmtree(old, ignore_errors=True)


def _own_files(folder: Path) -> set[str]:
    """Return the files of the market that a folder holds, which a new market replaces."""
    own = {DOCUMENT}
    try:
        document = tomllib.loads((folder / DOCUMENT).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return own
    for section in ("buyers", "sellers", "edges"):
        content = document.get(section)
        if isinstance(content, dict) and isinstance(content.get("table"), str):
            own.add(content["table"])
    return own


def _fill(market: Content, folder: Path, suffix: str) -> None:
    named: dict[str, Prior] = dict(market.priors)
    write: Callable[[pl.DataFrame, Path], Any] = _write_csv if suffix == "csv" else _write_parquet
    sections: list[str] = []
    for agents, reports in ((market.buyers, market.bids), (market.sellers, market.asks)):
        section, file = f"{agents.role}s", f"{agents.role}s.{suffix}"
        own = {"id": agents.ids}
        if reports is not None:
            own[WORDS[agents.role]] = pl.Series(reports, dtype=pl.Float64)
        if (agents.prior_of >= 0).any():
            own["prior"] = _prior_cells(agents, named)
        content: dict[str, Any] = {"table": file} | _types(agents.table, section, suffix)
        if suffix == "csv" and agents.ids.dtype == pl.Int64:
            content["ids"] = "integer"
        write(pl.DataFrame(own | _columns(agents.table)), folder / file)
        sections.append(toml_section(f"[{section}]", content))
    if not market.graph.complete:
        file = f"edges.{suffix}"
        ends = {
            "buyer": market.buyers.ids.gather(market.graph.buyer),
            "seller": market.sellers.ids.gather(market.graph.seller),
        }
        types = _types(market.edge_table, "edges", suffix)
        write(pl.DataFrame(ends | _columns(market.edge_table)), folder / file)
        sections.append(toml_section("[edges]", {"table": file} | types))
    head: dict[str, Any] = {"name": market.name, "currency": market.currency}
    if market.largest_report is not None:
        head["largest_report"] = market.largest_report
    unnamed = [name for name in named if name not in market.priors]
    sections.insert(
        0, toml_section("[market]", head | ({"unnamed_priors": unnamed} if unnamed else {}))
    )
    for name, prior in named.items():
        sections.append(toml_section(f"[priors.{toml_key(name)}]", prior.spec()))
    for spec in written_constraints(market.constraints):
        sections.append(toml_section("[[constraints]]", spec))
    (folder / DOCUMENT).write_text("\n".join(sections), encoding="utf-8", newline="\n")


def _columns(table: pl.DataFrame) -> dict[str, pl.Series]:
    return {series.name: series for series in table}


def _types(table: pl.DataFrame, section: str, suffix: str) -> dict[str, Any]:
    if suffix != "csv" or not table.width:
        return {}
    return {"columns": {series.name: type_name(series.name, series, section) for series in table}}


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    for name in frame.columns:
        # A reader could not tell such a name from a quotation mark that swallows rows.
        if "\n" in name or "\r" in name:
            raise OutputError(
                f"{path.name}: the column {name!r} has a line break in its name; rename it, or "
                "write Parquet tables"
            )
    frame.select(as_text(series) for series in frame).write_csv(path)


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    try:
        frame.write_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as failure:
        raise OutputError(
            f"{path.name}: {str(failure).splitlines()[0]}; drop that column"
        ) from None


def _prior_cells(agents: Agents, named: dict[str, Prior]) -> pl.Series:
    """Return the column of priors; those too long for a cell get a name."""
    cells: list[str | None] = []
    for prior, name in zip(agents.priors, agents.prior_names, strict=True):
        if name is not None and named.get(name) == prior:
            cells.append(name)
        else:
            cells.append(_cell(prior, named))
    return pl.Series([*cells, None], dtype=pl.String).gather(
        pl.Series(agents.prior_of).replace(-1, len(cells))
    )


def _cell(prior: Prior, named: dict[str, Prior]) -> str:
    short = prior.describe()
    if "(" in short and len(short) <= _LONGEST_CELL and short not in named:
        try:
            if parse_prior(short) == prior:
                return short
        except PriorError:
            pass
    text = json.dumps(plain_words(prior.spec()), ensure_ascii=False)
    if len(text) <= _LONGEST_CELL and text not in named:
        return text
    number = 1
    while f"prior-{number}" in named:
        if named[f"prior-{number}"] == prior:
            return f"prior-{number}"
        number += 1
    named[f"prior-{number}"] = prior
    return f"prior-{number}"
