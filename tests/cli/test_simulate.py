"""`catallax simulate`."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import catallax as cx
from catallax.estimate.words import written
from tests.cli.conftest import Runner, document
from tests.cli.test_processes import ENVIRONMENT
from tests.cli.test_refusals import files, refused

KEYS = {
    "gains_from_trade",
    "share_of_first_best",
    "buyers_utility",
    "sellers_utility",
    "surplus",
    "trades",
}


def test_json_is_as_designed(run: Runner, small: Path, other: Path) -> None:
    arguments = ("--mechanisms", "gsom,mcafee", "--samples", 500, "--seed", 7, "--sampled")
    documents = run("simulate", small, other, *arguments, "--json").documents
    assert [one["market"] for one in documents] == ["small", "other"]
    for path, one in zip((small, other), documents, strict=True):
        market = cx.Market.read(path)
        assert one == cx.simulate(market, ["gsom", "mcafee"], 500, 7, exact=False).to_dict()
        assert (one["samples"], one["seed"], one["skipped"]) == (500, 7, {})
        for estimates in one["estimates"].values():
            assert estimates.keys() >= KEYS
            assert all(set(estimates[key]) == {"mean", "stderr", "exact"} for key in KEYS)


def test_workers_do_not_show(run: Runner, small: Path) -> None:
    lines = {
        run("simulate", small, "--samples", 3000, "--sampled", "--json", "--workers", k).out
        for k in (1, 2)
    }
    assert len(lines) == 1


def test_what_can_be_computed_is(run: Runner) -> None:
    (one,) = run("simulate", "instance:bilateral-uniform", "--json").documents
    assert one["estimates"]["gsom"]["gains_from_trade"]["exact"] is True
    assert one["estimates"]["gsom"]["gains_from_trade"]["mean"] == pytest.approx(1 / 8)
    table = run("simulate", "instance:bilateral-uniform").out
    assert "= 0.125000" in table and "exact (quadrature)" in table and "±" not in table


def test_tables_show_intervals_and_where_they_come_from(run: Runner, other: Path) -> None:
    arguments = ("--samples", 400, "--seed", 3, "--sampled", "--draws", "antithetic")
    done = run("simulate", other, *arguments)
    assert done.err == ""
    for name in ("first-best", "gsom", "gbom", "random-offerer", "posted-price"):
        assert name in done.out
    assert "400 antithetic draws, seed 3" in done.out and "amounts in EUR" in done.out
    found = cx.simulate(cx.Market.read(other), None, 400, 3, exact=False, draws="antithetic")
    shown = written(found["gsom"].gains_from_trade)
    assert "±" in shown and shown in done.out
    assert "times smaller than with plain draws" in done.out


def test_what_does_not_apply_is_reported_and_the_rest_runs(run: Runner, small: Path) -> None:
    arguments = ("simulate", small, "--mechanisms", "sapp,gsom", "--samples", 50)
    done = run(*arguments)
    assert done.status == 0 and "sapp skipped: " in done.out and "gsom" in done.out
    (one,) = run(*arguments, "--json").documents
    assert list(one["estimates"]) == ["gsom"] and "2 buyers" in one["skipped"]["sapp"]
    quiet = run(*arguments, "--quiet")
    assert quiet.out == "" and quiet.err.startswith("warning: market 'small': sapp is left out")
    line = refused(run, "simulate", small, "--mechanisms", "sapp")
    assert "no mechanism that was named applies; sapp" in line


def test_a_precision_that_is_not_reached_is_said(run: Runner, small: Path) -> None:
    how = ("simulate", small, "--mechanisms", "gsom", "--sampled", "--samples", 600)
    done = run(*how, "--until", 0.0001)
    assert done.status == 0 and "0.0001 was not reached with 600 samples" in done.err
    assert "NOT reached" in done.out
    (one,) = run(*how, "--until", 0.9, "--json").documents
    assert one["reached"] is True


def test_an_infinite_mean_is_said(run: Runner, tmp_path: Path) -> None:
    sides = {"buyers": [{"id": "b", "prior": "x"}], "sellers": [{"id": "s", "prior": "y"}]}
    priors = {"x": {"kind": "pareto", "alpha": 0.5}, "y": {"kind": "point", "value": 1}}
    path = tmp_path / "heavy.json"
    path.write_text(json.dumps({"name": "heavy", **sides, "priors": priors}))
    done = run("simulate", path, "--mechanisms", "first-best", "--samples", 50)
    assert done.status == 0 and "its mean is infinite" in done.err


def test_pictures(run: Runner, small: Path, other: Path, tmp_path: Path) -> None:
    how = ("--mechanisms", "gsom,gbom", "--samples", 50, "--quiet")
    done = run("simulate", small, other, *how, "--plot", tmp_path / "of-{market}.svg")
    assert (done.status, done.out, done.err) == (0, "", "")
    for name in ("small", "other"):
        assert "</svg>" in (tmp_path / f"of-{name}.svg").read_text(encoding="utf-8")


def test_own_mechanisms(
    run: Runner, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_for_simulate.py").write_text(
        "from catallax.mechanisms import SellersOffering\n\nclass Own(SellersOffering):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    arguments = ("--mechanisms", "own_for_simulate:Own,gsom", "--samples", 60, "--sampled")
    (one,) = run("simulate", small, *arguments, "--json").documents
    own, gsom = one["estimates"].values()
    assert own["trades"] == gsom["trades"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("simulate", "no market is named"),
        ("simulate nowhere.json", "there is no such file"),
        ("simulate instance:bilateral-uniform --mechanisms gsmo", "did you mean 'gsom'"),
        ("simulate instance:bilateral-uniform --mechanisms gsom,,gbom", "single commas"),
        ("simulate instance:bilateral-uniform --mechanisms gsom,gsom", "named twice"),
        ("simulate instance:bilateral-uniform --seed -1", "--seed -1"),
        ("simulate instance:bilateral-uniform --samples 1 --sampled", "at least 2"),
        ("simulate instance:bilateral-uniform --until 0", "more than 0"),
        ("simulate instance:bilateral-uniform --workers 0", "at least 1"),
        ("simulate instance:bilateral-uniform --time-limit 0", "more than 0 seconds"),
        ("simulate instance:bilateral-uniform --draws random", "--draws"),
        ("simulate instance:bilateral-uniform --draws sobol --conditional", "Sobol"),
        ("simulate instance:bilateral-uniform --plot a.pdf", ".svg or .png"),
        ("simulate instance:bilateral-uniform instance:pareto --plot a.svg", "'a-{market}.svg'"),
        ("simulate - -", "only once"),
    ],
)
def test_refusals(run: Runner, tmp_path: Path, arguments: str, expected: str) -> None:
    assert expected in refused(run, *arguments.split())
    assert files(tmp_path) == []


def test_a_market_without_priors(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = document()
    del content["sellers"][0]["prior"]
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(content)))
    assert "seller 's1' has no prior" in refused(run, "simulate", "-")
    assert files(tmp_path) == []


def test_help_is_light() -> None:
    code = (
        "import sys\nfrom catallax.cli import main\nmain(['simulate', '--help'])\n"
        "print(sorted({'numpy', 'polars', 'numba', 'scipy'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.stderr == "[]\n" and "--until" in done.stdout


class Terminal(io.StringIO):
    """A stream that says it is a screen."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_the_progress_bar_is_for_those_who_watch(
    quiet: bool, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catallax.cli import main

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    flags = ["--quiet"] if quiet else []
    assert main(["simulate", str(small), "--samples", "40", "--sampled", "--json", *flags]) == 0
    assert ("simulating small" in screen.getvalue()) is not quiet
