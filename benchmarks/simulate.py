"""Simulate a sparse market, all payments included, beside Python loops over SciPy.

Ten thousand profiles of a market of 50 x 50 agents with five edges for each buyer, GSOM and first
best. Peers, on the same draws and with virtual values already computed: a loop that calls
`scipy.optimize.linear_sum_assignment` once for each mechanism and profile, and one that also finds
every payment by solving again without the agent. Usage: python benchmarks/simulate.py
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from harness import machine, save, say, table

import catallax as cx
from catallax.estimate.batch.clearing import Block
from catallax.estimate.batch.forms import batch_form
from catallax.estimate.draws import Draws, Plan, sampler_of
from catallax.markets import random_graphs

AGENTS, DEGREE = 50, 5
MECHANISMS = ["first-best", "gsom"]


def market_of(agents: int) -> cx.Market:
    """Make a random sparse market of values and costs that are uniform on [0, 1]."""
    import polars as pl

    graph = random_graphs.sparse_random(agents, agents, DEGREE, 7)
    every = (cx.parse_prior("uniform(0, 1)"),), (None,), np.zeros(agents, np.int32)
    buyers, sellers = (
        cx.Agents(role, pl.Series(np.arange(agents)), *every) for role in ("buyer", "seller")
    )
    return cx.Market(buyers, sellers, graph, name="sparse")


class Loop:
    """The peer: one dense assignment problem for each profile, mechanism and removed agent."""

    def __init__(self, market: cx.Market, draws: Draws) -> None:
        from scipy.optimize import linear_sum_assignment

        self.solve = linear_sum_assignment
        self.ends = market.graph.buyer, market.graph.seller
        self.loss = np.zeros((len(market.buyers), len(market.sellers)))
        self.weights = [(draws.values, draws.costs), (2 * draws.values - 1, draws.costs)]

    def fill(self, buyers: np.ndarray, sellers: np.ndarray) -> None:
        """Write what every edge loses; a pair without a useful edge stays apart at no loss."""
        i, j = self.ends
        self.loss[i, j] = np.minimum(sellers[j] - buyers[i], 0.0)

    def trades(self, count: int) -> list[float]:
        """Find the best matchings of the first profiles; their total weights."""
        found = []
        for row in range(count):
            for buyers, sellers in self.weights:
                self.fill(buyers[row], sellers[row])
                found.append(-self.loss[self.solve(self.loss)].sum())
        return found

    def payments(self, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Find also every critical report, by solving again without the agent."""
        found = []
        for row in range(count):
            for place, (buyers, sellers) in enumerate(self.weights):
                w, u = buyers[row], sellers[row]
                self.fill(w, u)
                i, j = self.solve(self.loss)
                useful = self.loss[i, j] < 0
                i, j = i[useful], j[useful]
                best = -self.loss[i, j].sum()
                pays, receives = np.zeros(w.size), np.zeros(u.size)
                for agent in i:
                    kept, self.loss[agent] = self.loss[agent].copy(), 0.0
                    without = -self.loss[self.solve(self.loss)].sum()
                    self.loss[agent] = kept
                    level = without - (best - w[agent])
                    pays[agent] = (level + 1) / 2 if place else level
                for agent in j:
                    kept, self.loss[:, agent] = self.loss[:, agent].copy(), 0.0
                    without = -self.loss[self.solve(self.loss)].sum()
                    self.loss[:, agent] = kept
                    receives[agent] = best + u[agent] - without
                found.append((pays, receives))
        return found


def check(market: cx.Market, draws: Draws, loop: Loop, count: int) -> float:
    """Compare all payments of some profiles; the largest difference."""
    few = Draws(draws.values[:count], draws.costs[:count])
    block, worst = Block(market, few), 0.0
    theirs = loop.payments(count)
    for place, slug in enumerate(MECHANISMS):
        form = batch_form(cx.mechanisms.get(slug), market)
        assert form is not None
        (branch,) = form(block)
        for row in range(count):
            pays, receives = theirs[2 * row + place]
            ours = branch.prices[row]
            worst = max(worst, float(np.abs(ours[: pays.size] - pays).max()))
            worst = max(worst, float(np.abs(ours[pays.size :][::-1] - receives).max()))
    assert worst < 1e-9, f"payments differ by {worst}"
    return worst


