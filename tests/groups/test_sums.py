"""The parts that laws of sums are made of, each against another way to the same number."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from catallax.groups.sums import expected_excess, probability_at_least, vote_law
from catallax.groups.sums import law as sums_law
from catallax.groups.sums.draws import transform as sums_transform
from catallax.groups.sums.draws.bounds import Decay, Draws, window
from catallax.groups.sums.draws.cells import measure_of
from catallax.groups.sums.draws.transform import characteristic
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.series.densities import planned, tapered_terms
from catallax.groups.sums.steep.fold import fold_terms
from catallax.groups.sums.steep.pins import pinned_at
from catallax.groups.sums.values import atoms as sums_atoms
from catallax.groups.sums.values import lattice as sums_lattice
from catallax.groups.sums.values import scattered as sums_scattered
from catallax.groups.sums.values.lattice import common_step
from catallax.priors import Discrete, Empirical, Mixture, Normal, Point, Uniform, parse_prior

SHAPES = [
    "uniform(-1, 2)",
    "normal(0.5, 0.1)",
    "normal(0, 1, low=10, high=11)",
    "exponential(2, loc=1)",
    "lognormal(1, 1)",
    "beta(0.5, 0.5)",
    "pareto(1.1)",
    "equal-revenue(1, 10)",
    "piecewise([0, 1, 2, 2, 3], [0, 0.5, 0.5, 0.75, 1])",
    "mixture([uniform(0, 1), normal(0.5, 0.000001)], [0.5, 0.5])",
    "scipy('triang', c=0.3)",
]


@pytest.mark.parametrize("text", SHAPES)
def test_cells_hold_the_probability_of_the_prior(text: str) -> None:
    prior = parse_prior(text)
    measure = measure_of(prior)
    kept = measure.atom_mass + measure.cell_mass + measure.lost_below + measure.lost_above
    assert kept == pytest.approx(1, abs=1e-13)
    assert measure.error < 1e-8
    for level in (0.1, 0.4, 0.9):
        price = float(prior.quantile(level))
        above, below = measure.restricted(start=price), measure.restricted(end=price)
        exact = float(prior.probability_at_least(price))
        assert above.atom_mass + above.cell_mass == pytest.approx(exact, abs=1e-12)
        assert above.cell_mass + below.cell_mass == pytest.approx(measure.cell_mass, abs=1e-13)
    mirrored = measure.mirrored().restricted(start=0.0 - price)
    assert mirrored.atom_mass + mirrored.cell_mass == pytest.approx(
        float(prior.cdf(price)), abs=1e-12
    )


def test_transforms_are_those_of_formulas_at_every_frequency() -> None:
    step, count = 0.37, 4000
    u = step * np.arange(1, count)
    found = characteristic(measure_of(Uniform(-1, 2)), step, count)[1:]
    exact = (np.exp(2j * u) - np.exp(-1j * u)) / (3j * u)
    assert np.abs(found - exact).max() < 1e-14
    found = characteristic(measure_of(parse_prior("exponential(2)")), step, count)[1:]
    assert np.abs(found - 1 / (1 - 2j * u)).max() < 1e-13
    found = characteristic(measure_of(Normal(3, 0.25)), step, count, centre=3.0)[1:]
    assert np.abs(found - np.exp(-(u**2) / 32)).max() < 1e-13


def test_the_gridded_transform_is_the_direct_one(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).lognormal(0, 1, 300)
    measure = measure_of(Empirical(values))
    direct = characteristic(measure, 0.01, 5000, 1.5)
    monkeypatch.setattr(sums_transform, "_DIRECT", 0)
    assert np.abs(characteristic(measure, 0.01, 5000, 1.5) - direct).max() < 1e-12


@pytest.mark.parametrize("text", SHAPES[:6] + SHAPES[7:])
def test_the_bound_of_a_transform_is_one(text: str) -> None:
    measure = measure_of(parse_prior(text)).smooth
    step = 0.05 / max(np.ptp(measure.support), 1e-3)
    found = np.abs(characteristic(measure, step, 20_000))[1:]
    bound = Decay(measure)(step * np.arange(1, 20_000))
    assert (found <= bound + 1e-12).all()


def test_windows_hold_what_they_promise() -> None:
    for n in (1, 7, 500):
        low, high = window([Draws(n, measure_of(Normal(0, 1)))], 1e-12)
        assert 2 * stats.norm.sf(high, scale=math.sqrt(n)) <= 1e-12
        assert low == pytest.approx(-high)
        low, high = window([Draws(n, measure_of(parse_prior("exponential(1)")))], 1e-12)
        assert stats.gamma.sf(high, n) + stats.gamma.cdf(low, n) <= 1e-12
    assert window([Draws(4, measure_of(Uniform(0, 1)))], 1e-12) == (0.0, 4.0)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([[0.1, 0.4], [5.0, 5.25]], 0.05),
        ([[0.0, 1 / 3, 2.0]], 1 / 3),
        ([[7.0]], 1.0),
        ([[0.0, 1.0, math.sqrt(2)]], None),
        ([[0.0, 1e-9, 1.0]], None),
    ],
)
def test_the_step_that_values_share(values, step) -> None:
    found = common_step([np.array(one) for one in values])
    assert found == (step if step is None else pytest.approx(step, rel=1e-12))


def irwin_hall_at_least(n: int, x: Fraction) -> float:
    if x <= 0:
        return 1.0
    terms = ((-1) ** k * math.comb(n, k) * (n - x - k) ** n for k in range(math.floor(n - x) + 1))
    return float(sum(terms, Fraction(0)) / math.factorial(n)) if x < n else 0.0


@pytest.mark.parametrize("n", [2, 3, 6, 20])
def test_votes_and_sums_of_uniform_draws_have_a_formula(n: int) -> None:
    """Who is in favour at 1/2 draws from the upper half: k of them shift the sum by k / 2."""
    total = Fraction(11, 20) * n
    law = vote_law([Voters(Uniform(0, 1), n, 1, 0.5)], float(total))
    for votes, chance, reached in zip(law.votes, law.chance, law.reached, strict=True):
        ways = math.comb(n, int(votes)) / 2**n
        assert chance == pytest.approx(ways, abs=1e-13)
        exact = ways * irwin_hall_at_least(n, 2 * total - int(votes))
        assert abs(reached - exact) <= law.error + 1e-14
    assert law.error < 1e-8


@pytest.mark.parametrize("text", ["uniform(0, 1)", "discrete([0, 1], [0.4, 0.6])"])
def test_totals_far_out_are_certain(text: str) -> None:
    """Beyond the window nothing is left of any frequency, and votes of any weight still add up."""
    prior = parse_prior(text)
    group = [Voters(prior, 1, 40 + 7 * k, 0.5) for k in range(60)]
    for total, chance in ((0.2, 1.0), (59.8, 0.0), (-1.0, 1.0), (61.0, 0.0)):
        law = vote_law(group, total)
        assert law.chance.sum() == pytest.approx(1, abs=1e-12)
        assert law.reached.sum() == pytest.approx(chance, abs=1e-9)


def test_without_a_lattice_the_bound_still_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same law once on its lattice, and once as if its values shared none."""
    rng = np.random.default_rng(4)
    prior = Empirical(rng.integers(0, 5000, 150) / 1000.0)
    # Of a few draws single sums still have a mass that no series tells from what is next to them.
    for n, price, most in ((5, 2.0, 1e-4), (60, 2.5, 1e-4)):
        group = [Voters(prior, n, 1, price)]
        total = n * prior.mean * 1.02
        exact = vote_law(group, total)
        assert exact.error < 1e-12
        with monkeypatch.context() as patched:
            patched.setattr(sums_atoms, "lattice_of", lambda draws: None)
            patched.setattr(sums_atoms, "_MOST_LISTED", 0)
            patched.setattr(sums_atoms, "_MOST_HALVED", 0)
            patched.setattr(sums_atoms, "_MOST_MATCHED", 0)
            # The series is looked at here, not the lists, and not a long one.
            patched.setattr(sums_scattered, "divided", lambda *given: None)
            patched.setattr(sums_scattered, "_MOST", 1 << 16)
            rough = vote_law(group, total)
        assert 1e-12 < rough.error < most
        assert np.abs(rough.reached - exact.reached).sum() <= rough.error


