"""Ironing against independent computations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from catallax.errors import PriorError
from catallax.priors import (
    Beta,
    Discrete,
    Empirical,
    Lognormal,
    Mixture,
    Normal,
    Piecewise,
    Point,
    Uniform,
    parse_prior,
)

SMALL = st.lists(
    st.tuples(st.integers(-6, 12), st.integers(1, 6)),
    min_size=1,
    max_size=9,
    unique_by=lambda t: t[0],
)


def hull_slopes(values: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Return the slopes of the concave hull of the revenue curve, by comparing all pairs."""
    tail = np.append(np.cumsum(masses[::-1])[::-1], 0.0)  # P(V >= v_k), and nothing
    revenue = np.append(values, 0.0) * tail
    count = values.size
    slopes = np.empty(count)
    for k in range(count):  # the hull over [tail[k + 1], tail[k]]: min over left of max over right
        slopes[k] = min(
            max((revenue[i] - revenue[j]) / (tail[i] - tail[j]) for i in range(k + 1))
            for j in range(k + 1, count + 1)
        )
    return slopes


@settings(max_examples=400, deadline=None)
@given(SMALL)
def test_discrete_hull_by_brute_force(pairs):
    values, masses = (np.array(x, dtype=float) for x in zip(*sorted(pairs), strict=True))
    prior = Empirical(values, masses)
    tail = np.append(np.cumsum(masses[::-1])[::-1], 0.0)[1:]
    raw = values - tail * np.append(np.diff(values), 0.0) / masses
    isotonic = optimize.isotonic_regression(raw, weights=masses).x
    assert prior.virtual_value(values, ironed=False) == pytest.approx(raw, abs=1e-12)
    assert prior.virtual_value(values) == pytest.approx(isotonic, abs=1e-12)
    below = np.append(0.0, np.cumsum(masses)[:-1])
    raw = values + below * np.append(0.0, np.diff(values)) / masses
    isotonic = optimize.isotonic_regression(raw, weights=masses).x
    assert prior.virtual_cost(values) == pytest.approx(isotonic, abs=1e-12)


@settings(max_examples=300, deadline=None)
@given(SMALL)
def test_discrete_hull_by_comparing_all_pairs(pairs):
    values, masses = (np.array(x, dtype=float) for x in zip(*sorted(pairs), strict=True))
    assert Empirical(values, masses).virtual_value(values) == pytest.approx(
        hull_slopes(values, masses), abs=1e-12
    )


@pytest.mark.parametrize("count", [3, 40, 20_000])
def test_large_samples_with_ties(count):
    rng = np.random.default_rng(count)
    sample = np.round(rng.lognormal(1, 1, count), 2)
    prior = Empirical(sample)
    values, counts = np.unique(sample, return_counts=True)
    tail = count - np.cumsum(counts)
    raw = values - tail * np.append(np.diff(values), 0.0) / counts
    expected = optimize.isotonic_regression(raw, weights=counts.astype(float)).x
    assert prior.virtual_value(values) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    levels = prior.virtual_value(values)
    assert (np.diff(levels) >= 0).all()
    for low, high, level in prior.ironed_values:
        assert prior.smallest_value(level) <= low
        assert prior.smallest_value(level, strict=True) >= high or high == values[-1]


def test_equal_levels_are_not_pooled():
    """phi(1) = phi(2) = 0 before ironing: a plateau, but nothing was ironed."""
    prior = Discrete([1, 2, 4], [0.5, 0.25, 0.25])
    assert prior.virtual_value([1, 2, 4]).tolist() == [0.0, 0.0, 4.0]
    assert prior.ironed_values == ()
    assert prior.smallest_value(0.0) == 1.0
    assert prior.smallest_value(0.0, strict=True) == 4.0


def test_levels_do_not_depend_on_the_scale_of_weights():
    small, large = Empirical([1, 2, 5], [1, 1, 2]), Empirical([1, 2, 5], [1e-9, 1e-9, 2e-9])
    assert small.virtual_value([1, 2, 5]) == pytest.approx(large.virtual_value([1, 2, 5]))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_any_magnitude(scale):
    prior = Empirical(np.array([1.0, 2.0, 3.0, 7.0]) * scale)
    assert prior.virtual_value(np.array([1.0, 2.0, 3.0, 7.0]) * scale) == pytest.approx(
        np.array([-2.0, -0.5, -0.5, 7.0]) * scale
    )
    uniform = Mixture([Uniform(0, scale), Uniform(0, 3 * scale)], [0.5, 0.5])
    assert uniform.ironed_values[0] == pytest.approx(
        (0.75 * scale, 1.5 * scale, 0.0), abs=1e-12 * scale
    )


