"""Reading a market: a folder with ``market.toml`` and its tables, or one JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catallax.errors import UnsupportedMarketError
from catallax.markets.files.folders import open_folder, parts_of_folder, read_bytes
from catallax.markets.files.json_files import parts_of_json

__all__ = ["parts_of_file"]


def parts_of_file(path: Path) -> dict[str, Any]:
    """Read the parts of a market; see `Market.read`.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    if path.suffix == ".json" and path.is_file():
        return parts_of_json(read_bytes(path), str(path), name=path.stem, folder=path.parent)
    opened = open_folder(path)
    by = opened.document.market.by
    if by is not None:
        raise UnsupportedMarketError(
            f'{opened.where}: this folder holds many markets (by = "{by}"): clear them with '
            "'catallax clear' or Markets.read; for anything else give each a folder of its own"
        )
    return parts_of_folder(opened)
