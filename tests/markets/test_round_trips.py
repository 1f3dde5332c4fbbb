"""Whatever is written comes back, bit for bit, in every format."""

from __future__ import annotations

import sys
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.errors import OutputError
from catallax.markets import Market
from catallax.markets.files import writing
from catallax.priors import make_prior
from catallax.priors import names as prior_names

FORMATS = ["csv", "parquet", "json"]


def round_trip(market: Market, form: str) -> Market:
    with tempfile.TemporaryDirectory() as folder:
        if form == "json":
            return Market.read(market.write(Path(folder) / "market.json"))
        written = market.write(Path(folder) / "market", tables=form)
        return Market.read(written)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ids = st.one_of(
    st.sampled_from(
        ["007", "1" * 30, "1e5", "true", "null", "a,b", 'say "hi"', "x\ny", "a b", "#"]
    ),
    texts.map(str.strip).filter(bool),
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
asks = st.floats(min_value=0, allow_infinity=False)
integers = st.integers(-(2**63), 2**63 - 1)

# Names of other columns, away from those that would be taken for a slip of the pen.
names = texts.map(lambda text: "column " + "".join(c for c in text if c not in "\r\n"))
columns: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "integer": integers,
    "number": st.floats(),
    "boolean": st.booleans(),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "datetime": st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
}
dtypes = {
    "text": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "datetime": pl.Datetime("us"),
}

PRIORS: list[Any] = [
    {"kind": "uniform", "low": 0.1, "high": 1 / 3},
    {"kind": "normal", "mean": 0.3, "sd": 1e-9},
    {"kind": "normal", "mean": 0.3, "sd": 0.2, "low": 0},
    {"kind": "exponential", "scale": 1e12, "loc": 0.5},
    {"kind": "lognormal", "median": 2.0, "sigma": 0.7},
    {"kind": "beta", "a": 0.1, "b": 1, "low": 0, "high": 3},
    {"kind": "pareto", "alpha": 2.5, "scale": 1 / 7},
    {"kind": "equal-revenue", "low": 1, "high": 1 / 3 * 10},
    {"kind": "point", "value": 1e-9},
    {"kind": "discrete", "values": [0.1, 0.2, 0.1 + 0.2], "probabilities": [0.2, 0.2, 0.6]},
    {"kind": "empirical", "values": [3.1, 0.1, 2.2, 2.2]},
    {"kind": "empirical", "values": list(np.linspace(0, 1, 500) ** 2)},
    {"kind": "piecewise", "values": [0, 1, 3], "cdf": [0, 0.7, 1]},
    {"kind": "intervals", "low": [0, 1, 2], "high": [1, 3, float("inf")]},
    {
        "kind": "mixture",
        "components": [{"kind": "point", "value": 0}, {"kind": "uniform", "low": 0, "high": 1}],
        "weights": [0.25, 0.75],
    },
    {"kind": "scipy", "name": "weibull_max", "c": 1.0, "loc": 4},
]  # fmt: skip


def test_every_kind_of_prior_is_among_those_tried():
    assert {spec["kind"] for spec in PRIORS} == set(prior_names())


@st.composite
def frames(draw, keys: dict[str, pl.Series], size: int) -> pl.DataFrame:
    for kind in draw(st.lists(st.sampled_from(sorted(columns)), max_size=3)):
        values = draw(st.lists(st.none() | columns[kind], min_size=size, max_size=size))
        keys[draw(names.filter(lambda name: name not in keys))] = pl.Series(
            values, dtype=dtypes[kind]
        )
    return pl.DataFrame(keys)


@st.composite
def sides(draw, word: str, reports) -> pl.DataFrame:
    kind = draw(st.sampled_from([ids, integers]))
    agents = draw(st.lists(kind, unique=True, max_size=5))
    size = len(agents)
    keys = {"id": pl.Series(agents, dtype=pl.Int64 if kind is integers else pl.String)}
    if draw(st.booleans()):
        values = draw(st.lists(reports, min_size=size, max_size=size))
        keys[word] = pl.Series(values, dtype=pl.Float64)
    if draw(st.booleans()):
        prior = st.sampled_from(
            [None, "u", "né w", "uniform(0, 0.25)", '{"kind": "point", "value": 1}']
        )
        entries = draw(st.lists(prior, min_size=size, max_size=size))
        keys["prior"] = pl.Series(entries, dtype=pl.String)
    return draw(frames(keys, size))


