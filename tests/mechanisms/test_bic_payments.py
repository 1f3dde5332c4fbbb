"""GSOM-BIC and GBOM-BIC: payments against averages of brute-force thresholds, never a formula."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

import catallax as cx
from catallax.markets.families import bind
from catallax.mechanisms.gbom_bic import BalancedBuyersOffering
from catallax.mechanisms.gsom_bic import BalancedSellersOffering
from tests.matching import family_brute_force as families
from tests.matching.brute_force import all_matchings, solve
from tests.matching.test_families import PROGRAMS, RULES
from tests.mechanisms import brute_force as brute
from tests.mechanisms.test_offering import as_market, random_market

PLAIN = {"gsom-bic": "gsom", "gbom-bic": "gbom"}
# Whole weights are multiplied by this, so that a tie decides next to nothing.
FINE = 2**20


class Thresholds:
    """Who trades, and both partners' thresholds, by trying all matchings of one market."""

    def __init__(self, mechanism: str, edges, priors, family=None) -> None:
        self.mechanism, self.edges, self.priors, self.family = mechanism, edges, priors, family
        self.matchings = all_matchings(len(priors[0]), len(priors[1]), edges)
        self.known: dict[tuple, tuple] = {}

    def __call__(self, bids, asks):
        key = (*bids, *asks)
        if key not in self.known:
            weights = brute.weigh(self.mechanism, self.priors, bids, asks)
            if self.family is None:
                answer = solve(self.matchings, *weights)
                self.known[key] = answer.trades, answer.level
            else:
                fine = [[w * FINE for w in side] for side in weights]
                found = families.solve(self.family, self.edges, fine[0], fine[1])
                trades = np.zeros(len(key), bool)
                for e in found.edges:
                    trades[self.edges[e][0]] = trades[len(bids) + self.edges[e][1]] = True
                # The first weight that trades is the level, or a whole past it where ties lose.
                level = [None if first is None else first / FINE for first in found.first]
                self.known[key] = trades, level
        return self.known[key]

    def average(self, bids, asks, i: int, j: int) -> float:
        """Average a seller's threshold over the buyer's values that trade (GBOM: the mirror)."""
        seller_side = self.mechanism == "gsom"
        values, masses = self.priors[0][i] if seller_side else self.priors[1][j]
        total, mass = [], []
        for value, chance in zip(values, masses, strict=True):
            moved = [list(bids), list(asks)]
            moved[0 if seller_side else 1][i if seller_side else j] = value
            trades, level = self(*moved)
            if trades[i if seller_side else len(bids) + j]:
                assert trades[i] and trades[len(bids) + j]
                total.append(float(chance) * level[len(bids) + j if seller_side else i])
                mass.append(float(chance))
        return math.fsum(total) / math.fsum(mass) if mass else math.nan


def compare(outcome: cx.Outcome, mechanism: str, thresholds: Thresholds, bids, asks, slack) -> int:
    """Compare every averaged price; demand balance pair by pair, and rationality."""
    pairs = list(zip(outcome.buyer_index.tolist(), outcome.seller_index.tolist(), strict=True))
    assert (outcome.seller_receives <= outcome.buyer_pays).all()
    assert (outcome.seller_receives >= np.array(asks, float)[outcome.seller_index]).all()
    assert (outcome.buyer_pays <= np.array(bids, float)[outcome.buyer_index]).all()
    for k, (i, j) in enumerate(pairs):
        expected = thresholds.average(bids, asks, i, j)
        paid = (outcome.seller_receives if mechanism == "gsom-bic" else outcome.buyer_pays)[k]
        if not math.isnan(expected):  # no possible report of the partner trades
            assert paid == pytest.approx(expected, abs=slack)
    return len(pairs)


