"""The sweep, its thresholds and sources against brute force, with ties everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.markets import Graph
from catallax.matching import Thresholds, best_matching
from tests.matching.brute_force import all_matchings, solve


def random_case(rng: np.random.Generator, largest: int, spread: int):
    n_buyers, n_sellers = rng.integers(0, largest + 1, 2)
    density = rng.random()
    edges = [(i, j) for i in range(n_buyers) for j in range(n_sellers) if rng.random() < density]
    order = rng.permutation(len(edges))
    buyers = rng.integers(0, spread + 1, n_buyers).tolist()
    sellers = rng.integers(0, spread + 1, n_sellers).tolist()
    return int(n_buyers), int(n_sellers), [edges[k] for k in order], buyers, sellers


def check(graph: Graph, edges, buyers, sellers) -> None:
    answer = solve(all_matchings(len(buyers), len(sellers), edges), buyers, sellers)
    found = best_matching(graph, np.array(buyers, float), np.array(sellers, float))
    traders = np.zeros(len(buyers) + len(sellers), bool)
    traders[found.buyer] = True
    traders[len(buyers) + found.seller] = True
    assert traders.tolist() == answer.trades.tolist()
    value = sum(buyers[i] for i in found.buyer) - sum(sellers[j] for j in found.seller)
    assert value == answer.value
    assert set(zip(found.buyer.tolist(), found.seller.tolist(), strict=True)) <= set(edges)
    assert len(set(found.seller.tolist())) == found.seller.size
    spoken = set()
    for thresholds, shift in (
        (found.trading_buyers, 0),
        (found.trading_sellers, len(buyers)),
        (found.waiting_buyers, 0),
        (found.waiting_sellers, len(buyers)),
    ):
        for k in range(thresholds.agent.size):
            agent = int(thresholds.agent[k]) + shift
            spoken.add(agent)
            assert thresholds.level[k] == answer.level[agent]
            assert thresholds.wins_ties[k] == answer.wins_ties[agent]
            source = int(thresholds.source[k])
            weight = buyers[source] if source >= 0 else sellers[-1 - source]
            assert weight == thresholds.level[k]
    assert spoken == {a for a, level in enumerate(answer.level) if level is not None}


@pytest.mark.parametrize("spread", [1, 3, 12, 10_000])
@pytest.mark.parametrize("largest", [3, 5, 7])
def test_against_all_matchings(spread: int, largest: int) -> None:
    rng = np.random.default_rng([spread, largest])
    for _ in range(400 if largest < 7 else 120):
        n_buyers, n_sellers, edges, buyers, sellers = random_case(rng, largest, spread)
        graph = Graph(n_buyers, n_sellers, [i for i, _ in edges], [j for _, j in edges])
        check(graph, edges, buyers, sellers)


@pytest.mark.parametrize("spread", [1, 3, 12])
def test_complete_graphs(spread: int) -> None:
    rng = np.random.default_rng(spread)
    for _ in range(400):
        n_buyers, n_sellers, _, buyers, sellers = random_case(rng, 5, spread)
        edges = [(i, j) for i in range(n_buyers) for j in range(n_sellers)]
        check(Graph.complete_graph(n_buyers, n_sellers), edges, buyers, sellers)
        listed = Graph(n_buyers, n_sellers, [i for i, _ in edges], [j for _, j in edges])
        check(listed, edges, buyers, sellers)


def as_map(thresholds: Thresholds) -> dict[int, tuple[float, bool, int]]:
    rows = zip(thresholds.agent, thresholds.level, thresholds.wins_ties, strict=True)
    sources = thresholds.source.tolist()
    return {int(a): (float(x), bool(t), s) for (a, x, t), s in zip(rows, sources, strict=True)}


@pytest.mark.parametrize("size", [40, 300])
def test_complete_by_sorting_equals_complete_by_sweep(size: int) -> None:
    rng = np.random.default_rng(size)
    for spread in (3, 50, 10**6):
        buyers = rng.integers(0, spread, size).astype(float)
        sellers = rng.integers(0, spread, size + 7).astype(float)
        rows, columns = np.divmod(np.arange(size * (size + 7)), size + 7)
        sorted_ = best_matching(Graph.complete_graph(size, size + 7), buyers, sellers)
        swept = best_matching(Graph(size, size + 7, rows, columns), buyers, sellers)
        assert (sorted_.solver, swept.solver) == ("sort", "sweep")
        assert set(sorted_.buyer.tolist()) == set(swept.buyer.tolist())
        assert set(sorted_.seller.tolist()) == set(swept.seller.tolist())
        for side in ("trading_buyers", "trading_sellers", "waiting_buyers", "waiting_sellers"):
            assert as_map(getattr(sorted_, side)) == as_map(getattr(swept, side))


@st.composite
def graphs(draw):
    n_buyers = draw(st.integers(0, 12))
    n_sellers = draw(st.integers(0, 12))
    everything = [(i, j) for i in range(n_buyers) for j in range(n_sellers)]
    edges = draw(st.lists(st.sampled_from(everything), unique=True)) if everything else []
    weights = st.integers(0, 4)
    buyers = draw(st.lists(weights, min_size=n_buyers, max_size=n_buyers))
    sellers = draw(st.lists(weights, min_size=n_sellers, max_size=n_sellers))
    return edges, buyers, sellers


@settings(max_examples=300)
@given(graphs(), st.data())
def test_partner_does_not_depend_on_own_report(case, data) -> None:
    """Lemma 4.4: while an agent trades, her report moves neither her partner nor the others."""
    edges, buyers, sellers = case
    if not buyers or not sellers:
        return
    graph = Graph(len(buyers), len(sellers), [i for i, _ in edges], [j for _, j in edges])
    first = best_matching(graph, np.array(buyers, float), np.array(sellers, float))
    side = data.draw(st.sampled_from(["buyer", "seller"]))
    weights = {"buyer": np.array(buyers, float), "seller": np.array(sellers, float)}
    agent = data.draw(st.integers(0, weights[side].size - 1))
    weights[side][agent] = data.draw(st.integers(0, 9)) / 2
    second = best_matching(graph, weights["buyer"], weights["seller"])
    if agent in getattr(first, side) and agent in getattr(second, side):
        assert first.buyer.tolist() == second.buyer.tolist()
        assert first.seller.tolist() == second.seller.tolist()


def test_infinite_weights_keep_agents_out() -> None:
    graph = Graph.complete_graph(2, 2)
    found = best_matching(graph, np.array([-np.inf, 1.0]), np.array([np.inf, 0.0]))
    assert (found.buyer.tolist(), found.seller.tolist()) == ([1], [1])
    assert found.trading_buyers.level.tolist() == [0.0]


@pytest.mark.parametrize("bad", [np.array([np.nan]), np.array([1.0, 2.0])])
def test_bad_weights_are_refused(bad) -> None:
    with pytest.raises(ValueError, match=r"weight"):
        best_matching(Graph.complete_graph(1, 1), bad, np.array([0.0]))
