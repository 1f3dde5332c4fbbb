"""Draws with poles and long tails: gains, ties and bounds, each against another way."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from catallax.groups import GroupTrade, evaluate, first_best
from catallax.groups.sums import Voters, expected_excess, probability_at_least
from catallax.groups.sums.draws.bounds import Draws, misfit
from catallax.groups.sums.draws.kernels import merged
from catallax.groups.sums.draws.measure import SPOTS
from catallax.groups.sums.steep.fold import fold_terms
from catallax.groups.sums.steep.folded_excess import fold_excess
from catallax.groups.sums.steep.pins import pinned_at
from catallax.priors import parse_prior


def both(first: str, n: int, second: str, m: int) -> list[Voters]:
    return [Voters(parse_prior(first), n), Voters(parse_prior(second), m, sign=-1)]


def panels(ends: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gauss-Legendre points and weights between neighbouring ends."""
    at, weight = np.polynomial.legendre.leggauss(points)
    half = np.diff(ends) / 2
    places = (ends[:-1] + half)[:, None] + half[:, None] * at
    return places.ravel(), (half[:, None] * weight).ravel()


@pytest.mark.parametrize(("value", "cost"), [(0.3, 0.35), (0.35, 0.3)])
def test_gains_of_draws_with_a_pole_and_a_long_tail(value: float, cost: float) -> None:
    """E max(V - y, 0) is an incomplete gamma function; a cost is a power of an exponential."""
    at, weight = panels(np.append(0.0, np.geomspace(1e-8, 60.0, 30)), 12)
    costs, chances = at ** (1 / cost), weight * np.exp(-at)
    over = special.gammaincc(1 / value, np.add.outer(costs, costs) ** value)
    exact = chances @ over @ chances * special.gamma(1 / value) / value
    texts = [f"scipy('weibull_min', {shape})" for shape in (value, cost)]
    trade = GroupTrade(1, 2, *texts)
    found, error = first_best(trade)
    assert abs(found - exact) <= error
    assert error < 1e-8 * trade.scale
    assert evaluate(trade, "forced-trade").method == "exact"


def three_weibull(shape: float, total: float) -> float:
    """P(X + Y + Z >= total) of Weibull draws: powers of exponentials, convolved twice."""
    share, weight = panels(np.append(0.0, np.geomspace(1e-9, 1.0, 30)), 12)

    def two(y: np.ndarray) -> np.ndarray:
        most = (y / 2) ** shape
        level = np.outer(most, share)
        rest = np.maximum(y[:, None] - level ** (1 / shape), 0.0) ** shape
        return 2.0 * most * (np.exp(-level - rest) @ weight) + np.exp(-2.0 * most)

    most = (total / 2) ** shape
    near = (most * share) ** (1 / shape)
    far = total / 2 * share
    height = shape * (total - far) ** (shape - 1) * np.exp(-((total - far) ** shape))
    found = most * (weight * np.exp(-most * share)) @ two(total - near)
    return float(found + total / 2 * (weight * height) @ two(far) + math.exp(-(total**shape)))


@pytest.mark.parametrize("total", [0.001, 1.0, 28.0])
def test_a_pole_that_is_no_power_of_the_distance(total: float) -> None:
    """Of exp(-x^0.3) / x^0.7 no power is good enough, however near to the pole."""
    exact = three_weibull(0.3, total)
    found, error = probability_at_least(
        [Voters(parse_prior("scipy('weibull_min', 0.3)"), 3)], total
    )
    assert abs(found - exact) <= error + 1e-13
    assert error < 1e-8
    # Next to 1 floats are too coarse to see it; that is said.
    apart = Voters(parse_prior("scipy('weibull_min', 0.3, loc=1)"), 3)
    terms = fold_terms([apart], 3.0 + total)
    assert terms is not None
    folded = sum(float(one.values.sum()) for one in terms)
    assert abs(folded - exact) <= sum(one.error for one in terms)


def gain_of_three(a: float, b: float, c: float, d: float) -> float:
    """E max(V - C - D, 0) of beta(a, b) and two beta(c, d), on the scale of log odds."""
    odds, weight = panels(np.arange(-50.0, 50.5, 2.0), 12)
    log_x, log_rest = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
    chances = weight * np.exp(c * log_x + d * log_rest - special.betaln(c, d))
    bottom = special.betainc(c, d, math.exp(-50.0))
    found = 0.0
    rows = zip(np.append(np.exp(log_x), 0.0), np.append(np.exp(log_rest), 1.0),
               np.append(chances, bottom), strict=True)  # fmt: skip
    for first, rest, chance in rows:
        # The second cost is a share of what the first one leaves, and `left` is what both leave.
        left = rest * np.append(np.exp(log_rest), 1.0)
        logs = math.log(rest) + log_x
        density = np.exp(c * logs + (d - 1.0) * np.log(first + left[:-1]) + log_rest)
        density = density * weight / special.beta(c, d)
        below = special.betainc(c, d, rest * math.exp(-50.0))
        over = left * special.betainc(b, a, left) - b / (a + b) * special.betainc(b + 1, a, left)
        found += chance * float(np.append(density, below) @ over)
    return found


def test_gains_with_poles_at_both_ends() -> None:
    exact = gain_of_three(0.02, 0.03, 0.02, 0.04)
    found = fold_excess(both("beta(0.02, 0.03)", 1, "beta(0.02, 0.04)", 2))
    assert found is not None
    assert abs(found[0] - exact) <= found[1] < 5e-9


