"""What holds for every prior, of every kind and shape."""

import copy
import json
import pickle
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from catallax.priors import Prior, make_prior, names, parse_prior
from tests.priors.conftest import EVERY

# Kinds whose densities are special functions, the last bits of which are not monotone.
NOISY = {"normal", "lognormal", "beta", "scipy", "mixture"}


POINTS, WEIGHTS = np.polynomial.legendre.leggauss(60)
POINTS, WEIGHTS = (POINTS + 1) / 2, WEIGHTS / 2


def points(prior: Prior, count: int = 400) -> np.ndarray:
    """Values over the bulk, the tails and beyond, with all atoms and plateau ends."""
    rng = np.random.default_rng(1)
    atoms, _ = prior.atoms
    ends = [x for block in (*prior.ironed_values, *prior.ironed_costs) for x in block[:2]]
    inner = prior.quantile(np.append(rng.random(count), [1e-9, 1e-4, 1 - 1e-4, 1 - 1e-9]))
    low, high = inner.min(), inner.max()
    beyond = [low - 1, low - 1e3, high + 1, high + 1e3, 0.0]
    return np.sort(np.concatenate([inner, atoms, [x for x in ends if np.isfinite(x)], beyond]))


def test_every_kind_is_here():
    assert {parse_prior(text).kind for text in EVERY} == set(names())


def integral(prior: Prior, function, low: float, high: float) -> float:
    """Return E[function(V); low <= V <= high] by quadrature between all that is not smooth."""
    atoms, masses = prior.atoms
    inside = (atoms >= low) & (atoms <= high)
    total = float(np.dot(function(atoms[inside]), masses[inside]))
    blocks = (*prior.ironed_values, *prior.ironed_costs)
    cuts = {x for piece in prior._parts().pieces for x in piece}
    cuts |= {x for block in blocks for x in block[:2]} | {low, high}
    tails = np.geomspace(1e-30, 0.3, 80)
    cuts |= set(prior.quantile([*tails, 0.5]).tolist())
    cuts |= set(prior._upper_quantile(tails).tolist())
    # What lies beyond the finite cuts has probability 1e-30.
    for start, end in pairwise(sorted(x for x in cuts if low <= x <= high and np.isfinite(x))):
        if end - start <= 1e-8 * max(abs(start), abs(end)):  # too few floats for quadrature
            mass = float(prior.sf(start) - prior.probability_at_least(end))
            total += float(function(start / 2 + end / 2)) * mass
        else:
            x = start + (end - start) * POINTS
            total += (end - start) * float(WEIGHTS @ (function(x) * prior.density(x)))
    return total


def test_identities(prior):
    """E[phi; v >= r] = r P(v >= r) and E[psi; c <= r] = r P(c <= r) off the plateaus."""
    low, high = prior.support
    for q in (0.003, 0.2, 0.5, 0.77, 0.98):
        r = float(prior.quantile(q))
        if any(block.low < r < block.high for block in prior.ironed_values):
            r = next(b.low for b in prior.ironed_values if b.low < r < b.high)
        sold = float(prior.probability_at_least(r))
        if sold > 0 and prior.spec() != {"kind": "pareto", "alpha": 1.0, "scale": 1.0}:
            earned = integral(prior, prior.virtual_value, r, high)
            scale = max(abs(r) * sold, integral(prior, np.abs, r, high))
            assert earned == pytest.approx(r * sold, abs=2e-9 * scale)
        r = float(prior.quantile(q))
        if any(block.low < r < block.high for block in prior.ironed_costs):
            r = next(b.high for b in prior.ironed_costs if b.low < r < b.high)
        bought = float(prior.cdf(r))
        if np.isfinite(r):
            paid = integral(prior, prior.virtual_cost, low, r)
            scale = max(abs(r) * bought, integral(prior, np.abs, low, r))
            assert paid == pytest.approx(r * bought, abs=2e-9 * scale)


