"""The expected surplus and gains of the second best, as functions of its share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from catallax.matching import best_matching
from catallax.priors.combination import Weighing, weighing
from catallax.priors.moments import mean_at_least, quadrature

if TYPE_CHECKING:
    from catallax.markets import Agents, Market
    from catallax.priors import Prior

__all__ = ["MOST_PROFILES", "Budget", "Expected", "budget_of"]

Array = NDArray[np.float64]

MOST_PROFILES = 2048
"""Up to so many profiles of discrete priors are all looked at."""


class Expected(NamedTuple):
    """Expected surplus and gains, and the standard error of the surplus."""

    surplus: float
    gains: float
    stderr: float


class Budget(Protocol):
    """Expectations of a market at any share of virtual values."""

    @property
    def method(self) -> Literal["bilateral", "profiles", "samples"]:
        """How they are computed."""
        ...

    def __call__(self, share: float) -> Expected:
        """Give the expectations at a share."""
        ...


def budget_of(market: Market, samples: int, seed: int) -> Budget:
    """Choose how to compute the expectations of a market.

    Parameters
    ----------
    market
        A market whose agents all have priors.
    samples, seed
        For the case that profiles are drawn.

    Returns
    -------
    Budget

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    """
    priors = [_priors(side) for side in (market.buyers, market.sellers)]
    if market.graph.n_edges == 1 and not market.constraints:
        i = 0 if market.graph.complete else int(market.graph.buyer[0])
        j = 0 if market.graph.complete else int(market.graph.seller[0])
        return _Bilateral(priors[0][i], priors[1][j])
    everyone = [*priors[0], *priors[1]]
    count = 1
    for prior in everyone:
        count *= len(prior.atoms[0]) if not prior._parts().pieces else MOST_PROFILES + 1
        if count > MOST_PROFILES:
            rng = np.random.default_rng(seed)
            bids = np.array([market.buyers.sample(rng) for _ in range(samples)])
            asks = np.array([market.sellers.sample(rng) for _ in range(samples)])
            chances = np.full(samples, 1.0 / samples)
            return _Profiles(market, bids, asks, chances, "samples")
    values = np.array(list(product(*(prior.atoms[0] for prior in everyone))))
    masses = np.array(list(product(*(prior.atoms[1] for prior in everyone)))).prod(axis=1)
    cut = len(market.buyers)
    return _Profiles(market, values[:, :cut], values[:, cut:], masses, "profiles")


def _priors(side: Agents) -> list[Prior]:
    found: dict[int, Prior] = {}
    for prior, members in side.groups():
        found |= dict.fromkeys(members.tolist(), prior)
    return [found[index] for index in range(len(side))]


class _Bilateral:
    """One pair: the surplus is two integrals over one agent each, and so are the gains."""

    method: Literal["bilateral"] = "bilateral"

    def __init__(self, buyer: Prior, seller: Prior) -> None:
        self.buyer, self.seller = buyer, seller

    def __call__(self, share: float) -> Expected:
        value = weighing(self.buyer, "buyer", share)
        cost = weighing(self.seller, "seller", share)
        # Breaks of one side's weights, seen by the other, are breaks of the integrand too.
        breaks = [_images(value, self.buyer, cost), _images(cost, self.seller, value)]
        costs, mass_of_cost = quadrature(self.seller, breaks[0])
        price = value.critical(cost.weight(costs))
        sold = _at(self.buyer.probability_at_least, price)
        held = _at(lambda p: mean_at_least(self.buyer, p), price)
        income = mass_of_cost @ (np.where(sold > 0, price, 0.0) * sold)
        gains = mass_of_cost @ (held - costs * sold)
        values, mass_of_value = quadrature(self.buyer, breaks[1])
        receipt = cost.critical(value.weight(values))
        bought = _at(self.seller.cdf, receipt)
        outlay = mass_of_value @ (np.where(bought > 0, receipt, 0.0) * bought)
        return Expected(float(income - outlay), float(gains), 0.0)


def _at(function: Callable[[Array], Array], price: Array) -> Array:
    """Evaluate at finite prices; nobody trades at an infinite one."""
    out = np.zeros(price.shape)
    finite = np.isfinite(price)
    out[finite] = function(price[finite])
    return out


def _images(own: Weighing, prior: Prior, other: Weighing) -> Array:
    """Return the other side's reports that meet the ends, atoms and kinks of this side."""
    ends = np.array(prior.support)
    points = np.concatenate([own.kinks, prior.atoms[0], ends])
    points = points[np.isfinite(points)]
    # A step has two levels: the one it comes from, and its own.
    points = np.concatenate([points, np.nextafter(points, -np.inf)])
    levels = own.weight(points)
    levels = levels[np.isfinite(levels)]
    met = np.concatenate([other.critical(levels), other.critical(levels, True), other.kinks])
    return met[np.isfinite(met)]


