"""Exact laws of sums against closed forms, enumeration, and sums found another way."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import special, stats

from catallax.groups import GroupTrade, evaluate, first_best
from catallax.groups.sums import expected_excess, probability_at_least, vote_law
from catallax.groups.sums.draws.voters import Voters, voters_of
from catallax.priors import make_prior


def irwin_hall_at_least(n: int, x: Fraction) -> float:
    """P(sum of n uniform draws >= x), in fractions."""
    terms = ((-1) ** k * math.comb(n, k) * (n - x - k) ** n for k in range(math.floor(n - x) + 1))
    return float(sum(terms, Fraction(0)) / math.factorial(n))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 25, 60])
def test_uniform_draws_are_irwin_hall(n: int) -> None:
    for part in (Fraction(1, 7), Fraction(2, 5), Fraction(1, 2), Fraction(3, 5), Fraction(19, 20)):
        x = n * part
        found, error = probability_at_least([Voters(make_prior("uniform(0, 1)"), n)], float(x))
        assert abs(found - irwin_hall_at_least(n, x)) < 1e-9
        assert abs(found - irwin_hall_at_least(n, x)) <= error + 1e-14
        assert error < 1e-9


@pytest.mark.parametrize("n", [1, 5, 100, 10_000])
def test_coins_are_binomial(n: int) -> None:
    prior = make_prior("discrete([0, 1], [0.45, 0.55])")
    # Ties count as reached, from either side.
    for count in sorted({0, 1, n // 3, n // 2, round(0.55 * n), n}):
        found, error = probability_at_least([Voters(prior, n)], float(count))
        exact = special.bdtrc(count - 1, n, 0.55) if count else 1.0
        assert abs(found - exact) < 1e-9
        assert error < 1e-9
        below, _ = probability_at_least([Voters(prior, n, sign=-1)], -float(count))
        assert abs(below - special.bdtr(count, n, 0.55)) < 1e-9


@pytest.mark.parametrize("n", [1, 2, 3, 10, 300])
def test_exponential_draws_are_gamma_and_normal_ones_normal(n: int) -> None:
    for level in (0.5, 0.9, 1.0, 1.3):
        found, error = probability_at_least(
            [Voters(make_prior("exponential(2)"), n)], 2 * n * level
        )
        assert abs(found - special.gammaincc(n, n * level)) < min(1e-7, error + 1e-13)
        found, error = probability_at_least([Voters(make_prior("normal(3, 2)"), n)], 3 * n * level)
        exact = stats.norm.sf(3 * n * level, 3 * n, 2 * math.sqrt(n))
        assert abs(found - exact) < min(1e-7, error + 1e-13)


def test_first_best_of_normal_groups() -> None:
    for n, m in ((1, 1), (3, 8), (500, 400)):
        trade = GroupTrade(n, m, "normal(3, 2)", "normal(3.2, 1)")
        mean, spread = 3 * n - 3.2 * m, math.sqrt(4 * n + m)
        z = mean / spread
        exact = mean * stats.norm.cdf(z) + spread * stats.norm.pdf(z)
        value, error = first_best(trade)
        assert abs(value - exact) <= error + 1e-12 * abs(mean)
        assert error < 1e-7 * max(1.0, spread)


@pytest.mark.parametrize(
    "priors",
    [
        ["mixture([point(0), uniform(0, 1)], [0.3, 0.7])"],
        ["uniform(0, 1)", "exponential(0.7)"],
        ["mixture([discrete([0, 1], [0.5, 0.5]), normal(0.4, 0.3)], [0.6, 0.4])", "uniform(-1, 2)"],
        ["equal-revenue(1, 6)", "beta(0.5, 0.5)"],
        ["lognormal(1, 1)", "piecewise([0, 1, 4], [0, 0.8, 1])"],
        ["pareto(2.5, 1)", "empirical([0.1, 0.1, 0.7, 1.3])"],
    ],
)
def test_mixed_sums_agree_with_many_draws(priors) -> None:
    made = [make_prior(one) for one in priors]
    group = [Voters(prior, 3) for prior in made]
    total = sum(3 * float(prior.quantile(0.5)) for prior in made) * 1.07
    rng = np.random.default_rng(0)
    draws = 400_000
    values = sum(prior.sample(rng, (draws, 3)).sum(axis=1) for prior in made)
    found, error = probability_at_least(group, total)
    # A sum that ties with the total may miss it by a rounding.
    frequency = float(np.mean(values >= total - 1e-9))
    assert abs(found - frequency) < 5 * math.sqrt(found * (1 - found) / draws)
    assert error < 1e-7
    excess, missing = expected_excess(group, [Voters(make_prior(f"point({total})"), 1, sign=-1)])
    over = np.maximum(values - total, 0)
    assert abs(excess - over.mean()) < 5 * over.std() / math.sqrt(draws)
    assert missing < 1e-7 * max(1.0, total)


def random_prior(rng: np.random.Generator):
    values = rng.choice(
        [0, 0.1, 0.2, 0.3, 0.7, 1.1, 1 / 3, 2.5], int(rng.integers(1, 5)), replace=False
    )
    masses = rng.integers(1, 6, values.size)
    return make_prior({"kind": "discrete", "values": values.tolist(),
                       "probabilities": (masses / masses.sum()).tolist()})  # fmt: skip


def test_sums_of_atoms_with_votes_are_enumerated_exactly() -> None:
    """Decimals tie as they are written: 0.1 and 0.2 reach 0.3. Weights tell votes apart."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        kinds = [
            (random_prior(rng), int(rng.integers(1, 3)), int(rng.integers(0, 4)))
            for _ in range(int(rng.integers(1, 3)))
        ]
        price = float(rng.choice([0, 0.1, 0.3, 0.5, 2.5]))
        voters = [Voters(prior, count, weight, price) for prior, count, weight in kinds]
        members = [(prior, weight) for prior, count, weight in kinds for _ in range(count)]
        atoms = [prior.atoms[0].tolist() for prior, _ in members]
        reachable = sorted({math.fsum(row) for row in itertools.product(*atoms)})
        total = float(reachable[int(rng.integers(len(reachable)))])
        law = vote_law(voters, total)
        expected: dict[int, list[float]] = {}
        for row in itertools.product(*(list(zip(*p.atoms, strict=True)) for p, _ in members)):
            chance = math.prod(float(mass) for _, mass in row)
            value = sum(float(v) for v, _ in row)
            votes = sum(w for (v, _), (_, w) in zip(row, members, strict=True) if v >= price)
            entry = expected.setdefault(votes, [0.0, 0.0, 0.0])
            entry[0] += chance
            entry[1] += chance * (value >= total - 1e-9)
            entry[2] += chance * value
        rows = zip(law.chance, law.reached, law.sums, strict=True)
        found = dict(zip(law.votes.tolist(), rows, strict=True))
        for votes, entry in expected.items():
            assert found[votes] == pytest.approx(tuple(entry), abs=1e-12)
        assert law.error < 1e-9


