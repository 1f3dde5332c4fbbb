"""What people answered in a survey, as a prior: willingness to pay or to accept, in intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from catallax.errors import PriorError, UnknownNameError, nearest
from catallax.priors import Discrete, Intervals, Prior
from catallax.priors.tables import read_columns, read_texts

__all__ = ["SurveyAnswers", "read_survey"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SurveyAnswers:
    """Interval answers: each says that a value lies between two amounts.

    Attributes
    ----------
    low, high
        Ends of the intervals, in units of money; infinity where there is no upper end, and equal
        where a value is known exactly. Shape (answers,).
    weights
        The weight of each answer, or None where all count alike.
    name
        What people call the survey.
    table_rows
        How many answers the whole table has.
    mixed
        The columns by which rows could have been chosen, and how many texts each holds, where all
        rows were taken: such a table may hold several surveys.
    """

    low: Array
    high: Array
    weights: Array | None
    name: str
    table_rows: int = 0
    mixed: tuple[tuple[str, int], ...] = ()

    def __len__(self) -> int:
        """Count the answers."""
        return self.low.size

    def prior(self, side: Literal["buyer", "seller"], highest: float | None = None) -> Prior:
        """Return the prior that makes the answers most likely.

        The likelihood only says how much mass lies in each innermost interval. It is put where
        it is least favourable to a trade: values at the lower end, costs at the upper.

        Parameters
        ----------
        side
            Whether the answers are values of buyers or costs of sellers.
        highest
            For costs: what an answer without an upper end is taken for.

        Returns
        -------
        Prior
            `Intervals` for buyers, `Discrete` for sellers.

        Raises
        ------
        PriorError
            If costs have no upper end and `highest` is not given, or it lies below an answer.

        References
        ----------
        Turnbull (1976).

        Examples
        --------
        >>> answers = SurveyAnswers(np.array([0.0, 0, 10]), np.array([10.0, 20, 20]), None, "park")
        >>> answers.prior("buyer").mean < answers.prior("seller").mean
        True
        """
        # A value that is known lies between it and the next float: an atom.
        known = np.where(self.high == self.low, np.nextafter(self.low, np.inf), self.high)
        fitted = Intervals(self.low, known, self.weights)
        if side == "buyer":
            return fitted
        ends, masses = fitted.fit.high.copy(), fitted.fit.probabilities
        exact = ends == np.nextafter(fitted.fit.low, np.inf)
        ends[exact] = fitted.fit.low[exact]
        kept = masses > 0
        ends, masses, low = ends[kept], masses[kept], fitted.fit.low[kept]
        if np.isinf(ends).any():
            if highest is None:
                raise PriorError(
                    f"{self.name}: {float(masses[np.isinf(ends)].sum()):.1%} of the costs have no "
                    "upper end; say what to take them for (highest=, on the command line --highest)"
                )
            if highest < float(low.max()):
                raise PriorError(
                    f"{self.name}: some cost at least {float(low.max()):.10g}, above the highest "
                    f"of {highest:.10g}; give one that is not below any answer"
                )
            ends = np.where(np.isinf(ends), highest, ends)
        return Discrete(ends, masses / masses.sum())


def read_survey(
    path: str | Path,
    *,
    low: str | None = None,
    high: str | None = None,
    weights: str | None = None,
    rows: Mapping[str, str] | None = None,
) -> SurveyAnswers:
    r"""Read interval answers from a CSV or Parquet table.

    Parameters
    ----------
    path
        The table, one answer a row.
    low, high
        The columns of the ends; by default the only ones whose names hold the word "low" and
        "high". An empty upper end stands for none; equal ends for a value that is known.
    weights
        The column of weights, if there is one.
    rows
        Which rows to take: texts that columns have to hold.

    Returns
    -------
    SurveyAnswers

    Raises
    ------
    PriorError
        If the table, a column or a number is not there, or an answer ends before it begins; the
        message names file and row.
    UnknownNameError
        If no row, or no or more than one column, is meant.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "park.csv"
    >>> _ = path.write_text("age,wtp_low,wtp_high\nold,0,10\nyoung,10,\nold,0,10\n")
    >>> len(read_survey(path)), read_survey(path, rows={"age": "old"}).high.tolist()
    (3, [10.0, 10.0])
    """
    path = Path(path)
    texts = read_texts(path)
    columns = {
        "low": _column(low, "low", texts.names, path),
        "high": _column(high, "high", texts.names, path),
    }
    if weights is not None:
        columns["weights"] = weights
    kept = np.ones(texts.height, dtype=np.bool_)
    for name, wanted in (rows or {}).items():
        if name not in texts.names:
            raise UnknownNameError(
                f"table {path} has no column {name!r}: {nearest(name, texts.names)}"
            )
        held = texts.column(name)
        found = np.array([text == wanted for text in held])
        if not found.any():
            known = sorted({text for text in held if text})
            raise UnknownNameError(
                f"table {path}: no row has {name} = {wanted!r}: {nearest(wanted, known)}"
            )
        kept &= found
    if not kept.any():
        shown = " and ".join(f"{name} = {wanted!r}" for name, wanted in (rows or {}).items())
        remedy = f"; no row has {shown} together" if shown else "; add answers, one a row"
        raise UnknownNameError(f"table {path} has no answers{remedy}")
    at = np.flatnonzero(kept)
    read = read_columns(path, columns, None, blank={"high": np.inf}, only=at)
    wrong = np.flatnonzero(read["high"] < read["low"])
    if wrong.size:
        row = int(wrong[0])
        ends = (
            f"{columns['low']} = {read['low'][row]:.10g}",
            f"{columns['high']} = {read['high'][row]:.10g}",
        )
        raise PriorError(
            f"{texts.at(int(at[row]))}: {ends[1]} is below {ends[0]}; correct the line"
        )
    name = ", ".join((rows or {}).values()) or path.stem
    mixed = () if rows else _mixed(texts, set(columns.values()))
    return SurveyAnswers(read["low"], read["high"], read.get("weights"), name, texts.height, mixed)


_MOST_TEXTS = 50


def _mixed(texts: Any, read: set[str]) -> tuple[tuple[str, int], ...]:
    """Return the columns that sort the rows by a few words, and how many words."""
    found = []
    for name in texts.names:
        if name in read:
            continue
        held = {text for text in texts.column(name) if text}
        words = not any(_is_number(text) for text in held)
        if words and 2 <= len(held) <= min(_MOST_TEXTS, texts.height // 2):
            found.append((name, len(held)))
    return tuple(found)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _column(given: str | None, word: str, names: list[str], path: Path) -> str:
    if given is not None:
        return given
    found = [name for name in names if word in name.lower().replace("-", "_").split("_")]
    if len(found) == 1:
        return found[0]
    said = f"has {len(found)} columns" if found else "has no column"
    raise UnknownNameError(
        f"table {path} {said} with the word '{word}' in the name: say which holds the "
        f"{'lower' if word == 'low' else 'upper'} ends ({word}=, on the command line --{word})"
    )
