"""One unit-demand buyer: GBOM and SAPP against brute force and against all deviations."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import catallax as cx
from catallax.markets.unit_demand import UnitDemand, UnitDemandReports
from catallax.mechanisms.sapp import expected_sapp, margin
from tests.mechanisms import brute_force as brute
from tests.mechanisms.test_offering import as_market

GBOM, SAPP = cx.mechanisms.get("gbom-unit-demand"), cx.mechanisms.get("sapp")
STEPS = 5


def random_unit_demand(rng: np.random.Generator, largest: int = 3):
    n = int(rng.integers(1, largest + 1))
    value_priors = [brute.random_prior(rng, STEPS) for _ in range(n)]
    cost_priors = [brute.random_prior(rng, STEPS) for _ in range(n)]
    bids = [int(rng.choice(values)) for values, _ in value_priors]
    asks = [int(rng.choice(values)) for values, _ in cost_priors]
    return value_priors, cost_priors, bids, asks


def as_unit_demand(value_priors, cost_priors) -> cx.Market:
    sellers = as_market([], ([], cost_priors), [], [0] * len(cost_priors)).sellers

    def spec(prior):
        values, masses = prior
        return {"kind": "discrete", "values": values, "probabilities": [float(m) for m in masses]}

    named = {f"v{k}": spec(prior) for k, prior in enumerate(value_priors)}
    edges = [
        {"buyer": "ann", "seller": f"s{k}", "prior": f"v{k}"} for k in range(len(value_priors))
    ]
    return cx.Market([{"id": "ann"}], sellers, edges, priors=named)


# ------------------------------------------------------------------------------ brute force, exact


def choose(scores) -> int | None:
    """The best item of at least 0, first listed; None below."""
    possible = [k for k, score in enumerate(scores) if score is not None and score >= 0]
    return max(possible, key=lambda k: (scores[k], -k)) if possible else None


def gbom_item(cost_priors, bids, asks) -> int | None:
    psi = [brute.virtual_cost(*p, a) for p, a in zip(cost_priors, asks, strict=True)]
    return choose([None if c is None else b - c for b, c in zip(bids, psi, strict=True)])


def sapp_prices(value_priors, asks) -> list[int | None]:
    best: dict[Fraction, Fraction] = {}
    for profile in product(*(zip(v, m, strict=True) for v, m in value_priors)):
        chance = Fraction(1)
        scores = []
        for (value, mass), prior, ask in zip(profile, value_priors, asks, strict=True):
            chance *= mass
            phi = brute.virtual_value(*prior, value)
            assert phi is not None
            scores.append(phi - ask)
        best[max(scores)] = best.get(max(scores), Fraction(0)) + chance
    tau = Fraction(0)
    if sum(p for score, p in best.items() if score >= 0) > Fraction(1, 2):
        total = Fraction(0)
        for score in sorted(best):
            total += best[score]
            if total >= Fraction(1, 2):
                tau = score
                break
    prices = []
    for (values, masses), ask in zip(value_priors, asks, strict=True):
        reach = [v for v in values if brute.virtual_value(values, masses, v) >= ask + tau]
        prices.append(min(reach) if reach else None)
    return prices


def sapp_item(value_priors, bids, asks) -> int | None:
    prices = sapp_prices(value_priors, asks)
    return choose([None if p is None else b - p for b, p in zip(bids, prices, strict=True)])


def supremum(item_at, asks, item: int) -> Fraction:
    """Largest ask at which an item is bought, by bisection between whole halves and back."""
    low, high = Fraction(asks[item]), Fraction(10 * brute.UNIT)
    for _ in range(24):
        middle = (low + high) / 2
        moved = [*asks[:item], middle, *asks[item + 1 :]]
        low, high = (middle, high) if item_at(moved) == item else (low, middle)
    return low


def test_against_brute_force() -> None:
    rng = np.random.default_rng(0)
    bought = {"gbom": 0, "sapp": 0}
    for _ in range(40):
        value_priors, cost_priors, bids, asks = random_unit_demand(rng)
        market = as_unit_demand(value_priors, cost_priors)
        reports = UnitDemandReports(bids, asks)
        outcome = GBOM.clear(market, reports)
        item = gbom_item(cost_priors, bids, asks)
        assert outcome.seller_index.tolist() == ([] if item is None else [item])
        if item is not None:
            bought["gbom"] += 1
            at = supremum(lambda moved, b=bids, c=cost_priors: gbom_item(c, b, moved), asks, item)
            assert outcome.seller_receives[0] == pytest.approx(float(at), abs=1e-3)
            assert outcome.buyer_pays[0] == outcome.seller_receives[0]
        outcome = SAPP.clear(market, reports)
        item = sapp_item(value_priors, bids, asks)
        assert outcome.seller_index.tolist() == ([] if item is None else [item])
        if item is not None:
            bought["sapp"] += 1
            assert outcome.buyer_pays[0] == sapp_prices(value_priors, asks)[item]
            at = supremum(lambda moved, b=bids, v=value_priors: sapp_item(v, b, moved), asks, item)
            assert outcome.seller_receives[0] == pytest.approx(float(at), abs=1e-3)
    assert min(bought.values()) > 10


# ------------------------------------------------------------------------------------- deviations


def utility_of_seller(outcome: cx.Outcome, seller: int, cost: float) -> float:
    traded = outcome.seller_index == seller
    return float((outcome.seller_receives[traded] - cost).sum())


def utility_of_buyer(outcome: cx.Outcome, values) -> float:
    return float(sum(values[j] for j in outcome.seller_index) - outcome.buyer_pays.sum())


@pytest.mark.parametrize("mechanism", [GBOM, SAPP], ids=["gbom", "sapp"])
def test_no_ask_ever_helps(mechanism) -> None:
    rng = np.random.default_rng(1)
    harmed = 0
    for _ in range(25):
        value_priors, cost_priors, bids, asks = random_unit_demand(rng)
        market = as_unit_demand(value_priors, cost_priors)
        honest = mechanism.clear(market, UnitDemandReports(bids, asks))
        for seller, cost in enumerate(asks):
            before = utility_of_seller(honest, seller, cost)
            assert before >= 0
            for ask in np.arange(0, 2 * STEPS + 2) * (brute.UNIT / 2):
                moved = [*asks[:seller], ask, *asks[seller + 1 :]]
                lied = mechanism.clear(market, UnitDemandReports(bids, moved))
                after = utility_of_seller(lied, seller, cost)
                assert after <= before
                harmed += after < before
    assert harmed > 20


def test_no_joint_bid_helps_against_posted_prices() -> None:
    """SAPP: all joint deviations of the buyer, whatever the asks."""
    rng = np.random.default_rng(2)
    harmed = 0
    for _ in range(8):
        value_priors, cost_priors, bids, asks = random_unit_demand(rng)
        market = as_unit_demand(value_priors, cost_priors)
        before = utility_of_buyer(SAPP.clear(market, UnitDemandReports(bids, asks)), bids)
        assert before >= 0
        for moved in product(range(0, (STEPS + 1) * brute.UNIT, brute.UNIT), repeat=len(bids)):
            after = utility_of_buyer(SAPP.clear(market, UnitDemandReports(moved, asks)), bids)
            assert after <= before
            harmed += after < before
    assert harmed > 50


def test_no_joint_bid_helps_on_average_when_the_buyer_offers() -> None:
    """GBOM: all joint deviations, exactly, in expectation over the sellers' costs; and a regret."""
    rng = np.random.default_rng(3)
    harmed, regrets = 0, 0
    for _ in range(8):
        value_priors, cost_priors, bids, _ = random_unit_demand(rng, largest=2)
        market = as_unit_demand(value_priors, cost_priors)
        profiles = list(product(*(zip(v, m, strict=True) for v, m in cost_priors)))

        def utilities(reported, market=market, profiles=profiles, bids=bids) -> np.ndarray:
            gained = []
            for profile in profiles:
                asks = [float(cost) for cost, _ in profile]
                outcome = GBOM.clear(market, UnitDemandReports(reported, asks))
                gained.append(utility_of_buyer(outcome, bids))
            return np.array(gained)

        chances = np.array([float(np.prod([float(m) for _, m in p])) for p in profiles])
        honest = utilities(bids)
        assert (honest >= 0).all()
        for moved in product(range(0, (STEPS + 1) * brute.UNIT, brute.UNIT), repeat=len(bids)):
            lied = utilities(moved)
            assert chances @ lied <= chances @ honest + 1e-9
            harmed += chances @ lied < chances @ honest - 1e-9
            regrets += bool((lied > honest + 1e-9).any())
    assert harmed > 50
    assert regrets > 0, "the buyer is said to be truthful in expectation only"


