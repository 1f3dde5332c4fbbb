"""Supply and demand of a cleared market, with the prices that were paid and received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.report.canvas import INK, tidy
from catallax.report.rows import MOST_ROWS, Side, evenly, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from catallax.mechanisms import Outcome

__all__ = ["draw_staircases"]

Array = NDArray[np.float64]


def draw_staircases(
    axes: Axes, outcome: Outcome, sides: tuple[Side, Side], low: float, high: float
) -> None:
    """Draw demand and supply, the quantity traded, and the prices paid and received."""
    tidy(axes, whole=True)
    longest = max(len(side) for side in sides)
    axes.set_xlim(0, max(longest, 1) * 1.02)
    margin = 0.04 * (high - low)
    axes.set_ylim(low - (margin if low < 0 else 0), high + margin)
    axes.set_xlabel("quantity (traders, best report first)")
    axes.set_ylabel(f"bids, asks and prices{unit_of(outcome.market.currency)}")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    quantity = len(outcome)
    if quantity:
        axes.axvspan(0, quantity, color="#f3f3f3", zorder=0, linewidth=0)
        axes.axvline(quantity, color=INK, linewidth=0.9, linestyle=(0, (1, 1.5)), gid="quantity")
        right = quantity < 0.8 * longest
        axes.annotate(
            f"{quantity:,} traded", (quantity, 1.0), (4 if right else -4, -3), fontsize=8.5,
            xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
            ha="left" if right else "right",
        )  # fmt: skip
    for side, name, style in zip(sides, ("demand", "supply"), ("-", (0, (5, 1.4))), strict=True):
        _stairs(axes, side.reports, f"{name} (all {'bids' if name == 'demand' else 'asks'})",
                color=side.colour, linestyle=style, linewidth=1.8, gid=name)  # fmt: skip
    for side, label in zip(sides, ("buyers pay", "sellers receive"), strict=True):
        prices = np.sort(side.price[~np.isnan(side.price)])
        if prices.size:
            prices = prices[::-1] if side.role == "buyer" else prices
            _mark_prices(axes, side, prices, label)
    if not longest:
        return
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=3.2,
        columnspacing=2.0, borderaxespad=0.2,
    )  # fmt: skip


def _stairs(axes: Axes, heights: Array, label: str, **style: Any) -> None:
    """Draw a staircase with a step of width one for each number."""
    if not heights.size:
        return
    chosen = evenly(heights.size, MOST_ROWS)
    edges = np.append(chosen, heights.size)
    x = np.repeat(edges, 2)[1:-1]
    axes.plot(x, np.repeat(heights[chosen], 2), label=label, solid_joinstyle="miter", **style)


def _mark_prices(axes: Axes, side: Side, prices: Array, label: str) -> None:
    """Draw prices as a dark staircase with a few marks on it."""
    chosen = evenly(prices.size, MOST_ROWS)
    # Where both sides have one price the marks of the one must not hide those of the other.
    buyers = side.role == "buyer"
    marks = evenly(prices.size, 24)
    marks = marks if prices.size <= 12 else marks[0 if buyers else 1 :: 2]
    style = (0, (1, 1)) if buyers else (0, (4, 1.2, 1, 1.2))
    edges = np.append(chosen, prices.size)
    axes.plot(
        np.repeat(edges, 2)[1:-1], np.repeat(prices[chosen], 2), color=INK, linewidth=1.0,
        linestyle=style, zorder=3,
    )  # fmt: skip
    axes.plot(
        marks + (0.3 if buyers else 0.7), prices[marks], side.marker, color=side.colour,
        markersize=6.0, markeredgecolor="white", markeredgewidth=0.7, linestyle="none", zorder=4,
        gid=f"prices-{side.role}s",
    )  # fmt: skip
    axes.plot(
        [], [], marker=side.marker, color=INK, markerfacecolor=side.colour, linewidth=1.0,
        markeredgecolor="white", markersize=6.0, linestyle=style, label=label,
    )  # fmt: skip
