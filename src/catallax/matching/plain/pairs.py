"""Who trades with whom in a plain graph, once it is known who trades."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.errors import UnsupportedMarketError
from catallax.markets.graph import Graph
from catallax.matching.plain.blocks import blocks

__all__ = ["pair_traders"]

Indices = NDArray[np.int32]

# Rows of both sides stand one after the other: from half of what a 32-bit number holds on their
# beginnings take longer numbers, and a search numbers the edges of one side with 32 bits.
SHORT, MOST_EDGES = 2**30, 2**31


def pair_traders(graph: Graph, buyer: Indices, seller: Indices) -> Indices:
    """Pair the traders of a sparse graph: `kernels_pairing.pairing`, compiling what is needed.

    Parameters
    ----------
    graph
        Who may trade with whom.
    buyer, seller
        Who trades, ascending.

    Returns
    -------
    numpy.ndarray
        The seller of each of `buyer`.

    Raises
    ------
    UnsupportedMarketError
        If the traders have 2^31 edges or more.

    Examples
    --------
    >>> graph = Graph(2, 2, [0, 0, 1], [0, 1, 0])
    >>> pair_traders(graph, np.array([0, 1], np.int32), np.array([0, 1], np.int32)).tolist()
    [1, 0]
    """
    from catallax.matching.plain import kernels_pairing
    from catallax.matching.plain.kernels_search import room_for_search

    start, neighbours = graph.by_buyer
    n = buyer.size
    most = int(kernels_pairing.edges_of(start, buyer))
    if most >= MOST_EDGES:
        raise UnsupportedMarketError(
            f"the buyers who trade have {most:,} edges, and pairs are found among fewer than "
            f"{MOST_EDGES:,}; leave edges out, or split the market"
        )
    number, mate, queue, lines = blocks(graph.n_sellers, 2 * n, 2 * n + 1, 6 * n + 3)
    trader, count = lines.reshape(-1, 3), mate[:n]
    if most >= SHORT:
        trader, count = trader.astype(np.int64), count.astype(np.int64)
    (around,) = blocks(2 * most)
    edges = kernels_pairing.rows_of_traders(
        start, neighbours, buyer, seller, number, count, trader, around
    )
    if kernels_pairing.force_pairs(trader, around, mate, queue) > 0:
        (space,) = blocks(edges + room_for_search(n, n))
        kernels_pairing.search_for_the_rest(trader, around[: 2 * edges], mate, space)
    return seller[mate[:n] - n]
