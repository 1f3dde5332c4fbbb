"""Many markets cleared at once, each exactly as it would be alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError, UnsupportedMarketError
from catallax.mechanisms.double_auction import Rule, check_complete
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.first_best import FirstBest
from catallax.mechanisms.gbom import BuyersOffering
from catallax.mechanisms.gsom import SellersOffering
from catallax.mechanisms.mcafee import McAfee, mcafee
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.outcomes import Outcomes
from catallax.mechanisms.registry import clear, get
from catallax.mechanisms.trade_reduction import TradeReduction, trade_reduction
from catallax.progress import Progress

if TYPE_CHECKING:
    import polars as pl

    from catallax.markets import Agents, Market, Markets, Reports
    from catallax.mechanisms.base import Mechanism

__all__ = ["clear_many"]

Array = NDArray[np.float64]
Indices = NDArray[np.int32]
Starts = NDArray[np.int64]

# Those whose weights are functions of one agent's report and prior: all markets' are one array.
_SEPARABLE = (FirstBest, SellersOffering, BuyersOffering)
_AUCTIONS: Mapping[type, Rule] = {TradeReduction: trade_reduction, McAfee: mcafee}


def clear_many(
    markets: Markets,
    mechanism: str | Mechanism = "gsom",
    reports: Reports | None = None,
    *,
    progress: Progress | None = None,
) -> Outcomes:
    """Clear many markets at once, each exactly as `clear` would clear it alone.

    Parameters
    ----------
    markets
        The markets.
    mechanism
        A slug, "module:Class", or a mechanism that leaves nothing to chance. ``first-best``,
        ``gsom`` and ``gbom``, and where everybody may trade with everybody ``trade-reduction``
        and ``mcafee``, take one pass over all markets; others clear one market after the other.
    reports
        `Reports`, in the order of the tables' rows; by default those that came with the markets.
    progress
        Called with the part that is done, from 0 to 1, and how many markets that are, where they
        are cleared one after the other.

    Returns
    -------
    Outcomes
        Trades, prices and totals of all markets, and the `Outcome` of each by its name.

    Raises
    ------
    UnsupportedMarketError
        If the mechanism does not apply to one of the markets, or randomises.
    CatallaxError
        As `clear`; the message names the market.

    Examples
    --------
    >>> import catallax as cx
    >>> markets = cx.Markets(
    ...     buyers={"hour": [9, 9, 10], "id": ["ann", "bob", "ann"], "bid": [0.75, 0.4, 0.5]},
    ...     sellers={"hour": [9, 10], "id": ["cy", "cy"], "ask": [0.25, 0.6]},
    ...     by="hour",
    ... )
    >>> outcomes = cx.clear_many(markets, "first-best")
    >>> outcomes
    <Outcomes of first-best on 'markets': 2 markets, 1 trades, gains 0.5, surplus -0.35>
    >>> outcomes.trades.rows()
    [(9, 'ann', 'cy', 0.4, 0.75, 0.5)]
    >>> print(outcomes[10].explain("ann"))
    Buyer 'ann' bid 0.5 and does not trade; a bid of at least 0.6 would: seller 'cy' sets it \
