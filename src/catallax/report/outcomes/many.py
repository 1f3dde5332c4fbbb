"""The outcomes of many markets as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from catallax.report.numbers import aligned, count
from catallax.report.outcomes.tables import sentences, totals_grid
from catallax.report.text import one_line

if TYPE_CHECKING:
    from catallax.markets import Markets
    from catallax.mechanisms import Outcomes

__all__ = ["outcomes_tables"]

# The columns that fit a terminal; the others are in the totals of all, in --json and --out.
_SHOWN = {
    "gains_from_trade": "gains",
    "buyers_pay": "buyers pay",
    "sellers_receive": "sellers receive",
    "surplus": "surplus",
}
_LONGEST_NAME = 24


def outcomes_tables(
    outcomes: Outcomes,
    explanations: Mapping[str, str] | None = None,
    *,
    summary: str = "",
    most_rows: int | None = None,
) -> RenderableType:
    """Show many outcomes: title, totals of each market, totals of all, explanations.

    Parameters
    ----------
    outcomes
        What to show.
    explanations
        A sentence for each agent that was asked about.
    summary
        What the mechanism does, in a few words.
    most_rows
        Show the first so many markets, and say how many more there are; by default all.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    how = f"{outcomes.mechanism}: {summary}" if summary else outcomes.mechanism
    hidden = 0 if most_rows is None else len(outcomes) - most_rows
    more = f"  and {count(hidden, 'more market')}: use --json or --out\n"
    return Group(
        _title(outcomes.markets),
        _markets_table(outcomes, most_rows)
        if len(outcomes)
        else Text("\n  no markets\n", "italic"),
        *([Text(more, "italic")] if hidden > 0 else []),
        totals_grid(
            outcomes.overall,
            outcomes.markets.currency,
            objective_is_money=outcomes.objective_is_money,
        ),
        Text(f"\n  {one_line(how)} (solved by {outcomes.solver})", "dim"),
        *sentences(explanations or {}),
    )


def _title(markets: Markets) -> Text:
    edges = "everybody may trade with everybody of the same market"
    if markets.graph is not None:
        edges = count(markets.graph.n_edges, "edge")
    sides = f"{count(len(markets.buyers), 'buyer')}, {count(len(markets.sellers), 'seller')}"
    size = f"{count(len(markets), 'market')}, {sides}, {edges}"
    return Text.assemble((one_line(markets.name), "bold"), (f"  {size}", "dim"))


def _markets_table(outcomes: Outcomes, most_rows: int | None) -> Table:
    shown = slice(0, most_rows)
    markets = outcomes.markets
    names = [one_line(name) for name in markets.names[shown]]
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=True)
    # However narrow the screen is, a row without its market's name says nothing: headings and,
    # if need be, numbers give way first.
    short = max(map(len, [markets.by, *names])) <= _LONGEST_NAME
    table.add_column(one_line(markets.by), overflow="fold", no_wrap=short)
    table.add_column("trades", justify="right", overflow="fold")
    for heading in _SHOWN.values():
        table.add_column(heading, justify="right", overflow="fold")
    sums = {key: values[shown] for key, values in outcomes.sums.items()}
    # What is only an error of rounding, against the money that changed hands.
    noise = 1e-13 * max((abs(float(v)) for key in _SHOWN for v in sums[key]), default=0.0)
    columns = [aligned(sums[key], noise=noise) for key in _SHOWN]
    trades = [f"{number:,}" for number in sums["trades"].tolist()]
    for row in zip(names, trades, *columns, strict=True):
        table.add_row(*map(Text, row))
    return table
