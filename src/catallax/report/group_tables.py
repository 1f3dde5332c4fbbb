"""Trade between two groups as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from catallax.groups import (
        GroupEvaluation,
        GroupOutcome,
        GroupTrade,
        Recommendation,
        ShareCurves,
    )

__all__ = [
    "decision_text",
    "evaluation_table",
    "limits_table",
    "recommendation_tables",
]

_NOTHING = "–"


def evaluation_table(trade: GroupTrade, evaluation: GroupEvaluation) -> RenderableType:
    """Show what a mechanism brings to two groups.

    Parameters
    ----------
    trade
        The groups.
    evaluation
        What to show; where it was sampled as well, beside the sample.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    columns = [evaluation] if evaluation.check is None else [evaluation, evaluation.check]
    for one in columns:
        head = one.method if one.samples is None else f"{one.samples:,} samples"
        table.add_column(head, justify="right")
    rows = (
        ("buyers not worse off", "ir_buyers", _chance),
        ("sellers not worse off", "ir_sellers", _chance),
        ("both", "ir_both", _chance),
        ("trade takes place", "trade_probability", _chance),
        ("expected gain", "gains_from_trade", _money),
        ("first best", "first_best", _money),
        ("share of first best", "share_of_first_best", _chance),
        ("buyers' utility", "buyers_utility", _money),
        ("sellers' utility", "sellers_utility", _money),
    )
    for words, name, written in rows:
        cells = []
        for one in columns:
            error = one.stderr.get(name)
            shown = written(getattr(one, name))
            cells.append(shown if error is None else f"{shown} ± {error:.1g}")
        table.add_row(words, *cells)
    lines = [Text(f"{evaluation.mechanism}: {trade!r}", "bold")]
    if evaluation.price is not None:
        lines.append(Text(f"  {_terms(evaluation)}"))
    below = [] if evaluation.method == "monte-carlo" else [
        Text(f"  {evaluation.method}, to {evaluation.error_bound:.1g}", "dim")
    ]  # fmt: skip
    return Group(*lines, Padding(table, (0, 0, 0, 2)), *below)


def _terms(one: GroupEvaluation) -> str:
    words = (
        f"each buyer pays {_money(one.price)}, each seller receives {_money(one.seller_receives)}"
    )
    return words if one.rule is None else f"{words}; needed: {one.rule}"


def recommendation_tables(recommendation: Recommendation) -> RenderableType:
    """Show a recommended vote beside familiar ones.

    Parameters
    ----------
    recommendation
        What to show.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for head in ("price", "gain", "share", "trade", "buyers ok", "sellers ok", "both ok"):
        table.add_column(head, justify="right")
    for one in (recommendation.best, *recommendation.others):
        value = one.value
        table.add_row(
            one.name, _money(value.price), _money(value.gains_from_trade),
            _chance(value.share_of_first_best), _chance(value.trade_probability),
            _chance(value.ir_buyers), _chance(value.ir_sellers), _chance(value.ir_both),
            style="bold" if one is recommendation.best else "",
        )  # fmt: skip
    note = "price: what each buyer pays; ok: the chance that a side as a whole is not worse off"
    return Group(
        Padding(Text(recommendation.sentence), (0, 2)),
        Padding(table, (0, 0, 0, 2)),
        Text(f"  {note}", "dim"),
    )


def decision_text(
    outcome: GroupOutcome, names: Sequence[str] = (), currency: str = ""
) -> RenderableType:
    """Show a decision and its reason.

    Parameters
    ----------
    outcome
        The decision.
    names
        What people call the file, if anything.
    currency
        What amounts are in.
    """
    unit = f" {currency}" if currency else ""
    pays, receives = float(outcome.pays), float(outcome.receives)
    lines = [*names, outcome.reason]
    if outcome.x > 0:
        lines.append(
            f"each buyer pays {pays:.10g}{unit}, each seller receives {receives:.10g}{unit}"
        )
    if 0 < outcome.x < 1:
        lines.append(f"the trade takes place with a chance of {outcome.x:.10g}")
    return Text("\n".join(f"  {line}" for line in lines))


def limits_table(curves: ShareCurves) -> RenderableType:
    """Show shares of first best by size, a block for each pair of means.

    Parameters
    ----------
    curves
        What to show.
    """
    parts: list[RenderableType] = []
    for panel in curves.to_dict()["panels"]:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for head in ("members", "first best", "forced trade", "best vote", "smooth at most"):
            table.add_column(head, justify="right")
        for k, size in enumerate(curves.sizes.tolist()):
            table.add_row(
                f"{size:,}", _money(panel["first_best"][k]), _chance(panel["forced_trade"][k]),
                _chance(panel["best_vote"][k]), _chance(panel["smooth"][k]),
            )  # fmt: skip
        means = f"buyers' mean {panel['buyer_mean']:g}, sellers' mean {panel['seller_mean']:g}"
        parts += [Text(f"  {means}", "bold"), Padding(table, (0, 0, 0, 2))]
    return Group(*parts)


def _chance(number: float | None) -> str:
    return _NOTHING if number is None else f"{number:.6f}"


def _money(number: float | None) -> str:
    return _NOTHING if number is None else f"{number:,.6g}"
