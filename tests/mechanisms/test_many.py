"""`clear_many`: every market as `clear` clears it alone, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import catallax as cx
from catallax.mechanisms import Mechanism, SeparableMechanism, many

PRIORS = {
    "flat": "uniform(0, 10)",
    "inner": "uniform(2, 8)",
    "point": "point(3)",
    "atoms": "discrete([1, 3, 6], [0.3, 0.4, 0.3])",
    "sample": "empirical([0, 1, 1, 4, 7, 7])",
    "humps": {
        "kind": "mixture",
        "components": [{"kind": "normal", "mean": m, "sd": 0.7} for m in (2, 7)],
        "weights": [0.5, 0.5],
    },
    "long": "exponential(3)",
    "kinks": "piecewise([0, 2, 10], [0, 0.7, 1])",
}
QUICK = ["first-best", "gsom", "gbom"]
AUCTIONS = ["trade-reduction", "mcafee"]


@dataclass(frozen=True)
class Case:
    """Tables of many markets, and each market's own."""

    names: list[str]
    buyers: pl.DataFrame
    sellers: pl.DataFrame
    edges: pl.DataFrame | None

    @property
    def markets(self) -> cx.Markets:
        return cx.Markets(
            self.buyers, self.sellers, self.edges, priors=PRIORS, by="hour", names=self.names
        )

    def alone(self, name: str) -> cx.Market:
        def own(table: pl.DataFrame) -> pl.DataFrame:
            return table.filter(pl.col("hour") == name).drop("hour")

        edges = None if self.edges is None else own(self.edges)
        return cx.Market(own(self.buyers), own(self.sellers), edges, priors=PRIORS, name=name)


def draw(seed: int, *, sparse: bool, markets: int = 60) -> Case:
    """Draw small markets, some empty or with one side, with ties, in tables in no order."""
    rng = np.random.default_rng(seed)
    names = [f"h{k}" for k in range(markets)]
    rows: dict[str, list[Any]] = {"buyer": [], "seller": [], "edge": []}
    kinds = list(PRIORS)
    for name in names:
        sizes = rng.integers(0, 6, 2)
        whole, density = rng.random() < 0.6, rng.random()
        for role, size in zip(("buyer", "seller"), sizes, strict=True):
            reports = rng.integers(0, 9, size) if whole else np.abs(rng.normal(4, 2, size))
            rows[role] += [
                (name, f"a{k}", float(report), kinds[rng.integers(len(kinds))])
                for k, report in enumerate(reports)
            ]
        pairs = np.argwhere(rng.random(tuple(sizes)) < density)
        rows["edge"] += [(name, f"a{i}", f"a{j}") for i, j in pairs]

    def table(role: str, columns: list[str], numbers: str = "") -> pl.DataFrame:
        schema = {name: pl.Float64 if name == numbers else pl.String for name in columns}
        mixed = [rows[role][k] for k in rng.permutation(len(rows[role]))]
        return pl.DataFrame(mixed, schema, orient="row")

    return Case(
        names,
        table("buyer", ["hour", "id", "bid", "prior"], "bid"),
        table("seller", ["hour", "id", "ask", "prior"], "ask"),
        table("edge", ["hour", "buyer", "seller"]) if sparse else None,
    )


def check(case: Case, mechanism: str, outcomes: cx.Outcomes) -> int:
    """Compare with each market alone; frames of every tenth one, numbers of all."""
    frames = {
        table: frame.partition_by("hour", as_dict=True, include_key=False)
        for table, frame in (("trades", outcomes.trades), ("agents", outcomes.agents))
    }
    totals = outcomes.totals.rows_by_key("hour", named=True, unique=True)
    for place, (name, document) in enumerate(zip(case.names, outcomes.to_dicts(), strict=True)):
        alone = cx.clear(outcomes.markets[name], mechanism)
        assert document == alone.to_dict()
        assert list(document["totals"]) == list(alone.totals)
        assert totals[name] == alone.totals
        if place % 10 == 0:
            assert outcomes.markets[name].equals(case.alone(name))
            for table, own in frames.items():
                expected = getattr(alone, table)
                found = own.get((name,), expected.clear())
                assert found.equals(expected, null_equal=True)
                assert found.schema == expected.schema
            assert outcomes[name].to_dict() == document
    return len(outcomes.trades)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("mechanism", QUICK)
def test_all_markets_in_one_pass_are_what_each_is_alone(mechanism: str, sparse: bool) -> None:
    for seed in range(2):
        case = draw(seed, sparse=sparse)
        assert check(case, mechanism, cx.clear_many(case.markets, mechanism)) > 10


@pytest.mark.parametrize("mechanism", AUCTIONS)
def test_auctions_of_all_markets_are_what_each_is_alone(mechanism: str) -> None:
    for seed in range(10, 12):
        case = draw(seed, sparse=False)
        assert check(case, mechanism, cx.clear_many(case.markets, mechanism)) > 10


