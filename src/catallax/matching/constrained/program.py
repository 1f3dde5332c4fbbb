"""Markets with any constraints: optima proved one by one, thresholds by solving again."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError
from catallax.markets.families import Family
from catallax.markets.scale import Scale
from catallax.matching.constrained.components import edge_components
from catallax.matching.constrained.solver import Optimum, Solver
from catallax.matching.limits import Clock
from catallax.matching.result import Matching, PairBounds, Thresholds, whole_thresholds
from catallax.matching.ticks import Favours, Ticks, favours, round_weights

__all__ = ["ProgramMatching", "match_by_program"]

Weights = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]
Result = TypeVar("Result")
MOST_EDGES = 1_000_000
WEIGHT_BITS = 40


@dataclass(frozen=True, eq=False)
class _Problem:
    """Edges, what they bring, and who solves."""

    family: Family
    ticks: Ticks
    favour: Favours
    buyer: Whole
    seller: Whole
    solver: Solver
    limit: float

    @cached_property
    def usable(self) -> Mask:
        """Edges whose ends both may trade at all."""
        return self.ticks.buyers_in[self.buyer] & self.ticks.sellers_in[self.seller]

    @cached_property
    def money(self) -> Whole:
        """Ticks that each edge brings."""
        return self.ticks.buyers[self.buyer] - self.ticks.sellers[self.seller]

    @cached_property
    def all_money(self) -> Whole:
        """Ticks that each edge brings, amounts that are out of reach included."""
        return self.ticks.all_buyers[self.buyer] - self.ticks.all_sellers[self.seller]

    @cached_property
    def useful(self) -> Mask:
        """Edges on which a trade would not lose."""
        return self.usable & (self.money >= 0)

    @cached_property
    def favours(self) -> Whole:
        """Favour of each edge with its ends."""
        pair = self.favour.pairs(self.buyer, self.seller)
        return self.favour.buyers[self.buyer] + self.favour.sellers[self.seller] + pair

    @cached_property
    def component(self) -> Whole:
        """Number of the part of the problem to which each useful edge belongs, else -1."""
        return edge_components(self.family, self.buyer, self.seller, self.useful)

    @cached_property
    def region(self) -> Whole:
        """Number of the part to which each edge belongs when all edges count."""
        everything = np.ones(self.buyer.size, bool)
        return edge_components(self.family, self.buyer, self.seller, everything)

    def best(
        self,
        active: Mask,
        money: Whole | None = None,
        forced: Whole | None = None,
        *,
        clock: Clock,
    ) -> Optimum | None:
        """Solve some edges."""
        money = self.money if money is None else money
        return self.solver.best(active, money, self.favours, forced, clock)

    def each(self, work: Callable[[int, Clock], Result], number: int) -> list[Result]:
        """Do some work for each of a number of agents, on all cores, within one time limit."""
        clock = Clock(self.limit)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return list(pool.map(lambda k: work(k, clock), range(number)))


@dataclass(frozen=True, eq=False)
class ProgramMatching(Matching):
    """A matching proved best by an integer program or a search, on whole ticks."""

    _problem: _Problem
    _edges: Whole

    @cached_property
    def trading_buyers(self) -> Thresholds:
        """Thresholds of the buyers that trade: the best without each."""
        return self._trading(self.buyer, buyers=True)

    @cached_property
    def trading_sellers(self) -> Thresholds:
        """Thresholds of the sellers that trade: the best without each."""
        return self._trading(self.seller, buyers=False)

    @cached_property
    def waiting_buyers(self) -> Thresholds:
        """What the buyers that do not trade would have to beat: the best with each."""
        return self._waiting(self.buyer, buyers=True)

    @cached_property
    def waiting_sellers(self) -> Thresholds:
        """What the sellers that do not trade would have to undercut: the best with each."""
        return self._waiting(self.seller, buyers=False)

    @cached_property
    def _optimum(self) -> dict[int, Optimum]:
        """Money and favour of the chosen edges of every component."""
        return self._of_parts(self._problem.component)

    @cached_property
    def _regional(self) -> dict[int, Optimum]:
        """Money and favour of the chosen edges of every region."""
        return self._of_parts(self._problem.region)

    def _of_parts(self, number: Whole) -> dict[int, Optimum]:
        problem = self._problem
        result = {}
        for part in np.unique(number[self._edges]).tolist():
            edges = self._edges[number[self._edges] == part]
            result[part] = Optimum(
                int(problem.all_money[edges].sum()),
                int(problem.favours[edges].sum()),
                tuple(edges.tolist()),
            )
        return result

    def _own(self, agent: int, *, buyers: bool) -> int:
        """Give an agent's own part of the money."""
        ticks = self._problem.ticks
        return int(ticks.all_buyers[agent]) if buyers else -int(ticks.all_sellers[agent])

    def _trading(self, agents: NDArray[np.int32], *, buyers: bool) -> Thresholds:
        problem = self._problem
        side = problem.buyer if buyers else problem.seller

        def first(k: int, clock: Clock) -> int:
            agent, edge = int(agents[k]), int(self._edges[k])
            part = int(problem.component[edge])
            with_her = self._optimum[part]
            active = problem.useful & (problem.component == part) & (side != agent)
            without = problem.best(active, problem.all_money, clock=clock)
            assert without is not None  # trading nothing is always feasible
            money = self._own(agent, buyers=buyers)
            return _first(with_her.money - money, with_her.favour, without)

        levels = np.array(problem.each(first, agents.size), dtype=np.int64)
        return self._thresholds(agents, levels, buyers=buyers, trading=True)

    def _waiting(self, traders: NDArray[np.int32], *, buyers: bool) -> Thresholds:
        problem = self._problem
        side = problem.buyer if buyers else problem.seller
        others_in = problem.ticks.sellers_in if buyers else problem.ticks.buyers_in
        others = problem.seller if buyers else problem.buyer
        waiting = np.ones(self.graph.n_buyers if buyers else self.graph.n_sellers, bool)
        waiting[traders] = False
        agents = np.flatnonzero(waiting)
        nothing = Optimum(0, 0, ())

        def first(k: int, clock: Clock) -> int | None:
            agent = int(agents[k])
            mine = np.flatnonzero((side == agent) & others_in[others])
            if not mine.size:
                return None
            # An agent's edges share her, so they lie in one region.
            region = int(problem.region[mine[0]])
            active = problem.useful & (problem.region == region)
            active[mine] = True
            with_her = problem.best(active, problem.all_money, forced=mine, clock=clock)
            if with_her is None:
                return None
            without = self._regional.get(region, nothing)
            money = self._own(agent, buyers=buyers)
            return _first(with_her.money - money, with_her.favour, without)

        found = problem.each(first, agents.size)
        known = np.array([level is not None for level in found], dtype=bool)
        levels = np.array([level for level in found if level is not None], dtype=np.int64)
        return self._thresholds(agents[known], levels, buyers=buyers, trading=False)

    def _thresholds(
        self, agents: NDArray[np.integer], levels: Whole, *, buyers: bool, trading: bool
    ) -> Thresholds:
        sign = 1 if buyers else -1
        return whole_thresholds(
            agents, sign * levels, self._problem.ticks, buyers=buyers, trading=trading
        )

    @cached_property
    def pair_bounds(self) -> PairBounds:
        """What the partners of each trade could do otherwise: three optima a trade."""
        problem = self._problem

        def bounds(k: int, clock: Clock) -> tuple[float, float, float]:
            i, j, edge = int(self.buyer[k]), int(self.seller[k]), int(self._edges[k])
            part = problem.region == problem.region[edge]
            of_i, of_j = problem.buyer == i, problem.seller == j
            every = problem.all_money
            w_in = self._regional[int(problem.region[edge])].money - int(every[edge])
            none = problem.best(problem.useful & part & ~of_i & ~of_j, every, clock=clock)
            assert none is not None
            ticks = problem.ticks
            found: list[float] = [(none.money - w_in) * ticks.tick]
            for mine, other, own in (
                (of_i, of_j, int(ticks.all_buyers[i])),
                (of_j, of_i, -int(ticks.all_sellers[j])),
            ):
                elsewhere = mine & ~other & problem.usable
                money = np.where(mine, every - own, every)
                active = ((problem.useful & part) | elsewhere) & ~other
                forced = np.flatnonzero(elsewhere)
                best = None
                if forced.size:
                    best = problem.best(active, money, forced, clock=clock)
                found.append(np.inf if best is None else (w_in - best.money) * ticks.tick)
            return found[0], found[1], -found[2]

        columns = np.array(problem.each(bounds, self.buyer.size), dtype=float).reshape(-1, 3).T
        return PairBounds(*columns)


