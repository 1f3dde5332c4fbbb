"""What cannot matter does not: data of agents who cannot trade, and columns nobody names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.properties.base import Property
from catallax.audit.properties.compare import Difference, compared, difference_story
from catallax.audit.properties.registry import register
from catallax.audit.properties.variants import (
    bystanders,
    with_bystanders_changed,
    with_bystanders_moved,
)
from catallax.audit.runs import Runner

if TYPE_CHECKING:
    from catallax.audit.search.search import Search

__all__ = ["IrrelevantLosers"]


@register
class IrrelevantLosers(Property):
    """Nothing depends on who can never trade."""

    slug = "irrelevant-losers"
    meaning = (
        "Reports and priors of agents who cannot trade at all, and table columns that no "
        "constraint names, change nothing for anybody else."
    )
    need = "own"

    def check(self, search: Search) -> Judgement:
        """Change the irrelevant, at some profiles, and compare outcomes."""
        return compared(
            self, search, how="what cannot matter is changed, and nobody else's outcome may change"
        )

    def difference(self, runner: Runner, values: np.ndarray) -> Difference | None:
        """Compare the outcome with that of a market in which the irrelevant is different."""
        setting = runner.setting
        idle = bystanders(setting)
        twin = runner.twin(self.slug, lambda: with_bystanders_changed(setting, idle))
        moved = with_bystanders_moved(setting, values, idle)
        return Difference.between(runner, values, twin, moved, ignored=idle)

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Compare again."""
        found = self.difference(runner, violation.values)
        return None if found is None else found.violation(violation.values)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say for whom what changes."""
        idle = [runner.setting.agent(n).label for n in bystanders(runner.setting)]
        changed = f"other data of {', '.join(idle[:3])}, who cannot trade," if idle else "a column"
        return difference_story(runner.setting, violation, f"{changed} changes this")
