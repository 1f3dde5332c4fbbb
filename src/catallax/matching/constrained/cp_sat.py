"""Integer programs, solved and proved by OR-Tools CP-SAT."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.markets.families import Family
from catallax.markets.families.bound import Exclusions, Explicit, GroupLimits, Knapsack
from catallax.matching.constrained.solver import Optimum, Solver
from catallax.matching.limits import Clock, need_ortools

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

__all__ = ["CpSat"]

Whole = NDArray[np.int64]


class CpSat(Solver):
    """One 0/1 variable for each edge; first the most money, then the most favour."""

    name = "program"

    def __init__(self, family: Family, buyer: Whole, seller: Whole) -> None:
        self.family = family
        self.buyer = buyer
        self.seller = seller
        self.hint = np.zeros(buyer.size, bool)

    def start_from(self, edges: Whole) -> None:
        """Hint at a set of edges in all later solves: without one agent little changes."""
        self.hint[edges] = True

    def best(
        self,
        active: NDArray[np.bool_],
        money: Whole,
        favour: Whole,
        forced: Whole | None,
        clock: Clock,
    ) -> Optimum | None:
        """Find the best set of active edges; see `Solver.best`."""
        edges = np.flatnonzero(active)
        if not edges.size:
            return Optimum(0, 0, ()) if forced is None else None
        model, use = self._model(edges, forced)
        if self.hint.any():
            for variable, chosen in zip(use, self.hint[edges], strict=True):
                model.add_hint(variable, bool(chosen))
        first = self._optimise(model, use, money[edges], clock)
        if first is None:
            return None
        total = int(money[edges][first].sum())
        # No set brings more, so this demands equality; said as one side of it, it is proved
        # in a hundredth of the time.
        model.add(_sum(use, money[edges]) >= total)
        model.clear_hints()
        for variable, chosen in zip(use, first, strict=True):
            model.add_hint(variable, bool(chosen))
        second = self._optimise(model, use, favour[edges], clock)
        assert second is not None  # the first solution meets every demand
        chosen_edges = edges[second]
        return Optimum(total, int(favour[chosen_edges].sum()), tuple(chosen_edges.tolist()))

    def _optimise(
        self, model: cp_model.CpModel, use: list[Any], gain: Whole, clock: Clock
    ) -> NDArray[np.bool_] | None:
        """Maximise, and prove it; None if nothing is feasible."""
        cp_model = need_ortools("sat.python.cp_model")

        model.clear_objective()
        model.maximize(_sum(use, gain))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.linearization_level = 2
        solver.parameters.max_time_in_seconds = clock.left()
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return None
        if status != cp_model.OPTIMAL:
            clock.stop()
        return np.array([solver.boolean_value(variable) for variable in use], dtype=bool)

    def _model(self, edges: Whole, forced: Whole | None) -> tuple[cp_model.CpModel, list[Any]]:
        """Write the graph and every constraint in terms of the edges' variables."""
        cp_model = need_ortools("sat.python.cp_model")

        model = cp_model.CpModel()
        use = [model.new_bool_var("") for _ in range(edges.size)]
        place = {int(edge): k for k, edge in enumerate(edges)}
        for side in (self.buyer, self.seller):
            for members in _groups(side[edges]):
                if members.size > 1:
                    model.add_at_most_one([use[k] for k in members])
        if forced is not None:
            model.add_exactly_one([use[place[int(edge)]] for edge in forced])
        for bound in self.family.bound:
            if isinstance(bound, GroupLimits):
                self._limit(model, use, edges, bound)
            elif isinstance(bound, Exclusions):
                self._exclude(model, use, edges, bound)
            elif isinstance(bound, Knapsack):
                model.add(_sum(use, bound.amount[edges]) <= bound.limit)
            elif isinstance(bound, Explicit):
                listed = [model.new_bool_var("") for _ in bound.matchings]
                model.add_at_most_one(listed)
                for k, edge in enumerate(edges.tolist()):
                    inside = [y for y, m in zip(listed, bound.matchings, strict=True) if edge in m]
                    model.add_bool_or([~use[k], *inside])
        return model, use

    def _limit(
        self, model: cp_model.CpModel, use: list[Any], edges: Whole, bound: GroupLimits
    ) -> None:
        if bound.over == "trades":
            model.add(sum(use) <= int(bound.limit[0]))
            return
        index = {"buyers": self.buyer, "sellers": self.seller}.get(bound.over)
        group = bound.group[edges if index is None else index[edges]]
        for number, limit in enumerate(bound.limit.tolist()):
            members = np.flatnonzero(group == number)
            if members.size > limit:
                model.add(sum(use[k] for k in members) <= limit)

    def _exclude(
        self, model: cp_model.CpModel, use: list[Any], edges: Whole, bound: Exclusions
    ) -> None:
        index = {"buyers": self.buyer, "sellers": self.seller}.get(bound.over)
        own = edges if index is None else index[edges]
        places: dict[int, list[int]] = {}
        for k, agent in enumerate(own.tolist()):
            places.setdefault(agent, []).append(k)
        for one, other in bound.pairs.tolist():
            if one in places and other in places:
                model.add_at_most_one([use[k] for k in places[one] + places[other]])


def _sum(use: list[Any], weights: Whole) -> Any:
    cp_model = need_ortools("sat.python.cp_model")

    return cp_model.LinearExpr.weighted_sum(use, weights.tolist())


def _groups(labels: Whole) -> list[Whole]:
    """Split positions by label."""
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    return [order[a:b] for a, b in pairwise([0, *cuts.tolist(), labels.size])]
