"""Ties of poles and needles, scale by scale: each against what is known in closed form."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import special, stats

from catallax.groups import GroupTrade, evaluate
from catallax.groups.sums import Voters, vote_law
from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.draws.blocks import blocks_of
from catallax.groups.sums.steep.anchors import TooManyError, exact
from catallax.groups.sums.steep.clusters import Fall, Part, clusters_of, rest_of, tapered, wave_of
from catallax.groups.sums.steep.fold import fold_terms
from catallax.groups.sums.steep.scales import scale_terms
from catallax.groups.sums.steep.ties import beyond
from catallax.priors import parse_prior


def added(found: list[Terms] | None) -> tuple[dict[int, float], float]:
    assert found is not None
    values: dict[int, float] = {}
    for terms in found:
        for votes, value in enumerate(terms.values.tolist(), terms.first):
            values[votes] = values.get(votes, 0.0) + value
    return values, sum(terms.error for terms in found)


def power_beats(a: float, m: int, b: float) -> float:
    """P(X_1 + ... + X_m >= Z) of beta(a, 1) and beta(b, 1): below 1 the sum follows a power."""
    below = math.gamma(1 + a) ** m / math.gamma(1 + m * a)
    return 1.0 - below * b / (b + m * a)


@pytest.mark.parametrize(("a", "m", "b"), [(0.02, 2, 0.07), (0.3, 3, 0.9)])
def test_powers_of_the_distance_tie_as_they_should(a: float, m: int, b: float) -> None:
    costs, pole = parse_prior(f"beta({a}, 1)"), parse_prior(f"beta({b}, 1)")
    group = [Voters(costs, m), Voters(pole, 1, sign=-1)]
    values, error = added(scale_terms(group, 0.0))
    assert abs(sum(values.values()) - power_beats(a, m, b)) <= error + 1e-12
    assert error < 1e-8
    # The pole at 1 instead, and with votes: it is known which of them count.
    group = [Voters(costs, m, 1, 0.25), Voters(parse_prior(f"beta(1, {b})"), 1, m + 1, 0.5)]
    values, error = added(scale_terms(group, 1.0))
    assert abs(sum(values.values()) - power_beats(a, m, b)) <= error + 1e-12
    assert error < 2e-8


def test_poles_at_three_tenths_tie_though_floats_do_not() -> None:
    values = parse_prior("scipy('beta', 0.05, 1, scale=0.3)")
    mirror = parse_prior("scipy('beta', 1, 0.1, scale=0.3)")
    points = Voters(parse_prior("point(0.3)"), 2)
    assert 0.3 + 0.3 + 0.3 != 0.9
    values, error = added(scale_terms([Voters(values, 2), Voters(mirror, 1), points], 0.9))
    assert abs(sum(values.values()) - power_beats(0.05, 2, 0.1)) <= error
    assert error < 2e-8


def test_twenty_draws_reach_half_of_their_number_half_of_the_time() -> None:
    law = vote_law([Voters(parse_prior("beta(0.02, 0.02)"), 20, 1, 0.5)], 10.0)
    assert law.reached.sum() == pytest.approx(0.5, abs=1e-10)
    assert law.error < 1e-8
    # By symmetry k votes reach it as often as 20 - k do not.
    missed = law.chance - law.reached
    assert np.abs(law.reached - missed[::-1]).max() < 1e-10
    assert law.reached[:9].max() < 1e-4 < law.reached[10]


def test_members_of_many_kinds_tie_together() -> None:
    """Five draws, no two alike, each symmetric: ways are added up by their sums, not one by one."""
    group = [Voters(parse_prior(f"beta({a}, {a})"), 1) for a in (0.02, 0.03, 0.05, 0.1, 0.4)]
    values, error = added(scale_terms(group, 2.5))
    assert abs(sum(values.values()) - 0.5) <= error < 1e-8


def test_an_evaluated_vote_of_steep_priors_is_exact() -> None:
    trade = GroupTrade(3, 20, "beta(0.02, 0.03)", "beta(0.02, 0.04)")
    found = evaluate(trade, "vote", price=0.5, rule="majority")
    assert found.method == "exact"
    assert found.error_bound < 2e-8


def test_scales_agree_with_convolutions() -> None:
    """With an atom that ties with a pole, and a pole that is no power of the distance."""
    group = [
        Voters(parse_prior("mixture([beta(0.3, 0.2), point(0.5)], [0.8, 0.2])"), 1, 1, 0.5),
        Voters(parse_prior("scipy('weibull_min', 0.4)"), 1, 2, 0.4),
    ]
    values, error = added(scale_terms(group, 0.5))
    others, more = added(fold_terms(group, 0.5))
    assert all(abs(values.get(k, 0.0) - others.get(k, 0.0)) <= error + more for k in range(4))
    assert error < 1e-8


# ------------------------------------------------------------------------------------- needles


def uniforms_below(widths: list[tuple[Fraction, int]], x: Fraction) -> Fraction:
    """P(sum <= x) of so many uniform draws of each width, exactly."""
    n = sum(count for _, count in widths)
    found = Fraction(0)
    for taken in itertools.product(*[range(count + 1) for _, count in widths]):
        rest = x - sum((v * w for v, (w, _) in zip(taken, widths, strict=True)), Fraction(0))
        ways = math.prod(math.comb(c, v) for v, (_, c) in zip(taken, widths, strict=True))
        found += (-1) ** sum(taken) * ways * max(rest, Fraction(0)) ** n
    return found / math.factorial(n) / math.prod(w**c for w, c in widths)


def needles_reach(parts: list[tuple[Fraction, Fraction, Fraction]], n: int, total: float) -> float:
    """P(sum >= total) of draws from a mixture of uniform parts: chance, start, width."""
    found = Fraction(0)
    for counts in itertools.product(range(n + 1), repeat=len(parts)):
        if sum(counts) != n:
            continue
        chance = Fraction(math.factorial(n))
        for k, (share, _, _) in zip(counts, parts, strict=True):
            chance *= share**k / math.factorial(k)
        start = sum((k * low for k, (_, low, _) in zip(counts, parts, strict=True)), Fraction(0))
        widths = [(width, k) for k, (_, _, width) in zip(counts, parts, strict=True) if k]
        found += chance * (1 - uniforms_below(widths, Fraction(total) - start))
    return float(found)


@pytest.mark.parametrize(("bits", "n", "total"), [(30, 2, 1.0), (10, 3, 1.75), (20, 9, 4.75)])
def test_two_needles_whose_sums_tie(bits: int, n: int, total: float) -> None:
    width = Fraction(1, 2**bits)
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    parts = [(half, Fraction(0), Fraction(1)), (quarter, quarter, width),
             (quarter, 3 * quarter, width)]  # fmt: skip
    ends = ", ".join(f"uniform({float(a)!r}, {float(a + w)!r})" for _, a, w in parts)
    prior = parse_prior(f"mixture([{ends}], [0.5, 0.25, 0.25])")
    bar = float(quarter + width / 2)
    for place, voters in (
        (total + float(n * width / 3), Voters(prior, n)),
        (total, Voters(prior, n, 1, bar)),
    ):
        values, error = added(scale_terms([voters], place))
        assert abs(sum(values.values()) - needles_reach(parts, n, place)) <= error + 1e-12
        assert error < 2e-9


def test_needles_of_bells_tie_half_of_the_time() -> None:
    """Draws that are symmetric around 1/2, and needles around 0.3 and 0.7."""
    bells = "mixture([uniform(0, 1), normal(0.3, 1e-6), normal(0.7, 1e-6)], [0.5, 0.25, 0.25])"
    for n in (2, 9):
        law = vote_law([Voters(parse_prior(bells), n, 1, 0.5)], n / 2)
        assert law.reached.sum() == pytest.approx(0.5, abs=1e-10)
        assert law.error < 1e-8
    # Of two draws in one needle each the sum is normal.
    apart = 1e-6
    found = vote_law([Voters(parse_prior(bells), 2)], 1.0 + apart)
    pairs = 2 * 0.25**2 * stats.norm.sf(apart, scale=math.sqrt(2) * 1e-6)
    singles = 2 * 0.5 * 0.25 * ((0.3 - apart) + (0.7 - apart))
    plain = 0.25 * (1 - apart) ** 2 / 2
    assert found.reached.sum() == pytest.approx(0.25**2 + pairs + singles + plain, abs=1e-9)


# -------------------------------------------------------------------------------------- bounds


def test_a_pole_next_to_one_is_a_power_as_near_as_is_said() -> None:
    for a, b in ((0.02, 0.03), (0.1, 0.1)):
        (block,) = (one for one in blocks_of(parse_prior(f"beta({a}, {b})")) if one.anchor == 1.0)
        assert block.error < 1e-10
        for distance in (1e-9, 1e-12, 1e-30, 1e-50):
            assert abs(block.within(distance) - special.betainc(b, a, distance)) <= block.error


@pytest.mark.parametrize(
    "text", ["beta(0.1, 0.3)", "piecewise([0, 0.3, 0.5, 1], [0, 0.5, 0.9, 1])"]
)
def test_smooth_parts_have_transforms_within_their_bounds(text: str) -> None:
    parts = [Part(block.anchor, block.measure) for block in blocks_of(parse_prior(text))]
    for outer in clusters_of(parts, 0.0, 0.02):
        inner = clusters_of(outer.parts, outer.anchor, 0.005, (outer.start, outer.end))
        rest = rest_of(outer, inner, 0.005)
        assert rest.cell_mass + sum(tapered(one).cell_mass for one in inner) == pytest.approx(
            tapered(outer).cell_mass, abs=1e-12
        )
        fall = Fall(rest)
        waves = np.abs(wave_of(rest, 160.0, 300))
        u = 160.0 * np.arange(1, 300)
        assert (waves[1:] <= fall(u) + 1e-13).all()
        assert fall(np.array([160.0 / 0.005]))[0] < 1e-9
        # A series that is cut off too early says so.
        assert beyond([(2, 0.1, [fall])], 1.0, 100) > 1e-6


def test_few_frequencies_are_in_the_bound() -> None:
    prior = parse_prior("beta(0.5, 0.5)")
    good, _ = added(scale_terms([Voters(prior, 3)], 1.2))
    for frequencies in (256, 1024):
        rough, error = added(scale_terms([Voters(prior, 3)], 1.2, frequencies))
        assert abs(rough[0] - good[0]) <= error


def test_too_many_ways_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    group = [Voters(parse_prior("beta(0.02, 0.02)"), 9)]
    with monkeypatch.context() as patched:
        patched.setattr("catallax.groups.sums.steep.ties._MOST_STATES", 3)
        assert scale_terms(group, 4.0) is None
    assert scale_terms([Voters(parse_prior("point(1)"), 3)], 2.0) is None
    assert exact(0.75) * 4 == 3 * exact(1.0)
    assert issubclass(TooManyError, Exception)
