"""The outcomes of many markets: all trades in one table, all totals in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import fsum, isfinite
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from catallax.errors import ReportError
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.registry import clear

if TYPE_CHECKING:
    from catallax.markets import Markets, Reports
    from catallax.mechanisms.base import Mechanism

__all__ = ["Outcomes"]

Array = NDArray[np.float64]
Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes:
    """The outcomes of many markets: trades, prices and totals, each as of that market alone.

    ``outcomes[name]`` is the ordinary `Outcome` of a market, with explanations; ``len`` counts
    the markets, and iterating yields their names.

    Attributes
    ----------
    markets
        What was cleared.
    mechanism
        Slug of the mechanism.
    solver
        How the matchings were found, such as "sweep" or "sort".
    buyer_index, seller_index
        The trades, by position among all agents; buyers in their order. Shape (trades,).
    bids, asks
        What the partners of each trade reported. Shape (trades,).
    buyer_pays, seller_receives, weights
        As in `Outcome`. Shape (trades,).
    """

    markets: Markets
    mechanism: str
    solver: str
    buyer_index: Indices
    seller_index: Indices
    bids: Array
    asks: Array
    buyer_pays: Array
    seller_receives: Array
    weights: Array
    _rule: Mechanism
    _reports: Reports | None
    _together: Outcome | None = None
    _parts: tuple[Outcome, ...] = ()

    @property
    def objective_is_money(self) -> bool:
        """Whether the mechanism maximised an amount of money, and not a number of trades."""
        return self._rule.objective_is_money

    def __len__(self) -> int:
        """Count the markets."""
        return len(self.markets)

    def __iter__(self) -> Iterator[str | int]:
        """Yield the markets' names."""
        return iter(self.markets)

    def __getitem__(self, name: str | int) -> Outcome:
        """Return the outcome of one market.

        Raises
        ------
        UnknownNameError
            If there is none of this name.
        """
        number = self.markets.number(name)
        if self._parts:
            return self._parts[number]
        own = None if self._reports is None else self.markets.own_reports(name, self._reports)
        outcome = clear(self.markets[name], self._rule, own)
        assert isinstance(outcome, Outcome)
        return outcome

    def __repr__(self) -> str:
        """Show the totals in one line."""
        totals = self.overall
        return (
            f"<Outcomes of {self.mechanism} on '{self.markets.name}': {len(self)} markets, "
            f"{totals['trades']} trades, gains {totals['gains_from_trade']:.10g}, "
            f"surplus {totals['surplus']:.10g}>"
        )

    @property
    def gains(self) -> Array:
        """Gain of each trade: the buyer's bid less the seller's ask."""
        return self.bids - self.asks

    # -------------------------------------------------------------------------------------- tables

    @cached_property
    def trades(self) -> Any:
        """All trades as a data frame of the library the markets came from.

        Columns: the market's, then those of `Outcome.trades`.
        """
        markets = self.markets
        return markets.frame(
            {
                "buyer": markets.buyers.ids.gather(self.buyer_index),
                "seller": markets.sellers.ids.gather(self.seller_index),
                "buyer_pays": self.buyer_pays,
                "seller_receives": self.seller_receives,
                "gain": self.gains,
            },
            markets.buyer_market[self.buyer_index],
        )

    @cached_property
    def totals(self) -> Any:
        """The sums of each market as a data frame, one row a market.

        Columns: the market's, then the keys of `Outcome.totals`, each rounded once.

        Raises
        ------
        ReportError
            If a sum is too large for a floating-point number.
        """
        return self.markets.frame(self.sums, np.arange(len(self)))

    @cached_property
    def overall(self) -> dict[str, Any]:
        """Sums over the trades of all markets, each rounded once, under the same keys.

        Raises
        ------
        ReportError
            If a sum is too large for a floating-point number.
        """
        whole: dict[str, Any] = {"trades": self.buyer_index.size}
        for name, (added, taken) in self._terms.items():
            whole[name] = _sum(added, taken, self.markets.name)
        return whole

    @cached_property
    def agents(self) -> Any:
        """Every agent, trading or not, as a data frame of the library the markets came from.

        Columns: the market's, then those of `Outcome.agents`.
        """
        import narwhals as nw
        import polars as pl

        from catallax.markets import Market

        markets = self.markets
        if self._together is not None:
            frame = self._together.agents
            number = np.concatenate([markets.buyer_market, markets.seller_market])
            order = np.argsort(number, kind="stable")
            return markets.frame(frame[order].to_dict(), number[order])
        each = [self[name] for name in markets.names]
        nobody = clear(Market([], []), "first-best")
        parts = [nw.from_native(part.agents).to_polars() for part in each or [nobody]]
        number = np.repeat(np.arange(len(parts)), [part.height for part in parts])
        return markets.frame(pl.concat(parts, how="diagonal_relaxed").to_dict(), number)

    def to_dicts(self) -> Iterator[dict[str, Any]]:
        """Yield for each market the JSON object that `Outcome.to_dict` gives."""
        if self._parts:
            yield from (part.to_dict() for part in self._parts)
            return
        markets, start = self.markets, self._start.tolist()
        columns = [
            markets.buyers.ids.gather(self.buyer_index).to_list(),
            markets.sellers.ids.gather(self.seller_index).to_list(),
            *(a.tolist() for a in (self.buyer_pays, self.seller_receives, self.gains)),
        ]
        keys = ("buyer", "seller", "buyer_pays", "seller_receives", "gain")
        rows = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
        sums = {name: values.tolist() for name, values in self.sums.items()}
        for number, name in enumerate(markets.names):
            yield {
                "market": str(name),
                "mechanism": self.mechanism,
                "solver": self.solver,
                "trades": rows[start[number] : start[number + 1]],
                "totals": {key: values[number] for key, values in sums.items()},
            }

    # ---------------------------------------------------------------------------------------- sums

    @cached_property
    def _start(self) -> NDArray[np.int64]:
        """Where the trades of each market start."""
        return np.searchsorted(self.buyer_index, self.markets.buyer_start)

    @cached_property
    def sums(self) -> dict[str, NDArray[Any]]:
        """The totals of each market: for each key of `Outcome.totals` an array."""
        if self._parts:
            every = [part.totals for part in self._parts]
            keys = max(every, key=len)  # those with transfers, where some have
            return {key: np.array([totals.get(key, 0.0) for totals in every]) for key in keys}
        from catallax.matching.plain.kernels_many import exact_sums

        sums: dict[str, NDArray[Any]] = {"trades": np.diff(self._start)}
        for name, (added, taken) in self._terms.items():
            sums[name] = exact_sums(self._start, added, taken)
            wrong = ~np.isfinite(sums[name])
            if wrong.any():
                _too_large(str(self.markets.names[int(np.argmax(wrong))]))
        return sums

    @property
    def _terms(self) -> dict[str, tuple[Array, Array]]:
        """List what is added up for each total, and what is subtracted."""
        none = np.empty(0)
        terms = {
            "gains_from_trade": (self.bids, self.asks),
            "objective": (self.weights, none),
            "buyers_pay": (self.buyer_pays, none),
            "sellers_receive": (self.seller_receives, none),
        }
        lost = self.seller_receives
        given = [part.transfers for part in self._parts if part.transfers is not None]
        if given:
            terms["transfers"] = (np.concatenate(given), none)
            lost = np.concatenate([lost, *given])
        return terms | {"surplus": (self.buyer_pays, lost)}


def _sum(added: Array, taken: Array, name: str) -> float:
    """Add amounts up, rounding once."""
    try:
        total = fsum([*added.tolist(), *(-taken).tolist()])
    except (OverflowError, ValueError):  # the sum, or infinities of both signs in it
        total = float("nan")
    if not isfinite(total):
        _too_large(name)
    return total


def _too_large(name: str) -> NoReturn:
    raise ReportError(
        f"market '{name}': the amounts are too large to be added up as floating-point numbers; "
        "state them in a larger unit"
    )
