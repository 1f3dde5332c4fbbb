"""Whether two markets are the same, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from catallax.markets.agents import Agents
    from catallax.markets.content import Content

__all__ = ["same_markets"]


def same_markets(one: Content, two: Content) -> bool:
    """Return whether two markets are the same; see `Market.equals`."""
    texts = ("name", "currency", "constraints", "largest_report")
    return (
        all(getattr(one, name) == getattr(two, name) for name in texts)
        and dict(one.priors) == dict(two.priors)
        and list(one.priors) == list(two.priors)
        and _same_agents(one.buyers, two.buyers)
        and _same_agents(one.sellers, two.sellers)
        and one.graph.complete == two.graph.complete
        and np.array_equal(one.graph.buyer, two.graph.buyer)
        and np.array_equal(one.graph.seller, two.graph.seller)
        and one.edge_table.equals(two.edge_table)
        and _same_numbers(one.bids, two.bids)
        and _same_numbers(one.asks, two.asks)
    )


def _same_agents(one: Agents, two: Agents) -> bool:
    """Whether ids, beliefs and other columns agree; the order of the distinct priors is free."""
    # Where there are no ids, it means nothing whether they would be text or integers.
    same_ids = one.ids.equals(two.ids, check_dtypes=True) or len(one) == len(two) == 0
    if not same_ids or not one.table.equals(two.table):
        return False
    if one.table.schema != two.table.schema:
        return False
    pairs = np.unique(np.stack([one.prior_of, two.prior_of]), axis=1).T.tolist()
    return all(
        (a < 0 and b < 0)
        or (
            a >= 0
            and b >= 0
            and one.priors[a] == two.priors[b]
            and one.prior_names[a] == two.prior_names[b]
        )
        for a, b in pairs
    )


def _same_numbers(one: np.ndarray | None, two: np.ndarray | None) -> bool:
    if one is None or two is None:
        # A side without agents has the same reports whether or not there was a column for them.
        return (one is None or not len(one)) and (two is None or not len(two))
    return np.array_equal(one.view(np.int64), two.view(np.int64))