class _Profiles:
    """Profiles with their probabilities: all of them, or a sample."""

    def __init__(
        self,
        market: Market,
        bids: Array,
        asks: Array,
        chances: Array,
        method: Literal["profiles", "samples"],
    ) -> None:
        self.method: Literal["profiles", "samples"] = method
        self._market, self._bids, self._asks, self._chances = market, bids, asks, chances
        self._phi = _by_prior(market.buyers, bids, lambda p, x: p.virtual_value(x, False))
        self._psi = _by_prior(market.sellers, asks, lambda p, x: p.virtual_cost(x, False))
        self._known: dict[bytes, Expected] = {}

    def __call__(self, share: float) -> Expected:
        buyers = _by_prior(
            self._market.buyers, self._bids, lambda p, x: weighing(p, "buyer", share).weight(x)
        )
        sellers = _by_prior(
            self._market.sellers, self._asks, lambda p, x: weighing(p, "seller", share).weight(x)
        )
        if self._market.constraints:  # where sums of weights decide
            return self._expected(buyers, sellers)
        # Only the order of the weights matters: shares with the same order are the same.
        _, order = np.unique(np.concatenate([buyers, sellers], axis=None), return_inverse=True)
        key = np.asarray(order, np.int64).tobytes()
        if key not in self._known:
            self._known[key] = self._expected(buyers, sellers)
        return self._known[key]

    def _expected(self, buyers: Array, sellers: Array) -> Expected:
        market = self._market
        if market.graph.complete and not market.constraints:
            surplus, gains = self._sorted(buyers, sellers)
        else:
            surplus, gains = np.empty(len(buyers)), np.empty(len(buyers))
            for row, (w, u) in enumerate(zip(buyers, sellers, strict=True)):
                best = best_matching(market.family, w, u, scale=market.scale)
                i, j = best.buyer, best.seller
                surplus[row] = self._phi[row, i].sum() - self._psi[row, j].sum()
                gains[row] = self._bids[row, i].sum() - self._asks[row, j].sum()
        mean = float(self._chances @ surplus)
        spread = self._chances @ (surplus - mean) ** 2 / len(surplus)
        error = float(np.sqrt(spread)) if self.method == "samples" else 0.0
        return Expected(mean, float(self._chances @ gains), error)

    def _sorted(self, buyers: Array, sellers: Array) -> tuple[Array, Array]:
        """Clear complete markets, all profiles at once."""
        first = np.argsort(-buyers, axis=1, kind="stable")
        last = np.argsort(sellers, axis=1, kind="stable")
        most = min(buyers.shape[1], sellers.shape[1])
        first, last = first[:, :most], last[:, :most]

        def take(of: Array, at: NDArray[np.intp]) -> Array:
            return np.take_along_axis(of, at, axis=1)

        trades = take(buyers, first) >= take(sellers, last)
        # What does not trade may be infinite, and infinity times zero is no number.
        surplus = np.where(trades, take(self._phi, first) - take(self._psi, last), 0.0)
        gains = np.where(trades, take(self._bids, first) - take(self._asks, last), 0.0)
        return surplus.sum(axis=1), gains.sum(axis=1)


def _by_prior(side: Agents, reports: Array, function: Callable[[Prior, Array], Array]) -> Array:
    out = np.empty(reports.shape)
    for prior, members in side.groups():
        out[:, members] = function(prior, reports[:, members])
    return out
