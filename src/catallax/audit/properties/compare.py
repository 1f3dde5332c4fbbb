"""Comparing the outcomes of two markets that should be the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.properties.words import outcome_words, profile_words
from catallax.audit.runs import Run, Runner, gain_of
from catallax.audit.search.profiles import profiles

if TYPE_CHECKING:
    from collections.abc import Collection

    from catallax.audit.search.search import Search
    from catallax.audit.setting import Agent, Setting

__all__ = ["Difference", "compared", "difference_story"]

# Profiles at which variants of a market are compared with it.
_PROFILES = 12


class Comparing(Protocol):
    """A property that compares a market with a variant of it."""

    def difference(self, runner: Runner, values: np.ndarray) -> Difference | None:
        """Return what differs at a profile."""
        ...


@dataclass(frozen=True, eq=False)
class Difference:
    """The agent whose outcome differs most between two markets.

    Attributes
    ----------
    agent
        Who; None where one of the two markets cannot be cleared.
    gap
        The difference of her utilities at the true values, in money; may be 0.
    before, after
        Her outcomes in words, or what went wrong.
    """

    agent: Agent | None
    gap: float
    before: str
    after: str

    @classmethod
    def between(
        cls,
        runner: Runner,
        values: np.ndarray,
        other: Runner,
        moved: np.ndarray,
        ignored: Collection[int] = (),
    ) -> Difference | None:
        """Compare two markets agent by agent, by position; None if all is the same."""
        one, two = runner(values), other.taken(moved)
        if one.problem or two.problem:
            if bool(one.problem) == bool(two.problem):
                return None
            return cls(None, 0.0, one.problem or "it clears", two.problem or "it clears")
        setting = runner.setting
        ticks = 8 * max(one.tick, two.tick)
        found: Difference | None = None
        for number in setting.agents():
            agent = setting.agent(number)
            if number in ignored:
                continue
            own = np.abs(values[list(agent.slots)]).max(initial=0.0)
            rounding = setting.own_rounding(agent, values, float(own)) + ticks
            gap = _gap(setting, agent, values, one, two, rounding)
            if gap is not None and (found is None or gap > found.gap):
                words = [outcome_words(run.own(agent), agent, setting) for run in (one, two)]
                found = cls(agent, gap, *words)
        return found

    def violation(self, values: np.ndarray) -> Violation:
        """Return this as a violation at a profile."""
        details: dict[str, Any] = {"before": self.before, "after": self.after}
        return Violation(self.gap, values, self.agent, None, details)


def _gap(
    setting: Setting, agent: Agent, values: np.ndarray, one: Run, two: Run, rounding: float
) -> float | None:
    """Return the difference of an agent's utilities, 0.0 if only the partner is another."""
    first, second = one.own(agent), two.own(agent)
    gap = abs(
        sum(own.chance * gain_of(setting, agent, values, own) for own in first)
        - sum(own.chance * gain_of(setting, agent, values, own) for own in second)
    )
    if gap > rounding:
        return gap
    chances = [
        sorted((round(own.chance, 9), own.partner) for own in owns) for owns in (first, second)
    ]
    return None if chances[0] == chances[1] else 0.0


def compared(prop: Comparing, search: Search, how: str) -> Judgement:
    """Compare a market with a variant of it at some profiles, ones with ties among them."""
    setting, runner = search.setting, search.runner
    worst: Violation | None = None
    seen = 0
    limit = max(1, min(_PROFILES, search.share("own") // 2 // max(1, len(search.asked("own")))))
    for _, values in profiles(setting, search.rng):
        if seen == limit:
            break
        seen += 1
        found = prop.difference(runner, values)
        if found is not None and (worst is None or found.gap > worst.amount):
            worst = found.violation(values)
    return Judgement(
        worst,
        how=f"{how}, at {seen} profiles",
        checked=seen * setting.n_agents,
        exact=False,
        profiles=seen,
    )


def difference_story(setting: Setting, violation: Violation, cause: str) -> str:
    """Say what changes for whom."""
    details, agent = violation.details, violation.agent
    who = "" if agent is None else f"{agent.label} "
    return (
        f"{profile_words(setting, violation.values)} {who}{details['before']}; {cause}: "
        f"{details['after']}"
    )
