"""Search over sets of trades, for families that only a function knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.markets.families import Family
from catallax.matching.constrained.solver import Optimum, Solver
from catallax.matching.limits import Clock

__all__ = ["TreeSearch"]

Whole = NDArray[np.int64]


class TreeSearch(Solver):
    """Depth-first over the edges, best gain first, cut where the rest cannot catch up.

    Every subset of a feasible set is feasible, so a set that is not can be dropped with all
    that contain it.
    """

    name = "search"

    def __init__(self, family: Family, buyer: Whole, seller: Whole) -> None:
        self.family = family
        self.buyer = buyer
        self.seller = seller

    def best(
        self,
        active: NDArray[np.bool_],
        money: Whole,
        favour: Whole,
        forced: Whole | None,
        clock: Clock,
    ) -> Optimum | None:
        """Find the best set of active edges; see `Solver.best`."""
        edges = np.flatnonzero(active)
        # Python's whole numbers have room for money above favour.
        unit = 1 << 62
        gain = {int(e): int(money[e]) * unit + int(favour[e]) for e in edges}
        demanded = set() if forced is None else {int(e) for e in forced}
        best: tuple[int, tuple[int, ...]] | None = None
        for first in sorted(demanded, key=gain.__getitem__, reverse=True) if demanded else [None]:
            start = () if first is None else (first,)
            if not self.family.allows(start):
                continue
            rest = [
                int(e)
                for e in edges
                if int(e) not in demanded
                and gain[int(e)] > 0
                and (
                    first is None
                    or (self.buyer[e] != self.buyer[first] and self.seller[e] != self.seller[first])
                )
            ]
            rest.sort(key=gain.__getitem__, reverse=True)
            base = sum(gain[e] for e in start)
            best = self._extend(start, base, rest, gain, best, clock)
        if best is None:
            return None
        chosen = best[1]
        return Optimum(
            sum(int(money[e]) for e in chosen), sum(int(favour[e]) for e in chosen), chosen
        )

    def _extend(
        self,
        start: tuple[int, ...],
        base: int,
        rest: list[int],
        gain: dict[int, int],
        best: tuple[int, tuple[int, ...]] | None,
        clock: Clock,
    ) -> tuple[int, tuple[int, ...]] | None:
        """Search all ways to add edges to a feasible set."""
        stack = [(start, base, rest)]
        while stack:
            clock.left()
            chosen, value, left = stack.pop()
            if best is None or value > best[0]:
                best = (value, chosen)
            while left and value + self._most(left, gain) > best[0]:
                edge, left = left[0], left[1:]
                if not self.family.allows((*chosen, edge)):
                    continue
                # First all sets with this edge; those without it wait on the stack.
                stack.append((chosen, value, left))
                chosen, value = (*chosen, edge), value + gain[edge]
                left = [
                    e
                    for e in left
                    if self.buyer[e] != self.buyer[edge] and self.seller[e] != self.seller[edge]
                ]
                if value > best[0]:
                    best = (value, chosen)
        return best

    def _most(self, edges: list[int], gain: dict[int, int]) -> int:
        """Bound what edges can add: every buyer takes her best one."""
        most: dict[int, int] = {}
        for e in edges:  # in order of gain, so the first of a buyer is her best
            most.setdefault(int(self.buyer[e]), gain[e])
        return sum(most.values())
