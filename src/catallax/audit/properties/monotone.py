"""Monotonicity: a better report never costs an agent her trade."""

from __future__ import annotations

import numpy as np

from catallax.audit.judgement import Violation
from catallax.audit.properties.base import CurveProperty
from catallax.audit.properties.registry import register
from catallax.audit.properties.words import number, outcome_words, report_words, truth_words
from catallax.audit.runs import Runner
from catallax.audit.search.curves import Curve
from catallax.audit.setting import ROUNDING, Setting

__all__ = ["Monotone"]

# Chances of trade that differ by less differ by rounding.
_SAME = 1e-9


@register
class Monotone(CurveProperty):
    """Whoever trades at a report trades at every better one.

    Myerson's half of truthfulness that prices cannot mend. The violation is counted in money:
    how much better the report is at which the trade is lost, times the chance that is lost.
    """

    slug = "monotone"
    meaning = (
        "A buyer who bids more, or a seller who asks less, is as likely to trade as before or "
        "likelier, the others' reports fixed."
    )

    def judge(self, setting: Setting, curve: Curve) -> Violation | None:
        """Find the pair of reports with the largest loss of chance times distance."""
        better = 1.0 if curve.agent.role == "buyer" else -1.0
        reports, chance = curve.reports, curve.chance
        step = better * (reports[None, :] - reports[:, None])
        lost = chance[:, None] - chance[None, :]
        missed = np.where((step > 0) & (lost > _SAME), step * lost, 0.0)
        rounding = curve.rounding + ROUNDING * np.maximum(*np.abs(np.meshgrid(reports, reports)))
        missed = np.where(missed > rounding, missed, 0.0)
        if not missed.any():
            return None
        truths = setting.possible(curve.slot, reports)
        # A pair that starts at a possible value reads best.
        preferred = np.where(truths[:, None], missed, missed * 0.5)
        low, high = np.unravel_index(int(np.argmax(preferred)), missed.shape)
        values = curve.profile(float(reports[low]))
        return Violation(float(missed[low, high]), values, curve.agent, float(reports[high]))

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Compare two reports."""
        agent, values, report = violation.agent, violation.values, violation.report
        assert agent is not None and report is not None
        moved = values.copy()
        moved[list(agent.slots)] = report
        runs = runner(values), runner(moved)
        if any(run.problem for run in runs):
            return None
        before, after = (
            sum(own.chance for own in run.own(agent) if own.partner >= 0) for run in runs
        )
        better = 1.0 if agent.role == "buyer" else -1.0
        step = better * (float(report) - float(values[agent.slots[0]]))
        missed = step * (before - after)
        ends = float(report), float(values[agent.slots[0]])
        rounding = runner.setting.own_rounding(agent, values, *ends)
        if step <= 0 or before - after <= _SAME or missed <= rounding + 4 * runs[0].tick:
            return None
        return Violation(missed, values, agent, report)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say who loses a trade by which better report."""
        agent, values, report = violation.agent, violation.values, violation.report
        assert agent is not None and report is not None
        moved = values.copy()
        moved[list(agent.slots)] = report
        before = outcome_words(runner(values).own(agent), agent, runner.setting)
        after = outcome_words(runner(moved).own(agent), agent, runner.setting)
        step = abs(float(report) - float(values[agent.slots[0]]))
        word = "more" if agent.role == "buyer" else "less"
        return (
            f"{truth_words(agent, values)} {before} at the truth, and {after} by "
            f"{report_words(agent, report)}, {number(float(f'{step:.6g}'))} {word}"
        )