def measure(samples: int, few: int, repeats: int) -> dict[str, Any]:
    """Time ours and the peers in turns; microseconds for each profile, both mechanisms."""
    market = market_of(AGENTS)
    sampler = sampler_of(market)
    plan = Plan.plan("plain", samples, 2 * AGENTS, growing=False)
    blocks = [sampler.draw(plan, 7, number) for number in range(plan.blocks)]
    draws = Draws(*(np.concatenate([getattr(b, side) for b in blocks]) for side in
                    ("values", "costs")))  # fmt: skip
    loop = Loop(market, draws)
    worst = check(market, draws, loop, 20)

    def ours(workers: int) -> None:
        cx.simulate(market, MECHANISMS, samples, 7, workers, exact=False)

    jobs = {
        "ours, 1 core": (lambda: ours(1), samples),
        "ours, 2 cores": (lambda: ours(2), samples),
        "SciPy, trades only": (lambda: loop.trades(samples // 4), samples // 4),
        "SciPy, all payments": (lambda: loop.payments(few), few),
    }
    ours(2)  # compiled from here on
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    processor: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats):
        say(f"turn {turn + 1} of {repeats} ...")
        for name, (job, count) in jobs.items():
            start, busy = time.perf_counter(), time.process_time()
            job()
            seconds[name].append((time.perf_counter() - start) / count * 1e6)
            processor[name].append((time.process_time() - busy) / count * 1e6)
    return {"microseconds": seconds, "processor": processor, "worst payment difference": worst}


def efficiency(samples: int) -> list[dict[str, Any]]:
    """Compare kinds of draws: variance of the gains and of the share, and time, per profile."""
    market = market_of(AGENTS)
    kinds: list[dict[str, Any]] = [
        {"draws": "plain"},
        {"draws": "antithetic"},
        {"draws": "sobol"},
        {"draws": "plain", "conditional": True},
        {"draws": "antithetic", "conditional": True},
    ]
    rows = []
    for kind in kinds:
        how = {"samples": samples, "rng": 7, "workers": 1, "exact": False, **kind}
        cx.simulate(market, MECHANISMS, **how)
        start = time.process_time()
        found = cx.simulate(market, MECHANISMS, **how)["gsom"]
        spent = (time.process_time() - start) / samples * 1e6
        gains, share = found.gains_from_trade, found.share_of_first_best
        assert share is not None
        rows.append({**kind, "microseconds": spent, "gains": gains.stderr, "share": share.stderr})
    for row in rows:
        for name in ("gains", "share"):
            row[f"{name} variance"] = (rows[0][name] / row[name]) ** 2
            speed = rows[0]["microseconds"] / row["microseconds"]
            row[f"{name} per second"] = row[f"{name} variance"] * speed
    return rows


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=100, help="profiles for the slowest peer")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    figures = measure(options.samples, options.few, options.repeats)
    fastest = {name: min(times) for name, times in figures["microseconds"].items()}
    median = {name: statistics.median(times) for name, times in figures["microseconds"].items()}
    busy = {name: statistics.median(times) for name, times in figures["processor"].items()}
    rows = []
    peers = "SciPy, trades only", "SciPy, all payments"
    for name, times in figures["microseconds"].items():
        ratios = [f"{of[peer] / of[name]:.1f}x" if "ours" in name else ""
                  for of in (median, fastest) for peer in peers]  # fmt: skip
        spread = f"{min(times):.1f} .. {max(times):.1f}"
        rows.append([name, f"{median[name]:.1f}", spread, f"{busy[name]:.1f}", *ratios])
    header = ["", "us a profile", "min .. max", "us of processor", "than trades", "than payments"]
    # The fastest turn of each is the one that other processes disturbed least.
    table([*header, "fastest: trades", "payments"], rows)
    scaling = {
        "median": median["ours, 1 core"] / median["ours, 2 cores"],
        "fastest": fastest["ours, 1 core"] / fastest["ours, 2 cores"],
    }
    print(
        f"\ntwo cores: {scaling['median']:.2f} times as fast as one, {scaling['fastest']:.2f} in "
        "the fastest turns\n"
    )
    kinds = efficiency(options.samples)
    lines = [
        [
            row["draws"] + (", conditional" if row.get("conditional") else ""),
            f"{row['microseconds']:.1f}",
            *(f"{row[f'{name} {what}']:.1f}x" for name in ("gains", "share")
              for what in ("variance", "per second")),
        ]
        for row in kinds
    ]  # fmt: skip
    header = ["draws", "us of processor", "gains: variance", "a second", "share: variance"]
    table([*header, "a second"], lines)
    save(
        "simulate",
        {
            "machine": machine("numpy", "numba", "scipy"),
            "agents": AGENTS,
            "degree": DEGREE,
            "mechanisms": MECHANISMS,
            "samples": options.samples,
            **figures,
            "two cores": scaling,
            "draws": kinds,
        },
    )


if __name__ == "__main__":
    main()
