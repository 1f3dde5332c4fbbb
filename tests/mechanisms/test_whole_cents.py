"""Prices in whole cents, as the documentation rounds them: nobody loses, and no bid gains."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import catallax as cx

PRIORS = ("uniform(0, 6.7)", "empirical([1.3, 2.7, 4.1, 5.9])")


def utility(
    market: cx.Market, mechanism: str, reports: list[np.ndarray], side: int, value: float
) -> float:
    """What the first agent of a side gains, a cent being 1: pays rounded up, receives down."""
    outcome = cx.clear(market, mechanism, cx.Reports(*reports))
    trade = outcome.partner(("buyer", "seller")[side], 0)
    if trade is None:
        return 0.0
    if side == 0:
        return value - math.ceil(outcome.buyer_pays[trade])
    return math.floor(outcome.seller_receives[trade]) - value


@pytest.mark.parametrize("mechanism", ["first-best", "gsom", "gbom"])
def test_rounding_in_favour_of_the_house_keeps_every_promise(mechanism: str) -> None:
    rng = np.random.default_rng(len(mechanism))
    traded = 0
    for _ in range(15):
        prior = PRIORS[rng.integers(2)]
        edges = [edge for edge in itertools.product("ab", "st") if rng.random() < 0.8]
        market = cx.Market(
            {"id": ["a", "b"], "prior": [prior] * 2},
            {"id": ["s", "t"], "prior": [prior] * 2},
            edges or [("a", "s")],
        )
        said = [rng.integers(2, 8, 2).astype(float), rng.integers(0, 6, 2).astype(float)]
        for side in (0, 1):
            value = float(said[side][0])
            honest = utility(market, mechanism, said, side, value)
            assert honest >= 0
            traded += honest > 0
            for report in range(9):
                other = [own.copy() for own in said]
                other[side][0] = report
                assert utility(market, mechanism, other, side, value) <= honest
    assert traded > 3
