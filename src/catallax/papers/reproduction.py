"""A published result beside our own: rows, charts, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Chart", "Panel", "Reproduction", "Row"]


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