@st.composite
def markets(draw) -> Market:
    buyers, sellers = draw(sides("bid", numbers)), draw(sides("ask", asks))
    edges = None
    if draw(st.booleans()):
        pairs = [(b, s) for b in buyers["id"] for s in sellers["id"]]
        chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
        ends = {
            "buyer": pl.Series([b for b, _ in chosen], dtype=buyers["id"].dtype),
            "seller": pl.Series([s for _, s in chosen], dtype=sellers["id"].dtype),
        }
        edges = draw(frames(ends, len(chosen)))
    return Market(
        buyers,
        sellers,
        edges,
        priors={"u": "uniform(0, 1)", "né w": "point(2)"},
        name=draw(texts),
        currency=draw(texts),
        largest_report=draw(st.sampled_from([None, sys.float_info.max])),
    )


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60, deadline=None)
@given(market=markets())
def test_a_market_comes_back(form, market):
    again = round_trip(market, form)
    assert again.equals(market)
    assert again.buyers.table.schema == market.buyers.table.schema
    assert again.sellers.table.schema == market.sellers.table.schema
    assert again.edge_table.schema == market.edge_table.schema


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("spec", PRIORS, ids=lambda spec: spec["kind"])
def test_a_prior_comes_back(form, spec):
    market = Market(
        {"id": ["a", "b", "c"], "prior": ["named", spec, spec]}, [], priors={"named": spec}
    )
    again = round_trip(market, form)
    assert len(again.buyers.priors) == 2
    for position in range(3):
        assert again.buyers.prior(position) == make_prior(spec)
    assert again.buyers.prior_names[0] == "named"
    assert again.priors["named"] == make_prior(spec)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(asks, min_size=1, max_size=30))
def test_reports_come_back_bit_for_bit(values):
    market = Market([], {"id": list(range(len(values))), "ask": values})
    for form in FORMATS:
        again = round_trip(market, form).asks
        assert again is not None
        assert again.tobytes() == np.array(values).tobytes()


def test_magnitudes_from_subnormal_to_huge():
    values = [5e-324, 1e-9, 1e12, 1e300, -0.0, 0.1 + 0.2]
    market = Market({"id": list("abcdef"), "bid": values}, [])
    for form in FORMATS:
        again = round_trip(market, form)
        assert again.bids is not None
        assert again.bids.tobytes() == np.array(values).tobytes()


def test_names_and_ids_stay_what_they_were():
    market = Market({"id": ["007", "1" * 30, "7"]}, {"id": [-7, 2**62]}, [("007", 2**62)])
    for form in FORMATS:
        again = round_trip(market, form)
        assert again.buyers.ids.to_list() == ["007", "1" * 30, "7"]
        assert again.sellers.ids.to_list() == [-7, 2**62]
        assert again.sellers.ids.dtype == pl.Int64


def test_a_csv_folder_without_declarations_keeps_names(tmp_path):
    (tmp_path / "market.toml").write_text(
        '[buyers]\ntable = "b.csv"\n[sellers]\ntable = "s.csv"\n', encoding="utf-8"
    )
    (tmp_path / "b.csv").write_text(
        "id,code,count,share,member,day,empty\n007,01,3,.5,true,2024-01-01,\n8,2,,1e3,false,,\n"
    )
    (tmp_path / "s.csv").write_text("id,card\n1," + "9" * 20 + "\n")
    market = Market.read(tmp_path / "market.toml")
    assert market.name == tmp_path.name
    assert market.graph.complete
    assert market.buyers.ids.to_list() == ["007", "8"]
    table = market.buyers.table
    assert table["code"].to_list() == ["01", "2"]
    assert table["count"].to_list() == [3, None]
    assert table["share"].to_list() == [".5", "1e3"]
    assert table["member"].to_list() == [True, False]
    assert table["day"].to_list() == ["2024-01-01", None]
    assert table["empty"].to_list() == [None, None]
    assert market.sellers.table["card"].to_list() == ["9" * 20]


