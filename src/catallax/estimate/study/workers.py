"""Where cells are computed: in this process, or in several on this machine.

A source of results is a function that takes cells and yields each with its result, in whatever
order they finish. Errors of a cell are results too, so that one cell cannot stop the others.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from catallax.estimate.study.cells import Cell, Record

__all__ = ["Failure", "OtherCodeError", "Result", "attempt", "in_processes",
           "in_this_process", "processors"]  # fmt: skip

# A cell whose process dies so often takes too much memory, or crashes a library.
_MOST_DEATHS = 3


class OtherCodeError(CatallaxError):
    """A worker has other code, or other libraries, than the study was started with."""


@dataclass(frozen=True)
class Failure:
    """Why a cell has no record.

    Attributes
    ----------
    reason
        In one line.
    other_code
        Whether the worker has other code than it should: then the run must stop.
    """

    reason: str
    other_code: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a cell: its record or why there is none, and the seconds it took."""

    record: Record | None
    failure: Failure | None
    seconds: float


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not everywhere
        return os.cpu_count() or 1


def attempt(compute: Callable[[Cell], Record], cell: Cell) -> Result:
    """Compute a cell, wherever this is called, and turn an error into a result.

    Parameters
    ----------
    compute
        Computes the record of a cell.
    cell
        The cell.

    Returns
    -------
    Result
    """
    from catallax.estimate.study.fingerprint import code_fingerprint, versions

    start = time.perf_counter()
    if code_fingerprint() != cell.code:
        here = ", ".join(f"{name} {version}" for name, version in versions().items())
        return Result(None, Failure(here, other_code=True), 0.0)
    try:
        record, failure = compute(cell), None
    except CatallaxError as error:
        record, failure = None, Failure(" ".join(str(error).split()))
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        record, failure = None, Failure(text)
    return Result(record, failure, time.perf_counter() - start)


def in_this_process(
    cells: Sequence[Cell], compute: Callable[[Cell], Record]
) -> Iterator[tuple[Cell, Result]]:
    """Compute cells one after the other."""
    for cell in cells:
        yield cell, attempt(compute, cell)


# ------------------------------------------------------------------------------- several processes


@dataclass
class _Worker:
    """A process, our end of the pipe to it, and what it works on."""

    process: BaseProcess
    pipe: Connection
    cell: Cell | None = None


def in_processes(
    cells: Sequence[Cell], compute: Callable[[Cell], Record], workers: int
) -> Iterator[tuple[Cell, Result]]:
    """Compute cells in several processes of this machine.

    A process that dies is replaced and its cell computed again. When this process ends, in
    whatever way, so do they.

    Parameters
    ----------
    cells
        What to compute.
    compute
        A function of a module, which every process can import.
    workers
        How many processes.

    Yields
    ------
    tuple
        Each cell with its result, as they finish.
    """
    waiting = deque(cells)
    deaths: dict[str, int] = {}
    crew = [_hire(compute) for _ in range(min(workers, len(cells)))]
    try:
        while True:
            for worker in crew:
                if worker.cell is None and waiting:
                    _give(worker, waiting.popleft())
            busy = {worker.pipe: worker for worker in crew if worker.cell is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]  # what was waited for
                cell, result = worker.cell, _heard(worker)
                assert cell is not None
                worker.cell = None
                if result is None:
                    _dismiss(worker)
                    crew[crew.index(worker)] = _hire(compute)
                    deaths[cell.key] = deaths.get(cell.key, 0) + 1
                    if deaths[cell.key] < _MOST_DEATHS:
                        waiting.append(cell)
                        continue
                    result = Result(None, Failure(
                        f"its process died {_MOST_DEATHS} times (was it out of memory? fewer "
                        "--workers need less)"
                    ), 0.0)  # fmt: skip
                yield cell, result
    finally:
        for worker in crew:
            _dismiss(worker)


def _hire(compute: Callable[[Cell], Record]) -> _Worker:
    # Not forked: a copy of a process with threads may wait for ever for a lock that one of them
    # held.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, compute), daemon=True)
    with _no_interrupts():
        process.start()
    # With our copy of its end closed, the pipe breaks when the process dies.
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Hold back interrupts from the keyboard; a process started meanwhile never gets any.

    They reach every process of a terminal, and the one that was started by hand handles them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _give(worker: _Worker, cell: Cell) -> None:
    worker.cell = cell
    try:
        worker.pipe.send(cell)
    except OSError:
        # It has died; listening to it will tell.
        return


def _heard(worker: _Worker) -> Result | None:
    """Return what a worker has found, or None if it is dead."""
    try:
        return worker.pipe.recv()
    except (EOFError, OSError):
        return None


def _dismiss(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _work(pipe: Any, compute: Callable[[Cell], Record]) -> None:
    """Compute what comes through the pipe, until it breaks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            cell = pipe.recv()
            pipe.send(attempt(compute, cell))
        except (EOFError, OSError):
            return


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        # In the middle of a cell nobody waits for any more.
        os._exit(1)
