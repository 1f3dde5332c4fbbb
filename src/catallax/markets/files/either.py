"""Reading what is one market or many, whichever of the two it holds."""

from __future__ import annotations

from pathlib import Path

from catallax.markets.files.folders import open_folder, parts_of_folder
from catallax.markets.files.many import parts_of_opened
from catallax.markets.many import Markets
from catallax.markets.market import Market

__all__ = ["read_market_or_markets"]


def read_market_or_markets(path: Path) -> Market | Markets:
    """Read a folder or a file, whichever of the two it holds.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    if path.suffix == ".json" and path.is_file():
        return Market.read(path)
    opened = open_folder(path)
    by = opened.document.market.by
    if by is None:
        return Market._of_parts(**parts_of_folder(opened))
    return Markets._of_parts(**parts_of_opened(opened, by))
