"""Named markets of one buyer and one seller, whose gains are known in closed form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from catallax.errors import CatallaxError
from catallax.markets.instances.registry import Known, register
from catallax.markets.market import Market
from catallax.markets.reports import Reports

__all__: list[str] = []

_OWN = "derived by the authors of catallax"
_MYERSON = "Myerson and Satterthwaite (1983)"

Spec = dict[str, Any]


def _bilateral(name: str, value: Spec, cost: Spec, seed: int) -> Market:
    market = Market(
        buyers=[{"id": "buyer", "prior": "values"}],
        sellers=[{"id": "seller", "prior": "costs"}],
        priors={"values": value, "costs": cost},
        name=name,
    )
    generator = np.random.default_rng(seed)
    bids, asks = market.buyers.sample(generator), market.sellers.sample(generator)
    return market.with_reports(Reports(bids, asks))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise CatallaxError(message)


def _uniform() -> Mapping[str, Known]:
    return {
        "first best": Known(1 / 6, "1/6", _MYERSON),
        "second best": Known(9 / 64, "9/64: trade when value - cost >= 1/4", _MYERSON),
        "seller offers": Known(1 / 8, "1/8", _MYERSON),
        "buyer offers": Known(1 / 8, "1/8", _MYERSON),
        "posted price 1/2": Known(1 / 8, "P(v >= 1/2) P(c <= 1/2) (3/4 - 1/4)", _OWN),
    }


@register(
    "bilateral-uniform",
    summary="One buyer and one seller, both uniform on [0, 1]",
    source="Myerson and Satterthwaite, Efficient mechanisms for bilateral trading, JET 1983",
    known=_uniform,
)
def bilateral_uniform(seed: int = 1) -> Market:
    """Return the market with both sides uniform on [0, 1]."""
    unit = {"kind": "uniform", "low": 0, "high": 1}
    return _bilateral("bilateral-uniform", unit, unit, seed)


def _negative() -> Mapping[str, Known]:
    return {
        "gain of always trading": Known(-1.0, "E[v] - E[c] = 1 - 2", "arXiv 2604.00129"),
        "first best": Known(1 / 24, "1/24", _OWN),
    }


@register(
    "negative-expected-gain",
    summary="One edge whose expected gain is negative, so that no graph of expected gains helps",
    source="arXiv 2604.00129, introduction, candidate graph 2",
    known=_negative,
)
def negative_expected_gain(seed: int = 1) -> Market:
    """Return the market with a value from [0, 2] and a cost from [1, 3]."""
    value = {"kind": "uniform", "low": 0, "high": 2}
    cost = {"kind": "uniform", "low": 1, "high": 3}
    return _bilateral("negative-expected-gain", value, cost, seed)


def _power(k: float) -> Mapping[str, Known]:
    first = math.gamma(k + 1) ** 2 / math.gamma(2 * k + 2)
    second = 2 * ((2 * k + 1) / (2 * k + 2)) ** (2 * k + 1)
    offers = (2 * k + 1) / (k + 1) * (k / (k + 1)) ** k
    return {
        "first best": Known(first, "Beta(k+1, k+1)", _OWN),
        "second best": Known(
            first * second, "first best * 2 ((2k+1)/(2k+2))^(2k+1): v - c >= 1/(2k+2)", _OWN
        ),
        "seller offers": Known(first * offers, "first best * (2k+1)/(k+1) * (k/(k+1))^k", _OWN),
        "buyer offers": Known(first * offers, "the same, by symmetry", _OWN),
        "posted price 1/2": Known(4**-k / (k + 1), "4^-k / (k+1)", _OWN),
    }


@register(
    "power-family",
    summary="P(v >= x) = (1-x)^k and P(c <= x) = x^k on [0, 1]: every share in closed form",
    source=_OWN,
    known=_power,
)
def power_family(k: float = 2.0, seed: int = 1) -> Market:
    """Return a market with beta priors that mirror each other."""
    _require(0 < k < 1e3, f"instance 'power-family': k is {k}; give a number in (0, 1000)")
    value = {"kind": "beta", "a": 1, "b": k, "low": 0, "high": 1}
    cost = {"kind": "beta", "a": k, "b": 1, "low": 0, "high": 1}
    return _bilateral("power-family", value, cost, seed)


def _exponential() -> Mapping[str, Known]:
    return {
        "first best": Known(0.5, "1/2", _OWN),
        "seller offers": Known(1 / math.e, "1/e", _OWN),
        "buyer offers": Known(0.4036526377, "by quadrature", _OWN),
        "second best": Known(0.4271833617, "by quadrature", _OWN),
    }


@register(
    "exponential-pair",
    summary="Value and cost both exponential with mean 1",
    source=_OWN,
    known=_exponential,
)
def exponential_pair(seed: int = 1) -> Market:
    """Return the market with both sides exponential with mean 1."""
    prior = {"kind": "exponential", "scale": 1}
    return _bilateral("exponential-pair", prior, prior, seed)


def _mirrored(t: float) -> Mapping[str, Known]:
    a = (math.sqrt(t * t + 4 * t) - t) / 2
    offers = math.exp(-t - 1) * (2 * t + 5)
    second = math.exp(-t - a) * (t * (a + 1) + a * a + 2 * a + 2)
    return {
        "first best": Known(math.exp(-t) * (t + 2), "e^-t (t+2)", _OWN),
        "seller offers": Known(offers, "e^(-t-1) (2t+5)", _OWN),
        "buyer offers": Known(offers, "the same, by symmetry", _OWN),
        "second best": Known(
            second, "e^(-t-a) (t(a+1) + a^2 + 2a + 2), a = (sqrt(t^2+4t) - t)/2", _OWN
        ),
    }


@register(
    "mirrored-exponential",
    summary="v exponential, c = t minus an exponential: all shares tend to 2/e as t grows",
    source=_OWN,
    known=_mirrored,
)
def mirrored_exponential(t: float = 4.0, seed: int = 1) -> Market:
    """Return a market whose costs reach below zero, as then asks may too."""
    _require(0 < t < 500, f"instance 'mirrored-exponential': t is {t}; give a number in (0, 500)")
    value = {"kind": "exponential", "scale": 1}
    cost = {"kind": "scipy", "name": "weibull_max", "c": 1.0, "loc": t}
    return _bilateral("mirrored-exponential", value, cost, seed)


def _equal_revenue(high: float) -> Mapping[str, Known]:
    return {
        "first best": Known(1 + math.log(high), "E[v] = 1 + ln H", "folklore"),
        "best revenue": Known(1.0, "p P(v >= p) = 1 at every price p in [1, H]", "folklore"),
    }


@register(
    "equal-revenue",
    summary="Every price earns the seller the same: P(v >= x) = 1/x on [1, H], cost 0",
    source="folklore; the gains of the seller's offer are anything in [1, 1 + ln H]",
    known=_equal_revenue,
)
def equal_revenue(high: float = 100.0, seed: int = 1) -> Market:
    """Return a market where every price is optimal; H is an atom of probability 1/H."""
    _require(high > 1, f"instance 'equal-revenue': high is {high}; give a number above 1")
    value = {"kind": "equal-revenue", "low": 1, "high": high}
    return _bilateral("equal-revenue", value, {"kind": "point", "value": 0}, seed)


def _pareto(alpha: float) -> Mapping[str, Known]:
    k = alpha / (alpha - 1)
    return {
        "first best": Known(1 / (alpha - 1), "1/(a-1)", _OWN),
        "seller offers": Known(k**-alpha * (k * k - 1), "k^-a (k^2 - 1), k = a/(a-1)", _OWN),
    }


@register(
    "pareto",
    summary="Value Pareto, P(v >= x) = x^-a on [1, inf), cost 1",
    source=_OWN,
    known=_pareto,
)
def pareto(alpha: float = 2.0, seed: int = 1) -> Market:
    """Return a market with a heavy tail above the seller's cost."""
    _require(alpha > 1, f"instance 'pareto': alpha is {alpha}; give a number above 1")
    value = {"kind": "pareto", "alpha": alpha, "scale": 1}
    return _bilateral("pareto", value, {"kind": "point", "value": 1}, seed)


