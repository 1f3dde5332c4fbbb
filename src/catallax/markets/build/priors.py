"""Priors by name, and columns of priors, each distinct entry once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from catallax.errors import (
    FileFormatError,
    UnknownNameError,
    nearest,
)
from catallax.markets.tables.cells import Column
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.words import number_words
from catallax.priors import Prior, make_prior

__all__ = ["PriorColumn", "named_priors"]


def named_priors(priors: Mapping[str, Any] | None, origin: Origin) -> dict[str, Prior]:
    """Return the named priors of a market.

    Raises
    ------
    PriorError
        If one is not a distribution.
    """
    return {
        str(name): make_prior(spec, base=origin.folder, where=f"{origin.name} prior '{name}'")
        for name, spec in (priors or {}).items()
    }


class PriorColumn:
    """Reads a column of priors, each distinct entry once."""

    def __init__(
        self,
        named: Mapping[str, Prior],
        origin: Origin,
        label: Any,
        unnamed: Mapping[str, Prior] | None = None,
    ) -> None:
        self.named = named
        self.unnamed = unnamed or {}
        self.origin = origin
        self.label = label
        self.numbers: dict[tuple[str | None, Prior], int] = {}

    def read(self, column: Column) -> tuple[tuple[Prior, ...], tuple[str | None, ...], np.ndarray]:
        """Return distinct priors, their names, and int32 positions among them."""
        if isinstance(column, pl.Series) and column.dtype in (pl.Categorical, pl.Enum):
            column = column.cast(pl.String)
        if isinstance(column, pl.Series) and column.dtype == pl.String:
            prior_of = self._texts(column)
        elif isinstance(column, pl.Series) and column.dtype == pl.Null:
            prior_of = np.full(len(column), -1, dtype=np.int32)
        else:
            prior_of = self._objects(list(column))
        keys = list(self.numbers)
        return tuple(key[1] for key in keys), tuple(key[0] for key in keys), prior_of

    def _texts(self, column: pl.Series) -> np.ndarray:
        # One pass whatever the number of distinct entries, with the row where each comes first.
        distinct = (
            pl.DataFrame({"text": column})
            .with_row_index("row")
            .drop_nulls()
            .unique("text", keep="first", maintain_order=True)
        )
        texts, rows = distinct["text"], distinct["row"].to_list()
        numbers = [self._number(text, row) for text, row in zip(texts, rows, strict=True)]
        if not numbers:
            return np.full(len(column), -1, dtype=np.int32)
        return column.replace_strict(
            texts, pl.Series(numbers, dtype=pl.Int32), default=-1, return_dtype=pl.Int32
        ).to_numpy()

    def _objects(self, column: list[Any]) -> np.ndarray:
        known: dict[Any, int] = {}
        result = np.empty(len(column), dtype=np.int32)
        for row, entry in enumerate(column):
            # Priors are told apart by identity first: a long empirical one hashes slowly.
            key = repr(entry) if isinstance(entry, Mapping) else entry
            key = id(entry) if isinstance(entry, Prior) else key
            try:
                number = known.get(key)
            except TypeError:
                raise FileFormatError(
                    f"{self.origin.at(row)}: the prior of {self.label(row)} is a "
                    f"{type(entry).__name__}; give a name, or an object with a 'kind'"
                ) from None
            if number is None:
                number = known[key] = self._number(entry, row)
            result[row] = number
        return result

    def _number(self, entry: Any, row: int) -> int:
        """Return the number of a prior, a new one where it has not occurred."""
        if entry is None:
            return -1
        if isinstance(entry, str) and not entry.strip() and entry not in self.named:
            return -1
        if isinstance(entry, float) and np.isnan(entry):
            return -1
        key = self._resolve(entry, row)
        return self.numbers.setdefault(key, len(self.numbers))

    def _resolve(self, entry: Any, row: int) -> tuple[str | None, Prior]:
        where = f"{self.origin.at(row)}: the prior of {self.label(row)}"
        if isinstance(entry, str):
            if entry in self.named:
                return entry, self.named[entry]
            if entry in self.unnamed:
                return None, self.unnamed[entry]
            text = entry.strip()
            if text.startswith("{"):
                try:
                    entry = number_words(json.loads(text))
                except ValueError:
                    raise FileFormatError(
                        f"{where} is {text[:60]!r}, which is no JSON object; write its name, or "
                        'an object such as {"kind": "point", "value": 1}'
                    ) from None
            elif "(" in text:
                return None, make_prior(text, base=self.origin.folder, where=where)
            else:
                raise UnknownNameError(
                    f"{where} is '{entry}', which is not among the market's priors: "
                    f"{nearest(entry, self.named)}"
                )
        if isinstance(entry, Mapping):
            # A column of structs fills the keys of the other rows with nulls.
            entry = {name: value for name, value in entry.items() if value is not None}
        elif not isinstance(entry, Prior):
            raise FileFormatError(f"{where} is {entry!r}; give a name, or an object with a 'kind'")
        return None, make_prior(entry, base=self.origin.folder, where=where)
