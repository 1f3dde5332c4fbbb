"""Random bipartite graphs of any size, each from a seed alone.

All three kinds are vectorised and hold nothing but edges: a graph of a million agents a side and
ten million edges takes seconds.
"""

from __future__ import annotations

import numpy as np

from catallax.errors import CatallaxError
from catallax.markets.graph import Graph
from catallax.priors.base import RandomSource

__all__ = ["degree_skewed", "sparse_random", "spatial"]

# What 32 bits count; far more than the memory of most machines holds.
MOST = 2**31 - 1


def sparse_random(n_buyers: int, n_sellers: int, degree: float, rng: RandomSource) -> Graph:
    """Return a graph of edges drawn uniformly among all pairs.

    Parameters
    ----------
    n_buyers, n_sellers
        Numbers of agents.
    degree
        Edges per buyer on average; the number of edges is ``round(n_buyers * degree)``.
    rng
        Seed or generator.

    Returns
    -------
    Graph
        Without duplicate edges, sorted by buyer and seller.

    Raises
    ------
    CatallaxError
        If there are fewer pairs than edges asked for.

    Examples
    --------
    >>> sparse_random(1000, 1000, degree=3, rng=7).n_edges
    3000
    """
    number = _number_of_edges(n_buyers, n_sellers, degree)
    generator = np.random.default_rng(rng)
    pairs = n_buyers * n_sellers
    if number > pairs // 2:
        # Dense: leave edges out instead, so that few draws collide.
        absent = _distinct(generator, pairs, pairs - number)
        present = np.ones(pairs, dtype=bool)
        present[absent] = False
        return _graph_of_keys(np.flatnonzero(present), n_buyers, n_sellers)
    return _graph_of_keys(_distinct(generator, pairs, number), n_buyers, n_sellers)


def _distinct(generator: np.random.Generator, pairs: int, number: int) -> np.ndarray:
    """Return distinct whole numbers below `pairs`, sorted, every set equally likely."""
    keys = _sorted_set(generator.integers(0, max(pairs, 1), number))
    while len(keys) < number:
        more = generator.integers(0, pairs, number - len(keys))
        keys = _sorted_set(np.concatenate([keys, more]))
    return keys


def _sorted_set(values: np.ndarray) -> np.ndarray:
    """Sort in place and drop repeats: ten times as fast here as the hashing of `numpy.unique`."""
    values.sort()
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


def degree_skewed(
    n_buyers: int, n_sellers: int, degree: float, rng: RandomSource, *, exponent: float = 0.75
) -> Graph:
    """Return a graph in which few sellers have most of the edges.

    Every edge draws its buyer uniformly and its seller ``j`` (from 0) with probability in
    proportion to ``(j + 1) ** -exponent``; pairs drawn twice are drawn again.

    Parameters
    ----------
    n_buyers, n_sellers
        Numbers of agents.
    degree
        Edges per buyer on average.
    rng
        Seed or generator.
    exponent
        How skewed: 0 is uniform, 1 is Zipf's law.

    Returns
    -------
    Graph
        Without duplicate edges, sorted by buyer and seller.

    Raises
    ------
    CatallaxError
        If so many edges cannot be drawn: the popular sellers would be joined to everybody.

    Examples
    --------
    >>> graph = degree_skewed(1000, 1000, degree=3, rng=7)
    >>> starts, _ = graph.by_seller
    >>> bool(starts[10] > 4 * (starts[1000] - starts[990]))
    True
    """
    number = _number_of_edges(n_buyers, n_sellers, degree)
    generator = np.random.default_rng(rng)
    weights = np.cumsum(np.arange(1, n_sellers + 1, dtype=np.float64) ** -exponent)
    keys = np.empty(0, dtype=np.int64)
    for _ in range(200):
        missing = number - len(keys)
        if not missing:
            break
        # More than are missing, because many will be there already; the surplus goes by lot.
        draws = missing + missing // 4 + 8
        seller = np.searchsorted(weights, generator.random(draws) * weights[-1], side="right")
        buyer = generator.integers(0, n_buyers, draws)
        new = _sorted_set(buyer * n_sellers + np.minimum(seller, n_sellers - 1))
        if len(keys):
            new = new[~_contained(new, keys)]
        if len(new) > missing:
            new = generator.permutation(new)[:missing]
        keys = np.concatenate([keys, new])
        keys.sort()
    if len(keys) < number:
        raise CatallaxError(
            f"{number} edges on {n_buyers} buyers and {n_sellers} sellers cannot be so skewed; "
            "lower the degree or the exponent"
        )
    return _graph_of_keys(keys, n_buyers, n_sellers)


