"""CSV files as people save them: headers checked, and every fault found with its line."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catallax.errors import CatallaxError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["explained", "line_of_record", "named", "not_blank", "one_line", "read_header"]

_UNCLOSED = "close the quotation mark that is open there, or take it out"


def read_header(path: Path, error: type[CatallaxError], *, nameless: bool = False) -> list[str]:
    """Return the names of the columns of a CSV file, checked.

    Parameters
    ----------
    path
        The file.
    error
        The class of error to raise.
    nameless
        Let a column have no name, as the row numbers that some programs write.

    Raises
    ------
    CatallaxError
        If the file is empty, in another encoding, separated by something else than commas, or
        has columns without a name or of the same name; with the line and the remedy.
    """
    with path.open("rb") as binary:
        start = binary.read(4)
    # UTF-16 without a byte order mark passes for UTF-8: every other byte is a NUL.
    if len(start) == 4 and b"\x00\x00" in (start[::2], start[1::2]):
        raise _not_utf8(path, error)
    if _has_lone_returns(path):
        raise error(
            f"{path} line 1: the lines end in carriage returns alone; save the file with the "
            "line ends of Unix or Windows"
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next((row for row in csv.reader(file, strict=True) if row), None)
    except UnicodeDecodeError:
        raise _not_utf8(path, error) from None
    except csv.Error as failure:
        raise error(f"{path} line 1: {failure}; {_UNCLOSED}") from None
    if header is None:
        raise error(f"{path}: the file is empty; it needs a header line, the names of its columns")
    if not "".join(header).strip():
        raise error(
            f"{path} line 1: this line is blank, and the names of the columns belong there; "
            "take it out"
        )
    if len(header) == 1:
        for mark, word in ((";", "semicolons"), ("\t", "tabulators")):
            if mark in header[0]:
                raise error(
                    f"{path} line 1: the columns are separated by {word}; separate them by commas, "
                    "and write numbers with a decimal point"
                )
    for position, name in enumerate(header):
        # What a mark that is not closed takes in are rows: nobody's order may vanish in a name.
        if "\n" in name or "\r" in name:
            raise error(
                f"{path} line 1: the name of column {position + 1} goes on in the next line; "
                f"{_UNCLOSED}"
            )
        if name in header[:position]:
            raise error(f"{path} line 1: the column '{name}' occurs twice; rename or drop one")
        if not name and not nameless:
            raise error(f"{path} line 1: column {position + 1} has no name; give it one or drop it")
    return header


def _has_lone_returns(path: Path) -> bool:
    """Whether lines end in carriage returns alone, as on the Macintosh of old."""
    with path.open("rb") as binary:
        line = binary.readline()
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False  # something else than text, which is said of it
    return b"\r" in re.sub(rb'"[^"]*"', b"", line).rstrip(b"\r\n") or line.endswith(b"\r")


def _not_utf8(path: Path, error: type[CatallaxError]) -> CatallaxError:
    content = path.read_bytes()
    try:
        content.decode("utf-8")
        line = 1
    except UnicodeDecodeError as failure:
        line = content[: failure.start].count(b"\n") + 1
    return error(f"{path} line {line}: this is not UTF-8 text; save the file as UTF-8")


def named(
    frame: pl.DataFrame, header: list[str], path: Path, error: type[CatallaxError]
) -> pl.DataFrame:
    """Give the columns of a table the names in its header.

    Raises
    ------
    CatallaxError
        If a quotation mark in the header is never closed, so that it takes in rows below.
    """
    if frame.width != len(header):
        raise error(f"{path} line 1: these are not the columns of the rows below; {_UNCLOSED}")
    return frame.rename(dict(zip(frame.columns, header, strict=True)))


def explained(
    path: Path, width: int, failure: Exception, error: type[CatallaxError]
) -> CatallaxError:
    """Return an error that names the line which a fast reader stumbled over.

    Parameters
    ----------
    path
        The file.
    width
        How many columns its header has.
    failure
        What the reader said.
    error
        The class of the error.
    """
    start = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if len(row) > width:
                    columns = f"{width} column{'s' if width > 1 else ''}"
                    return error(
                        f"{path} line {start}: there are {len(row)} cells and {columns}; "
                        + _comma_remedy(row)
                    )
                start = reader.line_num + 1
    except UnicodeDecodeError:
        return _not_utf8(path, error)
    except csv.Error:
        pass
    line = _misquoted_line(path)
    if line is None:
        return error(f"{path}: this is no CSV ({one_line(failure)}); save it again")
    return error(
        f"{path} line {line}: a quote is opened and never closed, or stands inside a cell; "
        'close it, and double a quote that is meant, as in "say ""hi"""'
    )


def _comma_remedy(row: list[str]) -> str:
    """Say how to mend a line with a cell too many: by a decimal point, or by quotes."""
    found = next((pair for pair in pairwise(row) if all(map(_DIGITS.fullmatch, pair))), None)
    if found is not None:
        whole, part = found
        return (
            f"if {whole},{part} is one number, write it with a decimal point, {whole.strip()}."
            f'{part}, and put a text that holds a comma in quotes, as in "a,b"'
        )
    return 'put a cell that holds a comma in quotes, as in "a,b"'


_DIGITS = re.compile(r"\s*-?[0-9]+")


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


def not_blank(path: Path, blank: np.ndarray) -> np.ndarray:
    """Return which rows stay: an empty line is none, a line of empty cells is a row.

    Parameters
    ----------
    path
        The CSV file.
    blank
        Whether all cells of a row are empty; shape (rows,).
    """
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


def line_of_record(path: Path, record: int) -> int:
    """Return the line on which a record starts: quoted cells may hold line breaks."""
    # A lone carriage return inside a quoted cell is no line for an editor, nor here.
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
        reader = csv.reader(lines)
        for header in reader:
            if header:
                break
        start = reader.line_num + 1
        try:
            for number, _ in enumerate(reader):
                if number == record:
                    return start
                start = reader.line_num + 1
        except csv.Error:
            pass
    return start


def one_line(failure: Exception) -> str:
    """Return what a reader said, on one line and not too long."""
    return " ".join(str(failure).split())[:120]
