"""Posted price: one price for everybody, and who accepts it trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.errors import ReportError
from catallax.markets.scale import Scale
from catallax.matching import Matching, Thresholds, best_matching
from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.explain import money
from catallax.mechanisms.outcome import NOBODY, Outcome
from catallax.mechanisms.registry import register
from catallax.mechanisms.stated_reasons import StatedReason, StatedReasons
from catallax.priors.moments import mean_at_least, mean_at_most

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.mechanisms.outcome import Role

__all__ = ["PostedPrice", "best_price", "expected_gain"]

Array = NDArray[np.float64]


@register
@dataclass(frozen=True)
class PostedPrice(Mechanism):
    """Post one price; buyers that bid it or more and sellers that ask it or less may trade.

    Who trades among them is a matching with as many trades as possible. It knows who accepts, and
    nothing else about the reports; of equals the agent listed first in the market trades.

    Parameters
    ----------
    price
        The price; if it is left out, `best_price` of the market's priors.

    Claims
    ------
    Dominant-strategy truthful for both sides, individually rational in every outcome, and what
    buyers pay is what sellers receive.

    References
    ----------
    Hagerty and Rogerson, Robust trading mechanisms (1987): in bilateral trade nothing else is
    truthful in dominant strategies and strongly budget balanced.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> reports = cx.Reports(bids=[0.75], asks=[0.25])
    >>> cx.clear(market, "posted-price", reports).buyer_pays.round(6).tolist()
    [0.5]
    >>> cx.clear(market, cx.mechanisms.PostedPrice(0.3), reports).buyer_pays.tolist()
    [0.3]
    """

    price: float | None = None

    slug = "posted-price"
    summary = "one price for all, given or the best for the priors; who accepts it may trade"
    claims = Claims("DSIC", "DSIC", "ex post", "strong ex post")
    objective_is_money = False

    def __post_init__(self) -> None:
        """Check the price."""
        if self.price is not None and not np.isfinite(self.price):
            raise ReportError(f"the posted price is {self.price}; post a finite price")

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Match as many of those that accept the price as possible.

        Raises
        ------
        MissingPriorError
            If no price is given and an agent has no prior.
        """
        price = best_price(market) if self.price is None else float(self.price)
        weights = (
            np.where(reports.bids >= price, 1.0, -np.inf),
            np.where(reports.asks <= price, 0.0, np.inf),
        )
        matching = best_matching(market.family, *weights, scale=Scale(1.0, public=True))
        paid = np.full(matching.buyer.size, price)
        gains = reports.bids[matching.buyer] - reports.asks[matching.seller]
        return Outcome(
            market=market,
            reports=reports,
            mechanism=self.slug,
            solver=matching.solver,
            tick=matching.tick,
            buyer_index=matching.buyer,
            seller_index=matching.seller,
            buyer_pays=paid,
            seller_receives=paid,
            weights=np.ones(gains.size),
            reasons=StatedReasons(_Statements(market, price, weights, matching)),
        )


@dataclass(frozen=True, eq=False)
class _Statements:
    """States why an agent trades at the posted price or not."""

    market: Market
    price: float
    weights: tuple[Array, Array]
    matching: Matching

    def __call__(self, role: Role, index: int) -> StatedReason:
        buyers = role == "buyer"
        traders = self.matching.buyer if buyers else self.matching.seller
        posted = "that is the price posted for all"
        if (traders == index).any():
            return StatedReason(self.price, NOBODY, posted)
        accepts = np.isfinite(self.weights[0 if buyers else 1][index])
        waiting = self.matching.waiting_buyers if buyers else self.matching.waiting_sellers
        rival = _kept_out_by(waiting, index, buyers=buyers)
        if rival is None:
            clause = f"{posted}, and this {'bid' if buyers else 'ask'} does not accept it"
            return StatedReason(self.price, NOBODY, clause)
        price = f"the posted price of {money(self.price, self.market.currency)}"
        side = self.market.buyers if buyers else self.market.sellers
        if rival != NOBODY:
            own = rival if buyers else -1 - rival
            said = f"accepts {price}, but" if accepts else f"does not accept {price}, and"
            why = f"it {said} {side.label(own)} and others, listed first, take all its partners"
        elif accepts:
            why = f"it accepts {price}, but nobody it could trade with does"
        else:
            why = f"neither it nor anybody it could trade with accepts {price}"
        return StatedReason(np.nan, NOBODY, why)


