"""The certificate of a market: how much of the first best both sides' profits are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from catallax.markets import Reports
from catallax.matching import best_matching
from catallax.mechanisms.gbom import BuyersOffering
from catallax.mechanisms.gsom import SellersOffering
from catallax.mechanisms.profiles import Estimate, Profiles, draw_profiles
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from catallax.markets import Market
    from catallax.mechanisms.outcome import Outcome

__all__ = ["CONSTANT", "Certificate", "certificate"]

CONSTANT = 3.15
"""What Theorem 3.3 guarantees: profits of 1 / 3.15 of the first best."""


@dataclass(frozen=True)
class Certificate:
    """Expected profits of both sides against the first best.

    Attributes
    ----------
    sellers_profit
        What buyers pay in GSOM less sellers' costs: the most the sellers' side can expect.
    buyers_profit
        Buyers' values in GBOM less what sellers receive: the most the buyers' side can expect.
    first_best
        The largest gains from trade.
    share
        Half of both profits together, divided by the first best.
    margin
        Half of both profits less the first best / 3.15, paired profile by profile; the theorem says
        that it is not negative.
    agents_share
        All agents' own utilities, sellers and buyers, in the random offerer, divided by the first
        best; Theorem 3.3 promises nothing about it.

    Notes
    -----
    A side's profit is what it could expect as one principal. GSOM's sellers are paid thresholds,
    in expectation less than what buyers pay; the rest is the mechanism's surplus, which
    `sellers_profit` counts and `agents_share` does not. (Remark 1.3 reads as if the agents' own
    utilities were 1 / 3.15 of the first best. They are not: with 40 buyers of prior beta(1, 1/8)
    and 40 sellers of prior beta(1/8, 1), all of whom may trade, they are a fifth. With 1/k for 1/8
    they tend, as agents become many, to 2^(1 + 1/k) / (k + 2)^(1 + 1/k): to nothing for large k.)
    """

    sellers_profit: Estimate
    buyers_profit: Estimate
    first_best: Estimate
    share: Estimate
    margin: Estimate
    agents_share: Estimate

    @property
    def verdict(self) -> Literal["holds", "violated", "undecided"]:
        """Whether the theorem holds here, at 99.9 percent where it is estimated."""
        low, high = self.margin.interval(0.999)
        noise = 1e-12 * max(1.0, abs(self.first_best.mean))
        return "holds" if low >= -noise else "violated" if high < -noise else "undecided"


def certificate(
    market: Market,
    rng: RandomSource = 0,
    samples: int = 1000,
) -> Certificate:
    """Compare the expected profits of both sides with the first best.

    Parameters
    ----------
    market
        A market whose agents all have priors.
    rng
        What profiles are drawn with.
    samples
        How many; unless all priors are discrete with at most 4,096 profiles, which are then all
        looked at, and everything is exact.

    Returns
    -------
    Certificate

    Raises
    ------
    MissingPriorError
        If an agent has no prior.

    References
    ----------
    arXiv 2604.00129, Theorem 3.3 and Lemma A.4.

    Examples
    --------
    >>> import catallax as cx
    >>> coin = "discrete([0, 2], [0.5, 0.5])"
    >>> market = cx.Market([{"id": "b", "prior": coin}], [{"id": "s", "prior": coin}])
    >>> found = certificate(market)
    >>> found.sellers_profit.mean, found.buyers_profit.mean, found.first_best.mean
    (0.5, 0.5, 0.5)
    >>> found.verdict
    'holds'
    """
    profiles = draw_profiles(market, samples, rng)
    columns = np.array(
        [
            _profits(market, Reports(bids, asks))
            for bids, asks in zip(profiles.bids, profiles.asks, strict=True)
        ]
    ).T
    sellers, buyers, best, agents = columns
    half = (sellers + buyers) / 2
    return Certificate(
        profiles.estimate(sellers),
        profiles.estimate(buyers),
        profiles.estimate(best),
        _ratio(profiles, half, best),
        profiles.estimate(half - best / CONSTANT),
        _ratio(profiles, agents, best),
    )


def _profits(market: Market, reports: Reports) -> tuple[float, float, float, float]:
    """Give one profile's profits of sellers and buyers, first-best gains and agents' utilities."""
    offers: tuple[Outcome, ...] = (
        SellersOffering().clear(market, reports),
        BuyersOffering().clear(market, reports),
    )
    best = best_matching(market.family, reports.bids, reports.asks, scale=market.scale)
    first = float(reports.bids[best.buyer].sum() - reports.asks[best.seller].sum())
    sellers = float((offers[0].buyer_pays - reports.asks[offers[0].seller_index]).sum())
    buyers = float((reports.bids[offers[1].buyer_index] - offers[1].seller_receives).sum())
    own = sum(
        float(one.gains.sum() - one.buyer_pays.sum() + one.seller_receives.sum()) for one in offers
    )
    return sellers, buyers, first, own / 2


def _ratio(profiles: Profiles, part: NDArray[np.float64], whole: NDArray[np.float64]) -> Estimate:
    """Estimate a ratio of expectations, its error to the first order."""
    total = float(profiles.chances @ whole)
    if total <= 0.0:  # nothing to gain: whatever is kept of it is all of it
        return Estimate(1.0, 0.0, profiles.exact)
    ratio = float(profiles.chances @ part) / total
    return Estimate(ratio, profiles.estimate(part - ratio * whole).stderr / total, profiles.exact)
