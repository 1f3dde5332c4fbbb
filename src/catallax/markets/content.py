"""What markets consist of, and how they are made of parts that are checked already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from catallax.markets.agents import Agents
from catallax.markets.graph import Graph

if TYPE_CHECKING:
    from catallax.markets.families import Constraint
    from catallax.priors import Prior

__all__ = ["Content", "TwoSides"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class TwoSides:
    """What one market, and many markets in one set of tables, have in common.

    `Market` and `Markets` say what the attributes are.
    """

    name: str
    currency: str
    buyers: Agents
    sellers: Agents
    edge_table: pl.DataFrame
    bids: np.ndarray | None
    asks: np.ndarray | None
    priors: Mapping[str, Prior]
    largest_report: float | None
    backend: str

    def _set(self, **attributes: Any) -> None:
        """Set every attribute, once; the one door through which all come."""
        attributes["priors"] = MappingProxyType(dict(attributes["priors"]))
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    @classmethod
    def _of_parts(cls, **parts: Any) -> Self:
        """Return a market, or markets, of parts that are checked already."""
        made = cls.__new__(cls)
        made._set(**parts)
        return made

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def _changed(self, **parts: Any) -> Self:
        """Return the same with some parts changed, which are checked already."""
        return self._of_parts(**self._parts() | parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the parts."""
        parts = self._parts()
        return _unpickle, (type(self), parts | {"priors": dict(parts["priors"])})


def _unpickle(kind: type[TwoSides], parts: dict[str, Any]) -> TwoSides:
    return kind._of_parts(**parts)


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Content(TwoSides):
    """What one market consists of, which is all that writing and comparing ask of it."""

    graph: Graph
    constraints: tuple[dict[str, Any] | Constraint, ...]
