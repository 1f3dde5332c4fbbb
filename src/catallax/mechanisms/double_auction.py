"""What the double auctions on complete graphs share: sorting, counting, and their reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.errors import UnsupportedMarketError
from catallax.matching import rank_agents
from catallax.mechanisms.explain import money
from catallax.mechanisms.outcome import NOBODY, Outcome
from catallax.mechanisms.stated_reasons import StatedReason, StatedReasons

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.mechanisms.outcome import Role

__all__ = ["Book", "Prices", "Rule", "check_complete", "clear_by", "efficient_trades", "pick"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


class Prices(NamedTuple):
    """What a double auction decides, for sorted reports of any number of markets at once.

    Attributes
    ----------
    trades
        How many pairs trade: the highest bids with the lowest asks.
    buyer_pays, seller_receives
        The one price of each side; NaN without trades.
    marginal
        Whether these are the reports of the last efficient pair; else a price between the
        two agents next after it.
    """

    trades: Counts
    buyer_pays: Array
    seller_receives: Array
    marginal: NDArray[np.bool_]


Rule = Callable[[Array, Array], Prices]
"""From bids, highest first, and asks, lowest first, to `Prices`; the last axis is the agents."""


def efficient_trades(bids: Array, asks: Array) -> Counts:
    """Count the trades of the first best, those without gain included.

    Parameters
    ----------
    bids
        Highest first along the last axis, of length n.
    asks
        Lowest first along the last axis, of length m.

    Returns
    -------
    ndarray of int64
        The largest k with ``bids[k - 1] >= asks[k - 1]``.

    Examples
    --------
    >>> import numpy as np
    >>> efficient_trades(np.array([9.0, 4.0]), np.array([3.0, 4.0, 8.0]))
    array(2)
    """
    most = min(bids.shape[-1], asks.shape[-1])
    return np.asarray(np.count_nonzero(bids[..., :most] >= asks[..., :most], axis=-1))


def pick(reports: Array, at: Counts) -> Array:
    """Take one report from each row; NaN at positions that do not exist."""
    padded = np.concatenate([reports, np.full((*reports.shape[:-1], 1), np.nan)], axis=-1)
    inside = np.where((at >= 0) & (at < reports.shape[-1]), at, reports.shape[-1])
    return np.take_along_axis(padded, inside[..., None], axis=-1)[..., 0]


def check_complete(market: Market, mechanism: str) -> None:
    """Refuse a market in which not every buyer may trade with every seller.

    Raises
    ------
    UnsupportedMarketError
        Naming what is in the way, and what to use instead.
    """
    graph = market.graph
    instead = "use 'gsom', 'gbom' or 'posted-price' instead"
    if market.constraints:
        first = market.constraints[0]
        kind = first["kind"] if isinstance(first, dict) else first.kind
        raise UnsupportedMarketError(
            f"{mechanism} knows no constraints, and market '{market.name}' has one of kind "
            f"'{kind}'; {instead}"
        )
    if not graph.complete and graph.n_edges < graph.n_buyers * graph.n_sellers:
        pairs = graph.n_buyers * graph.n_sellers
        raise UnsupportedMarketError(
            f"{mechanism} needs every buyer to be able to trade with every seller, and market "
            f"'{market.name}' has {graph.n_edges} of {pairs} edges; {instead}"
        )


@dataclass(frozen=True, eq=False)
class Book:
    """The reports of a complete market in the one order that decides all ties.

    Attributes
    ----------
    market, reports
        Whose reports.
    buyers, sellers
        Positions of the agents: buyers by bid, highest first; sellers by ask, lowest first; of
        equals the one listed first.
    """

    market: Market
    reports: Reports
    buyers: NDArray[np.int32]
    sellers: NDArray[np.int32]

    @classmethod
    def of(cls, market: Market, reports: Reports) -> Book:
        """Sort the reports of a market."""
        agent_at = rank_agents(reports.bids, reports.asks)[2]
        return cls(market, reports, agent_at[agent_at >= 0], -1 - agent_at[agent_at < 0][::-1])

    @cached_property
    def bids(self) -> Array:
        """Bids, highest first."""
        return self.reports.bids[self.buyers]

    @cached_property
    def asks(self) -> Array:
        """Asks, lowest first."""
        return self.reports.asks[self.sellers]

    @cached_property
    def efficient(self) -> int:
        """How many pairs the first best trades."""
        return int(efficient_trades(self.bids, self.asks))

    @cached_property
    def memory(self) -> dict[tuple[str, int], StatedReason]:
        """Reasons stated already, which many agents share."""
        return {}

    def rank(self, role: Role) -> NDArray[np.int64]:
        """Return the place of every agent of a side in its order, from 0."""
        return self._ranks[0 if role == "buyer" else 1]

    @cached_property
    def _ranks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return np.argsort(self.buyers), np.argsort(self.sellers)

    def leading(self, role: Role, index: int) -> Book:
        """Return the book in which an agent reports the best that can be."""
        if role == "buyer":
            bids = self.reports.bids.copy()
            bids[index] = np.inf
            order = np.concatenate([[index], self.buyers[self.buyers != index]]).astype(np.int32)
            return Book(self.market, _with(self.reports, bids=bids), order, self.sellers)
        asks = self.reports.asks.copy()
        asks[index] = -np.inf
        order = np.concatenate([[index], self.sellers[self.sellers != index]]).astype(np.int32)
        return Book(self.market, _with(self.reports, asks=asks), self.buyers, order)

    def outcome(
        self, mechanism: str, prices: Prices, reasons: Callable[[Role, int], StatedReason]
    ) -> Outcome:
        """Return the outcome at given prices; the pairs stand in market order."""
        count = int(prices.trades)
        buyers, sellers = np.sort(self.buyers[:count]), np.sort(self.sellers[:count])
        return Outcome(
            market=self.market,
            reports=self.reports,
            mechanism=mechanism,
            solver="sort",
            buyer_index=buyers,
            seller_index=sellers,
            buyer_pays=np.full(count, float(prices.buyer_pays)),
            seller_receives=np.full(count, float(prices.seller_receives)),
            weights=self.reports.bids[buyers] - self.reports.asks[sellers],
            reasons=StatedReasons(reasons),
        )


def _with(reports: Reports, *, bids: Array | None = None, asks: Array | None = None) -> Reports:
    from catallax.markets import Reports

    return Reports(reports.bids if bids is None else bids, reports.asks if asks is None else asks)


def clear_by(rule: Rule, mechanism: str, book: Book) -> Outcome:
    """Clear a complete market by a rule for sorted reports.

    Parameters
    ----------
    rule
        The rule; truthful, so that an agent's price is her critical report.
    mechanism
        Slug of the mechanism.
    book
        The sorted reports.

    Returns
    -------
    Outcome
        The trades and, for every agent, who sets the price.
    """
    prices = rule(book.bids, book.asks)
    return book.outcome(mechanism, prices, lambda role, index: state(rule, book, role, index))


def state(rule: Rule, book: Book, role: Role, index: int) -> StatedReason:
    """State an agent's critical report: what she would pay with the best report there can be."""
    # All agents before the last efficient pair pay alike, and so do all after the next pair.
    rank, count = int(book.rank(role)[index]), book.efficient
    kind = -1 if rank < count - 1 else min(rank, count + 1)
    key = (role, kind)
    if key not in book.memory:
        book.memory[key] = _critical(rule, book.leading(role, index), role)
    reason = book.memory[key]
    if reason.source == NOBODY:
        return reason
    rival = reason.source if role == "buyer" else -1 - reason.source
    return reason._replace(strict=rival < index)


