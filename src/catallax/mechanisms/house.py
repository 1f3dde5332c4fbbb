"""Whose code a mechanism is: ours keeps promises that others' need not."""

from __future__ import annotations

__all__ = ["of_the_house"]


def of_the_house(mechanism: object) -> bool:
    """Tell whether a mechanism comes with catallax."""
    return type(mechanism).__module__.partition(".")[0] == "catallax"