def test_virtual_values_are_monotone_and_bounded_by_values(prior):
    x = points(prior)
    low, high = prior.support
    phi, psi = prior.virtual_value(x), prior.virtual_cost(x)
    assert not np.isnan(phi).any() and not np.isnan(psi).any()
    noise = 1e-12 if prior.kind in NOISY else 0.0
    assert (phi[1:] >= phi[:-1] - noise * np.nan_to_num(np.abs(phi[:-1]), posinf=0.0)).all()
    assert (psi[1:] >= psi[:-1] - noise * np.nan_to_num(np.abs(psi[:-1]), posinf=0.0)).all()
    assert (phi[x < low] == -np.inf).all() and (psi[x > high] == np.inf).all()
    inside = (x >= low) & (x <= high)
    assert (phi[inside] <= x[inside] + 1e-9 * (1 + abs(x[inside]))).all()
    assert (psi[inside] >= x[inside] - 1e-9 * (1 + abs(x[inside]))).all()
    if np.isfinite(high):
        assert prior.virtual_value(high + 1) == prior.virtual_value(high) == high
    if np.isfinite(low):
        assert prior.virtual_cost(low - 1) == prior.virtual_cost(low) == low


def test_raw_and_ironed_agree_off_the_plateaus(prior):
    x = points(prior)
    x = x[(x >= prior.support[0]) & (x <= prior.support[1])]
    for raw, ironed, blocks in (
        (prior.virtual_value(x, ironed=False), prior.virtual_value(x), prior.ironed_values),
        (prior.virtual_cost(x, ironed=False), prior.virtual_cost(x), prior.ironed_costs),
    ):
        assert not np.isnan(raw).any()
        free = np.ones(x.size, dtype=bool)
        for low, high, level in blocks:
            inner = (x > low) & (x < high)
            free &= ~((x >= low) & (x <= high))
            assert (ironed[inner] == level).all()
        assert ironed[free] == pytest.approx(raw[free], rel=1e-10, abs=1e-10)


def test_inverses_are_exact(prior):
    rng = np.random.default_rng(2)
    x = points(prior)
    phi = prior.virtual_value(x)
    levels = phi[np.isfinite(phi)]
    between = rng.uniform(levels.min() - 1, levels.max() + 1, 300)
    blocks = [block.level for block in prior.ironed_values]
    levels = np.concatenate([levels, between, blocks, [0.0]])
    for strict in (False, True):
        z = prior.smallest_value(levels, strict)
        reached = np.isfinite(z)
        at, before = prior.virtual_value(z), prior.virtual_value(np.nextafter(z, -np.inf))
        if strict:
            assert (at > levels)[reached].all() and not (before > levels)[reached].any()
            assert (prior.virtual_value(1e300) <= levels)[z == np.inf].all()
        else:
            assert (at >= levels)[reached].all() and not (before >= levels)[reached].any()
            assert (prior.virtual_value(1e300) < levels)[z == np.inf].all()
    psi = prior.virtual_cost(x)
    levels = psi[np.isfinite(psi)]
    between = rng.uniform(levels.min() - 1, levels.max() + 1, 300)
    blocks = [block.level for block in prior.ironed_costs]
    levels = np.concatenate([levels, between, blocks, [0.0]])
    for strict in (False, True):
        z = prior.largest_cost(levels, strict)
        reached = np.isfinite(z)
        at, after = prior.virtual_cost(z), prior.virtual_cost(np.nextafter(z, np.inf))
        if strict:
            assert (at < levels)[reached].all() and not (after < levels)[reached].any()
            assert (prior.virtual_cost(-1e300) >= levels)[z == -np.inf].all()
        else:
            assert (at <= levels)[reached].all() and not (after <= levels)[reached].any()
            assert (prior.virtual_cost(-1e300) > levels)[z == -np.inf].all()


def test_winners_pay_at_most_their_bid(prior):
    x = points(prior)
    x = x[(x >= prior.support[0]) & (x <= prior.support[1])]
    slack = 1e-12 * (1 + np.abs(x)) if prior.kind in NOISY else 0.0
    assert (prior.smallest_value(prior.virtual_value(x)) <= x + slack).all()
    assert (prior.largest_cost(prior.virtual_cost(x)) >= x - slack).all()


def test_virtual_values_at_the_very_ends(prior):
    """At an end of the support they are what they tend to, not what they are a float inside."""
    low, high = prior.support
    atoms, _ = prior.atoms
    # A drawn distribution function has its slope to the right as its density: none at the top.
    vanishes = prior.density([low, high]) == 0.0
    vanishes &= prior.kind != "piecewise"
    for ironed in (False, True):
        if np.isfinite(high):
            assert prior.virtual_value(high, ironed) == high
        if np.isfinite(low):
            assert prior.virtual_cost(low, ironed) == low
    if np.isfinite(high) and high not in atoms and vanishes[1]:
        assert prior.virtual_cost(high, ironed=False) == np.inf
    if np.isfinite(low) and low not in atoms and vanishes[0]:
        assert prior.virtual_value(low, ironed=False) == -np.inf


