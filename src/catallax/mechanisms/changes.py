"""What has changed from one outcome to the next: who comes, who goes, whose price is another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from catallax.markets import Market

__all__ = ["Changes", "SideChanges", "compared"]

Array = NDArray[np.float64]
Indices = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SideChanges:
    """Who of a side trades now and did not, trades no more, or has another price.

    Attributes
    ----------
    agent
        Indices of these agents in market order; shape (k,).
    traded, trades
        Whether each traded before, and trades now; shapes (k,).
    before, after
        What each paid or received before, and pays or receives now; 0 without a trade.
        Shapes (k,).
    """

    agent: Indices
    traded: Flags
    trades: Flags
    before: Array
    after: Array

    def __len__(self) -> int:
        """Count the agents."""
        return self.agent.size

    @classmethod
    def of(
        cls, agent: NDArray[np.integer], traded: Flags, trades: Flags, before: Array, after: Array
    ) -> SideChanges:
        """Keep those who have changed, in market order; prices of who does not trade are 0."""
        before, after = np.where(traded, before, 0.0), np.where(trades, after, 0.0)
        changed = np.flatnonzero((traded != trades) | (before != after))
        if not changed.size:
            return _NONE
        order = changed[np.argsort(agent[changed], kind="stable")]  # nearly sorted already
        parts = (traded[order], trades[order], before[order], after[order])
        for part in (who := agent[order].astype(np.int32), *parts):
            part.flags.writeable = False
        return cls(who, *parts)

    @classmethod
    def none(cls) -> SideChanges:
        """Say that nothing has changed."""
        return _NONE


_NOBODY = np.empty(0, np.bool_)
_NONE = SideChanges(np.empty(0, np.int32), _NOBODY, _NOBODY, np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False)
class Changes:
    """What has changed from one outcome to the next.

    Attributes
    ----------
    market
        The market of both.
    buyers, sellers
        What has changed on either side.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market([{"id": "a", "bid": 0.9}, {"id": "b", "bid": 0.6}],
    ...                    [{"id": "s", "ask": 0.2}])
    >>> cx.clear(market, "first-best").update(bids={"b": 0.95}).changes
    <Changes: 1 comes, 1 goes, 1 has another price>
    """

    market: Market
    buyers: SideChanges
    sellers: SideChanges

    def __len__(self) -> int:
        """Count the agents of whom something has changed."""
        return len(self.buyers) + len(self.sellers)

    def __repr__(self) -> str:
        """Count who comes, who goes, and whose price is another."""
        sides = (self.buyers, self.sellers)
        come, go, stay = (
            sum(int(np.count_nonzero(kind(side))) for side in sides)
            for kind in (
                lambda side: side.trades & ~side.traded,
                lambda side: side.traded & ~side.trades,
                lambda side: side.traded & side.trades,
            )
        )
        return (
            f"<Changes: {come} {'comes' if come == 1 else 'come'}, "
            f"{go} {'goes' if go == 1 else 'go'}, "
            f"{stay} {'has' if stay == 1 else 'have'} another price>"
        )

    @property
    def table(self) -> Any:
        """The changes as a data frame of the library the market came from.

        Columns id, role, change ("comes", "goes" or "price"), before and after (the prices;
        null without a trade). Buyers first, each side in market order.
        """
        import polars as pl

        parts = []
        for agents, side in (
            (self.market.buyers, self.buyers),
            (self.market.sellers, self.sellers),
        ):
            words = np.where(side.traded, np.where(side.trades, "price", "goes"), "comes")
            before, after = pl.Series(side.before), pl.Series(side.after)
            parts.append(
                pl.DataFrame(
                    {
                        "id": agents.ids.gather(side.agent),
                        "role": pl.repeat(agents.role, len(side), dtype=pl.String, eager=True),
                        "change": pl.Series(words.tolist(), dtype=pl.String),
                        "before": before.set(pl.Series(~side.traded), None),
                        "after": after.set(pl.Series(~side.trades), None),
                    }
                )
            )
        if len({part.schema["id"] for part in parts}) > 1:
            parts = [part.with_columns(pl.col("id").cast(pl.String)) for part in parts]
        return self.market.frame(pl.concat(parts).to_dict())


def compared(
    market: Market, before: list[tuple[Indices, Array]], after: list[tuple[Indices, Array]]
) -> Changes:
    """Compare two outcomes that know nothing of each other.

    Parameters
    ----------
    market
        The market of both.
    before, after
        For buyers and for sellers: who trades, ascending, and at what price.
    """
    sides = []
    for old, new, agents in zip(before, after, (market.buyers, market.sellers), strict=True):
        prices = np.zeros((2, len(agents)))
        trades = np.zeros((2, len(agents)), np.bool_)
        for k, (who, price) in enumerate((old, new)):
            prices[k, who], trades[k, who] = price, True
        every = np.arange(len(agents))
        sides.append(SideChanges.of(every, trades[0], trades[1], prices[0], prices[1]))
    return Changes(market, *sides)
