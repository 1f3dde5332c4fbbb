"""A two-sided market: buyers, sellers, who may trade with whom, and what is believed of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw
import numpy as np

from catallax.errors import CatallaxError
from catallax.markets.agents import Agents, Role
from catallax.markets.build.agents import build_agents
from catallax.markets.build.edges import build_graph
from catallax.markets.build.priors import named_priors
from catallax.markets.content import Content
from catallax.markets.families import Constraint, Family, Parts, bind, parse_constraints
from catallax.markets.reports import Reports, check_reports, require
from catallax.markets.scale import Scale, as_largest_report
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import as_table, native_frame

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["Market"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Market(Content):
    """A two-sided market with unit traders.

    Parameters
    ----------
    buyers
        A data frame (pandas, polars, pyarrow, or any other that narwhals reads), a mapping of
        columns, a list of records, or `Agents`. Columns: ``id`` (all text or all integers),
        ``bid`` (optional), ``prior`` (optional: a name in `priors`, a specification such as
        ``{"kind": "uniform", "low": 0, "high": 1}`` or ``"uniform(0, 1)"``, or a `Prior`).
        Other columns are kept. An index of a pandas frame is not looked at.
    sellers
        The same, with ``ask`` for ``bid``.
    edges
        Who may trade with whom: a frame with the columns ``buyer`` and ``seller``, a list of pairs
        of ids, a `Graph`, or None where everybody may trade with everybody.
    priors
        Named priors.
    constraints
        Side rules: specifications such as ``{"kind": "cap", "limit": 10}``, or constraints of
        `catallax.markets.families`.
    reports
        Bids and asks, where the tables have none.
    name, currency
        Texts for people.
    largest_report
        The largest amount that anybody may report, in absolute value: known to all, and set
        without looking at the reports. With constraints it fixes the tick to which sums are
        rounded, so that no report can move it.

    Attributes
    ----------
    buyers, sellers : Agents
    graph : Graph
    edge_table : polars.DataFrame
        The other columns of the edges, one row per edge (no column, no row).
    bids, asks : numpy.ndarray or None
        float64, read-only, in the market's order, where the tables have them.
    priors : Mapping
        Named priors, those that no agent has included.
    constraints : tuple
        Specifications, and oracles, which have none.
    largest_report : float or None
    backend : str
        The frame library that `frame` returns, as narwhals names it.

    Raises
    ------
    CatallaxError
        One subclass per cause; the message names row, agent and remedy.

    Examples
    --------
    >>> market = Market(
    ...     buyers={"id": ["ann", "bob"], "bid": [0.7, 0.4], "prior": ["uniform(0, 1)"] * 2},
    ...     sellers={"id": ["cy"], "ask": [0.2], "prior": ["uniform(0, 1)"]},
    ...     edges=[("ann", "cy")],
    ...     name="street",
    ... )
    >>> market
    <market 'street': 2 buyers, 1 seller, 1 edge>
    >>> market.buyers.virtual_values(market.require_reports().bids).round(9).tolist()
    [0.4, -0.2]
    """

    def __init__(
        self,
        buyers: Any,
        sellers: Any,
        edges: Any = None,
        *,
        priors: Mapping[str, Any] | None = None,
        constraints: Iterable[Mapping[str, Any] | Constraint] = (),
        reports: Reports | None = None,
        name: str = "market",
        currency: str = "",
        largest_report: float | None = None,
    ) -> None:
        named = named_priors(priors, Origin("market"))
        largest = as_largest_report(largest_report, "market")
        specs = parse_constraints(constraints, "market")
        one, bids, first = _side(buyers, "buyer", named, largest)
        two, asks, second = _side(sellers, "seller", named, largest)
        graph, edge_table, third = build_graph(edges, one, two, Origin("edges"))
        backend = first or second or third or nw.Implementation.POLARS
        self._set(
            name=str(name),
            currency=str(currency),
            buyers=one,
            sellers=two,
            graph=graph,
            edge_table=edge_table,
            bids=bids,
            asks=asks,
            priors=named,
            constraints=specs,
            largest_report=largest,
            backend=backend.value,
        )
        if reports is not None:
            check_reports(self, reports)
            object.__setattr__(self, "bids", reports.bids)
            object.__setattr__(self, "asks", reports.asks)

    def _set(self, **attributes: Any) -> None:
        where = attributes.pop("where", "market")
        ends = ("buyers", "sellers", "graph", "edge_table")
        parts = Parts(*(attributes[name] for name in ends))
        family = attributes.pop("family", None) or bind(attributes["constraints"], parts, where)
        object.__setattr__(self, "_family", family)
        for word in ("bids", "asks"):
            values = attributes[word]
            if values is not None:
                values = np.array(values, dtype=np.float64)
                values.flags.writeable = False
            attributes[word] = values
        super()._set(**attributes)

    @property
    def family(self) -> Family:
        """Which trades may take place together: the graph and the constraints, by position."""
        return self._family  # type: ignore[attr-defined]  # set in _set

    @cached_property
    def scale(self) -> Scale | None:
        """The market's largest report, or else the largest amount that the priors speak of.

        What rounds amounts to ticks uses it, so that no report moves the tick. None where no
        largest report is stated and an agent has no prior.
        """
        if self.largest_report is not None:
            return Scale(self.largest_report, public=True)
        scales = [side.scale for side in (self.buyers, self.sellers) if len(side)]
        known = [scale for scale in scales if scale is not None]
        if not known or len(known) < len(scales):
            return None
        return Scale(max(known), public=False)

    # ----------------------------------------------------------------------------------- reports

    @property
    def reports(self) -> Reports | None:
        """Bids and asks that came with the market, or None unless every agent has one."""
        if (self.bids is None and len(self.buyers)) or (self.asks is None and len(self.sellers)):
            return None
        return self.require_reports()

    def require_reports(self) -> Reports:
        """Return the bids and asks that came with the market.

        Returns
        -------
        Reports

        Raises
        ------
        MissingReportError
            Naming the first agent that has none.
        """
        return Reports(
            require(self.buyers, self.bids, "bid"), require(self.sellers, self.asks, "ask")
        )

    def with_reports(self, reports: Reports) -> Market:
        """Return the same market with other bids and asks.

        Raises
        ------
        ReportError
            If they do not fit the market.
        """
        check_reports(self, reports)
        return self._changed(bids=reports.bids, asks=reports.asks, family=self.family)

    # ------------------------------------------------------------------------------------- frames

    def frame(self, columns: Mapping[str, Any]) -> Any:
        """Return columns as a data frame of the library that the market came in.

        Parameters
        ----------
        columns
            Names and sequences of equal length.

        Returns
        -------
        Any
            A polars frame unless the caller brought another.

        Examples
        --------
        >>> import pandas
        >>> buyers = pandas.DataFrame({"id": ["ann"], "bid": [0.7]})
        >>> market = Market(buyers, sellers=[])
        >>> type(market.frame({"x": [1, 2]})).__module__.split(".")[0]
        'pandas'
        """
        return native_frame(columns, self.backend)

    # -------------------------------------------------------------------------------------- files

    @classmethod
    def read(cls, path: str | Path) -> Market:
        """Read a market from a folder with a ``market.toml``, or from one ``.json`` file.

        Parameters
        ----------
        path
            The folder, its ``market.toml``, or the JSON file.

        Returns
        -------
        Market

        Raises
        ------
        CatallaxError
            One subclass per cause; the message names file, row, agent and remedy.
        """
        from catallax.markets.files.reading import parts_of_file

        return cls._of_parts(**parts_of_file(Path(path)))

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "<text>", *, name: str = "market") -> Market:
        """Read a market from the text of a JSON document.

        Parameters
        ----------
        text
            The document.
        where
            What errors call it.
        name
            The market's name where the document gives none.

        Returns
        -------
        Market

        Examples
        --------
        >>> Market.from_json('{"buyers": [{"id": "b1"}], "sellers": [{"id": 7}]}')
        <market 'market': 1 buyer, 1 seller, complete>
        """
        from catallax.markets.files.json_files import parts_of_json

        return cls._of_parts(**parts_of_json(text, where, name=name))

    def write(self, path: str | Path, *, tables: Literal["csv", "parquet"] = "csv") -> Path:
        """Write the market, so that reading it gives the same market again.

        The old content stays in place until the new one is complete.

        Parameters
        ----------
        path
            A file ``NAME.json``, or a folder.
        tables
            The format of a folder's tables.

        Returns
        -------
        pathlib.Path
            What was written.

        Raises
        ------
        OutputError
            If the place is taken by something else, or cannot be written.
        """
        from catallax.markets.files.writing import write_market

        return write_market(self, Path(path), tables)

    # ------------------------------------------------------------------------------------ looking

    def summary(self) -> dict[str, Any]:
        """Return the numbers of agents, edges and priors, for people."""
        return {
            "name": self.name,
            "currency": self.currency,
            "buyers": len(self.buyers),
            "sellers": len(self.sellers),
            "edges": self.graph.n_edges,
            "complete": self.graph.complete,
            "priors": len({*self.buyers.priors, *self.sellers.priors, *self.priors.values()}),
            "reports": self.reports is not None,
        }

    def equals(self, other: object) -> bool:
        """Return whether two markets are the same, bit for bit and in the same order.

        Parameters
        ----------
        other
            Another market.

        Returns
        -------
        bool
            The frame library that they came in does not count.
        """
        from catallax.markets.compare import same_markets

        return isinstance(other, Market) and same_markets(self, other)

    def __repr__(self) -> str:
        """Return a short description."""
        edges = "complete" if self.graph.complete else _count(self.graph.n_edges, "edge")
        sides = f"{_count(len(self.buyers), 'buyer')}, {_count(len(self.sellers), 'seller')}"
        return f"<market {self.name!r}: {sides}, {edges}>"

    def _repr_html_(self) -> str:
        """Show the market in a notebook."""
        from catallax.markets.shown import market_html

        return market_html(self)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _side(
    data: Any, role: Role, named: Mapping[str, Prior], largest: float | None
) -> tuple[Agents, np.ndarray | None, nw.Implementation | None]:
    if isinstance(data, Agents):
        if data.role != role:
            raise CatallaxError(f"the {role}s given are {data.role}s; swap the two sides")
        return data, None, None
    table = as_table(data, Origin(f"{role}s"))
    return *build_agents(table, role, named, largest=largest), table.backend