def _critical(rule: Rule, led: Book, role: Role) -> StatedReason:
    """State what the agent that leads its side pays."""
    prices = rule(led.bids, led.asks)
    buyers, size, market = role == "buyer", led.efficient, led.market
    if not prices.trades:
        if size == 0:
            return StatedReason(np.nan, NOBODY, f"there is no {'seller' if buyers else 'buyer'}")
        return StatedReason(
            np.nan, NOBODY, "the only pair that could gain would set the price and stay out"
        )
    if bool(prices.marginal):
        rival = int((led.buyers if buyers else led.sellers)[size - 1])
        label = (market.buyers if buyers else market.sellers).label(rival)
        report = float(prices.buyer_pays if buyers else prices.seller_receives)
        said = f"{'a bid' if buyers else 'an ask'} of {money(report)}"
        clause = f"{label} sets it with {said}, the last with which a pair gains"
        return StatedReason(report, rival if buyers else -1 - rival, clause)
    next_buyer, next_seller = int(led.buyers[size]), int(led.sellers[size])
    clause = (
        f"it lies midway between the bid of {market.buyers.label(next_buyer)}, "
        f"{money(led.bids[size])}, and the ask of {market.sellers.label(next_seller)}, "
        f"{money(led.asks[size])}, the next that do not trade"
    )
    return StatedReason(float(prices.buyer_pays), NOBODY, clause)
