"""Clear many small markets in one call, by GSOM with all payments, beside two Python loops.

Peers, on the same markets: a loop of `cx.clear`, one market after the other, and a loop of SciPy
`linear_sum_assignment` on matrices that are there: the trades only, and with one more solve for
the payment of each trader. Loops run on a sample of the markets. Ratios are of processor time,
which other work on the machine moves less.
Usage: python benchmarks/many.py [--markets 100000] [--size 5]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from harness import machine, save, say, seconds, table, within

import catallax as cx

KINDS = ("sparse", "complete")


def timed(run: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Time a call several times: seconds, and the median seconds of processor."""
    wall, processor = [], []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    return {
        "min": min(wall),
        "median": statistics.median(wall),
        "max": max(wall),
        "processor": statistics.median(processor),
    }


def draw(kind: str, markets: int, size: int, seed: int = 7) -> dict[str, Any]:
    """Draw tables: values and costs uniform on [0, 1]; sparse, two or three edges a buyer."""
    rng = np.random.default_rng(seed)
    market, agent = np.repeat(np.arange(markets), size), np.tile(np.arange(size), markets)
    prior = pl.lit("u").alias("prior")
    sides = [
        pl.DataFrame({"market": market, "id": agent, word: rng.random(market.size)}).select(
            pl.all(), prior
        )
        for word in ("bid", "ask")
    ]
    edges = None
    if kind == "sparse":
        first = rng.random((market.size, size), dtype=np.float32).argsort(axis=1)[:, :3]
        kept = np.arange(3) < rng.integers(2, 4, market.size)[:, None]
        ends = np.broadcast_to(np.arange(market.size)[:, None], first.shape)[kept]
        columns = {"market": market[ends], "buyer": agent[ends], "seller": first[kept]}
        edges = pl.DataFrame(columns)
    priors = {"u": "uniform(0, 1)"}
    return {"buyers": sides[0], "sellers": sides[1], "edges": edges, "priors": priors}


def frame(every: cx.Markets, name: str, repeats: int) -> dict[str, float]:
    """Time making a frame of outcomes that are there."""
    found = [cx.clear_many(every) for _ in range(repeats)]
    return timed(lambda: getattr(found.pop(), name), repeats)


def ours(kind: str, markets: int, size: int, repeats: int) -> dict[str, Any]:
    """Time the way from tables to all payments, totals and frames, in a process of its own."""
    tables = draw(kind, markets, size)
    few = cx.Markets(**{**draw(kind, 10, size)})
    _ = cx.clear_many(few).agents  # compiled from here on
    every = cx.Markets(**tables)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clearing = timed(lambda: cx.clear_many(every).totals, repeats)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = cx.clear_many(every)
    found = {
        "markets": timed(lambda: cx.Markets(**tables), repeats),
        "clear_many": clearing,
        "trades": frame(every, "trades", repeats),
        "agents": frame(every, "agents", 3),
        "megabytes before": before / 1024,
        "megabytes after": after / 1024,
    }
    return found | {"totals": outcomes.totals.head(5_000).to_dict(as_series=False)}


def loop(kind: str, markets: int, size: int, sample: int, repeats: int) -> dict[str, Any]:
    """Time a loop of `cx.clear` over markets that are there; seconds a market."""
    every = cx.Markets(**draw(kind, markets, size))
    alone = [every[name] for name in every.names[:sample]]
    _ = cx.clear(alone[0]).totals

    def clear() -> list[dict[str, Any]]:
        return [cx.clear(market).totals for market in alone]

    return {"loop": timed(clear, repeats), "totals": clear(), "each": len(alone)}


