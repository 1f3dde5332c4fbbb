"""The command line as a program: streams, signals, and how little `--help` loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "COLUMNS": "100"}
PROGRAM = [sys.executable, "-m", "catallax.cli"]


def call(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )


def test_a_market_goes_in_and_prices_come_out(small: Path) -> None:
    done = call("clear", "-", "--json", text=small.read_text())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('{"market": "small", "mechanism": "gsom"')
    assert done.stdout.count("\n") == 1


def test_an_error_is_one_line_and_status_two(tmp_path: Path) -> None:
    done = call("clear", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    arguments = ["clear", "instance:sparse-random?n_buyers=20000&n_sellers=20000", "--json"]
    with subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(10) == b'{"market":'
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_an_interrupt_is_quiet() -> None:
    # The program waits for its standard input, says so by importing, and is then interrupted.
    code = (
        "import sys, io, os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Waiting(io.StringIO):\n"
        "    def read(self, *_):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        raise AssertionError('the signal came too late')\n"
        "sys.stdin = Waiting()\n"
        "from catallax.cli import main\n"
        "sys.exit(main(['clear', '-']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert signal.SIGINT == 2


@pytest.mark.parametrize("arguments", [["--help"], ["clear", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom catallax.cli import main\n"
        f"status = main({arguments!r})\n"
        "heavy = {'numpy', 'polars', 'scipy', 'numba', 'pydantic', 'matplotlib', 'narwhals'}\n"
        "print(sorted(heavy & set(sys.modules)), status, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.stderr == "[] 0\n"
    assert "catallax" in done.stdout


def test_clearing_does_not_load_matplotlib(small: Path) -> None:
    code = (
        "import sys\nfrom catallax.cli import main\n"
        f"main(['clear', {str(small)!r}, '--quiet'])\n"
        "print('matplotlib' in sys.modules, 'polars' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert done.stdout == "False True\n"
