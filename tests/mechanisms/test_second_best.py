"""The second best against closed forms, and against linear programs for discrete markets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from scipy import optimize

import catallax as cx
from catallax.mechanisms import SecondBest
from catallax.mechanisms.second_best_budget import budget_of
from catallax.priors.base import Parts
from catallax.priors.density import DensityPrior
from tests.matching.brute_force import all_matchings
from tests.mechanisms import brute_force as brute
from tests.mechanisms.deviations import branches, check_no_deviation_helps
from tests.mechanisms.test_offering import as_market, random_market

MECHANISM = SecondBest()


def bilateral(buyer, seller, bid: float = 0.0, ask: float = 0.0) -> cx.Market:
    return cx.Market(
        [{"id": "b", "bid": bid, "prior": buyer}], [{"id": "s", "ask": ask, "prior": seller}]
    )


# ------------------------------------------------------------------------------------ closed forms


@pytest.mark.parametrize("k", [1, 3])
def test_power_family(k: int) -> None:
    """P(v >= x) = (1 - x)^k, P(c <= x) = x^k: trade iff v - c >= 1 / (2k + 2)."""
    market = bilateral(f"beta(1, {k})", f"beta({k}, 1)")
    if k == 1:
        market = bilateral("uniform(0, 1)", "uniform(0, 1)")
    found = MECHANISM.multiplier(market)
    first_best = math.gamma(k + 1) ** 2 / math.gamma(2 * k + 2)
    share = 2 * ((2 * k + 1) / (2 * k + 2)) ** (2 * k + 1)
    assert found.gains / first_best == pytest.approx(share, abs=1e-9)
    assert found.surplus == pytest.approx(0.0, abs=1e-9)
    gap = 1 / (2 * k + 2)
    for value, cost in ((0.9, 0.1), (0.5 + gap / 2 + 1e-6, 0.5 - gap / 2), (0.3 + gap + 1e-6, 0.3)):
        for inside in (True, False):
            bid = value if inside else cost + gap - 1e-6
            lottery = cx.clear(market, MECHANISM, cx.Reports([bid], [cost]))
            assert lottery.totals["trades"] == inside


def test_exponential_pair() -> None:
    found = MECHANISM.multiplier(bilateral("exponential(1)", "exponential(1)"))
    assert found.gains == pytest.approx(0.4271833617, abs=1e-9)


@dataclass(frozen=True, eq=False, repr=False)
class Mirrored(DensityPrior):
    """top less an exponential value: a prior of somebody else, with the least it must have."""

    kind = "mirrored-exponential"
    top: float

    @property
    def support(self) -> tuple[float, float]:
        return -math.inf, self.top

    @property
    def mean(self) -> float:
        return self.top - 1.0

    def _parts(self) -> Parts:
        return Parts((self.support,), np.empty(0), np.empty(0))

    def _depth(self, x):
        return np.maximum(self.top - x, 0.0)

    def _cdf(self, x):
        return np.exp(-self._depth(x))

    def _sf(self, x):
        return -np.expm1(-self._depth(x))

    def _quantile(self, q):
        with np.errstate(divide="ignore"):
            return self.top + np.log(q)

    def _upper_quantile(self, p):
        return self.top + np.log1p(-p)

    def _log_density(self, x):
        return np.where(x <= self.top, -self._depth(x), -np.inf)

    def _upper_ratio(self, x):
        with np.errstate(over="ignore"):
            return np.expm1(self._depth(x))

    def _lower_ratio(self, x):
        return np.ones(x.shape)


def test_mirrored_exponential() -> None:
    """v ~ Exp(1), c = t - Exp(1): trade iff v - c >= a."""
    t = 0.5
    found = MECHANISM.multiplier(bilateral("exponential(1)", Mirrored(t)))
    a = (math.sqrt(t * t + 4 * t) - t) / 2
    gains = math.exp(-t - a) * (t * (a + 1) + a * a + 2 * a + 2)
    assert found.gains == pytest.approx(gains, abs=1e-9)


def test_free_trade_needs_no_multiplier() -> None:
    market = bilateral("uniform(2, 3)", "uniform(0, 1)")
    found = MECHANISM.multiplier(market)
    assert (found.value, found.shares, found.probabilities) == (0.0, (0.0,), (1.0,))
    assert found.gains == pytest.approx(2.0, abs=1e-9)
    assert found.surplus == pytest.approx(1.0, abs=1e-9)
    outcome = cx.clear(market, MECHANISM, cx.Reports([2.5], [0.5])).outcomes[0][1]
    assert outcome.totals["buyers_pay"] == 2.0
    assert outcome.totals["sellers_receive"] == 1.0


# ---------------------------------------------------------------------------------- linear programs


def by_linear_program(priors, edges, most: int | None = None) -> float:
    """Largest expected gains over all direct mechanisms that are BIC, interim IR and balanced."""
    sides = [[(list(map(float, v)), list(map(float, m))) for v, m in side] for side in priors]
    agents = [*sides[0], *sides[1]]
    n_buyers = len(sides[0])
    sign = np.array([1.0] * n_buyers + [-1.0] * len(sides[1]))
    profiles = list(product(*(range(len(values)) for values, _ in agents)))
    matchings = all_matchings(n_buyers, len(sides[1]), edges).astype(float)
    if most is not None:
        matchings = matchings[matchings.sum(axis=1) <= 2 * most]
    chance = np.array([np.prod([agents[a][1][t] for a, t in enumerate(p)]) for p in profiles])
    worth = np.array([[agents[a][0][t] for a, t in enumerate(p)] for p in profiles]) * sign
    n_allocation = len(profiles) * len(matchings)
    types = [(a, t) for a, (values, _) in enumerate(agents) for t in range(len(values))]
    place = {pair: n_allocation + k for k, pair in enumerate(types)}
    width = n_allocation + len(types)
    gains = np.zeros(width)
    gains[:n_allocation] = (chance[:, None] * (worth @ matchings.T)).ravel()
    # Interim probability of trade of a type, as a row over the allocation variables.
    trade = {}
    for a, t in types:
        row = np.zeros((len(profiles), len(matchings)))
        for k, p in enumerate(profiles):
            if p[a] == t:
                row[k] = chance[k] / agents[a][1][t] * matchings[:, a]
        trade[a, t] = np.append(row.ravel(), np.zeros(len(types)))
    rows, bounds = [], []
    for a, t in types:
        value = sign[a] * agents[a][0][t]
        own = value * trade[a, t]
        own[place[a, t]] -= 1.0  # the transfer to the mechanism
        rows.append(-own)
        bounds.append(0.0)
        for s in range(len(agents[a][0])):
            if s != t:
                lie = value * trade[a, s]
                lie[place[a, s]] -= 1.0
                rows.append(lie - own)
                bounds.append(0.0)
    budget = np.zeros(width)
    for a, t in types:
        budget[place[a, t]] = -agents[a][1][t]
    rows.append(budget)
    bounds.append(0.0)
    once = np.zeros((len(profiles), width))
    for k in range(len(profiles)):
        once[k, k * len(matchings) : (k + 1) * len(matchings)] = 1.0
    solved = optimize.linprog(
        -gains,
        A_ub=np.array(rows),
        b_ub=bounds,
        A_eq=once,
        b_eq=np.ones(len(profiles)),
        bounds=[(0, None)] * n_allocation + [(None, None)] * len(types),
    )
    assert solved.status == 0
    return -solved.fun


def by_profiles(market: cx.Market, priors, mechanism) -> tuple[float, float]:
    """Expected gains and surplus of a mechanism: every profile of discrete priors, as it pays."""
    gains, surplus = [], []
    agents = [*priors[0], *priors[1]]
    for profile in product(*(zip(values, masses, strict=True) for values, masses in agents)):
        chance = float(np.prod([float(mass) for _, mass in profile]))
        values = [float(value) for value, _ in profile]
        cut = len(priors[0])
        totals = cx.clear(market, mechanism, cx.Reports(values[:cut], values[cut:])).totals
        gains.append(chance * totals["gains_from_trade"])
        surplus.append(chance * totals["surplus"])
    return math.fsum(gains), math.fsum(surplus)


def small_markets(seed: int, rounds: int, largest: int, most: int):
    """Draw markets of at least one edge with so few profiles that a program can list them."""
    rng = np.random.default_rng(seed)
    while rounds:
        edges, priors, bids, asks = random_market(rng, largest, 5)
        count = math.prod(len(values) for side in priors for values, _ in side)
        if edges and 1 < count <= most:
            rounds -= 1
            yield edges, priors, as_market(edges, priors, bids, asks)


@pytest.mark.parametrize(("largest", "rounds", "most"), [(1, 60, 64), (3, 40, 40)])
def test_discrete_markets_against_linear_programs(largest: int, rounds: int, most: int) -> None:
    """Gains of the program; gains and surplus as the mechanism itself trades and pays."""
    kinds = {"free": 0, "balanced": 0, "mixed": 0}
    for edges, priors, market in small_markets(largest, rounds, largest, most):
        found = MECHANISM.multiplier(market)
        assert found.stderr == 0
        best = by_linear_program(priors, edges)
        scale = brute.UNIT * 1e-6
        assert found.gains == pytest.approx(best, abs=scale)
        gains, surplus = by_profiles(market, priors, MECHANISM)
        assert gains == pytest.approx(best, abs=scale)
        assert surplus == pytest.approx(found.surplus, abs=scale)
        assert surplus >= -scale
        first_best, _ = by_profiles(market, priors, "first-best")
        offers = [by_profiles(market, priors, slug) for slug in ("gsom", "gbom")]
        assert all(balance >= -scale for _, balance in offers)
        assert gains <= first_best + scale
        assert gains >= sum(gained for gained, _ in offers) / 2 - scale
        kinds[
            "mixed" if len(found.shares) == 2 else "free" if found.value == 0 else "balanced"
        ] += 1
    assert kinds["mixed"] > 1 and kinds["free"] > 3


def test_a_cap_against_linear_programs() -> None:
    """Constraints make sums of weights decide; they are rounded to ticks there."""
    binding = 0
    for edges, priors, market in small_markets(8, 40, 3, 40):
        capped = cx.Market(
            market.buyers,
            market.sellers,
            market.graph,
            constraints=[{"kind": "cap", "limit": 1}],
        )
        best = by_linear_program(priors, edges, most=1)
        found = MECHANISM.multiplier(capped)
        assert found.gains == pytest.approx(best, abs=brute.UNIT * 1e-6)
        binding += best < by_linear_program(priors, edges) - 1e-6
    assert binding > 2


def test_a_jump_is_mixed_to_balance() -> None:
    """Values 1 or 2, costs 0 or 1, evenly: trade always but at (1, 1) is affordable by mixing."""
    buyer = cx.parse_prior("discrete([1, 2], [0.5, 0.5])")
    seller = cx.parse_prior("discrete([0, 1.5], [0.5, 0.5])")
    market = bilateral(buyer, seller, 2.0, 1.5)
    found = MECHANISM.multiplier(market)
    # phi = 0, 2 and psi = 0, 3: trades at (2, 0), (1, 0) bring 2 + 0, at (2, 1.5) cost 1.
    assert found.shares == (0.0,) and found.surplus == pytest.approx(0.25)
    seller = cx.parse_prior("discrete([0, 1.5], [0.2, 0.8])")
    lottery = cx.clear(bilateral(buyer, seller, 2.0, 1.5), MECHANISM)
    # psi(1.5) = 1.875; then phi(2) - psi(1.5) > 0 and all is free.
    assert len(lottery) == 1
    seller = cx.parse_prior("discrete([0, 1.9], [0.7, 0.3])")
    market = bilateral(buyer, seller, 2.0, 1.9)
    found = MECHANISM.multiplier(market)
    # psi(1.9) = 1.9 + 1.9 * 0.7 / 0.3; the surplus of (2, 0) is 0.35 * 2, of (1, 0) is 0.
    loss = 0.15 * (2 - (1.9 + 1.9 * 7 / 3))
    keep = min(0.7 / -loss, 1.0)
    lottery = cx.clear(market, MECHANISM)
    assert lottery.totals["trades"] == pytest.approx(keep)
    assert found.surplus == pytest.approx(max(0.35 * 2 + loss, 0.0), abs=1e-9)


# --------------------------------------------------------------------------------------- properties


def test_no_single_report_ever_helps() -> None:
    grid = np.arange(-1, 11) * (brute.UNIT / 2)
    harmed, rng = 0, np.random.default_rng(5)
    for _, _, market in small_markets(5, 20, 3, 200):
        reports = market.require_reports()
        moved = rng.integers(0, 10, 2)  # now and then between or beyond the atoms
        bids, asks = reports.bids.copy(), reports.asks.copy()
        bids[0], asks[0] = (at * brute.UNIT / 2 for at in moved)
        # Weights are rounded where combinations of two numbers are: payments may be off by that.
        harmed += check_no_deviation_helps(market, MECHANISM, bids, asks, grid, slack=1e-9)
    assert harmed > 50


def test_sampled_budgets_are_honest() -> None:
    """Three uniform buyers and sellers: sampled and exact profiles of a fine grid agree."""
    agents = [{"id": k, "prior": "uniform(0, 1)"} for k in range(3)]
    market = cx.Market(agents, agents)
    found = MECHANISM.multiplier(market)
    assert found.method == "samples" and found.stderr > 0
    assert abs(found.surplus) <= found.stderr
    assert MECHANISM.multiplier(market) is found
    fine = SecondBest(samples=20_000, seed=1).multiplier(market)
    assert 0 < fine.stderr < found.stderr / 3
    # What the small sample chose breaks even in the large one, up to its error.
    check = budget_of(market, 20_000, 2)(found.shares[-1])
    assert abs(check.surplus) < 4 * math.hypot(found.stderr, check.stderr)
    lottery = cx.clear(market, MECHANISM, cx.Reports([0.9, 0.8, 0.1], [0.2, 0.3, 0.7]))
    assert lottery.details["stderr"] == found.stderr
    assert lottery.details["method"] == "samples"
    sparse = cx.Market(agents, agents, [(i, j) for i in range(3) for j in range(3)])
    other = SecondBest(samples=300).multiplier(sparse)
    dense = SecondBest(samples=300).multiplier(market)
    # The sweep and the sort add up in another order.
    assert other.shares == pytest.approx(dense.shares, abs=1e-9)
    assert other.surplus == pytest.approx(dense.surplus, abs=1e-9)


def test_every_agent_has_a_plain_sentence() -> None:
    market = bilateral("uniform(0, 1)", "uniform(0, 1)", 0.5, 0.3)
    lottery = cx.clear(market, MECHANISM)
    assert lottery.totals["trades"] == 0
    assert "a bid of at least 0.55 would" in lottery.explain("b").replace("more than", "at least")
    assert "seller 's' sets it with an ask of 0.3 (combined cost 0.4)" in lottery.explain("b")
    frame = lottery.agents
    assert frame["id"].to_list() == ["b", "s"]
    assert frame["critical_report"].to_list() == pytest.approx([0.55, 0.25])


def test_refusals() -> None:
    with pytest.raises(cx.MissingPriorError, match="buyer 'b'"):
        cx.clear(cx.Market([{"id": "b", "bid": 1}], [{"id": "s", "ask": 0}]), MECHANISM)
    with pytest.raises(cx.CatallaxError, match="samples = 0"):
        SecondBest(samples=0)
    empty = cx.Market([], [{"id": "s", "ask": 0, "prior": "uniform(0, 1)"}])
    assert [len(outcome) for _, outcome in branches(cx.clear(empty, MECHANISM))] == [0]
