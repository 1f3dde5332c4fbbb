"""The tables of an outcome: every agent with what she said, trades, pays and would have needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from catallax.errors import UnknownAgentError
from catallax.markets.agents import Role

if TYPE_CHECKING:
    from catallax.markets import Agents, Market, Reports

__all__ = ["NOBODY", "Role", "hint", "locate", "side_frame"]

Array = NDArray[np.float64]
Indices = NDArray[np.int32]

NOBODY = np.iinfo(np.int64).max
"""The source of a critical report that no agent sets."""


def locate(market: Market, agent: object, role: Role | None) -> tuple[Role, int]:
    """Find which side an identifier belongs to, and its index there.

    Raises
    ------
    UnknownAgentError
        If there is no such agent, or both sides have one and `role` is not given.

    Examples
    --------
    >>> import catallax as cx
    >>> locate(cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}]), "s", None)
    ('seller', 0)
    """
    sides = (market.buyers, market.sellers)
    if role is None:
        having = [side for side in sides if _knows(side, agent)]
        if len(having) == 2:
            raise UnknownAgentError(
                f"both a buyer and a seller are called {agent!r}: say which, with role='buyer' "
                "or role='seller' (on the command line 'buyer:ID' or 'seller:ID')"
            )
        if not having:
            raise UnknownAgentError(f"there is no buyer or seller {agent!r}: {hint(sides, agent)}")
        return having[0].role, having[0].index(cast("str | int", agent))
    side = sides[0] if role == "buyer" else sides[1]
    return role, side.index(cast("str | int", agent))


def hint(sides: tuple[Agents, Agents], agent: object) -> str:
    """Return a hint at the id of either side that resembles a wrong one, or both sides' ids.

    Parameters
    ----------
    sides
        Buyers and sellers.
    agent
        The wrong id.
    """
    filled = [side for side in sides if len(side)]
    hints = [side.nearest(agent) for side in filled]
    close = [one for one in hints if one.startswith("did you mean")]
    if close or not filled:
        return close[0] if close else sides[0].nearest(agent)
    return "; ".join(
        f"{side.role}s: {one.removeprefix('known are: ')}"
        for side, one in zip(filled, hints, strict=True)
    )


def _knows(side: Agents, agent: object) -> bool:
    """Tell whether a side has an agent, also by the text of a whole number."""
    plain = agent.item() if isinstance(agent, np.generic) else agent
    if isinstance(plain, str | int) and not isinstance(plain, bool):
        if plain in side:
            return True
        if isinstance(plain, int) or not side.ids.dtype.is_integer():
            return False
    try:
        side.index(agent)  # type: ignore[arg-type]
    except UnknownAgentError:
        return False
    return True


def side_frame(
    market: Market,
    reports: Reports,
    role: Role,
    *,
    own: Indices,
    partner: Indices,
    price: Array,
    critical: Array,
    source: NDArray[np.int64],
    transfers: Array | None = None,
) -> Any:
    """Build the frame of one side; see `Outcome.agents`.

    Parameters
    ----------
    market, reports, role
        Whose.
    own, partner, price
        The trades: who of this side, with whom, at what price.
    critical, source
        The report at which each agent would just trade, and who sets it.
    transfers
        What agents of both sides receive apart from trades; None where they do not.
    """
    import polars as pl

    buyers = role == "buyer"
    side, other = market.buyers, market.sellers
    if not buyers:
        side, other = other, side
    at = np.full(len(side), -1)
    at[own] = np.arange(own.size)
    trade = pl.Series(at).replace(-1, None)
    given = {}
    if transfers is not None:
        first = 0 if buyers else len(other)
        given = {"transfer": transfers[first : first + len(side)]}
    return pl.DataFrame(
        {
            "id": side.ids,
            "role": pl.repeat(role, len(side), dtype=pl.String, eager=True),
            "report": reports.bids if buyers else reports.asks,
            "trades": at >= 0,
            "partner": other.ids.gather(partner).gather(trade).cast(pl.String),
            "price": pl.Series(price, dtype=pl.Float64).gather(trade),
            "critical_report": pl.Series(
                np.where(np.isfinite(critical), critical, np.nan)
            ).fill_nan(None),
            "set_by": _names(market, source),
            "set_by_role": pl.Series(
                np.where(source == NOBODY, "", np.where(source >= 0, "buyer", "seller")),
                dtype=pl.String,
            ).replace("", None),
            **given,
        }
    )


def _names(market: Market, source: NDArray[np.int64]) -> Any:
    """Turn sources into identifiers; null where there is none."""
    import polars as pl

    is_buyer = (source >= 0) & (source != NOBODY)
    buyer = pl.Series(np.where(is_buyer, source, -1)).replace(-1, None)
    seller = pl.Series(np.where(source < 0, -1 - source, -1)).replace(-1, None)
    names = market.buyers.ids.gather(buyer).cast(pl.String)
    return names.zip_with(names.is_not_null(), market.sellers.ids.gather(seller).cast(pl.String))