def test_extreme_levels(prior):
    low, high = prior.support
    assert prior.smallest_value([-np.inf, np.inf]).tolist() == [low, np.inf]
    assert prior.largest_cost([-np.inf, np.inf]).tolist() == [-np.inf, high]
    assert prior.virtual_value([-np.inf])[0] == -np.inf
    assert prior.virtual_cost([np.inf])[0] == np.inf
    for extreme in ([np.inf, 1e300, -1e300, -np.inf], [1e308, -1e308]):
        for method in (prior.virtual_value, prior.virtual_cost, prior.cdf, prior.sf):
            assert not np.isnan(method(extreme)).any()
        assert not np.isnan(prior.virtual_value(extreme, ironed=False)).any()
        assert not np.isnan(prior.virtual_cost(extreme, ironed=False)).any()


def test_tie_rules_may_differ_entry_by_entry(prior):
    level = float(prior.virtual_value(prior.quantile(0.6)))
    both = prior.smallest_value([level, level], [False, True])
    assert both.tolist() == [prior.smallest_value(level), prior.smallest_value(level, True)]
    level = float(prior.virtual_cost(prior.quantile(0.6)))
    both = prior.largest_cost([level, level], [False, True])
    assert both.tolist() == [prior.largest_cost(level), prior.largest_cost(level, True)]


def test_distribution_functions_agree(prior):
    x = points(prior)
    cdf = prior.cdf(x)
    assert (np.diff(cdf) >= -1e-15).all() and cdf.min() >= 0 and cdf.max() <= 1
    assert cdf + prior.sf(x) == pytest.approx(np.ones(x.size), abs=1e-13)
    atoms, masses = prior.atoms
    at = prior.probability_at_least(x) - prior.sf(x)
    expected = np.array([masses[atoms == value].sum() for value in x])
    assert at == pytest.approx(expected, abs=1e-13)
    assert prior.cdf(x) - prior.probability_below(x) == pytest.approx(expected, abs=1e-13)


def test_quantile_inverts_cdf(prior):
    rng = np.random.default_rng(3)
    q = np.concatenate([rng.random(500), prior.cdf(prior.atoms[0])])
    x = prior.quantile(q)
    below = x - 1e-9 * (1 + np.abs(x))
    assert (prior.cdf(np.nextafter(x, np.inf)) >= q - 1e-12).all()
    assert (prior.probability_below(below) <= q).all()
    assert prior.quantile(0.0) == prior.support[0]
    assert prior.quantile(1.0) == prior.support[1]


def test_samples_follow_the_cdf(prior):
    drawn = np.sort(prior.sample(11, 20_000))
    unique, first = np.unique(drawn, return_index=True)
    last = np.append(first[1:], drawn.size)
    gap = max(
        np.abs(prior.cdf(unique) - last / drawn.size).max(),
        np.abs(prior.probability_below(unique) - first / drawn.size).max(),
    )
    assert gap < stats.kstwobign.isf(1e-4) / np.sqrt(drawn.size)
    assert (
        prior.sample(11, (3, 2)).tolist()
        == prior.sample(np.random.default_rng(11), (3, 2)).tolist()
    )
    assert prior.sample(5).shape == ()


def test_mean(prior):
    if np.isinf(prior.mean):
        assert prior.spec()["kind"] == "pareto"
        return
    assert prior.mean == pytest.approx(integral(prior, lambda x: x, *prior.support), rel=1e-9)


def test_round_trips(prior):
    assert make_prior(prior.spec()) == prior
    assert make_prior(json.loads(json.dumps(prior.spec(), allow_nan=False))) == prior
    assert parse_prior(prior.describe()) == prior
    assert parse_prior(json.dumps(prior.spec())) == prior
    assert hash(parse_prior(prior.describe())) == hash(prior)
    assert prior != parse_prior("uniform(17, 18)")
    x = points(prior)
    before = prior.virtual_value(x)
    again = pickle.loads(pickle.dumps(prior))
    assert again == prior and copy.deepcopy(prior) == prior
    assert again.virtual_value(x).tolist() == before.tolist()


def test_shapes(prior):
    x = prior.quantile([[0.2, 0.4], [0.5, 0.9]])
    for method in (prior.cdf, prior.sf, prior.virtual_value, prior.smallest_value, prior.density):
        assert method(x).shape == (2, 2) and method(x).dtype == np.float64
        assert isinstance(method(float(x[0, 0])), np.float64)
        assert method(np.empty(0)).shape == (0,)