def _kept_out_by(waiting: Thresholds, index: int, *, buyers: bool) -> int | None:
    """Return who keeps an agent out even if it accepts: NOBODY for no partner, None for no one."""
    at = np.flatnonzero(waiting.agent == index)
    if not at.size:
        return int(NOBODY)
    level, wins = waiting.level[at[0]], bool(waiting.wins_ties[at[0]])
    source = int(waiting.source[at[0]])
    own = 1.0 if buyers else 0.0  # the weight of an agent that accepts
    if own == level and wins:
        return None
    if (own > level) if buyers else (own < level):
        return None
    same_side = source >= 0 if buyers else source < 0
    return source if same_side and np.isfinite(level) else int(NOBODY)


# ---------------------------------------------------------------------------------- the best price

_PRICES: WeakKeyDictionary[Market, float] = WeakKeyDictionary()


def best_price(market: Market) -> float:
    """Return the price that is best for the market's priors.

    Parameters
    ----------
    market
        A market whose agents all have priors.

    Returns
    -------
    float
        The price with the largest `expected_gain`: the best of all atoms, ends of supports and
        quantiles of the priors, and refined around the best of them. Of equals the lowest. In
        bilateral trade it is the best price there is; elsewhere the best by that measure.

    Raises
    ------
    MissingPriorError
        If an agent has no prior.

    Examples
    --------
    >>> import catallax as cx
    >>> round(best_price(cx.instances.get("bilateral-uniform")), 6)
    0.5
    """
    if market not in _PRICES:
        _PRICES[market] = _search(market)
    return _PRICES[market]


def _search(market: Market) -> float:
    from scipy import optimize

    priors = [prior for side in (market.buyers, market.sellers) for prior, _ in side.groups()]
    points = [prior.quantile(np.linspace(0.005, 0.995, 100)) for prior in dict.fromkeys(priors)]
    points += [np.append(prior.atoms[0], prior.support) for prior in dict.fromkeys(priors)]
    grid = np.unique(np.concatenate([np.zeros(1), *points]))
    grid = grid[np.isfinite(grid)]
    gains = np.array([expected_gain(market, price) for price in grid])
    best, most = float(grid[np.argmax(gains)]), float(gains.max())
    for k in np.argsort(-gains, kind="stable")[:3]:  # the gain may have several peaks
        bounds = (grid[max(k - 1, 0)], grid[min(k + 1, grid.size - 1)])
        if bounds[0] < bounds[1]:
            found: Any = optimize.minimize_scalar(
                lambda price: -expected_gain(market, price),
                bounds=bounds,
                method="bounded",
                options={"xatol": 1e-10 * (bounds[1] - bounds[0])},
            )
            if -found.fun > most:
                best, most = float(found.x), float(-found.fun)
    return best


def expected_gain(market: Market, price: float) -> float:
    """Estimate the expected gains from trade at a posted price, without drawing anything.

    Parameters
    ----------
    market
        A market whose agents all have priors.
    price
        The price.

    Returns
    -------
    float
        The sum over edges (i, j) of ``x_ij (E[v_i | v_i >= p] - E[c_j | c_j <= p])``, where the
        edge trades with probability ``x_ij = a_i b_j / max(1, A_j, B_i)``: both ends accept
        (a_i = P(v_i >= p), b_j = P(c_j <= p)), and where more accept around an edge than can
        trade (A_j and B_i, the expected numbers of accepting neighbours of j and of i), they
        share. With one edge this is exact: E[(v - c) 1(v >= p >= c)]. For many agents on a
        complete graph it tends to the truth, min(sum a, sum b) trades. In between it is what a
        random rationing that ignores luck in numbers would gain. Constraints are not looked at.

    Examples
    --------
    >>> import catallax as cx
    >>> expected_gain(cx.instances.get("bilateral-uniform"), 0.5)
    0.125
    """
    accepting = [np.empty(len(side)) for side in (market.buyers, market.sellers)]
    partial = [np.empty(len(side)) for side in (market.buyers, market.sellers)]
    for prior, members in market.buyers.groups():
        accepting[0][members] = prior.probability_at_least(price)
        partial[0][members] = mean_at_least(prior, price)
    for prior, members in market.sellers.groups():
        accepting[1][members] = prior.cdf(price)
        partial[1][members] = mean_at_most(prior, price)
    (a, b), (value, cost) = accepting, partial
    if market.graph.complete:
        crowd = max(1.0, a.sum(), b.sum())
        return float((value.sum() * b.sum() - a.sum() * cost.sum()) / crowd)
    i, j = market.graph.buyer, market.graph.seller
    around_seller = np.bincount(j, a[i], len(market.sellers))[j]
    around_buyer = np.bincount(i, b[j], len(market.buyers))[i]
    crowd = np.maximum(1.0, np.maximum(around_seller, around_buyer))
    return float(((value[i] * b[j] - a[i] * cost[j]) / crowd).sum())
