"""`catallax mechanisms`: what there is to clear a market with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

__all__ = ["mechanisms"]


def mechanisms(
    *, json: Annotated[bool, Parameter(negative="", show_default=False)] = False
) -> None:
    """List the mechanisms: name, what each does, and what it claims.

    Parameters
    ----------
    json
        Print one JSON object for each mechanism, a line each.
    """
    from catallax.cli.output import json_line, print_lines, show
    from catallax.mechanisms import get, names

    known = [get(name) for name in names()]
    if json:
        print_lines(
            json_line({"name": one.slug, "summary": one.summary, "claims": asdict(one.claims)})
            for one in known
        )
        return
    from catallax.report.tables import mechanisms_table

    show(mechanisms_table(known))
