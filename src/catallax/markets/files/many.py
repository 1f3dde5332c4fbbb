"""Folders whose tables hold many markets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catallax.errors import ConstraintError, FileFormatError
from catallax.markets.build.many import Source, joined
from catallax.markets.files.document import AgentSection, EdgeSection
from catallax.markets.files.folders import OpenedFolder, open_folder

__all__ = ["parts_of_many", "parts_of_opened"]


def parts_of_many(path: Path) -> dict[str, Any]:
    """Read the parts of many markets; see `Markets.read`.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    opened = open_folder(path)
    if opened.document.market.by is None:
        raise FileFormatError(
            f"{opened.where}: this folder holds one market; read it with Market.read, or name the "
            'column that tells its markets apart: [market] with by = "COLUMN"'
        )
    return parts_of_opened(opened, opened.document.market.by)


def parts_of_opened(opened: OpenedFolder, by: str) -> dict[str, Any]:
    """Return the parts of the markets of a folder that is opened.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    document, where = opened.document, opened.where
    if document.constraints:
        raise ConstraintError(
            f"{where}: constraints belong to one market, and this folder holds many "
            f'(by = "{by}"): give each market a folder of its own'
        )

    def source(section: str, content: AgentSection | EdgeSection) -> Source:
        integers = isinstance(content, AgentSection) and content.ids == "integer"
        return Source(opened.table(section, content), integers, content.columns)

    parts = joined(
        source("buyers", document.buyers),
        source("sellers", document.sellers),
        None if document.edges is None else source("edges", document.edges),
        by=by,
        named=opened.named,
        unnamed=opened.unnamed,
        largest=opened.largest,
    )
    return {"name": opened.name, "currency": document.market.currency, **parts}
