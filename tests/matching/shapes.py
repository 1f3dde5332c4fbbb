"""Markets of every shape that has ever been hard for a matching algorithm, small or large.

Each is drawn as edges and weights from a size and a generator. The orders of weights matter as
much as the edges: a sweep goes by weight, and so it is the weights that make it take detours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["SHAPES", "WEIGHTS", "Case", "draw"]


class Case(NamedTuple):
    """A market as arrays: ends of the edges, and the weights of both sides."""

    buyer: np.ndarray
    seller: np.ndarray
    buyer_weights: np.ndarray
    seller_weights: np.ndarray


Edges = tuple[int, int, np.ndarray, np.ndarray]


def _random(size: int, rng: np.random.Generator) -> Edges:
    n, m = rng.integers(1, size + 2, 2)
    return int(n), int(m), rng.integers(0, n, 3 * size), rng.integers(0, m, 3 * size)


def _thin(size: int, rng: np.random.Generator) -> Edges:
    """Three edges for each buyer, as many sellers: just enough for nearly everybody to trade."""
    return size, size, np.repeat(np.arange(size), 3), rng.integers(0, size, 3 * size)


def _spatial(size: int, rng: np.random.Generator) -> Edges:
    """Agents along a line know those at most two places away."""
    buyer = np.repeat(np.arange(size), 5)
    return size, size, buyer, buyer + np.tile(np.arange(-2, 3), size)


def _skewed(size: int, rng: np.random.Generator) -> Edges:
    """Few sellers and few buyers have most of the edges."""
    buyer, seller = (size * rng.random((2, 3 * size)) ** 3).astype(int)
    return size, size, buyer, seller


def _chain(size: int, rng: np.random.Generator) -> Edges:
    """One path through everybody, or many."""
    buyer = np.repeat(np.arange(size), 2)
    seller = buyer + np.tile([0, 1], size)
    kept = rng.random(2 * size) > rng.choice([0, 0.02, 0.2])
    return size, size + 1, buyer[kept], seller[kept]


def _comb(size: int, rng: np.random.Generator) -> Edges:
    """A path with a buyer waiting at every seller."""
    _, _, buyer, seller = _chain(size, rng)
    each = np.arange(size)
    return 2 * size, size + 1, np.append(buyer, size + each), np.append(seller, each)


def _blocks(size: int, rng: np.random.Generator) -> Edges:
    """Complete blocks, of unequal sides, each joined to the next by one edge."""
    n, m = rng.integers(1, 2 + int(2 * size**0.5), 2)
    count = max(1, 3 * size // int(n * m))
    block, buyer, seller = (x.ravel() for x in np.indices((count, n, m)))
    links = np.arange(count - 1)
    buyers = np.concatenate([block * n + buyer, links * n + rng.integers(0, n, links.size)])
    sellers = np.concatenate([block * m + seller, (links + 1) * m])
    return int(count * n), int(count * m), buyers, sellers


def _star(size: int, rng: np.random.Generator) -> Edges:
    """Hubs on both sides, with leaves that know nobody else, and each other's hubs."""
    hubs = int(rng.integers(1, 4))
    leaf = hubs + np.arange(size)
    hub = rng.integers(0, hubs, (2, size))
    among = np.indices((hubs, hubs)).reshape(2, -1)
    buyer = np.concatenate([hub[0], leaf, among[0]])
    return hubs + size, hubs + size, buyer, np.concatenate([leaf, hub[1], among[1]])


def _grid(size: int, rng: np.random.Generator) -> Edges:
    """The cells of a chessboard: black ones buy, white ones sell, neighbours know each other."""
    side = max(2, int((2 * size) ** 0.5) // 2 * 2)
    row, column = np.divmod(np.arange(side * side), side)
    black = (row + column) % 2 == 0
    ends = []
    for down, across in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        r, c = row + down, column + across
        inside = black & (r >= 0) & (r < side) & (c >= 0) & (c < side)
        ends.append(((row * side + column)[inside] // 2, (r * side + c)[inside] // 2))
    half = side * side // 2
    buyer, seller = (np.concatenate(end) for end in zip(*ends, strict=True))
    return half, half, buyer, seller


def _nested(size: int, rng: np.random.Generator) -> Edges:
    """Buyer i knows the first i sellers: sets within sets."""
    side = max(1, int((2 * size) ** 0.5))
    buyer, seller = np.tril_indices(side)
    return side, side, buyer, seller


def _disconnected(size: int, rng: np.random.Generator) -> Edges:
    """Pairs, and agents whom nobody knows."""
    seller = rng.permutation(2 * size)[:size]
    return 2 * size, 2 * size, rng.permutation(2 * size)[:size], seller


def _empty_side(size: int, rng: np.random.Generator) -> Edges:
    """Nobody on one side, or nobody at all, or no edges."""
    n, m = [(0, size), (size, 0), (0, 0), (size, size)][rng.integers(4)]
    return n, m, np.empty(0, int), np.empty(0, int)


SHAPES: dict[str, Callable[[int, np.random.Generator], Edges]] = {
    shape.__name__.lstrip("_"): shape
    for shape in (
        _random, _thin, _spatial, _skewed, _chain, _comb, _blocks, _star, _grid, _nested,
        _disconnected, _empty_side,
    )
}  # fmt: skip


def _weights(kind: str, n: int, m: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw weights of a kind: in general position, tied, or in the order of the market."""
    if kind == "distinct":
        both = rng.permutation(n + m).astype(float)
        return both[:n], both[n:]
    if kind == "tied":
        levels = rng.choice([1, 2, 4, 10])
        both = rng.integers(0, levels + 1, n + m).astype(float)
        return both[:n], both[n:]
    if kind == "equal":
        return np.ones(n), np.ones(m)
    if kind == "plateau":  # all buyers on one plateau, above most sellers
        return np.full(n, 0.75), rng.random(m)
    if kind == "useless":
        return rng.random(n), 1 + rng.random(m)
    if kind == "infinite":
        levels = np.array([-np.inf, 0, 1, 2, np.inf])
        return rng.choice(levels[:4], n), rng.choice(levels[1:], m)
    # All buyers above all sellers, and either side up or down the market.
    buyers, sellers = 1 + np.arange(n) / max(n, 1), np.arange(m) / max(m, 1)
    return buyers[:: 1 if kind[0] == "u" else -1], sellers[:: 1 if kind[1] == "u" else -1]


WEIGHTS = ["distinct", "tied", "equal", "plateau", "useless", "infinite", "uu", "ud", "du", "dd"]


def draw(shape: str, size: int, rng: np.random.Generator, weights: str | None = None) -> Case:
    """Draw a market of a shape: about `size` agents a side, edges and agents shuffled or not.

    Parameters
    ----------
    shape
        One of `SHAPES`.
    size
        Agents a side, roughly; shapes of high degree have as many edges instead.
    rng
        Decides everything that is random.
    weights
        One of `WEIGHTS`; any of them if left out.

    Returns
    -------
    Case
        Without duplicate edges.
    """
    n, m, buyer, seller = SHAPES[shape](size, rng)
    inside = (seller >= 0) & (seller < m)
    key = np.unique(buyer[inside] * max(m, 1) + seller[inside])
    buyer, seller = np.divmod(key, max(m, 1))
    if weights is None:
        weights = str(rng.choice(WEIGHTS))
        if rng.random() < 0.5:
            buyer, seller = rng.permutation(n)[buyer], rng.permutation(m)[seller]
    return Case(buyer.astype(np.int32), seller.astype(np.int32), *_weights(weights, n, m, rng))
