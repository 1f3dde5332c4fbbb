"""Studies as tables for people: shares of first best by market and mechanism, what was skipped."""

from __future__ import annotations

from collections.abc import Iterable
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

__all__ = ["absence", "noise_of", "rounded", "study_tables", "with_reach"]


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
        (setting.label, rule.label, [results.average(setting, rule, name) for name in _SHOWN])
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
    for label, rule, averages in rows[:most_rows]:
        shown = "" if label == before else one_line(label)
        noise = noise_of(averages[0])
        numbers = [with_reach(average, noise) for average in averages]
        table.add_row(Text(shown), Text(one_line(rule)), *numbers)
        before = label
    parts.append(table)
    if most_rows is not None and len(rows) > most_rows:
        parts.append(Text(f"  and {count(len(rows) - most_rows, 'more row')}: see the report\n"))
    parts.append(Text("  ± is half a 95 % interval; = an exact value", "dim"))
    for market, rule, reason, number in _told_once(results.skipped):
        line = f"skipped in {count(number, 'cell')}: {rule} on {market}: {reason}"
        parts.append(Padding(Text(one_line(line), "yellow"), (0, 0, 0, 2)))
    return Group(*parts)


def _told_once(skipped: Iterable[tuple[str, str, str, int]]) -> list[tuple[str, str, str, int]]:
    """Give one reason for each mechanism and market: of several sizes, the first one's."""
    told: dict[tuple[str, str], tuple[str, int]] = {}
    for market, rule, reason, number in skipped:
        first, so_far = told.get((market, rule), (reason, 0))
        told[market, rule] = first, so_far + number
    return [(*key, *value) for key, value in told.items()]


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


def with_reach(average: Average | None, noise: float = 0.0) -> str:
    """Write a mean with half its interval, to the digits that it is known to.

    Parameters
    ----------
    average
        The mean; a dash is written for None.
    noise
        What is smaller is an error of rounding, and written as zero.

    Examples
    --------
    >>> from catallax.estimate.study import Average
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
        return f"= {average.mean + 0.0:.6g}"
    mean, reach = rounded(average.mean, average.reach)
    return f"{mean} ± {reach}" if average.reach else mean


def rounded(mean: float, reach: float) -> tuple[str, str]:
    """Round a mean to the second digit of its uncertainty, which is rounded up.

    Examples
    --------
    >>> rounded(1234.5678, 12.3), rounded(0.5, 0.0), rounded(-2e-17, 0.004)
    (('1,235', '13'), ('0.5', '0'), ('0.0000', '0.0040'))
    """
    from math import ceil, floor, log10

    if reach <= 0:
        return f"{mean + 0.0:,.6g}", "0"
    decimals = min(1 - floor(log10(reach)), _MOST_DECIMALS)
    # The division's own rounding must not turn 0.0040 into 0.0041.
    up = ceil(reach * 10.0**decimals * (1 - 1e-12)) / 10.0**decimals
    places = max(decimals, 0)
    return f"{round(mean, decimals) + 0.0:,.{places}f}", f"{up:,.{places}f}"
