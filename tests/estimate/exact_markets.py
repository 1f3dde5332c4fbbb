"""What the tests of exact values share: markets, comparisons, and a sample to compare with."""

from __future__ import annotations

from functools import cache

import numpy as np

import catallax as cx
from catallax.estimate.exact.result import ExactValues

QUANTITIES = (
    "gains_from_trade",
    "buyers_utility",
    "sellers_utility",
    "surplus",
    "trades",
    "trade_probability",
)


@cache
def ready(text: str) -> cx.Prior:
    """Return a prior that is ironed once for all tests: priors do not change."""
    return cx.parse_prior(text)


def market_of(buyer, seller, n_buyers: int = 1, n_sellers: int = 1, **more) -> cx.Market:
    """Return a market of agents alike, complete unless edges are given."""
    buyer, seller = (ready(law) if isinstance(law, str) else law for law in (buyer, seller))
    return cx.Market(
        [{"id": f"b{k}", "prior": buyer} for k in range(n_buyers)],
        [{"id": f"s{k}", "prior": seller} for k in range(n_sellers)],
        **more,
    )


def discrete(values, masses) -> dict:
    """Return a discrete prior as a market takes it."""
    return {
        "kind": "discrete",
        "values": [float(value) for value in values],
        "probabilities": [float(mass) for mass in masses],
    }


def numbers(values: ExactValues) -> np.ndarray:
    """Return the six expectations in the order of `QUANTITIES`."""
    return np.array([getattr(values, name) for name in QUANTITIES])


def assert_equal(one: ExactValues | None, other: ExactValues | None, within: float = 1e-12) -> None:
    """Compare two ways to compute the same: amounts relative to the largest of them."""
    assert one is not None and other is not None
    size = max(one.scale, 1e-300)
    gap = np.abs(numbers(one) - numbers(other))
    assert (gap[:4] <= within * size).all(), (one, other)
    assert (gap[4:] <= within * np.maximum(numbers(other)[4:], 1e-300) + 1e-15).all(), (one, other)


def sampled(market: cx.Market, mechanism, samples: int, seed: int = 0):
    """Return means and standard errors of the six quantities from draws."""
    found = cx.simulate(market, [mechanism], samples, seed, exact=False)
    (one,) = found
    estimates = [getattr(one, name) for name in QUANTITIES]
    return np.array([e.mean for e in estimates]), np.array([e.stderr for e in estimates])
