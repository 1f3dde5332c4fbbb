"""Files appear complete, all together, or not at all."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from catallax.errors import OutputError
from catallax.staging import Staging


def test_an_error_halfway_takes_everything_away(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("old")

    def break_off(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="full"), Staging() as staging:
        staging.add(tmp_path / "kept.txt", lambda path: path.write_text("new"))
        staging.add(tmp_path / "deep" / "er" / "b.txt", break_off)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert (tmp_path / "kept.txt").read_text() == "old"


def test_nothing_appears_before_everything_is_written(tmp_path: Path) -> None:
    with Staging() as staging:
        staging.add(tmp_path / "a.txt", lambda path: path.write_text("a"))
        staging.add(tmp_path / "b.txt", lambda path: path.write_text("b"))
        assert not (tmp_path / "a.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_one_place_holds_one_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="twice"), Staging() as staging:
        staging.add(tmp_path / "a.txt", lambda path: path.write_text("a"))
        staging.add(tmp_path / "sub" / ".." / "a.txt", lambda path: path.write_text("b"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, OSError, MemoryError])
def test_trouble_while_files_take_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: type[BaseException]
) -> None:
    def fail(path: Path, target: Path) -> Path:
        raise trouble

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(trouble), Staging() as staging:
        staging.add(tmp_path / "new" / "a.txt", lambda path: path.write_text("a"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_an_interrupt_waits_until_the_set_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    # What runs in the background of a shell may have been told to ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Staging() as staging:
            for name in "abc":
                staging.add(tmp_path / name, lambda path: path.write_text("whole"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["whole"] * 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("moment", ["while writing", "while taking away"])
def test_one_interrupt_or_two_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Writers such as those of polars raise twice for one interrupt."""
    unlink = Path.unlink

    def interrupted(path: Path, missing_ok: bool = False) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        unlink(path, missing_ok=missing_ok)

    def write(path: Path) -> None:
        path.write_text("half")
        if moment == "while writing":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            path.write_text("whole")
        else:
            raise RuntimeError("the disk is full")

    if moment == "while taking away":
        monkeypatch.setattr(Path, "unlink", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Staging() as staging:
            staging.add(tmp_path / "a.txt", lambda path: path.write_text("new"))
            staging.add(tmp_path / "deep" / "b.txt", write)
    finally:
        signal.signal(signal.SIGINT, before)
    assert list(tmp_path.iterdir()) == []
