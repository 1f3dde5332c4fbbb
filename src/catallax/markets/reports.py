"""Bids and asks: what the agents of a market report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from catallax.errors import MissingReportError, ReportError
from catallax.markets.agents import Agents
from catallax.markets.tables.cells import clean_ids, finite_numbers, numbers
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import as_table, check_names

if TYPE_CHECKING:
    from catallax.markets.content import TwoSides
    from catallax.priors import Prior

__all__ = [
    "Reports",
    "changed_reports",
    "check_reports",
    "far_outside",
    "refuse_beyond",
    "refuse_negative_asks",
    "require",
]

# Past an unbounded end of a prior, a report is far outside when it is rarer than this.
_RARE = 1e-9


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Reports:
    """One bid per buyer and one ask per seller, in the market's order.

    Parameters
    ----------
    bids, asks
        Numbers in units of money, shapes ``(buyers,)`` and ``(sellers,)``. They are copied, and
        read-only from then on.

    Raises
    ------
    ReportError
        If an entry is no number.

    Examples
    --------
    >>> reports = Reports(bids=[0.7, 0.4], asks=[0.2])
    >>> reports.bids
    array([0.7, 0.4])
    """

    bids: np.ndarray
    asks: np.ndarray

    def __init__(self, bids: ArrayLike, asks: ArrayLike) -> None:
        object.__setattr__(self, "bids", _numbers(bids, "bid"))
        object.__setattr__(self, "asks", _numbers(asks, "ask"))

    def __repr__(self) -> str:
        """Return a short description."""
        return f"<reports: {len(self.bids)} bids, {len(self.asks)} asks>"

    @classmethod
    def of(cls, market: TwoSides, *, bids: object = None, asks: object = None) -> Reports:
        """Return reports for a market, by id.

        Parameters
        ----------
        market
            The market they are for.
        bids, asks
            Numbers in the market's order, a mapping from ids to numbers, or a frame with the
            columns ``id`` and ``bid`` or ``ask``. Agents left out keep the report that came with
            the market.

        Returns
        -------
        Reports
            Checked by `check_reports`.

        Raises
        ------
        UnknownAgentError
            If an id is not in the market.
        MissingReportError
            If somebody is left out and no report came with the market.
        ReportError
            If a report is not a finite number.

        Examples
        --------
        >>> from catallax.markets import Market
        >>> market = Market(
        ...     buyers={"id": ["ann", "bob"], "bid": [0.7, 0.4]},
        ...     sellers={"id": ["cy"], "ask": [0.2]},
        ... )
        >>> Reports.of(market, bids={"bob": 0.9}).bids
        array([0.7, 0.9])
        """
        reports = cls(
            bids=_side(market.buyers, bids, market.bids, "bid"),
            asks=_side(market.sellers, asks, market.asks, "ask"),
        )
        check_reports(market, reports)
        return reports


def changed_reports(market: TwoSides, old: Reports, *, bids: object, asks: object) -> Reports:
    """Return reports of which some have changed, given as in `Reports.of`; not yet checked."""
    return Reports(
        bids=_side(market.buyers, bids, old.bids, "bid"),
        asks=_side(market.sellers, asks, old.asks, "ask"),
    )


def _numbers(values: Any, word: str) -> np.ndarray:
    # Infinity and NaN pass here: `check_reports` knows the agents, and names the one concerned.
    if not (isinstance(values, np.ndarray) and values.dtype.kind in "fiu"):
        column = as_table({word: values}, Origin(f"{word}s")).columns[word]
        values = numbers(column, Origin(f"{word}s"), word, lambda row: f"entry {row}")
    result = np.array(values, dtype=np.float64)
    if result.ndim != 1:
        raise ReportError(
            f"{word}s of shape {result.shape} are no list of numbers; give one per agent"
        )
    result.flags.writeable = False
    return result


def _side(agents: Agents, given: object, own: np.ndarray | None, word: str) -> ArrayLike:
    if given is None:
        if own is None:
            return _with(agents, np.empty(0, np.int64), np.empty(0), None, word)
        return own
    if isinstance(given, Mapping) and not _is_frame(given, word):
        keys: list[Any] = list(given)
        values: Any = list(given.values())
    elif isinstance(given, np.ndarray) or (
        isinstance(given, Sequence) and not any(isinstance(v, Mapping) for v in given)
    ):
        return given
    else:
        table = as_table(given, Origin(f"{word}s"))
        if len(table.columns) == 1 and word in table.columns:
            return finite_numbers(table.columns[word], table.origin, word, agents.label)
        check_names(table, ["id", word], [])
        keys = clean_ids(table.columns["id"], table.origin, agents.role).to_list()
        values = table.columns[word]
    positions = np.array([agents.index(key) for key in keys], dtype=np.int64)
    if len(set(positions.tolist())) < len(positions):
        counts = np.bincount(positions, minlength=len(agents))
        twice = agents.label(int(np.argmax(counts > 1)))
        raise ReportError(f"{word}s: {twice} reports twice; leave one out")
    given_numbers = finite_numbers(
        values, Origin(f"{word}s"), word, lambda row: agents.label(int(positions[row]))
    )
    return _with(agents, positions, given_numbers, own, word)


def _is_frame(given: Mapping[Any, Any], word: str) -> bool:
    return set(given) >= {"id", word} and not np.isscalar(given["id"])


def _with(
    agents: Agents, positions: np.ndarray, values: np.ndarray, own: np.ndarray | None, word: str
) -> np.ndarray:
    result = np.empty(len(agents)) if own is None else own.copy()
    if own is None:
        given = np.zeros(len(agents), dtype=bool)
        given[positions] = True
        if not given.all():
            raise MissingReportError(
                f"{agents.label(int(np.argmin(given)))} has no {word}, and none came with the "
                f"market; give every {agents.role} one"
            )
    result[positions] = values
    return result


# ------------------------------------------------------------------------------------------ checks


def check_reports(market: TwoSides, reports: Reports) -> None:
    """Refuse reports that do not fit a market.

    Parameters
    ----------
    market
        The market.
    reports
        The reports.

    Raises
    ------
    ReportError
        If there are too many or too few, one is NaN or infinite, one is larger than the market
        allows, or an ask is negative although the seller's prior does not reach below zero.
    """
    sides = ((market.buyers, reports.bids, "bid"), (market.sellers, reports.asks, "ask"))
    for agents, values, word in sides:
        if len(values) != len(agents):
            raise ReportError(
                f"{len(values)} {word}s for {len(agents)} {agents.role}s; "
                f"give one {word} per {agents.role}, in the market's order"
            )
        finite_numbers(pl.Series(values), Origin(f"{word}s"), word, agents.label)
        refuse_beyond(agents, values, word, market.largest_report, Origin(f"{word}s"))
    refuse_negative_asks(market.sellers, reports.asks, Origin("asks"))


def refuse_beyond(
    agents: Agents, values: np.ndarray, word: str, largest: float | None, origin: Origin
) -> None:
    """Refuse a report larger than the market's largest, in absolute value.

    Raises
    ------
    ReportError
        Naming the first agent with one.
    """
    if largest is None:
        return
    beyond = np.flatnonzero(np.abs(values) > largest)
    if len(beyond):
        row = int(beyond[0])
        raise ReportError(
            f"{origin.at(row)}: {agents.label(row)} has the {word} {float(values[row])!r}, beyond "
            f"the market's largest_report of {largest!r}; mend it, or have the market allow more"
        )


def refuse_negative_asks(sellers: Agents, asks: np.ndarray, origin: Origin) -> None:
    """Refuse an ask below zero unless the seller's prior reaches below zero.

    Raises
    ------
    ReportError
        Naming the first such seller.
    """
    negative = np.flatnonzero(asks < 0)
    if not len(negative):
        return
    lows = np.array([prior.support[0] for prior in sellers.priors] + [0.0])
    refused = negative[lows[sellers.prior_of[negative]] >= 0]
    if len(refused):
        row = int(refused[0])
        raise ReportError(
            f"{origin.at(row)}: {sellers.label(row)} has the negative ask {float(asks[row])!r}; "
            "ask at least 0, or give this seller a prior that reaches below zero"
        )


def far_outside(market: TwoSides, reports: Reports) -> list[str]:
    """Return warnings about reports that their priors make implausible.

    A report is far outside its prior when it lies beyond a bounded end of the support by more
    than half the width of the support (by more than half the value, where the prior is a point),
    or past an unbounded end at a tail probability below 1e-9.

    Parameters
    ----------
    market
        The market with the priors; agents without one are passed over.
    reports
        The reports.

    Returns
    -------
    list of str
        At most one line per side.

    Examples
    --------
    >>> from catallax.markets import Market
    >>> market = Market(
    ...     buyers=[{"id": "ann", "bid": 9.0, "prior": "uniform(0, 1)"}],
    ...     sellers=[{"id": "cy", "ask": 0.2}],
    ... )
    >>> far_outside(market, market.require_reports())
    ["the bid 9.0 of buyer 'ann' lies far outside the prior uniform(0, 1); check the units"]
    """
    warnings: list[str] = []
    sides = ((market.buyers, reports.bids, "bid"), (market.sellers, reports.asks, "ask"))
    for agents, values, word in sides:
        known = np.flatnonzero(agents.prior_of >= 0)
        far = np.zeros(len(known), dtype=bool)
        for prior, members in agents.groups(known):
            far[members] = _is_far(prior, values[known[members]])
        positions = known[far]
        if not len(positions):
            continue
        first = int(positions[0])
        more = len(positions) - 1
        others = f" (and {more} more {word}{'s' if more > 1 else ''})" if more else ""
        warnings.append(
            f"the {word} {float(values[first])!r} of {agents.label(first)} lies far outside "
            f"the prior {agents.prior_label(first)}{others}; check the units"
        )
    return warnings


def _is_far(prior: Prior, values: np.ndarray) -> np.ndarray:
    low, high = (float(end) for end in prior.support)
    far = np.zeros(len(values), dtype=bool)
    margin = (high - low) / 2 if high > low else abs(low) / 2
    # With the other end unbounded there is no width to measure a distance in.
    if np.isfinite(low) and np.isfinite(margin):
        far |= values < low - margin
    elif not np.isfinite(low):
        far |= np.asarray(prior.cdf(values)) < _RARE
    if np.isfinite(high) and np.isfinite(margin):
        far |= values > high + margin
    elif not np.isfinite(high):
        far |= np.asarray(prior.probability_at_least(values)) < _RARE
    return far


def require(agents: Agents, values: np.ndarray | None, word: str) -> np.ndarray:
    """Return the reports of one side.

    Raises
    ------
    MissingReportError
        Naming the first agent, where there are none.
    """
    if values is not None:
        return values
    if not len(agents):
        return np.empty(0)
    if agents.place != f"the {agents.role}s":  # a file, which can be mended
        has_prior = ["prior"] if agents.prior_of.max() >= 0 else []
        columns = ", ".join(["id", *agents.table.columns, *has_prior])
        if not agents.place.endswith((".csv", ".parquet")):  # JSON has keys, agent by agent
            raise MissingReportError(
                f"{agents.place}: {agents.label(0)} has no key '{word}' (keys: {columns}); "
                f"rename the one that holds the {word} to '{word}'"
            )
        raise MissingReportError(
            f"{agents.place}: there is no column '{word}' (columns: {columns}); "
            f"rename the one that holds the {word}s to '{word}'"
        )
    raise MissingReportError(
        f"{agents.label(0)} has no {word}; give the {agents.role}s a column '{word}', "
        "or pass reports=Reports(bids=..., asks=...)"
    )
