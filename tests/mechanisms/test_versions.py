"""Outcomes of many updates, kept, dropped, read and gone on from in any order."""

from __future__ import annotations

import gc
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import catallax as cx
from catallax.errors import MechanismError
from catallax.matching.updates import stores, versions
from catallax.matching.updates.versions import Version
from catallax.mechanisms.updated_outcome import UpdatedOutcome
from tests.mechanisms.test_update import Biased, market_of, random_market, with_changes
from tests.mechanisms.updates import bits, found_changes, same_outcome, told_changes

MECHANISMS = ("gsom", "gbom", "first-best", Biased())


def change_of(rng, n_agents, values):
    """Draw one to three changed reports, sometimes to what they were."""
    agents = rng.choice(n_agents, int(rng.choice([1, 1, 1, 2, 3])), False)
    return {int(agent): float(rng.choice(values)) for agent in agents}


def named(changes, n_buyers):
    bids = {f"b{agent}": value for agent, value in changes.items() if agent < n_buyers}
    asks = {f"s{agent - n_buyers}": v for agent, v in changes.items() if agent >= n_buyers}
    return {"bids": bids or None, "asks": asks or None}


def read_something(rng, outcome, fresh):
    """Read a part of an outcome, in whatever order comes, and compare it with clearing afresh."""
    choice = int(rng.integers(6))
    if choice == 0:
        agent = f"b{rng.integers(len(outcome.market.buyers))}"
        assert outcome.price(agent) == fresh.price(agent)
        assert outcome.explain(agent) == fresh.explain(agent)
    elif choice == 1:
        for side in ("seller", "buyer"):
            for one, other in zip(outcome.traders(side), fresh.traders(side), strict=True):
                assert bits(one) == bits(other)
    elif choice == 2:
        assert bits(outcome.reports.bids) == bits(fresh.reports.bids)
        assert bits(outcome.reports.asks) == bits(fresh.reports.asks)
    elif choice == 3:
        assert bits(outcome.seller_receives) == bits(fresh.seller_receives)
    elif choice == 4:
        assert outcome.to_dict() == fresh.to_dict()
    else:
        same_outcome(outcome, fresh, words=False)


@pytest.mark.parametrize("steps", [3, 500], ids=["arrays left behind often", "hardly ever"])
@pytest.mark.parametrize("degree", [0, 1.5, 6])
def test_any_order_of_going_on_reading_and_dropping(monkeypatch, steps, degree):
    monkeypatch.setattr(versions, "_STEPS", steps)
    monkeypatch.setattr(stores, "_LARGE", 1)
    rng = np.random.default_rng(int(100 * degree) + steps)
    values = (-0.0, 0.0, 0.25, 0.5, 0.5, 0.75, 0.6, 1.0, 1.5)
    for mechanism in MECHANISMS:
        market, reports = random_market(rng, 14, 12, degree)
        held = [(cx.clear(market, mechanism, reports), None, None)]
        held[0] = (held[0][0], cx.clear(market, mechanism, reports), None)
        for _ in range(40):
            # The last one mostly, as an operator does; or any, as a search for deviations does.
            at = -1 if rng.random() < 0.6 else int(rng.integers(len(held)))
            before, fresh_before, _ = held[at]
            changes = change_of(rng, 26, values)
            reports = with_changes(fresh_before.reports, changes)
            if rng.random() < 0.5:
                outcome = before.update(reports)
            else:
                outcome = before.update(**named(changes, 14))
            fresh = cx.clear(market, mechanism, reports)
            held.append((outcome, fresh, fresh_before))
            while rng.random() < 0.7:
                outcome, fresh, earlier = held[int(rng.integers(len(held)))]
                read_something(rng, outcome, fresh)
                if earlier is not None and rng.random() < 0.5:
                    assert told_changes(outcome) == found_changes(earlier, fresh)
            if rng.random() < 0.3 and len(held) > 2:
                del held[int(rng.integers(len(held)))]
        for outcome, fresh, _ in held:
            same_outcome(outcome, fresh, words=False)


