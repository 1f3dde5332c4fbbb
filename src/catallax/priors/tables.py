"""Columns of numbers from CSV and Parquet tables."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.errors import PriorError, nearest
from catallax.priors.floats import FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Texts", "read_columns", "read_texts"]


def read_columns(
    table: object,
    columns: Mapping[str, object],
    base: Path | None,
    *,
    blank: Mapping[str, float] | None = None,
    only: IntArray | None = None,
) -> dict[str, FloatArray]:
    """Read columns of numbers from a CSV or Parquet table.

    Parameters
    ----------
    table
        The table's file name.
    columns
        Which column to read for each key.
    base
        The folder a relative file name starts from.
    blank
        What an empty cell means, by key; an error where it is not named.
    only
        Positions of the rows to read, where not all are wanted.

    Returns
    -------
    dict
        A float64 array for each key.

    Raises
    ------
    PriorError
        The table, a column or a number is not there; the message names file and row.
    """
    if not isinstance(table, str | Path):
        raise PriorError(f"table = {table!r} is not a file name")
    path = (base or Path()) / table
    frame, rows = _frame(path)
    if only is not None:
        frame, rows = frame[only.tolist()], rows[only]
    read: dict[str, FloatArray] = {}
    for key, name in columns.items():
        if name not in frame.columns:
            raise PriorError(f"table {path} has no column {name!r}: {nearest(name, frame.columns)}")
        filler = None if blank is None else blank.get(key)
        read[key] = _numbers(frame[str(name)], rows, f"{path}, row", filler)
    return read


class Texts(NamedTuple):
    """The cells of a table as text.

    Parameters
    ----------
    frame
        The table.
    rows
        The number of each row in its file, from 1.
    """

    frame: pl.DataFrame
    rows: IntArray

    @property
    def names(self) -> list[str]:
        """The columns."""
        return self.frame.columns

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.frame.height

    def column(self, name: str) -> list[str]:
        """Return the cells of a column, without the blanks around them."""
        return ["" if cell is None else str(cell).strip() for cell in self.frame[name].to_list()]


def read_texts(path: Path) -> Texts:
    """Read all cells of a CSV or Parquet table.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    PriorError
        If there is no such table.
    """
    return Texts(*_frame(path))


def _frame(path: Path) -> tuple[pl.DataFrame, IntArray]:
    """Return a table and the numbers of its rows, from 1."""
    import polars as pl  # heavy

    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            # From an open file, so that the name is no pattern.
            with path.open("rb") as file:
                frame = pl.read_parquet(file)
            return frame, np.arange(1, frame.height + 1)
        _check_header(path)
        frame = pl.read_csv(path, infer_schema=False, glob=False)
    except FileNotFoundError:
        raise PriorError(f"table {path} does not exist; check the name") from None
    except UnicodeDecodeError:
        raise PriorError(f"table {path} is not UTF-8 text; save it as a plain CSV file") from None
    except (OSError, csv.Error, pl.exceptions.PolarsError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it is not a table"
        raise PriorError(f"table {path} cannot be read: {reason}") from None
    kept = _kept(path, frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy())
    return frame.filter(pl.Series(kept)), np.flatnonzero(kept) + 1


def _check_header(path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next((row for row in csv.reader(file) if row), [])
    for position, name in enumerate(header):
        if name in header[:position]:
            raise PriorError(f"table {path}: the column {name!r} occurs twice; rename or drop one")


def _kept(path: Path, blank: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows stay: an empty line is none, a line of empty cells is a row."""
    kept = ~blank
    if blank.any():
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    break
            for number, row in enumerate(reader):
                if row and number < kept.size:
                    kept[number] = True
    return kept


def _numbers(cells: pl.Series, rows: IntArray, where: str, blank: float | None) -> FloatArray:
    import polars as pl  # heavy

    if cells.dtype == pl.String:
        cells = cells.str.strip_chars().replace("", None)
    elif not (cells.dtype.is_numeric() or cells.dtype == pl.Null):
        path = where.removesuffix(", row")
        raise PriorError(
            f"table {path}: the column {cells.name!r} is of type {cells.dtype}, not numbers; "
            "convert it"
        )
    numbers = cells.cast(pl.Float64, strict=False)
    wrong = (numbers.is_null() & cells.is_not_null()).arg_true()
    if len(wrong):
        row = int(wrong[0])
        raise PriorError(
            f"{where} {rows[row]}: {cells.name} = {cells[row]!r} is not a number; correct it"
        )
    empty = numbers.is_null().arg_true()
    if len(empty) and blank is None:
        raise PriorError(
            f"{where} {rows[int(empty[0])]}: {cells.name} is empty; fill it in or drop the row"
        )
    values = numbers.fill_null(0.0 if blank is None else blank).to_numpy()
    return np.asarray(values, dtype=np.float64)
