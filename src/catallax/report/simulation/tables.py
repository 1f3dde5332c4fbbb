"""Simulations as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from catallax.estimate.distribution import PROBABILITIES
from catallax.estimate.words import plain_number, written
from catallax.report.outcomes.tables import title
from catallax.report.text import one_line

if TYPE_CHECKING:
    from catallax.estimate import Estimate, Simulation

__all__ = ["simulation_tables"]

# What the quantities are called. Two tables, for a screen of eighty columns.
_FIRST = {
    "gains_from_trade": "gains from trade",
    "share_of_first_best": "share of first best",
    "trades": "trades",
}
_SECOND = {
    "buyers_utility": "buyers gain",
    "sellers_utility": "sellers gain",
    "surplus": "surplus",
    "trade_probability": "any trade",
}
_SEEN = {"gains": "gains", "buyer_pays": "buyer pays", "seller_receives": "seller receives"}
_NOTHING = "–"


def simulation_tables(simulation: Simulation) -> RenderableType:
    """Show a simulation: title, what to expect of every mechanism, how it was found.

    Parameters
    ----------
    simulation
        What to show.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    parts: list[RenderableType] = [
        title(simulation.market),
        _expectations(simulation, _FIRST),
        _expectations(simulation, _SECOND),
    ]
    if any(one.gains is not None for one in simulation):
        parts.append(_quantiles(simulation))
    parts += [Padding(Text(line, "dim"), (0, 0, 0, 2)) for line in _notes(simulation)]
    parts += [
        Padding(Text.assemble((name, "bold"), f" skipped: {one_line(why)}"), (0, 0, 0, 2))
        for name, why in simulation.skipped.items()
    ]
    return Group(*parts)


def _expectations(simulation: Simulation, headings: Mapping[str, str]) -> Table:
    """Show some quantities, a row for each mechanism."""
    table = _table("mechanism")
    columns = []
    for name, heading in headings.items():
        table.add_column(heading, justify="right", overflow="fold")
        found: list[Estimate | None] = [getattr(one, name) for one in simulation]
        columns.append([_NOTHING if one is None else written(one) for one in found])
    for row, name in enumerate(simulation.estimates):
        table.add_row(Text(one_line(name)), *(Text(column[row]) for column in columns))
    return table


def _table(first: str) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 1), pad_edge=False)
    table.add_column(first, overflow="fold", style="cyan", min_width=12)
    return table


def _quantiles(simulation: Simulation) -> Table:
    """Show how gains and prices vary, a row for each mechanism and amount."""
    table = _table("how it varies")
    table.add_column("")
    for probability in PROBABILITIES:
        table.add_column(f"{probability:.0%}", justify="right", overflow="fold")
    rows = [
        (name, word, [getattr(one, field) for one in simulation], getattr(one, field))
        for name, one in simulation.estimates.items()
        for field, word in _SEEN.items()
    ]
    before = None
    for name, word, alike, amounts in rows:
        if amounts is None:
            continue
        # One number of decimals for all mechanisms, so that they compare at a glance.
        ends = [abs(one.quantile(p)) for one in alike if one is not None for p in PROBABILITIES]
        decimals = max(0, 3 - floor(log10(max(*ends, 1e-12))))
        cells = [plain_number(amounts.quantile(p), decimals) for p in PROBABILITIES]
        table.add_row(Text("" if name == before else one_line(name)), word, *cells)
        before = name
    return table


def _notes(simulation: Simulation) -> list[str]:
    """Say how the numbers came about."""
    unit = one_line(simulation.market.currency)
    notes = [f"amounts in {unit}"] if unit else []
    sampled = [one for one in simulation if not one.exact]
    for how in dict.fromkeys(one.how for one in simulation if one.exact):
        notes.append(f"= {how}")
    drawn = f"{simulation.samples:,} {simulation.draws} draws, seed {simulation.seed}"
    if not sampled:
        return [*notes, f"how amounts vary: {drawn}"]
    form = ", conditional form" if simulation.conditional else ""
    notes.append(f"± half of a 95 % interval: {drawn}{form}")
    if simulation.until is not None:
        word = "reached" if simulation.reached else "NOT reached"
        notes.append(f"precision of {simulation.until:g} for shares: {word}")
    gained = [one.variance_reduction.get("gains_from_trade") for one in sampled]
    factors = [factor for factor in gained if factor is not None]
    if factors:
        low, high = min(factors), max(factors)
        notes.append(
            f"variance of gains {low:.1f} to {high:.1f} times smaller than with plain draws"
            if len(factors) > 1
            else f"variance of gains {low:.1f} times smaller than with plain draws"
        )
    return notes
