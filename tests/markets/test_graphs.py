"""Graphs by position, and random ones from a seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.errors import CatallaxError, DuplicateEdgeError, UnknownAgentError
from catallax.markets import Graph
from catallax.markets.random_graphs import degree_skewed, neighbours, sparse_random, spatial

KINDS = [sparse_random, degree_skewed, spatial]


def pairs(graph: Graph) -> list[tuple[int, int]]:
    return list(zip(graph.buyer.tolist(), graph.seller.tolist(), strict=True))


@settings(deadline=None)
@given(edges=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), unique=True))
def test_neighbours_are_those_of_the_edges(edges):
    graph = Graph(7, 5, [b for b, _ in edges], [s for _, s in edges])
    assert pairs(graph) == edges
    for (starts, others), number, own in ((graph.by_buyer, 7, 0), (graph.by_seller, 5, 1)):
        assert (starts.dtype, others.dtype) == (np.int64, np.int32)
        for agent in range(number):
            expected = sorted(edge[1 - own] for edge in edges if edge[own] == agent)
            assert others[starts[agent] : starts[agent + 1]].tolist() == expected


@settings(deadline=None)
@given(
    edges=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), unique=True, min_size=1),
    data=st.data(),
)
def test_a_repeated_edge_is_found(edges, data):
    again = data.draw(st.integers(0, len(edges) - 1))
    place = data.draw(st.integers(again + 1, len(edges)))
    repeated = [*edges[:place], edges[again], *edges[place:]]
    with pytest.raises(DuplicateEdgeError, match=f"edges {again} and {place} both join"):
        Graph(4, 4, [b for b, _ in repeated], [s for _, s in repeated])


def test_ends_that_are_nobody():
    with pytest.raises(UnknownAgentError, match="edge 1 names buyer 2"):
        Graph(2, 2, [0, 2], [0, 0])
    with pytest.raises(UnknownAgentError, match="edge 0 names seller -1"):
        Graph(2, 2, [0], [-1])
    with pytest.raises(CatallaxError, match="as many"):
        Graph(2, 2, [0], [])
    with pytest.raises(CatallaxError, match="whole positions"):
        Graph(2, 2, [0.5], [0])
    with pytest.raises(CatallaxError, match="out of range"):
        Graph(2**31, 2)


def test_a_complete_graph_keeps_no_edges():
    graph = Graph.complete_graph(2**20, 2**20)
    assert graph.n_edges == 2**40
    assert len(graph.buyer) == 0
    with pytest.raises(CatallaxError, match="keeps no lists"):
        _ = graph.by_seller


def test_arrays_are_read_only():
    graph = Graph(2, 2, np.array([0, 1]), np.array([0, 1]))
    for array in (graph.buyer, graph.seller, *graph.by_buyer, *graph.by_seller):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


# ------------------------------------------------------------------------------------ random graphs


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_the_same_graph(kind):
    one = pairs(kind(300, 200, 4, rng=5))
    assert one == pairs(kind(300, 200, 4, rng=np.random.default_rng(5)))
    assert one != pairs(kind(300, 200, 4, rng=6))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_buyers", "n_sellers"), [(0, 0), (0, 5), (5, 0)])
def test_empty_sides(kind, n_buyers, n_sellers):
    assert kind(n_buyers, n_sellers, 0, rng=1).n_edges == 0


@pytest.mark.parametrize("kind", [sparse_random, degree_skewed])
@pytest.mark.parametrize("degree", [0, 0.4, 1, 2.5, 4])
def test_the_number_of_edges_is_exact(kind, degree):
    graph = kind(6, 4, degree, rng=2)
    assert graph.n_edges == round(6 * degree)
    assert len(set(pairs(graph))) == graph.n_edges


@pytest.mark.parametrize("kind", [sparse_random, degree_skewed])
def test_more_edges_than_pairs(kind):
    with pytest.raises(CatallaxError, match="degree from 0 to 4"):
        kind(6, 4, 4.5, rng=1)


def test_negative_degrees_and_impossible_skews():
    with pytest.raises(CatallaxError, match="at least 0"):
        spatial(5, 5, -1, rng=1)
    with pytest.raises(CatallaxError, match="cannot be so skewed"):
        degree_skewed(2, 200, 150, rng=1, exponent=60.0)


def test_every_pair_is_equally_likely():
    """Three of twelve pairs in each of 480 graphs: 120 a pair, within 4 standard deviations."""
    counts = np.zeros((4, 3))
    for seed in range(480):
        graph = sparse_random(4, 3, 0.75, rng=seed)
        counts[graph.buyer, graph.seller] += 1
    assert counts.sum() == 480 * 3
    assert np.abs(counts - 120).max() < 4 * np.sqrt(480 * 0.25 * 0.75)


def test_the_skewed_graph_follows_its_law():
    graph = degree_skewed(20_000, 1000, 2, rng=3)
    degrees = np.diff(graph.by_seller[0])
    weights = np.arange(1, 1001) ** -0.75
    expected = 40_000 * weights / weights.sum()
    # The most popular fifty lose some to repeats; beyond them the law holds.
    assert abs(degrees[50:].sum() / expected[50:].sum() - 1) < 0.05
    assert degrees[:10].mean() > 15 * degrees[-100:].mean()


@settings(deadline=None, max_examples=40)
@given(
    n_buyers=st.integers(0, 40),
    n_sellers=st.integers(0, 40),
    radius=st.sampled_from([0.0, 1e-4, 0.03, 0.2, 0.49, 0.5, 0.51, 1.0, 2.0]),
    seed=st.integers(0, 2**32),
)
def test_the_spatial_graph_joins_all_within_the_radius_and_no_others(
    n_buyers, n_sellers, radius, seed
):
    generator = np.random.default_rng(seed)
    buyers, sellers = generator.random((n_buyers, 2)), generator.random((n_sellers, 2))
    gaps = ((buyers[:, None] - sellers[None]) ** 2).sum(axis=2)
    expected = [tuple(pair) for pair in np.argwhere(gaps <= radius * radius).tolist()]
    assert pairs(neighbours(buyers, sellers, radius)) == expected
