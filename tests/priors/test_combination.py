"""Ironed combinations of value and virtual value, partial means, and bounds on the price."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from catallax.priors import parse_prior
from catallax.priors.combination import weighing
from catallax.priors.moments import mean_at_least, mean_at_most, quadrature

PRIORS = [
    "uniform(0, 1)",
    "exponential(2)",
    "pareto(3, 0.2)",
    "equal-revenue(1, 10)",
    "beta(2, 1)",
    "beta(0.5, 0.5)",
    "mixture([uniform(0, 1), uniform(2, 3)], [0.5, 0.5])",
    "mixture([normal(1, 0.1), normal(2, 0.1)], [0.5, 0.5])",
    "mixture([uniform(0, 1), point(0.5)], [0.5, 0.5])",
    "discrete([1, 2, 3, 7], [0.4, 0.1, 0.3, 0.2])",
]


@pytest.mark.parametrize("text", PRIORS)
@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_at_share_one_it_is_the_ironed_virtual_value(text: str, role) -> None:
    prior = parse_prior(text)
    at = np.unique(prior.quantile(np.linspace(0.001, 0.999, 400)))
    virtual = prior.virtual_value(at) if role == "buyer" else prior.virtual_cost(at)
    np.testing.assert_allclose(weighing(prior, role, 1.0).weight(at), virtual, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("text", PRIORS)
@pytest.mark.parametrize("role", ["buyer", "seller"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_what_is_sold_at_a_price_is_worth_its_weights(text: str, role, share: float) -> None:
    """E[w 1(v >= r)] = (1 - share) E[v 1(v >= r)] + share r P(v >= r), outside of plateaus."""
    prior = parse_prior(text)
    weights = weighing(prior, role, share)
    ironed, asked = weights.curve.intervals, 0
    for price in np.unique(prior.quantile(np.linspace(0.03, 0.97, 12))):
        signed = price if role == "buyer" else -price
        if any(block.low < signed < block.high for block in ironed):
            continue
        steps = prior.atoms[1].size > 0 and not prior._parts().pieces
        if steps and float(weights.critical(weights.weight(price))) != price:
            continue  # inside a block of atoms nothing is claimed
        points, chances = quadrature(prior, np.append(weights.kinks, price))
        if role == "buyer":
            sold = points >= price
            stated = (1 - share) * mean_at_least(prior, price)
            stated += share * price * prior.probability_at_least(price)
        else:
            sold = points <= price
            stated = (1 - share) * mean_at_most(prior, price) + share * price * prior.cdf(price)
        worth = chances[sold] @ weights.weight(points[sold])
        assert worth == pytest.approx(float(stated), rel=1e-8, abs=1e-9)
        asked += 1
    assert asked or len(ironed) > 0


@pytest.mark.parametrize("text", PRIORS)
@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_inverses_are_at_the_turn(text: str, role) -> None:
    prior = parse_prior(text)
    weights = weighing(prior, role, 0.4)
    at = np.unique(prior.quantile(np.linspace(0.01, 0.99, 40)))
    levels = np.unique(weights.weight(at))
    sign = 1.0 if role == "buyer" else -1.0
    for strict in (False, True):
        found = weights.critical(levels, strict)
        reached = np.isfinite(found)
        met = sign * weights.weight(found[reached])
        wanted = sign * levels[reached]
        assert (met > wanted if strict else met >= wanted).all()
        before = sign * weights.weight(found[reached] - sign * 1e-6)
        assert (before <= wanted + (0.0 if strict else 1e-12)).all()


def test_bounds_move_the_best_price() -> None:
    """The best price for a cost of 0 on [low, high], against a search over all prices."""
    rng = np.random.default_rng(0)
    for text in PRIORS:
        prior = parse_prior(text)
        for low, high in np.sort(prior.quantile(rng.uniform(0.05, 0.95, (4, 2)))):
            if low == high:
                continue
            offered = float(weighing(prior, "buyer", 1.0, low=low, high=high).critical(0.0))
            prices = np.append(np.linspace(low, high, 4001), prior.atoms[0])
            prices = prices[(prices >= low) & (prices <= high)]
            best = (prices * prior.probability_at_least(prices)).max()
            assert low <= offered <= high
            revenue = offered * float(prior.probability_at_least(offered))
            assert revenue >= best - 1e-9 * max(best, 1.0)


@pytest.mark.parametrize("text", ["normal(0.5, 0.1)", "lognormal(1, 1)", "exponential(0.01)"])
@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_at_share_zero_it_is_the_report_however_far_out(
    text: str, role: Literal["buyer", "seller"]
) -> None:
    """Densities are nothing there, and virtual values infinite."""
    weighs = weighing(parse_prior(text), role, 0.0)
    far = np.array([1.0, 8.0, 800.0, 1e100])
    if role == "buyer" and text.startswith("normal"):
        far = -far
    known = np.isfinite(weighs.weight(far))
    assert known.any()
    assert np.array_equal(weighs.weight(far)[known], far[known])
    assert np.array_equal(weighs.critical(far)[known], far[known])
    assert not np.isnan(weighs.weight(far)).any()
