"""McAfee's double auction and trade reduction among n buyers and n sellers of uniform values."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact import exact_values
from catallax.markets import Market
from catallax.mechanisms.double_auction import Rule
from catallax.mechanisms.mcafee import mcafee
from catallax.mechanisms.trade_reduction import trade_reduction
from catallax.papers.registry import Options, register
from catallax.papers.reproduction import Reproduction, Row

__all__ = ["mcafee_table", "published_shares"]

_LEVEL = 4.0
_HALF_DIGIT = 0.005
_ROUNDED = 0.01 / 12**0.5
"""The standard deviation of what rounding to two digits adds."""
# To know how far apart runs are, two digits of it, so many numbers are drawn.
_NUMBERS = 2_000_000
_AUCTIONS: tuple[tuple[str, str, str, Rule], ...] = (
    ("McAfee", "mcafee", "mcafee", mcafee),
    ("trade reduction", "trade-reduction", "trade_reduction", trade_reduction),
)


def published_shares() -> dict[str, Any]:
    """Return the published shares: rows by n, and how many runs each is the mean of."""
    text = files("catallax.papers") / "data" / "double_auction_shares.json"
    return json.loads(text.read_text(encoding="utf-8"))


@register(
    "mcafee",
    "McAfee's double auction and trade reduction: percent of the optimal gains, 2 to 1,000 a side",
    "McAfee (JET 1992); figures of simulations by erelsgl/auctions",
)
def mcafee_table(options: Options) -> Reproduction:
    """Put exact shares beside those of 50,000 runs."""
    published = published_shares()
    rows: list[Row] = []
    for place, given in enumerate(published["rows"]):
        n = given["n"]
        options.tell(place / len(published["rows"]), f"{n} buyers and {n} sellers")
        for name, slug, key, rule in _AUCTIONS:
            total, traders = _shares(slug, n)
            errors = _errors(rule, n, published["runs"], options)
            for what, ours, error in (("total", total, errors[0]), ("traders", traders, errors[1])):
                rows.append(
                    Row(
                        f"{name}, n = {n}: {_WORDS[what]}",
                        given[f"{key}_{what}"],
                        100 * ours,
                        _LEVEL * error + _HALF_DIGIT,
                        unit=("standard_errors", (error**2 + _ROUNDED**2) ** 0.5),
                        note=f"standard error of {published['runs']:,} runs {error:.2g}",
                    )
                )
    notes = (
        "ours are exact, by order statistics: percent of E[gains] / E[optimal gains]",
        "a figure agrees within 4 standard errors of its runs and half of its last digit",
        "with one value on [0, 1] drawn by everybody, n = 2: 37/48 and 11/16 by McAfee, 1/4 and "
        "1/6 by trade reduction",
    )
    return Reproduction("mcafee", tuple(rows), notes)


_WORDS = {"total": "gains", "traders": "gains of the traders"}


def _shares(slug: str, n: int) -> tuple[float, float]:
    """Return exact shares of the optimal gains: with and without the mechanism's surplus."""
    agents = [{"id": k, "prior": "uniform(1, 1000)"} for k in range(n)]
    market = Market(agents, agents)
    found, best = exact_values(market, slug), exact_values(market, "first-best")
    assert found is not None and best is not None
    traders = found.buyers_utility + found.sellers_utility
    return found.gains_from_trade / best.gains_from_trade, traders / best.gains_from_trade


def _errors(rule: Rule, n: int, runs: int, options: Options) -> tuple[float, float]:
    """Return the standard errors, in percent, of shares that are ratios of means over runs."""
    rng = np.random.default_rng([options.rng, n])
    count = options.monte_carlo or max(1000, min(20_000, _NUMBERS // n))
    gains, kept, best = (np.empty(count) for _ in range(3))
    step = max(1, _NUMBERS // n)
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        gains[part], kept[part], best[part] = _runs(rule, rng, part.stop - start, n)
    return _error(gains, best, runs), _error(gains - kept, best, runs)


Array = NDArray[np.float64]


def _runs(rule: Rule, rng: np.random.Generator, count: int, n: int) -> tuple[Array, Array, Array]:
    """Return gains, the mechanism's surplus and the optimal gains of some runs."""
    bids, asks = -np.sort(-rng.random((count, n)), axis=1), np.sort(rng.random((count, n)), axis=1)
    decided = rule(bids, asks)
    trading = np.arange(n) < decided.trades[:, None]
    margin = np.nan_to_num(decided.buyer_pays - decided.seller_receives)
    best = np.maximum(bids - asks, 0.0).sum(axis=1)
    return ((bids - asks) * trading).sum(axis=1), margin * decided.trades, best


def _error(part: Array, whole: Array, runs: int) -> float:
    share = part.mean() / whole.mean()
    return float(100 * np.std(part - share * whole) / whole.mean() / runs**0.5)