@pytest.mark.parametrize("mechanism", ["posted-price", "gsom-bic"])
def test_other_mechanisms_clear_one_market_after_the_other(mechanism: str) -> None:
    case, seen = draw(20, sparse=False, markets=12), []
    done = cx.clear_many(case.markets, mechanism, progress=lambda *step: seen.append(step))
    check(case, mechanism, done)
    assert seen == [(k / 12, f"{k} of 12 markets") for k in range(1, 13)]


class Half(SeparableMechanism):
    slug = "half"
    summary = "weighs bids by how many buyers there are, which only the market alone can say"

    def weights(self, market, reports):
        return reports.bids / max(len(market.buyers), 1), reports.asks

    def critical_bids(self, market, thresholds):
        return thresholds.level * len(market.buyers)


def test_a_mechanism_of_somebody_else_sees_one_market_at_a_time() -> None:
    case = draw(30, sparse=True, markets=20)
    outcomes = cx.clear_many(case.markets, Half())
    for name, document in zip(case.names, outcomes.to_dicts(), strict=True):
        assert document == cx.clear(case.alone(name), Half()).to_dict()


def test_the_quick_ways_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "clear", None)  # what clears one market
    complete, sparse = draw(1, sparse=False).markets, draw(1, sparse=True).markets
    for mechanism in QUICK + AUCTIONS:
        assert len(cx.clear_many(complete, mechanism)) == 60
    for mechanism in QUICK:
        assert len(cx.clear_many(sparse, mechanism)) == 60
    with pytest.raises(TypeError):
        cx.clear_many(complete, "hybrid")


def test_sums_of_all_markets_are_rounded_once() -> None:
    amounts = [1.0, 2.0**-53, 2.0**-53, 2.0**-60]
    markets = cx.Markets(
        {"market": [0, 1, 2, 3], "id": [0] * 4, "bid": amounts},
        {"market": [0, 1, 2, 3], "id": [0] * 4, "ask": [0.0] * 4},
    )
    outcomes = cx.clear_many(markets, "first-best")
    assert outcomes.overall["sellers_receive"] == 1.0 + 2.0**-52
    assert outcomes.overall["trades"] == 4 and outcomes.overall["surplus"] == -1.0 - 2.0**-52
    assert outcomes.totals["sellers_receive"].to_list() == amounts
    assert list(outcomes.overall) == list(outcomes["1"].totals)


class Shared(Mechanism):
    slug = "shared"
    summary = "the first best, and a penny for everybody in every second market"

    def clear(self, market, reports):
        outcome = cx.clear(market, "first-best", reports)
        people = len(market.buyers) + len(market.sellers)
        pennies = np.full(people, 0.01) if int(market.name[1:]) % 2 else None
        return replace(outcome, transfers=pennies)


def test_transfers_are_added_up() -> None:
    case = draw(20, sparse=False, markets=12)
    outcomes = cx.clear_many(case.markets, Shared())
    each = [cx.clear(case.markets[name], Shared()).totals for name in case.names]
    for key in ("trades", "gains_from_trade", "transfers", "surplus"):
        found = outcomes.totals[key].to_list()
        assert found == [totals.get(key, 0.0) for totals in each]
        assert outcomes.overall[key] == pytest.approx(sum(found), abs=1e-9) != 0
    assert "transfer" in outcomes.agents.columns


def test_reports_stand_in_the_order_of_the_tables() -> None:
    case = draw(40, sparse=True)
    rng = np.random.default_rng(0)
    bids, asks = rng.random(case.buyers.height) * 9, rng.random(case.sellers.height) * 9
    given = cx.Reports(bids, asks)
    other = Case(
        case.names,
        case.buyers.with_columns(bid=pl.Series(bids)),
        case.sellers.with_columns(ask=pl.Series(asks)),
        case.edges,
    )
    for mechanism in ("gsom", Half()):
        outcomes = cx.clear_many(case.markets, mechanism, given)
        expected = cx.clear_many(other.markets, mechanism)
        assert outcomes.trades.equals(expected.trades) and len(outcomes.trades) > 10
        assert outcomes["h3"].to_dict() == expected["h3"].to_dict()
    with pytest.raises(cx.ReportError, match="bids for"):
        cx.clear_many(case.markets, "gsom", cx.Reports(bids[1:], asks))
    with pytest.raises(cx.ReportError, match=r"buyer '.+' of market 'h\d+' has a bid that is NaN"):
        cx.clear_many(case.markets, "gsom", cx.Reports(bids * np.nan, asks))
    with pytest.raises(cx.ReportError, match="reports are dict"):
        cx.clear_many(case.markets, "gsom", {"h1": given})


