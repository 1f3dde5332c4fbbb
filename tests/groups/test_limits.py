"""Rates and ceilings: Lemma 4.1, Theorems 4.3, 4.4 and 5.2 against exact sums and programs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, stats

from catallax.errors import CatallaxError, PriorError
from catallax.groups import GroupTrade
from catallax.groups.limits import first_best_rate, smooth_bound, variance, vote_limit
from catallax.groups.sums import expected_excess, probability_at_least
from catallax.groups.sums.draws.voters import voters_of
from catallax.groups.tail_bounds import forced_trade_bounds
from catallax.groups.worst_case import uniform_against_half
from catallax.priors import Discrete, parse_prior


def first_best(trade: GroupTrade) -> float:
    return expected_excess(voters_of(trade.buyers), voters_of(trade.sellers))[0]


def random_discrete(rng: np.random.Generator, size: int, shift: float = 0.0) -> Discrete:
    values = np.sort(rng.choice(np.arange(9), size, replace=False)) / 4 + shift
    masses = rng.integers(1, 6, size)
    return Discrete(values, masses / masses.sum())


def laws(trade: GroupTrade) -> list[tuple[np.ndarray, np.ndarray]]:
    sides = (trade.buyers, trade.sellers)
    return [side.prior_of(k).atoms for side in sides for k in range(len(side))]


def profiles(trade: GroupTrade) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List all profiles of values and costs with their probabilities."""
    rows, masses = [], []
    for places in itertools.product(*(range(len(values)) for values, _ in laws(trade))):
        pairs = list(zip(laws(trade), places, strict=True))
        rows.append([values[k] for (values, _), k in pairs])
        masses.append(np.prod([mass[k] for (_, mass), k in pairs]))
    table = np.array(rows)
    return table[:, : trade.n_buyers], table[:, trade.n_buyers :], np.array(masses)


# ----------------------------------------------------------------------------------- Lemma 4.1


def test_first_best_lies_between_its_bounds() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        n, m = rng.integers(1, 4, 2)
        trade = GroupTrade(
            n,
            m,
            [random_discrete(rng, 3) for _ in range(n)],
            [random_discrete(rng, 2, rng.integers(-3, 4) / 4) for _ in range(m)],
        )
        values, costs, masses = profiles(trade)
        gains = values.sum(axis=1) - costs.sum(axis=1)
        exact = float(masses @ np.maximum(gains, 0))
        rate = first_best_rate(trade)
        assert rate.drift == pytest.approx(float(masses @ gains))
        assert rate.spread**2 == pytest.approx(float(masses @ gains**2) - rate.drift**2)
        assert rate.lower - 1e-12 <= exact <= rate.upper + 1e-12


@pytest.mark.parametrize(
    ("buyers", "sellers", "order"),
    [
        ("uniform(0.11, 0.91)", "uniform(0.09, 0.89)", "n"),
        ("uniform(0.1, 0.9)", "discrete([0, 1], [0.5, 0.5])", "sqrt(n)"),
        ("discrete([0, 1], [0.51, 0.49])", "uniform(0.11, 0.91)", "1"),
    ],
)
def test_the_rates_of_growth(buyers, sellers, order) -> None:
    sizes = [100, 400, 1600]
    exact = [first_best(GroupTrade(n, n, buyers, sellers)) for n in sizes]
    growth = [exact[1] / exact[0], exact[2] / exact[1]]
    expected = {"n": 4.0, "sqrt(n)": 2.0, "1": 1.0}[order]
    for n, value in zip(sizes, exact, strict=True):
        rate = first_best_rate(GroupTrade(n, n, buyers, sellers))
        assert rate.order == order
        assert rate.lower <= value <= rate.upper
        if order == "1":
            assert rate.upper <= rate.spread**2 / (4 * abs(rate.drift)) + 1e-12
        if order == "sqrt(n)":
            assert value == pytest.approx(rate.normal, rel=0.01)
    if order == "sqrt(n)":
        assert growth == pytest.approx([2.0, 2.0], rel=0.01)
    else:
        assert abs(growth[1] - expected) < abs(growth[0] - expected) or growth[1] < expected


