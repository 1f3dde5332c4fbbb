"""Many markets from one set of tables: what each of them is, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import catallax as cx
from catallax.markets.files.either import read_market_or_markets

DOCUMENT = """
[market]
by = "hour"
currency = "EUR"
[buyers]
table = "buyers.csv"
{buyers}
[sellers]
table = "sellers.csv"
{sellers}
[edges]
table = "edges.csv"
columns = {{ km = "number", hour = "{type}" }}
[priors.u]
kind = "uniform"
low = 0
high = 9
"""
BUYERS = "hour,id,bid,prior,place\n10,ann,7,u,north\n9,ann,4,,south\n10,bob,5,u,south\n9,cid,5,u,\n"
SELLERS = "id,hour,ask\ncy,9,2\ncy,10,6\ndee,11,1\n"
EDGES = "hour,buyer,seller,km\n10,bob,cy,1\n9,ann,cy,2\n10,ann,cy,3\n"


def folder(path: Path, **changes: Any) -> Path:
    """Write a folder of three markets."""
    texts = {"buyers.csv": BUYERS, "sellers.csv": SELLERS, "edges.csv": EDGES}
    kind = changes.pop("type", "text")
    columns = f'columns = {{ hour = "{kind}" }}'
    document = DOCUMENT.format(buyers=columns, sellers=columns, type=kind)
    texts["market.toml"] = document + changes.pop("more", "")
    for name, old, new in changes.pop("replace", []):
        assert old in texts[name]
        texts[name] = texts[name].replace(old, new)
    path.mkdir(exist_ok=True)
    for name, text in texts.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def own_folder(path: Path, hour: str) -> Path:
    """Write one of those markets by itself."""
    folder(path, replace=[("market.toml", 'by = "hour"', f'name = "{hour}"')])
    for name in ("buyers", "sellers", "edges"):
        table = pl.read_csv(path / f"{name}.csv", infer_schema=False)
        table.filter(pl.col("hour") == hour).drop("hour").write_csv(path / f"{name}.csv")
    text = (path / "market.toml").read_text(encoding="utf-8")
    text = text.replace('columns = { hour = "text" }', "").replace(', hour = "text"', "")
    (path / "market.toml").write_text(text, encoding="utf-8")
    return path


def test_every_market_is_what_it_would_be_alone(tmp_path: Path) -> None:
    markets = cx.Markets.read(folder(tmp_path / "day"))
    assert repr(markets) == "<markets 'day': 3 markets, 4 buyers, 3 sellers, 3 edges>"
    assert (markets.currency, markets.by, markets.names) == ("EUR", "hour", ("10", "9", "11"))
    for hour in markets:
        assert markets[hour].equals(cx.Market.read(own_folder(tmp_path / str(hour), str(hour))))
    assert markets["10"].buyers.table["place"].to_list() == ["north", "south"]
    assert markets["10"].edge_table["km"].to_list() == [1.0, 3.0]


def test_names_of_a_csv_file_are_integers_where_it_says_so(tmp_path: Path) -> None:
    markets = cx.Markets.read(folder(tmp_path, type="integer") / "market.toml")
    assert markets.names == (10, 9, 11)
    assert markets[10].equals(markets["10"]) and markets[np.int64(10)].equals(markets[10])
    assert 10 in markets and "10" not in markets and len(markets) == 3
    for wrong in ("010", True, 12, "x"):
        with pytest.raises(cx.UnknownNameError, match="there is no market"):
            markets[wrong]


def test_a_reader_takes_what_a_folder_holds(tmp_path: Path) -> None:
    many = folder(tmp_path / "many")
    one = own_folder(tmp_path / "one", "9")
    assert isinstance(read_market_or_markets(many), cx.Markets)
    assert isinstance(read_market_or_markets(one), cx.Market)
    file = cx.Market.read(one).write(tmp_path / "one.json")
    assert read_market_or_markets(file).equals(cx.Market.read(one))
    with pytest.raises(cx.UnsupportedMarketError, match=r'many markets \(by = "hour"\)'):
        cx.Market.read(many)
    with pytest.raises(cx.FileFormatError, match=r"holds one market.*by = "):
        cx.Markets.read(one)
    with pytest.raises(cx.FileFormatError, match="no such file"):
        cx.Markets.read(tmp_path / "nowhere")


def test_parquet_tables(tmp_path: Path) -> None:
    markets = cx.Markets.read(folder(tmp_path, type="integer"))
    for name in ("buyers", "sellers", "edges"):
        table = pl.read_csv(tmp_path / f"{name}.csv")
        table.write_parquet(tmp_path / f"{name}.parquet")
    text = (tmp_path / "market.toml").read_text(encoding="utf-8")
    text = text.replace(".csv", ".parquet").replace('columns = { hour = "integer" }', "")
    (tmp_path / "market.toml").write_text(text, encoding="utf-8")
    again = cx.Markets.read(tmp_path)
    for hour in markets:
        assert again[hour].equals(markets[hour])


@pytest.mark.parametrize(
    ("table", "old", "new", "error", "says"),
    [
        ("edges.csv", "10,bob,cy,1", "9,bob,cy,1", cx.UnknownAgentError,
         r"edges.csv line 2: the edge names buyer 'bob', and there is none in market '9': known"),
        ("edges.csv", "9,ann,cy", "12,ann,cy", cx.UnknownAgentError,
         r"edges.csv line 3: the edge is in market '12', which has no agents: known"),
        ("edges.csv", "9,ann,cy", "10,ann,cy", cx.DuplicateEdgeError,
         r"edges.csv line 4: buyer 'ann' of market '10' and seller 'cy' of market '10' were"),
        ("buyers.csv", "10,bob", "10,ann", cx.DuplicateIdError,
         r"buyers.csv line 4: buyer 'ann' of market '10' was already listed at line 2"),
        ("buyers.csv", "9,cid,5", ",cid,5", cx.FileFormatError,
         r"buyers.csv line 5: this row names no market; write one in the column 'hour'"),
        ("buyers.csv", "9,cid,5", "9,cid,x", cx.ReportError, r"buyers.csv line 5: buyer 'cid' has"),
        ("sellers.csv", "hour", "houre", cx.FileFormatError, "did you mean 'houre'"),
        ("market.toml", 'by = "hour"', 'by = "id"', cx.UnknownNameError, "cannot be called 'id'"),
        ("market.toml", 'by = "hour"', "by = 7", cx.FileFormatError, "'by' in 'market'"),
        ("market.toml", "[priors.u]", '[[constraints]]\nkind = "cap"\nlimit = 1\n[priors.u]',
         cx.ConstraintError, "constraints belong to one market"),
    ],
)  # fmt: skip
def test_a_folder_is_refused_in_one_line(tmp_path, table, old, new, error, says) -> None:
    folder(tmp_path, replace=[(table, old, new)])
    with pytest.raises(error, match=says) as caught:
        cx.Markets.read(tmp_path)
    assert "\n" not in str(caught.value)


BASE: dict[str, Any] = {
    "buyers": {"market": ["a", "b"], "id": ["x", "x"], "bid": [3, 2]},
    "sellers": {"market": ["a", "b"], "id": ["x", "x"], "ask": [1, 1]},
}


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"buyers": {"id": ["x"]}}, cx.UnknownNameError, "there is no column 'market'"),
        ({"buyers": {"market": [1.5], "id": ["x"]}}, cx.FileFormatError, "neither text nor"),
        ({"buyers": {"market": [1], "id": ["x"]}}, cx.FileFormatError, "sellers: .* write both"),
        ({"names": ["a"]}, cx.UnknownNameError, "buyers row 1: .* 'b', which is not among"),
        ({"names": ["a", "b", "a"]}, cx.DuplicateIdError, "market 'a' is listed twice"),
        ({"names": [1, 2]}, cx.FileFormatError, "names: these are integers"),
        ({"edges": [("x", "x")]}, cx.FileFormatError, "edges row 0"),
        ({"edges": [{"buyer": "x", "seller": "x"}]}, cx.UnknownNameError, "no column 'market'"),
        ({"largest_report": 2}, cx.ReportError, "beyond the market's largest_report"),
        (
            {"sellers": BASE["sellers"] | {"ask": [1, -1]}},
            cx.ReportError,
            "sellers row 1: .* negative ask",
        ),
    ],
)
def test_tables_are_refused(changes, error, says) -> None:
    with pytest.raises(error, match=says):
        cx.Markets(**BASE | changes)


def test_markets_without_agents_come_by_name() -> None:
    markets = cx.Markets(**BASE, names=["none", "b", "a"], edges=[])
    assert markets.names == ("none", "b", "a")
    assert repr(markets["none"]) == "<market 'none': 0 buyers, 0 sellers, 0 edges>"
    assert markets["a"].require_reports().bids.tolist() == [3.0]
    assert (
        repr(cx.Markets([], [], name="n"))
        == "<markets 'n': 0 markets, 0 buyers, 0 sellers, complete>"
    )


def test_nobody_is_looked_up_among_all_markets() -> None:
    markets = cx.Markets(**BASE)
    assert markets.buyers.label(1) == "buyer 'x' of market 'b'"
    with pytest.raises(cx.UnknownAgentError, match="may be in several markets"):
        markets.buyers.index("x")
    assert markets["b"].buyers.index("x") == 0


def test_what_the_caller_holds_is_not_shared() -> None:
    bids = np.array([3.0, 2.0])
    buyers = pd.DataFrame({"market": ["a", "b"], "id": ["x", "x"], "bid": bids})
    markets = cx.Markets(buyers, BASE["sellers"])
    buyers.loc[0, "bid"] = 99.0
    bids[:] = 99.0
    assert markets.bids is not None and markets.bids.tolist() == [3.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        markets.bids[0] = 1.0
    assert markets.backend == "pandas"


def test_markets_travel_between_processes(tmp_path: Path) -> None:
    markets = cx.Markets.read(folder(tmp_path))
    again = pickle.loads(pickle.dumps(markets))
    assert again.names == markets.names and again.buyers.label(0) == markets.buyers.label(0)
    for hour in markets:
        assert again[hour].equals(markets[hour])
