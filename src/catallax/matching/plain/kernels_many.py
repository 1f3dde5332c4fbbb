"""Array-only kernels for many markets at once, which stand one after the other.

The agents of market `m` are those from `start[m]` up to `start[m + 1]` on each side. No kernel
compares agents of different markets.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = ["complete_markets", "exact_sums", "rank_markets"]

_FEW = 32  # so many agents are sorted faster by inserting each into those before


@compiled
def _sort(order, keys, low, high):
    """Write the positions from low to high by key, ascending; equals in their order."""
    if high - low > _FEW:
        order[low:high] = low + np.argsort(keys[low:high], kind="mergesort")
        return
    for k in range(low, high):
        at = k
        while at > low and keys[order[at - 1]] > keys[k]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = k


@compiled
def rank_markets(buyer_start, seller_start, losses, costs):
    """Rank the agents of each market, heaviest first, after those of the markets before it.

    Within a market this is the order of `catallax.matching.rank_agents`. That suffices: where no
    edge leaves a market, no other two agents are ever compared. And a market's agents are then
    near each other in memory, for whoever walks down the ranks.

    Parameters
    ----------
    buyer_start, seller_start
        Where the markets start.
    losses, costs
        The negative weights of the buyers, and the weights of the sellers.

    Returns
    -------
    buyer_rank, seller_rank, agent_at
        As `rank_agents` gives them.
    """
    buyer_rank, seller_rank = np.empty(losses.size, np.int32), np.empty(costs.size, np.int32)
    agent_at = np.empty(losses.size + costs.size, np.int32)
    buyers, sellers = np.empty(losses.size, np.int64), np.empty(costs.size, np.int64)
    rank = 0
    for m in range(buyer_start.size - 1):
        x, last_buyer = buyer_start[m], buyer_start[m + 1]
        first_seller, y = seller_start[m], seller_start[m + 1] - 1
        _sort(buyers, losses, x, last_buyer)
        _sort(sellers, costs, first_seller, y + 1)
        while x < last_buyer or y >= first_seller:
            # At equal weight the buyer stands first.
            if y < first_seller or (x < last_buyer and losses[buyers[x]] <= -costs[sellers[y]]):
                buyer_rank[buyers[x]] = rank
                agent_at[rank] = buyers[x]
                x += 1
            else:
                seller_rank[sellers[y]] = rank
                agent_at[rank] = -1 - sellers[y]
                y -= 1
            rank += 1
    return buyer_rank, seller_rank, agent_at


@compiled
def complete_markets(buyer_start, seller_start, agent_at):
    """Match within each market, where everybody may trade with everybody of the same market.

    Parameters
    ----------
    buyer_start, seller_start
        Where the markets start.
    agent_at
        As `rank_markets` gives it.

    Returns
    -------
    count
        How many pairs trade in each market.
    best_buyers, best_sellers
        The agents of each market, those first that come first to trade.
    buyer_label, seller_label
        The rank of the agent that sets each trader's threshold, -1 of those that do not trade.
    buyer_entry, seller_entry
        The rank of the agent that those who do not trade have to beat; -1 where there is none,
        and of those that trade.
    """
    n_markets, n_buyers, n_sellers = buyer_start.size - 1, buyer_start[-1], seller_start[-1]
    rank_of = np.empty(agent_at.size, np.int32)  # buyers, then sellers
    count = np.zeros(n_markets, np.int64)
    best_buyers, best_sellers = np.empty(n_buyers, np.int32), np.empty(n_sellers, np.int32)
    buyer_label, seller_label = np.full(n_buyers, -1, np.int32), np.full(n_sellers, -1, np.int32)
    buyer_entry, seller_entry = np.full(n_buyers, -1, np.int32), np.full(n_sellers, -1, np.int32)
    for m in range(n_markets):
        b, s, stop_b, stop_s = (
            buyer_start[m],
            seller_start[m],
            buyer_start[m + 1],
            seller_start[m + 1],
        )
        x, y = b, stop_s
        for rank in range(b + s, stop_b + stop_s):
            agent = agent_at[rank]
            if agent >= 0:
                rank_of[agent] = rank
                best_buyers[x] = agent
                x += 1
            else:
                rank_of[n_buyers - 1 - agent] = rank
                y -= 1
                best_sellers[y] = -1 - agent
        most = min(stop_b - b, stop_s - s)
        k = 0
        # The k-th buyer outranks the k-th seller up to some k and never after it.
        while k < most and rank_of[best_buyers[b + k]] < rank_of[n_buyers + best_sellers[s + k]]:
            k += 1
        count[m] = k
        # Those at the margin, on either side of it; no rank where there is nobody.
        last_buyer = rank_of[best_buyers[b + k - 1]] if k else -1
        last_seller = rank_of[n_buyers + best_sellers[s + k - 1]] if k else agent_at.size
        next_buyer = rank_of[best_buyers[b + k]] if b + k < stop_b else agent_at.size
        next_seller = rank_of[n_buyers + best_sellers[s + k]] if s + k < stop_s else -1
        # Without a trading buyer the next one comes in, or else the dearest seller is let go. One
        # who comes in brings in the next seller, or takes the last buyer's place.
        for at in range(b, stop_b):
            if at < b + k:
                buyer_label[best_buyers[at]] = min(next_buyer, last_seller)
            else:
                buyer_entry[best_buyers[at]] = max(last_buyer, next_seller)
        first_entry = min(last_seller, next_buyer)
        for at in range(s, stop_s):
            if at < s + k:
                seller_label[best_sellers[at]] = max(next_seller, last_buyer)
            elif first_entry < agent_at.size:
                seller_entry[best_sellers[at]] = first_entry
    return (
        count,
        (best_buyers, best_sellers),
        (buyer_label, seller_label),
        (buyer_entry, seller_entry),
    )


@compiled
def exact_sums(start, added, taken):
    """Sum each stretch of numbers, rounding once, as `math.fsum` does.

    The sum so far is kept as numbers that do not overlap, and so without error (Shewchuk 1997).

    Parameters
    ----------
    start
        Where the stretches start; shape (n + 1,).
    added
        The numbers.
    taken
        Numbers to subtract, on the same stretches; or none at all.

    Returns
    -------
    numpy.ndarray
        The sums, shape (n,); NaN where one is too large for a number.
    """
    sums = np.empty(start.size - 1)
    parts = np.empty(64)
    sides = 2 if taken.size else 1
    for m in range(sums.size):
        n = 0
        finite = True
        for side in range(sides):
            for k in range(start[m], start[m + 1]):
                x = added[k] if side == 0 else -taken[k]
                kept = 0
                for place in range(n):
                    y = parts[place]
                    if abs(x) < abs(y):
                        x, y = y, x
                    high = x + y
                    low = y - (high - x)
                    if low != 0.0:
                        parts[kept] = low
                        kept += 1
                    x = high
                n = kept
                if not np.isfinite(x):
                    finite = False
                    break
                if x != 0.0:
                    if n == parts.size:
                        parts = np.concatenate((parts, np.empty(n)))
                    parts[n] = x
                    n += 1
            if not finite:
                break
        sums[m] = _rounded(parts, n) if finite else np.nan
    return sums


@compiled
def _rounded(parts, n):
    """Round a sum of numbers that do not overlap, the largest last."""
    if n == 0:
        return 0.0
    n -= 1
    high, low = parts[n], 0.0
    while n > 0:
        n -= 1
        x, y = high, parts[n]
        high = x + y
        low = y - (high - x)
        if low != 0.0:
            break
    # Half way between two numbers the next part says which of them is nearer.
    if n > 0 and ((low < 0.0 and parts[n - 1] < 0.0) or (low > 0.0 and parts[n - 1] > 0.0)):
        y = low * 2.0
        x = high + y
        if y == x - high:
            high = x
    return high
