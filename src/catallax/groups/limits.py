"""What large groups can gain: the rate of first best, and ceilings of votes and of lotteries."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError, PriorError
from catallax.groups.trade import Group, GroupTrade
from catallax.priors import Prior
from catallax.priors.moments import mean_at_least, mean_at_most, quadrature

__all__ = ["FirstBestRate", "first_best_rate", "smooth_bound", "variance", "vote_limit"]


@dataclass(frozen=True)
class FirstBestRate:
    """How large first best is, from means and variances alone.

    Attributes
    ----------
    drift
        The expected total value less the expected total cost, D.
    spread
        The standard deviation of the total value less the total cost, s.
    lower, upper
        Bounds of first best for groups of any size.
    normal
        What first best would be if the totals were normal, which it tends to.
    order
        How first best grows if both groups grow in proportion: "n", "sqrt(n)" or "1".
    """

    drift: float
    spread: float
    lower: float
    upper: float
    normal: float
    order: str


def first_best_rate(trade: GroupTrade) -> FirstBestRate:
    """Bound first best by the means and variances of the members.

    Parameters
    ----------
    trade
        Groups whose priors have finite variances.

    Returns
    -------
    FirstBestRate
        max(0, D) <= first best <= (D + sqrt(D^2 + s^2)) / 2. For n members a side D grows as n and
        s as sqrt(n): so first best is of the order n if the buyers' mean is larger, of sqrt(n) if
        the means are equal, and bounded, by s^2 / (4 |D|), if the sellers' is larger: there the
        lemma's O(sqrt(n)) can be sharpened.

    Raises
    ------
    PriorError
        If a variance is infinite.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Lemma 4.1. The bound holds since x^+ = (x + |x|) / 2 and
    (E |x|)^2 <= E x^2.

    Examples
    --------
    >>> rate = first_best_rate(GroupTrade(100, 100, "uniform(0, 1)", "point(0.5)"))
    >>> rate.order, round(rate.lower, 6), round(rate.normal, 6), round(rate.upper, 6)
    ('sqrt(n)', 0.0, 1.151647, 1.443376)
    """
    drift = trade.expected_gain
    spread = math.sqrt(_variance(trade.buyers) + _variance(trade.sellers))
    negligible = abs(drift) <= 1e-12 * trade.scale
    return FirstBestRate(
        drift=drift,
        spread=spread,
        lower=max(0.0, drift),
        upper=(drift + math.hypot(drift, spread)) / 2,
        normal=_normal_excess(drift, spread),
        order="sqrt(n)" if negligible else "n" if drift > 0 else "1",
    )


def _normal_excess(drift: float, spread: float) -> float:
    """Return E[(drift + spread Z)^+] for a standard normal Z."""
    if spread == 0:
        return max(0.0, drift)
    z = drift / spread
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return drift * math.erfc(-z / math.sqrt(2)) / 2 + spread * density


def _variance(group: Group) -> float:
    return math.fsum(part.positions.size * variance(part.prior) for part in group.parts)


def variance(prior: Prior) -> float:
    """Return the variance of a prior, by quadrature.

    Raises
    ------
    PriorError
        If it is infinite.

    Examples
    --------
    >>> from catallax.priors import Discrete, Uniform
    >>> round(variance(Uniform(0, 1)) * 12, 9), variance(Discrete([0, 2], [0.5, 0.5]))
    (1.0, 1.0)
    """
    rare = np.array([1e-30, 1e-60])
    for ends in (prior._upper_quantile(rare), prior._quantile(rare)):
        # Of a finite variance x^2 P(V > x) goes to zero, and so on the other side.
        far = ends**2 * rare
        if np.isfinite(ends).all() and far[1] > 0.5 * far[0] > 1e-30 * prior.mean**2:
            raise PriorError(
                f"the prior {prior.describe()} has an infinite variance, and nothing is known of "
                "such rates; end its support or use a lighter tail"
            )
    law = quadrature(prior, _far_out(prior))
    return float(law.weights @ (law.points - prior.mean) ** 2)


def _far_out(prior: Prior) -> NDArray[np.float64]:
    """Return breaks in the tails, where squares count long after probabilities have ceased to."""
    rare = np.geomspace(1e-200, 0.5, 800)
    points = np.concatenate([prior._quantile(rare), prior._upper_quantile(rare)])
    return points[np.isfinite(points)]


# ------------------------------------------------------------------------------- votes, lotteries


def vote_limit(trade: GroupTrade) -> float:
    """Return the share of first best that the best vote tends to, as both groups grow alike.

    Parameters
    ----------
    trade
        Groups in which each side has one prior; only the proportion of their sizes matters.

    Returns
    -------
    float
        1 if the buyers' expected total is larger. If the totals are equal, the largest
        sqrt((n B(tau) + m C(tau)) / (n Var v + m Var c)) over all prices, where B and C are the
        variances of a member's expected value given the vote: first best tends to the positive
        part of a normal with the variance below, the best vote to that of one with the variance
        above. Uniform values against a certain cost of 1/2 give sqrt(3) / 2.

    Raises
    ------
    CatallaxError
        If the sellers' expected total is larger (first best is bounded then, and the share has no
        such limit), or a side has several priors.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 4.4 and Appendix A.9, for uniform values against 1/2.

    Examples
    --------
    >>> limit = vote_limit(GroupTrade(1, 1, "uniform(0, 1)", "point(0.5)"))
    >>> round(limit - 3**0.5 / 2, 12)
    0.0
    """
    value, cost = trade.buyer_prior, trade.seller_prior
    if not isinstance(value, Prior) or not isinstance(cost, Prior):
        raise CatallaxError(
            "the limit is of groups whose members are alike; give each side one prior"
        )
    rate = first_best_rate(trade)
    if rate.order == "n":
        return 1.0
    if rate.order == "1":
        raise CatallaxError(
            "the sellers' expected total is larger, so first best does not grow and the share of "
            "the best vote has no limit that is known; evaluate it for given sizes"
        )
    if rate.spread == 0:
        return 1.0
    n, m = trade.n_buyers, trade.n_sellers

    def explained(transfers: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(transfers.shape)
        for prior, size, sellers in ((value, n, False), (cost, m, True)):
            # Ties may be counted for the trade or against it: then the price lies beyond an atom.
            prices = transfers / size
            beyond = np.nextafter(prices, -np.inf if sellers else np.inf)
            ways = [_explained(prior, way, sellers=sellers) for way in (prices, beyond)]
            total += size * np.maximum(*ways)
        return total

    return math.sqrt(_largest(explained, _prices(trade)) / rate.spread**2)


def _explained(prior: Prior, prices: NDArray[np.float64], *, sellers: bool) -> NDArray[np.float64]:
    """Return the variances of the expected value given the vote at each price."""
    if sellers:
        yes, part = prior.cdf(prices), mean_at_most(prior, prices)
    else:
        yes, part = prior.probability_at_least(prices), mean_at_least(prior, prices)
    inside = (yes > 0) & (yes < 1)
    split = np.where(inside, yes * (1 - yes), 1.0)
    return np.where(inside, (part - yes * prior.mean) ** 2 / split, 0.0)


def _prices(trade: GroupTrade) -> NDArray[np.float64]:
    """Return transfers at which votes change, dense in probability."""
    levels = np.linspace(0.0005, 0.9995, 1000)
    found = []
    for group in (trade.buyers, trade.sellers):
        for prior, _ in group.parts:
            points = np.concatenate([prior.quantile(levels), prior.atoms[0], [prior.mean]])
            found.append(group.size * points)
    return np.unique(np.concatenate(found))


def _largest(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], points: NDArray[np.float64]
) -> float:
    """Return the maximum on the points, refined between the neighbours of the best."""
    best = float(function(points).max())
    for _ in range(8):  # each time the neighbourhood shrinks a hundredfold
        at = int(np.argmax(function(points)))
        start, end = points[max(0, at - 1)], points[min(points.size - 1, at + 1)]
        if not start < end:
            break
        points = np.linspace(start, end, 201)
        best = max(best, float(function(points).max()))
    return best


def smooth_bound(trade: GroupTrade, *, balanced: bool = False) -> float:
    """Bound the expected gains of every smooth truthful lottery.

    Parameters
    ----------
    trade
        The groups.
    balanced
        Only those that balance the budget as well.

    Returns
    -------
    float
        An upper bound of the expected gains from trade. It does not grow with the groups unless
        the buyers' mean is larger: for uniform values against a certain cost of 1/2 it is 1/8.

    Notes
    -----
    A smooth truthful x is additive in the bids for given asks, and so on average over the asks:
    E[x | b] is a sum of increasing functions of single bids within [0, 1]. Only that matters to
    E[x sum (v_i - E v_i)], and likewise for the asks. Such a sum is a mixture of a constant and of
    dictators, who trade if their own value is large enough. With D the drift this gives, for any
    lambda,

    ``gain <= max_i E[(v_i - E v_i + lambda)^+] + max_j E[(D - lambda - c_j + E c_j)^+]``,

    of which the smallest is taken. It holds for means above, equal and below, where the paper's
    Theorem 5.2 has one example. A balanced rule is additive over all members at once (see
    `Smooth`), hence one mixture of dictators: then the largest E[(D + v_i - E v_i)^+] and
    E[(D - c_j + E c_j)^+] is the bound, and steep components come as near to it as one likes.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 5.2 and Appendix B.4.

    Examples
    --------
    >>> round(smooth_bound(GroupTrade(400, 400, "uniform(0, 1)", "point(0.5)")), 9)
    0.125
    """
    drift = trade.expected_gain
    values = [part.prior for part in trade.buyers.parts]
    costs = [part.prior for part in trade.sellers.parts]

    def buyers(extra: float) -> float:
        return max(_above(prior, prior.mean - extra) for prior in values)

    def sellers(extra: float) -> float:
        return max(_below(prior, prior.mean + extra) for prior in costs)

    if balanced:
        return max(buyers(drift), sellers(drift))
    from scipy import optimize

    found = optimize.minimize_scalar(
        lambda extra: buyers(extra) + sellers(drift - extra),
        bracket=(min(0.0, drift), max(0.0, drift) or 1e-3 * trade.scale or 1.0),
        method="golden",
        options={"xtol": 1e-10},
    )
    # Every lambda gives a bound, so what the search misses makes it larger and not wrong.
    ends = [buyers(extra) + sellers(drift - extra) for extra in (0.0, drift)]
    return min(float(found.fun), *ends)  # type: ignore[attr-defined]


def _above(prior: Prior, level: float) -> float:
    """Return E[(V - level)^+]."""
    excess = mean_at_least(prior, level) - level * prior.probability_at_least(level)
    return max(0.0, float(excess))


def _below(prior: Prior, level: float) -> float:
    """Return E[(level - C)^+]."""
    return max(0.0, float(level * prior.cdf(level) - mean_at_most(prior, level)))
