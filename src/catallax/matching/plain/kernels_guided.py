"""Array-only kernels of the guided sweep: `kernels_sweep.sweep` for large graphs, with all labels.

The walk is the same, and so is its result; searches are those of `kernels_search`, on the rows
of `kernels_rows`. Two things come with it. What a failing search closes is what the thresholds of
buyers ask for: everybody whose place the agent just passed could take, and nobody heavier could.
So labels of buyers cost nothing. Labels of sellers are the traversal of `kernels_thresholds` on
the rows by place.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import (
    FRESH,
    GONE,
    PARTNER,
    START,
    STOP,
    assign,
    free_seller,
    new_search,
    search_far,
    search_near,
)

__all__ = ["guided_sweep", "seller_labels"]


@compiled
def _look_ahead_to_buyer(i, buyer, rows, holder):
    """Ask for what the searches of the next buyers will read first."""
    prefetch(holder, rows[buyer[i + 8, START]])
    held = holder[rows[buyer[i + 4, START]]]
    if held >= 0:
        prefetch(buyer, held >> 2)
    held = holder[rows[buyer[i + 2, START]]]
    if held >= 0:
        prefetch(rows, buyer[held >> 2, FRESH])


@compiled
def _look_ahead_to_seller(j, buyer, rows, holder):
    """Ask for what the searches for the partners of the next sellers will read first."""
    held = holder[j + 8]
    if held >= 0:
        prefetch(buyer, held >> 2)
    held = holder[j + 4]
    if held >= 0:
        prefetch(rows, buyer[held >> 2, FRESH])


@compiled
def _close(root, rank, label, buyer, rows, holder, queue):
    """Close what can be reached from a root, and label the buyers found there."""
    queue[0] = root
    reached = 1
    head = 0
    while head < reached:
        i = queue[head]
        head += 1
        for k in range(buyer[i, START], buyer[i, STOP]):
            j = rows[k]
            held = holder[j]
            if held != GONE:
                holder[j] = GONE
                label[held >> 2] = rank
                queue[reached] = held >> 2
                reached += 1


@compiled
def guided_sweep(row_start, rows, column_start, columns, buyer_rank, seller_rank, near):
    """Match buyers and sellers so that the total weight is largest, with the buyers' labels.

    Parameters
    ----------
    row_start, rows, column_start, columns, buyer_rank, seller_rank
        As `rows_by_place` gives them; `rows` is used up.
    near
        How many edges a search sees before it is guided; the result does not depend on it.

    Returns
    -------
    partner_of_buyer, partner_of_seller
        Who trades, by place; -1 where nobody. The partners are one possible pairing.
    label
        Rank of the agent that sets the threshold of the buyer at each place; -1 for those who do
        not trade.
    """
    n_buyers, n_sellers = buyer_rank.size, seller_rank.size
    s = new_search(row_start, rows, column_start, columns)
    buyer, holder, queue = s.buyer, s.holder, s.queue
    label = np.full(n_buyers, -1, np.int32)
    i, j = 0, 0
    while i < n_buyers or j < n_sellers:
        if j == n_sellers or (i < n_buyers and buyer_rank[i] < seller_rank[j]):
            root, rank, passed = i, buyer_rank[i], False
            i += 1
            if i + 8 < n_buyers:
                _look_ahead_to_buyer(i, buyer, rows, holder)
        else:
            held, rank, passed = holder[j], seller_rank[j], True
            holder[j] = GONE
            j += 1
            if j + 8 < n_sellers:
                _look_ahead_to_seller(j, buyer, rows, holder)
            if held < 0:  # free, or closed before
                continue
            root = held >> 2
        last, free = root, free_seller(root, buyer, rows, holder)
        if free < 0:
            last, free, complete = search_near(root, near, buyer, rows, holder, queue)
            if not complete:
                last, free = search_far(root, i, s)
        if free >= 0:
            assign(root, last, free, buyer, holder)
            continue
        if passed:  # she is given back
            label[root] = rank
        _close(root, rank, label, buyer, rows, holder, queue)
    partner_of_buyer = buyer[:, PARTNER].copy()
    partner_of_seller = np.full(n_sellers, -1, np.int32)
    for i in range(n_buyers):
        if partner_of_buyer[i] >= 0:
            partner_of_seller[partner_of_buyer[i]] = i
    return partner_of_buyer, partner_of_seller, label


@compiled
def seller_labels(
    column_start, columns, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller
):
    """Find for the seller at each place the rank of the agent that sets her threshold.

    As `kernels_thresholds.seller_thresholds`, but labels are kept by the buyer of each pair, so
    that one look at an edge tells whether it leads on; and it ends when nobody lacks one.
    """
    of_pair = np.zeros(buyer_rank.size, np.int32)  # who does not trade needs none
    missing = 0
    for i in range(buyer_rank.size):
        if partner_of_buyer[i] >= 0:
            of_pair[i] = -1
            missing += 1
    stack = np.empty(missing + 1, np.int32)
    i, j = buyer_rank.size - 1, seller_rank.size - 1
    while missing > 0:
        if j < 0 or (i >= 0 and buyer_rank[i] > seller_rank[j]):
            root, rank = partner_of_buyer[i], buyer_rank[i]
            i -= 1
            if of_pair[i + 1] >= 0:
                continue
            of_pair[i + 1] = rank
            missing -= 1
        else:
            root, rank = j, seller_rank[j]
            j -= 1
            if partner_of_seller[root] >= 0:
                continue
        depth = 0
        while True:
            for k in range(column_start[root], column_start[root + 1]):
                buyer = columns[k]
                if of_pair[buyer] < 0:
                    of_pair[buyer] = rank
                    missing -= 1
                    stack[depth] = partner_of_buyer[buyer]
                    prefetch(column_start, stack[depth])
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            root = stack[depth]
            if depth > 0:
                prefetch(columns, column_start[stack[depth - 1]])
    label = np.full(seller_rank.size, -1, np.int32)
    for i in range(buyer_rank.size):
        if partner_of_buyer[i] >= 0:
            label[partner_of_buyer[i]] = of_pair[i]
    return label
