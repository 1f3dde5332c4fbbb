"""`catallax clear`: what it prints, writes and draws."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest

import catallax as cx
from tests.cli.conftest import Runner, document


def test_json_is_one_line_a_market_exactly_as_specified(
    run: Runner, small: Path, other: Path
) -> None:
    done = run("clear", small, other, "--json")
    assert (done.status, done.err) == (0, "")
    first, second = done.documents
    assert first == {
        "market": "small",
        "mechanism": "gsom",
        "solver": "sort",
        "trades": [
            {
                "buyer": "b1",
                "seller": "s1",
                # The lowest bid whose virtual value 2b - 1 reaches the ask.
                "buyer_pays": pytest.approx(0.6, rel=1e-15),
                "seller_receives": pytest.approx(0.8, rel=1e-15),
                "gain": pytest.approx(0.7, rel=1e-15),
            }
        ],
        "totals": {
            "trades": 1,
            "gains_from_trade": pytest.approx(0.7),
            "objective": pytest.approx(0.6),
            "buyers_pay": pytest.approx(0.6),
            "sellers_receive": pytest.approx(0.8),
            "surplus": pytest.approx(-0.2),
        },
    }
    assert list(first) == ["market", "mechanism", "solver", "trades", "totals"]
    assert list(first["trades"][0]) == ["buyer", "seller", "buyer_pays", "seller_receives", "gain"]
    assert second["market"] == "other"


@pytest.mark.parametrize("mechanism", ["first-best", "gsom", "gbom"])
def test_json_is_what_the_library_says(run: Runner, other: Path, mechanism: str) -> None:
    (document,) = run("clear", other, "--mechanism", mechanism, "--json").documents
    assert document == cx.clear(cx.Market.read(other), mechanism).to_dict()


def test_explanations_come_with_json_only_when_asked_for(run: Runner, small: Path) -> None:
    (plain,) = run("clear", small, "--json").documents
    (asked,) = run("clear", small, "--json", "--explain", "b1", "seller:s1").documents
    outcome = cx.clear(cx.Market.read(small), "gsom")
    assert asked.pop("explanations") == {
        "b1": outcome.explain("b1"),
        "seller:s1": outcome.explain("s1"),
    }
    assert asked == plain


def test_agents_are_explained_in_the_markets_that_have_them(
    run: Runner, small: Path, other: Path
) -> None:
    one, two = run("clear", small, other, "--json", "--explain", "s2", "b2").documents
    assert list(one["explanations"]) == ["b2"]
    assert list(two["explanations"]) == ["s2", "b2"]


def test_integer_ids_are_found_by_their_text(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    market = {"buyers": [{"id": -5, "bid": 3}], "sellers": [{"id": 7, "ask": 1}]}
    path.write_text(json.dumps(market))
    done = run("clear", path, "--mechanism", "first-best", "--json", "--explain=-5")
    (document,) = done.documents
    assert document["trades"][0]["buyer"] == -5
    assert document["explanations"]["-5"].startswith("Buyer -5 bid 3")


def test_a_name_that_begins_like_a_side_is_still_a_name(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    market = {"buyers": [{"id": "buyer:x", "bid": 3}], "sellers": [{"id": "x", "ask": 1}]}
    path.write_text(json.dumps(market))
    ask = ("clear", path, "--mechanism", "first-best", "--json", "--explain")
    assert "Buyer 'buyer:x'" in run(*ask, "buyer:x").documents[0]["explanations"]["buyer:x"]
    assert "Seller 'x'" in run(*ask, "x").documents[0]["explanations"]["x"]


def test_markets_come_from_standard_input(
    run: Runner, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(small.read_text()))
    piped = run("clear", "-", "--json")
    assert (piped.status, piped.out) == (0, run("clear", small, "--json").out)


def test_markets_come_from_folders_and_their_toml(run: Runner, small: Path, tmp_path: Path) -> None:
    folder = cx.Market.read(small).write(tmp_path / "folder")
    expected = run("clear", small, "--json").out
    assert run("clear", folder, "--json").out == expected
    assert run("clear", folder / "market.toml", "--json").out == expected


def test_named_instances_take_parameters(run: Runner) -> None:
    name = "instance:sparse-random?n_buyers=30&n_sellers=20&seed=3"
    (document,) = run("clear", name, "--json").documents
    market = cx.instances.get("sparse-random", n_buyers=30, n_sellers=20, seed=3)
    assert document == cx.clear(market, "gsom").to_dict()
    assert document["totals"]["trades"] > 0


def test_a_mechanism_of_ones_own_is_found_in_the_current_folder(
    run: Runner, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ours_for_a_test.py").write_text(
        "from catallax.mechanisms import FirstBest\nclass Ours(FirstBest):\n    slug = 'ours'\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [p for p in __import__("sys").path if p != ""])
    (document,) = run("clear", small, "--mechanism", "ours_for_a_test:Ours", "--json").documents
    assert document["mechanism"] == "ours"
    assert document["totals"]["trades"] == 1


def test_people_get_a_table(run: Runner, other: Path) -> None:
    done = run("clear", other, "--explain", "b1")
    assert done.status == 0
    words = ("other", "3 buyers, 2 sellers", "buyer pays (EUR)", "gains from trade", "gsom", "sort")
    for word in words:
        assert word in done.out
    (row,) = [line for line in done.out.splitlines() if line.split()[:2] == ["b1", "s1"]]
    outcome = cx.clear(cx.Market.read(other), "gsom")
    shown = [float(cell) for cell in row.split()[2:]]
    exact = [outcome.buyer_pays[0], outcome.seller_receives[0], outcome.gains[0]]
    assert shown == pytest.approx(exact, abs=1e-5)
    sentence = " ".join(done.out.split("(solved by sort)")[1].split())
    assert sentence == outcome.explain("b1")
    assert "\x1b" not in done.out


def test_no_trades_and_empty_sides_are_no_error(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text(json.dumps(document("nobody sells", asks=[])))
    done = run("clear", path, "--json")
    assert done.status == 0
    assert done.documents[0]["trades"] == []
    assert done.documents[0]["totals"]["surplus"] == 0
    assert "no trades" in run("clear", path, "--plot", tmp_path / "x.svg").out


def test_long_tables_are_cut_and_say_so(run: Runner) -> None:
    name = "instance:sparse-random?n_buyers=5000&n_sellers=5000"
    out = run("clear", name).out
    (total,) = [line.split()[1] for line in out.splitlines() if line.split()[:1] == ["trades"]]
    hidden = int(total.replace(",", "")) - 1000
    assert hidden > 0
    assert f"and {hidden:,} more trades: use --json or --out" in out


def test_quiet_prints_nothing_but_what_machines_read(run: Runner, small: Path) -> None:
    assert run("clear", small, "-q").out == ""
    assert run("clear", small, "--quiet", "--json").out == run("clear", small, "--json").out


def test_quiet_prints_the_sentences_asked_for(run: Runner, small: Path, other: Path) -> None:
    told = run("clear", small, "--explain", "b1", "s1", "--json").documents[0]["explanations"]
    done = run("clear", small, "-q", "--explain", "b1", "s1")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [told["b1"], told["s1"]]
    several = run("clear", small, other, "-q", "--explain", "b1").out.splitlines()
    assert f"Market 'small': {told['b1']}" in several
    assert all(line.startswith("Market '") for line in several)


def test_results_do_not_vary(run: Runner, other: Path) -> None:
    assert len({run("clear", other, "--seed", str(seed)).out for seed in (1, 1, 2)}) == 1


@pytest.mark.parametrize("tables", ["csv", "parquet"])
def test_out_writes_trades_agents_and_totals(
    run: Runner, small: Path, other: Path, tmp_path: Path, tables: str
) -> None:
    folder = tmp_path / "deep" / "results"
    done = run("clear", small, other, "--out", folder, "--tables", tables, "--quiet")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{market}.gsom.{part}"
        for market in ("small", "other")
        for part in (f"trades.{tables}", f"agents.{tables}", "totals.json")
    )
    read = pl.read_csv if tables == "csv" else pl.read_parquet
    outcome = cx.clear(cx.Market.read(other), "gsom")
    assert read(folder / f"other.gsom.trades.{tables}").equals(outcome.trades)
    assert read(folder / f"other.gsom.agents.{tables}").equals(outcome.agents)
    totals = json.loads((folder / "other.gsom.totals.json").read_text())
    assert totals["totals"] == outcome.totals
    assert totals["market"] == "other"


def test_pictures_are_drawn_for_each_market(
    run: Runner, small: Path, other: Path, tmp_path: Path
) -> None:
    done = run("clear", small, other, "-q", "--plot", tmp_path / "of-{market}.svg")
    assert (done.status, done.err) == (0, "")
    for name in ("small", "other"):
        assert name in (tmp_path / f"of-{name}.svg").read_text(encoding="utf-8")


def test_a_report_far_outside_its_prior_is_a_warning(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "far.json"
    path.write_text(json.dumps(document("far", bids=[90.0, 0.4])))
    done = run("clear", path, "--json")
    assert done.status == 0
    assert done.documents[0]["totals"]["trades"] == 1
    (line,) = done.err.splitlines()
    assert line.startswith("warning: ") and "b1" in line and "90" in line
    both = run("clear", path, path, "--json")
    assert [line.split("'")[1] for line in both.err.splitlines()] == ["far", "far"]
