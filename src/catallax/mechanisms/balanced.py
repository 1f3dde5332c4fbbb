"""The random offerer with its expected surplus handed back: strongly balanced in expectation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError
from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.explain import Reasons, money
from catallax.mechanisms.lottery import Lottery
from catallax.mechanisms.profiles import Estimate, draw_profiles
from catallax.mechanisms.random_offerer import BalancedRandomOfferer, RandomOfferer
from catallax.mechanisms.registry import register

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.mechanisms.outcome import Outcome, Role

__all__ = ["RandomOffererBalanced"]


@register
@dataclass(frozen=True)
class RandomOffererBalanced(Mechanism):
    """Run GSOM or GBOM by a fair coin, and share the expected surplus among all agents beforehand.

    Before anybody reports, every agent receives the same lump sum: the surplus that the random
    offerer is expected to leave, divided by the number of agents. Then GSOM or GBOM is run, each
    with probability one half. The result is a `Lottery`; the lump sums are the `transfers` of its
    outcomes, and their surplus has paid them.

    Parameters
    ----------
    samples
        How many profiles are drawn for the expected surplus, at least 2; unless all priors are
        discrete with at most 4,096 profiles, which are then all looked at.
    seed
        The seed they are drawn with, so that the same market always has the same lump sums.

    Claims
    ------
    Dominant-strategy truthful for both sides (no report moves a lump sum), individually rational in
    every outcome, and strongly budget balanced in expectation: exactly where the expected surplus
    is exact, else up to the standard error in `expected_surplus` and in the lottery's `details`.

    Notes
    -----
    The surplus is averaged at the prices of the BIC variants: in expectation they leave what GSOM
    and GBOM leave, with less noise, and never a deficit, so that no lump sum is negative.

    References
    ----------
    arXiv 2604.00129, Remark 1.3.

    Examples
    --------
    >>> import catallax as cx
    >>> coin = "discrete([0, 2], [0.5, 0.5])"
    >>> market = cx.Market(
    ...     [{"id": "b", "bid": 2, "prior": coin}],
    ...     [{"id": "s", "ask": 0, "prior": coin}, {"id": "t", "ask": 0, "prior": coin}],
    ... )
    >>> lottery = cx.clear(market, "random-offerer-balanced")
    >>> lottery.details["expected_surplus"], lottery.totals["transfers"]
    (0.125, 0.125)
    """

    samples: int = 1000
    seed: int = field(default=0, repr=False)

    slug = "random-offerer-balanced"
    summary = "the random offerer, its expected surplus shared out before anybody reports"
    claims = Claims("DSIC", "DSIC", "ex post", "strong ex ante")

    def __post_init__(self) -> None:
        """Check the number of samples."""
        if self.samples < 2:
            raise CatallaxError(f"samples = {self.samples}: draw at least two profiles")

    def expected_surplus(self, market: Market) -> Estimate:
        """Find what the random offerer leaves in expectation; kept for the next time.

        Parameters
        ----------
        market
            A market whose agents all have priors.

        Returns
        -------
        Estimate

        Raises
        ------
        MissingPriorError
            If an agent has no prior.
        """
        from catallax.markets import Reports

        known = _KNOWN.setdefault(market, {})
        if self not in known:
            profiles = draw_profiles(market, self.samples, self.seed)
            rule = BalancedRandomOfferer()
            left = [
                rule.clear(market, Reports(bids, asks)).totals["surplus"]
                for bids, asks in zip(profiles.bids, profiles.asks, strict=True)
            ]
            known[self] = profiles.estimate(np.array(left))
        return known[self]

    def clear(self, market: Market, reports: Reports) -> Lottery:
        """Clear as the random offerer, with the lump sums."""
        surplus = self.expected_surplus(market)
        agents = len(market.buyers) + len(market.sellers)
        shares = np.full(agents, surplus.mean / max(1, agents))
        lottery = RandomOfferer().clear(market, reports)
        outcomes = tuple(
            (chance, replace(one, transfers=shares, reasons=_WithLumpSum(one.reasons)))
            for chance, one in lottery.outcomes
        )
        details = {"expected_surplus": surplus.mean, "stderr": surplus.stderr}
        return Lottery(market, self.slug, outcomes, details | {"exact": surplus.exact})


_KNOWN: WeakKeyDictionary[Market, dict[RandomOffererBalanced, Estimate]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class _WithLumpSum:
    """Reasons that mention the lump sum."""

    inner: Reasons

    def critical(
        self, outcome: Outcome, role: Role
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the critical report of every agent of a side, and who sets it."""
        return self.inner.critical(outcome, role)

    def explain(self, outcome: Outcome, role: Role, index: int) -> str:
        """Say in one sentence why an agent trades or not, and what it gets in any case."""
        assert outcome.transfers is not None
        at = index if role == "buyer" else len(outcome.market.buyers) + index
        share = money(outcome.transfers[at], outcome.market.currency)
        sentence = self.inner.explain(outcome, role, index).removesuffix(".")
        return f"{sentence}; whatever is reported, it gets {share} of the expected surplus."
