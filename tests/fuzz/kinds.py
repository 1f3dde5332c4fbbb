"""What is broken: kinds of files, the commands that read them, and what must hold afterwards."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import fsum, isclose
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

import catallax as cx
from tests.fuzz.mutate import broken_document, broken_table, broken_text

__all__ = ["KINDS", "Kind"]

Files = dict[str, bytes]
MECHANISMS = ["first-best", "gsom", "gbom", "gsom-bic", "random-offerer", "posted-price",
              "trade-reduction"]  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One kind of files: how they look, how they are broken, who reads them, who judges.

    Attributes
    ----------
    files
        Makes whole files, by their names.
    broken
        Breaks them; the name of the file and its content give new content.
    command
        The arguments of the command.
    judge
        Looks at the broken files in a folder and the documents printed, where the command took
        them; raises AssertionError.
    weight
        How many of all cases are of this kind, against the others.
    """

    files: Callable[[random.Random], Files]
    broken: Callable[[str, bytes, random.Random], bytes]
    command: Callable[[random.Random], list[str]]
    judge: Callable[[Path, list[dict[str, Any]], list[str]], None]
    weight: int = 1


# ------------------------------------------------------------------------------------------ files


@cache
def _market_documents() -> list[bytes]:
    """Small markets of every kind of constraint and prior, as JSON."""
    uniform, points = {"kind": "uniform", "low": 0, "high": 1}, [0.2, 0.5, 0.5, 0.9]
    base = {
        "name": "base",
        "buyers": [{"id": f"b{k}", "bid": bid, "prior": "u", "group": k % 2}
                   for k, bid in enumerate((0.9, 0.5, 0.5, 0.3))],
        "sellers": [{"id": f"s{k}", "ask": ask, "prior": "u", "group": "xy"[k % 2]}
                    for k, ask in enumerate((0.1, 0.5, 0.45))],
        "edges": [["b0", "s0"], ["b0", "s1"], ["b1", "s0"], ["b2", "s2"], ["b3", "s2"]],
        "priors": {"u": uniform},
    }  # fmt: skip
    weighed = [{"buyer": i, "seller": j, "weight": k} for k, (i, j) in enumerate(base["edges"])]
    pairs = [{"kind": "conflicts", "buyers": [["b0", "b1"]]}]
    explicit = [{"kind": "family", "matchings": [[["b0", "s0"], ["b2", "s2"]], [["b1", "s0"]]]}]
    kinds: list[dict[str, Any]] = [
        base,
        {key: value for key, value in base.items() if key != "edges"},
        {**base, "constraints": [{"kind": "cap", "limit": 1}]},
        {**base, "constraints": [
            {"kind": "quota", "over": "buyers", "column": "group", "limits": {"0": 1, "1": 1}}]},
        {**base, "edges": weighed, "constraints": [
            {"kind": "knapsack", "column": "weight", "limit": 3}]},
        {**base, "constraints": pairs},
        {**base, "constraints": explicit},
        {**base, "largest_report": 5, "constraints": [{"kind": "cap", "limit": 2}]},
        {**base, "priors": {"u": {"kind": "discrete", "values": [0.2, 0.5, 0.9],
                                  "probabilities": [0.5, 0.25, 0.25]}}},
        {**base, "priors": {"u": {"kind": "empirical", "values": points}}},
        {**base, "priors": {"u": {"kind": "mixture", "weights": [0.5, 0.5],
                                  "components": [uniform, {"kind": "point", "value": 0.5}]}}},
    ]  # fmt: skip
    return [json.dumps(one).encode() for one in kinds]


def _market_json(rng: random.Random) -> Files:
    return {"market.json": rng.choice(_market_documents())}


@cache
def _market_folder() -> Files:
    document = """[market]
name = "small"
currency = "EUR"
[buyers]
table = "buyers.csv"
[sellers]
table = "sellers.csv"
[edges]
table = "edges.csv"
[priors.u]
kind = "uniform"
low = 0
high = 1
[priors.past]
kind = "empirical"
table = "past.csv"
column = "bid"
[[constraints]]
kind = "cap"
limit = 3
"""
    return {
        "market.toml": document.encode(),
        "buyers.csv": b"id,bid,prior,town\nb1,0.9,u,7\nb2,0.5,past,8\nb3,0.5,u,7\nb4,0.2,u,9\n",
        "sellers.csv": b"id,ask,prior\ns1,0.1,u\ns2,0.5,u\ns3,0.45,u\n",
        "edges.csv": b"buyer,seller,km\nb1,s1,1\nb1,s2,2\nb2,s1,3\nb3,s3,4\nb4,s3,5\n",
        "past.csv": b"bid,when\n0.3,1\n0.5,2\n0.5,3\n0.8,4\n",
    }


