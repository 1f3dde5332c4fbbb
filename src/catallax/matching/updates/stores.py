"""What is followed, as arrays that change in place, and what takes a change back.

Buyers and sellers are numbered together here: buyer i as i, seller j as `n_buyers` + j.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.markets.graph import Graph

if TYPE_CHECKING:
    from catallax.matching.updates.kernels_journal import Live, Rows

__all__ = ["LabelStore", "Moved", "SortedStore", "Store", "rows_of"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]

# After reading this share of the graph, both ways, matching afresh is cheaper than going on.
_PATIENCE = 0.4
# Below this many entries of rows there is nothing to be gained by giving up.
_SMALL = 100_000
# A bloc is built when so many lose their labels at once, and a hundredth of all.
_LARGE = 200
# Each move in a sorted side shifts what lies between; so many cost more than sorting again.
_MOVES = 200

_rows: WeakKeyDictionary[Graph, Rows] = WeakKeyDictionary()
_spaces: WeakKeyDictionary[Graph, list[Space]] = WeakKeyDictionary()


class Moved(NamedTuple):
    """What a step has done to prices: before, and after.

    Attributes
    ----------
    agents
        Who has another threshold, trades and did not or the other way round, or trades and
        reports anew; shape (k,).
    sources, levels, reports
        Who sets the threshold (-1 without a trade), its level, and the report; shapes (2, k).
    wide_sources, wide_levels
        The same of all others whose thresholds are kept as one, by side; shapes (2, 2).
    """

    agents: Indices
    sources: Indices
    levels: Weights
    reports: Weights
    wide_sources: NDArray[np.int64]
    wide_levels: Weights

    @classmethod
    def room(cls, most: int) -> Moved:
        """Make room for so many."""
        return cls(
            np.empty(most, np.int32), np.empty((2, most), np.int32), np.empty((2, most)),
            np.empty((2, most)), np.empty((2, 2), np.int64), np.zeros((2, 2)),
        )  # fmt: skip

    def first(self, number: int) -> Moved:
        """Keep what was written."""
        return Moved(
            self.agents[:number].copy(), self.sources[:, :number].copy(),
            self.levels[:, :number].copy(), self.reports[:, :number].copy(),
            self.wide_sources.copy(), self.wide_levels.copy(),
        )  # fmt: skip

    def is_wide(self, side: int) -> bool:
        """Tell whether those who are kept as one have another threshold than before."""
        (before, after), levels = self.wide_sources[side], self.wide_levels[side]
        return bool(before >= 0 and after >= 0 and (before != after or levels[0] != levels[1]))


class LabelStore:
    """Weights, one possible pairing and who sets each threshold, in a graph that is not complete.

    `live` is described at `kernels_journal.Live`.
    """

    __slots__ = ("graph", "live", "rows")

    def __init__(self, graph: Graph, live: Live) -> None:
        self.graph, self.live, self.rows = graph, live, rows_of(graph)

    @property
    def report(self) -> Weights:
        """Reports of all agents."""
        return self.live.report

    @property
    def weight(self) -> Weights:
        """Weights of all agents."""
        return self.live.weight

    def arrays(self) -> tuple[Any, ...]:
        """Copy everything that there is."""
        return tuple(part.copy() for part in self.live)

    @classmethod
    def of(cls, graph: Graph, arrays: tuple[Any, ...]) -> LabelStore:
        """Make a store of such copies."""
        from catallax.matching.updates.kernels_journal import Live

        return cls(graph, Live(*arrays))

    def trades(self) -> NDArray[np.bool_]:
        """Tell of all agents whether they trade."""
        return self.live.partner >= 0

    def trades_of(self, agent: int) -> bool:
        """Tell whether somebody trades."""
        return bool(self.live.partner[agent] >= 0)

    def sources(self, agents: NDArray[np.integer]) -> Indices:
        """Tell who sets the thresholds of some who trade."""
        from catallax.matching.updates.kernels_journal import COMMON

        common = self.live.bloc[COMMON:][(agents >= self.graph.n_buyers).astype(np.intp)]
        labels = self.live.label[agents]
        alone = self.live.standing[agents] == 0
        return np.where(alone, labels, common).astype(np.int32)

    def entry(self, agent: int) -> int:
        """Tell whom somebody who does not trade would have to beat; -1 where nothing would do."""
        from catallax.matching.updates import kernels_update

        return int(kernels_update.entry_of(agent, self.rows, self.live))

    def entries(self, first: int, last: int) -> Indices:
        """Tell that of all from `first` to `last` who do not trade, and -1 of those who do."""
        from catallax.matching.updates import kernels_update

        entry = np.empty(last - first, np.int32)
        kernels_update.entries(first, last, self.rows, self.live, entry)
        return entry

    def together(self) -> NDArray[np.bool_]:
        """Tell of all agents whether their thresholds are kept as one, by side."""
        return self.live.standing != 0

    def in_common(self, side: int) -> NDArray[np.intp]:
        """List those of a side whose thresholds are kept as one."""
        n_buyers = self.graph.n_buyers
        standing = self.live.standing
        if side == 0:
            return np.flatnonzero(standing[:n_buyers])
        return np.flatnonzero(standing[n_buyers:]) + n_buyers

    def step(
        self, reporters: Indices, before: Weights, agents: Indices, weights: Weights
    ) -> tuple[_Noted, Moved, bool] | None:
        """Go on to new reports, which are already in their place, and new weights.

        Parameters
        ----------
        reporters, before
            Who reports anew, and what they reported before.
        agents, weights
            Who weighs what from now on.

        Returns
        -------
        tuple or None
            What takes the step back, what it does to prices, and whether other agents trade;
            None, and all as it was, reports too, where matching afresh is cheaper.
        """
        from catallax.matching.updates import kernels_update

        live, bloc = self.live, self.live.bloc.copy()
        most = max(_SMALL, int(_PATIENCE * self.rows.neighbours.size))
        space = self._space()
        listed, crossed, kind, agent, old = kernels_update.step(
            reporters, before, agents, weights, self.rows, live, space.room, self._large, most,
            bloc, space.told,
        )  # fmt: skip
        moved = None if listed < 0 else space.told.first(listed)
        _spaces[self.graph].append(space)
        if moved is None:
            return None
        return _Noted(kind, agent, old, bloc), moved, crossed

    def gather(self) -> None:
        """Keep the thresholds of many who have the same as one, before anything has changed.

        Updates build it for themselves when they need it, but who goes back to the first
        outcome each time, to try other changes, would go back to before it was built.
        """
        n_buyers, label = self.graph.n_buyers, self.live.label
        setters = np.bincount(label[:n_buyers][label[:n_buyers] >= 0], minlength=1)
        if setters.max() < self._large:
            return
        from catallax.matching.updates import kernels_bloc, kernels_journal

        alike = np.flatnonzero(label[:n_buyers] == setters.argmax())
        space = self._space()
        space.room.lost[0][: alike.size] = alike
        space.room.n_lost[0] = alike.size
        space.room.noted[:] = 1  # nothing need be noted: there is nothing to go back to
        kernels_bloc.build(0, self._large, self.rows, self.live, space.room)
        space.room.noted[:] = 0
        space.room.work[kernels_journal.SPENT] = 0
        _spaces[self.graph].append(space)

    @property
    def _large(self) -> int:
        return max(_LARGE, self.live.weight.size // 100)

    def _space(self) -> Space:
        try:
            return _spaces.setdefault(self.graph, []).pop()
        except IndexError:  # none yet, or another thread has it
            return Space(self.live.weight.size)

    def exchange(self, noted: Any) -> _Noted:
        """Take a step back, or anew, and give what takes that back."""
        from catallax.matching.updates import kernels_journal

        kernels_journal.exchange(noted.kind, noted.agent, noted.old, self.live)
        bloc = self.live.bloc.copy()
        self.live.bloc[:] = noted.bloc
        return _Noted(noted.kind, noted.agent, noted.old, bloc)


class _Noted(NamedTuple):
    """What takes a step of a `LabelStore` back; see `kernels_journal.exchange`."""

    kind: NDArray[np.int8]
    agent: Indices
    old: Weights
    bloc: NDArray[np.int64]


class Space:
    """What kernels work in; kept for the next time.

    Kernels leave all but what is tidied up after them as they found it.
    """

    def __init__(self, n_agents: int) -> None:
        from catallax.matching.updates.kernels_journal import KINDS, Room

        def empty() -> Indices:
            return np.empty(n_agents, np.int32)

        def zeros(kind: type[np.generic] = np.int32) -> NDArray[Any]:
            return np.zeros(n_agents, kind)

        entries = KINDS * n_agents
        self.told = Moved.room(n_agents)
        self.room = Room(
            mark=zeros(), link=empty(), place=zeros(), lost=(empty(), empty()),
            n_lost=np.zeros(2, np.int64), ends=np.zeros((2, 2), np.int64),
            bloc_lost=np.zeros(2, np.bool_), path=empty(), heap=empty(), is_torn=zeros(np.bool_),
            torn=empty(), leavers=empty(),
            work=np.zeros(6, np.int64), noted=np.zeros((KINDS, n_agents), np.int32),
            kind=np.empty(entries, np.int8), agent=np.empty(entries, np.int32),
            old=np.empty(entries),
        )  # fmt: skip


class SortedStore:
    """Weights and the order of either side of a complete graph.

    Attributes
    ----------
    report, weight
        Report and weight of each agent.
    buyers, sellers
        Buyers from the heaviest, sellers from the lightest.
    trading
        Who trades.
    count
        The number of trades.
    """

    __slots__ = ("buyers", "count", "graph", "report", "seen", "sellers", "trading", "weight")

    def __init__(
        self, graph: Graph, report: Weights, weight: Weights, buyers: Indices, sellers: Indices,
        count: int,
    ) -> None:  # fmt: skip
        self.graph, self.report, self.weight = graph, report, weight
        self.buyers, self.sellers, self.count = buyers, sellers, count
        self.trading = np.zeros(weight.size, np.bool_)
        self.trading[buyers[:count]] = self.trading[sellers[:count]] = True
        self.seen = np.zeros(weight.size, np.int8)

    def arrays(self) -> tuple[Any, ...]:
        """Copy everything that there is."""
        parts = (self.report, self.weight, self.buyers, self.sellers)
        return (*(part.copy() for part in parts), self.count)

    @classmethod
    def of(cls, graph: Graph, arrays: tuple[Any, ...]) -> SortedStore:
        """Make a store of such copies."""
        return cls(graph, *arrays)

    def trades(self) -> NDArray[np.bool_]:
        """Tell of all agents whether they trade."""
        return self.trading

    def trades_of(self, agent: int) -> bool:
        """Tell whether somebody trades."""
        return bool(self.trading[agent])

    def sources(self, agents: NDArray[np.integer]) -> Indices:
        """Tell who sets the thresholds of some who trade."""
        by_side = np.array([self._setter(lightest=False), self._setter(lightest=True)], np.int32)
        return by_side[(agents >= self.graph.n_buyers).astype(np.intp)]

    def entry(self, agent: int) -> int:
        """Tell whom somebody who does not trade would have to beat; -1 where nothing would do."""
        return self._setter(lightest=agent < self.graph.n_buyers)

    def entries(self, first: int, last: int) -> Indices:
        """Tell that of all from `first` to `last` who do not trade, and -1 of those who do."""
        source = self._setter(lightest=first < self.graph.n_buyers)
        return np.where(self.trading[first:last], -1, source).astype(np.int32)

    def together(self) -> NDArray[np.bool_]:
        """Tell of all agents whether their thresholds are kept as one, by side: all who trade."""
        return self.trading

    def in_common(self, side: int) -> NDArray[np.intp]:
        """List those of a side whose thresholds are kept as one: all who trade."""
        n_buyers = self.graph.n_buyers
        if side == 0:
            return np.flatnonzero(self.trading[:n_buyers])
        return np.flatnonzero(self.trading[n_buyers:]) + n_buyers

    def _setter(self, *, lightest: bool) -> int:
        from catallax.matching.updates.kernels_resort import setter

        return int(setter(lightest, self.weight, self.buyers, self.sellers, self.count))

    def step(
        self, reporters: Indices, before: Weights, agents: Indices, weights: Weights
    ) -> tuple[_Resorted, Moved, bool] | None:
        """Go on to new reports and weights; see `LabelStore.step`."""
        from catallax.matching.updates import kernels_resort

        if agents.size > _MOVES:
            self.report[reporters] = before
            return None
        count, number = self.count, agents.size
        moves = np.empty(number, np.int32), np.empty(number, np.int32), np.empty(number)
        flips = np.empty(12 * number, np.int32)
        told = Moved.room(reporters.size + flips.size)
        self.count, flipped, listed = kernels_resort.step(
            reporters, before, agents, weights, self.report, self.weight, self.buyers,
            self.sellers, self.trading, count, moves, flips, self.seen, told,
        )  # fmt: skip
        noted = _Resorted(agents, moves, flips[:flipped].copy(), reporters, before, count, True)
        return noted, told.first(listed), flipped > 0

    def exchange(self, noted: Any) -> _Resorted:
        """Take a step back, or anew, and give what takes that back."""
        from catallax.matching.updates import kernels_resort

        kernels_resort.exchange(
            *noted[:5], self.report, self.weight, self.buyers, self.sellers, self.trading,
            noted.back,
        )  # fmt: skip
        now, self.count = self.count, noted.number_of_trades
        return noted._replace(number_of_trades=now, back=not noted.back)


class _Resorted(NamedTuple):
    """What takes a step of a `SortedStore` back; see `kernels_resort.exchange`."""

    agents: Indices
    moves: tuple[Indices, Indices, Weights]
    flips: Indices
    reporters: Indices
    reports: Weights
    number_of_trades: int
    back: bool


Store = LabelStore | SortedStore


def rows_of(graph: Graph) -> Rows:
    """Give the rows of all agents of a graph, numbered together; made once for each graph."""
    rows = _rows.get(graph)
    if rows is None:
        from catallax.matching.updates import kernels_update
        from catallax.matching.updates.kernels_journal import Rows

        start, neighbours = graph.by_buyer
        ends = (
            np.empty(graph.n_buyers + graph.n_sellers + 1, np.int64),
            np.empty(2 * neighbours.size, np.int32),
        )
        kernels_update.both_rows(start, neighbours, graph.n_sellers, *ends)
        rows = _rows[graph] = Rows(*ends, graph.n_buyers)
    return rows
