"""Matching again after a few weights have changed, at the cost of what changes with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph
from catallax.matching.order import rank_agents
from catallax.matching.ranked import RankedMatching
from catallax.matching.result import Matching, Thresholds

if TYPE_CHECKING:
    from catallax.matching.kernels_relabel import Room, Rows

__all__ = ["UpdatedMatching", "follow"]

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

_rows: WeakKeyDictionary[Graph, Rows] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who trades with whom: a function of the two sets of traders, found when it is asked for.

    Attributes
    ----------
    graph
        Who may trade with whom.
    buyer, seller
        Who trades, ascending on either side.
    """

    graph: Graph
    buyer: Indices
    seller: Indices

    @cached_property
    def partner(self) -> Indices:
        """The seller of each of the buyers."""
        if self.graph.complete:
            return self.seller
        from catallax.matching import kernels_pairing

        return kernels_pairing.pairing(
            *self.graph.by_buyer, self.buyer, self.seller, self.graph.n_sellers
        )


@dataclass(frozen=True, eq=False)
class Labels:
    """Weights, one possible pairing and who sets each threshold, in a graph that is not complete.

    Buyers and sellers are numbered together, buyer i as i and seller j as `n_buyers` + j.
    Shapes (n_buyers + n_sellers,), read-only.

    Attributes
    ----------
    weight
        Weight of each agent.
    partner
        Partner of each trader in a pairing that serves the search alone; -1 without a trade.
    label
        The agent that sets each trader's threshold; -1 without a trade.
    member, tie, near, bloc
        A set of pairs that have the same thresholds, kept as one; see `kernels_bloc`.
    """

    weight: Weights
    partner: Indices
    label: Indices
    member: NDArray[np.bool_]
    tie: Indices
    near: Indices
    bloc: NDArray[np.int64]

    @property
    def has_bloc(self) -> bool:
        """Whether there is such a set now."""
        return bool(self.bloc[0] >= 0)


@dataclass(frozen=True, eq=False)
class Sorted:
    """Weights and the order of either side of a complete graph, numbered as in `Labels`.

    Attributes
    ----------
    weight
        Weight of each agent.
    buyers, sellers
        Buyers from the heaviest, sellers from the lightest.
    count
        The number of trades.
    """

    weight: Weights
    buyers: Indices
    sellers: Indices
    count: int


