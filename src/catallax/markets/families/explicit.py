"""An explicit list of matchings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catallax.errors import ConstraintError
from catallax.markets.families.bound import Explicit, Parts
from catallax.markets.families.constraint import Constraint, rows
from catallax.markets.families.registry import register

__all__ = ["ExplicitFamily"]


@register
@dataclass(frozen=True)
class ExplicitFamily(Constraint):
    """The trades must all lie in one of the listed matchings.

    Attributes
    ----------
    matchings
        Lists of edges, each edge a buyer and a seller. Subsets are feasible without being listed.
    """

    kind = "family"
    matchings: Sequence[Sequence[Sequence[Any]]]

    def bind(self, parts: Parts, where: str) -> Explicit:
        """Look up every edge, and check that each list is a matching."""
        found = []
        for number, matching in enumerate(rows(self.matchings, "matchings", where)):
            place = f"{where} matchings[{number}]"
            if isinstance(matching, str) or not isinstance(matching, Sequence):
                raise ConstraintError(f"{place}: {matching!r} is not a list of edges")
            edges = [self._edge(parts, pair, place) for pair in matching]
            for side, label in ((0, parts.buyers.label), (1, parts.sellers.label)):
                seen: set[int] = set()
                for edge in edges:
                    agent = parts.ends(edge)[side]
                    if agent in seen:
                        raise ConstraintError(
                            f"{place}: this is no matching, {label(agent)} trades twice in it"
                        )
                    seen.add(agent)
            found.append(frozenset(edges))
        return Explicit(tuple(found))

    def _edge(self, parts: Parts, pair: Any, place: str) -> int:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ConstraintError(f"{place}: {pair!r} is not an edge: write [buyer, seller]")
        return parts.edge(pair[0], pair[1], place)
