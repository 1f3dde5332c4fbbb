"""How long laws say how far they are: whoever waits listens, and nobody in between has to know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from catallax.progress import Progress, forward

__all__ = ["attempt", "listening", "tell", "within"]

_ATTEMPTS = (0.0, 0.05, 0.85, 0.95, 1.0)

_told: ContextVar[Progress | None] = ContextVar("told", default=None)


@contextmanager
def listening(progress: Progress | None) -> Iterator[None]:
    """Have all laws in here say how far they are; what is done never falls. None changes nothing.

    Examples
    --------
    >>> said = []
    >>> with listening(lambda part, words: said.append((part, words))):
    ...     with within(0.5, 1.0):
    ...         tell(0.5, "summing")
    >>> tell(1.0, "unheard")
    >>> said
    [(0.75, 'summing')]
    """
    if progress is None:
        yield
        return
    before = _told.set(forward(progress))
    try:
        yield
    finally:
        _told.reset(before)


@contextmanager
def within(start: float, stop: float) -> Iterator[None]:
    """Take what is done in here as the part of the work from `start` to `stop`."""
    outer = _told.get()
    if outer is None:
        yield
        return
    before = _told.set(lambda part, words: outer(start + (stop - start) * part, words))
    try:
        yield
    finally:
        _told.reset(before)


def attempt(number: int) -> AbstractContextManager[None]:
    """Take what is done in here as one of several attempts: mostly the second one takes long."""
    at = min(number, len(_ATTEMPTS) - 2)
    return within(_ATTEMPTS[at], _ATTEMPTS[at + 1])


def tell(part: float, words: str) -> None:
    """Say which part of this work is done, and what is being done."""
    told = _told.get()
    if told is not None:
        told(part, words)