# ----------------------------------------------------------------------------- densities, Corollary


def unit_demand(values: list[str], costs: list[str]) -> cx.Market:
    return cx.Market(
        [{"id": "ann"}],
        [{"id": f"s{k}", "prior": prior} for k, prior in enumerate(costs)],
        [{"buyer": "ann", "seller": f"s{k}", "prior": prior} for k, prior in enumerate(values)],
    )


@pytest.mark.parametrize("value", ["uniform(0, 2)", "exponential(1)", "equal-revenue(1, 10)"])
def test_the_margin_is_the_median(value: str) -> None:
    rng = np.random.default_rng(4)
    priors = (cx.parse_prior(value), cx.parse_prior("uniform(0, 3)"))
    asks = rng.random((4, 2)) * 0.5
    drawn = np.array([p.virtual_value(p.sample(rng, 40_000)) for p in priors])
    for row, tau in enumerate(margin(priors, asks)):
        best = (drawn - asks[row][:, None]).max(axis=0)
        assert np.mean(best <= tau) >= 0.5 - 4 * 0.5 / 200
        if tau > 0:
            assert np.mean(best < tau * (1 - 1e-12)) <= 0.5 + 4 * 0.5 / 200


DISTRIBUTIONS = [
    (["uniform(0, 1)"], ["uniform(0, 1)"]),
    (["uniform(0, 1)", "uniform(0, 2)"], ["uniform(0, 1)", "uniform(0.5, 1)"]),
    (["exponential(1)", "exponential(2)", "exponential(1)"], ["exponential(1)"] * 3),
    (["equal-revenue(1, 20)", "uniform(0, 3)"], ["uniform(0, 1)", "beta(2, 1)"]),
    (["discrete([1, 2, 9], [0.5, 0.3, 0.2])"] * 2, ["discrete([0, 2], [0.5, 0.5])"] * 2),
]


