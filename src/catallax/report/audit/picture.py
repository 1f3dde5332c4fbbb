"""The picture of mechanisms against properties: a matrix of marks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catallax.report.audit.tables import GROUPS, sign
from catallax.report.canvas import BUYER, GREY, INK, SELLER, drawing, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from catallax.audit.claims.table import PropertyTable

__all__ = ["draw_properties", "save_properties_picture"]

# Every mark has its own shape as well as its own colour: nothing depends on colour alone.
_MARKS = {
    "claimed": dict(marker="o", markersize=11, markerfacecolor=BUYER, markeredgecolor=BUYER),
    "holds": dict(
        marker="o", markersize=10, markerfacecolor="white", markeredgecolor=BUYER,
        markeredgewidth=1.8,
    ),
    "violated": dict(marker="x", markersize=8, markeredgecolor=SELLER, markeredgewidth=2.2),
    "broken": dict(marker="X", markersize=13, markerfacecolor=INK, markeredgecolor=INK),
    "undecided": dict(
        marker="D", markersize=8, markerfacecolor="white", markeredgecolor=INK, markeredgewidth=1.4,
    ),
    "does not apply": dict(marker="_", markersize=6, markeredgecolor=GREY, markeredgewidth=1.2),
}  # fmt: skip
_SAID = {
    "claimed": "claimed, and holds",
    "holds": "holds, not claimed",
    "violated": "violated: a stored market shows it",
    "broken": "violated, though claimed",
    "undecided": "undecided",
    "does not apply": "does not apply",
}
_CELL = 0.36


def save_properties_picture(table: PropertyTable, path: str | Path) -> None:
    """Draw mechanisms against properties into a file.

    Parameters
    ----------
    table
        What to draw.
    path
        A file that ends in .svg or .png.
    """
    save(draw_properties(table), Path(path))


def draw_properties(table: PropertyTable) -> Figure:
    """Draw a row for each mechanism, a column for each property, and a mark in each cell.

    Parameters
    ----------
    table
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with drawing():
        from matplotlib.figure import Figure

        places = _columns(table)
        width, rows = max(places.values()) + 1.0, len(table.rows)
        figure = Figure(figsize=((width + 6) * _CELL, (rows + 8.5) * _CELL), layout="constrained")
        axes = figure.add_subplot()
        _frame(axes, table, places)
        _marks(axes, table, places)
        _legend(axes, table)
    return figure


def _columns(table: PropertyTable) -> dict[str, float]:
    """Place the columns, with a gap between groups; properties of no group come last."""
    places: dict[str, float] = {}
    at = 0.0
    grouped = {name for names in GROUPS.values() for name in names}
    others = tuple(name for name in table.meanings if name not in grouped)
    for names in (*GROUPS.values(), others):
        for name in names:
            if name in table.meanings:
                places[name] = at
                at += 1
        at += 0.5
    return places


def _frame(axes: Axes, table: PropertyTable, places: dict[str, float]) -> None:
    """Write names and draw faint lines that lead the eye along rows."""
    rows = len(table.rows)
    axes.set_xlim(-0.7, max(places.values()) + 0.7)
    axes.set_ylim(rows - 0.3, -0.7)
    axes.set_yticks(range(rows), list(table.rows))
    axes.set_xticks(list(places.values()), list(places), rotation=55, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=4)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row in range(rows):
        axes.axhline(row, color="#ececec", linewidth=0.8, zorder=0)


def _marks(axes: Axes, table: PropertyTable, places: dict[str, float]) -> None:
    for row, cells in enumerate(table.rows.values()):
        for name, column in places.items():
            axes.plot(column, row, linestyle="none", **_MARKS[sign(cells[name])])


def _legend(axes: Axes, table: PropertyTable) -> None:
    """Say what the marks mean: those that occur."""
    from matplotlib.lines import Line2D

    used = {sign(cell) for row in table.rows.values() for cell in row.values()}
    keys = [key for key in _MARKS if key in used]
    handles = [Line2D([], [], linestyle="none", **_MARKS[key]) for key in keys]
    axes.legend(
        handles, [_SAID[key] for key in keys], loc="upper left", bbox_to_anchor=(0.0, -0.02),
        ncols=2, handletextpad=0.6, columnspacing=2.0,
    )  # fmt: skip
