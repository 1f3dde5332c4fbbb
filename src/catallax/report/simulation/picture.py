"""The picture of a simulation: gains by mechanism with intervals, and how payments vary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catallax.estimate.words import half_width, written
from catallax.report.canvas import BUYER, GREY, INK, SELLER, drawing, save, tidy
from catallax.report.rows import unit_of
from catallax.report.text import one_line, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from catallax.estimate import Distribution, Simulation

__all__ = ["draw_simulation", "save_simulation_picture"]

_LONGEST_NAME = 26
_WHITE = "#ffffff"


def save_simulation_picture(simulation: Simulation, path: str | Path) -> None:
    """Draw a simulation into a file.

    Parameters
    ----------
    simulation
        What to draw.
    path
        A file that ends in .svg or .png.

    Raises
    ------
    CatallaxError
        If matplotlib is not installed.
    """
    save(draw_simulation(simulation), Path(path))


def draw_simulation(simulation: Simulation) -> Figure:
    """Draw a simulation: a row for each mechanism, gains on the left, payments on the right.

    On the left are expected gains with their 95 % intervals, and who gets them: buyers, sellers,
    or the mechanism, whose deficit reaches to the left of zero. On the right are the prices of
    all trades of all draws: a thin line from the 5 % to the 95 % quantile, a thick one from 25 %
    to 75 %, and a mark at the median.

    Parameters
    ----------
    simulation
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Not connected to any window.

    Raises
    ------
    CatallaxError
        If matplotlib is not installed.
    """
    rows = len(simulation)
    with drawing():
        from matplotlib.figure import Figure

        tall = 0.62 * rows
        height = tall + 1.9
        figure = Figure(figsize=(12.5, height), facecolor="white")
        grid = figure.add_gridspec(
            1, 2, width_ratios=[1.0, 0.8], wspace=0.32, left=0.16, right=0.975,
            bottom=0.95 / height, top=1 - 0.95 / height,
        )  # fmt: skip
        left, right = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
        _draw_gains(left, simulation, tall)
        _draw_payments(right, simulation, tall)
        for axes in (left, right):
            axes.set_ylim(rows - 0.45, -0.55)
            axes.tick_params(axis="y", length=0)
        names = [shortened(name, _LONGEST_NAME) for name in simulation.estimates]
        left.set_yticks(range(rows), names, parse_math=False)
        right.set_yticks(range(rows), [""] * rows)
        _write_title(figure, simulation, height)
    return figure


def _draw_gains(axes: Axes, simulation: Simulation, tall: float) -> None:
    """Draw expected gains with intervals, above bars of who gets them."""
    tidy(axes)
    axes.axvline(0, color=INK, linewidth=0.8)
    best = simulation.first_best.mean
    axes.axvline(
        best, color=GREY, linewidth=1.2, linestyle=(0, (4, 2)), label="first best",
        gid="first-best",
    )  # fmt: skip
    for row, one in enumerate(simulation):
        start, below = 0.0, 0.0
        parts = (
            (one.buyers_utility.mean, BUYER, "", "buyers"),
            (one.sellers_utility.mean, SELLER, "////", "sellers"),
            (one.surplus.mean, _WHITE, "", "mechanism (a deficit: left of 0)"),
        )
        for amount, colour, hatch, name in parts:
            # A loss stands to the left of zero, and what the others gain reaches beyond.
            at = start if amount >= 0 else below + amount
            axes.barh(
                row + 0.14, abs(amount), 0.3, at, color=colour, hatch=hatch, alpha=0.85,
                edgecolor=INK, linewidth=0.5, label=f"to {name}" if row == 0 else None,
                gid=f"{name.split()[0]}-{row}",
            )  # fmt: skip
            start, below = start + max(amount, 0.0), below + min(amount, 0.0)
    gains = [one.gains_from_trade for one in simulation]
    axes.errorbar(
        [one.mean for one in gains], np.arange(len(gains)) - 0.17,
        xerr=[half_width(one) for one in gains], fmt="D", color=INK, markersize=5, capsize=4,
        linewidth=1.4, linestyle="none", label="gains, 95 % interval", gid="gains",
    )  # fmt: skip
    for row, (one, given) in enumerate(zip(gains, simulation, strict=True)):
        share = given.share_of_first_best
        beside = "" if share is None else written(share).removeprefix("= ")
        axes.annotate(
            beside, (one.mean + half_width(one), row - 0.17), (7, 0),
            textcoords="offset points", va="center", fontsize=8, color=INK, parse_math=False,
            bbox={"facecolor": _WHITE, "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip
    axes.use_sticky_edges = False
    axes.margins(x=0.1)
    axes.set_xlabel(f"expected amount{unit_of(simulation.market.currency)}", parse_math=False)
    axes.set_title("gains from trade, beside them the share of the first best", loc="left")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.44, -0.5 / tall), ncols=5, columnspacing=1.1,
        handlelength=1.5,
    )  # fmt: skip


def _draw_payments(axes: Axes, simulation: Simulation, tall: float) -> None:
    """Draw how prices vary: what buyers pay above what sellers receive."""
    tidy(axes)
    seen: list[Distribution] = []
    for row, one in enumerate(simulation):
        sides = (
            (one.buyer_pays, -0.16, BUYER, "o", "buyers pay"),
            (one.seller_receives, 0.16, SELLER, "s", "sellers receive"),
        )
        for amounts, off, colour, marker, name in sides:
            if amounts is None:
                continue
            seen.append(amounts)
            low, near, middle, far, high = (
                amounts.quantile(probability) for probability in (0.05, 0.25, 0.5, 0.75, 0.95)
            )
            gid = f"{name.replace(' ', '-')}-{row}"
            axes.plot([low, high], [row + off] * 2, color=colour, linewidth=1.2, gid=f"{gid}-wide")
            axes.plot(
                [near, far], [row + off] * 2, color=colour, linewidth=6.0, alpha=0.75,
                solid_capstyle="butt", gid=f"{gid}-half",
            )  # fmt: skip
            label = None if name in axes.get_legend_handles_labels()[1] else name
            axes.plot(
                [middle], [row + off], marker, color="white", markeredgecolor=colour,
                markeredgewidth=1.6, markersize=6, linestyle="none", label=label, gid=gid,
            )  # fmt: skip
    axes.set_xlabel(f"price of a trade{unit_of(simulation.market.currency)}", parse_math=False)
    axes.set_title("prices: median, half of all, nine tenths of all", loc="left")
    if seen:
        axes.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, -0.5 / tall))
    else:
        axes.text(0.5, 0.5, "no trades", ha="center", transform=axes.transAxes, style="italic")
        axes.set_xticks([])


def _write_title(figure: Figure, simulation: Simulation, height: float) -> None:
    market = simulation.market
    figure.text(
        0.012, 1 - 0.3 / height, shortened(market.name, 70), fontsize=14, weight="bold",
        parse_math=False,
    )  # fmt: skip
    how = sorted({one.how for one in simulation if one.exact})
    if any(not one.exact for one in simulation):
        form = ", conditional form" if simulation.conditional else ""
        how.append(f"{simulation.samples:,} {simulation.draws} draws, seed {simulation.seed}{form}")
    line = "; ".join(how)
    if simulation.skipped:
        names = ", ".join(shortened(name, _LONGEST_NAME) for name in simulation.skipped)
        line += f"   |   not applicable: {names}"
    figure.text(0.012, 1 - 0.55 / height, one_line(line), fontsize=9.5, parse_math=False)
