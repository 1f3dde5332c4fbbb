"""Any data frame goes in, and frames come out in the caller's library."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from catallax.errors import CatallaxError
from catallax.markets import Agents, Graph, Market, Reports
from catallax.priors import parse_prior

BUYERS = {
    "id": ["ann", "bob", "cid"],
    "bid": [0.7, 0.4, 0.9],
    "prior": ["u", "uniform(0, 2)", None],
    "zone": [1, 2, 3],
}
SELLERS = {"id": [10, 20], "ask": [0.1, 0.2]}
EDGES = {"buyer": ["ann", "cid"], "seller": [20, 10], "weight": [1.5, 2.0]}
PRIORS = {"u": "uniform(0, 1)"}


def records(columns: dict) -> list[dict]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


LIBRARIES: dict[str, Any] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "lazy": pl.LazyFrame,
    "columns": dict,
    "records": records,
    "arrays": lambda columns: {name: np.array(values) for name, values in columns.items()},
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_makes_the_same_market(library):
    make = LIBRARIES[library]
    market = Market(make(BUYERS), make(SELLERS), make(EDGES), priors=PRIORS)
    assert market.equals(Market(BUYERS, SELLERS, EDGES, priors=PRIORS))
    assert market.buyers.table["zone"].to_list() == [1, 2, 3]
    assert market.edge_table["weight"].to_list() == [1.5, 2.0]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_come_back_in_the_caller_s_library(library):
    make = LIBRARIES[library]
    market = Market(make(BUYERS), make(SELLERS), priors=PRIORS)
    assert market.backend == library
    frame = market.frame({"id": ["a", None], "pays": np.array([0.5, 1.5]), "trades": [1, 2]})
    assert type(frame) is type(make({"x": [1]}))
    assert pl.DataFrame(frame)["pays"].to_list() == [0.5, 1.5]
    assert market.frame({"id": []}).shape[0] == 0


def test_a_market_of_plain_python_gives_polars():
    market = Market(records(BUYERS), records(SELLERS), priors=PRIORS)
    assert isinstance(market.frame({"id": ["a"]}), pl.DataFrame)


@pytest.mark.parametrize("library", ["pandas", "polars", "arrays"])
@pytest.mark.parametrize("ids", [[1, 2], ["a", "b"]])
def test_a_market_does_not_change_with_the_caller_s_arrays(library, ids):
    one = {
        "id": np.array(ids),
        "bid": np.array([0.5, 0.6]),
        "size": np.array([1, 2]),
        "share": np.array([0.1, 0.2]),
        "member": np.array([True, False]),
    }
    two = {
        "buyer": np.array(ids),
        "seller": np.array([9, 9]),
        "load": np.array([3, 4]),
        "weight": np.array([0.3, 0.4]),
    }
    buyers, edges = LIBRARIES[library](one), LIBRARIES[library](two)
    market = Market(buyers, {"id": [9]}, edges)
    before = pickle.loads(pickle.dumps(market))
    for frame, arrays in ((buyers, one), (edges, two)):
        for name, array in arrays.items():
            array[0] = array[1]
            if library == "pandas":
                frame.loc[0, name] = frame.loc[1, name]
    assert market.equals(before)
    assert market.buyers.ids.to_list() == ids
    assert market.edge_table["load"].to_list() == [3, 4]


def test_a_market_does_not_change_with_the_caller_s_series():
    ids, sizes = pl.Series(["a", "b"]), pl.Series([1, 2])
    market = Market({"id": ids, "size": sizes}, SELLERS)
    ids[0], sizes[0] = "z", 9
    assert market.buyers.ids.to_list() == ["a", "b"]
    assert market.buyers.table["size"].to_list() == [1, 2]


def test_a_frame_among_the_edges_decides_when_no_side_is_one():
    assert Market(BUYERS, SELLERS, pd.DataFrame(EDGES), priors=PRIORS).backend == "pandas"


def test_a_pandas_index_and_missing_values():
    buyers = pd.DataFrame({"id": ["a", "b"], "prior": ["u", np.nan], "note": ["x", None]}, [7, 7])
    market = Market(buyers, SELLERS, priors=PRIORS)
    assert market.buyers.prior_of.tolist() == [0, -1]
    assert market.buyers.table["note"].to_list() == ["x", None]


def test_priors_given_as_objects_and_specifications_are_shared():
    prior = parse_prior("uniform(0, 1)")
    specs = [prior, {"kind": "uniform", "low": 0, "high": 1}, "uniform(0, 1)", "u", "u"]
    market = Market({"id": list("abcde"), "prior": specs}, SELLERS, priors=PRIORS)
    assert market.buyers.prior_of.tolist() == [0, 0, 0, 1, 1]
    assert market.buyers.prior_names == (None, "u")


def test_a_struct_column_of_specifications():
    specs = [{"kind": "point", "value": 1}, {"kind": "uniform", "low": 0, "high": 2}]
    kind = pl.Struct({"kind": pl.String, "value": pl.Int64, "low": pl.Int64, "high": pl.Int64})
    frame = pl.DataFrame({"id": ["a", "b"], "prior": pl.Series(specs, dtype=kind)})
    market = Market(frame, SELLERS)
    assert market.buyers.prior(0) == parse_prior("point(1)")
    assert market.buyers.prior(1) == parse_prior("uniform(0, 2)")


def test_categories_are_text():
    frame = pl.DataFrame({"id": ["a", "b"], "prior": ["u", "u"], "zone": ["x", "y"]})
    market = Market(frame.cast(pl.Categorical), SELLERS, priors=PRIORS)
    assert market.equals(Market(frame, SELLERS, priors=PRIORS))


def test_pairs_arrays_generators_and_graphs_are_edges():
    usual = Market(BUYERS, SELLERS, [("ann", 20), ("cid", 10)], priors=PRIORS)
    pairs = [["ann", 20], ["cid", 10]]
    assert Market(BUYERS, SELLERS, (tuple(p) for p in pairs), priors=PRIORS).equals(usual)
    graph = Graph(3, 2, [0, 2], [1, 0])
    assert Market(BUYERS, SELLERS, graph, priors=PRIORS).equals(usual)
    array = np.array([["ann", "s"]])
    assert Market(BUYERS, {"id": ["s"]}, array, priors=PRIORS).graph.n_edges == 1
    with pytest.raises(CatallaxError, match="graph is for 2 buyers"):
        Market(BUYERS, SELLERS, Graph(2, 2), priors=PRIORS)


def test_the_other_side_s_agents_are_refused():
    with pytest.raises(CatallaxError, match="swap the two sides"):
        Market(Agents("seller", pl.Series(["a"])), SELLERS)


def test_a_market_is_immutable_and_pickles():
    market = Market(BUYERS, SELLERS, EDGES, priors=PRIORS)
    with pytest.raises(AttributeError):
        setattr(market, "name", "x")  # noqa: B010
    assert market.bids is not None
    with pytest.raises(ValueError, match="read-only"):
        market.bids[0] = 1
    priors: Any = market.priors
    with pytest.raises(TypeError):
        priors["x"] = 1
    assert pickle.loads(pickle.dumps(market)).equals(market)
    assert not market.equals(Market(BUYERS, SELLERS, priors=PRIORS))
    assert not market.equals(3)


def test_reports_given_apart_replace_those_of_the_tables():
    reports = Reports([1, 2, 3], [4, 5])
    market = Market(BUYERS, SELLERS, priors=PRIORS, reports=reports)
    assert market.require_reports().bids.tolist() == [1, 2, 3]
    assert Market(BUYERS, SELLERS, priors=PRIORS).with_reports(reports).equals(market)


def test_a_summary_and_a_short_description():
    market = Market(BUYERS, SELLERS, EDGES, priors=PRIORS, name="street")
    assert repr(market) == "<market 'street': 3 buyers, 2 sellers, 2 edges>"
    assert market.summary() == {
        "name": "street", "currency": "", "buyers": 3, "sellers": 2, "edges": 2,
        "complete": False, "priors": 2, "reports": True,
    }  # fmt: skip


def test_constraints_are_kept_and_written_back(tmp_path):
    specs = [
        {"kind": "cap", "limit": 1},
        {"kind": "conflicts", "over": "edges", "pairs": [[["ann", 20], ["cid", 10]]]},
    ]
    market = Market(BUYERS, SELLERS, EDGES, priors=PRIORS, constraints=specs)
    for name in ("street", "street.json"):
        assert Market.read(market.write(tmp_path / name)).constraints == tuple(specs)
    with pytest.raises(CatallaxError, match=r"constraints\[0\]: a constraint needs a kind"):
        Market(BUYERS, SELLERS, priors=PRIORS, constraints=[{"limit": 1}])
