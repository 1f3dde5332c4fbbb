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
from catallax.matching.plain.kernels_far import search_far
from catallax.matching.plain.kernels_prefetch import prefetch
from catallax.matching.plain.kernels_search import (
    GONE,
    PARTNER,
    START,
    STOP,
    assign,
    assign_along,
    free_seller,
    new_search,
    search_near,
)

__all__ = ["guided_sweep", "labels"]

# So many sellers the sweep looks ahead, and of those who had a partner it remembers as many.
AHEAD, COMING = 96, 128


@compiled
def _look_ahead_to_buyer(i, buyer, rows, holder):
    """Ask for what the searches of the next buyers will read first."""
    prefetch(holder, rows[buyer[i + 24, START]])
    prefetch(buyer, holder[rows[buyer[i + 8, START]]] >> 2)
    prefetch(rows, buyer[holder[rows[buyer[i + 4, START]]] >> 2, START])


@compiled
def _look_ahead_to_sellers(coming, first, last, buyer, rows, holder):
    """Ask for what the searches for the partners of the coming sellers will read.

    Each time a step further: the row, who has the sellers in it, those buyers, and their rows.
    """
    if first + 7 < last:
        prefetch(rows, buyer[holder[coming[(first + 7) % COMING]] >> 2, START])
    if first + 5 < last:
        held = holder[coming[(first + 5) % COMING]]
        if held >= 0:
            for k in range(buyer[held >> 2, START], buyer[held >> 2, STOP]):
                prefetch(holder, rows[k])
    if first + 3 < last:
        held = holder[coming[(first + 3) % COMING]]
        if held >= 0:
            for k in range(buyer[held >> 2, START], buyer[held >> 2, STOP]):
                prefetch(buyer, holder[rows[k]] >> 2)
    if first + 1 < last:
        held = holder[coming[(first + 1) % COMING]]
        if held >= 0:
            for k in range(buyer[held >> 2, START], buyer[held >> 2, STOP]):
                other = holder[rows[k]]
                if other >= 0:
                    prefetch(rows, buyer[other >> 2, START])


@compiled
def _close_reached(reached, rank, label, buyer, holder, queue):
    """Close what a search near its root has reached, which is all there is, and label it."""
    for k in range(1, reached):
        i = queue[k]
        label[i] = rank
        holder[buyer[i, PARTNER]] = GONE


@compiled
def _close(root, rank, label, buyer, rows, holder, queue):
    """Find all that can be reached from a root, close it, and label the buyers found there."""
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
    buyer, holder, queue, came = s.buyer, s.holder, s.queue, s.came
    label[:] = -1
    coming = np.empty(COMING, np.int32)  # sellers ahead who had a partner when looked at, in turn
    first_coming, last_coming = 0, 0
    i, j = 0, 0
    while i < n_buyers or j < n_sellers:
        if j == n_sellers or (i < n_buyers and buyer_rank[i] < seller_rank[j]):
            root, rank, passed = i, buyer_rank[i], False
            i += 1
            if i + 24 < n_buyers:
                _look_ahead_to_buyer(i, buyer, rows, holder)
        else:
            held, rank, passed = holder[j], seller_rank[j], True
            holder[j] = GONE
            if j + AHEAD < n_sellers:
                coming[last_coming % COMING] = j + AHEAD
                prefetch(buyer, holder[j + AHEAD] >> 2)
                last_coming += holder[j + AHEAD] >= 0
            j += 1
            if held < 0:  # free, or closed before
                continue
            root = held >> 2
            while first_coming < last_coming and coming[first_coming % COMING] < j:
                first_coming += 1
            _look_ahead_to_sellers(coming, first_coming - 1, last_coming, buyer, rows, holder)
        free = free_seller(root, buyer, rows, holder)
        if free >= 0:
            assign(root, free, buyer, holder)
            continue
        last, free, reached = search_near(root, near, buyer, rows, holder, queue, came)
        if free < 0 and reached == 0:
            last, free = search_far(root, i, s)
        if free >= 0:
            assign_along(last, free, buyer, holder, queue, came)
            continue
        if passed:  # she is given back
            label[root] = rank
        if reached > 0:
            _close_reached(reached, rank, label, buyer, holder, queue)
        else:
            _close(root, rank, label, buyer, rows, holder, queue)
    partner_of_seller[:] = -1
    for i in range(n_buyers):
        partner_of_buyer[i] = buyer[i, PARTNER]
        if partner_of_buyer[i] >= 0:
            partner_of_seller[partner_of_buyer[i]] = i


@compiled
def labels(
    column_start, columns, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller,
    buyer_label, buyer_at, seller_at, space, of_buyers, of_sellers,
):  # fmt: skip
    """Find for every seller the rank of the agent that sets her threshold; list both sides' labels.

    As `kernels_thresholds.seller_thresholds`, but what is known of a pair is kept by its buyer:
    in one byte whether it lacks a label, so that one look in the fastest memory there is tells
    whether an edge leads on, and where it leads to. It ends when nobody lacks one.

    Parameters
    ----------
    column_start, columns, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller
        As in `guided_sweep`.
    buyer_label
        As the sweep found it.
    buyer_at, seller_at
        The agent at each place.
    space
        To work with, three for each buyer.
    of_buyers, of_sellers
        Of each agent; become the labels of those who trade.
    """
    n_buyers = buyer_rank.size
    lacks = np.empty(n_buyers, np.uint8)
    # Of each pair where the seller's column begins and stops; then the label, and where it stops.
    of_pair = space[: 2 * n_buyers].reshape((n_buyers, 2))
    queue = space[2 * n_buyers :]
    missing = 0
    for i in range(n_buyers):
        seller = partner_of_buyer[i]
        lacks[i] = seller >= 0
        if seller >= 0:
            of_pair[i, 0] = column_start[seller]
            of_pair[i, 1] = column_start[seller + 1]
            missing += 1
    i, j = n_buyers - 1, seller_rank.size - 1
    while missing > 0:
        while i >= 0 and not lacks[i]:
            i -= 1
        while j >= 0 and partner_of_seller[j] >= 0:
            j -= 1
        if j < 0 or buyer_rank[i] > seller_rank[j]:  # somebody lacks one: i is not negative
            lacks[i] = 0
            missing -= 1
            rank, k, stop = buyer_rank[i], of_pair[i, 0], of_pair[i, 1]
            of_pair[i, 0] = rank
            if i >= 8:
                prefetch(columns, of_pair[i - 8, 0])
        else:
            rank, k, stop = seller_rank[j], column_start[j], column_start[j + 1]
            j -= 1
        head, reached = 0, 0
        while True:
            while k < stop:
                buyer = columns[k]
                k += 1
                if lacks[buyer]:
                    lacks[buyer] = 0
                    queue[reached] = buyer
                    reached += 1
                    prefetch(columns, of_pair[buyer, 0])
            if head == reached:
                break
            buyer = queue[head]
            head += 1
            k, stop = of_pair[buyer, 0], of_pair[buyer, 1]
            of_pair[buyer, 0] = rank
        missing -= reached
    for i in range(n_buyers):
        if partner_of_buyer[i] >= 0:
            of_buyers[buyer_at[i]] = buyer_label[i]
            of_sellers[seller_at[partner_of_buyer[i]]] = of_pair[i, 0]
