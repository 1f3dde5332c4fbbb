"""What a mechanism is, and the family of those that weigh buyers and sellers separately."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from catallax.errors import UnsupportedMarketError
from catallax.mechanisms.outcome import Outcome

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.matching import Thresholds
    from catallax.mechanisms.lottery import Lottery
    from catallax.mechanisms.outcome import Role

__all__ = ["Claims", "Mechanism", "SeparableMechanism"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Claims:
    """The properties a mechanism claims, in the field's own terms.

    Attributes
    ----------
    buyers, sellers
        Truthfulness of each side: "DSIC" (whatever the others report), "BIC" (in expectation
        over the others' priors) or "none".
    individual_rationality
        "ex post" (in every outcome), "interim" (in expectation given the own value) or "none".
    budget
        "strong ex post", "weak ex post", "strong ex ante", "weak ex ante" or "none".
    """

    buyers: Literal["DSIC", "BIC", "none"]
    sellers: Literal["DSIC", "BIC", "none"]
    individual_rationality: Literal["ex post", "interim", "none"]
    budget: Literal["strong ex post", "weak ex post", "strong ex ante", "weak ex ante", "none"]


class Mechanism(ABC):
    """A rule that turns a market and its reports into an outcome.

    A mechanism is a frozen dataclass whose fields are its parameters. It names itself
    (`slug`), says in one sentence what it does (`summary`) and declares what it claims.
    """

    slug: ClassVar[str]
    summary: ClassVar[str]
    claims: ClassVar[Claims]
    # Whether what is maximised is an amount of money; of a number of trades it is not.
    objective_is_money: ClassVar[bool] = True

    def read_reports(self, market: Market, reports: Any = None) -> Any:
        """Check reports, or take those that came with the market.

        Mechanisms whose reports are more than one bid for each buyer say so here.

        Parameters
        ----------
        market
            The market.
        reports
            `Reports`, or None.

        Raises
        ------
        MissingReportError
            If there are none and an agent came without one.
        ReportError
            If one is not a finite number, or an ask is negative for no reason.
        """
        from catallax.markets import check_reports

        if reports is None:
            if market.bids is None and len(market.buyers) and "bid" in market.edge_table.columns:
                raise UnsupportedMarketError(
                    f"market '{market.name}' has its bids on the edges: one buyer with a value for "
                    "each item is for the mechanisms 'gbom-unit-demand' and 'sapp'"
                )
            reports = market.require_reports()
        check_reports(market, reports)
        return reports

    @abstractmethod
    def clear(self, market: Market, reports: Reports) -> Outcome | Lottery:
        """Decide who trades and what everybody pays or receives.

        Parameters
        ----------
        market
            The market.
        reports
            One bid for each buyer and one ask for each seller.

        Returns
        -------
        Outcome or Lottery
            Trades, prices and their reasons; a lottery of outcomes if the mechanism randomises.
        """

    def clear_again(
        self,
        earlier: Outcome | Lottery,
        reports: Any = None,
        *,
        bids: Any = None,
        asks: Any = None,
    ) -> Any:
        """Clear again after some reports have changed; see `Outcome.update`."""
        from catallax.mechanisms.update import updated

        plain = type(self).read_reports is Mechanism.read_reports
        return updated(self, earlier, reports, bids=bids, asks=asks, plain=plain)

    def is_followed(self, outcome: Outcome) -> bool:
        """Tell whether an outcome is so simply made by this mechanism that updates follow it."""
        return False


class SeparableMechanism(Mechanism):
    """Maximise a sum of buyers' weights less sellers' weights; everybody pays the threshold.

    A subclass says what an agent weighs (`weights`) and which report has a given weight
    (`critical_bids`, `critical_asks`); the default is that agents weigh what they report.
    Weights must not decrease in the report, and depend on nobody else's report: then the
    rule is truthful for both sides and individually rational in every outcome.
    """

    buyer_scale: ClassVar[str] = "bid"
    seller_scale: ClassVar[str] = "ask"

    def weights(self, market: Market, reports: Reports) -> tuple[Array, Array]:
        """Weigh every agent; shapes (n_buyers,) and (n_sellers,)."""
        return reports.bids, reports.asks

    def some_weights(
        self,
        market: Market,
        reports: Reports,
        buyers: NDArray[np.intp],
        sellers: NDArray[np.intp],
    ) -> tuple[Array, Array]:
        """Weigh these agents only.

        A class that defines this itself also says that an agent's weight and critical report
        depend on nothing but her report or threshold and her prior; `Outcome.update` then
        weighs only who reports anew, and prices alike agents once.
        """
        weights = self.weights(market, reports)
        return weights[0][buyers], weights[1][sellers]

    def critical_bids(self, market: Market, thresholds: Thresholds) -> Array:
        """Give the lowest bid with which each of these buyers would trade."""
        return thresholds.level

    def critical_asks(self, market: Market, thresholds: Thresholds) -> Array:
        """Give the highest ask with which each of these sellers would trade."""
        return thresholds.level

    def clear(self, market: Market, reports: Reports) -> Outcome:
        """Match for the largest total weight and charge everybody the critical report."""
        from catallax.matching import best_matching
        from catallax.mechanisms.explain import ThresholdReasons

        # A plain graph asks for no scale, which takes quantiles of every prior to find.
        scale = market.scale if market.constraints else None
        matching = best_matching(market.family, *self.weights(market, reports), scale=scale)
        bids, asks = reports.bids[matching.buyer], reports.asks[matching.seller]
        # Thresholds come in the order of the trades.
        pays = self.critical_bids(market, matching.trading_buyers)
        receives = self.critical_asks(market, matching.trading_sellers)
        weights = matching.buyer_weights[matching.buyer] - matching.seller_weights[matching.seller]
        return Outcome(
            market=market,
            reports=reports,
            mechanism=self.slug,
            solver=matching.solver,
            tick=matching.tick,
            buyer_index=matching.buyer,
            seller_index=matching.seller,
            # A critical report found by a root finder may be off by a rounding; where a
            # mechanism's weights are exact these two lines change nothing.
            buyer_pays=np.minimum(pays, bids),
            seller_receives=np.maximum(receives, asks),
            weights=weights,
            reasons=ThresholdReasons(self, matching),
        )

    def is_followed(self, outcome: Outcome) -> bool:
        """Tell whether an outcome is just what `clear` makes here."""
        from catallax.mechanisms.explain import ThresholdReasons

        reasons = outcome.reasons
        return (
            isinstance(reasons, ThresholdReasons)
            and type(reasons.mechanism).clear is SeparableMechanism.clear
            and reasons.mechanism.slug == outcome.mechanism
            and outcome.transfers is None
            and reasons.mechanism == self
        )

    def pays_level(self, role: Role) -> bool:
        """Tell whether the critical reports of a side are the levels themselves."""
        name = "critical_bids" if role == "buyer" else "critical_asks"
        return getattr(type(self), name) is getattr(SeparableMechanism, name)
