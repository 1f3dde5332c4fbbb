"""A market's folder: its ``market.toml``, read and checked, and its tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.errors import FileFormatError, nearest
from catallax.markets.build.agents import WORDS, build_agents
from catallax.markets.build.edges import build_graph
from catallax.markets.build.priors import named_priors
from catallax.markets.families import parse_constraints
from catallax.markets.files.document import AgentSection, EdgeSection, FolderDocument, validate
from catallax.markets.scale import as_largest_report
from catallax.markets.tables.csv_tables import read_table
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import Table
from catallax.text_files import decoded

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["DOCUMENT", "OpenedFolder", "open_folder", "parts_of_folder", "read_bytes"]

DOCUMENT = "market.toml"


@dataclass(frozen=True)
class OpenedFolder:
    """A folder whose ``market.toml`` is read and checked, and its tables are not read yet.

    Attributes
    ----------
    folder
        The folder.
    where
        What errors call its document.
    document
        The document.
    named, unnamed
        Its priors.
    largest
        The largest report that it allows, or None.
    """

    folder: Path
    where: str
    document: FolderDocument
    named: dict[str, Prior]
    unnamed: dict[str, Prior]
    largest: float | None

    @property
    def name(self) -> str:
        """The name that the document gives, or else the folder's."""
        name = self.document.market.name
        return self.folder.resolve().name if name is None else name

    def _tables(self) -> set[str]:
        """List the files that the document names, for its sides, edges and priors."""
        sections = (self.document.buyers, self.document.sellers, self.document.edges)
        priors = (
            spec.get("table") for spec in self.document.priors.values() if isinstance(spec, dict)
        )
        named = (*(one.table for one in sections if one is not None), *priors)
        return {name for name in named if isinstance(name, str)}

    def table(self, section: str, content: AgentSection | EdgeSection) -> Table:
        """Read a table, and check what the document says of its columns."""
        table = read_table(self.folder, content.table, section, self.where, self._tables())
        _check_declared(content.columns, table.columns, self.where, section)
        return table


def open_folder(path: Path) -> OpenedFolder:
    """Read the document of a market's folder, which is given by either of them.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    if not path.exists():
        siblings = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        hint = nearest(path.name, siblings)
        hint = f": {hint}" if hint.startswith("did you mean") else "; check the name"
        raise FileFormatError(f"{path}: there is no such file or folder{hint}")
    if not path.is_dir() and path.suffix != ".toml":
        raise FileFormatError(
            f"{path}: this is neither a folder with a {DOCUMENT} nor a .json file; give one of "
            "these"
        )
    folder, document_path = (path, path / DOCUMENT) if path.is_dir() else (path.parent, path)
    where = str(document_path)
    if not document_path.is_file():
        others = sorted(entry.name for entry in folder.glob("*.json"))
        hint = f": did you mean '{folder / others[0]}'?" if others else "; add one, or give a .json"
        raise FileFormatError(f"{folder}: the folder holds no {DOCUMENT}{hint}")
    document = validate(FolderDocument, _toml(document_path), where)
    named = named_priors(document.priors, Origin(where, folder=folder))
    unnamed = _unnamed(document.market.unnamed_priors, named, where)
    largest = as_largest_report(document.market.largest_report, where)
    return OpenedFolder(folder, where, document, named, unnamed, largest)


def parts_of_folder(opened: OpenedFolder) -> dict[str, Any]:
    """Read the tables of a folder that holds one market, and return its parts.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    document = opened.document
    parts: dict[str, Any] = {}
    for role, word in WORDS.items():
        section = document.buyers if role == "buyer" else document.sellers
        parts[f"{role}s"], parts[f"{word}s"] = build_agents(
            opened.table(f"{role}s", section),
            "buyer" if role == "buyer" else "seller",
            opened.named,
            integers=section.ids == "integer",
            types=section.columns,
            unnamed=opened.unnamed,
            largest=opened.largest,
        )
    edges: Any = None
    types: Mapping[str, str] = {}
    origin = Origin("edges")
    if document.edges is not None:
        edges = opened.table("edges", document.edges)
        types, origin = document.edges.columns, edges.origin
    graph, edge_table, _ = build_graph(edges, parts["buyers"], parts["sellers"], origin, types)
    return {
        "name": opened.name,
        "currency": document.market.currency,
        "largest_report": opened.largest,
        "graph": graph,
        "edge_table": edge_table,
        "priors": opened.named,
        "constraints": parse_constraints(document.constraints, opened.where),
        "backend": "polars",
        "where": opened.where,
        **parts,
    }


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as failure:
        raise FileFormatError(
            f"{path}: cannot be read ({failure.strerror}); check the file"
        ) from None


def _unnamed(names: list[str], named: dict[str, Prior], where: str) -> dict[str, Prior]:
    """Take out of the named priors those that are named only because a cell is too short."""
    for name in names:
        if name not in named:
            raise FileFormatError(
                f"{where}: 'unnamed_priors' lists '{name}', which is not there: "
                f"{nearest(name, named)}"
            )
    return {name: named.pop(name) for name in dict.fromkeys(names)}


def _check_declared(
    types: Mapping[str, str], columns: Mapping[str, Any], where: str, section: str
) -> None:
    for name in types:
        if name not in columns:
            raise FileFormatError(
                f"{where}: [{section}] declares a type for the column '{name}', which its table "
                f"does not have: {nearest(name, columns)}"
            )


def _toml(path: Path) -> dict[str, Any]:
    text = decoded(read_bytes(path), str(path))
    if not text.strip():
        raise FileFormatError(
            f"{path}: the file is empty; it needs the sections [buyers] and [sellers], "
            'each with table = "FILE.csv"'
        )
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as failure:
        message = " ".join(str(failure).split()) or "it is nested too deep"
        raise FileFormatError(f"{path}: this is no TOML: {message}; mend it there") from None
