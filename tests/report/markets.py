"""Outcomes to draw and write, from one pair to many."""

from __future__ import annotations

from typing import Any

import numpy as np

import catallax as cx
from catallax.mechanisms import Outcome


def outcome(
    n_buyers: int,
    n_sellers: int,
    n_edges: int | None = None,
    *,
    name: str = "street",
    currency: str = "EUR",
    seed: int = 2,
    **more: Any,
) -> Outcome:
    """Clear a market with random reports; everybody may trade where `n_edges` is not given."""
    rng = np.random.default_rng(seed)
    buyers = {"id": [f"b{k}" for k in range(n_buyers)], "bid": rng.uniform(0, 100, n_buyers)}
    sellers = {"id": [f"s{k}" for k in range(n_sellers)], "ask": rng.uniform(0, 90, n_sellers)}
    edges = None
    if n_edges is not None:
        places = rng.choice(n_buyers * n_sellers, size=n_edges, replace=False)
        pairs = (divmod(int(place), n_sellers) for place in np.sort(places))
        edges = [(f"b{i}", f"s{j}") for i, j in pairs]
    market = cx.Market(buyers, sellers, edges, name=name, currency=currency, **more)
    return cx.clear(market, "first-best")


def pair(bid: float, ask: float, **more: Any) -> Outcome:
    """Clear a market of one buyer and one seller."""
    market = cx.Market([{"id": "b", "bid": bid}], [{"id": "s", "ask": ask}], **more)
    return cx.clear(market, "first-best")
