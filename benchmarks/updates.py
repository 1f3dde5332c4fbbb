"""Update an outcome after some reports have changed, beside clearing afresh.

GSOM, values and costs uniform on [0, 1]. Each round changes the reports of 1, 10 or 100 agents,
drawn evenly, *nudged* by at most 0.001 or *redrawn*, and times `outcome.update` with the prices
of all who trade; then the pairs, where somebody else trades than before. Clearing afresh, with the
same prices and pairs, is timed in between, on the same reports. Rounds in which other agents trade
than before are shown apart. Usage: python benchmarks/updates.py [--agents 100000] [--rounds 60]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from clearing import KINDS, market_of
from harness import machine, save, say, seconds, table

import catallax as cx

CHANGES = (1, 10, 100)
NUDGE = 0.001


def complete_market(agents: int) -> tuple[cx.Market, cx.Reports]:
    """Make the market in which everybody may trade with everybody."""
    market, reports = market_of("random", agents)
    return cx.Market(market.buyers, market.sellers, name="complete"), reports


def changed(
    reports: cx.Reports, number: int, *, nudged: bool, rng: np.random.Generator
) -> cx.Reports:
    """Change the reports of some agents."""
    both = np.concatenate([reports.bids, reports.asks])
    who = rng.choice(both.size, number, replace=False)
    new = rng.random(number)
    both[who] = np.clip(both[who] + NUDGE * (2 * new - 1), 0, 1) if nudged else new
    return cx.Reports(both[: reports.bids.size], both[reports.bids.size :])


def spread(values: list[float]) -> dict[str, float]:
    """Give the median, the ends and the number of some seconds."""
    if not values:
        return {"number": 0}
    ends = {"min": min(values), "median": statistics.median(values), "max": max(values)}
    return {"number": len(values), **ends}


def story(kind: str, agents: int, number: int, *, nudged: bool, rounds: int) -> dict[str, Any]:
    """Follow one market through many rounds."""
    rng = np.random.default_rng(number)
    market, reports = complete_market(agents) if kind == "complete" else market_of(kind, agents)
    outcome = cx.clear(market, "gsom", reports)
    # Compiled, the rows of the graph turned, and what large markets keep built, from here on.
    for _ in range(12):
        reports = changed(reports, 1, nudged=False, rng=rng)
        outcome = outcome.update(reports)
    times: dict[str, list[float]] = {
        name: [] for name in ("same traders", "other traders", "every round", "pairs", "afresh")
    }
    for step in range(rounds):
        reports = changed(reports, number, nudged=nudged, rng=rng)
        before = [outcome.traders(side)[0] for side in ("buyer", "seller")]
        start = time.perf_counter()
        outcome = outcome.update(reports)
        after = [outcome.traders(side)[0] for side in ("buyer", "seller")]
        took = time.perf_counter() - start
        same = all(np.array_equal(*sides) for sides in zip(before, after, strict=True))
        times["same traders" if same else "other traders"].append(took)
        times["every round"].append(took)
        if not same and len(times["pairs"]) < 10:
            start = time.perf_counter()
            _ = outcome.seller_receives
            times["pairs"].append(time.perf_counter() - start)
        if step % max(1, rounds // 7) == 0:
            start = time.perf_counter()
            fresh = cx.clear(market, "gsom", reports)
            times["afresh"].append(time.perf_counter() - start)
            for name in ("buyer_index", "seller_index", "buyer_pays", "seller_receives"):
                assert np.array_equal(getattr(fresh, name), getattr(outcome, name)), name
    figures = {name: spread(values) for name, values in times.items()}
    return {"kind": kind, "agents": agents, "changed": number, "nudged": nudged, **figures}


def cell(figure: dict[str, float]) -> str:
    """Write a median with its ends."""
    if not figure["number"]:
        return "-"
    ends = f"({seconds(figure['min'])} .. {seconds(figure['max'])})"
    return f"{seconds(figure['median'])} {ends}"


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    rows, figures = [], []
    for kind in (*KINDS, "complete"):
        for number in CHANGES:
            for nudged in (True, False):
                say(f"{kind}, {number} reports {'nudged' if nudged else 'redrawn'} ...")
                one = story(kind, options.agents, number, nudged=nudged, rounds=options.rounds)
                figures.append(one)
                afresh = one["afresh"]["median"]
                rows.append(
                    [
                        kind,
                        f"{number} {'nudged' if nudged else 'redrawn'}",
                        cell(one["same traders"]),
                        f"{one['other traders']['number']} of {options.rounds}",
                        cell(one["other traders"]),
                        f"{afresh / one['every round']['median']:.0f}x",
                        cell(one["pairs"]),
                        cell(one["afresh"]),
                    ]
                )
    header = ["graph", "reports", "until prices, same traders", "rounds with others"]
    header += ["until prices, other traders", "afresh / median round", "pairs on top", "afresh"]
    table(header, rows)
    save("updates", {"machine": machine("numpy", "numba"), "figures": figures})


if __name__ == "__main__":
    main()
