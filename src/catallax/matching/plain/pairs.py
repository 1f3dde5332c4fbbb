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


def pair_traders(
    graph: Graph,
    buyer: Indices,
    seller: Indices,
    buyer_start: NDArray[np.int64] | None = None,
) -> Indices:
    """Pair the traders of a sparse graph: `kernels_pairing.pairing`, compiling what is needed.

    Parameters
    ----------
    graph
        Who may trade with whom.
    buyer, seller
        Who trades, ascending.
    buyer_start
        Of many markets in one graph, one after the other: where the buyers of each begin, and
        where the last ones end. Then each is paired as it is alone.

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

    start, neighbours = graph.by_buyer
    n = buyer.size
    most = int(kernels_pairing.edges_of(start, buyer))
    if most >= MOST_EDGES:
        raise UnsupportedMarketError(
            f"the buyers who trade have {most:,} edges, and pairs are found among fewer than "
            f"{MOST_EDGES:,}; leave edges out, or split the market"
        )
    mate, queue, begin, halves = blocks(2 * n, 2 * n + 1, 2 * n + 1, 4 * n)
    state, count = halves.view(np.int64), mate[:n]
    if most >= SHORT:
        begin, count = begin.astype(np.int64), count.astype(np.int64)
    (around,) = blocks(2 * most)
    edges = kernels_pairing.rows_of_traders(
        start, neighbours, buyer, seller, graph.n_sellers, count, begin, state, around
    )
    parts = np.array([0, n]) if buyer_start is None else np.searchsorted(buyer, buyer_start)
    if kernels_pairing.force_pairs(begin, state, around, mate, queue, parts) > 0:
        (space,) = blocks(int(kernels_pairing.room_for_the_rest(edges, n)))
        kernels_pairing.search_for_the_rest(begin, around, mate, space, parts)
    return seller[mate[:n] - n]
