"""Array-only kernels that list the agents of many rows, and add up what rows come to.

Rows and positions are those of `kernels_batch`.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["add_up", "charge", "listed", "tied"]


@compiled
def tied(weights, rows):
    """Say of each row whether two neighbours weigh the same."""
    found = np.zeros(rows.shape[0], np.bool_)
    for s in range(rows.shape[0]):
        equal = 0
        for rank in range(rows.shape[1] - 1):
            equal += weights[s, rows[s, rank]] == weights[s, rows[s, rank + 1]]
        found[s] = equal > 0
    return found


@compiled
def charge(trades, setter, weights, start, stop, prices):
    """Charge every trader of one side the weight of the agent that sets her threshold.

    Parameters
    ----------
    trades, setter
        Who trades, and who sets the thresholds; shape (profiles, n).
    weights
        Of all agents.
    start, stop
        Positions of the side.
    prices
        Written: at these positions; 0 for those that do not trade.
    """
    for s in range(trades.shape[0]):
        for x in range(start, stop):
            level = weights[s, setter[s, x]]  # of somebody, where nobody sets it
            prices[s, x] = level if trades[s, x] else 0.0


@compiled
def listed(wanted, start, stop, weights, setter, n_buyers):
    """List agents of all rows with what sets their thresholds.

    Parameters
    ----------
    wanted
        Whom to list; shape (profiles, n).
    start, stop
        Positions of the side looked at.
    weights
        Weights of all agents; shape (profiles, n).
    setter
        The position of the agent that sets each threshold.
    n_buyers
        Number of buyers.

    Returns
    -------
    at
        Places of the agents: row times n plus position; ascending.
    agent
        Their indices in the market.
    level
        The weight of the agent that sets the threshold.
    wins_ties
        Whether the agent trades at that very weight.
    source
        Who sets it: buyer i as i, seller j as -1 - j.
    """
    n = wanted.shape[1]
    count = 0
    for s in range(wanted.shape[0]):
        for x in range(start, stop):
            count += wanted[s, x]
    # One place more: every agent is written, and the next one overwrites whom nobody wants. Who
    # trades is as good as random, and a processor that guesses wrong waits longer than it writes.
    at, source = np.empty(count + 1, np.int64), np.empty(count + 1, np.int64)
    agent, level = np.empty(count + 1, np.int32), np.empty(count + 1, np.float64)
    wins_ties = np.empty(count + 1, np.bool_)
    buyers = start < n_buyers
    k = 0
    for s in range(wanted.shape[0]):
        for x in range(start, stop):
            other = setter[s, x]
            at[k] = s * n + x
            level[k] = weights[s, other]
            source[k] = other - n * (other >= n_buyers)
            # Against the other side a tie is a trade.
            agent[k] = x if buyers else n - 1 - x
            wins_ties[k] = (x < other) == buyers
            k += wanted[s, x]
    return at[:count], agent[:count], level[:count], wins_ties[:count], source[:count]


@compiled
def add_up(trades, prices, reports, n_buyers, listing):
    """Add up every row: values, costs, payments, receipts, trades; and list all prices.

    Parameters
    ----------
    trades, prices, reports
        Shape (profiles, n).
    n_buyers
        Number of buyers.
    listing
        Whether to list prices.

    Returns
    -------
    sums
        Shape (profiles, 5).
    pays, receives
        What trading buyers pay and trading sellers receive, row after row; empty if not listed.
    """
    sums = np.zeros((trades.shape[0], 5))
    n = trades.shape[1]
    for s in range(trades.shape[0]):
        for side in range(2):
            start, stop = (0, n_buyers) if side == 0 else (n_buyers, n)
            worth, paid, count = 0.0, 0.0, 0
            for x in range(start, stop):
                worth += reports[s, x] if trades[s, x] else 0.0
                paid += prices[s, x] if trades[s, x] else 0.0
                count += trades[s, x]
            sums[s, side], sums[s, 2 + side], sums[s, 4] = worth, paid, count
    total = int(sums[:, 4].sum()) if listing else 0
    pays, receives = np.empty(total + 1), np.empty(total + 1)
    bought, sold = 0, 0
    for s in range(trades.shape[0] if listing else 0):
        for x in range(n_buyers):  # as in `listed`
            pays[bought] = prices[s, x]
            bought += trades[s, x]
        for x in range(n_buyers, n):
            receives[sold] = prices[s, x]
            sold += trades[s, x]
    return sums, pays[:total], receives[:total]
