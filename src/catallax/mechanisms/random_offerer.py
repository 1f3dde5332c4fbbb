"""The random offerer: GSOM or GBOM, by a fair coin."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.gbom import BuyersOffering
from catallax.mechanisms.gbom_bic import BalancedBuyersOffering
from catallax.mechanisms.gsom import SellersOffering
from catallax.mechanisms.gsom_bic import BalancedSellersOffering
from catallax.mechanisms.lottery import Lottery
from catallax.mechanisms.registry import register

if TYPE_CHECKING:
    from catallax.markets import Market, Reports

__all__ = ["BalancedRandomOfferer", "RandomOfferer"]

_HALF = Fraction(1, 2)


@register
@dataclass(frozen=True)
class RandomOfferer(Mechanism):
    """Run GSOM or GBOM, each with probability one half.

    The result is a `Lottery` of the two outcomes.

    Claims
    ------
    Dominant-strategy truthful for both sides and individually rational in either outcome, weakly
    budget balanced in expectation over the priors. Expected gains are at least 1/3.15 of the first
    best's and 1/2 of the second best's, on every feasible family.

    References
    ----------
    Brustle, Cai, Wu and Zhao (EC 2017), for the second best; arXiv 2604.00129, Theorem 1.1, for
    the first best.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> lottery = cx.clear(market, "random-offerer", cx.Reports(bids=[0.75], asks=[0.25]))
    >>> lottery.trades["buyer_pays"].to_list()
    [0.625, 0.5]
    """

    slug = "random-offerer"
    summary = "GSOM or GBOM by a fair coin: at least 1/3.15 of the first best"
    claims = Claims("DSIC", "DSIC", "ex post", "weak ex ante")

    def clear(self, market: Market, reports: Reports) -> Lottery:
        """Clear the market twice."""
        outcomes = (SellersOffering(), BuyersOffering())
        return Lottery(
            market, self.slug, tuple((_HALF, one.clear(market, reports)) for one in outcomes)
        )


@register
@dataclass(frozen=True)
class BalancedRandomOfferer(Mechanism):
    """Run GSOM-BIC or GBOM-BIC, each with probability one half.

    The result is a `Lottery` of the two outcomes.

    Claims
    ------
    Bayesian truthful for both sides, individually rational and weakly budget balanced in either
    outcome. The same trades as the random offerer, so the same share of the first best.

    References
    ----------
    arXiv 2604.00129, Theorem 1.1 and Remark 1.2.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> lottery = cx.clear(market, "random-offerer-bic", cx.Reports(bids=[0.75], asks=[0.25]))
    >>> lottery.totals["surplus"]
    0.0
    """

    slug = "random-offerer-bic"
    summary = "GSOM-BIC or GBOM-BIC by a fair coin: no outcome runs a deficit"
    claims = Claims("BIC", "BIC", "ex post", "weak ex post")

    def clear(self, market: Market, reports: Reports) -> Lottery:
        """Clear the market twice."""
        outcomes = (BalancedSellersOffering(), BalancedBuyersOffering())
        return Lottery(
            market, self.slug, tuple((_HALF, one.clear(market, reports)) for one in outcomes)
        )
