"""The finite search answers to brute force: no report between the tried ones does anything new."""

from __future__ import annotations

import numpy as np
import pytest

import catallax as cx
from catallax.audit import properties
from catallax.audit.claims.battery import random_market
from catallax.audit.properties.thresholds import thresholds
from catallax.audit.runs import Runner
from catallax.audit.search.candidates import Landscape, breakpoints
from catallax.audit.search.curves import explore
from catallax.audit.search.profiles import draw, tied
from catallax.audit.setting import Setting
from catallax.priors import parse_prior
from tests.audit import planted

STEPS = ["first-best", "gsom", "random-offerer", "posted-price"]
MOVING = ["gbom-bic", "meta-auction-buyers", "meta-auction-sellers"]


def curves(seed: int, name: str):
    """Explore one agent of a random market, at a profile with ties."""
    market = random_market(seed)
    rng = np.random.default_rng(seed)
    setting = Setting.of(market, cx.mechanisms.get(name))
    if not setting.n_agents:
        return None
    runner = Runner(setting)
    values = tied(setting, rng) if seed % 2 else draw(setting, rng)
    agent = setting.agent(int(rng.integers(setting.n_agents)))
    return runner, explore(runner, Landscape(runner, values), agent)


def reports_to_try(runner: Runner, curve, rng: np.random.Generator) -> np.ndarray:
    """Other people's values, floats beside them, and reports anywhere in the range."""
    others = np.delete(curve.values, curve.slot)
    low, high = curve.reports[[0, -1]]
    anywhere = rng.uniform(low, high, 25)
    near = [np.nextafter(others, end) for end in (-np.inf, np.inf)]
    some = np.concatenate([others, *near, anywhere])
    return some[(some >= low) & (some <= high)]


@pytest.mark.parametrize("name", STEPS + MOVING)
def test_between_two_tried_reports_nothing_new_happens(name: str) -> None:
    checked = 0
    for seed in range(7):
        found = curves(seed, name)
        if found is None:
            continue
        runner, curve = found
        assert curve.located
        rng = np.random.default_rng(seed)
        for report in reports_to_try(runner, curve, rng):
            at = int(np.searchsorted(curve.reports, report))
            run = runner(curve.profile(float(report)))
            own = run.own(curve.agent)
            ends = [curve.owns[k] for k in {max(at - 1, 0), min(at, curve.reports.size - 1)}]
            kinds = [[(o.chance, o.partner) for o in end] for end in ends]
            assert [(o.chance, o.partner) for o in own] in kinds
            if name in STEPS and kinds[0] == kinds[-1]:
                prices = [[o.price for o in end] for end in ends]
                assert [o.price for o in own] == pytest.approx(prices[0], abs=1e-9)
            checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("mechanism", "side"),
    [
        (planted.PayYourBid(), "buyers"),
        (planted.PayYourBid(), "sellers"),
        (planted.LeftEnds(), "buyers"),
        (planted.Greedy(), "sellers"),
        (planted.NotCapMonotone(), "buyers"),
        (planted.LemmaA8(), "sellers"),
    ],
    ids=repr,
)
def test_the_worst_deviation_is_no_smaller_than_a_grids(mechanism, side: str) -> None:
    """At all possible values, against every report of a grid."""
    prop = properties.get(f"dsic-{side}")
    laws = ["discrete([3, 4, 6], [0.5, 0.1, 0.4])", "discrete([0, 1, 3], [0.4, 0.3, 0.3])"]
    edges = {
        planted.Greedy: [(0, 0), (0, 1), (1, 1)],
        planted.LeftEnds: [(0, 0), (1, 0)],
    }.get(type(mechanism))
    market = cx.Market(
        [{"id": i, "prior": laws[0]} for i in range(2)],
        [{"id": j, "prior": laws[1]} for j in range(2)],
        edges,
    )
    setting = Setting.of(market, mechanism)
    runner = Runner(setting)
    harmful = 0
    for seed in range(9):
        rng = np.random.default_rng(seed)
        values = np.concatenate([rng.choice([3.0, 4.0, 6.0], 2), rng.choice([0.0, 1.0, 3.0], 2)])
        agent = setting.agent(int(rng.integers(2)) + (2 if side == "sellers" else 0))
        violation = prop.judge(setting, explore(runner, Landscape(runner, values), agent))
        best = 0.0
        for truth in agent.priors[0].atoms[0]:
            honest = values.copy()
            honest[agent.slots[0]] = truth
            base = runner(honest).utility(agent, honest)
            for report in np.linspace(0, 7, 29):
                lied = honest.copy()
                lied[agent.slots[0]] = report
                best = max(best, runner(lied).utility(agent, honest) - base)
        got = 0.0 if violation is None else violation.amount
        assert got >= best - 1e-6
        harmful += best > 1e-6
    assert harmful > 0


def test_jumps_are_found_to_the_last_float_without_being_told() -> None:
    class Surprise(planted.PayYourBid):
        """Trades with whoever bids more than a number that nobody knows."""

        def clear(self, market, reports):
            found = super().clear(market, reports)
            return found if reports.bids[0] > 0.123456789 else replace_empty(found)

    def replace_empty(found):
        from dataclasses import replace

        none = slice(0)
        return replace(
            found,
            buyer_index=found.buyer_index[none],
            seller_index=found.seller_index[none],
            buyer_pays=found.buyer_pays[none],
            seller_receives=found.seller_receives[none],
            weights=found.weights[none],
        )

    market = cx.Market([{"id": "b", "bid": 1.0}], [{"id": "s", "ask": 0.0}])
    runner = Runner(Setting.of(market, Surprise()))
    setting = runner.setting
    curve = explore(runner, Landscape(runner, setting.own), setting.agent(0))
    jump = int(np.argmax(curve.chance > 0))
    assert curve.reports[jump] == np.nextafter(0.123456789, 1)
    assert curve.reports[jump - 1] == 0.123456789
    assert curve.located and curve.moving


def test_thresholds_are_the_mechanisms_own() -> None:
    for seed in range(12):
        found = curves(seed, "gsom")
        if found is None:
            continue
        _, curve = found
        level = thresholds(curve)
        if level is not None:
            trading = curve.chance > 0
            assert curve.price[trading] == pytest.approx(level[trading], abs=1e-9)


def test_breakpoints_are_atoms_ends_and_plateaus() -> None:
    steps = parse_prior("discrete([1, 2, 3, 4], [0.4, 0.1, 0.4, 0.1])")
    assert breakpoints(steps, "buyer").tolist() == [1, 2, 3, 4]
    humps = parse_prior("piecewise([0, 1, 2, 3], [0, 0.6, 0.6, 1])")
    ends = {end for p in humps.ironed_values for end in (p.low, p.high)}
    assert ends and ends <= set(breakpoints(humps, "buyer"))
    many = parse_prior("empirical([" + ", ".join(map(str, range(500))) + "])")
    assert breakpoints(many, "seller").size < 100
