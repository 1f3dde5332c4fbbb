"""The guarantee of 1/3.15 over a library of distributions and graphs: the least that was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np

from catallax.estimate.exact import exact_values
from catallax.markets import Market, instances
from catallax.mechanisms.certificate import CONSTANT, certificate
from catallax.papers.registry import Options, register
from catallax.papers.reproduction import Reproduction, Row

__all__ = [
    "DISCRETE",
    "GRAPHS",
    "SMOOTH",
    "Shares",
    "exact_shares",
    "guarantee",
    "smallest_row",
]

SMOOTH = (
    "uniform(0, 1)",
    "exponential(0.5)",
    "lognormal(0.4, 1)",
    "beta(0.5, 0.5)",
    "beta(0.2, 1)",
    "beta(1, 8)",
    "pareto(1.5, 0.2)",
    "equal-revenue(0.02, 1)",
    "normal(0.5, 0.15, low=0, high=1)",
    "mixture([uniform(0, 0.1), uniform(0.8, 1), point(0.3)], [0.5, 0.4, 0.1])",
    "discrete([0, 0.4, 1], [0.5, 0.3, 0.2])",
    "point(0.5)",
)
"""Laws of values and of costs: flat, hollow, skewed, with tails, atoms, gaps, and certain ones."""

DISCRETE = (
    "discrete([0, 1], [0.5, 0.5])",
    "discrete([0, 0.5, 1], [0.4, 0.5, 0.1])",
    "discrete([0.1, 0.2, 0.9], [0.8, 0.1, 0.1])",
    "discrete([0.2, 1], [0.05, 0.95])",
)
"""Laws for the graphs on which every profile is looked at."""

GRAPHS: dict[str, tuple[int, int, list[tuple[int, int]]]] = {
    "a path of four": (2, 2, [(0, 0), (1, 0), (1, 1)]),
    "a star of one seller": (3, 1, [(0, 0), (1, 0), (2, 0)]),
    "a star of one buyer": (1, 3, [(0, 0), (0, 1), (0, 2)]),
    "a cycle of six": (3, 3, [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)]),
    "a tree of seven": (4, 3, [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2)]),
}
"""Graphs: numbers of buyers and sellers, and the edges."""

BOUND = 1 / CONSTANT
_SAMPLES = 400


class Shares(NamedTuple):
    """What the random offerer keeps of the first best.

    Attributes
    ----------
    profits
        What both sides could expect as principals, by Theorem 3.3.
    gains
        The gains from trade, by Theorem 1.1; never less.
    """

    profits: float
    gains: float


def exact_shares(market: Market) -> Shares | None:
    """Compute what the random offerer keeps; None where there is no exact way, or nothing to gain.

    Examples
    --------
    >>> import catallax as cx
    >>> exact_shares(cx.instances.get("bilateral-uniform"))
    Shares(profits=0.5, gains=0.75)
    """
    best = exact_values(market, "first-best")
    sellers, buyers = exact_values(market, "gsom"), exact_values(market, "gbom")
    if best is None or sellers is None or buyers is None or not best.gains_from_trade > 0:
        return None
    # Buyers' payments less sellers' costs, and buyers' values less sellers' receipts.
    profits = sellers.gains_from_trade - sellers.buyers_utility
    profits += buyers.gains_from_trade - buyers.sellers_utility
    gains = sellers.gains_from_trade + buyers.gains_from_trade
    whole = 2 * best.gains_from_trade
    return Shares(round(profits / whole, 12), round(gains / whole, 12))


@dataclass
class _Least:
    """The least shares of a family of markets, and where they were found."""

    count: int = 0
    profits: tuple[float, str] = (np.inf, "")
    gains: tuple[float, str] = (np.inf, "")
    skipped: list[str] = field(default_factory=list)

    def add(self, name: str, market: Market) -> None:
        shares = exact_shares(market)
        if shares is None:
            self.skipped.append(name)
            return
        self.count += 1
        self.profits = min(self.profits, (shares.profits, name))
        self.gains = min(self.gains, (shares.gains, name))

    def rows(self, family: str) -> list[Row]:
        return [
            Row(f"{family}: {what}", BOUND, share, 1e-9, "at least", note=f"at {name}")
            for what, (share, name) in (("profits", self.profits), ("gains", self.gains))
        ]


@register(
    "guarantee",
    "the random offerer keeps 1/3.15 of the first best, in profits and in gains: the least found",
    "arXiv 2604.00129, Theorems 1.1 and 3.3",
)
def guarantee(options: Options) -> Reproduction:
    """Look for the least share over pairs of laws, complete markets, graphs and constraints."""
    rows: list[Row] = []
    total = 0
    families = list(_families())
    for place, (family, markets) in enumerate(families):
        least = _Least()
        for name, make in markets:
            options.tell((place + _part(least, markets)) / (len(families) + 1), family)
            least.add(name, make())
        if least.count:
            rows += least.rows(f"{family} ({least.count})")
        total += least.count
    options.tell(len(families) / (len(families) + 1), "sparse markets, sampled")
    rows += _sampled(options)
    smallest, poorest = smallest_row(rows, "gains"), smallest_row(rows, "profits")
    notes = (
        f"{total} markets computed exactly; in brackets how many have the family's name, and the "
        "least share of each family is shown",
        f"the smallest share found: gains {smallest.ours:.6f} = 1/{1 / smallest.ours:.6f} "
        f"({smallest.what}, {smallest.note}), profits {poorest.ours:.6f} = "
        f"1/{1 / poorest.ours:.6f} ({poorest.what}, {poorest.note})",
        "profits count what the mechanism keeps; agents' own utilities can be less than 1/3.15",
    )
    return Reproduction("guarantee", tuple(rows), notes)


def smallest_row(rows: Iterable[Row], what: str) -> Row:
    """Return the row with the least share of gains, or of profits.

    Examples
    --------
    >>> found = [Row("one pair, set against another: profits", BOUND, 0.4, 0.0),
    ...          Row("one pair: gains", BOUND, 0.5, 0.0)]
    >>> smallest_row(found, "gains").ours
    0.5
    """
    # After the colon: a family may be called by any words, such as "against".
    return min((row for row in rows if f": {what}" in row.what), key=lambda row: row.ours)


Named = list[tuple[str, Callable[[], Market]]]


def _part(least: _Least, markets: Named) -> float:
    return (least.count + len(least.skipped)) / max(1, len(markets))


def _families() -> Iterator[tuple[str, Named]]:
    """Yield families of markets that can be computed."""
    yield "one pair", [_alike(value, cost, 1, 1) for value, cost in product(SMOOTH, SMOOTH)]
    yield (
        "one pair, equal revenue against a power",
        [
            (
                f"ln H = {log_high:g}, b = {b:g}",
                lambda log_high=log_high, b=b: instances.get(
                    "random-offerer-worst-case", log_high=log_high, b=b
                ),
            )
            for log_high, b in ((5.0, 0.2), (20.0, 0.1), (50.0, 0.0756), (200.0, 0.068))
        ],
    )
    for n, m in ((2, 2), (1, 4), (5, 3), (20, 20)):
        laws = product(SMOOTH[:8:2], SMOOTH[1:9:2])
        yield f"everybody may trade, {n} x {m}", [_alike(v, c, n, m) for v, c in laws]
    for name, (n, m, edges) in GRAPHS.items():
        laws = product(DISCRETE, DISCRETE)
        yield name, [_alike(value, cost, n, m, edges) for value, cost in laws]
    n, m, edges = GRAPHS["a path of four"]
    yield (
        "a path of four, at most one trade",
        [_alike(value, cost, n, m, edges, cap=1) for value, cost in product(DISCRETE, DISCRETE)],
    )


def _alike(
    value: str,
    cost: str,
    n: int,
    m: int,
    edges: list[tuple[int, int]] | None = None,
    cap: int | None = None,
) -> tuple[str, Callable[[], Market]]:
    """Name a market of agents alike, and say how to make it."""

    def make() -> Market:
        return Market(
            [{"id": f"b{k}", "prior": value} for k in range(n)],
            [{"id": f"s{k}", "prior": cost} for k in range(m)],
            None if edges is None else [(f"b{i}", f"s{j}") for i, j in edges],
            constraints=[] if cap is None else [{"kind": "cap", "limit": cap}],
        )

    return f"values {value}, costs {cost}", make


def _sampled(options: Options) -> list[Row]:
    """Sample sparse markets of many agents; both shares with their errors."""
    rows = []
    samples = options.monte_carlo or _SAMPLES
    for name in ("sparse-random", "neighbourhood-energy"):
        market = instances.get(name)
        found = certificate(market, options.rng, samples)
        share = found.share
        note = f"{share.mean:.4f} ± {share.stderr:.4f} by {samples:,} draws"
        rows.append(
            Row(f"{name}: profits, sampled", BOUND, share.mean - 4 * share.stderr, 0.0,
                "at least", note=f"less 4 standard errors; {note}")
        )  # fmt: skip
    return rows
