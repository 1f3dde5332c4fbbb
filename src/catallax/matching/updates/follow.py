"""Matching again after a few weights have changed, at the cost of what changes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.matching.plain.ranked import RankedMatching
from catallax.matching.updates.stores import LabelStore, SortedStore
from catallax.matching.updates.updated import Pairs, UpdatedMatching
from catallax.matching.updates.versions import Version

if TYPE_CHECKING:
    from catallax.matching.updates.stores import Moved

__all__ = ["follow", "start"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]


def follow(
    matching: UpdatedMatching,
    agents: NDArray[np.integer],
    weights: Weights,
    reporters: Indices | None = None,
    before: Weights | None = None,
) -> tuple[UpdatedMatching, Moved] | None:
    """Give agents new weights and follow a best matching with all its thresholds.

    Parameters
    ----------
    matching
        A best matching, or what `start` makes of it; it stays as it is.
    agents
        Who has a new weight, each once: buyer i as i, seller j as `n_buyers` + j.
    weights
        What they weigh now.
    reporters, before
        Who reports anew, numbered in the same way, and what they reported before; what they
        report now must stand in the store already, and the version's lock be held.

    Returns
    -------
    tuple or None
        The best matching for the new weights, as `best_matching` finds it; and whose prices
        may have changed. None where matching afresh is cheaper, with the reports as before.

    Raises
    ------
    ValueError
        If a weight is NaN.

    Notes
    -----
    In a sparse graph thresholds are functions of the weights alone, and they say where an agent
    who enters or leaves does so: whoever sets her threshold leaves or enters with her, along a
    path that is searched from both ends. Then the thresholds that named either are found
    again, the best first, and whatever is better now is handed on. In a complete graph either
    side stays sorted.

    Examples
    --------
    >>> import numpy as np
    >>> from catallax.markets import Graph
    >>> from catallax.matching import best_matching
    >>> graph = Graph(2, 1, [0, 1], [0, 0])
    >>> old = start(best_matching(graph, np.array([0.7, 0.4]), np.array([0.2])))
    >>> new, _ = follow(old, np.array([1]), np.array([0.9]))
    >>> new.buyer.tolist(), new.trading_buyers.level.tolist(), old.buyer.tolist()
    ([1], [0.7], [0])
    """
    weights = np.asarray(weights, float)
    if np.isnan(weights).any():
        raise ValueError("a weight is NaN: weights must be numbers or infinities")
    if reporters is None or before is None:
        reporters, before = np.empty(0, np.int32), np.empty(0)
    version = matching.version
    with version.lock:
        version.store()
        found = version.step(reporters, before, agents.astype(np.int32), weights)
    if found is None:
        return None
    later, moved, crossed = found
    pairs = Pairs(matching.graph) if crossed else vars(matching)["shared_pairs"]
    return UpdatedMatching(matching.graph, later, pairs), moved


def start(matching: RankedMatching, report: Weights | None = None) -> UpdatedMatching:
    """Copy a matching that was found afresh into arrays that can be followed.

    Parameters
    ----------
    matching
        A best matching in a plain graph.
    report
        Reports of buyers and then sellers, to be kept with it.
    """
    graph = matching.graph
    weight = np.concatenate([matching.buyer_weights, matching.seller_weights])
    report = np.zeros(weight.size) if report is None else report
    pairs = Pairs(graph, matching.buyer, np.sort(matching.seller))
    vars(pairs)["partner"] = matching.seller
    agent_at = matching._agent_at  # the same room
    numbered = np.where(agent_at >= 0, agent_at, graph.n_buyers - 1 - agent_at)
    if graph.complete:
        is_buyer = agent_at >= 0
        store = SortedStore(
            graph, report, weight, numbered[is_buyer].astype(np.int32),
            numbered[~is_buyer][::-1].astype(np.int32), matching.buyer.size,
        )  # fmt: skip
        return UpdatedMatching(graph, Version(store), pairs)
    partner = np.full(weight.size, -1, np.int32)
    partner[matching.buyer] = matching.seller + graph.n_buyers
    partner[matching.seller + graph.n_buyers] = matching.buyer
    ranks = np.concatenate(matching._labels)
    label = np.append(numbered, -1)[ranks].astype(np.int32)
    label[partner < 0] = -1
    nobody = np.full(weight.size, -1, np.int32)
    bloc = np.array([-1, -1, 0, 0, 0, -1, -1])
    standing, near = np.zeros(weight.size, np.int8), np.zeros_like(nobody)
    arrays = report, weight, partner, label, standing, nobody, near, bloc
    store = LabelStore.of(graph, arrays)
    store.gather()
    return UpdatedMatching(graph, Version(store), pairs)
