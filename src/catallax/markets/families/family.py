"""A feasible family: all sets of trades that a graph and its constraints allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from catallax.markets.families.bound import Bound, GroupLimits, Parts, Predicate

__all__ = ["Family"]


@dataclass(frozen=True, eq=False)
class Family:
    """All sets of trades that a graph and a market's constraints allow.

    Attributes
    ----------
    parts
        The market's agents and edges.
    bound
        The constraints, by position.
    """

    parts: Parts
    bound: tuple[Bound, ...] = field(default=())

    @property
    def structure(self) -> Literal["plain", "network", "linear", "any"]:
        """What kind of problem it is, which decides how it is solved.

        "plain": nothing but the graph. "network": limits on all trades and on groups of
        buyers and of sellers, at most one grouping a side. "linear": anything that linear
        inequalities say. "any": a function decides.
        """
        if not self.bound:
            return "plain"
        if any(isinstance(b, Predicate) for b in self.bound):
            return "any"
        limits = [b for b in self.bound if isinstance(b, GroupLimits) and b.over != "edges"]
        sides = [b.over for b in limits if b.over != "trades"]
        if len(limits) == len(self.bound) and len(sides) == len(set(sides)):
            return "network"
        return "linear"

    def allows(self, edges: Iterable[int]) -> bool:
        """Tell whether a set of edges is a matching that every constraint allows."""
        chosen = np.fromiter(edges, np.int64)
        if self.parts.graph.complete:
            buyers, sellers = np.divmod(chosen, max(1, self.parts.graph.n_sellers))
        else:
            buyers, sellers = self.parts.graph.buyer[chosen], self.parts.graph.seller[chosen]
        if np.unique(buyers).size < buyers.size or np.unique(sellers).size < sellers.size:
            return False
        return all(b.allows(chosen, buyers, sellers) for b in self.bound)
