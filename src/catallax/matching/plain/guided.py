"""Matching of large sparse graphs by the guided sweep, and what can run beside it.

Same trades, thresholds and sources as the simple sweep of `kernels`, and faster on large graphs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.parallel import both

__all__ = ["fits", "match_guided"]

Indices = NDArray[np.int32]

# From about here on the preparations pay, measured on random, spatial and skewed graphs. Places
# are 32-bit numbers, and two bits of a seller's are marks.
FEWEST_EDGES, MOST_EDGES, MOST_BUYERS = 25_000, 2**31, 2**29


def fits(graph: Graph) -> bool:
    """Tell whether a sparse graph is large enough for the guided sweep, and not too large."""
    return FEWEST_EDGES <= graph.n_edges < MOST_EDGES and graph.n_buyers < MOST_BUYERS


def match_guided(
    graph: Graph, ranks: tuple[Indices, Indices, Indices], *, near: int | None = None
) -> tuple[Indices, Indices, tuple[Indices, Indices]]:
    """Match a large sparse graph: who trades, every label, and the pairs.

    Parameters
    ----------
    graph
        Who may trade with whom.
    ranks
        As `rank_agents` gives them.
    near
        How many edges a search sees before it is guided. For tests: the result does not depend
        on it.

    Returns
    -------
    buyer, seller
        The trades, buyers in market order.
    labels
        Of every buyer and every seller who trades the rank of the agent that sets her threshold.
    """
    from catallax.matching.plain import kernels_guided, kernels_pairing, kernels_rows
    from catallax.matching.plain.kernels_search import NEAR

    laid_out = kernels_rows.rows_by_place(*graph.by_buyer, ranks[2], graph.n_sellers)
    buyer_at, buyer_rank, seller_at, seller_rank, row_start, rows, *columns = laid_out
    partner_of_buyer, partner_of_seller, buyer_label = kernels_guided.guided_sweep(
        row_start, rows, *columns, buyer_rank, seller_rank, NEAR if near is None else near
    )
    buyer = np.sort(buyer_at[partner_of_buyer >= 0])
    seller = np.sort(seller_at[partner_of_seller >= 0])

    def pairs() -> Indices:
        return kernels_pairing.pairing(*graph.by_buyer, buyer, seller, graph.n_sellers)

    def labels() -> tuple[Indices, Indices]:
        seller_label = kernels_guided.seller_labels(
            *columns, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller
        )
        of_buyers = np.full(graph.n_buyers, -1, np.int32)
        of_buyers[buyer_at] = buyer_label
        of_sellers = np.empty(graph.n_sellers, np.int32)
        of_sellers[seller_at] = seller_label
        return of_buyers, of_sellers

    paired, labelled = both(pairs, labels)
    return buyer, paired, labelled
