"""Profiles of private values, for expectations: all of them, or a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.errors import CatallaxError
from catallax.notebook import html_page
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from catallax.markets import Agents, Market
    from catallax.priors import Prior

__all__ = ["MOST_PROFILES", "Estimate", "Profiles", "draw_profiles"]

Array = NDArray[np.float64]

MOST_PROFILES = 4096
"""Up to so many profiles of discrete priors are all looked at."""


@dataclass(frozen=True)
class Estimate:
    """An expectation, exact or estimated.

    Attributes
    ----------
    mean
        The expectation, or the mean of a sample.
    stderr
        Its standard error; 0 where it is exact.
    exact
        Whether it is.
    degrees
        Degrees of freedom of the standard error, where it comes from few independent numbers.
    """

    mean: float
    stderr: float
    exact: bool
    degrees: int | None = field(default=None, repr=False, compare=False)

    def _repr_html_(self) -> str:
        """Show the mean and its 95 % interval in a notebook."""
        if self.exact:
            return html_page(f"{self.mean:.10g}", "exact")
        low, high = self.interval()
        return html_page(f"{self.mean:.6g}", f"95 % interval: {low:.6g} to {high:.6g}")

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Give the interval that covers the expectation with a probability of `level`.

        Examples
        --------
        >>> low, high = Estimate(1.0, 0.1, False).interval()
        >>> round(low, 3), round(high, 3)
        (0.804, 1.196)
        """
        quantile = NormalDist().inv_cdf((1 + level) / 2)
        if self.degrees is not None:
            quantile = float(special.stdtrit(self.degrees, (1 + level) / 2))
        reach = quantile * self.stderr
        return self.mean - reach, self.mean + reach


@dataclass(frozen=True, eq=False)
class Profiles:
    """Profiles of values and costs with their probabilities.

    Attributes
    ----------
    bids, asks
        Shapes (profiles, n_buyers) and (profiles, n_sellers).
    chances
        Shape (profiles,); equal for a sample.
    exact
        Whether these are all profiles that there are.
    """

    bids: Array
    asks: Array
    chances: Array
    exact: bool

    def __len__(self) -> int:
        """Count the profiles."""
        return self.chances.size

    def estimate(self, values: Array) -> Estimate:
        """Take the expectation of one number for each profile."""
        mean = float(self.chances @ values)
        if self.exact:
            return Estimate(mean, 0.0, True)
        spread = float(np.sum((values - mean) ** 2)) / max(1, len(self) - 1)
        return Estimate(mean, float(np.sqrt(spread / len(self))), False)


def draw_profiles(market: Market, samples: int, rng: RandomSource) -> Profiles:
    """List all profiles of a market if its priors are discrete and these are few; else draw some.

    Parameters
    ----------
    market
        A market whose agents all have priors.
    samples
        How many to draw where there are more than `MOST_PROFILES`; at least 2.
    rng
        What to draw them with.

    Returns
    -------
    Profiles

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    CatallaxError
        If the number of samples is below 2.

    Examples
    --------
    >>> import catallax as cx
    >>> coin = "discrete([0, 1], [0.5, 0.5])"
    >>> market = cx.Market([{"id": "b", "prior": coin}], [{"id": "s", "prior": coin}])
    >>> draw_profiles(market, 100, 7).chances.tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    if samples < 2:
        raise CatallaxError(f"samples = {samples}: an estimate with its error needs at least two")
    everyone = [*_priors(market.buyers), *_priors(market.sellers)]
    discrete = all(not prior._parts().pieces for prior in everyone)
    count = 1
    for prior in everyone if discrete else ():
        count = min(count * prior.atoms[0].size, MOST_PROFILES + 1)
    cut = len(market.buyers)
    if not discrete or count > MOST_PROFILES:
        generator = np.random.default_rng(rng)
        drawn = [
            (market.buyers.sample(generator), market.sellers.sample(generator))
            for _ in range(samples)
        ]
        bids, asks = (np.array([pair[side] for pair in drawn]) for side in (0, 1))
        return Profiles(bids, asks, np.full(samples, 1.0 / samples), False)
    values = np.array(list(product(*(prior.atoms[0] for prior in everyone)))).reshape(count, -1)
    masses = np.array(list(product(*(prior.atoms[1] for prior in everyone)))).reshape(count, -1)
    return Profiles(values[:, :cut], values[:, cut:], masses.prod(axis=1), True)


def _priors(side: Agents) -> list[Prior]:
    """Give the prior of every agent of a side."""
    found: dict[int, Prior] = {}
    for prior, members in side.groups():
        found |= dict.fromkeys(members.tolist(), prior)
    return [found[index] for index in range(len(side))]
