"""Closed forms, and what theory sections 1 and 10 say about them."""

import numpy as np
import pytest
from scipy import integrate, stats

from catallax.priors import (
    Discrete,
    EqualRevenue,
    Exponential,
    Normal,
    Pareto,
    Piecewise,
    Uniform,
    parse_prior,
)
from catallax.priors.moments import mean_at_least

X = np.linspace(0.01, 0.99, 50)


def test_uniform():
    prior = Uniform(2, 6)
    v = np.array([2.0, 3.7, 6.0])
    assert prior.virtual_value(v) == pytest.approx(2 * v - 6, rel=1e-15)
    assert prior.virtual_cost(v) == pytest.approx(2 * v - 2, rel=1e-15)
    assert prior.virtual_value([1.9, 7.0]).tolist() == [-np.inf, 6.0]
    assert prior.virtual_cost([1.9, 7.0]).tolist() == [2.0, np.inf]


def test_exponential():
    prior = Exponential(2, loc=1)
    v = np.array([1.0, 2.5, 30.0, 900.0])
    assert prior.virtual_value(v) == pytest.approx(v - 2)
    assert prior.virtual_cost(v) == pytest.approx(v + 2 * np.expm1((v - 1) / 2))
    assert prior.virtual_cost(1e5) == np.inf
    levels = np.array([1.0, 1.0 + 1e-12, 4.0, 1e9, 1e200])
    costs = prior.largest_cost(levels)
    assert prior.virtual_cost(costs) == pytest.approx(levels, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.3, 0.9, 1.0, 1.0001, 2.0, 30.0])
def test_pareto(alpha):
    prior = Pareto(alpha, 2)
    c = np.array([2.0, 2.5, 30.0])
    assert prior.virtual_cost(c) == pytest.approx(c + c / alpha * ((c / 2) ** alpha - 1), rel=1e-12)
    assert prior.largest_cost(prior.virtual_cost(c)) == pytest.approx(c, rel=1e-12)
    if alpha > 1:
        assert prior.virtual_value(c) == pytest.approx(c * (1 - 1 / alpha), rel=1e-11)


def test_power_family():
    """P(V >= x) = (1 - x)^k and P(C <= x) = x^k: phi = x - (1 - x)/k, psi = x (1 + 1/k)."""
    for k in (1, 2, 5):
        buyer = parse_prior(f"beta(1, {k})").virtual_value(X)
        seller = parse_prior(f"beta({k}, 1)").virtual_cost(X)
        assert buyer == pytest.approx(X - (1 - X) / k, rel=1e-12, abs=1e-13)
        assert seller == pytest.approx(X * (1 + 1 / k), rel=1e-12)


def test_equal_revenue():
    """Every price is optimal for a buyer; as a seller the atom irons from (low + high)/2 on."""
    prior = EqualRevenue(2, 10)
    assert prior.virtual_value([2, 5, 9.9999, 10, 11]).tolist() == [0, 0, 0, 10, 10]
    assert prior.smallest_value(0.0) == 2.0
    assert prior.smallest_value(0.0, strict=True) == 10.0
    assert prior.virtual_cost([2, 4, 6, 7, 10]).tolist() == [2, 8, 18, 18, 18]
    assert prior.ironed_costs == ((6.0, 10.0, 18.0),)
    assert prior.largest_cost([18.0, 17.999]) == pytest.approx([10.0, np.sqrt(2 * 17.999)])
    assert prior.largest_cost(18.0, strict=True) == pytest.approx(6.0, rel=1e-15)
    assert prior.mean == pytest.approx(2 * (1 + np.log(5)))
    prices = np.linspace(2, 10, 9)
    assert prices * prior.probability_at_least(prices) == pytest.approx(np.full(9, 2.0))


def test_discrete_formula():
    prior = Discrete([1, 2, 4], [0.2, 0.3, 0.5])
    assert prior.virtual_value([1, 2, 4], ironed=False) == pytest.approx([-3.0, -4 / 3, 4.0])
    assert prior.virtual_cost([1, 2, 4], ironed=False) == pytest.approx([1.0, 8 / 3, 6.0])
    assert prior.virtual_value([0.5, 1.5, 3.9, 9]) == pytest.approx([-np.inf, -3, -4 / 3, 4])
    assert prior.virtual_cost([0.5, 1.5, 3.9, 9]) == pytest.approx([1, 8 / 3, 6, np.inf])


def test_an_atom_before_a_gap():
    """phi(v) = v - P(V > v) gap / mass, also where densities lie beyond the gap."""
    prior = Piecewise([0, 2, 3], [0.4, 0.4, 1])
    assert prior.virtual_value([0, 1.5]) == pytest.approx([-0.6 * 2 / 0.4] * 2)
    assert prior.smallest_value(-2.0) == 2.0


