"""Studies as tables for people: shares of first best by market and mechanism, what was skipped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from catallax.report.numbers import count
from catallax.report.text import one_line

if TYPE_CHECKING:
    from catallax.estimate.study import Average, Rule, Setting, StudyResults

__all__ = [
    "absence",
    "alike",
    "column_decimals",
    "noise_of",
    "rounded",
    "skipped_once",
    "study_tables",
    "with_reach",
]


def study_tables(results: StudyResults, most_rows: int | None = None) -> RenderableType:
    """Show a study: a row for each market and mechanism, with means over the seeds.

    Parameters
    ----------
    results
        What is there of the study.
    most_rows
        Cut the table to so many rows, and say how many more there are; by default all are shown.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    study = results.study
    rows = [
        (setting, rule.label, [results.average(setting, rule, name) for name in _SHOWN])
        for setting in study.settings
        for rule in study.rules
        if results.average(setting, rule, _SHOWN[0]) is not None
    ]
    parts: list[RenderableType] = [
        Text.assemble(
            (one_line(study.name), "bold"), (f"  {count(len(results.cells), 'cell')}", "dim")
        )
    ]
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    table.add_column("market", style="cyan", overflow="fold")
    table.add_column("mechanism", overflow="fold")
    for heading in ("gains from trade", "share of first best", "surplus"):
        table.add_column(heading, justify="right")
    before = ""
    # Markets may differ in the size of their amounts: the numbers of one compare at a glance.
    for _, of_market in groupby(rows[:most_rows], key=lambda row: row[0].market):
        block = list(of_market)
        texts = alike([averages for *_, averages in block])
        for (setting, rule, _), numbers in zip(block, texts, strict=True):
            shown = "" if setting.label == before else one_line(setting.label)
            table.add_row(Text(shown), Text(one_line(rule)), *numbers)
            before = setting.label
    parts.append(table)
    if most_rows is not None and len(rows) > most_rows:
        parts.append(Text(f"  and {count(len(rows) - most_rows, 'more row')}: see the report\n"))
    parts.append(
        Text("  ± is half a 95 % interval; = an exact value; everybody reports the truth", "dim")
    )
    for market, rule, reason, number in skipped_once(results.skipped):
        line = f"skipped in {count(number, 'cell')}: {rule} on {market}: {reason}"
        parts.append(Padding(Text(one_line(line), "yellow"), (0, 0, 0, 2)))
    return Group(*parts)


def skipped_once(skipped: Iterable[tuple[str, str, str, int]]) -> list[tuple[str, str, str, int]]:
    """Tell a reason once for each mechanism and market: of several sizes, the first one's.

    Parameters
    ----------
    skipped
        As `StudyResults.skipped`: market, mechanism, reason, and in how many cells.

    Returns
    -------
    list of tuple
        The same, with reasons that differ in their numbers alone put together.

    Examples
    --------
    >>> skipped_once([
    ...     ("two", "mcafee", "8 of 16 edges", 3), ("two", "mcafee", "16 of 64 edges", 3)
    ... ])
    [('two', 'mcafee', '8 of 16 edges', 6)]
    """
    told: dict[tuple[str, str, str], tuple[str, int]] = {}
    for market, rule, reason, number in skipped:
        key = market, rule, re.sub(r"\d[\d.,]*", "#", reason)
        first, so_far = told.get(key, (reason, 0))
        told[key] = first, so_far + number
    return [(market, rule, *value) for (market, rule, _), value in told.items()]


def absence(results: StudyResults, setting: Setting, rule: Rule) -> str:
    """Say why there is no number for a mechanism on a market."""
    if rule not in setting.rules:
        return "not asked for"
    records = results.records_of(setting, rule)
    if not records:
        return "not finished"
    return "does not apply" if records[0]["status"] == "skipped" else "no gains in any draw"


_MOST_DECIMALS = 12
_SHOWN = ("gains_from_trade", "share_of_first_best", "surplus")


def noise_of(gains: Average | None) -> float:
    """Say how large errors of rounding may be in amounts beside these gains from trade."""
    return 0.0 if gains is None else 1e-12 * abs(gains.mean)


