"""Many markets in one set of tables, told apart by a column, so that one pass clears them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from catallax.errors import ReportError, UnknownNameError, nearest
from catallax.markets.agents import Agents
from catallax.markets.build.many import Source, grouped, joined
from catallax.markets.build.priors import named_priors
from catallax.markets.content import TwoSides
from catallax.markets.graph import Graph
from catallax.markets.market import Market
from catallax.markets.reports import Reports, check_reports, require
from catallax.markets.scale import as_largest_report
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import as_table, native_frame

if TYPE_CHECKING:
    pass

__all__ = ["Markets"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Markets(TwoSides):
    """Many markets with one set of tables, told apart by a column.

    Identifiers have to be unique only within a market and a side. Markets stand in the order in
    which the buyers' table names them first, then the sellers'; agents of a market in the order
    of their table.

    Parameters
    ----------
    buyers, sellers
        Tables as in `Market`, with one more column that names the market, text or integers.
    edges
        Who may trade with whom: a frame or records with the columns ``buyer``, ``seller`` and
        the market's; None where everybody may trade with everybody of the same market.
    priors
        Named priors, for all markets.
    by
        The name of the column that tells the markets apart.
    names
        All markets, in their order: for those that may have no agent at all, and so that a
        market that is none of these is an error. By default those that the tables name.
    name, currency
        Texts for people.
    largest_report
        The largest amount that anybody may report, in absolute value.

    Attributes
    ----------
    names : tuple
        The markets' names.
    buyers, sellers : Agents
        All agents, market after market.
    buyer_start, seller_start : numpy.ndarray
        int64, shape ``(markets + 1,)``: the agents of market ``k`` are those from ``start[k]`` up
        to ``start[k + 1]``.
    graph : Graph or None
        All edges, by position among all agents; None where everybody may trade with everybody
        of the same market.
    bids, asks : numpy.ndarray or None
        Market after market, where the tables have them.

    Raises
    ------
    CatallaxError
        One subclass per cause; the message names row, agent and remedy.

    Notes
    -----
    Constraints belong to one market: give each market that has any a `Market` of its own.

    Examples
    --------
    >>> markets = Markets(
    ...     buyers={"hour": [9, 9, 10], "id": ["ann", "bob", "ann"], "bid": [0.7, 0.4, 0.5]},
    ...     sellers={"hour": [9, 10], "id": ["cy", "cy"], "ask": [0.2, 0.6]},
    ...     by="hour",
    ...     name="day",
    ... )
    >>> markets
    <markets 'day': 2 markets, 3 buyers, 2 sellers, complete>
    >>> markets[9]
    <market '9': 2 buyers, 1 seller, complete>
    """

    by: str
    buyer_start: np.ndarray
    seller_start: np.ndarray
    graph: Graph | None
    _names: pl.Series
    _rows: tuple[np.ndarray, np.ndarray]

    def __init__(
        self,
        buyers: Any,
        sellers: Any,
        edges: Any = None,
        *,
        priors: Mapping[str, Any] | None = None,
        by: str = "market",
        names: Iterable[str | int] | None = None,
        name: str = "markets",
        currency: str = "",
        largest_report: float | None = None,
    ) -> None:
        parts = joined(
            Source(as_table(buyers, Origin("buyers"))),
            Source(as_table(sellers, Origin("sellers"))),
            None if edges is None else Source(as_table(edges, Origin("edges"))),
            by=by,
            names=names,
            named=named_priors(priors, Origin("markets")),
            largest=as_largest_report(largest_report, "markets"),
        )
        self._set(name=str(name), currency=str(currency), **parts)

    @classmethod
    def read(cls, path: str | Path) -> Markets:
        """Read a folder whose ``market.toml`` says by which column its markets are told apart.

        Parameters
        ----------
        path
            The folder, or its ``market.toml``.

        Returns
        -------
        Markets

        Raises
        ------
        CatallaxError
            One subclass per cause; the message names file, row, agent and remedy.
        """
        from catallax.markets.files.many import parts_of_many

        return cls._of_parts(**parts_of_many(Path(path)))

    # ------------------------------------------------------------------------------------ looking

    def __len__(self) -> int:
        """Return the number of markets."""
        return len(self._names)

    def __iter__(self) -> Iterator[str | int]:
        """Yield the markets' names."""
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        """Whether there is a market of this name."""
        return isinstance(name, str | int) and name in self._numbers

    def __repr__(self) -> str:
        """Return a short description."""
        counts = ((len(self), "market"), (len(self.buyers), "buyer"), (len(self.sellers), "seller"))
        shown = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts]
        edges = "complete" if self.graph is None else f"{self.graph.n_edges} edges"
        return f"<markets {self.name!r}: {', '.join(shown)}, {edges}>"

    @cached_property
    def names(self) -> tuple[str | int, ...]:
        """The markets' names, in their order."""
        return tuple(self._names)

    @cached_property
    def _numbers(self) -> dict[str | int, int]:
        return {name: number for number, name in enumerate(self.names)}

    def number(self, name: str | int) -> int:
        """Return the place of a market.

        Parameters
        ----------
        name
            Its name. Where names are integers, their text as Python writes it serves too.

        Raises
        ------
        UnknownNameError
            If there is none, with the nearest name.
        """
        name = name.item() if isinstance(name, np.generic) else name
        number = None if isinstance(name, bool) else self._numbers.get(name)
        if number is None and isinstance(name, str) and self._names.dtype == pl.Int64:
            text = name.removeprefix("-")
            if text.isascii() and text.isdigit() and str(int(name[:20])) == name:
                number = self._numbers.get(int(name))
        if number is None:
            raise UnknownNameError(
                f"there is no market {name!r} in '{self.name}': "
                f"{nearest(name, self._names.head(5000).to_list())}"
            )
        return number

    def __getitem__(self, name: str | int) -> Market:
        """Return one of the markets, as a `Market` of its own.

        Raises
        ------
        UnknownNameError
            If there is none of this name.
        """
        number = self.number(name)
        buyers, sellers = self._slices(number)
        n_buyers, n_sellers = buyers.stop - buyers.start, sellers.stop - sellers.start
        if self.graph is None:
            graph, edge_table = Graph.complete_graph(n_buyers, n_sellers), self.edge_table
        else:
            order, start = self._edges
            own = order[start[number] : start[number + 1]]
            ends = self.graph.buyer[own] - buyers.start, self.graph.seller[own] - sellers.start
            graph = Graph(n_buyers, n_sellers, *ends)
            edge_table = self.edge_table[own] if self.edge_table.width else self.edge_table
        return Market._of_parts(
            name=str(self._names[number]),
            currency=self.currency,
            buyers=_cut(self.buyers, buyers),
            sellers=_cut(self.sellers, sellers),
            graph=graph,
            edge_table=edge_table,
            bids=None if self.bids is None else self.bids[buyers],
            asks=None if self.asks is None else self.asks[sellers],
            priors=self.priors,
            constraints=(),
            largest_report=self.largest_report,
            backend=self.backend,
        )

    def _slices(self, number: int) -> tuple[slice, slice]:
        """Return where the agents of a market stand among all."""
        first, second = (
            slice(int(start[number]), int(start[number + 1]))
            for start in (self.buyer_start, self.seller_start)
        )
        return first, second

    @cached_property
    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Edges market after market, each market's in the order of the table; and their starts."""
        assert self.graph is not None
        return grouped(self.buyer_market[self.graph.buyer], len(self))

    @cached_property
    def buyer_market(self) -> np.ndarray:
        """The number of each buyer's market; int32, shape ``(buyers,)``."""
        return _market_of(self.buyer_start)

    @cached_property
    def seller_market(self) -> np.ndarray:
        """The number of each seller's market; int32, shape ``(sellers,)``."""
        return _market_of(self.seller_start)

    def frame(self, columns: Mapping[str, Any], number: np.ndarray) -> Any:
        """Return columns as a frame of the library the tables came in, the market's in front.

        Parameters
        ----------
        columns
            Names and sequences of equal length.
        number
            The number of each row's market.
        """
        return native_frame({self.by: self._names.gather(number), **columns}, self.backend)

    # ------------------------------------------------------------------------------------ reports

    def require_reports(self) -> Reports:
        """Return the bids and asks that came with the markets, market after market.

        Raises
        ------
        MissingReportError
            Naming the first agent that has none.
        """
        return Reports(
            require(self.buyers, self.bids, "bid"), require(self.sellers, self.asks, "ask")
        )

    def arranged(self, reports: Reports) -> Reports:
        """Put reports in the order of the tables' rows market after market, and check them.

        Parameters
        ----------
        reports
            One bid for each row of the buyers' table, one ask for each of the sellers'.

        Raises
        ------
        ReportError
            If they do not fit the markets.
        """
        if not isinstance(reports, Reports):
            raise ReportError(
                f"reports are {type(reports).__name__}; give Reports(bids=..., asks=...), in the "
                "order of the tables' rows"
            )
        values = [reports.bids, reports.asks]
        for place, rows in enumerate(self._rows):
            if len(values[place]) == len(rows):  # else `check_reports` has something to say
                values[place] = values[place][rows]
        moved = Reports(*values)
        check_reports(self, moved)
        return moved

    def own_reports(self, name: str | int, reports: Reports) -> Reports:
        """Return the reports of one market out of all, which stand market after market."""
        buyers, sellers = self._slices(self.number(name))
        return Reports(reports.bids[buyers], reports.asks[sellers])


def _cut(agents: Agents, where: slice) -> Agents:
    """Return the agents of one market, with the priors that they have, in order of first use."""
    numbers = agents.prior_of[where]
    present, first = np.unique(numbers[numbers >= 0], return_index=True)
    present = present[np.argsort(first)]
    place = np.full(len(agents.priors) + 1, -1, dtype=np.int32)  # the last entry is for no prior
    place[present] = np.arange(len(present))
    return Agents(
        agents.role,
        agents.ids[where],
        tuple(agents.priors[int(k)] for k in present),
        tuple(agents.prior_names[int(k)] for k in present),
        place[numbers],
        agents.table[where] if agents.table.width else agents.table,
    )


def _market_of(start: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))
