"""BIC mechanisms by exact interim deviations, the random offerers, and lump sums."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import catallax as cx
from catallax.mechanisms import Lottery, RandomOffererBalanced
from tests.mechanisms import brute_force as brute
from tests.mechanisms.deviations import branches, check_no_deviation_helps, utilities
from tests.mechanisms.test_offering import as_market, random_market

SLACK = brute.UNIT * 1e-9
PLAIN = {
    "gsom-bic": "gsom",
    "gbom-bic": "gbom",
    "random-offerer-bic": "random-offerer",
}


def small_markets(seed: int, rounds: int, most: int):
    rng = np.random.default_rng(seed)
    while rounds:
        edges, priors, bids, asks = random_market(rng, 3, 4)
        count = math.prod(len(values) for side in priors for values, _ in side)
        if edges and len(bids) + len(asks) > 2 and 3 < count <= most:
            rounds -= 1
            yield edges, priors, as_market(edges, priors, bids, asks), rng


class Interim:
    """Expected trade and payment of one agent at a report, over everybody else's profiles."""

    def __init__(self, market: cx.Market, priors) -> None:
        self.market, self.types = market, [*priors[0], *priors[1]]
        self.n_buyers = len(priors[0])
        self.known: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}

    def outcome(self, mechanism: str, profile: tuple) -> tuple[np.ndarray, np.ndarray]:
        """Chance of trade of every agent, and what she pays (a seller: less than nothing)."""
        key = (mechanism, *profile)
        if key not in self.known:
            cut = self.n_buyers
            result = cx.clear(self.market, mechanism, cx.Reports(profile[:cut], profile[cut:]))
            trade, pay = np.zeros(len(profile)), np.zeros(len(profile))
            for chance, one in branches(result):
                trade[one.buyer_index] += chance
                pay[one.buyer_index] += chance * one.buyer_pays
                trade[cut + one.seller_index] += chance
                pay[cut + one.seller_index] -= chance * one.seller_receives
                surplus = one.buyer_pays - one.seller_receives
                assert not mechanism.endswith("bic") or (surplus >= 0).all()
            self.known[key] = trade, pay
        return self.known[key]

    def at(self, mechanism: str, agent: int, report: float) -> tuple[float, float]:
        others = [
            [(report, Fraction(1))] if k == agent else list(zip(*kind, strict=True))
            for k, kind in enumerate(self.types)
        ]
        trades, pays = [], []
        for profile in product(*others):
            chance = math.prod(float(mass) for _, mass in profile)
            trade, pay = self.outcome(mechanism, tuple(float(x) for x, _ in profile))
            trades.append(chance * trade[agent])
            pays.append(chance * pay[agent])
        return math.fsum(trades), math.fsum(pays)


@pytest.mark.parametrize("mechanism", PLAIN)
def test_no_report_helps_in_expectation(mechanism: str) -> None:
    """Exactly, on discrete priors: every agent, every type, every report of a grid."""
    harmed, differ = 0, 0
    grid = np.arange(0, 9) * (brute.UNIT / 2)
    for place, (_, priors, market, _) in enumerate(small_markets(len(mechanism), 7, 40)):
        if place == 0:  # one with a constraint, and so with ticks
            sides = market.buyers, market.sellers, market.graph
            market = cx.Market(*sides, constraints=[{"kind": "cap", "limit": 1}])
        interim = Interim(market, priors)
        for agent, (values, _) in enumerate(interim.types):
            sign = 1.0 if agent < interim.n_buyers else -1.0
            table = {x: interim.at(mechanism, agent, x) for x in {*grid, *map(float, values)}}
            for value in map(float, values):
                trade, pay = table[value]
                plain = interim.at(PLAIN[mechanism], agent, value)
                assert (trade, pay) == pytest.approx(plain, abs=SLACK)
                honest = sign * value * trade - pay
                assert honest >= -SLACK
                for report, (lied_trade, lied_pay) in table.items():
                    lied = sign * value * lied_trade - lied_pay
                    assert lied <= honest + SLACK, (agent, value, report)
                    harmed += lied < honest - SLACK
        for key, (_, pay) in interim.known.items():
            if key[0] == mechanism:
                other = interim.known.get((PLAIN[mechanism], *key[1:]))
                differ += other is not None and not np.allclose(pay, other[1])
    assert harmed > 50 and differ > 3


def one_sided(mechanism: str, market, bids, asks, agents, grid) -> int:
    """Try every report of the grid for some agents; count those that hurt."""
    honest = utilities(cx.clear(market, mechanism, cx.Reports(bids, asks)), bids, asks)
    harmed = 0
    for agent in agents:
        for report in grid:
            moved = np.concatenate([bids, asks])
            moved[agent] = report
            reports = cx.Reports(moved[: bids.size], moved[bids.size :])
            lied = utilities(cx.clear(market, mechanism, reports), bids, asks)[agent]
            assert lied <= honest[agent], (agent, report)
            harmed += int(lied < honest[agent])
    return harmed