def versions_alive():
    gc.collect()
    return sum(isinstance(one, Version) for one in gc.get_objects())


@pytest.mark.parametrize("degree", [0, 4])
def test_dropped_outcomes_leave_nothing_behind(monkeypatch, degree):
    monkeypatch.setattr(versions, "_STEPS", 25)
    rng = np.random.default_rng(8)
    market, reports = random_market(rng, 30, 30, degree)
    before = versions_alive()
    first = outcome = cx.clear(market, "gsom", reports)
    gone = []
    for step in range(200):
        agent = f"b{rng.integers(30)}"
        outcome = outcome.update(bids={agent: float(rng.random())})
        if step % 40 == 0:
            gone.append(weakref.ref(outcome))
    # What was cleared afresh is still there, and keeps the way to the arrays it left behind.
    assert versions_alive() - before <= 1 + 25 + 1
    assert all(one() is None for one in gone)
    same_outcome(first.update(asks={}), cx.clear(market, "gsom", reports))
    del first
    assert versions_alive() - before <= 1
    same_outcome(outcome, cx.clear(market, "gsom", outcome.reports))


def test_reading_little_makes_little():
    rng = np.random.default_rng(4)
    market, reports = random_market(rng, 20, 20, 3)
    outcome = cx.clear(market, "gsom", reports).update(bids={"b1": 0.9})
    fresh = cx.clear(market, "gsom", with_changes(reports, {1: 0.9}))
    for agent in [f"b{k}" for k in range(20)] + [f"s{k}" for k in range(20)]:
        assert outcome.price(agent) == fresh.price(agent)
        if fresh.price(agent) is None:
            assert outcome.explain(agent) == fresh.explain(agent)
    assert isinstance(outcome, UpdatedOutcome)
    assert outcome.changes is not None
    assert not {"reports", "buyer_index", "buyer_pays", "_priced"} & set(vars(outcome))


@pytest.mark.parametrize("degree", [0, 4])
def test_two_threads_go_on_and_read_at_once(degree):
    rng = np.random.default_rng(6)
    market, reports = random_market(rng, 40, 40, degree)
    first = cx.clear(market, "gsom", reports)
    middle = first.update(bids={"b0": 0.7})
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def walk(seed):
        own = np.random.default_rng(seed)
        said, outcome, walked = dict(enumerate(middle.reports.bids)), middle, []
        for step in range(60):
            if step % 20 == 19:
                outcome, said = middle, dict(enumerate(middle.reports.bids))
            agent, value = int(own.integers(40)), float(own.random())
            said = {**said, agent: value}
            outcome = outcome.update(bids={f"b{agent}": value})
            walked.append((outcome, list(said.values())))
            read = walked[int(own.integers(len(walked)))][0]
            read.price("b3")
            _ = read.seller_receives
        return walked

    try:
        with ThreadPoolExecutor(2) as threads:
            walks = list(threads.map(walk, (1, 2)))
    finally:
        sys.setswitchinterval(switching)
    for walked in walks:
        for outcome, bids in walked[::5]:
            fresh = cx.clear(market, "gsom", cx.Reports(bids, reports.asks))
            same_outcome(outcome, fresh, words=False)


def test_a_refused_update_leaves_everything_as_it_was(monkeypatch):
    rng = np.random.default_rng(2)
    for degree in (0, 3):
        market, reports = random_market(rng, 9, 9, degree)
        outcome = cx.clear(market, "gbom", reports).update(bids={"b0": 0.5})
        fresh = cx.clear(market, "gbom", outcome.reports)
        for bad in (
            {"asks": {"s0": -1.0}},
            {"bids": {"b0": 0.3, "b1": float("nan")}},
            {"bids": {"b0": 0.3, "b99": 0.1}},
        ):
            with pytest.raises(cx.CatallaxError):
                outcome.update(**bad)
        same_outcome(outcome, fresh)
        monkeypatch.setattr(stores, "_SMALL", 0)
        monkeypatch.setattr(stores, "_PATIENCE", 0)
        monkeypatch.setattr(stores, "_MOVES", 0)
        afresh = outcome.update(bids={"b1": 1.5})
        assert not isinstance(afresh, UpdatedOutcome)
        assert told_changes(afresh) == found_changes(fresh, afresh)
        same_outcome(outcome, fresh)
        monkeypatch.undo()
        later = outcome.update(bids={"b2": 1.0})
        same_outcome(later, cx.clear(market, "gbom", later.reports))


