"""How long work says how far it is: one shape for all."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "duration", "forward"]

Progress = Callable[[float, str], None]
"""Called now and then with the part that is done, from 0 to 1, and what is being done."""


def forward(progress: Progress | None) -> Progress:
    """Make parts never fall: an estimate of what is left can turn out too small.

    Examples
    --------
    >>> told = []
    >>> progress = forward(lambda part, words: told.append(part))
    >>> progress(0.5, "searching"), progress(0.25, "searching on")
    (None, None)
    >>> told
    [0.5, 0.5]
    """
    most = 0.0

    def told(part: float, words: str) -> None:
        nonlocal most
        most = max(most, min(part, 1.0))
        if progress is not None:
            progress(most, words)

    return told


def duration(seconds: float) -> str:
    """Write a time as people say it.

    Examples
    --------
    >>> duration(7.4), duration(154), duration(9000)
    ('7 s', '2 min 34 s', '2 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
