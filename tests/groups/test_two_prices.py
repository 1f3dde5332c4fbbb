"""Two prices: no lie pays, the two votes agree, ranks against counting, refusals."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from catallax.errors import CatallaxError, MechanismError, VotingRuleError
from catallax.groups import GroupReports, GroupTrade, get
from catallax.groups.characterise import characterise
from catallax.groups.rules import Majority, Quota, Unanimity
from catallax.groups.two_prices import RankedPrices, TwoPrices

# Tenths, so that products and sums are rounded.
TENTHS = [0.1, 0.3, 0.6, 0.7]


def black_box(mechanism, n, m):
    trade = GroupTrade(n, m, "uniform(0, 10)", "uniform(0, 10)")

    def decide(bids, asks):
        outcome = mechanism.decide(trade, GroupReports(bids, asks))
        return outcome.x, float(outcome.pays), float(outcome.receives)

    return decide


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (1, 3), (3, 2)])
@pytest.mark.parametrize(
    "mechanism",
    [RankedPrices(), RankedPrices(1, "100%"), RankedPrices("100%", 1, margin=0.2)],
    ids=repr,
)
def test_no_lie_pays_on_any_grid(mechanism, n, m) -> None:
    sellers = [value * n / m for value in TENTHS]
    found = characterise(black_box(mechanism, n, m), [TENTHS] * n, [sellers] * m, tolerance=1e-15)
    assert found.truthful.holds and found.two_prices.holds, found.story
    assert not found.balanced.holds


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (3, 2)])
def test_ranks_are_counted(n, m) -> None:
    rng = np.random.default_rng(0)
    trade = GroupTrade(n, m, "uniform(0, 10)", "uniform(0, 10)")
    traded = 0
    for _ in range(200):
        k, rank = int(rng.integers(1, n + 1)), int(rng.integers(1, m + 1))
        margin = float(rng.choice([0.0, 0.5, -0.5]))
        bids, asks = rng.integers(1, 9, n) / 4, rng.integers(1, 9, m) / 4
        outcome = RankedPrices(k, rank, margin).decide(trade, GroupReports(bids, asks))
        bid, ask = sorted(bids)[::-1][k - 1], sorted(asks)[rank - 1]
        assert outcome.x == (n * bid - m * ask >= margin)
        traded += outcome.x
        if outcome.x:
            assert outcome.pays == (m * Fraction(ask) + Fraction(margin)) / n
            assert outcome.receives == (n * Fraction(bid) - Fraction(margin)) / m
            # Enough of each side are in favour at the prices they get.
            assert sum(Fraction(one) >= outcome.pays for one in bids) >= k
            assert sum(Fraction(one) <= outcome.receives for one in asks) >= rank
            assert outcome.surplus == 2 * Fraction(margin) - (n * Fraction(bid) - m * Fraction(ask))
        else:
            assert outcome.pays == outcome.receives == 0
            favour = sum(one >= outcome.details["buyers_price"] for one in bids)
            assert favour < k
    assert 30 < traded < 170


def test_any_two_accounts_of_one_rule() -> None:
    """All of two buyers at the seller's ask is the same as the seller at the lower bid."""
    mechanism = TwoPrices(
        lambda asks: asks[0], lambda bids: bids.min(), Unanimity(), Quota("0%", 1)
    )
    found = characterise(black_box(mechanism, 2, 1), [TENTHS] * 2, [TENTHS])
    assert found.verdict == "two-prices"
    # A rule that hangs on the asks: dear goods need everybody, cheap ones a majority of three.
    dear = TwoPrices(
        lambda asks: 0.6 if asks[0] > 0.3 else 0.3,
        _most,
        lambda asks: Unanimity() if asks[0] > 0.3 else Majority(),
        Quota("0%", 1),
    )
    found = characterise(black_box(dear, 3, 1), [TENTHS] * 3, [TENTHS])
    assert found.truthful.holds, found.story
    assert found.verdict == "two-prices"


def _most(bids: np.ndarray) -> float:
    """The highest ask at which the buyers' vote would still be for the trade."""
    if (bids >= 0.6).all():
        return 10.0
    return 0.3 if (bids >= 0.3).sum() >= 2 else -1.0


def test_accounts_that_contradict_each_other_are_refused() -> None:
    mechanism = TwoPrices(lambda asks: asks[0], lambda bids: 0.5, Unanimity(), Unanimity())
    decide = black_box(mechanism, 1, 1)
    assert decide(np.array([0.7]), np.array([0.3]))[0] == 1
    with pytest.raises(CatallaxError, match=r"for the trade and the sellers' vote at 0\.5 against"):
        mechanism.decide(
            GroupTrade(1, 1, "uniform(0, 1)", "uniform(0, 1)"), GroupReports([0.7], [0.6])
        )


def test_prices_between_two_floats() -> None:
    """A third has no float: whoever bids the float below it is not in favour."""
    trade = GroupTrade(3, 1, "uniform(0, 1)", "uniform(0, 3)")
    below, above = np.nextafter(1 / 3, 0), np.nextafter(1 / 3, 1)
    for bid in (below, 1 / 3, above):
        outcome = RankedPrices(1, 1).decide(trade, GroupReports([bid, 0, 0], [1.0]))
        assert outcome.pays == (Fraction(1, 3) if outcome.x else 0)
        assert outcome.x == (Fraction(bid) >= Fraction(1, 3))
        assert outcome.details["buyers_in_favour"] == outcome.x
        assert outcome.details["sellers_in_favour"] == outcome.x


def test_reasons_name_both_prices() -> None:
    trade = GroupTrade(2, 2, "uniform(0, 1)", "uniform(0, 1)")
    outcome = get("ranked-prices", buyers=1, sellers=2).decide(
        trade, GroupReports([0.75, 0.25], [0.25, 0.5])
    )
    assert outcome.reason == (
        "trade: 1 of 2 buyers would pay 0.5, which the asks set, and 2 of 2 sellers would take "
        "0.75, which the bids set"
    )


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: RankedPrices(0, 1).ranks(2, 2), VotingRuleError, "asks for 0 of 2 buyers"),
        (lambda: RankedPrices(1, 3).ranks(2, 2), VotingRuleError, "asks for 3 of 2 sellers"),
        (lambda: RankedPrices(margin=float("nan")), MechanismError, "margin is nan"),
        (lambda: black_box(TwoPrices(lambda a: float("inf"), lambda b: 0, Majority(), Majority()),
                           1, 1)(np.zeros(1), np.zeros(1)), MechanismError, "buyers' price"),
        (lambda: black_box(TwoPrices(lambda a: 0, lambda b: "x", Majority(), Majority()),
                           1, 1)(np.zeros(1), np.zeros(1)), MechanismError, "sellers' price"),
    ],
)  # fmt: skip
def test_refusals(make, error, words) -> None:
    with pytest.raises(error, match=words):
        make()


def test_lists_of_ranks_cover_first_best_of_one_and_one() -> None:
    for bid, ask in itertools.product(TENTHS, repeat=2):
        x = black_box(RankedPrices(), 1, 1)(np.array([bid]), np.array([ask]))[0]
        assert x == (bid >= ask)