CODES = [
    ["1E2", "100"], ["1.10", "1.1"], ["nan", "NaN"], ["inf", "Infinity"], ["+1", "1"], ["007", "7"],
    ["12345678901234567.5", "12345678901234567.25"], ["2", "2.0"], [".5", "0.25"], ["-0", "0"],
]  # fmt: skip


@pytest.mark.parametrize("codes", CODES)
def test_codes_that_resemble_numbers_stay_apart(tmp_path, codes):
    rows = "".join(f"b{row},{code}\n" for row, code in enumerate(codes))
    (tmp_path / "b.csv").write_text("id,zone\n" + rows)
    (tmp_path / "s.csv").write_text("id\ns1\n")
    toml = '[buyers]\ntable = "b.csv"\n[sellers]\ntable = "s.csv"\n'
    (tmp_path / "market.toml").write_text(toml)
    assert Market.read(tmp_path).buyers.table["zone"].to_list() == codes


def test_a_line_break_in_a_name_is_refused_where_it_could_swallow_rows(tmp_path):
    buyers = pl.DataFrame({"id": ["b"], "no\nte": ["x"]})
    market = Market(buyers, [{"id": "s"}])
    with pytest.raises(OutputError, match="line break"):
        market.write(tmp_path / "market")
    assert not (tmp_path / "market").exists()
    again = Market.read(market.write(tmp_path / "market", tables="parquet"))
    assert again.buyers.table["no\nte"].to_list() == ["x"]


def test_numbers_as_they_are_written_are_numbers(tmp_path):
    values = [0.1 + 0.2, 1000.0, 1e-7, 1e22, 5e-324, -2.5, 1e16]
    mixed = ["1", "2.5", "3", "-4", "0.25", "1e+22", "1000.0"]
    frame = pl.DataFrame({"id": list("abcdefg"), "share": values, "count": range(7), "m": mixed})
    frame.write_csv(tmp_path / "b.csv")
    (tmp_path / "s.csv").write_text("id\ns1\n")
    toml = '[buyers]\ntable = "b.csv"\n[sellers]\ntable = "s.csv"\n'
    (tmp_path / "market.toml").write_text(toml)
    table = Market.read(tmp_path).buyers.table
    assert table["share"].to_list() == values
    assert table["count"].to_list() == list(range(7))
    assert table["m"].to_list() == [float(text) for text in mixed]


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_prior_without_a_name_comes_back_without_one(form):
    long = {"kind": "empirical", "values": list(np.linspace(0, 1, 500) ** 2)}
    other = {"kind": "empirical", "values": list(np.linspace(0, 2, 500) ** 2)}
    market = Market(
        {"id": ["a", "b", "c", "d"], "prior": [long, "prior-1", other, None]},
        {"id": ["s"], "prior": [long]},
        priors={"prior-1": "point(1)"},
    )
    again = round_trip(market, form)
    assert again.equals(market)
    assert list(again.priors) == ["prior-1"]
    assert again.buyers.prior_names == (None, "prior-1", None)


def test_an_empirical_prior_of_a_table_can_be_moved(tmp_path):
    """The history stays behind; the values go with the market."""
    old = tmp_path / "old"
    old.mkdir()
    (old / "history.csv").write_text("value\n0.5\n0.25\n0.75\n")
    (old / "buyers.csv").write_text("id,prior\nb1,h\n")
    (old / "sellers.csv").write_text("id\ns1\n")
    (old / "market.toml").write_text(
        '[buyers]\ntable = "buyers.csv"\n[sellers]\ntable = "sellers.csv"\n'
        '[priors.h]\nkind = "empirical"\ntable = "history.csv"\ncolumn = "value"\n'
    )
    market = Market.read(old)
    assert market.buyers.prior(0) == make_prior({"kind": "empirical", "values": [0.5, 0.25, 0.75]})
    for form in FORMATS:
        assert round_trip(market, form).equals(market)
    (old / "small.json").write_text(
        '{"buyers": [{"id": "b1", "prior": {"kind": "empirical", "table": "history.csv", '
        '"column": "value"}}], "sellers": []}'
    )
    assert Market.read(old / "small.json").buyers.prior(0) == market.buyers.prior(0)


