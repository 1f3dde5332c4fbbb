"""Small random markets with ties, atoms, plateaus and empty sides, and profiles for them."""

from __future__ import annotations

import numpy as np
import polars as pl

import catallax as cx
from catallax.estimate.draws import Draws
from catallax.markets import random_graphs

PRIORS = [
    "uniform(0, 4)",
    "discrete([0, 1, 2, 3, 4], [0.3, 0.05, 0.3, 0.05, 0.3])",  # plateaus on both sides
    "discrete([1, 2, 3], [0.5, 0.1, 0.4])",
    "point(2)",
    "equal-revenue(1, 4)",
    "mixture([uniform(0, 4), point(2)], [0.7, 0.3])",
    "exponential(1.5)",
]


def random_market(
    rng: np.random.Generator, most: int = 5, priors: list[str] | None = None
) -> cx.Market:
    """Draw a market: sparse or complete, few priors or many, perhaps nobody on a side."""
    known = PRIORS if priors is None else priors
    sizes = rng.integers(0 if rng.random() < 0.1 else 1, most + 1, 2)
    kinds = rng.choice(known, rng.integers(1, len(known) + 1), replace=False)
    buyers = [{"id": f"b{i}", "prior": str(rng.choice(kinds))} for i in range(sizes[0])]
    sellers = [{"id": f"s{j}", "prior": str(rng.choice(kinds))} for j in range(sizes[1])]
    if rng.random() < 0.4:
        return cx.Market(buyers, sellers)
    chance = rng.random()
    edges = [
        (buyer["id"], seller["id"])
        for buyer in buyers
        for seller in sellers
        if rng.random() < chance
    ]
    return cx.Market(buyers, sellers, edges or cx.Graph(*sizes))


def random_profiles(rng: np.random.Generator, market: cx.Market, count: int) -> Draws:
    """Draw profiles on and off the priors' atoms, some or all of the reports whole numbers."""
    share = rng.choice([0.0, 0.5, 1.0])

    def side(agents: cx.Agents) -> np.ndarray:
        drawn = np.array([agents.sample(rng) for _ in range(count)]).reshape(count, len(agents))
        whole = rng.integers(0, 5, drawn.shape).astype(float)
        return np.where(rng.random(drawn.shape) < share, whole, drawn)

    return Draws(side(market.buyers), side(market.sellers))


def sparse_market(agents: int, degree: int = 3, prior: str = "uniform(0, 1)") -> cx.Market:
    """Make a random sparse market in which everybody has one prior."""
    graph = random_graphs.sparse_random(agents, agents, degree, 7)
    every = (cx.parse_prior(prior),), (None,), np.zeros(agents, np.int32)
    buyers, sellers = (
        cx.Agents(role, pl.Series([f"{role[0]}{k}" for k in range(agents)]), *every)
        for role in ("buyer", "seller")
    )
    return cx.Market(buyers, sellers, graph, name="sparse")
