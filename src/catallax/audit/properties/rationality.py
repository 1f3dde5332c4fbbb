"""Individual rationality: nobody loses by taking part."""

from __future__ import annotations

from catallax.audit.properties.base import RunProperty, Violation, register_property
from catallax.audit.properties.words import amount, number, outcome_words, truth_words
from catallax.audit.runs import Run, Runner, gain_of
from catallax.audit.setting import Setting

__all__ = ["ExPostRationality"]


@register_property
class ExPostRationality(RunProperty):
    """Nobody who reports the truth loses, in any outcome."""

    slug = "ir-ex-post"
    meaning = "Nobody who reports the truth loses by taking part, in any outcome of the coin."

    def judge(self, setting: Setting, values, run: Run) -> Violation | None:
        """Find the largest loss at the truth."""
        worst, who = 0.0, -1
        for gained in run.utilities(values):
            if gained.size and gained.min() < worst:
                worst, who = float(gained.min()), int(gained.argmin())
        if who < 0 or -worst <= setting.rounding(values) + 4 * run.tick:
            return None
        return Violation(-worst, values, setting.agent(who))

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
