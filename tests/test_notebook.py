"""What results show of themselves: tidy HTML in a notebook, one readable text elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import catallax as cx
from catallax.estimate.study import load_results, read_study, run_study
from catallax.notebook import MOST_ROWS, Rows, html_page
from tests.studies import ONE_CELL

STUDY = ONE_CELL.replace("one cell", "one <b>cell</b>")


class Balanced(HTMLParser):
    """Read HTML, and insist that every element is closed and nothing is run or fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"div", "strong", "p", "table", "thead", "tbody", "tr", "th", "td"}, tag
        assert {name for name, _ in attrs} <= {"style"}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


def shown(result: Any) -> list[str]:
    """The texts in what a result shows in a notebook."""
    reader = Balanced()
    reader.feed(result if isinstance(result, str) else result._repr_html_())
    reader.close()
    assert reader.open == []
    return reader.cells


def hostile() -> cx.Market:
    uniform = "uniform(0, 1)"
    return cx.Market(
        [
            {"id": "<script>b</script>", "bid": 0.9, "prior": uniform},
            {"id": "c", "bid": 0, "prior": uniform},
        ],
        [{"id": "s&t", "ask": 0.2, "prior": uniform}],
        name="a <market>",
    )


def pair() -> cx.Market:
    return cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}], name="one <pair>")


def results(folder: Path) -> tuple[Any, Any]:
    path = folder / "one.toml"
    path.write_text(STUDY, encoding="utf-8")
    study = read_study(path)
    run_study(study, workers=1)
    return study, load_results(study)


def test_a_market() -> None:
    texts = shown(hostile())
    assert texts[0] == "market 'a <market>'"
    assert {"<script>b</script>", "0.9", "s&t", "everybody with everybody"} <= set(texts)
    assert repr(hostile()) == "<market 'a <market>': 2 buyers, 1 seller, complete>"


@pytest.mark.parametrize("mechanism", ["first-best", "random-offerer"])
def test_outcomes_and_lotteries(mechanism: str) -> None:
    market = cx.instances.get("horse-market")
    result = cx.clear(market, mechanism)
    texts = shown(result)
    assert mechanism in texts[0] and "gains from trade" in texts
    assert f"{result.totals['gains_from_trade']:.10g}" in texts
    assert "\n" not in repr(result)


def test_every_trade_is_in_the_table_of_a_small_outcome() -> None:
    assert shown(cx.clear(pair(), "first-best"))[-5:] == ["b", "s", "0.2", "0.9", "0.7"]
    nothing = cx.Market([{"id": "b", "bid": 0.1}], [{"id": "s", "ask": 0.2}])
    assert shown(cx.clear(nothing, "first-best"))[-1] == "gain"


def test_long_tables_say_what_is_left() -> None:
    texts = shown(html_page("long", Rows(("n",), ((k,) for k in range(100)), 100)))
    assert texts[-1] == f"and {100 - MOST_ROWS} more"
    assert str(MOST_ROWS - 1) in texts and str(MOST_ROWS) not in texts


def test_audits() -> None:
    report = cx.audit(pair(), "first-best", budget=20)
    texts = shown(report)
    assert {"violated", "holds", "left out"} <= set(texts)
    assert "weak-budget-ex-post" in str(report)


def test_simulations_and_estimates() -> None:
    found = cx.simulate(cx.instances.get("double-auction", n=2), ["gsom", "gbom-unit-demand"],
                        samples=50, rng=1)  # fmt: skip
    texts = shown(found)
    assert "gsom" in texts and any(text.startswith("left out: ") for text in texts)
    exact, sampled = found["gsom"].gains_from_trade, found.first_best
    assert shown(exact)[1].startswith("exact" if exact.exact else "95 % interval")
    assert shown(sampled)[0]


def test_studies(tmp_path: Path) -> None:
    study, found = results(tmp_path)
    assert "gsom" in shown(study) and shown(study)[0] == "study 'one <b>cell</b>'"
    assert shown(found)[1] == "1 of 1 cells are finished."
    assert repr(study) == "<study 'one <b>cell</b>': 1 cells>"
    assert "1 of 1" in repr(found)
