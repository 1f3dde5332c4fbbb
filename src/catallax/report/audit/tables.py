"""Audits as tables for people: one report, and all mechanisms against all properties."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from catallax.report.numbers import aligned
from catallax.report.outcomes.tables import title
from catallax.report.text import one_line

if TYPE_CHECKING:
    from catallax.audit import AuditReport, Finding
    from catallax.audit.claims.table import Cell, PropertyTable

__all__ = ["GROUPS", "SIGNS", "audit_tables", "properties_table", "sign"]

# The properties in groups that fit beside each other on a page.
GROUPS = {
    "truthful": ("dsic-buyers", "dsic-sellers", "bic-buyers", "bic-sellers"),
    "nobody loses": ("ir-ex-post", "ir-interim"),
    "budget": (
        "weak-budget-ex-post", "strong-budget-ex-post",
        "weak-budget-ex-ante", "strong-budget-ex-ante",
    ),
    "structure": (
        "feasibility", "monotone", "threshold-payments", "partner-independence", "cap-monotone",
        "irrelevant-losers", "renaming",
    ),
}  # fmt: skip

SIGNS = {
    "claimed": ("●", "claimed, and holds"),
    "holds": ("○", "holds, not claimed"),
    "violated": ("×", "violated, not claimed"),
    "broken": ("!", "violated, though claimed"),
    "undecided": ("?", "undecided"),
    "does not apply": ("·", "does not apply"),
}
_STYLES = {
    "claimed": "green",
    "holds": "green",
    "violated": "yellow",
    "broken": "bold red",
    "undecided": "magenta",
    "does not apply": "dim",
}


def sign(cell: Cell) -> str:
    """Return which of `SIGNS` stands for a cell.

    Examples
    --------
    >>> from catallax.audit.claims.table import Cell
    >>> sign(Cell("holds", claimed=True)), sign(Cell("violated", claimed=True))
    ('claimed', 'broken')
    """
    if cell.broken:
        return "broken"
    return "claimed" if cell.verdict == "holds" and cell.claimed else cell.verdict


def audit_tables(
    report: AuditReport,
    claimed: Collection[str] = (),
    *,
    summary: str = "",
    kept: Mapping[str, Any] | None = None,
) -> RenderableType:
    """Show an audit: each property with its verdict, then what was found of those that fail.

    Parameters
    ----------
    report
        What to show.
    claimed
        The names of the properties that the mechanism claims.
    summary
        What the mechanism does, in a few words.
    kept
        Of the witness that came with the market, if one did: its property, whether it was seen
        again, and its story.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    currency = one_line(report.market.currency)
    unit = f" ({currency})" if currency else ""
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    table.add_column("property", style="cyan", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column(f"worst{unit}", justify="right", no_wrap=True)
    table.add_column("checked", justify="right", no_wrap=True)
    table.add_column("how", justify="right", style="dim")
    worst = [abs(finding.worst) for finding in report if finding.verdict == "violated"]
    amounts = iter(aligned(worst))
    # Many are checked in the same way: a number stands for it, and is explained below.
    ways = list(dict.fromkeys(finding.how for finding in report))
    for finding in report:
        amount = next(amounts) if finding.verdict == "violated" else ""
        if not finding.worst:
            amount = ""
        table.add_row(
            finding.name,
            _verdict(finding, finding.name in claimed),
            amount,
            f"{finding.checked:,}",
            str(ways.index(finding.how) + 1),
        )
    how = one_line(f"{report.mechanism}: {summary}" if summary else report.mechanism)
    return Group(
        title(report.market),
        table,
        *_stories(report, claimed),
        *_seen_again(kept),
        *_left_out(report),
        *_explained(ways),
        Text(f"  {how} ({report.runs:,} runs)", "dim"),
    )


def _verdict(finding: Finding, claimed: bool) -> Text:
    """Write a verdict so that a broken claim is seen first."""
    if finding.verdict == "violated":
        return (
            Text("VIOLATED, though claimed", "bold red") if claimed else Text("violated", "yellow")
        )
    if finding.verdict == "undecided":
        return Text("undecided", "magenta")
    return Text("holds, as claimed" if claimed else "holds", "green")


def _stories(report: AuditReport, claimed: Collection[str]) -> list[RenderableType]:
    """Tell what fails, and what is open; broken claims first."""
    told = [finding for finding in report if finding.verdict != "holds"]
    told.sort(key=lambda one: (one.name not in claimed, one.verdict != "violated"))
    lines: list[RenderableType] = []
    for finding in told:
        line = Text.assemble((finding.name, "cyan"), ": ", one_line(report.told(finding)))
        lines.append(Padding(line, (0, 0, 0, 2)))
    return [*lines, Text("")] if lines else []


def _seen_again(kept: Mapping[str, Any] | None) -> list[RenderableType]:
    """Say whether the witness in the file still shows what it was kept for."""
    if kept is None:
        return []
    said = f"again: {one_line(kept['story'])}" if kept["seen"] else "shows nothing here"
    line = Text.assemble("the witness in the file, ", (kept["property"], "cyan"), ", ", said)
    return [Padding(line, (0, 0, 0, 2)), Text("")]


def _explained(ways: Sequence[str]) -> list[RenderableType]:
    """Say what the numbers in the last column of the table stand for."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="dim")
    grid.add_column(style="dim", overflow="fold")
    for number, way in enumerate(ways, start=1):
        grid.add_row(str(number), Text(one_line(way)))
    return [Padding(grid, (0, 0, 1, 2))] if ways else []


def _left_out(report: AuditReport) -> list[RenderableType]:
    lines = [
        Padding(Text(f"{name} was left out: {one_line(why)}", "dim"), (0, 0, 0, 2))
        for name, why in report.skipped.items()
    ]
    return [*lines, Text("")] if lines else []


def properties_table(table: PropertyTable) -> RenderableType:
    """Show mechanisms against properties, a sign for each cell, and what numbers and signs mean.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    rich renderable
    """
    names = list(table.meanings)
    grid = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 0), pad_edge=False)
    grid.add_column("mechanism", style="cyan", no_wrap=True)
    for number in range(1, len(names) + 1):
        grid.add_column(f"{number:>2}", justify="right", no_wrap=True)
    for mechanism, row in table.rows.items():
        grid.add_row(mechanism, *(_sign_text(row[name]) for name in names))
    return Group(Padding(grid, (0, 0, 0, 2)), *_legend(table, names))


def _sign_text(cell: Cell) -> Text:
    key = sign(cell)
    return Text(SIGNS[key][0], _STYLES[key])


def _legend(table: PropertyTable, names: Sequence[str]) -> list[RenderableType]:
    """Say what the signs and the numbers of the columns stand for."""
    used = {sign(cell) for row in table.rows.values() for cell in row.values()}
    signs = Text("  ")
    for key, (mark, said) in SIGNS.items():
        if key in used:
            signs.append(mark, _STYLES[key]).append(f" {said}   ", "dim")
    meanings = Table.grid(padding=(0, 1))
    meanings.add_column(justify="right", style="bold")
    meanings.add_column(style="cyan", no_wrap=True)
    meanings.add_column(style="dim", overflow="fold")
    for number, name in enumerate(names, start=1):
        meanings.add_row(str(number), name, table.meanings[name])
    return [signs, Padding(meanings, (1, 0, 0, 2))]