def test_variances() -> None:
    for text, exact in (
        ("uniform(2, 5)", 0.75),
        ("exponential(3)", 9.0),
        ("discrete([0, 1], [0.75, 0.25])", 0.1875),
        ("lognormal(1, 1.5)", (math.exp(2.25) - 1) * math.exp(2.25)),
        ("pareto(4)", 4 / 18),
        ("mixture([point(0), uniform(0, 1)], [0.5, 0.5])", 1 / 6 - 1 / 16),
    ):
        assert variance(parse_prior(text)) == pytest.approx(exact, rel=1e-7)
    with pytest.raises(PriorError, match="infinite variance"):
        first_best_rate(GroupTrade(2, 2, "pareto(1.5)", "uniform(0, 1)"))


# ------------------------------------------------------------------------------------ Theorem 4.3


def worse_off(trade: GroupTrade) -> tuple[float, float]:
    """P(total of the buyers <= half way), P(total of the sellers >= it), exactly."""
    half = (trade.buyers.total_mean + trade.sellers.total_mean) / 2
    above = math.nextafter(half, math.inf)
    buyers = 1 - probability_at_least(voters_of(trade.buyers), above)[0]
    sellers = (
        1 - probability_at_least(voters_of(trade.sellers), -math.nextafter(half, -math.inf))[0]
    )
    return buyers, sellers


@pytest.mark.parametrize(
    ("n", "m", "buyers", "sellers"),
    [
        (5, 5, "uniform(0.2, 1)", "uniform(0, 0.8)"),
        (40, 40, "uniform(0.2, 1)", "uniform(0, 0.8)"),
        (30, 30, "discrete([0, 1], [0.4, 0.6])", "discrete([0, 1], [0.6, 0.4])"),
        (10, 20, "uniform(1, 3)", "beta(2, 5, 0, 3)"),
        (25, 10, "point(0.5)", "discrete([0, 1], [0.5, 0.5])"),
        (12, 12, "discrete([0, 1], [0.1, 0.9])", "discrete([0, 1], [0.9, 0.1])"),
    ],
)
def test_bounds_of_forced_trade_hold(n, m, buyers, sellers) -> None:
    trade = GroupTrade(n, m, buyers, sellers)
    bounds = forced_trade_bounds(trade)
    exact = worse_off(trade)
    for side, chance in zip((bounds.buyers, bounds.sellers), exact, strict=True):
        assert chance <= side.entropy + 1e-7
        assert side.entropy <= min(side.hoeffding, side.chernoff) + 1e-15
        if side.printed_holds:
            assert side.chernoff <= side.printed + 1e-15
    assert bounds.better_off <= 1 - exact[0] - exact[1] + 2e-7
    share = trade.expected_gain / first_best(trade)
    assert bounds.share <= share + 1e-9
    if bounds.share_printed is not None:
        assert bounds.share_printed <= bounds.share + 1e-12


def test_different_members_are_bounded_by_their_totals() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        trade = GroupTrade(
            3, 2, [random_discrete(rng, 3, 0.5) for _ in range(3)],
            [random_discrete(rng, 3) for _ in range(2)],
        )  # fmt: skip
        if trade.expected_gain <= 0:
            continue
        values, costs, masses = profiles(trade)
        half = (trade.buyers.total_mean + trade.sellers.total_mean) / 2
        bounds = forced_trade_bounds(trade)
        assert masses @ (values.sum(axis=1) <= half) <= bounds.buyers.entropy + 1e-12
        assert masses @ (costs.sum(axis=1) >= half) <= bounds.sellers.entropy + 1e-12
        gains = values.sum(axis=1) - costs.sum(axis=1)
        assert bounds.share <= trade.expected_gain / float(masses @ np.maximum(gains, 0)) + 1e-12


