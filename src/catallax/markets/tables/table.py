"""Tables of any kind in, columns out, whatever library they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from catallax.errors import FileFormatError, UnknownNameError, nearest
from catallax.markets.tables.cells import Column, show
from catallax.markets.tables.origin import Origin

__all__ = ["Table", "as_table", "check_names", "extra_columns", "native_frame"]


@dataclass(frozen=True)
class Table:
    """Columns of equal length as they came, with their origin."""

    columns: Mapping[str, Column]
    height: int
    origin: Origin
    backend: nw.Implementation | None = None

    def get(self, name: str) -> Column | None:
        """Return a column, or None where the table has none of this name."""
        return self.columns.get(name)


def as_table(data: object, origin: Origin) -> Table:
    """Read a data frame, a mapping of columns or a sequence of records.

    Parameters
    ----------
    data
        Any eager or lazy frame narwhals knows, ``{"id": [...], ...}``, or ``[{"id": ...}, ...]``.
    origin
        What errors call it.

    Returns
    -------
    Table

    Raises
    ------
    FileFormatError
        If it is none of these, or its columns differ in length.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, Mapping):
        return _table_of_columns(data, origin)
    frame: Any = nw.from_native(data, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.DataFrame):
        columns = {str(name): _column(frame.get_column(name)) for name in frame.columns}
        return Table(columns, len(frame), origin, frame.implementation)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _table_of_records(data, origin)
    raise FileFormatError(
        f"{origin.table}: {show(data)} is no table; "
        "give a data frame, a mapping of columns or a list of records"
    )


def _table_of_columns(data: Mapping[Any, Any], origin: Origin) -> Table:
    columns = {str(name): _column(values) for name, values in data.items()}
    heights = {name: len(column) for name, column in columns.items()}
    if len(set(heights.values())) > 1:
        (first, height), *rest = heights.items()
        other, different = next(item for item in rest if item[1] != height)
        raise FileFormatError(
            f"{origin.table}: column '{first}' has {height} rows and column '{other}' "
            f"{different}; make them equally long"
        )
    return Table(columns, next(iter(heights.values()), 0), origin)


def _table_of_records(data: Sequence[Any], origin: Origin) -> Table:
    if not all(map(dict.__instancecheck__, data)) and any(
        not isinstance(record, Mapping) for record in data
    ):
        row = next(k for k, record in enumerate(data) if not isinstance(record, Mapping))
        raise FileFormatError(
            f"{origin.at(row)}: {show(data[row])} is no record; "
            'write an object such as {"id": "a1"}'
        )
    names = dict.fromkeys(chain.from_iterable(data))
    columns: dict[str, Column] = {
        str(name): [record.get(name) for record in data] for name in names
    }
    return Table(columns, len(data), origin)


def _column(values: Any) -> Column:
    """Return a column as a polars series, or as a list where polars has no type for it."""
    # Polars shares the memory of arrays and of pandas columns, and hands out its own series: a
    # market must not change with what the caller goes on to write there.
    if isinstance(values, pl.Series):
        return values.to_list() if values.dtype == pl.Object else _own(values)
    series: Any = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        if series.dtype == nw.Object:
            return series.to_list()
        if not series.implementation.is_pandas_like():
            return _own(series.to_polars())
        if series.dtype.is_float():
            # Through numpy: the way to polars would turn a NaN into a blank.
            return pl.Series(np.array(series.to_numpy()))
        return nw.from_native(series.to_native().copy(deep=True), series_only=True).to_polars()
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub" and values.ndim == 1:
        return pl.Series(values.copy())
    return list(values.tolist() if isinstance(values, np.ndarray) else values)


def _own(series: pl.Series) -> pl.Series:
    """Return a series that nobody else writes to, even if it was made around an array."""
    if series.dtype.is_numeric() and not series.null_count():
        numbers = series.to_numpy()
        if numbers.dtype.kind in "iuf":
            return pl.Series(numbers.copy())
    return series.clone()


# ----------------------------------------------------------------------------------------- frames


def native_frame(columns: Mapping[str, Any], backend: str) -> Any:
    """Return columns as a data frame of a library, given by its narwhals name."""
    polars = pl.DataFrame({name: _series(values) for name, values in columns.items()})
    if backend == "polars":
        return polars
    data: Any = {name: polars[name].to_arrow() for name in polars.columns}
    if backend != "pyarrow":
        data = {name: _for_pandas(polars[name]) for name in polars.columns}
    library: Any = backend
    return nw.from_dict(data, backend=library).to_native()


def _series(values: Any) -> pl.Series:
    return values if isinstance(values, pl.Series) else pl.Series(values)


def _for_pandas(series: pl.Series) -> Any:
    return series.to_numpy() if series.dtype.is_numeric() else series.to_list()


# ------------------------------------------------------------------------------------------ names


