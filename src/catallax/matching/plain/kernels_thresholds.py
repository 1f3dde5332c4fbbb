"""Array-only kernels that find every agent's threshold, and who sets it.

As in `kernels`, agents are compared by rank, and graphs come as compressed rows.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled

__all__ = [
    "buyer_elsewhere",
    "buyer_entry",
    "buyer_thresholds",
    "seller_elsewhere",
    "seller_entry",
    "seller_thresholds",
    "stated",
    "two_buyer_thresholds",
    "two_seller_thresholds",
]


@compiled
def buyer_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading buyer the rank of the agent that sets her threshold.

    Without buyer i her seller could serve an unmatched buyer, or be spared, directly or after
    a chain of buyers has moved up one place; the heaviest of these is what i must beat. The
    candidates are walked heaviest first, each labelling all pairs that lead to it.
    """
    label = np.full(partner_of_buyer.size, -1, np.int32)
    stack = np.empty(partner_of_buyer.size, np.int32)
    for rank in range(agent_at.size):
        agent = agent_at[rank]
        if agent >= 0:
            if partner_of_buyer[agent] >= 0:
                continue
            i = agent
        else:
            i = partner_of_seller[-1 - agent]
            if i < 0 or label[i] >= 0:
                continue
            label[i] = rank
        depth = 0
        while True:
            for k in range(start[i], start[i + 1]):
                other = partner_of_seller[neighbours[k]]
                if other >= 0 and label[other] < 0:
                    label[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            i = stack[depth]
    return label


@compiled
def seller_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading seller the rank of the agent that sets her threshold.

    The mirror of `buyer_thresholds`, on the rows of the sellers: the lightest of the free
    sellers that could step in and of the buyers that could be let go.
    """
    label = np.full(partner_of_seller.size, -1, np.int32)
    stack = np.empty(partner_of_seller.size, np.int32)
    for rank in range(agent_at.size - 1, -1, -1):
        agent = agent_at[rank]
        if agent < 0:
            j = -1 - agent
            if partner_of_seller[j] >= 0:
                continue
        else:
            j = partner_of_buyer[agent]
            if j < 0 or label[j] >= 0:
                continue
            label[j] = rank
        depth = 0
        while True:
            for k in range(start[j], start[j + 1]):
                other = partner_of_buyer[neighbours[k]]
                if other >= 0 and label[other] < 0:
                    label[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            j = stack[depth]
    return label


@compiled
def two_buyer_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading buyer the two heaviest candidates for her threshold.

    As `buyer_thresholds`, but every pair takes labels from up to two distinct sources, so
    that one of them is left when the other is not to count.
    """
    first = np.full(partner_of_buyer.size, -1, np.int32)
    second = np.full(partner_of_buyer.size, -1, np.int32)
    stack = np.empty(partner_of_buyer.size, np.int32)
    for rank in range(agent_at.size):
        agent = agent_at[rank]
        depth = 0
        if agent >= 0:
            i = agent
            if partner_of_buyer[i] >= 0:
                continue
        else:
            i = partner_of_seller[-1 - agent]
            if i < 0 or second[i] >= 0:
                continue
            if first[i] < 0:
                first[i] = rank
            else:
                second[i] = rank
        while True:
            for k in range(start[i], start[i + 1]):
                other = partner_of_seller[neighbours[k]]
                if other >= 0 and first[other] != rank and second[other] < 0:
                    if first[other] < 0:
                        first[other] = rank
                    else:
                        second[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            i = stack[depth]
    return first, second


@compiled
def two_seller_thresholds(start, neighbours, agent_at, partner_of_buyer, partner_of_seller):
    """Find for every trading seller the two lightest candidates for her threshold."""
    first = np.full(partner_of_seller.size, -1, np.int32)
    second = np.full(partner_of_seller.size, -1, np.int32)
    stack = np.empty(partner_of_seller.size, np.int32)
    for rank in range(agent_at.size - 1, -1, -1):
        agent = agent_at[rank]
        depth = 0
        if agent < 0:
            j = -1 - agent
            if partner_of_seller[j] >= 0:
                continue
        else:
            j = partner_of_buyer[agent]
            if j < 0 or second[j] >= 0:
                continue
            if first[j] < 0:
                first[j] = rank
            else:
                second[j] = rank
        while True:
            for k in range(start[j], start[j + 1]):
                other = partner_of_buyer[neighbours[k]]
                if other >= 0 and first[other] != rank and second[other] < 0:
                    if first[other] < 0:
                        first[other] = rank
                    else:
                        second[other] = rank
                    stack[depth] = other
                    depth += 1
            if depth == 0:
                break
            depth -= 1
            j = stack[depth]
    return first, second


@compiled
def buyer_elsewhere(
    start, neighbours, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller, first, second
):
    """Find for every trading buyer the rank of the cheapest way to serve her by another seller.

    Over all her edges, also those on which she would lose now: the lightest of the free
    sellers and of the other trading sellers' thresholds that she does not set herself.
    """
    best = np.full(partner_of_buyer.size, -1, np.int32)
    for i in range(partner_of_buyer.size):
        if partner_of_buyer[i] >= 0:
            for k in range(start[i], start[i + 1]):
                j = neighbours[k]
                if j == partner_of_buyer[i]:
                    continue
                rank = seller_rank[j]
                if partner_of_seller[j] >= 0:
                    rank = first[j] if first[j] != buyer_rank[i] else second[j]
                best[i] = max(best[i], rank)
    return best


@compiled
def seller_elsewhere(
    start, neighbours, buyer_rank, seller_rank, partner_of_buyer, partner_of_seller, first, second
):
    """Find for every trading seller the rank of the best way to sell to another buyer."""
    best = np.full(partner_of_seller.size, -1, np.int32)
    for j in range(partner_of_seller.size):
        if partner_of_seller[j] >= 0:
            for k in range(start[j], start[j + 1]):
                i = neighbours[k]
                if i == partner_of_seller[j]:
                    continue
                rank = buyer_rank[i]
                if partner_of_buyer[i] >= 0:
                    rank = first[i] if first[i] != seller_rank[j] else second[i]
                if rank >= 0 and (best[j] < 0 or rank < best[j]):
                    best[j] = rank
    return best


@compiled
def buyer_entry(start, neighbours, seller_rank, partner_of_buyer, partner_of_seller, seller_label):
    """Find for every buyer left out the rank of the agent she would have to beat.

    That is the lightest of the free sellers she knows and of the thresholds of the trading
    ones: through those she would push out whoever sets them. -1 where she knows no seller,
    or trades.
    """
    entry = np.full(partner_of_buyer.size, -1, np.int32)
    for i in range(partner_of_buyer.size):
        if partner_of_buyer[i] < 0:
            for k in range(start[i], start[i + 1]):
                j = neighbours[k]
                rank = seller_label[j] if partner_of_seller[j] >= 0 else seller_rank[j]
                entry[i] = max(entry[i], rank)
    return entry


@compiled
def seller_entry(start, neighbours, buyer_rank, partner_of_buyer, partner_of_seller, buyer_label):
    """Find for every seller left out the rank of the agent she would have to undercut."""
    entry = np.full(partner_of_seller.size, -1, np.int32)
    for j in range(partner_of_seller.size):
        if partner_of_seller[j] < 0:
            for k in range(start[j], start[j + 1]):
                i = neighbours[k]
                rank = buyer_label[i] if partner_of_buyer[i] >= 0 else buyer_rank[i]
                if entry[j] < 0 or rank < entry[j]:
                    entry[j] = rank
    return entry


@compiled
def stated(
    agent, rank, agent_at, buyer_weights, seller_weights, buyers, level, wins_ties, source
):  # fmt: skip
    """Turn ranks of those who set thresholds into levels, tie rules and names of sources.

    Parameters
    ----------
    agent
        Whose thresholds are asked for.
    rank
        Of every agent of their side the rank of the agent that sets her threshold.
    agent_at, buyer_weights, seller_weights
        The agent at each rank, and the weights of both sides.
    buyers
        Whether it is the side of the buyers.
    level, wins_ties, source
        Become what `Thresholds` has, one for each of `agent`.
    """
    # Two loops: each waits for memory in one place, and so for many numbers at a time.
    for k in range(agent.size):
        source[k] = agent_at[rank[agent[k]]]
    for k in range(agent.size):
        setter = source[k]
        level[k] = buyer_weights[setter] if setter >= 0 else seller_weights[-1 - setter]
        # Against the other side a tie is a trade; on one side the agent listed first wins.
        same_side = setter if buyers else -1 - setter
        wins_ties[k] = same_side < 0 or agent[k] < same_side
