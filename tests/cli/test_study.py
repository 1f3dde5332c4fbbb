"""`catallax study`: run, resume, status, report, and what they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catallax.estimate.study import cluster as cluster_module
from catallax.estimate.study import runner
from catallax.progress import duration
from tests.cli.conftest import Runner
from tests.cli.test_processes import ENVIRONMENT, PROGRAM

STUDY = """
[study]
name = "tiny"
samples = 50
seeds = [1]
mechanisms = ["gsom", "mcafee"]

[[priors]]
name = "flat"
buyers = "uniform(0, 1)"
sellers = "uniform(0, 1)"

[[markets]]
graph = "sparse-random"
sizes = [3, 4]
degree = 2

[[markets]]
instance = "double-auction"
parameters = { n = 2 }
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def test_a_study_is_run_and_resumed_and_reported(run: Runner, study: Path) -> None:
    done = run("study", "run", study, "--workers", "1")
    assert (done.status, done.err) == (0, "")
    assert "tiny  6 cells" in done.out
    assert "skipped in 2 cells: mcafee on sparse-random: mcafee needs every buyer" in done.out
    assert "6 cells computed, 0 reused" in done.out
    assert f"catallax study report {study}" in done.out
    table = pl.read_parquet(study.with_name("tiny.results") / "results.parquet")
    assert table["status"].to_list() == ["done", "skipped", "done", "skipped", "done", "done"]
    (document,) = run("study", "run", study, "--json").documents
    assert (document["computed"], document["reused"], document["finished"]) == (0, 6, 6)
    assert document["table"] == str(study.with_name("tiny.results") / "results.parquet")
    assert [entry["cells"] for entry in document["skipped"]] == [1, 1]
    pytest.importorskip("jinja2", reason="Jinja2 is not installed")
    done = run("study", "report", study)
    assert (done.status, done.err, done.out.strip()) == (0, "", str(study.with_name("tiny.html")))
    assert "<h1>tiny</h1>" in study.with_name("tiny.html").read_text(encoding="utf-8")


def test_status_counts_what_is_there(run: Runner, study: Path) -> None:
    assert "missing   6" in run("study", "status", study).out
    run("study", "run", study, "--workers", "1", "-q")
    (document,) = run("study", "status", study, "--json").documents
    assert (document["study"], document["cells"], document["finished"]) == ("tiny", 6, 6)
    assert "finished  6, 2 of them skipped" in run("study", "status", study).out


