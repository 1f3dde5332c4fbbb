"""Update an outcome after some reports have changed, beside clearing afresh.

Values and costs uniform on [0, 1]. Each round changes the reports of 1, 10 or 100 agents, drawn
evenly, *nudged* by at most 0.001 or *redrawn*, given by name (`bids={...}`), and times

- the update alone;
- the update, and reading what changed (`changes`: who comes, who goes, every other price);
- the update, and reading all there is as arrays (who trades with whom, at what prices).

*In full* is an update by all reports, of which as many have changed. Clearing afresh, read in the
same way, is timed in between on the same reports, and all is compared with it, bit for bit.
*Tried* is a redrawn report too, each from the first outcome: so one deviation after the other is
looked at. A last line follows a long chain and tells what memory it takes.
Usage: python benchmarks/updates.py [--agents 100000] [--rounds 100] [--mechanisms gsom]
[--graphs random spatial skewed complete] [--changes 1 10 100] [--chain 100000]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from typing import Any

import numpy as np
from clearing import KINDS, market_of
from harness import machine, save, say, table

import catallax as cx

NUDGE = 0.001
PARTS = ("update", "changes", "arrays")
NAMES = ("buyer_index", "seller_index", "buyer_pays", "seller_receives")


def market_for(kind: str, agents: int) -> tuple[cx.Market, cx.Reports]:
    """Make a market, perhaps one in which everybody may trade with everybody."""
    if kind != "complete":
        return market_of(kind, agents)
    market, reports = market_of("random", agents)
    return cx.Market(market.buyers, market.sellers, name="complete"), reports


class Reporters:
    """Reports that change, by name."""

    def __init__(self, reports: cx.Reports, seed: int) -> None:
        self.now = np.concatenate([reports.bids, reports.asks])
        self.n_buyers = reports.bids.size
        self.rng = np.random.default_rng(seed)

    def change(self, number: int, *, nudged: bool) -> dict[str, dict[int, float]]:
        """Change the reports of some agents, and say whose."""
        who = self.rng.choice(self.now.size, number, replace=False)
        new = self.rng.random(number)
        self.now[who] = np.clip(self.now[who] + NUDGE * (2 * new - 1), 0, 1) if nudged else new
        said = dict(zip(who.tolist(), self.now[who].tolist(), strict=True))
        return {
            "bids": {agent: value for agent, value in said.items() if agent < self.n_buyers},
            "asks": {
                agent - self.n_buyers: v for agent, v in said.items() if agent >= self.n_buyers
            },
        }

    def reports(self) -> cx.Reports:
        """Give all of them."""
        return cx.Reports(self.now[: self.n_buyers], self.now[self.n_buyers :])


def spread(values: list[float]) -> dict[str, float]:
    """Give the median, the ends and more of some seconds."""
    ordered = sorted(values)
    return {
        "number": len(values),
        "min": ordered[0],
        "median": statistics.median(ordered),
        "ninth": ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))],
        "mean": statistics.fmean(ordered),
        "max": ordered[-1],
    }


def story(kind: str, mechanism: str, agents: int, number: int, how: str, rounds: int) -> Any:
    """Follow one market through many rounds, or try a change of its first outcome in each."""
    tried, nudged = how == "tried", how == "nudged"
    market, reports = market_for(kind, agents)
    reporters = Reporters(reports, number)
    before: Any = cx.clear(market, mechanism, reports)
    # Compiled, the rows of the graph turned, and what large markets keep built, from here on.
    if tried:
        _ = before.update(**reporters.change(1, nudged=False)).changes
    else:
        for _ in range(12):
            before = before.update(**reporters.change(1, nudged=False))
            _ = before.changes
        _ = before.seller_receives
    times: dict[str, list[float]] = {name: [] for name in (*PARTS, "in full", "afresh")}
    followed = 0
    for step in range(rounds):
        if tried:
            reporters = Reporters(reports, step)
        change = reporters.change(number, nudged=nudged)
        start = time.perf_counter()
        outcome = before.update(**change)
        times["update"].append(time.perf_counter() - start)
        _ = outcome.changes
        times["changes"].append(time.perf_counter() - start)
        followed += type(outcome) is not cx.Outcome
        before = before if tried else outcome
        if step % max(1, rounds // 12) == 0:
            for name in NAMES:
                getattr(outcome, name)
            times["arrays"].append(time.perf_counter() - start)
            start = time.perf_counter()
            fresh = cx.clear(market, mechanism, reporters.reports())
            times["afresh"].append(time.perf_counter() - start)
            for name in NAMES:
                mine, theirs = getattr(outcome, name), getattr(fresh, name)
                assert mine.tobytes() == theirs.tobytes(), name
            if not tried:
                reporters.change(number, nudged=nudged)
            every = reporters.reports()
            start = time.perf_counter()
            outcome = before.update(every)
            times["in full"].append(time.perf_counter() - start)
            before = before if tried else outcome
    figures = {name: spread(values) for name, values in times.items()}
    return {
        "kind": kind, "mechanism": mechanism, "agents": agents, "changed": number,
        "how": how, "followed": followed, "rounds": rounds, **figures,
    }  # fmt: skip


def chain(agents: int, steps: int) -> dict[str, float]:
    """Follow one market through a long chain of which nothing is kept, and see what grows."""
    market, reports = market_for("random", agents)
    reporters = Reporters(reports, 1)
    outcome: Any = cx.clear(market, "gsom", reports)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peaks = []
    for step in range(steps):
        outcome = outcome.update(**reporters.change(1, nudged=True))
        if step in (steps // 5, steps - 1):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
    return {"steps": steps, "peak early": peaks[0], "peak at the end": peaks[-1]}


def short(value: float) -> str:
    """Write milliseconds with three digits."""
    return f"{value * 1000:.3g} ms"


def cell(figure: dict[str, float]) -> str:
    """Write a median with the fastest, the ninth decile and the slowest."""
    parts = [short(figure[name]) for name in ("median", "min", "ninth", "max")]
    return f"{parts[0]} ({parts[1]} .. {parts[2]} .. {parts[3]})"


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--mechanisms", nargs="+", default=["gsom"])
    parser.add_argument("--graphs", nargs="+", default=[*KINDS, "complete"])
    parser.add_argument("--changes", nargs="+", type=int, default=[1, 10, 100])
    parser.add_argument("--chain", type=int, default=100_000)
    options = parser.parse_args()
    rows, figures = [], []
    for mechanism in options.mechanisms:
        for kind in options.graphs:
            for number in options.changes:
                for how in ("nudged", "redrawn", "tried"):
                    say(f"{mechanism}, {kind}, {number} {how} ...")
                    one = story(kind, mechanism, options.agents, number, how, options.rounds)
                    figures.append(one)
                    ratio = one["afresh"]["median"] / one["changes"]["median"]
                    rows.append(
                        [
                            f"{kind}, {mechanism}",
                            f"{number} {how}",
                            cell(one["update"]),
                            cell(one["changes"]),
                            short(one["changes"]["mean"]),
                            short(one["arrays"]["median"]),
                            short(one["in full"]["median"]),
                            short(one["afresh"]["median"]),
                            f"{ratio:.0f}x",
                        ]
                    )
    header = ["market", "reports", "update", "and what changed", "its mean", "and all arrays"]
    header += ["update in full"]
    table([*header, "afresh", "afresh / what changed"], rows)
    memory = None
    if options.chain:
        say(f"a chain of {options.chain} updates ...")
        memory = chain(options.agents, options.chain)
        print(
            f"\nA chain of {memory['steps']:,} updates, one after another: the process has taken "
            f"at most {memory['peak early']:.0f} MiB after a fifth of it, "
            f"{memory['peak at the end']:.0f} MiB at its end."
        )
    content = {"machine": machine("numpy", "numba"), "figures": figures, "chain": memory}
    save("updates", content)


if __name__ == "__main__":
    main()
