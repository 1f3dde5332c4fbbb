"""One buyer with a value of her own for every seller's item: how such a market is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import (
    MissingPriorError,
    MissingReportError,
    ReportError,
    UnknownNameError,
    UnsupportedMarketError,
    nearest,
)
from catallax.markets.market import Market
from catallax.markets.reports import refuse_beyond
from catallax.markets.tables.origin import Origin
from catallax.priors import Prior, make_prior
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    import polars as pl

__all__ = ["UnitDemand", "UnitDemandReports"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class UnitDemandReports:
    """One bid for each edge, in the order of the edges, and one ask for each seller.

    Parameters
    ----------
    bids
        What the buyer says the item of each edge's seller is worth to her; shape ``(edges,)``.
    asks
        Shape ``(sellers,)``, in the market's order.

    Raises
    ------
    ReportError
        If a report is not a finite number.
    """

    bids: Array
    asks: Array

    def __init__(self, bids: ArrayLike, asks: ArrayLike) -> None:
        for name, given in (("bids", bids), ("asks", asks)):
            values = np.array(given, dtype=np.float64)
            if values.ndim != 1 or not np.isfinite(values).all():
                raise ReportError(f"{name} must be a list of finite numbers")
            values.flags.writeable = False
            object.__setattr__(self, name, values)


@dataclass(frozen=True, eq=False)
class UnitDemand:
    """A market of one buyer who wants one item, and values the items differently.

    In the market's files the edges carry the columns ``bid`` and ``prior`` (a name among the
    market's priors, or a specification), one row for each item that the buyer may get; she has
    neither in her own row. Sellers are as in every market. Without a table of edges there are no
    such columns, so the edges have to be listed.

    Attributes
    ----------
    market
        The market.
    seller
        The seller of each item, by position; shape ``(items,)``, in the order of the edges.
    bids
        What the buyer bids for each item, or None where the edges have no column ``bid``.
    priors
        The prior of each value; None where the edge has none.

    Examples
    --------
    >>> market = Market(
    ...     buyers=[{"id": "ann"}],
    ...     sellers=[{"id": "s1", "ask": 1}, {"id": "s2", "ask": 2}],
    ...     edges=[
    ...         {"buyer": "ann", "seller": "s1", "bid": 3, "prior": "uniform(0, 4)"},
    ...         {"buyer": "ann", "seller": "s2", "bid": 5, "prior": "uniform(0, 8)"},
    ...     ],
    ... )
    >>> UnitDemand.of(market).require_reports().bids.tolist()
    [3.0, 5.0]
    """

    market: Market
    seller: NDArray[np.int32]
    bids: Array | None
    priors: tuple[Prior | None, ...]

    @classmethod
    def of(cls, market: Market) -> UnitDemand:
        """Read the market of a single buyer, and check it.

        Raises
        ------
        UnsupportedMarketError
            If there is more than one buyer or none, the buyer has a bid or a prior in her own
            row, the edges are not listed, or there are constraints.
        ReportError
            If an edge's bid is NaN or infinite, or no number.
        MissingReportError
            If some edges have a bid and some have none.
        UnknownNameError
            If an edge's prior is not among the market's; with the nearest name.
        """
        _check_shape(market)
        table = market.edge_table
        bids = _bids(market, table["bid"]) if "bid" in table.columns else None
        entries = table["prior"].to_list() if "prior" in table.columns else []
        count = market.graph.n_edges
        priors = tuple(_prior(market, k, e) for k, e in enumerate(entries or [None] * count))
        return cls(market, market.graph.seller, bids, priors)

    def label(self, item: int) -> str:
        """Return how messages call an item, e.g. ``"the item of seller 's1'"``."""
        return f"the item of {self.market.sellers.label(int(self.seller[item]))}"

    def require_reports(self) -> UnitDemandReports:
        """Return the bids and asks that came with the market.

        Raises
        ------
        MissingReportError
            If there are no bids on the edges, or a seller has no ask.
        """
        market = self.market
        if self.bids is None:
            raise MissingReportError(
                f"the edges of market '{market.name}' have no column 'bid'; give each edge the "
                "buyer's bid for its item, or pass UnitDemandReports(bids, asks)"
            )
        if market.asks is None and len(market.sellers):
            raise MissingReportError(
                f"{market.sellers.label(0)} has no ask; give the sellers a column 'ask', or pass "
                "UnitDemandReports(bids, asks)"
            )
        asks = np.empty(0) if market.asks is None else market.asks
        return UnitDemandReports(self.bids, asks)

    def check(self, reports: UnitDemandReports) -> None:
        """Refuse reports of the wrong number.

        Raises
        ------
        ReportError
            If there is not one bid for each edge and one ask for each seller, or one is larger
            than the market allows.
        """
        wanted = (self.seller.size, len(self.market.sellers))
        given = (reports.bids.size, reports.asks.size)
        if given != wanted:
            raise ReportError(
                f"{given[0]} bids and {given[1]} asks for {wanted[0]} edges and {wanted[1]} "
                "sellers; give one bid per edge and one ask per seller"
            )
        largest = self.market.largest_report
        beyond = [] if largest is None else np.flatnonzero(np.abs(reports.bids) > largest)
        if len(beyond):
            row = int(beyond[0])
            raise ReportError(
                f"{_where(self.market, row)} has the bid {float(reports.bids[row])!r}, beyond the "
                f"market's largest_report of {largest!r}; mend it, or have the market allow more"
            )
        refuse_beyond(self.market.sellers, reports.asks, "ask", largest, Origin("asks"))

    def require_priors(self) -> tuple[Prior, ...]:
        """Return the prior of the buyer's value of every item.

        Raises
        ------
        MissingPriorError
            Naming the first edge that has none.
        """
        for item, prior in enumerate(self.priors):
            if prior is None:
                raise MissingPriorError(
                    f"{_where(self.market, item)} has no prior, which this needs; give it one in "
                    "the column 'prior' of the edges"
                )
        return tuple(prior for prior in self.priors if prior is not None)

    def sample(self, rng: RandomSource, count: int) -> tuple[Array, Array]:
        """Draw values of the items and costs of their sellers; shapes ``(count, items)``.

        Raises
        ------
        MissingPriorError
            If an edge or a seller has no prior.
        """
        generator = np.random.default_rng(rng)
        priors = self.require_priors()
        values = [prior.sample(generator, count) for prior in priors]
        costs = np.empty((count, len(self.market.sellers)))
        for prior, members in self.market.sellers.groups():
            costs[:, members] = prior.sample(generator, (count, members.size))
        return np.array(values).T.reshape(count, len(priors)), costs[:, self.seller]


def _check_shape(market: Market) -> None:
    if len(market.buyers) != 1:
        raise UnsupportedMarketError(
            f"market '{market.name}' has {len(market.buyers)} buyers, and this is for exactly one "
            "who values the items differently; use 'gsom' or 'gbom' for several buyers"
        )
    label = market.buyers.label(0)
    if market.bids is not None or market.buyers.prior(0) is not None:
        own = "bid" if market.bids is not None else "prior"
        raise UnsupportedMarketError(
            f"{label} has a {own} of her own; with a value for each item it belongs on the edges: "
            f"move the column '{own}' there"
        )
    if market.graph.complete:
        raise UnsupportedMarketError(
            f"market '{market.name}' lists no edges; list one for each seller, with {label}'s "
            "'bid' and 'prior' for that item"
        )
    if market.constraints:
        raise UnsupportedMarketError(
            f"market '{market.name}' has constraints, which a single trade leaves nothing to do; "
            "take them out"
        )


def _where(market: Market, row: int) -> str:
    seller = market.sellers.label(int(market.graph.seller[row]))
    return f"edges row {row} of market '{market.name}' ({market.buyers.label(0)}, {seller})"


def _bids(market: Market, column: pl.Series) -> Array:
    numbers = np.empty(len(column))
    for row, value in enumerate(column.to_list()):
        if value is None or value == "":
            raise MissingReportError(
                f"{_where(market, row)} has no bid; give it one, or leave the column 'bid' out"
            )
        try:
            number = float("x" if isinstance(value, bool) else value)
        except (TypeError, ValueError):
            raise ReportError(
                f"{_where(market, row)} has the bid {value!r}, which is not a number; "
                "write it as in 12.5"
            ) from None
        if not np.isfinite(number):
            name = "NaN" if np.isnan(number) else "infinite"
            raise ReportError(f"{_where(market, row)} has a bid that is {name}; write a finite one")
        numbers[row] = number
    numbers.flags.writeable = False
    return numbers


def _prior(market: Market, row: int, entry: Any) -> Prior | None:
    if entry is None or entry == "" or isinstance(entry, Prior):
        return entry if isinstance(entry, Prior) else None
    where = f"the prior of {_where(market, row)}"
    if isinstance(entry, str):
        if entry in market.priors:
            return market.priors[entry]
        if "(" not in entry and not entry.strip().startswith("{"):
            raise UnknownNameError(
                f"{where} is '{entry}', which is not among the market's priors: "
                f"{nearest(entry, market.priors)}"
            )
    if isinstance(entry, Mapping):
        # A column of structs fills the keys of the other rows with nulls.
        entry = {key: value for key, value in entry.items() if value is not None}
    return make_prior(entry, where=where)
