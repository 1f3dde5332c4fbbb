"""The tables of a market folder: CSV and Parquet."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import polars as pl

from catallax.errors import FileFormatError, nearest
from catallax.markets.origin import Origin
from catallax.markets.tables import Table

__all__ = ["read_table"]


def read_table(folder: Path, name: str, section: str, document: str) -> Table:
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
        raise FileFormatError(
            f"{document}: the table '{name}' of [{section}] is not there: {nearest(name, files)}"
        )
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
            f"{path}: this is no whole Parquet file ({_one_line(failure)}); write it again"
        ) from None
    columns = {name: frame[name] for name in frame.columns}
    return Table(columns, frame.height, Origin(str(path), folder=folder))


def _read_csv(path: Path, folder: Path) -> Table:
    header = _header(path)
    try:
        frame = pl.read_csv(path, infer_schema=False, glob=False, encoding="utf8")
    except pl.exceptions.PolarsError as failure:
        raise _explained(path, len(header), failure) from None
    frame.columns = header
    blank = pl.all_horizontal(pl.all().is_null())
    origin = Origin(str(path), "csv", path=path, folder=folder)
    if frame.height and frame.select(blank.any()).item():
        kept = _not_blank(path, frame.select(blank).to_series().to_numpy())
        frame = frame.filter(pl.Series(kept))
        origin = Origin(str(path), "csv", path=path, folder=folder, kept=np.flatnonzero(kept))
    return Table({name: frame[name] for name in header}, frame.height, origin)


def _header(path: Path) -> list[str]:
    """Return the names of the columns, checked."""
    with path.open("rb") as binary:
        start = binary.read(4)
    # UTF-16 without a byte order mark passes for UTF-8: every other byte is a NUL.
    if len(start) == 4 and b"\x00\x00" in (start[::2], start[1::2]):
        raise _not_utf8(path)
    if _has_lone_returns(path):
        raise FileFormatError(
            f"{path} line 1: the lines end in carriage returns alone; save the file with the "
            "line ends of Unix or Windows"
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next((row for row in csv.reader(file) if row), None)
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except csv.Error as failure:
        raise FileFormatError(f"{path} line 1: {failure}; save the file as CSV") from None
    if header is None:
        raise FileFormatError(f"{path}: the file is empty; it needs a header line, as in id,prior")
    if not "".join(header).strip():
        raise FileFormatError(
            f"{path} line 1: this line is blank, and the names of the columns belong there; "
            "take it out"
        )
    if len(header) == 1:
        for mark, word in ((";", "semicolons"), ("\t", "tabulators")):
            if mark in header[0]:
                raise FileFormatError(
                    f"{path} line 1: the columns are separated by {word}; separate them by commas"
                )
    for position, name in enumerate(header):
        if name in header[:position]:
            raise FileFormatError(
                f"{path} line 1: the column '{name}' occurs twice; rename or drop one"
            )
        if not name:
            raise FileFormatError(
                f"{path} line 1: column {position + 1} has no name; give it one or drop it"
            )
    return header


def _has_lone_returns(path: Path) -> bool:
    """Whether lines end in carriage returns alone, as on the Macintosh of old."""
    with path.open("rb") as binary:
        line = binary.readline()
    return b"\r" in re.sub(rb'"[^"]*"', b"", line).rstrip(b"\r\n") or line.endswith(b"\r")


def _not_utf8(path: Path) -> FileFormatError:
    content = path.read_bytes()
    try:
        content.decode("utf-8")
        line = 1
    except UnicodeDecodeError as failure:
        line = content[: failure.start].count(b"\n") + 1
    return FileFormatError(f"{path} line {line}: this is not UTF-8 text; save the file as UTF-8")


def _explained(path: Path, width: int, failure: Exception) -> FileFormatError:
    """Return an error that names the line which a fast reader stumbled over."""
    start = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if len(row) > width:
                    return FileFormatError(
                        f"{path} line {start}: there are {len(row)} cells and {width} columns; "
                        'put a cell that holds a comma in quotes, as in "a,b"'
                    )
                start = reader.line_num + 1
    except UnicodeDecodeError:
        return _not_utf8(path)
    except csv.Error:
        pass
    line = _misquoted_line(path)
    if line is None:
        return FileFormatError(f"{path}: this is no CSV ({_one_line(failure)}); save it again")
    return FileFormatError(
        f"{path} line {line}: a quote is opened and never closed, or stands inside a cell; "
        'close it, and double a quote that is meant, as in "say ""hi"""'
    )


_CELL = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
_RECORD = re.compile(rf"{_CELL}(?:,{_CELL})*(?:\r?\n|\Z)")


def _misquoted_line(path: Path) -> int | None:
    """Return the line of the first record that is not made of cells, bare or quoted."""
    text = path.read_text(encoding="utf-8-sig")
    at = 0
    while at < len(text):
        record = _RECORD.match(text, at)
        if record is None:
            return text.count("\n", 0, at) + 1
        at = record.end()
    return None


def _not_blank(path: Path, blank: np.ndarray) -> np.ndarray:
    """Return which rows stay: an empty line is none, a line of empty cells is a row."""
    kept = ~blank
    if blank.shape and len(blank):
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    break
            for number, row in enumerate(reader):
                if number < len(kept) and row:
                    kept[number] = True
    return kept


def _one_line(failure: Exception) -> str:
    return " ".join(str(failure).split())[:120]
