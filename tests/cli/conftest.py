"""A small market, and the command line run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from catallax.cli import main


class Run(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Every line of the output, read as strict JSON."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        return [json.loads(line, parse_constant=refuse) for line in self.out.splitlines()]


Runner = Callable[..., Run]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    def run(*arguments: str | Path) -> Run:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Run(status, out, err)

    return run


UNIFORM = {"kind": "uniform", "low": 0, "high": 1}


def document(
    name: str = "small",
    bids: Sequence[float] = (0.9, 0.4),
    asks: Sequence[float] = (0.2,),
    **more: Any,
) -> dict[str, Any]:
    """Describe a market of buyers b1, b2, ... and sellers s1, s2, ... with uniform priors."""
    return {
        "name": name,
        "buyers": [
            {"id": f"b{k}", "bid": bid, "prior": "u"} for k, bid in enumerate(bids, start=1)
        ],
        "sellers": [
            {"id": f"s{k}", "ask": ask, "prior": "u"} for k, ask in enumerate(asks, start=1)
        ],
        "priors": {"u": UNIFORM},
        **more,
    }


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.json"
    content = document("other", bids=[0.8, 0.7, 0.1], asks=[0.05, 0.6], currency="EUR")
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
