"""Named markets of many agents: from the papers, a textbook, a made-up street, and random ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from catallax.errors import CatallaxError
from catallax.markets import random_graphs
from catallax.markets.agents import Agents, Role
from catallax.markets.graph import Graph
from catallax.markets.instances.registry import Known, path, register
from catallax.markets.market import Market
from catallax.markets.reports import Reports
from catallax.priors import Prior, make_prior

__all__: list[str] = []

_OWN = "derived by the authors of catallax"
_UNIT = {"kind": "uniform", "low": 0, "high": 1}


def _agents(role: Role, number: int, prior: Prior, name: str) -> Agents:
    ids = role[0] + pl.Series(np.arange(1, number + 1)).cast(pl.String)
    return Agents(role, ids, (prior,), (name,), np.zeros(number, dtype=np.int32))


def _market(
    name: str, graph: Graph, generator: np.random.Generator, value: Any, cost: Any
) -> Market:
    """Return a market on a graph, in which every side shares a prior."""
    values, costs = make_prior(value), make_prior(cost)
    buyers = _agents("buyer", graph.n_buyers, values, "values")
    sellers = _agents("seller", graph.n_sellers, costs, "costs")
    reports = Reports(buyers.sample(generator), sellers.sample(generator))
    return Market(
        buyers,
        sellers,
        graph,
        priors={"values": values, "costs": costs},
        reports=reports,
        name=name,
    )


def _size(name: str, **sizes: int) -> None:
    for key, value in sizes.items():
        if value < 0:
            raise CatallaxError(f"instance '{name}': {key} is {value}; give a number from 0 up")


def _remark() -> Mapping[str, Known]:
    source = "arXiv 2604.00129, Appendix A, the remark after the proof for GSOM-BIC"
    return {
        "GSOM: buyer pays, at these reports": Known(0.5, "phi(b) = 2b - 1 >= 0", source),
        "GSOM-BIC: seller s1 receives, at these reports": Known(
            3 / 8, "E[min(1/2, 2B - 1) | B >= 1/2]", source
        ),
    }


@register(
    "offering-remark",
    summary="A buyer with bid 1 and two sellers with asks 0 and 1/2: GSOM-BIC keeps 1/8",
    source="arXiv 2604.00129, Appendix A (buyer U[0,1]); the sellers' priors U[0,1] are our choice",
    known=_remark,
)
def offering_remark() -> Market:
    """Return the remark's market; the paper leaves the sellers' priors open."""
    return Market(
        buyers=[{"id": "b1", "bid": 1.0, "prior": "unit"}],
        sellers=[
            {"id": "s1", "ask": 0.0, "prior": "unit"},
            {"id": "s2", "ask": 0.5, "prior": "unit"},
        ],
        edges=[("b1", "s1"), ("b1", "s2")],
        priors={"unit": _UNIT},
        name="offering-remark",
    )


def _theorem(n: int) -> Mapping[str, Known]:
    source = "Xu, Zhang, Conitzer (2024), proof of Theorem 4.4 (Appendix A.9)"
    return {
        "first best of unit traders": Known(n / 8, "n E[(v - 1/2)^+] = n/8", _OWN),
        "first best of one group trade, for large n": Known(
            math.sqrt(n / (24 * math.pi)), "(1 + o(1)) sqrt(n / (24 pi))", source
        ),
        "limit share of deterministic truthful group trade": Known(
            math.sqrt(3) / 2, "at most sqrt(3)/2 + o(1)", source
        ),
    }


@register(
    "groups-theorem-4-4",
    summary="n buyers uniform on [0, 1], n sellers with cost 1/2, here as unit traders",
    source="Xu, Zhang, Conitzer, Non-excludable bilateral trade between groups (2024), Theorem 4.4",
    known=_theorem,
)
def groups_theorem_4_4(n: int = 10, seed: int = 1) -> Market:
    """Return a market where everybody trades alone; the paper's two groups decide together."""
    _size("groups-theorem-4-4", n=n)
    cost = {"kind": "point", "value": 0.5}
    graph = Graph.complete_graph(n, n)
    return _market("groups-theorem-4-4", graph, np.random.default_rng(seed), _UNIT, cost)


def _auction(n: int) -> Mapping[str, Known]:
    return {
        "first best": Known(
            n * n / (2 * (2 * n + 1)),
            "n^2 / (2(2n+1)): the n best of 2n uniform values, less the costs",
            _OWN,
        ),
        "trades": Known(n / 2, "n/2: every agent is as likely among the n best", _OWN),
    }


@register(
    "double-auction",
    summary="n buyers and n sellers, all uniform on [0, 1], everybody may trade with everybody",
    source="the setting of McAfee, A dominant strategy double auction, JET 1992",
    known=_auction,
)
def double_auction(n: int = 10, seed: int = 1) -> Market:
    """Return a market on a complete graph, which keeps no edges: any n will do."""
    _size("double-auction", n=n)
    graph = Graph.complete_graph(n, n)
    return _market("double-auction", graph, np.random.default_rng(seed), _UNIT, _UNIT)


