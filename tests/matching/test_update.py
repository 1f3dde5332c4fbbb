"""Followed matchings against brute force and against matching afresh, blocs included."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from catallax.markets import Graph
from catallax.markets.random_graphs import degree_skewed, sparse_random, spatial
from catallax.matching import best_matching
from catallax.matching.updates import stores
from catallax.matching.updates.follow import follow, start
from catallax.matching.updates.kernels_journal import INSIDE, SHARES
from catallax.matching.updates.stores import LabelStore, rows_of
from tests.matching.brute_force import all_matchings, solve
from tests.mechanisms.updates import same_matching


@pytest.fixture(params=[1, 200], ids=["blocs of any size", "blocs only where they pay"])
def large(request, monkeypatch):
    """Build a bloc around any pair that loses a label, or as in earnest."""
    monkeypatch.setattr(stores, "_LARGE", request.param)
    return request.param


def weights_of(rng, number, values, outside):
    """Draw few different weights, zeros of both signs among them, and some who are kept out."""
    weights = rng.integers(0, values, number).astype(float)
    weights[rng.random(number) < 0.05] = -0.0
    weights[rng.random(number) < 0.08] = outside
    return weights


def after(old, agents, weights, n_buyers):
    both = np.concatenate([old.buyer_weights, old.seller_weights])
    both[agents] = weights
    return both[:n_buyers], both[n_buyers:]


def test_many_changes_that_will_not_pay_leave_all_as_it_was(monkeypatch):
    """Some lose many labels: it gives up on the way, and takes back what is done."""
    rng = np.random.default_rng(3)
    monkeypatch.setattr(stores, "_LARGE", 1)
    gave_up = 0
    for _ in range(60):
        n_buyers, n_sellers = (int(n) for n in rng.integers(12, 30, 2))
        graph = Graph(n_buyers, n_sellers, *np.nonzero(rng.random((n_buyers, n_sellers)) < 0.3))
        drawn = rng.integers(0, 9, n_buyers + n_sellers).astype(float)
        old = best_matching(graph, drawn[:n_buyers], drawn[n_buyers:])
        now = start(old)
        agents = rng.choice(n_buyers + n_sellers, 20, False)
        weights = rng.integers(0, 9, 20).astype(float)
        found = follow(now, agents, weights)
        gave_up += found is None
        if found is not None:
            same_matching(found[0], best_matching(graph, *after(now, agents, weights, n_buyers)))
        same_matching(now, old)
        # And it goes on from there.
        one = follow(now, agents[:1], weights[:1])
        assert one is not None
        fresh = best_matching(graph, *after(now, agents[:1], weights[:1], n_buyers))
        same_matching(one[0], fresh)
    assert gave_up > 5


def test_every_small_update_is_the_matching_afresh(large):
    rng = np.random.default_rng(20 + large)
    crossed = 0
    for _ in range(120):
        n_buyers, n_sellers = (int(n) for n in rng.integers(0, 9, 2))
        if rng.integers(4):
            pairs = rng.random((n_buyers, n_sellers)) < rng.choice([0.15, 0.3, 0.6])
            graph = Graph(n_buyers, n_sellers, *np.nonzero(pairs))
        else:
            graph = Graph.complete_graph(n_buyers, n_sellers)
        values, n_agents = int(rng.choice([2, 4, 10, 1000])), n_buyers + n_sellers
        now = start(
            best_matching(
                graph,
                weights_of(rng, n_buyers, values, -np.inf),
                weights_of(rng, n_sellers, values, np.inf),
            )
        )
        for _ in range(8):
            agents = rng.choice(n_agents, min(n_agents, int(rng.choice([1, 1, 2, 3]))), False)
            weights = np.where(
                agents < n_buyers,
                weights_of(rng, agents.size, values, -np.inf),
                weights_of(rng, agents.size, values, np.inf),
            )
            fresh = best_matching(graph, *after(now, agents, weights, n_buyers))
            found = follow(now, agents, weights)
            assert found is not None
            crossed += not np.array_equal(now.buyer, found[0].buyer)
            same_matching(found[0], fresh)
            now = found[0] if rng.random() < 0.9 else start(fresh)
    assert crossed > 100


def test_small_updates_against_brute_force(large):
    rng = np.random.default_rng(large)
    for _ in range(25):
        n_buyers, n_sellers = (int(n) for n in rng.integers(1, 5, 2))
        edges = np.argwhere(rng.random((n_buyers, n_sellers)) < 0.6).tolist()
        matchings = all_matchings(n_buyers, n_sellers, [tuple(edge) for edge in edges])
        graph = Graph(n_buyers, n_sellers, *np.array(edges, int).reshape(-1, 2).T)
        now = start(best_matching(graph, np.zeros(n_buyers), np.zeros(n_sellers)))
        for _ in range(8):
            agent = rng.integers(0, n_buyers + n_sellers, 1)
            found = follow(now, agent, rng.integers(0, 5, 1).astype(float))
            assert found is not None
            now = found[0]
            answer = solve(matchings, now.buyer_weights.astype(int), now.seller_weights.astype(int))
            traders = np.zeros(n_buyers + n_sellers, bool)
            traders[now.buyer] = traders[n_buyers + now.seller] = True
            assert traders.tolist() == answer.trades.tolist()
            for thresholds, shift in (
                (now.trading_buyers, 0),
                (now.waiting_buyers, 0),
                (now.trading_sellers, n_buyers),
                (now.waiting_sellers, n_buyers),
            ):
                for k, who in enumerate(thresholds.agent.tolist()):
                    assert thresholds.level[k] == answer.level[shift + who]
                    assert thresholds.wins_ties[k] == answer.wins_ties[shift + who]


def state_of(matching):
    """Copy what is followed; the labels of the bloc are written out for all in it."""
    with matching.version.opened() as store:
        live = LabelStore.of(store.graph, store.arrays()).live
        trading = np.flatnonzero(live.partner >= 0)
        live.label[live.partner < 0] = -1
        live.label[trading] = store.sources(trading)
    return live


def bloc_proves_itself(state, graph):
    """Check that ties lead every member to the root, and count its neighbours again."""
    rows, n_buyers = rows_of(graph), graph.n_buyers
    inside = state.standing == INSIDE
    members = np.flatnonzero(inside).tolist()
    assert len(members) == 2 * state.bloc[2]
    assert (state.bloc[0] < 0) == (not members)
    for v in members:
        assert inside[state.partner[v]]
        steps, at = 0, v
        while at != state.bloc[0 if v < n_buyers else 1]:
            tie = int(state.tie[at])
            assert inside[tie]
            assert tie in rows.neighbours[rows.start[at] : rows.start[at + 1]]
            assert tie != state.partner[at]
            at, steps = int(state.partner[tie]), steps + 1
            assert steps <= len(members)
    for v in range(state.near.size):
        around = rows.neighbours[rows.start[v] : rows.start[v + 1]]
        assert state.near[v] == np.count_nonzero(inside[around])
    assert members or not state.standing.any()
    assert (state.partner[state.standing != 0] >= 0).all()


@pytest.mark.parametrize("kind", [sparse_random, spatial, degree_skewed])
def test_chains_in_markets_of_300_a_side(large, kind):
    rng = np.random.default_rng(7)
    blocs = 0
    for degree, decimals in ((3, 9), (20, 9), (12, 1)):
        graph = kind(300, 300, degree, 5)
        now = start(best_matching(graph, rng.random(300).round(decimals), rng.random(300)))
        for step in range(150):
            agents = rng.choice(600, int(rng.choice([1, 1, 5])), False)
            weights = rng.random(agents.size).round(decimals)
            before = state_of(now)
            found = follow(now, agents, weights)
            assert found is not None
            new, told = found
            state = state_of(new)
            moved = (state.label != before.label) | (
                (state.label >= 0) & (before.weight[before.label] != state.weight[state.label])
            )
            touched = told.agents.tolist()
            assert len(set(touched)) == len(touched)
            for side, sides in enumerate((slice(300), slice(300, 600))):
                if told.is_wide(side):
                    here = np.flatnonzero(state.standing[sides]) + 300 * side
                    touched.extend(set(here.tolist()) - set(touched))
            assert set(np.flatnonzero(moved).tolist()) <= set(touched)
            for k, who in enumerate(told.agents.tolist()):
                for old_or_new, labels in ((0, before), (1, state)):
                    source = labels.label[who]
                    assert told.sources[old_or_new, k] == source
                    assert source < 0 or told.levels[old_or_new, k] == labels.weight[source]
            blocs += state.bloc[2] > 20
            if step % 10 == 0:
                bloc_proves_itself(state, graph)
                fresh = best_matching(graph, *after(now, agents, weights, 300))
                same_matching(new, fresh)
            now = new
    if kind is sparse_random and large == 1:
        assert blocs > 50, blocs


@pytest.mark.parametrize("enough", [10, 60, 300])
def test_a_long_thin_bloc_is_given_up_when_it_takes_too_long_to_mend(monkeypatch, enough):
    """Along a line nearly all trade, and whoever leaves tears half of all ties."""
    monkeypatch.setattr(stores, "_LARGE", 1)
    monkeypatch.setattr(stores, "_SMALL", enough)
    rng = np.random.default_rng(4)
    buyers, steps = np.indices((80, 5))
    sellers = buyers + steps - 2
    there = (sellers >= 0) & (sellers < 80)
    graph = Graph(80, 80, buyers[there], sellers[there])
    gave_up = 0
    for _ in range(40):
        old = best_matching(
            graph, rng.integers(6, 10, 80).astype(float), rng.integers(0, 4, 80).astype(float)
        )
        first = start(old)
        for number in (1, 1, 3):
            agents, weights = rng.choice(80, number, False), np.zeros(number)
            found = follow(first, agents, weights)
            gave_up += found is None
            if found is not None:
                same_matching(found[0], best_matching(graph, *after(first, agents, weights, 80)))
            same_matching(first, old)
            bloc_proves_itself(state_of(first), graph)
            for space in stores._spaces[graph]:
                assert not space.room.is_torn.any() and not space.room.noted.any()
    assert gave_up > 20


@pytest.mark.parametrize("large", [1, 5])
def test_who_shares_the_common_price_is_found_again_when_it_changes(monkeypatch, large):
    """Some have another from then on, or the bloc no longer reaches them, or others join."""
    monkeypatch.setattr(stores, "_LARGE", large)
    rng = np.random.default_rng(12)
    shared = 0
    for size, levels in ((15, 6), (15, 1000), (30, 6), (30, 1000)):
        graph = sparse_random(size, size, 8, int(rng.integers(100)))
        both = rng.integers(0, levels, (2, size)) / levels
        now = start(best_matching(graph, *both))
        for _ in range(120):
            agents = rng.choice(2 * size, int(rng.choice([1, 1, 1, 3])), False)
            weights = rng.integers(0, levels, agents.size) / levels
            found = follow(now, agents, weights)
            fresh = best_matching(graph, *after(now, agents, weights, size))
            now = start(fresh) if found is None else found[0]
            same_matching(now, fresh)
            shared += np.count_nonzero(state_of(now).standing == SHARES)
    assert shared > 1000


def test_a_common_price_is_kept_as_one_from_the_first_outcome_on(monkeypatch):
    """Whoever tries one change after the other from there does not pay for it each time."""
    monkeypatch.setattr(stores, "_LARGE", 20)
    rng = np.random.default_rng(2)
    graph = sparse_random(300, 300, 20, 5)
    first = start(best_matching(graph, rng.random(300), rng.random(300)))
    bloc = state_of(first).bloc.tolist()
    assert bloc[2] > 100  # pairs
    for _ in range(40):
        agents, weights = rng.choice(600, 2, False), rng.random(2)
        found = follow(first, agents, weights)
        assert found is not None
        same_matching(found[0], best_matching(graph, *after(first, agents, weights, 300)))
        state = state_of(first)
        assert state.bloc.tolist() == bloc
        bloc_proves_itself(state, graph)


def test_where_few_share_a_price_each_is_kept_alone():
    rng = np.random.default_rng(2)
    graph = sparse_random(300, 300, 20, 5)  # a common price of fewer than stores._LARGE
    first = start(best_matching(graph, rng.random(300), rng.random(300)))
    assert state_of(first).bloc[2] == 0


def test_what_was_followed_from_stays(large):
    graph = sparse_random(50, 50, 4, 1)
    rng = np.random.default_rng(1)
    first = start(best_matching(graph, rng.random(50), rng.random(50)))
    chain = [first]
    for agent in rng.integers(0, 100, 20):
        found = follow(chain[-1], np.array([agent]), rng.random(1))
        assert found is not None
        chain.append(found[0])
    for one in chain:
        same_matching(one, best_matching(graph, one.buyer_weights, one.seller_weights))
    with pytest.raises(ValueError, match="read-only"):
        chain[-1].buyer_weights[0] = 1.0


def test_no_number_is_no_weight():
    old = start(best_matching(Graph(1, 1, [0], [0]), np.ones(1), np.zeros(1)))
    with pytest.raises(ValueError, match="NaN"):
        follow(old, np.array([0]), np.array([np.nan]))


def test_rows_are_kept_for_as_long_as_their_graph():
    graph = sparse_random(20, 20, 3, 1)
    rows = rows_of(graph)
    assert rows_of(graph) is rows
    starts, neighbours = graph.by_seller
    assert np.array_equal(rows.start[20:] - rows.start[20], starts)
    assert np.array_equal(rows.neighbours[rows.start[20] :], neighbours)
    gone = weakref.ref(graph)
    del graph, starts, neighbours
    gc.collect()
    assert gone() is None
