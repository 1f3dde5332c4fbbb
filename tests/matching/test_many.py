"""Many markets in one pass: each gets what it would get alone, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.markets import Graph
from catallax.matching import Thresholds, best_matching, rank_agents
from catallax.matching.plain import guided, kernels_many, ranked
from catallax.matching.plain.many import match_markets, sort_markets

SIDES = ("trading_buyers", "trading_sellers", "waiting_buyers", "waiting_sellers")


def starts_of(sizes) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def weights_of(rng: np.random.Generator, size: int, spread: int) -> np.ndarray:
    """Draw weights with many ties, and some agents that are kept out or forced in."""
    drawn = rng.integers(0, spread + 1, size).astype(float)
    drawn[rng.random(size) < 0.05] = -np.inf
    drawn[rng.random(size) < 0.05] *= -1  # also a negative zero
    return drawn


def edges_of(rng: np.random.Generator, n_buyers: int, n_sellers: int) -> np.ndarray:
    density = rng.random() if n_buyers < 15 else 3 / n_buyers
    pairs = np.argwhere(rng.random((n_buyers, n_sellers)) < density)
    return rng.permutation(pairs)


def in_rows(thresholds: Thresholds, agents: int, others: int, *, buyers: bool):
    """List thresholds with positions moved down by those of the markets before."""
    mine, theirs = (agents, others) if buyers else (others, agents)
    source = thresholds.source.astype(np.int64)
    moved = np.where(source >= 0, source - mine, source + theirs)
    rows = zip(
        thresholds.agent - agents, thresholds.level, thresholds.wins_ties, moved, strict=True
    )
    return [(int(a), float(x), bool(t), int(s)) for a, x, t, s in rows]


def check(
    rng: np.random.Generator, markets: int, largest: int, spread: int, sparse: bool, huge: int = 0
) -> int:
    sizes = rng.integers(0, largest + 1, (markets, 2))
    if huge:
        sizes[markets // 2] = huge
    buyer_start, seller_start = starts_of(sizes[:, 0]), starts_of(sizes[:, 1])
    buyers = weights_of(rng, int(buyer_start[-1]), spread)
    sellers = -weights_of(rng, int(seller_start[-1]), spread)
    edges = [edges_of(rng, *map(int, size)) for size in sizes]
    graph = None
    if sparse:
        shifts = np.stack([buyer_start[:-1], seller_start[:-1]], axis=1)
        joined = [own + shift for own, shift in zip(edges, shifts, strict=True)]
        ends = rng.permutation(np.concatenate([np.empty((0, 2), int), *joined]))
        graph = Graph(buyers.size, sellers.size, ends[:, 0], ends[:, 1])
    found = match_markets(graph, buyer_start, seller_start, buyers, sellers)
    pairs = np.stack([found.buyer, found.seller], axis=1)
    trades = 0
    for m in range(markets):
        b, s = slice(*buyer_start[m : m + 2]), slice(*seller_start[m : m + 2])
        n_buyers, n_sellers = map(int, sizes[m])
        own = Graph(n_buyers, n_sellers, *edges[m].T.reshape(2, -1))
        own = own if sparse else Graph.complete_graph(n_buyers, n_sellers)
        alone = best_matching(own, buyers[b], sellers[s])
        assert alone.solver == found.solver
        here = (found.buyer >= b.start) & (found.buyer < b.stop)
        moved = pairs[here] - [b.start, s.start]
        assert moved.tolist() == np.stack([alone.buyer, alone.seller], axis=1).tolist()
        trades += len(moved)
        for side in SIDES:
            of_buyers = side.endswith("buyers")
            at, other = (b, s) if of_buyers else (s, b)
            whole = in_rows(getattr(found, side), at.start, other.start, buyers=of_buyers)
            mine = [row for row in whole if 0 <= row[0] < at.stop - at.start]
            assert mine == in_rows(getattr(alone, side), 0, 0, buyers=of_buyers)
    return trades


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("spread", [1, 4, 10**6])
def test_every_market_gets_what_it_gets_alone(spread: int, sparse: bool) -> None:
    rng = np.random.default_rng([spread, sparse])
    for largest in (2, 4, 7):
        for _ in range(5):
            assert check(rng, 40, largest, spread, sparse)


@pytest.mark.parametrize("sparse", [True, False])
def test_larger_markets_beside_small_ones(sparse: bool) -> None:
    # Larger graphs are not paired by forced pairs alone, and longer rows sorted otherwise.
    rng = np.random.default_rng(sparse)
    for largest, spread in ((90, 10**6), (90, 30), (250, 2)):
        assert check(rng, 20, largest, spread, sparse)


def test_a_huge_market_among_small_ones_is_swept_as_it_is_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swept = []

    find = guided.find_traders

    def spy(graph: Graph, *given: np.ndarray, near: int | None = None):
        swept.append(graph.n_buyers)
        return find(graph, *given, near=near)

    for module in (guided, ranked):
        monkeypatch.setattr(module, "find_traders", spy)
        monkeypatch.setattr(module, "FEWEST_EDGES", 200)
    rng = np.random.default_rng(8)
    for spread in (3, 10**6):
        swept.clear()
        assert check(rng, 9, 7, spread, sparse=True, huge=150)
        # All of them once, together, and then the huge one alone.
        assert [buyers == 150 for buyers in swept] == [False, True]
    swept.clear()
    assert check(rng, 40, 7, 4, sparse=True)
    assert not swept  # small ones, however many


def test_no_market_and_markets_of_nobody() -> None:
    for n in (0, 3):
        start, nobody = np.zeros(n + 1, np.int64), np.empty(0)
        for graph in (None, Graph(0, 0)):
            found = match_markets(graph, start, start, nobody, nobody)
            assert found.buyer.size == found.waiting_sellers.agent.size == 0


def test_a_weight_that_is_no_number_is_refused() -> None:
    start = np.array([0, 1])
    with pytest.raises(ValueError, match="NaN"):
        match_markets(None, start, start, np.array([np.nan]), np.array([1.0]))


def test_ranks_within_a_market_are_those_of_the_market_alone() -> None:
    rng = np.random.default_rng(5)
    for largest in (4, 120):
        sizes = rng.integers(0, largest, (30, 2))
        buyer_start, seller_start = starts_of(sizes[:, 0]), starts_of(sizes[:, 1])
        buyers = weights_of(rng, int(buyer_start[-1]), 5)
        sellers = -weights_of(rng, int(seller_start[-1]), 5)
        ranks = kernels_many.rank_markets(buyer_start, seller_start, -buyers, sellers)
        for m in range(30):
            b, s = slice(*buyer_start[m : m + 2]), slice(*seller_start[m : m + 2])
            alone = rank_agents(buyers[b], sellers[s])
            before = b.start + s.start
            assert (ranks[0][b] - before).tolist() == alone[0].tolist()
            assert (ranks[1][s] - before).tolist() == alone[1].tolist()
            at = ranks[2][before : b.stop + s.stop]
            assert np.where(at >= 0, at - b.start, at + s.start).tolist() == alone[2].tolist()


def test_sorted_markets_count_their_trades() -> None:
    start = np.array([0, 2, 4, 4]), np.array([0, 1, 3, 4])
    found = sort_markets(*start, np.array([3.0, 5.0, 1.0, 1.0]), np.array([4.0, 1.0, 1.0, 0.0]))
    assert found.count.tolist() == [1, 2, 0]
    assert found.buyers.tolist() == [1, 0, 2, 3]


# Halves, neighbours and large numbers beside small ones: where rounding twice is not rounding once.
NUMBERS = st.floats(-1e308, 1e308) | st.sampled_from(
    [1.0, 2.0**-53, -(2.0**-53), 2.0**-106, 2.0**53, -(2.0**53), 1e16, -1e16, 0.1, -0.0, 5e-324]
)


@given(st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8), max_size=6), st.booleans())
def test_sums_are_rounded_once(stretches, both: bool) -> None:
    pairs = [pair for stretch in stretches for pair in stretch]
    added = np.array([one for one, _ in pairs])
    taken = np.array([two for _, two in pairs]) if both else np.empty(0)
    sums = kernels_many.exact_sums(starts_of([len(own) for own in stretches]), added, taken)
    for total, stretch in zip(sums.tolist(), stretches, strict=True):
        terms = [one for one, _ in stretch] + [-two for _, two in stretch if both]
        try:
            assert math.copysign(1, total) == math.copysign(1, math.fsum(terms)) or total == 0
            assert total == math.fsum(terms)
        except OverflowError:
            assert math.isnan(total)


def test_sums_of_what_is_not_finite_are_not_numbers() -> None:
    sums = kernels_many.exact_sums(
        np.array([0, 1, 2, 3]), np.array([np.inf, np.nan, 1.0]), np.array([np.inf, 0.0, 0.5])
    )
    assert np.isnan(sums[:2]).all() and sums[2] == 0.5


def test_a_sum_of_many_sizes_keeps_every_part() -> None:
    terms = np.concatenate([2.0 ** np.arange(-1000, 1000, 3), -(2.0 ** np.arange(-999, 999, 3))])
    sums = kernels_many.exact_sums(np.array([0, terms.size]), terms, np.empty(0))
    assert sums[0] == math.fsum(terms.tolist())
