"""Sums with heavy tails, poles, narrow peaks and odd values, each against another way."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import special, stats

from catallax.groups import GroupTrade, evaluate, first_best
from catallax.groups.sums import (
    Voters,
    expected_excess,
    probability_at_least,
    vote_law,
    voters_of,
)
from catallax.groups.sums import law as sums_law
from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.series.dither import dithered_excess
from catallax.groups.sums.series.line import line_excess, line_terms
from catallax.groups.sums.steep.fold import fold_terms
from catallax.groups.sums.values import atoms as sums_atoms
from catallax.priors import Empirical, Pareto, parse_prior


def both(first: str, n: int, second: str, m: int) -> list[Voters]:
    return [Voters(parse_prior(first), n), Voters(parse_prior(second), m, sign=-1)]


def added(terms: list[Terms] | None) -> tuple[dict[int, float], float]:
    """Return the totals of terms by votes, and the sum of their bounds."""
    assert terms is not None
    found: dict[int, float] = {}
    for one in terms:
        for k, value in enumerate(one.values.tolist()):
            found[one.first + k] = found.get(one.first + k, 0.0) + value
    return found, math.fsum(one.error for one in terms)


# ------------------------------------------------------------------------------- heavy tails


@pytest.mark.parametrize("alpha", [1.05, 1.5, 3.0])
def test_partial_means_of_heavy_tails(alpha: float) -> None:
    mean = alpha / (alpha - 1)
    for y in (1.0, 1.5, 100.0, 1e9, 1e25):
        exact = mean * y ** (1 - alpha)
        assert Voters(Pareto(alpha), 1).mean_beyond(y) == pytest.approx(exact, rel=1e-11)
        cost = Voters(Pareto(alpha), 1, sign=-1)
        assert cost.mean_beyond(-y) == pytest.approx(exact - mean, abs=1e-11 * mean)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_the_line_knows_the_gains_of_exponential_groups(n: int) -> None:
    """E max(X, 0) of a difference of two Gamma(n) is n C(2n, n) / 4^n."""
    found = line_excess(both("exponential(1)", n, "exponential(1)", n), less=False)
    assert found is not None
    exact = n * math.comb(2 * n, n) / 4**n
    assert abs(found[0] - exact) <= found[1] + 1e-13 * n
    assert found[1] < 1e-8


def test_infinite_variances_on_both_sides_are_exact() -> None:
    """E max(V - c, 0) = 2 / sqrt(c) for one value; the costs are integrated over their ranks."""
    values, costs = parse_prior("pareto(1.5)"), parse_prior("pareto(1.7)")
    at, weight = np.polynomial.legendre.leggauss(40)
    ends = np.append(0.0, 2.0 ** np.arange(-60.0, 1.0))
    half = np.diff(ends) / 2
    ranks = ((ends[:-1] + half)[:, None] + half[:, None] * at).ravel()
    weights = (half[:, None] * weight).ravel()
    one = ranks ** (-1 / 1.7)
    exact = float(weights @ (2.0 / np.sqrt(np.add.outer(one, one))) @ weights)
    found, error = expected_excess([Voters(values, 1)], [Voters(costs, 2, sign=-1)])
    assert abs(found - exact) <= error + 1e-12
    assert error < 1e-8


def test_layers_of_infinite_variances() -> None:
    """E max(V - C, 0) = integral of P(V >= y) P(C <= y) dy, each of them the law of two draws."""
    values, costs = parse_prior("pareto(1.5)"), parse_prior("pareto(1.7)")
    at, weight = np.polynomial.legendre.leggauss(12)
    total = 0.0
    ends = np.concatenate([[2.0, 2.1, 2.3, 2.6, 3.0], np.geomspace(3.5, 1e12, 24)])
    for low, high in itertools.pairwise(ends.tolist()):
        logs = math.log(low), math.log(high / low) / 2
        for x, w in zip(at, weight, strict=True):
            y = math.exp(logs[0] + logs[1] * (1 + x))
            above, _ = probability_at_least([Voters(values, 2)], y)
            below, _ = probability_at_least([Voters(costs, 2, sign=-1)], -y)
            total += w * logs[1] * y * above * below
    total += 4.0 * 1e12**-0.5  # P(V >= y) is 2 y^-1.5 from there on
    found = evaluate(GroupTrade(2, 2, "pareto(1.5)", "pareto(1.7)"), "forced-trade")
    assert found.method == "exact"
    assert found.first_best == pytest.approx(total, abs=2e-7)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("pareto(1.5)", "pareto(1.7)"),
        ("lognormal(1, 2.5)", "lognormal(1, 2.4)"),
        ("scipy('t', 1.5, loc=0.3)", "scipy('t', 1.6)"),
        ("mixture([pareto(1.5), point(3)], [0.5, 0.5])", "pareto(2.5)"),
    ],
)
@pytest.mark.parametrize("n", [2, 10_000])
def test_gains_less_losses_are_the_mean(first: str, second: str, n: int) -> None:
    """E[max(W, 0)] - E[max(-W, 0)] = E[W], each side found by itself."""
    trade, mirror = GroupTrade(n, n, first, second), GroupTrade(n, n, second, first)
    (gain, missing), (loss, other) = first_best(trade), first_best(mirror)
    assert abs(gain - loss - trade.expected_gain) <= missing + other + 1e-11 * trade.scale
    assert missing <= 1e-7 * trade.scale
    assert other <= 1e-7 * trade.scale


def test_votes_on_the_line_agree_with_the_series() -> None:
    prior = parse_prior("scipy('t', 9)")
    group = [Voters(prior, 5, 1, 0.3), Voters(prior, 1, 2, -0.4)]
    law = vote_law(group, 0.4)
    line, error = added(line_terms(group, 0.4, less=False))
    for votes, reached in zip(law.votes.tolist(), law.reached, strict=True):
        assert abs(line[votes] - reached) <= error + law.error < 1e-7
    silent, error = added(line_terms([Voters(parse_prior("normal(1, 2)"), 3)], 4.0, less=False))
    assert abs(silent[0] - stats.norm.sf(1, scale=math.sqrt(12))) <= error < 1e-8


def test_samples_agree_with_heavy_groups() -> None:
    trade = GroupTrade(5, 4, "pareto(1.9)", "pareto(2.4, 1.1)")
    found = evaluate(trade, "vote", price=1.7, rule="majority", monte_carlo=200_000, rng=3)
    assert found.method == "exact"
    assert found.check is not None
    for name, error in found.check.stderr.items():
        assert abs(getattr(found, name) - getattr(found.check, name)) <= 6 * error


# ------------------------------------------------------------------------------------- poles


@pytest.mark.parametrize(("n", "price"), [(2, None), (3, None)])
def test_gamma_draws_with_a_pole_are_gamma(n: int, price: float | None) -> None:
    prior = parse_prior("scipy('gamma', 0.2)")
    voters = [Voters(prior, n) if price is None else Voters(prior, n, 1, price)]
    for total in (1e-6, 0.2 * n):
        found, error = added(fold_terms(voters, total))
        assert abs(sum(found.values()) - stats.gamma.sf(total, 0.2 * n)) <= error
        assert error < 1e-8


def beats(a: float, b: float, c: float, d: float) -> float:
    """P(X > Z) of beta(a, b) and beta(c, d), on the scale of log odds, where all is smooth."""
    odds = np.linspace(-600.0, 600.0, 120_001)
    log_x, log_rest = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
    height = np.exp(a * log_x + b * log_rest - special.betaln(a, b))
    small, large = np.exp(np.minimum(log_x, 0.0)), np.exp(log_rest)
    below = np.where(odds < 0, special.betainc(c, d, small), 1.0 - special.betainc(d, c, large))
    return float(np.sum(height * below) * (odds[1] - odds[0]))


@pytest.mark.parametrize(("a", "b"), [(0.1, 0.1), (0.1, 0.3), (0.6, 0.07), (0.2, 2.0)])
def test_poles_that_tie_with_the_total_are_told_apart(a: float, b: float) -> None:
    """X + Y >= 1 says that X beats 1 - Y; floats see 3 % of beta(0.1, 0.1) at 1."""
    exact = beats(a, b, b, a)
    found, error = probability_at_least([Voters(parse_prior(f"beta({a}, {b})"), 2)], 1.0)
    assert abs(found - exact) <= error + 1e-9
    assert error < 2e-8
    if a == b:
        assert found == pytest.approx(0.5, abs=1e-12)
    below, _ = probability_at_least([Voters(parse_prior(f"beta({a}, {b})"), 2, sign=-1)], -1.0)
    assert below == pytest.approx(1 - exact, abs=1e-9 + error)


def test_ties_of_two_different_poles() -> None:
    """With a point in between, and with votes: each entry is a number that is known."""
    first, second = parse_prior("beta(0.1, 0.4)"), parse_prior("beta(0.2, 0.3)")
    group = [
        Voters(first, 1, 1, 0.5),
        Voters(second, 1, 2, 0.5),
        Voters(parse_prior("point(1)"), 1),
    ]
    law = vote_law(group, 2.0)
    assert law.error < 1e-8
    assert law.reached.sum() == pytest.approx(beats(0.1, 0.4, 0.3, 0.2), abs=1e-8)
    assert law.votes.tolist() == [0, 1, 2, 3]
    assert law.reached[0] == pytest.approx(0.0, abs=1e-12)
    assert law.reached[3] == pytest.approx(law.chance[3], abs=1e-12)


# --------------------------------------------------------------------------------- narrow peaks


def peaked(n: int, share: float, middle: float, sd: float, total: float) -> float:
    """P(sum >= total) of draws that are normal(middle, sd) with a share, or else uniform(0, 1)."""
    at, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    found = 0.0
    for k in range(n + 1):
        chance = math.comb(n, k) * share**k * (1 - share) ** (n - k)
        rest = total - k * middle - math.sqrt(k) * sd * at
        if k == n:
            found += chance * stats.norm.sf((total - n * middle) / (math.sqrt(n) * sd))
            continue
        m = n - k
        below = [
            sum((-1) ** j * math.comb(m, j) * max(x - j, 0.0) ** m for j in range(m + 1))
            / math.factorial(m)
            for x in np.clip(rest, 0.0, m)
        ]
        found += chance * float(weight @ (1.0 - np.array(below)))
    return float(found)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_peak_as_narrow_as_a_millionth(n: int) -> None:
    prior = parse_prior("mixture([uniform(0, 1), normal(0.3, 0.000001)], [0.6, 0.4])")
    for total in (0.3 * n, 0.3 * n + 8e-7):
        found, error = probability_at_least([Voters(prior, n)], total)
        # Hermite points do not see where one uniform draw alone bends; that is below 1e-7.
        assert abs(found - peaked(n, 0.4, 0.3, 1e-6, total)) <= error + 1e-7
        assert error < 5e-8


def test_a_vote_at_a_narrow_peak_is_exact() -> None:
    spike = "piecewise([0, 0.5, 0.500001, 1], [0, 0.25, 0.75, 1])"
    trade = GroupTrade(3, 3, spike, "uniform(0, 0.9)")
    found = evaluate(trade, "vote", price=0.5, rule="majority", monte_carlo=100_000, rng=4)
    assert found.method == "exact"
    assert found.check is not None
    for name, error in found.check.stderr.items():
        assert abs(getattr(found, name) - getattr(found.check, name)) <= 6 * error


@pytest.mark.parametrize("text", ["exponential(2)", "uniform(-1, 2)", "beta(2, 3)"])
def test_convolutions_agree_with_the_series(text: str) -> None:
    prior = parse_prior(text)
    for n in (3, 5):
        group = [Voters(prior, n - 1, 1, prior.mean), Voters(prior, 1, 3, 0.8 * prior.mean)]
        law = vote_law(group, 1.05 * n * prior.mean)
        found, error = added(fold_terms(group, 1.05 * n * prior.mean))
        for votes, reached in zip(law.votes.tolist(), law.reached, strict=True):
            assert abs(found[votes] - reached) <= error + law.error


# ---------------------------------------------------------------------------------- odd values


def test_dithered_gains_keep_their_bound() -> None:
    rng = np.random.default_rng(8)
    for n, m, kinds in ((2, 1, 30), (2, 2, 12)):
        values, costs = Empirical(rng.random(kinds)), Empirical(rng.random(kinds) * 0.9)
        sums = [np.zeros(1), np.zeros(1)]
        for k, (count, prior) in enumerate(((n, values), (m, costs))):
            for _ in range(count):
                sums[k] = np.add.outer(sums[k], prior.atoms[0]).ravel()
        exact = np.maximum(np.subtract.outer(*sums), 0.0).mean()
        found = dithered_excess([Voters(values, n), Voters(costs, m, sign=-1)])
        assert found is not None
        assert abs(found[0] - exact) <= found[1] < 1e-9


def test_observed_values_without_a_common_step_are_exact() -> None:
    """What a survey of forty odd amounts gives: first best and the chances, for every size."""
    rng = np.random.default_rng(9)
    values = rng.random(40)
    for n in (25,):
        trade = GroupTrade(n, n, Empirical(values), Empirical(values * 0.97))
        found = evaluate(trade, "vote", price=0.5, rule="majority")
        assert found.method == "exact"
        assert found.error_bound < 1e-7


def test_a_rough_series_of_many_odd_atoms_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists say the truth where the series, for want of a list, says it does not know."""
    prior = Empirical(np.random.default_rng(1).random(40))
    for n, total in ((4, 0.9),):
        group = [Voters(prior, n, 1, 0.5)]
        exact = vote_law(group, total * n * prior.mean)
        with monkeypatch.context() as patched:
            patched.setattr(sums_atoms, "_MOST_LISTED", 0)
            patched.setattr(sums_atoms, "_MOST_HALVED", 0)
            patched.setattr(sums_atoms, "_MOST_MATCHED", 0)
            patched.setattr(sums_law, "_scattered", lambda *given, **more: None)
            found = vote_law(group, total * n * prior.mean)
        assert exact.error < 1e-12 < found.error
        assert np.abs(found.reached - exact.reached).sum() <= found.error


def test_one_member_gone_through_agrees_with_halves() -> None:
    rng = np.random.default_rng(2)
    group = [
        Voters(Empirical(rng.random(7)), 4, 1, 0.5),
        Voters(Empirical(rng.random(5)), 1, 2, 0.3),
    ]
    by_one, _ = added(sums_atoms.terms_by_one(group, 2.2))
    law = vote_law(group, 2.2)
    for votes, reached in zip(law.votes.tolist(), law.reached, strict=True):
        assert by_one.get(votes, 0.0) == pytest.approx(reached, abs=1e-13)


def test_what_takes_too_long_is_left_to_other_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    group = [Voters(parse_prior("exponential(1)"), 9)]
    assert fold_terms(group, 9.0) is None
    assert sums_law.probability_at_least(group, 9.0)[0] == pytest.approx(stats.gamma.sf(9, 9))
    trade = GroupTrade(2, 2, "beta(0.1, 0.1)", "beta(0.1, 0.1)")
    assert line_excess(voters_of(trade.buyers) + voters_of(trade.sellers), less=False) is None
