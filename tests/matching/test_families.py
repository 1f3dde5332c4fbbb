"""Constrained matchings by flow and by program against brute force, with ties everywhere."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from catallax.markets import Graph
from catallax.markets.agents import Agents
from catallax.markets.families import Oracle, Parts, bind
from catallax.matching import best_matching
from tests.matching import family_brute_force as brute


def random_parts(rng: np.random.Generator, largest: int, *, complete: bool):
    n_buyers, n_sellers = (int(n) for n in rng.integers(1, largest + 1, 2))
    density = 1.0 if complete else rng.choice([0.3, 0.5, 0.9])
    edges = [(i, j) for i in range(n_buyers) for j in range(n_sellers) if rng.random() < density]
    if not complete:
        edges = [edges[k] for k in rng.permutation(len(edges))]
    graph = (
        Graph.complete_graph(n_buyers, n_sellers)
        if complete
        else Graph(n_buyers, n_sellers, [i for i, _ in edges], [j for _, j in edges])
    )

    def side(role, n: int) -> Agents:
        groups = rng.choice(["x", "y", "z", None], n).tolist()
        table = pl.DataFrame({"group": pl.Series(groups, dtype=pl.String)})
        return Agents(role, pl.Series([f"{role[0]}{k}" for k in range(n)]), table=table)

    edge_table = pl.DataFrame(
        {
            "line": pl.Series(rng.choice(["p", "q"], len(edges)).tolist(), dtype=pl.String),
            "load": rng.integers(0, 4, len(edges)) / 10,
        }
    )
    parts = Parts(side("buyer", n_buyers), side("seller", n_sellers), graph, edge_table)
    return parts, edges


def cap(rng, parts, edges):
    return {"kind": "cap", "limit": int(rng.integers(0, 4))}


def quota(over: str):
    def make(rng, parts, edges):
        limits: object = int(rng.integers(0, 3))
        if rng.random() < 0.5:
            table = parts.buyers.table if over == "buyers" else parts.sellers.table
            names = table["group"].drop_nulls().unique().sort().to_list()
            limits = {g: int(rng.integers(0, 3)) for g in names if rng.random() < 0.7}
        return {"kind": "quota", "over": over, "column": "group", "limits": limits}

    return make


def random_weights(rng, n_buyers: int, n_sellers: int):
    spread = int(rng.choice([1, 3, 12]))
    return rng.integers(0, spread + 1, n_buyers), rng.integers(0, spread + 1, n_sellers)


def compare(found, answer, edges, buyers, sellers, *, complete: bool) -> None:
    n_buyers = len(buyers)
    traders = {int(i) for i in found.buyer} | {n_buyers + int(j) for j in found.seller}
    expected = {edges[e][0] for e in answer.edges} | {n_buyers + edges[e][1] for e in answer.edges}
    assert traders == expected
    if not complete:
        pairs = set(zip(found.buyer.tolist(), found.seller.tolist(), strict=True))
        assert pairs == {edges[e] for e in answer.edges}
    value = sum(int(buyers[i]) for i in found.buyer) - sum(int(sellers[j]) for j in found.seller)
    assert value * round(1 / found.tick) == answer.value
    spoken = set()
    for thresholds, shift in (
        (found.trading_buyers, 0),
        (found.trading_sellers, n_buyers),
        (found.waiting_buyers, 0),
        (found.waiting_sellers, n_buyers),
    ):
        # Rounded down, a seller stays below the money of the next whole number.
        assert (thresholds.wins_ties == (shift == 0)).all()
        for agent, level in zip(thresholds.agent, thresholds.level, strict=True):
            spoken.add(int(agent) + shift)
            last = level / found.tick - (shift > 0)
            assert last == answer.first[int(agent) + shift]
    assert spoken == {a for a, first in enumerate(answer.first) if first is not None}


RULES = {
    "cap": [cap],
    "buyers": [quota("buyers")],
    "sellers": [quota("sellers")],
    "both": [quota("buyers"), quota("sellers")],
    "all": [cap, quota("buyers"), quota("sellers")],
}


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("rules", RULES)
def test_flow(rules: str, complete: bool) -> None:
    rng = np.random.default_rng([list(RULES).index(rules), complete])
    for round_ in range(70):
        largest = 4 if complete or round_ < 60 else 6
        parts, edges = random_parts(rng, largest, complete=complete)
        family = bind([rule(rng, parts, edges) for rule in RULES[rules]], parts, "market")
        assert family.structure == "network"
        buyers, sellers = random_weights(rng, parts.graph.n_buyers, parts.graph.n_sellers)
        found = best_matching(family, buyers.astype(float), sellers.astype(float))
        assert found.solver == "flow"
        assert found.tick is not None
        unit = round(1 / found.tick)
        whole = [int(w) * unit for w in buyers], [int(u) * unit for u in sellers]
        answer = brute.solve(family, edges, *whole, pairs_matter=not complete)
        compare(found, answer, edges, buyers, sellers, complete=complete)


def conflicts(over: str):
    def make(rng, parts, edges):
        names = {
            "buyers": parts.buyers.ids.to_list(),
            "sellers": parts.sellers.ids.to_list(),
            "edges": [[f"b{i}", f"s{j}"] for i, j in edges],
        }[over]
        pairs = []
        for _ in range(int(rng.integers(0, 4))):
            if len(names) > 1:
                one, other = rng.choice(len(names), 2, replace=False)
                pairs.append([names[one], names[other]])
        return {"kind": "conflicts", "over": over, "pairs": pairs}

    return make


def knapsack(rng, parts, edges):
    return {"kind": "knapsack", "column": "load", "limit": float(rng.integers(0, 6)) / 10}


def edge_quota(rng, parts, edges):
    return {"kind": "quota", "over": "edges", "column": "line", "limits": int(rng.integers(0, 3))}


def explicit(rng, parts, edges):
    listed = []
    for _ in range(int(rng.integers(0, 5))):
        matching: list[tuple[int, int]] = []
        for k in rng.permutation(len(edges)).tolist():
            i, j = edges[k]
            if all(i != a and j != b for a, b in matching) and rng.random() < 0.7:
                matching.append((i, j))
        listed.append([[f"b{i}", f"s{j}"] for i, j in matching])
    return {"kind": "family", "matchings": listed}


def oracle(rng, parts, edges):
    limit = int(rng.integers(1, 9))
    return Oracle(lambda trades: sum(int(b[1:]) + int(s[1:]) for b, s in trades) <= limit)


PROGRAMS = {
    "buyer conflicts": [conflicts("buyers")],
    "seller conflicts": [conflicts("sellers")],
    "edge conflicts": [conflicts("edges")],
    "knapsack": [knapsack],
    "edge quota": [edge_quota],
    "explicit": [explicit],
    "two columns": [quota("buyers"), edge_quota, cap],
    "everything": [cap, quota("sellers"), conflicts("edges"), knapsack, explicit],
    "oracle": [oracle],
    "oracle and more": [oracle, conflicts("buyers"), quota("buyers"), knapsack],
}


@pytest.mark.parametrize("rules", PROGRAMS)
def test_program_and_search(rules: str) -> None:
    rng = np.random.default_rng(list(PROGRAMS).index(rules))
    for round_ in range(20):
        parts, edges = random_parts(rng, 4 if round_ < 16 else 6, complete=False)
        family = bind([rule(rng, parts, edges) for rule in PROGRAMS[rules]], parts, "market")
        buyers, sellers = random_weights(rng, parts.graph.n_buyers, parts.graph.n_sellers)
        found = best_matching(family, buyers.astype(float), sellers.astype(float))
        assert found.solver == ("search" if "oracle" in rules else "program")
        assert found.tick is not None
        unit = round(1 / found.tick)
        whole = [int(w) * unit for w in buyers], [int(u) * unit for u in sellers]
        answer = brute.solve(family, edges, *whole)
        compare(found, answer, edges, buyers, sellers, complete=False)


@pytest.mark.parametrize("rules", ["plain", *RULES, *PROGRAMS])
def test_pair_bounds(rules: str) -> None:
    """d, A and B of every trade against their definitions, dropped edges included."""
    rng = np.random.default_rng(len(rules))
    makers = {"plain": [], **RULES, **PROGRAMS}[rules]
    finite = 0
    for _ in range(150 if rules == "plain" else 40):
        parts, edges = random_parts(rng, 4, complete=False)
        family = bind([rule(rng, parts, edges) for rule in makers], parts, "market")
        buyers, sellers = random_weights(rng, parts.graph.n_buyers, parts.graph.n_sellers)
        found = best_matching(family, buyers.astype(float), sellers.astype(float))
        bounds = found.pair_bounds
        for k, (i, j) in enumerate(zip(found.buyer.tolist(), found.seller.tolist(), strict=True)):
            expected = brute.pair_bounds(family, edges, buyers, sellers, i, j)
            assert bounds.slack[k] == expected[0]
            assert bounds.buyer_elsewhere[k] == expected[1]
            assert bounds.seller_elsewhere[k] == expected[2]
            finite += np.isfinite(expected[1]) + np.isfinite(expected[2])
    assert finite > 3


def test_pair_bounds_of_complete_graphs() -> None:
    rng = np.random.default_rng(5)
    for _ in range(100):
        parts, edges = random_parts(rng, 4, complete=True)
        buyers, sellers = random_weights(rng, parts.graph.n_buyers, parts.graph.n_sellers)
        rule = [cap, quota("buyers"), quota("sellers")][: int(rng.integers(0, 4))]
        family = bind([make(rng, parts, edges) for make in rule], parts, "market")
        found = best_matching(family, buyers.astype(float), sellers.astype(float))
        bounds = found.pair_bounds
        for k, (i, j) in enumerate(zip(found.buyer.tolist(), found.seller.tolist(), strict=True)):
            expected = brute.pair_bounds(family, edges, buyers, sellers, i, j)
            assert (bounds.slack[k], bounds.buyer_elsewhere[k], bounds.seller_elsewhere[k]) == (
                expected
            )
