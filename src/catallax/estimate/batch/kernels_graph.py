"""Array-only kernels that match many profiles of one graph, a row each.

A row gives the agents of a profile by rank, heaviest first, as *positions*: buyer i as i, seller
j as n - 1 - j, with n agents in all. So of equal weights the smaller position comes first, as in
`catallax.matching.order`. What a kernel writes about agents stands at their positions; agents
that it names are positions as well, -1 for nobody.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_pairing import pairing
from catallax.matching.plain.kernels_sweep import sweep, turned_rows, useful_rows
from catallax.matching.plain.kernels_thresholds import (
    buyer_elsewhere,
    buyer_entry,
    buyer_thresholds,
    seller_elsewhere,
    seller_entry,
    seller_thresholds,
    two_buyer_thresholds,
    two_seller_thresholds,
)

__all__ = ["entry_rows", "pair_rows", "sweep_rows"]


@compiled
def _ranks(row, n_buyers, agent_at, buyer_rank, seller_rank):
    """Read one row: the agent at each rank as in `matching.order`, and each agent's rank."""
    n = row.size
    for rank in range(n):
        at = row[rank]
        if at < n_buyers:
            agent_at[rank] = at
            buyer_rank[at] = rank
        else:
            agent_at[rank] = at - n
            seller_rank[n - 1 - at] = rank


@compiled
def _name(ranks, row, out):
    """Write the positions of the agents at some ranks."""
    for x in range(ranks.size):
        out[x] = row[ranks[x]] if ranks[x] >= 0 else -1


@compiled
def sweep_rows(start, neighbours, n_sellers, rows, trades, setter):
    """Match every row in a sparse graph.

    Parameters
    ----------
    start, neighbours
        Rows of the graph's buyers.
    n_sellers
        Number of sellers.
    rows
        Positions by rank; shape (profiles, n).
    trades
        Written: whether the agent at each position trades; shape (profiles, n).
    setter
        Written: the agent that sets each trader's threshold; of others -1.
    """
    n_buyers = start.size - 1
    n = n_buyers + n_sellers
    agent_at = np.empty(n, np.int32)
    buyer_rank, seller_rank = np.empty(n_buyers, np.int32), np.empty(n_sellers, np.int32)
    for s in range(rows.shape[0]):
        _ranks(rows[s], n_buyers, agent_at, buyer_rank, seller_rank)
        useful_start, useful = useful_rows(start, neighbours, buyer_rank, seller_rank)
        of_buyer, of_seller = sweep(useful_start, useful, n_sellers, agent_at)
        turned_start, turned = turned_rows(useful_start, useful, n_sellers)
        for_buyers = buyer_thresholds(useful_start, useful, agent_at, of_buyer, of_seller)
        for_sellers = seller_thresholds(turned_start, turned, agent_at, of_buyer, of_seller)
        for i in range(n_buyers):
            trades[s, i] = of_buyer[i] >= 0
        for j in range(n_sellers):
            trades[s, n - 1 - j] = of_seller[j] >= 0
        _name(for_buyers, rows[s], setter[s, :n_buyers])
        _name(for_sellers, rows[s], setter[s, n_buyers:][::-1])


@compiled
def entry_rows(start, neighbours, seller_start, seller_neighbours, rows, trades, setter):
    """Write whom those that do not trade would have to beat, row by row in a sparse graph.

    Parameters
    ----------
    start, neighbours, seller_start, seller_neighbours
        Rows of the graph's buyers, and of its sellers.
    rows, trades
        As for `sweep_rows`.
    setter
        That of the traders; written for all others, -1 where nothing would help.
    """
    n_buyers, n_sellers = start.size - 1, seller_start.size - 1
    n = n_buyers + n_sellers
    agent_at, rank_of = np.empty(n, np.int32), np.empty(n, np.int32)
    buyer_rank, seller_rank = np.empty(n_buyers, np.int32), np.empty(n_sellers, np.int32)
    # Of the partners it only matters whether there is one.
    of_buyer, of_seller = np.empty(n_buyers, np.int32), np.empty(n_sellers, np.int32)
    for_buyers, for_sellers = np.empty(n_buyers, np.int32), np.empty(n_sellers, np.int32)
    for s in range(rows.shape[0]):
        row = rows[s]
        _ranks(row, n_buyers, agent_at, buyer_rank, seller_rank)
        for rank in range(n):
            rank_of[row[rank]] = rank
        for i in range(n_buyers):
            of_buyer[i] = 0 if trades[s, i] else -1
            for_buyers[i] = rank_of[setter[s, i]] if trades[s, i] else -1
        for j in range(n_sellers):
            at = n - 1 - j
            of_seller[j] = 0 if trades[s, at] else -1
            for_sellers[j] = rank_of[setter[s, at]] if trades[s, at] else -1
        enter = buyer_entry(start, neighbours, seller_rank, of_buyer, of_seller, for_sellers)
        for i in range(n_buyers):
            if not trades[s, i]:
                setter[s, i] = row[enter[i]] if enter[i] >= 0 else -1
        enter = seller_entry(
            seller_start, seller_neighbours, buyer_rank, of_buyer, of_seller, for_buyers
        )
        for j in range(n_sellers):
            if not trades[s, n - 1 - j]:
                setter[s, n - 1 - j] = row[enter[j]] if enter[j] >= 0 else -1


@compiled
def pair_rows(
    start, neighbours, seller_start, seller_neighbours, rows, trades, partner, elsewhere
):  # fmt: skip
    """Pair the traders of every row in a sparse graph, and find what they could do otherwise.

    Parameters
    ----------
    start, neighbours, seller_start, seller_neighbours
        Rows of the graph's buyers, and of its sellers.
    rows, trades
        As for `sweep_rows`.
    partner
        Written: the seller of each buyer by her index, or -1; shape (profiles, n_buyers).
    elsewhere
        Written: the agent up to whose weight each trader could do without her partner (see
        `matching.PairBounds`), -1 where there is nobody else; shape (profiles, n).
    """
    n_buyers, n_sellers = start.size - 1, seller_start.size - 1
    n = n_buyers + n_sellers
    agent_at = np.empty(n, np.int32)
    buyer_rank, seller_rank = np.empty(n_buyers, np.int32), np.empty(n_sellers, np.int32)
    for s in range(rows.shape[0]):
        _ranks(rows[s], n_buyers, agent_at, buyer_rank, seller_rank)
        buyers = np.flatnonzero(trades[s, :n_buyers]).astype(np.int32)
        sellers = np.flatnonzero(trades[s, n_buyers:][::-1]).astype(np.int32)
        paired = pairing(start, neighbours, buyers, sellers, n_sellers)
        of_buyer, of_seller = np.full(n_buyers, -1, np.int32), np.full(n_sellers, -1, np.int32)
        for x in range(buyers.size):
            of_buyer[buyers[x]] = paired[x]
            of_seller[paired[x]] = buyers[x]
        partner[s] = of_buyer
        first, second = two_seller_thresholds(
            seller_start, seller_neighbours, agent_at, of_buyer, of_seller
        )
        ranks = buyer_elsewhere(
            start, neighbours, buyer_rank, seller_rank, of_buyer, of_seller, first, second
        )
        _name(ranks, rows[s], elsewhere[s, :n_buyers])
        first, second = two_buyer_thresholds(start, neighbours, agent_at, of_buyer, of_seller)
        ranks = seller_elsewhere(
            seller_start, seller_neighbours, buyer_rank, seller_rank, of_buyer, of_seller, first,
            second,
        )  # fmt: skip
        _name(ranks, rows[s], elsewhere[s, n_buyers:][::-1])
