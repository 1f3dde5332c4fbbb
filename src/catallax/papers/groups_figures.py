"""Figures 1 and 2 of the groups paper: forced trade by size and by means, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catallax.papers.groups_table1 import groups_table1, published_cells
from catallax.papers.registry import Options, register
from catallax.papers.reproduction import Chart, Panel, Reproduction, Row

__all__ = ["groups_figures"]

_FAMILIES = ("normal", "uniform", "bernoulli", "mixed")
_MEANS = ((0.6, 0.4), (0.55, 0.45), (0.51, 0.49))
_SIZES = (5, 100, 10_000)


@register(
    "groups-figures",
    "Figures 1 and 2: forced trade by the size of the groups, and by the distance of the means",
    "Xu, Zhang, Conitzer (AAAI 2024), Figures 1 and 2",
)
def groups_figures(options: Options) -> Reproduction:
    """Take the figures' numbers out of Table 1, which holds them all."""
    table = groups_table1(options)
    cells = published_cells()
    found = {_key(cell): table.rows[2 * k : 2 * k + 2] for k, cell in enumerate(cells)}
    means = (0.55, 0.45)
    by_size = [(f"n = {n:,}", (n, *means)) for n in _SIZES]
    by_means = [(f"{b:g}, {s:g}", (100, b, s)) for b, s in _MEANS]
    rows: dict[str, Row] = {}
    charts = []
    for name, title, places in (
        ("figure-1", "Forced trade, means 0.55 and 0.45, by members a side", by_size),
        ("figure-2", "Forced trade, 100 members a side, by the means", by_means),
    ):
        panels = [_panel(label, at, places, found, rows) for at, label in enumerate(_LABELS)]
        charts.append(Chart(name, title, tuple(panels)))
    return Reproduction("groups-figures", tuple(rows.values()), table.notes, tuple(charts))


_LABELS = ("probability that both sides are better off", "share of first best")


def _key(cell: dict[str, Any]) -> tuple[str, int, float, float]:
    return cell["family"], cell["n"], cell["mean_buyer"], cell["mean_seller"]


def _panel(
    label: str,
    at: int,
    places: Sequence[tuple[str, tuple[int, float, float]]],
    found: dict[tuple[str, int, float, float], tuple[Row, ...]],
    rows: dict[str, Row],
) -> Panel:
    bars, errors = {}, {}
    for family in _FAMILIES:
        used = [found[(family, *where)][at] for _, where in places]
        rows.update({row.what: row for row in used})
        bars[family] = tuple(row.ours for row in used)
        # Those of a million runs, four of which the tolerance holds.
        errors[family] = tuple(row.tolerance / 4 for row in used)
    return Panel(label, tuple(name for name, _ in places), bars, errors)
