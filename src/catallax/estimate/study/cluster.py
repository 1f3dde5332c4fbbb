"""Cells computed on a cluster: an existing dask.distributed scheduler and its workers."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError, MissingDependencyError, how_to_install
from catallax.estimate.study.workers import Failure, Result, attempt

if TYPE_CHECKING:
    from catallax.estimate.study.cells import Cell, Record

__all__ = ["ClusterError", "connected", "on_cluster"]

# Seconds in which a scheduler must answer.
_PATIENCE = 4.0
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
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError(
            "a cluster needs dask.distributed, which is not installed: "
            + how_to_install("distributed")
        ) from error
    with _silenced():
        _require_scheduler(address)
        try:
            client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except Exception as error:
            raise _unreachable(address, error) from None
        try:
            yield client
        finally:
            client.close(timeout=_PATIENCE)


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep dask from printing what happens to connections: our errors tell it, in one line."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _require_scheduler(address: str) -> None:
    """Ask who is there: a client by itself would wait for ever for who accepts and is silent."""
    from distributed import rpc
    from distributed.security import Security

    async def ask() -> Any:
        async with rpc(address, connection_args=Security().get_connection_args("client")) as other:
            return await other.identity()

    async def ask_within_limits() -> Any:
        return await asyncio.wait_for(ask(), _PATIENCE)

    try:
        # In a thread of its own: a notebook has its loop in this one.
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(lambda: asyncio.run(ask_within_limits())).result()
        kind = answer["type"]
    except Exception as error:
        raise _unreachable(address, error) from None
    if kind != "Scheduler":
        raise ClusterError(
            f"{address} is the address of a {str(kind).lower()}: name the scheduler's, which "
            "'dask scheduler' prints"
        )


def _unreachable(address: str, error: Exception) -> ClusterError:
    if isinstance(error, TimeoutError):
        why = f"nothing within {_PATIENCE:g} seconds"
    elif isinstance(error, ValueError | TypeError | OSError):
        why = " ".join(str(error).split())[:120] or type(error).__name__
    else:
        why = "what answers is no scheduler of dask"
    return ClusterError(
        f"no scheduler answers at {address} ({why}): start one with 'dask scheduler', and name the "
        "address that it prints, such as tcp://10.0.0.7:8786"
    )


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
    finished = as_completed(loop=client.loop)
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
