"""What a search has to know of the properties that are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from catallax.audit.judgement import Violation
    from catallax.audit.runs import Run
    from catallax.audit.search.curves import Curve
    from catallax.audit.search.expectations import TypeTable
    from catallax.audit.setting import Setting

__all__ = ["Asked", "AskedOfCurves", "AskedOfRuns", "Need"]

Need = Literal["runs", "curves", "types", "average", "own"]


class Asked(ABC):
    """Something that is asked of a mechanism, and what it needs to be looked at."""

    slug: ClassVar[str]
    need: ClassVar[Need]

    @property
    def expected(self) -> bool:
        """Whether it is about expectations, so that priors decide it."""
        return self.need in ("types", "average")

    @property
    def sides(self) -> tuple[Literal["buyer", "seller"], ...]:
        """Whose reports it is about."""
        return ("buyer", "seller")

    def companions(self) -> Sequence[Asked]:
        """Return what is judged with it in every run: itself, and what would imply it."""
        return (self,)

    def undecided_by(self, tables: list[TypeTable], setting: Setting) -> bool:
        """Whether a sample of types leaves a property about expectations open."""
        return False


class AskedOfRuns(Asked):
    """Something that is asked of every outcome."""

    need: ClassVar[Need] = "runs"
    anywhere: ClassVar[bool] = False
    """Whether it must hold at all reports, and not only at values that are possible."""

    @abstractmethod
    def judge(self, setting: Setting, values: NDArray[np.float64], run: Run) -> Violation | None:
        """Say whether it fails in one run."""


class AskedOfCurves(Asked):
    """Something that is asked of what one agent can get by her reports."""

    need: ClassVar[Need] = "curves"

    @abstractmethod
    def judge(self, setting: Setting, curve: Curve) -> Violation | None:
        """Say where it fails worst on a curve."""
