"""Controls have expectation zero, exactly, and take most of the variance away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catallax as cx
from catallax.estimate.batch.clearing import Block
from catallax.estimate.batch.conditional import CONTROLS, controls
from catallax.estimate.batch.forms import batch_form
from catallax.estimate.draws import Draws
from catallax.mechanisms.profiles import draw_profiles
from catallax.mechanisms.second_best import CombinedWeights
from tests.estimate.markets import random_market, sparse_market

DISCRETE = [
    "discrete([0, 1, 2, 3, 4], [0.3, 0.05, 0.3, 0.05, 0.3])",  # plateaus on both sides
    "discrete([1, 2, 3], [0.5, 0.1, 0.4])",
    "point(2)",
]


@pytest.mark.parametrize("slug", ["first-best", "gsom", "gbom", "random-offerer", "gsom-bic"])
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_their_expectation_is_zero_whatever_the_market(slug: str, seed: int) -> None:
    """Over all profiles of discrete priors, with ties, plateaus and agents that never trade."""
    market = random_market(np.random.default_rng(seed), 2, DISCRETE)
    profiles = draw_profiles(market, 2, 0)
    assert profiles.exact
    block = Block(market, Draws(profiles.bids, profiles.asks))
    form = batch_form(cx.mechanisms.get(slug), market)
    assert form is not None
    total = np.zeros(CONTROLS)
    for branch in form(block):
        found = controls(block, branch)
        assert found is not None
        total += profiles.chances @ found
    np.testing.assert_allclose(total, 0.0, atol=1e-12)


def test_the_first_best_in_closed_form() -> None:
    """One pair of U[0, 1]: a gain of v - c, where v^2 / 2 (or (1 - c)^2 / 2) was expected."""
    market = cx.instances.get("bilateral-uniform")
    rng = np.random.default_rng(5)
    v, c = rng.random((50, 1)), rng.random((50, 1))
    block = Block(market, Draws(v, c))
    form = batch_form(cx.mechanisms.get("first-best"), market)
    assert form is not None
    found = controls(block, form(block)[0])
    assert found is not None
    gain = np.maximum(v - c, 0.0)[:, 0]
    np.testing.assert_allclose(found[:, 0], gain - (1 - c[:, 0]) ** 2 / 2, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], gain - v[:, 0] ** 2 / 2, atol=1e-12)
    np.testing.assert_array_equal(found[:, :2], found[:, 2:])  # gains are the agents' utilities


def test_what_charges_no_thresholds_has_none() -> None:
    market = cx.instances.get("bilateral-uniform")
    block = Block(market, Draws(np.array([[0.9]]), np.array([[0.1]])))
    for rule in ("posted-price", "mcafee", "meta-auction-buyers"):
        form = batch_form(cx.mechanisms.get(rule), market)
        assert form is not None and controls(block, form(block)[0]) is None
    combined = batch_form(cx.mechanisms.get("second-best"), market)
    assert combined is not None
    (branch,) = combined(block)
    assert isinstance(branch.rule, CombinedWeights) and controls(block, branch) is not None


@pytest.mark.parametrize("draws", ["plain", "antithetic"])
def test_most_of_the_variance_goes(draws: str) -> None:
    market = sparse_market(12)
    how = {"samples": 4000, "rng": 3, "exact": False, "draws": draws}
    plain = cx.simulate(market, ["first-best", "gsom"], samples=4000, rng=4, exact=False)
    found = cx.simulate(market, ["first-best", "gsom"], conditional=True, **how)
    assert found.conditional
    for one, other in zip(found, plain, strict=True):
        reduction = one.variance_reduction["gains_from_trade"]
        # Said to be so many times smaller, and so it is, next to a run without.
        assert reduction > 3
        ratio = other.gains_from_trade.stderr**2 / one.gains_from_trade.stderr**2
        assert reduction == pytest.approx(ratio, rel=0.2)
        gap = one.gains_from_trade.mean - other.gains_from_trade.mean
        assert abs(gap) < 4 * other.gains_from_trade.stderr