@pytest.mark.parametrize(("mechanism", "side"), [("gsom-bic", "buyers"), ("gbom-bic", "sellers")])
def test_the_other_side_is_truthful_whatever_happens(mechanism: str, side: str) -> None:
    rng, harmed = np.random.default_rng(3), 0
    grid = np.arange(0, 10) * (brute.UNIT / 2)
    for _ in range(25):
        edges, priors, bids, asks = random_market(rng, 4, 4)
        market = as_market(edges, priors, bids, asks)
        true = np.array(bids, float), np.array(asks, float)
        agents = range(len(bids)) if side == "buyers" else range(len(bids), len(bids) + len(asks))
        harmed += one_sided(mechanism, market, *true, agents, grid)
    assert harmed > 50


def test_a_lottery_of_both_offers() -> None:
    market = cx.instances.get("neighbourhood-energy")
    lottery = cx.clear(market, "random-offerer")
    assert isinstance(lottery, Lottery)
    assert [chance for chance, _ in lottery.outcomes] == [Fraction(1, 2)] * 2
    for (_, one), slug in zip(lottery.outcomes, ("gsom", "gbom"), strict=True):
        assert one.to_dict() == cx.clear(market, slug).to_dict()
    assert {one.mechanism for _, one in cx.clear(market, "random-offerer-bic").outcomes} == {
        "gsom-bic", "gbom-bic",
    }  # fmt: skip
    assert lottery.draw(1).mechanism in ("gsom", "gbom")


# -------------------------------------------------------------------------------------- lump sums


def test_lump_sums_balance_the_budget_exactly() -> None:
    """Discrete priors: the expected surplus after lump sums is zero, profile by profile summed."""
    positive = 0
    for _, priors, market, _ in small_markets(11, 8, 64):
        mechanism = RandomOffererBalanced()
        found = mechanism.expected_surplus(market)
        assert found.exact and found.stderr == 0 and found.mean >= 0
        left, plain = [], []
        kinds = [zip(*kind, strict=True) for side in priors for kind in side]
        for profile in product(*kinds):
            chance = math.prod(float(mass) for _, mass in profile)
            values = [float(value) for value, _ in profile]
            reports = cx.Reports(values[: len(priors[0])], values[len(priors[0]) :])
            left.append(chance * cx.clear(market, mechanism, reports).totals["surplus"])
            plain.append(chance * cx.clear(market, "random-offerer", reports).totals["surplus"])
        assert math.fsum(left) == pytest.approx(0.0, abs=SLACK)
        assert math.fsum(plain) == pytest.approx(found.mean, abs=SLACK)
        positive += found.mean > 1
    assert positive > 3


def test_lump_sums_are_paid_and_told() -> None:
    agents = [{"id": k, "prior": "uniform(0, 1)"} for k in range(3)]
    market = cx.Market(agents, agents[:2])
    mechanism = RandomOffererBalanced(samples=400)
    lottery = cx.clear(market, mechanism, cx.Reports([0.9, 0.7, 0.2], [0.1, 0.3]))
    found = mechanism.expected_surplus(market)
    assert not found.exact and 0 < found.stderr < found.mean
    assert lottery.details["stderr"] == found.stderr
    plain = cx.clear(market, "random-offerer", cx.Reports([0.9, 0.7, 0.2], [0.1, 0.3]))
    assert lottery.totals["transfers"] == pytest.approx(found.mean)
    assert lottery.totals["surplus"] == pytest.approx(plain.totals["surplus"] - found.mean)
    assert lottery.agents["transfer"].to_list() == [found.mean / 5] * 10
    assert "transfer" not in plain.agents.columns and "transfers" not in plain.totals
    assert f"gets {found.mean / 5:.12g} of the expected surplus." in lottery.explain(2)
    other = RandomOffererBalanced(samples=400, seed=1).expected_surplus(market)
    assert other.mean != found.mean
    assert abs(other.mean - found.mean) < 5 * math.hypot(other.stderr, found.stderr)
    with pytest.raises(cx.CatallaxError, match="at least two"):
        RandomOffererBalanced(samples=1)


@pytest.mark.parametrize("mechanism", ["random-offerer", "random-offerer-balanced"])
def test_no_single_report_ever_helps(mechanism: str) -> None:
    grid, harmed = np.arange(0, 9) * (brute.UNIT / 2), 0
    for _, _, market, _ in small_markets(5, 6, 40):
        harmed += check_no_deviation_helps(market, mechanism, market.bids, market.asks, grid)
    assert harmed > 20


@pytest.mark.parametrize("mechanism", [*PLAIN, "random-offerer", "random-offerer-balanced"])
def test_every_agent_has_a_plain_sentence(mechanism: str) -> None:
    market = cx.instances.get("neighbourhood-energy")
    if mechanism == "random-offerer-balanced":
        result = cx.clear(market, RandomOffererBalanced(samples=2))
    else:
        result = cx.clear(market, mechanism)
    for _, outcome in branches(result):
        for row in outcome.agents.iter_rows(named=True):
            sentence = outcome.explain(row["id"], row["role"])
            assert sentence.endswith(".") and repr(row["id"]) in sentence
            assert "nan" not in sentence.lower()
            if row["trades"]:
                assert f"{row['price']:.12g}" in sentence