STUDY = b"""[study]
name = "tiny"
samples = 20
seeds = { count = 2 }
mechanisms = ["gsom", "mcafee"]
[[priors]]
name = "flat"
buyers = "uniform(0, 1)"
sellers = "uniform(0, 1)"
[[markets]]
graph = "sparse-random"
sizes = [3, 4]
degree = 2
[[markets]]
instance = "double-auction"
parameters = { n = [2, 3] }
"""

GROUP = b"""name = "boat"
currency = "EUR"
mechanism = "vote"
price = 20
rule = "majority"
[buyers]
prior = "uniform(0, 50)"
members = [{id = "ann", report = 30, share = 2}, {id = "bob", report = 12, share = 1}]
[sellers]
table = "sellers.csv"
"""
SELLERS = b'id,report,prior\ndee,28,"uniform(0, 60)"\neve,10,"uniform(0, 60)"\n'
SURVEY = b"who,town,low,high\n1,A,0,10\n2,A,10,50\n3,B,50,\n4,A,0,10\n5,B,10,50\n6,A,50,100\n"
PRIORS = ["uniform(0, 1)",
          "normal(0.5, 0.1, low=0)", "discrete([1, 2], [0.5, 0.5])", "exponential(2)",
          "mixture([uniform(0, 1), point(2)], [0.3, 0.7])", "equal-revenue(1, 8)", "pareto(2)",
          "piecewise([0, 1, 3], [0, 0.4, 1])", "beta(2, 3)", "intervals([0, 1], [2, 3])",
          '{"kind": "empirical", "values": [1, 2, 2, 5]}', "lognormal(1, 0.5)"]  # fmt: skip

# ----------------------------------------------------------------------------------------- breaking


def _by_suffix(name: str, content: bytes, rng: random.Random) -> bytes:
    ways = {".json": broken_document, ".csv": broken_table}
    return ways.get(Path(name).suffix, broken_text)(content, rng)


# ------------------------------------------------------------------------------------------ judging


def _nothing_more(folder: Path, documents: list[dict[str, Any]], arguments: list[str]) -> None:
    assert documents


def _clearing(folder: Path, documents: list[dict[str, Any]], arguments: list[str]) -> None:
    """Totals are those of the trades, the trades are possible, no order is lost."""
    (document,) = documents
    market = cx.Market.read(folder / "market.json" if "market.json" in arguments else folder)
    _no_order_is_lost(folder, market)
    parts = [one["outcome"] for one in document["lottery"]] if "lottery" in document else [document]
    for part in parts:
        _right_totals(market, part)
    if document["mechanism"] == "first-best" and not market.constraints:
        _largest_gain(market, document["totals"]["gains_from_trade"])


def _no_order_is_lost(folder: Path, market: cx.Market) -> None:
    """Count the agents and add up their reports with another reader than ours."""
    if (folder / "market.json").exists():
        raw = json.loads((folder / "market.json").read_bytes().decode("utf-8-sig"))
        given = {role: raw[role] for role in ("buyers", "sellers")}
    else:
        given = {}
        for role in ("buyers", "sellers"):
            # Python's reader takes a blank first line for a header without columns.
            text = (folder / f"{role}.csv").read_bytes().decode("utf-8-sig").lstrip("\r\n")
            given[role] = [row for row in csv.DictReader(io.StringIO(text, newline="")) if row]
    for role, report in (("buyers", "bid"), ("sellers", "ask")):
        side = getattr(market, role)
        assert len(side) == len(given[role]), f"{len(given[role])} {role}, and {len(side)} read"
        stated = [float(row[report]) for row in given[role]]
        assert getattr(market.reports, f"{report}s").tolist() == stated, f"other {report}s"


