"""A function that says which sets of trades are feasible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from catallax.errors import ConstraintError
from catallax.markets.families.bound import Indices, Parts, Predicate
from catallax.markets.families.constraint import Constraint

__all__ = ["Oracle"]

Function = Callable[[list[tuple[Any, Any]]], bool]

# Families of up to this many edges are checked for downward closure set by set.
CHECK_ALL = 10
CHECK_SAMPLES = 500


@dataclass(frozen=True)
class Oracle(Constraint):
    """Whatever a Python function allows; it must allow every part of what it allows.

    Attributes
    ----------
    function
        Takes a list of (buyer, seller) identifiers and tells whether these trades may take
        place together. It must be a pure function of the set: it is asked often.

    Notes
    -----
    Downward closure is checked over all sets where there are at most 10 edges, and otherwise
    on 500 chains of sets drawn with a fixed seed, and again on every set that a solver visits.

    Examples
    --------
    >>> import catallax as cx
    >>> from catallax.markets.families import Oracle
    >>> even = Oracle(lambda trades: len(trades) % 2 == 0)
    >>> cx.Market([{"id": "b"}, {"id": "c"}], [{"id": "s"}, {"id": "t"}], constraints=[even])
    Traceback (most recent call last):
        ...
    catallax.errors.ConstraintError: market constraints[0]: the oracle allows \
('b', 's'), ('c', 't') but not ('c', 't'): it is not downward closed
    """

    kind = "oracle"
    function: Function

    def bind(self, parts: Parts, where: str) -> Predicate:
        """Wrap the function, and look for a set it allows with a part that it does not."""
        buyers, sellers = parts.buyers.ids.to_list(), parts.sellers.ids.to_list()
        known: dict[tuple[int, ...], bool] = {}

        def ask(edges: Indices) -> bool:
            key = tuple(sorted(int(edge) for edge in edges))
            if key not in known:
                ends = [parts.ends(edge) for edge in key]
                known[key] = bool(self.function([(buyers[i], sellers[j]) for i, j in ends]))
            return known[key]

        def closed(edges: Indices) -> bool:
            if not ask(edges):
                return False
            for left_out in range(len(edges)):
                part = np.delete(edges, left_out)
                if not ask(part):
                    raise ConstraintError(
                        f"{where}: the oracle allows {_names(parts, edges)} but not "
                        f"{_names(parts, part)}: it is not downward closed"
                    )
            return True

        _check(parts, closed)
        return Predicate(closed)


def _names(parts: Parts, edges: Indices) -> str:
    return ", ".join(parts.name(int(edge)) for edge in edges) or "the empty set"


def _check(parts: Parts, closed: Callable[[Indices], bool]) -> None:
    """Look at sets of edges that are matchings, smallest first."""
    n_edges = parts.graph.n_edges

    def is_matching(edges: tuple[int, ...]) -> bool:
        ends = [parts.ends(edge) for edge in edges]
        return all(len({end[side] for end in ends}) == len(ends) for side in (0, 1))

    if n_edges <= CHECK_ALL:
        for size in range(n_edges + 1):
            for edges in combinations(range(n_edges), size):
                if is_matching(edges):
                    closed(np.array(edges, dtype=np.int64))
        return
    rng = np.random.default_rng(0)
    for _ in range(CHECK_SAMPLES):
        chain: list[int] = []
        for edge in rng.choice(n_edges, size=min(n_edges, 12), replace=False).tolist():
            if is_matching((*chain, edge)):
                chain.append(edge)
                closed(np.array(chain, dtype=np.int64))
