"""What a constraint is, and checks of what its keys hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from catallax.errors import (
    ConstraintError,
)
from catallax.markets.families.bound import Bound, Parts

__all__ = ["Constraint", "whole"]


class Constraint(ABC):
    """A rule about which trades may take place together; every subset of them must be too.

    A subclass is a frozen dataclass whose fields are the keys of its specification.
    """

    kind: ClassVar[str]

    @abstractmethod
    def bind(self, parts: Parts, where: str) -> Bound:
        """Turn names into positions, checking them.

        Parameters
        ----------
        parts
            What the constraint is about.
        where
            What errors call the constraint.
        """


def whole(value: object, key: str, where: str) -> int:
    """Check a limit: a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ConstraintError(f"{where}: '{key}' must be a whole number, not {value!r}")
    if value < 0:
        raise ConstraintError(f"{where}: '{key}' is {value}; a limit cannot be negative")
    return min(int(value), 2**62)  # more than there can be trades


def rows(value: object, key: str, where: str) -> Sequence[Any]:
    """Check that a key holds a list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConstraintError(f"{where}: '{key}' must be a list, not {value!r}")
    return value