def _right_totals(market: cx.Market, part: dict[str, Any]) -> None:
    totals, trades = part["totals"], part["trades"]
    assert totals["trades"] == len(trades)
    for total, column in (("buyers_pay", "buyer_pays"), ("sellers_receive", "seller_receives")):
        assert totals[total] == fsum(trade[column] for trade in trades), total
    ids = [list(map(str, side.ids.to_list())) for side in (market.buyers, market.sellers)]
    bids, asks = market.reports.bids, market.reports.asks
    edges = None if market.graph.complete else set(_pairs(market))
    for role, known in zip(("buyer", "seller"), ids, strict=True):
        names = [str(trade[role]) for trade in trades]
        assert len(set(names)) == len(names) and set(names) <= set(known)
    amounts = []
    for trade in trades:
        i, j = ids[0].index(str(trade["buyer"])), ids[1].index(str(trade["seller"]))
        assert edges is None or (i, j) in edges, f"{trade} is no edge"
        amounts += [bids[i], -asks[j]]
    assert isclose(totals["gains_from_trade"], fsum(amounts), rel_tol=1e-12, abs_tol=0.0)


def _pairs(market: cx.Market) -> list[tuple[int, int]]:
    return list(zip(market.graph.buyer.tolist(), market.graph.seller.tolist(), strict=True))


def _largest_gain(market: cx.Market, told: float) -> None:
    bids, asks = market.reports.bids, market.reports.asks
    gains = np.full((bids.size, asks.size), -np.inf)
    for i, j in _pairs(market) if not market.graph.complete else np.ndindex(*gains.shape):
        gains[i, j] = bids[i] - asks[j]
    gains = np.maximum(gains, 0.0)
    best = float(gains[linear_sum_assignment(gains, maximize=True)].sum())
    assert isclose(told, best, rel_tol=1e-9, abs_tol=1e-9 * max(1e-300, gains.max(initial=0.0)))


def _decision(folder: Path, documents: list[dict[str, Any]], arguments: list[str]) -> None:
    """What buyers pay together is what sellers receive together."""
    (document,) = documents
    assert isinstance(document["trade"], bool | float)


def _chances(folder: Path, documents: list[dict[str, Any]], arguments: list[str]) -> None:
    """Every chance is one."""
    text = json.dumps(documents)
    assert "NaN" not in text
    for document in documents:
        for name in ("ir_buyers", "ir_sellers", "ir_both", "trade_probability"):
            if document.get(name) is not None:
                assert 0.0 <= document[name] <= 1.0, (name, document[name])


def _share(rng: random.Random) -> list[str]:
    return rng.choice([[], [], ["--out", "results"]])


KINDS: dict[str, Kind] = {
    "market-json": Kind(
        _market_json,
        _by_suffix,
        lambda rng: ["clear", "market.json", "--json", "--mechanism", rng.choice(MECHANISMS),
                     "--time-limit", "20", *_share(rng)],
        _clearing,
        weight=16,
    ),
    "market-folder": Kind(
        lambda rng: _market_folder(),
        _by_suffix,
        lambda rng: ["clear", ".", "--json", "--mechanism", rng.choice(MECHANISMS),
                     "--time-limit", "20", *_share(rng)],
        _clearing,
        weight=12,
    ),
    "study": Kind(
        lambda rng: {"study.toml": STUDY},
        _by_suffix,
        lambda rng: ["study", "status", "study.toml", "--json"],
        _nothing_more,
        weight=5,
    ),
    "group": Kind(
        lambda rng: {"group.toml": GROUP, "sellers.csv": SELLERS},
        _by_suffix,
        lambda rng: ["groups", rng.choice(["decide", "evaluate"]), "group.toml", "--json"],
        _chances,
        weight=4,
    ),
    "survey": Kind(
        lambda rng: {"survey.csv": SURVEY},
        _by_suffix,
        lambda rng: ["groups", "recommend", "--survey", "survey.csv", "--buyers", "3",
                     "--seller-prior", "uniform(5, 90)", "--json",
                     *rng.choice([[], ["--rows", "town=A"], ["--low", "low", "--high", "high"]])],
        _chances,
    ),
    "prior": Kind(
        lambda rng: {"prior.txt": rng.choice(PRIORS).encode()},
        lambda name, content, rng: broken_text(content, rng),
        lambda rng: ["prior", "@prior.txt", "--json"],
        _nothing_more,
        weight=4,
    ),
}  # fmt: skip
