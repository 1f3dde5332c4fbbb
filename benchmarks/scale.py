"""Clear markets of a million agents a side and more, beside the simple sweep and themselves.

For each kind of graph and each size, in a process of its own: the whole road from bare edge arrays
to the outcome with all payments, clearing alone, the matching alone, what payments add, the
simple sweep on the same market (its trades, pairs and the source of every threshold are compared,
and must be equal), and the peak of memory. The edges come sorted by buyer and seller, as files of
catallax have them; "edges shuffled" is the whole road where they do not. Usage:
python benchmarks/scale.py [--agents 100000 1000000] [--kinds random spatial skewed]
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from clearing import KINDS, market_of
from harness import machine, save, say, seconds, table, timed, within

import catallax as cx

SIMPLE_UP_TO = 1_000_000  # agents a side, for which the simple sweep is run beside


def restart_peak() -> None:
    """Forget the peak of memory so far, where the system can (Linux)."""
    memory = Path("/proc/self/clear_refs")
    if memory.exists():
        memory.write_text("5")


def peak() -> float:
    """Return the peak of this process's memory, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(x.split()[1]) / 1024 for x in lines if x.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processor(run: Callable[[], Any], repeats: int) -> float:
    """Return the median of the processor's time: it hardly notices what else is running."""
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def parts(market: cx.Market, reports: cx.Reports, repeats: int) -> dict[str, float]:
    """Time on one core what finds the trades and the pairs, and what is for payments alone.

    Labels of buyers are written by the sweep itself, where it closes what a failing search has
    reached: they count as matching. Putting them in market order counts as payments.
    """
    from catallax.matching import best_matching

    mechanism = cx.mechanisms.SellersOffering()
    graph = market.graph
    weights = mechanism.weights(market, reports)
    found = best_matching(graph, *weights)
    kept: list[Any] = []

    def matching() -> None:
        kept[:] = [trades_alone(graph, *weights)]

    def payments() -> None:
        kept[0].labels()
        for name in ("trading_buyers", "trading_sellers"):
            vars(found).pop(name, None)  # computed once, and kept
        mechanism.critical_bids(market, found.trading_buyers)
        mechanism.critical_asks(market, found.trading_sellers)

    return {
        "matching": processor(matching, repeats),
        "payments": processor(payments, repeats),
    }


def trades_alone(graph: cx.Graph, *weights: np.ndarray) -> Any:
    """Match with everything left out that is for payments: who trades with whom."""
    from catallax.matching.order import order_agents
    from catallax.matching.plain.guided import find_traders

    found = find_traders(graph, order_agents(*weights))
    found.pairs()
    return found


def in_turns(
    one: Callable[[], Any], two: Callable[[], Any], repeats: int
) -> tuple[dict[str, float], dict[str, float], float]:
    """Time two calls in turns, so that what else runs on the machine meets both alike.

    The last number is the median of how many times longer the first one takes, turn by turn.
    """
    turns = [(timed(one, 1)["min"], timed(two, 1)["min"]) for _ in range(repeats)]
    first, second = (
        {"min": min(t), "median": statistics.median(t), "max": max(t)}
        for t in zip(*turns, strict=True)
    )
    return first, second, statistics.median(a / b for a, b in turns)