def test_second_best_share_of_seller_offers_for_exponentials():
    """Exp(1)/Exp(1): the seller's offer c + 1 earns gains of 1/e (theory, section 10)."""
    prior = Exponential(1)
    offers = prior.smallest_value(X)
    assert offers == pytest.approx(X + 1, rel=1e-15)

    def gains(c):
        offer = float(prior.smallest_value(c))
        return np.exp(-c) * np.exp(-offer) * (offer + 1 - c)

    assert integrate.quad(gains, 0, np.inf)[0] == pytest.approx(np.exp(-1), rel=1e-12)


def test_buyer_offers_for_exponentials():
    """Exp(1)/Exp(1): the buyer's offer solves psi(c) = v; gains 0.4036526377."""
    prior = Exponential(1)

    def gains(v):
        offer = float(prior.largest_cost(v))
        return np.exp(-v) * (v * -np.expm1(-offer) - (1 - np.exp(-offer) * (1 + offer)))

    assert integrate.quad(gains, 0, 60)[0] == pytest.approx(0.4036526377, abs=1e-10)


def test_pareto_seller_offers():
    """P(V >= x) = x^-a, c = 1: the offer is k = a/(a-1), gains k^-a (k^2 - 1)."""
    for a in (1.5, 2.0, 4.0):
        k = a / (a - 1)
        offer = float(Pareto(a).smallest_value(1.0))
        assert offer == pytest.approx(k, rel=1e-15)
        gains = offer**-a * (offer * k - 1)
        assert gains == pytest.approx(k**-a * (k**2 - 1), rel=1e-13)


@pytest.mark.parametrize(
    ("text", "frozen"),
    [
        ("normal(0.5, 0.1)", stats.norm(0.5, 0.1)),
        ("normal(1, 2, low=-1, high=4)", stats.truncnorm(-1, 1.5, 1, 2)),
        ("normal(1, 2, low=4)", stats.truncnorm(1.5, np.inf, 1, 2)),
        ("exponential(3, loc=2)", stats.expon(2, 3)),
        ("lognormal(3, 0.5)", stats.lognorm(0.5, scale=3)),
        ("beta(2, 3, low=1, high=5)", stats.beta(2, 3, 1, 4)),
        ("pareto(2.5, scale=3)", stats.pareto(2.5, scale=3)),
        ("uniform(-1, 3)", stats.uniform(-1, 4)),
    ],
)
def test_distributions_against_scipy(text, frozen):
    prior = parse_prior(text)
    q = np.linspace(0.001, 0.999, 97)
    x = frozen.ppf(q)
    assert prior.quantile(q) == pytest.approx(x, rel=1e-11, abs=1e-13)
    assert prior.cdf(x) == pytest.approx(q, rel=1e-12)
    assert prior.sf(x) == pytest.approx(frozen.sf(x), rel=1e-10)
    assert prior.density(x) == pytest.approx(frozen.pdf(x), rel=1e-11)
    assert prior.mean == pytest.approx(frozen.mean(), rel=1e-10)
    phi, psi = x - frozen.sf(x) / frozen.pdf(x), x + frozen.cdf(x) / frozen.pdf(x)
    assert prior.virtual_value(x, ironed=False) == pytest.approx(phi, rel=1e-10, abs=1e-10)
    assert prior.virtual_cost(x, ironed=False) == pytest.approx(psi, rel=1e-10, abs=1e-10)


def test_a_normal_cut_off_far_out_keeps_its_digits():
    prior = Normal(0, 1, low=30, high=30.1)
    x = np.array([30.0, 30.01, 30.05, 30.0999])

    def tail(start):
        return integrate.quad(
            lambda u: np.exp((start - u) * (start + u) / 2), start, 30.1, epsrel=1e-13
        )[0]

    expected = np.array([tail(start) for start in x])
    assert x - prior.virtual_value(x) == pytest.approx(expected, rel=1e-9)
    assert 30 < prior.mean < 30.05


@pytest.mark.parametrize("alpha", [1.05, 1.2, 1.5, 3.0])
@pytest.mark.parametrize("price", [1.0, 2.0, 100.0, 1e6, 1e12])
def test_heavy_tails_hold_their_part_of_the_mean(alpha, price):
    known = alpha / (alpha - 1) * price ** (1 - alpha)
    found = mean_at_least(parse_prior(f"pareto({alpha})"), price)
    assert float(found) == pytest.approx(known, rel=1e-10)
