"""The picture of a prior: its law, its virtual values and costs, and its revenue curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.errors import PriorError
from catallax.report.canvas import AFTER, BUYER, GREY, INK, SELLER, drawing, save, tidy
from catallax.report.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from catallax.priors import IronedInterval, Prior

__all__ = ["draw_prior", "save_prior_picture"]

Array = NDArray[np.float64]

# An unbounded support is shown between these probabilities.
_TAIL = 0.004
# More atoms than these cannot be told apart as stems: a histogram shows them.
_MOST_STEMS = 80
_MOST_POINTS = 4_000
_BINS = 60


# Beyond this, and below its inverse, axes run out of numbers.
_WIDEST = 1e100


def save_prior_picture(prior: Prior, path: str | Path) -> None:
    """Draw a prior into a file.

    Parameters
    ----------
    prior
        What to draw.
    path
        A file that ends in .svg or .png.

    Raises
    ------
    CatallaxError
        If matplotlib is not installed, or the prior has no virtual values.
    """
    save(draw_prior(prior), Path(path))


def draw_prior(prior: Prior) -> Figure:
    """Draw a prior: law, virtual values and costs before and after ironing, revenue curve.

    Parameters
    ----------
    prior
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Not connected to any window.

    Raises
    ------
    CatallaxError
        If matplotlib is not installed.
    PriorError
        If the prior has no virtual values.
    """
    values = _grid(prior)
    span = float(values.max()) - float(values.min())
    if not np.isfinite(span) or abs(span) > _WIDEST or (span and span < 1 / _WIDEST):
        raise PriorError(
            f"{prior.describe()}: its amounts lie too far apart, or too close, to be drawn; "
            "measure them in another unit"
        )
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11.5, 7.8), facecolor="white")
        panels = figure.subplots(2, 2)
        figure.subplots_adjust(
            left=0.075, right=0.975, bottom=0.075, top=0.885, hspace=0.38, wspace=0.24
        )
        figure.text(
            0.015, 0.955, shortened(prior.describe(), 90), fontsize=14, weight="bold",
            parse_math=False,
        )  # fmt: skip
        _draw_law(panels[0, 0], prior, values)
        _draw_revenue(panels[0, 1], prior, values)
        _draw_virtual(
            panels[1, 0], values, prior.virtual_value, prior.ironed_values, BUYER, "virtual value"
        )
        _draw_virtual(
            panels[1, 1], values, prior.virtual_cost, prior.ironed_costs, SELLER, "virtual cost"
        )
    return figure


def _grid(prior: Prior) -> Array:
    """Choose the values at which curves are drawn, dense where the law or a curve bends."""
    low, high = (float(end) for end in prior.support)
    inner = np.linspace(_TAIL, 1 - _TAIL, 601)
    quantiles = np.asarray(prior.quantile(inner), dtype=np.float64)
    low = low if np.isfinite(low) else float(quantiles[0])
    high = high if np.isfinite(high) else float(quantiles[-1])
    atoms = np.asarray(prior.atoms[0], dtype=np.float64)
    if atoms.size > _MOST_POINTS:
        atoms = atoms[np.linspace(0, atoms.size - 1, _MOST_POINTS).round().astype(np.int64)]
    blocks = (*prior.ironed_values, *prior.ironed_costs)
    ends = np.array([end for block in blocks for end in (block.low, block.high)])
    jumps = np.concatenate([atoms, ends])
    # Both neighbours of a jump: the curve climbs there, and not over a stretch of the grid.
    around = [np.nextafter(jumps, -np.inf), jumps, np.nextafter(jumps, np.inf)]
    points = np.concatenate([quantiles, np.linspace(low, high, 601), *around])
    return np.unique(points[(points >= low) & (points <= high)])


def _draw_law(axes: Axes, prior: Prior, values: Array) -> None:
    """Draw the density as a line, atoms as stems; many atoms as a histogram."""
    tidy(axes)
    atoms, masses = (np.asarray(part, dtype=np.float64) for part in prior.atoms)
    axes.set_title("density", loc="left")
    axes.set_xlabel("value")
    axes.set_xlim(*_width(values))
    if atoms.size > _MOST_STEMS:
        edges = np.linspace(values[0], values[-1], _BINS + 1)
        masses_below = np.asarray(prior.probability_below(edges), dtype=np.float64)
        masses_below[-1] = float(prior.cdf(edges[-1]))
        axes.stairs(np.diff(masses_below), edges, fill=True, color=GREY, alpha=0.6, gid="histogram")
        axes.set_title(f"probability in each of {_BINS} bins ({atoms.size:,} atoms)", loc="left")
        axes.set_ylim(bottom=0)
        return
    smooth = atoms.size == 0 or float(masses.sum()) < 1 - 1e-12
    if smooth:
        density = np.asarray(prior.density(values), dtype=np.float64)
        density[~np.isfinite(density)] = np.nan
        axes.fill_between(values, density, color=GREY, alpha=0.3, linewidth=0)
        axes.plot(values, density, color=INK, linewidth=1.6, gid="density")
        # A density may have a pole at an end of the support: what is beside it must stay visible.
        usual = prior.density(prior.quantile(np.linspace(0.05, 0.95, 181)))
        usual, peak = float(np.max(usual)), float(np.nanmax(density))
        axes.set_ylim(0, 1.08 * (peak if peak < 3 * usual else 1.5 * usual))
    if atoms.size:
        beside = axes
        if smooth:
            beside = axes.twinx()
            beside.spines["right"].set_visible(True)
            axes.set_title(
                "density (line, left); probabilities of single values (stems, right)", loc="left"
            )
        else:
            axes.set_title("probability of each value", loc="left")
        beside.vlines(atoms, 0, masses, color=INK, linewidth=1.4, gid="atoms")
        beside.plot(atoms, masses, "o", color=INK, markersize=4, gid="masses")
        beside.set_ylim(0, 1.12 * float(masses.max()))


def _draw_virtual(
    axes: Axes,
    values: Array,
    virtual: Callable[..., Array],
    blocks: Sequence[IronedInterval],
    colour: str,
    name: str,
) -> None:
    """Draw a virtual value or cost before and after ironing."""
    tidy(axes)
    before = np.asarray(virtual(values, ironed=False), dtype=np.float64)
    after = np.asarray(virtual(values), dtype=np.float64)
    before[~np.isfinite(before)] = np.nan
    after[~np.isfinite(after)] = np.nan
    word = name.removeprefix("virtual ")
    _shade(axes, blocks)
    axes.axhline(0, color=GREY, linewidth=0.7)
    axes.plot(values, values, color=GREY, linewidth=0.9, linestyle=":", label=f"the {word} itself")
    if blocks:
        axes.plot(
            values, before, color=INK, linewidth=1.1, linestyle=(0, (4, 2)),
            label="before ironing", gid="before-ironing",
        )  # fmt: skip
    label = "after ironing" if blocks else f"{name} (nothing to iron)"
    dot = "o" if values.size == 1 else ""
    axes.plot(
        values, after, color=colour, linewidth=2.0, marker=dot, label=label, gid="after-ironing"
    )
    axes.set_ylim(*_limits(after, before, float(values[-1] - values[0])))
    axes.set_xlim(*_width(values))
    axes.set_title(name, loc="left")
    axes.set_xlabel(word)
    axes.legend(loc="best")


def _limits(after: Array, before: Array, spread: float) -> tuple[float, float]:
    """Choose heights that show the curves, but not how a tail runs away."""
    known = np.concatenate([after[np.isfinite(after)], before[np.isfinite(before)]])
    if not known.size:
        return -1.0, 1.0
    near, far = np.quantile(known, [0.06, 0.94])
    reach = 1.5 * max(far - near, spread)
    low, high = max(known.min(), near - reach), min(known.max(), far + reach)
    margin = 0.06 * (high - low) or 0.5 * max(abs(high), 1.0)
    return float(low - margin), float(high + margin)


def _width(values: Array) -> tuple[float, float]:
    margin = 0.03 * (values[-1] - values[0]) or 0.5 * max(abs(float(values[0])), 1.0)
    return float(values[0] - margin), float(values[-1] + margin)


def _shade(axes: Axes, blocks: Sequence[IronedInterval]) -> None:
    for place, block in enumerate(blocks):
        _band(axes, block.low, block.high, "ironed" if place == 0 else None)


def _band(axes: Axes, low: float, high: float, label: str | None = None) -> None:
    """Shade an interval; its edges tell it from the one beside it."""
    axes.axvspan(
        low, high, facecolor=AFTER, edgecolor=AFTER, alpha=0.14, linewidth=0.8, label=label
    )


def _draw_revenue(axes: Axes, prior: Prior, values: Array) -> None:
    """Draw revenue over the probability of a sale, and the hull that ironing puts over it."""
    tidy(axes)
    atoms = np.asarray(prior.atoms[0], dtype=np.float64)
    masses = np.asarray(prior.atoms[1], dtype=np.float64)
    if atoms.size and masses.sum() > 1 - 1e-12:
        values = values[np.isin(values, atoms)]  # between atoms no price is best
    sold = np.asarray(prior.probability_at_least(values), dtype=np.float64)
    inside = np.zeros(values.size, dtype=bool)
    for block in prior.ironed_values:
        inside |= (values > block.low) & (values < block.high)
        ends = prior.probability_at_least(np.array([block.low, block.high]))
        _band(axes, float(ends[1]), float(ends[0]))
    revenue = values * sold
    keep = ~inside
    if np.isfinite(prior.support[1]):
        # At a price above everybody's value nothing is sold.
        values, sold, revenue, keep = (
            np.append(part, last)
            for part, last in ((values, np.inf), (sold, 0.0), (revenue, 0.0), (keep, True))
        )
    axes.plot(
        sold, revenue, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), label="revenue",
        gid="revenue",
    )  # fmt: skip
    axes.plot(sold[keep], revenue[keep], color=BUYER, linewidth=2.0, label="its concave hull",
              gid="hull", zorder=1.8)  # fmt: skip
    axes.set_xlim(-0.02, 1.02)
    axes.set_title("revenue curve", loc="left")
    axes.set_xlabel("probability of a sale, P(value ≥ price)")
    axes.set_ylabel("price × probability")
    axes.legend(loc="best")
