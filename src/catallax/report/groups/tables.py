"""Trade between two groups as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
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
        lines.append(Text(f"  {_terms(evaluation, trade.n_buyers, trade.n_sellers)}"))
    below = [] if evaluation.method == "monte-carlo" else [
        Text(f"  {evaluation.method}, to {evaluation.error_bound:.1g}", "dim")
    ]  # fmt: skip
    return Group(*lines, Padding(table, (0, 0, 0, 2)), *below)


def _each(size: int, word: str) -> str:
    return f"{'each' if size > 1 else 'the'} {word}"


def _terms(one: GroupEvaluation, n: int, m: int) -> str:
    words = (
        f"{_each(n, 'buyer')} pays {_money(one.price)}, "
        f"{_each(m, 'seller')} receives {_money(one.seller_receives)}"
    )
    return words if one.rule is None else f"{words}; needed: {one.rule}"


def recommendation_tables(
    recommendation: Recommendation, taken: Sequence[str] = (), written: Path | None = None
) -> RenderableType:
    """Show a recommended vote beside familiar ones.

    Parameters
    ----------
    recommendation
        What to show.
    taken
        Lines that say from what it was made.
    written
        Where the vote was written as a group file, if it was.

    Returns
    -------
    rich renderable
        Print it with a `rich.console.Console`.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    heads = ("price", "gain", "buyers'", "sellers'", "share", "trade", "buyers ok", "sellers ok",
             "both ok")  # fmt: skip
    for head in heads:
        table.add_column(head, justify="right")
    whole = recommendation.best.value.first_best
    for one in (recommendation.best, *recommendation.others):
        value = one.value
        table.add_row(
            one.name, _money(value.price), _beside(value.gains_from_trade, whole),
            _beside(value.buyers_utility, whole), _beside(value.sellers_utility, whole),
            _percent(value.share_of_first_best), _percent(value.trade_probability),
            _percent(value.ir_buyers), _percent(value.ir_sellers), _percent(value.ir_both),
            style="bold" if one is recommendation.best else "",
        )  # fmt: skip
    note = (
        "price: what each buyer pays; buyers', sellers': what of the expected gain each side has; "
        "ok: the chance that a side as a whole is not worse off (no trade counts as that)"
    )
    parts: list[RenderableType] = [_line(one, "dim") for one in taken]
    parts.append(_line(recommendation.sentence))
    parts += [_line(f"Warning: {one}.", "bold") for one in recommendation.warnings]
    parts += [_line(f"Note: {one}.") for one in recommendation.notes]
    carried = (
        "--out vote.toml writes this vote as a group file, ready for the members' reports"
        if written is None
        else f"{written} holds this vote; put in the members' reports for groups decide"
    )
    return Group(*parts, Padding(table, (0, 0, 0, 2)), _line(note, "dim"), _line(carried, "dim"))


def _line(words: str, style: str = "") -> RenderableType:
    return Padding(Text(words, style), (0, 0, 0, 2))


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
            f"{_each(outcome.n_buyers, 'buyer')} pays {pays:.10g}{unit}, "
            f"{_each(outcome.n_sellers, 'seller')} receives {receives:.10g}{unit}"
        )
    return _line("\n".join(lines))


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


def _percent(number: float | None) -> str:
    return _NOTHING if number is None else f"{number:.1%}"


def _beside(number: float, whole: float) -> str:
    """Write an amount that may be next to nothing beside another."""
    if 0 < abs(number) < 1e-6 * abs(whole):
        return "≈ 0"
    return _money(number) if abs(number) < 1e6 else f"{number:,.0f}"
