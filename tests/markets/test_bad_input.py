"""Every bad input is refused in one line that names file, row, agent and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from catallax import clear, errors
from catallax.markets import Market, Reports

BUYERS = "id,bid,prior\nb1,0.7,u\nb2,0.4,u\n"
SELLERS = "id,ask,prior\ns1,0.2,u\n"
EDGES = "buyer,seller\nb1,s1\nb2,s1\n"
DOCUMENT = """
[market]
name = "small"
[buyers]
table = "buyers.csv"
[sellers]
table = "sellers.csv"
[edges]
table = "edges.csv"
[priors.u]
kind = "uniform"
low = 0
high = 1
"""


def write_folder(folder: Path, **files: str | bytes | None) -> Path:
    """Write the small market with some of its files replaced, or left out (None)."""
    contents: dict[str, str | bytes | None] = {
        "market.toml": DOCUMENT,
        "buyers.csv": BUYERS,
        "sellers.csv": SELLERS,
        "edges.csv": EDGES,
    }
    contents |= {
        ("market.toml" if name == "document" else f"{name}.csv"): content
        for name, content in files.items()
    }
    for name, content in contents.items():
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
    return folder


def refused(error: type[Exception], *parts: str):
    """Expect an error of one line that contains every part."""
    return _Refused(error, parts)


class _Refused:
    def __init__(self, error: type[Exception], parts: tuple[str, ...]) -> None:
        self.context = pytest.raises(error)
        self.parts = parts

    def __enter__(self) -> _Refused:
        self.information = self.context.__enter__()
        return self

    def __exit__(self, *failure) -> bool | None:
        result = self.context.__exit__(*failure)
        message = str(self.information.value)
        assert "\n" not in message
        for part in self.parts:
            assert part in message, message
        assert isinstance(self.information.value, errors.CatallaxError)
        return result


def test_the_small_market_itself_is_fine(tmp_path):
    market = Market.read(write_folder(tmp_path))
    assert (len(market.buyers), len(market.sellers), market.graph.n_edges) == (2, 1, 2)


def toml(old: str, new: str) -> str:
    assert old in DOCUMENT
    return DOCUMENT.replace(old, new)


FOLDERS = [
    # ids
    ({"buyers": "id\nb1\nb2\nb1\n"}, errors.DuplicateIdError,
     ["buyers.csv line 4", "'b1'", "line 2"]),
    ({"buyers": "id,bid\nb1,1\n,2\n"}, errors.DuplicateIdError, ["buyers.csv line 3", "no id"]),
    ({"buyers": 'id,bid\nb1,1\n"",2\n'}, errors.DuplicateIdError, ["buyers.csv line 3", "no id"]),
    ({"buyers": 'id\n"b\n1"\nb1\nb1\n'}, errors.DuplicateIdError, ["line 5", "line 4"]),
    ({"buyers": "id\n\nb1\n\nb1\n"}, errors.DuplicateIdError, ["line 5", "line 3"]),
    ({"buyers": "id,bid\nb1,1\n,\n"}, errors.DuplicateIdError, ["line 3", "no id"]),
    ({"edges": "buyer,seller\ns1,b1\n"}, errors.UnknownAgentError,
     ["edges.csv line 2", "buyer 's1', and there is none: this is a seller; write the buyer and"]),
    # lines and quotes
    ({"buyers": "id,bid\rb1,1\rb2,2\r"}, errors.FileFormatError,
     ["buyers.csv line 1", "carriage returns alone"]),
    ({"buyers": 'id,note\nb1,"x\ny"\nb2,a"b\nb3,c\n'}, errors.FileFormatError,
     ["buyers.csv line 4", "a quote is opened"]),
    # A mark that is not closed in the header must not take in the rows.
    ({"buyers": 'id,"bid\nb1,3\nb2,4\n'}, errors.FileFormatError,
     ["buyers.csv line 1", "close the quotation mark"]),
    ({"buyers": 'id,bid,"note\nb1,3,x\nb2,4,"y\nb3,3,z\n'}, errors.FileFormatError,
     ["buyers.csv line 1", "close the quotation mark"]),
    ({"buyers": 'id,bid,"note\nb1,3,x\nb2,4,"\nb3,3,z\n'}, errors.FileFormatError,
     ["buyers.csv line 1", "column 3 goes on in the next line"]),
    ({"buyers": 'id,note\nb1,x\nb2,"a"b\n'}, errors.FileFormatError,
     ["buyers.csv line 3", "stands inside a cell"]),
    ({"buyers": "   \nid,bid\nb1,1\n"}, errors.FileFormatError,
     ["buyers.csv line 1", "this line is blank"]),
    ({"document": toml("[market]", '[market]\nunnamed_priors = ["v"]')}, errors.FileFormatError,
     ["market.toml", "'v'", "known are: u"]),
    # ids
    ({"buyers": "id,bid\nb1,1\n\nb1 ,2\nb2,3\n"}, errors.FileFormatError,
     ["buyers.csv line 4", "'b1 '", "blanks around it; write 'b1'"]),
    ({"buyers": "id,bid\n\tb1,1\nb2,3\n"}, errors.FileFormatError,
     ["buyers.csv line 2", "write 'b1'"]),
    ({"buyers": "id,bid\n  ,1\nb2,3\n"}, errors.FileFormatError,
     ["buyers.csv line 2", "give the buyer an id"]),
    ({"buyers": "id,bid\nb1,1\n,\nb2,3\n"}, errors.DuplicateIdError,
     ["buyers.csv line 3", "give the buyer an id, or delete the line"]),
    ({"edges": "buyer,seller\nb1,s1\nb1 ,s1\n"}, errors.UnknownAgentError,
     ["edges.csv line 3", "'b1 '", "did you mean 'b1'"]),
    # edges
    ({"edges": "buyer,seller\nb1,s1\nb3,s1\n"}, errors.UnknownAgentError,
     ["edges.csv line 3", "buyer 'b3'", "known are: b1, b2"]),
    ({"edges": "buyer,seller\nb1,s9\n"}, errors.UnknownAgentError, ["line 2", "seller 's9'"]),
    ({"edges": "buyer,seller\nb1,\n"}, errors.UnknownAgentError, ["line 2", "names no seller"]),
    ({"edges": "buyer,seller\nb1,s1\nb2,s1\nb1,s1\n"}, errors.DuplicateEdgeError,
     ["edges.csv line 4", "buyer 'b1'", "seller 's1'", "line 2"]),
    ({"edges": "buyer,selller\nb1,s1\n"}, errors.UnknownNameError,
     ["edges.csv", "'selller'", "did you mean 'seller'"]),
    ({"edges": "from,to\nb1,s1\n"}, errors.UnknownNameError, ["no column 'buyer'", "from, to"]),
    # bids and asks
    ({"buyers": "id,bid\nb1,abc\n"}, errors.ReportError,
     ["buyers.csv line 2", "buyer 'b1'", "'abc'", "not a number"]),
    ({"buyers": "id,bid\nb1,1\nb2,nan\n"}, errors.ReportError, ["line 3", "'b2'", "NaN"]),
    ({"buyers": "id,bid\nb1,-inf\n"}, errors.ReportError, ["line 2", "'b1'", "infinite"]),
    ({"buyers": "id,bid\nb1,1e400\n"}, errors.ReportError, ["line 2", "'b1'", "infinite"]),
    ({"buyers": "id,bid\nb1,1\nb2,\n"}, errors.ReportError, ["line 3", "'b2'", "no bid"]),
    ({"buyers": "id,bid\nb1,  \n"}, errors.ReportError, ["line 2", "'b1'"]),
    ({"buyers": "id,bid\nb1,true\n"}, errors.ReportError, ["line 2", "'true'", "not a number"]),
    ({"buyers": 'id,bid\nb1,"1,5"\n'}, errors.ReportError, ["line 2", "'1,5'", "as in 12.5"]),
    ({"sellers": "id,ask\ns1,-0.1\n"}, errors.ReportError,
     ["sellers.csv line 2", "seller 's1'", "negative ask -0.1", "prior that reaches below zero"]),
    ({"sellers": "id,ask,prior\ns1,-0.1,u\n"}, errors.ReportError, ["negative ask"]),
    # columns
    ({"buyers": "id,bids\nb1,1\n"}, errors.UnknownNameError, ["'bids'", "did you mean 'bid'"]),
    ({"buyers": "id ,bid\nb1,1\n"}, errors.UnknownNameError, ["'id '", "did you mean 'id'"]),
    ({"buyers": "id,Prior\nb1,u\n"}, errors.UnknownNameError, ["'Prior'", "did you mean 'prior'"]),
    ({"buyers": "id,piror\nb1,u\n"}, errors.UnknownNameError, ["'piror'", "did you mean 'prior'"]),
    ({"buyers": "id,ask\nb1,1\n"}, errors.UnknownNameError, ["'ask'", "did you mean 'bid'"]),
    ({"buyers": "name,bid\nb1,1\n"}, errors.UnknownNameError, ["no column 'id'", "name, bid"]),
    ({"buyers": "id,x,x\nb1,1,2\n"}, errors.FileFormatError, ["line 1", "'x'", "twice"]),
    ({"buyers": "id,\nb1,1\n"}, errors.FileFormatError, ["line 1", "column 2 has no name"]),
    # priors
    ({"buyers": "id,prior\nb1,w\n"}, errors.UnknownNameError,
     ["buyers.csv line 2", "buyer 'b1'", "'w'", "known are: u"]),
    ({"buyers": 'id,prior\nb1,"uniform(2, 1)"\n'}, errors.PriorError,
     ["buyers.csv line 2", "buyer 'b1'", "low"]),
    ({"buyers": 'id,prior\nb1,"{""kind"": ""uniform"", ""lowe"": 0}"\n'}, errors.PriorError,
     ["buyers.csv line 2", "'lowe'", "did you mean 'low'"]),
    ({"buyers": "id,prior\nb1,{kind\n"}, errors.FileFormatError, ["line 2", "no JSON object"]),
    ({"document": toml("high = 1", "high = -1")}, errors.PriorError,
     ["market.toml", "prior 'u'", "low"]),
    ({"document": toml('kind = "uniform"', 'kind = "unifrm"')}, errors.PriorError,
     ["market.toml", "'u'", "did you mean 'uniform'"]),
    # files
    ({"buyers": ""}, errors.FileFormatError, ["buyers.csv", "empty", "header line"]),
    ({"buyers": None}, errors.FileFormatError, ["market.toml", "'buyers.csv'", "[buyers]"]),
    ({"document": ""}, errors.FileFormatError, ["market.toml", "empty", "[buyers]"]),
    ({"document": None}, errors.FileFormatError, ["holds no market.toml"]),
    ({"buyers": "id\nb\xe9\n".encode("latin-1")}, errors.FileFormatError,
     ["buyers.csv line 2", "not UTF-8"]),
    ({"buyers": "id\nb1\n".encode("utf-16")}, errors.FileFormatError, ["buyers.csv", "not UTF-8"]),
    ({"buyers": "id\nb1\n".encode("utf-16-le")}, errors.FileFormatError,
     ["buyers.csv", "not UTF-8"]),
    ({"buyers": "id\nb1\n".encode("utf-16-be")}, errors.FileFormatError,
     ["buyers.csv", "not UTF-8"]),
    ({"buyers": ("id\n" + "b\n" * 9000).encode() + b"\xff\n"}, errors.FileFormatError,
     ["line 9002", "not UTF-8"]),
    ({"document": DOCUMENT.encode() + b'x = "\xe9"'}, errors.FileFormatError,
     ["market.toml line 14", "not UTF-8"]),
    ({"buyers": "id;bid\nb1;1\n"}, errors.FileFormatError, ["line 1", "semicolons", "commas"]),
    ({"buyers": "id,bid\nb1,1\nb2,2,3\n"}, errors.FileFormatError, ["line 3", "3 cells"]),
    ({"buyers": 'id,bid\n"b1,1\n'}, errors.FileFormatError, ["buyers.csv line 2", "quote"]),
    ({"document": DOCUMENT + "[oops\n"}, errors.FileFormatError, ["market.toml", "line 14"]),
    ({"document": toml("[edges]", "[egdes]")}, errors.UnknownNameError,
     ["market.toml", "'egdes'", "did you mean 'edges'"]),
    ({"document": DOCUMENT + "[extra]\nx = 1\n"}, errors.UnknownNameError,
     ["unknown key 'extra'", "known are"]),
    ({"document": toml('table = "buyers.csv"', 'tabel = "buyers.csv"')}, errors.UnknownNameError,
     ["'tabel'", "'buyers'", "did you mean 'table'"]),
    ({"document": toml('[buyers]\ntable = "buyers.csv"\n', "")}, errors.FileFormatError,
     ["no 'buyers'"]),
    ({"document": toml('table = "buyers.csv"', "")}, errors.FileFormatError,
     ["no 'table' in 'buyers'", 'table = "buyers.csv"']),
    ({"document": toml('table = "buyers.csv"', "table = 3")}, errors.FileFormatError,
     ["'table' in 'buyers' is 3", "write text"]),
    ({"document": toml('name = "small"', "name = 3")}, errors.FileFormatError, ["'name'", "text"]),
    ({"document": toml("buyers.csv", "buyers.xls")}, errors.FileFormatError,
     ["'buyers.xls'", "did you mean 'buyers.csv'"]),
    ({"document": toml('"buyers.csv"', '"buyers.csv"\nids = "integer"')}, errors.FileFormatError,
     ["buyers.csv line 2", "'b1'", "no 64-bit integer"]),
    ({"document": toml('"buyers.csv"', '"buyers.csv"\nids = "int"')}, errors.FileFormatError,
     ["'ids' in 'buyers'", "'text' or 'integer'"]),
    ({"document": toml('"buyers.csv"', '"buyers.csv"\ncolumns = {bid2 = "number"}')},
     errors.FileFormatError, ["[buyers]", "'bid2'", "does not have"]),
    ({"document": toml('"buyers.csv"', '"buyers.csv"\ncolumns = {zone = "number"}'),
      "buyers": "id,zone\nb1,x\n"}, errors.FileFormatError, ["line 2", "'x'", "'zone'", "number"]),
    ({"document": toml('"buyers.csv"', '"buyers.csv"\ncolumns = {zone = "numbr"}'),
      "buyers": "id,zone\nb1,1\n"}, errors.UnknownNameError, ["'numbr'", "did you mean 'number'"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "error", "parts"), FOLDERS)
def test_a_bad_folder(tmp_path, files, error, parts):
    folder = write_folder(tmp_path, **files)
    with refused(error, *parts):
        Market.read(folder)


def test_a_table_of_another_format(tmp_path):
    document = DOCUMENT.replace("buyers.csv", "buyers.parquet")
    folder = write_folder(tmp_path, document=document)
    (folder / "buyers.parquet").write_bytes(b"PAR1 and no more")
    with refused(errors.FileFormatError, "buyers.parquet", "no whole Parquet file"):
        Market.read(folder)
    (folder / "buyers.xls").write_bytes(b"x")
    write_folder(folder, document=DOCUMENT.replace("buyers.csv", "buyers.xls"))
    with refused(errors.FileFormatError, "'buyers.xls'", "neither .csv nor .parquet"):
        Market.read(folder)


def test_paths_that_are_no_market(tmp_path):
    (tmp_path / "market.txt").write_text("x")
    with refused(errors.FileFormatError, "nowhere: there is no such file or folder; check the"):
        Market.read(tmp_path / "nowhere")
    with refused(errors.FileFormatError, "neither a folder"):
        Market.read(tmp_path / "market.txt")
    with refused(errors.FileFormatError, "no such file", "did you mean 'market.txt'"):
        Market.read(tmp_path / "markt.txt")


GOOD = {
    "buyers": [{"id": "b1", "bid": 0.7}, {"id": "b2", "bid": 0.4}],
    "sellers": [{"id": "s1", "ask": 0.2}],
    "edges": [["b1", "s1"]],
}


def changed(**parts) -> str:
    return json.dumps(GOOD | parts)


DOCUMENTS = [
    ("", errors.FileFormatError, ["small.json", "empty"]),
    (" \n", errors.FileFormatError, ["empty"]),
    (changed()[:-30], errors.FileFormatError, ["line 1 column", "cut off"]),
    (changed()[:12], errors.FileFormatError, ["line 1 column", "cut off"]),
    ('{"buyers": [1,,2]}', errors.FileFormatError, ["line 1 column 15", "mend"]),
    ("[1, 2]", errors.FileFormatError, ["an array where an object is expected"]),
    ("[" * 100_000, errors.FileFormatError, ["small.json"]),
    ('{"buyers": [' + "1" * 5000 + '], "sellers": []}', errors.FileFormatError, ["small.json"]),
    (changed(buyers={"id": "b1"}), errors.FileFormatError, ["'buyers' is an object", "an array"]),
    (changed(buyers=None), errors.FileFormatError, ["'buyers' is null", "an array"]),
    (changed(edges={}), errors.FileFormatError, ["'edges' is an object", "an array"]),
    (changed(priors=[]), errors.FileFormatError, ["'priors' is an array"]),
    (json.dumps({"buyer": [], "sellers": []}), errors.UnknownNameError,
     ["unknown key 'buyer'", "did you mean 'buyers'"]),
    (json.dumps({"buyers": []}), errors.FileFormatError, ["no 'sellers'"]),
    (changed(edges=[["b1", float("nan")]]), errors.UnknownAgentError,
     ["small.json edges[0]", "names no seller"]),
    (changed(buyers=[{"id": "b1"}, 3]), errors.FileFormatError, ["small.json buyers[1]", "3"]),
    (changed(buyers=[{"id": "b1"}, {"id": "b1"}]), errors.DuplicateIdError,
     ["small.json buyers[1]", "'b1'", "buyers[0]"]),
    (changed(buyers=[{"id": "b1"}, {"bid": 1}]), errors.DuplicateIdError, ["buyers[1]", "no id"]),
    (changed(buyers=[{"id": 1}, {"id": "1"}]), errors.FileFormatError,
     ["buyers[1]", "'1'", "text", "text or all integers"]),
    (changed(buyers=[{"id": 1.5}]), errors.FileFormatError,
     ["buyers[0]", "1.5", "write it as text"]),
    (changed(buyers=[{"id": True}]), errors.FileFormatError, ["buyers[0]", "true"]),
    (changed(buyers=[{"id": ["b"]}]), errors.FileFormatError, ["buyers[0]", "['b']"]),
    (changed(buyers=[{"id": 10**29}]), errors.FileFormatError, ["buyers[0]", "64 bits", "as text"]),
    (changed(buyers=[{"id": "\ud800"}]), errors.FileFormatError, ["buyers[0]", "Unicode"]),
    (changed(buyers=[{"id": "b1", "bid": 1}, {"id": "b2"}]), errors.ReportError,
     ["buyers[1]", "'b2'", "no bid"]),
    (changed(buyers=[{"id": "b1", "bid": "0.7"}]), errors.ReportError, ["'0.7'", "unquoted"]),
    (changed(buyers=[{"id": "b1", "bid": True}]), errors.ReportError, ["'b1'", "true"]),
    (changed(buyers=[{"id": "b1", "bid": [1]}]), errors.ReportError, ["'b1'", "[1]"]),
    (changed(buyers=[{"id": "b1", "bid": float("nan")}]), errors.ReportError, ["'b1'", "NaN"]),
    (changed(buyers=[{"id": "b1", "bid": float("inf")}]), errors.ReportError, ["infinite"]),
    (changed(buyers=[{"id": "b1", "bid": 10**400}]), errors.ReportError, ["infinite"]),
    (changed(sellers=[{"id": "s1", "ask": -1}]), errors.ReportError, ["sellers[0]", "negative"]),
    (changed(edges=[["b1", "s1"], ["b1"]]), errors.FileFormatError, ["edges[1]", "['b1']"]),
    (changed(edges=["b1s1"]), errors.FileFormatError, ["edges[0]", "no edge"]),
    (changed(edges=[["b1", "s1"], ["b2", "s2"]]), errors.UnknownAgentError,
     ["edges[1]", "seller 's2'", "known are: s1"]),
    (changed(edges=[["b1", 1]]), errors.UnknownAgentError, ["edges[0]", "seller 1", "are text"]),
    (changed(edges=[["b1", None]]), errors.UnknownAgentError, ["edges[0]", "no seller"]),
    (changed(edges=[["b1", "s1"], ["b1", "s1"]]), errors.DuplicateEdgeError,
     ["edges[1]", "edges[0]"]),
    (changed(edges=[{"buyer": "b1", "sellr": "s1"}]), errors.UnknownNameError,
     ["'sellr'", "did you mean 'seller'"]),
    (changed(buyers=[{"id": "b1", "prior": 7}]), errors.FileFormatError, ["buyers[0]", "is 7"]),
    (changed(buyers=[{"id": "b1", "prior": [7]}]), errors.FileFormatError, ["buyers[0]", "list"]),
    (changed(buyers=[{"id": "b1", "prior": {"kind": "uniform", "low": 0, "hihg": 1}}]),
     errors.PriorError, ["buyers[0]", "'b1'", "did you mean 'high'"]),
    (changed(buyers=[{"id": "b1", "prior": {"kind": "discrete", "values": [1, 2],
     "probabilities": [0.5, 0.4]}}]), errors.PriorError, ["buyers[0]", "'b1'", "0.9"]),
    (changed(priors={"u": {"kind": "normal", "mean": 0, "sd": 0}}), errors.PriorError,
     ["small.json prior 'u'", "sd"]),
    (changed(buyers=[{"id": "b1", "zone": 1}, {"id": "b2", "zone": "x"}]), errors.FileFormatError,
     ["buyers[1]", "'zone'", "one type"]),
    (changed(buyers=[{"id": "b1", "zone": 1}, {"id": "b2", "zone": True}]),
     errors.FileFormatError, ["buyers[1]", "true", "one type"]),
    (changed(buyers=[{"id": "b1", "size": 0.5}, {"id": "b2", "size": 2**53 + 1}]),
     errors.FileFormatError, ["buyers[1]", "9007199254740993", "'size'", "as text"]),
    (changed(buyers=[{"bid": 0.7}]), errors.UnknownNameError, ["buyers[0]", "no column 'id'"]),
    (changed(columns={"buyers": {"zone": "dat"}}), errors.UnknownNameError,
     ["'dat'", "did you mean 'date'"]),
    ('{"buyers": [{"id": "b1", "bid": 1, "bid": 2}], "sellers": []}', errors.FileFormatError,
     ["small.json buyers[0]", "'bid'", "twice"]),
    ('{"buyers": [], "sellers": [], "buyers": []}', errors.FileFormatError,
     ["small.json: the key 'buyers' occurs twice"]),
    ('{"buyers": [], "sellers": [], "priors": {"u": {"kind": 1, "kind": 2}}}',
     errors.FileFormatError, ["priors.u", "'kind'", "twice"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "error", "parts"), DOCUMENTS)
def test_a_bad_document(tmp_path, text, error, parts):
    path = tmp_path / "small.json"
    path.write_text(text, encoding="utf-8")
    with refused(error, *parts):
        Market.read(path)
    with refused(error, *parts):
        Market.from_json(text, where="small.json")


def test_a_document_of_another_encoding():
    text = json.dumps(GOOD | {"name": "é"}, ensure_ascii=False)
    with refused(errors.FileFormatError, "<stdin> line 1", "not UTF-8"):
        Market.from_json(text.encode("latin-1"), where="<stdin>")
    assert Market.from_json(("\ufeff" + text).encode()).name == "é"


ONE = {"id": ["a"]}
FRAMES = [
    ({"buyers": 3}, errors.FileFormatError, ["buyers", "3 is no table"]),
    ({"buyers": {"id": ["a", "b"], "bid": [1.0]}}, errors.FileFormatError, ["'bid' 1", "equally"]),
    ({"buyers": pl.DataFrame({"id": ["a", "a"]})}, errors.DuplicateIdError,
     ["buyers row 1", "row 0"]),
    ({"buyers": pl.DataFrame({"id": [True]})}, errors.FileFormatError, ["buyers row 0", "true"]),
    ({"buyers": pl.DataFrame({"id": [1.0]})}, errors.FileFormatError, ["row 0", "1.0"]),
    ({"buyers": pl.DataFrame({"id": [2**63]}, schema={"id": pl.UInt64})}, errors.FileFormatError,
     ["row 0", "64 bits"]),
    ({"buyers": pd.DataFrame({"id": ["a", None]})}, errors.DuplicateIdError, ["row 1", "no id"]),
    ({"buyers": pd.DataFrame({"id": [1, None]})}, errors.CatallaxError, ["buyers row"]),
    ({"buyers": pd.DataFrame({"id": [1, "1"]})}, errors.FileFormatError,
     ["row 1", "text or all integers"]),
    ({"buyers": pd.DataFrame({"id": ["a", "b"], "bid": [1.0, None]})}, errors.ReportError,
     ["row 1", "'b'", "NaN"]),
    ({"buyers": pl.DataFrame({"id": ["a"], "bid": [None]})}, errors.ReportError, ["'a'", "no bid"]),
    ({"buyers": pl.DataFrame({"id": ["a"], "bid": ["1"]})}, errors.ReportError, ["'1'", "text"]),
    ({"buyers": pl.DataFrame({"id": ["a"], "bid": [True]})}, errors.ReportError, ["true"]),
    ({"buyers": pd.DataFrame({"id": ["a"], "bids": [1]})}, errors.UnknownNameError, ["'bids'"]),
    ({"edges": pd.DataFrame({"buyer": ["a"], "seller": ["z"]})}, errors.UnknownAgentError,
     ["edges row 0", "'z'"]),
    ({"edges": [("a", "s"), ("a", "s")]}, errors.DuplicateEdgeError, ["edges row 1", "row 0"]),
    ({"buyers": [], "edges": [("a", "s")]}, errors.UnknownAgentError, ["the market has no buyers"]),
    ({"edges": 3}, errors.FileFormatError, ["edges", "3 is no table"]),
    ({"priors": {"u": "uniform(1, 0)"}}, errors.PriorError, ["prior 'u'"]),
    ({"buyers": {"id": ["a"], "prior": ["v"]}, "priors": {"u": "point(1)"}},
     errors.UnknownNameError, ["buyers row 0", "'v'", "known are: u"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "parts"), FRAMES)
def test_a_bad_frame(arguments, error, parts):
    with refused(error, *parts):
        Market(**({"buyers": ONE, "sellers": {"id": ["s"]}} | arguments))


def test_a_column_of_one_s_own_is_no_slip():
    market = Market({"id": ["a"], "task": ["t"], "priority": [1], "bidder": ["x"]}, {"id": ["s"]})
    assert market.buyers.table.columns == ["task", "priority", "bidder"]


def test_an_empty_side_or_no_edges_is_no_error(tmp_path):
    folder = write_folder(tmp_path, buyers="id,bid,prior\n", edges="buyer,seller\n")
    market = Market.read(folder)
    assert (len(market.buyers), market.graph.n_edges, market.graph.complete) == (0, 0, False)
    assert market.reports is not None
    assert Market([], []).require_reports().bids.shape == (0,)
    assert Market.from_json('{"buyers": [], "sellers": [], "edges": []}').graph.n_edges == 0


def test_blank_lines_and_line_endings_are_no_rows(tmp_path):
    text = "\n" + BUYERS.replace("\n", "\r\n") + "\r\n\r\n"
    folder = write_folder(tmp_path, buyers="\ufeff" + text.lstrip("\n"))
    assert Market.read(folder).buyers.ids.to_list() == ["b1", "b2"]
    folder = write_folder(tmp_path, buyers=text)
    assert Market.read(folder).buyers.ids.to_list() == ["b1", "b2"]


def test_negative_asks_where_the_prior_reaches_below_zero():
    market = Market([], {"id": ["s"], "ask": [-0.5], "prior": ["uniform(-1, 1)"]})
    assert market.asks is not None
    assert market.asks.tolist() == [-0.5]


LIMITED = DOCUMENT.replace('name = "small"', 'name = "small"\nlargest_report = 0.5')


def test_a_report_beyond_the_largest_is_refused(tmp_path):
    folder = write_folder(tmp_path, document=LIMITED)
    with refused(errors.ReportError, "buyers.csv line 2", "'b1'", "0.7", "largest_report of 0.5"):
        Market.read(folder)
    folder = write_folder(tmp_path, document=LIMITED, buyers="id,bid\nb1,0.5\n", edges=None)
    (folder / "market.toml").write_text(LIMITED.replace('[edges]\ntable = "edges.csv"\n', ""))
    market = Market.read(folder)
    assert market.largest_report == 0.5
    for bids, asks in [([0.51], [0.2]), ([-0.51], [0.2]), ([0.5], [0.51])]:
        with refused(errors.ReportError, "beyond", "largest_report of 0.5"):
            market.with_reports(Reports(bids, asks))
    assert market.with_reports(Reports([-0.5], [0.0])).largest_report == 0.5


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), True, "much"])
def test_a_largest_report_is_a_positive_number(value):
    with refused(errors.ReportError, "largest_report", "positive"):
        Market([], [], largest_report=value)


def test_a_largest_report_holds_for_bids_on_edges():
    market = Market(
        [{"id": "ann"}],
        [{"id": "s", "ask": 1}],
        [{"buyer": "ann", "seller": "s", "bid": 3, "prior": "uniform(0, 4)"}],
        largest_report=2,
    )
    with refused(errors.ReportError, "edges row 0", "'ann'", "3.0", "largest_report of 2.0"):
        clear(market, "gbom-unit-demand")


@pytest.mark.parametrize(
    ("ids", "word", "parts"),
    [
        (["3020159852", "3018594563"], "3018594562", ["did you mean '3018594563'?"]),
        (["3020159852"], "3018594562", ["; add it to", "sellers.csv or delete the edge"]),
        (["b01999", "b02000"], "b99999", ["; add it to", "sellers.csv or delete the edge"]),
        (["b01999"], "b0199", ["did you mean 'b01999'?"]),
        (["b01999"], "b10999", ["did you mean 'b01999'?"]),
        (["b01999"], "b011999", ["did you mean 'b01999'?"]),
        (["b01999"], "b10099", ["; add it to"]),
        (["folding bike"], "foldign bkie", ["did you mean 'folding bike'?"]),
    ],
)
def test_numbers_are_taken_for_each_other_at_one_slip_only(
    tmp_path: Path, ids: list[str], word: str, parts: list[str]
) -> None:
    sellers = "id,ask,prior\n" + "".join(f"{name},0.2,u\n" for name in ids)
    folder = write_folder(tmp_path, sellers=sellers, edges=f"buyer,seller\nb1,{word}\n")
    with refused(errors.UnknownAgentError, f"seller '{word}', and there is none", *parts) as told:
        Market.read(folder)
    assert ("did you mean" in str(told.information.value)) == ("did you mean" in parts[0])


def test_a_long_list_of_ids_is_no_remedy(tmp_path: Path) -> None:
    sellers = "id,ask,prior\n" + "".join(f"{k:05},0.2,u\n" for k in range(50))
    folder = write_folder(tmp_path, sellers=sellers, edges="buyer,seller\nb1,99999\n")
    with refused(errors.UnknownAgentError, "there is none; add it to", "or delete the edge"):
        Market.read(folder)


def test_a_table_in_use_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, sellers=None)
    with refused(errors.FileFormatError, "'sellers.csv' of [sellers]", "save it") as told:
        Market.read(folder)
    assert "did you mean" not in str(told.information.value)


@pytest.mark.parametrize("word", ["price", "bid_usd"])
def test_a_file_without_bids_names_its_columns(tmp_path: Path, word: str) -> None:
    market = Market.read(write_folder(tmp_path, buyers=f"id,{word},prior\nb1,0.7,u\nb2,0.4,u\n"))
    with refused(
        errors.MissingReportError,
        "buyers.csv: there is no column 'bid' "
        f"(columns: id, {word}, prior); rename the one that holds the bids to 'bid'",
    ) as told:
        clear(market, "first-best")
    assert "Reports" not in str(told.information.value)
