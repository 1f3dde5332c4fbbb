"""How results look in a notebook: plain HTML, a title, facts and tables, and nothing run by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice

__all__ = ["MOST_ROWS", "Rows", "html_page"]

MOST_ROWS = 20
"""How many rows of a table are shown."""


@dataclass(frozen=True)
class Rows:
    """A table: what its columns are called, its rows, and how many there are in all.

    Attributes
    ----------
    columns
        The names of the columns.
    rows
        The cells of each row; only the first `MOST_ROWS` are read.
    total
        How many rows there are.
    """

    columns: Sequence[str]
    rows: Iterable[Sequence[object]]
    total: int


def html_page(title: str, *parts: str | Mapping[str, object] | Rows) -> str:
    """Write a result as HTML for a notebook.

    Parameters
    ----------
    title
        What the result is.
    parts
        In order: sentences, facts by their names, tables.

    Returns
    -------
    str
        One `div` without scripts, in the notebook's own colours, so that it also reads on a
        dark page.

    Examples
    --------
    >>> html_page("one pair", "a buyer & a seller")
    '<div><strong>one pair</strong><p>a buyer &amp; a seller</p></div>'
    """
    return f"<div><strong>{escape(title)}</strong>{''.join(map(_part, parts))}</div>"


def _part(part: str | Mapping[str, object] | Rows) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    if isinstance(part, Rows):
        return _table(part)
    rows = (f"<tr>{_cell(name, 'th')}{_cell(fact)}</tr>" for name, fact in part.items())
    return f"<table>{''.join(rows)}</table>"


def _table(table: Rows) -> str:
    head = "".join(_cell(name, "th") for name in table.columns)
    rows = [f"<tr>{''.join(map(_cell, row))}</tr>" for row in islice(iter(table.rows), MOST_ROWS)]
    left = table.total - len(rows)
    more = f"<p>and {left:,} more</p>" if left > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"


def _cell(value: object, tag: str = "td") -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = "" if value is None else f"{value:.10g}" if number else str(value)
    side = "right" if number else "left"
    return f'<{tag} style="text-align: {side}">{escape(text)}</{tag}>'
