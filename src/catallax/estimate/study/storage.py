"""The folder of a study's results: a small Parquet file for each finished cell.

A file appears whole or not at all, under the cell's hash, so that a run that is killed at any
moment leaves nothing but finished cells; and it carries a hash of what it says, so that one that
a failing disk has damaged counts as not finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from catallax.errors import CatallaxError, OutputError
from catallax.estimate.study.cells import FIELDS, Cell, Record

__all__ = ["ResultFolder"]

_TEMPORARY = ".unfinished-"
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
    >>> folder.keys()
    set()
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._cells = self.path / "cells"

    @property
    def merged(self) -> Path:
        """The table of all cells of the study that ran last."""
        return self.path / "results.parquet"

    def keys(self) -> set[str]:
        """Return the hashes of the cells that seem to be there."""
        if not self._cells.is_dir():
            return set()
        return {file.stem for file in self._cells.glob("*.parquet") if _is_key(file.stem)}

    def load(self, key: str) -> Record | None:
        """Return the record of a cell, or None if it is not there, or damaged."""
        path = self._cells / f"{key}.parquet"
        try:
            said = pl.read_parquet_metadata(path)
            table = pl.read_parquet(path, use_pyarrow=False)
        except FileNotFoundError:
            return None
        except Exception:
            # Whatever a damaged file makes of its reader: the cell is computed again.
            return None
        if table.schema != pl.Schema(_CELL_SCHEMA):
            return None
        record = _record(table)
        if record is None or said.get("cell") != key or said.get("digest") != _digest(key, record):
            return None
        return record

    def save(self, key: str, record: Record) -> None:
        """Keep the record of a finished cell.

        Raises
        ------
        OutputError
            If it cannot be written, for want of room or of rights.
        """
        metadata = {"cell": key, "digest": _digest(key, record)}
        table = _table(record)
        self._write(
            self._cells / f"{key}.parquet", lambda path: table.write_parquet(path, metadata=metadata)
        )

    def write_merged(self, table: pl.DataFrame, metadata: dict[str, str]) -> Path:
        """Write the table of all finished cells of a study.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self._write(self.merged, lambda path: table.write_parquet(path, metadata=metadata))
        return self.merged

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        temporary = path.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(temporary)
            temporary.replace(path)
        except OSError as failure:
            _remove(temporary)
            reason = (failure.strerror or str(failure)).lower()
            raise OutputError(
                f"{path.parent}: {reason}; what is finished is kept: make room, or mend the "
                "folder, and run the study again"
            ) from failure
        except BaseException:
            _remove(temporary)
            raise

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work in the folder alone, and clear away what an earlier run left half-written.

        Raises
        ------
        OutputError
            If it cannot be made, or another run works in it.
        """
        try:
            self._cells.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        except OSError as failure:
            reason = (failure.strerror or str(failure)).lower()
            raise OutputError(
                f"{self.path}: {reason}; name another folder for the results"
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


def _is_key(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _digest(key: str, record: Record) -> str:
    text = json.dumps([key, record], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _table(record: Record) -> pl.DataFrame:
    """Write a record as a table of three columns: a small file, whatever the fields are."""
    if set(record) != set(FIELDS):
        raise CatallaxError(f"a record with the fields {sorted(record)} is no record of a cell")
    numbers = [None if isinstance(value, str) or value is None else float(value)
               for value in record.values()]  # fmt: skip
    texts = [value if isinstance(value, str) else None for value in record.values()]
    columns = {"field": list(record), "number": numbers, "text": texts}
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


# Older readers of a folder see the same cells in the same order.
def cell_order(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return cells in an order in which those done so far are a fair sample of all."""
    return tuple(sorted(cells, key=lambda cell: cell.key))
