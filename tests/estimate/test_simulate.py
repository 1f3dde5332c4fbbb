"""`simulate`: right, repeatable on any number of workers, and clear about what it did."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import catallax as cx
from catallax.estimate import Distribution, Simulation, sampling
from catallax.estimate.batch.tally import COLUMNS, Tally, tally_branches, tally_outcomes
from catallax.estimate.draws import sampler_of
from catallax.estimate.simulate import USUAL, mechanism_name
from catallax.mechanisms import (
    FirstBest,
    Lottery,
    Mechanism,
    PostedPrice,
    RandomOfferer,
    RandomOffererBalanced,
    SecondBest,
    SellersOffering,
)
from tests.estimate.markets import random_profiles, sparse_market

BILATERAL = cx.instances.get("bilateral-uniform")
COIN = "discrete([0, 1, 2], [0.3, 0.3, 0.4])"
TWO_COINS = cx.Market(
    [{"id": "b1", "prior": "discrete([0, 2, 3], [0.4, 0.3, 0.3])"}, {"id": "b2", "prior": COIN}],
    [{"id": f"s{k}", "prior": COIN} for k in (1, 2)],
    [("b1", "s1"), ("b1", "s2"), ("b2", "s2")],
    constraints=[{"kind": "cap", "limit": 1}],
    name="capped",
)


class Mine(SellersOffering):
    """GSOM, made elsewhere: cleared profile by profile."""


class Tossed(Mechanism):
    """A lottery of somebody else's, with uneven chances."""

    slug, summary, claims = "tossed", "the random offerer, thrice as often GSOM", FirstBest.claims

    def clear(self, market: cx.Market, reports: cx.Reports) -> Lottery:
        (_, first), (_, second) = RandomOfferer().clear(market, reports).outcomes
        return Lottery(market, self.slug, ((0.75, first), (0.25, second)))


def numbers(simulation: Simulation) -> Any:
    """Everything there is, to the last bit."""
    found = [simulation.to_dict()]
    for one in simulation:
        for seen in (one.gains, one.buyer_pays, one.seller_receives):
            found.append(None if seen is None else [seen.percentiles.tolist(), seen.count])
    return found


# ------------------------------------------------------------------------------------- it is right


@pytest.mark.parametrize("slug", ["first-best", "gsom", "gbom-bic", "second-best", "posted-price"])
@pytest.mark.parametrize("draws", ["plain", "antithetic", "sobol"])
def test_samples_agree_with_what_is_known(slug: str, draws: Any) -> None:
    found = cx.simulate(BILATERAL, [slug], 4096, rng=2, exact=False, draws=draws)[slug]
    known = cx.simulate(BILATERAL, [slug], rng=2)[slug]
    assert found.how == "samples" and known.how == "exact (quadrature)"
    for name in (*COLUMNS, "share_of_first_best"):
        one, truth = getattr(found, name), getattr(known, name)
        assert truth.exact and truth.stderr == 0.0
        assert abs(one.mean - truth.mean) <= 4.5 * one.stderr + 1e-9, name


def test_constraints_and_lotteries_profile_by_profile() -> None:
    """Against the expectation over all profiles, with `clear`."""
    from catallax.mechanisms.profiles import draw_profiles

    slugs = ["first-best", "gsom", "random-offerer"]
    found = cx.simulate(TWO_COINS, slugs, 300, rng=5, exact=False)
    profiles = draw_profiles(TWO_COINS, 2, 0)
    for slug in slugs:
        totals = [
            cx.clear(TWO_COINS, slug, cx.Reports(bids, asks)).totals
            for bids, asks in zip(profiles.bids, profiles.asks, strict=True)
        ]
        for name in ("gains_from_trade", "surplus", "trades"):
            truth = profiles.chances @ np.array([total[name] for total in totals])
            one = getattr(found[slug], name)
            assert abs(one.mean - truth) <= 4.5 * one.stderr + 1e-12, (slug, name)
    assert found["first-best"].share_of_first_best == cx.estimate.Estimate(1.0, 0.0, True)


