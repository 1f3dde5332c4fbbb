"""Matching again after a few weights have changed, at the cost of what changes with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.plain.ranked import RankedMatching
from catallax.matching.result import Matching
from catallax.matching.updates.updated import Labels, Pairs, Sorted, UpdatedMatching, rows_of

__all__ = ["follow"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]

# After reading this share of the graph, both ways, matching afresh is cheaper than going on.
_PATIENCE = 0.4
# Below this many entries of rows there is nothing to be gained by giving up.
_SMALL = 100_000
# A bloc is built when so many lose their labels at once, and a hundredth of all.
_LARGE = 200
# Each move in a sorted side shifts what lies between; so many cost more than sorting again.
_MOVES = 20

_spaces: WeakKeyDictionary[Graph, list[Space]] = WeakKeyDictionary()


def follow(
    matching: Matching, agents: NDArray[np.integer], weights: Weights
) -> tuple[UpdatedMatching, Indices | None] | None:
    """Give agents new weights and follow a best matching with all its thresholds.

    Parameters
    ----------
    matching
        A best matching; it stays as it is.
    agents
        Who has a new weight, each once: buyer i as i, seller j as `n_buyers` + j.
    weights
        What they weigh now.

    Returns
    -------
    tuple or None
        The best matching for the new weights, as `best_matching` finds it; and the agents,
        numbered as above, whose thresholds may have another level or source or who no longer
        trade (None: all). None altogether where matching afresh is cheaper, or the only way.

    Raises
    ------
    ValueError
        If a weight is NaN.

    Notes
    -----
    A weight that does not cross its agent's threshold changes nobody's trade. One that does
    moves one path of partners, from the agent to whoever sets the threshold. Then only
    thresholds set by these two, before or after, can have changed: all others are functions
    of the weights and of nothing that moved. They are looked for from the border of where
    they were lost, best first, as shortest paths are repaired (Ramalingam and Reps 1996).

    Examples
    --------
    >>> import numpy as np
    >>> from catallax.markets import Graph
    >>> from catallax.matching import best_matching
    >>> graph = Graph(2, 1, [0, 1], [0, 0])
    >>> old = best_matching(graph, np.array([0.7, 0.4]), np.array([0.2]))
    >>> new, _ = follow(old, np.array([1]), np.array([0.9]))
    >>> new.buyer.tolist(), new.trading_buyers.level.tolist(), old.buyer.tolist()
    ([1], [0.7], [0])
    """
    if not isinstance(matching, RankedMatching):
        return None
    if np.isnan(weights).any():
        raise ValueError("a weight is NaN: weights must be numbers or infinities")
    run = _follow_sorted if matching.graph.complete else _follow_labels
    return run(matching, agents.astype(np.int32), np.asarray(weights, float))


def _follow_labels(
    matching: RankedMatching, agents: Indices, weights: Weights
) -> tuple[UpdatedMatching, Indices] | None:
    from catallax.matching.updates import kernels_update
    from catallax.matching.updates.kernels_relabel import CROSSED, SPENT, TOUCHED, Live

    graph, (old, pairs) = matching.graph, _start(matching)
    assert isinstance(old, Labels)
    rows, spaces = rows_of(graph), _spaces.setdefault(graph, [])
    space = spaces.pop() if spaces else Space(old.weight.size)
    room, new = space.room, _copy(old, space)
    most = max(_SMALL, int(_PATIENCE * rows.neighbours.size))
    large = max(_LARGE, old.weight.size // 100)
    live = Live(*vars(new).values())
    if not kernels_update.change_weights(agents, weights, rows, live, room, large, most):
        return None
    touched = room.touched[: room.work[TOUCHED]].copy()
    if room.work[CROSSED]:
        pairs = Pairs(graph, *_places(new.partner >= 0, graph.n_buyers))
    room.is_touched[touched] = False
    room.work[[SPENT, TOUCHED, CROSSED]] = 0
    if not old.has_bloc and not new.has_bloc:
        new = replace(new, member=old.member, tie=old.tie, near=old.near)
    if old.has_bloc or not new.has_bloc:  # else the new bloc keeps what was lent to it
        spaces.append(space)
    return _frozen(graph, new, pairs), touched


class Space:
    """What kernels work in, and a bloc's arrays in case they build one; kept for the next time.

    Kernels leave all but what is tidied up after them as they found it.
    """

    def __init__(self, n_agents: int) -> None:
        from catallax.matching.updates.kernels_relabel import Room

        def empty() -> Indices:
            return np.empty(n_agents, np.int32)

        def zeros(kind: type[np.generic] = np.int32) -> NDArray[Any]:
            return np.zeros(n_agents, kind)

        self.member, self.tie, self.near = zeros(np.bool_), zeros(), zeros()
        self.room = Room(
            mark=zeros(), link=empty(), place=zeros(), is_touched=zeros(np.bool_),
            touched=empty(), lost=(empty(), empty()), n_lost=np.zeros(2, np.int64),
            bloc_lost=np.zeros(2, np.bool_), path=empty(), heap=empty(),
            is_torn=zeros(np.bool_), torn=empty(), leavers=empty(), work=np.zeros(4, np.int64),
        )  # fmt: skip


def _copy(state: Labels, space: Space) -> Labels:
    """Copy what kernels change in place."""
    if state.has_bloc:
        return Labels(*(part.copy() for part in vars(state).values()))
    return Labels(
        state.weight.copy(), state.partner.copy(), state.label.copy(),
        space.member, space.tie, space.near, state.bloc.copy(),
    )  # fmt: skip


def _follow_sorted(
    matching: RankedMatching, agents: Indices, weights: Weights
) -> tuple[UpdatedMatching, None] | None:
    from catallax.matching.updates import kernels_resort

    if agents.size > _MOVES:
        return None
    graph, (old, pairs) = matching.graph, _start(matching)
    assert isinstance(old, Sorted)
    weight, buyers, sellers = old.weight.copy(), old.buyers.copy(), old.sellers.copy()
    count, changed = kernels_resort.change_order(
        agents, weights, weight, buyers, sellers, old.count
    )
    if changed:
        ends = np.sort(buyers[:count]), np.sort(sellers[:count]) - np.int32(graph.n_buyers)
        pairs = Pairs(graph, *ends)
    return _frozen(graph, Sorted(weight, buyers, sellers, int(count)), pairs), None


def _start(matching: RankedMatching) -> tuple[Labels | Sorted, Pairs]:
    """Give what an update starts from, made once for a matching that was found afresh."""
    if isinstance(matching, UpdatedMatching):
        return matching.state, matching.pairs
    known = vars(matching)
    if "_start" not in known:
        graph = matching.graph
        weight = np.concatenate([matching.buyer_weights, matching.seller_weights])
        pairs = Pairs(graph, matching.buyer, np.sort(matching.seller))
        vars(pairs)["partner"] = matching.seller
        agent_at = matching._agent_at  # the same room
        numbered = np.where(agent_at >= 0, agent_at, graph.n_buyers - 1 - agent_at)
        if graph.complete:
            is_buyer = agent_at >= 0
            state = Sorted(
                weight, numbered[is_buyer].astype(np.int32),
                numbered[~is_buyer][::-1].astype(np.int32), matching.buyer.size,
            )  # fmt: skip
        else:
            partner = np.full(weight.size, -1, np.int32)
            partner[matching.buyer] = matching.seller + graph.n_buyers
            partner[matching.seller + graph.n_buyers] = matching.buyer
            ranks = np.concatenate(matching._labels)
            label = np.append(numbered, -1)[ranks].astype(np.int32)
            label[partner < 0] = -1
            nobody = np.full(weight.size, -1, np.int32)
            bloc = np.array([-1, -1, 0, 0, 0])
            state = Labels(weight, partner, label, nobody >= 0, nobody, np.zeros_like(nobody), bloc)
        known["_start"] = state, pairs
    return known["_start"]


def _places(trades: NDArray[np.bool_], n_buyers: int) -> tuple[Indices, Indices]:
    ends = np.flatnonzero(trades[:n_buyers]), np.flatnonzero(trades[n_buyers:])
    return ends[0].astype(np.int32), ends[1].astype(np.int32)


def _frozen(graph: Graph, state: Labels | Sorted, pairs: Pairs) -> UpdatedMatching:
    for array in vars(state).values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return UpdatedMatching(graph, state, pairs)
