"""What can be reproduced, by name: each published figure beside ours, with a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from catallax.errors import CatallaxError, UnknownNameError, nearest

__all__ = [
    "Chart",
    "Options",
    "Panel",
    "Reproduction",
    "Row",
    "Target",
    "get",
    "names",
    "reproduce",
    "target",
]

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Row:
    """One published figure beside ours.

    Attributes
    ----------
    what
        What it is a figure of.
    published
        The published figure, or the value of a published formula or bound.
    ours
        Ours.
    tolerance
        How far apart they may be.
    bound
        "equal" if the two have to agree, "at least" or "at most" if the published figure is a
        bound of ours.
    unit
        What the difference is told in, such as published standard errors, as a pair of a name and
        a size; None for plain numbers.
    note
        Where there is more to say.
    """

    what: str
    published: float
    ours: float
    tolerance: float
    bound: str = "equal"
    unit: tuple[str, float] | None = None
    note: str = ""

    @property
    def difference(self) -> float:
        """Ours less the published figure."""
        return self.ours - self.published

    @property
    def agrees(self) -> bool:
        """Whether the two are as they should be."""
        if self.bound == "at least":
            return self.difference >= -self.tolerance
        if self.bound == "at most":
            return self.difference <= self.tolerance
        return abs(self.difference) <= self.tolerance

    @property
    def verdict(self) -> str:
        """Say "agrees" or "differs"."""
        return "agrees" if self.agrees else "differs"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        document: dict[str, Any] = {
            "what": self.what, "published": self.published, "ours": self.ours,
            "difference": self.difference, "tolerance": self.tolerance, "bound": self.bound,
            "verdict": self.verdict,
        }  # fmt: skip
        if self.unit is not None and self.unit[1] > 0:
            document[self.unit[0]] = self.difference / self.unit[1]
        if self.note:
            document["note"] = self.note
        return document


@dataclass(frozen=True)
class Panel:
    """One panel of bars.

    Attributes
    ----------
    label
        Of the vertical axis, with its unit.
    places
        What stands along the horizontal axis.
    bars
        By name a height for each place.
    errors
        By name a standard error of each height.
    """

    label: str
    places: tuple[str, ...]
    bars: Mapping[str, tuple[float, ...]]
    errors: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Chart:
    """A figure of a paper: what to draw, not how.

    Attributes
    ----------
    name
        Of its file, without a suffix.
    title
        What it shows.
    panels
        Side by side.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Reproduction:
    """What came out of a target.

    Attributes
    ----------
    name
        Of the target.
    rows
        The figures.
    notes
        What a reader has to know, a sentence each.
    charts
        What there is to draw.
    """

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether all figures are as they should be."""
        return all(row.agrees for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as `catallax reproduce --json` prints it."""
        return {
            "target": self.name,
            "verdict": "agrees" if self.agrees else "differs",
            "rows": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Options:
    """How a target is computed.

    Attributes
    ----------
    monte_carlo
        Samples to draw beside exact values, or in place of the usual number; None for the usual.
    seed
        What to draw them with.
    progress
        Called with the part that is done and what is being done.
    """

    monte_carlo: int | None = None
    seed: int = 0
    progress: Progress | None = None

    def tell(self, part: float, what: str) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(part, what)


@dataclass(frozen=True)
class Target:
    """Something to reproduce.

    Attributes
    ----------
    name, summary, source
        What it is called, what it is, and where it was published.
    run
        Computes it.
    """

    name: str
    summary: str
    source: str
    run: Callable[[Options], Reproduction]


_TARGETS: dict[str, Target] = {}

# A module for each target or family of targets; each registers what it holds.
_MODULES = (
    "guarantee",
    "closed_forms",
    "mcafee_table",
    "worst_random_offerer",
    "unit_demand",
    "remark",
    "groups_table1",
    "groups_figures",
)


def target(
    name: str, summary: str, source: str
) -> Callable[[Callable[[Options], Reproduction]], Callable[[Options], Reproduction]]:
    """Make a function known as a target (a decorator)."""

    def register(run: Callable[[Options], Reproduction]) -> Callable[[Options], Reproduction]:
        _TARGETS[name] = Target(name, summary, source, run)
        return run

    return register


def _all() -> dict[str, Target]:
    for module in _MODULES:
        import_module(f"catallax.papers.{module}")
    return _TARGETS


def names() -> list[str]:
    """List what can be reproduced.

    Examples
    --------
    >>> "groups-table1" in names()
    True
    """
    return list(_all())


def get(name: str) -> Target:
    """Find a target by its name.

    Raises
    ------
    UnknownNameError
        If there is none; the message names the nearest.
    """
    known = _all()
    if name not in known:
        raise UnknownNameError(f"nothing to reproduce is called '{name}': {nearest(name, known)}")
    return known[name]


def reproduce(
    name: str,
    *,
    monte_carlo: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Reproduction:
    """Compute a published result again.

    Parameters
    ----------
    name
        Of a target; see `names`.
    monte_carlo
        Samples to draw, where a target draws any.
    seed
        What to draw them with.
    progress
        Called with the part that is done and what is being done.

    Returns
    -------
    Reproduction
        Every figure beside the published one.

    Raises
    ------
    UnknownNameError
        If there is no such target.

    Examples
    --------
    >>> reproduce("gsom-bic-remark").agrees
    True
    """
    if monte_carlo is not None and monte_carlo < 2:
        raise CatallaxError(f"monte_carlo is {monte_carlo}; write a whole number from 2 up")
    return get(name).run(Options(monte_carlo, seed, progress))
