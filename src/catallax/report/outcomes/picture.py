"""The picture of a cleared market: who trades with whom, and supply and demand.

On the left every agent has a row, best reports on top: a bar as long as the report, and a mark
at the price. Lines join those who trade. On the right are the staircases of all reports, the
quantity traded, and the prices paid and received.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import NDArray

from catallax.report.canvas import INK, WAITING, drawing, save, tidy
from catallax.report.numbers import aligned, count
from catallax.report.outcomes.staircases import draw_staircases
from catallax.report.rows import Side, evenly, side_of, unit_of
from catallax.report.text import one_line, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from catallax.mechanisms import Outcome

__all__ = ["draw_market", "save_market_picture"]

Array = NDArray[np.float64]

# Up to so many edges that do not trade are drawn, faintly.
_FAINT_EDGES = 600
_FAINT_EDGES_IF_COMPLETE = 120
# More lines than these cannot be told apart on a page: evenly chosen ones stand for all.
_MOST_LINES = 1_500


def save_market_picture(outcome: Outcome, path: str | Path, mechanism: str = "") -> None:
    """Draw a cleared market into a file.

    Parameters
    ----------
    outcome
        What to draw.
    path
        A file that ends in .svg or .png.
    mechanism
        What the title calls the mechanism; by default the one of the outcome.

    Raises
    ------
    CatallaxError
        If matplotlib is not installed.
    """
    save(draw_market(outcome, mechanism), Path(path))


def draw_market(outcome: Outcome, mechanism: str = "") -> Figure:
    """Draw a cleared market: the trades on the left, supply and demand on the right.

    Parameters
    ----------
    outcome
        What to draw.
    mechanism
        What the title calls the mechanism; by default the one of the outcome.

    Returns
    -------
    matplotlib.figure.Figure
        Not connected to any window.

    Raises
    ------
    CatallaxError
        If matplotlib is not installed.
    """
    buyers, sellers = side_of(outcome, "buyer"), side_of(outcome, "seller")
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(13, 6.4), facecolor="white")
        left, right = 0.02 + _room(buyers.names), 0.975
        gap = _room(sellers.names) + 0.07
        shares = np.array([0.23, 0.155, 0.23, 0.0, 0.385]) * (right - left - gap)
        shares[3] = gap
        grid = figure.add_gridspec(
            1, 5, width_ratios=shares.tolist(), wspace=0.0, left=left, right=right, bottom=0.125,
            top=0.83,
        )  # fmt: skip
        low, high, beyond = _money_range(outcome)
        bids, links, asks = (figure.add_subplot(grid[0, place]) for place in range(3))
        _draw_wing(bids, buyers, low, high, outcome.market.currency)
        _draw_wing(asks, sellers, low, high, outcome.market.currency)
        _draw_links(links, outcome, buyers, sellers)
        draw_staircases(figure.add_subplot(grid[0, 4]), outcome, (buyers, sellers), low, high)
        _write_title(figure, outcome, beyond, mechanism or outcome.mechanism)
    return figure


def _room(names: list[str] | None) -> float:
    """Leave room for names beside their rows, as a share of the page's width."""
    widths = [
        sum(2 if east_asian_width(letter) in "WF" else 1 for letter in name) for name in names or ()
    ]
    return 0.005 + 0.0055 * max(widths, default=0)


def _money_range(outcome: Outcome) -> tuple[float, float, int]:
    """Choose the part of the money axis to show, and count the amounts beyond it.

    A single ask of a million, meant as "never", would press everything else into one pixel.
    """
    reports = np.concatenate([outcome.reports.bids, outcome.reports.asks])
    if not reports.size:
        return 0.0, 1.0, 0
    prices = np.concatenate([outcome.buyer_pays, outcome.seller_receives])
    amounts = np.concatenate([reports, prices])
    near, far = (float(end) for end in np.quantile(amounts, [0.05, 0.95]))
    near = min(near, 0.0)
    reach = 3 * (far - near)
    low = max(min(float(amounts.min()), 0.0), near - reach)
    high = min(float(amounts.max()), far + reach)
    beyond = int(np.count_nonzero((amounts < low) | (amounts > high)))
    return low, (high if high > low else low + 1.0), beyond