@pytest.mark.parametrize(("values", "costs"), DISTRIBUTIONS)
def test_corollary_6_1(values: list[str], costs: list[str]) -> None:
    """The better of the two has 1/6.3 of the first best, and 2/3 SAPP + 1/3 GBOM 1/4.725."""
    market = unit_demand(values, costs)
    view, count = UnitDemand.of(market), 600
    drawn_values, drawn_costs = view.sample(5, count)
    gains = drawn_values - drawn_costs
    first_best = np.maximum(gains.max(axis=1), 0.0).mean()
    psi = np.array([market.sellers.prior(k).virtual_cost(c) for k, c in enumerate(drawn_costs.T)]).T
    scores = drawn_values - psi
    best = scores.argmax(axis=1)
    gbom = np.where(scores.max(axis=1) >= 0, gains[np.arange(count), best], 0.0).mean()
    sapp = expected_sapp(market, count, rng=5)
    assert max(gbom, sapp["gains_from_trade"].mean) >= first_best / 6.3
    assert (2 * sapp["gains_from_trade"].mean + gbom) / 3 >= first_best / 4.725
    assert 0 < sapp["trades"].mean <= 0.5 + 4 * sapp["trades"].stderr or "discrete" in values[0]
    # These hazard rates are monotone, or the deficit has been seen not to occur.
    assert sapp["surplus"].mean >= -4 * sapp["surplus"].stderr


def test_measured_expectations_are_those_of_single_outcomes() -> None:
    market = unit_demand(["uniform(0, 1)", "exponential(1)"], ["uniform(0, 1)", "exponential(1)"])
    values, costs = UnitDemand.of(market).sample(6, 12)
    outcomes = [SAPP.clear(market, UnitDemandReports(*row)) for row in zip(values, costs)]  # noqa: B905
    found = expected_sapp(market, 12, rng=6)
    for key in ("gains_from_trade", "surplus", "trades"):
        mean = np.mean([outcome.totals[key] for outcome in outcomes])
        assert found[key].mean == pytest.approx(mean, abs=1e-12)
    assert any(len(outcome) for outcome in outcomes)


# ---------------------------------------------------------------------- files, sentences, refusals


TEXT = """
{"name": "two flats", "buyers": [{"id": "ann"}],
 "sellers": [{"id": "s1", "ask": 1, "prior": "c"}, {"id": "s2", "ask": 2, "prior": "c"},
             {"id": "s3", "ask": 0, "prior": "c"}],
 "edges": [{"buyer": "ann", "seller": "s1", "bid": 3, "prior": "v"},
           {"buyer": "ann", "seller": "s2", "bid": 7.5, "prior": "uniform(0, 8)"}],
 "priors": {"v": {"kind": "uniform", "low": 0, "high": 4},
            "c": {"kind": "uniform", "low": 0, "high": 4}}}
"""


