"""One contract for all commands: help, options, streams, refusals, interrupts.

The commands are found by walking through the program, so a new one is held to the contract, or
fails here until `CALLS` says how it is called.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from catallax.cli.app import app, main
from tests.cli.conftest import Runner, document
from tests.cli.test_processes import ENVIRONMENT
from tests.studies import ONE_CELL

GROUP = """
name = "boat"
mechanism = "vote"
price = 0.3
rule = "majority"
[buyers]
prior = "uniform(0, 1)"
members = [{id = "a", report = 0.9}, {id = "b", report = 0.6}]
[sellers]
prior = "uniform(0, 1)"
members = [{id = "c", report = 0.3}]
"""

# How each command is called, on files that the fixture makes.
CALLS: dict[str, str] = {
    "clear": "market.json",
    "simulate": "market.json --samples 20 --workers 1",
    "audit": "market.json --mechanism first-best --budget 60",
    "prior": "uniform(0,1)",
    "instances": "",
    "mechanisms": "",
    "groups evaluate": "group.toml",
    "groups decide": "group.toml",
    "groups recommend": "group.toml",
    "groups limits": "--sizes 1,2 --means 0.51:0.49",
    "reproduce": "gsom-bic-remark",
    "study run": "study.toml --workers 1",
    "study status": "study.toml",
    "study report": "study.toml",
}
# What makes each of them write files; the others write none.
WRITES: dict[str, str] = {
    "clear": "clear market.json --out new --plot new.svg",
    "simulate": "simulate market.json --samples 20 --workers 1 --plot new.svg",
    "audit": "audit market.json --mechanism first-best --properties weak-budget-ex-post --out new",
    "prior": "prior uniform(0,1) --plot new.svg",
    "instances": "instances horse-market --write new",
    "groups recommend": "groups recommend group.toml --plot new.svg",
    "groups limits": "groups limits --sizes 1,2 --means 0.51:0.49 --plot new.svg",
    "reproduce": "reproduce gsom-bic-remark --out new",
    "study run": "study run study.toml --workers 1 --out new",
    "study report": "study report study.toml --out new.html",
}
READS_MARKETS = ["clear", "simulate", "audit"]
READS_FILES = [*READS_MARKETS, "groups evaluate", "groups decide", "groups recommend",
               "study run", "study status", "study report"]  # fmt: skip


def leaves(program: App, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Walk through all commands that have no commands of their own."""
    for name in program:
        if name.startswith("-"):
            continue
        command = program[name]
        nested = [one for one in command if not one.startswith("-")]
        if nested:
            yield from leaves(command, (*names, name))
        else:
            yield (*names, name)