def test_lists_of_few_atoms_agree_with_a_lattice(monkeypatch: pytest.MonkeyPatch) -> None:
    prior = parse_prior(
        "mixture([discrete([0, 0.25, 1], [0.2, 0.5, 0.3]), uniform(0, 1)], [0.8, 0.2])"
    )
    group = [Voters(prior, 4, 1, 0.25), Voters(parse_prior("point(0.5)"), 1, 3, 0.4)]
    for total in (1.0, 1.75, 2.6):
        exact = vote_law(group, total)
        with monkeypatch.context() as patched:
            patched.setattr(sums_atoms, "lattice_of", lambda draws: None)
            listed = vote_law(group, total)
        assert listed.reached == pytest.approx(exact.reached, abs=1e-12 + exact.error)


def test_a_long_lattice_is_cut_to_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    group = [Voters(parse_prior("discrete([0, 0.5, 3], [0.2, 0.3, 0.5])"), 500, 1, 0.5)]
    whole = vote_law(group, 830.0)
    monkeypatch.setattr(sums_lattice, "_WHOLE", 1)
    cut = vote_law(group, 830.0)
    assert np.abs(cut.reached - whole.reached).sum() < 1e-12


@pytest.mark.parametrize("n", [2, 3, 8])
def test_a_cut_tail_changes_nothing(n: int) -> None:
    """P(sum of Pareto draws >= t), from one draw integrated out against the law of the others."""
    prior = parse_prior("pareto(1.5)")
    total = 4.0 * n
    found, error = probability_at_least([Voters(prior, n)], total)
    # Substituting the quantile; the others reach what is missing.
    at, weight = np.polynomial.legendre.leggauss(60)
    edge = float(prior.cdf(total - (n - 1)))  # beyond it one draw is enough
    levels, weights = edge * (at + 1) / 2, edge * weight / 2
    rest = [
        probability_at_least([Voters(prior, n - 1)], total - float(prior.quantile(q)))[0]
        for q in levels
    ]
    assert found == pytest.approx(float(weights @ rest) + 1 - edge, abs=2e-6)
    assert error < 1e-7