def test_the_forms_of_json(tmp_path):
    """The example of the documentation, and edges as objects."""
    text = """
    {"name": "small", "buyers": [{"id": "b1", "bid": 0.7, "prior": "u"},
                                 {"id": "b2", "bid": 0.4, "prior": "u"}],
     "sellers": [{"id": "s1", "ask": 0.2, "prior": {"kind": "uniform", "low": 0, "high": 1}}],
     "edges": [["b1", "s1"], ["b2", "s1"]],
     "priors": {"u": {"kind": "uniform", "low": 0, "high": 1}}}
    """
    market = Market.from_json(text)
    objects = Market.from_json(
        text.replace('["b1", "s1"]', '{"buyer": "b1", "seller": "s1", "weight": 2}').replace(
            '["b2", "s1"]', '{"buyer": "b2", "seller": "s1", "weight": 1.5}'
        )
    )
    assert market.edge_table.width == 0
    assert objects.edge_table["weight"].to_list() == [2.0, 1.5]
    assert objects.graph.buyer.tolist() == market.graph.buyer.tolist() == [0, 1]
    assert market.sellers.prior_names == (None,)
    assert market.sellers.priors[0] == market.buyers.priors[0]
    for form in FORMATS:
        assert round_trip(objects, form).equals(objects)


def test_a_column_that_text_cannot_hold(tmp_path):
    market = Market({"id": ["a"], "tags": [["x", "y"]]}, [])
    assert round_trip(market, "parquet").equals(market)
    for name in ("folder", "file.json"):
        with pytest.raises(OutputError, match="'tags' is of type List") as information:
            market.write(tmp_path / name)
        assert "parquet" in str(information.value)
        assert list(tmp_path.iterdir()) == []


# ----------------------------------------------------------------------------------- atomic writing

SMALL = Market({"id": ["a"], "bid": [1.0]}, {"id": ["s"], "ask": [0.5]}, [("a", "s")])
OTHER = Market({"id": ["a"], "bid": [2.0]}, {"id": ["s"], "ask": [0.5]}, name="other")


class CrashError(Exception):
    """Anything that goes wrong halfway."""


@pytest.mark.parametrize("name", ["folder", "file.json"])
def test_a_failing_write_leaves_the_old_content(tmp_path, monkeypatch, name):
    path = tmp_path / name
    SMALL.write(path)
    before = sorted(tmp_path.rglob("*"))

    def crash(*arguments, **others):
        raise CrashError

    monkeypatch.setattr(writing, "toml_section", crash)
    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(CrashError):
        OTHER.write(path)
    monkeypatch.undo()
    assert sorted(tmp_path.rglob("*")) == before
    assert Market.read(path).equals(SMALL)


def test_a_failing_swap_puts_the_old_folder_back(tmp_path, monkeypatch):
    path = SMALL.write(tmp_path / "folder")
    rename, calls = Path.rename, []

    def fail_once(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(OutputError, match="No space left"):
        OTHER.write(path)
    monkeypatch.undo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
    assert Market.read(path).equals(SMALL)


def test_writing_over_a_market_keeps_what_is_not_its_own(tmp_path):
    path = SMALL.write(tmp_path / "folder")
    (path / "notes.txt").write_text("mine")
    OTHER.write(path, tables="parquet")
    assert sorted(entry.name for entry in path.iterdir()) == [
        "buyers.parquet", "market.toml", "notes.txt", "sellers.parquet",
    ]  # fmt: skip
    assert (path / "notes.txt").read_text() == "mine"
    assert Market.read(path).equals(OTHER)


def test_places_that_are_taken(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.json").mkdir()
    for name, message in [
        ("photos", "holds other things"),
        ("file", "this is a file"),
        ("folder.json", "this is a folder"),
    ]:
        with pytest.raises(OutputError, match=message):
            SMALL.write(tmp_path / name)
    with pytest.raises(OutputError, match="'csv' or 'parquet'"):
        SMALL.write(tmp_path / "new", tables="xml")
    assert (tmp_path / "photos" / "cat.png").exists()


def test_a_market_toml_path_means_its_folder(tmp_path):
    written = SMALL.write(tmp_path / "deep" / "market" / "market.toml")
    assert written == tmp_path / "deep" / "market"
    assert Market.read(written / "market.toml").equals(SMALL)