def test_ten_thousand_members_a_side() -> None:
    """Against the normal approximation, which is good to a part in a hundred here."""
    n = 10_000
    trade = GroupTrade(n, n, "uniform(0.11, 0.91)", "uniform(0.09, 0.89)")
    found = evaluate(trade, "vote", price=0.5, rule="majority")
    assert found.error_bound < 1e-7
    p = 0.41 / 0.8
    majority = special.bdtrc(n // 2, n, p)
    assert found.trade_probability == pytest.approx(majority**2, abs=1e-9)
    law = vote_law(voters_of(trade.buyers, 0.5), n * 0.51)
    assert law.chance.sum() == pytest.approx(1, abs=1e-11)
    assert law.reached.sum() == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("prior", ["pareto(1.5)", "lognormal(1, 2.5)"])
def test_heavy_tails_keep_their_promise(prior: str) -> None:
    """An infinite variance is no obstacle, or is said to be one."""
    trade = GroupTrade(4, 4, prior, "uniform(0, 2)")
    found = evaluate(trade, "forced-trade", monte_carlo=200_000, rng=2)
    assert found.trade_probability == 1
    assert found.check is not None
    assert found.error_bound < 1e-7
    assert found.method == "exact"
    for name in ("ir_buyers", "ir_sellers", "ir_both"):
        error = found.check.stderr[name]
        assert abs(getattr(found, name) - getattr(found.check, name)) <= 5 * error


def test_only_what_is_known_is_called_exact() -> None:
    """A tie of what floats cannot tell apart; and a sample that knows more takes its place."""
    trade = GroupTrade(2, 2, "beta(0.1, 0.1)", "uniform(0, 1)")
    found = evaluate(trade, "vote", price=0.5, rule="unanimity", monte_carlo=1000, rng=1)
    assert found.method == "exact"
    assert found.check is not None
    assert found.check.method == "monte-carlo"
    # Heavy tails on both sides: first best is known to some digits only.
    trade = GroupTrade(2, 3, ["pareto(2.5, 0.3)", "exponential(0.4)"],
                       "mixture([point(1), lognormal(0.4, 1)], [0.5, 0.5])")  # fmt: skip
    found = evaluate(trade, "forced-trade")
    value, error = first_best(trade)
    assert found.method == ("exact" if error <= 1e-7 * trade.scale else "bounded")
    worth, cost = trade.sample(2, 400_000)
    gains = np.maximum(worth.sum(axis=1) - cost.sum(axis=1), 0)
    assert abs(value - gains.mean()) < 5 * gains.std() / math.sqrt(gains.size) + error
    assert found.error_bound >= error / trade.scale


def test_next_to_no_first_best_leaves_the_chances_exact() -> None:
    """The share of next to nothing is known less well than everything else, and says so."""
    found = evaluate(
        GroupTrade(1, 7, "uniform(0.2, 0.9)", "normal(0.5, 0.3, low=0, high=1)"),
        "vote", price=0.55, rule="unanimity",
    )  # fmt: skip
    assert found.method == "exact"
    assert found.first_best < 1e-3
    assert found.share_error_bound is not None
    assert found.share_error_bound > found.error_bound
