"""Lists of things, and facts about one, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from catallax.report.text import one_line

__all__ = ["facts_table", "list_table"]


def list_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Show a list of things: the first column names them, the others wrap.

    Parameters
    ----------
    headings
        One a column.
    rows
        One a thing, with as many texts as there are headings.

    Returns
    -------
    rich.table.Table
    """
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, style="cyan" if place == 0 else "", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    return table


def facts_table(facts: Mapping[str, Any]) -> Table:
    """Show names and what they stand for, one a line.

    Parameters
    ----------
    facts
        The names and their texts or numbers.

    Returns
    -------
    rich.table.Table
    """
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row(Text(one_line(name)), Text(one_line(value)))
    return grid
