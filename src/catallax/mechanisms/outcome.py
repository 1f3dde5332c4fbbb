"""The outcome of a market: trades, prices, totals, and the reason for every price."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MechanismError
from catallax.mechanisms.outcome_tables import NOBODY, Role, locate, side_frame
from catallax.mechanisms.outcome_totals import totals_for_people, totals_of
from catallax.notebook import MOST_ROWS, Rows, html_page

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.markets.families import Usage
    from catallax.mechanisms.changes import Changes

__all__ = ["NOBODY", "ClearsAgain", "Outcome", "Reasons", "Role", "clearer"]

Array = NDArray[np.float64]
Indices = NDArray[np.int32]


class Reasons(Protocol):
    """Where the prices of an outcome come from."""

    def critical(
        self, outcome: Outcome, role: Role
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the report at which each agent of a side would just trade, and who sets it.

        NaN or an infinity where no report would do; sources are buyers as i, sellers as
        -1 - j, `NOBODY` where no agent sets the report.
        """
        ...

    def explain(self, outcome: Outcome, role: Role, index: int) -> str:
        """Say in one sentence why an agent trades or not."""
        ...


class ClearsAgain(Protocol):
    """What an outcome asks of the mechanism that made it; every `Mechanism` has it."""

    @property
    def objective_is_money(self) -> bool:
        """Whether what is maximised is an amount of money."""
        ...

    def clear_again(
        self, earlier: Any, reports: Any = None, *, bids: Any = None, asks: Any = None
    ) -> Any:
        """Clear again after some reports have changed; see `Outcome.update`."""
        ...


@dataclass(frozen=True, eq=False)
class Outcome:
    """Who trades with whom, what everybody pays or receives, and why.

    Attributes
    ----------
    market, reports
        What was cleared.
    mechanism
        Slug of the mechanism.
    solver
        How the matching was found, such as "sweep" or "sort".
    buyer_index, seller_index
        The trades, by index of the agents; buyers in market order. Shape (trades,).
    buyer_pays, seller_receives
        Prices, in the market's currency. Shape (trades,).
    weights
        What each trade added to the mechanism's objective. Shape (trades,).
    reasons
        Where the prices come from.
    tick
        What weights were rounded to, in money, where constraints asked for it; else None.
    transfers
        What each agent receives apart from trades, whatever anybody reports; buyers first, then
        sellers, shape (n_buyers + n_sellers,). None where there are no such payments.
    cleared_by
        The mechanism with its parameters, which `update` needs; None where it was not told.
    """

    market: Market
    reports: Reports
    mechanism: str
    solver: str
    buyer_index: Indices
    seller_index: Indices
    buyer_pays: Array
    seller_receives: Array
    weights: Array
    reasons: Reasons = field(repr=False)
    tick: float | None = None
    transfers: Array | None = None
    cleared_by: ClearsAgain | None = field(default=None, repr=False)

    def __len__(self) -> int:
        """Count the trades."""
        return self.buyer_index.size

    def __repr__(self) -> str:
        """Show the totals in one line."""
        totals = self.totals
        return (
            f"<Outcome of {self.mechanism} on '{self.market.name}': {totals['trades']} trades, "
            f"gains {totals['gains_from_trade']:.10g}, surplus {totals['surplus']:.10g}>"
        )

    def _repr_html_(self) -> str:
        """Show the totals and the first trades in a notebook."""
        first = slice(MOST_ROWS)
        names = (
            side.ids.gather(index[first]).to_list()
            for side, index in (
                (self.market.buyers, self.buyer_index),
                (self.market.sellers, self.seller_index),
            )
        )
        prices = (
            part[first].tolist() for part in (self.buyer_pays, self.seller_receives, self.gains)
        )
        columns = ("buyer", "seller", "buyer pays", "seller receives", "gain")
        rows = zip(*names, *prices, strict=True)
        title = f"{self.mechanism} on '{self.market.name}'"
        return html_page(title, totals_for_people(self.totals), Rows(columns, rows, len(self)))

    @property
    def objective_is_money(self) -> bool:
        """Whether the mechanism maximised an amount of money, and not a number of trades."""
        return self.cleared_by is None or self.cleared_by.objective_is_money

    @property
    def gains(self) -> Array:
        """Gain of each trade: the buyer's bid less the seller's ask."""
        return self.reports.bids[self.buyer_index] - self.reports.asks[self.seller_index]

    @cached_property
    def trades(self) -> Any:
        """The trades as a data frame of the library the market came from.

        Columns buyer, seller (identifiers), buyer_pays, seller_receives, gain.
        """
        return self.market.frame(
            {
                "buyer": self.market.buyers.ids.gather(self.buyer_index),
                "seller": self.market.sellers.ids.gather(self.seller_index),
                "buyer_pays": self.buyer_pays,
                "seller_receives": self.seller_receives,
                "gain": self.gains,
            }
        )

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Sums over the trades, each rounded once.

        Keys trades, gains_from_trade, objective (what the mechanism maximised), buyers_pay,
        sellers_receive, and surplus (what is left with the mechanism; negative: a deficit);
        with transfers also their sum, which the surplus has paid.

        Raises
        ------
        ReportError
            If a sum is too large for a floating-point number.
        """
        given = {} if self.transfers is None else {"transfers": self.transfers}
        return totals_of(
            self.market.name,
            bids=self.reports.bids[self.buyer_index],
            asks=self.reports.asks[self.seller_index],
            weights=self.weights,
            buyer_pays=self.buyer_pays,
            seller_receives=self.seller_receives,
            **given,
        )

    @cached_property
    def agents(self) -> Any:
        """Every agent, trading or not, as a data frame of the library the market came from.

        Columns id, role, report, trades, partner, price (what a buyer pays or a seller
        receives; null without a trade), critical_report (the report at which the agent would
        just trade; null where no report would do), set_by and set_by_role (the agent that
        sets it); with transfers also transfer.
        """
        import polars as pl

        parts = [self._side("buyer"), self._side("seller")]
        if len({part.schema["id"] for part in parts}) > 1:
            parts = [part.with_columns(pl.col("id").cast(pl.String)) for part in parts]
        return self.market.frame(pl.concat(parts).to_dict())

    def explain(self, agent: object, role: Role | None = None) -> str:
        """Say in one sentence why an agent trades or not, and what sets the price.

        Parameters
        ----------
        agent
            Identifier of the agent.
        role
            "buyer" or "seller", needed only where both sides use the identifier.

        Returns
        -------
        str
            A sentence with the price, or the report that would have been needed, and the
            agent that sets it.

        Raises
        ------
        UnknownAgentError
            If there is no such agent, or both sides have one and `role` is not given.

        Examples
        --------
        >>> import catallax as cx
        >>> market = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}])
        >>> print(cx.clear(market, "first-best").explain("b"))
        Buyer 'b' bid 0.9, trades with seller 's' and pays 0.2, the lowest bid that still \
