"""GSOM and GBOM under constraints: brute force, prices, and every single deviation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import catallax as cx
from tests.matching import family_brute_force as families
from tests.matching import test_families as rules
from tests.mechanisms import brute_force as brute

MECHANISMS = ["first-best", "gsom", "gbom"]
RULES = {
    "cap": [rules.cap],
    "quotas": [rules.quota("buyers"), rules.quota("sellers")],
    "cap and quotas": [rules.cap, rules.quota("buyers"), rules.quota("sellers")],
    "conflicts": [rules.conflicts("edges"), rules.conflicts("buyers")],
    "knapsack": [rules.knapsack, rules.edge_quota],
    "explicit": [rules.explicit],
    "oracle": [rules.oracle],
}


def random_market(rng: np.random.Generator, makers, largest: int):
    """Draw a constrained market whose reports, priors and levels collide."""
    parts, edges = rules.random_parts(rng, largest, complete=False)
    n_buyers, n_sellers = parts.graph.n_buyers, parts.graph.n_sellers
    pools = [[brute.random_prior(rng, 4) for _ in range(2)] for _ in range(2)]
    priors = tuple(
        [pool[rng.integers(2)] for _ in range(n)]
        for pool, n in zip(pools, (n_buyers, n_sellers), strict=True)
    )
    bids = [int(rng.choice(values)) for values, _ in priors[0]]
    asks = [int(rng.choice(values)) for values, _ in priors[1]]

    def side(agents, word: str, own, reports) -> pl.DataFrame:
        made = [
            cx.make_prior(
                {
                    "kind": "discrete",
                    "values": [float(v) for v in values],
                    "probabilities": [float(m) for m in masses],
                }
            )
            for values, masses in own
        ]
        return pl.DataFrame(
            {
                "id": agents.ids,
                word: [float(r) for r in reports],
                "prior": pl.Series(made, dtype=pl.Object),
                "group": agents.table["group"],
            }
        )

    market = cx.Market(
        side(parts.buyers, "bid", priors[0], bids).to_dict(as_series=False),
        side(parts.sellers, "ask", priors[1], asks).to_dict(as_series=False),
        pl.DataFrame(
            {
                "buyer": parts.buyers.ids.gather(parts.graph.buyer),
                "seller": parts.sellers.ids.gather(parts.graph.seller),
            }
        ).hstack(parts.edge_table),
        constraints=[make(rng, parts, edges) for make in makers],
    )
    return market, edges, priors, bids, asks


def answer(mechanism: str, market: cx.Market, edges, priors, bids, asks, unit: int):
    """Solve by trying all sets of trades, in ticks."""
    weights = brute.weigh(mechanism, priors, bids, asks)
    return families.solve(market.family, edges, *([w * unit for w in side] for side in weights))


def clearing(market: cx.Market, mechanism: str) -> Callable[[np.ndarray], Any]:
    """Return what clears the market at the reports of all, and the same reports only once."""
    n = market.graph.n_buyers

    @cache
    def cleared(reports: tuple[float, ...]) -> Any:
        return cx.clear(market, mechanism, cx.Reports(reports[:n], reports[n:]))

    return lambda reports: cleared(tuple(reports.tolist()))


def traders(outcome: cx.Outcome, n_buyers: int) -> set[int]:
    return {*outcome.buyer_index.tolist(), *(n_buyers + outcome.seller_index).tolist()}


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("kind", RULES)
def test_trades_and_prices(kind: str, mechanism: str) -> None:
    """Prices are the last reports that trade: for reports on steps, an atom of the prior."""
    rng = np.random.default_rng([list(RULES).index(kind), MECHANISMS.index(mechanism)])
    paid = 0
    for _ in range(14):
        market, edges, priors, bids, asks = random_market(rng, RULES[kind], 4)
        outcome = cx.clear(market, mechanism)
        tick = outcome.tick
        assert tick is not None
        unit = round(1 / tick) if tick <= 1 else 1
        found = answer(mechanism, market, edges, priors, bids, asks, unit)
        ends = {edges[e] for e in found.edges}
        pairs = zip(outcome.buyer_index.tolist(), outcome.seller_index.tolist(), strict=True)
        assert set(pairs) == ends
        assert market.family.allows(found.edges)
        n_buyers = len(bids)
        for k in range(len(outcome)):
            for agent, price in (
                (int(outcome.buyer_index[k]), float(outcome.buyer_pays[k])),
                (n_buyers + int(outcome.seller_index[k]), float(outcome.seller_receives[k])),
            ):
                paid += 1
                first = found.first[agent]
                assert first is not None
                if (mechanism == "gsom") == (agent < n_buyers) and mechanism != "first-best":
                    own = priors[0][agent] if agent < n_buyers else priors[1][agent - n_buyers]
                    weigh = brute.virtual_value if agent < n_buyers else brute.virtual_cost
                    wins = [
                        z
                        for z in own[0]
                        if (level := weigh(*own, z)) is not None
                        and (level * unit >= first if agent < n_buyers else level * unit <= first)
                    ]
                    assert price == (min(wins) if agent < n_buyers else max(wins))
                else:
                    assert price == (first if agent < n_buyers else first + 1) * tick
    assert paid > 5


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("kind", RULES)
def test_no_single_report_helps(kind: str, mechanism: str) -> None:
    """No deviation gains anything, or more than the tick where it moves the tick."""
    rng = np.random.default_rng([7, list(RULES).index(kind), MECHANISMS.index(mechanism)])
    grid = np.arange(0, 11) * (brute.UNIT / 2)
    mattered = exact = 0
    for _ in range(3):
        market, _, _, bids, asks = random_market(rng, RULES[kind], 3)
        true = np.array([*bids, *asks], float)
        n_buyers = len(bids)

        clear = clearing(market, mechanism)

        def utility(reports: np.ndarray, agent: int, clear=clear, true=true, n=n_buyers):
            outcome = clear(reports)
            assert outcome.tick is not None
            for k in range(len(outcome)):
                if agent == outcome.buyer_index[k]:
                    return true[agent] - outcome.buyer_pays[k], outcome.tick
                if agent == n + outcome.seller_index[k]:
                    return outcome.seller_receives[k] - true[agent], outcome.tick
            return 0.0, outcome.tick

        for agent in range(true.size):
            honest, tick = utility(true, agent)
            assert honest >= 0
            for report in grid:
                moved = true.copy()
                moved[agent] = report
                lied, other_tick = utility(moved, agent)
                # Exact while the tick stays, as it does within the priors' scale.
                moves = 0.0 if tick == other_tick else 2 * max(tick, other_tick)
                exact += tick == other_tick
                assert lied <= honest + moves
                mattered += lied < honest - 1
    assert mattered > 0
    assert exact > 0


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize(
    ("mechanism", "priors"),
    [("first-best", "none"), *((one, "narrow") for one in MECHANISMS)],
)
def test_with_a_largest_report_nobody_gains_anything(
    kind: str, mechanism: str, priors: str
) -> None:
    """No report moves the tick, so every deviation gains exactly nothing, the wildest too.

    Reports are no multiples of the tick, and lie outside the priors, where there are any.
    """
    rng = np.random.default_rng([8, list(RULES).index(kind), MECHANISMS.index(mechanism)])
    largest, unit = 10.0 * brute.UNIT, float(brute.UNIT)
    prior = f"discrete([0, {unit / 3}, {unit}], [0.3, 0.3, 0.4])"
    mattered = 0
    for _ in range(5):
        drawn, _, _, bids, asks = random_market(rng, RULES[kind], 3)
        true = np.array([*bids, *asks], float) / 3 + 0.1
        keep = [column for column in drawn.buyers.table.columns if column != "prior"]
        sides: list[Any] = [side.table.select(keep).with_columns(id=side.ids)
                 for side in (drawn.buyers, drawn.sellers)]  # fmt: skip
        if priors == "narrow":
            sides = [side.with_columns(prior=pl.lit(prior)) for side in sides]
        graph = drawn.graph
        edges = drawn.edge_table.with_columns(
            buyer=drawn.buyers.ids.gather(graph.buyer),
            seller=drawn.sellers.ids.gather(graph.seller),
        )
        market = cx.Market(*sides, edges, constraints=drawn.constraints, largest_report=largest)
        n, ticks = len(bids), set()
        clear = clearing(market, mechanism)

        def utility(reports, agent: int, clear=clear, true=true, n=n, ticks=ticks) -> float:
            outcome = clear(reports)
            ticks.add(outcome.tick)
            for k in range(len(outcome)):
                if agent == outcome.buyer_index[k]:
                    return true[agent] - outcome.buyer_pays[k]
                if agent == n + outcome.seller_index[k]:
                    return outcome.seller_receives[k] - true[agent]
            return 0.0

        for agent in range(true.size):
            honest = utility(true, agent)
            assert honest >= 0
            beside = [np.nextafter(z, way) for z in true for way in (-9.0, 9.0)]
            for report in [*true, *beside, 0.0, 1e-300, 1e-9, 17.3, largest]:
                moved = true.copy()
                moved[agent] = max(report, 0.0)
                lied = utility(moved, agent)
                assert lied <= honest
                mattered += lied < honest
        assert len(ticks) == 1
    assert mattered > 0


def test_second_best_balances_under_a_cap() -> None:
    """A jump in the budget that is narrower than a tick is still mixed at the right odds."""

    def prior(values: list[float], weights: list[int]) -> dict[str, Any]:
        masses = [w / sum(weights) for w in weights]
        return {"kind": "discrete", "values": values, "probabilities": masses}

    priors = [prior([0, 5, 6], [1, 4, 4]), prior([0, 1, 5], [2, 3, 4]), prior([5, 6], [1, 1])]
    market = cx.Market(
        [{"id": "b0", "prior": priors[0]}, {"id": "b1", "prior": priors[1]}],
        [{"id": "s0", "prior": priors[2]}],
        constraints=[{"kind": "cap", "limit": 1}],
    )
    surplus = gains = 0.0
    rows = [list(zip(p["values"], p["probabilities"], strict=True)) for p in priors]
    for (v0, p0), (v1, p1), (c, p2) in itertools.product(*rows):
        totals = cx.clear(market, "second-best", cx.Reports([v0, v1], [c])).totals
        surplus += p0 * p1 * p2 * totals["surplus"]
        gains += p0 * p1 * p2 * totals["gains_from_trade"]
    assert gains > 0.2
    assert abs(surplus) < 1e-9