def _first(money: int, favour: int, rival: Optimum) -> int:
    """Give the first whole weight that, added to `money`, beats a rival."""
    return rival.money - money + (favour <= rival.favour)


def match_by_program(
    family: Family, buyer_weights: Weights, seller_weights: Weights, scale: Scale | None
) -> ProgramMatching:
    """Match under any constraints; see `best_matching`."""
    graph = family.parts.graph
    if graph.complete:
        if graph.n_edges > MOST_EDGES:
            raise CatallaxError(
                f"with these constraints every pair counts, and a complete market of "
                f"{graph.n_buyers} by {graph.n_sellers} has {graph.n_edges} of them: list the "
                "edges that matter, or keep to caps and quotas of one grouping a side"
            )
        buyer, seller = np.divmod(np.arange(graph.n_edges), max(1, graph.n_sellers))
    else:
        buyer, seller = graph.buyer.astype(np.int64), graph.seller.astype(np.int64)
    if family.structure == "any":
        from catallax.matching.constrained.search import TreeSearch

        solver: Solver = TreeSearch(family, buyer, seller)
    else:
        from catallax.matching.constrained.cp_sat import CpSat

        solver = CpSat(family, buyer, seller)
    ticks = round_weights(graph, buyer_weights, seller_weights, WEIGHT_BITS, WEIGHT_BITS + 5, scale)
    clock = Clock()
    problem = _Problem(
        family, ticks, favours(graph.n_buyers, graph.n_sellers), buyer, seller, solver, clock.limit
    )
    chosen: list[int] = []
    for part in np.unique(problem.component[problem.useful]).tolist():
        best = problem.best(problem.useful & (problem.component == part), clock=clock)
        assert best is not None
        chosen.extend(best.edges)
    edges = np.array(sorted(chosen, key=lambda e: int(buyer[e])), dtype=np.int64)
    solver.start_from(edges)
    return ProgramMatching(
        graph, buyer_weights, seller_weights,
        buyer[edges].astype(np.int32), seller[edges].astype(np.int32),
        solver.name, ticks.tick, problem, edges,
    )  # fmt: skip
