"""One member of a group, as files and problems hold her."""

from __future__ import annotations

from dataclasses import dataclass

from catallax.priors import Prior

__all__ = ["Member"]


@dataclass(frozen=True)
class Member:
    """One member of a group.

    Attributes
    ----------
    id
        Text or an integer.
    report
        The bid or the ask, if one was made.
    share
        How much the member's vote weighs in a weighted quota, if anything was said.
    prior
        The prior of the member's value, if there is one.
    """

    id: str | int
    report: float | None = None
    share: float | None = None
    prior: Prior | None = None
