"""Where a table came from, so that an error can name the file and the row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from catallax.priors.csv_text import line_of_record

__all__ = ["Origin"]


@dataclass(frozen=True)
class Origin:
    """The place of a table, and how its rows are called there.

    Attributes
    ----------
    name
        The file, or ``"buyers"`` for a data frame.
    style
        ``"csv"`` rows are lines (the header is line 1), ``"json"`` rows are positions such as
        ``buyers[3]``, rows of a ``"frame"`` are counted from 0.
    section
        The array of a JSON document.
    path
        The CSV file, opened again to find a line only when there is something to complain about.
    kept
        The records of a CSV file that became rows, where blank lines were left out.
    folder
        What relative file names inside the table (of priors) start from.

    Examples
    --------
    >>> Origin("market.json", "json", "buyers").at(3)
    'market.json buyers[3]'
    >>> Origin("buyers").at(3)
    'buyers row 3'
    """

    name: str
    style: Literal["frame", "csv", "json"] = "frame"
    section: str = ""
    path: Path | None = None
    kept: np.ndarray | None = None
    folder: Path | None = None

    @property
    def text_is_typed(self) -> bool:
        """Whether every cell is text, so that numbers have to be parsed."""
        return self.style == "csv"

    @property
    def table(self) -> str:
        """The table as a whole, for an error that concerns no row."""
        return f"{self.name} {self.section}" if self.section else self.name

    def at(self, row: int) -> str:
        """Return the name of one row, e.g. ``'buyers.csv line 5'``."""
        if self.style == "json":
            return f"{self.name} {self.section}[{row}]"
        if self.style == "csv" and self.path is not None:
            record = row if self.kept is None else int(self.kept[row])
            return f"{self.name} line {line_of_record(self.path, record)}"
        return f"{self.name} row {row}"