def column_decimals(averages: Iterable[Average | None], noise: float = 0.0) -> int:
    """Return how many decimals a column of averages takes.

    As many as its best known average is known to, within six digits of that number. Exact values
    have them all: six digits of the largest where all are exact, and four beside estimates.

    Examples
    --------
    >>> from catallax.estimate.study import Average
    >>> column_decimals([Average(0.81234, 0.0123, False, 3, 1), Average(0.5, 0.2, False, 3, 1)])
    3
    >>> column_decimals([Average(0.75, 0.0, True, 1, 1), Average(1.0, 0.0, True, 1, 1)])
    2
    """
    shown = [one for one in averages if one is not None and max(abs(one.mean), one.reach) > noise]
    if not shown:
        return 0
    largest = max(max(abs(one.mean), one.reach) for one in shown)
    all_exact = all(one.exact for one in shown)
    most = 5 - _magnitude(largest) if all_exact else max(2, 6 - _magnitude(largest))
    wanted = max(_decimals_of(one, 6 if all_exact else 4) for one in shown)
    return max(0, min(wanted, most, _MOST_DECIMALS))


def _decimals_of(average: Average, digits: int) -> int:
    """Return the decimals that one average is known to; of an exact one, those that it has."""
    if not average.exact and average.reach > 0:
        digits = 6
    most = max(0, digits - 1 - _magnitude(max(abs(average.mean), average.reach)))
    if average.exact or average.reach <= 0:
        close = 1e-9 * abs(average.mean)
        return next(
            (d for d in range(most) if abs(average.mean - round(average.mean, d)) <= close), most
        )
    return min(max(0, 1 - _magnitude(average.reach)), most)


def _magnitude(size: float) -> int:
    return floor(log10(size)) if size > 0 else 0


def alike(rows: Sequence[Sequence[Average | None]]) -> list[list[str]]:
    """Write a table of averages, every column to one number of decimals.

    Parameters
    ----------
    rows
        The averages; the first of a row are gains from trade, beside which an amount may be
        nothing but an error of rounding.

    Returns
    -------
    list of list of str
        The same rows as texts.
    """
    noises = [noise_of(row[0]) for row in rows]
    most = max(noises, default=0.0)
    decimals = [column_decimals(column, most) for column in zip(*rows, strict=True)]
    return [
        [with_reach(one, noise, places) for one, places in zip(row, decimals, strict=True)]
        for row, noise in zip(rows, noises, strict=True)
    ]


def with_reach(average: Average | None, noise: float = 0.0, decimals: int | None = None) -> str:
    """Write a mean with half its interval, to the digits that it is known to.

    Parameters
    ----------
    average
        The mean; a dash is written for None.
    noise
        What is smaller is an error of rounding, and written as zero.
    decimals
        How many decimals to write; by default as many as it is known to.

    Examples
    --------
    >>> from catallax.estimate.study import Average
    >>> with_reach(Average(0.5, 0.2, False, 3, 1), decimals=3)
    '0.500 ± 0.200'
    >>> with_reach(Average(0.81234, 0.0123, False, 3, 1))
    '0.812 ± 0.013'
    >>> with_reach(Average(0.75, 0.0, True, 1, 1)), with_reach(None)
    ('= 0.75', '–')
    """
    if average is None:
        return "–"
    if max(abs(average.mean), average.reach) <= noise:
        return "= 0" if average.exact else "0"
    if average.exact:
        return f"= {_fixed(average.mean, decimals)}"
    mean, reach = rounded(average.mean, average.reach, decimals)
    return f"{mean} ± {reach}" if average.reach else mean


def _fixed(mean: float, decimals: int | None) -> str:
    if decimals is None:
        return f"{mean + 0.0:,.6g}"
    return f"{round(mean, decimals) + 0.0:,.{decimals}f}"


def rounded(mean: float, reach: float, decimals: int | None = None) -> tuple[str, str]:
    """Round a mean to the second digit of its uncertainty, which is rounded up.

    Parameters
    ----------
    mean, reach
        The mean, and half the interval around it.
    decimals
        Round to so many decimals instead.

    Examples
    --------
    >>> rounded(1234.5678, 12.3), rounded(0.5, 0.0), rounded(-2e-17, 0.004)
    (('1,235', '13'), ('0.5', '0'), ('0.0000', '0.0040'))
    """
    if reach <= 0:
        return _fixed(mean, decimals), "0"
    if decimals is None:
        decimals = min(1 - floor(log10(reach)), _MOST_DECIMALS)
    # The division's own rounding must not turn 0.0040 into 0.0041.
    up = ceil(reach * 10.0**decimals * (1 - 1e-12)) / 10.0**decimals
    places = max(decimals, 0)
    return f"{round(mean, decimals) + 0.0:,.{places}f}", f"{up:,.{places}f}"
