"""Trade reduction, McAfee and the hybrid: known answers, shares, deviations, reasons."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
import pytest

import catallax as cx
from catallax.mechanisms.double_auction import efficient_trades
from catallax.mechanisms.mcafee import mcafee
from catallax.mechanisms.trade_reduction import trade_reduction
from tests.mechanisms import brute_force as brute
from tests.mechanisms.deviations import branches, check_no_deviation_helps
from tests.mechanisms.test_offering import as_market, random_market

MECHANISMS = ["trade-reduction", "mcafee", "hybrid"]
RULES = {"trade_reduction": trade_reduction, "mcafee": mcafee}


def complete(bids, asks, prior=None) -> cx.Market:
    belief = {} if prior is None else {"prior": prior}
    return cx.Market(
        [{"id": f"b{i}", "bid": bid} | belief for i, bid in enumerate(bids)],
        [{"id": f"s{j}", "ask": ask} | belief for j, ask in enumerate(asks)],
    )


# Values, costs, trades, prices of a buyer and a seller; stated by the tests of another library
# (erelsgl/auctions, mcafee_protocol.py).
KNOWN = [
    ([9], [4], 0, None, None),
    ([9, 8], [4], 0, None, None),
    ([9], [4, 3], 0, None, None),
    ([9, 8], [4, 3], 1, 8, 4),
    ([9, 4], [8, 3], 1, 6, 6),
]


@pytest.mark.parametrize(("bids", "asks", "trades", "pays", "receives"), KNOWN)
def test_known_answers(bids, asks, trades, pays, receives) -> None:
    outcome = cx.clear(complete(bids, asks), "mcafee")
    assert len(outcome) == trades
    if trades:
        assert outcome.trades["buyer"].to_list() == [f"b{bids.index(max(bids))}"]
        assert outcome.trades["seller"].to_list() == [f"s{asks.index(min(asks))}"]
        assert outcome.buyer_pays.tolist() == [pays]
        assert outcome.seller_receives.tolist() == [receives]


# Percent of the optimal gains, with and without the mechanism's surplus, at n agents a side with
# uniform values (50,000 runs of the same library). The reference file says integers from 1 to 1000;
# that library draws real numbers between 1 and 1000 (its `uniformly_random`), which do not tie, and
# so does this test. With integers the traders' shares at n = 100 would be 97.13 and 99.07 (standard
# error 0.01) with ties that trade, and 96.93 and 99.07 with ties that do not.
SHARES = {
    "mcafee": {2: (77.18, 69.01), 5: (94.61, 86.08), 25: (99.71, 96.35), 100: (99.98, 99.01)},
    "trade_reduction": {
        2: (24.96, 16.57), 5: (79.11, 53.42), 25: (99.06, 88.57), 100: (99.94, 97.04),
    },
}  # fmt: skip


def shares(rule, n: int, runs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of total gains and of traders' gains, with their standard errors, in percent."""
    rng = np.random.default_rng(seed)
    bids, asks = -np.sort(-rng.random((runs, n)), axis=1), np.sort(rng.random((runs, n)), axis=1)
    gains = np.cumsum(bids - asks, axis=1)

    def up_to(count: np.ndarray) -> np.ndarray:
        padded = np.concatenate([np.zeros((runs, 1)), gains], axis=1)
        return np.take_along_axis(padded, count[:, None], 1)[:, 0]

    best = up_to(efficient_trades(bids, asks))
    decided = rule(bids, asks)
    total = up_to(decided.trades)
    spread = np.where(decided.trades > 0, decided.buyer_pays - decided.seller_receives, 0.0)
    kept = [total, total - decided.trades * spread]
    share = np.array([part.sum() / best.sum() for part in kept])
    # The delta method for a ratio of means.
    error = np.array(
        [
            np.std(part - r * best) / best.mean() / math.sqrt(runs)
            for part, r in zip(kept, share, strict=True)
        ]
    )
    return 100 * share, 100 * error


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n", [2, 5, 25, 100])
def test_shares_of_the_first_best(rule: str, n: int) -> None:
    ours, error = shares(RULES[rule], n, 50_000, seed=n)
    # The stated runs have the same errors, and two digits are kept.
    assert (np.abs(ours - SHARES[rule][n]) < 4 * math.sqrt(2) * error + 0.005).all(), (ours, error)


