"""`catallax instances`: the markets that come with catallax."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from catallax.cli.options import FLAG, QUIET
from catallax.errors import CatallaxError

if TYPE_CHECKING:
    from catallax.markets.instances import Instance

__all__ = ["instances"]


def instances(
    name: str | None = None,
    /,
    *,
    json: Annotated[bool, FLAG] = False,
    write: Path | None = None,
    tables: Literal["csv", "parquet"] = "csv",
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """List the named markets that come with catallax, show one, or write it to files.

    Parameters
    ----------
    name
        Show this one: its source, its parameters, what is known of it. Parameters follow a
        question mark: "sparse-random?n_buyers=1000&seed=3".
    json
        Print one JSON object for each instance, a line each.
    write
        Save the market as a folder, or as one file if the name ends in .json.
    tables
        Format of the tables in a folder.
    quiet
        Print no table; errors still appear.
    """
    from catallax.cli.output import json_line, print_lines, show
    from catallax.cli.sources import instance_parts
    from catallax.markets import instances as catalogue

    if name is None:
        if write is not None:
            raise CatallaxError("--write saves one market: name an instance to save")
        known = [catalogue.describe(each) for each in catalogue.names()]
        if json:
            print_lines(json_line(_document(each)) for each in known)
        elif not quiet:
            show(_list(known))
        return
    slug, parameters = instance_parts(name)
    described = catalogue.describe(slug, **parameters)
    market = catalogue.get(slug, **parameters)
    sizes = {
        "buyers": len(market.buyers),
        "sellers": len(market.sellers),
        "edges": market.graph.n_edges,
    }
    line = json_line(_document(described) | sizes)
    written = None if write is None else market.write(write, tables=tables)
    if json:
        print_lines([line])
    elif not quiet:
        show(_details(described, sizes, written))


def _document(instance: Instance) -> dict[str, Any]:
    return {
        "name": instance.name,
        "summary": instance.summary,
        "source": instance.source,
        "parameters": dict(instance.parameters),
        "known": {fact: asdict(known) for fact, known in instance.known.items()},
    }


def _list(known: list[Instance]) -> Any:
    from catallax.report.lists import list_table

    rows = [(each.name, each.summary, each.source, ", ".join(each.known)) for each in known]
    return list_table(("instance", "what it is", "source", "known"), rows)


def _details(instance: Instance, sizes: dict[str, int], written: Path | None) -> Any:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from catallax.report.lists import facts_table, list_table
    from catallax.report.numbers import count

    parameters = ", ".join(f"{key}={value}" for key, value in instance.parameters.items())
    facts = {
        "size": ", ".join(count(number, noun.removesuffix("s")) for noun, number in sizes.items()),
        "source": instance.source,
        "parameters": parameters or "none",
    }
    rows = [
        (fact, f"{known.value:.10g}", known.formula, known.source)
        for fact, known in instance.known.items()
    ]
    return Group(
        Text(instance.name, "bold"),
        Text(f"  {instance.summary}"),
        Padding(facts_table(facts), (1, 0, 0, 2)),
        list_table(("known", "value", "because", "source"), rows),
        Text(f"  catallax clear {written or f'instance:{instance.name}'}", "dim"),
    )
