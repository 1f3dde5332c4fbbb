"""Lotteries as tables for people: what to expect, every outcome, and the one that was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from catallax.report.numbers import aligned, chance, count
from catallax.report.outcomes.tables import (
    TOTALS,
    how_solved,
    outcome_tables,
    sentences,
    title,
    trades_parts,
)
from catallax.report.text import one_line

if TYPE_CHECKING:
    from catallax.mechanisms import Lottery, Outcome

__all__ = ["lottery_tables"]


def lottery_tables(
    lottery: Lottery,
    explanations: Mapping[str, str] | None = None,
    *,
    drawn: Outcome | None = None,
    summary: str = "",
    most_rows: int | None = None,
) -> RenderableType:
    """Show a lottery: totals of each outcome and expected ones, then the trades of each.

    A lottery of a single outcome looks like that outcome.

    Parameters
    ----------
    lottery
        What to show.
    explanations
        A sentence for each agent that was asked about.
    drawn
        The outcome that was drawn; None if none was.
    summary
        What the mechanism does, in a few words.
    most_rows
        Cut every table of trades to so many rows, and show no more than so many outcomes; what
        is missing is counted. By default everything is shown.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    if len(lottery) == 1:
        return outcome_tables(
            lottery.outcomes[0][1],
            explanations,
            mechanism=lottery.mechanism,
            summary=summary,
            most_rows=most_rows,
        )
    parts: list[RenderableType] = [title(lottery.market), _totals_table(lottery, drawn, most_rows)]
    hidden = 0 if most_rows is None else len(lottery) - most_rows
    if hidden > 0:
        word = count(hidden, "more outcome")
        parts.append(Text(f"  and {word}: use --json or --out\n", "italic"))
    for probability, outcome in lottery.outcomes[:most_rows]:
        parts.append(_heading(probability, outcome, drawn=outcome is drawn))
        parts += trades_parts(outcome, most_rows)
    how = f"{lottery.mechanism}: {summary}" if summary else lottery.mechanism
    end = "one of them drawn" if drawn is not None else "none drawn: --seed N draws one"
    parts.append(Text(f"  {one_line(how)} ({len(lottery):,} outcomes, {end})", "dim"))
    return Group(*parts, *sentences(explanations or {}))


def _heading(probability: Any, outcome: Outcome, *, drawn: bool) -> Text:
    words = f"{one_line(outcome.mechanism)}, {how_solved(outcome)}"
    return Text.assemble(
        (f"  with probability {chance(probability)}", "bold"),
        (", drawn" if drawn else "", "bold green"),
        (f"  {words}", "dim"),
    )


def _totals_table(lottery: Lottery, drawn: Outcome | None, most_rows: int | None) -> Table:
    """Show the totals of every outcome, a row each, and at the end what to expect."""
    market = lottery.market
    shown = lottery.outcomes[:most_rows]
    every = [outcome.totals for _, outcome in shown] + [lottery.totals]
    # Every outcome may maximise something else, which has no meaning on average.
    keys = [key for key in TOTALS if key in lottery.totals and key != "objective"]
    table = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 1), pad_edge=False)
    table.add_column("outcome", overflow="fold")
    for key in ("trades", *keys):
        table.add_column(TOTALS.get(key, key), justify="right", overflow="fold")
    volume = max(abs(totals[key]) for totals in every for key in keys)
    trades = aligned([totals["trades"] for totals in every])
    # One number of decimals for all amounts, so that they compare at a glance.
    amounts = iter(aligned((totals[key] for totals in every for key in keys), noise=1e-13 * volume))
    for place, (probability, outcome) in enumerate(shown):
        name = Text(f"{chance(probability)}  {one_line(outcome.mechanism)}")
        if outcome is drawn:
            name.append(", drawn", "bold green")
        cells = [next(amounts) for _ in keys]
        table.add_row(name, trades[place], *cells, end_section=place == len(shown) - 1)
    unit = f", {one_line(market.currency)}" if market.currency else ""
    table.add_row(Text.assemble(("expected", "bold"), (unit, "dim")), trades[-1], *amounts)
    return table
