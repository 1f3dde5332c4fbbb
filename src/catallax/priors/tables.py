"""Columns of numbers from CSV and Parquet tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from catallax.errors import PriorError, nearest
from catallax.priors.csv_text import (
    explained,
    line_of_record,
    named,
    not_blank,
    one_line,
    read_header,
)
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
        The table, a column or a number is not there; the message names file and line.
    """
    if not isinstance(table, str | Path):
        raise PriorError(f"table = {table!r} is not a file name")
    path = (base or Path()) / table
    texts = read_texts(path)
    frame, at = texts.frame, texts.at
    if only is not None:
        chosen = only.tolist()
        frame, at = frame[chosen], lambda row: texts.at(chosen[row])
    read: dict[str, FloatArray] = {}
    for key, name in columns.items():
        if name not in frame.columns:
            raise PriorError(f"table {path} has no column {name!r}: {nearest(name, frame.columns)}")
        filler = None if blank is None else blank.get(key)
        read[key] = _numbers(frame[str(name)], at, path, filler)
    return read


class Texts(NamedTuple):
    """The cells of a table as text.

    Parameters
    ----------
    frame
        The table.
    rows
        Which record of the file each row was, from 0: blank lines of a CSV file are no rows.
    path
        The file.
    """

    frame: pl.DataFrame
    rows: IntArray
    path: Path

    @property
    def names(self) -> list[str]:
        """The columns."""
        return self.frame.columns

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.frame.height

    def at(self, row: int) -> str:
        """Return how errors call a row: a line as an editor counts them, where there are lines."""
        record = int(self.rows[row])
        if _is_parquet(self.path):
            return f"{self.path} row {record}"
        return f"{self.path} line {line_of_record(self.path, record)}"

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
    import polars as pl  # heavy

    try:
        if _is_parquet(path):
            # From an open file, so that the name is no pattern.
            with path.open("rb") as file:
                frame = pl.read_parquet(file)
            return Texts(frame, np.arange(frame.height), path)
        header = read_header(path, PriorError, nameless=True)
        try:
            frame = pl.read_csv(path, infer_schema=False, glob=False)
        except pl.exceptions.PolarsError as failure:
            raise explained(path, len(header), failure, PriorError) from None
    except FileNotFoundError:
        raise PriorError(f"table {path} does not exist; check the name") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise PriorError(f"table {path} cannot be read: {one_line(error)}") from None
    frame = named(frame, header, path, PriorError)
    blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    kept = not_blank(path, blank) if blank.any() else ~blank
    return Texts(frame.filter(pl.Series(kept)), np.flatnonzero(kept), path)


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in {".parquet", ".pq"}


def _numbers(
    cells: pl.Series, at: Callable[[int], str], path: Path, blank: float | None
) -> FloatArray:
    import polars as pl  # heavy

    if cells.dtype == pl.String:
        cells = cells.str.strip_chars().replace("", None)
    elif not (cells.dtype.is_numeric() or cells.dtype == pl.Null):
        raise PriorError(
            f"table {path}: the column {cells.name!r} is of type {cells.dtype}, not numbers; "
            "convert it"
        )
    numbers = cells.cast(pl.Float64, strict=False)
    wrong = (numbers.is_null() & cells.is_not_null()).arg_true()
    if len(wrong):
        row = int(wrong[0])
        cell = str(cells[row])
        pointed = cell.replace(",", ".", 1)
        remedy = f"write {pointed}" if "," in cell and _is_number(pointed) else "correct it"
        raise PriorError(f"{at(row)}: {cells.name} = {cell!r} is not a number; {remedy}")
    empty = numbers.is_null().arg_true()
    if len(empty) and blank is None:
        raise PriorError(f"{at(int(empty[0]))}: {cells.name} is empty; fill it in or drop the line")
    values = numbers.fill_null(0.0 if blank is None else blank).to_numpy()
    return np.asarray(values, dtype=np.float64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
