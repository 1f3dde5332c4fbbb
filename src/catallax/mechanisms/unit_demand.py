"""GBOM for one buyer who values the items differently, and what it shares with SAPP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.markets.reports import Reports
from catallax.markets.unit_demand import UnitDemand, UnitDemandReports
from catallax.mechanisms.base import Claims, Mechanism
from catallax.mechanisms.explain import money
from catallax.mechanisms.outcome import NOBODY, Outcome
from catallax.mechanisms.registry import register
from catallax.mechanisms.stated_reasons import StatedReason, StatedReasons
from catallax.priors.floats import smallest_float

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms.outcome import Role

__all__ = ["UnitDemandBuyersOffering", "highest_ask", "single_trade", "unit_demand_of"]

Array = NDArray[np.float64]


def unit_demand_of(
    market: Market, reports: Reports | UnitDemandReports | None
) -> tuple[UnitDemand, UnitDemandReports]:
    """Read a market of one buyer with its reports, those that came with it if none are given."""
    view = UnitDemand.of(market)
    if reports is None:
        reports = view.require_reports()
    given = UnitDemandReports(reports.bids, reports.asks)
    view.check(given)
    return view, given


def first_best_item(scores: Array) -> int:
    """Return the item with the largest score of at least 0, the first listed of equals; or -1."""
    if not scores.size or not scores.max() >= 0:
        return -1
    return int(np.argmax(scores))


def highest_ask(bought: Callable[[float], bool], ask: float, limit: float, guess: float) -> float:
    """Find the largest float at which a seller is still bought from.

    Parameters
    ----------
    bought
        Whether she is at an ask; true at `ask`, and false for good once it is false.
    ask, limit
        Between which the answer lies.
    guess
        Where to look first.

    Returns
    -------
    float
        The supremum of the asks that are bought, as a float: exact.
    """

    def holds(x: Array, which: NDArray[np.int64]) -> NDArray[np.bool_]:
        del which
        return np.array([bought(-float(at)) for at in x])

    near = np.array([-np.clip(guess, ask, limit)])
    return -float(smallest_float(holds, near, np.array([-limit]), np.array([-ask]))[0])


def single_trade(
    view: UnitDemand,
    reports: UnitDemandReports,
    mechanism: str,
    item: int,
    prices: tuple[float, float, float],
    state: Callable[[Role, int], StatedReason],
    limit: str,
) -> Outcome:
    """Return the outcome in which the buyer gets an item, or none (-1).

    The buyer's report in it is her bid for the item, or her largest bid if she gets none.
    """
    trades = item >= 0
    shown = reports.bids[item] if trades else reports.bids.max(initial=0.0)
    pays, receives, weight = prices
    count = int(trades)
    return Outcome(
        market=view.market,
        reports=Reports(np.array([shown]), reports.asks),
        mechanism=mechanism,
        solver="argmax",
        buyer_index=np.zeros(count, np.int32),
        seller_index=np.array([view.seller[item]] if trades else [], np.int32),
        buyer_pays=np.full(count, pays),
        seller_receives=np.full(count, receives),
        weights=np.full(count, weight),
        reasons=StatedReasons(
            state, {"buyer": limit, "seller": "the highest ask that still trades"}
        ),
    )


@register
@dataclass(frozen=True)
class UnitDemandBuyersOffering(Mechanism):
    """Let one buyer, with a value for each item, buy from the seller that leaves her most.

    Buys the item with the largest bid less ironed virtual cost, if that is not negative. The
    seller receives the highest ask with which she would still be bought from, and that is what
    the buyer pays.

    The market is one of `UnitDemand`: bids stand on the edges.

    Claims
    ------
    Dominant-strategy truthful for the sellers. The buyer runs a procurement auction that is
    optimal for the values she reports, so the truth is best for her in expectation over the
    sellers' costs (not always afterwards: she may regret that she did not bid less).
    Individually rational in every outcome; the buyer pays what the seller receives.

    References
    ----------
    Cai, Goldner, Ma and Zhao (SODA 2021), "Generalized Buyer Offering"; arXiv 2604.00129,
    Corollary 6.1.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market(
    ...     [{"id": "ann"}],
    ...     [{"id": k, "ask": a, "prior": "uniform(0, 4)"} for k, a in (("s1", 1), ("s2", 1.5))],
    ...     [{"buyer": "ann", "seller": k, "bid": b} for k, b in (("s1", 3), ("s2", 5))],
    ... )
    >>> outcome = cx.mechanisms.get("gbom-unit-demand").clear(market)
    >>> outcome.trades["seller"].to_list(), outcome.seller_receives.tolist()
    (['s2'], [2.0])
    """

    slug = "gbom-unit-demand"
    summary = "one buyer, a value for each item: the largest bid less virtual cost"
    claims = Claims("BIC", "DSIC", "ex post", "strong ex post")

    def read_reports(self, market: Market, reports: Any = None) -> UnitDemandReports:
        """Check the bids on the edges and the asks, or take those that came with the market."""
        return unit_demand_of(market, reports)[1]

    def clear(self, market: Market, reports: Reports | UnitDemandReports | None = None) -> Outcome:
        """Buy the best item, at the price that its seller could have asked.

        Parameters
        ----------
        market
            A market of one buyer; see `UnitDemand`.
        reports
            `UnitDemandReports`; those that came with the market if left out.

        Raises
        ------
        UnsupportedMarketError
            If the market has not exactly one buyer with bids on the edges.
        MissingPriorError
            If a seller has no prior.
        """
        view, given = unit_demand_of(market, reports)
        asks = given.asks[view.seller]
        scores = given.bids - market.sellers.virtual_costs(given.asks)[view.seller]
        item = first_best_item(scores)
        price = np.nan
        if item >= 0:
            price = self._threshold(view, scores, given.bids, item, float(asks[item]))
        state = _Statements(self, view, given, scores, item, price)
        gain = float(scores[item]) if item >= 0 else 0.0
        return single_trade(
            view, given, self.slug, item, (price, price, gain), state, "what the seller receives"
        )

    def _threshold(
        self, view: UnitDemand, scores: Array, bids: Array, item: int, ask: float
    ) -> float:
        """Return the highest ask with which an item would be bought; NaN if none."""
        seller = int(view.seller[item])
        prior = view.market.sellers.prior(seller)
        assert prior is not None  # it has been weighed by its virtual cost
        others = np.delete(scores, item)
        beats = np.delete(np.arange(scores.size), item) > item

        def left(at: float) -> float:
            return float(bids[item] - prior.virtual_cost(at))

        def bought(at: float) -> bool:
            own = left(at)
            return own >= 0 and bool(np.where(beats, own >= others, own > others).all())

        def matches(at: float) -> bool:
            own = left(at)
            return own >= 0 and bool((own >= others).all())

        start = ask if bought(ask) else min(ask, prior.support[0], 0.0)
        if not np.isfinite(start) or not bought(start):
            return np.nan
        # Virtual costs are at least costs: she is never bought above the bid.
        limit = max(float(bids[item]), start)
        level = float(bids[item] - max(0.0, others.max(initial=0.0)))
        loses = bool((~beats & (others == others.max(initial=0.0))).any())
        guess = float(prior.largest_cost(level, loses))
        highest = highest_ask(bought, start, limit, guess)
        # Where virtual costs rise, the supremum is the ask that ties, though a tie is lost; on a
        # plateau it is the end before it. The two differ by more than rounding.
        tie = highest_ask(matches, highest, limit, float(prior.largest_cost(level)))
        return tie if tie - highest <= 4 * np.spacing(highest) else highest


@dataclass(frozen=True, eq=False)
class _Statements:
    """States why the buyer gets an item or not, and what each seller could have asked."""

    mechanism: UnitDemandBuyersOffering
    view: UnitDemand
    reports: UnitDemandReports
    scores: Array
    item: int
    price: float

    def __call__(self, role: Role, index: int) -> StatedReason:
        view = self.view
        if role == "buyer":
            if self.item < 0:
                return StatedReason(np.nan, NOBODY, "every virtual cost is above the bid for it")
            return StatedReason(self.price, *self._rival(self.item))
        items = np.flatnonzero(view.seller == index)
        if not items.size:
            return StatedReason(np.nan, NOBODY, "there is no buyer to trade with")
        item = int(items[0])
        source, clause, strict = self._rival(item)
        asks = self.reports.asks
        report = self.mechanism._threshold(
            view, self.scores, self.reports.bids, item, float(asks[index])
        )
        if not np.isfinite(report):
            return StatedReason(np.nan, NOBODY, clause)
        return StatedReason(report, source, clause, strict)

    def _rival(self, item: int) -> tuple[int, str, bool]:
        """Return who sets the highest ask for an item, and the clause that says so."""
        view = self.view
        others = self.scores.copy()
        others[item] = -np.inf
        buyer = view.market.buyers.label(0)
        if others.max(initial=-np.inf) < 0:
            said = money(self.reports.bids[item])
            return 0, f"{buyer} sets it with a bid of {said} for {view.label(item)}", False
        rival = int(np.argmax(others))
        seller = int(view.seller[rival])
        label = view.market.sellers.label(seller)
        clause = (
            f"{label} sets it with an ask of {money(self.reports.asks[seller])}, which leaves "
            f"{money(others[rival])} of {buyer}'s bid"
        )
        return -1 - seller, clause, False