def test_the_printed_tail_of_the_sellers_is_no_bound_far_from_their_mean() -> None:
    """Costs 0 or 1 with mean 0.1, values with mean 0.9: half way is 0.5, far above."""
    n = 600
    trade = GroupTrade(n, n, "discrete([0, 1], [0.1, 0.9])", "discrete([0, 1], [0.9, 0.1])")
    sellers = forced_trade_bounds(trade).sellers
    exact = float(stats.binom.sf(n // 2 - 1, n, 0.1))
    assert not sellers.printed_holds and exact > 10 * sellers.printed
    assert exact <= sellers.entropy <= sellers.chernoff
    assert forced_trade_bounds(trade).share_printed is None
    # The rates that the docstring states.
    assert -math.log(sellers.entropy) / n == pytest.approx(0.511, abs=5e-4)
    assert -math.log(sellers.printed) / n == pytest.approx(0.533, abs=5e-4)


def test_bounds_are_exponential() -> None:
    def at(n: int):
        return forced_trade_bounds(GroupTrade(n, n, "uniform(0.1, 1)", "uniform(0, 0.8)"))

    one, two = at(200), at(400)
    for side in ("buyers", "sellers"):
        for name in ("printed", "chernoff", "hoeffding", "entropy"):
            first, second = (getattr(getattr(bounds, side), name) for bounds in (one, two))
            assert second == pytest.approx(first**2, rel=1e-9)
    assert two.share > one.share and two.better_off > one.better_off


@pytest.mark.parametrize(
    ("buyers", "sellers", "words"),
    [
        ("uniform(0, 1)", "uniform(0, 1)", "does not trade"),
        ("exponential(1)", "uniform(0, 1)", "bounded support"),
    ],
)
def test_no_bounds(buyers, sellers, words) -> None:
    with pytest.raises(CatallaxError, match=words):
        forced_trade_bounds(GroupTrade(3, 3, buyers, sellers))


# ------------------------------------------------------------------------------------ Theorem 4.4


def test_the_limit_of_votes() -> None:
    root = math.sqrt(3) / 2
    assert vote_limit(GroupTrade(9, 9, "uniform(0, 1)", "point(0.5)")) == pytest.approx(root)
    assert vote_limit(GroupTrade(1, 1, "uniform(1, 3)", "uniform(0, 4)")) == pytest.approx(root)
    # Uneven groups vote on prices of their own; sums are equal.
    assert vote_limit(GroupTrade(1, 3, "uniform(0, 6)", "uniform(0, 2)")) == pytest.approx(root)
    # Two values: the votes say everything.
    coin = "discrete([0, 1], [0.7, 0.3])"
    assert vote_limit(GroupTrade(2, 2, coin, coin)) == pytest.approx(1.0)
    assert vote_limit(GroupTrade(2, 2, "uniform(0, 2)", "uniform(0, 1)")) == 1.0
    t = np.linspace(1e-3, 8, 400_001)
    exponential = math.sqrt((t**2 * np.exp(-t) / (1 - np.exp(-t))).max())
    found = vote_limit(GroupTrade(4, 4, "exponential(1)", "exponential(1)"))
    assert found == pytest.approx(exponential, rel=1e-9)
    normal = vote_limit(GroupTrade(4, 4, "normal(0, 1)", "normal(0, 1)"))
    assert normal == pytest.approx(math.sqrt(2 / math.pi))
    with pytest.raises(CatallaxError, match="does not grow"):
        vote_limit(GroupTrade(2, 2, "uniform(0, 1)", "uniform(0, 2)"))
    with pytest.raises(CatallaxError, match="alike"):
        vote_limit(GroupTrade(2, 2, ["uniform(0, 1)", "point(0)"], "uniform(0, 1)"))


def best_vote_by_binomials(n: int) -> float:
    """The best quota and price of n uniform voters against 1/2, on a fine grid of prices."""
    best = 0.0
    for q in np.linspace(0.001, 0.999, 1997):  # the chance of a yes
        k = np.arange(n + 1)
        best = max(best, float(stats.binom.pmf(k, n, q) @ np.maximum(k - n * q, 0)) / 2)
    return best


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 40])
def test_the_worst_case_by_binomials(n) -> None:
    example = uniform_against_half(n)
    assert example.best_vote == pytest.approx(best_vote_by_binomials(n), rel=1e-5)
    assert example.best_vote >= best_vote_by_binomials(n) - 1e-12
    trade = GroupTrade(n, n, "uniform(0, 1)", "point(0.5)")
    assert example.first_best == pytest.approx(first_best(trade), abs=1e-8)
    assert example.smooth == pytest.approx(smooth_bound(trade), abs=1e-12)
    assert example.smooth <= example.best_vote + 1e-12 <= example.first_best + 2e-12


def test_the_worst_case_tends_to_its_limits() -> None:
    shares = []
    for n in (60, 61, 1000, 10_000):
        one = uniform_against_half(n)
        assert one.first_best == pytest.approx(one.first_best_limit, rel=0.06 / n)
        assert one.best_vote == pytest.approx(one.best_vote_limit, rel=0.6 / n)
        assert one.smooth / one.first_best == pytest.approx(one.smooth_share_limit, rel=0.06 / n)
        shares.append(one.best_vote / one.first_best)
    assert shares[-1] == pytest.approx(math.sqrt(3) / 2, abs=2e-5)
    with pytest.raises(CatallaxError, match="at least one"):
        uniform_against_half(0)


