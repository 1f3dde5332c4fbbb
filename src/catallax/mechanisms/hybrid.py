"""Hybrid: trade reduction, and a random offer where only one pair could gain."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.double_auction import Book, Prices, check_complete, clear_by, state
from catallax.mechanisms.explain import money
from catallax.mechanisms.lottery import Lottery
from catallax.mechanisms.outcome import NOBODY
from catallax.mechanisms.registry import register
from catallax.mechanisms.stated_reasons import StatedReason
from catallax.mechanisms.trade_reduction import trade_reduction
from catallax.priors.combination import Weighing, weighing

if TYPE_CHECKING:
    from catallax.markets import Agents, Market, Reports
    from catallax.mechanisms.outcome import Outcome, Role

__all__ = ["Hybrid"]

Offerer = Literal["seller", "buyer"]


@register
@dataclass(frozen=True)
class Hybrid(Mechanism):
    """Reduce trade where two pairs or more could gain; toss a coin who offers where one could.

    With two efficient trades or more this is `trade-reduction`. With one, between the highest
    bid b_1 and the lowest ask s_1, a fair coin decides who makes an offer. The seller offers the
    price in [b_2, s_2] that is best for her against the buyer's prior (no bound where there is no
    second agent; an optimal price is never below s_1), and they trade if b_1 accepts. The buyer
    pays that price; the seller receives the highest ask with which her offer would have been
    accepted. The buyer's offer is the mirror. A refused offer is the end: nobody trades.

    Optimal between the bounds means that the revenue curve is ironed between them: where the
    prior is regular it is the unrestricted offer, moved to the nearer bound.

    The result is always a `Lottery`: of two outcomes in the second case, of one otherwise.

    Claims
    ------
    For either fall of the coin dominant-strategy truthful for both sides and individually
    rational in every outcome. Trade reduction never runs a deficit; an offer breaks even in
    expectation over the value of the agent that it is made to, whatever the others report.

    References
    ----------
    Babaioff, Cai, Gonczarowski and Zhao, The best of both worlds: asymptotically efficient
    mechanisms with a guarantee on the expected gains-from-trade (EC 2018). There the offerer is
    paid the price she offers; here she is paid her threshold, which makes her truthful in
    dominant strategies and is the same in expectation.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> lottery = cx.clear(market, "hybrid", cx.Reports(bids=[0.75], asks=[0.25]))
    >>> [outcome.buyer_pays.tolist() for _, outcome in lottery.outcomes]
    [[0.625], [0.5]]
    """

    slug = "hybrid"
    summary = "trade reduction; where one pair could gain, a coin who offers; complete graphs only"
    claims = Claims("DSIC", "DSIC", "ex post", "weak ex ante")

    def clear(self, market: Market, reports: Reports) -> Lottery:
        """Reduce trade, or let chance decide who offers.

        Raises
        ------
        UnsupportedMarketError
            If some buyer may not trade with some seller, or there are constraints.
        MissingPriorError
            If an offer is to be made to an agent that has no prior.
        """
        check_complete(market, self.slug)
        book = Book.of(market, reports)
        if book.efficient != 1:
            outcome = clear_by(trade_reduction, self.slug, book)
            if book.efficient == 0:
                outcome = _offer(book, "seller", self.slug, trades=False)
            return Lottery(market, self.slug, ((Fraction(1), outcome),))
        half = Fraction(1, 2)
        return Lottery(
            market,
            self.slug,
            (
                (half, _offer(book, "seller", self.slug)),
                (half, _offer(book, "buyer", self.slug)),
            ),
        )


def _offer(book: Book, offerer: Offerer, slug: str, *, trades: bool = True) -> Outcome:
    """Return the outcome of an offer between the leading buyer and the leading seller."""
    prices = _no_trade()
    if trades:
        buyer, seller = _thresholds(book, offerer)
        if book.bids[0] >= buyer and book.asks[0] <= seller:
            prices = Prices(np.asarray(1), np.asarray(buyer), np.asarray(seller), np.asarray(False))
    return book.outcome(slug, prices, lambda role, index: _reason(book, offerer, role, index))


def _no_trade() -> Prices:
    nothing = np.asarray(np.nan)
    return Prices(np.asarray(0), nothing, nothing, np.asarray(False))


def _faced(book: Book, offerer: Offerer) -> Weighing:
    """Return the virtual value (cost) of the agent that is offered a price, between the bounds."""
    low = float(book.bids[1]) if book.bids.size > 1 else -np.inf
    high = float(book.asks[1]) if book.asks.size > 1 else np.inf
    if offerer == "seller":
        agents, own, rivals = book.market.buyers, book.buyers, book.buyers[1:]
        role: Role = "buyer"
    else:
        agents, own, rivals = book.market.sellers, book.sellers, book.sellers[1:]
        role = "seller"
    ((prior, _),) = agents.groups(own[:1])
    # Whoever is listed after her rival must beat the rival's report, not only match it.
    above = bool(rivals.size and rivals[0] < own[0])
    return weighing(prior, role, 1.0, low=low, high=high, above=above)


def _thresholds(book: Book, offerer: Offerer) -> tuple[float, float]:
    """Return the lowest bid and the highest ask with which the leading pair would trade."""
    faced = _faced(book, offerer)
    bid, ask = float(book.bids[0]), float(book.asks[0])
    if offerer == "seller":
        return float(faced.critical(ask)), float(faced.weight(bid))
    return float(faced.weight(ask)), float(faced.critical(bid))


def _reason(book: Book, offerer: Offerer, role: Role, index: int) -> StatedReason:
    """State what an agent would have to report: what she would pay if she led her side."""
    led = book.leading(role, index)
    if led.efficient > 1:
        return state(trade_reduction, led, role, index)
    buyers = role == "buyer"
    side: Agents = book.market.buyers if buyers else book.market.sellers
    if led.efficient == 0:
        return StatedReason(np.nan, NOBODY, f"there is no {'seller' if buyers else 'buyer'}")
    facing = side if (offerer == "seller") == buyers else None
    if facing is not None and side.prior(index) is None:
        return StatedReason(np.nan, NOBODY, f"{side.label(index)} has no prior to make an offer to")
    level = _thresholds(led, offerer)[0 if buyers else 1]
    if not np.isfinite(level):
        clause = "the other side would not gain by any offer that could be accepted"
        return StatedReason(level, NOBODY, clause)
    return StatedReason(level, *_setter(led, offerer, role, level))


def _setter(led: Book, offerer: Offerer, role: Role, level: float) -> tuple[int, str, bool]:
    """Say who sets a critical report: a rival on either side, or the partner."""
    market, buyers = led.market, role == "buyer"
    for at_bound, agents, order, reports, sign in (
        (led.bids.size > 1 and level == led.bids[1], market.buyers, led.buyers, led.bids, 1),
        (led.asks.size > 1 and level == led.asks[1], market.sellers, led.sellers, led.asks, -1),
    ):
        if at_bound:
            rival, word = int(order[1]), "a bid" if sign > 0 else "an ask"
            source = rival if sign > 0 else -1 - rival
            own_side = (sign > 0) == buyers
            index = int((led.buyers if buyers else led.sellers)[0])
            clause = (
                f"{agents.label(rival)} sets it with {word} of {money(reports[1])}, a bound of "
                f"the {offerer}'s offer"
            )
            return source, clause, own_side and rival < index
    if buyers:
        partner, said = int(led.sellers[0]), f"an ask of {money(led.asks[0])}"
        source, label = -1 - partner, market.sellers.label(partner)
    else:
        partner, said = int(led.buyers[0]), f"a bid of {money(led.bids[0])}"
        source, label = partner, market.buyers.label(partner)
    return source, f"{label} sets it with {said}, and the {offerer} makes the offer", False
