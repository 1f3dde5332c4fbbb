"""Running: every cell once, the same bytes however it is done, and nothing lost on the way."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catallax.errors import CatallaxError, OutputError
from catallax.estimate.study import Study, StudyError, load_results, read_study, run_study
from catallax.estimate.study.cells import cells_of
from tests.estimate.study import fake
from tests.estimate.study.conftest import Log


def whole(folder: Path) -> dict[str, bytes]:
    """Every file of a result folder with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def expected(study: Study, tmp_path: Path) -> dict[str, bytes]:
    run_study(study, tmp_path / "undisturbed", workers=1, compute=fake.record_of)
    return whole(tmp_path / "undisturbed")


def test_every_cell_is_computed_once_and_kept(study: Study, log: Log) -> None:
    done = run_study(study, workers=1, compute=fake.record_of)
    assert (done.computed, done.reused, done.results.finished) == (fake.CELLS, 0, fake.CELLS)
    assert done.table == study.path.with_name("small.results") / "results.parquet"
    assert log.computed == dict.fromkeys((cell.key for cell in cells_of(study)), 1)
    assert load_results(study).records == tuple(map(fake.record_of, cells_of(study)))


def test_what_is_there_is_not_computed_again(study: Study, log: Log) -> None:
    run_study(study, workers=1, compute=fake.record_of)
    before = whole(study.path.with_name("small.results"))
    again = run_study(study, workers=1, compute=fake.record_of)
    assert (again.computed, again.reused) == (0, fake.CELLS)
    assert sum(log.computed.values()) == fake.CELLS
    assert whole(study.path.with_name("small.results")) == before


def test_two_processes_give_the_same_bytes_though_one_of_them_dies(
    study: Study, tmp_path: Path, expected: dict[str, bytes], log: Log
) -> None:
    run_study(study, tmp_path / "two", workers=2, compute=fake.dies_once)
    assert (tmp_path / "died").exists()
    assert whole(tmp_path / "two") == expected
    assert set(log.computed.values()) == {1}
    # The one that lived, and the one that came for the dead one.
    assert os.getpid() not in log.processes


def test_cells_that_fail_stop_no_other_and_are_tried_again(
    study: Study, tmp_path: Path, expected: dict[str, bytes], log: Log
) -> None:
    folder = tmp_path / "failing"
    with pytest.raises(StudyError) as failure:
        run_study(study, folder, workers=1, compute=fake.fails_for_gbom)
    message = str(failure.value)
    assert message.startswith("12 of 36 cells failed, the others are finished and kept; the first:")
    assert "double-auction (n = 2), gbom, seed 1: ZeroDivisionError: made up" in message
    assert load_results(study, folder).finished == fake.CELLS - 12
    run_study(study, folder, workers=1, compute=fake.record_of)
    assert whole(folder) == expected
    assert set(log.computed.values()) == {1}


