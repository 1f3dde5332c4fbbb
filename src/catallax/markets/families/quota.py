"""Limits on the number of trades in each group of agents or edges."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl

from catallax.errors import ConstraintError, UnknownNameError, nearest
from catallax.markets.families.bound import GroupLimits, Over, Parts
from catallax.markets.families.constraint import Constraint, whole
from catallax.markets.families.registry import register

__all__ = ["Quota", "column_of"]


# Columns that the market itself reads, which are no groups.
_KNOWN = {
    "buyers": ("id", "bid", "prior"),
    "sellers": ("id", "ask", "prior"),
    "edges": ("buyer", "seller"),
}


@register
@dataclass(frozen=True)
class Quota(Constraint):
    """At most so many trades in each group.

    Attributes
    ----------
    over
        "buyers", "sellers" or "edges": whose table has the column.
    column
        The column that names the groups; an empty cell is no group.
    limits
        One whole number for every group, or a mapping from groups to numbers; a group that the
        mapping does not name is not limited.
    """

    kind = "quota"
    over: str
    column: str
    limits: int | Mapping[str, int]

    def bind(self, parts: Parts, where: str) -> GroupLimits:
        """Look up the groups of the column and their limits."""
        values = column_of(parts, self.over, self.column, where).cast(pl.String)
        groups = values.drop_nulls().unique(maintain_order=True).to_list()
        _check_form(self.limits, groups, where)
        if isinstance(self.limits, Mapping):
            limits = {str(g): whole(n, f"limits.{g}", where) for g, n in self.limits.items()}
            for group in limits:
                if group not in groups:
                    raise UnknownNameError(
                        f"{where}: the column '{self.column}' of the {self.over} has no group "
                        f"'{group}': {nearest(group, groups)}"
                    )
        else:
            limits = dict.fromkeys(groups, whole(self.limits, "limits", where))
        number = {group: k for k, group in enumerate(limits)}
        of = np.array([number.get(g, -1) for g in values.to_list()], np.int64)
        return GroupLimits(
            cast(Over, self.over), of, np.array(list(limits.values()), dtype=np.int64)
        )


def _check_form(limits: object, groups: list[str], where: str) -> None:
    """Refuse limits that are neither of the two forms, showing both."""
    if isinstance(limits, Mapping):
        for group, limit in limits.items():
            if isinstance(limit, Mapping):  # TOML reads the point as a table in the table
                name = f"{group}.{next(iter(limit), '')}"
                raise ConstraintError(
                    f"{where}: 'limits' has a name with a point; quote it, as in "
                    f'limits = {{ "{name}" = 1 }}'
                )
    elif isinstance(limits, bool) or not isinstance(limits, int | np.integer):
        group = groups[0] if groups else "north"
        shown = group if re.fullmatch(r"[A-Za-z0-9_-]+", group) else json.dumps(group)
        raise ConstraintError(
            f"{where}: 'limits' must be a whole number for every group, as in limits = 1, or a "
            f"table with one for each group, as in limits = {{ {shown} = 1 }}, not {limits!r}"
        )


def column_of(
    parts: Parts, over: Any, column: object, where: str, kind: str = "quota"
) -> pl.Series:
    """Find a column of the buyers', sellers' or edges' table."""
    tables = {
        "buyers": parts.buyers.table,
        "sellers": parts.sellers.table,
        "edges": parts.edge_table,
    }
    if not isinstance(over, str) or over not in tables:
        raise ConstraintError(
            f"{where}: 'over' must be 'buyers', 'sellers' or 'edges', not {over!r}"
        )
    table = tables[over]
    if over == "edges" and parts.graph.complete:
        raise ConstraintError(
            f"{where}: the market is complete and has no table of edges; list the edges, "
            "or put the column in the table of the buyers or sellers"
        )
    if column not in table.columns and column in _KNOWN[over]:
        own = (
            f": {', '.join(table.columns[:20])}" if table.columns else ", which it has none of yet"
        )
        raise ConstraintError(
            f"{where}: a {kind} cannot go by '{column}'; use a column of your own{own}"
        )
    if column not in table.columns:
        raise UnknownNameError(
            f"{where}: the {over} have no column '{column}': {nearest(column, table.columns)}"
        )
    return table[str(column)]