# Densities 2 and 1/3 on [0, 0.4] and [0.4, 1]. Revenue x (1 - 2x) and x (1 - x) / 3: with
# phi = 2x - 1/2 on the left and 2x - 1 on the right, the ends are (t + 1/2) / 2 and (t + 1) / 2,
# and M(t) = h (beta - t)^2 / 4 agrees at sqrt(2) (1/2 - t) = sqrt(1/3) (1 - t).
ROOT = (np.sqrt(2) * 0.5 - np.sqrt(1 / 3)) / (np.sqrt(2) - np.sqrt(1 / 3))


def test_a_density_that_drops_is_solved_by_hand():
    ((low, high, level),) = Piecewise([0, 0.4, 1], [0, 0.8, 1]).ironed_values
    assert level == pytest.approx(ROOT, abs=1e-14)
    assert low == pytest.approx((ROOT + 0.5) / 2, abs=1e-14)
    assert high == pytest.approx((ROOT + 1) / 2, abs=1e-14)


def test_two_uniforms_are_solved_by_hand():
    """P(V >= x) = 1 - 2x/3 below 1 and (3 - x)/6 above: tangent at 3/4 and 3/2, level 0."""
    prior = Mixture([Uniform(0, 1), Uniform(0, 3)], [0.5, 0.5])
    assert prior.ironed_values[0] == pytest.approx((0.75, 1.5, 0.0), abs=1e-12)
    assert prior.ironed_costs == ()


def test_a_gap_pools_the_density_before_it():
    """Half on [0, 1], half at 2: R = x (1 - x/2) up to 1, and 1 at price 2."""
    prior = Mixture([Uniform(0, 1), Point(2)], [0.5, 0.5])
    assert prior.ironed_values == ((0.0, 2.0, -2.0),)
    assert prior.virtual_cost(2.0) == 3.0
    assert prior.largest_cost(2.9) == 1.0


def test_an_atom_before_a_density_pools_a_part_of_it():
    """Half at 0, half on [0, 1]: R = x (1 - x) / 2 right of 0; the atom's chord is tangent at 0."""
    prior = Piecewise([0, 1], [0.5, 1])
    # t with max_x (1 - x)(x - t) / 2 = -t at x = (1 + t) / 2: (1 - t)^2 / 8 = -t
    level = -3 + np.sqrt(8)
    ((low, high, found),) = prior.ironed_values
    assert (low, high, found) == pytest.approx((0.0, (1 + level) / 2, level), abs=1e-14)


def tangent(sf, pdf, low, high):
    """Return the interval whose ends have the same virtual value as its mean, by Newton."""

    def gap(ends):
        x, y = ends
        mean = (x * sf(x) - y * sf(y)) / (sf(x) - sf(y))
        return [x - sf(x) / pdf(x) - mean, y - sf(y) / pdf(y) - mean]

    found = optimize.root(gap, [low, high], tol=1e-14)
    x, y = found.x
    return x, y, (x * sf(x) - y * sf(y)) / (sf(x) - sf(y))


def test_two_normals_against_newton():
    def sf(x):
        return 0.5 * stats.norm.sf(x) + 0.5 * stats.norm.sf(x, 6, 0.5)

    def pdf(x):
        return 0.5 * stats.norm.pdf(x) + 0.5 * stats.norm.pdf(x, 6, 0.5)

    prior = Mixture([Normal(0, 1), Normal(6, 0.5)], [0.5, 0.5])
    ((low, high, level),) = prior.ironed_values
    expected = tangent(sf, pdf, -0.9, 4.9)
    assert (low, high, level) == pytest.approx(expected, rel=1e-9)


def test_arcsine_against_its_formula():
    """The block of beta(1/2, 1/2) starts at 0, where R/q is 0: q(y) phi(y) + ... = mean."""

    def sf(x):
        return 1 - 2 / np.pi * np.arcsin(np.sqrt(x))

    def gap(y):
        phi = y - sf(y) * np.pi * np.sqrt(y * (1 - y))
        return phi - (0 - y * sf(y)) / (1 - sf(y))

    end = optimize.root_scalar(gap, bracket=(0.1, 0.9), xtol=1e-15).root
    level = -end * sf(end) / (1 - sf(end))
    assert Beta(0.5, 0.5).ironed_values == (pytest.approx((0.0, end, level), rel=1e-11),)


