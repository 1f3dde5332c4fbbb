"""The price at which votes tell most: a search in one dimension that is not unimodal."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from catallax.groups.requirements import as_fraction
from catallax.groups.trade import Group, GroupTrade

__all__ = ["best_price"]

Array = NDArray[np.float64]

# Quantiles of each prior at which prices are tried first.
_LEVELS = np.array([1e-6, 1e-4, 1e-3, 0.01, *np.linspace(0.025, 0.975, 39), 0.99, 0.999, 1 - 1e-4,
                    1 - 1e-6])  # fmt: skip
_MOST_PRIORS = 12
_MOST_ATOMS = 400
# Local maxima that are refined, and how near to the best they have to be.
_PEAKS = 8
_NEAR = 0.05


def best_price(
    trade: GroupTrade, gain_at: Callable[[float], float], *, rough: bool = False
) -> tuple[float, float]:
    """Return the price with the largest gain, and the gain.

    Parameters
    ----------
    trade
        The groups and their priors.
    gain_at
        From a price for each buyer to the expected gain of the best rule at it.
    rough
        Try fewer prices, where a gain takes long to find.

    Returns
    -------
    tuple of float
        Of equally good prices one near the middle between the sides' means, with few digits.
    """
    prices = candidates(trade)
    if rough and _has_density(trade):
        prices = prices[:: 1 + prices.size // 60]
    gains = np.array([gain_at(float(price)) for price in prices])
    top = float(gains.max())
    if _has_density(trade):
        known = dict(zip(prices.tolist(), gains.tolist(), strict=True))
        for at in _peaks(gains)[: 2 if rough else None]:
            low, high = prices[max(at - 1, 0)], prices[min(at + 1, prices.size - 1)]
            for end in ((low, prices[at]), (prices[at], high)):
                if end[0] < end[1]:
                    known |= _refined(gain_at, *end, steps=15 if rough else 60)
        prices, gains = (np.array(part) for part in zip(*sorted(known.items()), strict=True))
        top = float(gains.max())
    slack = 1e-12 * max(abs(top), trade.scale * 1e-3)
    equal = prices[gains >= top - slack]
    middle = (trade.buyers.total_mean + trade.sellers.total_mean) / 2 / trade.n_buyers
    price = float(equal[np.argmin(np.abs(equal - middle))])
    for digits in range(1, 16):
        shorter = float(f"{price:.{digits}g}")
        gain = gain_at(shorter)
        if gain >= top - slack:
            return shorter, gain
    return price, gain_at(price)


def _refined(
    gain_at: Callable[[float], float], low: float, high: float, *, steps: int
) -> dict[float, float]:
    """Search an interval for its best price."""
    found: Any = optimize.minimize_scalar(
        lambda price: -gain_at(float(price)),
        bounds=(float(low), float(high)),
        method="bounded",
        options={"xatol": 1e-7 * (high - low) + 1e-12 * abs(high), "maxiter": steps},
    )
    price = float(found.x)
    return {price: gain_at(price)}


def _peaks(gains: Array) -> list[int]:
    """Return the places of local maxima that may hold the best price, the best first."""
    padded = np.concatenate([[-np.inf], gains, [-np.inf]])
    local = np.flatnonzero((gains >= padded[:-2]) & (gains >= padded[2:]))
    near = local[gains[local] >= gains.max() - _NEAR * abs(gains.max())]
    return near[np.argsort(-gains[near], kind="stable")][:_PEAKS].tolist()


def candidates(trade: GroupTrade) -> Array:
    """Return the prices to try: quantiles, atoms, and points between neighbouring ones.

    With discrete priors these are all that differ: between two neighbours of all atoms the votes
    are the same at every price.
    """
    sellers = _points(trade.sellers)
    if trade.n_buyers != trade.n_sellers:
        ratio = Fraction(trade.n_sellers, trade.n_buyers)
        kept = sellers[np.isfinite(sellers)]
        sellers = np.array([_reaching(as_fraction(point) * ratio) for point in kept])
    points = np.concatenate([_points(trade.buyers), sellers])
    points = np.unique(points[np.isfinite(points)])
    if points.size < 2:
        return points
    return np.unique(np.concatenate([points, points[:-1] / 2 + points[1:] / 2]))


def _reaching(price: Fraction) -> float:
    """Return the float that is written like a price, or like a little more."""
    found = float(price)
    return found if as_fraction(found) >= price else math.nextafter(found, math.inf)


def _points(group: Group) -> Array:
    """Return where the law of one member's vote changes, or changes most."""
    found: list[Array] = []
    priors = sorted(group.parts, key=lambda part: -part.positions.size)[:_MOST_PRIORS]
    # Of many different priors a few quantiles each are as many points as of one.
    levels = _LEVELS[:: 1 + len(priors) // 2]
    for prior, _ in priors:
        atoms = prior.atoms[0]
        if atoms.size > _MOST_ATOMS:
            atoms = atoms[np.linspace(0, atoms.size - 1, _MOST_ATOMS).astype(int)]
        found.append(atoms)
        if prior.atoms[1].sum() < 1 - 1e-12:
            found.append(np.asarray(prior.quantile(levels), float))
            found.append(np.array([end for end in prior.support if np.isfinite(end)]))
    return np.concatenate(found)


def _has_density(trade: GroupTrade) -> bool:
    parts = (*trade.buyers.parts, *trade.sellers.parts)
    return any(prior.atoms[1].sum() < 1 - 1e-12 for prior, _ in parts)
