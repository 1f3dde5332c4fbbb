"""Running a study: what is missing is computed, cell by cell, and kept at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catallax.errors import CatallaxError
from catallax.estimate.study.cells import Cell, Record, cells_of, compute_cell
from catallax.estimate.study.cluster import connected, on_cluster
from catallax.estimate.study.results import StudyResults, default_folder, merged_metadata
from catallax.estimate.study.storage import ResultFolder
from catallax.estimate.study.workers import (
    Failure,
    OtherCodeError,
    Result,
    in_processes,
    in_this_process,
    processors,
)
from catallax.progress import Progress, duration

if TYPE_CHECKING:
    from catallax.estimate.study.definition import Study

__all__ = ["StudyError", "StudyRun", "run_study"]


class StudyError(CatallaxError):
    """Some cells of a study could not be computed."""


@dataclass(frozen=True)
class StudyRun:
    """What a run did.

    Attributes
    ----------
    computed, reused
        Numbers of cells.
    results
        All of them.
    table
        The file with all of them.
    """

    computed: int
    reused: int
    results: StudyResults
    table: Path


def run_study(
    study: Study,
    folder: str | Path | None = None,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    compute: Callable[[Cell], Record] = compute_cell,
    progress: Progress | None = None,
    tell: Callable[[str], None] = lambda message: None,
) -> StudyRun:
    """Compute what is missing of a study, and keep it.

    Cells that are there already, computed by the same code from the same inputs, are reused. A
    run that is interrupted or killed loses no finished cell. The results depend on the study
    alone: not on the number of workers, on where they are, or on how often it was interrupted.

    Parameters
    ----------
    study
        The study.
    folder
        Where results are kept; by default ``NAME.results`` beside the file ``NAME.toml``.
    workers
        How many processes of this machine compute; by default one for each processor. With 1
        this process does it.
    cluster
        The address of a dask.distributed scheduler, whose workers compute instead.
    compute
        Computes the record of a cell.
    progress
        Called before the first cell and after each, with the part that is done and how many
        cells that are, of how many, and the time left.
    tell
        Called with what somebody who waits should know.

    Returns
    -------
    StudyRun

    Raises
    ------
    StudyError
        If cells failed, when all others are finished; running again tries them again.
    OutputError
        If results cannot be written.
    ClusterError
        If the cluster cannot be reached, or is gone.
    OtherCodeError
        If workers have other code than this process.

    Notes
    -----
    A script that calls this with several workers does it under
    ``if __name__ == "__main__":``, as their processes import it.
    """
    if workers is not None and workers < 1:
        raise CatallaxError(f"workers = {workers}: at least one has to work")
    if workers is not None and cluster is not None:
        raise CatallaxError("a cluster has its own workers: leave out --workers, or --cluster")
    cells = cells_of(study)
    store = ResultFolder(default_folder(study) if folder is None else folder)
    with ExitStack() as stack:
        client = None if cluster is None else stack.enter_context(connected(cluster))
        stack.enter_context(store.working())
        known = store.records({cell.key for cell in cells})
        missing = in_running_order([cell for cell in cells if cell.key not in known])
        if client is not None:
            source = on_cluster(missing, compute, client, tell)
            workers = max(1, sum(client.nthreads().values())) if missing else 1
        else:
            workers = min(workers or processors(), max(1, len(missing)))
            source = (
                in_this_process(missing, compute)
                if workers == 1
                else in_processes(missing, compute, workers)
            )
        failures = _collect(source, store, known, _Clock(missing, workers), progress)
        records = [known.get(cell.key) for cell in cells]
        results = StudyResults(study, cells, tuple(records))
        table = store.write_merged(results.frame, merged_metadata(study))
    if failures:
        raise _failed(failures, len(cells))
    return StudyRun(len(missing), len(cells) - len(missing), results, table)


def _collect(
    source: Iterator[tuple[Cell, Result]],
    store: ResultFolder,
    known: dict[str, Record],
    clock: _Clock,
    progress: Progress | None,
) -> list[tuple[Cell, Failure]]:
    """Keep every record as it comes, and return the cells that have none."""
    failures: list[tuple[Cell, Failure]] = []
    if progress is not None:
        progress(*clock.now())
    try:
        for cell, result in source:
            if result.record is not None:
                store.save(cell.key, result.record)
                known[cell.key] = result.record
            elif result.failure is not None:
                if result.failure.other_code:
                    raise OtherCodeError(
                        "a worker has other code or libraries than this process (it has "
                        f"{result.failure.reason}): install the same everywhere, and change "
                        "nothing while a study runs"
                    )
                failures.append((cell, result.failure))
            clock.count(cell, result.seconds)
            if progress is not None:
                progress(*clock.now())
    finally:
        # At once, not when somebody collects garbage: processes are to end before we go on.
        source.close()  # type: ignore[attr-defined]  # all sources are generators
    return failures


def _failed(failures: list[tuple[Cell, Failure]], total: int) -> StudyError:
    first = min(failures, key=lambda pair: pair[0].number)
    return StudyError(
        f"{len(failures)} of {total} cells failed, the others are finished and kept; the first: "
        f"{first[0].label}: {first[1].reason}; mend it and run the study again"
    )


def in_running_order(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells so that those done are a fair sample of all, mechanisms of a market together.

    Then what the first have taken tells how long the others will take.
    """

    def place(cell: Cell) -> tuple[str, int]:
        identity = json.dumps([cell.setting.recipe.identity(cell.seed), cell.seed])
        return hashlib.sha256(identity.encode()).hexdigest(), cell.number

    return sorted(cells, key=place)


class _Clock:
    """Tells the time left from the seconds that cells have taken.

    Cells are weighed by the sizes of their markets; each mechanism has its own pace, which is that
    of all until one of its cells is done.
    """

    def __init__(self, cells: Sequence[Cell], workers: int) -> None:
        self._workers = workers
        self._total = len(cells)
        self._done = 0
        self._left: dict[str, float] = {}
        self._taken: dict[str, list[float]] = {}
        for cell in cells:
            rule = cell.rule.label
            self._left[rule] = self._left.get(rule, 0.0) + _weight(cell)

    def count(self, cell: Cell, seconds: float) -> None:
        """Take down that a cell is done."""
        self._done += 1
        self._left[cell.rule.label] -= _weight(cell)
        taken = self._taken.setdefault(cell.rule.label, [0.0, 0.0])
        taken[0] += seconds
        taken[1] += _weight(cell)

    def now(self) -> tuple[float, str]:
        """Say how far the run is: the part of its cells, and in words."""
        part = self._done / self._total if self._total else 1.0
        words = f"{self._done:,} of {self._total:,} cells"
        return part, f"{words}, {duration(self._seconds_left())} left" if self._taken else words

    def _seconds_left(self) -> float:
        overall = sum(s for s, _ in self._taken.values()) / sum(w for _, w in self._taken.values())
        seconds = 0.0
        for rule, weight in self._left.items():
            taken = self._taken.get(rule)
            seconds += weight * (overall if taken is None else taken[0] / taken[1])
        return max(0.0, seconds) / self._workers


def _weight(cell: Cell) -> float:
    return float(cell.setting.agents + cell.setting.edges)