def scipy_loop(kind: str, markets: int, size: int, sample: int, repeats: int) -> dict[str, Any]:
    """Time SciPy on matrices of gains, where a trade that would lose gains nothing."""
    from scipy.optimize import linear_sum_assignment

    tables = draw(kind, markets, size)
    values = 2 * tables["buyers"]["bid"].to_numpy().reshape(-1, size)[:sample] - 1
    costs = tables["sellers"]["ask"].to_numpy().reshape(-1, size)[:sample]
    gains = np.maximum(values[:, :, None] - costs[:, None, :], 0)
    if tables["edges"] is not None:
        own = tables["edges"].filter(pl.col("market") < sample)
        there = np.zeros(gains.shape, bool)
        there[tuple(own[name].to_numpy() for name in ("market", "buyer", "seller"))] = True
        gains[~there] = 0
    matrices = list(gains)

    def solve() -> list[tuple[Any, Any]]:
        return [linear_sum_assignment(matrix, maximize=True) for matrix in matrices]

    def solve_for_payments() -> int:
        """Solve once more without each trader, which is what her payment takes."""
        solves = 0
        for matrix in matrices[: len(matrices) // 10]:
            rows, columns = linear_sum_assignment(matrix, maximize=True)
            trading = matrix[rows, columns] > 0
            for line in rows[trading]:
                without = matrix.copy()
                without[line] = 0
                solves += linear_sum_assignment(without, maximize=True)[0].size
            for line in columns[trading]:
                without = matrix.copy()
                without[:, line] = 0
                solves += linear_sum_assignment(without, maximize=True)[0].size
        return solves

    found = timed(solve, repeats)
    objective = [float(m[r, c].sum()) for m, (r, c) in zip(matrices, solve(), strict=True)]
    payments = timed(solve_for_payments, repeats)
    return {
        "loop": found, "objective": objective, "each": len(matrices),
        "payments": payments, "each with payments": len(matrices) // 10,
    }  # fmt: skip


def check(mine: dict[str, Any], one_by_one: dict[str, Any], peer: dict[str, Any]) -> None:
    """Compare: with the loop of our own to the last bit, with SciPy's objective to a rounding."""
    for place, totals in enumerate(one_by_one["totals"]):
        assert {key: mine["totals"][key][place] for key in totals} == totals
    objective = np.array(mine["totals"]["objective"][: peer["each"]])
    assert np.abs(objective - peer["objective"][: objective.size]).max() < 1e-9


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=5, help="agents a side in each market")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sample", type=int, default=500, help="markets of the loop of cx.clear")
    options = parser.parse_args()
    shape = options.markets, options.size
    rows, figures = [], []
    for kind in KINDS:
        say(f"{options.markets:,} markets of {options.size} x {options.size}, {kind} ...")
        mine = within(400, ours, kind, *shape, options.repeats)
        alone = within(400, loop, kind, *shape, min(options.sample, options.markets), 3)
        peer = within(400, scipy_loop, kind, *shape, min(5_000, options.markets), options.repeats)
        assert mine and alone and peer, "a process failed, or took more than 400 s"
        check(mine, alone, peer)
        clearing = mine["clear_many"]
        each = [
            one["processor"] / number * 1e6
            for one, number in (
                (clearing, options.markets),
                (alone["loop"], alone["each"]),
                (peer["loop"], peer["each"]),
                (peer["payments"], peer["each with payments"]),
            )
        ]
        rows.append(
            [
                kind,
                seconds(mine["markets"]["median"]),
                seconds(clearing["median"]),
                f"{seconds(clearing['min'])} .. {seconds(clearing['max'])}",
                f"{each[0]:.1f}",
                f"{each[1]:.0f}",
                f"{each[1] / each[0]:.0f}x",
                f"{each[2]:.1f}",
                f"{each[2] / each[0]:.1f}x",
                f"{each[3]:.1f}",
                f"{each[3] / each[0]:.0f}x",
                seconds(mine["trades"]["median"]),
                seconds(mine["agents"]["median"]),
                f"{mine['megabytes after']:,.0f}",
            ]
        )
        for part in (mine, alone, peer):
            for compared in ("totals", "objective"):
                part.pop(compared, None)
        figures.append({"kind": kind, "ours": mine, "loop": alone, "scipy": peer})
    table(
        [
            "markets", "tables read", "all payments, totals", "min .. max", "µs a market",
            "cx.clear, µs*", "ratio", "SciPy, trades only, µs*", "ratio",
            "SciPy, all payments, µs*", "ratio", "frame of trades", "of agents", "peak MB",
        ],
        rows,
    )  # fmt: skip
    say("µs of processor; * on a sample of the markets")
    save("many", {"machine": machine("numpy", "numba", "scipy", "polars"), "rows": figures})


if __name__ == "__main__":
    main()
