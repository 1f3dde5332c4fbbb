"""Constraints in market files: every wrong one is named, with its place and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import catallax as cx
from catallax.markets.families import Constraint, Oracle, Parts

BUYERS = [
    {"id": "b1", "bid": 3, "zone": "north"},
    {"id": "b2", "bid": 2, "zone": "south"},
    {"id": "b3", "bid": 2, "zone": None},
]
SELLERS = [{"id": "s1", "ask": 1}, {"id": "s2", "ask": 0.5}]
EDGES = [
    {"buyer": "b1", "seller": "s1", "load": 0.1},
    {"buyer": "b2", "seller": "s1", "load": 0.2},
    {"buyer": "b2", "seller": "s2", "load": 0.3},
    {"buyer": "b3", "seller": "s2", "load": 0.4},
]


def document(*constraints: Any, **changes: Any) -> str:
    market = {"buyers": BUYERS, "sellers": SELLERS, "edges": EDGES, "constraints": constraints}
    return json.dumps(market | changes)


WRONG: list[tuple[Any, str]] = [
    ({"kind": "cap", "limit": -1}, r"m.json constraints\[0\]: 'limit' is -1; a limit cannot be"),
    ({"kind": "cap", "limit": 1.5}, "'limit' must be a whole number, not 1.5"),
    ({"kind": "cap"}, "cap needs 'limit'"),
    ({"kind": "cap", "limt": 1}, "cap has no key 'limt': did you mean 'limit'"),
    ({"kind": "quotas", "over": "buyers"}, "unknown kind 'quotas': did you mean 'quota'"),
    ({"kind": "quota", "over": "buyer", "column": "zone", "limits": 1}, "not 'buyer'"),
    (
        {"kind": "quota", "over": "buyers", "column": "zones", "limits": 1},
        "the buyers have no column 'zones': did you mean 'zone'",
    ),
    (
        {"kind": "quota", "over": "buyers", "column": "zone", "limits": {"nord": 1}},
        "no group 'nord': did you mean 'north'",
    ),
    (
        {"kind": "quota", "over": "buyers", "column": "zone", "limits": {"north": -2}},
        "'limits.north' is -2",
    ),
    (
        {"kind": "conflicts", "over": "buyers", "pairs": [["b1", "b2"], ["b1", "bob"]]},
        r"pairs\[1\]: there is no buyer 'bob'",
    ),
    ({"kind": "conflicts", "over": "sellers", "pairs": [["s1"]]}, "is not a pair"),
    ({"kind": "conflicts", "over": "sellers", "pairs": [["s1", "s1"]]}, "the same twice"),
    (
        {"kind": "conflicts", "over": "edges", "pairs": [[["b1", "s1"], ["b1", "s2"]]]},
        "buyer 'b1' and seller 's2' have no edge",
    ),
    ({"kind": "conflicts", "over": "edges", "pairs": [["b1", "s1"]]}, "is not an edge"),
    ({"kind": "knapsack", "column": "load", "limit": -0.1}, "'limit' is -0.1"),
    ({"kind": "knapsack", "column": "weight", "limit": 1}, "no column 'weight'"),
    (
        {"kind": "family", "matchings": [[["b1", "s1"], ["b2", "s1"]]]},
        r"matchings\[0\]: this is no matching, seller 's1' trades twice",
    ),
    ({"kind": "family", "matchings": [[["b1", "sx"]]]}, "there is no seller 'sx'"),
    ({"kind": "family", "matchings": ["b1"]}, "is not a list of edges"),
    *[
        (
            {"kind": "quota", "over": over, "column": column, "limits": 1},
            f"a quota cannot go by '{column}'; use a column of your own{own}$",
        )
        for over, column, own in [
            ("buyers", "id", ": zone"),
            ("buyers", "prior", ": zone"),
            ("sellers", "ask", ", which it has none of yet"),
            ("edges", "seller", ": load"),
        ]
    ],
    (
        {"kind": "knapsack", "column": "buyer", "limit": 1},
        "a knapsack cannot go by 'buyer'; use a column of your own: load",
    ),
    (
        {"kind": "quota", "over": "buyers", "column": "zone", "limits": "40"},
        r"limits = 1, or a table with one for each group, as in limits = \{ north = 1 \}, not '40'",
    ),
    (
        {"kind": "quota", "over": "edges", "column": "load", "limits": [1]},
        r'limits = \{ "0.1" = 1 \}, not \[1\]',
    ),
    (
        {"kind": "quota", "over": "edges", "column": "load", "limits": {"0": {"1": 1}}},
        r'a name with a point; quote it, as in limits = \{ "0.1" = 1 \}',
    ),
]


@pytest.mark.parametrize(("constraint", "message"), WRONG, ids=[m for _, m in WRONG])
def test_a_wrong_constraint_is_named(constraint: Any, message: str) -> None:
    with pytest.raises(cx.CatallaxError, match=message) as caught:
        cx.Market.from_json(document(constraint), "m.json")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("m.json constraints[0]")


def test_amounts_must_be_numbers() -> None:
    edges = [dict(EDGES[0], load=-1.0), *EDGES[1:]]
    rule = {"kind": "knapsack", "column": "load", "limit": 1}
    with pytest.raises(cx.CatallaxError, match=r"edge \('b1', 's1'\) has the amount -1.0"):
        cx.Market.from_json(document(rule, edges=edges))
    edges = [dict(edge, load="heavy") for edge in EDGES]
    with pytest.raises(cx.CatallaxError, match="'load' is not numeric"):
        cx.Market.from_json(document(rule, edges=edges))


def test_decimals_of_a_knapsack_are_exact() -> None:
    """0.1 + 0.2 fits into 0.3, though not in binary fractions."""
    fits = {"kind": "knapsack", "column": "load", "limit": 0.3}
    edges = [dict(EDGES[0], load=0.1), dict(EDGES[2], load=0.2)]
    outcome = cx.clear(cx.Market.from_json(document(fits, edges=edges)), "first-best")
    assert outcome.solver == "program" or len(outcome) == 2
    assert len(outcome) == 2
    tight = {"kind": "knapsack", "column": "load", "limit": 0.29}
    assert len(cx.clear(cx.Market.from_json(document(tight, edges=edges)), "first-best")) == 1


@pytest.mark.parametrize(
    "limit", [10**400, 1e300, np.float64(7.5)], ids=["whole", "large", "numpy"]
)
def test_a_limit_beyond_all_amounts_does_not_bind(limit: float) -> None:
    rule = {"kind": "knapsack", "column": "load", "limit": limit}
    bound = cx.Market(BUYERS, SELLERS, EDGES, constraints=[rule])
    free = cx.Market(BUYERS, SELLERS, EDGES)
    columns = ["buyer", "seller"]
    pairs = [cx.clear(market, "first-best").trades[columns].rows() for market in (bound, free)]
    assert len(pairs[0]) == 2
    assert pairs[0] == pairs[1]


def test_an_oracle_must_be_closed_downward() -> None:
    def never_one(trades: list[tuple[str, str]]) -> bool:
        return len(trades) != 1

    with pytest.raises(cx.CatallaxError, match="not downward closed"):
        cx.Market(BUYERS, SELLERS, EDGES, constraints=[Oracle(never_one)])


def test_an_oracle_is_checked_on_large_markets_too() -> None:
    buyers = [{"id": f"b{k}", "bid": 2} for k in range(12)]
    sellers = [{"id": f"s{k}", "ask": 1} for k in range(12)]
    with pytest.raises(cx.CatallaxError, match="not downward closed"):
        cx.Market(buyers, sellers, constraints=[Oracle(lambda t: len(t) in (0, 1, 3, 4))])


def test_an_oracle_cannot_be_written(tmp_path: Path) -> None:
    market = cx.Market(BUYERS, SELLERS, EDGES, constraints=[Oracle(lambda trades: True)])
    assert len(cx.clear(market, "first-best")) == 2
    with pytest.raises(cx.CatallaxError, match="cannot be written to a file"):
        market.write(tmp_path / "m.json")
    assert list(tmp_path.iterdir()) == []


def test_structures() -> None:
    def structure(*rules: Any) -> str:
        return cx.Market.from_json(document(*rules)).family.structure

    cap = {"kind": "cap", "limit": 1}
    zones = {"kind": "quota", "over": "buyers", "column": "zone", "limits": 1}
    assert structure() == "plain"
    assert structure(cap) == structure(cap, zones) == "network"
    assert structure(zones, zones) == "linear"
    assert structure({"kind": "knapsack", "column": "load", "limit": 1}) == "linear"
    market = cx.Market(BUYERS, SELLERS, EDGES, constraints=[Oracle(lambda trades: True)])
    assert market.family.structure == "any"


def test_a_time_limit_that_is_reached_is_an_error() -> None:
    from catallax.matching import time_limit

    market = cx.Market.from_json(document({"kind": "knapsack", "column": "load", "limit": 0.5}))
    with time_limit(1e-9), pytest.raises(cx.CatallaxError, match="no optimum was proved within"):
        cx.clear(market, "first-best")


def test_a_constraint_of_ones_own() -> None:
    """A kind that nobody registered works from Python all the same."""
    from dataclasses import dataclass

    import numpy as np

    from catallax.markets.families.bound import GroupLimits

    @dataclass(frozen=True)
    class OneTrade(Constraint):
        kind = "one-trade"

        def bind(self, parts: Parts, where: str) -> GroupLimits:
            return GroupLimits("trades", np.empty(0, np.int64), np.array([1]))

    market = cx.Market(BUYERS, SELLERS, EDGES, constraints=[OneTrade()])
    assert len(cx.clear(market, "first-best")) == 1


def test_single_brackets_are_doubled(tmp_path: Path) -> None:
    (tmp_path / "market.toml").write_text(
        '[buyers]\ntable = "b.csv"\n[sellers]\ntable = "s.csv"\n'
        '[constraints]\nkind = "cap"\nlimit = 1\n'
    )
    (tmp_path / "b.csv").write_text("id,bid\nb1,2\n")
    (tmp_path / "s.csv").write_text("id,ask\ns1,1\n")
    with pytest.raises(cx.FileFormatError, match=r"write \[\[constraints\]\], with two brackets"):
        cx.Market.read(tmp_path)
