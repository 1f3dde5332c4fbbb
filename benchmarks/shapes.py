"""Clear worst cases (chains, blocks, plateaus, stars, grids, ...), and see how costs grow.

Every shape of `tests/matching/shapes.py` at 10^4, 10^5 and 3 x 10^5 edges, with weights of every
kind: distinct, tied, all equal, one plateau, no useful edge, and sorted up or down the market on
either side with all buyers above all sellers. For each shape the kind of weights that is slowest
at the largest size is shown, and the largest growth exponent of any kind, from 10^5 edges on and
from 10^4 on; beside it the simple sweep on the same market. Then complete graphs beside a sort.
Usage: python benchmarks/shapes.py [--edges 10000 100000 300000]
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from harness import machine, save, say, seconds, table, timed

sys.path.insert(0, str(Path(__file__).parent.parent))

from catallax.markets import Graph
from catallax.matching import best_matching
from catallax.matching.order import order_agents
from catallax.matching.plain import ranked
from catallax.matching.plain.guided import FEWEST_EDGES
from tests.matching.shapes import SHAPES, WEIGHTS, draw

# Nothing is matched without edges, and infinite weights are about rules, not about time.
MEASURED = [shape for shape in SHAPES if shape != "empty_side"]
KINDS = [kind for kind in WEIGHTS if kind != "infinite"]


def measure(shape: str, kind: str, edges: int, repeats: int) -> dict[str, Any]:
    """Time one market: matching with all labels, from weights to the result."""
    # Sizes count agents: find out how many edges each brings.
    per_agent = draw(shape, 1000, np.random.default_rng(1), kind).buyer.size / 1000
    case = draw(shape, max(1, round(edges / per_agent)), np.random.default_rng(1), kind)
    weights = case.buyer_weights, case.seller_weights
    graph = Graph(weights[0].size, weights[1].size, case.buyer, case.seller)
    agent_at = order_agents(*weights)
    found = best_matching(graph, *weights)
    slow: list[Any] = []
    figures = {
        "edges": graph.n_edges,
        "trades": found.buyer.size,
        "ours": timed(lambda: best_matching(graph, *weights), repeats),
        "simple": timed(lambda: slow.append(ranked._by_sweep(graph, agent_at)), 1),
    }
    if not (np.array_equal(found.buyer, slow[0][0]) and np.array_equal(found.seller, slow[0][1])):
        raise RuntimeError(f"{shape} {kind}: the two sweeps differ")
    return figures


def exponent(small: dict[str, Any], large: dict[str, Any]) -> float:
    """Return the power of the number of edges with which the processor's time has grown."""
    times = large["ours"]["processor"] / small["ours"]["processor"]
    return math.log(times) / math.log(large["edges"] / small["edges"])


def complete(agents: int, repeats: int) -> dict[str, Any]:
    """Time a complete graph beside a sort of all reports."""
    rng = np.random.default_rng(7)
    weights = rng.random(agents), rng.random(agents)
    graph = Graph.complete_graph(agents, agents)
    reports = np.concatenate(weights)
    return {
        "agents": agents,
        "ours": timed(lambda: best_matching(graph, *weights), repeats),
        "sort": timed(lambda: np.argsort(reports), repeats),
    }


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for edges in (FEWEST_EDGES // 2, 2 * FEWEST_EDGES):
        measure("random", "distinct", edges, 1)  # both ways compiled from here on
    rows, figures = [], []
    for shape in MEASURED:
        say(f"{shape} ...")
        mine = {
            kind: [measure(shape, kind, edges, options.repeats) for edges in options.edges]
            for kind in KINDS
        }
        figures.append({"shape": shape, "kinds": mine})
        slowest = max(mine, key=lambda kind: mine[kind][-1]["ours"]["processor"])
        steps = [max(exponent(m[k], m[-1]) for m in mine.values()) for k in (-2, 0)]
        last = mine[slowest][-1]
        rows.append(
            [
                shape,
                f"{last['edges']:,}",
                slowest,
                *(seconds(m["ours"]["median"]) for m in mine[slowest]),
                f"{seconds(last['ours']['min'])} .. {seconds(last['ours']['max'])}",
                seconds(last["ours"]["processor"]),
                *(f"{step:.2f}" for step in steps),
                seconds(last["simple"]["processor"]),
                seconds(max(m[-1]["simple"]["processor"] for m in mine.values())),
            ]
        )
    header = ["shape", "edges", "slowest weights", *(f"at {edges:,}" for edges in options.edges)]
    header += ["min .. max", "processor", f"exponent from {options.edges[-2]:,}"]
    header += [f"from {options.edges[0]:,}"]
    header += ["simple sweep, same", "simple sweep, its slowest"]
    table(header, rows)
    sorts = [complete(agents, options.repeats) for agents in (100_000, 1_000_000)]
    print()
    table(
        ["complete, agents a side", "ours, all labels", "numpy.argsort of all", "ratio"],
        [
            [
                f"{c['agents']:,}",
                seconds(c["ours"]["median"]),
                seconds(c["sort"]["median"]),
                f"{c['ours']['median'] / c['sort']['median']:.1f}x",
            ]
            for c in sorts
        ],
    )
    save(
        "shapes",
        {"machine": machine("numpy", "numba"), "figures": figures, "complete": sorts},
    )


if __name__ == "__main__":
    main()