@pytest.mark.parametrize("mechanism", PLAIN)
@pytest.mark.parametrize(("largest", "steps", "rounds"), [(3, 3, 300), (4, 8, 150)])
def test_plain_graphs(mechanism: str, largest: int, steps: int, rounds: int) -> None:
    """Atoms, plateaus, ties everywhere, and now and then a report outside its prior."""
    rng = np.random.default_rng([largest, steps, len(mechanism)])
    compared, averaged = 0, 0
    for _ in range(rounds):
        edges, priors, bids, asks = random_market(rng, largest, steps)
        complete = len(edges) == len(bids) * len(asks) and rng.random() < 0.5
        market = as_market(edges, priors, bids, asks, complete=complete)
        outcome = cx.clear(market, mechanism)
        plain = cx.clear(market, PLAIN[mechanism])
        assert outcome.buyer_index.tolist() == plain.buyer_index.tolist()
        assert outcome.seller_index.tolist() == plain.seller_index.tolist()
        thresholds = Thresholds(PLAIN[mechanism], edges, priors)
        compared += compare(outcome, mechanism, thresholds, bids, asks, brute.UNIT * 1e-12)
        averaged += outcome.totals != plain.totals
    assert compared > rounds / 2 and averaged > rounds / 15


RULED = {"cap": RULES["cap"], "quotas": RULES["both"]} | {
    name: PROGRAMS[name]
    for name in ("buyer conflicts", "edge conflicts", "knapsack", "explicit", "two columns")
}


@pytest.mark.parametrize("mechanism", PLAIN)
@pytest.mark.parametrize("rules", RULED)
def test_constrained_families(mechanism: str, rules: str) -> None:
    rng = np.random.default_rng([list(RULED).index(rules), len(mechanism)])
    compared = 0
    while compared < 20:
        edges, priors, bids, asks = random_market(rng, 3, 4)
        if not edges:
            continue
        market = with_rules(rng, RULED[rules], edges, priors, bids, asks)
        outcome = cx.clear(market, mechanism)
        assert outcome.tick is not None
        family = bind(market.constraints, market.family.parts, "market")
        thresholds = Thresholds(PLAIN[mechanism], edges, priors, family)
        compared += compare(outcome, mechanism, thresholds, bids, asks, 2 / FINE + 4 * outcome.tick)


def with_rules(rng, rules, edges, priors, bids, asks) -> cx.Market:
    """Give a market groups, loads and constraints over them."""
    plain = as_market(edges, priors, bids, asks)

    def side(agents, column, reports):
        return [
            {
                "id": name,
                column: reports[k],
                "group": rng.choice(["x", "y"]),
                "prior": agents.prior(k),
            }
            for k, name in enumerate(agents.ids)
        ]

    table = pl.DataFrame({
        "buyer": [f"b{i}" for i, _ in edges],
        "seller": [f"s{j}" for _, j in edges],
        "line": rng.choice(["p", "q"], len(edges)).tolist(),
        "load": (rng.integers(0, 4, len(edges)) / 10).tolist(),
    })  # fmt: skip
    tables = side(plain.buyers, "bid", plain.bids), side(plain.sellers, "ask", plain.asks), table
    market = cx.Market(*tables)
    specs = [rule(rng, market.family.parts, edges) for rule in rules]
    return cx.Market(*tables, constraints=specs)


def test_the_remark_of_the_paper() -> None:
    """U[0, 1] buyer with bid 1, sellers at 0 and 1/2: 3/8 by definition, 1/2 by Lemma A.8."""
    market = cx.Market(
        [{"id": "b", "bid": 1.0, "prior": "uniform(0, 1)"}],
        [{"id": "j", "ask": 0.0}, {"id": "k", "ask": 0.5}],
    )
    outcome = cx.clear(market, "gsom-bic")
    assert (outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()) == ([0.5], [0.375])
    assert "receives 0.375, the average of the highest ask" in outcome.explain("j")


