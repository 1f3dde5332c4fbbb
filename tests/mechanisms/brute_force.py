"""Ironing and clearing by definition, in exact fractions, for small discrete markets."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.matching.brute_force import Answer, all_matchings, solve

# Masses are eighths and values multiples of 840 = lcm(1, ..., 8): every ironed virtual value
# is then a whole number, exact in floating point too.
UNIT = 840
MASSES = [
    [8],
    [4, 4],
    [2, 6],
    [6, 2],
    [2, 2, 4],
    [1, 5, 2],
    [4, 2, 2],
    [1, 4, 1, 2],
    [2, 1, 1, 1, 3],
    [1, 1, 1, 1, 1, 1, 1, 1],
]


def random_prior(rng: np.random.Generator, largest: int) -> tuple[list[int], list[Fraction]]:
    """Draw atoms (multiples of UNIT) and their masses (eighths)."""
    masses = MASSES[rng.integers(len(MASSES))]
    if len(masses) > largest + 1:
        masses = [8]
    values = np.sort(rng.choice(largest + 1, len(masses), replace=False)) * UNIT
    return values.tolist(), [Fraction(m, 8) for m in masses]


def virtual_value(values: list[int], masses: list[Fraction], bid: int) -> Fraction | None:
    """Slope of the concave hull of the revenue curve at a bid; None below the support."""
    if bid < values[0]:
        return None
    points = [(Fraction(0), Fraction(0))]
    for k in range(len(values) - 1, -1, -1):
        q = points[-1][0] + masses[k]
        points.append((q, q * values[k]))
    at = max(k for k in range(len(values)) if values[k] <= bid)
    left, right = points[len(values) - 1 - at], points[len(values) - at]
    # The hull over [left, right] is the segment joining the two hull points around it.
    slope = None
    for a in points:
        for b in points:
            if a[0] <= left[0] and b[0] >= right[0]:
                s = (b[1] - a[1]) / (b[0] - a[0])
                lies_above = all(p[1] <= a[1] + s * (p[0] - a[0]) for p in points)
                if lies_above:
                    slope = s
    assert slope is not None
    return slope


def virtual_cost(values: list[int], masses: list[Fraction], ask: int) -> Fraction | None:
    """Mirror of `virtual_value`; None above the support."""
    mirrored = virtual_value([-v for v in reversed(values)], masses[::-1], -ask)
    return None if mirrored is None else -mirrored


OUT = 10**7


def whole(level: Fraction | None, missing: int) -> int:
    """Turn a level into a whole number; an impossible one into a number out of reach."""
    if level is None:
        return missing
    assert level.denominator == 1
    return int(level)


def weigh(mechanism: str, priors, bids, asks) -> tuple[list[int], list[int]]:
    """Weights of a mechanism, from its definition."""
    buyer_priors, seller_priors = priors
    buyers, sellers = list(bids), list(asks)
    if mechanism == "gsom":
        pairs = zip(buyer_priors, bids, strict=True)
        buyers = [whole(virtual_value(*p, b), -OUT) for p, b in pairs]
    if mechanism == "gbom":
        pairs = zip(seller_priors, asks, strict=True)
        sellers = [whole(virtual_cost(*p, s), OUT) for p, s in pairs]
    return buyers, sellers


def clear(mechanism: str, edges, priors, bids, asks) -> Answer:
    """Try all matchings."""
    matchings = all_matchings(len(bids), len(asks), edges)
    return solve(matchings, *weigh(mechanism, priors, bids, asks))


def payment(mechanism: str, edges, priors, bids, asks, agent: int, level: int) -> int:
    """Find what a trading agent pays or receives: the last report with which she trades."""
    n_buyers = len(bids)
    if agent < n_buyers:
        if mechanism != "gsom":
            return level
        winning = []
        for z in priors[0][agent][0]:
            moved = [*bids[:agent], z, *bids[agent + 1 :]]
            if clear(mechanism, edges, priors, moved, asks).trades[agent]:
                winning.append(z)
        return min(winning)
    if mechanism != "gbom":
        return level
    j = agent - n_buyers
    winning = []
    for z in priors[1][j][0]:
        moved = [*asks[:j], z, *asks[j + 1 :]]
        if clear(mechanism, edges, priors, bids, moved).trades[agent]:
            winning.append(z)
    return max(winning)
