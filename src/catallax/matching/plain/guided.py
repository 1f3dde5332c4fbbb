"""Matching of large sparse graphs by the guided sweep, and what can run beside it.

Same trades, thresholds and sources as the simple sweep of `kernels_sweep`, and faster on large
graphs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.parallel import both
from catallax.matching.plain.blocks import blocks
from catallax.matching.plain.pairs import pair_traders

__all__ = ["Traders", "find_traders", "fits", "match_guided"]

Indices = NDArray[np.int32]

# From about here on the preparations pay, measured on random, spatial and skewed graphs. Places
# are 32-bit numbers, and two bits of a seller's are marks.
FEWEST_EDGES, MOST_EDGES, MOST_BUYERS = 25_000, 2**31, 2**29


def fits(graph: Graph) -> bool:
    """Tell whether a sparse graph is large enough for the guided sweep, and not too large."""
    return FEWEST_EDGES <= graph.n_edges < MOST_EDGES and graph.n_buyers < MOST_BUYERS


@dataclass(frozen=True)
class Places:
    """The useful part of a large graph, its agents numbered by place; see `kernels_rows`.

    Attributes
    ----------
    buyer_at, seller_at
        The agent at each place of either side.
    buyer_rank, seller_rank
        Her rank.
    row_start, rows, column_start, columns
        Who is next to each buyer, and to each seller.
    partner_of_buyer, partner_of_seller
        Once `match_places` has found them: partners by place, -1 of those who do not trade.
    buyer_label
        And the rank of the agent that sets each buyer's threshold.
    """

    buyer_at: Indices
    seller_at: Indices
    buyer_rank: Indices
    seller_rank: Indices
    row_start: Indices
    rows: Indices
    column_start: Indices
    columns: Indices
    partner_of_buyer: Indices
    partner_of_seller: Indices
    buyer_label: Indices


def match_places(graph: Graph, agent_at: Indices, *, near: int | None = None) -> Places:
    """Find who trades in a large sparse graph, with all agents numbered by place.

    Parameters
    ----------
    graph, agent_at, near
        As in `match_guided`.
    """
    from catallax.matching.plain import kernels_guided, kernels_rows
    from catallax.matching.plain.kernels_search import NEAR, room_for_search

    n, m = graph.n_buyers, graph.n_sellers
    of_sellers = seller_at, seller_rank, partner_of_seller, place_of = blocks(m, m, m, m)
    column_start, filled = blocks(m + 1, max(n, m))
    buyer_at, buyer_rank, row_start = blocks(n, n, n + 1)
    (rows,) = blocks(graph.n_edges)
    k = kernels_rows.rows_by_place(
        *graph.by_buyer, agent_at, place_of, *of_sellers[:2], buyer_at, buyer_rank, row_start, rows
    )
    row_start, rows = row_start[: k + 1], rows[: row_start[k]]
    columns, partner_of_buyer, label, space = blocks(rows.size, k, k, room_for_search(k, m))
    kernels_rows.columns_by_place(row_start, rows, column_start, columns, filled)
    graph_by_place = row_start, rows, column_start, columns, buyer_rank[:k], seller_rank
    found = partner_of_buyer, partner_of_seller, label
    kernels_guided.guided_sweep(*graph_by_place, NEAR if near is None else near, space, *found)
    return Places(
        buyer_at[:k], seller_at, buyer_rank[:k], seller_rank, row_start, rows, column_start,
        columns, *found,
    )  # fmt: skip


@dataclass(frozen=True)
class Traders:
    """Who trades in a large sparse graph; pairs and labels are still to be found.

    Attributes
    ----------
    graph, places
        The graph, and what `match_places` has found in it.
    buyer, seller
        Who trades, ascending.
    """

    graph: Graph
    places: Places
    buyer: Indices
    seller: Indices

    def pairs(self, buyer_start: NDArray[np.int64] | None = None) -> Indices:
        """Find the seller of each buyer; see `pair_traders`."""
        return pair_traders(self.graph, self.buyer, self.seller, buyer_start)

    def labels(self) -> tuple[Indices, Indices]:
        """Find of every agent who trades the rank of the one that sets her threshold."""
        from catallax.matching.plain import kernels_guided

        places = self.places
        sides = self.graph.n_buyers, self.graph.n_sellers
        of_buyers, of_sellers = (np.full(side, -1, np.int32) for side in sides)
        kernels_guided.labels(
            places.column_start, places.columns, places.buyer_rank, places.seller_rank,
            places.partner_of_buyer, places.partner_of_seller, places.buyer_label,
            places.buyer_at, places.seller_at, blocks(3 * places.buyer_at.size)[0],
            of_buyers, of_sellers,
        )  # fmt: skip
        return of_buyers, of_sellers


def find_traders(graph: Graph, agent_at: Indices, *, near: int | None = None) -> Traders:
    """Find who trades in a large sparse graph.

    Parameters
    ----------
    graph, agent_at, near
        As in `match_guided`.
    """
    places = match_places(graph, agent_at, near=near)
    buyer = np.sort(places.buyer_at[places.partner_of_buyer >= 0])
    seller = np.sort(places.seller_at[places.partner_of_seller >= 0])
    return Traders(graph, places, buyer, seller)


def match_guided(
    graph: Graph,
    agent_at: Indices,
    buyer_start: NDArray[np.int64] | None = None,
    *,
    near: int | None = None,
) -> tuple[Indices, Indices, tuple[Indices, Indices]]:
    """Match a large sparse graph: who trades, every label, and the pairs.

    Parameters
    ----------
    graph
        Who may trade with whom.
    agent_at
        As `order_agents` gives it.
    buyer_start
        As for `pair_traders`.
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
    found = find_traders(graph, agent_at, near=near)
    paired, labels = both(lambda: found.pairs(buyer_start), found.labels)
    return found.buyer, paired, labels
