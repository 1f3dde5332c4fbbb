"""A study that is killed, again and again, ends with the same bytes and repeats nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from catallax.estimate.study import Study, cells_of, load_results, run_study
from tests.estimate.study import fake
from tests.estimate.study.conftest import Log
from tests.estimate.study.test_runner import whole

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


def finished(study: Study, folder: Path) -> set[str]:
    results = load_results(study, folder)
    return {
        cell.key
        for cell, record in zip(results.cells, results.records, strict=True)
        if record is not None
    }


class Killer:
    """Runs the study and kills the run, as often as it is told; see `killed`."""

    def __init__(self, study: Study, folder: Path, log: Log) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.estimate.study.killed", str(study.path), str(folder)],
            cwd=ROOT, env={**ENVIRONMENT, fake.LOG: str(log.path)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, cells: int, lines: int) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        print(cells, lines, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


def test_ten_kills_at_random_moments_change_no_byte(study: Study, tmp_path: Path, log: Log) -> None:
    folder = tmp_path / "killed"
    chance = random.Random(20260401)
    computed: Counter[str] = Counter()
    killer = Killer(study, folder, log)
    moments = [(chance.randrange(3), chance.randrange(1, 60)) for _ in range(10)]
    # And one in the middle of writing a file, which chance would hardly hit.
    for cells, lines in [*moments[:5], (1, 0), *moments[5:]]:
        before = finished(study, folder)
        assert killer.run(cells, lines) == signal.SIGKILL
        # What was finished is still there, and was not computed again.
        assert before <= finished(study, folder)
        now = log.computed
        assert not before & set(now - computed)
        computed = now
        assert bool(list(folder.rglob(".unfinished*"))) >= (lines == 0)
        assert not (folder / "results.parquet").exists()
    killer.stop()
    at_the_end = finished(study, folder)
    run_study(study, folder, workers=1, compute=fake.record_of)
    assert not at_the_end & set(log.computed - computed)
    assert set(log.computed) == {cell.key for cell in cells_of(study)}
    # A cell is computed once, and once more for each time that it was in hand at a kill.
    assert sum(log.computed.values()) <= fake.CELLS + 11
    run_study(study, tmp_path / "undisturbed", workers=1, compute=fake.record_of)
    assert whole(folder) == whole(tmp_path / "undisturbed")


RUN = """
import sys
from catallax.estimate.study import read_study, run_study
from tests.estimate.study.fake import waits_once
if __name__ == "__main__":
    run_study(read_study(sys.argv[1]), sys.argv[2], workers=2, compute=waits_once)
"""


def test_a_killed_run_takes_its_processes_along(study: Study, tmp_path: Path, log: Log) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    folder, mark = tmp_path / "killed", tmp_path / "waiting"
    with subprocess.Popen(
        [sys.executable, str(script), str(study.path), str(folder)],
        env={**ENVIRONMENT, fake.LOG: str(log.path)},
    ) as process:
        # One process waits in the middle of a cell, the other one has done all the rest.
        while len(log.computed) < fake.CELLS - 1 or not mark.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    for pid in {int(mark.read_text()), *log.processes}:
        while runs(pid):
            pass
    assert load_results(study, folder).finished >= fake.CELLS - 2
    run_study(study, folder, workers=1, compute=fake.record_of)
    run_study(study, tmp_path / "undisturbed", workers=1, compute=fake.record_of)
    assert whole(folder) == whole(tmp_path / "undisturbed")


def runs(pid: int) -> bool:
    """Whether a process is there, and not only its name in the system's list."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
