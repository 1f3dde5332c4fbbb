"""Many profiles at once against `clear`, profile by profile: equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catallax as cx
from catallax.estimate.batch.clearing import Block, Branch, Matched, joined, ordered
from catallax.estimate.batch.forms import batch_form
from catallax.estimate.draws import Draws
from catallax.matching import best_matching
from catallax.mechanisms import Lottery, Mechanism, PostedPrice, RandomOffererBalanced, SecondBest
from tests.estimate.markets import PRIORS, random_market, random_profiles, sparse_market

SEEDS = st.integers(0, 2**32 - 1)

BATCHED = [
    "first-best",
    "gsom",
    "gbom",
    "gsom-bic",
    "gbom-bic",
    "random-offerer",
    "random-offerer-bic",
    "meta-auction-buyers",
    "meta-auction-sellers",
    "posted-price",
    "trade-reduction",
    "mcafee",
    "hybrid",
]


def outcome_rows(market: cx.Market, outcome: cx.Outcome) -> tuple[np.ndarray, np.ndarray]:
    """Put who trades, and prices, at positions."""
    n = len(market.buyers) + len(market.sellers)
    trades, prices = np.zeros(n, bool), np.zeros(n)
    sellers_at = n - 1 - outcome.seller_index
    trades[outcome.buyer_index] = trades[sellers_at] = True
    prices[outcome.buyer_index] = outcome.buyer_pays
    prices[sellers_at] = outcome.seller_receives
    return trades, prices


def assert_as_cleared(market: cx.Market, rule: Mechanism, draws: Draws) -> int:
    """Compare every row with `clear`; return the number of trades."""
    form = batch_form(rule, market)
    assert form is not None
    all_reports = [
        cx.Reports(bids, asks) for bids, asks in zip(draws.values, draws.costs, strict=True)
    ]
    try:
        branches = form(Block(market, draws))
    except cx.CatallaxError as refusal:
        with pytest.raises(type(refusal)):
            for reports in all_reports:
                cx.clear(market, rule, reports)
        return 0
    count = 0
    for row, reports in enumerate(all_reports):
        result = cx.clear(market, rule, reports)
        outcomes = result.outcomes if isinstance(result, Lottery) else ((1, result),)
        if len(outcomes) < len(branches):  # a coin that decides nothing here
            outcomes = [(1 / len(branches), outcomes[0][1])] * len(branches)
        for (chance, outcome), branch in zip(outcomes, branches, strict=True):
            assert float(chance) == branch.probability
            trades, prices = outcome_rows(market, outcome)
            assert np.array_equal(trades, branch.trades[row])
            assert np.array_equal(prices, branch.prices[row])
            count += len(outcome)
            if outcome.transfers is not None:
                buyers, sellers = np.split(outcome.transfers, [len(market.buyers)])
                assert np.array_equal(branch.transfers, [*buyers, *sellers[::-1]])
    return count


@pytest.mark.parametrize("slug", BATCHED)
@settings(max_examples=25)
@given(seed=SEEDS)
def test_rows_are_what_clear_finds(slug: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = random_market(rng)
    rule = PostedPrice(2.0) if slug == "posted-price" else cx.mechanisms.get(slug)
    assert_as_cleared(market, rule, random_profiles(rng, market, 4))


@settings(max_examples=5)
@given(seed=SEEDS)
def test_rules_with_a_memory_of_the_market(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = random_market(rng, 3, PRIORS[:4])
    draws = random_profiles(rng, market, 4)
    for rule in (SecondBest(samples=10), RandomOffererBalanced(samples=10), PostedPrice()):
        assert_as_cleared(market, rule, draws)


@pytest.mark.parametrize("slug", ["gsom", "gbom-bic"])
def test_graphs_of_more_than_64_agents(slug: str) -> None:
    market = sparse_market(80, prior="discrete([0, 1, 2, 3], [0.4, 0.1, 0.1, 0.4])")
    draws = random_profiles(np.random.default_rng(1), market, 6)
    assert assert_as_cleared(market, cx.mechanisms.get(slug), draws) > 100


@settings(max_examples=30)
@given(seed=SEEDS)
def test_both_ways_to_match_sparse_graphs_agree(seed: int) -> None:
    from catallax.estimate.batch.kernels_graph import sweep_rows
    from catallax.estimate.batch.kernels_small import small_rows

    rng = np.random.default_rng(seed)
    sizes, chance = rng.integers(1, 65, 2), rng.choice([0.03, 0.1, 0.4])
    edge = rng.random(sizes) < chance
    graph = cx.Graph(*sizes, *np.nonzero(edge))
    weights = rng.integers(0, rng.choice([3, 20, 1000]), (5, sizes.sum())).astype(float)
    rows = ordered(weights)
    found = []
    for kernel in (sweep_rows, small_rows):
        trades, setter = np.empty(rows.shape, bool), np.empty(rows.shape, np.int32)
        kernel(*graph.by_buyer, graph.n_sellers, rows, trades, setter)
        found.append((trades, setter))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])


@settings(max_examples=60)
@given(seed=SEEDS)
def test_thresholds_of_everybody(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = random_market(rng)
    draws = random_profiles(rng, market, 3)
    matched = Matched.of(market.graph, joined(draws.values, draws.costs))
    n = matched.weights.shape[1]
    for buyers in (True, False):
        own = matched.everybody >= 0
        at, known = matched.thresholds(own, matched.everybody, buyers=buyers)
        for row in range(3):
            best = best_matching(market.graph, draws.values[row], draws.costs[row])
            parts = (
                (best.trading_buyers, best.waiting_buyers)
                if buyers
                else (best.trading_sellers, best.waiting_sellers)
            )
            expected = {
                int(agent): (level, wins, source)
                for part in parts
                for agent, level, wins, source in zip(
                    part.agent, part.level, part.wins_ties, part.source, strict=True
                )
            }
            here = at // n == row
            seen = zip(
                known.agent[here], known.level[here], known.wins_ties[here], known.source[here],
                strict=True,
            )  # fmt: skip
            assert {int(agent): (*rest,) for agent, *rest in seen} == expected


def test_the_order_of_equals_is_that_of_the_positions() -> None:
    weights = np.array([[1.0, 2.0, 1.0, 2.0, -np.inf], [0.0, -0.0, 0.0, -1.0, 0.0]])
    assert ordered(weights).tolist() == [[1, 3, 0, 2, 4], [0, 1, 2, 4, 3]]


def test_what_has_no_batch_form() -> None:
    class Mine(cx.mechanisms.SellersOffering):
        """May do anything."""

    market = cx.instances.get("bilateral-uniform")
    capped = cx.Market(
        [{"id": "b"}], [{"id": "s"}], [("b", "s")], constraints=[{"kind": "cap", "limit": 1}]
    )
    assert batch_form(cx.mechanisms.get("gsom"), market) is not None
    assert batch_form(Mine(), market) is None
    assert batch_form(cx.mechanisms.get("sapp"), market) is None
    assert batch_form(cx.mechanisms.get("gsom"), capped) is None


def test_mechanisms_share_their_matchings() -> None:
    market = sparse_market(6)
    block = Block(market, random_profiles(np.random.default_rng(2), market, 4))
    shared: list[Branch] = []
    for slug in ("gsom", "gsom-bic", "random-offerer"):
        form = batch_form(cx.mechanisms.get(slug), market)
        assert form is not None
        shared.append(form(block)[0])
    assert len({id(branch.matched) for branch in shared}) == 1
