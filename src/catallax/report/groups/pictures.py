"""Pictures of trade between two groups: what is believed and recommended, and the limits."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catallax.report.canvas import AFTER, BUYER, GREY, INK, SELLER, drawing, save, tick, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from catallax.groups import Recommendation, ShareCurves
    from catallax.groups.trade import Group

__all__ = [
    "draw_recommendation",
    "draw_share_curves",
    "save_recommendation_picture",
    "save_share_curves_picture",
]

_POINTS = 400
_MOST_KINDS = 4


def save_recommendation_picture(
    recommendation: Recommendation, path: str | Path, currency: str = ""
) -> None:
    """Draw a recommendation into a .svg or .png file; see `draw_recommendation`."""
    save(draw_recommendation(recommendation, currency), Path(path))


def draw_recommendation(recommendation: Recommendation, currency: str = "") -> Figure:
    """Draw what is believed of both groups, the price, and what each way to decide brings.

    On the left, for every price each buyer could pay: the part of the buyers that is expected to
    be in favour, and of the sellers (of a single member the chance); the recommended price is
    a vertical line, the expected cost to the sellers for each buyer a dotted one. On the right
    a row for each way to decide: its share of first best, the chances that the sides are not
    worse off, and what each side is expected to gain.

    Parameters
    ----------
    recommendation
        What to draw.
    currency
        What amounts are in.

    Returns
    -------
    matplotlib.figure.Figure
        Not connected to any window.

    Raises
    ------
    CatallaxError
        If matplotlib is not installed.
    """
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(12.0, 5.0), facecolor="white")
        left, right = figure.subplots(1, 2, width_ratios=[1.0, 1.0])
        figure.subplots_adjust(left=0.06, right=0.87, bottom=0.12, top=0.76, wspace=0.33)
        figure.suptitle(_title(recommendation, currency), x=0.06, y=0.98, ha="left", fontsize=10.5)
        _draw_favour(left, recommendation, currency)
        _draw_ways(right, recommendation)
    return figure


def _draw_favour(axes: Axes, recommendation: Recommendation, currency: str) -> None:
    trade, price = recommendation.trade, recommendation.vote.price
    ratio = trade.n_buyers / trade.n_sellers
    low, high = _range(recommendation)
    prices = np.unique(np.append(np.linspace(low, high, _POINTS), price))
    buyers = _part(trade.buyers, prices, above=True)
    sellers = _part(trade.sellers, prices * ratio, above=False)
    first, second = _in_favour(trade.n_buyers, "buyer"), _in_favour(trade.n_sellers, "seller")
    axes.plot(prices, 100 * buyers, color=BUYER, label=first)
    axes.plot(prices, 100 * sellers, color=SELLER, linestyle="--", label=second)
    axes.axvline(price, color=AFTER, linewidth=1.2, label=f"recommended price {price:,.6g}")
    cost = trade.sellers.total_mean / trade.n_buyers
    what = "expected cost" if trade.n_buyers == 1 else "expected cost for each buyer"
    axes.axvline(cost, color=INK, linewidth=1.0, linestyle=":", label=f"{what} {cost:,.6g}")
    axes.set_ylim(-2, 102)
    axes.set_xlim(low, high)
    tidy(axes)
    axes.set_xlabel(f"price for each buyer{f' ({currency})' if currency else ''}")
    axes.set_ylabel("expected to be in favour (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.01), ncols=2, columnspacing=1.2)


def _title(recommendation: Recommendation, currency: str) -> str:
    value, trade = recommendation.best.value, recommendation.trade
    if value.trade_probability <= 0 or value.gains_from_trade <= 0:
        return "Recommended: no trade"
    unit = f" {currency}" if currency else ""
    each = "each" if trade.n_buyers > 1 else "the"
    receives = f"{value.seller_receives:,.10g}{unit}"
    receives += f" for {'each' if trade.n_sellers > 1 else 'the'} seller"
    rule = textwrap.shorten(str(value.rule), 130, placeholder=" ...")
    return (
        f"Recommended: a vote on a price of {value.price:,.10g}{unit} for {each} buyer "
        f"({receives})\n"
        f"needed in favour: {rule}"
    )


def _in_favour(size: int, word: str) -> str:
    return f"{word}s in favour" if size > 1 else f"chance that the {word} is in favour"


def _range(recommendation: Recommendation) -> tuple[float, float]:
    trade = recommendation.trade
    ends = []
    for group, ratio in ((trade.buyers, 1.0), (trade.sellers, trade.n_sellers / trade.n_buyers)):
        for prior, _ in group.parts[:_MOST_KINDS]:
            ends.extend(ratio * float(prior.quantile(level)) for level in (0.005, 0.995))
    ends += [recommendation.vote.price, trade.sellers.total_mean / trade.n_buyers]
    low, high = min(ends), max(ends)
    margin = 0.04 * (high - low) or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _part(group: Group, prices: Any, *, above: bool) -> Any:
    found = np.zeros(prices.size)
    for prior, who in group.parts:
        chance = prior.probability_at_least(prices) if above else prior.cdf(prices)
        found += who.size * np.asarray(chance)
    return found / group.size


def _draw_ways(axes: Axes, recommendation: Recommendation) -> None:
    ways = [recommendation.best, *recommendation.others][::-1]
    for row, way in enumerate(ways):
        value = way.value
        share = value.share_of_first_best
        if share is not None:
            colour = AFTER if way is recommendation.best else GREY
            axes.barh(row, 100 * max(share, 0.0), height=0.55, color=colour, alpha=0.55, zorder=1)
            axes.text(1.0, row, f"{share:.1%}", va="center", fontsize=8.0, color=INK, zorder=3)
        marks = ((value.ir_buyers, BUYER, "o", 0.14), (value.ir_sellers, SELLER, "s", -0.14))
        for chance, colour, marker, shift in marks:
            axes.plot(
                100 * chance, row + shift, marker, color=colour, markersize=5.5,
                markeredgecolor="white", clip_on=False, zorder=4,
            )  # fmt: skip
        whole = value.first_best
        gains = " / ".join(_short(x, whole) for x in (value.buyers_utility, value.sellers_utility))
        axes.text(104.0, row, gains, va="center", fontsize=8.0, color=INK)
    head = "expected gain,\nbuyers / sellers"
    axes.text(104.0, len(ways) - 0.45, head, va="bottom", fontsize=8.0, color=INK)
    axes.set_yticks(range(len(ways)), [way.name for way in ways])
    axes.set_xlim(0, 100)
    axes.set_xlabel("%")
    axes.tick_params(axis="y", length=0)
    axes.barh([0], [0], color=AFTER, alpha=0.55, label="recommended: share of first best")
    axes.barh([0], [0], color=GREY, alpha=0.55, label="others: share of first best")
    axes.plot([], [], "o", color=BUYER, label="buyers not worse off")
    axes.plot([], [], "s", color=SELLER, label="sellers not worse off")
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.03, 1.01), ncols=2, columnspacing=1.0,
        handletextpad=0.5, fontsize=8.0,
    )  # fmt: skip


def _short(amount: float, whole: float) -> str:
    if abs(amount) < 1e-6 * abs(whole):
        return "0" if amount == 0 else "≈ 0"
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount:.3g}"


def save_share_curves_picture(curves: ShareCurves, path: str | Path) -> None:
    """Draw shares of first best by size into a .svg or .png file."""
    save(draw_share_curves(curves), Path(path))


def draw_share_curves(curves: ShareCurves) -> Figure:
    """Draw shares of first best against the size of the groups, a panel for each pair of means.

    Parameters
    ----------
    curves
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Not connected to any window.
    """
    with drawing():
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter

        panels = curves.to_dict()["panels"]
        figure = Figure(figsize=(4.0 * len(panels), 3.9), facecolor="white")
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        figure.subplots_adjust(left=0.07, right=0.985, bottom=0.15, top=0.78, wspace=0.08)
        for axes, panel in zip(row, panels, strict=True):
            lines = (
                ("best_vote", AFTER, "-", "best vote"),
                ("forced_trade", BUYER, "--", "forced trade"),
                ("smooth", SELLER, ":", "smooth lotteries, at most"),
            )
            for name, colour, style, label in lines:
                axes.plot(curves.sizes, panel[name], style, color=colour, label=label)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
            axes.set_ylim(-0.02, 1.02)
            axes.set_title(
                f"means {panel['buyer_mean']:g} and {panel['seller_mean']:g}", fontsize=9.5
            )
            axes.set_xlabel("members a side")
        row[0].set_ylabel("share of first best")
        row[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.12), ncols=3)
    return figure
