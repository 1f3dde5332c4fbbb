"""A study file in a folder, and the log of what was computed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from catallax.estimate.study import Study, read_study
from tests.estimate.study.fake import LOG, STUDY


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return read_study(path)


class Log:
    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def computed(self) -> Counter[str]:
        """How often each cell was computed."""
        return Counter(line.split()[0] for line in self._lines())

    @property
    def processes(self) -> set[int]:
        return {int(line.split()[1]) for line in self._lines()}

    def _lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    path = tmp_path / "log"
    monkeypatch.setenv(LOG, str(path))
    return Log(path)
