"""Time the whole road from files to files, and say where the time goes.

A sparse market is written as a folder (CSV and Parquet), read again, cleared by GSOM with all
payments, and its outcome written; every station is timed by itself, and the command line as a
process of its own. Beside reading and the command stands `polars.read_csv` (or `read_parquet`) of
the same files, which are in the disk's cache. Usage: python benchmarks/road.py [--agents 100000]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from clearing import draw
from harness import machine, save, say, seconds, table, timed

import catallax as cx
from catallax.matching import best_matching
from catallax.report.outcomes.files import TableFormat, write_outcomes

MIXED = {
    "one": ["uniform(0, 1)"],
    # A prior that is ironed, and one of 10,000 values, beside the plain one.
    "three": ["uniform(0, 1)", "mixture([uniform(0, 0.4), uniform(0.6, 1)], [0.7, 0.3])", "past"],
}


def market_of(agents: int, words: str) -> cx.Market:
    """Draw a market whose agents share a few priors."""
    graph, bids, asks = draw("random", agents)
    past = np.random.default_rng(3).random(10_000).round(3)
    empirical = {"kind": "empirical", "values": past.tolist()}
    names = [f"p{k}" for k in range(len(MIXED[words]))]
    priors = {
        name: empirical if word == "past" else word
        for name, word in zip(names, MIXED[words], strict=True)
    }
    which = np.array(names)[np.arange(agents) % len(names)]
    ids = pl.Series(np.arange(agents))
    return cx.Market(
        buyers=pl.DataFrame({"id": "b" + ids.cast(pl.String), "bid": bids, "prior": which}),
        sellers=pl.DataFrame({"id": "s" + ids.cast(pl.String), "ask": asks, "prior": which}),
        edges=pl.DataFrame(
            {
                "buyer": "b" + pl.Series(graph.buyer).cast(pl.String),
                "seller": "s" + pl.Series(graph.seller).cast(pl.String),
            }
        ),
        priors=priors,
        name=f"road of {agents}",
    )


def stations(folder: Path, out: Path, tables: TableFormat, repeats: int) -> dict[str, Any]:
    """Time every station of the road for a market in a folder."""
    read = pl.read_csv if tables == "csv" else pl.read_parquet
    files = [folder / f"{name}.{tables}" for name in ("buyers", "sellers", "edges")]
    market = cx.Market.read(folder)
    reports = market.require_reports()
    outcome = cx.clear(market, "gsom")
    rule = cx.mechanisms.get("gsom")
    weights = rule.weights(market, reports)  # type: ignore[attr-defined]
    written = write_outcomes([outcome], out, tables)

    def command() -> None:
        words = ["clear", str(folder), "--mechanism", "gsom", "--out", str(out), "--quiet"]
        subprocess.run([sys.executable, "-m", "catallax.cli", *words], check=True)

    def bare() -> None:
        code = (
            f"import polars as pl\nfor f in {[str(one) for one in files]!r}: pl.{read.__name__}(f)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def tables_of() -> None:
        fresh = cx.clear(market, "gsom")
        _ = fresh.trades, fresh.agents

    found = {
        "polars reads the files": timed(lambda: [read(one) for one in files], repeats),
        "read the market": timed(lambda: cx.Market.read(folder), repeats),
        "virtual values": timed(lambda: rule.weights(market, reports), repeats),  # type: ignore[attr-defined]
        "match, with all thresholds": timed(
            lambda: best_matching(market.family, *weights), repeats
        ),
        "clear": timed(lambda: cx.clear(market, "gsom"), repeats),
        "clear, and all tables": timed(tables_of, repeats),
        "write the outcome": timed(
            lambda: write_outcomes([outcome], out, tables),
            repeats,
        ),
        "the command, as a process": timed(command, repeats),
        "polars reads, as a process": timed(bare, repeats),
    }
    size = sum(one.stat().st_size for one in files)
    return {"stations": found, "bytes": size, "written": sum(one.stat().st_size for one in written)}


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    edges = 0
    formats: tuple[TableFormat, ...] = ("csv", "parquet")
    for words in MIXED:
        market = market_of(options.agents, words)
        edges = market.graph.n_edges
        for tables in formats:
            name = f"{tables}, {words} prior{'s' if words != 'one' else ''}"
            say(f"{name} ...")
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place) / "market"
                market.write(folder, tables=tables)
                figures[name] = stations(folder, Path(place) / "out", tables, options.repeats)
    names = list(figures)
    first = figures[names[0]]["stations"]
    rows = [
        [station, *(_shown(figures[name]["stations"][station]) for name in names)]
        for station in first
    ]
    for station, peer in (
        ("read the market", "polars reads the files"),
        ("the command, as a process", "polars reads, as a process"),
    ):
        ratios = [
            figures[name]["stations"][station]["median"] / figures[name]["stations"][peer]["median"]
            for name in names
        ]
        rows.append([f"{station} / {peer}", *(f"{ratio:.1f}" for ratio in ratios)])
    table(["station", *names], rows)
    save(
        "road",
        {
            "machine": machine("numpy", "numba", "polars"),
            "agents": options.agents,
            "edges": edges,
            "figures": figures,
        },
    )


def _shown(measured: dict[str, float]) -> str:
    low, high = seconds(measured["min"]), seconds(measured["max"])
    return f"{seconds(measured['median'])} ({low} .. {high})"


if __name__ == "__main__":
    main()
