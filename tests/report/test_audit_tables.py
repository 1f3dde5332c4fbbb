"""Tables and the picture of audits."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

import catallax as cx
from catallax.audit.claims.table import Cell, PropertyTable
from catallax.report.audit.picture import draw_properties, save_properties_picture
from catallax.report.audit.tables import GROUPS, SIGNS, audit_tables, properties_table, sign

ALL = {
    "claimed": Cell("holds", True),
    "holds": Cell("holds", False),
    "violated": Cell("violated", False),
    "broken": Cell("violated", True),
    "undecided": Cell("undecided", False),
    "does not apply": Cell("does not apply", False),
}
TABLE = PropertyTable(
    {"monotone": "More is more.", "renaming": "Names say nothing.", "mine": "Of my own."},
    {
        "one": {"monotone": ALL["claimed"], "renaming": ALL["violated"], "mine": ALL["broken"]},
        "two": {"monotone": ALL["holds"], "renaming": ALL["undecided"],
                "mine": ALL["does not apply"]},
    },
)  # fmt: skip


def printed(renderable: object, width: int = 100) -> str:
    screen = Console(file=io.StringIO(), width=width, color_system=None)
    with screen.capture() as captured:
        screen.print(renderable)
    return captured.get()


def test_every_state_of_a_cell_has_a_sign_of_its_own() -> None:
    assert {name: sign(cell) for name, cell in ALL.items()} == {name: name for name in ALL}
    assert len({mark for mark, _ in SIGNS.values()}) == len(SIGNS) == len(ALL)


def test_the_table_shows_a_sign_in_each_cell_and_explains_it() -> None:
    page = printed(properties_table(TABLE))
    lines = {line.split()[0]: line.split()[1:] for line in page.splitlines() if line.split()}
    assert lines["one"] == [SIGNS[name][0] for name in ("claimed", "violated", "broken")]
    assert lines["two"] == [SIGNS[name][0] for name in ("holds", "undecided", "does not apply")]
    for name, meaning in TABLE.meanings.items():
        assert name in page and meaning in page
    assert all(said in " ".join(page.split()) for _, said in SIGNS.values())


def test_the_table_of_our_mechanisms_fits_a_terminal() -> None:
    from catallax.audit import stored_table

    page = printed(properties_table(stored_table()), width=80)
    heads = [line for line in page.splitlines() if line.strip().startswith("mechanism")]
    assert len(heads) == 1 and heads[0].split()[1:] == [
        str(number) for number in range(1, len(stored_table().meanings) + 1)
    ]


def test_groups_name_every_property_once() -> None:
    from catallax.audit import properties

    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(properties.names())


def test_an_audit_in_money_with_a_currency_and_a_name_that_commands_terminals() -> None:
    market = cx.Market(
        [{"id": "b", "bid": 0.75}], [{"id": "s", "ask": 0.25}], name="red\x1b[31m", currency="EUR"
    )
    report = cx.audit(market, "first-best", ["dsic-buyers", "weak-budget-ex-post"], budget=20)
    page = printed(audit_tables(report, {"dsic-buyers", "weak-budget-ex-post"}, summary="all"))
    assert "\x1b" not in page and "worst (EUR)" in page
    assert "VIOLATED, though claimed" in page and "holds, as claimed" in page
    assert "first-best: all (" in page
    assert report["weak-budget-ex-post"].story in " ".join(page.split())


def test_a_story_says_that_its_market_is_a_smaller_one() -> None:
    buyers = [{"id": k, "bid": float(k)} for k in range(1, 4)]
    sellers = [{"id": k, "ask": 0.5} for k in range(3)]
    report = cx.audit(cx.Market(buyers, sellers), "first-best", "weak-budget-ex-post", budget=100)
    (finding,) = report
    told = f"in a smaller market (1 buyer, 1 seller): {finding.story}"
    assert told in " ".join(printed(audit_tables(report)).split()) and told in str(report)
    # In the market of the witness itself it happens as it stands.
    again = cx.audit(finding.witness.market, "first-best", "weak-budget-ex-post", budget=100)
    assert "smaller market" not in printed(audit_tables(again))


def test_a_report_without_findings_is_no_error() -> None:
    market = cx.Market([{"id": "b", "bid": 0.75}], [{"id": "s", "ask": 0.25}])
    report = cx.audit(market, "first-best", [], budget=1)
    assert "first-best" in printed(audit_tables(report))


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_picture_is_the_same_every_time(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{k}.{suffix}" for k in (1, 2)]
    for path in paths:
        save_properties_picture(TABLE, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    if suffix == "svg":
        text = paths[0].read_text(encoding="utf-8")
        for word in (*TABLE.meanings, *TABLE.rows, "claimed, and holds"):
            assert f">{word}<" in text


def test_the_picture_has_a_mark_in_every_cell() -> None:
    (axes,) = draw_properties(TABLE).axes
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert len(marks) == sum(len(row) for row in TABLE.rows.values())
    shapes = {str(line.get_marker()) for line in marks}
    rings = {line.get_markerfacecolor() for line in marks if line.get_marker() == "o"}
    # Nothing depends on colour alone: a dot and a ring are the only two of one shape.
    assert len(shapes) == len(ALL) - 1 and len(rings) == 2
