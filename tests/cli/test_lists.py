"""`catallax prior`, `instances`, `mechanisms`, and help."""

from __future__ import annotations

from pathlib import Path

import pytest

import catallax as cx
from catallax.mechanisms import names
from tests.cli.conftest import Runner

COMMANDS = ("clear", "audit", "prior", "instances", "mechanisms")


def test_version(run: Runner) -> None:
    assert run("--version").out == f"catallax {cx.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], [], *([c, "--help"] for c in COMMANDS)])
def test_help_says_what_there_is(run: Runner, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.status, done.err) == (0, "")
    expected = COMMANDS if arguments[:1] in ([], ["--help"]) else ["Usage: catallax"]
    assert all(word in done.out for word in expected)


def test_mechanisms(run: Runner) -> None:
    documents = run("mechanisms", "--json").documents
    assert [one["name"] for one in documents] == names()
    assert set(documents[0]) == {"name", "summary", "claims"}
    claims = {"buyers", "sellers", "individual_rationality", "budget"}
    assert all(set(one["claims"]) == claims for one in documents)
    table = run("mechanisms").out
    for one in documents:
        assert one["name"] in table
        assert all(word in table for word in one["summary"].split())


def test_instances_are_listed_with_what_is_known(run: Runner) -> None:
    documents = run("instances", "--json").documents
    assert [one["name"] for one in documents] == cx.instances.names()
    assert len(documents) >= 10
    keys = {"name", "summary", "source", "parameters", "known"}
    assert all(set(one) == keys and one["source"] for one in documents)
    table = run("instances").out
    assert all(one["name"] in table for one in documents)


def test_an_instance_is_shown(run: Runner) -> None:
    (shown,) = run("instances", "double-auction?n=4", "--json").documents
    assert (shown["buyers"], shown["sellers"], shown["edges"]) == (4, 4, 16)
    known = cx.instances.describe("double-auction", n=4).known["first best"]
    assert shown["known"]["first best"]["value"] == known.value
    page = run("instances", "double-auction?n=4").out
    assert "first best" in page and "McAfee" in page and "4 buyers, 4 sellers, 16 edges" in page


@pytest.mark.parametrize("name", ["folder", "file.json"])
def test_an_instance_is_written_as_a_market(run: Runner, tmp_path: Path, name: str) -> None:
    done = run("instances", "horse-market", "--write", tmp_path / name)
    assert done.status == 0
    assert name in done.out
    assert cx.Market.read(tmp_path / name).equals(cx.instances.get("horse-market"))


@pytest.mark.parametrize("name", cx.instances.names())
def test_every_instance_clears(run: Runner, name: str) -> None:
    (document,) = run("clear", f"instance:{name}", "--mechanism", "first-best", "--json").documents
    assert document["totals"]["trades"] == len(document["trades"])


def test_a_prior_in_json(run: Runner) -> None:
    spec = "discrete([1, 2, 3, 5, 9], [0.3, 0.1, 0.3, 0.1, 0.2])"
    (document,) = run("prior", spec, "--json", "--points", "5").documents
    prior = cx.parse_prior(spec)
    assert document["kind"] == "discrete"
    assert cx.make_prior(document["spec"]) == prior
    assert document["support"] == [1.0, 9.0]
    assert document["mean"] == pytest.approx(3.7)
    assert document["ironed_values"] == [block._asdict() for block in prior.ironed_values]
    assert document["ironed_costs"] == [block._asdict() for block in prior.ironed_costs]
    assert [row["probability"] for row in document["quantiles"]] == [0, 0.25, 0.5, 0.75, 1]
    for row in document["quantiles"]:
        value = row["value"]
        assert value == prior.quantile(row["probability"])
        assert row["virtual_value"] == prior.virtual_value(value, ironed=False)
        assert row["virtual_value_ironed"] == prior.virtual_value(value)
        assert row["virtual_cost"] == prior.virtual_cost(value, ironed=False)
        assert row["virtual_cost_ironed"] == prior.virtual_cost(value)


def test_what_is_infinite_is_null_in_json(run: Runner) -> None:
    (document,) = run("prior", "normal(0, 1)", "--json", "--points", "3").documents
    assert document["support"] == [None, None]
    first, middle, last = document["quantiles"]
    assert first["value"] is None and last["virtual_cost_ironed"] is None
    assert middle["virtual_value"] == pytest.approx(-((3.141592653589793 / 2) ** 0.5))


def test_a_prior_without_virtual_values_says_why(run: Runner) -> None:
    done = run("prior", "pareto(0.5)", "--json")
    (document,) = done.documents
    assert document["mean"] is None
    assert all(row["virtual_value_ironed"] is None for row in document["quantiles"])
    assert any("infinite" in note for note in document["notes"])
    assert "note: " in run("prior", "pareto(0.5)").out


def test_a_prior_for_people(run: Runner, tmp_path: Path) -> None:
    picture = tmp_path / "prior.png"
    done = run("prior", "beta(0.5, 0.5)", "--plot", picture)
    assert (done.status, done.err) == (0, "")
    for word in ("beta(0.5, 0.5)", "support", "virtual value", "virtual cost", "ironed", "level"):
        assert word in done.out
    assert picture.read_bytes().startswith(b"\x89PNG")
