"""Exhaustive deviations of single agents, for mechanisms with outcomes or lotteries."""

from __future__ import annotations

import numpy as np

import catallax as cx
from catallax.mechanisms import Lottery, Mechanism, Outcome


def branches(result: Outcome | Lottery) -> list[tuple[float, Outcome]]:
    """List the outcomes with their probabilities."""
    if isinstance(result, Lottery):
        return [(float(probability), outcome) for probability, outcome in result.outcomes]
    return [(1.0, result)]


def utilities(outcome: Outcome, bids: np.ndarray, asks: np.ndarray) -> np.ndarray:
    """Utility of every agent, buyers first, at true values and costs."""
    gained = np.zeros(bids.size + asks.size)
    gained[outcome.buyer_index] = bids[outcome.buyer_index] - outcome.buyer_pays
    gained[bids.size + outcome.seller_index] = outcome.seller_receives - asks[outcome.seller_index]
    return gained


def check_no_deviation_helps(
    market: cx.Market,
    mechanism: str | Mechanism,
    bids: np.ndarray,
    asks: np.ndarray,
    grid: np.ndarray,
    slack: float = 0.0,
) -> int:
    """Try every report of the grid for every agent, branch by branch; count those that hurt."""
    honest = [
        utilities(outcome, bids, asks)
        for _, outcome in branches(cx.clear(market, mechanism, cx.Reports(bids, asks)))
    ]
    assert all((gained >= -slack).all() for gained in honest)
    harmed = 0
    for agent in range(bids.size + asks.size):
        for report in grid:
            moved = np.concatenate([bids, asks])
            moved[agent] = report
            if moved[bids.size :].min(initial=0) < 0:
                continue
            reports = cx.Reports(moved[: bids.size], moved[bids.size :])
            lied = [
                utilities(outcome, bids, asks)[agent]
                for _, outcome in branches(cx.clear(market, mechanism, reports))
            ]
            # A number of branches that differs means that one side has a single, certain outcome.
            count = max(len(honest), len(lied))
            before = [gained[agent] for gained in honest] * (count // len(honest))
            after = lied * (count // len(lied))
            for one, two in zip(before, after, strict=True):
                assert two <= one + slack, (agent, report)
                harmed += two < one
    return harmed
