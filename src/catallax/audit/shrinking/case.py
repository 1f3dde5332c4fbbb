"""What is made smaller: a market document, and what fails in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Case", "Document"]

Document = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Case:
    """A market document and what fails in it.

    Attributes
    ----------
    document
        As in a market file; its bids and asks are the true values.
    focus
        Role and identifier of the agent concerned, or None.
    report
        What she reports, or None.
    details
        What else belongs to the violation.
    """

    document: Document
    focus: tuple[str, Any] | None
    report: float | list[float] | None
    details: dict[str, Any]
