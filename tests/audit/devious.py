"""Mechanisms that misbehave in ways an audit might overlook, or stumble over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import catallax as cx
from catallax.mechanisms import Claims, FirstBest, Mechanism, Outcome

Twist = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Twisted(Mechanism):
    """The first best, but for what a function makes of it."""

    twist: Twist

    slug = "twisted"
    summary = "the first best with a twist"
    claims = Claims("DSIC", "DSIC", "ex post", "none")

    def clear(self, market, reports):
        return self.twist(market, reports, FirstBest().clear(market, reports))


class Interruption(KeyboardInterrupt):
    """What looks like a user's interrupt, and is not."""


class MuteError(Exception):
    """An error that cannot even be told."""

    def __str__(self) -> str:
        raise ValueError("no words")


def raising(error: BaseException) -> Twist:
    """Raise as soon as somebody bids more than 0.5."""

    def twist(market, reports, found):
        if (reports.bids > 0.5).any():
            raise error
        return found

    return twist


def own_bids(market, reports, found):
    """Everybody pays her bid."""
    return replace(found, buyer_pays=reports.bids[found.buyer_index])


def above(share: float) -> Twist:
    """Return a twist that charges a tiny share too much."""
    return lambda market, reports, found: replace(found, buyer_pays=found.buyer_pays * (1 + share))


def stating_a_tick(tick: Any) -> Twist:
    """Everybody pays her bid, which is called rounding."""
    return lambda market, reports, found: replace(own_bids(market, reports, found), tick=tick)


def of_kind(change: Callable[[np.ndarray], Any], part: str) -> Twist:
    """Return prices or positions of another type."""
    return lambda market, reports, found: replace(found, **{part: change(getattr(found, part))})


def refusing_some(market, reports, found):
    """Refuse a market only when somebody bids much."""
    if (reports.bids > 0.9).any():
        raise cx.UnsupportedMarketError("not with such bids")
    return found


def refusing_numbers(market, reports, found):
    """Refuse a market whose buyers have numbers for names."""
    if not all(isinstance(name, str) for name in market.buyers.ids):
        raise cx.UnsupportedMarketError("names must be text")
    return found


def changing_the_market(market, reports, found):
    """Make the graph complete, for this run and all later ones."""
    graph = cx.Graph.complete_graph(len(market.buyers), len(market.sellers))
    object.__setattr__(market, "graph", graph)
    return found


def always(market, reports, found):
    """Trade whatever is reported, at 0.3."""
    at = np.arange(min(len(market.buyers), len(market.sellers)))
    price = np.full(at.size, 0.3)
    return Outcome(market, reports, "twisted", "none", at, at, price, price, 0 * price, None)


def rare_deficit(market, reports, found):
    """Balance the budget, but for a bid above 0.999, which costs a thousand."""
    asks = reports.asks[found.seller_index]
    gift = np.where(reports.bids[found.buyer_index] > 0.999, 1000.0, 0.0)
    return replace(found, buyer_pays=asks, seller_receives=asks + gift)


def excluded_asks(market, reports, found):
    """Charge bids as soon as somebody asks what no cost of hers can be."""
    return own_bids(market, reports, found) if (reports.asks > 1).any() else found


def from_four_buyers(market, reports, found):
    """Charge bids where there are four buyers."""
    return own_bids(market, reports, found) if len(market.buyers) >= 4 else found


@dataclass(frozen=True)
class CoinAtTies(Twisted):
    """Toss a coin, and say nothing of it, where two bids are equal."""

    twist: Twist = own_bids
    coin: Any = field(default_factory=lambda: np.random.default_rng(1), compare=False)

    def clear(self, market, reports):
        found = FirstBest().clear(market, reports)
        tie = np.unique(reports.bids).size < reports.bids.size
        if tie and self.coin.random() < 0.5:
            found = replace(found, buyer_pays=found.buyer_pays / 2 - 1)
        return found
