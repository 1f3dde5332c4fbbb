"""The search of an audit: one pass over profiles and deviations that all properties share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.audit.runs import Run, Runner
from catallax.audit.search.asked import Asked, AskedOfCurves, AskedOfRuns
from catallax.audit.search.candidates import Landscape
from catallax.audit.search.curves import BISECTIONS, Curve, explore
from catallax.audit.search.expectations import TypeTable, fresh_mean, type_tables
from catallax.audit.search.profiles import count_profiles, profiles
from catallax.audit.search.surplus import Average, surplus_of
from catallax.audit.search.vectors import vector_deviations
from catallax.progress import Progress

if TYPE_CHECKING:
    from catallax.audit.judgement import Violation
    from catallax.audit.search.means import Mean
    from catallax.audit.setting import Agent, Setting

__all__ = ["Search", "Vectors"]

Array = NDArray[np.float64]

# So many vectors of bids are tried, of those there are, however little is left.
_FEWEST_VECTORS = 12
# So many drawn profiles in a row without anything new end a search.
_MOST_IDLE = 20


class Vectors(NamedTuple):
    """What the best vector of bids gains over the truth, at one profile.

    Attributes
    ----------
    agent
        The buyer.
    values
        The profile.
    report
        The best vector of those tried.
    gain
        What it gains; 0.0 where the mechanism fails at the truth.
    tried
        How many were tried.
    """

    agent: Agent
    values: Array
    report: Array
    gain: float
    tried: int


# How the budget is split among the kinds of statement that were asked for.
_SHARES = {"curves": 0.4, "types": 0.45, "average": 0.1, "own": 0.05}


class Search:
    """What an audit has seen of a mechanism in a market.

    Parameters
    ----------
    setting
        The market and the mechanism.
    properties
        What is asked.
    rng
        What profiles are drawn with.
    budget
        How often the mechanism may be run, besides shrinking.
    progress
        Told how far the search is.
    """

    def __init__(
        self,
        setting: Setting,
        properties: Sequence[Asked],
        rng: np.random.Generator,
        budget: int,
        progress: Progress | None = None,
    ) -> None:
        self.setting, self.properties, self.budget = setting, properties, budget
        self.rng = rng
        self._progress = progress
        self.curves: list[Curve] = []
        self.vectors: list[Vectors] = []
        self.runs_seen = self.outcomes_seen = 0
        self.exhaustive = False
        self.kinds: Counter[str] = Counter()
        self.agents_tried: set[int] = set()
        self.types_spent = 0
        asked = [rule for one in properties for rule in one.companions()]
        self._rules = [one for one in dict.fromkeys(asked) if isinstance(one, AskedOfRuns)]
        self._worst: dict[str, Violation] = {}
        self.runner = Runner(setting, self._watch)

    # ----------------------------------------------------------------------------------- runs

    def tell(self, doing: str) -> None:
        """Tell how much of the budget is spent, and what is being done."""
        if self._progress is not None:
            self._progress(min(1.0, self.runner.spent / self.budget), doing)

    def _watch(self, values: Array, run: Run) -> None:
        """Judge a new run by every property of single outcomes."""
        self.runs_seen += 1
        self.outcomes_seen += run.problem is None
        if self.runs_seen % 50 == 0:
            self.tell("searching")
        for rule in self._rules:
            found = rule.judge(self.setting, values, run)
            if found is None:
                continue
            known = self._worst.get(rule.slug)
            if known is not None and found.amount <= known.amount:
                continue
            if rule.anywhere or self.setting.all_possible(values):
                self._worst[rule.slug] = found

    def worst_curve(self, prop: AskedOfCurves) -> Violation | None:
        """Return where a property of an agent's reports fails at possible reports of the others."""
        for curve in self.curves:
            if curve.agent.role in prop.sides:
                found = prop.judge(self.setting, curve)
                if found is not None and self.setting.all_possible(found.values):
                    return found
        return None

    def worst_run(self, rule: AskedOfRuns) -> Violation | None:
        """Return where a property of single outcomes fails worst."""
        return self._worst.get(rule.slug)

    # --------------------------------------------------------------------------------- the work

    def asked(self, need: str) -> list[Asked]:
        """Return the properties asked for that need one kind of work."""
        return [one for one in self.properties if one.need == need]

    def share(self, need: str) -> int:
        """Return the runs that one kind of statement may take."""
        asked = {one.need for one in self.properties} & set(_SHARES)
        if "runs" in {one.need for one in self.properties}:
            asked.add("curves")  # runs are looked at wherever they are made; most are made there
        total = sum(_SHARES[one] for one in asked)
        return max(1, int(self.budget * _SHARES[need] / total)) if need in asked else 0

    def run(self) -> None:
        """Look at profiles and at all reports of agents there, as far as the budget goes."""
        allowed = self.share("curves")
        if allowed:
            self._look(allowed)

    def look_closer(self, allowed: int) -> None:
        """Look for single cases with what is left, unless that was done: rare ones escape draws."""
        if not self.kinds and allowed > 0:
            self._look(self.runner.spent + allowed)

    def _look(self, allowed: int) -> None:
        seen: set[bytes] = set()
        complete, idle = True, 0
        for kind, values in profiles(self.setting, self.rng):
            if self.runner.spent >= allowed or idle > _MOST_IDLE:
                # Impossible profiles are an extra.
                complete &= kind == "beyond"
                break
            before = self.runner.spent
            self.kinds[kind] += 1
            self.runner(values)
            complete &= self._explore(values, allowed, seen) or kind == "beyond"
            # Without priors all draws may be alike.
            idle = 0 if kind == "all" or self.runner.spent > before else idle + 1
        listed = self.setting.size == 0 or count_profiles(self.setting) is not None
        located = all(curve.located for curve in self.curves)
        self.exhaustive = complete and listed and located

    def _explore(self, values: Array, allowed: int, seen: set[bytes]) -> bool:
        """Explore agents' reports at a profile; return whether everybody's turn came."""
        setting, runner = self.setting, self.runner
        landscape = Landscape(runner, values)
        start = runner.spent
        # In a large market no single profile may take more than a third of the budget.
        limit = min(allowed, start + max(allowed // 3, 1))
        turns = self._turns()
        for number in turns:
            agent = setting.agent(number)
            if runner.spent >= limit:
                return False
            if len(agent.slots) != 1:
                room = (limit - runner.spent) // (1 if len(turns) == 1 else 2)
                self._explore_vectors(agent, values, max(room, _FEWEST_VECTORS))
                continue
            others = np.delete(values, agent.slots[0])
            key = number.to_bytes(8, "little") + others.tobytes()
            if key in seen:
                continue
            seen.add(key)
            self.agents_tried.add(number)
            self.curves.append(explore(runner, landscape, agent, min(BISECTIONS, allowed // 4)))
        return True

    def _turns(self) -> list[int]:
        """Return the agents whose reports matter in random order, those asked about first.

        Both sides take turns, and either may begin, so that small budgets leave out neither.
        """
        setting = self.setting
        asked = {side for one in self.asked("curves") for side in one.sides}
        sides = [
            setting.agents(role) for role in ("buyer", "seller") if role in asked or self._rules
        ]
        shuffled = [[side[k] for k in self.rng.permutation(len(side))] for side in sides]
        if self.rng.random() < 0.5:
            shuffled.reverse()
        turns = [n for turn in zip_longest(*shuffled) for n in turn if n is not None]
        return sorted(turns, key=lambda n: setting.agent(n).role not in asked)

    def _explore_vectors(self, agent: Agent, values: Array, most: int) -> None:
        """Try vectors of bids in place of the truth, and keep the best."""
        reports = vector_deviations(self.runner, agent, values)
        if len(reports) > most:
            reports = reports[np.sort(self.rng.permutation(len(reports))[:most])]
        slots = list(agent.slots)
        utilities = []
        for report in [values[slots], *reports]:
            moved = values.copy()
            moved[slots] = report
            run = self.runner(moved)
            utilities.append(-np.inf if run.problem else run.utility(agent, values))
        best = int(np.argmax(utilities[1:]))
        gain = 0.0 if np.isinf(utilities[0]) else utilities[1 + best] - utilities[0]
        self.agents_tried.add(self.setting.number_of(agent))
        self.vectors.append(Vectors(agent, values, reports[best], gain, len(reports)))

    @cached_property
    def types(self) -> list[TypeTable]:
        """Expected outcomes of agents by report, over the others' values."""
        roles = {role for one in self.asked("types") for role in one.sides}
        before = self.runner.spent
        tables = type_tables(self.runner, self.rng, self.share("types"), roles)
        self.fresh_runs(before)
        return tables

    def judging(self, prop: Asked) -> int:
        """Return the runs with which a property may judge on fresh draws what a sample suggests.

        What properties before it did not need is left to it.
        """
        asked = self.asked("types")
        later = asked[asked.index(prop) + 1 :]
        waiting = sum(one.undecided_by(self.types, self.setting) for one in later)
        return max(0, self.share("types") - self.types_spent) // (1 + waiting)

    def judged(self, agent: Agent, reports: Array, runs: int, level: float) -> Mean:
        """Compare a report with the truth, or value the truth alone, on fresh draws.

        See `catallax.audit.search.expectations.fresh_mean`; its runs count as spent on types.
        """
        before = self.runner.spent
        found = fresh_mean(self.runner, self.rng, agent, reports, runs, level)
        self.fresh_runs(before)
        return found

    def fresh_runs(self, before: int) -> None:
        """Count the runs made since then as spent on types."""
        self.types_spent += self.runner.spent - before

    @cached_property
    def average(self) -> Average:
        """The surplus in expectation over all profiles, or over a sample."""
        self.setting.require_priors("this")
        allowed = max(2, self.share("average"))
        # What single cases are looked for with, should no draw show one.
        kept = 0 if self.kinds else allowed // 4
        found = surplus_of(self.runner, allowed - kept, self.rng)
        if found.surplus.interval is not None:
            self.look_closer(kept)
        return found

    # ------------------------------------------------------------------------------- in words

    @property
    def profiles_seen(self) -> int:
        """How many profiles count as looked at."""
        # Those that the priors exclude are an extra where all others were looked at.
        return self.kinds.total() - self.exhaustive * self.kinds["beyond"]

    def said_of_runs(self) -> str:
        """Say what runs were made."""
        return f"in every run of the search, at {self._said_of_profiles()} and at deviations there"

    def said_of_curves(self) -> str:
        """Say whose reports were varied where."""
        tried, size = len(self.agents_tried), self.setting.n_agents
        who = "every agent" if tried == size else f"{tried} of {size} agents"
        return f"at every report of {who} that can matter, at {self._said_of_profiles()}"

    def _said_of_profiles(self) -> str:
        if self.exhaustive:
            beyond = self.kinds["beyond"]
            also = f" and {beyond} that they exclude" if beyond else ""
            return f"all {self.kinds.total() - beyond} profiles of the priors{also}"
        words = {
            "own": "the market's own",
            "all": "{} of the priors' profiles",
            "drawn": "{} drawn",
            "ties": "{} with ties",
            "beyond": "{} that the priors exclude",
        }
        parts = [words[kind].format(count) for kind, count in self.kinds.items() if count]
        return "no profile" if not parts else "profiles: " + ", ".join(parts)