def check_names(table: Table, required: Iterable[str], optional: Iterable[str]) -> None:
    """Refuse a table that lacks a column, or has one that is a slip of the pen.

    Other columns are the caller's own and welcome, so an unknown name is an error only where the
    column it resembles is absent.

    Raises
    ------
    UnknownNameError
        With the nearest name.
    """
    present = list(table.columns)
    absent = [name for name in [*required, *optional] if name not in table.columns]
    for name in absent:
        for other in present:
            if other not in {*required, *optional} and _is_slip(other, name):
                raise UnknownNameError(
                    f"{table.origin.table}: unknown column '{other}': did you mean '{name}'?"
                )
    for name in required:
        if name in absent and (table.columns or table.height):
            shown = ", ".join(present[:10])
            where = table.origin.at(0) if table.origin.style == "json" else table.origin.table
            raise UnknownNameError(
                f"{where}: there is no column '{name}' (there are: {shown}); "
                f"{_rename(name, present, [*required, *optional])}"
            )


def _rename(name: str, present: list[str], known: list[str]) -> str:
    hint = nearest(name, [word for word in present if word not in known])
    return hint if hint.startswith("did you mean") else "add it, or rename the one that holds it"


def _is_slip(word: str, name: str) -> bool:
    """Whether a word is a known name misspelt: by case, blanks, one letter or two swapped."""
    bare = word.strip().strip("\ufeff").casefold()
    if bare == name:
        return True
    if bare[:1] != name[:1] or abs(len(bare) - len(name)) > 1:
        return False
    if len(bare) == len(name):
        differing = [k for k in range(len(name)) if bare[k] != name[k]]
        swapped = len(differing) == 2 and sorted(bare) == sorted(name)
        return swapped or (len(differing) == 1 and len(name) > 2)
    longer, shorter = sorted((bare, name), key=len, reverse=True)
    return any(longer[:k] + longer[k + 1 :] == shorter for k in range(len(longer)))


# ----------------------------------------------------------------------------------- other columns


def extra_columns(
    table: Table, known: Iterable[str], types: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Return the columns that are the caller's own.

    Integers become Int64, floating-point numbers Float64, categories text; everything else keeps
    its type. The cells of a CSV file are text: they take the declared types, and where none is
    declared, integer, number or boolean if every cell is written as one would be ("007", "1E3" and
    "1.50" stay text).

    Raises
    ------
    FileFormatError
        If a column mixes types, or a cell is not of the declared type.
    """
    # Imported here because column types are needed by files only.
    from catallax.markets.tables.columns import declared, inferred

    ignored = set(known)
    series: list[pl.Series] = []
    for name, column in table.columns.items():
        if name in ignored:
            continue
        if types is not None and name in types:
            values = declared(name, column, types[name], table.origin)
        elif table.origin.text_is_typed and isinstance(column, pl.Series):
            values = inferred(column)
        else:
            values = _plain_series(name, column, table.origin)
        series.append(values.rename(name))
    return pl.DataFrame(series)


def _plain_series(name: str, column: Column, origin: Origin) -> pl.Series:
    values = column if isinstance(column, pl.Series) else _series_of_list(name, column, origin)
    kind = values.dtype
    if kind.is_integer() and kind != pl.Int64:
        wide = values.cast(pl.Int64, strict=False)
        return wide if wide.null_count() == values.null_count() else values
    if kind == pl.Float32:
        return values.cast(pl.Float64)
    if kind in (pl.Categorical, pl.Enum, pl.Null):
        return values.cast(pl.String)
    return values


def _series_of_list(name: str, values: list[Any], origin: Origin) -> pl.Series:
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds == {int, float}:
            return _floats_of_list(name, values, origin)
        if bool in kinds and kinds != {bool}:
            raise TypeError  # polars would make numbers of the booleans
        return pl.Series(values) if kinds else pl.Series(values, dtype=pl.String)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as failure:
        if isinstance(failure, FileFormatError):
            raise
    first = next(value for value in values if value is not None)
    other = [k for k, v in enumerate(values) if v is not None and type(v) is not type(first)]
    if other:
        raise FileFormatError(
            f"{origin.at(other[0])}: {show(values[other[0]])} in column '{name}' is of another "
            f"type than {show(first)} before it; use one type per column"
        )
    raise FileFormatError(
        f"{origin.table}: the column '{name}' of {show(first)} and so on is of no type that a "
        "table can hold; write text"
    )


def _floats_of_list(name: str, values: list[Any], origin: Origin) -> pl.Series:
    """Return integers and numbers as numbers, unless an integer would become another one."""
    for row, value in enumerate(values):
        if isinstance(value, int) and not _is_float(value):
            raise FileFormatError(
                f"{origin.at(row)}: the integer {show(value)} in column '{name}' is too long for a "
                "number, and others of the column are no integers; write them all as text"
            )
    return pl.Series(values, dtype=pl.Float64, strict=False)


def _is_float(value: int) -> bool:
    try:
        return int(float(value)) == value
    except OverflowError:
        return False
