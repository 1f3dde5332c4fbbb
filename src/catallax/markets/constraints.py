"""Side rules of a market: kept as they were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catallax.errors import FileFormatError, UnsupportedMarketError

__all__ = ["check_constraints", "parse_constraints"]


def parse_constraints(entries: object, where: str) -> tuple[dict[str, Any], ...]:
    """Return the specifications of a market's constraints.

    Parameters
    ----------
    entries
        A list of objects, each with a ``kind``.
    where
        What errors call it.

    Returns
    -------
    tuple of dict

    Raises
    ------
    FileFormatError
        If an entry is no object with a kind.
    """
    if isinstance(entries, Mapping) or not isinstance(entries, Iterable):
        raise FileFormatError(f"{where}: constraints must be a list of objects")
    specs: list[dict[str, Any]] = []
    for position, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("kind"), str):
            raise FileFormatError(
                f"{where} constraints[{position}]: a constraint needs a kind, "
                'as in {"kind": "cap", "limit": 1}'
            )
        specs.append(dict(entry))
    return tuple(specs)


def check_constraints(constraints: tuple[dict[str, Any], ...]) -> None:
    """Refuse what this version cannot honour, rather than clear the market without it.

    Raises
    ------
    UnsupportedMarketError
        If there is any constraint.
    """
    if constraints:
        raise UnsupportedMarketError(
            f"constraints (here: '{constraints[0]['kind']}') come with a later release; "
            "take them out to clear the market without them"
        )
