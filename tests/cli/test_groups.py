"""`catallax groups` and `catallax reproduce`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from catallax import compiled
from catallax.groups import GroupTrade, evaluate
from tests.cli.conftest import Runner
from tests.cli.test_refusals import files, refused

CLUB = """
name = "boat"
currency = "EUR"
price = 20
rule = "majority"
[buyers]
prior = "uniform(0, 50)"
members = [{id = "ann", report = 30}, {id = "bob", report = 12}, {id = "cy", report = 25}]
[sellers]
prior = "uniform(0, 60)"
members = [{id = "dee", report = 28}, {id = "eve", report = 10}]
"""
GROUPS = ("--buyers", 5, "--sellers", 5, "--buyer-prior", "uniform(0.11, 0.91)",
          "--seller-prior", "uniform(0.09, 0.89)")  # fmt: skip
KEYS = [
    "mechanism", "price", "ir_buyers", "ir_sellers", "ir_both", "gains_from_trade", "first_best",
    "share_of_first_best", "trade_probability", "method", "error_bound",
]  # fmt: skip


@pytest.fixture
def club(tmp_path: Path) -> Path:
    path = tmp_path / "club.toml"
    path.write_text(CLUB, encoding="utf-8")
    return path


def test_evaluate_prints_exact_values(run: Runner) -> None:
    (one,) = run("groups", "evaluate", *GROUPS, "--mechanism", "forced-trade", "--json").documents
    assert set(KEYS) <= set(one)
    assert one["method"] == "exact"
    assert one["ir_both"] == pytest.approx(0.288782, abs=1e-6)
    assert one["share_of_first_best"] == pytest.approx(0.289420, abs=1e-6)
    trade = GroupTrade(5, 5, "uniform(0.11, 0.91)", "uniform(0.09, 0.89)")
    assert one == evaluate(trade, "forced-trade").to_dict()
    table = run("groups", "evaluate", *GROUPS, "--mechanism", "forced-trade").out
    assert "0.288782" in table
    assert "exact" in table


def test_evaluate_with_a_sample_beside(run: Runner) -> None:
    arguments = (*GROUPS, "--mechanism", "vote", "--price", 0.5, "--rule", "quota(80%, 50%)")
    (one,) = run(
        "groups", "evaluate", *arguments, "--monte-carlo", 2000, "--seed", 4, "--json"
    ).documents
    assert one["monte_carlo"]["samples"] == 2000
    again = run("groups", "evaluate", *arguments, "--monte-carlo", 2000, "--seed", 4, "--json")
    assert again.documents == [one]
    shown = run("groups", "evaluate", *arguments, "--monte-carlo", 2000).out
    assert "±" in shown
    assert "4 of 5 buyers and 3 of 5 sellers" in shown


def test_decide_says_why(run: Runner, club: Path) -> None:
    done = run("groups", "decide", club)
    assert done.status == 0
    assert "2 of 3 buyers and 2 of 2 sellers are in favour of a price of 20" in done.out
    assert "each buyer pays 20 EUR, each seller receives 30 EUR" in done.out
    (one,) = run("groups", "decide", club, "--json").documents
    assert one["trade"] is True
    assert (one["buyer_pays"], one["seller_receives"], one["surplus"]) == (20, 30, 0)
    (one,) = run("groups", "decide", club, "--rule", "unanimity", "--json").documents
    assert one["trade"] is False
    assert one["buyers_pay"] == 0
    for mechanism in ("forced-trade", "best-vote", "smooth"):
        (one,) = run("groups", "decide", club, "--mechanism", mechanism, "--json").documents
        assert one["mechanism"] == mechanism
        assert one["reason"]
        assert mechanism == "smooth" or one["surplus"] == 0


def test_recommend_from_a_file_and_from_a_survey(run: Runner, club: Path, tmp_path: Path) -> None:
    picture = tmp_path / "club.svg"
    (one,) = run("groups", "recommend", club, "--json", "--plot", picture).documents
    assert one["recommendation"].startswith("Vote on a trade at")
    assert "forced trade" in [way["name"] for way in one["alternatives"]]
    # The vote that stands in the file is compared, too, at its own price.
    assert one["alternatives"][-1]["name"] == "the file's vote"
    assert one["alternatives"][-1]["price"] == 20
    assert {"buyers_utility", "sellers_utility", "ir_buyers", "ir_sellers"} <= set(one["best"])
    drawn = picture.read_text(encoding="utf-8")
    assert drawn.startswith("<?xml")
    for words in ("EUR", "Recommended: a vote on a price of", "expected cost for each buyer",
                  "recommended: share of first best", "buyers / sellers"):  # fmt: skip
        assert words in drawn
    survey = tmp_path / "park.csv"
    survey.write_text("town,low,high\na,0,10\na,10,20\nb,10,\na,10,30\n", encoding="utf-8")
    arguments = ("--survey", survey, "--rows", "town=a", "--seller-prior", "uniform(0, 40)")
    (one,) = run("groups", "recommend", *arguments, "--json").documents
    assert one["best"]["method"] == "exact"
    assert one["taken"] == ["park.csv: 3 answers of 4 rows; 3 buyers assumed, --buyers says "
                            "otherwise", "1 seller assumed; --sellers says otherwise"]  # fmt: skip
    done = run("groups", "recommend", *arguments, "--least-better-off", "0.9")
    for words in ("unanimity", "3 answers of 4 rows", "sellers'", "for the seller)", "--out"):
        assert words in done.out
    assert done.err == ""
    mixed = run("groups", "recommend", "--survey", survey, *arguments[4:])
    assert "'town' (2 different)" in mixed.err
    assert "--rows town=..." in mixed.err


def test_a_recommendation_is_carried_over_to_the_vote(run: Runner, tmp_path: Path) -> None:
    out = tmp_path / "vote.toml"
    arguments = ("--buyers", 3, "--sellers", 1, "--buyer-prior", "uniform(0, 40)",
                 "--seller-prior", "uniform(20, 60)", "--currency", "EUR")  # fmt: skip
    (one,) = run("groups", "recommend", *arguments, "--out", out, "--json").documents
    text = out.read_text(encoding="utf-8")
    assert 'currency = "EUR"' in text
    assert 'kind = "anonymous"' in text
    assert one["rule"]["kind"] == "anonymous"
    assert "made no report" in refused(run, "groups", "decide", out)
    # Reports beyond what was believed count as votes all the same.
    for report in (90, 35, 5, 21):
        text = re.sub(r"\{id = (\d+)\}", rf"{{id = \1, report = {report}}}", text, count=1)
    out.write_text(text, encoding="utf-8")
    (decided,) = run("groups", "decide", out, "--json").documents
    assert decided["price"] == one["price"]
    assert decided["rule"] == one["best"]["rule"]
    # The ballots are not written over, not even half-edited ones; nor is anything computed.
    for ballots, count in ((text, 4), (text.replace("members = [", "members = [[", 1), 4)):
        out.write_text(ballots, encoding="utf-8")
        line = refused(run, "groups", "recommend", *arguments, "--out", out)
        assert f"vote.toml holds {count} reports; write to another file" in line
        assert out.read_text(encoding="utf-8") == ballots
    out.write_text('{"sellers": {"size": 1, "reports": [3]}, "buyers": [{"id": 1, "bid": 0}]}')
    assert "no TOML" in refused(run, "groups", "decide", out)
    line = refused(run, "groups", "recommend", *arguments, "--out", out)
    assert "holds 2 reports" in line
    out.rename(tmp_path / "vote.json")
    line = refused(run, "groups", "recommend", *arguments, "--out", tmp_path / "vote.json")
    assert "holds 2 reports" in line
    # Without reports it may be written again.
    assert run("groups", "recommend", *arguments, "--out", out, "--quiet").status == 0
    assert run("groups", "recommend", *arguments, "--out", out, "--quiet").status == 0
    # A file with members keeps them.
    club = tmp_path / "club.toml"
    club.write_text(CLUB, encoding="utf-8")
    run("groups", "recommend", club, "--out", tmp_path / "own.toml")
    (own,) = run("groups", "decide", tmp_path / "own.toml", "--json").documents
    assert own["name"] == "boat"
    line = refused(run, "groups", "recommend", *arguments, "--out", tmp_path / "vote.csv")
    assert ".toml" in line


def test_a_rule_of_the_options_takes_the_place_of_a_bad_one(run: Runner, club: Path) -> None:
    club.write_text(CLUB.replace('"majority"', '"most of us"'), encoding="utf-8")
    line = refused(run, "groups", "decide", club)
    assert all(words in line for words in ("most of us", "80%", "two thirds"))
    for rule in ("majority", "two thirds", "two-thirds", "80 %", "80%"):
        (one,) = run("groups", "decide", club, "--rule", rule, "--json").documents
        assert one["buyers_in_favour"] == 2
        assert "buyers" in one["rule"]
    assert run("groups", "evaluate", club, "--rule", "unanimity", "--quiet").status == 0
    assert run("groups", "recommend", club, "--quiet").status == 0
    # Another one is wanted, so this is no error; but nothing is left out without a word.
    said = run("groups", "recommend", club)
    assert said.status == 0
    assert "most of us" in said.err
    assert "the file's own vote is not compared" in said.err
    assert "the file's vote" not in said.out


def test_long_reasons_are_indented_and_one_seller_is_the_seller(
    run: Runner, tmp_path: Path
) -> None:
    one = tmp_path / "one.toml"
    one.write_text(
        'price = 4\nrule = "majority"\nbuyers = [{id = 1, report = 5}, {id = 2, report = 9}]\n'
        "sellers = [{id = 3, report = 2}]\n",
        encoding="utf-8",
    )
    shown = run("groups", "decide", one).out
    assert all(line.startswith("  ") for line in shown.splitlines() if line.strip())
    assert len(shown.splitlines()) > 3
    assert "(8 for the seller)" in shown
    assert "the seller receives 8" in shown


def test_amounts_next_to_nothing_are_written_so(run: Runner) -> None:
    arguments = ("--buyers", 60, "--sellers", 1, "--buyer-prior",
                 "discrete([0, 100], [0.5, 0.5])", "--seller-prior", "point(2000)")  # fmt: skip
    shown = run("groups", "recommend", *arguments).out
    assert "≈ 0" in shown
    assert "e-" not in shown


def test_limits(run: Runner, tmp_path: Path) -> None:
    picture = tmp_path / "limits.png"
    arguments = ("--sizes", "2,5", "--means", "0.51:0.49")
    (one,) = run("groups", "limits", *arguments, "--json", "--plot", picture).documents
    assert one["sizes"] == [2, 5]
    assert one["panels"][0]["best_vote"][1] == pytest.approx(0.8814, abs=5e-5)
    assert picture.stat().st_size > 5000
    assert "forced trade" in run("groups", "limits", *arguments).out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("evaluate",), ["group file", "--buyers"]),
        (("evaluate", *GROUPS[2:]), ["--buyers"]),
        (("evaluate", *GROUPS, "--mechanism", "forced"), ["forced-trade"]),
        (("evaluate", *GROUPS, "--mechanism", "vote"), ["--price"]),
        (("evaluate", *GROUPS, "--mechanism", "smooth"), ["no exact law", "--monte-carlo"]),
        (("evaluate", *GROUPS, "--mechanism", "vote", "--price", 1, "--rule", "most"), ["--rule"]),
        (("evaluate", "--buyers", 0, *GROUPS[2:]), ["at least one"]),
        (("evaluate", *GROUPS[:4], "--buyer-prior", "pareto(1)", *GROUPS[6:]), ["infinite mean"]),
        (("evaluate", "CLUB", *GROUPS), ["leave out"]),
        (("decide", "NONE"), ["none.toml"]),
        (("decide", "OUTSIDE"), ["'ann'", "70", "uniform(0, 50)"]),
        (("recommend", *GROUPS, "--plot", "x.pdf"), ["svg"]),
        (("recommend", "--survey", "SURVEY", "--rows", "town"), ["column=text"]),
        (
            ("recommend", "--survey", "SURVEY", "--rows", "town=a", "town=b"),
            ["--rows names the column 'town' twice; name it once"],
        ),
        (
            ("recommend", "--survey", "SURVEY", "--rows", "town=a", "--rows", "town=b"),
            ["--rows names the column 'town' twice"],
        ),
        (
            ("recommend", "--seller-survey", "SURVEY", "--seller-rows", "town=a", "town=a"),
            ["--seller-rows names the column 'town' twice"],
        ),
        (
            ("recommend", "--seller-survey", "SURVEY", "--seller-rows", "town"),
            ["--seller-rows town: write"],
        ),
        (("decide", "BLANK"), ["'bob' has no report; give it one"]),
        (
            ("decide", "RULELESS"),
            ["ruleless.toml: a vote needs a rule: name it in the file, or give --rule"],
        ),
        (("evaluate", "RULELESS"), ["a vote needs a rule"]),
        (("evaluate", *GROUPS, "--mechanism", "vote", "--price", 1), ["give --rule"]),
        (("decide", "CLUB", "--rule", "weighted-quota"), ["--rule", 'sellers = "80%"}']),
        (("recommend", "--survey", "WRONG", "--seller-prior", "point(1)"), ["line 3"]),
        (("limits", "--sizes", "0"), ["from 1 up"]),
        (("limits", "--sizes", "x"), ["--sizes x"]),
        (("limits", "--means", "1"), ["pairs of means"]),
    ],
)
def test_bad_input(run: Runner, tmp_path: Path, club: Path, arguments, parts) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text(CLUB.replace("report = 30", "report = 70"), encoding="utf-8")
    blank = tmp_path / "blank.toml"
    blank.write_text(CLUB.replace(", report = 12", ""), encoding="utf-8")
    ruleless = tmp_path / "ruleless.toml"
    ruleless.write_text(CLUB.replace('rule = "majority"', ""), encoding="utf-8")
    survey, wrong = tmp_path / "survey.csv", tmp_path / "wrong.csv"
    survey.write_text("town,low,high\na,0,10\n", encoding="utf-8")
    wrong.write_text("low,high\n0,10\n9,3\n", encoding="utf-8")
    places = {"CLUB": club, "NONE": tmp_path / "none.toml", "OUTSIDE": outside,
              "SURVEY": survey, "WRONG": wrong, "RULELESS": ruleless, "BLANK": blank}  # fmt: skip
    before = files(tmp_path)
    line = refused(run, "groups", *(places.get(one, one) for one in arguments))
    for part in parts:
        assert part in line
    assert "decide" not in arguments or "leave the column" not in line
    assert files(tmp_path) == before


def test_reproduce_lists_and_runs(run: Runner, tmp_path: Path) -> None:
    listed = run("reproduce")
    assert listed.status == 0
    assert "groups-table1" in listed.out
    assert "gsom-bic-remark" in [one["name"] for one in run("reproduce", "--json").documents]
    done = run("reproduce", "gsom-bic-remark", "--json", "--out", tmp_path / "out")
    assert done.status == 0
    (one,) = done.documents
    assert one["verdict"] == "agrees"
    assert json.loads((tmp_path / "out" / "gsom-bic-remark.json").read_text()) == one
    assert "gsom-bic-remark" in refused(run, "reproduce", "gsom-bic")
    assert "--monte-carlo 1" in refused(run, "reproduce", "gsom-bic-remark", "--monte-carlo", "1")
    assert "leave out" in refused(run, "reproduce", "gsom-bic-remark", "--all")


def test_reproduce_table_1_with_samples_and_figures(
    run: Runner, tmp_path: Path, monkeypatch
) -> None:
    from catallax.papers import groups_table1

    cells = [cell for cell in groups_table1.published_cells() if cell["n"] <= 100]
    monkeypatch.setattr(groups_table1, "published_cells", lambda: cells[:4])
    (one,) = run(
        "reproduce", "groups-table1", "--monte-carlo", 200, "--seed", 1, "--json"
    ).documents
    assert one["verdict"] == "agrees"
    assert "our sample" in one["rows"][0]["note"]
    assert "published_standard_errors" in one["rows"][0]
    assert "all 8 agree" in run("reproduce", "groups-table1").out


def test_a_figure_that_differs_sets_the_exit_status(run: Runner, monkeypatch) -> None:
    from catallax.papers import groups_table1

    cells = groups_table1.published_cells()[:1]
    cells[0]["ir_published"] += 0.01
    monkeypatch.setattr(groups_table1, "published_cells", lambda: cells)
    done = run("reproduce", "groups-table1")
    assert done.status == 1
    assert "1 of 2 differ" in done.out


def test_who_watches_sees_that_something_goes_on(run: Runner, club: Path, monkeypatch) -> None:
    monkeypatch.setattr(compiled, "_waiting", [])
    assert run("groups", "evaluate", club).err == ""
    assert compiled._waiting == []
    with monkeypatch.context() as watched:
        watched.setattr(sys.stderr, "isatty", lambda: True)
        done = run("groups", "evaluate", club, "--json")
        assert "exact laws" in done.err
        assert len(done.documents) == 1
        run("mechanisms", "--json")
        (tell,) = compiled._waiting
        assert run("mechanisms", "-q").err == ""
        assert compiled._waiting == []
        tell()
        assert "compiling for this machine" in run("mechanisms", "-q").err


def test_one_ballot_of_a_guessed_owner_is_counted(run: Runner, club: Path) -> None:
    text = CLUB.replace(
        '{id = "ann", report = 30}', '{id = "ann", report = 30, prior = "point(7)"}'
    )
    club.write_text(text, encoding="utf-8")
    (one,) = run("groups", "decide", club, "--json").documents
    assert one["buyers_in_favour"] == 2
    assert "point(7)" in refused(run, "groups", "decide", club, "--mechanism", "smooth")
    club.write_text(CLUB.replace("report = 30", "report = 70"), encoding="utf-8")
    assert "'ann' reports 70.0" in refused(run, "groups", "decide", club)
    # At a price beyond the prior the report is a yes that was not foretold.
    (one,) = run("groups", "decide", club, "--price", 60, "--json").documents
    assert one["buyers_in_favour"] == 1
