"""Clear constrained markets with all payments, beside one OR-Tools solve of the same market.

Networks (a cap; quotas on both sides and a cap) are timed against one `SimpleMinCostFlow`
solve for the trades alone; conflicts with a knapsack are timed as such.
Usage: python benchmarks/constrained.py [--agents 10000] [--program-agents 200]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import polars as pl
from harness import machine, save, say, seconds, table, timed

import catallax as cx
from catallax.markets import random_graphs
from catallax.matching.constrained import network
from catallax.matching.ticks import round_weights

GROUPS = 20


def market_of(
    agents: int, degree: int, constraints: list[dict[str, object]], seed: int = 11
) -> cx.Market:
    """Make a random market with groups, loads and one prior for everybody."""
    rng = np.random.default_rng(seed)
    graph = random_graphs.sparse_random(agents, agents, degree, seed)
    names = [f"g{k}" for k in range(GROUPS)]

    def side(letter: str, word: str) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "id": [f"{letter}{k}" for k in range(agents)],
                word: rng.random(agents),
                "prior": "u",
                "group": rng.choice(names, agents),
            }
        )

    edges = pl.DataFrame(
        {
            "buyer": pl.Series(graph.buyer).cast(pl.String).str.replace("^", "b"),
            "seller": pl.Series(graph.seller).cast(pl.String).str.replace("^", "s"),
            "load": rng.integers(1, 10, graph.n_edges),
        }
    )
    return cx.Market(
        side("b", "bid"),
        side("s", "ask"),
        edges,
        priors={"u": "uniform(0, 1)"},
        constraints=constraints,
    )


def one_solve(market: cx.Market) -> float:
    """Time one OR-Tools solve of the same network in money alone, arcs included."""
    reports = market.require_reports()
    ticks = round_weights(market.graph, 2 * reports.bids - 1, reports.asks, 42, 58, market.scale)
    problem = network.build(market.family, ticks, only_useful=True)
    start = time.perf_counter()
    network.circulation(problem.arcs, problem.arcs.money, problem.n_nodes)
    return time.perf_counter() - start


def cleared(market: cx.Market, mechanism: str = "gsom") -> cx.Outcome:
    """Clear with every price."""
    outcome = cx.clear(market, mechanism)
    assert isinstance(outcome, cx.Outcome)
    return outcome


def networks(agents: int, repeats: int) -> list[dict[str, object]]:
    """Time caps and quotas."""
    trades = len(cleared(market_of(agents, 10, [])))
    cap = {"kind": "cap", "limit": trades // 2}
    quotas = [
        {"kind": "quota", "over": side, "column": "group", "limits": trades // GROUPS // 2}
        for side in ("buyers", "sellers")
    ]
    figures = []
    for name, rules in (("cap", [cap]), ("quotas", quotas), ("cap and quotas", [cap, *quotas])):
        say(f"{name} ...")
        market = market_of(agents, 10, rules)
        outcome = cleared(market)
        figures.append(
            {
                "constraints": name,
                "agents": agents,
                "edges": market.graph.n_edges,
                "trades": len(outcome),
                "solver": outcome.solver,
                "ours": timed(lambda market=market: cleared(market), repeats),
                "one solve": timed(lambda market=market: one_solve(market), repeats),
            }
        )
    return figures


def programs(agents: int) -> list[dict[str, object]]:
    """Time conflicts and a knapsack."""
    rng = np.random.default_rng(3)
    pairs = [[f"b{i}", f"b{j}"] for i, j in rng.integers(0, agents, (agents // 2, 2)) if i != j]
    free = market_of(agents, 10, [])
    outcome = cleared(free)
    edge = {
        (int(i), int(j)): k
        for k, (i, j) in enumerate(zip(free.graph.buyer, free.graph.seller, strict=True))
    }
    loads = free.edge_table["load"].to_numpy()
    used = sum(
        int(loads[edge[int(i), int(j)]])
        for i, j in zip(outcome.buyer_index, outcome.seller_index, strict=True)
    )
    conflicts = {"kind": "conflicts", "over": "buyers", "pairs": pairs}
    knapsack = {"kind": "knapsack", "column": "load", "limit": used // 2}
    figures = []
    for name, rules in (
        ("conflicts", [conflicts]),
        ("knapsack", [knapsack]),
        ("conflicts and knapsack", [conflicts, knapsack]),
    ):
        say(f"{name} ...")
        market = market_of(agents, 10, rules)
        figures.append(
            {
                "constraints": name,
                "agents": agents,
                "edges": market.graph.n_edges,
                "trades": len(cleared(market)),
                "solver": "program",
                "ours": timed(lambda market=market: cleared(market), 1),
                "one solve": None,
            }
        )
    return figures


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--program-agents", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    figures = networks(options.agents, options.repeats) + programs(options.program_agents)
    rows = []
    for one in figures:
        ours, solve = one["ours"], one["one solve"]
        assert isinstance(ours, dict)
        rows.append(
            [
                str(one["constraints"]),
                f"{one['agents']:,}",
                f"{one['edges']:,}",
                f"{one['trades']:,}",
                str(one["solver"]),
                seconds(ours["median"]),
                f"{seconds(ours['min'])} .. {seconds(ours['max'])}",
                seconds(solve["median"]) if isinstance(solve, dict) else "",
                f"{ours['median'] / solve['median']:.1f}" if isinstance(solve, dict) else "",
            ]
        )
    header = ["constraints", "agents a side", "edges", "trades", "solver"]
    table([*header, "ours, all payments", "min .. max", "one solve", "ours / solve"], rows)
    packages = machine("numpy", "numba", "ortools")
    save("constrained", {"machine": packages, "figures": figures})


if __name__ == "__main__":
    main()
