"""Second best: the largest expected gains that truthful, balanced trade allows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError
from catallax.mechanisms.base import Claims, Mechanism, SeparableMechanism
from catallax.mechanisms.lottery import Lottery
from catallax.mechanisms.registry import register
from catallax.priors.combination import weighing

if TYPE_CHECKING:
    from catallax.markets import Agents, Market, Reports
    from catallax.matching import Thresholds
    from catallax.mechanisms.second_best_budget import Budget

__all__ = ["CombinedWeights", "Multiplier", "SecondBest"]

Array = NDArray[np.float64]

# Two shares this close are one, and what the budget does between them is a jump. Under
# constraints weights are rounded to ticks, and shares closer than these cannot be told apart.
_CLOSE = 1e-12
_CLOSE_IN_TICKS = 1e-8
# A surplus below this, relative to the gains, is none, and a deficit below that is rounding.
_BALANCED = 1e-9
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Multiplier:
    """How much the expected budget counts in a market, before anybody reports.

    Attributes
    ----------
    shares
        The share of the virtual values in the weights; two neighbouring ones if the expected
        surplus jumps over zero between them.
    probabilities
        The probability of each.
    surplus
        Expected surplus of the mixture.
    gains
        Expected gains from trade of the mixture.
    stderr
        Standard error of the surplus; 0 where expectations are exact.
    method
        "bilateral" (quadrature; exact sums for discrete priors), "profiles" (all profiles of
        discrete priors) or "samples".
    """

    shares: tuple[float, ...]
    probabilities: tuple[float, ...]
    surplus: float
    gains: float
    stderr: float
    method: Literal["bilateral", "profiles", "samples"]

    @property
    def value(self) -> float:
        """The multiplier L of the budget, the share divided by what is left; may be infinite."""
        share = self.shares[-1]
        return np.inf if share == 1.0 else share / (1.0 - share)


@dataclass(frozen=True)
class CombinedWeights(SeparableMechanism):
    """Maximise values and virtual values combined, at a given share; the second best's parts.

    Parameters
    ----------
    share
        0 maximises gains, 1 expected surplus.
    """

    share: float = 0.0

    slug = "second-best"
    summary = "gains and virtual surplus combined at a given share"
    claims = Claims("DSIC", "DSIC", "ex post", "none")
    buyer_scale = "combined value"
    seller_scale = "combined cost"

    def weights(self, market: Market, reports: Reports) -> tuple[Array, Array]:
        """Weigh both sides by the ironed combination."""
        return (
            self._weigh(market.buyers, reports.bids),
            self._weigh(market.sellers, reports.asks),
        )

    def _weigh(self, side: Agents, reports: Array) -> Array:
        out = np.empty(len(side))
        for prior, members in side.groups():
            out[members] = weighing(prior, side.role, self.share).weight(reports[members])
        return out

    def critical_bids(self, market: Market, thresholds: Thresholds) -> Array:
        """Give the lowest bid whose weight reaches the level (or exceeds it)."""
        return self._critical(market.buyers, thresholds)

    def critical_asks(self, market: Market, thresholds: Thresholds) -> Array:
        """Give the highest ask whose weight stays at the level (or below it)."""
        return self._critical(market.sellers, thresholds)

    def _critical(self, side: Agents, thresholds: Thresholds) -> Array:
        out = np.empty(thresholds.agent.size)
        for prior, members in side.groups(thresholds.agent):
            out[members] = weighing(prior, side.role, self.share).critical(
                thresholds.level[members], ~thresholds.wins_ties[members]
            )
        return out


@register
@dataclass(frozen=True)
class SecondBest(Mechanism):
    """Get the largest expected gains of all mechanisms that are truthful and break even.

    Trades the feasible matching with the largest sum of combined values less combined costs:
    ``(1 - k) v + k phi(v)`` and ``(1 - k) c + k psi(c)``, each *ironed as a combination*, with
    the smallest share k in [0, 1] at which the expected surplus is not negative (k = L / (1 + L)
    for the multiplier L of the budget; k = 0 is the first best, on the values that priors deem
    possible). Everybody pays or receives the report at which she would just trade. Where the
    expected surplus jumps over zero (by more than its standard error, if it is sampled), the
    allocations on either side are mixed so that it is zero.

    The share belongs to the market's priors and graph, not to the reports: see `multiplier`.
    The result is always a `Lottery`; usually of one outcome.

    Parameters
    ----------
    samples
        How many profiles are drawn where the expected surplus is not computed exactly: in markets
        of more than one edge unless all priors are discrete with at most 2,048 profiles.
    seed
        The seed they are drawn with, so that the same market always has the same multiplier.

    Claims
    ------
    Dominant-strategy truthful for both sides, individually rational in every outcome, weakly
    budget balanced in expectation (where the multiplier is sampled: up to the standard error that
    it reports).

    References
    ----------
    Myerson and Satterthwaite, Efficient mechanisms for bilateral trading (1983), Theorem 2;
    Gresik and Satterthwaite (1989). arXiv 2604.00129, section 2, for matching markets.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> mechanism = cx.mechanisms.get("second-best")
    >>> round(mechanism.multiplier(market).gains * 64, 9)
    9.0
    >>> lottery = mechanism.clear(market, cx.Reports(bids=[0.75], asks=[0.25]))
    >>> round(lottery.totals["buyers_pay"], 9)
    0.5
    """

    samples: int = 1000
    seed: int = field(default=0, repr=False)

    slug = "second-best"
    summary = "the largest gains with a balanced budget in expectation"
    claims = Claims("DSIC", "DSIC", "ex post", "weak ex ante")

    def __post_init__(self) -> None:
        """Check the number of samples."""
        if self.samples < 1:
            raise CatallaxError(f"samples = {self.samples}: draw at least one profile")

    def multiplier(self, market: Market) -> Multiplier:
        """Find how much the budget has to count; kept for the next time.

        Parameters
        ----------
        market
            A market whose agents all have priors.

        Returns
        -------
        Multiplier
            The share, or the two shares to mix.

        Raises
        ------
        MissingPriorError
            If an agent has no prior.
        """
        known = _KNOWN.setdefault(market, {})
        if self not in known:
            from catallax.mechanisms.second_best_budget import budget_of

            close = _CLOSE_IN_TICKS if market.constraints else _CLOSE
            known[self] = find_multiplier(budget_of(market, self.samples, self.seed), close)
        return known[self]

    def clear(self, market: Market, reports: Reports) -> Lottery:
        """Match for the largest combined weight, at the market's own share."""
        found = self.multiplier(market)
        outcomes = tuple(
            (probability, CombinedWeights(share).clear(market, reports))
            for share, probability in zip(found.shares, found.probabilities, strict=True)
        )
        details = {"multiplier": found.value, "expected_surplus": found.surplus}
        details |= {"stderr": found.stderr, "method": found.method, "shares": found.shares}
        return Lottery(market, self.slug, outcomes, details)


