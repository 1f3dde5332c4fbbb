"""No lie pays, and budgets balance exactly: every mechanism of the register, unequal sizes too."""

from __future__ import annotations

import numpy as np
import pytest

from catallax.groups import (
    GroupClaims,
    GroupMechanism,
    GroupOutcome,
    GroupReports,
    GroupTrade,
    RankedPrices,
    Smooth,
    TwoPrices,
    Unanimity,
    characterise,
)
from catallax.groups.rule_tables import black_box
from catallax.priors import Discrete
from tests.groups.deviations import check_no_lie_pays, supports

SIZES = [(1, 1), (2, 1), (1, 3), (2, 2), (3, 2)]


def random_trade(rng: np.random.Generator, n: int, m: int) -> GroupTrade:
    """Members of different priors, on thirds and tenths, the sides' totals of one size."""

    def prior(scale: float) -> Discrete:
        size = int(rng.integers(2, 4))
        values = rng.choice([0.1, 0.3, 1 / 3, 0.6, 2 / 3, 0.7, 0.9], size, replace=False) * scale
        masses = rng.integers(1, 5, size)
        return Discrete(values, masses / masses.sum())

    return GroupTrade(n, m, [prior(1.0) for _ in range(n)], [prior(n / m) for _ in range(m)])


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_two_prices(n, m) -> None:
    rng = np.random.default_rng(n + 10 * m)
    harmed = 0
    for _ in range(4):
        trade = random_trade(rng, n, m)
        for mechanism in (
            RankedPrices(),
            RankedPrices(1, "100%"),
            RankedPrices("100%", 1, margin=0.2),
            RankedPrices(1, 1, margin=-0.1),
        ):
            harmed += check_no_lie_pays(mechanism, trade, balanced=False)
        low = TwoPrices(
            lambda asks, m=m, n=n: m * float(asks.max()) / n,
            lambda bids, m=m, n=n: n * float(bids.min()) / m,
            Unanimity(),
            Unanimity(),
        )
        if n == m:  # elsewhere the products are rounded, and the two votes may differ
            harmed += check_no_lie_pays(low, trade, balanced=False)
    assert harmed > 0


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_smooth(n, m) -> None:
    rng = np.random.default_rng(n + 10 * m)
    harmed = 0
    for _ in range(2):
        trade = random_trade(rng, n, m)
        for balanced in (True, False):
            mechanism = Smooth(balanced=balanced)
            harmed += check_no_lie_pays(mechanism, trade, balanced=balanced, tolerance=1e-14)
            curved = Smooth(lambda z: 0.4 * np.tanh(z), lambda z: 0.5 / (1 + z), balanced=balanced)
            harmed += check_no_lie_pays(curved, trade, balanced=balanced, tolerance=1e-11)
    assert harmed > 0


def test_the_helper_finds_lies() -> None:
    """First best with the price halfway is not truthful, and an unpaid share is no balance."""

    class Halfway(GroupMechanism):
        slug = "halfway"
        summary = "first best, halfway"
        claims = GroupClaims("none", "strong", "always")

        def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
            from fractions import Fraction

            n, m = trade.n_buyers, trade.n_sellers
            total = Fraction(float(reports.bids.sum() + reports.asks.sum())) / 2
            x = float(reports.bids.sum() >= reports.asks.sum())
            paid = total if x else Fraction(0)
            return GroupOutcome("halfway", n, m, x, paid / n, paid / m, "")

    trade = random_trade(np.random.default_rng(0), 2, 1)
    with pytest.raises(AssertionError):
        check_no_lie_pays(Halfway(), trade, balanced=True)
    with pytest.raises(AssertionError):
        check_no_lie_pays(RankedPrices(), trade, balanced=True)
    # The black box says the same of it.
    values = supports(trade)
    found = characterise(black_box(Halfway(), trade), values[:2], values[2:])
    assert found.verdict == "not-truthful"
    found = characterise(black_box(RankedPrices(), trade), values[:2], values[2:])
    assert found.truthful.holds and not found.balanced.holds
