"""Reproduced results: tables of published figures beside ours, and their charts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from catallax.report.canvas import AFTER, BUYER, GREY, INK, SELLER, drawing, save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from catallax.papers.registry import Target
    from catallax.papers.reproduction import Chart, Reproduction

__all__ = ["draw_chart", "reproduction_table", "save_chart_picture", "targets_table"]

_SIGNS = {"equal": "", "at least": "≥ ", "at most": "≤ "}
_COLOURS = (BUYER, SELLER, AFTER, GREY)
_HATCHES = ("", "///", "...", "xx")


def targets_table(targets: Sequence[Target]) -> RenderableType:
    """List what can be reproduced."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in ("target", "what it is", "published in"):
        table.add_column(head, overflow="fold")
    for one in targets:
        table.add_row(one.name, one.summary, one.source)
    return table


def reproduction_table(reproduction: Reproduction) -> RenderableType:
    """Show each published figure beside ours.

    Parameters
    ----------
    reproduction
        What to show.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    rows = reproduction.rows
    units = {row.unit[0] for row in rows if row.unit is not None}
    unit = units.pop() if len(units) == 1 else None
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    for head in ("published", "ours", "difference", *(["errors"] if unit else []), "verdict"):
        table.add_column(head, justify="left" if head == "verdict" else "right")
    for row in rows:
        cells = [f"{_SIGNS[row.bound]}{row.published:.9g}", f"{row.ours:.9g}"]
        cells.append(f"{row.difference:+.1e}")
        if unit:
            size = 0.0 if row.unit is None else row.unit[1]
            cells.append(f"{row.difference / size:+.1f}" if size > 0 else "–")
        style = "" if row.agrees else "bold red"
        table.add_row(row.what, *cells, row.verdict, style=style)
    wrong = sum(not row.agrees for row in rows)
    end = f"all {len(rows)} agree" if not wrong else f"{wrong} of {len(rows)} differ"
    parts: list[RenderableType] = [
        Text(f"  {reproduction.name}", "bold"), Padding(table, (0, 0, 0, 2))
    ]  # fmt: skip
    if unit:
        parts.append(Text(f"  errors: the difference in {unit.replace('_', ' ')}", "dim"))
    parts += [Padding(Text(note, "dim"), (0, 0, 0, 2)) for note in reproduction.notes]
    parts.append(Text(f"\n  {end}"))
    return Group(*parts)


def save_chart_picture(chart: Chart, path: str | Path) -> None:
    """Draw a chart into a .svg or .png file."""
    save(draw_chart(chart), Path(path))


def draw_chart(chart: Chart) -> Figure:
    """Draw a chart: bars with their standard errors, a panel each.

    Parameters
    ----------
    chart
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Not connected to any window.
    """
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5.2 * len(chart.panels), 3.8), facecolor="white")
        row = figure.subplots(1, len(chart.panels), squeeze=False)[0]
        figure.subplots_adjust(left=0.08, right=0.985, bottom=0.1, top=0.78, wspace=0.22)
        for axes, panel in zip(row, chart.panels, strict=True):
            width = 0.8 / len(panel.bars)
            for k, (name, heights) in enumerate(panel.bars.items()):
                shift = (k - (len(panel.bars) - 1) / 2) * width
                places = [at + shift for at in range(len(heights))]
                axes.bar(
                    places, heights, width * 0.92, yerr=panel.errors[name], label=name,
                    color=_COLOURS[k % 4], hatch=_HATCHES[k % 4], edgecolor="white",
                    ecolor=INK, capsize=2, linewidth=0.0,
                )  # fmt: skip
            axes.set_xticks(range(len(panel.places)), panel.places)
            axes.set_ylabel(panel.label)
            axes.set_ylim(0, 1.05)
        figure.suptitle(chart.title, x=0.08, y=0.97, ha="left", fontsize=10.0)
        row[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.02), ncols=4)
    return figure
