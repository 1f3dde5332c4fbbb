"""Records on disk come back bit for bit, and what is not a record does not come back at all."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.errors import CatallaxError
from catallax.estimate.study import FIELDS, Study, run_study
from catallax.estimate.study.cells import Record
from catallax.estimate.study.storage import ResultFolder
from tests.estimate.study import fake

KEY = "0123456789abcdef" * 4

VALUES = {
    str: st.text(max_size=20),
    int: st.integers(0, 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}
RECORDS = st.fixed_dictionaries(
    {name: st.none() | VALUES[kind] for name, kind in FIELDS.items()}
)  # fmt: skip


@settings(max_examples=50)
@given(record=RECORDS)
def test_a_record_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, record: Record
) -> None:
    folder = ResultFolder(tmp_path_factory.mktemp("results"))
    with folder.working():
        folder.save(KEY, record)
    (back,) = folder.records({KEY}).values()
    # As text a zero with a sign and a whole number among fractions differ too.
    assert json.dumps(back) == json.dumps({name: record[name] for name in FIELDS})


def test_what_lies_about_is_no_record(tmp_path: Path) -> None:
    folder = ResultFolder(tmp_path)
    with folder.working():
        for name in (f"{KEY}.parquet", f"{KEY}-.parquet", f"{KEY}-0123.parquet", "x.txt"):
            (tmp_path / "cells" / name).write_bytes(b"PAR1")
        assert folder.records({KEY}) == {}


def test_a_record_with_other_fields_is_refused(tmp_path: Path) -> None:
    folder = ResultFolder(tmp_path)
    with folder.working(), pytest.raises(CatallaxError, match="is no record of a cell"):
        folder.save(KEY, {"status": "done"})


def test_the_table_holds_everything_and_says_where_it_comes_from(study: Study) -> None:
    done = run_study(study, workers=1, compute=fake.record_of)
    table = pl.read_parquet(done.table)
    assert table.equals(done.results.frame)
    assert table.height == fake.CELLS
    assert table.columns == [
        "market", "parameters", "priors", "mechanism", "seed", *FIELDS, "cell",
    ]  # fmt: skip
    assert table["cell"].n_unique() == fake.CELLS
    assert not any(
        table[name].is_nan().any() for name in table.columns if table[name].dtype == pl.Float64
    )
    said = pl.read_parquet_metadata(done.table)
    assert said["catallax.study"] == study.text
    assert len(said["catallax.code"]) == 64
    assert '"numpy"' in said["catallax.versions"]
