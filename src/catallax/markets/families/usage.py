"""How full a market's constraints are with given trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catallax.markets.families.bound import GroupLimits, Parts
from catallax.markets.families.constraint import Constraint
from catallax.markets.families.family import Family
from catallax.markets.families.quota import column_of

__all__ = ["GroupUsage", "Usage", "as_json", "usage"]


class GroupUsage(NamedTuple):
    """How many trades of a group there are, and may be; a cap has one group without a name."""

    group: str
    used: int
    limit: int


class Usage(NamedTuple):
    """A constraint that is in force: its kind, its column ("" for none) and its groups.

    Kinds that do not count trades have no groups.
    """

    kind: str
    column: str
    groups: tuple[GroupUsage, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give it as the JSON object that the command line prints."""
        column = {"column": self.column} if self.column else {}
        groups = {"groups": [group._asdict() for group in self.groups]} if self.groups else {}
        return {"kind": self.kind, **column, **groups}


def usage(
    constraints: Iterable[Mapping[str, Any] | Constraint],
    family: Family,
    buyer: NDArray[np.integer],
    seller: NDArray[np.integer],
) -> list[Usage]:
    """Count the trades against each constraint.

    Parameters
    ----------
    constraints
        The market's, in its order.
    family
        The same, bound.
    buyer, seller
        The trades, by index of the agents; shapes (trades,).

    Returns
    -------
    list of Usage
        One for each constraint.

    Examples
    --------
    >>> import catallax as cx
    >>> import numpy as np
    >>> market = cx.Market([{"id": "b", "bid": 9}], [{"id": "s", "ask": 2}],
    ...                    constraints=[{"kind": "cap", "limit": 3}])
    >>> usage(market.constraints, market.family, np.array([0]), np.array([0]))
    [Usage(kind='cap', column='', groups=(GroupUsage(group='', used=1, limit=3),))]
    """
    found = []
    for spec, bound in zip(constraints, family.bound, strict=True):
        kind = spec.kind if isinstance(spec, Constraint) else str(spec["kind"])
        if not isinstance(bound, GroupLimits) or isinstance(spec, Constraint):
            found.append(Usage(kind, ""))
        elif bound.over == "trades":
            found.append(Usage(kind, "", (GroupUsage("", buyer.size, int(bound.limit[0])),)))
        else:
            members = {"buyers": buyer, "sellers": seller}.get(bound.over)
            if members is None:
                members = _edges(family.parts, buyer, seller)
            groups = bound.group[members]
            used = np.bincount(groups[groups >= 0], minlength=bound.limit.size)
            rows = zip(_names(family.parts, spec), used.tolist(), bound.limit.tolist(), strict=True)
            found.append(Usage(kind, str(spec["column"]), tuple(GroupUsage(*row) for row in rows)))
    return found


def _names(parts: Parts, spec: Mapping[str, Any]) -> list[str]:
    """Name the groups of a quota, in the order of their limits; see `Quota.bind`."""
    if isinstance(spec["limits"], Mapping):
        return [str(group) for group in spec["limits"]]
    values = column_of(parts, spec["over"], spec["column"], "quota").cast(pl.String)
    return values.drop_nulls().unique(maintain_order=True).to_list()


def _edges(parts: Parts, buyer: NDArray[np.integer], seller: NDArray[np.integer]) -> Any:
    """Give the numbers of the edges of trades."""
    graph = parts.graph
    keys = graph.buyer.astype(np.int64) * graph.n_sellers + graph.seller
    order = np.argsort(keys, kind="stable")
    wanted = np.asarray(buyer, np.int64) * graph.n_sellers + seller
    return order[np.searchsorted(keys, wanted, sorter=order)]


def as_json(found: Iterable[Usage]) -> dict[str, Any]:
    """Give what JSON says of constraints; nothing where there are none.

    Examples
    --------
    >>> as_json([Usage("cap", "", (GroupUsage("", 1, 3),))])
    {'constraints': [{'kind': 'cap', 'groups': [{'group': '', 'used': 1, 'limit': 3}]}]}
    >>> as_json([])
    {}
    """
    constraints = [one.to_dict() for one in found]
    return {"constraints": constraints} if constraints else {}