def test_arrays_and_markets_agree() -> None:
    rng = np.random.default_rng(0)
    for n, m in product((1, 2, 3, 5), repeat=2):
        bids, asks = rng.integers(0, 6, (40, n)) * 1.0, rng.integers(0, 6, (40, m)) * 1.0
        for name, rule in RULES.items():
            decided = rule(-np.sort(-bids, axis=1), np.sort(asks, axis=1))
            for row in range(40):
                outcome = cx.clear(complete(bids[row], asks[row]), name.replace("_", "-"))
                assert len(outcome) == decided.trades[row]
                assert (outcome.buyer_pays == decided.buyer_pays[row]).all()
                assert (outcome.seller_receives == decided.seller_receives[row]).all()


def random_complete(rng: np.random.Generator, largest: int, steps: int):
    _, priors, bids, asks = random_market(rng, largest, steps)
    edges = list(product(range(len(bids)), range(len(asks))))
    return as_market(edges, priors, bids, asks, complete=True), priors, bids, asks


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_no_single_report_ever_helps(mechanism: str) -> None:
    rng = np.random.default_rng(MECHANISMS.index(mechanism))
    grid = np.arange(-1, 11) * (brute.UNIT / 2)
    harmed = 0
    for _ in range(25):
        market, _, bids, asks = random_complete(rng, 4, 4)
        harmed += check_no_deviation_helps(
            market, mechanism, np.array(bids, float), np.array(asks, float), grid
        )
    assert harmed > 50, "the deviations never mattered: the test is blind"


