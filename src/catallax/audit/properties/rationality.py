"""Individual rationality: nobody loses by taking part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.judgement import Array, Judgement, Violation
from catallax.audit.properties.base import Property, RunProperty
from catallax.audit.properties.interim import (
    NOBODY_LOOKED_AT,
    again_in_expectation,
    said_of_tables,
)
from catallax.audit.properties.registry import get, register
from catallax.audit.properties.words import (
    amount,
    number,
    outcome_words,
    truth_words,
    undecided_words,
)
from catallax.audit.runs import Run, Runner, gain_of
from catallax.audit.search.means import LEVEL
from catallax.audit.setting import Setting

if TYPE_CHECKING:
    from catallax.audit.search.expectations import TypeTable
    from catallax.audit.search.search import Search

__all__ = ["ExPostRationality", "InterimRationality"]


@register
class ExPostRationality(RunProperty):
    """Nobody who reports the truth loses, in any outcome."""

    slug = "ir-ex-post"
    meaning = "Nobody who reports the truth loses by taking part, in any outcome of the coin."

    def judge(self, setting: Setting, values: Array, run: Run) -> Violation | None:
        """Find the largest loss at the truth."""
        worst, who = 0.0, -1
        for gained in run.utilities(values):
            if not gained.size or gained.min() >= worst:
                continue
            beyond = gained < -(setting.own_roundings(values) + 4 * run.tick)
            lost = np.where(beyond, gained, 0.0)
            if lost.min() < worst:
                worst, who = float(lost.min()), int(lost.argmin())
        return None if who < 0 else Violation(-worst, values, setting.agent(who))

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say who loses how much."""
        agent, values = violation.agent, violation.values
        assert agent is not None
        setting = runner.setting
        owns = runner(values).own(agent)
        worst = min(owns, key=lambda own: gain_of(setting, agent, values, own))
        chance = "" if len(owns) == 1 else f" (with probability {number(worst.chance)})"
        does = outcome_words([worst._replace(chance=1.0)], agent, setting)
        lost = amount(violation.amount, setting.market.currency)
        return f"{truth_words(agent, values)} {does}{chance}, and loses {lost}"


@register
class InterimRationality(Property):
    """Nobody expects a loss at the truth."""

    slug = "ir-interim"
    meaning = (
        "Nobody who reports the truth expects a loss, in expectation over the others' values, "
        "drawn from their priors and reported honestly."
    )
    need = "types"

    def companions(self) -> tuple[Property, ...]:
        """Look at single outcomes too."""
        return self, get(ExPostRationality.slug)

    def excuse(self, setting: Setting) -> str | None:
        """Need priors of everybody."""
        return None if setting.has_priors else "not every agent has a prior"

    def check(self, search: Search) -> Judgement:
        """Take the poorest type; where it comes from a sample, judge it on another."""
        tables = search.types
        setting, how = search.setting, said_of_tables(search.types, search)
        checked = sum(table.types.size for table in tables)
        drawn = max((table.profiles for table in tables), default=0)
        poorest = min(tables, key=lambda table: float(table.honest.min()), default=None)
        if poorest is None:
            verdict = "undecided" if setting.n_agents else "holds"
            return Judgement(
                None, how=how, checked=0, exact=True, verdict=verdict, story=NOBODY_LOOKED_AT
            )
        if poorest.exact:
            violation = _poor(setting, poorest)
            return Judgement(violation, how=how, checked=checked, exact=True, profiles=drawn)
        rounding = poorest.rounding(setting)
        if self._clear(search):
            story = f"nobody loses at any of {drawn} profiles, so nobody does in expectation"
            return Judgement(
                None, how=how, checked=checked, exact=False, profiles=drawn, story=story
            )
        truth = poorest.reports[[poorest.poorest]]
        mean = search.judged(poorest.agent, truth, search.judging(self), LEVEL)
        assert mean.interval is not None
        low, high = mean.interval
        violated = high < -rounding
        violation = Violation(
            -mean.mean,
            _profile_of(setting, poorest),
            poorest.agent,
            None,
            {"samples": mean.count},
        )
        return Judgement(
            violation if violated else None,
            how=how,
            checked=checked,
            exact=False,
            verdict="violated" if violated else "holds" if low >= -rounding else "undecided",
            interval=(low, high),
            profiles=drawn + mean.count,
            story=(
                f"the poorest type found, {truth_words(poorest.agent, violation.values)}, expects "
                f"between {amount(low)} and {amount(high)}"
                + (f": {undecided_words(low, high)}" if low < -rounding else "")
            ),
        )

    def _clear(self, search: Search) -> bool:
        """Whether nobody loses anywhere: among the draws, and where single cases are looked for."""
        if self.undecided_by(search.types, search.setting):
            return False
        before = search.runner.spent
        search.look_closer(search.judging(self) // 2)
        search.fresh_runs(before)
        return search.worst_run(ExPostRationality()) is None

    def undecided_by(self, tables: list[TypeTable], setting: Setting) -> bool:
        """Whether somebody loses at some profile of a sample, so that more draws are needed."""
        return any(
            table.loss_somewhere > table.rounding(setting) for table in tables if not table.exact
        )

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Take the expectation afresh."""
        return again_in_expectation(runner, violation)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say who expects which loss."""
        agent = violation.agent
        assert agent is not None
        lost = amount(violation.amount, runner.setting.market.currency)
        return f"{truth_words(agent, violation.values)} expects to lose {lost} by taking part"


def _poor(setting: Setting, table: TypeTable) -> Violation | None:
    worst = float(table.honest.min())
    if worst >= -table.rounding(setting):
        return None
    return Violation(-worst, _profile_of(setting, table), table.agent)


def _profile_of(setting: Setting, table: TypeTable) -> Array:
    values = setting.medians.copy()
    values[list(table.agent.slots)] = table.reports[table.poorest]
    return values
