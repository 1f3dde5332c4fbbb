"""What a property of a mechanism is."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.search.asked import Asked, AskedOfCurves, AskedOfRuns
from catallax.audit.search.candidates import Landscape
from catallax.audit.search.curves import explore

if TYPE_CHECKING:
    from catallax.audit.runs import Runner
    from catallax.audit.search.search import Search
    from catallax.audit.setting import Setting

__all__ = ["CurveProperty", "Property", "RunProperty"]

Array = NDArray[np.float64]


class Property(Asked):
    """A property that mechanisms have or lack.

    A property names itself (`slug`), says in one sentence what it means (`meaning`), and what
    it needs to be looked at: "runs" (every run of the mechanism), "curves" (every report of an
    agent), "types" (expectations over the others' values), "average" (expectations over all
    values) or "own" runs.
    """

    meaning: ClassVar[str]

    def excuse(self, setting: Setting) -> str | None:
        """Say why the property does not apply to a market and a mechanism; None if it does."""
        return None

    @abstractmethod
    def check(self, search: Search) -> Judgement:
        """Say whether the property holds, from what a search has seen."""

    @abstractmethod
    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Look at one violation afresh.

        Parameters
        ----------
        runner
            Of the market in which it is to be looked for, perhaps a smaller one.
        violation
            Values, agent and report.

        Returns
        -------
        Violation or None
            The same violation with its amount here; None if the property holds there.
        """

    def anew(self, runner: Runner, violation: Violation) -> Violation | None:
        """Look for the worst violation of the same agent in a market that has become smaller.

        Parameters
        ----------
        runner
            Of the market.
        violation
            What was violated before: another report, or another value, may be better now.

        Returns
        -------
        Violation or None
            By default there is nothing to look for.
        """
        return None

    @abstractmethod
    def story(self, runner: Runner, violation: Violation) -> str:
        """Tell a violation in one line."""


class RunProperty(Property, AskedOfRuns):
    """A property of every outcome, whoever reports what."""

    def check(self, search: Search) -> Judgement:
        """Report the worst of all runs; where no run has an outcome, say that nothing is known."""
        checked = search.runs_seen if self.anywhere else search.outcomes_seen
        return Judgement(
            search.worst_run(self),
            how=search.said_of_runs(),
            checked=checked,
            exact=search.exhaustive,
            verdict=None if checked else "undecided",
            story=None if checked else "there was no outcome to look at",
        )

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Run once more."""
        return self.judge(runner.setting, violation.values, runner(violation.values))


class CurveProperty(Property, AskedOfCurves):
    """A property of what one agent can get by her reports, the others' fixed."""

    def excuse(self, setting: Setting) -> str | None:
        """Leave out a side on which nobody reports a single number."""
        if setting.unit is not None and self.sides == ("buyer",):
            return "the buyer reports a value for each item, and this is about single numbers"
        return None

    def anew(self, runner: Runner, violation: Violation) -> Violation | None:
        """Explore the agent's reports once more."""
        agent = violation.agent
        if agent is None or len(agent.slots) != 1:
            return None
        curve = explore(runner, Landscape(runner, violation.values), agent)
        return self.judge(runner.setting, curve)

    def check(self, search: Search) -> Judgement:
        """Report the worst of all curves."""
        curves = [curve for curve in search.curves if curve.agent.role in self.sides]
        violations = [self.judge(search.setting, curve) for curve in curves]
        return self._judgement(
            search,
            [one for one in violations if one is not None],
            search.said_of_curves(),
            checked=sum(len(curve.reports) for curve in curves),
            exact=search.exhaustive,
        )

    def _judgement(
        self, search: Search, found: list[Violation], how: str, *, checked: int, exact: bool
    ) -> Judgement:
        """Report the worst; where nobody's reports were tried, say that nothing is known."""
        open_ = not checked and any(search.setting.agents(side) for side in self.sides)
        return Judgement(
            max(found, key=lambda one: one.amount, default=None),
            how=how,
            checked=checked,
            exact=exact,
            verdict="undecided" if open_ else None,
            story="nobody's reports could be tried" if open_ else None,
        )
