"""Folders whose tables hold many markets."""

from __future__ import annotations

from pathlib import Path

from catallax.errors import ConstraintError, FileFormatError
from catallax.markets.document import AgentSection, EdgeSection
from catallax.markets.files import read_market
from catallax.markets.folders import OpenedFolder, market_of_folder, open_folder
from catallax.markets.many import Markets
from catallax.markets.many_tables import Source, joined
from catallax.markets.market import Market

__all__ = ["read_market_or_markets", "read_markets"]


def read_markets(path: Path) -> Markets:
    """Read many markets; see `Markets.read`.

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
    return _markets_of_folder(opened, opened.document.market.by)


def read_market_or_markets(path: Path) -> Market | Markets:
    """Read a folder or a file, whichever of the two it holds.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    if path.suffix == ".json" and path.is_file():
        return read_market(path)
    opened = open_folder(path)
    by = opened.document.market.by
    return market_of_folder(opened) if by is None else _markets_of_folder(opened, by)


def _markets_of_folder(opened: OpenedFolder, by: str) -> Markets:
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
    return Markets._of_parts(name=opened.name, currency=document.market.currency, **parts)