def test_convolved_gains_agree_with_the_series() -> None:
    for first, second in (("mixture([uniform(0, 1), point(0.5)], [0.5, 0.5])", "exponential(2)"),
                          ("normal(1, 0.3)", "beta(2, 3)")):  # fmt: skip
        group = both(first, 2, second, 3)
        value, error = expected_excess(group[:1], group[1:])
        found = fold_excess(group)
        assert found is not None
        assert abs(found[0] - value) <= found[1] + error < 1e-6
    assert fold_excess(both("uniform(0, 1)", 6, "uniform(0, 1)", 5)) is None


def test_twenty_poles_are_where_a_fine_lattice_says() -> None:
    """Each value shared between its neighbours on a lattice, so that its mean stays."""
    a, b, n, size = 0.02, 0.03, 20, 1 << 15
    at = np.arange(size + 1) / size
    shares = []
    for k in (0, 1):
        below, above = special.betainc(a + k, b, at), special.betaincc(a + k, b, at)
        part = np.where(at[1:] <= 0.5, np.diff(below), -np.diff(above))
        shares.append(part * (a / (a + b)) ** k)
    upper = (shares[1] - shares[0] * at[:-1]) * size
    masses = np.append(shares[0] - upper, 0.0) + np.append(0.0, upper)
    law = np.fft.irfft(np.fft.rfft(masses, 1 << 20) ** n, 1 << 20)
    reached = np.cumsum(law[::-1])[::-1]
    for total in (6.5, 9.375):
        place = int(total * size)
        exact = (reached[place] + reached[place + 1]) / 2
        found, error = probability_at_least([Voters(parse_prior(f"beta({a}, {b})"), n)], total)
        assert abs(found - exact) <= error + 1e-10
        assert error < 2e-8


def test_ties_of_poles_are_counted() -> None:
    """Twenty draws tie with 10 if ten of them are at one pole, and ten at the other."""
    one = Voters(parse_prior("beta(0.02, 0.03)"), 20)
    bottom, top = one.measure.pinned
    assert pinned_at([one], 10.0) == pytest.approx(math.comb(20, 10) * (bottom * top) ** 10)
    assert pinned_at([one], 8.1) == 0.0


@pytest.mark.parametrize("part", [0.0, 0.4, -1.3])
def test_ten_thousand_poles_follow_the_expansion_of_edgeworth(part: float) -> None:
    a, n = 0.1, 10_000
    # Of beta(a, a) on [-1, 1]: odd cumulants vanish, so what is left out is some n ** -3.
    moments = np.cumprod([(2 * k - 1) / (2 * a + 2 * k - 1) for k in (1, 2, 3)])
    fourth = moments[1] / moments[0] ** 2 - 3.0
    sixth = moments[2] / moments[0] ** 3 - 15.0 * moments[1] / moments[0] ** 2 + 30.0
    he = np.polynomial.hermite_e.hermeval
    series = [0, 0, 0, fourth / 24 / n, 0, sixth / 720 / n**2, 0, fourth**2 / 1152 / n**2]
    exact = stats.norm.sf(part) + stats.norm.pdf(part) * he(part, series)
    total = n / 2 + part * math.sqrt(n * moments[0]) / 2
    found, error = probability_at_least([Voters(parse_prior("beta(0.1, 0.1)"), n)], total)
    assert abs(found - exact) <= error + 1e-10
    assert error < 1e-9


def test_what_is_misplaced_counts_with_the_density() -> None:
    """Probability that is misplaced by a width moves what lies beyond a total by no more."""
    measure = Voters(parse_prior("uniform(0, 1)"), 1).measure
    # What belongs on the first thousandth is put on its lower half.
    ends = [0.0, 5e-4, 1e-3, 1.0]
    moved = replace(
        measure, low=np.array(ends[:-1]), high=np.array(ends[1:]),
        coefficients=np.array([[p / 2, *[0.0] * 15] for p in (1e-3, 0.0, 0.999)]),
        layer=np.zeros(3, dtype=np.int64), error=1e-3, misplaced=1e-3, moved=1e-6,
    )  # fmt: skip
    line = np.linspace(0.0, 1.0, 20_001)
    cells = [np.diff(line), np.diff(np.interp(line, ends, [0.0, 1e-3, 1e-3, 1.0]))]
    for n in (16, 50):
        bound = misfit([Draws(n, moved)], 1.0)
        assert bound < n * 1e-5
        size = 1 << 20
        laws = [np.fft.irfft(np.fft.rfft(one, size) ** n, size) for one in cells]
        assert 1e-8 < np.abs(np.cumsum(laws[0]) - np.cumsum(laws[1])).max() <= bound
    # Of few draws nothing but the probability is known.
    assert misfit([Draws(2, moved)], 1.0) == pytest.approx(2e-3)


def test_runs_of_cells_integrate_as_their_cells_do() -> None:
    ends = np.append(0.0, np.cumsum(np.random.default_rng(3).random(11)))
    few = np.random.default_rng(4).random((11, 4))
    places = ends[:-1, None] + np.diff(ends)[:, None] * (1.0 + SPOTS) / 2
    found = merged(ends[:-1], ends[1:], few, SPOTS)
    assert found.shape == (11 + 6 + 3 + 2 + 1, 4)
    cells = [(k, k + 1) for k in range(11)]
    for run in (2, 4, 8, 16):
        cells += [(k, min(k + run, 11)) for k in range(0, 11, run)]
    for row, (start, stop) in zip(found, cells, strict=True):
        middle, half = (ends[start] + ends[stop]) / 2, (ends[stop] - ends[start]) / 2
        for power in range(4):
            apart = sum(few[k] @ places[k] ** power for k in range(start, stop))
            assert row @ (middle + half * SPOTS) ** power == pytest.approx(apart, rel=1e-11)
