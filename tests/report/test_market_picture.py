"""The picture of a cleared market: what is in it, whatever the market's size."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

import catallax as cx
from catallax.errors import CatallaxError, OutputError
from catallax.mechanisms import Outcome
from catallax.report.canvas import BUYER, SELLER, check_plot_path, tick
from catallax.report.outcomes.picture import draw_market, save_market_picture
from tests.report.markets import outcome, pair

SVG = "{http://www.w3.org/2000/svg}"


class Picture:
    """A picture as read back from its SVG file."""

    def __init__(self, path: Path) -> None:
        self.root = ElementTree.parse(path).getroot()
        self.texts = ["".join(text.itertext()).strip() for text in self.root.iter(f"{SVG}text")]
        self.groups = {group.get("id", ""): group for group in self.root.iter(f"{SVG}g")}

    def paths(self, group: str) -> int:
        return sum(1 for _ in self.groups[group].iter(f"{SVG}path"))

    def marks(self, group: str) -> int:
        return sum(1 for _ in self.groups[group].iter(f"{SVG}use"))


def drawn(what: Outcome, tmp_path: Path) -> Picture:
    path = tmp_path / "market.svg"
    save_market_picture(what, path)
    return Picture(path)


def test_every_trade_is_a_line_and_every_agent_a_dot(tmp_path: Path) -> None:
    what = outcome(18, 16, 60)
    picture = drawn(what, tmp_path)
    trades = len(what)
    assert 3 < trades < 16
    assert picture.paths("trades") == trades
    assert picture.paths("edges-without-trade") == 60 - trades
    assert picture.marks("buyer-dots-trading") == picture.marks("seller-dots-trading") == trades
    assert picture.marks("buyer-dots-waiting") == 18 - trades
    assert picture.marks("seller-dots-waiting") == 16 - trades
    assert picture.marks("buyers-prices") == picture.marks("sellers-prices") == trades
    assert picture.paths("buyers-trading") == trades
    assert picture.paths("sellers-waiting") == 16 - trades
    assert {"demand", "supply", "quantity", "prices-buyers", "prices-sellers"} <= set(
        picture.groups
    )


def test_what_is_written_in_it(tmp_path: Path) -> None:
    what = outcome(18, 16, 60, name="Elm Street", currency="USD")
    texts = drawn(what, tmp_path).texts
    assert "Elm Street  ·  first-best" in texts
    totals = what.totals
    (line,) = [text for text in texts if "gains from trade" in text]
    for key in ("gains_from_trade", "buyers_pay", "sellers_receive"):
        assert f"{totals[key]:.3f}" in line
    assert f"deficit {-totals['surplus']:.3f}" in line
    for label in (
        "bids, ▼ prices paid (USD)",
        "asks, ▲ prices received (USD)",
        "bids, asks and prices (USD)",
        "quantity (traders, best report first)",
        "18 buyers",
        "16 sellers",
        f"{len(what)} trades",
        f"{len(what)} traded",
        "demand (all bids)",
        "supply (all asks)",
        "buyers pay",
        "sellers receive",
    ):
        assert label in texts
    assert {f"b{k}" for k in range(18)} | {f"s{k}" for k in range(16)} <= set(texts)


def line(axes: Axes, name: str) -> Line2D:
    (found,) = [line for line in axes.lines if line.get_gid() == name]
    return found


def test_the_lines_are_where_the_numbers_are() -> None:
    what = outcome(6, 5, 18)
    panels = draw_market(what).axes
    bids, asks = panels[0], panels[2]
    by_bid = np.argsort(-what.reports.bids, kind="stable")
    names = [label.get_text() for label in bids.get_yticklabels()]
    assert names == [f"b{k}" for k in by_bid]
    rows = {name: y for name, y in zip(names, bids.get_yticks(), strict=True)}
    assert rows[names[0]] == max(rows.values())  # the best bid is on top
    marks = np.asarray(line(bids, "buyers-prices").get_xydata())
    expected = {(p, rows[f"b{k}"]) for k, p in zip(what.buyer_index, what.buyer_pays, strict=True)}
    assert {(x, y) for x, y in marks} == expected
    assert sorted(label.get_text() for label in asks.get_yticklabels()) == [
        f"s{k}" for k in range(5)
    ]
    stairs = panels[-1]
    demand = np.asarray(line(stairs, "demand").get_xydata())
    assert demand[:, 0].tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    assert demand[::2, 1].tolist() == np.sort(what.reports.bids)[::-1].tolist()
    assert np.asarray(line(stairs, "supply").get_xydata())[::2, 1].tolist() == sorted(
        what.reports.asks
    )
    assert set(np.atleast_1d(line(stairs, "quantity").get_xdata())) == {len(what)}
    paid = np.sort(np.asarray(line(stairs, "prices-buyers").get_ydata(), dtype=float))
    assert paid.tolist() == sorted(what.buyer_pays)


def test_the_two_sides_differ_without_colour() -> None:
    stairs = draw_market(outcome(18, 16, 60)).axes[-1]
    demand, supply = line(stairs, "demand"), line(stairs, "supply")
    assert demand.is_dashed() != supply.is_dashed()
    paid, received = line(stairs, "prices-buyers"), line(stairs, "prices-sellers")
    assert paid.get_marker() != received.get_marker()
    colours = (to_hex(demand.get_color()), to_hex(supply.get_color()))
    assert colours == (BUYER.lower(), SELLER.lower())


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (pair(0.9, 0.2), ["1 trade", "1 traded", "b", "s"]),
        (pair(0.2, 0.9), ["no trades", "1 buyer", "1 seller"]),
        (outcome(5, 0), ["no sellers", "0 sellers", "no trades"]),
        (outcome(0, 4), ["no buyers", "4 sellers", "no trades"]),
        (outcome(0, 0, currency=""), ["no buyers", "no sellers", "bids, asks and prices"]),
        (outcome(9, 9, 0), ["no trades", "9 buyers"]),
        (outcome(1752, 343, 3022), ["1,752 buyers", "343 sellers"]),
        (outcome(200, 150), ["200 buyers", "150 sellers"]),
    ],
    ids=["one", "apart", "no-sellers", "no-buyers", "nobody", "no-edges", "large", "complete"],
)
def test_every_size_of_market(what: Outcome, expected: list[str], tmp_path: Path) -> None:
    picture = drawn(what, tmp_path)
    assert set(expected) <= set(picture.texts)
    if len(what):
        assert picture.paths("trades") == len(what)
    assert not {"nan", "inf"} & set(picture.texts)


def test_a_large_market_has_no_names_and_few_enough_lines(tmp_path: Path) -> None:
    market = cx.instances.get("sparse-random", n_buyers=9000, n_sellers=9000)
    what = cx.clear(market, "first-best")
    picture = drawn(what, tmp_path)
    assert picture.paths("trades") == 1500 < len(what)
    assert "(1,500 drawn)" in picture.texts
    assert market.buyers.ids[0] not in picture.texts
    assert "buyer-dots-trading" not in picture.groups
    assert (tmp_path / "market.svg").stat().st_size < 3_000_000


def test_one_absurd_report_does_not_hide_the_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    market = cx.Market(
        {"id": list(range(30)), "bid": rng.uniform(10, 20, 30)},
        {"id": list(range(30)), "ask": [*rng.uniform(5, 15, 29), 1e6]},
    )
    what = cx.clear(market, "first-best")
    stairs = draw_market(what).axes[-1]
    assert stairs.get_ylim()[1] < 100
    (text,) = [text for text in drawn(what, tmp_path).texts if "beyond" in text]
    assert text.endswith("1 amount beyond the axes")


def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    market = cx.Market(
        [{"id": "ann $x$ _{y} <&>", "bid": 2.0}, {"id": "日本", "bid": 1.0}],
        [{"id": "two\nlines", "ask": 0.5}],
        name="$m$ & co",
        currency="$",
    )
    what = cx.clear(market, "first-best")
    texts = drawn(what, tmp_path).texts
    assert {"ann $x$ _{y} <&>", "日本", "two\\nlines", "$m$ & co  ·  first-best"} <= set(texts)
    save_market_picture(what, tmp_path / "market.png")  # the font lacks a letter: no warning


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_market_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    files = []
    for place in ("one", "two"):
        path = tmp_path / f"{place}.{suffix}"
        with matplotlib.rc_context({"font.size": 20.0 if place == "two" else 8.0}):
            save_market_picture(outcome(18, 16, 60), path)
        files.append(path.read_bytes())
    assert files[0] == files[1]
    save_market_picture(outcome(18, 16, 60, seed=5), path)
    assert path.read_bytes() != files[0]


def test_a_png_has_pixels(tmp_path: Path) -> None:
    path = tmp_path / "market.PNG"
    save_market_picture(outcome(18, 16, 60), path)
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    assert struct.unpack(">II", head[16:]) == (2080, 1024)


def test_the_settings_of_others_stay() -> None:
    before = dict(matplotlib.rcParams)
    draw_market(pair(0.9, 0.2))
    assert dict(matplotlib.rcParams) == before


def test_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.svg or \.png"):
        check_plot_path(tmp_path / "a.pdf")
    check_plot_path(tmp_path / "a.SVG")


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(CatallaxError, match=r"-m pip install matplotlib$"):
        draw_market(pair(0.9, 0.2))


@pytest.mark.parametrize(
    ("value", "expected"), [(2500, "2,500"), (-0.0, "0"), (0.1 + 0.2, "0.3"), (1e-9, "1e-09")]
)
def test_ticks(value: float, expected: str) -> None:
    assert tick(value) == expected