@pytest.mark.parametrize(
    "prior",
    ["uniform(0, 1)", "exponential(1)", "normal(1, 0.5)", "beta(2, 5)", "equal-revenue(1, 20)",
     "beta(0.5, 0.5)", "intervals([0, 1, 2], [1, 1.5, 3])",
     {"kind": "mixture", "components": ["uniform(0, 1)", "uniform(3, 4)", "point(2)"],
      "weights": [0.5, 0.3, 0.2]}],
)  # fmt: skip
def test_smooth_priors_against_quadrature(prior) -> None:
    """One agent with a prior, two rivals beside: averages of GSOM's and GBOM's own prices."""
    law = cx.make_prior(prior)
    sides = {
        "gsom-bic": ([{"id": "own", "bid": 0.0, "prior": law}], [0.1, 0.4]),
        "gbom-bic": ([{"id": "own", "ask": 0.0, "prior": law}], [0.9, 0.5]),
    }
    for mechanism, (own, others) in sides.items():
        buyer = mechanism == "gsom-bic"
        rivals = [{"id": f"r{k}", "ask" if buyer else "bid": x} for k, x in enumerate(others)]
        market = cx.Market(own, rivals) if buyer else cx.Market(rivals, own)

        def clear(report, slug, market=market, buyer=buyer, others=others):
            made = ([report], others) if buyer else (others, [report])
            return cx.clear(market, slug, cx.Reports(*made))

        own_at = [float(law.quantile(q)) for q in ((0.999, 0.9) if buyer else (0.001, 0.1))]
        for report in own_at:
            if not buyer and report < 0:
                continue
            outcome = clear(report, mechanism)
            if not len(outcome):
                continue
            end = outcome.buyer_pays[0] if buyer else outcome.seller_receives[0]
            cells = _cells(law, end, buyer=buyer)
            prices = []
            for point, _ in cells:
                plain = clear(point, PLAIN[mechanism])
                prices.append(
                    (plain.seller_receives if buyer else plain.buyer_pays)[0] if len(plain) else 0.0
                )
            weight = np.array([w for _, w in cells])
            expected = float(np.dot(prices, weight) / weight.sum())
            paid = outcome.seller_receives[0] if buyer else outcome.buyer_pays[0]
            assert paid == pytest.approx(expected, rel=1e-2, abs=5e-3)


def _cells(law, end: float, *, buyer: bool, count: int = 80) -> list[tuple[float, float]]:
    """Cut the possible reports beyond a price into cells of equal probability."""
    low = float(law.probability_below(end)) if buyer else 0.0
    high = 1.0 if buyer else float(law.cdf(end))
    levels = low + (np.arange(count) + 0.5) / count * (high - low)
    return [(max(float(law.quantile(q)), 0.0), 1.0 / count) for q in levels]


def test_reports_that_the_priors_deem_impossible() -> None:
    buyer = {"id": "b", "bid": 3.0, "prior": "uniform(0, 1)"}
    sellers = [{"id": "j", "ask": 1.0}, {"id": "k", "ask": 1.25}]
    outcome = cx.clear(cx.Market([buyer], sellers), BalancedSellersOffering())
    # Only the value 1 trades, which has no probability: the limit of the average is 1.
    assert (outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()) == ([1.0], [1.0])
    seller = {"id": "s", "ask": 0.0, "prior": "uniform(1, 2)"}
    buyers = [{"id": "i", "bid": 1.0}, {"id": "k", "bid": 0.75}]
    outcome = cx.clear(cx.Market(buyers, [seller]), BalancedBuyersOffering())
    assert (outcome.buyer_pays.tolist(), outcome.seller_receives.tolist()) == ([1.0], [1.0])
    # Below a buyer's support nothing trades; above it she is served like the highest value.
    low = cx.Market([buyer | {"bid": -1.0}], [{"id": "j", "ask": 0.0}])
    assert len(cx.clear(low, BalancedSellersOffering())) == 0
    tail = cx.Market(
        [{"id": "b", "bid": 2000.0, "prior": "exponential(1)"}],
        [{"id": "j", "ask": 1500.0}, {"id": "k", "ask": 1500.5}],
    )
    outcome = cx.clear(tail, BalancedSellersOffering())
    assert outcome.buyer_pays.tolist() == [1501.0]
    assert outcome.seller_receives.tolist() == [1500.5]
