"""Clear sparse markets by GSOM with all payments, beside two solvers that find the trades only.

Peers: OR-Tools `SimpleMinCostFlow` and SciPy `min_weight_full_bipartite_matching`, on the same
weights. Ours is timed from bare edge arrays to the outcome (graph, virtual values, matching,
all thresholds and payments, pairing); the peers from bare edge arrays to the flow or the
matching, without payments. Usage: python benchmarks/clearing.py [--agents 1000 10000 100000]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
from harness import machine, save, say, seconds, table, timed, within

import catallax as cx
from catallax.markets import random_graphs
from catallax.matching import best_matching

KINDS = {
    "random": random_graphs.sparse_random,
    "spatial": random_graphs.spatial,
    "skewed": random_graphs.degree_skewed,
}
DEGREE = 10
TICKS = 10**6  # OR-Tools wants whole costs


def draw(kind: str, agents: int, seed: int = 7):
    """Draw a graph and values and costs, uniform on [0, 1]."""
    graph = KINDS[kind](agents, agents, DEGREE, seed)
    rng = np.random.default_rng(seed)
    return graph, rng.random(agents), rng.random(agents)


def market_of(kind: str, agents: int) -> tuple[cx.Market, cx.Reports]:
    """Make the market, with one prior for everybody."""
    import polars as pl

    graph, bids, asks = draw(kind, agents)
    prior = cx.parse_prior("uniform(0, 1)")
    every = (prior,), (None,), np.zeros(agents, np.int32)
    buyers = cx.Agents("buyer", pl.Series(np.arange(agents)), *every)
    sellers = cx.Agents("seller", pl.Series(np.arange(agents)), *every)
    return cx.Market(buyers, sellers, graph, name=kind), cx.Reports(bids, asks)


def ortools(kind: str, agents: int) -> tuple[float, float, float]:
    """Solve as a min-cost flow; seconds with building, seconds of the solve, objective."""
    from ortools.graph.python import min_cost_flow

    graph, bids, asks = draw(kind, agents)
    weights, costs = 2 * bids - 1, asks
    start = time.perf_counter()
    flow: Any = min_cost_flow.SimpleMinCostFlow()
    source, sink = 2 * agents, 2 * agents + 1
    buyers, sellers = np.arange(agents), agents + np.arange(agents)
    gain = np.rint((costs[graph.seller] - weights[graph.buyer]) * TICKS).astype(np.int64)
    useful = gain <= 0
    tail = [np.full(agents, source), graph.buyer[useful], sellers, [source]]
    head = [buyers, agents + graph.seller[useful], np.full(agents, sink), [sink]]
    cost = [np.zeros(agents), gain[useful], np.zeros(agents), [0]]
    lengths = np.concatenate(tail).size
    capacity = np.ones(lengths, np.int64)
    capacity[-1] = agents
    flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate(tail).astype(np.int32),
        np.concatenate(head).astype(np.int32),
        capacity,
        np.concatenate(cost).astype(np.int64),
    )
    flow.set_node_supply(source, agents)
    flow.set_node_supply(sink, -agents)
    solving = time.perf_counter()
    if flow.solve() != flow.OPTIMAL:
        raise RuntimeError("OR-Tools found no optimum")
    end = time.perf_counter()
    return end - start, end - solving, -flow.optimal_cost() / TICKS


def scipy_matching(kind: str, agents: int) -> tuple[float, float]:
    """Solve as a full matching with a stand-in seller for every buyer; seconds, objective."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    graph, bids, asks = draw(kind, agents)
    weights, costs = 2 * bids - 1, asks
    start = time.perf_counter()
    loss = costs[graph.seller] - weights[graph.buyer]
    useful = loss <= 0
    each = np.arange(agents)
    rows = np.concatenate([graph.buyer[useful], each])
    columns = np.concatenate([graph.seller[useful], agents + each])
    values = np.concatenate([loss[useful], np.zeros(agents)]) + 3.0
    shape = (agents, 2 * agents)
    biadjacency = coo_array((values, (rows, columns)), shape=shape).tocsr()
    row, column = min_weight_full_bipartite_matching(biadjacency)
    end = time.perf_counter()
    real = column < agents
    return end - start, float((weights[row[real]] - costs[column[real]]).sum())


