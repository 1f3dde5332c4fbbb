"""Parts of a constrained market that have nothing to do with each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from catallax.markets.families import Family
from catallax.markets.families.bound import Exclusions, Explicit, GroupLimits, Knapsack

__all__ = ["edge_components"]

Whole = NDArray[np.int64]


def edge_components(
    family: Family, buyer: Whole, seller: Whole, usable: NDArray[np.bool_]
) -> Whole:
    """Give each edge the number of its part: edges that share an agent or a constraint share it.

    Parameters
    ----------
    family
        The market's family.
    buyer, seller
        Ends of every edge; shape (edges,).
    usable
        Edges that count; the others join nothing.

    Returns
    -------
    numpy.ndarray
        Part of each edge, -1 for those that do not count; shape (edges,).
    """
    n_buyers, n_agents = family.parts.graph.n_buyers, 0
    n_agents = n_buyers + family.parts.graph.n_sellers
    edges = np.flatnonzero(usable)
    # Nodes: agents, then one for each constraint or group of it.
    tails, heads = [buyer[edges]], [n_buyers + seller[edges]]
    n_nodes = n_agents
    for bound in family.bound:
        if isinstance(bound, Exclusions):
            if bound.over == "edges":
                pairs = bound.pairs[usable[bound.pairs].all(axis=1)]
                ends = buyer[pairs]
            else:
                ends = bound.pairs + (n_buyers if bound.over == "sellers" else 0)
            tails.append(ends[:, 0])
            heads.append(ends[:, 1])
            continue
        joined, n_new = _members(bound, family, buyer, seller, edges)
        tails.append(buyer[edges][joined >= 0])
        heads.append(n_nodes + joined[joined >= 0])
        n_nodes += n_new
    tail, head = np.concatenate(tails), np.concatenate(heads)
    joins = coo_array((np.ones(tail.size, np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    part = connected_components(joins, directed=False)[1]
    result = np.full(buyer.size, -1, np.int64)
    result[edges] = part[buyer[edges]]
    return result


def _members(
    bound: object, family: Family, buyer: Whole, seller: Whole, edges: Whole
) -> tuple[Whole, int]:
    """Give the group of a constraint that each edge belongs to, -1 where it cannot bind."""
    if isinstance(bound, GroupLimits) and bound.over != "trades":
        index = {"buyers": buyer, "sellers": seller}.get(bound.over, np.arange(buyer.size))
        group = bound.group[index[edges]]
        # A group can bind only if more of its members could trade than it lets.
        members = np.unique(np.stack([group, index[edges]]), axis=1)[0]
        could = np.bincount(members[members >= 0], minlength=bound.limit.size)
        binds = np.append(could > bound.limit, False)
        return np.where(binds[group], group, -1), bound.limit.size
    everybody = np.zeros(edges.size, np.int64)
    if isinstance(bound, GroupLimits):
        could_trade = min(np.unique(buyer[edges]).size, np.unique(seller[edges]).size)
        binds_at_all = could_trade > bound.limit[0]
    elif isinstance(bound, Knapsack):
        binds_at_all = int(bound.amount[edges].sum()) > bound.limit
    else:
        binds_at_all = True
        assert isinstance(bound, Explicit) or family.structure == "any"
    return (everybody if binds_at_all else everybody - 1), 1
