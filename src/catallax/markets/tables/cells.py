"""The cells of a column made clean: ids that are ids, reports that are numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from catallax.errors import CatallaxError, DuplicateIdError, FileFormatError, ReportError
from catallax.markets.tables.origin import Origin

__all__ = ["Column", "clean_ids", "finite_numbers", "numbers", "show"]

Column = pl.Series | list[Any]


def show(value: object) -> str:
    """Return a value as an error message shows it, on one line and not too long."""
    text = {True: "true", False: "false", None: "null"}.get(value) if _is_plain(value) else None
    text = repr(value) if text is None else text
    return text if len(text) <= 60 else text[:57] + "..."


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | np.bool_)


# -------------------------------------------------------------------------------------------- ids


def clean_ids(
    column: Column, origin: Origin, word: str, *, integers: bool = False, new: bool = False
) -> pl.Series:
    """Return the identifiers of a column: all text, or all 64-bit integers.

    Parameters
    ----------
    column
        What the table holds.
    origin
        What errors call it.
    word
        ``"buyer"`` or ``"seller"``.
    integers
        Read text as integers (a CSV file whose section says ``ids = "integer"``).
    new
        The column is where these ids are given out. Blanks around one are refused: ``"b1 "`` would
        be another agent than ``"b1"``, and nobody would see it.

    Returns
    -------
    polars.Series
        String or Int64, without blanks. Whether they are unique is not looked at.

    Raises
    ------
    DuplicateIdError
        If an id is missing.
    FileFormatError
        If an id is neither text nor an integer, the column mixes the two, or a new one has
        blanks around it.
    """
    series = _id_series(column, origin, word)
    if series.dtype == pl.Null:
        series = series.cast(pl.String)
    blank = series.is_null()
    if series.dtype == pl.String:
        blank = blank | (series == "")
    if blank.any():
        row = int(blank.arg_max() or 0)
        raise DuplicateIdError(
            f"{origin.at(row)}: this {word} has no id; {_no_id_remedy(column, origin, row, word)}"
        )
    if new and series.dtype == pl.String:
        _refuse_blanks(series, origin, word)
    if integers and series.dtype == pl.String:
        return _text_to_integers(series, origin, word)
    return series.rename("id")


def _no_id_remedy(column: Column, origin: Origin, row: int, word: str) -> str:
    if origin.text_is_typed and not str(column[row] or "").strip():
        return f"give the {word} an id, or delete the line"
    return f"give every {word} one"


def _refuse_blanks(series: pl.Series, origin: Origin, word: str) -> None:
    around = series != series.str.strip_chars()
    if around.any():
        row = int(around.arg_max() or 0)
        bare = series[row].strip()
        remedy = f"write {bare!r}" if bare else f"give the {word} an id"
        raise FileFormatError(
            f"{origin.at(row)}: the id {series[row]!r} of this {word} has blanks around it; "
            f"{remedy}"
        )


def _id_series(column: Column, origin: Origin, word: str) -> pl.Series:
    if isinstance(column, list):
        return _ids_of_list(column, origin, word)
    kind = column.dtype
    if kind in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if kind.is_integer():
        wide = column.cast(pl.Int64, strict=False)
        row = (wide.is_null() & column.is_not_null()).arg_max() if len(column) else None
        if row is not None and wide.null_count() > column.null_count():
            raise FileFormatError(_too_wide(origin.at(row), word, column[row]))
        return wide
    if kind in (pl.String, pl.Null):
        return column
    row = next((k for k, value in enumerate(column) if not _is_missing(value)), 0)
    if all(_is_missing(value) for value in column):
        return pl.Series([None] * len(column), dtype=pl.String)
    raise FileFormatError(_no_id(origin.at(row), word, column[row]))


def _ids_of_list(values: list[Any], origin: Origin, word: str) -> pl.Series:
    kinds = set(map(type, values))
    if not kinds <= {str, int, type(None)}:
        values = [_plain_id(value) for value in values]
        kinds = set(map(type, values)) - {type(None)}
        if not kinds <= {str, int}:
            row = next(k for k, v in enumerate(values) if type(v) not in (str, int, type(None)))
            raise FileFormatError(_no_id(origin.at(row), word, values[row]))
    kinds = kinds - {type(None)}
    if len(kinds) > 1:
        first = type(next(value for value in values if value is not None))
        row = next(k for k, v in enumerate(values) if v is not None and type(v) is not first)
        names = {str: "text", int: "an integer"}
        raise FileFormatError(
            f"{origin.at(row)}: the id {show(values[row])} of this {word} is "
            f"{names[type(values[row])]} and the ids before it are not; "
            f"make all {word}s' ids text or all integers"
        )
    try:
        return pl.Series(values, dtype=pl.Int64 if kinds == {int} else pl.String)
    except (OverflowError, UnicodeEncodeError, TypeError, pl.exceptions.PolarsError):
        row = next(k for k, value in enumerate(values) if not _fits(value))
        if isinstance(values[row], int):
            raise FileFormatError(_too_wide(origin.at(row), word, values[row])) from None
        raise FileFormatError(
            f"{origin.at(row)}: the id {values[row]!a} of this {word} is no valid Unicode "
            "text; write it without lone surrogates"
        ) from None


def _fits(value: object) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain_id(value: object) -> object:
    if _is_missing(value):
        return None
    if isinstance(value, np.integer):
        return int(value)
    return str(value) if isinstance(value, str) else value


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text_to_integers(series: pl.Series, origin: Origin, word: str) -> pl.Series:
    numbers = series.cast(pl.Int64, strict=False)
    wrong = numbers.is_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise FileFormatError(
            f"{origin.at(row)}: the id '{series[row]}' of this {word} is no 64-bit integer, and "
            f'[{word}s] says ids = "integer"; leave that line out to read ids as text'
        )
    return numbers.rename("id")


def _no_id(where: str, word: str, value: object) -> str:
    return (
        f"{where}: the id {show(value)} of this {word} is neither text nor an integer; "
        "write it as text"
    )


def _too_wide(where: str, word: str, value: object) -> str:
    return (
        f'{where}: the id {value} of this {word} does not fit 64 bits; write it as text, "{value}"'
    )


# ---------------------------------------------------------------------------------------- numbers


def finite_numbers(
    column: Column, origin: Origin, word: str, label: Callable[[int], str]
) -> np.ndarray:
    """Return a column of reports as float64.

    Parameters
    ----------
    column
        What the table holds, shape ``(n,)``.
    origin
        What errors call it.
    word
        ``"bid"`` or ``"ask"``.
    label
        The agent of a row, e.g. ``"buyer 'b1'"``.

    Returns
    -------
    numpy.ndarray
        float64, shape ``(n,)``, finite.

    Raises
    ------
    ReportError
        If a cell is blank, no number, NaN or infinite.
    """
    values = numbers(column, origin, word, label)
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        name = "NaN" if math.isnan(values[row]) else "infinite"
        raise ReportError(
            f"{origin.at(row)}: {label(row)} has a {word} that is {name}; write a finite number"
        )
    return values


def numbers(column: Column, origin: Origin, word: str, label: Callable[[int], str]) -> np.ndarray:
    """Return a column as float64; as `finite_numbers`, but NaN and infinity may pass."""

    def refuse(row: int, problem: str) -> ReportError:
        return ReportError(f"{origin.at(row)}: {label(row)} {problem}")

    return _floats(column, origin.text_is_typed, word, refuse)


def _floats(
    column: Column, parse: bool, word: str, refuse: Callable[[int, str], CatallaxError]
) -> np.ndarray:
    blank = f"has no {word}; give it one, or leave the column '{word}' out altogether"
    if isinstance(column, list):
        if set(map(type, column)) <= {float, int}:
            try:
                return np.array(column, dtype=np.float64)
            except OverflowError:
                pass
        return np.array(
            [_float(value, row, word, blank, refuse) for row, value in enumerate(column)],
            dtype=np.float64,
        )
    numbers = column
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        numbers = column.cast(pl.Float64)
    elif column.dtype == pl.String and parse:
        numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
    else:
        for row, value in enumerate(column):
            _float(value, row, word, blank, refuse)
        numbers = pl.Series(column.to_list(), dtype=pl.Float64)
    wrong = numbers.is_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        if column[row] is None or column[row] == "":
            raise refuse(row, blank)
        raise refuse(row, f"has the {word} '{column[row]}', which is not a number; {_WRITE}")
    return numbers.to_numpy().astype(np.float64, copy=False)


_WRITE = "write it as in 12.5"


def _float(
    value: Any, row: int, word: str, blank: str, refuse: Callable[[int, str], CatallaxError]
) -> float:
    if value is None:
        raise refuse(row, blank)
    if isinstance(value, bool | np.bool_):
        raise refuse(row, f"has the {word} {show(value)}, which is not a number; {_WRITE}")
    if isinstance(value, str):
        raise refuse(
            row, f"has the {word} {show(value)}, which is text, not a number; {_WRITE}, unquoted"
        )
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        raise refuse(
            row, f"has the {word} {show(value)}, which is not a number; {_WRITE}"
        ) from None
