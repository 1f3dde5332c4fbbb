"""Cells computed on a cluster: an existing dask.distributed scheduler and its workers."""

from __future__ import annotations

import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError, MissingDependencyError
from catallax.estimate.study.workers import Failure, Result, attempt

if TYPE_CHECKING:
    from catallax.estimate.study.cells import Cell, Record

__all__ = ["ClusterError", "connected", "on_cluster"]

# Seconds in which a scheduler must answer.
_PATIENCE = 5.0
# Cells under way for each thread of the cluster: one to work on and one to go on with.
_AHEAD = 2


class ClusterError(CatallaxError):
    """A cluster cannot be reached, is gone, or cannot compute cells."""


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a scheduler for the length of a block.

    Parameters
    ----------
    address
        Such as ``tcp://10.0.0.7:8786``.

    Yields
    ------
    distributed.Client

    Raises
    ------
    MissingDependencyError
        If dask.distributed is not installed.
    ClusterError
        If no scheduler answers there within some seconds.
    """
    try:
        from dask import config
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError(
            "a cluster needs dask.distributed, which is not installed: pip install "
            "'catallax[cluster]'"
        ) from error
    # What happens to connections is told in our errors, in one line.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        with config.set({"distributed.comm.timeouts.connect": _PATIENCE}):
            client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise ClusterError(
            f"no scheduler answers at {address} ({_why(error)}): start one with 'dask scheduler', "
            "and name the address that it prints"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=_PATIENCE)


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error).lower():
        return f"nothing within {_PATIENCE:g} seconds"
    return " ".join(str(error).split())[:120] or type(error).__name__


def on_cluster(
    cells: Sequence[Cell],
    compute: Callable[[Cell], Record],
    client: Any,
    tell: Callable[[str], None] = lambda message: None,
) -> Iterator[tuple[Cell, Result]]:
    """Compute cells on the workers of a scheduler.

    When a worker dies the scheduler gives its cells to others; workers may come and go.

    Parameters
    ----------
    cells
        What to compute.
    compute
        A function of a module, which every worker can import.
    client
        See `connected`.
    tell
        Hears what somebody who waits should know.

    Yields
    ------
    tuple
        Each cell with its result, as they finish.

    Raises
    ------
    ClusterError
        If the scheduler goes away, or a worker cannot run catallax.
    """
    from concurrent.futures import CancelledError

    from distributed import as_completed

    run = uuid.uuid4().hex[:8]
    waiting = deque(cells)
    under_way: dict[str, Cell] = {}
    finished = as_completed()
    told = False
    try:
        while waiting or under_way:
            threads = sum(client.nthreads().values())
            if not threads and not told:
                tell("the scheduler has no workers yet: waiting for some")
                told = True
            while waiting and len(under_way) < max(_AHEAD * threads, 1):
                cell = waiting.popleft()
                future = client.submit(
                    attempt, compute, cell, key=f"catallax-{run}-{cell.key}", pure=True
                )
                under_way[future.key] = cell
                finished.add(future)
            future = next(finished)
            yield under_way.pop(future.key), _result(future)
            # Its result need not stay in the workers' memory.
            future.release()
    except (OSError, CancelledError, RuntimeError, StopIteration) as error:
        if isinstance(error, CatallaxError):
            raise
        raise ClusterError(
            f"the scheduler at {client.scheduler.address if client.scheduler else 'this address'} "
            f"has gone ({type(error).__name__}); what is finished is kept: run the study again"
        ) from None


def _result(future: Any) -> Result:
    """Read a finished future: errors of a cell come as results, others are the cluster's."""
    from distributed.scheduler import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise RuntimeError(future.status)
    error = future.exception()
    if isinstance(error, KilledWorker):
        deaths = "its workers died one after the other (were they out of memory?)"
        return Result(None, Failure(deaths), 0.0)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    raise ClusterError(
        f"a worker cannot run a cell ({text[:200]}): install the same catallax on every worker"
    )
