"""The agents of a cleared market in the order in which pictures show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from catallax.report.canvas import BUYER, SELLER
from catallax.report.text import one_line, shortened

if TYPE_CHECKING:
    from catallax.mechanisms import Outcome

__all__ = ["MOST_ROWS", "Side", "evenly", "side_of", "unit_of"]

Array = NDArray[np.float64]

# Rows of up to so many agents have their names, and each its own marks.
NAMED = 36
_LONGEST_NAME = 22
# More rows than these cannot be told apart on a page: evenly chosen ones stand for all.
MOST_ROWS = 4_000


@dataclass(frozen=True)
class Side:
    """One side of the market as it is drawn.

    Attributes
    ----------
    role
        Which side.
    reports
        In the order of the rows, best first. Shape (agents,).
    price
        What is paid or received in each row, NaN without a trade. Shape (agents,).
    row
        The row of each agent of the market. Shape (agents,).
    names
        Identifiers in the order of the rows; None where there are too many to show.
    """

    role: Literal["buyer", "seller"]
    reports: Array
    price: Array
    row: NDArray[np.int64]
    names: list[str] | None

    def __len__(self) -> int:
        """Count the agents."""
        return self.reports.size

    @property
    def height(self) -> Array:
        """Height of each row's middle on the page, from 1 (best) down to 0."""
        return 1 - (np.arange(len(self)) + 0.5) / max(len(self), 1)

    @property
    def colour(self) -> str:
        """The colour of this side in every picture."""
        return BUYER if self.role == "buyer" else SELLER

    @property
    def marker(self) -> str:
        """A triangle that points to where the price lies as seen from the report."""
        return "v" if self.role == "buyer" else "^"

    @property
    def caption(self) -> str:
        """What the bars and the marks are."""
        return "bids, ▼ prices paid" if self.role == "buyer" else "asks, ▲ prices received"

    @property
    def shown(self) -> NDArray[np.int64]:
        """The rows that are drawn: all of them, or evenly chosen ones."""
        return evenly(len(self), MOST_ROWS)


def evenly(number: int, most: int) -> NDArray[np.int64]:
    """Choose at most so many of the first numbers, evenly spread and with both ends."""
    if number <= most:
        return np.arange(number)
    return np.linspace(0, number - 1, most).round().astype(np.int64)


def side_of(outcome: Outcome, role: Literal["buyer", "seller"]) -> Side:
    """Put one side of an outcome in order: best reports first."""
    if role == "buyer":
        agents, reports, trading = outcome.market.buyers, outcome.reports.bids, outcome.buyer_index
        order, price = np.argsort(-reports, kind="stable"), outcome.buyer_pays
    else:
        agents, reports, trading = (
            outcome.market.sellers,
            outcome.reports.asks,
            outcome.seller_index,
        )
        order, price = np.argsort(reports, kind="stable"), outcome.seller_receives
    row = np.empty(order.size, dtype=np.int64)
    row[order] = np.arange(order.size)
    prices = np.full(order.size, np.nan)
    prices[row[trading]] = price
    names = None
    if order.size <= NAMED:
        names = [shortened(agents.ids[int(agent)], _LONGEST_NAME) for agent in order]
    return Side(role, reports[order], prices, row, names)


def unit_of(currency: str) -> str:
    """Write the currency as the label of an axis ends with it."""
    return f" ({one_line(currency)})" if currency else ""