_FINITE_SHARES = {(20.0, 0.1): 0.480992, (30.0, 0.08): 0.476525}


def _worst(log_high: float, b: float) -> Mapping[str, Known]:
    limit = (b + (1 + 2 * b) * (b / (1 + b)) ** b) / (2 * (1 + b))
    known = {
        "mean value": Known(1 + log_high, "E[v] = 1 + ln H", "folklore"),
        "limit share of the random offerer": Known(
            limit, "(b + (1+2b) (b/(1+b))^b) / (2(1+b)) as H grows; least at b = 0.067947", _OWN
        ),
    }
    if (log_high, b) in _FINITE_SHARES:
        known["share of the random offerer"] = Known(
            _FINITE_SHARES[log_high, b], "by quadrature", _OWN
        )
    return known


@register(
    "random-offerer-worst-case",
    summary="Equal revenue on [1, H] against P(c <= x) = (x/H)^b: a fair coin's offers do worst",
    source=f"{_OWN}; compare arXiv 2603.08679, where the worst known ratio is 2.0749",
    known=_worst,
)
def random_offerer_worst_case(log_high: float = 20.0, b: float = 0.1, seed: int = 1) -> Market:
    """Return a market whose share of first best falls to 0.47284 (1/2.11487) as H grows."""
    _require(
        0 < log_high < 600 and b > 0,
        f"instance 'random-offerer-worst-case': log_high is {log_high} and b is {b}; "
        "give log_high in (0, 600) and b above 0",
    )
    high = math.exp(log_high)
    value = {"kind": "equal-revenue", "low": 1, "high": high}
    cost = {"kind": "beta", "a": b, "b": 1, "low": 0, "high": high}
    return _bilateral("random-offerer-worst-case", value, cost, seed)
