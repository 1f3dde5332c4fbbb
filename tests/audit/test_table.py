"""The stored table: complete, free of broken claims, and every counterexample runs again."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest

import catallax as cx
from catallax.audit import properties, read_witness, stored_table, stored_witness
from catallax.audit.claims.battery import fixed_markets
from catallax.audit.claims.claims import claimed_properties
from catallax.audit.claims.rows import make_row, verify_row
from catallax.audit.claims.stored import witness_file, write_table
from catallax.audit.claims.table import Cell, PropertyTable
from catallax.mechanisms import get, names

ROOT = Path(__file__).parents[2]
TABLE = stored_table()
FAILING = [
    (mechanism, name)
    for mechanism, row in TABLE.rows.items()
    for name, cell in row.items()
    if cell.verdict == "violated"
]
WITNESSES = resources.files("catallax.audit") / "witnesses"


def test_every_mechanism_and_every_property_has_its_cell() -> None:
    assert list(TABLE.rows) == names()
    assert TABLE.meanings == {name: properties.get(name).meaning for name in properties.names()}
    assert all(list(row) == properties.names() for row in TABLE.rows.values())


def test_claims_are_those_of_today_and_none_is_broken() -> None:
    for mechanism, row in TABLE.rows.items():
        claimed = claimed_properties(get(mechanism))
        assert {name for name, cell in row.items() if cell.claimed} == claimed
        assert {row[name].verdict for name in claimed} == {"holds"}, mechanism
        assert not any(cell.broken for cell in row.values())


def test_what_holds_was_looked_at() -> None:
    for mechanism, row in TABLE.rows.items():
        for name, cell in row.items():
            if cell.verdict == "holds":
                # Only 7 of the markets have a value for each item, 3 of these continuous priors,
                # where no sample can prove that somebody gains nothing in expectation.
                few = mechanism in {"gbom-unit-demand", "sapp"}
                held, checked = (4, 40) if few else (6, 50)
                assert cell.held >= held and cell.checked > checked, (mechanism, name)
                assert cell.held + cell.undecided >= 6, (mechanism, name)
                assert cell.claimed or not cell.undecided, (mechanism, name)
            assert (cell.story == "") == (cell.verdict != "violated"), (mechanism, name)


@pytest.mark.parametrize(
    ("mechanism", "name"),
    [
        ("first-best", "weak-budget-ex-post"),
        ("first-best", "weak-budget-ex-ante"),
        ("gsom", "weak-budget-ex-post"),
        ("gbom", "weak-budget-ex-post"),
        ("gsom-bic", "dsic-sellers"),
        ("gbom-bic", "dsic-buyers"),
        ("random-offerer-bic", "dsic-buyers"),
        ("second-best", "weak-budget-ex-post"),
        ("random-offerer-balanced", "weak-budget-ex-post"),
        ("meta-auction-buyers", "bic-buyers"),
        ("meta-auction-sellers", "bic-sellers"),
        ("mcafee", "strong-budget-ex-post"),
        ("gbom-unit-demand", "dsic-buyers"),
        ("sapp", "weak-budget-ex-post"),
    ],
)
def test_what_theory_says_fails_is_shown_to_fail(mechanism: str, name: str) -> None:
    assert not TABLE.cell(mechanism, name).claimed
    assert stored_witness(mechanism, name).rerun() is not None


@pytest.mark.parametrize(("mechanism", "name"), FAILING)
def test_a_counterexample_runs_again(mechanism: str, name: str) -> None:
    witness, cell = stored_witness(mechanism, name), TABLE.cell(mechanism, name)
    assert (witness.mechanism, witness.property) == (mechanism, name)
    assert witness.story == cell.story
    assert witness.rerun() == pytest.approx(witness.amount, rel=1e-9, abs=1e-12)
    assert witness.amount > 0 or name in ("feasibility", "partner-independence", "monotone")
    # Small enough to be understood.
    market = witness.market
    assert len(market.buyers) + len(market.sellers) <= 6


SOME = {*FAILING[:: max(1, len(FAILING) // 12)], ("gbom-unit-demand", "dsic-buyers")}


@pytest.mark.parametrize(("mechanism", "name"), sorted(SOME))
def test_a_counterexample_is_a_market_in_which_an_audit_finds_the_same(
    mechanism: str, name: str
) -> None:
    path = Path(str(WITNESSES / witness_file(mechanism, name)))
    report = cx.audit(cx.Market.read(path), mechanism, name, budget=300)
    assert report[name].verdict == "violated"


def test_there_is_a_file_for_each_counterexample_and_no_other() -> None:
    there = sorted(file.name for file in WITNESSES.iterdir())
    assert there == sorted(witness_file(*key) for key in FAILING)


def test_strong_balance_and_truthfulness_come_with_their_weak_forms() -> None:
    """What implies something else cannot hold without it."""
    implied = {
        "strong-budget-ex-post": ("weak-budget-ex-post", "strong-budget-ex-ante"),
        "weak-budget-ex-post": ("weak-budget-ex-ante",),
        "strong-budget-ex-ante": ("weak-budget-ex-ante",),
        "ir-ex-post": ("ir-interim",),
        "dsic-buyers": ("bic-buyers",),
        "dsic-sellers": ("bic-sellers",),
    }
    for mechanism, row in TABLE.rows.items():
        for strong, weaker in implied.items():
            if row[strong].verdict == "holds":
                for weak in weaker:
                    assert row[weak].verdict == "holds", (mechanism, strong, weak)


def test_asking_for_what_is_not_there() -> None:
    with pytest.raises(cx.UnknownNameError, match="did you mean 'gsom'"):
        TABLE.cell("gsmo", "monotone")
    with pytest.raises(cx.UnknownNameError, match="did you mean 'monotone'"):
        TABLE.cell("gsom", "monotonne")
    with pytest.raises(cx.UnknownNameError, match="says 'holds'"):
        stored_witness("gsom", "dsic-buyers")


def test_a_table_is_written_and_read_and_forgets_old_witnesses(tmp_path: Path) -> None:
    cells, witnesses = make_row("trade-reduction", budget=30, random=0)
    assert set(witnesses) == {name for name, cell in cells.items() if cell.verdict == "violated"}
    table = PropertyTable(TABLE.meanings, {"trade-reduction": cells}, {"budget": 30})
    old = tmp_path / "witnesses" / "forgotten.json"
    old.parent.mkdir()
    old.write_text("{}")
    written = write_table(
        table, {("trade-reduction", name): one for name, one in witnesses.items()}, tmp_path
    )
    assert not old.exists() and all(path.is_file() for path in written)
    text = (tmp_path / "properties.json").read_text(encoding="utf-8")
    assert PropertyTable.of_dict(json.loads(text)) == table
    for name, witness in witnesses.items():
        path = tmp_path / "witnesses" / witness_file("trade-reduction", name)
        assert read_witness(path).story == witness.story


def test_the_watcher_sees_every_market() -> None:
    seen: Counter[str] = Counter()
    make_row("mcafee", budget=5, random=2, watch=lambda market: seen.update([market.name]))
    assert len(seen) == len(fixed_markets()) + 2 and set(seen.values()) == {1}


def test_a_row_that_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify_row("trade-reduction", budget=20) == []
    row = dict(TABLE.rows["trade-reduction"])
    row["strong-budget-ex-post"] = Cell("holds", claimed=False)
    wrong = PropertyTable(TABLE.meanings, {"trade-reduction": row})
    monkeypatch.setattr("catallax.audit.claims.rows.stored_table", lambda: wrong)
    (line,) = verify_row("trade-reduction", budget=20)
    assert "strong-budget-ex-post is said to be 'holds', and is violated on market" in line


def maker() -> ModuleType:
    """Load the script behind `make properties`."""
    path = ROOT / "benchmarks" / "properties.py"
    spec = importlib.util.spec_from_file_location("properties_maker", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_the_one_of_this_table() -> None:
    shown = (ROOT / "docs" / "properties.md").read_text(encoding="utf-8")
    assert shown == maker().page(TABLE)


def test_the_page_on_audits_names_every_property_and_shows_the_example() -> None:
    page = (ROOT / "docs" / "audits.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in properties.names())
    example = (ROOT / "examples" / "audit_own_mechanism.py").read_text(encoding="utf-8")
    assert f"```python\n{example}```" in page
