"""One prior of every kind and shape, for the tests that hold for all of them."""

from functools import cache

import pytest

from catallax.priors import Prior, parse_prior

EVERY = [
    "uniform(0, 1)",
    "uniform(-3, 250)",
    "normal(0.5, 0.1)",
    "normal(0.5, 0.4, low=0, high=1)",
    "normal(0, 1, low=10, high=11)",
    "normal(0, 1, low=-11, high=-10)",
    "normal(3, 1e-6, low=3)",
    "exponential(2, loc=1)",
    "lognormal(3, 0.5)",
    "lognormal(3, 2)",
    "beta(2, 2)",
    "beta(0.5, 0.5)",
    "beta(3, 0.3, low=-1, high=4)",
    "pareto(2.5, scale=3)",
    "pareto(1)",
    "equal-revenue(1, 10)",
    "point(3)",
    "discrete([1, 2, 3], [0.5, 0.1, 0.4])",
    "discrete([0.1, 0.1, 0.7, 5, 6], [0.2, 0.2, 0.1, 0, 0.5])",
    "empirical([4, 1, 1, 2, 9, 9.5, -2])",
    "empirical([4, 1, 2.5], [0.1, 3, 1])",
    "piecewise([0, 0.4, 1], [0, 0.8, 1])",
    "piecewise([0, 1, 2, 2, 3], [0, 0.5, 0.5, 0.75, 1])",
    "piecewise([0, 1, 2, 3, 4, 4], [0.2, 0.2, 0.6, 0.6, 0.7, 1])",
    "intervals([0, 0, 0, 10, 10, 5], [10, 10, 10, 20, inf, 15])",
    "mixture([uniform(0, 1), uniform(0, 3)], [0.5, 0.5])",
    "mixture([uniform(0, 1), point(2)], [0.5, 0.5])",
    "mixture([normal(0, 1), normal(6, 0.5)], [0.5, 0.5])",
    "mixture([uniform(0, 1), point(0.5), exponential(1, loc=3), discrete([7, 8], [0.5, 0.5])],"
    " [0.4, 0.2, 0.2, 0.2])",
    "mixture([mixture([beta(0.5, 2), point(1)], [0.9, 0.1]), uniform(4, 5), pareto(3, 2)],"
    " [0.4, 0.3, 0.3])",
    "mixture([mixture([point(1), point(2)], [0.5, 0.5]), point(3)], [0.5, 0.5])",
    "mixture([equal-revenue(1, 10), normal(20, 3, low=12)], [0.7, 0.3])",
    "scipy('gamma', a=2, scale=3)",
    "scipy('weibull_min', c=0.7)",
    "scipy('triang', c=0.3, loc=1, scale=4)",
    "scipy('binom', n=10, p=0.3)",
]


@cache
def ready(text: str) -> Prior:
    """Return a prior that is ironed once for all tests: priors do not change."""
    return parse_prior(text)


@pytest.fixture(params=EVERY)
def prior(request: pytest.FixtureRequest) -> Prior:
    """Every prior in turn."""
    return ready(request.param)
