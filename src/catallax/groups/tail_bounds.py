"""Theorem 4.3 in numbers: how rarely forced trade leaves a side worse off, and what it loses."""

from __future__ import annotations

import math
from dataclasses import dataclass

from catallax.errors import CatallaxError
from catallax.groups.trade import Group, GroupTrade

__all__ = ["ForcedTradeBounds", "TailBounds", "forced_trade_bounds"]


@dataclass(frozen=True)
class TailBounds:
    """Bounds of the probability that a side is not better off under forced trade.

    Attributes
    ----------
    printed
        The paper's exp(-n delta^2 / (3 mu)), values scaled to [0, 1].
    printed_holds
        Whether that is a bound: for the sellers it is one only if delta <= mu.
    chernoff
        The bound that always holds, exp(-n delta^2 / (2 mu)) for the buyers and
        exp(-n delta^2 / (2 mu + delta)) for the sellers.
    hoeffding
        exp(-2 n delta^2).
    entropy
        exp(-n KL), the best bound that means and supports alone give.
    """

    printed: float
    printed_holds: bool
    chernoff: float
    hoeffding: float
    entropy: float


@dataclass(frozen=True)
class ForcedTradeBounds:
    """Theorem 4.3 in numbers.

    Attributes
    ----------
    buyers, sellers
        Bounds of the probability that the side's total utility is not positive.
    better_off
        A lower bound of the probability that both sides are better off, by `entropy`.
    share
        A lower bound of forced trade's share of first best, by `entropy`.
    share_printed
        The paper's bound of the share, from its tails; None where one of them is no bound.
    """

    buyers: TailBounds
    sellers: TailBounds
    better_off: float
    share: float
    share_printed: float | None


def forced_trade_bounds(trade: GroupTrade) -> ForcedTradeBounds:
    """Bound how often forced trade leaves a side worse off, and what it loses.

    Parameters
    ----------
    trade
        Groups with bounded priors, the buyers' expected total above the sellers'.

    Returns
    -------
    ForcedTradeBounds
        All of it exponential in the sizes of the groups.

    Raises
    ------
    CatallaxError
        If the buyers' expected total is not above the sellers', or a support is unbounded.

    Notes
    -----
    The transfer is halfway between the expected totals, so a side is worse off only if its total
    misses its mean by half the distance D. For the sellers, who may sit near the lower end of
    their interval, the paper applies exp(-n delta^2 / (3 mu)) where delta may exceed mu. That is
    not a bound then: for values that are 0 or 1, with means 0.9 and 0.1, the true tail falls as
    exp(-0.511 n) and the printed one as exp(-0.533 n). The order of the theorem is not touched.

    Groups of different sizes and members with different priors are bounded in the same way, by
    their totals.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 4.3 and Appendix A.8. Hoeffding, Probability inequalities
    for sums of bounded random variables (1963), Theorem 1.

    Examples
    --------
    >>> bounds = forced_trade_bounds(GroupTrade(100, 100, "uniform(0.2, 1)", "uniform(0, 0.8)"))
    >>> round(bounds.buyers.printed, 4), round(bounds.buyers.entropy, 4), round(bounds.share, 3)
    (0.3529, 0.0425, 0.797)
    """
    drift = trade.expected_gain
    if drift <= 0:
        raise CatallaxError(
            f"the buyers' expected total is not above the sellers' (by {drift:.6g}): forced trade "
            "does not trade, and Theorem 4.3 says nothing"
        )
    ends: list[tuple[float, float]] = []
    for group in (trade.buyers, trade.sellers):
        supports = [part.prior.support for part in group.parts]
        low, high = min(low for low, _ in supports), max(high for _, high in supports)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise CatallaxError(
                f"the {group.word}s' values reach from {low} to {high}, and the bounds need a "
                "bounded support; give priors that end"
            )
        ends.append((low, high))
    buyers = _tails(trade.buyers, ends[0], drift / 2, upper=False)
    sellers = _tails(trade.sellers, ends[1], drift / 2, upper=True)
    # Without a trade where none should be, at most the largest loss is saved.
    loss = max(0.0, trade.n_sellers * ends[1][1] - trade.n_buyers * ends[0][0])
    tails = buyers.entropy + sellers.entropy
    printed = drift / (drift + loss * (buyers.printed + sellers.printed))
    return ForcedTradeBounds(
        buyers=buyers,
        sellers=sellers,
        better_off=max(0.0, 1.0 - tails),
        share=drift / (drift + loss * tails),
        share_printed=printed if sellers.printed_holds else None,
    )


def _tails(group: Group, ends: tuple[float, float], miss: float, *, upper: bool) -> TailBounds:
    """Bound P(total misses its mean by as much), up for the sellers and down for the buyers."""
    low, width, size = ends[0], ends[1] - ends[0], group.size
    if width == 0:
        return TailBounds(0.0, True, 0.0, 0.0, 0.0)
    mean = max(0.0, (group.total_mean - size * low) / width)
    miss = miss / width
    if mean == 0:  # nobody's value ever differs from the lower end
        return TailBounds(0.0, True, 0.0, 0.0, 0.0)
    chernoff = math.exp(-(miss**2) / (2 * mean + (miss if upper else 0.0)))
    target = (mean + miss if upper else mean - miss) / size
    impossible = target > 1 if upper else target < 0
    return TailBounds(
        printed=math.exp(-(miss**2) / (3 * mean)),
        printed_holds=not upper or miss <= mean,
        chernoff=chernoff,
        hoeffding=math.exp(-2 * miss**2 / size),
        entropy=0.0 if impossible else math.exp(-size * _relative_entropy(target, mean / size)),
    )


def _relative_entropy(p: float, q: float) -> float:
    """Return KL(p, q) of two coins."""
    parts = [(p, q), (1.0 - p, 1.0 - q)]
    return math.fsum(a * math.log(a / b) for a, b in parts if a > 0)
