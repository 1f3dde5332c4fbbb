"""Results as files: complete or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import catallax as cx
from catallax.errors import OutputError
from catallax.report.outcomes.files import write_outcomes
from catallax.report.text import file_stem, one_line, shortened
from tests.report.markets import outcome, pair


@pytest.mark.parametrize("tables", ["csv", "parquet"])
def test_files_hold_the_numbers_bit_for_bit(tmp_path: Path, tables: str) -> None:
    what = outcome(18, 16, 60)
    written = write_outcomes([what], tmp_path, tables)
    assert sorted(tmp_path.iterdir()) == sorted(written)
    read = pl.read_csv if tables == "csv" else pl.read_parquet
    assert read(written[0]).equals(what.trades)
    assert read(written[1]).equals(what.agents)
    assert json.loads(written[2].read_text()) == {
        "market": "street",
        "mechanism": "first-best",
        "solver": "sweep",
        "totals": what.totals,
    }


def test_a_market_of_pandas_frames_is_written_too(tmp_path: Path) -> None:
    market = cx.Market(
        pd.DataFrame({"id": ["b"], "bid": [0.9]}), pd.DataFrame({"id": ["s"], "ask": [0.2]})
    )
    written = write_outcomes([cx.clear(market, "first-best")], tmp_path)
    assert pl.read_csv(written[0]).rows() == [("b", "s", 0.2, 0.9, 0.7)]


def test_new_results_replace_old_ones(tmp_path: Path) -> None:
    for bid in (0.9, 0.8):
        written = write_outcomes([pair(bid, 0.2)], tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    assert pl.read_csv(written[0])["seller_receives"].to_list() == [0.8]


def test_equal_names_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    one, two = pair(0.9, 0.2, name="Main St"), pair(0.8, 0.2, name="main-st")
    with pytest.raises(OutputError, match="'Main St' and 'main-st'"):
        write_outcomes([one, two], tmp_path / "results")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Palm M515", "Palm-M515"),
        ("Zürich, 2024: día 1", "Zürich-2024-día-1"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\\b|c?*", "a-b-c"),
        ("", "market"),
        ("...", "market"),
        ("nul", "_nul"),
        ("COM1.x", "_COM1.x"),
        ("日本" * 60, "日本" * 16 + "日"),
    ],
)
def test_file_names_are_safe(name: str, stem: str, tmp_path: Path) -> None:
    assert file_stem(name) == stem
    assert file_stem(stem) == stem
    paths = write_outcomes([pair(0.9, 0.2, name=name)], tmp_path)
    assert all(path.parent == tmp_path and path.exists() for path in paths)


def test_names_cannot_command_a_terminal() -> None:
    assert one_line("a\x1b[31m\r\nb") == "a\\x1b[31m\\r\\nb"
    assert shortened("x" * 50, 11) == "xxxxx…xxxxx"