with an ask of 0.6.
    """
    rule = get(mechanism)
    arranged = None if reports is None else markets.arranged(reports)
    # Markets have what these mechanisms look at: both sides, and the reports.
    together: Any = markets
    if type(rule) in _SEPARABLE:
        return _in_one_pass(markets, rule, rule.read_reports(together, arranged))
    if type(rule) in _AUCTIONS:
        return _as_auctions(markets, rule, rule.read_reports(together, arranged))
    return _one_by_one(markets, rule, arranged, progress)


class _Together(NamedTuple):
    """All markets in the place of one, for what looks at agents and never at their market."""

    buyers: Agents
    sellers: Agents

    def frame(self, columns: Mapping[str, Any]) -> pl.DataFrame:
        """Return a polars frame, whatever library the markets came from."""
        import polars as pl

        return pl.DataFrame(columns)


def _in_one_pass(markets: Markets, rule: Any, reports: Reports) -> Outcomes:
    """Clear by a mechanism that weighs every agent alone."""
    from catallax.matching.plain.many import match_markets

    starts = markets.buyer_start, markets.seller_start
    matching: Any = match_markets(markets.graph, *starts, *rule.weights(markets, reports))
    bids, asks = reports.bids[matching.buyer], reports.asks[matching.seller]
    outcome = Outcome(
        market=cast("Market", _Together(markets.buyers, markets.sellers)),
        reports=reports,
        mechanism=rule.slug,
        solver=matching.solver,
        buyer_index=matching.buyer,
        seller_index=matching.seller,
        # As in `SeparableMechanism.clear`.
        buyer_pays=np.minimum(rule.critical_bids(markets, matching.trading_buyers), bids),
        seller_receives=np.maximum(rule.critical_asks(markets, matching.trading_sellers), asks),
        weights=matching.buyer_weights[matching.buyer] - matching.seller_weights[matching.seller],
        reasons=ThresholdReasons(rule, matching),
    )
    return Outcomes(
        markets,
        outcome.mechanism,
        outcome.solver,
        outcome.buyer_index,
        outcome.seller_index,
        bids,
        asks,
        outcome.buyer_pays,
        outcome.seller_receives,
        outcome.weights,
        rule,
        reports,
        outcome,
    )


def _as_auctions(markets: Markets, rule: Mechanism, reports: Reports) -> Outcomes:
    """Clear by a rule for sorted reports."""
    from catallax.matching.plain.many import sort_markets

    starts = markets.buyer_start, markets.seller_start
    _check_all_complete(markets, rule.slug)
    book = sort_markets(*starts, reports.bids, reports.asks)
    # A rule looks at the last efficient pair and the next one; it counts from the first one on.
    places = np.stack([np.zeros_like(book.count), book.count - 1, book.count], axis=1)
    places = np.maximum(places, np.arange(3))
    sides = zip(starts, (book.buyers, book.sellers), (reports.bids, reports.asks), strict=True)
    shown = [_at(places, start, order, values) for start, order, values in sides]
    prices = _AUCTIONS[type(rule)](*shown)
    trades = prices.trades + np.maximum(book.count - 2, 0)
    ends = [
        np.sort(order[np.repeat(start[:-1], trades) + _counted(trades)])
        for start, order in zip(starts, (book.buyers, book.sellers), strict=True)
    ]
    bids, asks = reports.bids[ends[0]], reports.asks[ends[1]]
    pays, receives = (
        np.repeat(price, trades) for price in (prices.buyer_pays, prices.seller_receives)
    )
    return Outcomes(
        markets, rule.slug, "sort", ends[0], ends[1], bids, asks, pays, receives, bids - asks,
        rule, reports,
    )  # fmt: skip


def _check_all_complete(markets: Markets, mechanism: str) -> None:
    """Refuse markets in which somebody may not trade with everybody of the same market."""
    if markets.graph is None:
        return
    edges = np.bincount(markets.buyer_market[markets.graph.buyer], minlength=len(markets))
    lacking = edges < np.diff(markets.buyer_start) * np.diff(markets.seller_start)
    if lacking.any():
        check_complete(markets[markets.names[int(np.argmax(lacking))]], mechanism)


def _at(
    places: NDArray[np.int64], start: NDArray[np.int64], order: Indices, values: Array
) -> Array:
    """Take the reports at some places of each market's order; NaN where there are not so many."""
    padded = np.append(values[order], np.nan)
    at = places + start[:-1, None]
    return padded[np.where(at < start[1:, None], at, order.size)]


def _counted(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count from 0 up within each market."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _one_by_one(
    markets: Markets, rule: Mechanism, reports: Reports | None, progress: Progress | None
) -> Outcomes:
    """Clear one market after the other."""
    parts: list[Outcome] = []
    for number, name in enumerate(markets.names):
        own = None if reports is None else markets.own_reports(name, reports)
        try:
            outcome = clear(markets[name], rule, own)
        except CatallaxError as error:
            text = str(error)
            raise (
                error if f"market '{name}'" in text else type(error)(f"market '{name}': {text}")
            ) from None
        if not isinstance(outcome, Outcome):
            raise UnsupportedMarketError(
                f"{rule.slug} leaves the outcome of market '{name}' to chance, and many markets "
                "at once have one outcome each: clear it alone, as Markets[name] or from a folder"
            )
        parts.append(outcome)
        if progress is not None:
            done, total = number + 1, len(markets)
            progress(done / total, f"{done:,} of {total:,} markets")
    solvers = {part.solver for part in parts}
    one, two = (start.tolist() for start in (markets.buyer_start, markets.seller_start))
    return Outcomes(
        markets,
        rule.slug,
        solvers.pop() if len(solvers) == 1 else "several",
        _joined((part.buyer_index + at for part, at in zip(parts, one, strict=False)), np.int32),
        _joined((part.seller_index + at for part, at in zip(parts, two, strict=False)), np.int32),
        _joined(part.reports.bids[part.buyer_index] for part in parts),
        _joined(part.reports.asks[part.seller_index] for part in parts),
        _joined(part.buyer_pays for part in parts),
        _joined(part.seller_receives for part in parts),
        _joined(part.weights for part in parts),
        rule,
        reports,
        _parts=tuple(parts),
    )


def _joined(arrays: Iterable[NDArray[Any]], kind: Any = np.float64) -> NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *arrays]).astype(kind, copy=False)