_KNOWN: WeakKeyDictionary[Market, dict[SecondBest, Multiplier]] = WeakKeyDictionary()


def find_multiplier(budget: Budget, close: float = _CLOSE) -> Multiplier:
    """Find the smallest share of virtual values at which the expected surplus is not negative.

    Parameters
    ----------
    budget
        The expected surplus and gains of a market as functions of the share.
    close
        Shares that are to count as one.

    Returns
    -------
    Multiplier
        One share, or the two around a jump with their probabilities.
    """
    low, high = 0.0, 1.0
    below = budget(low)
    if below.surplus >= -_ROUNDING * abs(below.gains):
        return Multiplier((0.0,), (1.0,), below.surplus, below.gains, below.stderr, budget.method)
    above = budget(high)
    turn = 0
    while high - low > close:
        # Every other step halves the interval: at a jump the secant would only creep.
        turn += 1
        middle = (low + high) / 2
        if turn % 2 and above.surplus > below.surplus:
            middle = _secant(low, high, below.surplus, above.surplus, close)
        at = budget(middle)
        if at.surplus < 0:
            low, below = middle, at
        else:
            high, above = middle, at
    # A jump within the error of a sample is no reason to toss a coin.
    if above.surplus <= max(_BALANCED * abs(above.gains), above.stderr):
        return Multiplier((high,), (1.0,), above.surplus, above.gains, above.stderr, budget.method)
    keep = -below.surplus / (above.surplus - below.surplus)
    return Multiplier(
        (low, high),
        (1.0 - keep, keep),
        (1.0 - keep) * below.surplus + keep * above.surplus,
        (1.0 - keep) * below.gains + keep * above.gains,
        float(np.hypot((1.0 - keep) * below.stderr, keep * above.stderr)),
        budget.method,
    )


def _secant(low: float, high: float, below: float, above: float, close: float) -> float:
    """Return a point just across the root that the secant suggests, seen from the nearer end."""
    root = low + (high - low) * (-below / (above - below))
    step = max((high - low) * 1e-3, close / 4)
    nearer = root + step if root - low < high - root else root - step
    return nearer if low < nearer < high else (low + high) / 2
