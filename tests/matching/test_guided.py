"""The guided sweep of large graphs against the simple sweep and brute force, in every shape."""

from __future__ import annotations

import _thread
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from catallax.errors import UnsupportedMarketError
from catallax.markets import Graph
from catallax.matching.order import order_agents
from catallax.matching.parallel import both
from catallax.matching.plain import guided, kernels_pairing, pairs, ranked
from catallax.matching.plain.guided import match_guided
from tests.matching.shapes import SHAPES, Case, draw
from tests.matching.test_sweep import check

# HYPOTHESIS_PROFILE=hunt asks for many more, as everywhere.
HUNT = os.environ.get("HYPOTHESIS_PROFILE") == "hunt"
MARKETS = 10_000 if HUNT else 100
# From the first edge on, soon, or hardly ever is a search guided.
NEAR = [0, 0, 1, 3, 10, 40, 512]


def graph_of(case: Case) -> Graph:
    sides = case.buyer_weights.size, case.seller_weights.size
    return Graph(*sides, case.buyer, case.seller)


def assert_equal(case: Case, near: int | None = None) -> int:
    """Compare trades, pairs and the source of every threshold; count the trades."""
    graph = graph_of(case)
    agent_at = order_agents(case.buyer_weights, case.seller_weights)
    simple = ranked._by_sweep(graph, agent_at)
    fast = match_guided(graph, agent_at, near=near)
    for expected, found in zip([*simple[:2], *simple[2]], [*fast[:2], *fast[2]], strict=True):
        assert expected.tolist() == found.tolist()
    edges = case.buyer.astype(np.int64) * graph.n_sellers + case.seller
    assert np.isin(fast[0].astype(np.int64) * graph.n_sellers + fast[1], edges).all()
    assert np.unique(fast[1]).size == fast[1].size
    return fast[0].size


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_simple_sweep(shape: str) -> None:
    trades = 0
    for k in range(MARKETS):
        rng = np.random.default_rng([k, len(shape)])
        size = int(rng.choice([1, 3, 10, 30, 100, 300], p=[0.1, 0.2, 0.3, 0.25, 0.12, 0.03]))
        trades += assert_equal(draw(shape, size, rng), int(rng.choice(NEAR)))
    assert (trades > 0) == (shape != "empty_side")


@pytest.mark.parametrize("shape", SHAPES)
def test_against_all_matchings(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranked, "fits", lambda graph: True)
    for k in range(MARKETS if HUNT else 25):
        rng = np.random.default_rng([k, len(shape), 1])
        case = draw(shape, int(rng.integers(1, 5)), rng)
        if case.buyer.size > 24:
            continue
        near = int(rng.choice(NEAR))
        monkeypatch.setattr(ranked, "find_traders", partial(guided.find_traders, near=near))
        # Brute force adds weights, and so wants whole numbers: the order and the ties decide.
        weights = np.concatenate([case.buyer_weights, case.seller_weights])
        whole = np.unique(weights, return_inverse=True)[1].tolist()
        n = case.buyer_weights.size
        edges = list(zip(case.buyer.tolist(), case.seller.tolist(), strict=True))
        check(graph_of(case), edges, whole[:n], whole[n:])


def test_whatever_is_asked_for_first_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    case = draw("random", 12_000, np.random.default_rng(3), "tied")
    graph, weights = graph_of(case), (case.buyer_weights, case.seller_weights)
    expected = ranked._by_sweep(graph, order_agents(*weights))
    counted: list[str] = []

    def count(name: str, find: Callable[[guided.Traders], object]) -> None:
        def counting(traders: guided.Traders) -> object:
            counted.append(name)
            return find(traders)

        monkeypatch.setattr(guided.Traders, name, counting)

    count("pairs", guided.Traders.pairs)
    count("labels", guided.Traders.labels)

    thresholds = expected[2][0][expected[0]]
    for first in ("seller", "trading_buyers", "trading_sellers", "waiting_buyers", "pair_bounds"):
        counted.clear()
        matching = ranked.match_by_rank(graph, *weights)
        assert isinstance(matching, ranked.LargeMatching)
        getattr(matching, first)
        assert matching.buyer.tolist() == expected[0].tolist()
        assert matching.seller.tolist() == expected[1].tolist()
        for labels, side in zip(expected[2], matching._labels, strict=True):
            assert labels.tolist() == side.tolist()
        source = matching._agent_at[thresholds]
        assert matching.trading_buyers.source.tolist() == source.tolist()
        assert sorted(counted) == ["labels", "pairs"]


