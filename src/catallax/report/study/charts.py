"""The charts of a study: shares and gains with their intervals, who gets the gains, and prices.

Mechanisms differ by colour, marker and line style, so that the charts can be read in print and
by everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from catallax.report.canvas import AFTER, BUYER, GREY, INK, SELLER, drawing, tick, tidy
from catallax.report.rows import unit_of
from catallax.report.study.sweeps import Sweep
from catallax.report.study.tables import absence
from catallax.report.text import one_line, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from catallax.estimate.study import Average, Rule, Setting, StudyResults

__all__ = ["Look", "draw_market_charts", "draw_overview", "draw_sweep", "looks_of"]

# Okabe and Ito, with a dark ochre for their yellow, which vanishes on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7A6A20")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))

_WIDTH = 10.0
_MOST_TICKS = 9
_DASHES = (0, (5, 3))


@dataclass(frozen=True)
class Look:
    """How a mechanism is drawn."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


def looks_of(rules: Sequence[Rule]) -> dict[str, Look]:
    """Give every mechanism of a study a look of its own.

    Colours come back after eight, with other markers. The first best, which others are measured
    by, takes no colour from them.
    """
    looks = {"first-best": Look(INK, "|", "-")}
    for place, rule in enumerate(rule for rule in rules if rule.label != "first-best"):
        looks[rule.label] = Look(
            _COLOURS[place % len(_COLOURS)],
            _MARKERS[(place + place // len(_COLOURS)) % len(_MARKERS)],
            _LINES[place % len(_LINES)],
        )
    return looks


def draw_sweep(results: StudyResults, sweeps: Sequence[Sweep]) -> Figure:
    """Draw shares of first best against size, a panel for each sweep of a market.

    Parameters
    ----------
    results
        What is there.
    sweeps
        Of one market; see `sweeps_of`.

    Returns
    -------
    matplotlib.figure.Figure
        Not connected to any window.
    """
    columns = min(3, len(sweeps))
    rows = -(-len(sweeps) // columns)
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(_WIDTH, 0.9 + 3.0 * rows), layout="constrained", facecolor="white")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        looks = looks_of(results.study.rules)
        for axes, sweep in zip(panels.flat, sweeps, strict=False):
            _draw_panel(axes, results, sweep, looks)
        for axes in panels.flat[len(sweeps) :]:
            axes.set_axis_off()
        for axes in panels[:, 0]:
            axes.set_ylabel("share of first best")
        handles, names = panels.flat[0].get_legend_handles_labels()
        for axes in panels.flat[1 : len(sweeps)]:
            for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
                if name not in names:
                    handles.append(handle)
                    names.append(name)
        figure.legend(handles, names, loc="outside lower center", ncols=_columns(len(names)))
    return figure


def _draw_panel(axes: Axes, results: StudyResults, sweep: Sweep, looks: dict[str, Look]) -> None:
    numbers = sorted({number for number, _ in sweep.points})
    tidy(axes)
    if numbers[0] > 0 and numbers[-1] >= 8 * numbers[0]:
        from matplotlib.ticker import NullLocator

        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if len(numbers) <= _MOST_TICKS:
        axes.set_xticks(numbers, [tick(number) for number in numbers])
    axes.axhline(1.0, color=GREY, linewidth=0.8, linestyle=_DASHES)
    for rule in results.study.rules:
        found = [(number, results.average(setting, rule, "share_of_first_best"))
                 for number, setting in sweep.points]  # fmt: skip
        points = [(number, average) for number, average in found if average is not None]
        if not points or rule.label == "first-best":
            continue
        look = looks[rule.label]
        axes.errorbar(
            [number for number, _ in points], [average.mean for _, average in points],
            yerr=[average.reach for _, average in points], label=shortened(rule.label, 34),
            color=look.colour, marker=look.marker, linestyle=look.line, markersize=4.5,
            linewidth=1.3, elinewidth=1.0, capsize=2.5,
        )  # fmt: skip
    axes.set_title(shortened(sweep.panel, 44), fontsize=9, loc="left")
    axes.set_xlabel(sweep.axis + (" (agents)" if sweep.axis.startswith("size") else ""))


# --------------------------------------------------------------------------------- all the markets


def draw_overview(results: StudyResults, settings: Sequence[Setting]) -> Figure:
    """Draw the shares of first best of all mechanisms, a row for each of some settings.

    Parameters
    ----------
    results
        What is there.
    settings
        Which to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rules = [rule for rule in results.study.rules if rule.label != "first-best"]
    with drawing():
        from matplotlib.figure import Figure

        height = 1.4 + max(0.42, 0.09 * len(rules)) * len(settings)
        figure = Figure(figsize=(_WIDTH, height), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        looks = looks_of(results.study.rules)
        for place, rule in enumerate(rules):
            look = looks[rule.label]
            # Side by side within the row, so that no interval hides another.
            shift = 0.0 if len(rules) == 1 else 0.32 * (2 * place / (len(rules) - 1) - 1)
            rows, averages = _found(results, settings, rule, "share_of_first_best")
            if rows:
                axes.errorbar(
                    [average.mean for average in averages], np.array(rows) + shift,
                    xerr=[average.reach for average in averages], label=shortened(rule.label, 34),
                    color=look.colour, marker=look.marker, markersize=5, linestyle="none",
                    elinewidth=1.1, capsize=2.0,
                )  # fmt: skip
        axes.axvline(1.0, color=GREY, linewidth=0.8, linestyle=_DASHES)
        for edge in range(len(settings) - 1):
            axes.axhline(edge + 0.5, color="#e8e8e8", linewidth=0.7)
        tidy(axes)
        _label(axes, [setting.label for setting in settings])
        axes.set_xlabel("share of first best, with 95 % intervals")
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", ncols=_columns(len(rules)))
    return figure


def _columns(names: int) -> int:
    """Spread the names of a legend evenly over its lines, of no more than five."""
    lines = max(1, -(-names // 5))
    return max(1, -(-names // lines))


def _found(
    results: StudyResults, settings: Sequence[Setting], rule: Rule, quantity: str
) -> tuple[list[int], list[Average]]:
    found = [
        (row, results.average(setting, rule, quantity)) for row, setting in enumerate(settings)
    ]
    known = [(row, average) for row, average in found if average is not None]
    return [row for row, _ in known], [average for _, average in known]


def _label(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows, the first on top."""
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_yticks(range(len(names)))
    lines = [fill(shortened(name, 80), 40) for name in names]
    axes.set_yticklabels(lines, parse_math=False, fontsize=8.5)
    axes.tick_params(axis="y", length=0)


# -------------------------------------------------------------------------------------- one market


def draw_market_charts(results: StudyResults, setting: Setting, currency: str) -> Figure:
    """Draw one setting: gains by mechanism, who gets them, and the prices.

    Parameters
    ----------
    results
        What is there.
    setting
        The setting.
    currency
        What amounts are in.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rules = setting.rules
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(
            figsize=(_WIDTH, 1.9 + 0.34 * len(rules)), layout="constrained", facecolor="white"
        )
        gains, parts, prices = figure.subplots(1, 3, sharey=True)
        _draw_gains(gains, results, setting)
        _draw_parts(parts, results, setting)
        _draw_prices(prices, results, setting)
        unit = unit_of(one_line(currency) or "units of money")
        for axes, title, label in (
            (gains, "gains from trade, 95 % intervals", "gains from trade"),
            (parts, "who gets them", "expected amount"),
            (prices, "prices of all trades", "price"),
        ):
            tidy(axes)
            axes.locator_params(axis="x", nbins=5)
            axes.set_title(title, fontsize=9, loc="left")
            axes.set_xlabel(label + unit)
        _label(gains, [rule.label for rule in rules])
        for axes in (parts, prices):
            axes.tick_params(axis="y", length=0, labelleft=False)
    return figure


def _draw_gains(axes: Axes, results: StudyResults, setting: Setting) -> None:
    looks = looks_of(results.study.rules)
    best = None
    for row, rule in enumerate(setting.rules):
        average = results.average(setting, rule, "gains_from_trade")
        if average is None:
            why = absence(results, setting, rule)
            axes.text(0.02, row, why, transform=axes.get_yaxis_transform(), color=GREY,
                      style="italic", va="center", fontsize=8)  # fmt: skip
            continue
        best = best or results.average(setting, rule, "first_best")
        look = looks[rule.label]
        axes.errorbar(
            [average.mean], [row], xerr=[average.reach], color=look.colour, marker=look.marker,
            markersize=6, linestyle="none", elinewidth=1.4, capsize=3,
        )  # fmt: skip
    if best is not None:
        axes.axvline(best.mean, color=GREY, linewidth=0.9, linestyle=_DASHES)


_PARTS = (
    ("buyers_utility", "buyers", BUYER, ""),
    ("sellers_utility", "sellers", SELLER, "////"),
    ("surplus", "mechanism", AFTER, "...."),
)


def _draw_parts(axes: Axes, results: StudyResults, setting: Setting) -> None:
    """Stack the two sides' utilities and the surplus; a deficit stands left of zero."""
    for quantity, name, colour, hatch in _PARTS:
        rows, starts, widths = [], [], []
        for row, rule in enumerate(setting.rules):
            amounts = {part: results.average(setting, rule, part) for part, *_ in _PARTS}
            average = amounts[quantity]
            if average is None:
                continue
            start = 0.0
            for part, *_ in _PARTS:
                if part == quantity:
                    break
                before = amounts[part]
                if before is not None and (before.mean < 0) == (average.mean < 0):
                    start += before.mean
            rows.append(row)
            starts.append(start)
            widths.append(average.mean)
        axes.barh(rows, widths, left=starts, height=0.62, color=colour, hatch=hatch, label=name,
                  edgecolor="white", linewidth=0.6)  # fmt: skip
    axes.axvline(0.0, color=INK, linewidth=0.8)
    _legend_below(axes, 3)


def _legend_below(axes: Axes, columns: int) -> None:
    """Put the legend below the label of the axis."""
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure(root=True)
    assert figure is not None
    below = axes.transAxes + ScaledTranslation(0, -0.42, figure.dpi_scale_trans)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), bbox_transform=below, ncols=columns,
                handlelength=1.2, columnspacing=1.0, borderaxespad=0.0)  # fmt: skip