def test_results_go_where_they_are_sent(run: Runner, study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    done = run("study", "run", study, "--workers", "1", "--out", folder)
    assert f"--results {folder}" in done.out
    assert not study.with_name("tiny.results").exists()
    assert "missing   0" in run("study", "status", study, "--results", folder).out
    pytest.importorskip("jinja2", reason="Jinja2 is not installed")
    page = tmp_path / "pages" / "page.html"
    assert run("study", "report", study, "--results", folder, "--out", page, "-q").out == ""
    assert page.is_file()


def test_quiet_says_nothing(run: Runner, study: Path) -> None:
    assert run("study", "run", study, "--workers", "1", "--quiet") == (0, "", "")


def test_who_watches_sees_how_far_it_is(
    run: Runner, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = run("study", "run", study, "--workers", "1")
    assert "tiny" in done.err and "6 of 6 cells" in done.err and " left" in done.err
    named = study.read_text(encoding="utf-8").replace(
        '"tiny"', '"[red]\\u001b[31m\\n' + 99 * "x" + '"'
    )
    odd = study.with_name("odd.toml")
    odd.write_text(named, encoding="utf-8")
    shown = run("study", "run", odd, "--workers", "1").err
    assert "6 of 6 cells" in shown and "[red]\\x1b[31m" in shown and "\x1b[31mx" not in shown
    pytest.importorskip("jinja2", reason="Jinja2 is not installed")
    assert "drawing" in run("study", "report", study).err
    # Nobody watches who asks for quiet.
    assert run("study", "report", study, "-q").err == ""


def test_a_report_of_a_part_warns(run: Runner, study: Path) -> None:
    pytest.importorskip("jinja2", reason="Jinja2 is not installed")
    run("study", "run", study, "--workers", "1", "-q")
    study.write_text(STUDY.replace("seeds = [1]", "seeds = [1, 2]"), encoding="utf-8")
    done = run("study", "report", study, "-q")
    assert done.status == 0
    assert done.err.startswith("warning: 6 of 12 cells are not finished, and the report says so")


def test_an_interrupt_keeps_what_is_finished(
    run: Runner, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = runner.compute_cell
    computed = []

    def interrupted(cell: Any) -> Any:
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(cell)
        return compute(cell)

    monkeypatch.setitem(runner.run_study.__kwdefaults__, "compute", interrupted)
    done = run("study", "run", study, "--workers", "1")
    assert (done.status, done.out) == (130, "")
    assert done.err.startswith("warning: stopped; what is finished is kept")
    monkeypatch.undo()
    (document,) = run("study", "run", study, "--workers", "1", "--json").documents
    assert (document["computed"], document["reused"]) == (4, 2)


def test_what_a_report_lacks_is_said_where_it_is_suggested(
    run: Runner, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("jinja2", "matplotlib"):
        monkeypatch.setitem(sys.modules, package, None)
    done = run("study", "run", study, "--workers", "1")
    line = (
        f"  a report needs Jinja2 and matplotlib, which are not installed: {sys.executable} -m pip"
    )
    assert f"{line} install jinja2 matplotlib\n  catallax study report {study}" in done.out
    assert refused(run, "report", study) == f"error: {line.strip()} install jinja2 matplotlib"


def refused(run: Runner, *arguments: str | Path) -> str:
    done = run("study", *arguments)
    assert (done.status, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("command", ["run", "status", "report"])
def test_what_is_no_study_is_refused(run: Runner, study: Path, command: str) -> None:
    assert "no such file" in refused(run, command, study.with_name("nowhere.toml"))
    study.write_text(STUDY.replace("samples", "samplse"), encoding="utf-8")
    line = refused(run, command, study)
    assert "unknown key 'samplse' in 'study': did you mean 'samples'?" in line
    assert os.listdir(study.parent) == ["tiny.toml"]  # noqa: PTH208


def test_other_mistakes_are_refused(run: Runner, study: Path) -> None:
    assert "workers = 0" in refused(run, "run", study, "--workers", "0")
    both = ("--workers", "2", "--cluster", "tcp://127.0.0.1:1")
    assert "leave out --workers" in refused(run, "run", study, *both)
    assert "catallax study run" in refused(run, "report", study)
    assert "file needs a value" in refused(run, "run").lower()
    (study.parent / "taken").write_text("")
    assert "taken: " in refused(run, "run", study, "--out", study.parent / "taken")


def test_a_cluster_that_does_not_answer_is_refused(
    run: Runner, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    monkeypatch.setattr(cluster_module, "_PATIENCE", 0.3)
    line = refused(run, "run", study, "--cluster", "tcp://127.0.0.1:1")
    assert "no scheduler answers at tcp://127.0.0.1:1 (nothing within 0.3 seconds)" in line


def test_a_full_disk_is_told(run: Runner, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_bytes(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    line = refused(run, "run", study, "--workers", "1")
    assert "no space left on device; what is finished is kept: make room" in line


def test_help_says_what_there_is(run: Runner) -> None:
    assert "study" in run("--help").out
    shown = run("study", "--help").out
    assert all(word in shown for word in ("run", "report", "status"))
    assert "--cluster" in run("study", "run", "--help").out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom catallax.cli import main\nstatus = main(['study', 'run', '--help'])\n"
        "heavy = {'numpy', 'polars', 'scipy', 'numba', 'pydantic', 'matplotlib', 'distributed'}\n"
        "print(sorted(heavy & set(sys.modules)), status, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.stderr == "[] 0\n"


def test_the_program_runs_a_study_in_two_processes(study: Path) -> None:
    command = [*PROGRAM, "study", "run", str(study), "--workers", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["computed"] == 6


def test_times_are_written_as_they_are_said() -> None:
    assert [duration(seconds) for seconds in (0.2, 59.4, 59.6, 3599.6, 7_260)] == [
        "0 s", "59 s", "1 min 0 s", "1 h 0 min", "2 h 1 min",
    ]  # fmt: skip
