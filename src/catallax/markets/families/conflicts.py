"""Pairs that cannot both trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from catallax.errors import ConstraintError
from catallax.markets.families.bound import Exclusions, Over, Parts, position
from catallax.markets.families.constraint import Constraint, rows
from catallax.markets.families.registry import register

__all__ = ["Conflicts"]


@register
@dataclass(frozen=True)
class Conflicts(Constraint):
    """Pairs of agents of one side, or of edges, of which at most one trades.

    Attributes
    ----------
    over
        "buyers", "sellers" or "edges".
    pairs
        Pairs of identifiers, such as ``["b1", "b2"]``, or of edges, each a buyer and a seller,
        such as ``[["b1", "s1"], ["b2", "s2"]]``.
    """

    kind = "conflicts"
    over: str
    pairs: Sequence[Sequence[Any]]

    def bind(self, parts: Parts, where: str) -> Exclusions:
        """Look up both members of every pair."""
        if not isinstance(self.over, str) or self.over not in ("buyers", "sellers", "edges"):
            raise ConstraintError(
                f"{where}: 'over' must be 'buyers', 'sellers' or 'edges', not {self.over!r}"
            )
        found = []
        for number, pair in enumerate(rows(self.pairs, "pairs", where)):
            place = f"{where} pairs[{number}]"
            if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
                raise ConstraintError(f"{place}: {pair!r} is not a pair")
            one, other = (self._position(parts, member, place) for member in pair)
            if one == other:
                raise ConstraintError(f"{place}: {pair!r} names the same twice")
            found.append((one, other))
        return Exclusions(
            cast(Over, self.over),
            np.array(found, dtype=np.int64).reshape(-1, 2),
        )

    def _position(self, parts: Parts, member: Any, place: str) -> int:
        if self.over == "buyers":
            return position(parts.buyers, member, place)
        if self.over == "sellers":
            return position(parts.sellers, member, place)
        if isinstance(member, str) or not isinstance(member, Sequence) or len(member) != 2:
            raise ConstraintError(f"{place}: {member!r} is not an edge: write [buyer, seller]")
        return parts.edge(member[0], member[1], place)