# ------------------------------------------------------------------------------------ the trades


def _draw_wing(axes: Axes, side: Side, low: float, high: float, currency: str) -> None:
    """Draw the rows of one side: bars from zero out to the reports, marks at the prices."""
    from matplotlib.collections import LineCollection

    buyers = side.role == "buyer"
    axes.set_ylim(0, 1)
    # Both sides grow outwards from the links between them.
    margin = 0.05 * (high - low)
    inner, outer = low - 0.4 * margin, high + margin
    axes.set_xlim((outer, inner) if buyers else (inner, outer))
    tidy(axes)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel(side.caption + unit_of(currency), color=side.colour)
    axes.set_title(count(len(side), side.role), color=side.colour, fontsize=10, parse_math=False)
    for spine in ("left", "right"):
        axes.spines[spine].set_visible(False)
    _label_rows(axes, side)
    if not len(side):
        axes.text(
            0.5, 0.5, f"no {side.role}s", ha="center", transform=axes.transAxes, style="italic"
        )
        return
    rows = side.shown
    height, report, price = side.height[rows], side.reports[rows], side.price[rows]
    trades = ~np.isnan(price)
    thick = _thickness(rows.size)
    base = np.full(rows.size, min(max(low, 0.0), high))
    for chosen, colour, name in ((~trades, WAITING, "waiting"), (trades, side.colour, "trading")):
        bars = _segments(base[chosen], height[chosen], report[chosen], height[chosen])
        lines = LineCollection(bars, colors=colour, linewidths=thick, capstyle="butt", zorder=2)
        if name == "trading":
            lines.set_alpha(0.7)
        lines.set_gid(f"{side.role}s-{name}")
        axes.add_collection(lines)
    size = float(np.clip(thick * 1.1, 2.2, 6.5))
    edge = 0.6 if thick > 3 else 0.0
    axes.plot(
        price[trades], height[trades], side.marker, color=INK, markersize=size,
        markeredgecolor="white", markeredgewidth=edge, linestyle="none", zorder=4,
        gid=f"{side.role}s-prices", alpha=1.0 if thick > 1 else 0.7,
    )  # fmt: skip


def _label_rows(axes: Axes, side: Side) -> None:
    axes.yaxis.set_ticks_position("left" if side.role == "buyer" else "right")
    if side.names is None or not side.names:
        axes.set_yticks([])
        return
    axes.set_yticks(side.height)
    axes.set_yticklabels(side.names, fontsize=float(np.clip(260 / len(side), 6.0, 9.0)))
    axes.tick_params(axis="y", length=0)


def _thickness(rows: int) -> float:
    """Give the thickness of a bar in points: rows fill 70 % of the panel's 330 points."""
    return float(np.clip(0.7 * 330 / max(rows, 1), 0.15, 26.0))


def _segments(x0: Array, y0: Array, x1: Array, y1: Array) -> list[Array]:
    return list(np.stack([np.stack([x0, y0], axis=-1), np.stack([x1, y1], axis=-1)], axis=1))


