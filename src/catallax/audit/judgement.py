"""What a property says of a mechanism: where it fails, and the verdict on what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from catallax.audit.setting import Agent

__all__ = ["Judgement", "Verdict", "Violation"]

Array = NDArray[np.float64]

Verdict = Literal["holds", "violated", "undecided"]


@dataclass(frozen=True, eq=False)
class Violation:
    """A property failing somewhere.

    Attributes
    ----------
    amount
        By how much, in money; 0.0 where what fails is no amount.
    values
        The true values of all; see `Setting`.
    agent
        The agent concerned, or None.
    report
        What she reports instead of the truth, or None.
    details
        What the story needs besides.
    """

    amount: float
    values: Array
    agent: Agent | None = None
    report: float | Array | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a property makes of all that a search has seen.

    Attributes
    ----------
    violation
        Where it fails worst, or None.
    how
        How it was checked, in one sentence.
    checked
        How many comparisons were made.
    exact
        Whether everything that can matter was looked at.
    verdict
        By default "violated" where there is a violation, else "holds".
    interval
        For an expectation that is estimated: the interval that the worst amount lies in.
    profiles
        How many profiles were looked at; by default those of the search.
    story
        What to say where there is no witness to tell of.
    """

    violation: Violation | None
    how: str
    checked: int
    exact: bool
    verdict: Verdict | None = None
    interval: tuple[float, float] | None = None
    profiles: int | None = None
    story: str | None = None
