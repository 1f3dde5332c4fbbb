"""Expectations: exact where they can be, with honest intervals where not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import catallax as cx
from catallax.audit import properties
from catallax.audit.result import Finding
from catallax.audit.search.means import Mean, bounded_mean
from catallax.audit.search.search import Search
from catallax.audit.setting import Setting
from tests.audit import planted

VALUES = ([2.0, 3.0, 6.0], [0.25, 0.25, 0.5])
COSTS = ([0.0, 2.0], [0.5, 0.5])


def small() -> cx.Market:
    value, cost = (f"discrete({law[0]}, {law[1]})" for law in (VALUES, COSTS))
    return cx.Market(
        [{"id": f"b{i}", "prior": value} for i in range(2)],
        [{"id": f"s{j}", "prior": cost} for j in range(2)],
    )


def expected_utility(mechanism, agent: int, truth: float, report: float) -> float:
    """The definition, with nothing but `clear`."""
    laws = [VALUES, VALUES, COSTS, COSTS]
    total = 0.0
    for profile in product(*(list(zip(*law, strict=True)) for law in laws)):
        chance = float(np.prod([p for k, (_, p) in enumerate(profile) if k != agent]))
        if profile[agent][0] != laws[agent][0][0]:
            continue
        reports = [value for value, _ in profile]
        reports[agent] = report
        outcome = cx.clear(small(), mechanism, cx.Reports(reports[:2], reports[2:]))
        if agent < 2:
            mine = outcome.buyer_index == agent
            gained = (truth - outcome.buyer_pays)[mine].sum()
        else:
            mine = outcome.seller_index == agent - 2
            gained = (outcome.seller_receives - truth)[mine].sum()
        total += chance * float(gained)
    return total


@pytest.mark.parametrize("name", ["gsom-bic", "planted"])
def test_tables_of_types_are_the_definition(name: str) -> None:
    mechanism = planted.PayYourBid() if name == "planted" else cx.mechanisms.get(name)
    setting = Setting.of(small(), mechanism)
    asked = [properties.get("bic-buyers"), properties.get("bic-sellers")]
    search = Search(setting, asked, np.random.default_rng(0), 3000)
    assert len(search.types) == 4
    for number, table in enumerate(search.types):
        assert table.exact and table.complete
        for row, truth in enumerate(table.reports[table.types, 0]):
            for column in (len(table.reports) - 1, table.best[1]):
                wanted = expected_utility(
                    mechanism, number, float(truth), float(table.reports[column, 0])
                )
                assert table.utility[row, column] == pytest.approx(wanted, abs=1e-12)


def test_exact_verdicts_have_no_interval_and_agree_with_the_definition() -> None:
    report = cx.audit(small(), planted.PayYourBid(), ["bic-buyers", "weak-budget-ex-ante"])
    finding = report["bic-buyers"]
    assert finding.verdict == "violated" and finding.interval is None and finding.exact
    grid = np.linspace(0, 7, 57)
    honest = [expected_utility(planted.PayYourBid(), 0, t, t) for t in VALUES[0]]
    best = max(
        expected_utility(planted.PayYourBid(), 0, truth, float(report)) - base
        for truth, base in zip(VALUES[0], honest, strict=True)
        for report in grid[::12]
    )
    assert finding.worst >= best - 1e-9 > 0
    assert report["weak-budget-ex-ante"].exact


def interval(found: Mean | Finding) -> tuple[float, float]:
    assert found.interval is not None
    return found.interval


def test_the_interval_covers_where_a_normal_one_would_not() -> None:
    """A rare large loss, and a small gain else: the mean is the gain, and often no loss is seen."""
    rng = np.random.default_rng(1)
    truth = 0.996 * 0.005 - 0.004
    blind = missed = 0
    for _ in range(300):
        sample = np.where(rng.random(200) < 0.004, -1.0, 0.005)
        low, high = interval(bounded_mean(sample, 1.0))
        missed += not low <= truth <= high
        blind += np.ptp(sample) == 0  # here a normal interval is a point
    assert missed == 0 and blind > 50


def test_the_interval_is_about_as_narrow_as_a_normal_one_on_tame_draws() -> None:
    rng = np.random.default_rng(2)
    sample = rng.uniform(-1, 1, 3000)
    low, high = interval(bounded_mean(sample, 1.0))
    normal = 3.29 * sample.std() / np.sqrt(sample.size)
    assert low < 0 < high and (high - low) / 2 < 1.5 * normal


def test_an_interval_of_no_draws_says_nothing() -> None:
    found = bounded_mean(np.array([0.3]), 1.0)
    assert found.interval[0] < -0.5 and found.interval[1] > 0.9
    assert bounded_mean(np.zeros(50), 0.0).interval == (0.0, 0.0)


def uniform_pair(n_sellers: int = 1) -> cx.Market:
    law = "uniform(0, 1)"
    sellers = [{"id": f"s{j}", "prior": law} for j in range(n_sellers)]
    return cx.Market([{"id": "b", "prior": law}], sellers)


def test_an_interval_around_zero_is_undecided() -> None:
    """GSOM breaks even in expectation on one pair; no sample can say so."""
    names = ["weak-budget-ex-ante", "strong-budget-ex-ante"]
    report = cx.audit(uniform_pair(), "gsom", names, budget=600)
    for finding in report:
        low, high = interval(finding)
        assert low < 0 < high
        assert finding.verdict == "undecided" and finding.worst == 0.0
        assert not finding.exact and finding.witness is None
        assert "undecided at this budget" in finding.story and f"{low:.6g}" in finding.story
    assert report.undecided == report.findings


def test_a_sample_says_how_large_a_budget_would_decide() -> None:
    """The first best has a deficit on average: a few draws cannot say so, a few more can."""
    (finding,) = cx.audit(uniform_pair(2), "first-best", "weak-budget-ex-ante", budget=40)
    low, high = interval(finding)
    assert finding.verdict == "undecided"
    times = int(np.ceil(((high - low) / (high + low)) ** 2))
    assert f"one about {times} times as large would decide" in finding.story
    more = cx.audit(uniform_pair(2), "first-best", "weak-budget-ex-ante", budget=40 * times)
    assert more.findings[0].verdict == "violated"


def test_types_whose_interval_straddles_zero_are_undecided() -> None:
    """GSOM-BIC is truthful for sellers in expectation only, and a sample cannot prove that."""
    finding = cx.audit(uniform_pair(2), "gsom-bic", "bic-sellers", budget=800)["bic-sellers"]
    assert finding.verdict == "undecided" and finding.interval[0] < 0 < finding.interval[1]


def test_more_draws_decide() -> None:
    few = cx.audit(uniform_pair(), "first-best", "weak-budget-ex-ante", budget=8)
    many = cx.audit(uniform_pair(), "first-best", "weak-budget-ex-ante", budget=1500)
    assert few["weak-budget-ex-ante"].verdict == "undecided"
    assert many["weak-budget-ex-ante"].verdict == "violated"
    low, high = interval(many["weak-budget-ex-ante"])
    assert low <= -1 / 6 <= high  # the Myerson-Satterthwaite deficit


def test_what_holds_at_every_profile_holds_in_expectation() -> None:
    report = cx.audit(uniform_pair(2), "gsom", ["bic-buyers", "ir-interim"], budget=300)
    assert [finding.verdict for finding in report] == ["holds", "holds"]
    assert not any(finding.exact for finding in report)


def test_no_expectation_without_priors() -> None:
    market = cx.Market([{"id": "b", "bid": 1.0}], [{"id": "s", "ask": 0.5}])
    report = cx.audit(market, "first-best", budget=200)
    assert "bic-buyers" not in report and "prior" in report.skipped["bic-buyers"]
    with pytest.raises(cx.UnknownNameError, match="left out"):
        _ = report["bic-buyers"]
    with pytest.raises(cx.MissingPriorError, match="buyer 'b' has no prior"):
        cx.audit(market, "first-best", "bic-buyers")


def halves_market() -> cx.Market:
    uniform = "uniform(0, 1)"
    buyers = [{"id": f"b{i}", "bid": 0.5, "prior": uniform} for i in (1, 2)]
    return cx.Market(buyers, [{"id": "s", "ask": 0.5, "prior": uniform}])


def test_the_worst_expectation_is_that_of_the_market_and_not_of_its_witness() -> None:
    report = cx.audit(halves_market(), planted.MiddlePrices(), "bic-sellers", budget=3000)
    finding = report.findings[0]
    assert finding.verdict == "violated"
    assert finding.interval is not None
    low, high = finding.interval
    assert 0 < low <= finding.worst <= high
    witness = finding.witness
    assert witness is not None
    assert witness.amount == witness.rerun(planted.MiddlePrices())
    assert witness.amount > high
    told = [
        agents.prior(0).describe() for agents in (witness.market.buyers, witness.market.sellers)
    ]
    start = f"in a smaller market (1 buyer, 1 seller) with other priors ({', '.join(told)}): "
    assert report.told(finding) == start + finding.story
    assert f"violated by {finding.worst:.6g}: in a smaller" in str(report)


@pytest.mark.parametrize("name", ["bic-buyers", "bic-sellers"])
def test_reports_of_a_witness_lie_in_their_priors(name: str) -> None:
    finding = cx.audit(small_halves(), planted.MiddlePrices(), name, budget=600).findings[0]
    market = finding.witness.market
    for agents, reports in ((market.buyers, market.bids), (market.sellers, market.asks)):
        for place, report in enumerate(reports.tolist()):
            prior = agents.prior(place)
            assert report in prior.atoms[0] or (prior.kind == "uniform" and 0 <= report <= 1)


def small_halves() -> cx.Market:
    value, cost = (f"discrete({law[0]}, {law[1]})" for law in (VALUES, COSTS))
    buyers = [{"id": f"b{i}", "bid": 6.0, "prior": value} for i in range(2)]
    return cx.Market(buyers, [{"id": "s", "ask": 2.0, "prior": cost}])
