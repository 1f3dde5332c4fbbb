"""Names do not matter: other identifiers in the same order lead to the same outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.properties.base import Property
from catallax.audit.properties.compare import Difference, compared, difference_story
from catallax.audit.properties.registry import register
from catallax.audit.properties.variants import renamed
from catallax.audit.runs import Runner

if TYPE_CHECKING:
    from catallax.audit.search.search import Search

__all__ = ["Renaming"]


@register
class Renaming(Property):
    """Invariance under other identifiers."""

    slug = "renaming"
    meaning = (
        "With other identifiers, in the same order, the same positions trade at the same prices."
    )
    need = "own"

    def check(self, search: Search) -> Judgement:
        """Rename everybody, at some profiles, and compare outcomes."""
        return compared(
            self,
            search,
            how="everybody gets names that sort the other way round, and nothing may change",
        )

    def difference(self, runner: Runner, values: np.ndarray) -> Difference | None:
        """Compare the outcome with that of the same market under other names."""
        twin = runner.twin(self.slug, lambda: renamed(runner.setting))
        return Difference.between(runner, values, twin, values)

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Compare again."""
        found = self.difference(runner, violation.values)
        return None if found is None else found.violation(violation.values)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say for whom what changes."""
        return difference_story(runner.setting, violation, "other names change this")
