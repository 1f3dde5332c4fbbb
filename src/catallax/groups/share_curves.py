"""Shares of first best against the size of the groups: forced trade, best vote, lotteries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError
from catallax.groups.limits import smooth_bound
from catallax.groups.tail_bounds import ForcedTradeBounds, forced_trade_bounds
from catallax.groups.trade import GroupTrade
from catallax.priors import Prior, Uniform
from catallax.progress import Progress

__all__ = ["BoundsRow", "ShareCurves", "bounds_table", "share_curves"]

Array = NDArray[np.float64]

MEANS = ((0.51, 0.49), (0.5, 0.5), (0.49, 0.51))
SIZES = (1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 180, 320, 560, 1000)


@dataclass(frozen=True, eq=False)
class ShareCurves:
    """The data of the figure.

    Attributes
    ----------
    sizes
        Members a side, shape ``(sizes,)``.
    means
        The buyers' and the sellers' mean of each panel, shape ``(panels, 2)``.
    first_best
        Expected gains of first best, shape ``(panels, sizes)``.
    forced_trade, best_vote
        Shares of it, of the same shape.
    smooth
        Upper bounds of the share of any smooth truthful lottery, of the same shape; at most 1.
    smooth_balanced
        Upper bounds if the budget is to balance as well.
    """

    sizes: NDArray[np.int64]
    means: Array
    first_best: Array
    forced_trade: Array
    best_vote: Array
    smooth: Array
    smooth_balanced: Array

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, a list for each panel."""
        named = {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}
        panels = []
        for k, (buyers, sellers) in enumerate(named.pop("means")):
            row = {name: values[k] for name, values in named.items() if name != "sizes"}
            panels.append({"buyer_mean": buyers, "seller_mean": sellers, **row})
        return {"sizes": named["sizes"], "panels": panels}


def uniform_around(mean: float) -> Prior:
    """Return the uniform law on mean - 0.4 to mean + 0.4, of the paper's experiments."""
    return Uniform(mean - 0.4, mean + 0.4)


def share_curves(
    sizes: Sequence[int] = SIZES,
    means: Sequence[tuple[float, float]] = MEANS,
    prior: Callable[[float], Prior] = uniform_around,
    *,
    progress: Progress | None = None,
) -> ShareCurves:
    """Return what forced trade, the best vote and smooth lotteries keep of first best.

    Parameters
    ----------
    sizes
        Members a side.
    means
        Pairs of the buyers' and the sellers' mean, a panel of the figure each.
    prior
        The prior with a given mean.
    progress
        Called with the part that is done and what is being done.

    Returns
    -------
    ShareCurves
        Exact shares, and upper bounds for smooth lotteries.

    Raises
    ------
    CatallaxError
        If there is nothing to gain, so that no share is defined.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorems 4.3, 4.4 and 5.2, which say where the curves go: with the
    buyers' mean above, forced trade and the best vote to 1; with equal means forced trade is 0,
    the best vote tends to a constant below 1 and smooth lotteries to 0 as 1 / sqrt(n).

    Examples
    --------
    >>> curves = share_curves([5], [(0.51, 0.49)])
    >>> curves.forced_trade.round(3).tolist(), curves.best_vote.round(3).tolist()
    ([[0.289]], [[0.881]])
    """
    from catallax.groups.evaluate import evaluate

    shape = (len(means), len(sizes))
    names = ("first_best", "forced_trade", "best_vote", "smooth", "smooth_balanced")
    found = {name: np.zeros(shape) for name in names}
    for place in np.ndindex(shape):
        (buyers, sellers), n = means[place[0]], int(sizes[place[1]])
        trade = GroupTrade(n, n, prior(buyers), prior(sellers))
        best = evaluate(trade, "best-vote")
        if best.share_of_first_best is None:
            raise CatallaxError(
                f"with means {buyers} and {sellers} first best gains nothing, so there is no share "
                "of it; choose priors that overlap"
            )
        found["first_best"][place] = best.first_best
        found["best_vote"][place] = best.share_of_first_best
        forced = evaluate(trade, "forced-trade").gains_from_trade
        found["forced_trade"][place] = min(1.0, forced / best.first_best)
        for name, balanced in (("smooth", False), ("smooth_balanced", True)):
            bound = smooth_bound(trade, balanced=balanced) / best.first_best
            found[name][place] = min(1.0, bound)
        if progress is not None:
            done = (place[0] * shape[1] + place[1] + 1) / (shape[0] * shape[1])
            progress(done, f"{n} members a side")
    return ShareCurves(np.array(sizes, dtype=np.int64), np.array(means, dtype=np.float64), **found)


@dataclass(frozen=True)
class BoundsRow:
    """Forced trade for one size: the truth and what Theorem 4.3 says of it.

    Attributes
    ----------
    n
        Members a side.
    better_off
        The exact probability that both sides are better off.
    share
        The exact share of first best.
    bounds
        The bounds of both, with the Chernoff bounds as printed and as they hold.
    """

    n: int
    better_off: float
    share: float
    bounds: ForcedTradeBounds


def bounds_table(
    sizes: Sequence[int], buyer_prior: Prior | str, seller_prior: Prior | str
) -> list[BoundsRow]:
    """Return the exact values of forced trade beside the bounds of Theorem 4.3.

    Parameters
    ----------
    sizes
        Members a side.
    buyer_prior, seller_prior
        Bounded priors, the buyers' mean above the sellers'.

    Returns
    -------
    list of BoundsRow
        One for each size.

    Examples
    --------
    >>> (row,) = bounds_table([100], "uniform(0.15, 0.95)", "uniform(0.05, 0.85)")
    >>> round(row.better_off, 6), round(row.share, 6), row.bounds.share < row.share
    (0.969987, 0.999902, True)
    """
    from catallax.groups.evaluate import evaluate

    rows = []
    for n in sizes:
        trade = GroupTrade(n, n, buyer_prior, seller_prior)
        exact = evaluate(trade, "forced-trade")
        bounds = forced_trade_bounds(trade)
        share = min(1.0, exact.gains_from_trade / exact.first_best)
        rows.append(BoundsRow(n, exact.ir_both, share, bounds))
    return rows