@pytest.mark.parametrize(
    "rule",
    [SellersOffering(), RandomOfferer(), RandomOffererBalanced(samples=10), SecondBest(samples=10)],
)
def test_both_ways_to_add_up_agree(rule: Mechanism) -> None:
    """What is cleared at once, and what is cleared one by one."""
    from catallax.estimate.batch.clearing import Block
    from catallax.estimate.batch.forms import batch_form

    market = sparse_market(4)
    draws = random_profiles(np.random.default_rng(6), market, 20)
    form = batch_form(rule, market)
    assert form is not None
    block = Block(market, draws)
    both: list[Tally] = [
        tally_branches(block, form(block)),
        tally_outcomes(sampler_of(market), rule, draws, lambda count: None),
    ]
    np.testing.assert_allclose(both[0].totals, both[1].totals, atol=1e-12)
    for name in ("gains", "buyer_pays", "seller_receives"):
        seen = [getattr(tally, name) for tally in both]
        percentiles = [Distribution.of(one.amounts, one.weights) for one in seen]
        assert percentiles[0] is not None and percentiles[1] is not None
        np.testing.assert_allclose(
            percentiles[0].percentiles, percentiles[1].percentiles, atol=1e-12
        )


def test_utilities_and_surplus_are_what_gains_come_to() -> None:
    found = cx.simulate(sparse_market(6), None, 500, rng=1, exact=False)
    assert tuple(found.estimates) == USUAL
    for one in found:
        parts = one.buyers_utility.mean + one.sellers_utility.mean + one.surplus.mean
        assert parts == pytest.approx(one.gains_from_trade.mean, abs=1e-12)
        assert one.share_of_first_best is not None
        share = one.gains_from_trade.mean / found.first_best.mean
        assert one.share_of_first_best.mean == pytest.approx(share, rel=1e-12)
        if one.mechanism != "first-best":
            assert one.variance_reduction["common_draws"] > 2


def test_uneven_lotteries_count_by_their_chances() -> None:
    found = cx.simulate(BILATERAL, [Tossed()], 500, rng=3, exact=False)
    (one,) = found
    parts = cx.simulate(BILATERAL, ["gsom", "gbom"], 500, rng=3, exact=False)
    for name in COLUMNS:
        first, second = (getattr(part, name).mean for part in parts)
        expected = 0.75 * first + 0.25 * second
        assert getattr(one, name).mean == pytest.approx(expected, abs=1e-12)
    prices = [part.buyer_pays for part in parts]
    assert one.buyer_pays is not None and prices[0] is not None and prices[1] is not None
    weights = [0.75 * prices[0].count, 0.25 * prices[1].count]
    mean = np.average([prices[0].mean, prices[1].mean], weights=weights)
    assert one.buyer_pays.mean == pytest.approx(mean, rel=1e-12)


def test_one_buyer_with_a_value_for_each_item() -> None:
    market = cx.Market(
        [{"id": "ann"}],
        [{"id": "s1", "prior": "uniform(0, 1)"}, {"id": "s2", "prior": "point(0.25)"}],
        [
            {"buyer": "ann", "seller": "s2", "prior": "uniform(0, 1)"},
            {"buyer": "ann", "seller": "s1", "prior": "point(0.75)"},
        ],
    )
    found = cx.simulate(market, ["gbom-unit-demand", "gsom"], 500, rng=3)
    assert list(found.estimates) == ["gbom-unit-demand"]
    assert "one buyer with a value for each item" in found.skipped["gsom"]
    one = found["gbom-unit-demand"]
    # E max(0, 0.75 - c, v - 0.25) with v and c uniform.
    v, c = np.meshgrid(*[(np.arange(2000) + 0.5) / 2000] * 2)
    best = np.maximum(np.maximum(0.75 - c, v - 0.25), 0).mean()
    assert abs(found.first_best.mean - best) < 4.5 * found.first_best.stderr
    assert one.share_of_first_best is not None and 0.5 < one.share_of_first_best.mean < 1
    assert cx.simulate(market, samples=50, rng=1).estimates.keys() == {"gbom-unit-demand", "sapp"}


def test_quantiles_are_those_of_what_was_drawn() -> None:
    values = np.random.default_rng(1).integers(0, 50, 999).astype(float)
    weights = np.random.default_rng(2).integers(1, 5, 999).astype(float)
    levels = np.arange(101) / 100
    for chosen in (None, weights):
        seen = Distribution.of(values, chosen)
        assert seen is not None
        expected = np.quantile(values, levels, method="inverted_cdf", weights=chosen)
        np.testing.assert_array_equal(seen.percentiles, expected)
        assert seen.mean == pytest.approx(np.average(values, weights=chosen))
    assert Distribution.of(np.empty(0)) is None
    found = cx.simulate(BILATERAL, [PostedPrice(0.3)], 50, rng=1)["posted-price(price=0.3)"]
    assert found.buyer_pays is not None and set(found.buyer_pays.percentiles) == {0.3}


