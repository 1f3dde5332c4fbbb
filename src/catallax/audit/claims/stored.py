"""The table that comes with catallax, and the witnesses beside it.

Every cell is what audits found on `battery`. Each property that a mechanism lacks has a witness
beside the table: a small market in which it fails, which can be read and run again.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.audit.claims.table import PropertyTable
from catallax.errors import (
    UnknownNameError,
)
from catallax.staging import Staging

if TYPE_CHECKING:
    from catallax.audit.witness import Witness

__all__ = ["stored_table", "stored_witness", "write_table"]

TABLE = "properties.json"
WITNESSES = "witnesses"


def stored_table() -> PropertyTable:
    """Return the table that comes with catallax.

    Returns
    -------
    PropertyTable
        As `make properties` last made it; see `make_row` to verify a row.
    """
    text = _folder().joinpath(TABLE).read_text(encoding="utf-8")
    return PropertyTable.of_dict(json.loads(text))


def stored_witness(mechanism: str, name: str) -> Witness:
    """Return the market in which a mechanism of ours lacks a property.

    Parameters
    ----------
    mechanism
        The mechanism's slug.
    name
        The property's name.

    Returns
    -------
    Witness
        Its market can be cleared and audited; `rerun` says by how much the property fails.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism or property, or the mechanism is not known to lack it.

    Examples
    --------
    >>> witness = stored_witness("first-best", "weak-budget-ex-post")
    >>> witness.market
    <market ...: 1 buyer, 1 seller, complete>
    >>> witness.rerun() > 0
    True
    """
    from catallax.audit.witness import read_witness

    cell = stored_table().cell(mechanism, name)
    if cell.verdict != "violated":
        raise UnknownNameError(
            f"there is no witness against '{name}' of {mechanism}: the table says '{cell.words}'"
        )
    path = _folder().joinpath(WITNESSES, witness_file(mechanism, name))
    with resources.as_file(path) as file:
        return read_witness(file)


def witness_file(mechanism: str, name: str) -> str:
    """Return the name of the file of a witness."""
    return f"{mechanism}.{name}.json"


def write_table(
    table: PropertyTable, witnesses: dict[tuple[str, str], Witness], folder: Path
) -> list[Path]:
    """Write a table and its witnesses; a witness that no cell has any more is removed.

    Parameters
    ----------
    table
        The table.
    witnesses
        The witness of each cell that is violated, by mechanism and property.
    folder
        Where the table is to be; the witnesses go into a folder beside it.

    Returns
    -------
    list of pathlib.Path
        What was written.
    """
    place = folder / WITNESSES
    place.mkdir(parents=True, exist_ok=True)
    written = [
        witness.write(place / witness_file(*key)) for key, witness in sorted(witnesses.items())
    ]
    for old in set(place.glob("*.json")) - set(written):
        old.unlink()
    path = folder / TABLE
    text = json.dumps(table.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    with Staging() as staging:
        staging.add(path, lambda place: place.write_text(text + "\n", encoding="utf-8"))
    return [path, *written]


def _folder() -> Any:
    return resources.files("catallax.audit")