class UpdatedMatching(RankedMatching):
    """The matching that `best_matching` would find, followed from an earlier one.

    Everything but who trades and who sets the traders' thresholds is found when it is asked
    for: above all the pairs, which one change may rearrange all over the market.

    Attributes
    ----------
    state
        What the next update starts from.
    pairs
        Who trades, and with whom.
    """

    state: Labels | Sorted
    pairs: Pairs

    def __init__(self, graph: Graph, state: Labels | Sorted, pairs: Pairs) -> None:
        n_buyers = graph.n_buyers
        vars(self).update(
            graph=graph,
            buyer_weights=state.weight[:n_buyers],
            seller_weights=state.weight[n_buyers:],
            buyer=pairs.buyer,
            solver="sort" if graph.complete else "sweep",
            tick=None,
            state=state,
            pairs=pairs,
        )

    @cached_property
    def seller(self) -> Indices:  # type: ignore[override]
        """The seller of each trade."""
        return self.pairs.partner

    @cached_property
    def _ranks(self) -> tuple[Indices, Indices, Indices]:  # type: ignore[override]
        return rank_agents(self.buyer_weights, self.seller_weights)

    @cached_property
    def trading_buyers(self) -> Thresholds:
        """Thresholds of the buyers that trade, in the order of the trades."""
        return self.thresholds_of(self.buyer, buyers=True)

    @cached_property
    def trading_sellers(self) -> Thresholds:
        """Thresholds of the sellers that trade, in the order of the trades."""
        return self.thresholds_of(self.seller, buyers=False)

    def thresholds_of(self, agent: Indices, *, buyers: bool) -> Thresholds:
        """Give the thresholds of some agents of a side that trade."""
        if isinstance(self.state, Labels):
            source = self.state.label[agent if buyers else agent + self.graph.n_buyers]
        else:
            source = np.full(agent.size, self._either_way(lightest=not buyers), np.int32)
        return self._from(agent, source, buyers=buyers)

    def waiting(self, index: int, *, buyers: bool) -> Thresholds:
        """Give the threshold of one agent that does not trade; of nobody where there is none."""
        if isinstance(self.state, Labels):
            from catallax.matching import kernels_update

            n_buyers = self.graph.n_buyers
            rows, state = _rows_of(self.graph), self.state
            source = kernels_update.entry_of(
                index if buyers else n_buyers + index,
                *rows[:2], state.weight, state.partner, state.label, n_buyers,
            )  # fmt: skip
        else:
            source = self._either_way(lightest=buyers)
        known = np.array([index] if source >= 0 else [], np.int32)
        return self._from(known, np.full(known.size, source, np.int32), buyers=buyers)

    def _entry(self, *, buyers: bool) -> Thresholds:
        n_buyers, n_sellers = self.graph.n_buyers, self.graph.n_sellers
        entry = np.empty(n_buyers if buyers else n_sellers, np.int32)
        if isinstance(self.state, Labels):
            from catallax.matching import kernels_update

            rows, state = _rows_of(self.graph), self.state
            first = 0 if buyers else n_buyers
            kernels_update.entries(
                first, first + entry.size, *rows[:2], state.weight, state.partner, state.label,
                n_buyers, entry,
            )  # fmt: skip
        else:
            entry[:] = self._either_way(lightest=buyers)
            entry[self.pairs.buyer if buyers else self.pairs.seller] = -1
        agent = np.flatnonzero(entry >= 0).astype(np.int32)
        return self._from(agent, entry[agent], buyers=buyers)

    def _from(self, agent: Indices, numbered: Indices, *, buyers: bool) -> Thresholds:
        """State thresholds set by agents that are numbered together."""
        n_buyers = self.graph.n_buyers
        from_buyer = numbered < n_buyers
        source = np.where(from_buyer, numbered, n_buyers - 1 - numbered).astype(np.int32)
        # Against the other side a tie is a trade; on one side the agent listed first wins.
        if buyers:
            wins_ties = ~from_buyer | (agent < source)
        else:
            wins_ties = from_buyer | (agent < -1 - source)
        return Thresholds(agent, self.state.weight[numbered], wins_ties, source)

    def _either_way(self, *, lightest: bool) -> int:
        """Find who sets the thresholds in a complete graph, numbered together; -1 for nobody.

        Sellers that trade and buyers that wait face the lightest of the next seller and the
        last trading buyer, the others the heaviest of the next buyer and the last seller.
        """
        from catallax.matching.kernels_compare import heavier

        state = self.state
        assert isinstance(state, Sorted)
        own, other = (state.buyers, state.sellers) if lightest else (state.sellers, state.buyers)
        last = int(own[state.count - 1]) if state.count else -1
        following = int(other[state.count]) if state.count < other.size else -1
        if last < 0 or following < 0:
            return max(last, following)
        above = heavier(last, following, state.weight, self.graph.n_buyers)
        return following if above == lightest else last


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
    from catallax.matching import kernels_update
    from catallax.matching.kernels_relabel import CROSSED, TOUCHED, Live

    graph, (old, pairs) = matching.graph, _start(matching)
    assert isinstance(old, Labels)
    rows, rooms = _rows_of(graph), _rooms.setdefault(graph, [])
    room = rooms.pop() if rooms else _room(old.weight.size)
    new = _copy(old, room)
    most = max(_SMALL, int(_PATIENCE * rows.neighbours.size))
    large = max(_LARGE, old.weight.size // 100)
    live = Live(*vars(new).values())
    if not kernels_update.change_weights(agents, weights, rows, live, room, large, most):
        return None
    touched = room.touched[: room.work[TOUCHED]].copy()
    crossed = room.work[CROSSED] > 0
    if new.has_bloc:
        if not old.has_bloc:
            room = room._replace(**{name: part.copy() for name, part in _spare(room).items()})
    else:  # nothing to tell: one array for all
        new = replace(new, **{name: getattr(_start(matching)[0], name) for name in _spare(room)})
    room.is_touched[touched] = False
    room.work[[SPENT, TOUCHED, CROSSED]] = 0
    rooms.append(room)
    if crossed:
        pairs = Pairs(graph, *_places(new.partner >= 0, graph.n_buyers))
    return _frozen(graph, new, pairs), touched


def _copy(state: Labels) -> Labels:
    """Copy what kernels change in place."""
    if state.has_bloc:
        return Labels(*(part.copy() for part in vars(state).values()))
    size = state.weight.size  # zeros cost nothing where nobody looks at them
    return Labels(
        state.weight.copy(), state.partner.copy(), state.label.copy(), np.zeros(size, np.bool_),
        np.zeros(size, np.int32), np.zeros(size, np.int32), state.bloc.copy(),
    )  # fmt: skip


def _room(n_agents: int) -> Room:
    """Make the space that kernels work in; only what they touch of it costs time."""
    from catallax.matching.kernels_relabel import Room

    def empty() -> Indices:
        return np.empty(n_agents, np.int32)

    def zeros(kind: type[np.generic] = np.int32) -> NDArray[Any]:
        return np.zeros(n_agents, kind)

    return Room(
        mark=zeros(), link=empty(), place=zeros(), is_touched=zeros(np.bool_), touched=empty(),
        lost=(empty(), empty()), n_lost=np.zeros(2, np.int64), bloc_lost=np.zeros(2, np.bool_),
        path=empty(), heap=empty(), is_torn=zeros(np.bool_), torn=empty(), leavers=empty(),
        work=np.zeros(4, np.int64),
    )  # fmt: skip


def _follow_sorted(
    matching: RankedMatching, agents: Indices, weights: Weights
) -> tuple[UpdatedMatching, None] | None:
    from catallax.matching import kernels_resort

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
        agent_at = matching._ranks[2]  # the same room
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


def _rows_of(graph: Graph) -> Rows:
    """Give the rows of all agents of a graph, numbered together; made once for each graph."""
    rows = _rows.get(graph)
    if rows is None:
        from catallax.matching import kernels_update
        from catallax.matching.kernels_relabel import Rows

        start, neighbours = graph.by_buyer
        ends = (
            np.empty(graph.n_buyers + graph.n_sellers + 1, np.int64),
            np.empty(2 * neighbours.size, np.int32),
        )
        kernels_update.both_rows(start, neighbours, graph.n_sellers, *ends)
        rows = _rows[graph] = Rows(*ends, graph.n_buyers)
    return rows


def _places(trades: NDArray[np.bool_], n_buyers: int) -> tuple[Indices, Indices]:
    ends = np.flatnonzero(trades[:n_buyers]), np.flatnonzero(trades[n_buyers:])
    return ends[0].astype(np.int32), ends[1].astype(np.int32)


def _frozen(graph: Graph, state: Labels | Sorted, pairs: Pairs) -> UpdatedMatching:
    for array in vars(state).values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return UpdatedMatching(graph, state, pairs)
