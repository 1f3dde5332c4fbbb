"""Outcomes as tables for people, in colour where the terminal has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from catallax.report.numbers import aligned, count
from catallax.report.text import one_line

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms import Outcome

__all__ = [
    "constraint_lines",
    "how_solved",
    "outcome_tables",
    "sentences",
    "title",
    "totals_grid",
    "trades_parts",
    "trades_table",
]

# So many groups of a quota are shown.
MOST_GROUPS = 12

# What the totals are called, in the order in which they are shown.
TOTALS = {
    "gains_from_trade": "gains from trade",
    "objective": "objective",
    "buyers_pay": "buyers pay",
    "sellers_receive": "sellers receive",
    "transfers": "transfers",
    "surplus": "surplus",
}


def outcome_tables(
    outcome: Outcome,
    explanations: Mapping[str, str] | None = None,
    *,
    mechanism: str = "",
    summary: str = "",
    most_rows: int | None = None,
) -> RenderableType:
    """Show an outcome: title, trades, totals, how it was found, explanations.

    Parameters
    ----------
    outcome
        What to show.
    explanations
        A sentence for each agent that was asked about.
    mechanism
        Name of the mechanism, where the outcome comes from a part of it.
    summary
        What the mechanism does, in a few words.
    most_rows
        Cut the table of trades to so many, and say how many more there are; by default all
        are shown.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    market = outcome.market
    how = mechanism or outcome.mechanism
    how += f": {summary}" if summary else ""
    return Group(
        title(market),
        *trades_parts(outcome, most_rows),
        totals_grid(outcome.totals, market.currency, objective_is_money=outcome.objective_is_money),
        *constraint_lines(outcome),
        Text(f"\n  {one_line(how)} ({how_solved(outcome)})", "dim"),
        *sentences(explanations or {}),
    )


def title(market: Market) -> Text:
    """Name a market, with its size."""
    return Text.assemble((one_line(market.name), "bold"), (f"  {_size(market)}", "dim"))


def trades_parts(outcome: Outcome, most_rows: int | None = None) -> list[RenderableType]:
    """Show the trades of an outcome, or that there are none; say so where they are cut."""
    if not len(outcome):
        return [Text("\n  no trades\n", "italic")]
    parts: list[RenderableType] = [trades_table(outcome, most_rows)]
    hidden = 0 if most_rows is None else len(outcome) - most_rows
    if hidden > 0:
        word = count(hidden, "more trade")
        parts.append(Text(f"  and {word}: use --json or --out\n", "italic"))
    return parts


def constraint_lines(outcome: Outcome) -> list[RenderableType]:
    """Say which constraints are in force, and how full caps and quotas are, a line each."""
    lines = []
    for one in outcome.usage:
        shown = [
            f"{f'{group.group}: ' if group.group else ''}{group.used:,} of {group.limit:,}"
            f"{' (full)' if group.used == group.limit else ''}"
            for group in one.groups[:MOST_GROUPS]
        ]
        if len(one.groups) > MOST_GROUPS:
            shown.append(f"and {count(len(one.groups) - MOST_GROUPS, 'more group')}")
        name = f"{one.kind} {one.column}".rstrip()
        lines.append(Text(one_line(f"{name}: {', '.join(shown) or 'in force'}")))
    return [Text(""), *(Padding(line, (0, 0, 0, 2)) for line in lines)] if lines else []


def how_solved(outcome: Outcome) -> str:
    """Say by which solver an outcome was found, and what amounts were rounded to."""
    if outcome.tick is None:
        return f"solved by {outcome.solver}"
    unit = one_line(outcome.market.currency)
    return f"solved by {outcome.solver}, in ticks of {outcome.tick:.2g} {unit}".rstrip()


def sentences(explanations: Mapping[str, str]) -> list[RenderableType]:
    """Show the sentence about each agent that was asked about."""
    shown = [Text(one_line(sentence)) for sentence in explanations.values()]
    return [Text(""), *(Padding(line, (0, 0, 0, 2)) for line in shown)] if shown else []


def _size(market: Market) -> str:
    if market.graph.complete:
        edges = "everybody may trade with everybody"
    else:
        edges = count(market.graph.n_edges, "edge")
    buyers, sellers = count(len(market.buyers), "buyer"), count(len(market.sellers), "seller")
    return f"{buyers}, {sellers}, {edges}"


def trades_table(outcome: Outcome, most_rows: int | None = None) -> Table:
    """Show who trades with whom, and at what prices.

    Parameters
    ----------
    outcome
        The outcome.
    most_rows
        Show the first so many; by default all.

    Returns
    -------
    rich.table.Table
    """
    shown = slice(0, most_rows)
    market = outcome.market
    unit = f" ({one_line(market.currency)})" if market.currency else ""
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=True)
    for heading in ("buyer", "seller"):
        table.add_column(heading, overflow="fold")
    for heading in ("buyer pays", "seller receives", "gain"):
        table.add_column(heading + unit, justify="right", no_wrap=True)
    buyers = market.buyers.ids.gather(outcome.buyer_index[shown]).to_list()
    sellers = market.sellers.ids.gather(outcome.seller_index[shown]).to_list()
    pays, receives = outcome.buyer_pays[shown], outcome.seller_receives[shown]
    # One number of decimals for both prices, so that they compare at a glance.
    prices = aligned([*pays, *receives])
    rows = zip(
        map(one_line, buyers),
        map(one_line, sellers),
        prices[: len(pays)],
        prices[len(pays) :],
        aligned(outcome.gains[shown]),
        strict=True,
    )
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def totals_grid(
    totals: Mapping[str, Any], currency: str = "", *, objective_is_money: bool = True
) -> RenderableType:
    """Show the totals of an outcome, one a line.

    Parameters
    ----------
    totals
        As in `Outcome.totals`.
    currency
        The market's currency.
    objective_is_money
        Whether the objective is an amount; a number of trades has no currency.

    Returns
    -------
    rich renderable
    """
    unit = one_line(currency)
    amounts = {
        name: totals[key]
        for key, name in TOTALS.items()
        if key in totals and (objective_is_money or key != "objective")
    }
    volume = max(map(abs, amounts.values()))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(justify="right")
    grid.add_column(style="dim")
    grid.add_row("trades", f"{totals['trades']:,}", "")
    if not objective_is_money:
        grid.add_row("objective", f"{round(totals['objective']):,}", "trades")
    texts = aligned(amounts.values(), noise=1e-13 * volume)
    for (name, value), text in zip(amounts.items(), texts, strict=True):
        deficit = name == "surplus" and text.startswith("-")
        note = f"{unit}  a deficit" if deficit else unit
        style = "bold" if name == "gains from trade" else ("yellow" if deficit else "")
        grid.add_row(name, Text(text, style), note if value or unit else "")
    return Padding(grid, (0, 0, 0, 2))
