"""A limit on the number of trades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catallax.markets.families.bound import GroupLimits, Parts
from catallax.markets.families.constraint import Constraint, whole
from catallax.markets.families.registry import register

__all__ = ["Cap"]


@register
@dataclass(frozen=True)
class Cap(Constraint):
    """At most `limit` trades in all.

    Attributes
    ----------
    limit
        A whole number, 0 or more.
    """

    kind = "cap"
    limit: int

    def bind(self, parts: Parts, where: str) -> GroupLimits:
        """Check the limit."""
        limit = whole(self.limit, "limit", where)
        return GroupLimits("trades", np.empty(0, np.int64), np.array([limit]))