def _draw_prices(axes: Axes, results: StudyResults, setting: Setting) -> None:
    """Draw how prices vary: median, the middle half, and nine in ten."""
    from catallax.estimate.study import quantile_field

    sides = (("buyer_pays", "buyers pay", BUYER, "o", -0.16),
             ("seller_receives", "sellers receive", SELLER, "s", 0.16))  # fmt: skip
    for name, label, colour, marker, shift in sides:
        first = True
        for row, rule in enumerate(setting.rules):
            at = _mean_quantiles(results, setting, rule, [
                quantile_field(name, chance) for chance in (0.05, 0.25, 0.5, 0.75, 0.95)
            ])  # fmt: skip
            if at is None:
                continue
            height = row + shift
            axes.plot([at[0], at[4]], [height] * 2, color=colour, linewidth=1.0)
            axes.plot([at[1], at[3]], [height] * 2, color=colour, linewidth=4.0, alpha=0.45,
                      solid_capstyle="butt")  # fmt: skip
            axes.plot([at[2]], [height], color=colour, marker=marker, markersize=4.5,
                      linestyle="none", label=label if first else None)  # fmt: skip
            first = False
    if axes.lines:
        _legend_below(axes, 2)
    else:
        axes.text(0.5, 0.5, "no trades", transform=axes.transAxes, ha="center", style="italic")


def _mean_quantiles(
    results: StudyResults, setting: Setting, rule: Rule, names: Sequence[str]
) -> list[float] | None:
    """Take the mean of the seeds' quantiles, of those that saw a trade."""
    records = [
        record for record in results.records_of(setting, rule) if record[names[0]] is not None
    ]
    if not records:
        return None
    return [float(np.mean([float(record[name] or 0.0) for record in records])) for name in names]
