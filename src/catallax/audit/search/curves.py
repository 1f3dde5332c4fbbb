"""What one agent could get: the outcome as a function of her report, everything else fixed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.audit.runs import Own, Run
from catallax.audit.setting import ROUNDING
from catallax.priors.floats import from_order, to_order

if TYPE_CHECKING:
    from catallax.audit.runs import Runner
    from catallax.audit.search.candidates import Landscape
    from catallax.audit.setting import Agent

__all__ = ["BISECTIONS", "Curve", "explore"]

Array = NDArray[np.float64]

# Runs that the search for unexpected jumps may take, for one curve.
BISECTIONS = 260
# Halvings around the best deviation, where prices move with the report.
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Curve:
    """An agent's outcome at every report that can matter, the others' reports fixed.

    Attributes
    ----------
    agent
        Whose reports vary.
    values
        The profile; the agent's own entry plays no part.
    reports
        Ascending; those at which the mechanism failed are left out. Shape (k,).
    owns
        What each report leads to, in every outcome of the mechanism's coin.
    located
        Whether every change of trade or partner lies between neighbouring floats, so that the
        outcome between the reports is known.
    moving
        Whether some price changes with the own report without a jump.
    rounding
        The difference in money that is nothing but rounding, whatever the agent's amounts.
    refused
        A report with which she would trade, as the outcome at the profile itself says, though
        she does not with hers, which is as good; NaN where it says nothing of the kind.
    """

    agent: Agent
    values: Array
    reports: Array
    owns: tuple[tuple[Own, ...], ...]
    located: bool
    moving: bool
    rounding: float
    refused: float = np.nan

    @property
    def slot(self) -> int:
        """Where the agent's report stands in a profile."""
        return self.agent.slots[0]

    @cached_property
    def chance(self) -> Array:
        """Probability of a trade at each report, over the mechanism's coin."""
        return np.array([sum(o.chance for o in own if o.partner >= 0) for own in self.owns])

    @cached_property
    def price(self) -> Array:
        """Expected price at each report: what a buyer pays, what a seller receives."""
        return np.array([sum(o.chance * o.price for o in own) for own in self.owns])

    @cached_property
    def transfer(self) -> Array:
        """Expected receipt besides the trade."""
        return np.array([sum(o.chance * o.transfer for o in own) for own in self.owns])

    @cached_property
    def paid(self) -> Array:
        """What is nothing but rounding in what each report leads to."""
        return ROUNDING * np.maximum(np.abs(self.price), np.abs(self.transfer))

    def roundings(self, types: Array) -> Array:
        """Return what is nothing but rounding in what each true value gains by each report."""
        return self.rounding + ROUNDING * np.abs(types)[:, None] + self.paid

    def gains(self, types: Array) -> Array:
        """Return utilities; entry (t, r) is that of true value t at the r-th report."""
        sign = 1.0 if self.agent.role == "buyer" else -1.0
        return sign * (types[:, None] * self.chance - self.price) + self.transfer

    def profile(self, report: float) -> Array:
        """Return the profile with another report of the agent."""
        values = self.values.copy()
        values[self.slot] = report
        return values


def explore(
    runner: Runner, landscape: Landscape, agent: Agent, bisections: int = BISECTIONS
) -> Curve:
    """Find an agent's outcome at every report that can matter.

    Parameters
    ----------
    runner
        Runs the mechanism.
    landscape
        The profile with its weights.
    agent
        Somebody who reports one number.
    bisections
        How often the mechanism may be run in search of jumps that nothing announces.

    Returns
    -------
    Curve
        At every candidate, between every two neighbours and beyond both ends. Where two
        neighbouring reports still differ, the change is looked for at candidates' neighbouring
        floats and at the prices seen, and by bisection down to the last float.
    """
    return _Explorer(runner, landscape, agent, bisections).curve()


