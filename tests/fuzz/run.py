"""Run one broken case and judge it."""

from __future__ import annotations

import contextlib
import io
import json
import random
import resource
import shutil
import signal
import tempfile
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from catallax.cli import main
from tests.fuzz.kinds import KINDS, Files

__all__ = ["Case", "Verdict", "make_case", "run_case"]

SECONDS = 60
MEMORY = 6 * 2**30


@dataclass(frozen=True)
class Case:
    """One broken set of files and the command that reads it; a function of its three names."""

    kind: str
    seed: int
    number: int
    files: Files
    arguments: list[str]


@dataclass(frozen=True)
class Verdict:
    """What came of a case: "taken", "refused", or what is wrong."""

    word: str
    story: str = ""


def make_case(kind: str, seed: int, number: int) -> Case:
    """Make a case again from its kind, seed and number."""
    rng = random.Random(zlib.crc32(f"{kind} {seed} {number}".encode()))
    recipe = KINDS[kind]
    files = dict(recipe.files(rng))
    for name in rng.sample(sorted(files), min(len(files), rng.choice((1, 1, 1, 2)))):
        files[name] = recipe.broken(name, files[name], rng)
    if len(files) > 1 and rng.random() < 0.03:
        del files[rng.choice(sorted(files))]
    return Case(kind, seed, number, files, recipe.command(rng))


def run_case(case: Case) -> Verdict:
    """Write the files of a case into a folder of its own, run its command there, and judge."""
    folder = Path(tempfile.mkdtemp(prefix="catallax-fuzz-"))
    try:
        for name, content in case.files.items():
            (folder / name).write_bytes(content)
        with contextlib.chdir(folder):
            return _judged(case, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judged(case: Case, folder: Path) -> Verdict:
    arguments = [_given(word, folder) for word in case.arguments]
    before = sorted(path.name for path in folder.iterdir())
    out, err = io.StringIO(), io.StringIO()
    try:
        with _bounded(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(arguments)
    except BaseException:
        return Verdict("traceback", traceback.format_exc(limit=-6))
    said, complained = out.getvalue(), err.getvalue()
    after = sorted(path.name for path in folder.iterdir())
    if status not in (0, 2):
        return Verdict("status", f"{status}: {complained}")
    if status == 2:
        lines = complained.splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        if said or len(errors) != 1 or lines[-1] != errors[0] or not errors[0][8:].strip():
            return Verdict("manners", f"printed {said[:200]!r}, complained {complained[:600]!r}")
        if after != before:
            return Verdict("half-written", f"{before} became {after} after {complained}")
        return Verdict("refused", errors[0])
    if set(after) - set(before) - {"results"} or ("results" in after) != ("--out" in arguments):
        return Verdict("half-written", f"{before} became {after}")
    try:
        documents = [json.loads(line, parse_constant=_no_constant) for line in said.splitlines()]
        KINDS[case.kind].judge(folder, documents, arguments)
    except Exception:
        return Verdict("wrong", f"{said[:800]}\n{traceback.format_exc(limit=-4)}")
    return Verdict("taken")


def _given(word: str, folder: Path) -> str:
    """Return an argument; @FILE stands for what the file holds."""
    if not word.startswith("@"):
        return word
    return (folder / word[1:]).read_bytes().decode("utf-8", "surrogateescape") or "nothing"


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Stop what takes too long or too much memory, and start no processes for a plan of work."""

    def too_long(number: int, frame: object) -> None:
        raise TimeoutError(f"still running after {SECONDS} s")

    usual = signal.signal(signal.SIGALRM, too_long)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, limits[1]))
    signal.alarm(SECONDS)
    try:
        with mock.patch("sys.stdin", io.StringIO()):
            yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, usual)
