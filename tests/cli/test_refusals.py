"""What the command line refuses: one line, status 2, nothing printed, nothing written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import catallax as cx
from tests.cli.conftest import Runner, document


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def refused(run: Runner, *arguments: str | Path) -> str:
    done = run(*arguments)
    assert done.status == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("claer", "did you mean"),
        ("clear instance:horse-market --jsn", "did you mean --json"),
        ("clear instance:horse-market --seed x", "--seed"),
        ("clear instance:horse-market --seed -1", "--seed -1: a seed is a whole number"),
        ("clear instance:horse-market --tables xls", '"csv", "parquet"'),
        ("clear instance:horse-market --explain", "--explain"),
        ("clear", "no market is named"),
        ("clear --explain b1 market", "name it before --explain"),
        ("clear nowhere.json", "nowhere.json: there is no such file"),
        ("clear instance:horse-marked", "did you mean 'horse-market'"),
        ("clear instance:double-auction?m=3", "no parameter 'm'"),
        ("clear instance:double-auction?n=x", "whole number"),
        ("clear instance:double-auction?n", "write parameters as"),
        ("clear instance:double-auction?n=2&n=3", "given twice"),
        ("clear instance:horse-market --mechanism gsmo", "did you mean 'gsom'"),
        ("clear instance:horse-market --mechanism no_module:X", "no_module"),
        ("clear instance:horse-market --explain A99", "did you mean 'A9'"),
        ("clear instance:horse-market --explain seller:A1", "no seller 'A1'"),
        ("clear instance:horse-market instance:pareto --explain zz", "none of the 2 markets"),
        ("clear instance:horse-market --plot a.pdf", ".svg or .png"),
        ("clear instance:horse-market instance:pareto --plot a.svg", "'a-{market}.svg'"),
        ("clear - -", "only once"),
        ("prior", "SPEC needs a value"),
        ("prior unifrom(0,1)", "did you mean 'uniform'"),
        ("prior uniform(1,0)", "low"),
        ("prior uniform(0,1) --points 1", "--points 1"),
        ("prior uniform(0,1) --plot a.jpg", ".svg or .png"),
        ("prior point(1) point(2)", "unexpected argument 'point(2)'"),
        ("instances horse-marked", "did you mean 'horse-market'"),
        ("instances --write x", "name an instance"),
        ("mechanisms gsom", "unexpected argument 'gsom'"),
    ],
)
def test_errors_name_the_trouble_and_the_remedy(
    run: Runner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected.lower() in refused(run, *arguments.split()).lower()
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    ['{"buyers": [', "", "[]", '{"buyers": [{"id": "b", "bid": NaN}], "sellers": []}'],
    ids=["truncated", "empty", "list", "nan"],
)
def test_a_broken_file_stops_all_markets(
    run: Runner, small: Path, tmp_path: Path, text: str
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(text)
    before = files(tmp_path)
    results, picture = tmp_path / "results", tmp_path / "{market}.svg"
    line = refused(run, "clear", small, broken, "--json", "--out", results, "--plot", picture)
    assert "broken.json" in line
    assert files(tmp_path) == before
    assert not results.exists()


def test_a_market_without_reports_stops_all_markets(
    run: Runner, small: Path, tmp_path: Path
) -> None:
    silent = document("silent")
    del silent["buyers"][1]["bid"], silent["buyers"][0]["bid"]
    path = tmp_path / "silent.json"
    path.write_text(json.dumps(silent))
    assert "b1" in refused(run, "clear", small, path, "--out", tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_missing_prior_is_named(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    path.write_text('{"buyers": [{"id": "b9", "bid": 1}], "sellers": [{"id": "s", "ask": 0}]}')
    assert "'b9'" in refused(run, "clear", path)
    assert run("clear", path, "--mechanism", "first-best").status == 0


def test_both_sides_may_use_an_identifier_but_must_say_which(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "twins.json"
    path.write_text('{"buyers": [{"id": "x", "bid": 1}], "sellers": [{"id": "x", "ask": 0}]}')
    ask = ("clear", path, "--mechanism", "first-best", "--explain")
    line = refused(run, *ask, "x")
    assert "buyer:x" in line and "seller:x" in line
    assert "Seller 'x'" in run(*ask, "seller:x").out


@pytest.mark.parametrize("names", [("same", "same"), ("Same", "same"), ("a b", "a-b")])
def test_markets_that_would_write_the_same_files(
    run: Runner, tmp_path: Path, names: tuple[str, str]
) -> None:
    paths = [tmp_path / f"{k}.json" for k in (1, 2)]
    for path, name in zip(paths, names, strict=True):
        path.write_text(json.dumps(document(name)))
    line = refused(run, "clear", *paths, "--out", tmp_path / "results")
    assert f"'{names[0]}'" in line and f"'{names[1]}'" in line
    assert not (tmp_path / "results").exists()
    if names[0] == names[1]:
        refused(run, "clear", *paths, "--plot", tmp_path / "{market}.svg")
        assert files(tmp_path) == paths


def test_results_do_not_go_where_something_else_is(
    run: Runner, small: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder.svg"
    folder.mkdir()
    assert "is a file" in refused(run, "clear", small, "--out", small)
    assert "is a file" in refused(run, "clear", small, "--out", small / "inside")
    line = refused(run, "clear", small, "--plot", folder, "--out", tmp_path / "results")
    assert "is a folder" in line
    assert files(tmp_path) == [small]
    assert not (tmp_path / "results").exists()


def test_old_results_stay_when_new_ones_fail(run: Runner, small: Path, tmp_path: Path) -> None:
    results, folder = tmp_path / "results", tmp_path / "folder.svg"
    folder.mkdir()
    run("clear", small, "--out", results, "-q")
    before = {path: path.read_bytes() for path in files(results)}
    refused(run, "clear", small, "--out", results, "--plot", folder, "--tables", "csv")
    assert {path: path.read_bytes() for path in files(results)} == before


def test_amounts_that_overflow_are_refused(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    path.write_text(json.dumps(document("huge", bids=[1e308] * 3, asks=[0.0] * 3)))
    for arguments in (["--json"], [], ["--out", tmp_path / "results"]):
        line = refused(run, "clear", path, "--mechanism", "first-best", *arguments)
        assert "market 'huge'" in line and "too large" in line and "larger unit" in line
    assert files(tmp_path) == [path]


def test_without_matplotlib_the_remedy_is_named(
    run: Runner, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    line = refused(run, "clear", small, "--plot", tmp_path / "a.svg")
    assert line.endswith(f"{sys.executable} -m pip install matplotlib")
    assert run("clear", small).status == 0


def test_an_unknown_agent_is_told_the_ids_of_both_sides(run: Runner, small: Path) -> None:
    line = refused(run, "clear", small, "--explain", "nobody")
    assert line.endswith("there is no buyer or seller 'nobody': buyers: b1, b2; sellers: s1")
    market = cx.Market.read(small)
    with pytest.raises(cx.UnknownAgentError, match=r"'nobody': buyers: b1, b2; sellers: s1$"):
        cx.clear(market, "first-best").explain("nobody")
    with pytest.raises(cx.UnknownAgentError, match="did you mean 's1'"):
        cx.clear(market, "first-best").explain("s11")


def test_a_file_without_bids_is_told_its_columns(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "market.toml").write_text(
        '[buyers]\ntable = "buyers.csv"\n[sellers]\ntable = "sellers.csv"\n'
    )
    (tmp_path / "buyers.csv").write_text("id,price\nb1,2\n")
    (tmp_path / "sellers.csv").write_text("id,ask\ns1,1\n")
    line = refused(run, "clear", tmp_path, "--mechanism", "first-best")
    assert "buyers.csv: there is no column 'bid' (columns: id, price); rename the one" in line
