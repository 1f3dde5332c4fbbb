"""The folder of a study's results: a small Parquet file for each finished cell.

A file appears whole or not at all, under the cell's hash, so that a run that is killed at any
moment leaves nothing but finished cells; and its name ends with a hash of its bytes, so that one
that a failing disk has damaged counts as not finished.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from catallax.errors import CatallaxError, OutputError
from catallax.estimate.study.cells import FIELDS, Record

__all__ = ["METADATA", "ResultFolder"]

METADATA = "catallax.study"
"""The key of the metadata under which a table of ours holds its study."""

_TEMPORARY = ".unfinished-"
_OURS = re.compile("[0-9a-f]{64}")
_CELL_SCHEMA = {"field": pl.String, "number": pl.Float64, "text": pl.String}


class ResultFolder:
    """The results of studies, cell by cell; one folder may hold those of several.

    Parameters
    ----------
    path
        The folder; it is made when something is written.

    Examples
    --------
    >>> import tempfile
    >>> folder = ResultFolder(Path(tempfile.mkdtemp()) / "results")
    >>> folder.files()
    {}
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._cells = self.path / "cells"

    @property
    def merged(self) -> Path:
        """The table of all cells of the study that ran last."""
        return self.path / "results.parquet"

    def files(self) -> dict[str, Path]:
        """Return the files of the cells that are there, by the cells' hashes."""
        if not self._cells.is_dir():
            return {}
        files = sorted(self._cells.glob("*.parquet"))
        return {file.stem.partition("-")[0]: file for file in files}

    def load(self, path: Path) -> Record | None:
        """Read one of `files`; None if it is gone, or not what was written."""
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if path.stem.partition("-")[2] != _checksum(content):
            return None
        return _record(pl.read_parquet(BytesIO(content)))

    def records(self, keys: set[str]) -> dict[str, Record]:
        """Return the records of those of some cells that are there and undamaged."""
        loaded = {key: self.load(path) for key, path in self.files().items() if key in keys}
        return {key: record for key, record in loaded.items() if record is not None}

    def save(self, key: str, record: Record) -> None:
        """Keep the record of a finished cell.

        Raises
        ------
        OutputError
            If it cannot be written, for want of room or of rights.
        """
        content = _parquet(_table(record), {"cell": key})
        self._write(self._cells / f"{key}-{_checksum(content)}.parquet", content)

    def write_merged(self, table: pl.DataFrame, metadata: Mapping[str, str]) -> Path:
        """Write the table of all finished cells of a study.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self._write(self.merged, _parquet(table, metadata))
        return self.merged

    def _write(self, path: Path, content: bytes) -> None:
        temporary = path.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError as failure:
            _remove(temporary)
            raise OutputError(
                f"{path.parent}: {_reason(failure)}; what is finished is kept: make room, or mend "
                "the folder, and run the study again"
            ) from failure
        except BaseException:
            _remove(temporary)
            raise

    def _refuse_others(self) -> None:
        """Refuse a folder whose table we did not write: it would be written over."""
        if not self.merged.exists() or any(_OURS.fullmatch(key) for key in self.files()):
            return
        try:
            ours = METADATA in pl.read_parquet_metadata(self.merged)
        except (OSError, pl.exceptions.PolarsError):
            ours = False
        if not ours:
            raise OutputError(
                f"{self.merged}: this is no table of a study, and would be written over; name "
                "another folder for the results, or move it away"
            )

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work in the folder alone, and clear away what an earlier run left half-written.

        Raises
        ------
        OutputError
            If it cannot be made, another run works in it, or it holds a table of somebody else's.
        """
        self._refuse_others()
        try:
            self._cells.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("a")
        except OSError as failure:
            raise OutputError(
                f"{self.path}: {_reason(failure)}; name another folder for the results"
            ) from failure
        with lock:
            if not _locked(lock):
                raise OutputError(
                    f"{self.path}: another run works in this folder; wait for it, or name another"
                )
            for folder in (self.path, self._cells):
                for left in folder.glob(f"{_TEMPORARY}*"):
                    _remove(left)
            yield


def _reason(failure: OSError) -> str:
    return (failure.strerror or str(failure)).lower()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # The next run tries again.
        return


def _locked(file: Any) -> bool:
    """Lock a file until it is closed or the process ends, in whatever way."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs would only do the same work twice
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _parquet(table: pl.DataFrame, metadata: Mapping[str, str]) -> bytes:
    # Written to memory first: what then fails to reach the disk is an error of the system's.
    buffer = BytesIO()
    table.write_parquet(buffer, metadata=dict(metadata))
    return buffer.getvalue()


def _table(record: Record) -> pl.DataFrame:
    """Write a record as a table of three columns: a small file, whatever the fields are."""
    if set(record) != set(FIELDS):
        raise CatallaxError(f"a record with the fields {sorted(record)} is no record of a cell")
    given = [record[name] for name in FIELDS]
    columns = {
        "field": list(FIELDS),
        "number": [None if value is None or isinstance(value, str) else float(value)
                   for value in given],
        "text": [value if isinstance(value, str) else None for value in given],
    }  # fmt: skip
    return pl.DataFrame(columns, schema=_CELL_SCHEMA)


def _record(table: pl.DataFrame) -> Record | None:
    record: Record = {}
    for name, number, text in table.iter_rows():
        kind = FIELDS.get(name)
        if kind is None:
            return None
        value = text if kind is str else number
        record[name] = None if value is None else kind(value)
    return record if set(record) == set(FIELDS) else None
