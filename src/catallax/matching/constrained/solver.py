"""What a solver of one integer program is, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.matching.limits import Clock

__all__ = ["Optimum", "Solver"]

Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Optimum:
    """The best feasible set of edges: largest money, then largest favour."""

    money: int
    favour: int
    edges: tuple[int, ...]


class Solver(ABC):
    """Finds best feasible sets of edges; every answer is proved."""

    name: str

    def start_from(self, edges: Whole) -> None:
        """Remember a good set of edges, near which further answers are likely to lie."""
        return

    @abstractmethod
    def best(
        self, active: Mask, money: Whole, favour: Whole, forced: Whole | None, clock: Clock
    ) -> Optimum | None:
        """Find the best set of active edges.

        Parameters
        ----------
        active
            Which edges may be used; shape (edges,).
        money, favour
            What each edge brings; shape (edges,).
        forced
            Edges of which exactly one must be used; None for no such demand.
        clock
            How long it may take.

        Returns
        -------
        Optimum or None
            None if no feasible set meets the demand.
        """
