"""How a market looks in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from catallax.notebook import MOST_ROWS, Rows, html_page

if TYPE_CHECKING:
    from catallax.markets.content import Content
    from catallax.markets.families import Constraint

__all__ = ["market_html"]


def market_html(market: Content) -> str:
    """Write a market as HTML: its size and rules, and the first agents of each side.

    Examples
    --------
    >>> import catallax as cx
    >>> "may trade" in market_html(cx.instances.get("horse-market"))
    True
    """
    graph = market.graph
    facts = {
        "buyers": f"{len(market.buyers):,}",
        "sellers": f"{len(market.sellers):,}",
        "may trade": "everybody with everybody" if graph.complete else f"{graph.n_edges:,} pairs",
        "constraints": ", ".join(map(_kind, market.constraints)) or "none",
        "currency": market.currency or "not said",
    }
    return html_page(
        f"market '{market.name}'",
        facts,
        Rows(("buyer", "bid", "prior"), _rows(market, "buyers", "bids"), len(market.buyers)),
        Rows(("seller", "ask", "prior"), _rows(market, "sellers", "asks"), len(market.sellers)),
    )


def _kind(constraint: dict[str, Any] | Constraint) -> str:
    return str(constraint["kind"]) if isinstance(constraint, dict) else constraint.kind


def _rows(market: Content, role: str, word: str) -> Iterator[tuple[object, ...]]:
    side, reports = getattr(market, role), getattr(market, word)
    for place, name in enumerate(side.ids.head(MOST_ROWS).to_list()):
        yield name, None if reports is None else float(reports[place]), side.prior(place)
