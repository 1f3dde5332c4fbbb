"""Whether a mechanism runs, and its trades may take place."""

from __future__ import annotations

from catallax.audit.properties.base import RunProperty, Violation, register_property
from catallax.audit.properties.words import profile_words
from catallax.audit.runs import Run, Runner
from catallax.audit.setting import Setting

__all__ = ["Feasibility"]


@register_property
class Feasibility(RunProperty):
    """Runs, and trades only what the graph and the constraints allow, at finite prices."""

    slug = "feasibility"
    meaning = (
        "At all reports the mechanism returns trades that the graph and the constraints allow "
        "together, each agent in one at most, at finite prices."
    )
    anywhere = True

    def judge(self, setting: Setting, values, run: Run) -> Violation | None:
        """Fail where something is wrong with the run."""
        return None if run.problem is None else Violation(0.0, values)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say what is wrong, and at which reports."""
        run = runner(violation.values)
        return f"{profile_words(runner.setting, violation.values)} {run.problem}"