def _horses() -> Mapping[str, Known]:
    source = "Böhm-Bawerk (1889); Shapley and Shubik (1971)"
    return {
        "first best, at these reports": Known(57.0, "130 - 73", source),
        "trades, at these reports": Known(5.0, "the five keenest pairs", source),
        "lowest market price, at these reports": Known(21.0, "the sixth buyer's value", source),
        "highest market price, at these reports": Known(21.5, "the sixth seller's cost", source),
    }


@register(
    "horse-market",
    summary="Böhm-Bawerk's horse market: ten buyers, eight sellers, five horses change hands",
    source="Böhm-Bawerk, Positive Theorie des Kapitales (1889); Shapley and Shubik, The assignment "
    "game I, IJGT 1971; the priors U[0, 40] are our choice",
    known=_horses,
)
def horse_market() -> Market:
    """Return the market of equal horses, one to a trader, priced in pounds."""
    values = [30, 28, 26, 24, 22, 21, 20, 18, 17, 15]
    costs = [10, 11, 15, 17, 20, 21.5, 25, 26]
    return Market(
        buyers={
            "id": [f"A{k}" for k in range(1, 11)],
            "bid": values,
            "prior": ["horses"] * len(values),
        },
        sellers={
            "id": [f"B{k}" for k in range(1, 9)],
            "ask": costs,
            "prior": ["horses"] * len(costs),
        },
        priors={"horses": {"kind": "uniform", "low": 0, "high": 40}},
        name="horse-market",
        currency="£",
    )


def _energy() -> Mapping[str, Known]:
    return {
        "buyers": Known(18, "counted", _OWN),
        "sellers": Known(16, "counted", _OWN),
    }


@register(
    "neighbourhood-energy",
    summary="A made-up street: households buy evening electricity from roofs and batteries nearby",
    source="made up by the authors of catallax; shipped as files",
    known=_energy,
)
def neighbourhood_energy() -> Market:
    """Return the shipped market; one feeder line serves both ends of an edge."""
    return Market.read(path("neighbourhood-energy"))


def _edges(n_buyers: int, degree: float) -> Mapping[str, Known]:
    return {"edges": Known(round(n_buyers * degree), "n_buyers * degree", "by construction")}


@register(
    "sparse-random",
    summary="Edges drawn uniformly among all pairs, values and costs uniform on [0, 1]",
    source="by construction: a uniformly random bipartite graph with a given number of edges",
    known=_edges,
)
def sparse_random(
    n_buyers: int = 1000, n_sellers: int = 1000, degree: float = 5.0, seed: int = 1
) -> Market:
    """Return a market on `random_graphs.sparse_random`."""
    return _random("sparse-random", n_buyers, n_sellers, degree, seed)


@register(
    "degree-skewed",
    summary="A few sellers have most of the edges (a power law), values and costs uniform",
    source="by construction: sellers are drawn with probability in proportion to rank^-0.75",
    known=_edges,
)
def degree_skewed(
    n_buyers: int = 1000, n_sellers: int = 1000, degree: float = 5.0, seed: int = 1
) -> Market:
    """Return a market on `random_graphs.degree_skewed`."""
    return _random("degree-skewed", n_buyers, n_sellers, degree, seed)


def _spatial(n_buyers: int, n_sellers: int, degree: float) -> Mapping[str, Known]:
    radius = math.sqrt(degree / (math.pi * n_sellers)) if n_sellers else 0.0
    # P(two uniform points of the unit square are within r), r <= 1.
    near = math.pi * radius**2 - 8 * radius**3 / 3 + radius**4 / 2
    known = {"radius": Known(radius, "sqrt(degree / (pi n_sellers))", "by construction")}
    if radius <= 1:
        known["edges"] = Known(
            n_buyers * n_sellers * near,
            "n_buyers n_sellers (pi r^2 - 8 r^3/3 + r^4/2)",
            "the law of the distance of two points in a square",
        )
    return known


@register(
    "spatial",
    summary="Agents at random places of the unit square trade within a radius; values uniform",
    source="by construction: a random geometric graph",
    known=_spatial,
)
def spatial(
    n_buyers: int = 1000, n_sellers: int = 1000, degree: float = 5.0, seed: int = 1
) -> Market:
    """Return a market on `random_graphs.spatial`."""
    return _random("spatial", n_buyers, n_sellers, degree, seed)


_GRAPHS = {
    "sparse-random": random_graphs.sparse_random,
    "degree-skewed": random_graphs.degree_skewed,
    "spatial": random_graphs.spatial,
}


def _random(name: str, n_buyers: int, n_sellers: int, degree: float, seed: int) -> Market:
    _size(name, n_buyers=n_buyers, n_sellers=n_sellers)
    generator = np.random.default_rng(seed)
    graph = _GRAPHS[name](n_buyers, n_sellers, degree, generator)
    return _market(name, graph, generator, _UNIT, _UNIT)