def test_first_best_of_heavy_tails_keeps_its_bound() -> None:
    """E[max(W, 0)] - E[max(-W, 0)] = E[W], each side found by itself."""
    for first, second in (("pareto(1.5)", "exponential(3)"), ("lognormal(1, 1)", "uniform(0, 4)")):
        values, costs = parse_prior(first), parse_prior(second)
        gain, missing = expected_excess([Voters(values, 3)], [Voters(costs, 4, sign=-1)])
        loss, other = expected_excess([Voters(costs, 4)], [Voters(values, 3, sign=-1)])
        mean = 3 * values.mean - 4 * costs.mean
        assert abs(gain - loss - mean) <= missing + other + 1e-10
        assert missing + other < 1e-5


@pytest.mark.parametrize("text", ["beta(0.5, 0.5)", "lognormal(0.4, 2)", "beta(0.7, 3)"])
def test_a_tapered_series_agrees_with_the_whole_one(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior = parse_prior(text)
    group = [Voters(prior, 4, 1, float(prior.quantile(0.4)))]
    for part in (0.6, 1.1):
        total = 4 * prior.mean * part
        whole = vote_law(group, total)
        with monkeypatch.context() as patched:
            patched.setattr(sums_law, "_COARSE", 1e-8)
            patched.setattr(sums_law, "_MANY", 0)
            tapered = vote_law(group, total)
        assert whole.error < 2e-8
        assert tapered.error < 2e-8
        apart = np.abs(whole.reached - tapered.reached).sum()
        assert 0 < apart <= whole.error + tapered.error


@pytest.mark.parametrize(
    ("text", "n"),
    [("beta(0.1, 0.1)", 3), ("beta(0.1, 2)", 3), ("mixture([uniform(0, 1), normal(0.3, 0.000001)], \
[0.5, 0.5])", 3)],
)  # fmt: skip
def test_sharp_peaks_keep_to_a_ten_millionth(text: str, n: int) -> None:
    """One draw is integrated out against the law of the two others, which needs no series."""
    prior = parse_prior(text)
    total = 0.9 * n * prior.mean
    found, error = probability_at_least([Voters(prior, n)], total)
    assert error < 1e-7
    draws = prior.sample(1, (400_000, n)).sum(axis=1)
    frequency = float(np.mean(draws >= total))
    assert abs(found - frequency) < 5 * math.sqrt(found * (1 - found) / len(draws)) + error


def test_what_floats_cannot_tell_is_told_apart() -> None:
    """One half, by symmetry, though of 1 % of all pairs floats cannot say if they reach 1."""
    prior = parse_prior("beta(0.1, 0.1)")
    found, error = probability_at_least([Voters(prior, 2)], 1.0)
    assert abs(found - 0.5) < 1e-12
    assert error < 1e-8


def test_where_nobody_can_tell_the_bound_says_so() -> None:
    """Ten draws are more than are convolved: the bound is that of a tie in floats."""
    voters = [Voters(parse_prior("beta(0.02, 0.02)"), 10)]
    assert fold_terms(voters, 5.0) is None
    assert pinned_at(voters, 5.0) > 1e-5
    assert pinned_at(voters, 5.3) < 1e-12


def test_estimates_hold_beside_peaks() -> None:
    """With few and with enough frequencies for a peak of an eighth of all sums, near and far."""
    spike = parse_prior("mixture([uniform(0, 1), normal(0.5, 0.003)], [0.5, 0.5])")
    group = [Voters(spike, 3, 1, 0.4)]
    errors = []
    for apart in (0.0, 1e-4, -4e-3, 0.02, -0.2):
        fine = vote_law(group, 1.5 + apart)
        assert fine.error < 1e-7
        plan, _ = planned(group, 1.5 + apart)
        for count in (1 << 7, 1 << 9, 1 << 12):
            found = tapered_terms(group, 1.5 + apart, plan, less=True, count=count)
            error = sum(terms.error for terms in found)
            missed = abs(sum(terms.values.sum() for terms in found) - fine.reached.sum())
            assert missed <= fine.error + error
            errors.append(error)
    # They tell what is known from what is not.
    assert max(errors) > 1e-3
    assert min(errors) < 1e-7


@pytest.mark.parametrize("sign", [1, -1])
def test_ties_count_at_the_ends_of_the_support(sign: int) -> None:
    """Three times 0.3 is 0.9, though not in floats."""
    for text in ("point(0.3)", "discrete([0.1, 0.3], [0.5, 0.5])", "equal-revenue(0.1, 0.3)"):
        prior = parse_prior(text)
        mass = float(prior.probability_at_least(0.3))
        group = [Voters(prior, 3, 1, 0.2, sign)]
        law = vote_law(group, sign * 0.9)
        assert law.reached.sum() == pytest.approx(mass**3 if sign > 0 else 1.0, abs=1e-9)
        assert law.error < 1e-7


def test_sums_of_halves_are_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values without a lattice: the sums of half of the members, each with what it misses."""
    rng = np.random.default_rng(5)
    priors = [Empirical(rng.random(5)) for _ in range(2)]
    group = [Voters(priors[0], 3, 1, 0.5), Voters(priors[1], 2, 3, 0.3)]
    reachable = priors[0].atoms[0][1] * 2 + priors[0].atoms[0][3] + priors[1].atoms[0][[0, 4]].sum()
    for total in (2.4, float(reachable)):
        listed = vote_law(group, total)
        with monkeypatch.context() as patched:
            patched.setattr(sums_atoms, "_MOST_LISTED", 0)
            halves = vote_law(group, total)
        assert halves.error < 1e-13
        assert halves.reached == pytest.approx(listed.reached, abs=1e-13)


def test_four_draws_of_hundreds_of_odd_values() -> None:
    values = np.random.default_rng(6).random(300)
    found, error = probability_at_least([Voters(Empirical(values), 4)], 2.1)
    assert error < 1e-12
    pairs = np.sort(np.add.outer(values, values).ravel())
    fewer = np.searchsorted(pairs, 2.1 - pairs)
    assert found == pytest.approx((pairs.size - fewer).mean() / pairs.size, abs=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9])
def test_a_tie_is_as_wide_as_roundings_whatever_the_scale(scale: float) -> None:
    """A billionth of an atom's lattice is no tie, and a unit of money is no measure of one."""
    both = Mixture([Point(0.0), Uniform(0.0, scale)], [0.5, 0.5])
    for n, expected in ((1, 0.25), (2, 0.46875), (3, 245 / 384)):
        law = vote_law([Voters(both, n, 1, 0.0)], scale / 2)
        assert law.reached.sum() == pytest.approx(expected, abs=1e-8)
    three = Discrete([1.7 * scale, 1.9 * scale, 2.3 * scale], [0.25, 0.5, 0.25])
    for off, expected in ((0.0, 0.890625), (3e-13, 0.703125), (-3e-13, 0.890625)):
        law = vote_law([Voters(three, 3, 1, 2.0 * scale)], (5.5 + off) * scale)
        assert law.reached.sum() == pytest.approx(expected, abs=1e-12)


def test_values_just_off_a_lattice_are_not_put_on_it() -> None:
    root = 2.0**0.5
    values = [0.0, root, root * 1000, root * 1000 * (1 + 1e-13)]
    law = vote_law([Voters(Discrete(values, [0.25] * 4), 2)], values[-1])
    assert law.reached.sum() == pytest.approx(0.625, abs=1e-12)