def _draw_links(axes: Axes, outcome: Outcome, buyers: Side, sellers: Side) -> None:
    """Join those who trade, and faintly those who might."""
    from matplotlib.collections import LineCollection

    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_axis_off()
    left, right = 0.05, 0.95

    def lines(buyer: NDArray[np.int64], seller: NDArray[np.int64]) -> list[Array]:
        y0, y1 = buyers.height[buyer], sellers.height[seller]
        return _segments(np.full(y0.size, left), y0, np.full(y1.size, right), y1)

    idle = _idle_edges(outcome)
    if idle is not None:
        faint = LineCollection(
            lines(buyers.row[idle[0]], sellers.row[idle[1]]),
            colors="#d4d4d4", linewidths=0.6, linestyles=(0, (4, 2)), zorder=1,
        )  # fmt: skip
        faint.set_gid("edges-without-trade")
        axes.add_collection(faint)
    shown = evenly(len(outcome), _MOST_LINES)
    width = float(np.clip(36 / max(shown.size, 1), 0.3, 1.6))
    trades = LineCollection(
        lines(buyers.row[outcome.buyer_index[shown]], sellers.row[outcome.seller_index[shown]]),
        colors=INK, linewidths=width, alpha=float(np.clip(200 / max(shown.size, 1), 0.25, 1.0)),
        zorder=2,
    )  # fmt: skip
    trades.set_gid("trades")
    axes.add_collection(trades)
    title = count(len(outcome), "trade") if len(outcome) else "no trades"
    if shown.size < len(outcome):
        title += f"\n({shown.size:,} drawn)"
    axes.set_title(title, fontsize=10)
    for side, x in ((buyers, left), (sellers, right)):
        _draw_agents(axes, side, x)
    axes.text(
        0.5, -0.045, "in colour: trades\nin grey: does not", ha="center", va="top", fontsize=8.0,
        transform=axes.transAxes,
    )  # fmt: skip


def _idle_edges(outcome: Outcome) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """List the edges without trade, where there are few enough to draw."""
    graph = outcome.market.graph
    if graph.n_edges > (_FAINT_EDGES_IF_COMPLETE if graph.complete else _FAINT_EDGES):
        return None
    if graph.complete:
        pairs = np.indices((graph.n_buyers, graph.n_sellers)).reshape(2, -1)
        buyer, seller = pairs[0], pairs[1]
    else:
        buyer, seller = graph.buyer.astype(np.int64), graph.seller.astype(np.int64)
    partner = np.full(graph.n_buyers, -1, dtype=np.int64)
    partner[outcome.buyer_index] = outcome.seller_index
    idle = partner[buyer] != seller
    return buyer[idle], seller[idle]


def _draw_agents(axes: Axes, side: Side, x: float) -> None:
    """Draw a dot for every agent, filled if she trades, where there is room for dots."""
    if not len(side) or side.names is None:
        return
    size = float(np.clip(0.6 * 330 / len(side), 3.0, 8.0))
    trades = ~np.isnan(side.price)
    shape = "o" if side.role == "buyer" else "s"
    for chosen, fill, name in ((~trades, "white", "waiting"), (trades, side.colour, "trading")):
        axes.plot(
            np.full(int(chosen.sum()), x), side.height[chosen], shape, color=side.colour,
            markerfacecolor=fill, markersize=size, markeredgewidth=1.2, linestyle="none",
            clip_on=False, zorder=3, gid=f"{side.role}-dots-{name}",
        )  # fmt: skip


# -------------------------------------------------------------------------------------- the title


def _write_title(figure: Figure, outcome: Outcome, beyond: int, mechanism: str) -> None:
    market, totals = outcome.market, outcome.totals
    heading = f"{shortened(market.name, 50)}  ·  {one_line(mechanism)}"
    figure.text(0.012, 0.955, heading, fontsize=14, weight="bold", parse_math=False)
    amounts = [totals[key] for key in ("gains_from_trade", "buyers_pay", "sellers_receive")]
    noise = 1e-13 * max(map(abs, amounts))
    gains, paid, received, rest = aligned([*amounts, totals["surplus"]], noise=noise)
    word = "deficit" if rest.startswith("-") else "surplus"
    unit = f" {one_line(market.currency)}" if market.currency else ""
    line = (
        f"{count(len(outcome), 'trade')}, gains from trade {gains}{unit}   |   buyers pay {paid}, "
        f"sellers receive {received}, {word} {rest.removeprefix('-')}"
    )
    if beyond:
        line += f"   |   {count(beyond, 'amount')} beyond the axes"
    figure.text(0.012, 0.915, line, fontsize=10, parse_math=False)