def ours(kind: str, agents: int, repeats: int) -> dict[str, Any]:
    """Time our road from edge arrays to the outcome; `scale.py` tells the parts."""
    market, reports = market_of(kind, agents)
    ends = market.graph.buyer.copy(), market.graph.seller.copy()
    outcome = cx.clear(market, "gsom", reports)  # compiled from here on

    def whole() -> None:
        graph = cx.Graph(agents, agents, *ends)
        cx.clear(cx.Market(market.buyers, market.sellers, graph), "gsom", reports)

    weights = 2 * reports.bids - 1, reports.asks
    return {
        "whole": timed(whole, repeats),
        "clear": timed(lambda: cx.clear(market, "gsom", reports), repeats),
        "matching with thresholds": timed(lambda: best_matching(market.graph, *weights), repeats),
        "objective": outcome.totals["objective"],
        "trades": len(outcome),
        "edges": market.graph.n_edges,
    }


def compile_seconds() -> dict[str, float]:
    """Time the first clearing of a process, with an empty and with a filled cache on disk."""
    code = (
        "import time, catallax as cx\n"
        "market = cx.instances.get('sparse-random')\n"
        "start = time.perf_counter()\n"
        "cx.clear(market, 'gsom')\n"
        "print(time.perf_counter() - start)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        first, second = (
            float(subprocess.check_output([sys.executable, "-c", code], env=environment))
            for _ in range(2)
        )
    return {"empty cache": first, "filled cache": second}


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one SciPy solve")
    options = parser.parse_args()
    compiled = compile_seconds()
    say(f"first clearing of a process: {compiled}")
    rows, figures = [], []
    for agents in options.agents:
        for kind in KINDS:
            say(f"{agents} agents a side, {kind} graph ...")
            mine = ours(kind, agents, options.repeats)
            flows = [ortools(kind, agents) for _ in range(3)]
            flow = sorted(flows)[1]
            assert abs(flow[2] - mine["objective"]) <= 1e-5 * max(1.0, flow[2])
            full = within(options.limit, scipy_matching, kind, agents)
            if full is not None:
                assert abs(full[1] - mine["objective"]) <= 1e-6 * max(1.0, full[1])
            median = mine["whole"]["median"]
            rows.append(
                [
                    f"{agents:,}",
                    kind,
                    f"{mine['edges']:,}",
                    seconds(median),
                    f"{seconds(mine['whole']['min'])} .. {seconds(mine['whole']['max'])}",
                    seconds(mine["clear"]["median"]),
                    seconds(flow[0]),
                    f"{flow[0] / median:.1f}x",
                    seconds(full and full[0], options.limit),
                    f"{full[0] / median:.0f}x" if full else f"> {options.limit / median:.0f}x",
                ]
            )
            figures.append(
                {
                    "agents": agents,
                    "kind": kind,
                    "ours": mine,
                    "ortools": {"build and solve": [f[0] for f in flows], "objective": flow[2]},
                    "scipy": full and {"seconds": full[0], "objective": full[1]},
                }
            )
    header = ["agents a side", "graph", "edges", "ours, all payments", "min .. max"]
    header += ["without building", "OR-Tools flow", "ratio", "SciPy matching", "ratio"]
    table(header, rows)
    print(
        "\nfirst clearing of a process: " + ", ".join(f"{k} {v:.2f} s" for k, v in compiled.items())
    )
    save(
        "clearing",
        {
            "machine": machine("numpy", "numba", "scipy", "ortools"),
            "compile seconds": compiled,
            "figures": figures,
        },
    )


if __name__ == "__main__":
    main()
