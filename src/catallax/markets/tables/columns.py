"""The types of a table's other columns: declared in the market file, or inferred without loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from catallax.errors import FileFormatError, OutputError, UnknownNameError, nearest
from catallax.markets.tables.origin import Origin

__all__ = ["TYPE_NAMES", "as_text", "declared", "inferred", "type_name"]

TYPE_NAMES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}


def type_name(name: str, series: pl.Series, where: str) -> str:
    """Return the name under which a column's type is declared.

    Raises
    ------
    OutputError
        If a text file cannot hold the type.
    """
    kind = series.dtype
    for word, candidate in TYPE_NAMES.items():
        if kind == candidate:
            return word
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        narrow = series.cast(pl.Datetime("us"))
        if narrow.cast(kind).equals(series, null_equal=True):
            return "datetime"
    raise OutputError(
        f"{where}: column '{name}' is of type {kind}, which text files cannot hold; "
        'write the market with tables="parquet", or cast the column'
    )


def as_text(series: pl.Series) -> pl.Series:
    """Return a column in the form in which text files hold it."""
    if isinstance(series.dtype, pl.Datetime):
        return series.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    return series.dt.strftime("%Y-%m-%d") if series.dtype == pl.Date else series


def declared(name: str, column: pl.Series | list[Any], word: str, origin: Origin) -> pl.Series:
    """Return a column as the type that the market file declares for it.

    Raises
    ------
    UnknownNameError
        If there is no type of this name.
    FileFormatError
        If a cell is not of the type.
    """
    if word not in TYPE_NAMES:
        raise UnknownNameError(
            f"{origin.table}: unknown type '{word}' of column '{name}': {nearest(word, TYPE_NAMES)}"
        )
    kind = TYPE_NAMES[word]
    text = _text_cells(column)
    if word == "text":
        return text
    if word == "boolean":
        values = text.replace_strict(
            ["true", "false"], [True, False], default=None, return_dtype=pl.Boolean
        )
    elif word == "date":
        values = text.str.to_date("%Y-%m-%d", strict=False)
    elif word == "datetime":
        values = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    else:
        values = text.cast(kind, strict=False)
    wrong = values.is_null() & text.is_not_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise FileFormatError(
            f"{origin.at(row)}: '{text[row]}' in column '{name}' is no {word}, as which the "
            "market file declares it; mend the cell or the declaration"
        )
    return values


def _text_cells(column: pl.Series | list[Any]) -> pl.Series:
    """Return every cell as the text that a CSV file would hold, so that one parser serves all."""
    if isinstance(column, pl.Series):
        return column if column.dtype == pl.String else column.cast(pl.String)
    words = {True: "true", False: "false"}
    texts = [
        None
        if value is None
        else words[value]
        if isinstance(value, bool)
        else value
        if isinstance(value, str)
        else repr(value)
        for value in column
    ]
    return pl.Series(texts, dtype=pl.String)


def inferred(text: pl.Series) -> pl.Series:
    """Return the cells of a CSV column as the narrowest type that loses nothing.

    Numbers are inferred only where every cell is the text that writing its number gives back, with
    or without a final ".0", and different texts are different numbers: the codes "1E2" and "100",
    "1.10" and "1.1", "nan" and "NaN" or "2" and "2.0" stay apart.
    """
    if text.null_count() == len(text):
        return text
    integers = text.cast(pl.Int64, strict=False)
    if integers.cast(pl.String).equals(text, null_equal=True):
        return integers
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() == text.null_count() and numbers.is_finite().all():
        written = numbers.cast(pl.String)
        same = (text == written) | (text == written.str.strip_suffix(".0"))
        if same.all() and numbers.n_unique() == text.n_unique():
            return numbers
    if text.drop_nulls().is_in(["true", "false"]).all():
        return (text == "true").rename(text.name)
    return text
