"""Small markets that bring faults to light: ties, atoms, plateaus, empty sides, every constraint.

Each is small enough for an audit of a second, and its name says what is hard about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from catallax.markets import Market
from catallax.markets.families import Oracle
from catallax.priors.base import RandomSource

__all__ = ["battery", "fixed_markets", "random_market"]

Agent = tuple[float, str]
Edges = Sequence[tuple[str, str]] | Sequence[Mapping[str, Any]] | None

UNIFORM = "uniform(0, 1)"
COIN = "discrete([0, 2], [0.5, 0.5])"
HIGH_COIN = "discrete([1, 3], [0.5, 0.5])"
THREE = "discrete([0, 1, 2], [0.25, 0.5, 0.25])"
# Its atoms 4 and 5 are ironed to the virtual value 1.6; mirrored, 3 and 4 to the cost 6.4.
PLATEAU = "discrete([4, 5, 8], [0.5, 0.125, 0.375])"
COST_PLATEAU = "discrete([0, 3, 4], [0.375, 0.125, 0.5])"
# Two humps of density, ironed in between; and a density with an atom in it.
HUMPS = "piecewise([0, 1, 2, 3], [0, 0.4, 0.6, 1])"
MIXED = "mixture([point(1), uniform(0, 2)], [0.25, 0.75])"

# What random markets draw priors from: all meet all, and buyers have a little more.
_VALUES = (
    "uniform(0, 4)",
    "uniform(2, 5)",
    "discrete([1, 2, 3], [0.25, 0.5, 0.25])",
    "discrete([1, 3], [0.5, 0.5])",
    "discrete([0, 4], [0.25, 0.75])",
    "discrete([2, 3, 5], [0.5, 0.125, 0.375])",
    "point(2)",
    "mixture([point(3), uniform(0, 4)], [0.25, 0.75])",
    "piecewise([0, 1, 3, 5], [0, 0.4, 0.6, 1])",
)
_COSTS = (
    "uniform(0, 4)",
    "uniform(0, 1)",
    "discrete([0, 1, 2], [0.25, 0.5, 0.25])",
    "discrete([0, 2], [0.5, 0.5])",
    "discrete([0, 3], [0.75, 0.25])",
    "discrete([0, 2, 3], [0.375, 0.125, 0.5])",
    "point(1)",
    "mixture([point(1), uniform(0, 4)], [0.25, 0.75])",
    "piecewise([0, 1, 3, 4], [0, 0.4, 0.6, 1])",
)


def battery(rng: RandomSource = 0, random: int = 12) -> list[Market]:
    """List the fixed markets, and after them random ones.

    Parameters
    ----------
    rng
        What the random ones are drawn with.
    random
        How many; every fourth is a market of one buyer with a value for each item.

    Returns
    -------
    list of Market
        Each with priors, with reports and with a name that says what it tries.

    Examples
    --------
    >>> markets = battery(rng=7, random=4)
    >>> markets[0].name, markets[-1].name
    ('nobody', 'random 4')
    """
    generator = np.random.default_rng(rng)
    drawn = [
        random_market(generator, f"random {k + 1}", unit_demand=k % 4 == 2) for k in range(random)
    ]
    return [*fixed_markets(), *drawn]


def fixed_markets() -> list[Market]:
    """List the markets that are always tried.

    Returns
    -------
    list of Market
        Pairs first, constrained markets and those of one buyer with a value for each item last.
    """
    return [*_pairs(), *_graphs(), *_constrained(), *_unit_demand()]


def _market(
    name: str, buyers: Sequence[Agent], sellers: Sequence[Agent], edges: Edges = None, **more: Any
) -> Market:
    """Make a market of buyers b1, b2, ... and sellers s1, s2, ... from reports and priors."""
    groups = ("red", "red", "blue", "blue")
    return Market(
        buyers=[
            {"id": f"b{k + 1}", "bid": bid, "prior": prior, "group": groups[k % 4]}
            for k, (bid, prior) in enumerate(buyers)
        ],
        sellers=[
            {"id": f"s{k + 1}", "ask": ask, "prior": prior, "group": groups[k % 4]}
            for k, (ask, prior) in enumerate(sellers)
        ],
        edges=edges,
        name=name,
        **more,
    )


def _pairs() -> list[Market]:
    """One agent a side, or none."""
    bilateral = {
        "one pair": ((0.75, UNIFORM), (0.25, UNIFORM)),
        "a pair that ties": ((1.0, THREE), (1.0, THREE)),
        "a pair, the value on a plateau": ((5.0, PLATEAU), (1.0, THREE)),
        "a pair, the cost on a plateau": ((7.0, "discrete([5, 7, 8], [0.25, 0.5, 0.25])"),
                                          (3.0, COST_PLATEAU)),
        "a pair with two humps": ((1.25, HUMPS), (0.5, UNIFORM)),
        "a pair with atoms in a density": ((1.0, MIXED), (1.0, MIXED)),
        "a pair whose cost is known": ((0.75, UNIFORM), (0.25, "point(0.25)")),
        "a pair that cannot gain": ((0.5, UNIFORM), (3.0, "uniform(2, 4)")),
        "a pair that always gains": ((2.5, "uniform(2, 3)"), (0.5, UNIFORM)),
        "a pair with amounts below zero": ((0.5, "uniform(-1, 1)"), (-0.5, "uniform(-1, 1)")),
        "a pair in thousands": ((7500.0, "uniform(0, 10000)"), (2500.0, "uniform(0, 10000)")),
    }  # fmt: skip
    two = [(0.75, UNIFORM), (0.5, UNIFORM)]
    return [
        _market("nobody", [], []),
        _market("no sellers", two, []),
        _market("no buyers", [], two),
        _market("no edges", two, two, []),
        *(_market(name, [buyer], [seller]) for name, (buyer, seller) in bilateral.items()),
    ]


def _graphs() -> list[Market]:
    """Several agents, without constraints: ties, rivals, paths, parts, books."""
    path = [("b1", "s1"), ("b1", "s2"), ("b2", "s2")]
    parts = [("b1", "s1"), ("b2", "s2"), ("b3", "s2")]
    coins = [(2.0, COIN), (2.0, COIN)]
    thirds = [(1.0, THREE), (1.0, THREE)]
    on_plateau = [(5.0, PLATEAU), (5.0, PLATEAU)]
    return [
        _market("twins", thirds, [(1.0, THREE), (0.0, THREE)]),
        _market("two buyers on one plateau", on_plateau, [(0.0, COIN)]),
        _market(
            "two sellers on one plateau",
            [(8.0, "discrete([7, 8], [0.5, 0.5])")],
            [(3.0, COST_PLATEAU), (3.0, COST_PLATEAU)],
        ),
        _market("two buyers with two humps", [(1.2, HUMPS), (1.0, HUMPS)], [(0.25, UNIFORM)]),
        _market("a buyer with a second seller", [(1.0, UNIFORM)], [(0.0, UNIFORM), (0.5, UNIFORM)]),
        _market("a seller with a second buyer", [(1.0, UNIFORM), (0.5, UNIFORM)], [(0.0, UNIFORM)]),
        _market("a path of atoms", [(2.0, COIN), (1.0, THREE)], [(0.0, COIN), (1.0, THREE)], path),
        _market("a path", [(0.9, UNIFORM), (0.7, UNIFORM)], [(0.4, UNIFORM), (0.1, UNIFORM)], path),
        _market(
            "unlike priors on a path",
            [(3.0, "uniform(0, 4)"), (1.0, "discrete([1, 3], [0.5, 0.5])")],
            [(0.5, UNIFORM), (1.0, MIXED)],
            path,
        ),
        _market(
            "a bystander with another prior",
            [(0.75, UNIFORM), (6.0, "uniform(0, 8)")],
            [(0.25, UNIFORM)],
            [("b1", "s1")],
        ),
        _market("parts and loners", [*coins, (0.0, COIN)], [(0.0, COIN)] * 3, parts),
        _market("a book of coins", [*coins, (0.0, COIN)], [(0.0, COIN), (0.0, COIN), (2.0, COIN)]),
        _market(
            "a book with a long side",
            [(2.0, THREE), (1.0, THREE), (2.0, COIN)],
            [(0.0, THREE), (1.0, THREE)],
        ),
        _market(
            "a book",
            [(0.9, UNIFORM), (0.8, UNIFORM), (0.3, UNIFORM)],
            [(0.1, UNIFORM), (0.2, UNIFORM), (0.6, UNIFORM)],
        ),
        _market(
            "a crowd",
            [(bid, UNIFORM) for bid in (0.9, 0.85, 0.7, 0.7, 0.4, 0.2)],
            [(ask, UNIFORM) for ask in (0.1, 0.15, 0.3, 0.5, 0.65)],
        ),
    ]


def _constrained() -> list[Market]:
    """Every kind of constraint, on a graph in which it decides who trades."""
    buyers, sellers = [(3.0, HIGH_COIN), (3.0, HIGH_COIN)], [(0.0, COIN), (0.0, COIN)]
    edges = [("b1", "s1"), ("b1", "s2"), ("b2", "s1"), ("b2", "s2")]
    weighed = [
        {"buyer": buyer, "seller": seller, "line": line, "load": load}
        for (buyer, seller), line, load in zip(edges, "AABB", (2, 1, 1, 2), strict=True)
    ]
    rules: dict[str, dict[str, Any]] = {
        "a cap": {"kind": "cap", "limit": 1},
        "a quota of buyers": {"kind": "quota", "over": "buyers", "column": "group", "limits": 1},
        "a quota of sellers": {"kind": "quota", "over": "sellers", "column": "group", "limits": 1},
        "a quota of edges": {"kind": "quota", "over": "edges", "column": "line", "limits": 1},
        "buyers in conflict": {"kind": "conflicts", "over": "buyers", "pairs": [["b1", "b2"]]},
        "sellers in conflict": {"kind": "conflicts", "over": "sellers", "pairs": [["s1", "s2"]]},
        "edges in conflict": {
            "kind": "conflicts", "over": "edges", "pairs": [[["b1", "s1"], ["b2", "s2"]]],
        },
        "a knapsack": {"kind": "knapsack", "column": "load", "limit": 3},
        "a listed family": {
            "kind": "family", "matchings": [[["b1", "s1"], ["b2", "s2"]], [["b1", "s2"]]],
        },
    }  # fmt: skip
    uniform = [(0.9, UNIFORM), (0.7, UNIFORM)], [(0.1, UNIFORM), (0.3, UNIFORM)]
    markets = [
        _market(name, buyers, sellers, weighed, constraints=[rule]) for name, rule in rules.items()
    ]
    both = [rules["a quota of edges"], rules["buyers in conflict"]]
    oracle = Oracle(lambda trades: len(trades) < 2 or ("b1", "s1") not in trades)
    return [
        *markets,
        _market("an oracle", buyers, sellers, weighed, constraints=[oracle]),
        _market("two constraints", buyers, sellers, weighed, constraints=both),
        _market("a cap, uniform", *uniform, constraints=[rules["a cap"]]),
    ]


def _unit_demand() -> list[Market]:
    """One buyer with a value for each item: bids and priors on the edges."""
    return [
        _unit_market("one item", [(0.75, UNIFORM)], [(0.25, UNIFORM)]),
        _unit_market("two items that tie", [(2.0, COIN), (2.0, COIN)], [(0.0, COIN), (0.0, COIN)]),
        _unit_market(
            "two items, one on a plateau",
            [(2.0, COIN), (5.0, PLATEAU)],
            [(0.0, COIN), (0.0, "point(0)")],
        ),
        _unit_market("two items", [(0.75, UNIFORM), (0.5, UNIFORM)], [(0.25, UNIFORM)] * 2),
        _unit_market(
            "two items with atoms",
            [(5.0, PLATEAU), (3.0, "uniform(2, 6)")],
            [(3.0, COST_PLATEAU), (1.0, THREE)],
        ),
    ]


def _unit_market(name: str, values: Sequence[Agent], costs: Sequence[Agent]) -> Market:
    return Market(
        buyers=[{"id": "b1"}],
        sellers=[
            {"id": f"s{k}", "ask": ask, "prior": prior}
            for k, (ask, prior) in enumerate(costs, start=1)
        ],
        edges=[
            {"buyer": "b1", "seller": f"s{k}", "bid": bid, "prior": prior}
            for k, (bid, prior) in enumerate(values, start=1)
        ],
        name=name,
    )


def random_market(rng: RandomSource, name: str = "random", *, unit_demand: bool = False) -> Market:
    """Draw a market of up to three agents a side.

    Half of them have only finitely many profiles; some have atoms in densities, plateaus, equal
    reports, or up to two constraints of any kind.

    Parameters
    ----------
    rng
        Seed or generator.
    name
        The market's name.
    unit_demand
        One buyer, with a value for each item.

    Returns
    -------
    Market
        With priors and reports.

    Examples
    --------
    >>> random_market(3).equals(random_market(3))
    True
    """
    generator = np.random.default_rng(rng)
    palettes = (_VALUES, _COSTS)
    if generator.random() < 0.5:
        palettes = tuple(tuple(filter(_is_discrete, palette)) for palette in palettes)
    sizes = generator.choice([0, 1, 2, 3], size=2, p=[0.05, 0.3, 0.4, 0.25])
    if unit_demand:
        sizes[:] = generator.integers(1, 4)
    buyers, sellers = (
        _agents(generator, int(size), palette)
        for size, palette in zip(sizes, palettes, strict=True)
    )
    if unit_demand:
        return _unit_market(name, buyers, sellers)
    if generator.random() < 0.3:
        return _market(name, buyers, sellers)
    share = generator.choice([0.5, 0.75, 1.0])
    edges = [
        {
            "buyer": f"b{i + 1}",
            "seller": f"s{j + 1}",
            "line": str(generator.choice(["A", "B"])),
            "load": int(generator.integers(1, 4)),
        }
        for i in range(len(buyers))
        for j in range(len(sellers))
        if generator.random() < share
    ]
    rules = _random_rules(generator, edges) if generator.random() < 0.5 else []
    pairs: Any = edges if rules else [(edge["buyer"], edge["seller"]) for edge in edges]
    return _market(name, buyers, sellers, pairs, constraints=rules)


def _is_discrete(prior: str) -> bool:
    return prior.startswith(("discrete", "point"))


def _agents(generator: np.random.Generator, count: int, palette: Sequence[str]) -> list[Agent]:
    """Draw priors and reports; one agent in three copies the one before her."""
    from catallax.priors import parse_prior

    agents: list[Agent] = []
    for _ in range(count):
        if agents and generator.random() < 1 / 3:
            agents.append(agents[-1])
            continue
        prior = str(generator.choice(palette))
        agents.append((float(parse_prior(prior).quantile(generator.random())), prior))
    return agents


def _random_rules(
    generator: np.random.Generator, edges: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Draw one or two constraints."""
    if not edges:
        return []
    pairs = [[edge["buyer"], edge["seller"]] for edge in edges]
    buyers = sorted({buyer for buyer, _ in pairs})
    rules: list[dict[str, Any]] = [
        {"kind": "cap", "limit": int(generator.integers(1, 3))},
        {"kind": "quota", "over": "edges", "column": "line", "limits": 1},
        {"kind": "quota", "over": "buyers", "column": "group", "limits": 1},
        {"kind": "knapsack", "column": "load", "limit": int(generator.integers(2, 6))},
        {"kind": "family", "matchings": _random_matchings(generator, pairs)},
    ]
    if len(buyers) > 1:
        rules.append({"kind": "conflicts", "over": "buyers", "pairs": [buyers[:2]]})
    if len(pairs) > 1:
        two = generator.choice(len(pairs), 2, replace=False)
        clash = [pairs[int(k)] for k in two]
        rules.append({"kind": "conflicts", "over": "edges", "pairs": [clash]})
    chosen = generator.choice(len(rules), int(generator.integers(1, 3)), replace=False)
    return [rules[int(k)] for k in chosen]


def _random_matchings(
    generator: np.random.Generator, pairs: Sequence[list[str]]
) -> list[list[list[str]]]:
    """Draw two matchings, each greedily from the edges in a random order."""
    matchings = []
    for _ in range(2):
        chosen: list[list[str]] = []
        for k in generator.permutation(len(pairs)):
            if all(pairs[k][0] != other[0] and pairs[k][1] != other[1] for other in chosen):
                chosen.append(pairs[k])
        matchings.append(chosen)
    return matchings
