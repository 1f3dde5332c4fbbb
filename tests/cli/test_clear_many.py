"""`catallax clear` of a folder that holds many markets."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

import catallax as cx
from catallax.cli import output
from catallax.report.outcomes.many import outcomes_tables
from tests.cli.conftest import Runner

DOCUMENT = """
[market]
name = "trading-day"
by = "hour"
currency = "EUR"
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
TABLES = {
    "buyers": "hour,id,bid,prior\nh17,ann,0.9,u\nh17,bob,0.6,u\nh18,ann,0.8,u\nh19,ann,0.3,u\n",
    "sellers": "hour,id,ask,prior\nh18,dee,0.3,u\nh17,cy,0.2,u\nh18,cy,0.1,u\nh19,ann,0.9,u\n",
    "edges": "hour,buyer,seller\nh17,ann,cy\nh17,bob,cy\nh18,ann,cy\nh18,ann,dee\nh19,ann,ann\n",
}


@pytest.fixture
def day(tmp_path: Path) -> Path:
    folder = tmp_path / "day"
    folder.mkdir()
    (folder / "market.toml").write_text(DOCUMENT, encoding="utf-8")
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("mechanism", ["gsom", "posted-price"])
def test_json_is_one_line_for_each_market(run: Runner, day: Path, mechanism: str) -> None:
    done = run("clear", day, "--mechanism", mechanism, "--json")
    assert (done.status, done.err) == (0, "")
    markets = cx.Markets.read(day)
    assert done.documents == [cx.clear(markets[name], mechanism).to_dict() for name in markets]
    assert [document["market"] for document in done.documents] == ["h17", "h18", "h19"]


