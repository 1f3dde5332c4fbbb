"""Array-only kernels for many profiles where everybody may trade with everybody.

Rows and positions are those of `kernels_batch`.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["complete_pair_rows", "complete_rows"]


@compiled
def _split(row, buyers, sellers, rank_of):
    """Split a row into buyers, heaviest first, and sellers, lightest first; count the trades."""
    x, y = 0, sellers.size
    for rank in range(row.size):
        at = row[rank]
        rank_of[at] = rank
        if at < buyers.size:
            buyers[x] = at
            x += 1
        else:
            y -= 1
            sellers[y] = at
    count = 0
    most = min(buyers.size, sellers.size)
    while count < most and rank_of[buyers[count]] < rank_of[sellers[count]]:
        count += 1
    return count


@compiled
def _lighter(one, other, rank_of):
    """Return the lighter of two agents, either of whom may be nobody (-1)."""
    if one < 0 or (other >= 0 and rank_of[other] > rank_of[one]):
        return other
    return one


@compiled
def _heavier(one, other, rank_of):
    """Return the heavier of two agents, either of whom may be nobody (-1)."""
    if one < 0 or (other >= 0 and rank_of[other] < rank_of[one]):
        return other
    return one


@compiled
def complete_rows(n_buyers, rows, trades, setter):
    """Match every row where everybody may trade with everybody.

    Parameters
    ----------
    n_buyers
        Number of buyers.
    rows
        Positions by rank; shape (profiles, n).
    trades
        Written: whether the agent at each position trades; shape (profiles, n).
    setter
        Written: who sets each trader's threshold, and whom the others would have to beat; -1
        where nothing would help.
    """
    n = rows.shape[1]
    buyers, sellers = np.empty(n_buyers, np.int64), np.empty(n - n_buyers, np.int64)
    rank_of = np.empty(n, np.int64)
    for s in range(rows.shape[0]):
        count = _split(rows[s], buyers, sellers, rank_of)
        last_buyer = buyers[count - 1] if count > 0 else -1
        last_seller = sellers[count - 1] if count > 0 else -1
        next_buyer = buyers[count] if count < buyers.size else -1
        next_seller = sellers[count] if count < sellers.size else -1
        # Without a trading buyer the next one comes in, or else the last seller is let go; a
        # newcomer takes the place of the last buyer, or brings in the next seller.
        stay_buyer = _heavier(next_buyer, last_seller, rank_of)
        stay_seller = _lighter(next_seller, last_buyer, rank_of)
        enter_buyer = _lighter(last_buyer, next_seller, rank_of)
        enter_seller = _heavier(last_seller, next_buyer, rank_of)
        for k in range(buyers.size):
            trades[s, buyers[k]] = k < count
            setter[s, buyers[k]] = stay_buyer if k < count else enter_buyer
        for k in range(sellers.size):
            trades[s, sellers[k]] = k < count
            setter[s, sellers[k]] = stay_seller if k < count else enter_seller


@compiled
def complete_pair_rows(n_buyers, rows, partner, elsewhere):
    """Pair the traders of every row in market order, and find what they could do otherwise.

    Parameters
    ----------
    n_buyers, rows
        As for `complete_rows`.
    partner
        Written: the seller of each buyer by her index, or -1; shape (profiles, n_buyers).
    elsewhere
        Written: the agent up to whose weight each trader could do without her partner, -1 where
        there is nobody else; shape (profiles, n).
    """
    n = rows.shape[1]
    buyers, sellers = np.empty(n_buyers, np.int64), np.empty(n - n_buyers, np.int64)
    rank_of = np.empty(n, np.int64)
    for s in range(rows.shape[0]):
        count = _split(rows[s], buyers, sellers, rank_of)
        partner[s] = -1
        elsewhere[s] = -1
        first, second = np.sort(buyers[:count]), np.sort(n - 1 - sellers[:count])
        for k in range(count):
            partner[s, first[k]] = second[k]
        # The next agent of the other side, or the place of the last other trader of her own.
        for k in range(count):
            last = count - 1 if k < count - 1 else count - 2
            best = buyers[last] if last >= 0 else -1
            if count < sellers.size:
                best = _lighter(best, sellers[count], rank_of)
            elsewhere[s, buyers[k]] = best
            best = sellers[last] if last >= 0 else -1
            if count < buyers.size:
                best = _heavier(best, buyers[count], rank_of)
            elsewhere[s, sellers[k]] = best
