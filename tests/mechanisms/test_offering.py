"""First best, GSOM and GBOM against brute force and against every single deviation."""

from __future__ import annotations

import numpy as np
import pytest

import catallax as cx
from tests.mechanisms import brute_force as brute

MECHANISMS = ["first-best", "gsom", "gbom"]


def random_market(rng: np.random.Generator, largest: int, steps: int):
    """Draw a small market whose reports, priors and levels collide as often as possible."""
    n_buyers, n_sellers = (int(n) for n in rng.integers(1, largest + 1, 2))
    pools = [[brute.random_prior(rng, steps) for _ in range(2)] for _ in range(2)]
    priors = tuple(
        [pool[rng.integers(2)] for _ in range(n)]
        for pool, n in zip(pools, (n_buyers, n_sellers), strict=True)
    )
    bids = [int(rng.choice(values)) for values, _ in priors[0]]
    asks = [int(rng.choice(values)) for values, _ in priors[1]]
    if rng.random() < 0.3:  # now and then a report between or beyond the atoms
        bids[rng.integers(n_buyers)] += int(rng.integers(-1, 2)) * brute.UNIT // 2
        asks[rng.integers(n_sellers)] += int(rng.integers(0, 2)) * brute.UNIT // 2
    density = rng.choice([0.3, 0.6, 1.0])
    edges = [(i, j) for i in range(n_buyers) for j in range(n_sellers) if rng.random() < density]
    return edges, priors, bids, asks


def as_market(edges, priors, bids, asks, *, complete: bool = False) -> cx.Market:
    def side(prefix: str, column: str, own, reports):
        return [
            {
                "id": f"{prefix}{k}",
                column: float(report),
                "prior": {
                    "kind": "discrete",
                    "values": [float(v) for v in values],
                    "probabilities": [float(m) for m in masses],
                },
            }
            for k, ((values, masses), report) in enumerate(zip(own, reports, strict=True))
        ]

    return cx.Market(
        side("b", "bid", priors[0], bids),
        side("s", "ask", priors[1], asks),
        None if complete else [(f"b{i}", f"s{j}") for i, j in edges],
    )


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(("largest", "steps", "rounds"), [(3, 3, 150), (4, 8, 150), (7, 8, 15)])
def test_allocation_and_payments_against_all_matchings(
    mechanism: str, largest: int, steps: int, rounds: int
) -> None:
    rng = np.random.default_rng([largest, steps, MECHANISMS.index(mechanism)])
    paid = 0
    for _ in range(rounds):
        edges, priors, bids, asks = random_market(rng, largest, steps)
        complete = len(edges) == len(bids) * len(asks) and rng.random() < 0.5
        outcome = cx.clear(as_market(edges, priors, bids, asks, complete=complete), mechanism)
        answer = brute.clear(mechanism, edges, priors, bids, asks)
        trades = np.zeros(len(bids) + len(asks), bool)
        trades[outcome.buyer_index] = True
        trades[len(bids) + outcome.seller_index] = True
        assert trades.tolist() == answer.trades.tolist()
        assert outcome.totals["objective"] == answer.value
        for k in range(len(outcome)):
            for agent, price in (
                (int(outcome.buyer_index[k]), outcome.buyer_pays[k]),
                (len(bids) + int(outcome.seller_index[k]), outcome.seller_receives[k]),
            ):
                level = answer.level[agent]
                assert level is not None
                assert price == brute.payment(mechanism, edges, priors, bids, asks, agent, level)
                paid += 1
    assert paid >= rounds


def utilities(outcome: cx.Outcome, bids, asks) -> np.ndarray:
    """Utility of every agent whose true values and costs are given, in whole numbers."""
    gained = np.zeros(len(bids) + len(asks))
    gained[outcome.buyer_index] = np.asarray(bids)[outcome.buyer_index] - outcome.buyer_pays
    gained[len(bids) + outcome.seller_index] = (
        outcome.seller_receives - np.asarray(asks)[outcome.seller_index]
    )
    return gained


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_no_single_report_ever_helps(mechanism: str) -> None:
    """Exact truthfulness on a grid that holds every atom, every middle, and both outsides."""
    rng = np.random.default_rng(MECHANISMS.index(mechanism))
    grid = np.arange(-1, 2 * 5 + 3) * (brute.UNIT / 2)
    helped = 0
    for _ in range(30):
        edges, priors, bids, asks = random_market(rng, 4, 4)
        market = as_market(edges, priors, bids, asks)
        true = np.array([bids, asks], object)
        bids, asks = np.array(true[0], float), np.array(true[1], float)
        honest = utilities(cx.clear(market, mechanism), bids, asks)
        assert (honest >= 0).all()
        for agent in range(len(bids) + len(asks)):
            for report in grid:
                moved = np.concatenate([bids, asks])
                moved[agent] = report
                if moved[len(bids) :].min() < 0:
                    continue
                reports = cx.Reports(moved[: len(bids)], moved[len(bids) :])
                outcome = cx.clear(market, mechanism, reports)
                lied = utilities(outcome, bids, asks)[agent]
                assert lied <= honest[agent]
                helped += lied < honest[agent]
    assert helped > 100, "the deviations never mattered: the test is blind"


def test_both_plateau_ends_are_charged() -> None:
    """Of two buyers on one plateau, the one that wins ties pays its left end, the other its right.

    Virtual values of 10, 11, 14 with masses 1/2, 1/4, 1/4 are 9, 8 and 14: the first two are
    ironed to 26/3, so that bids from 10 up to 14 all weigh the same.
    """
    prior = cx.parse_prior("discrete([10, 11, 14], [0.5, 0.25, 0.25])")
    assert [(x.low, x.high) for x in prior.ironed_values] == [(10.0, 14.0)]
    for bids, winner, price in (
        ([14, 11], "a", 10.0),
        ([11, 11], "a", 10.0),
        ([11, 14], "b", 14.0),
    ):
        market = cx.Market(
            [{"id": k, "bid": b, "prior": prior} for k, b in zip("ab", bids, strict=True)],
            [{"id": "s", "ask": 0}],
        )
        outcome = cx.clear(market, "gsom")
        assert outcome.trades["buyer"].to_list() == [winner]
        assert outcome.buyer_pays.tolist() == [price]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_nobody_and_nothing_to_trade(mechanism: str) -> None:
    prior = {"kind": "uniform", "low": 0, "high": 1}
    nobody = cx.Market([], [{"id": "s", "ask": 0.5, "prior": prior}])
    assert cx.clear(nobody, mechanism).totals == {
        "trades": 0,
        "gains_from_trade": 0.0,
        "objective": 0.0,
        "buyers_pay": 0.0,
        "sellers_receive": 0.0,
        "surplus": 0.0,
    }
    no_edges = cx.Market(
        [{"id": "b", "bid": 0.9, "prior": prior}], [{"id": "s", "ask": 0.5, "prior": prior}], []
    )
    outcome = cx.clear(no_edges, mechanism)
    assert len(outcome) == 0
    assert "there is no seller to trade with" in outcome.explain("b")