def test_what_never_happened_is_not_said_to_be_impossible() -> None:
    market = cx.Market([{"id": "b", "prior": "uniform(0, 1)"}], [{"id": "s", "prior": "point(2)"}])
    found = cx.simulate(market, ["gsom", "posted-price"], 400, rng=1, exact=False)
    for one in found:
        assert one.share_of_first_best is None and one.buyer_pays is None
        assert one.trade_probability.mean == 0.0
        assert 1 / 400 < one.trade_probability.interval()[1] < 5 / 400
    assert found.to_dict()["estimates"]["gsom"]["share_of_first_best"] is None
    assert found.frame["share_of_first_best"].to_list() == [None, None]
    known = cx.simulate(market, ["gsom"], rng=1)["gsom"]
    assert known.share_of_first_best == cx.estimate.Estimate(1.0, 0.0, True)  # all of nothing


def test_markets_without_anybody() -> None:
    for buyers, sellers in (([], [{"id": "s", "prior": "uniform(0, 1)"}]), ([], [])):
        found = cx.simulate(cx.Market(buyers, sellers), ["gsom", "gbom-bic"], 100, exact=False)
        assert [one.gains_from_trade.mean for one in found] == [0.0, 0.0]


# -------------------------------------------------------------------------------- it is repeatable


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"draws": "antithetic", "conditional": True},
        {"draws": "sobol"},
        {"until": 0.004},
        {"until": 0.002, "draws": "sobol"},
    ],
)
def test_any_number_of_workers_gives_the_same_bits(how: dict[str, Any]) -> None:
    market = sparse_market(5)
    rules = ["first-best", "gsom", "random-offerer"]
    samples = 20_000 if "until" in how else 5000
    found = [
        numbers(cx.simulate(market, rules, samples, 9, workers, exact=False, **how))
        for workers in (1, 2, 5)
    ]
    assert found[0] == found[1] == found[2]
    other = cx.simulate(market, rules, samples, 10, 1, exact=False, **how)
    assert numbers(other) != found[0]


def test_a_mechanism_gets_the_same_numbers_in_any_company() -> None:
    market = sparse_market(5)
    alone = cx.simulate(market, ["gsom"], 1100, rng=4, exact=False)["gsom"]
    company = ["mcafee", "gbom", "first-best", "gsom", Mine()]
    among = cx.simulate(market, company, 1100, rng=4, exact=False)
    assert alone.to_dict() == among["gsom"].to_dict()
    (mine,) = [one for one in among if one.mechanism.endswith("Mine")]
    for name in COLUMNS:
        assert getattr(mine, name).mean == pytest.approx(getattr(alone, name).mean, abs=1e-12)


def test_any_source_of_randomness_can_be_written_down() -> None:
    for rng in (5, np.random.SeedSequence(5), np.random.default_rng(5)):
        found = cx.simulate(BILATERAL, ["gsom"], 200, rng, exact=False)
        again = cx.simulate(BILATERAL, ["gsom"], 200, found.seed, exact=False)
        assert numbers(found) == numbers(again)


# ------------------------------------------------------------------------------- it stops by itself


def test_it_stops_at_the_precision_asked_for() -> None:
    market = sparse_market(5)
    found = cx.simulate(market, ["first-best", "gsom"], rng=1, until=0.004, exact=False)
    assert found.reached and 4096 <= found.samples < 100_000
    share, gains = found["gsom"].share_of_first_best, found["first-best"].gains_from_trade
    assert share is not None
    assert share.interval()[1] - share.mean <= 0.004
    assert gains.interval()[1] - gains.mean <= 0.004 * gains.mean
    # Not many more than were needed.
    half = max(share.interval()[1] - share.mean, gains.interval()[1] / gains.mean - 1)
    assert found.samples * (half / 0.004) ** 2 > 0.5 * found.samples


def test_it_says_when_it_gave_up() -> None:
    found = cx.simulate(sparse_market(5), ["gsom"], 5000, rng=1, until=1e-5, exact=False)
    assert found.reached is False and found.samples == 5000
    known = cx.simulate(BILATERAL, ["gsom"], rng=1, until=1e-9)
    assert known.reached and known.samples == 4096
    assert cx.simulate(BILATERAL, ["gsom"], 100, rng=1).reached is None


def test_progress_ends_with_everything() -> None:
    told: list[tuple[float, str]] = []
    cx.simulate(TWO_COINS, ["gsom", "gbom"], 100, exact=False, progress=lambda *at: told.append(at))
    assert told[-1] == (1.0, "100 samples")
    parts = [part for part, _ in told]
    assert all(0 <= part <= 1 for part in parts) and parts == sorted(parts)