def _contained(values: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Return which sorted values occur among other sorted ones."""
    at = np.minimum(np.searchsorted(within, values), len(within) - 1)
    return within[at] == values


def spatial(n_buyers: int, n_sellers: int, degree: float, rng: RandomSource) -> Graph:
    """Return a graph of neighbours: agents at random places in the unit square.

    A buyer may trade with the sellers within the radius at which her expected number of sellers,
    away from the border, is `degree`.

    Parameters
    ----------
    n_buyers, n_sellers
        Numbers of agents.
    degree
        Expected sellers per buyer away from the border.
    rng
        Seed or generator.

    Returns
    -------
    Graph
        Sorted by buyer and seller.

    Examples
    --------
    >>> graph = spatial(1000, 1000, degree=5, rng=7)
    >>> bool(4000 < graph.n_edges < 5200)
    True
    """
    if degree < 0:
        raise CatallaxError(f"the degree is {degree}; give one that is at least 0")
    _refuse_too_many(n_buyers, n_sellers, degree)
    generator = np.random.default_rng(rng)
    buyers = generator.random((n_buyers, 2))
    sellers = generator.random((n_sellers, 2))
    return neighbours(buyers, sellers, float(np.sqrt(degree / (np.pi * max(n_sellers, 1)))))


def neighbours(buyers: np.ndarray, sellers: np.ndarray, radius: float) -> Graph:
    """Return the graph that joins the agents within a radius of each other.

    Parameters
    ----------
    buyers, sellers
        Places in the unit square, shapes ``(n, 2)`` and ``(m, 2)``.
    radius
        The largest distance at which two may trade.

    Returns
    -------
    Graph
        Sorted by buyer and seller.
    """
    # Cells as wide as the radius: partners are in the same cell or one of the eight around it.
    side = int(np.clip(1 / radius if radius > 0 else 1, 1, 2048))
    cell = np.minimum((sellers * side).astype(np.int64), side - 1)
    number = cell[:, 0] * side + cell[:, 1]
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(side * side + 1))
    home = np.minimum((buyers * side).astype(np.int64), side - 1)
    found: list[np.ndarray] = []
    for across in (-1, 0, 1):
        for down in (-1, 0, 1):
            row, column = home[:, 0] + across, home[:, 1] + down
            inside = np.flatnonzero((row >= 0) & (row < side) & (column >= 0) & (column < side))
            target = row[inside] * side + column[inside]
            buyer, slot = _pairs(inside, starts[target], starts[target + 1])
            seller = order[slot]
            gap = buyers[buyer] - sellers[seller]
            near = np.einsum("ij,ij->i", gap, gap) <= radius * radius
            found.append(buyer[near] * len(sellers) + seller[near])
    keys = np.concatenate(found)
    keys.sort()
    return _graph_of_keys(keys, len(buyers), len(sellers))


def _pairs(owners: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return every owner with every slot of its range, flat."""
    counts = ends - starts
    offsets = np.cumsum(counts) - counts
    total = int(counts.sum())
    slots = np.arange(total) + np.repeat(starts - offsets, counts)
    return np.repeat(owners, counts), slots


def _number_of_edges(n_buyers: int, n_sellers: int, degree: float) -> int:
    _refuse_too_many(n_buyers, n_sellers, degree)
    number = round(n_buyers * degree)
    if not 0 <= number <= n_buyers * n_sellers:
        raise CatallaxError(
            f"{degree} edges a buyer make {number} edges, and {n_buyers} buyers and {n_sellers} "
            f"sellers have {n_buyers * n_sellers} pairs; ask for a degree from 0 to {n_sellers}"
        )
    return number


def _refuse_too_many(n_buyers: int, n_sellers: int, degree: float) -> None:
    if max(n_buyers, n_sellers, n_buyers * degree) > MOST:
        raise CatallaxError(
            f"{n_buyers} buyers and {n_sellers} sellers with {degree} edges a buyer are too many; "
            f"a graph has at most {MOST:,} agents a side and {MOST:,} edges"
        )


def _graph_of_keys(keys: np.ndarray, n_buyers: int, n_sellers: int) -> Graph:
    width = max(n_sellers, 1)
    buyer = (keys // width).astype(np.int32)
    return Graph(n_buyers, n_sellers, buyer, (keys % width).astype(np.int32))
