"""What a study found: a row for each cell, and means over seeds with their intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

import polars as pl

from catallax.estimate.study.cells import FIELDS, Cell, Record, cells_of
from catallax.estimate.study.fingerprint import code_fingerprint, versions
from catallax.estimate.study.storage import METADATA, ResultFolder
from catallax.notebook import Rows, html_page

if TYPE_CHECKING:
    from catallax.estimate.study.definition import Setting, Study
    from catallax.estimate.study.rules import Rule

__all__ = [
    "Average",
    "StudyResults",
    "average_of",
    "default_folder",
    "load_results",
    "merged_metadata",
]

_TYPES = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}
_LEVEL = 0.95


def default_folder(study: Study) -> Path:
    """Return where the results of a study are kept unless another folder is named.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> default_folder(SimpleNamespace(path=Path("studies/week.toml"))).as_posix()
    'studies/week.results'
    """
    return study.path.with_name(f"{study.path.stem}.results")


def merged_metadata(study: Study) -> dict[str, str]:
    """Return what the table of a study says about itself."""
    return {
        METADATA: study.text,
        "catallax.code": code_fingerprint(),
        "catallax.versions": json.dumps(versions()),
    }


@dataclass(frozen=True)
class Average:
    """A mean over the seeds of a study.

    Attributes
    ----------
    mean
        The mean of the seeds' estimates.
    reach
        Half the width of its 95 % interval; 0 where it is exact. Over random graphs it comes from
        how much the seeds differ (Student's t), so that it speaks of all graphs of the kind; on
        one market, or one graph, from the errors of the estimates.
    exact
        Whether it is exact.
    seeds
        How many seeds there were.
    graphs
        Over how many graphs; 1 if the market is always the same.
    """

    mean: float
    reach: float
    exact: bool
    seeds: int
    graphs: int

    @property
    def interval(self) -> tuple[float, float]:
        """The interval that covers the expectation with a probability of 95 %."""
        return self.mean - self.reach, self.mean + self.reach


def average_of(records: Sequence[Record], quantity: str, *, varies: bool) -> Average | None:
    """Take the mean of a quantity over records that differ in nothing but their seed.

    Parameters
    ----------
    records
        Of finished cells.
    quantity
        A field that has a standard error.
    varies
        Whether each is of another random graph.

    Returns
    -------
    Average or None
        None if no record has the quantity.

    Examples
    --------
    >>> one = {"surplus": 1.0, "surplus_stderr": 0.3, "surplus_exact": False}
    >>> two = {"surplus": 2.0, "surplus_stderr": 0.4, "surplus_exact": False}
    >>> average_of([one, two], "surplus", varies=False).reach
    0.4899...
    """
    found = [record for record in records if record.get(quantity) is not None]
    if not found:
        return None
    values = [float(record[quantity] or 0.0) for record in found]
    errors = [float(record[f"{quantity}_stderr"] or 0.0) for record in found]
    number = len(values)
    mean = math.fsum(values) / number
    if varies and number > 1:
        from scipy.special import stdtrit

        spread = math.fsum((value - mean) ** 2 for value in values) / (number - 1)
        reach = float(stdtrit(number - 1, (1 + _LEVEL) / 2)) * math.sqrt(spread / number)
        return Average(mean, reach, False, number, number)
    reach = NormalDist().inv_cdf((1 + _LEVEL) / 2) * math.hypot(*errors) / number
    exact = all(record[f"{quantity}_exact"] for record in found)
    return Average(mean, reach, exact, number, 1)


@dataclass(frozen=True, eq=False)
class StudyResults:
    """What is there of a study.

    Attributes
    ----------
    study
        The study.
    cells
        All its cells, in order.
    records
        Their records; None for a cell that is not finished.
    """

    study: Study
    cells: tuple[Cell, ...]
    records: tuple[Record | None, ...]

    def __repr__(self) -> str:
        """Show the name, and how much is finished."""
        return f"<results of '{self.study.name}': {self.finished:,} of {len(self.cells):,} cells>"

    def _repr_html_(self) -> str:
        """Show how much is finished, and the first rows, in a notebook."""
        names = ["market", "priors", "mechanism", "seed", "status", "share_of_first_best"]
        frame = self.frame.select(names)
        said = f"{self.finished:,} of {len(self.cells):,} cells are finished."
        rows = Rows([name.replace("_", " ") for name in names], frame.iter_rows(), frame.height)
        return html_page(f"results of '{self.study.name}'", said, rows)

    @property
    def finished(self) -> int:
        """The number of finished cells, those skipped included."""
        return sum(record is not None for record in self.records)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """A row for each finished cell, in the study's order.

        Columns market, parameters (JSON), priors, mechanism and seed; the fields of the record
        (`catallax.estimate.study.FIELDS`); cell, the hash that identifies it.
        """
        rows = [pair for pair in zip(self.cells, self.records, strict=True) if pair[1] is not None]
        columns: dict[str, list[object]] = {
            "market": [cell.setting.market for cell, _ in rows],
            "parameters": [json.dumps(dict(cell.setting.parameters)) for cell, _ in rows],
            "priors": [cell.setting.priors for cell, _ in rows],
            "mechanism": [cell.rule.label for cell, _ in rows],
            "seed": [cell.seed for cell, _ in rows],
        }
        schema: dict[str, pl.DataType | type[pl.DataType]] = dict.fromkeys(columns, pl.String)
        schema["seed"] = pl.Int64
        for name, kind in FIELDS.items():
            columns[name] = [record[name] for _, record in rows if record is not None]
            schema[name] = _TYPES[kind]
        columns["cell"] = [cell.key for cell, _ in rows]
        schema["cell"] = pl.String
        return pl.DataFrame(columns, schema=schema)

    @cached_property
    def _by_place(self) -> Mapping[tuple[Setting, Rule], list[Record]]:
        found: dict[tuple[Setting, Rule], list[Record]] = {}
        for cell, record in zip(self.cells, self.records, strict=True):
            records = found.setdefault((cell.setting, cell.rule), [])
            if record is not None:
                records.append(record)
        return found

    def records_of(self, setting: Setting, rule: Rule) -> list[Record]:
        """Return the records of a mechanism on a market, one for each finished seed."""
        return self._by_place.get((setting, rule), [])

    def average(self, setting: Setting, rule: Rule, quantity: str) -> Average | None:
        """Take the mean of a quantity over the seeds; None where there is none."""
        records = self.records_of(setting, rule)
        return average_of(records, quantity, varies=setting.recipe.varies)

    @cached_property
    def skipped(self) -> tuple[tuple[str, str, str, int], ...]:
        """What was skipped: market, mechanism, reason, and in how many cells; market by market."""
        counts: dict[tuple[str, str, str], int] = {}
        for cell, record in zip(self.cells, self.records, strict=True):
            if record is not None and record["status"] == "skipped":
                key = (cell.setting.market, cell.rule.label, str(record["reason"]))
                counts[key] = counts.get(key, 0) + 1
        return tuple((*key, number) for key, number in counts.items())


def load_results(study: Study, folder: str | Path | None = None) -> StudyResults:
    """Read what is there of a study, as it is defined now and computed by this very code.

    Parameters
    ----------
    study
        The study.
    folder
        Where its results are kept; see `run_study`.

    Returns
    -------
    StudyResults
    """
    cells = cells_of(study)
    store = ResultFolder(default_folder(study) if folder is None else folder)
    known = store.records({cell.key for cell in cells})
    return StudyResults(study, cells, tuple(known.get(cell.key) for cell in cells))
