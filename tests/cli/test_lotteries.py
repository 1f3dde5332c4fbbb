"""`catallax clear` with mechanisms that leave something to chance."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import catallax as cx
from catallax.mechanisms import FirstBest, Lottery, get, names
from tests.cli.conftest import Runner, document
from tests.cli.test_refusals import files, refused

COIN = """
from fractions import Fraction
from catallax.mechanisms import BuyersOffering, FirstBest, Lottery, Mechanism

class Coin(Mechanism):
    slug, summary, claims = "coin", "the first best, or else GBOM", FirstBest.claims

    def clear(self, market, reports):
        parts = (Fraction(1, 4), FirstBest()), (Fraction(3, 4), BuyersOffering())
        found = [(chance, rule.clear(market, reports)) for chance, rule in parts]
        return Lottery(market, self.slug, tuple(found))

class Sure(Coin):
    slug = "sure"

    def clear(self, market, reports):
        return Lottery(market, "sure", ((1.0, FirstBest().clear(market, reports)),))
"""


@pytest.fixture
def coin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a mechanism of somebody else's that tosses a coin, and give its name."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "coin_for_a_test.py").write_text(COIN)
    monkeypatch.syspath_prepend(str(folder))
    return "coin_for_a_test:Coin"


def seeds() -> tuple[int, int]:
    """Give a seed that draws the first outcome of the coin, and one that draws the second."""
    market = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}])
    outcome = cx.clear(market, "first-best")
    other = cx.clear(market, "first-best")
    lottery = Lottery(market, "coin", ((Fraction(1, 4), outcome), (Fraction(3, 4), other)))
    drawn = [lottery.draw(seed) is outcome for seed in range(50)]
    return drawn.index(True), drawn.index(False)


def test_json_is_as_specified(run: Runner, small: Path, coin: str) -> None:
    (shown,) = run("clear", small, "--mechanism", coin, "--json").documents
    market = cx.Market.read(small)
    assert shown == {
        "market": "small",
        "mechanism": "coin",
        "lottery": [
            {"probability": 0.25, "outcome": cx.clear(market, "first-best").to_dict()},
            {"probability": 0.75, "outcome": cx.clear(market, "gbom").to_dict()},
        ],
    }


def test_a_seed_draws_one_of_the_outcomes(run: Runner, small: Path, coin: str) -> None:
    (plain,) = run("clear", small, "--mechanism", coin, "--json").documents
    for place, seed in enumerate(seeds()):
        (shown,) = run("clear", small, "--mechanism", coin, "--json", "--seed", seed).documents
        assert shown.pop("drawn") == plain["lottery"][place]["outcome"]
        assert shown == plain


def test_several_markets_draw_in_turn(run: Runner, tmp_path: Path, coin: str) -> None:
    paths = [tmp_path / f"{k}.json" for k in range(12)]
    for path in paths:
        path.write_text(json.dumps(document(path.stem)))
    shown = run("clear", *paths, "--mechanism", coin, "--json", "--seed", 5).documents
    assert len({one["drawn"]["mechanism"] for one in shown}) == 2
    rng = np.random.default_rng(5)
    expected = ["first-best" if rng.random() < 0.25 else "gbom" for _ in paths]
    assert [one["drawn"]["mechanism"] for one in shown] == expected


def test_a_seed_draws_nothing_where_nothing_is_left_to_chance(run: Runner, small: Path) -> None:
    plain = run("clear", small, "--json")
    assert run("clear", small, "--json", "--seed", 5).out == plain.out
    assert "drawn" not in plain.documents[0]


def test_agents_are_explained_in_every_outcome_or_in_the_drawn_one(
    run: Runner, small: Path, coin: str
) -> None:
    ask = ("clear", small, "--mechanism", coin, "--json", "--explain", "s1")
    market = cx.Market.read(small)
    first = cx.clear(market, "first-best").explain("s1")
    second = cx.clear(market, "gbom").explain("s1")
    assert first != second
    (shown,) = run(*ask).documents
    both = f"With probability 1/4: {first} With probability 3/4: {second}"
    assert shown["explanations"] == {"s1": both}
    for seed, sentence in zip(seeds(), (first, second), strict=True):
        (shown,) = run(*ask, "--seed", seed).documents
        assert shown["explanations"] == {"s1": sentence}


def test_people_see_what_to_expect_and_every_outcome(run: Runner, other: Path, coin: str) -> None:
    out = run("clear", other, "--mechanism", coin, "--explain", "b1").out
    market = cx.Market.read(other)
    parts = [cx.clear(market, slug).totals for slug in ("first-best", "gbom")]
    (row,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["expected,"]]
    keys = ("trades", "gains_from_trade", "buyers_pay", "sellers_receive", "surplus")
    expected = [0.25 * parts[0][key] + 0.75 * parts[1][key] for key in keys]
    assert [float(cell) for cell in row[2:]] == pytest.approx(expected, abs=1e-5)
    assert "with probability 1/4 first-best, solved by sort" in " ".join(out.split())
    assert "with probability 3/4 gbom, solved by sort" in " ".join(out.split())
    assert "coin: the first best, or else GBOM (2 outcomes, none drawn: --seed N draws one)" in out
    assert "With probability 1/4: Buyer 'b1'" in out
    assert ", drawn" not in out


def test_people_see_which_outcome_was_drawn(run: Runner, small: Path, coin: str) -> None:
    for seed, (yes, no) in zip(seeds(), (("1/4", "3/4"), ("3/4", "1/4")), strict=True):
        out = run("clear", small, "--mechanism", coin, "--seed", seed).out
        assert f"with probability {yes}, drawn" in out
        assert f"with probability {no} " in out
        assert "(2 outcomes, one of them drawn)" in out


def test_a_lottery_of_one_outcome_looks_like_it(run: Runner, small: Path, coin: str) -> None:
    sure = coin.replace("Coin", "Sure")
    plain = run("clear", small, "--mechanism", "first-best").out
    shown = run("clear", small, "--mechanism", sure, "--seed", 1).out
    assert shown.partition("\n  sure: ")[0] == plain.partition("\n  first-best: ")[0]
    assert "sure: the first best, or else GBOM (solved by sort)" in shown
    (one,) = run("clear", small, "--mechanism", sure, "--json").documents
    assert [part["probability"] for part in one["lottery"]] == [1.0]


@pytest.mark.parametrize("tables", ["csv", "parquet"])
def test_out_writes_every_outcome_and_the_drawn_one(
    run: Runner, small: Path, tmp_path: Path, coin: str, tables: str
) -> None:
    folder = tmp_path / "results"
    write = ("clear", small, "--mechanism", coin, "--out", folder, "--tables", tables, "-q")
    assert run(*write).status == 0
    parts = (f"trades.{tables}", f"agents.{tables}", "totals.json")
    assert {path.name for path in files(folder)} == {f"small.coin.{part}" for part in parts}
    assert run(*write, "--seed", seeds()[1]).status == 0
    assert {path.name for path in files(folder)} == {
        f"small.coin.{drawn}{part}" for part in parts for drawn in ("", "drawn.")
    }
    read = pl.read_csv if tables == "csv" else pl.read_parquet
    market = cx.Market.read(small)
    first, second = cx.clear(market, "first-best"), cx.clear(market, "gbom")
    trades = read(folder / f"small.coin.trades.{tables}")
    assert trades.columns[:2] == ["outcome", "probability"]
    rows = [(0, 0.25, *row) for row in first.trades.rows()]
    rows += [(1, 0.75, *row) for row in second.trades.rows()]
    assert trades.rows() == rows
    assert read(folder / f"small.coin.agents.{tables}").height == 6
    assert read(folder / f"small.coin.drawn.trades.{tables}").equals(second.trades)
    assert read(folder / f"small.coin.drawn.agents.{tables}").equals(second.agents)
    totals = json.loads((folder / "small.coin.totals.json").read_text())
    assert totals["totals"]["surplus"] == pytest.approx(
        0.25 * first.totals["surplus"] + 0.75 * second.totals["surplus"]
    )
    assert [part["totals"] for part in totals["lottery"]] == [first.totals, second.totals]
    drawn = json.loads((folder / "small.coin.drawn.totals.json").read_text())
    assert drawn["totals"] == second.totals and drawn["mechanism"] == "gbom"


def test_pictures_show_what_is_drawn(run: Runner, small: Path, tmp_path: Path, coin: str) -> None:
    picture = tmp_path / "a.svg"
    draw = ("clear", small, "--mechanism", coin, "-q", "--plot", picture, "--out", tmp_path / "r")
    line = refused(run, *draw)
    assert "'small'" in line and "coin leaves 2 outcomes to chance" in line and "--seed" in line
    assert not picture.exists() and not (tmp_path / "r").exists()
    for seed, name in zip(seeds(), ("first-best", "gbom"), strict=True):
        assert run(*draw, "--seed", seed).status == 0
        assert f"coin ({name} drawn)" in picture.read_text(encoding="utf-8")
    sure = coin.replace("Coin", "Sure")
    assert run("clear", small, "--mechanism", sure, "-q", "--plot", picture).status == 0


@pytest.mark.parametrize("name", names())
def test_every_mechanism_clears_or_refuses_in_one_line(
    run: Runner, small: Path, tmp_path: Path, name: str
) -> None:
    unit = tmp_path / "unit.json"
    edges = [{"buyer": "ann", "seller": "s", "bid": 2.75, "prior": "uniform(2, 3)"}]
    market = {
        "buyers": [{"id": "ann"}],
        "sellers": [{"id": "s", "ask": 0.5, "prior": "uniform(0, 1)"}],
        "edges": edges,
    }
    unit.write_text(json.dumps(market))
    done = [run("clear", path, "--mechanism", name, "--json") for path in (small, unit)]
    applies = [one for one in done if one.status == 0]
    assert applies
    for one in done:
        if one.status == 0:
            (shown,) = one.documents
            assert ("lottery" in shown) != ("trades" in shown)
            assert run("clear", small if one is done[0] else unit, "--mechanism", name).out
        else:
            assert (one.status, one.out, one.err.count("\n")) == (2, "", 1)


def test_a_mechanism_that_does_not_apply_says_so(run: Runner) -> None:
    line = refused(run, "clear", "instance:neighbourhood-energy", "--mechanism", "mcafee")
    assert "mcafee needs every buyer to be able to trade with every seller" in line
    line = refused(run, "clear", "instance:horse-market", "--mechanism", "sapp")
    assert "exactly one" in line


def test_the_second_best_of_a_jump_is_drawn(run: Runner, tmp_path: Path) -> None:
    """A real lottery with two parts: discrete priors, between which the budget jumps."""
    path = tmp_path / "jump.json"
    values = {"kind": "discrete", "values": [1, 3], "probabilities": [0.5, 0.5]}
    costs = {"kind": "discrete", "values": [0, 2], "probabilities": [0.5, 0.5]}
    path.write_text(
        json.dumps(
            {
                "name": "jump",
                "buyers": [{"id": "b", "bid": 1, "prior": values}],
                "sellers": [{"id": "s", "ask": 0, "prior": costs}],
            }
        )
    )
    market = cx.Market.read(path)
    lottery = get("second-best").clear(market, market.require_reports())
    (shown,) = run("clear", path, "--mechanism", "second-best", "--json", "--seed", 3).documents
    assert shown == lottery.to_dict() | {"drawn": lottery.draw(3).to_dict()}


def test_types_are_what_runs() -> None:
    market = cx.instances.get("horse-market")
    assert isinstance(cx.clear(market), cx.Outcome)
    assert isinstance(cx.clear(market, FirstBest()), cx.Outcome)
    assert isinstance(cx.clear(market, "random-offerer"), cx.Lottery)