@pytest.mark.parametrize("weights", ["distinct", "tied", "ud"])
@pytest.mark.parametrize("shape", ["random", "skewed", "blocks", "grid"])
def test_large_graphs_as_they_come(shape: str, weights: str) -> None:
    """Large enough for distances to be measured, with nothing set by hand."""
    case = draw(shape, 12_000, np.random.default_rng(3), weights)
    assert guided.fits(graph_of(case))
    assert assert_equal(case) > 100


def test_size_decides_which_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    def spy(*arguments):
        called.append(True)
        return guided.find_traders(*arguments)

    monkeypatch.setattr(ranked, "find_traders", spy)
    for n_edges, expected in ((guided.FEWEST_EDGES - 1, False), (guided.FEWEST_EDGES, True)):
        called.clear()
        buyer, seller = np.divmod(np.arange(n_edges), 200)
        ranked.match_by_rank(Graph(125, 200, buyer, seller), np.ones(125), np.zeros(200))
        assert bool(called) == expected


def test_pairs_depend_on_the_two_sets_alone() -> None:
    """Traders far apart in weight or equal: the same two sets, the same pairs."""
    for shape in ("grid", "random", "blocks"):
        rng = np.random.default_rng(5)
        case = draw(shape, 400, rng, "distinct")
        graph = graph_of(case)
        agent_at = order_agents(case.buyer_weights, case.seller_weights)
        buyer, seller, _ = match_guided(graph, agent_at)
        # Everybody who trades is indifferent now, and nobody else wants to.
        bids, asks = np.full(graph.n_buyers, -1.0), np.full(graph.n_sellers, 2.0)
        bids[buyer], asks[seller] = 1.0, 1.0
        again = match_guided(graph, order_agents(bids, asks), near=0)
        assert (again[0].tolist(), again[1].tolist()) == (buyer.tolist(), seller.tolist())
        paired = kernels_pairing.pairing(*graph.by_buyer, buyer, np.sort(seller), graph.n_sellers)
        assert paired.tolist() == seller.tolist()


def paired_with(
    graph: Graph, buyer: np.ndarray, seller: np.ndarray, parts: np.ndarray, here: int
) -> tuple[np.ndarray, int]:
    """Pair by the kernels; return the place of each partner, and how many had to search."""
    n, (start, neighbours) = buyer.size, graph.by_buyer
    count, mate = np.empty(n, np.int32), np.empty(2 * n, np.int32)
    begin, queue = np.empty(2 * n + 1, np.int32), np.empty(2 * n + 1, np.int32)
    state = np.empty(2 * n, np.int64)
    around = np.empty(2 * int(kernels_pairing.edges_of(start, buyer)), np.int32)
    edges = kernels_pairing.rows_of_traders(
        start, neighbours, buyer, seller, graph.n_sellers, count, begin, state, around
    )
    left = kernels_pairing.force_pairs(begin, state, around, mate, queue, parts)
    if left > 0:
        space = np.empty(kernels_pairing.room_for_the_rest(edges, n), np.int32)
        kernels_pairing.search_for_the_rest(begin, around, mate, space, parts, here)
    return mate[:n] - n, left


@pytest.mark.parametrize("here", [0, 3, 4096])
def test_pairs_are_edges_and_all_are_paired_however_far_a_search_looks(here: int) -> None:
    searched = 0
    for k in range(80):
        rng = np.random.default_rng(k)
        shape = str(rng.choice(["grid", "random", "spatial"]))
        case = draw(shape, int(rng.choice([100, 2000])), rng, "tied")
        graph = graph_of(case)
        agent_at = order_agents(case.buyer_weights, case.seller_weights)
        buyer, seller, _ = ranked._by_sweep(graph, agent_at)
        seller = np.sort(seller)
        n, (start, neighbours) = buyer.size, graph.by_buyer
        partner, left = paired_with(graph, buyer, seller, np.array([0, n]), here)
        searched += left
        assert sorted(partner.tolist()) == list(range(n))
        for x, y in zip(buyer.tolist(), seller[partner].tolist(), strict=True):
            assert y in neighbours[start[x] : start[x + 1]]
    assert searched > 20


