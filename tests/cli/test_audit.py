"""`catallax audit`, and `catallax mechanisms --properties`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import catallax as cx
from catallax.audit import properties, read_witness, stored_table
from catallax.mechanisms import names
from tests.cli.conftest import Runner, document
from tests.cli.test_refusals import files, refused

QUICK = ("--budget", "150")

THEIRS = '''
from dataclasses import dataclass, replace
from catallax.mechanisms import Claims, FirstBest

@dataclass(frozen=True)
class Split(FirstBest):
    """Partners split the difference, and are said to be truthful."""

    slug = "split"
    claims = Claims("DSIC", "none", "ex post", "strong ex post")

    def clear(self, market, reports):
        best = super().clear(market, reports)
        middle = (reports.bids[best.buyer_index] + reports.asks[best.seller_index]) / 2
        return replace(best, buyer_pays=middle, seller_receives=middle)

class Modest(Split):
    claims = Claims("none", "none", "ex post", "strong ex post")

class Broken(Split):
    def clear(self, market, reports):
        raise KeyError("their\\nmistake")
'''


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write mechanisms of somebody else's, and give the name of their module."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "split_for_a_test.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(str(folder))
    return "split_for_a_test"


def by_name(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in shown["properties"]}


def test_json_is_as_specified(run: Runner, small: Path) -> None:
    (shown,) = run("audit", small, "--mechanism", "first-best", "--json", *QUICK).documents
    assert (shown["market"], shown["mechanism"]) == ("small", "first-best")
    applies = [name for name in properties.names() if name not in shown["skipped"]]
    assert [entry["name"] for entry in shown["properties"]] == applies
    assert set(shown["skipped"]) == {"cap-monotone"}
    report = cx.audit(cx.Market.read(small), "first-best", budget=150)
    for entry, expected in zip(shown["properties"], report.to_dict()["properties"], strict=True):
        claimed = entry.pop("claimed")
        assert entry == json.loads(json.dumps(expected))
        assert {"name", "verdict", "worst", "checked", "story", "witness"} <= set(entry)
        assert entry["verdict"] in {"holds", "violated", "undecided"}
        assert (entry["witness"] is None) == (entry["verdict"] != "violated")
        assert claimed or not entry["name"].startswith(("dsic", "ir-"))
    assert by_name(shown)["weak-budget-ex-post"]["verdict"] == "violated"


def test_several_markets_are_a_line_each(run: Runner, small: Path, other: Path) -> None:
    what = ("--properties", "dsic-buyers, ir-ex-post", *QUICK)
    both = run("audit", small, other, *what, "--json")
    assert both.status == 0
    assert [shown["market"] for shown in both.documents] == ["small", "other"]
    alone = run("audit", other, *what, "--json")
    assert both.documents[1] == alone.documents[0]
    assert all(
        [entry["name"] for entry in shown["properties"]] == ["dsic-buyers", "ir-ex-post"]
        for shown in both.documents
    )


def test_a_seed_reproduces_and_another_differs(run: Runner, small: Path) -> None:
    what = ("audit", small, "--mechanism", "gsom-bic", "--properties", "bic-sellers", "--json",
            "--budget", "200")  # fmt: skip
    first = run(*what, "--seed", 3)
    assert run(*what, "--seed", 3).out == first.out
    assert run(*what, "--seed", 4).out != first.out
    assert run(*what).out == run(*what, "--seed", 0).out


def test_people_see_verdicts_claims_and_stories(run: Runner, small: Path, theirs: str) -> None:
    what = ("audit", small, "--properties", "dsic-buyers,dsic-sellers,ir-ex-post", *QUICK)
    done = run(*what, "--mechanism", f"{theirs}:Split")
    assert (done.status, done.err) == (0, "")
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.split()}
    assert "VIOLATED, though claimed" in rows["dsic-buyers"]
    assert "violated" in rows["dsic-sellers"] and "claimed" not in rows["dsic-sellers"]
    assert "holds, as claimed" in rows["ir-ex-post"]
    assert "dsic-buyers: in a smaller market (1 buyer, 1 seller): buyer 'b" in done.out
    assert "gains" in done.out
    modest = run(*what, "--mechanism", f"{theirs}:Modest")
    assert "though claimed" not in modest.out


def test_what_is_left_out_is_said(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    path.write_text('{"buyers": [{"id": "b", "bid": 1}], "sellers": [{"id": "s", "ask": 0}]}')
    out = run("audit", path, "--mechanism", "first-best", *QUICK).out
    assert "bic-buyers was left out: " in out and "cap-monotone was left out: " in out


def test_the_status_tells_of_broken_claims_only_if_asked(
    run: Runner, small: Path, theirs: str
) -> None:
    what = ("audit", small, "--properties", "dsic-buyers,dsic-sellers", *QUICK)
    for kind, status in (("Split", 1), ("Modest", 0)):
        assert run(*what, "--mechanism", f"{theirs}:{kind}").status == 0
        done = run(*what, "--mechanism", f"{theirs}:{kind}", "--strict", "--json")
        assert done.status == status and len(done.documents) == 1
    quiet = run(*what, "--mechanism", f"{theirs}:Split", "--strict", "-q")
    assert quiet == (1, "", "")


def test_witnesses_are_market_files(
    run: Runner, small: Path, other: Path, tmp_path: Path, theirs: str
) -> None:
    folder = tmp_path / "found"
    name = f"{theirs}:Split"
    what = ("--mechanism", name, "--properties", "dsic-buyers,ir-ex-post", *QUICK)
    done = run("audit", small, other, *what, "--out", folder, "--json")
    stems = [f"{market}.{theirs}-Split.dsic-buyers.json" for market in ("small", "other")]
    assert [path.name for path in files(folder)] == sorted(stems)
    for shown, stem in zip(done.documents, stems, strict=True):
        witness = read_witness(folder / stem)
        told = by_name(shown)["dsic-buyers"]
        assert witness.to_dict() == told["witness"]
        assert (witness.story, witness.amount) == (told["story"], witness.rerun())
        again = run("audit", folder / stem, *what, "--strict", "-q")
        assert (again.status, again.out) == (1, "")
        assert run("clear", folder / stem, "--mechanism", name, "--json").status == 0


def test_the_witness_in_a_file_is_run_again(run: Runner, small: Path, tmp_path: Path) -> None:
    what = ("--properties", "weak-budget-ex-post,dsic-buyers", *QUICK)
    run("audit", small, "--mechanism", "first-best", *what, "--out", tmp_path / "found")
    (path,) = files(tmp_path / "found")
    witness = read_witness(path)
    for mechanism, seen in (("first-best", True), ("trade-reduction", False)):
        asked = ("audit", path, "--mechanism", mechanism, *what)
        (shown,) = run(*asked, "--json").documents
        kept = shown["kept"]
        assert (kept["property"], kept["seen"]) == ("weak-budget-ex-post", seen)
        assert (kept["amount"], kept["story"]) == (
            (witness.amount, witness.story) if seen else (None, None)
        )
        page = " ".join(run(*asked).out.split())
        said = f"again: {witness.story}" if seen else "shows nothing here"
        assert f"the witness in the file, weak-budget-ex-post, {said}" in page
    # A property that is not asked about is left alone; so is a market that holds no witness.
    for asked in ((path, "--properties", "dsic-buyers"), (small, "--properties", "feasibility")):
        (shown,) = run("audit", *asked, "--mechanism", "first-best", "--json", *QUICK).documents
        assert "kept" not in shown


def test_a_mechanism_that_fails_is_a_finding(run: Runner, small: Path, theirs: str) -> None:
    done = run("audit", small, "--mechanism", f"{theirs}:Broken", "--json", *QUICK)
    (shown,) = done.documents
    found = by_name(shown)["feasibility"]
    assert (done.status, found["verdict"], found["claimed"]) == (0, "violated", True)
    assert "KeyError" in found["story"] and "\n" not in found["story"]
    # Nothing is known of expectations over outcomes that are not there.
    for name in ("weak-budget-ex-ante", "strong-budget-ex-ante"):
        assert by_name(shown)[name]["verdict"] != "violated"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("audit", "no market is named"),
        ("audit nowhere.json", "nowhere.json: there is no such file"),
        ("audit - -", "only once"),
        ("audit instance:pareto --mechanism gsmo", "did you mean 'gsom'"),
        ("audit instance:pareto --mechanism no_module:X", "no_module"),
        ("audit instance:pareto --properties dsic-buyer", "did you mean 'dsic-buyers'"),
        ("audit instance:pareto --properties ,", "names no property"),
        ("audit instance:pareto --properties cap-monotone", "no bilateral rule"),
        ("audit instance:pareto --seed -1", "--seed -1: a seed is a whole number"),
        ("audit instance:pareto --budget 0", "--budget 0"),
        ("audit instance:pareto --budget x", "--budget"),
        ("audit instance:neighbourhood-energy --mechanism mcafee", "mcafee needs every buyer"),
        ("mechanisms --verify", "add --properties"),
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
    out = ("--out", "found") if arguments.startswith("audit") else ()
    assert expected in refused(run, *arguments.split(), *out)
    assert files(tmp_path) == []


def test_nothing_is_written_where_something_else_is(run: Runner, small: Path) -> None:
    what = ("audit", small, "--mechanism", "first-best", "--properties", "weak-budget-ex-post")
    assert "is a file" in refused(run, *what, *QUICK, "--out", small)
    assert "is a file" in refused(run, *what, *QUICK, "--out", small / "inside")


def test_markets_whose_witnesses_would_share_a_file_are_refused(
    run: Runner, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{k}.json" for k in (1, 2)]
    for path in paths:
        path.write_text(json.dumps(document("same")))
    what = ("--mechanism", "first-best", "--properties", "weak-budget-ex-post", *QUICK)
    line = refused(run, "audit", *paths, *what, "--out", tmp_path / "found")
    assert "same.first-best.weak-budget-ex-post.json" in line
    assert files(tmp_path) == paths


def test_mechanisms_are_listed_with_their_properties(run: Runner) -> None:
    done = run("mechanisms", "--properties", "--json")
    assert [one["name"] for one in done.documents] == names()
    table = stored_table()
    for one in done.documents:
        assert set(one) == {"name", "summary", "claims", "properties"}
        assert list(one["properties"]) == properties.names()
        for name, cell in one["properties"].items():
            assert cell["verdict"] == table.cell(one["name"], name).verdict
    page = run("mechanisms", "--properties").out
    lines = {line.split()[0]: line.split()[1:] for line in page.splitlines() if line.split()}
    place = properties.names().index("weak-budget-ex-post")
    assert [lines[name][place] for name in ("first-best", "gsom", "gsom-bic")] == ["×", "×", "●"]
    for name in properties.names():
        assert f" {name} " in page


def test_a_table_that_is_wrong_is_noticed(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def verify_row(name: str) -> list[str]:
        asked.append(name)
        return [f"{name}: wrong"] if name == "gbom" else []

    monkeypatch.setattr("catallax.audit.claims.rows.verify_row", verify_row)
    done = run("mechanisms", "--properties", "--verify")
    assert (done.status, done.err) == (1, "error: gbom: wrong\n")
    assert asked == names()
    monkeypatch.setattr("catallax.audit.claims.rows.verify_row", lambda name: [])
    done = run("mechanisms", "--properties", "--verify", "--json")
    assert done.status == 0 and "as it says" in done.err and len(done.documents) == len(names())