COMMANDS = [" ".join(names) for names in leaves(app)]
every_command = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A folder with one file of each kind, which the command is called in."""
    tmp_path.joinpath("market.json").write_text(json.dumps(document()), encoding="utf-8")
    tmp_path.joinpath("group.toml").write_text(GROUP, encoding="utf-8")
    tmp_path.joinpath("study.toml").write_text(ONE_CELL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    if request.getfixturevalue("command") == "study report":  # needs something to report on
        assert main(["study", "run", "study.toml", "--workers", "1", "--quiet"]) == 0
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder that the work of a study does not keep on purpose."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "study.results" not in path.parts
    }


def words(command: str, *more: str) -> list[str]:
    return [*command.split(), *CALLS[command].split(), *more]


def option_names(command: str) -> list[str]:
    """All options of a command, as cyclopts knows them."""
    program = app
    for name in command.split():
        program = program[name]
    return [name for one in program.assemble_argument_collection() for name in one.names]


def refused(run: Runner, *arguments: str) -> str:
    done = run(*arguments)
    assert (done.status, done.out) == (2, ""), done
    (line,) = done.err.splitlines()
    assert line.startswith("error: ") and "Traceback" not in line
    return line


def test_the_contract_knows_every_command() -> None:
    assert sorted(COMMANDS) == sorted(CALLS)


@every_command
def test_help(run: Runner, command: str) -> None:
    done = run(*command.split(), "--help")
    assert (done.status, done.err) == (0, "")
    for word in ("Usage: catallax", "--json", "--quiet", "-q"):
        assert word in done.out, f"{command} --help does not speak of {word}"
    # The name of an option, perhaps a short one and what it takes, and then words.
    told = re.findall(r"^│ (--[\w-]+)(?: -\w)?(?: [A-Z]+\.*)? *(.*?) *│$", done.out, re.MULTILINE)
    assert len(told) > 1
    assert [name for name, words in told if not words] == []


def test_no_help_loads_anything_heavy() -> None:
    """What makes help slow is what it imports; one process asks all commands."""
    code = (
        "import sys, io\nfrom contextlib import redirect_stdout\nfrom catallax.cli import main\n"
        f"for command in {COMMANDS!r}:\n"
        "    with redirect_stdout(io.StringIO()):\n"
        "        assert main([*command.split(), '--help']) == 0\n"
        "heavy = {'numpy', 'polars', 'scipy', 'numba', 'pydantic', 'matplotlib', 'ortools', 'dask',"
        " 'narwhals', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert done.stdout == "[]\n"


@every_command
def test_json_is_all_there_is_on_standard_output(run: Runner, folder: Path, command: str) -> None:
    done = run(*words(command), "--json")
    assert (done.status, done.err) == (0, "")
    assert done.documents


@every_command
def test_people_get_words_and_quiet_is_quiet(run: Runner, folder: Path, command: str) -> None:
    loud = run(*words(command))
    assert loud.status == 0 and loud.out.strip()
    assert "\x1b" not in loud.out, "colour where no terminal is"
    for option in ("-q", "--quiet"):
        done = run(*words(command), option)
        assert (done.status, done.out, done.err) == (0, "", "")


@every_command
def test_unknown_options_and_arguments(run: Runner, folder: Path, command: str) -> None:
    before = contents(folder)
    assert "--jsn" in refused(run, *words(command), "--jsn")
    assert "--quite" in refused(run, *words(command), "--quite")
    assert contents(folder) == before


@pytest.mark.parametrize("command", READS_FILES)
def test_files_that_are_not_there_or_hold_nothing(run: Runner, folder: Path, command: str) -> None:
    good = CALLS[command].split()[0]
    suffix = Path(good).suffix
    for name, content in {
        f"empty{suffix}": b"",
        f"blank{suffix}": b"\n\n",
        f"binary{suffix}": bytes(range(256)),
        f"utf16{suffix}": Path(good).read_text().encode("utf-16"),
        f"cut{suffix}": Path(good).read_bytes()[:-7],
    }.items():
        Path(name).write_bytes(content)
    Path(f"folder{suffix}").mkdir()
    before = contents(folder)
    wrong = ("nowhere", "empty", "blank", "binary", "utf16", "cut", "folder")
    for name in [f"{name}{suffix}" for name in wrong]:
        line = refused(run, *(name if word == good else word for word in words(command)))
        assert name in line, f"the error does not name the file: {line}"
    assert contents(folder) == before


@pytest.mark.parametrize("command", READS_MARKETS)
def test_a_market_on_standard_input(
    run: Runner, folder: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["-" if word == "market.json" else word for word in words(command, "--json")]
    monkeypatch.setattr(sys, "stdin", io.StringIO(Path("market.json").read_text()))
    piped = run(*arguments)
    assert piped == run(*words(command), "--json")
    for text in ("", "[]", "{", '{"buyers": 1}'):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        assert "stdin" in refused(run, *arguments)


@pytest.mark.parametrize("command", WRITES)
def test_an_interrupt_leaves_nothing_half_written(
    run: Runner, folder: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    arguments = WRITES[command].split()
    moves = {"replace": Path.replace, "rename": Path.rename}

    def interrupted(path: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    # Every file is written beside its place and then renamed: the worst moment is between.
    for name in moves:
        monkeypatch.setattr(Path, name, interrupted)
    done = run(*arguments)
    assert (done.status, done.out) == (130, "")
    assert "Traceback" not in done.err
    if command != "study run":  # which keeps what is finished, so that it can go on
        assert contents(folder) == before
    for name, move in moves.items():
        monkeypatch.setattr(Path, name, move)
    assert run(*arguments).status == 0
    assert contents(folder) != before


def test_what_writes_is_known() -> None:
    """A command that takes a place to write to is among those that the test above interrupts."""
    writing = {
        command
        for command in COMMANDS
        if {"--out", "--plot", "--write"} & set(option_names(command))
    }
    assert writing == set(WRITES)
