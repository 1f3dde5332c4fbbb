"""A prior in numbers: quantiles, virtual values and costs before and after ironing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from catallax.errors import PriorError
from catallax.report.lists import facts_table
from catallax.report.numbers import aligned, number
from catallax.report.text import one_line

if TYPE_CHECKING:
    from catallax.priors import IronedInterval, Prior

__all__ = ["prior_document", "prior_tables"]

_COLUMNS = {
    "value": "value",
    "virtual_value": "virtual value",
    "virtual_value_ironed": "ironed",
    "virtual_cost": "virtual cost",
    "virtual_cost_ironed": "ironed",
}


def prior_document(prior: Prior, points: int = 11) -> dict[str, Any]:
    """Describe a prior as an object that JSON can hold.

    Parameters
    ----------
    prior
        The prior.
    points
        How many quantiles to give, evenly spread from probability 0 to 1; two at the least.

    Returns
    -------
    dict
        Keys prior, kind, spec, support, mean, quantiles, ironed_values, ironed_costs and notes.
        None stands for what is infinite or does not exist; a note says why.

    Examples
    --------
    >>> from catallax.priors import parse_prior
    >>> document = prior_document(parse_prior("uniform(0, 1)"), points=3)
    >>> document["support"], document["mean"]
    ([0.0, 1.0], 0.5)
    >>> document["quantiles"][1]["virtual_value_ironed"]
    0.0
    """
    notes: list[str] = []

    def asked(question: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return question()
        except PriorError as error:
            if str(error) not in notes:
                notes.append(str(error))
            return otherwise

    probabilities = [place / (points - 1) for place in range(points)]
    quantiles: list[dict[str, float | None]] = []
    ends = dict(zip((0.0, 1.0), prior.support, strict=True))
    for probability in probabilities:
        # The ends are what they are said to be, and infinity is no argument for a formula.
        end = ends.get(probability)
        value = _finite(prior.quantile(probability) if end is None else end)
        row: dict[str, float | None] = {"probability": probability, "value": value}
        for name, virtual in (
            ("virtual_value", prior.virtual_value),
            ("virtual_cost", prior.virtual_cost),
        ):
            for suffix, ironed in (("", False), ("_ironed", True)):
                row[name + suffix] = (
                    None
                    if value is None
                    else asked(
                        lambda virtual=virtual, ironed=ironed, value=value: _finite(
                            virtual(value, ironed=ironed)
                        ),
                        None,
                    )
                )
        quantiles.append(row)
    return {
        "prior": prior.describe(),
        "kind": prior.kind,
        "spec": prior.spec(),
        "support": [_finite(end) for end in prior.support],
        "mean": _finite(prior.mean),
        "quantiles": quantiles,
        "ironed_values": _intervals(asked(lambda: prior.ironed_values, ())),
        "ironed_costs": _intervals(asked(lambda: prior.ironed_costs, ())),
        "notes": notes,
    }


def _finite(value: Any) -> float | None:
    plain = float(value)
    return plain if math.isfinite(plain) else None


def _intervals(blocks: Sequence[IronedInterval]) -> list[dict[str, float | None]]:
    return [
        {"low": _finite(block.low), "high": _finite(block.high), "level": _finite(block.level)}
        for block in blocks
    ]


def prior_tables(document: dict[str, Any], most_rows: int | None = None) -> RenderableType:
    """Show what `prior_document` describes.

    Parameters
    ----------
    document
        The description.
    most_rows
        Cut lists of ironed intervals to so many; by default all are shown.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    low, high = document["support"]
    facts = {
        "kind": document["kind"],
        "support": f"from {_text(low, '-∞')} to {_text(high, '∞')}",
        "mean": _text(document["mean"], "∞"),
    }
    parts: list[RenderableType] = [
        Text(one_line(document["prior"]), "bold"),
        Padding(facts_table(facts), (1, 0, 0, 2)),
        _quantile_table(document["quantiles"]),
    ]
    for key, title in (("ironed_values", "virtual values"), ("ironed_costs", "virtual costs")):
        parts.append(_interval_table(document[key], title, most_rows))
    parts += [Text(f"  note: {one_line(note)}", "yellow") for note in document["notes"]]
    return Group(*parts)


def _text(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else number(value)


def _quantile_table(rows: list[dict[str, float | None]]) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    table.add_column("probability", justify="right", no_wrap=True)
    columns = [aligned([row["probability"] or 0.0 for row in rows])]
    for key, heading in _COLUMNS.items():
        table.add_column(heading, justify="right", no_wrap=True)
        known = [row[key] for row in rows]
        texts = iter(aligned([value for value in known if value is not None]))
        columns.append(["–" if value is None else next(texts) for value in known])
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    return table


def _interval_table(
    blocks: list[dict[str, float | None]], title: str, most_rows: int | None
) -> RenderableType:
    if not blocks:
        return Text(f"  no ironed interval of {title}")
    table = Table(box=SIMPLE_HEAD, header_style="bold", title=f"ironed {title}",
                  title_justify="left", title_style="")  # fmt: skip
    for heading in ("from", "to", "level"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = blocks[:most_rows]
    ends = aligned([_number(block[key]) for key in ("low", "high") for block in shown])
    levels = aligned([_number(block["level"]) for block in shown])
    for row in zip(ends[: len(shown)], ends[len(shown) :], levels, strict=True):
        table.add_row(*row)
    if len(shown) == len(blocks):
        return table
    hidden = len(blocks) - len(shown)
    return Group(table, Text(f"  and {hidden:,} more intervals: use --json", "italic"))


def _number(value: float | None) -> float:
    return math.inf if value is None else value
