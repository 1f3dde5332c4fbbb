"""How long proving an optimum may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from catallax.errors import MissingDependencyError, SolverTimeLimitError, how_to_install

__all__ = ["Clock", "need_ortools", "time_limit"]

_LIMIT: ContextVar[float] = ContextVar("time limit", default=300.0)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Bound the time that solvers may take for one clearing.

    Parameters
    ----------
    seconds
        Wall-clock seconds for the optimum, and again for each kind of threshold that is asked
        for; 300 unless said otherwise.

    Examples
    --------
    >>> with time_limit(60.0):
    ...     pass
    """
    token = _LIMIT.set(seconds)
    try:
        yield
    finally:
        _LIMIT.reset(token)


class Clock:
    """What is left of the time for one clearing."""

    def __init__(self, limit: float | None = None) -> None:
        self.limit = _LIMIT.get() if limit is None else limit
        self.end = time.monotonic() + self.limit

    def left(self) -> float:
        """Give the seconds left.

        Raises
        ------
        SolverTimeLimitError
            If there are none.
        """
        left = self.end - time.monotonic()
        if left <= 0:
            self.stop()
        return left

    def stop(self) -> None:
        """Refuse to return anything that is not proved best."""
        raise SolverTimeLimitError(
            f"no optimum was proved within {self.limit:g} seconds: allow more time (time_limit in "
            "Python, --time-limit on the command line), or loosen or drop constraints"
        )


def need_ortools(module: str) -> Any:
    """Import a part of OR-Tools, which only markets with constraints need.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        return import_module(f"ortools.{module}")
    except ImportError:
        raise MissingDependencyError(
            "markets with constraints need OR-Tools, which is not installed: "
            + how_to_install("ortools")
        ) from None