@pytest.mark.parametrize("seed", range(12))
def test_random_mixtures_against_a_fine_discrete_hull(seed):
    rng = np.random.default_rng(seed)
    centres, widths = rng.uniform(0, 10, 3), rng.uniform(0.2, 3, 3)
    weights = rng.dirichlet(np.ones(4))
    parts = [Normal(m, s, low=-5, high=16) for m, s in zip(centres, widths, strict=True)]
    prior = Mixture([*parts, Point(4.0)], weights / weights.sum())
    grid = np.linspace(-5, 16, 210_001)
    q = prior.probability_at_least(grid)
    revenue = grid * q
    masses = -np.diff(np.append(q, 0.0))
    keep = masses > 0
    means = (revenue - np.append(revenue[1:], 0.0))[keep] / masses[keep]
    hull = optimize.isotonic_regression(means, weights=masses[keep]).x
    x = grid[keep][::500]
    heavy = (q[keep][::500] > 1e-6) & (prior.cdf(x) > 1e-4)  # the grid is too coarse in the tails
    mine = prior.virtual_value(x)[heavy]
    assert mine == pytest.approx(hull[::500][heavy], rel=2e-3, abs=2e-3)


def test_normal_tails_follow_the_inverse_mills_ratio():
    prior = Normal(0, 1)
    z = np.array([-30.0, -8.0, 0.0, 5.0, 40.0, 1e6])
    expected = z - np.sqrt(np.pi / 2) * special.erfcx(z / np.sqrt(2))
    assert prior.virtual_value(z) == pytest.approx(expected, rel=1e-12)
    assert prior.virtual_cost(-z) == pytest.approx(-expected, rel=1e-12)
    assert prior.virtual_value(-1e5) == -np.inf
    assert prior.virtual_cost(1e5) == np.inf


@pytest.mark.parametrize("sigma", [5, 15, 16, 17, 18, 20, 22.5, 25, 26])
def test_lognormals_of_hundreds_of_orders_of_magnitude(sigma):
    """The plateau is as high as the mean of the revenue between its ends, and ends where phi is."""
    prior = Lognormal(1, sigma)
    (low, high, level), *others = prior.ironed_values
    assert not others
    # Everything is worked out in logarithms, for its squares overflow.
    start, end = np.log(max(low, 5e-324)) / sigma, np.log(high) / sigma
    lost = np.log(high) + special.log_ndtr(-end)
    gained = np.log(max(low, 5e-324)) + special.log_ndtr(-start)
    mass = special.log_ndtr(end) + np.log1p(-np.exp(special.log_ndtr(start)) / special.ndtr(end))
    assert level == pytest.approx(np.exp(gained - mass) - np.exp(lost - mass), rel=1e-9)
    if low > 1e-300:
        ratio = np.exp(np.log(sigma * low) + special.log_ndtr(-start) - stats.norm.logpdf(start))
        assert level == pytest.approx(low - ratio, rel=1e-9)
    x = np.geomspace(1e-308, 1e300, 5_001)
    phi = prior.virtual_value(x)
    assert (phi[1:] >= phi[:-1]).all()
    assert (phi[(x >= low) & (x < high)] == level).all()
    assert (phi[x < low] < level).all() and (phi[x > high] > level).all()


@pytest.mark.parametrize("sigma", [27, 30, 100, 1e300])
def test_a_lognormal_that_turns_beyond_all_numbers_is_refused(sigma):
    prior = Lognormal(1, sigma)
    with pytest.raises(PriorError, match="cannot be ironed in floating point") as caught:
        prior.virtual_value(1.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["beta(2, 3)", "beta(1, 2)", "beta(1, 1.2, low=-3, high=7)", "scipy('triang', c=0.3)",
     "mixture([beta(2, 3), uniform(0, 0.5)], [0.5, 0.5])"],
)  # fmt: skip
def test_a_density_that_vanishes_at_the_top_makes_the_top_cost_infinite(text):
    prior = parse_prior(text)
    low, high = prior.support
    for ironed in (False, True):
        assert prior.virtual_cost(high, ironed) == np.inf
        assert np.isfinite(prior.virtual_cost(np.nextafter(high, low), ironed))
        assert prior.virtual_cost(low, ironed) == low


def test_limits_at_the_ends_of_pieces_are_one_sided():
    prior = Piecewise([0, 1, 2, 3], [0, 0.5, 0.5, 1])
    assert prior.virtual_value([0, 1, 2, 3], ironed=False).tolist() == [-2, 0, 1, 3]
    assert prior.virtual_cost([0, 1, 2, 3], ironed=False).tolist() == [0, 2, 3, 5]
    uneven = Piecewise([0, 1, 3], [0, 0.8, 1])
    assert uneven.virtual_cost([1, 3], ironed=False) == pytest.approx([2, 13])
    mixed = Mixture([Piecewise([0, 1], [0, 1]), Beta(2, 3)], [0.5, 0.5])
    assert mixed.virtual_cost(1.0, ironed=False) == pytest.approx(1 + 1 / 0.5)
    assert Beta(0.5, 0.5).virtual_value(0.0, ironed=False) == 0.0