def test_progress_does_not_go_back_when_more_samples_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "_BREATH", 0.0)
    told: list[tuple[float, str]] = []
    found = cx.simulate(
        sparse_market(3, 2), ["gsom", "first-best"], 400_000, exact=False, until=0.01,
        progress=lambda *at: told.append(at),
    )  # fmt: skip
    assert found.samples > sampling._FIRST_LOOK
    parts = [part for part, _ in told]
    assert len(told) > 2 and parts == sorted(parts) and parts[-1] == 1.0


# -------------------------------------------------------------------------------- what it refuses


def test_what_does_not_apply_is_listed_and_the_rest_runs() -> None:
    market = sparse_market(3, 2)
    pareto = cx.Market(
        [{"id": "b", "prior": "pareto(0.9)"}], [{"id": "s", "prior": "uniform(0, 1)"}]
    )
    found = cx.simulate(market, ["mcafee", "gsom", "sapp"], 200, exact=False)
    assert list(found.estimates) == ["gsom"] and list(found.skipped) == ["mcafee", "sapp"]
    assert "needs every buyer" in found.skipped["mcafee"]
    with pytest.raises(cx.UnknownNameError, match="mcafee was skipped: mcafee needs every"):
        _ = found["mcafee"]
    with pytest.raises(cx.UnknownNameError, match="did you mean 'gsom'"):
        _ = found["gsmo"]
    found = cx.simulate(pareto, ["gsom", "gbom"], 200, exact=False)
    assert list(found.estimates) == ["gbom"] and "virtual value" in found.skipped["gsom"]
    with pytest.raises(cx.UnsupportedMarketError, match=r"applies; mcafee \(and 1 more\): mcafee"):
        cx.simulate(market, ["mcafee", "trade-reduction"])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"mechanisms": ["gsmo"]}, "did you mean 'gsom'"),
        ({"mechanisms": []}, "name at least one"),
        ({"mechanisms": ["gsom", "gsom"]}, "named twice"),
        ({"samples": 1}, "at least 2"),
        ({"samples": 2.5}, "whole number"),
        ({"until": 0.0}, "more than 0"),
        ({"until": float("nan")}, "more than 0"),
        ({"workers": 0}, "at least 1"),
        ({"draws": "halton"}, "known are: antithetic, plain, sobol"),
        ({"draws": "sobol", "conditional": True}, "does not go with Sobol"),
        ({"rng": -3}, "at least 0"),
    ],
)
def test_what_cannot_be_asked(how: dict[str, Any], message: str) -> None:
    with pytest.raises(cx.CatallaxError, match=message):
        cx.simulate(BILATERAL, **{"mechanisms": ["gsom"], "exact": False, **how})


def test_errors_of_mechanisms_from_elsewhere_come_through() -> None:
    class Broken(Tossed):
        def clear(self, market: cx.Market, reports: cx.Reports) -> Lottery:
            raise RuntimeError("out of paper")

    with pytest.raises(cx.MechanismError, match="out of paper"):
        cx.simulate(BILATERAL, [Broken()], 100)


# ---------------------------------------------------------------------------------- how it is shown


def test_the_document_is_as_designed() -> None:
    found = cx.simulate(BILATERAL, ["gsom", "sapp"], 300, rng=7, exact=False)
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["market"] == "bilateral-uniform"
    assert (document["samples"], document["seed"]) == (300, 7)
    assert list(document["estimates"]) == ["gsom"] and list(document["skipped"]) == ["sapp"]
    one = document["estimates"]["gsom"]
    for name in (*COLUMNS, "share_of_first_best"):
        assert one[name].keys() == {"mean", "stderr", "exact"} and one[name]["exact"] is False
    assert one["quantiles"]["buyer_pays"].keys() == {"0.05", "0.25", "0.5", "0.75", "0.95"}
    assert found.frame["gains_from_trade"][0] == one["gains_from_trade"]["mean"]
    assert "gsom" in repr(found) and "sapp  skipped" in repr(found)


def test_names() -> None:
    assert mechanism_name("gsom") == mechanism_name(SellersOffering()) == "gsom"
    assert mechanism_name(PostedPrice(0.5)) == "posted-price(price=0.5)"
    assert mechanism_name(RandomOffererBalanced(seed=3)) == "random-offerer-balanced(seed=3)"
    assert mechanism_name(Mine()) == f"{__name__}:Mine"


def test_reports_of_the_market_are_not_looked_at() -> None:
    with_reports = BILATERAL.with_reports(cx.Reports([0.9], [0.1]))
    found = [cx.simulate(m, ["gsom"], 200, exact=False) for m in (BILATERAL, with_reports)]
    assert numbers(found[0]) == numbers(found[1])