def test_a_cell_that_kills_its_processes_stops_no_other(
    study: Study, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catallax.estimate.study.workers._MOST_DEATHS", 2)
    with pytest.raises(StudyError, match=r"^13 of 36 cells failed.*its process died 2 times"):
        run_study(study, workers=2, compute=fake.dies_for_the_first)
    assert load_results(study).finished == fake.CELLS - 13
    assert set(log.computed.values()) == {1}


def test_a_changed_study_reuses_the_cells_that_are_the_same(study: Study, log: Log) -> None:
    run_study(study, workers=1, compute=fake.record_of)
    text = study.text.replace("n = [2, 3]", "n = [3, 5]").replace('"gbom", ', "")
    study.path.write_text(text.replace('"small"', '"another name"'), encoding="utf-8")
    changed = run_study(read_study(study.path), workers=1, compute=fake.record_of)
    # Of 24 cells those of n = 5 are new: two mechanisms and three seeds.
    assert (changed.computed, changed.reused) == (6, 18)
    assert changed.results.frame["parameters"].unique(maintain_order=True).to_list() == [
        '{"n": 3}',
        '{"n": 5}',
        '{"n_buyers": 4, "n_sellers": 4, "degree": 2.0}',
        '{"n_buyers": 6, "n_sellers": 3, "degree": 2.0}',
    ]
    assert set(log.computed.values()) == {1}


def test_results_of_other_code_are_not_mixed_in(
    study: Study, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_study(study, workers=1, compute=fake.record_of)
    for module in ("cells", "fingerprint", "results"):
        monkeypatch.setattr(f"catallax.estimate.study.{module}.code_fingerprint", lambda: "other")
    assert load_results(study).finished == 0
    assert run_study(study, workers=1, compute=fake.record_of).reused == 0
    monkeypatch.undo()
    assert load_results(study).finished == fake.CELLS


def test_a_worker_with_other_code_is_refused(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catallax.estimate.study.cells.code_fingerprint", lambda: "other")
    with pytest.raises(CatallaxError, match="a worker has other code or libraries"):
        run_study(study, workers=1, compute=fake.record_of)
    assert load_results(study).finished == 0


def test_a_damaged_file_counts_as_not_finished(
    study: Study, log: Log, expected: dict[str, bytes]
) -> None:
    folder = study.path.with_name("small.results")
    run_study(study, workers=1, compute=fake.record_of)
    first, second, third = sorted((folder / "cells").iterdir())[:3]
    first.write_bytes(first.read_bytes()[:-7])
    second.write_bytes(b"")
    content = bytearray(third.read_bytes())
    content[len(content) // 2] ^= 1
    third.write_bytes(content)
    assert load_results(study).finished == fake.CELLS - 3
    assert run_study(study, workers=1, compute=fake.record_of).computed == 3
    assert whole(folder) == expected


class FullDisk:
    """A disk that has room for so many files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        write = Path.write_bytes

        def write_bytes(path: Path, content: bytes) -> int:
            self.room -= 1
            if self.room < 0:
                # As a disk does: a part is written, and then there is no more.
                write(path, content[: len(content) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(path, content)

        monkeypatch.setattr(Path, "write_bytes", write_bytes)


@pytest.mark.parametrize("room", [0, 5, fake.CELLS])
def test_a_full_disk_loses_nothing_that_is_finished(
    study: Study, log: Log, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    folder = study.path.with_name("small.results")
    FullDisk(monkeypatch, room)
    with pytest.raises(OutputError, match=r"no space left on device; what is finished is kept"):
        run_study(study, workers=1, compute=fake.record_of)
    assert load_results(study).finished == room
    assert not list(folder.rglob(".unfinished*"))
    monkeypatch.undo()
    monkeypatch.setenv(fake.LOG, str(log.path))
    run_study(study, workers=1, compute=fake.record_of)
    assert whole(folder) == expected
    # The cell that there was no room for is computed twice, and no other.
    assert sum(log.computed.values()) == 2 * fake.CELLS + (room < fake.CELLS)


def test_a_folder_that_cannot_be_made_is_told(study: Study, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match=r"taken: .*name another folder"):
        run_study(study, tmp_path / "taken", workers=1, compute=fake.record_of)


@pytest.mark.parametrize("others", [b"somebody's", None])
def test_a_table_of_somebody_else_is_not_written_over(
    study: Study, tmp_path: Path, others: bytes | None
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    table = folder / "results.parquet"
    if others is None:
        pl.DataFrame({"x": [1, 2]}).write_parquet(table)
    else:
        table.write_bytes(others)
    (folder / ".lock").write_text("theirs as well")
    before = whole(folder)
    with pytest.raises(OutputError, match=r"no table of a study.*name another folder"):
        run_study(study, folder, workers=1, compute=fake.record_of)
    assert whole(folder) == before
    table.unlink()
    run_study(study, folder, workers=1, compute=fake.record_of)
    assert (folder / ".lock").read_text() == "theirs as well"
    # One of our own is written again, by whatever study, and though its cells were cleared away.
    for cell in (folder / "cells").iterdir():
        cell.unlink()
    assert run_study(study, folder, workers=1, compute=fake.record_of).computed == fake.CELLS


def test_two_runs_do_not_work_in_one_folder(study: Study) -> None:
    pytest.importorskip("fcntl", reason="there are no such locks here")

    def second(cell: Any) -> Any:
        with pytest.raises(OutputError, match="another run works in this folder"):
            run_study(study, workers=1, compute=fake.record_of)
        return fake.record_of(cell)

    assert run_study(study, workers=1, compute=second).computed == fake.CELLS


def test_progress_counts_and_tells_the_time_left(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, str]] = []
    ticks = iter(range(10_000))
    # Every cell takes one second of this clock.
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    run_study(study, workers=1, compute=fake.record_of, progress=lambda *at: seen.append(at))
    assert [part for part, _ in seen] == [done / fake.CELLS for done in range(fake.CELLS + 1)]
    words = re.compile(r"(\d+) of (\d+) cells(?:, (\d+) s left)?")
    read = [found.groups() for _, said in seen if (found := words.fullmatch(said))]
    assert [(int(done), int(total)) for done, total, _ in read] == [
        (done, fake.CELLS) for done in range(fake.CELLS + 1)
    ]
    assert read[0][2] is None
    assert read[-1][2] == "0"
    left = [int(seconds) for _, _, seconds in read[1:-1]]
    assert all(seconds > 0 for seconds in left)
    # Half way the estimate is right within a half: markets differ in size, and the clock does not.
    assert 9 < left[fake.CELLS // 2 - 1] < 27


@pytest.mark.parametrize("arguments", [{"workers": 0}, {"workers": 2, "cluster": "tcp://a:1"}])
def test_senseless_arguments_are_refused(study: Study, arguments: dict[str, Any]) -> None:
    with pytest.raises(CatallaxError, match="worker"):
        run_study(study, **arguments)
