"""Integrals with a computed error: against closed forms, poles, jumps, and every kind of prior."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catallax.estimate.exact.integrals import (
    GAUSS,
    KRONROD,
    POINTS,
    expectation,
    integrate,
    tail_of,
)
from catallax.priors import parse_prior
from tests.priors.conftest import EVERY

FINITE = [spec for spec in EVERY if spec != "pareto(1)"]


def test_the_rules_are_exact_for_polynomials() -> None:
    for degree in range(24):
        whole = 2 / (degree + 1) if degree % 2 == 0 else 0.0
        assert KRONROD @ POINTS**degree == pytest.approx(whole, abs=1e-15)
        if degree < 14:
            assert GAUSS @ POINTS**degree == pytest.approx(whole, abs=1e-15)
    assert np.dot(GAUSS, POINTS**14) != pytest.approx(2 / 15, abs=1e-9)


@pytest.mark.parametrize(
    ("function", "edges", "whole"),
    [
        (np.exp, [0.0, 1.0], math.e - 1),
        (lambda x: x**-0.5, [0.0, 1.0], 2.0),
        (lambda x: np.cbrt(1 - x), [0.0, 1.0], 3 / 4),
        (lambda x: np.where(x < 1 / math.pi, 1.0, 0.0), [0.0, 1.0], 1 / math.pi),
        (lambda x: 1 / x, [1e-200, 1.0], 200 * math.log(10)),
        (lambda x: np.exp(-((x - 0.3) ** 2) / 2e-12), [0.0, 0.2999, 0.3001, 1.0], None),
    ],
)
def test_poles_jumps_and_spikes(function, edges, whole) -> None:
    whole = math.sqrt(2 * math.pi) * 1e-6 if whole is None else whole
    found = integrate(lambda x: function(x)[None], edges)
    assert abs(found.value[0] - whole) <= max(found.error[0], 1e-15)
    assert found.error[0] <= 2e-11 * whole


def test_the_error_is_what_was_reached() -> None:
    """A function of noise: no halving helps, and the bound says so."""
    noise = np.random.default_rng(1)
    found = integrate(lambda x: 1.0 + 1e-6 * noise.normal(size=x.shape)[None], [0.0, 1.0])
    assert abs(found.value[0] - 1.0) < found.error[0]
    assert found.error[0] > 1e-9


def test_units_keep_apart_what_is_small() -> None:
    """A small quantity of a unit of its own is as exact as a large one."""

    def rows(x: np.ndarray) -> np.ndarray:
        return np.stack([1e9 * np.ones(x.size), 1e-9 * np.sqrt(x)])

    together = integrate(rows, [0.0, 1.0], units=(0, 0))
    apart = integrate(rows, [0.0, 1.0], units=(0, 1))
    assert apart.value[1] == pytest.approx(2e-9 / 3, rel=1e-10)
    assert apart.error[1] < together.error[1]


@pytest.mark.parametrize("spec", FINITE)
def test_every_prior_has_mass_one_and_its_mean(spec: str) -> None:
    prior = parse_prior(spec)
    found = expectation(prior, lambda x: np.stack([np.ones(x.size), x, np.abs(x)]), units=(0, 1, 1))
    mass, mean, size = found.value
    assert abs(mass - 1.0) <= max(found.error[0], 1e-13)
    assert found.error[0] < 1e-10
    assert mean == pytest.approx(prior.mean, abs=1e-11 * size)
    assert found.error[1] < 1e-10 * size


@pytest.mark.parametrize("spec", FINITE)
def test_tails_are_partial_means(spec: str) -> None:
    """E[max(V - x, 0)] by the tail, and by the expectation with a kink at x."""
    prior = parse_prior(spec)
    upper, lower = tail_of(prior, 1), tail_of(prior, -1)
    size = float(expectation(prior, lambda x: np.abs(x)[None]).value[0])
    points = np.unique(np.append(prior.quantile(np.linspace(0.02, 0.98, 5)), prior.atoms[0][:2]))
    assert upper(points) - lower(points) == pytest.approx(prior.mean - points, abs=1e-12 * size)
    kinked = expectation(
        prior, lambda x: np.maximum(x - points[:, None], 0.0), points, [0] * points.size
    )
    assert upper(points) == pytest.approx(kinked.value, abs=2e-11 * size)
    assert (upper.error(points) < 1e-10 * size).all()
    outside = np.array([min(points) - 10 * size, 1e300])
    assert upper(outside) == pytest.approx([prior.mean - outside[0], 0.0], abs=1e-11 * size)


def test_a_tail_beyond_all_numbers_is_known_from_the_mean() -> None:
    prior = parse_prior("pareto(1.02)")
    upper = tail_of(prior, 1)
    assert upper.beyond > 0
    # x^(1 - a) / (a - 1)
    assert upper(np.array([1.0, 1e10])) == pytest.approx([50.0, 50 * 10**-0.2], rel=1e-12)


def test_a_pole_at_an_end_that_is_not_zero() -> None:
    """Of this law, one draw in forty lies between 1 and the float below it."""
    prior = parse_prior("beta(1, 0.1)")
    found = expectation(prior, lambda x: np.stack([np.ones(x.size), x]), units=(0, 0))
    assert found.value == pytest.approx([1.0, prior.mean], abs=1e-11)
