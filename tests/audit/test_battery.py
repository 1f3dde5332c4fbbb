"""The battery of small markets: what it must contain, and that it is the same every time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import catallax as cx
from catallax.audit.claims.battery import battery, fixed_markets, random_market
from catallax.audit.setting import Setting
from catallax.markets import Market, families
from catallax.mechanisms import get, names
from tests.audit.ours import quick

FIXED = fixed_markets()
MANY = [random_market(seed) for seed in range(120)]


def kinds(markets: list[Market]) -> set[str]:
    return {
        rule["kind"] if isinstance(rule, dict) else rule.kind
        for market in markets
        for rule in market.constraints
    }


def sizes(markets: list[Market]) -> set[tuple[int, int]]:
    return {(len(market.buyers), len(market.sellers)) for market in markets}


def setting(market: Market) -> Setting:
    on_edges = "bid" in market.edge_table.columns
    return Setting.of(market, get("sapp" if on_edges else "first-best"))


def test_every_kind_of_constraint_is_tried() -> None:
    assert kinds(FIXED) == {*families.names(), "oracle"}
    assert kinds(MANY) == set(families.names())


def test_sides_are_empty_or_small() -> None:
    assert {(0, 0), (0, 2), (2, 0), (1, 1), (2, 2), (3, 3)} <= sizes(FIXED)
    assert any(0 in size for size in sizes(MANY))
    assert max(max(size) for size in sizes([m for m in FIXED + MANY if m.name != "a crowd"])) == 3
    assert (6, 5) in sizes(FIXED)  # some faults wait for a fourth agent


def test_graphs_are_complete_sparse_empty_or_in_parts() -> None:
    for markets in (FIXED, MANY):
        graphs = [market.graph for market in markets if len(market.buyers) * len(market.sellers)]
        assert any(graph.complete for graph in graphs)
        assert any(0 < graph.n_edges < graph.n_buyers * graph.n_sellers for graph in graphs)
        assert any(graph.n_edges == 0 for graph in graphs)
        loners = [g for g in graphs if not g.complete and len(set(g.buyer)) < g.n_buyers]
        assert loners


@pytest.mark.parametrize("markets", [FIXED, MANY], ids=["fixed", "random"])
def test_reports_are_values_that_priors_deem_possible(markets: list[Market]) -> None:
    for market in markets:
        seen = setting(market)
        assert seen.own is not None
        assert all(seen.supported(slot, value) for slot, value in enumerate(seen.own)), market


@pytest.mark.parametrize("markets", [FIXED, MANY], ids=["fixed", "random"])
def test_there_are_ties_plateaus_atoms_and_densities(markets: list[Market]) -> None:
    found: Counter[str] = Counter()
    for market in markets:
        seen = setting(market)
        assert seen.own is not None
        bids, asks = np.split(seen.own, [seen.n_first])
        found["tie of bids"] += len(set(bids)) < bids.size
        found["tie of asks"] += len(set(asks)) < asks.size
        found["bid meets ask"] += bool(set(bids) & set(asks))
        for slot, prior in enumerate(seen.priors):
            assert prior is not None
            atoms, pieces = bool(prior.atoms[0].size), bool(prior._parts().pieces)
            found["discrete"] += atoms and not pieces
            found["density"] += pieces and not atoms
            found["mixed"] += pieces and atoms
            buyer = slot < seen.n_first
            blocks = prior.ironed_values if buyer else prior.ironed_costs
            if any(block.low <= seen.own[slot] <= block.high for block in blocks):
                found[f"{'bid' if buyer else 'ask'} on a plateau"] += 1
    assert min(found.values()) > 0 and len(found) == 8, found


@pytest.mark.parametrize("name", names())
def test_every_mechanism_trades_in_some_of_the_fixed_markets(name: str) -> None:
    trades = 0
    rule = quick(name)
    for market in FIXED:
        if not market.constraints:
            try:
                trades += cx.clear(market, rule).totals["trades"] > 0
            except cx.UnsupportedMarketError:
                continue
    assert trades >= 3


def test_it_depends_on_the_seed_alone() -> None:
    def drawn(rng: int | np.random.Generator) -> list[str]:
        from catallax.markets.files.json_files import json_of_market

        return [json_of_market(market) for market in battery(rng, 8)[len(FIXED) :]]

    assert drawn(5) == drawn(np.random.default_rng(5))
    assert drawn(5) != drawn(6)
    assert len(battery(5)) == len(FIXED) + 12
    on_edges = ["bid" in market.edge_table.columns for market in battery(5, 8)[len(FIXED) :]]
    assert on_edges == [False, False, True, False] * 2


def test_names_tell_them_apart() -> None:
    markets = battery()
    assert len({market.name for market in markets}) == len(markets)
