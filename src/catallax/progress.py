"""How long work says how far it is: one shape for all."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "duration"]

Progress = Callable[[float, str], None]
"""Called now and then with the part that is done, from 0 to 1, and what is being done."""


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