def test_bids_on_edges_are_cleared_one_by_one() -> None:
    sellers = [("s1", 0.2, "uniform(0, 1)"), ("s2", 0.5, "uniform(0, 1)")]
    edges = [("ann", "s1", 0.9, "uniform(0, 1)"), ("ann", "s2", 0.8, "uniform(0, 1)")]

    def table(rows: list[tuple[Any, ...]], columns: list[str], *, days: bool) -> pl.DataFrame:
        one = pl.DataFrame(rows, columns, orient="row")
        return (
            pl.concat([one.select(pl.lit(d).alias("day"), pl.all()) for d in "xy"]) if days else one
        )

    def tables(*, days: bool) -> list[pl.DataFrame]:
        return [
            table([("ann",)], ["id"], days=days),
            table(sellers, ["id", "ask", "prior"], days=days),
            table(edges, ["buyer", "seller", "bid", "prior"], days=days),
        ]

    alone = cx.clear(cx.Market(*tables(days=False)), "gbom-unit-demand")
    markets = cx.Markets(*tables(days=True), by="day")
    outcomes = cx.clear_many(markets, "gbom-unit-demand")
    assert [d["trades"] for d in outcomes.to_dicts()] == [alone.to_dict()["trades"]] * 2 != [[]] * 2
    with pytest.raises(cx.UnsupportedMarketError, match="bids on the edges"):
        cx.clear_many(markets, "gsom")


def test_no_markets_at_all() -> None:
    markets = cx.Markets([], [])
    for mechanism in ("gsom", "mcafee", "posted-price"):
        outcomes = cx.clear_many(markets, mechanism)
        assert len(outcomes) == outcomes.overall["trades"] == len(list(outcomes.to_dicts())) == 0
        assert outcomes.totals.columns[:2] == ["market", "trades"]
        assert outcomes.agents.columns[:3] == ["market", "id", "role"]
        assert outcomes.trades.height == outcomes.agents.height == 0
        assert "0 markets" in repr(outcomes)


def test_frames_come_back_in_the_library_of_the_tables() -> None:
    case = draw(50, sparse=True)
    tables = [pd.DataFrame(t.to_dict(as_series=False)) for t in (case.buyers, case.sellers)]
    markets = cx.Markets(*tables, case.edges, priors=PRIORS, by="hour")
    outcomes = cx.clear_many(markets)
    for frame in (outcomes.trades, outcomes.totals, outcomes.agents):
        assert isinstance(frame, pd.DataFrame) and frame.columns[0] == "hour"
    assert isinstance(outcomes[markets.names[0]].trades, pd.DataFrame)


def two(**more: Any) -> cx.Markets:
    """Make two markets; the second one has something wrong, or nothing."""
    buyers = {"market": ["a", "b", "b"], "id": ["x", "x", "y"], "bid": [3, 2, 2]}
    sellers = {"market": ["a", "b"], "id": ["x", "x"], "ask": [1, 1]}
    given: dict[str, Any] = {"buyers": buyers, "sellers": sellers}
    return cx.Markets(**given | more)


@pytest.mark.parametrize(
    ("markets", "mechanism", "error", "says"),
    [
        (two(), "gsom", cx.MissingPriorError, r"buyer 'x' of market 'a' has no prior"),
        (two(), "posted-price", cx.MissingPriorError, r"market 'a': buyer 'x' has no prior"),
        (two(), "gsmo", cx.UnknownNameError, "did you mean 'gsom'"),
        (two(), "random-offerer", cx.MissingPriorError, "market 'a'"),
        (
            two(edges=[{"market": m, "buyer": "x", "seller": "x"} for m in "ab"]),
            "mcafee",
            cx.UnsupportedMarketError,
            "market 'b' has 1 of 2 edges",
        ),
        (
            two(buyers={"market": ["a"], "id": ["x"]}),
            "first-best",
            cx.MissingReportError,
            "buyer 'x' of market 'a' has no bid",
        ),
        (
            two(
                buyers={"market": ["b"] * 2, "id": [1, 2], "bid": [1.7e308] * 2},
                sellers={"market": ["b"] * 2, "id": [1, 2], "ask": [0] * 2},
            ),
            "first-best",
            cx.ReportError,
            "market 'b': the amounts are too large",
        ),
    ],
)
def test_errors_name_the_market(markets, mechanism, error, says) -> None:
    with pytest.raises(error, match=says):
        _ = cx.clear_many(markets, mechanism).totals


def test_a_lottery_is_refused() -> None:
    markets = draw(2, sparse=False, markets=3).markets
    with pytest.raises(cx.UnsupportedMarketError, match="to chance"):
        cx.clear_many(markets, "random-offerer")


def test_outcomes_are_found_by_name() -> None:
    markets = two()
    outcomes = cx.clear_many(markets, "first-best")
    assert list(outcomes) == ["a", "b"] and len(outcomes) == 2
    assert outcomes["b"].explain("y").startswith("Buyer 'y' bid 2 and does not trade")
    assert repr(outcomes).startswith("<Outcomes of first-best on 'markets': 2 markets, 2 trades")
    with pytest.raises(cx.UnknownNameError, match="there is no market 'c'"):
        outcomes["c"]