@pytest.mark.parametrize("mechanism", ["trade-reduction", "mcafee"])
def test_never_a_deficit(mechanism: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        n, m = rng.integers(1, 6, 2)
        market = complete(rng.integers(0, 9, n), rng.integers(0, 9, m))
        assert cx.clear(market, mechanism).totals["surplus"] >= 0


def test_hybrid_offers_break_even_over_the_other_agents_prior() -> None:
    """For every report of the others, and irregular priors with bounds inside ironed intervals."""
    rng = np.random.default_rng(2)
    seen = 0
    for _ in range(60):
        market, priors, bids, asks = random_complete(rng, 3, 8)
        for at, (side, own) in enumerate([(0, 0), (1, 0)]):
            values, masses = priors[side][own]
            total, offers = 0.0, 0
            for value, mass in zip(values, masses, strict=True):
                reports = [np.array(bids, float), np.array(asks, float)]
                reports[side][own] = value
                lottery = cx.clear(market, "hybrid", cx.Reports(*reports))
                if len(lottery) == 2:
                    outcome = lottery.outcomes[at][1]  # the offer made *to* this agent
                    traded = outcome.buyer_index if side == 0 else outcome.seller_index
                    total += float(mass) * outcome.totals["surplus"] * (own in traded)
                    offers += own in traded
            assert total == pytest.approx(0.0, abs=1e-9)
            seen += offers
    assert seen > 30


def test_hybrid_of_irregular_densities_breaks_even_too() -> None:
    prior = cx.parse_prior("mixture([uniform(0, 1), uniform(2, 3)], [0.7, 0.3])")
    (block,) = prior.ironed_values
    below = (block.low + 0.5) / 2 if block.low < 0.5 else 0.5
    assert block.low < below < block.high
    market = complete([0.0, below], [0.1, 2.5], prior)
    # On each of these ranges of the leading bid the surplus is linear: two points are exact.
    ends = [below, 1.0, 2.0, block.high, 2.5, 3.0]
    surplus = 0.0
    for start, end in pairwise(ends):
        for at in (0.5 - 3**-0.5 / 2, 0.5 + 3**-0.5 / 2):
            value = start + (end - start) * at
            lottery = cx.clear(market, "hybrid", cx.Reports([value, below], [0.1, 2.5]))
            share = float(prior.density(value)) * (end - start) / 2
            surplus += share * lottery.outcomes[0][1].totals["surplus"]
    assert surplus == pytest.approx(0.0, abs=1e-9)


def test_hybrid_offers_stay_between_the_bounds() -> None:
    """A buyer uniform on [0, 1], an ask of 0.2: the offer 0.6 is moved to b_2 or to s_2."""
    prior = cx.parse_prior("uniform(0, 1)")
    for second_bid, second_ask, price in ((0.1, 0.9, 0.6), (0.7, 0.9, 0.7), (0.1, 0.4, 0.4)):
        lottery = cx.clear(complete([0.95, second_bid], [0.2, second_ask], prior), "hybrid")
        assert lottery.outcomes[0][1].buyer_pays.tolist() == [pytest.approx(price)]
    refused = cx.clear(complete([0.5], [0.25], prior), "hybrid")
    assert [len(outcome) for _, outcome in refused.outcomes] == [0, 1]
    assert "a bid of at least 0.625 would" in refused.outcomes[0][1].explain("b0")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_critical_reports_are_critical(mechanism: str) -> None:
    rng = np.random.default_rng(3)
    kinds = {"trader": 0, "waiting": 0, "hopeless": 0}
    for _ in range(25):
        market, _, bids, asks = random_complete(rng, 4, 5)
        for at, (_, outcome) in enumerate(branches(cx.clear(market, mechanism))):
            for row in outcome.agents.iter_rows(named=True):
                side = 0 if row["role"] == "buyer" else 1
                index = int(row["id"][1:])

                def trades_at(
                    report: float, side=side, index=index, at=at, market=market, own=(bids, asks)
                ) -> bool:
                    moved = [np.array(reports, float) for reports in own]
                    moved[side][index] = report
                    again = branches(cx.clear(market, mechanism, cx.Reports(*moved)))
                    chosen = again[at if len(again) == 2 else 0][1]
                    return index in (chosen.buyer_index, chosen.seller_index)[side]

                sentence = outcome.explain(row["id"])
                assert sentence.endswith(".") and repr(row["id"]) in sentence
                assert "nan" not in sentence and "inf" not in sentence
                if row["set_by"] is not None:
                    assert f"{row['set_by_role']} {row['set_by']!r} sets it" in sentence
                critical, step = row["critical_report"], 1 if side == 0 else -1
                if critical is None:
                    kinds["hopeless"] += 1
                    assert not trades_at(1e6 if side == 0 else 0.0)
                    continue
                kinds["trader" if row["trades"] else "waiting"] += 1
                assert critical + step < 0 or trades_at(critical + step)
                assert critical < 1 or not trades_at(critical - step)
                if row["trades"]:
                    assert row["price"] == critical
    assert min(kinds.values()) > 5


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_refusals_and_empty_markets(mechanism: str) -> None:
    market = cx.Market([{"id": "b", "bid": 2}], [{"id": "s", "ask": 1}], [])
    with pytest.raises(cx.UnsupportedMarketError, match=f"{mechanism} .* 0 of 1 edges"):
        cx.clear(market, mechanism)
    capped = cx.Market(
        [{"id": "b", "bid": 2}],
        [{"id": "s", "ask": 1}],
        constraints=[{"kind": "cap", "limit": 1}],
    )
    with pytest.raises(cx.UnsupportedMarketError, match=f"{mechanism} .* kind 'cap'"):
        cx.clear(capped, mechanism)
    # A list of all pairs is as good as none.
    market = cx.Market([{"id": "b", "bid": 2}], [{"id": "s", "ask": 3}], [("b", "s")])
    assert all(len(outcome) == 0 for _, outcome in branches(cx.clear(market, mechanism)))
    empty = cx.Market([{"id": "b", "bid": 2}], [])
    result = cx.clear(empty, mechanism)
    assert result.totals["trades"] == 0
    assert "there is no seller" in result.explain("b")


def test_hybrid_needs_the_priors_of_the_pair() -> None:
    with pytest.raises(cx.MissingPriorError, match="buyer 'b0'"):
        cx.clear(complete([9, 1], [4]), "hybrid")
    assert len(cx.clear(complete([9, 8], [4, 3]), "hybrid")) == 1
