"""Outcomes that are followed, against clearing afresh."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import catallax as cx
from catallax.errors import MechanismError, ReportError, UnknownAgentError
from catallax.matching.updates import stores
from catallax.mechanisms import SellersOffering, SeparableMechanism, names
from catallax.mechanisms.updated_outcome import UpdatedOutcome
from tests.mechanisms.updates import bits, found_changes, same_outcome, told_changes
from tests.priors.conftest import EVERY

FOLLOWED = ("first-best", "gsom", "gbom")
PRIORS = (
    "uniform(0, 1)",
    {"kind": "discrete", "values": [0.25, 0.5, 0.75], "probabilities": [0.5, 0.25, 0.25]},
    "uniform(0.25, 0.75)",
    "point(0.5)",
)
REPORTS = (0.0, 0.25, 0.5, 0.75, 1.0, 0.125, 0.6, 0.8, 1.5)


def market_of(n_buyers, n_sellers, edges, priors):
    ids = [f"b{i}" for i in range(n_buyers)], [f"s{j}" for j in range(n_sellers)]
    sides = [
        {"id": side, "prior": [PRIORS[k % len(PRIORS)] for k in priors[: len(side)]]}
        if side
        else []
        for side in ids
    ]
    named = None if edges is None else [(ids[0][i], ids[1][j]) for i, j in edges]
    return cx.Market(*sides, named)


@st.composite
def stories(draw, most=5):
    """Draw a small market with ties everywhere, and a few rounds of changed reports."""
    n_buyers, n_sellers = draw(st.integers(0, most)), draw(st.integers(0, most))
    everything = [(i, j) for i in range(n_buyers) for j in range(n_sellers)]
    edges = None
    if draw(st.integers(0, 3)) and everything:
        edges = draw(st.lists(st.sampled_from(everything), unique=True))
    numbers = st.lists(st.integers(0, 3), min_size=most, max_size=most)
    market = market_of(n_buyers, n_sellers, edges, draw(numbers))
    value = st.sampled_from(REPORTS)
    first = cx.Reports(
        draw(st.lists(value, min_size=n_buyers, max_size=n_buyers)),
        draw(st.lists(value, min_size=n_sellers, max_size=n_sellers)),
    )
    agents = st.integers(0, max(0, n_buyers + n_sellers - 1))
    change = st.dictionaries(agents, value, max_size=3)
    rounds = draw(st.lists(change, min_size=1, max_size=5)) if n_buyers + n_sellers else [{}]
    return market, first, rounds


def with_changes(reports, changes):
    bids, asks = reports.bids.copy(), reports.asks.copy()
    for agent, value in changes.items():
        if agent < bids.size:
            bids[agent] = value
        else:
            asks[agent - bids.size] = value
    return cx.Reports(bids, asks)


@given(stories(), st.sampled_from(FOLLOWED))
@settings(max_examples=80)
def test_every_update_is_the_outcome_of_clearing_afresh(story, mechanism):
    market, reports, rounds = story
    outcome = cx.clear(market, mechanism, reports)
    fresh = cx.clear(market, mechanism, reports)
    for changes in rounds:
        reports = with_changes(reports, changes)
        outcome = outcome.update(reports)
        earlier, fresh = fresh, cx.clear(market, mechanism, reports)
        assert told_changes(outcome) == found_changes(earlier, fresh)
        same_outcome(outcome, fresh)


def random_market(rng, n_buyers, n_sellers, degree):
    """Draw a market with many kinds of priors and few different reports."""
    edges = None
    if degree:
        pairs = rng.random((n_buyers, n_sellers)) < degree / max(1, n_sellers)
        edges = np.argwhere(pairs).tolist()
    market = market_of(n_buyers, n_sellers, edges, rng.integers(0, 4, n_buyers + n_sellers))
    return market, cx.Reports(rng.choice(REPORTS, n_buyers), rng.choice(REPORTS, n_sellers))


@pytest.mark.parametrize("mechanism", FOLLOWED)
@pytest.mark.parametrize("degree", [0, 1.5, 4])
def test_old_outcomes_stay_and_can_be_updated_again(mechanism, degree):
    rng = np.random.default_rng(3)
    market, reports = random_market(rng, 12, 12, degree)
    outcomes = [cx.clear(market, mechanism, reports)]
    fresh = list(outcomes)
    for _ in range(40):
        start = int(rng.integers(len(outcomes)))
        before = outcomes[start]
        changes = {
            int(agent): float(rng.choice(REPORTS)) for agent in rng.choice(24, rng.integers(1, 4))
        }
        reports = with_changes(before.reports, changes)
        outcomes.append(before.update(reports))
        fresh.append(cx.clear(market, mechanism, reports))
        if rng.integers(2):
            assert told_changes(outcomes[-1]) == found_changes(fresh[start], fresh[-1])
    for one, other in zip(outcomes, fresh, strict=True):
        same_outcome(one, other)


@pytest.mark.parametrize("degree", [0, 5, 8])
def test_long_chains_in_a_market_of_300_a_side(degree):
    rng = np.random.default_rng(11)
    market, _ = random_market(rng, 300, 300, degree)
    prices = rng.random(300), rng.random(300)
    if degree == 8:  # ties everywhere
        prices = prices[0].round(1), prices[1].round(1)
    outcome = cx.clear(market, "first-best", cx.Reports(*prices))
    known = {side: dict(zip(*outcome.traders(side), strict=True)) for side in ("buyer", "seller")}
    for step in range(1000):
        agent, value = int(rng.integers(600)), float(rng.random())
        value = round(value, 1) if degree == 8 else value
        bid = {f"b{agent}": value} if agent < 300 else None
        outcome = outcome.update(bids=bid, asks=None if bid else {f"s{agent - 300}": value})
        assert isinstance(outcome, UpdatedOutcome)
        changes = outcome.changes
        for side, told in (("buyer", changes.buyers), ("seller", changes.sellers)):
            for who, trades, price in zip(told.agent, told.trades, told.after, strict=True):
                known[side].pop(who, None)
                if trades:
                    known[side][who] = price
        if step % 100 == 0:
            for side, prices in known.items():
                assert prices == dict(zip(*outcome.traders(side), strict=True))
            same_outcome(
                outcome, cx.clear(market, "first-best", outcome.reports), words=step % 500 == 0
            )


def test_a_change_of_nobodys_weight_keeps_the_pairs_but_takes_the_new_reports():
    market = market_of(3, 2, [(0, 0), (1, 0), (1, 1), (2, 1)], [0] * 5)
    reports = cx.Reports([0.9, 0.8, 0.0], [0.1, 0.2])
    outcome = cx.clear(market, "gbom", reports)
    assert outcome.update(reports).to_dict() == outcome.to_dict()
    signed = outcome.update(cx.Reports([0.9, 0.8, -0.0], [0.1, 0.2]))
    same_outcome(signed, cx.clear(market, "gbom", cx.Reports([0.9, 0.8, -0.0], [0.1, 0.2])))
    assert signed.reasons.matching.pairs.partner is not None
    higher = outcome.update(bids={"b0": 0.95})
    assert higher.reasons.matching.pairs is signed.reasons.matching.pairs


def test_bids_below_the_support_keep_an_agent_out_and_let_her_in_again():
    market = market_of(2, 1, [(0, 0), (1, 0)], [2] * 3)
    outcome = cx.clear(market, "gsom", cx.Reports([0.7, 0.6], [0.3]))
    for bids in ([0.1, 0.6], [0.1, 0.2], [0.7, 0.2], [0.1, 0.74], [0.0, 0.0], [0.75, 0.75]):
        reports = cx.Reports(bids, [0.3])
        outcome = outcome.update(reports)
        same_outcome(outcome, cx.clear(market, "gsom", reports))


def test_changes_are_named_by_id_in_mappings_and_frames():
    import polars as pl

    market = market_of(3, 2, None, [0] * 5)
    reports = cx.Reports([0.9, 0.4, 0.2], [0.1, 0.3])
    outcome = cx.clear(market, "first-best", reports)
    by_name = outcome.update(bids={"b1": 0.8}, asks={"s1": 0.5})
    same_outcome(by_name, cx.clear(market, "first-best", cx.Reports([0.9, 0.8, 0.2], [0.1, 0.5])))
    again = by_name.update(asks=pl.DataFrame({"id": ["s0"], "ask": [0.7]}))
    same_outcome(again, cx.clear(market, "first-best", cx.Reports([0.9, 0.8, 0.2], [0.7, 0.5])))
    assert bits(outcome.reports.bids) == bits(reports.bids)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"bids": {"nobody": 0.5}}, UnknownAgentError, "no buyer 'nobody'"),
        ({"bids": {"b0": float("nan")}}, ReportError, "b0"),
        ({"bids": {"b0": "much"}}, ReportError, "b0"),
        ({"asks": {"s0": -1.0}}, ReportError, "negative ask"),
        ({"reports": cx.Reports([0.5], [0.5])}, ReportError, "1 bids for 2 buyers"),
        ({"reports": cx.Reports([0.5, np.inf], [0.5])}, ReportError, "b1"),
        ({"reports": {"b0": 0.5}}, ReportError, "outcome.update(bids="),
        ({"reports": cx.Reports([0.5, 0.1], [0.5]), "bids": {}}, ReportError, "not both"),
    ],
)
def test_bad_reports_are_refused_in_one_line(call, error, words):
    market = market_of(2, 1, None, [0] * 3)
    outcome = cx.clear(market, "gsom", cx.Reports([0.7, 0.6], [0.3]))
    with pytest.raises(error) as caught:
        outcome.update(**call)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reports_beyond_the_largest_are_refused_as_afresh():
    market = cx.Market([{"id": "b", "bid": 0.5}], [{"id": "s", "ask": 0.25}], largest_report=1.0)
    with pytest.raises(ReportError, match="largest_report"):
        cx.clear(market, "first-best").update(bids={"b": 2.0})


SPECIAL = {"gbom-unit-demand", "sapp"}


@pytest.mark.parametrize("mechanism", [name for name in names() if name not in SPECIAL])
def test_any_mechanism_can_be_updated(mechanism):
    rng = np.random.default_rng(5)
    reports = cx.Reports([0.7, 0.6, 0.4], [0.2, 0.3, 0.5])
    market = cx.Market(
        *({"id": [f"{side}{k}" for k in range(3)], "prior": ["uniform(0, 1)"] * 3} for side in "bs")
    )
    if mechanism == "second-best":
        market = cx.instances.get("bilateral-uniform")
        reports = cx.Reports([0.7], [0.2])
    outcome = cx.clear(market, mechanism, reports)
    for _ in range(3):
        new = cx.Reports(rng.random(reports.bids.size), rng.random(reports.asks.size))
        outcome = outcome.update(new)
        assert outcome.to_dict() == cx.clear(market, mechanism, new).to_dict()


def test_one_buyer_with_a_value_for_each_item_gives_all_reports():
    market = cx.Market(
        [{"id": "b"}],
        [
            {"id": "x", "ask": 0.2, "prior": "uniform(0, 1)"},
            {"id": "y", "ask": 0.3, "prior": "uniform(0, 1)"},
        ],
        {
            "buyer": ["b", "b"],
            "seller": ["x", "y"],
            "bid": [0.9, 0.8],
            "prior": ["uniform(0, 1)"] * 2,
        },
    )
    outcome = cx.clear(market, "gbom-unit-demand")
    given = cx.clear(market, "gbom-unit-demand").cleared_by.read_reports(market)
    new = replace(given, asks=np.array([0.9, 0.1]))
    assert outcome.update(new).to_dict() == cx.clear(market, "gbom-unit-demand", new).to_dict()
    with pytest.raises(ReportError, match="give all of them"):
        outcome.update(bids={"b": 0.4})


def test_constraints_are_cleared_afresh():
    market = cx.Market(
        [{"id": f"b{k}", "bid": 0.5 + k / 8} for k in range(3)],
        [{"id": f"s{k}", "ask": 0.125 * k} for k in range(3)],
        constraints=[{"kind": "cap", "limit": 1}],
        largest_report=4.0,
    )
    outcome = cx.clear(market, "first-best").update(bids={"b0": 2.0})
    assert not isinstance(outcome, UpdatedOutcome)
    reports = cx.Reports([2.0, 0.625, 0.75], [0.0, 0.125, 0.25])
    assert outcome.to_dict() == cx.clear(market, "first-best", reports).to_dict()


def test_what_would_cost_more_than_clearing_afresh_is_cleared_afresh(monkeypatch):
    monkeypatch.setattr(stores, "_SMALL", 0)
    monkeypatch.setattr(stores, "_PATIENCE", 0)
    monkeypatch.setattr(stores, "_MOVES", 0)
    for edges in (None, [(0, 0), (1, 0), (1, 1), (2, 1)]):
        market = market_of(3, 2, edges, [0] * 5)
        outcome = cx.clear(market, "gsom", cx.Reports([0.9, 0.8, 0.7], [0.1, 0.2]))
        new = outcome.update(bids={"b2": 1.0})
        assert not isinstance(new, UpdatedOutcome)
        assert new.to_dict() == cx.clear(market, "gsom", new.reports).to_dict()


@dataclass(frozen=True)
class Crowded(SeparableMechanism):
    """Break the rule that nobody's weight depends on others' reports."""

    slug = "crowded"

    def weights(self, market, reports):
        return reports.bids - reports.bids.mean(), reports.asks - reports.bids.mean()


@dataclass(frozen=True)
class Biased(SellersOffering):
    """Derive from a mechanism of the house and weigh otherwise."""

    def weights(self, market, reports):
        values, asks = super().weights(market, reports)
        return values + np.arange(values.size) / 64, asks

    def critical_bids(self, market, thresholds):
        return super().critical_bids(
            market, replace(thresholds, level=thresholds.level - thresholds.agent / 64)
        )


@dataclass(frozen=True)
class Failing(SeparableMechanism):
    """Fail at some reports."""

    slug = "failing"

    def critical_bids(self, market, thresholds):
        level = thresholds.level.copy()
        level[level == 0.75] = np.inf
        return level

    def weights(self, market, reports):
        if (reports.bids == 1.5).any():
            raise RuntimeError("too much")
        return reports.bids, reports.asks


@pytest.mark.parametrize("mechanism", [Crowded(), Biased()])
def test_mechanisms_from_elsewhere_are_followed_too(mechanism):
    rng = np.random.default_rng(9)
    for degree in (0, 2):
        market, reports = random_market(rng, 7, 7, degree)
        outcome = cx.clear(market, mechanism, reports)
        for _ in range(10):
            reports = with_changes(reports, {int(rng.integers(14)): float(rng.choice(REPORTS))})
            outcome = outcome.update(reports)
            assert isinstance(outcome, UpdatedOutcome)
            same_outcome(outcome, cx.clear(market, mechanism, reports))


def test_mechanisms_from_elsewhere_fail_as_they_do_afresh():
    market = market_of(2, 1, [(0, 0), (1, 0)], [0] * 3)
    outcome = cx.clear(market, Failing(), cx.Reports([0.5, 0.25], [0.0]))
    with pytest.raises(MechanismError, match="too much"):
        outcome.update(bids={"b1": 1.5})
    # min(inf, bid) is finite, so only a price that is no amount may be refused
    new = outcome.update(bids={"b0": 1.0, "b1": 0.75})
    same_outcome(new, cx.clear(market, Failing(), new.reports))


def test_an_outcome_that_does_not_know_its_mechanism_says_so():
    market = market_of(2, 1, None, [0] * 3)
    reports = cx.Reports([0.7, 0.6], [0.3])
    bare = cx.mechanisms.get("posted-price").clear(market, reports)
    with pytest.raises(MechanismError, match=r"catallax\.clear"):
        bare.update(bids={"b0": 0.5})
    separable = cx.mechanisms.get("gsom").clear(market, reports).update(bids={"b0": 0.5})
    assert separable.to_dict() == cx.clear(market, "gsom", separable.reports).to_dict()


def test_drawn_outcomes_of_a_lottery_are_updated_as_what_they_are():
    market = market_of(2, 2, None, [0] * 4)
    lottery = cx.clear(market, "random-offerer", cx.Reports([0.9, 0.7], [0.1, 0.2]))
    for _, outcome in lottery.outcomes:
        new = outcome.update(bids={"b0": 0.3})
        fresh = cx.clear(market, outcome.mechanism, new.reports)
        assert new.to_dict() == fresh.to_dict()


def test_followed_outcomes_can_be_pickled_and_replaced():
    rng = np.random.default_rng(1)
    market, reports = random_market(rng, 8, 8, 3)
    outcome = cx.clear(market, "gsom", reports).update(bids={"b3": 0.99})
    fresh = cx.clear(market, "gsom", outcome.reports)
    same_outcome(pickle.loads(pickle.dumps(outcome)), fresh)
    assert replace(outcome, mechanism="other").mechanism == "other"
    assert bits(replace(outcome).seller_receives) == bits(fresh.seller_receives)


@pytest.mark.parametrize("mechanism", ["gsom", "gbom"])
def test_every_kind_of_prior_is_weighed_alone_as_in_company(mechanism):
    rng = np.random.default_rng(4)
    priors = [cx.parse_prior(text) for text in EVERY]
    # The same law for two agents of a side, or else nobody is priced together with anybody.
    sides = [
        [{"id": f"{side}{k}", "prior": prior} for k, prior in enumerate(priors * 2)]
        for side in ("b", "s")
    ]
    market = cx.Market(*sides)
    agents = market.buyers, market.sellers
    values = [np.abs(side.sample(rng)) for side in agents]
    every = market.buyers.virtual_values(values[0]), market.sellers.virtual_costs(values[1])
    for k in range(len(priors) * 2):
        which, here = np.array([k]), slice(k, k + 1)
        assert bits(agents[0].virtual_values(values[0][here], which)) == bits(every[0][here])
        assert bits(agents[1].virtual_costs(values[1][here], which)) == bits(every[1][here])
    reports = cx.Reports(*values)
    fresh = outcome = cx.clear(market, mechanism, reports)
    for agent in rng.integers(0, 4 * len(priors), 5).tolist():
        value = float(np.abs(agents[agent // (2 * len(priors))].sample(rng))[agent % len(EVERY)])
        outcome = outcome.update(with_changes(outcome.reports, {agent: value}))
        earlier, fresh = fresh, cx.clear(market, mechanism, outcome.reports)
        assert told_changes(outcome) == found_changes(earlier, fresh)
        for side in ("buyer", "seller"):
            assert bits(outcome.traders(side)[1]) == bits(fresh.traders(side)[1])
    same_outcome(outcome, fresh, words=False)


def test_many_alike_thresholds_are_priced_once_and_right():
    rng = np.random.default_rng(2)
    for edges in (None, "some"):
        market, _ = random_market(rng, 400, 400, 0 if edges is None else 12)
        reports = cx.Reports(rng.random(400), rng.random(400) / 2)
        for mechanism in FOLLOWED:
            outcome = cx.clear(market, mechanism, reports)
            for agent in rng.integers(0, 800, 12).tolist():
                outcome = outcome.update(with_changes(outcome.reports, {agent: 0.5}))
            same_outcome(outcome, cx.clear(market, mechanism, outcome.reports), words=False)


@pytest.mark.parametrize("mechanism", ["gsom", "gbom", "first-best"])
def test_who_reports_anew_and_sets_the_same_thresholds_moves_every_price(mechanism):
    """So many at once that thresholds are grouped: the same sources, at two levels."""
    rng, n = np.random.default_rng(8), 300
    bids, asks = 0.8 + 0.2 * rng.random(n), 0.2 * rng.random(n)
    market = market_of(n, n, [(i, i) for i in range(n)], [0] * (2 * n))
    earlier = cx.clear(market, mechanism, cx.Reports(bids, asks))
    assert len(earlier) == n
    new = cx.Reports(0.8 + 0.2 * rng.random(n), 0.2 * rng.random(n))
    fresh = cx.clear(market, mechanism, new)
    for outcome in (earlier.update(new), earlier.update(asks={"s3": 0.01}).update(new)):
        assert isinstance(outcome, UpdatedOutcome)
        same_outcome(outcome, fresh)
    buyers, sellers = told_changes(earlier.update(new))
    assert [buyers, sellers] == found_changes(earlier, fresh)
    assert len(buyers) == len(sellers) == n
