"""Array-only kernels that lay a large graph out for the guided sweep.

Agents are renumbered by *place*: their order by rank among their own side, heaviest first, with
the buyers who have no useful edge left out. So the sweep, which goes by rank, walks through
memory in order, and whoever is active at one time lies together.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from catallax.compiled import compiled
from catallax.matching.plain.kernels_prefetch import prefetch

__all__ = ["columns_by_place", "rows_by_place"]

AHEAD = 16


@compiled
def _place_sellers(agent_at, place_of, seller_at, seller_rank):
    """Find the place of every seller by rank, and the agent and the rank at every place."""
    place = 0
    for rank in range(agent_at.size):
        agent = agent_at[rank]
        if agent < 0:
            place_of[-1 - agent] = place
            seller_at[place] = -1 - agent
            seller_rank[place] = rank
            place += 1


@compiled
def rows_by_place(
    start, neighbours, agent_at, place_of, seller_at, seller_rank, buyer_at, buyer_rank, row_start,
    rows,
):  # fmt: skip
    """Copy the useful edges, and number both their ends by place.

    Parameters
    ----------
    start, neighbours
        Rows of the buyers, all edges; fewer than 2^31.
    agent_at
        Agent at each rank: buyer i as i, seller j as -1 - j.
    place_of
        To work with, one for each seller.
    seller_at, seller_rank
        Become the seller at each place, and her rank.
    buyer_at, buyer_rank
        Become the buyer at each place, and her rank.
    row_start, rows
        Become the places of the sellers next to each buyer, in rows of no particular order.

    Returns
    -------
    int
        How many buyers have a useful edge.
    """
    _place_sellers(agent_at, place_of, seller_at, seller_rank)
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
            if passed == seller_at.size:
                break
            continue
        before = filled
        for k in range(start[agent], start[agent + 1]):
            # An edge is useful if its seller is passed after the buyer has come.
            seller = place_of[neighbours[k]]
            rows[filled] = seller
            filled += seller >= passed
        if filled > before:
            buyer_at[place] = agent
            buyer_rank[place] = rank
            row_start[place] = before
            place += 1
    row_start[place] = filled
    return place


@compiled
def _lightest_first(row_start, rows, column_start, columns, filled):
    """Turn columns back into rows, the last column first: a sort of every row."""
    for row in range(row_start.size - 1):
        filled[row] = row_start[row]
    for column in range(column_start.size - 2, -1, -1):
        for k in range(column_start[column], column_start[column + 1]):
            row = columns[k]
            rows[filled[row]] = column
            filled[row] += 1


@compiled
def columns_by_place(row_start, rows, column_start, columns, filled):
    """Turn rows into columns, each in the order of the rows, and sort every row.

    A buyer tries her lightest seller first, who stays longest: so fewer sellers are taken from
    a buyer later on.

    Parameters
    ----------
    row_start, rows
        As `rows_by_place` leaves them. The rows are sorted, the lightest seller first.
    column_start, columns
        Become the places of the buyers next to each seller, the heaviest buyer first.
    filled
        To work with, one for each buyer, and one for each seller.
    """
    column_start[:] = 0
    for column in rows:
        column_start[column + 1] += 1
    for column in range(column_start.size - 1):
        filled[column] = column_start[column]
        column_start[column + 1] += column_start[column]
    for row in range(row_start.size - 1):
        for k in range(row_start[row], row_start[row + 1]):
            column = rows[k]
            columns[filled[column]] = row
            filled[column] += 1
    _lightest_first(row_start, rows, column_start, columns, filled)