# ------------------------------------------------------------------------------------ Theorem 5.2


def best_separable(trade: GroupTrade, *, additive: bool) -> float:
    """The best monotone x in [0, 1] without mixed differences, by a linear program."""
    values, costs, masses = profiles(trade)
    shape = tuple(len(one) for one, _ in laws(trade))
    place = np.arange(masses.size).reshape(shape)
    n = trade.n_buyers
    upper, equal = [], []
    for axis in range(len(shape)):
        low, high = (
            np.moveaxis(place, axis, 0)[:-1].ravel(),
            np.moveaxis(place, axis, 0)[1:].ravel(),
        )
        for a, b in zip(low, high, strict=True):
            row = np.zeros(masses.size)
            row[a], row[b] = (1, -1) if axis < n else (-1, 1)
            upper.append(row)
    for i, j in itertools.combinations(range(len(shape)), 2):
        if not additive and (i < n) != (j < n):
            continue
        cells = np.moveaxis(place, (i, j), (0, 1))
        corners = (cells[1:, 1:], cells[1:, :-1], cells[:-1, 1:], cells[:-1, :-1])
        for a, b, c, d in zip(*(corner.ravel() for corner in corners), strict=True):
            row = np.zeros(masses.size)
            row[[a, b, c, d]] = 1, -1, -1, 1
            equal.append(row)
    gains = masses * (values.sum(axis=1) - costs.sum(axis=1))
    found = optimize.linprog(
        -gains,
        np.array(upper) if upper else None,
        np.zeros(len(upper)) if upper else None,
        np.array(equal) if equal else None,
        np.zeros(len(equal)) if equal else None,
        bounds=(0, 1),
    )
    assert found.status == 0
    return -float(found.fun)


def test_ceilings_of_lotteries_against_linear_programs() -> None:
    rng = np.random.default_rng(5)
    near = 0
    for _ in range(25):
        n, m = ((2, 1), (1, 2), (2, 2), (1, 1), (3, 1))[rng.integers(5)]
        trade = GroupTrade(
            n,
            m,
            [random_discrete(rng, 3) for _ in range(n)],
            [random_discrete(rng, 2, rng.integers(-2, 3) / 4) for _ in range(m)],
        )
        # Additive over all: the best is a dictator, or nobody.
        exact = best_separable(trade, additive=True)
        assert smooth_bound(trade, balanced=True) == pytest.approx(exact, abs=1e-9)
        separable = best_separable(trade, additive=False)
        bound = smooth_bound(trade)
        assert exact - 1e-9 <= separable <= bound + 1e-9
        near += separable > 0.9 * bound
    assert near >= 3


def test_the_ceiling_is_the_least_over_its_parameter() -> None:
    trade = GroupTrade(7, 5, "uniform(0, 1)", "beta(2, 3)")
    values, costs = (np.linspace(0, 1, 20_001)[1:] - 2.5e-5 for _ in range(2))
    density = stats.beta.pdf(costs, 2, 3) / costs.size
    grid = [
        np.maximum(values - 0.5 + extra, 0).mean()
        + density @ np.maximum(trade.expected_gain - extra - costs + 0.4, 0)
        for extra in np.linspace(-1, 3, 81)
    ]
    assert smooth_bound(trade) == pytest.approx(min(grid), abs=1e-3)
    assert smooth_bound(trade) <= min(grid) + 1e-6


def test_the_ceiling_grows_only_with_the_drift() -> None:
    for n in (1, 10, 1000):
        equal = GroupTrade(n, n, "uniform(0, 1)", "uniform(0, 1)")
        assert smooth_bound(equal) == pytest.approx(0.25)
        assert smooth_bound(equal, balanced=True) == pytest.approx(0.125)
    above = GroupTrade(1000, 1000, "uniform(0, 1)", "point(0.4)")
    assert smooth_bound(above) == pytest.approx(100.0, rel=1e-6)
    below = GroupTrade(1000, 1000, "uniform(0, 1)", "point(0.6)")
    assert 0 <= smooth_bound(below) <= 1e-9
    points = GroupTrade(2, 2, "point(0.75)", "point(0.5)")
    assert smooth_bound(points) == pytest.approx(0.5)
