"""Who may trade with whom: a sparse bipartite graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import CatallaxError, DuplicateEdgeError, UnknownAgentError

__all__ = ["Graph"]

_LARGEST = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Graph:
    """A bipartite graph of buyers and sellers, by position.

    Attributes
    ----------
    n_buyers, n_sellers
        Numbers of agents.
    buyer, seller
        int32, shape ``(edges,)``: the ends of every edge in the market's order. Empty where every
        buyer may trade with every seller.
    complete
        Whether that is so.

    Raises
    ------
    UnknownAgentError
        If an end is no agent.
    DuplicateEdgeError
        If two edges have the same ends.

    Examples
    --------
    >>> graph = Graph(2, 3, buyer=[1, 0, 1], seller=[2, 1, 0])
    >>> graph.n_edges
    3
    >>> starts, neighbours = graph.by_buyer
    >>> neighbours[starts[1] : starts[2]].tolist()
    [0, 2]
    >>> Graph.complete_graph(1000, 1000).n_edges
    1000000
    """

    n_buyers: int
    n_sellers: int
    buyer: np.ndarray
    seller: np.ndarray
    complete: bool = False

    def __init__(
        self, n_buyers: int, n_sellers: int, buyer: ArrayLike = (), seller: ArrayLike = ()
    ) -> None:
        if not (0 <= n_buyers <= _LARGEST and 0 <= n_sellers <= _LARGEST):
            raise CatallaxError(
                f"a graph of {n_buyers} buyers and {n_sellers} sellers is out of range; "
                f"each side holds 0 to {_LARGEST} agents"
            )
        ends = _ends(buyer, n_buyers, "buyer"), _ends(seller, n_sellers, "seller")
        if len(ends[0]) != len(ends[1]):
            raise CatallaxError(
                f"{len(ends[0])} buyers' ends and {len(ends[1])} sellers' ends; "
                "give as many of the one as of the other"
            )
        for name, value in zip(
            ("n_buyers", "n_sellers", "buyer", "seller", "complete"),
            (int(n_buyers), int(n_sellers), *ends, False),
            strict=True,
        ):
            object.__setattr__(self, name, value)
        # Sorting finds duplicates, and is what every mechanism needs next anyway.
        _ = self.by_buyer

    @classmethod
    def complete_graph(cls, n_buyers: int, n_sellers: int) -> Graph:
        """Return the graph in which every buyer may trade with every seller, without its edges."""
        graph = cls(n_buyers, n_sellers)
        object.__setattr__(graph, "complete", True)
        return graph

    def __repr__(self) -> str:
        """Return a short description."""
        kind = "complete" if self.complete else f"{self.n_edges} edges"
        return f"<graph of {self.n_buyers} buyers and {self.n_sellers} sellers, {kind}>"

    @property
    def n_edges(self) -> int:
        """The number of pairs that may trade."""
        return self.n_buyers * self.n_sellers if self.complete else len(self.buyer)

    @cached_property
    def by_buyer(self) -> tuple[np.ndarray, np.ndarray]:
        """Sellers next to each buyer.

        Returns
        -------
        tuple of numpy.ndarray
            int64 ``starts`` of shape ``(n_buyers + 1,)`` and int32 ``neighbours``: those of buyer
            ``i`` are ``neighbours[starts[i]:starts[i + 1]]``, ascending.

        Raises
        ------
        CatallaxError
            If the graph is complete: its lists would be a matrix.
        """
        return self._neighbours(self.buyer, self.seller, self.n_buyers, self.n_sellers)

    @cached_property
    def by_seller(self) -> tuple[np.ndarray, np.ndarray]:
        """Buyers next to each seller; the mirror of `by_buyer`."""
        return self._neighbours(self.seller, self.buyer, self.n_sellers, self.n_buyers)

    def _neighbours(
        self, ends: np.ndarray, others: np.ndarray, n_ends: int, n_others: int
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.complete:
            raise CatallaxError("a complete graph keeps no lists of neighbours; see `complete`")
        starts = np.zeros(n_ends + 1, dtype=np.int64)
        first = _firsts_of_sorted(ends, others)
        if first is not None:  # as files and generators usually have them
            counts = np.zeros(n_ends, dtype=np.int64)
            counts[ends[first]] = np.diff(first, append=len(ends))
            np.cumsum(counts, out=starts[1:])
            return _frozen(starts), others
        keys = ends.astype(np.int64)
        keys <<= 32
        keys |= others
        keys.sort()
        if (keys[1:] == keys[:-1]).any():
            raise DuplicateEdgeError(self._duplicate())
        np.cumsum(np.bincount(ends, minlength=n_ends), out=starts[1:])
        return _frozen(starts), _frozen(keys.astype(np.int32))  # the lower half

    def _duplicate(self) -> str:
        first, second = duplicate_edge(self.buyer, self.seller)
        return (
            f"edges {first} and {second} both join buyer {self.buyer[second]} and seller "
            f"{self.seller[second]} (by position); leave one out"
        )


def _firsts_of_sorted(ends: np.ndarray, others: np.ndarray) -> np.ndarray | None:
    """Return where each row begins if the edges are sorted and differ, and else None."""
    for stop in (1000, len(ends)):  # a glance tells nearly always
        own, other = ends[:stop], others[:stop]
        next_row = own[1:] > own[:-1]
        further = other[1:] > other[:-1]
        further &= own[1:] == own[:-1]
        further |= next_row
        if not further.all():
            return None
    return np.flatnonzero(np.append(len(ends) > 0, next_row))


def duplicate_edge(buyer: np.ndarray, seller: np.ndarray) -> tuple[int, int]:
    """Return the positions of the first edge that repeats another, earlier one first."""
    order = np.lexsort((np.arange(len(buyer)), seller, buyer))
    same = (buyer[order][1:] == buyer[order][:-1]) & (seller[order][1:] == seller[order][:-1])
    repeats = np.flatnonzero(same)
    first = repeats[np.argmin(order[repeats + 1])]
    return int(order[first]), int(order[first + 1])


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _ends(values: ArrayLike, number: int, word: str) -> np.ndarray:
    given = np.asarray(values)
    if given.ndim != 1 or (len(given) and given.dtype.kind not in "iu"):
        raise CatallaxError(f"the {word}s' ends of edges must be a list of whole positions")
    if len(given) and (given.min() < 0 or given.max() >= number):
        edge = int(np.argmax((given < 0) | (given >= number)))
        raise UnknownAgentError(
            f"edge {edge} names {word} {given[edge]} (by position), and there are {number}; "
            f"positions run from 0 to {number - 1}"
        )
    return _frozen(np.array(given, dtype=np.int32))
