"""Witnesses as files: they come back to the bit, and are markets like any other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import catallax as cx
from catallax.audit import read_witness
from catallax.audit.witness import Witness, lookup_name
from tests.audit import planted

AWKWARD = 0.1 + 0.2  # needs all its digits


def witness(**changes) -> Witness:
    market = cx.Market(
        [{"id": "b", "bid": AWKWARD, "prior": "uniform(0, 1)"}],
        [{"id": 7, "ask": 1 / 3, "prior": "normal(0.5, 0.1, low=0, high=1)"}],
        constraints=[{"kind": "cap", "limit": 1}],
        name="ünïque",
    )
    parts = {
        "market": market,
        "property": "dsic-sellers",
        "mechanism": "first-best",
        "role": "seller",
        "agent": 7,
        "report": 0.1,
        "amount": 1e-300,
        "story": "seller 7 …",
        "details": {"samples": 3},
    }
    return Witness(**parts | changes)


def test_a_witness_comes_back_to_the_bit(tmp_path: Path) -> None:
    one = witness()
    two = read_witness(one.write(tmp_path / "new" / "w.json"))
    assert two.market.equals(one.market)
    for name in ("property", "mechanism", "role", "agent", "report", "amount", "story", "details"):
        assert getattr(two, name) == getattr(one, name)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["w.json"]


def test_a_vector_of_bids_comes_back(tmp_path: Path) -> None:
    one = witness(report=(0.1, AWKWARD))
    assert read_witness(one.write(tmp_path / "w.json")).report == (0.1, AWKWARD)


def test_a_witness_is_a_market_file(tmp_path: Path) -> None:
    path = witness().write(tmp_path / "w.json")
    market = cx.Market.read(path)
    assert market.equals(witness().market)
    assert market.bids.tolist() == [AWKWARD]
    market.write(tmp_path / "again.json")  # which keeps the market alone
    with pytest.raises(cx.FileFormatError, match="has no witness"):
        read_witness(tmp_path / "again.json")


def test_market_files_may_carry_a_witness_and_nothing_else_unknown(tmp_path: Path) -> None:
    text = '{"buyers": [], "sellers": [], "witness": {"anything": [1, 2]}}'
    assert cx.Market.from_json(text).equals(cx.Market.from_json('{"buyers": [], "sellers": []}'))
    with pytest.raises(cx.FileFormatError, match="'witness' is text"):
        cx.Market.from_json('{"buyers": [], "sellers": [], "witness": "no"}')
    folder = cx.Market([{"id": "b"}], [{"id": "s"}]).write(tmp_path / "folder")
    document = folder / "market.toml"
    document.write_text(document.read_text() + '\n[witness]\nproperty = "feasibility"\n')
    assert len(cx.Market.read(folder).buyers) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ('{"buyers": [], "sellers": []}', "this market has no witness"),
        ('{"buyers": [], "sellers": [], "witness": {"property": "x"}}', "has no 'mechanism'"),
    ],
)
def test_files_that_are_no_witness_say_so(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "w.json"
    path.write_text(content)
    with pytest.raises(cx.FileFormatError, match=message):
        read_witness(path)


def test_a_witness_that_is_not_there_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(cx.FileFormatError, match="cannot be read"):
        read_witness(tmp_path / "none.json")
    with pytest.raises(cx.OutputError, match="ends so"):
        witness().write(tmp_path / "w.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(cx.OutputError, match="is a file"):
        witness().write(tmp_path / "file" / "w.json")


def test_a_mechanism_is_found_again_by_its_name() -> None:
    for name in cx.mechanisms.names():
        assert lookup_name(cx.mechanisms.get(name)) == name
    name = lookup_name(planted.Greedy())
    assert name == "tests.audit.planted:Greedy"
    assert isinstance(cx.mechanisms.get(name), planted.Greedy)


def test_a_witness_names_its_mechanism_and_can_be_run_with_another() -> None:
    pair = cx.Market([{"id": "b", "bid": 1.0}], [{"id": "s", "ask": 0.25}])
    found = cx.audit(pair, planted.PayYourBid(), "dsic-buyers", budget=200)["dsic-buyers"].witness
    assert found.mechanism == "tests.audit.planted:PayYourBid"
    assert found.rerun() == found.amount
    assert found.rerun("first-best") is None


def test_all_witnesses_of_a_report_are_written_under_their_names(tmp_path: Path) -> None:
    pair = cx.Market([{"id": "b", "bid": 1.0}], [{"id": "s", "ask": 0.25}])
    report = cx.audit(pair, planted.PayYourBid(), budget=400)
    paths = report.write_witnesses(tmp_path)
    assert [path.name for path in paths] == [
        f"tests.audit.planted-PayYourBid.{finding.name}.json" for finding in report.violated
    ]
    for path, finding in zip(paths, report.violated, strict=True):
        document = json.loads(path.read_text())
        assert document == finding.to_dict()["witness"]
        assert document["witness"]["story"] == finding.story


def test_columns_and_rules_that_do_not_matter_are_shrunk_away() -> None:
    rng = np.random.default_rng(3)
    market = cx.Market(
        {"id": range(5), "bid": rng.random(5), "colour": list("abcde")},
        {"id": range(5), "ask": rng.random(5) / 2, "zone": ["x", "y", "x", "y", "x"]},
        constraints=[
            {"kind": "quota", "over": "sellers", "column": "zone", "limits": {"x": 2, "y": 1}},
            {"kind": "cap", "limit": 3},
        ],
        largest_report=2.0,
    )
    found = cx.audit(market, planted.PayYourBid(), "dsic-sellers", budget=300)["dsic-sellers"]
    small = found.witness.market
    assert (len(small.buyers), len(small.sellers)) == (1, 1)
    assert not small.constraints and small.largest_report is None
    assert not small.buyers.table.width and not small.sellers.table.width


def test_shrinking_is_repeatable() -> None:
    market = cx.Market(
        {"id": ["b1", "b2", "b3"], "bid": [0.91, 0.77, 0.4]},
        {"id": ["s1", "s2"], "ask": [0.13, 0.36]},
        [("b1", "s1"), ("b2", "s1"), ("b2", "s2"), ("b3", "s2")],
    )
    one, two = (
        cx.audit(market, planted.Greedy(), "dsic-buyers", budget=300, rng=4) for _ in range(2)
    )
    assert one.to_dict() == two.to_dict()
