"""Real markets with known answers; they do not ship with the project."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import catallax as cx

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not at hand")


def ebay(item: str) -> cx.Market:
    spec = importlib.util.spec_from_file_location(
        "ebay_market", ROOT / "examples" / "ebay_market.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build(DATA, item)


@pytest.mark.parametrize("item", ["palm", "cartier"])
def test_ebay(item: str, tmp_path: Path) -> None:
    market = ebay(item)
    known = pl.read_csv(DATA / "ebay_graph_summary.csv").filter(pl.col("item") == item)
    assert (len(market.buyers), len(market.sellers), market.graph.n_edges) == known.select(
        "buyers", "sellers", "edges"
    ).row(0)
    market.write(tmp_path / item)
    market = cx.Market.read(tmp_path / item)
    best = cx.clear(market, "first-best")
    assert round(best.totals["gains_from_trade"], 2) == known["max_surplus_usd"].item()
    assert best.totals["surplus"] <= 0
    for mechanism in ("first-best", "gsom", "gbom"):
        outcome = cx.clear(market, mechanism)
        bids = outcome.reports.bids[outcome.buyer_index]
        asks = outcome.reports.asks[outcome.seller_index]
        assert (outcome.buyer_pays <= bids).all()
        assert (outcome.seller_receives >= asks).all()
        assert outcome.totals["gains_from_trade"] <= best.totals["gains_from_trade"] + 1e-9


def torq_days() -> list[str]:
    if not DATA.is_dir():
        return ["absent"]
    return pl.read_csv(DATA / "torq_ibm_days.csv")["date"].to_list()


@pytest.mark.parametrize("date", torq_days())
def test_torq(date: str) -> None:
    """One day of limit orders, all of them unit traders: pairs that gain, and the total gain."""
    known = pl.read_csv(DATA / "torq_ibm_days.csv").row(
        by_predicate=pl.col("date") == date, named=True
    )
    orders = pl.read_csv(DATA / "torq_ibm_orders.csv").filter(pl.col("date") == date)
    sides = orders.partition_by("side", as_dict=True)
    buys, sells = (sides[(side,)]["price_usd"].cast(pl.Float64) for side in ("buy", "sell"))
    market = cx.Market(
        {"id": np.arange(buys.len()), "bid": buys}, {"id": np.arange(sells.len()), "ask": sells}
    )
    outcome = cx.clear(market, "first-best")
    assert outcome.solver == "sort"
    bids = np.sort(outcome.reports.bids[outcome.buyer_index])[::-1]
    asks = np.sort(outcome.reports.asks[outcome.seller_index])
    assert np.count_nonzero(bids > asks) == known["unit_efficient_pairs"]
    assert outcome.totals["gains_from_trade"] == known["unit_max_gain_usd"]
