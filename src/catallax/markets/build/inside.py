"""Of many markets in one set of tables: in which one each edge and each agent is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from catallax.markets.agents import Agents, Role

__all__ = ["Inside"]


class Inside(NamedTuple):
    """Which of many markets the edges of a table, and the agents they name, belong to.

    Attributes
    ----------
    edges, buyers, sellers
        The number of each one's market, int32.
    names
        The markets' names, by number.
    """

    edges: np.ndarray
    buyers: np.ndarray
    sellers: np.ndarray
    names: pl.Series

    def _numbers(self, role: Role) -> np.ndarray:
        return self.buyers if role == "buyer" else self.sellers

    def keys(self, role: Role, wanted: pl.Series, ids: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return one whole number for each id with its market: joins by two columns are slow.

        Parameters
        ----------
        role
            The side that the ids are of.
        wanted
            The ids that the edges name.
        ids
            Those of the agents.

        Returns
        -------
        tuple of polars.Series
            For the edges, null where nobody at all has the id; and for the agents.
        """
        distinct = pl.DataFrame({"id": ids.unique()}).with_row_index("code")
        codes = [
            column.to_frame("id").join(distinct, on="id", how="left", maintain_order="left")["code"]
            for column in (wanted, ids)
        ]
        numbers = self.edges, self._numbers(role)
        first, second = (
            code.cast(pl.Int64) + pl.Series(number.astype(np.int64)) * distinct.height
            for code, number in zip(codes, numbers, strict=True)
        )
        return first, second

    def of_edge(self, row: int, agents: Agents) -> tuple[Agents, str]:
        """Return the agents of the market of one edge, and words for where they are."""
        number = int(self.edges[row])
        members = agents.ids.filter(pl.Series(self._numbers(agents.role) == number))
        return Agents(agents.role, members), f" in market {self.names[number]!r}"