trades: seller 's' sets it with an ask of 0.2.
        """
        role, index = locate(self.market, agent, role)
        return self.reasons.explain(self, role, index)

    def update(
        self, reports: Reports | None = None, *, bids: Any = None, asks: Any = None
    ) -> Outcome:
        """Clear again after some reports have changed.

        The result is that of clearing afresh, bit for bit. Where the mechanism is a
        `SeparableMechanism` and the market has no constraints it is followed from this outcome,
        at a cost that grows with the prices that change and not with the market; otherwise the
        market is cleared afresh. This outcome stays as it is, and can be updated again.

        Parameters
        ----------
        reports
            All reports, of which some may have changed.
        bids, asks
            Instead of these, reports that change, by id: a mapping or a frame as in
            `Reports.of`. Agents left out keep the report they have here.

        Returns
        -------
        Outcome
            What `clear` returns for the new reports. Who trades and at what price is there;
            if anybody else trades than before, who trades with whom (`trades`, `totals`,
            `seller_index`, the reasons of those who trade) is found when first asked for.

        Raises
        ------
        ReportError
            If a report is not a finite number, or an ask is negative for no reason.
        UnknownAgentError
            If an id is not in the market.
        MechanismError
            If the outcome does not tell its mechanism; those of `clear` do.

        Examples
        --------
        >>> import catallax as cx
        >>> market = cx.Market([{"id": "a", "bid": 0.9}, {"id": "b", "bid": 0.6}],
        ...                    [{"id": "s", "ask": 0.2}])
        >>> outcome = cx.clear(market, "first-best")
        >>> outcome.update(bids={"b": 0.7}).price("a"), outcome.price("a")
        (0.7, 0.6)
        """
        return clearer(self).clear_again(self, reports, bids=bids, asks=asks)

    @cached_property
    def changes(self) -> Changes | None:
        """What has changed from the outcome that this was updated from; None if it was not.

        Who trades now and did not, who trades no more, and whose price is another, side by side
        as arrays (`changes.buyers`, `changes.sellers`) or as a data frame (`changes.table`).

        Examples
        --------
        >>> import catallax as cx
        >>> market = cx.Market([{"id": "a", "bid": 0.9}, {"id": "b", "bid": 0.6}],
        ...                    [{"id": "s", "ask": 0.2}])
        >>> new = cx.clear(market, "first-best").update(bids={"b": 0.7})
        >>> new.changes.buyers.agent, new.changes.buyers.after
        (array([0], dtype=int32), array([0.7]))
        """
        from catallax.mechanisms.changes import compared

        before = vars(self).get("_before")
        if before is None:
            return None
        return compared(self.market, before, [self.traders("buyer"), self.traders("seller")])

    def said(self, role: Role, index: int) -> float:
        """Give what an agent reported."""
        return float((self.reports.bids if role == "buyer" else self.reports.asks)[index])

    def price(self, agent: object, role: Role | None = None) -> float | None:
        """Tell what a buyer pays or a seller receives for her trade; None without a trade.

        Parameters
        ----------
        agent
            Identifier of the agent.
        role
            "buyer" or "seller", needed only where both sides use the identifier.

        Raises
        ------
        UnknownAgentError
            If there is no such agent, or both sides have one and `role` is not given.

        Examples
        --------
        >>> import catallax as cx
        >>> market = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}])
        >>> cx.clear(market, "first-best").price("s")
        0.9
        """
        role, index = locate(self.market, agent, role)
        index_of, price = self.traders(role)
        at = int(np.searchsorted(index_of, index))
        return float(price[at]) if at < price.size and index_of[at] == index else None

    def traders(self, role: Role) -> tuple[Indices, Array]:
        """List who of a side trades, and at what price.

        Parameters
        ----------
        role
            "buyer" or "seller".

        Returns
        -------
        tuple of numpy.ndarray
            Indices of the agents in market order, and what each pays or receives; shapes
            (trades,). Unlike `trades` this never waits for who trades with whom.

        Examples
        --------
        >>> import catallax as cx
        >>> market = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}])
        >>> [part.tolist() for part in cx.clear(market, "first-best").traders("seller")]
        [[0], [0.9]]
        """
        buyers = role == "buyer"
        own = self.buyer_index if buyers else self.seller_index
        order = np.argsort(own)
        return own[order], (self.buyer_pays if buyers else self.seller_receives)[order]

    def partner(self, role: Role, index: int) -> int | None:
        """Find the place of an agent's trade among the trades, or None."""
        own = self.buyer_index if role == "buyer" else self.seller_index
        at = np.flatnonzero(own == index)
        return int(at[0]) if at.size else None

    def to_dict(self) -> dict[str, Any]:
        """Give the outcome as the JSON object that the command line prints."""
        from catallax.markets.families.usage import as_json

        buyers = self.market.buyers.ids.gather(self.buyer_index).to_list()
        sellers = self.market.sellers.ids.gather(self.seller_index).to_list()
        prices = (self.buyer_pays.tolist(), self.seller_receives.tolist(), self.gains.tolist())
        keys = ("buyer", "seller", "buyer_pays", "seller_receives", "gain")
        rows = zip(buyers, sellers, *prices, strict=True)
        return {
            "market": self.market.name,
            "mechanism": self.mechanism,
            "solver": self.solver,
            **({} if self.tick is None else {"tick": self.tick}),
            "trades": [dict(zip(keys, row, strict=True)) for row in rows],
            "totals": self.totals,
            **as_json(self.usage),
        }

    @cached_property
    def usage(self) -> tuple[Usage, ...]:
        """The market's constraints, and how full caps and quotas are with these trades."""
        from catallax.markets.families import usage

        market = self.market
        if not market.constraints:
            return ()
        return tuple(usage(market.constraints, market.family, self.buyer_index, self.seller_index))

    def _side(self, role: Role) -> Any:
        """Build the frame of one side for `agents`."""
        own, partner, price = self.buyer_index, self.seller_index, self.buyer_pays
        if role == "seller":
            own, partner, price = self.seller_index, self.buyer_index, self.seller_receives
        critical, source = self.reasons.critical(self, role)
        return side_frame(
            self.market, self.reports, role, own=own, partner=partner, price=price,
            critical=critical, source=source, transfers=self.transfers,
        )  # fmt: skip


def clearer(outcome: Outcome) -> ClearsAgain:
    """Find the mechanism that made an outcome, with its parameters.

    Raises
    ------
    MechanismError
        If the outcome does not tell.
    """
    if outcome.cleared_by is not None:
        return outcome.cleared_by
    rule = getattr(outcome.reasons, "mechanism", None)
    if rule is not None and rule.is_followed(outcome):
        return rule
    raise unknown_mechanism(outcome.mechanism)


def unknown_mechanism(slug: str) -> MechanismError:
    """Say that a result cannot be updated."""
    return MechanismError(
        f"this result of '{slug}' does not tell its mechanism's parameters; "
        "clear the market with catallax.clear, and update what that returns"
    )