def test_people_see_totals_of_each_market_and_of_all(run: Runner, day: Path) -> None:
    done = run("clear", day)
    assert (done.status, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    head = "trading-day 3 markets, 4 buyers, 4 sellers, 5 edges"
    assert lines[0] == head.split()
    assert ["h17", "1", "0.70", "0.60", "0.80", "-0.20"] in lines
    assert ["h19", "0", "0.00", "0.00", "0.00", "0.00"] in lines
    assert ["surplus", "0.05", "EUR"] in lines
    assert "gsom:" in done.out and "solved by sweep" in done.out


def test_every_row_says_which_market_however_narrow_the_screen(day: Path) -> None:
    screen = Console(width=50, file=io.StringIO(), color_system=None)
    with screen.capture() as shown:
        screen.print(outcomes_tables(cx.clear_many(cx.Markets.read(day))))
    lines = shown.get().splitlines()
    assert any(line.split()[:1] == ["hour"] for line in lines)
    for name in ("h17", "h18", "h19"):
        assert any(line.split()[:1] == [name] for line in lines)


def test_a_long_list_is_cut(run: Runner, day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_FILE_ROWS", 1)
    out = run("clear", day).out
    assert "h17" in out and "h18" not in out
    assert "and 2 more markets: use --json or --out" in out
    assert "trades               2" in out


def test_tables_name_the_market_of_each_row(run: Runner, day: Path, tmp_path: Path) -> None:
    done = run("clear", day, "--out", tmp_path / "out", "--quiet")
    assert (done.status, done.out, done.err) == (0, "", "")
    outcomes = cx.clear_many(cx.Markets.read(day))
    names = [f"trading-day.gsom.{table}.csv" for table in ("agents", "totals", "trades")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    for table in ("agents", "totals", "trades"):
        expected = getattr(outcomes, table)
        found = pl.read_csv(
            tmp_path / "out" / f"trading-day.gsom.{table}.csv", schema=expected.schema
        )
        assert found.equals(expected) and found.columns[0] == "hour" and found.height
    run("clear", day, "--out", tmp_path / "out", "--tables", "parquet", "--quiet")
    totals = pl.read_parquet(tmp_path / "out" / "trading-day.gsom.totals.parquet")
    assert totals.equals(outcomes.totals)


def test_agents_are_asked_for_by_market(run: Runner, day: Path, small: Path) -> None:
    outcomes = cx.clear_many(cx.Markets.read(day))
    asked = ["h17:bob", "h18:seller:dee", "h19:buyer:ann"]
    done = run("clear", day, "--json", "--explain", *asked)
    told = [document["explanations"] for document in done.documents]
    assert told == [
        {"h17:bob": "Market 'h17': " + outcomes["h17"].explain("bob")},
        {"h18:seller:dee": "Market 'h18': " + outcomes["h18"].explain("dee")},
        {"h19:buyer:ann": "Market 'h19': " + outcomes["h19"].explain("ann", "buyer")},
    ]
    assert "Market 'h17': Buyer 'bob' bid 0.6" in run("clear", day, "--explain", "h17:bob").out
    # Beside another market each takes its own.
    both = run("clear", day, small, "--json", "--explain", "h17:bob", "b1").documents
    assert [list(one["explanations"]) for one in both] == [["h17:bob"], [], [], ["b1"]]
    assert both[3]["market"] == "small"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--explain", "bob"], "day: 'bob' names none of the 3 markets; name agents after theirs"),
        (["--explain", "h17:zoe"], "day: market 'h17': there is no buyer or seller 'zoe': buyers"),
        (["--explain", "h17:anne"], "day: market 'h17': there is no buyer or seller 'anne': did"),
        (["--explain", "h20:ann"], "day: there is no market 'h20': known are: h17, h18, h19"),
        (["--explain", "noon:buyer:ann"], "day: there is no market 'noon': known are: h17, h18"),
        (["--explain", "h19:ann"], "market 'h19' has both a buyer and a seller 'ann'"),
        (["--plot", "day.svg"], "'trading-day' holds 3 markets, and a picture shows one"),
        (["--mechanism", "mcafee"], "market 'h17' has 1 of 2 edges"),
        (["--mechanism", "random-offerer"], "leaves the outcome of market 'h17' to chance"),
    ],
)
def test_what_is_refused_leaves_nothing(run: Runner, day: Path, words, says, tmp_path) -> None:
    if "mcafee" in words:  # it wants all edges, and this one is missing then
        text = TABLES["edges"].replace("h17,bob,cy\n", "")
        (day / "edges.csv").write_text(text, encoding="utf-8")
    done = run("clear", day, *words, "--out", tmp_path / "out")
    assert (done.status, done.out) == (2, "")
    assert says in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_unknown_market_is_told_its_neighbours(run: Runner, tmp_path: Path) -> None:
    names = [f"h{hour:02}-{part}" for hour in range(24) for part in (15, 30, 45)]
    week = tmp_path / "week"
    week.mkdir()
    tables = 'buyers = {table = "buyers.csv"}\nsellers = {table = "sellers.csv"}\n'
    (week / "market.toml").write_text(f'{tables}market = {{by = "slot"}}\n')
    for side, report in (("buyers", "bid"), ("sellers", "ask")):
        rows = "".join(f"{name},home1,1\n" for name in names)
        (week / f"{side}.csv").write_text(f"slot,id,{report}\n{rows}")
    for asked, says in (
        (
            "h05-99:home1",
            "the nearest of its 72 are h05-15, h05-30, h05-45, h06-15, h06-30, h06-45",
        ),
        ("h0530:home1", "did you mean 'h05-30'?"),
        ("zz:home1", "the nearest of its 72 are h23-15, h23-30, h23-45"),
    ):
        done = run("clear", week, "--mechanism", "first-best", "--explain", asked)
        market = asked.partition(":")[0]
        assert f"week: there is no market '{market}': {says}" in done.err
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("command", ["simulate", "audit"])
def test_other_commands_say_what_to_do(run: Runner, day: Path, command: str) -> None:
    done = run(command, day)
    assert (done.status, done.out) == (2, "")
    assert 'holds many markets (by = "hour")' in done.err and "folder of its own" in done.err
    assert done.err.count("\n") == 1


def test_odd_reports_are_named_with_their_market(run: Runner, day: Path) -> None:
    text = TABLES["buyers"].replace("h18,ann,0.8", "h18,ann,80")
    (day / "buyers.csv").write_text(text, encoding="utf-8")
    done = run("clear", day, "--quiet")
    assert done.status == 0 and "the bid 80.0 of buyer 'ann' of market 'h18' lies far" in done.err
