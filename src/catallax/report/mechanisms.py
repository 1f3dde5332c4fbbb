"""Mechanisms as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from catallax.report.lists import list_table

if TYPE_CHECKING:
    from catallax.mechanisms import Mechanism

__all__ = ["mechanisms_table"]


def mechanisms_table(mechanisms: Sequence[type[Mechanism] | Mechanism]) -> Table:
    """Show what each mechanism does and claims.

    Parameters
    ----------
    mechanisms
        The mechanisms, in the order to show.

    Returns
    -------
    rich.table.Table
    """
    headings = ("mechanism", "what it does", "buyers", "sellers", "individually rational", "budget")
    rows = [
        (
            mechanism.slug,
            mechanism.summary,
            mechanism.claims.buyers,
            mechanism.claims.sellers,
            mechanism.claims.individual_rationality,
            mechanism.claims.budget,
        )
        for mechanism in mechanisms
    ]
    return list_table(headings, rows)