def test_files_round_trip(tmp_path) -> None:
    market = cx.Market.from_json(TEXT)
    for path in (tmp_path / "market.json", tmp_path / "folder"):
        market.write(path)
        again = cx.Market.read(path)
        assert again.equals(market)
        for mechanism in (GBOM, SAPP):
            one, two = mechanism.clear(market).to_dict(), mechanism.clear(again).to_dict()
            assert one == two
    view = UnitDemand.of(market)
    assert view.priors[1] == cx.parse_prior("uniform(0, 8)")
    inline = {"buyer": "ann", "seller": "s1", "prior": {"kind": "uniform", "low": 0, "high": 1}}
    market = cx.Market([{"id": "ann"}], [{"id": "s1", "ask": 0}], [inline])
    assert UnitDemand.of(market).priors == (cx.parse_prior("uniform(0, 1)"),)


@pytest.mark.parametrize("mechanism", [GBOM, SAPP], ids=["gbom", "sapp"])
def test_every_agent_has_a_plain_sentence(mechanism) -> None:
    market = cx.Market.from_json(TEXT)
    for bids in ([3, 7.5], [3.9, 2.1], [0.1, 0.2]):
        outcome = mechanism.clear(market, UnitDemandReports(bids, [1, 2, 0]))
        for row in outcome.agents.iter_rows(named=True):
            sentence = outcome.explain(row["id"])
            assert sentence.endswith(".") and repr(row["id"]) in sentence
            assert "nan" not in sentence and "inf" not in sentence
            if row["set_by"] is not None:
                assert f"{row['set_by_role']} {row['set_by']!r} sets it" in sentence
            if row["role"] == "seller" and row["critical_report"] is not None:
                index, at = int(row["id"][1:]) - 1, row["critical_report"]
                for ask, sold in ((max(at - 1e-3, 0), True), (at + 1e-3, False)):
                    asks = [1.0, 2.0, 0.0]
                    asks[index] = ask
                    again = mechanism.clear(market, UnitDemandReports(bids, asks))
                    assert (index in again.seller_index) == sold
    assert "there is no buyer to trade with" in outcome.explain("s3")


def test_refusals() -> None:
    def market(edges, buyers=({"id": "ann"},), sellers=({"id": "s", "ask": 1},), **named):
        return cx.Market(list(buyers), list(sellers), edges, **named)

    edge = {"buyer": "ann", "seller": "s", "bid": 2.0, "prior": "uniform(0, 1)"}
    two = market([edge], buyers=({"id": "ann"}, {"id": "bob"}))
    for given, error, words in (
        (two, cx.UnsupportedMarketError, "2 buyers.*exactly one"),
        (market([edge], buyers=({"id": "ann", "bid": 1},)), cx.UnsupportedMarketError, "own"),
        (market(None), cx.UnsupportedMarketError, "lists no edges"),
        (market([edge | {"bid": None}]), cx.MissingReportError, "edges row 0.*'ann'.*'s'.*no bid"),
        (market([edge | {"bid": "two"}]), cx.ReportError, "edges row 0.*'two'"),
        (market([edge | {"bid": float("nan")}]), cx.ReportError, "edges row 0.*NaN"),
        (market([edge | {"bid": float("inf")}]), cx.ReportError, "edges row 0.*infinite"),
        (
            market([edge | {"prior": "mine"}], priors={"mind": "uniform(0, 1)"}),
            cx.UnknownNameError,
            "edges row 0.*did you mean 'mind'",
        ),
        (market([edge | {"prior": None}]), cx.MissingPriorError, "edges row 0.*no prior"),
        (market([("ann", "s")]), cx.MissingReportError, "no column 'bid'"),
        (market([edge], sellers=({"id": "s"},)), cx.MissingReportError, "seller 's' has no ask"),
    ):
        with pytest.raises(error, match=words):
            SAPP.clear(given)
    with pytest.raises(cx.MissingPriorError, match="seller 's'"):
        GBOM.clear(market([edge]))
    with pytest.raises(cx.ReportError, match="1 bids and 2 asks for 1 edges and 1 sellers"):
        SAPP.clear(market([edge]), UnitDemandReports([1.0], [1.0, 2.0]))
    with pytest.raises(cx.ReportError, match="finite"):
        UnitDemandReports([np.nan], [1.0])
