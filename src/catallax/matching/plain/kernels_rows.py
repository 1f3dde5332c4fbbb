"""Array-only kernels that lay a large graph out for the guided sweep.

Agents are renumbered by *place*: their order by rank among their own side, heaviest first, with
the buyers who have no useful edge left out. So the sweep, which goes by rank, walks through
memory in order, and whoever is active at one time lies together.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_prefetch import prefetch

__all__ = ["rows_by_place"]

AHEAD = 8


@compiled
def _seller_places(agent_at, n_sellers):
    """Find the place of every seller by rank, and the agent and the rank at every place."""
    place_of = np.empty(n_sellers, np.int32)
    seller_at = np.empty(n_sellers, np.int32)
    seller_rank = np.empty(n_sellers, np.int32)
    place = 0
    for rank in range(agent_at.size):
        agent = agent_at[rank]
        if agent < 0:
            place_of[-1 - agent] = place
            seller_at[place] = -1 - agent
            seller_rank[place] = rank
            place += 1
    return place_of, seller_at, seller_rank


@compiled
def _useful_rows_by_place(start, neighbours, agent_at, place_of):
    """Copy the useful edges, rows by the places of the buyers, columns those of the sellers."""
    n_buyers = start.size - 1
    buyer_at = np.empty(n_buyers, np.int32)
    buyer_rank = np.empty(n_buyers, np.int32)
    row_start = np.empty(n_buyers + 1, np.int32)
    column = np.empty(neighbours.size, np.int32)
    filled = 0
    place = 0
    passed = 0
    for rank in range(agent_at.size):
        # The rows come in the order of the ranks, and so from anywhere: ask for them early.
        if rank + 2 * AHEAD < agent_at.size:
            agent = agent_at[rank + 2 * AHEAD]
            if agent >= 0:
                prefetch(start, agent)
            agent = agent_at[rank + AHEAD]
            if agent >= 0:
                prefetch(neighbours, start[agent])
                prefetch(neighbours, start[agent + 1])
        agent = agent_at[rank]
        if agent < 0:
            passed += 1
            if passed == place_of.size:
                break
            continue
        before = filled
        for k in range(start[agent], start[agent + 1]):
            # An edge is useful if its seller is passed after the buyer has come.
            seller = place_of[neighbours[k]]
            column[filled] = seller
            filled += seller >= passed
        if filled > before:
            buyer_at[place] = agent
            buyer_rank[place] = rank
            row_start[place] = before
            place += 1
    row_start[place] = filled
    return (
        buyer_at[:place].copy(),
        buyer_rank[:place].copy(),
        row_start[: place + 1].copy(),
        column[:filled],
    )


@compiled
def _turned(start, columns, n_columns):
    """Turn rows into columns, each in the order of the rows."""
    turned_start = np.zeros(n_columns + 1, np.int32)
    for column in columns:
        turned_start[column + 1] += 1
    for column in range(n_columns):
        turned_start[column + 1] += turned_start[column]
    filled = turned_start[:-1].copy()
    turned = np.empty(columns.size, np.int32)
    for row in range(start.size - 1):
        for k in range(start[row], start[row + 1]):
            column = columns[k]
            turned[filled[column]] = row
            filled[column] += 1
    return turned_start, turned


@compiled
def _lightest_first(start, turned_start, turned):
    """Turn columns back into rows, the last column first: a sort of every row."""
    filled = start[:-1].copy()
    rows = np.empty(turned.size, np.int32)
    for column in range(turned_start.size - 2, -1, -1):
        for k in range(turned_start[column], turned_start[column + 1]):
            row = turned[k]
            rows[filled[row]] = column
            filled[row] += 1
    return rows


@compiled
def rows_by_place(start, neighbours, agent_at, n_sellers):
    """Lay out the useful edges by the places of their ends.

    A buyer tries her lightest seller first, who stays longest: so fewer sellers are taken from
    a buyer later on.

    Parameters
    ----------
    start, neighbours
        Rows of the buyers, all edges; fewer than 2^31.
    agent_at
        Agent at each rank: buyer i as i, seller j as -1 - j.
    n_sellers
        Number of sellers.

    Returns
    -------
    buyer_at, buyer_rank
        The buyer at each place, and her rank.
    seller_at, seller_rank
        The seller at each place, and her rank.
    row_start, rows
        Places of the sellers next to each buyer, the lightest seller first.
    column_start, columns
        Places of the buyers next to each seller, the heaviest buyer first.
    """
    place_of, seller_at, seller_rank = _seller_places(agent_at, n_sellers)
    buyer_at, buyer_rank, row_start, unsorted = _useful_rows_by_place(
        start, neighbours, agent_at, place_of
    )
    column_start, columns = _turned(row_start, unsorted, n_sellers)
    rows = _lightest_first(row_start, column_start, columns)
    return buyer_at, buyer_rank, seller_at, seller_rank, row_start, rows, column_start, columns
