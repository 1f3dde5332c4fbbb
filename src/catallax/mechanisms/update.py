"""Outcomes after some reports have changed, at the cost of what changes with them."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from catallax.errors import ReportError
from catallax.mechanisms.clearing import cleared
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.house import of_the_house
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.updated_outcome import UpdatedOutcome, shares

if TYPE_CHECKING:
    from catallax.markets import Agents, Market, Reports
    from catallax.matching.updates.stores import Store
    from catallax.matching.updates.updated import UpdatedMatching
    from catallax.mechanisms.base import Mechanism, SeparableMechanism
    from catallax.mechanisms.lottery import Lottery

__all__ = ["updated"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

# What the updates of outcomes that were cleared afresh start from, made once for each.
_starts: WeakKeyDictionary[Outcome, UpdatedMatching] = WeakKeyDictionary()
_starting = Lock()
# Whole numbers up to this are floats.
_WHOLE = 2**53


def updated(
    mechanism: Mechanism,
    earlier: Outcome | Lottery,
    reports: Any = None,
    *,
    bids: Any = None,
    asks: Any = None,
    plain: bool = True,
) -> Outcome | Lottery:
    """Clear again after some reports have changed; see `Outcome.update`.

    Parameters
    ----------
    mechanism
        What cleared the earlier one.
    earlier
        What to go on from.
    reports, bids, asks
        All reports, or those that change.
    plain
        Whether reports are one number for each agent.
    """
    if reports is not None and (bids is not None or asks is not None):
        raise ReportError("give either all reports or the bids and asks that change, not both")
    outcome = earlier if isinstance(earlier, Outcome) else earlier.outcomes[0][1]
    given: Any = None
    if plain and isinstance(earlier, Outcome) and mechanism.is_followed(earlier):
        found = _followed(earlier, cast("SeparableMechanism", mechanism), reports, bids, asks)
        if isinstance(found, Outcome):
            return found
        given = found
    if given is None:
        given = _new_reports(mechanism, outcome, reports, bids, asks, plain=plain)
    result = cleared(outcome.market, mechanism, given)
    if isinstance(earlier, Outcome) and isinstance(result, Outcome):
        vars(result)["_before"] = [earlier.traders("buyer"), earlier.traders("seller")]
    return result


def _new_reports(
    mechanism: Mechanism, outcome: Outcome, reports: Any, bids: Any, asks: Any, *, plain: bool
) -> Any:
    """Give all reports, not yet checked."""
    from catallax.markets import Reports
    from catallax.markets.reports import changed_reports

    if not plain:
        if reports is None:
            raise ReportError(
                f"the reports of '{mechanism.slug}' are more than a bid for each buyer: "
                "give all of them, outcome.update(reports)"
            )
        return reports
    if reports is None:
        return changed_reports(outcome.market, outcome.reports, bids=bids, asks=asks)
    if not isinstance(reports, Reports):
        raise ReportError(
            "the reports to update with are Reports(bids=..., asks=...); name those that "
            "change with outcome.update(bids={...}, asks={...})"
        )
    return reports


def _followed(
    outcome: Outcome, mechanism: SeparableMechanism, reports: Any, bids: Any, asks: Any
) -> Outcome | Reports | None:
    """Follow an outcome; or else give all reports to clear afresh with, checked or None."""
    from catallax.matching.plain.ranked import RankedMatching

    market = outcome.market
    if not isinstance(cast("ThresholdReasons", outcome.reasons).matching, RankedMatching):
        return None
    few = _named(market, bids, asks) if reports is None else None
    if few is None:
        reports = _new_reports(mechanism, outcome, reports, bids, asks, plain=True)
        n_agents = len(market.buyers), len(market.sellers)
        if (reports.bids.size, reports.asks.size) != n_agents:
            mechanism.read_reports(market, reports)  # refuses them
            return None
    earlier = _start_of(outcome)
    version = earlier.version
    with version.lock:
        store = version.store()
        agents, values = few or _differences(store, cast("Reports", reports))
        before = store.report[agents]
        new = values.view(np.int64) != before.view(np.int64)
        if not new.all():
            agents, values, before = agents[new], values[new], before[new]
        if not _is_plain(market, agents, values):
            if reports is None:
                reports = _all_reports(store, agents, values)
            mechanism.read_reports(market, reports)  # refuses them, or finds them good
        if not agents.size:
            return UpdatedOutcome.of(outcome, mechanism, earlier, None, reports)
        try:
            found = _step(market, mechanism, earlier, store, agents, values, before)
        except Exception:
            if of_the_house(mechanism):
                raise
            found = None  # clearing afresh says of somebody else's mechanism what went wrong
        if found is None:
            return _all_reports(store, agents, values) if reports is None else reports
    result = UpdatedOutcome.of(outcome, mechanism, *found, reports)
    if not of_the_house(mechanism):
        for role in ("buyer", "seller"):
            if not np.isfinite(result.traders(role)[1]).all():
                return result.reports  # clearing afresh says so
    return result


def _start_of(outcome: Outcome) -> UpdatedMatching:
    """Give what an update starts from, made once for an outcome that was cleared afresh."""
    matching: Any = cast("ThresholdReasons", outcome.reasons).matching
    if isinstance(outcome, UpdatedOutcome) and outcome.goes_on:
        return matching
    with _starting:
        found = _starts.get(outcome)
        if found is None or not found.version.whole:
            from catallax.matching.updates.follow import start
            from catallax.matching.updates.updated import UpdatedMatching

            if isinstance(matching, UpdatedMatching):  # with other reports, or another name
                from catallax.matching.plain.ranked import match_by_rank

                weights = matching.buyer_weights, matching.seller_weights
                matching = match_by_rank(matching.graph, *weights)
            both = np.concatenate([outcome.reports.bids, outcome.reports.asks])
            found = _starts[outcome] = start(matching, both)
    return found


def _named(market: Market, bids: Any, asks: Any) -> tuple[Places, Array] | None:
    """Find who is named in mappings from ids to plain numbers; None where a closer look is due.

    Whatever is odd is left to `Reports.of`, which knows what to say of it.
    """
    agents: list[int] = []
    values: list[float] = []
    for side, given, first in (
        (market.buyers, bids, 0),
        (market.sellers, asks, len(market.buyers)),
    ):
        if given is None:
            continue
        if not isinstance(given, Mapping) or not _number(side, given, first, agents, values):
            return None
    return np.array(agents, np.intp), np.array(values, float)


def _number(
    side: Agents, given: Mapping[Any, Any], first: int, agents: list[int], values: list[float]
) -> bool:
    for agent, value in given.items():
        kind = type(value)
        if kind is int:
            plain = -_WHOLE <= value <= _WHOLE
        else:
            plain = (kind is float or kind is np.float64) and -np.inf < value < np.inf
        named = type(agent) is str or type(agent) is int
        if not plain or not named or agent not in side:
            return False
        agents.append(first + side.index(agent))
        values.append(float(value))
    return True


def _differences(store: Store, reports: Reports) -> tuple[Places, Array]:
    """Find whose reports are others than before, be it in the sign of a zero."""
    from catallax.matching.updates.kernels_compare import different

    n_buyers = reports.bids.size
    agents = [
        different(old.view(np.int64), np.ascontiguousarray(new).view(np.int64)) + first
        for old, new, first in (
            (store.report[:n_buyers], reports.bids, 0),
            (store.report[n_buyers:], reports.asks, n_buyers),
        )
    ]
    values = reports.bids[agents[0]], reports.asks[agents[1] - n_buyers]
    return np.concatenate(agents), np.concatenate(values)


def _is_plain(market: Market, agents: Places, values: Array) -> bool:
    """Tell whether what is new among reports needs no closer look (the old was looked at)."""
    largest = np.inf if market.largest_report is None else market.largest_report
    n_buyers = len(market.buyers)
    return all(
        abs(value) <= largest and abs(value) != np.inf and (agent < n_buyers or value >= 0)
        for agent, value in zip(agents.tolist(), values.tolist(), strict=True)
    )


def _all_reports(store: Store, agents: Places, values: Array) -> Reports:
    """Copy all reports, with the new ones among them."""
    from catallax.markets import Reports

    report, n_buyers = store.report.copy(), store.graph.n_buyers
    report[agents] = values
    return Reports(report[:n_buyers], report[n_buyers:])


def _step(
    market: Market, mechanism: SeparableMechanism, earlier: UpdatedMatching, store: Store,
    agents: Places, values: Array, before: Array,
) -> tuple[UpdatedMatching, Any] | None:  # fmt: skip
    """Take the arrays to new reports and what they weigh; None, and all as it was, if they stay."""
    from catallax.matching.updates.follow import follow

    n_buyers = len(market.buyers)
    store.report[agents] = values
    try:
        weighed = agents
        if not shares(mechanism):
            weighed = np.arange(store.report.size)
            parts = mechanism.weights(market, _all_reports(store, agents, values))
        else:
            ours = of_the_house(mechanism)
            reports = _view(store) if ours else _all_reports(store, agents, values)
            first = np.count_nonzero(agents < n_buyers)  # buyers stand first
            parts = mechanism.some_weights(
                market, reports, agents[:first], agents[first:] - n_buyers
            )
        weights = np.concatenate(parts, dtype=float)
        if weights.shape != weighed.shape:
            raise ValueError("one weight is needed for every buyer and every seller")
        moved = weights.view(np.int64) != store.weight[weighed].view(np.int64)
        if not moved.all():
            weighed, weights = weighed[moved], weights[moved]
        found = follow(earlier, weighed, weights, agents.astype(np.int32), before)
    except BaseException:
        store.report[agents] = before
        raise
    return found


def _view(store: Store) -> Reports:
    """Show the reports as they stand, without a copy, to mechanisms that only look at them."""
    from catallax.markets import Reports

    reports = Reports.__new__(Reports)
    report, n_buyers = store.report[:], store.graph.n_buyers
    report.flags.writeable = False
    object.__setattr__(reports, "bids", report[:n_buyers])
    object.__setattr__(reports, "asks", report[n_buyers:])
    return reports
