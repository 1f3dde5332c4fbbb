"""The tables of a market folder: CSV and Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from catallax.errors import FileFormatError, nearest
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import Table
from catallax.priors.csv_text import explained, named, not_blank, one_line, read_header

__all__ = ["read_table"]


def read_table(
    folder: Path, name: str, section: str, document: str, used: Iterable[str] = ()
) -> Table:
    """Read one table of a market folder.

    Parameters
    ----------
    folder
        Where the market is.
    name
        The table's file, relative to it.
    section
        The section of `document` that names it.
    document
        What errors call ``market.toml``.
    used
        Files that it names elsewhere, which cannot be the one that was meant here.

    Returns
    -------
    Table
        All cells text where the file is CSV: what they mean is for others to say.

    Raises
    ------
    FileFormatError
        If the file is missing, empty, of another format, or broken.
    """
    path = folder / name
    if not path.is_file():
        files = [entry.name for entry in folder.iterdir() if entry.suffix in (".csv", ".parquet")]
        hint = nearest(name, set(files) - set(used))
        if not hint.startswith("did you mean"):
            hint = "save it under that name, or write there which file it is"
        raise FileFormatError(f"{document}: the table '{name}' of [{section}] is not there: {hint}")
    if path.suffix == ".parquet":
        return _read_parquet(path, folder)
    if path.suffix == ".csv":
        return _read_csv(path, folder)
    raise FileFormatError(
        f"{document}: the table '{name}' of [{section}] is neither .csv nor .parquet; "
        "save it as one of these"
    )


def _read_parquet(path: Path, folder: Path) -> Table:
    try:
        # A bytes buffer, so that the name is no pattern and its folders no partitions.
        with path.open("rb") as file:
            frame = pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as failure:
        raise FileFormatError(
            f"{path}: this is no whole Parquet file ({one_line(failure)}); write it again"
        ) from None
    columns = {name: frame[name] for name in frame.columns}
    return Table(columns, frame.height, Origin(str(path), folder=folder))


def _read_csv(path: Path, folder: Path) -> Table:
    header = read_header(path, FileFormatError)
    try:
        frame = pl.read_csv(path, infer_schema=False, glob=False, encoding="utf8")
    except pl.exceptions.PolarsError as failure:
        raise explained(path, len(header), failure, FileFormatError) from None
    frame = named(frame, header, path, FileFormatError)
    blank = pl.all_horizontal(pl.all().is_null())
    origin = Origin(str(path), "csv", path=path, folder=folder)
    if frame.height and frame.select(blank.any()).item():
        kept = not_blank(path, frame.select(blank).to_series().to_numpy())
        frame = frame.filter(pl.Series(kept))
        origin = Origin(str(path), "csv", path=path, folder=folder, kept=np.flatnonzero(kept))
    return Table({name: frame[name] for name in header}, frame.height, origin)