class _Explorer:
    def __init__(self, runner: Runner, landscape: Landscape, agent: Agent, bisections: int) -> None:
        self.runner, self.agent = runner, agent
        self.values = landscape.values
        self.candidates = landscape.candidates(agent)
        self.bounds = runner.setting.lowest(agent.slots[0]), runner.setting.highest
        self.seen: dict[float, tuple[Own, ...]] = {}
        self.failed: set[float] = set()
        self.moving = False
        self.left = bisections
        self.tick = 0.0
        self.rounding = runner.setting.own_rounding(agent, self.values)
        self.refused = landscape.refused(agent)

    def curve(self) -> Curve:
        for report in self._grid():
            self._at(report)
        located = True
        for low, high in self._neighbours():
            if not self._same(low, high):
                located &= self._locate(low, high)
        if self.moving:
            self._climb()
        return self._found(located)

    def _found(self, located: bool) -> Curve:
        order = sorted(self.seen)
        return Curve(
            self.agent,
            self.values,
            np.array(order),
            tuple(self.seen[report] for report in order),
            located,
            self.moving,
            self.rounding + 4 * self.tick,
            self.refused,
        )

    def _climb(self) -> None:
        """Where prices move with the report, look for a better one around the best deviation."""
        for _ in range(_ROUNDS):
            curve = self._found(True)
            if curve.reports.size < 3:
                return
            utility = curve.gains(curve.reports)
            gain = utility - np.diag(utility)[:, None]
            truth, best = np.unravel_index(int(np.argmax(gain)), gain.shape)
            for place in (int(truth), int(best)):
                near = curve.reports[max(place - 1, 0) : place + 2].tolist()
                for low, high in pairwise(near):
                    if low < (low + high) / 2 < high:
                        self._at((low + high) / 2)

    def _grid(self) -> list[float]:
        """Return candidates, one report between every two, and one beyond each end."""
        found = self.candidates.tolist()
        between = [(a + b) / 2 for a, b in pairwise(found)]
        most = max(abs(found[0]), abs(found[-1]), self.runner.setting.typical)
        span = (found[-1] - found[0]) / 2 or most / 2 or 1.0
        ends = [max(found[0] - span, self.bounds[0]), min(found[-1] + span, self.bounds[1])]
        return sorted({*found, *between, *ends})

    def _at(self, report: float) -> tuple[Own, ...] | None:
        if report not in self.seen and report not in self.failed:
            values = self.values.copy()
            values[self.agent.slots[0]] = report
            run: Run = self.runner(values)
            self.tick = max(self.tick, run.tick)
            if run.problem:
                self.failed.add(report)
            else:
                self.seen[report] = run.own(self.agent)
        return self.seen.get(report)

    def _neighbours(self) -> list[tuple[float, float]]:
        order = sorted(self.seen)
        return list(pairwise(order))

    def _kind(self, report: float) -> tuple[tuple[float, int], ...]:
        return tuple((own.chance, own.partner) for own in self.seen[report])

    def _same(self, low: float, high: float) -> bool:
        """Whether two reports lead to the same trades at the same prices."""
        if self._kind(low) != self._kind(high):
            return False
        return all(
            abs(a.price - b.price) <= self.rounding + ROUNDING * abs(a.price)
            and abs(a.transfer - b.transfer) <= self.rounding + ROUNDING * abs(a.transfer)
            for a, b in zip(self.seen[low], self.seen[high], strict=True)
        )

    def _locate(self, low: float, high: float) -> bool:
        """Find out where, between two reports, the outcome changes."""
        if np.nextafter(low, np.inf) >= high:
            return True
        if self._kind(low) == self._kind(high) and self._moves(low, high):
            return True
        tries = {float(np.nextafter(low, np.inf)), float(np.nextafter(high, -np.inf))}
        for report in (low, high):
            for own in self.seen[report]:
                # A critical price says itself where the outcome changes.
                if own.partner >= 0 and low < own.price < high:
                    around = (np.nextafter(own.price, end) for end in (-np.inf, np.inf))
                    tries |= {own.price, *(float(report) for report in around)}
        inside = sorted(
            report for report in tries if low < report < high and self._at(report) is not None
        )
        located = True
        points = [low, *inside, high]
        for a, b in pairwise(points):
            if not self._same(a, b):
                located &= self._bisect(a, b)
        return located

    def _moves(self, low: float, high: float) -> bool:
        """Whether nothing but prices changes between two reports, and without a jump."""
        middle = (low + high) / 2
        if not low < middle < high or self._at(middle) is None:
            return False
        if self._kind(middle) != self._kind(low):
            return False
        moves = not self._same(low, middle) and not self._same(middle, high)
        self.moving |= moves
        return moves

    def _bisect(self, low: float, high: float) -> bool:
        """Halve an interval until the outcome changes between neighbouring floats."""
        left, right = (int(to_order(np.array([end]))[0]) for end in (low, high))
        while right - left > 1:
            if self.left <= 0:
                return self._kind(low) == self._kind(high)
            self.left -= 1
            middle = float(from_order(np.array([(left + right) // 2]))[0])
            if self._at(middle) is None:
                return False
            if self._same(low, middle):
                low, left = middle, (left + right) // 2
            elif self._same(middle, high):
                high, right = middle, (left + right) // 2
            elif self._kind(low) == self._kind(middle) == self._kind(high):
                self.moving = True  # only a price changes, and on both sides: no jump
                return True
            elif self._kind(low) == self._kind(middle):
                self.moving = True
                low, left = middle, (left + right) // 2
            elif self._kind(middle) == self._kind(high):
                self.moving = True
                high, right = middle, (left + right) // 2
            else:
                return self._bisect(low, middle) & self._bisect(middle, high)
        return True
