"""`catallax clear` with constraints: which solver, what ticks, how long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import catallax as cx
from tests.cli.conftest import Runner, document
from tests.cli.test_refusals import refused


def constrained(path: Path, *constraints: object) -> Path:
    sides = {"bids": [0.9, 0.8, 0.7], "asks": [0.1, 0.2, 0.3]}
    path.write_text(json.dumps(document("tight", **sides, constraints=constraints)))
    return path


CAP: dict[str, Any] = {"kind": "cap", "limit": 2}
CONFLICT: dict[str, Any] = {"kind": "conflicts", "over": "buyers", "pairs": [["b1", "b2"]]}


@pytest.mark.parametrize(("constraint", "solver"), [(CAP, "flow"), (CONFLICT, "program")])
def test_solver_and_tick_are_told(
    run: Runner, tmp_path: Path, constraint: dict[str, Any], solver: str
) -> None:
    path = constrained(tmp_path / "tight.json", constraint)
    (shown,) = run("clear", path, "--json").documents
    outcome = cx.clear(cx.Market.read(path), "gsom")
    assert outcome.tick is not None and outcome.tick < 1e-9
    assert (shown["solver"], shown["tick"]) == (solver, outcome.tick)
    assert shown["totals"]["trades"] == 2
    full = {"groups": [{"group": "", "used": 2, "limit": 2}]} if constraint is CAP else {}
    assert shown["constraints"] == [{"kind": constraint["kind"], **full}]
    assert f"(solved by {solver}, in ticks of {outcome.tick:.2g})" in run("clear", path).out
    run("clear", path, "--out", tmp_path / "results", "-q")
    totals = json.loads((tmp_path / "results" / "tight.gsom.totals.json").read_text())
    assert list(totals) == ["market", "mechanism", "solver", "tick", "totals", "constraints"]
    assert totals["constraints"] == shown["constraints"]
    assert totals["tick"] == outcome.tick


def test_without_constraints_there_is_no_tick(run: Runner, small: Path) -> None:
    shown = run("clear", small, "--json").documents[0]
    assert "tick" not in shown and "constraints" not in shown
    assert "tick" not in run("clear", small).out


def test_a_time_limit_that_is_reached_is_an_error(run: Runner, tmp_path: Path) -> None:
    path = constrained(tmp_path / "tight.json", CONFLICT)
    line = refused(run, "clear", path, "--time-limit", "1e-9", "--out", tmp_path / "results")
    assert "within 1e-09 seconds" in line and "--time-limit" in line
    assert not (tmp_path / "results").exists()
    assert run("clear", path, "--time-limit", "60").out == run("clear", path).out


@pytest.mark.parametrize("seconds", ["0", "-3", "nan"])
def test_a_time_limit_is_a_positive_number(run: Runner, small: Path, seconds: str) -> None:
    line = refused(run, "clear", small, f"--time-limit={seconds}")
    assert f"--time-limit {seconds}: allow more than 0 seconds" in line
    assert "--time-limit" in refused(run, "clear", small, "--time-limit", "soon")
