"""Bayesian truthfulness: no report is better than the truth in expectation over the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.properties.base import CurveProperty, Property
from catallax.audit.properties.interim import (
    NOBODY_LOOKED_AT,
    again_in_expectation,
    expected_story,
    said_of_tables,
)
from catallax.audit.properties.registry import get, register
from catallax.audit.properties.words import amount, undecided_words
from catallax.audit.runs import Runner
from catallax.audit.search.expectations import TypeTable
from catallax.audit.search.means import LEVEL
from catallax.audit.setting import Setting

if TYPE_CHECKING:
    from catallax.audit.search.search import Search

__all__ = ["BayesianBuyers", "BayesianSellers"]

# Judging several agents' best deviations costs precision with each of them.
_JUDGED = 2


class _Bayesian(Property):
    """The expected gain of a type at a report over the truth."""

    need = "types"
    role: ClassVar[Literal["buyer", "seller"]]

    @property
    def sides(self) -> tuple[Literal["buyer", "seller"], ...]:
        """Whose expectations it is about."""
        return (self.role,)

    def excuse(self, setting: Setting) -> str | None:
        """Need priors of everybody."""
        return None if setting.has_priors else "not every agent has a prior"

    def check(self, search: Search) -> Judgement:
        """Take the best type and report; where they come from a sample, judge them on another."""
        tables = [table for table in search.types if table.agent.role == self.role]
        if not tables or tables[0].exact:
            return self._exact(search, tables)
        return self._sampled(search, tables)

    def undecided_by(self, tables: list[TypeTable], setting: Setting) -> bool:
        """Whether somebody gains at some profile of a sample, so that more draws are needed."""
        own = [table for table in tables if table.agent.role == self.role and not table.exact]
        return any(t.gain_somewhere > t.rounding(setting) for t in own)

    def _clear(self, search: Search, tables: list[TypeTable]) -> bool:
        """Whether nobody gains anywhere: at the draws, and where single cases are looked for."""
        if self.undecided_by(tables, search.setting):
            return False
        before = search.runner.spent
        search.look_closer(search.judging(self) // 2)
        search.fresh_runs(before)
        dominant = get(f"dsic-{self.role}s")
        assert isinstance(dominant, CurveProperty)
        return search.worst_curve(dominant) is None

    def _exact(self, search: Search, tables: list[TypeTable]) -> Judgement:
        found = [one for one in map(lambda t: _violation(search.setting, t), tables) if one]
        return Judgement(
            max(found, key=lambda one: one.amount, default=None),
            how=said_of_tables(tables, search),
            checked=sum(table.gain.size for table in tables),
            exact=all(table.complete for table in tables),
            verdict=None if tables or not search.setting.agents(self.role) else "undecided",
            profiles=max((table.profiles for table in tables), default=0),
            story=None if tables else NOBODY_LOOKED_AT,
        )

    def _sampled(self, search: Search, tables: list[TypeTable]) -> Judgement:
        setting = search.setting
        checked = sum(table.gain.size for table in tables)
        drawn = max(table.profiles for table in tables)
        how = said_of_tables(tables, search)
        rounding = max(t.rounding(setting) for t in tables)
        if self._clear(search, tables):
            story = f"no report gains at any of {drawn} profiles, so none does in expectation"
            return Judgement(
                None, how=how, checked=checked, exact=False, profiles=drawn, story=story
            )
        best = sorted(tables, key=lambda table: -float(table.gain.max()))
        if len(best) > 1 and best[1].gain.max() < best[0].gain.max() / 2:
            best = best[:1]
        best = best[:_JUDGED]
        # The questions are fixed before the draws that answer them, and there are so many.
        level = 1.0 - (1.0 - LEVEL) / len(best)
        runs = search.judging(self) // len(best)
        answers = [(search.judged(t.agent, t.reports[list(t.best)], runs, level), t) for t in best]
        ends = [answer.interval or (answer.mean, answer.mean) for answer, _ in answers]
        which = int(np.argmax([low for low, _ in ends]))
        (mean, table), (low, high) = answers[which], ends[which]
        most = max(high for _, high in ends)
        truth, report = table.best
        violated = low > rounding
        violation = Violation(
            mean.mean,
            _profile(setting, table, truth),
            table.agent,
            _as_report(table.reports[report]),
            {"samples": mean.count},
        )
        currency = setting.market.currency
        return Judgement(
            violation if violated else None,
            how=how,
            checked=checked,
            exact=False,
            verdict="violated" if violated else "undecided" if most > rounding else "holds",
            interval=(low, high),
            profiles=drawn + mean.count,
            story=(
                f"the best report found for a {self.role} gains between {amount(low)} and "
                f"{amount(most, currency)} in expectation"
                + (f": {undecided_words(low, most)}" if not violated and most > rounding else "")
            ),
        )

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Compare the report with the truth over the others' values."""
        return again_in_expectation(runner, violation)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say who gains how much in expectation."""
        return expected_story(runner, violation)


def _violation(setting: Setting, table: TypeTable) -> Violation | None:
    truth, report = table.best
    gain = float(table.gain.max())
    if gain <= table.rounding(setting):
        return None
    values = _profile(setting, table, truth)
    return Violation(gain, values, table.agent, _as_report(table.reports[report]))


def _profile(setting: Setting, table: TypeTable, truth: int) -> np.ndarray:
    """Return a profile with the type's values; the others' entries play no part."""
    values = setting.medians.copy()
    values[list(table.agent.slots)] = table.reports[truth]
    return values


def _as_report(report: np.ndarray) -> float | np.ndarray:
    return float(report[0]) if report.size == 1 else report


@register
class BayesianBuyers(_Bayesian):
    """Truthfulness of buyers in expectation."""

    slug = "bic-buyers"
    meaning = (
        "No buyer gains by bidding anything but her value in expectation over the others' values, "
        "drawn from their priors and reported honestly."
    )
    role = "buyer"


@register
class BayesianSellers(_Bayesian):
    """Truthfulness of sellers in expectation."""

    slug = "bic-sellers"
    meaning = (
        "No seller gains by asking anything but her cost in expectation over the others' values, "
        "drawn from their priors and reported honestly."
    )
    role = "seller"
