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
from catallax.matching.plain.kernels_far import find_seller
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import FRESH, GONE, PARTNER, START, STOP, new_search

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
def guided_sweep(
    row_start, rows, column_start, columns, buyer_rank, seller_rank, near, space,
    partner_of_buyer, partner_of_seller, label,
):  # fmt: skip
    """Match buyers and sellers so that the total weight is largest, with the buyers' labels.

    Parameters
    ----------
    row_start, rows, column_start, columns, buyer_rank, seller_rank
        The graph by place, see `kernels_rows`; `rows` is used up.
    near
        How many edges a search sees before it is guided; the result does not depend on it.
    space
        To work with: as many as `room_for_search` says.
    partner_of_buyer, partner_of_seller
        Become the partners by place, in one possible pairing; -1 of those who do not trade.
    label
        Becomes the rank of the agent that sets the threshold of the buyer at each place; -1 of
        those who do not trade.
    """
    n_buyers, n_sellers = buyer_rank.size, seller_rank.size
    s = new_search(row_start, rows, column_start, columns, space)
    buyer, holder, queue = s.buyer, s.holder, s.queue
    label[:] = -1
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
        if not find_seller(root, i, near, s):
            if passed:  # she is given back
                label[root] = rank
            _close(root, rank, label, buyer, rows, holder, queue)
    partner_of_seller[:] = -1
    for i in range(n_buyers):
        partner_of_buyer[i] = buyer[i, PARTNER]
        if partner_of_buyer[i] >= 0:
            partner_of_seller[partner_of_buyer[i]] = i


@compiled
def seller_labels(
    column_start, columns, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller, stack,
    label,
):  # fmt: skip
    """Find for the seller at each place the rank of the agent that sets her threshold.

    As `kernels_thresholds.seller_thresholds`, but who lacks a label is kept by the buyers of the
    pairs, in a byte each: so one look at an edge, in the fastest memory there is, tells whether
    it leads on; and it ends when nobody lacks one.

    Parameters
    ----------
    column_start, columns, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller
        As in `guided_sweep`.
    stack
        To work with, one for each buyer.
    label
        Becomes the labels; of those who do not trade it is left as it is.
    """
    lacks = np.empty(buyer_rank.size, np.uint8)
    missing = 0
    for i in range(buyer_rank.size):
        lacks[i] = partner_of_buyer[i] >= 0
        missing += lacks[i]
    i, j = buyer_rank.size - 1, seller_rank.size - 1
    while missing > 0:
        if j < 0 or (i >= 0 and buyer_rank[i] > seller_rank[j]):
            i -= 1
            if not lacks[i + 1]:
                continue
            root, rank = partner_of_buyer[i + 1], buyer_rank[i + 1]
            lacks[i + 1] = 0
            label[root] = rank
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
                if lacks[buyer]:
                    lacks[buyer] = 0
                    seller = partner_of_buyer[buyer]
                    label[seller] = rank
                    prefetch(column_start, seller)
                    stack[depth] = seller
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            root = stack[depth]
            missing -= 1
            if depth > 0:
                prefetch(columns, column_start[stack[depth - 1]])
