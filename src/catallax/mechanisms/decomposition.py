"""First-best gains, edge by edge: the conditional bilateral instances of a market."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.markets import Reports
from catallax.matching import best_matching
from catallax.mechanisms.bilateral_rules import LAMBDA, PostQuantile
from catallax.mechanisms.meta_auction import before_ties
from catallax.mechanisms.profiles import Estimate, Profiles, draw_profiles
from catallax.priors.base import RandomSource
from catallax.priors.moments import mean_at_most

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.priors import Prior

__all__ = [
    "BilateralProfits",
    "Decomposition",
    "Instances",
    "bilateral_profits",
    "conditional_instances",
    "decompose",
]

Array = NDArray[np.float64]


class Instances(NamedTuple):
    """The bilateral instances of one profile, one for each seller that could trade at all.

    Attributes
    ----------
    buyer, seller
        The pair: whatever her cost, seller j trades with nobody else.
    cap
        The largest cost with which she trades.
    """

    buyer: NDArray[np.int32]
    seller: NDArray[np.int32]
    cap: Array


def conditional_instances(market: Market, reports: Reports) -> Instances:
    """Find, for each seller, her partner in the first best and the largest cost that trades.

    Neither depends on the seller's own report. For sellers that trade both come from the first-best
    matching; the others are brought in one by one, and the market is matched again.

    Parameters
    ----------
    market
        A market whose sellers all have priors.
    reports
        Values and costs.

    Returns
    -------
    Instances
        Ordered by seller, sellers that nothing would bring to trade left out.

    Raises
    ------
    MissingPriorError
        If a seller has no prior.

    References
    ----------
    arXiv 2604.00129, Definitions 4.1 and 4.2. The paper's supremum is cut to the largest cost that
    trades, ties counted: with atoms a seller that loses a tie does not trade at it.
    """
    best = best_matching(market.family, reports.bids, reports.asks, scale=market.scale)
    waiting = best.waiting_sellers
    partner = []
    # Whom she trades with does not depend on her ask (Lemma 4.4), so it may lie well below.
    step = 1e-3 * float(np.abs(np.concatenate([reports.bids, reports.asks])).max(initial=1e-300))
    for j, level in zip(waiting.agent, waiting.level, strict=True):
        asks = reports.asks.copy()
        asks[j] = level - step
        then = best_matching(market.family, reports.bids, asks, scale=market.scale)
        partner.append(int(then.buyer[then.seller == j][0]))
    inside = best.trading_sellers
    seller = np.concatenate([inside.agent, waiting.agent])
    buyer = np.concatenate([best.buyer, np.array(partner, np.int32)])
    level = np.concatenate([inside.level, waiting.level])
    cap = before_ties(market, seller, level, np.concatenate([inside.wins_ties, waiting.wins_ties]))
    order = np.argsort(seller)
    return Instances(buyer[order], seller[order], cap[order])


@dataclass(frozen=True, eq=False)
class Decomposition:
    """First-best gains as a sum over edges, by two estimators from the same profiles.

    Attributes
    ----------
    market
        The market.
    buyer, seller
        The edges that ever trade in the profiles looked at; shape (edges,).
    gains
        Expected first-best gains of each, as a conditional bilateral instance; shape (edges,).
    gains_stderr
        Standard errors; 0 where exact.
    chances
        Probability that each is in the first-best matching; shape (edges,).
    conditional
        Their sum, an estimate of the first-best gains.
    direct
        First-best gains by averaging over the profiles as such.
    difference
        `conditional` less `direct`, paired profile by profile: zero up to its error.
    """

    market: Market
    buyer: NDArray[np.int32]
    seller: NDArray[np.int32]
    gains: Array
    gains_stderr: Array
    chances: Array
    conditional: Estimate
    direct: Estimate
    difference: Estimate

    @cached_property
    def edges(self) -> Any:
        """The edges as a frame of the library the market came from.

        Columns buyer, seller, gains, stderr, trade_probability.
        """
        return self.market.frame(
            {
                "buyer": self.market.buyers.ids.gather(self.buyer),
                "seller": self.market.sellers.ids.gather(self.seller),
                "gains": self.gains,
                "stderr": self.gains_stderr,
                "trade_probability": self.chances,
            }
        )


def decompose(
    market: Market,
    rng: RandomSource = 0,
    samples: int = 1000,
) -> Decomposition:
    """Split the first-best gains of a market into those of its edges.

    Given everybody's report but seller j's, j can trade with one buyer i only, and does so up to a
    cost k. The gains of the edge are then those of a bilateral instance with j's prior censored at
    k: the integral of v_i - F^-1(q) over q up to F(k). Summed over edges and averaged over profiles
    this is the first best: an identity, and a second estimator of the first-best gains (its error
    is of the size of the direct one's; their difference has expectation zero).

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
    Decomposition

    Raises
    ------
    MissingPriorError
        If an agent has no prior.

    References
    ----------
    arXiv 2604.00129, Definition 5.2 and Lemma 5.3.

    Examples
    --------
    >>> import catallax as cx
    >>> coin = "discrete([0, 2], [0.5, 0.5])"
    >>> market = cx.Market(
    ...     [{"id": "b", "prior": coin}], [{"id": "s", "prior": coin}, {"id": "t", "prior": coin}]
    ... )
    >>> parts = decompose(market)
    >>> parts.edges["gains"].to_list(), parts.conditional.mean, parts.direct.mean
    ([0.5, 0.25], 0.75, 0.75)
    """
    profiles = draw_profiles(market, samples, rng)
    direct, conditional = np.empty(len(profiles)), np.empty(len(profiles))
    sums: dict[tuple[int, int], Array] = {}
    for row in range(len(profiles)):
        reports = Reports(profiles.bids[row], profiles.asks[row])
        found = conditional_instances(market, reports)
        gains, trades = _gains(market, reports, found)
        happens = reports.asks[found.seller] <= found.cap
        gained = reports.bids[found.buyer] - reports.asks[found.seller]
        direct[row], conditional[row] = gained[happens].sum(), gains.sum()
        chance = profiles.chances[row]
        for i, j, gain, p in zip(found.buyer, found.seller, gains, trades, strict=True):
            part = sums.setdefault((int(i), int(j)), np.zeros(3))
            part += chance * np.array([gain, gain * gain, p])
    edges = sorted(sums)
    table = np.array([sums[edge] for edge in edges]).reshape(-1, 3)
    return Decomposition(
        market,
        np.array([i for i, _ in edges], np.int32),
        np.array([j for _, j in edges], np.int32),
        table[:, 0],
        _errors(profiles, table),
        table[:, 2],
        profiles.estimate(conditional),
        profiles.estimate(direct),
        profiles.estimate(conditional - direct),
    )


def _gains(market: Market, reports: Reports, found: Instances) -> tuple[Array, Array]:
    """Give expected gains and probability of trade of each instance, over the seller's cost."""
    gains, trades = np.empty(found.seller.size), np.empty(found.seller.size)
    for prior, members in market.sellers.groups(found.seller):
        cap, value = found.cap[members], reports.bids[found.buyer[members]]
        trades[members] = prior.cdf(cap)
        gains[members] = value * trades[members] - mean_at_most(prior, cap)
    return gains, trades


def _errors(profiles: Profiles, table: Array) -> Array:
    if profiles.exact:
        return np.zeros(len(table))
    spread = np.maximum(table[:, 1] - table[:, 0] ** 2, 0.0)
    return np.sqrt(spread / (len(profiles) - 1))


class BilateralProfits(NamedTuple):
    """What a bilateral instance brings in expectation over the seller's cost.

    Attributes
    ----------
    seller
        Her profit if she posts `MultiQuantile` prices (averaged over positions in atoms).
    buyer
        Her profit if she posts her best price, `PostQuantile`.
    gains
        All there is to gain: E[(v - c) 1(c <= min(v, cap))].
    """

    seller: float
    buyer: float
    gains: float


def bilateral_profits(
    prior: Prior, value: float, cap: float = np.inf, lambda_: float = LAMBDA
) -> BilateralProfits:
    """Compute both profits of a bilateral instance in closed form.

    Parameters
    ----------
    prior
        The seller's prior, with a finite mean.
    value
        The buyer's value.
    cap
        The largest cost that counts.
    lambda_
        The share of quantiles of the seller's price.

    Returns
    -------
    BilateralProfits
        By Theorem 5.4, half of `seller` and `buyer` together is at least `gains` / 3.15.

    References
    ----------
    arXiv 2604.00129, Theorem 5.4; Fei (2022).

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> seller, buyer, gains = bilateral_profits(Uniform(0, 1), 1.0)
    >>> round(seller, 6), buyer, gains
    (0.10841, 0.25, 0.5)
    """
    end = min(value, cap)
    reach = float(prior.cdf(end))
    if reach == 0.0:
        return BilateralProfits(0.0, 0.0, 0.0)
    cost = float(mean_at_most(prior, end))
    # The seller of quantile q sells at F^-1(q / lambda), as far as that is within the end.
    own = float(prior.quantile(lambda_ * reach))
    rest = float(prior.cdf(own)) - lambda_ * reach
    seller = lambda_ * cost - (float(mean_at_most(prior, own)) - own * rest)
    price = float(PostQuantile().price(prior, np.array([cap]), np.array([value]))[0])
    buyer = (value - price) * float(prior.cdf(price)) if np.isfinite(price) else 0.0
    return BilateralProfits(seller, buyer, value * reach - cost)