def measure(kind: str, agents: int, repeats: int) -> dict[str, Any]:
    """Measure one market; to be run in a process of its own."""
    from catallax.matching import best_matching
    from catallax.matching.order import order_agents
    from catallax.matching.plain import ranked

    cx.clear(*_arguments(*market_of(kind, 5_000)))  # compiled from here on
    market, reports = market_of(kind, agents)
    ends = market.graph.buyer.copy(), market.graph.seller.copy()
    weights = 2 * reports.bids - 1, reports.asks

    def whole() -> None:
        graph = cx.Graph(agents, agents, *ends)
        cx.clear(cx.Market(market.buyers, market.sellers, graph), "gsom", reports)

    restart_peak()
    figures = {"whole": timed(whole, repeats), "peak MiB": peak(), "edges": market.graph.n_edges}
    graph = market.graph
    figures |= {
        "clear": timed(lambda: cx.clear(market, "gsom", reports), repeats),
        "matching": timed(lambda: best_matching(graph, *weights), repeats),
        "processor": parts(market, reports, repeats),
    }
    mechanism = cx.mechanisms.SellersOffering()

    def without() -> None:
        read = mechanism.read_reports(market, reports)
        trades_alone(graph, *mechanism.weights(market, read))

    figures["with payments"], figures["without"], figures["payments"] = in_turns(
        lambda: cx.clear(market, "gsom", reports), without, 3 * repeats
    )
    shuffled = np.random.default_rng(1).permutation(graph.n_edges)
    ends = ends[0][shuffled], ends[1][shuffled]
    figures["whole, shuffled"] = timed(whole, repeats)
    if agents <= SIMPLE_UP_TO:
        agent_at = order_agents(*weights)
        simple, fast = ranked._by_sweep(graph, agent_at), ranked.match_guided(graph, agent_at)
        for expected, found in zip([*simple[:2], *simple[2]], [*fast[:2], *fast[2]], strict=True):
            if not np.array_equal(expected, found):
                raise RuntimeError(f"{kind} graph of {agents} a side: the two sweeps differ")
        # The simple sweep takes long: once has to do, the second time in this process.
        figures["simple"] = timed(lambda: ranked._by_sweep(graph, agent_at), 1)
        figures["guided"] = timed(lambda: ranked.match_guided(graph, agent_at), repeats)
    return figures


def _arguments(market: cx.Market, reports: cx.Reports) -> tuple[cx.Market, str, cx.Reports]:
    return market, "gsom", reports


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one market")
    parser.add_argument("--name", default="scale", help="of the JSON file")
    options = parser.parse_args()
    rows, figures = [], []
    for kind in options.kinds:
        before: dict[str, Any] | None = None
        for agents in options.agents:
            say(f"{agents} agents a side, {kind} graph ...")
            mine = within(options.limit, measure, kind, agents, options.repeats)
            if mine is None:
                rows.append([f"{agents:,}", kind, f"> {options.limit:g} s", *[""] * 12])
                continue
            rows.append([f"{agents:,}", kind, *_cells(mine, before)])
            figures.append({"agents": agents, "kind": kind, **mine})
            before = mine
    header = ["agents a side", "graph", "edges", "all payments", "min .. max", "growth", "exponent"]
    header += ["clear", "guided sweep", "simple sweep (processor)"]
    header += [
        "payments, one core",
        "without, both cores",
        "payments, both cores",
        "edges shuffled",
        "peak MiB",
    ]
    table(header, rows)
    print("\ngrowth: over the row above, of the least time by the clock, and of the processor's;")
    print("exponent: of the latter. Both sweeps: with labels and pairs. Payments: what they add to")
    print("the trades and pairs, by the processor's time of one core, and by the clock on both.")
    save(options.name, {"machine": machine("numpy", "numba"), "figures": figures})


def _cells(mine: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    whole, cpu = mine["whole"], mine["processor"]
    growth, exponent = "", ""
    if before:
        clock, spent = (whole[key] / before["whole"][key] for key in ("min", "processor"))
        growth = f"{clock:.1f}x, {spent:.1f}x"
        exponent = f"{math.log(spent) / math.log(mine['edges'] / before['edges']):.2f}"
    return [
        f"{mine['edges']:,}",
        seconds(whole["median"]),
        f"{seconds(whole['min'])} .. {seconds(whole['max'])}",
        growth,
        exponent,
        seconds(mine["clear"]["median"]),
        seconds(mine["guided"]["median"]) if "guided" in mine else "",
        seconds(mine["simple"]["processor"]) if "simple" in mine else "",  # one run
        f"{cpu['payments'] / cpu['matching']:.1%}",
        seconds(mine["without"]["median"]),
        f"{mine['payments'] - 1:.1%}",
        seconds(mine["whole, shuffled"]["median"]),
        f"{mine['peak MiB']:,.0f}",
    ]


if __name__ == "__main__":
    main()