def test_an_update_that_is_interrupted_half_way_is_never_read(monkeypatch):
    market, reports = random_market(np.random.default_rng(1), 5, 5, 2)
    first = cx.clear(market, "gsom", reports)
    outcome = first.update(bids={"b0": 0.9})

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stores.LabelStore, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        outcome.update(bids={"b1": 0.9})
    monkeypatch.undo()
    with pytest.raises(MechanismError, match="interrupted"):
        outcome.price("b0")
    same_outcome(
        first.update(bids={"b1": 0.9}), cx.clear(market, "gsom", with_changes(reports, {1: 0.9}))
    )


@pytest.mark.parametrize("mechanism", ["posted-price", "mcafee"])
def test_changes_are_told_of_any_mechanism(mechanism):
    rng = np.random.default_rng(3)
    market, reports = random_market(rng, 8, 8, 0)
    outcome = cx.clear(market, mechanism, reports)
    assert outcome.changes is None
    for _ in range(10):
        before, agent = outcome, f"b{rng.integers(8)}"
        outcome = before.update(bids={agent: float(rng.random())})
        if isinstance(outcome, cx.Outcome):
            assert told_changes(outcome) == found_changes(before, outcome)


def test_the_table_of_changes():
    market = cx.Market(
        [{"id": "a", "bid": 0.9}, {"id": "b", "bid": 0.6}, {"id": "c", "bid": 0.1}],
        [{"id": 1, "ask": 0.2}],
    )
    changes = cx.clear(market, "first-best").update(bids={"b": 0.95}).changes
    assert changes.table.to_dicts() == [
        {"id": "a", "role": "buyer", "change": "goes", "before": 0.6, "after": None},
        {"id": "b", "role": "buyer", "change": "comes", "before": None, "after": 0.9},
        {"id": "1", "role": "seller", "change": "price", "before": 0.9, "after": 0.95},
    ]
    changes = cx.clear(market, "first-best").update(bids={"b": 0.7}).changes
    assert [list(row.values()) for row in changes.table.to_dicts()] == [
        ["a", "buyer", "price", 0.6, 0.7]
    ]
    assert repr(changes) == "<Changes: 0 come, 0 go, 1 has another price>"
    with pytest.raises(ValueError, match="read-only"):
        changes.buyers.after[0] = 1.0
    assert not len(cx.clear(market, "first-best").update(bids={"c": 0.2}).changes)


@pytest.mark.parametrize("prior", [0, 1, 3], ids=["uniform", "discrete", "point"])
@pytest.mark.parametrize("degree", [0, 6])
def test_changes_of_all_who_share_a_prior(monkeypatch, prior, degree):
    monkeypatch.setattr(stores, "_LARGE", 1)
    rng = np.random.default_rng(prior + degree)
    pairs = None if not degree else np.argwhere(rng.random((25, 25)) < degree / 25).tolist()
    market = market_of(25, 25, pairs, [prior] * 50)
    for mechanism in ("gsom", "gbom", "first-best"):
        for digits in (1, 9):
            reports = cx.Reports(rng.random(25).round(digits), rng.random(25).round(digits) / 2)
            outcome = fresh = cx.clear(market, mechanism, reports)
            for _ in range(30):
                value = float(round(rng.random(), digits))
                reports = with_changes(reports, {int(rng.integers(50)): value})
                earlier, fresh = fresh, cx.clear(market, mechanism, reports)
                outcome = outcome.update(reports)
                assert told_changes(outcome) == found_changes(earlier, fresh)