@pytest.mark.parametrize("here", [0, 3, 20, 4096])
def test_each_of_many_markets_is_paired_as_it_is_alone(here: int) -> None:
    searched = 0
    for k in range(12):
        rng = np.random.default_rng(k)
        buyers, sellers, ends, alone, sizes, traders = [], [], [], [], np.zeros(2, int), [0]
        for _ in range(5):
            case = draw(str(rng.choice(["grid", "random", "spatial"])), 500, rng, "tied")
            graph = graph_of(case)
            agent_at = order_agents(case.buyer_weights, case.seller_weights)
            buyer, seller, _ = ranked._by_sweep(graph, agent_at)
            seller = np.sort(seller)
            partner, left = paired_with(graph, buyer, seller, np.array([0, buyer.size]), here)
            searched += left
            alone.append(partner + traders[-1])
            buyers.append(buyer + sizes[0])
            sellers.append(seller + sizes[1])
            ends.append(np.stack([graph.buyer, graph.seller]) + sizes[:, None])
            traders.append(traders[-1] + buyer.size)
            sizes += [graph.n_buyers, graph.n_sellers]
        joined = Graph(*sizes.tolist(), *np.concatenate(ends, axis=1))
        both_sides = (np.concatenate(side).astype(np.int32) for side in (buyers, sellers))
        together, _ = paired_with(joined, *both_sides, np.array(traders), here)
        assert together.tolist() == np.concatenate(alone).tolist()
    assert searched > 20


def test_longer_numbers_and_too_many_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """What more edges would need than fit here, on a graph that leaves some to be searched for."""
    case = draw("random", 2000, np.random.default_rng(5), "tied")
    graph = graph_of(case)
    buyer, seller, _ = match_guided(graph, order_agents(case.buyer_weights, case.seller_weights))
    monkeypatch.setattr(pairs, "SHORT", 1)
    assert pairs.pair_traders(graph, buyer, np.sort(seller)).tolist() == seller.tolist()
    monkeypatch.setattr(pairs, "MOST_EDGES", 1)
    with pytest.raises(UnsupportedMarketError, match="leave edges out"):
        pairs.pair_traders(graph, buyer, np.sort(seller))


def test_an_error_in_either_thread_is_raised() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    for pieces in ((fail, int), (int, fail)):
        with pytest.raises(ZeroDivisionError):
            both(*pieces)


def test_without_another_thread_one_piece_comes_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*work: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    here = threading.get_ident()
    assert both(threading.get_ident, threading.get_ident) == (here, here)


def test_the_second_piece_is_done_when_the_first_one_fails() -> None:
    let_go, done = threading.Event(), []

    def second() -> None:
        let_go.wait(10.0)
        done.append(threading.get_ident())

    def first() -> None:
        let_go.set()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        both(first, second)
    assert done and done[0] != threading.get_ident()


def test_the_first_piece_sees_what_the_caller_has_set() -> None:
    setting = contextvars.ContextVar("setting", default="usual")
    setting.set("own")
    assert both(setting.get, int) == ("own", 0)


def test_a_matching_is_whole_after_an_error_and_for_many_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = draw("random", 12_000, np.random.default_rng(3), "tied")
    graph, weights = graph_of(case), (case.buyer_weights, case.seller_weights)
    expected = ranked._by_sweep(graph, order_agents(*weights))

    def fail(traders: guided.Traders) -> None:
        raise MemoryError

    for name in ("pairs", "labels"):
        matching = ranked.match_by_rank(graph, *weights)
        with monkeypatch.context() as broken:
            broken.setattr(guided.Traders, name, fail)
            with pytest.raises(MemoryError):
                assert matching.seller is matching.trading_sellers
        assert matching.seller.tolist() == expected[1].tolist()
        assert matching.trading_buyers.agent.tolist() == expected[0].tolist()
    for _ in range(5):
        matching = ranked.match_by_rank(graph, *weights)
        with ThreadPoolExecutor(3) as pool:
            asked = [pool.submit(getattr, matching, name) for name in ("seller", "_labels") * 2]
        assert asked[0].result().tolist() == expected[1].tolist()
        assert asked[1].result()[0].tolist() == expected[2][0].tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_of_the_size_asked_for(shape: str) -> None:
    rng = np.random.default_rng(0)
    largest = max(draw(shape, 400, rng).buyer.size for _ in range(20))
    assert (0 if shape == "empty_side" else 200) <= largest < 4000
