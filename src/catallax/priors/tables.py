"""Columns of numbers from CSV and Parquet tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from catallax.errors import PriorError, nearest
from catallax.priors.floats import FloatArray

__all__ = ["read_columns"]


def read_columns(
    table: object,
    columns: Mapping[str, object],
    base: Path | None,
    *,
    blank: Mapping[str, float] | None = None,
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

    Returns
    -------
    dict
        A float64 array for each key.

    Raises
    ------
    PriorError
        The table, a column or a number is not there; the message names file and row.
    """
    import polars as pl  # heavy

    if not isinstance(table, str | Path):
        raise PriorError(f"table = {table!r} is not a file name")
    path = (base or Path()) / table
    parquet = path.suffix.lower() in {".parquet", ".pq"}
    try:
        frame = pl.read_parquet(path) if parquet else pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise PriorError(f"table {path} does not exist; check the name") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it is not a table"
        raise PriorError(f"table {path} cannot be read: {reason}") from None
    read: dict[str, FloatArray] = {}
    for key, name in columns.items():
        if name not in frame.columns:
            raise PriorError(f"table {path} has no column {name!r}, {nearest(name, frame.columns)}")
        texts = frame[str(name)]
        if texts.dtype == pl.String:
            texts = texts.str.strip_chars().replace("", None)
        numbers = texts.cast(pl.Float64, strict=False)
        wrong = (numbers.is_null() & texts.is_not_null()).arg_true()
        if len(wrong):
            row = int(wrong[0])
            raise PriorError(
                f"{path}, row {row + 1}: {name} = {texts[row]!r} is not a number; correct it"
            )
        empty = numbers.is_null().arg_true()
        if len(empty) and key not in (blank or {}):
            raise PriorError(
                f"{path}, row {int(empty[0]) + 1}: {name} is empty; fill it in or drop the row"
            )
        values = numbers.fill_null((blank or {}).get(key, 0.0)).to_numpy()
        read[key] = np.asarray(values, dtype=np.float64)
    return read
