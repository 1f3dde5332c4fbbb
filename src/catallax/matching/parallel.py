"""Two pieces of work at once, where both leave Python alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["both"]

First = TypeVar("First")
Second = TypeVar("Second")


def both(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """Call two functions at once, the first one here, and return both results.

    Compiled kernels and the sorts of NumPy do not hold Python's lock, so two of them run on two
    cores. What users write may run in the first only: it sees their context, and their interrupts.
    An error in either is raised here.

    Examples
    --------
    >>> both(lambda: 1, lambda: 2)
    (1, 2)
    """
    from _thread import start_new_thread
    from concurrent.futures import Future

    promised: Future[Second] = Future()

    def keep() -> None:
        try:
            promised.set_result(second())
        except BaseException as error:  # raised again below
            promised.set_exception(error)

    try:
        # A `Thread` is waited for until it runs, and a pool of them takes longer still to set up.
        start_new_thread(keep, ())
    except RuntimeError:  # no more threads: one after the other
        return first(), second()
    try:
        own = first()
    finally:
        promised.exception()  # waits
    return own, promised.result()
