"""`catallax mechanisms`: what there is to clear a market with."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from catallax.cli.options import FLAG, QUIET
from catallax.errors import CatallaxError

if TYPE_CHECKING:
    from catallax.audit.claims.table import PropertyTable

__all__ = ["mechanisms"]

_DIFFERS = 1


def mechanisms(
    *,
    properties: Annotated[bool, FLAG] = False,
    verify: Annotated[bool, FLAG] = False,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> int:
    """List the mechanisms: name, what each does, and what it claims.

    Parameters
    ----------
    properties
        Show which properties each has, as audits found them.
    verify
        With --properties: run every cell of that table again, which takes minutes, and end with
        status 1 if one is not as it says.
    json
        Print one JSON object for each mechanism, a line each.
    quiet
        Print no table and show no progress; errors still appear.
    """
    from catallax.cli.output import json_line, print_lines, show
    from catallax.mechanisms import get, names

    if verify and not properties:
        raise CatallaxError("--verify runs the table of properties again: add --properties")
    known = [get(name) for name in names()]
    documents: list[dict[str, Any]] = [
        {"name": one.slug, "summary": one.summary, "claims": asdict(one.claims)} for one in known
    ]
    if properties:
        from catallax.audit.claims.stored import stored_table

        table = stored_table()
        if verify and _differs(table, quiet=quiet):
            return _DIFFERS
        for document in documents:
            row = table.rows.get(document["name"], {})
            document["properties"] = {name: asdict(cell) for name, cell in row.items()}
        if not json and not quiet:
            from catallax.report.audit.tables import properties_table

            show(properties_table(table))
    elif not json and not quiet:
        from catallax.report.mechanisms import mechanisms_table

        show(mechanisms_table(known))
    if json:
        print_lines(map(json_line, documents))
    return 0


def _differs(table: PropertyTable, *, quiet: bool) -> bool:
    """Verify every row, and complain of the cells that are not as the table says."""
    from catallax.audit.claims.rows import verify_row
    from catallax.cli.output import complain, tracked

    lines: list[str] = []
    for name in tracked(table.rows, len(table.rows), "verifying", quiet=quiet):
        lines += verify_row(name)
    for line in lines:
        complain(line)
    if not lines and not quiet:
        print("every cell of the table is as it says", file=sys.stderr)
    return bool(lines)
