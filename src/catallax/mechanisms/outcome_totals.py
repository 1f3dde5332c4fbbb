"""Sums over the trades of an outcome, each rounded once."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import ReportError

__all__ = ["totals_for_people", "totals_of"]

Array = NDArray[np.float64]


def totals_of(
    market: str,
    *,
    bids: Array,
    asks: Array,
    weights: Array,
    buyer_pays: Array,
    seller_receives: Array,
    transfers: Array | None = None,
) -> dict[str, Any]:
    """Add up what all trades bring; see `Outcome.totals`.

    Parameters
    ----------
    market
        Name of the market, for errors.
    bids, asks, weights, buyer_pays, seller_receives
        One number for each trade.
    transfers
        What agents receive apart from trades; None where there are no such payments.

    Raises
    ------
    ReportError
        If a sum is too large for a floating-point number.
    """

    def total(amounts: Iterable[float]) -> float:
        return _sum(market, amounts)

    given = [] if transfers is None else transfers
    return {
        "trades": buyer_pays.size,
        "gains_from_trade": total([*bids, *-asks]),
        "objective": total(weights),
        "buyers_pay": total(buyer_pays),
        "sellers_receive": total(seller_receives),
        **({} if transfers is None else {"transfers": total(given)}),
        "surplus": total([*buyer_pays, *-seller_receives, *(-t for t in given)]),
    }


def _sum(market: str, amounts: Iterable[float]) -> float:
    """Add amounts up, rounding once."""
    try:
        total = fsum(amounts)
    except (OverflowError, ValueError):  # the sum, or infinities of both signs in it
        total = float("nan")
    if not isfinite(total):
        raise ReportError(
            f"market '{market}': the amounts are too large to be added up as "
            "floating-point numbers; state them in a larger unit"
        )
    return total


def totals_for_people(totals: dict[str, Any]) -> dict[str, Any]:
    """Give totals under the words that people read.

    Examples
    --------
    >>> totals_for_people({"gains_from_trade": 0.7})
    {'gains from trade': 0.7}
    """
    return {name.replace("_", " "): amount for name, amount in totals.items()}
