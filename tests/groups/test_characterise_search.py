"""The search for witnesses where not every profile can be looked at."""

from __future__ import annotations

import numpy as np
import pytest

from catallax.errors import MechanismError, ReportError
from catallax.groups import GroupReports, GroupTrade
from catallax.groups.boolean_rules import Coalitions
from catallax.groups.characterise.search import characterise_by_search
from catallax.groups.rules import Majority, Quota
from catallax.groups.two_prices import RankedPrices
from catallax.groups.witnesses import Deviation, Imbalance, TwoPivots
from catallax.priors import Uniform, parse_prior

UNIT = (0.0, 1.0)


def vote(rule, transfer, n, m):
    def decide(bids, asks):
        x = bool(rule.accepts(bids >= transfer / n, asks <= transfer / m))
        return x, x * transfer / n, x * transfer / m

    return decide


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 2), (2, 4)])
@pytest.mark.parametrize("rule", [Majority(), Quota(1, "100%")], ids=repr)
def test_prices_and_rules_are_found(rule, n, m) -> None:
    transfer = 0.371 * n
    limit = (0.0, 2.0)
    found = characterise_by_search(
        vote(rule, transfer, n, m), [limit] * n, [limit] * m, rng=n + m, evaluations=4000
    )
    assert found.verdict == "undecided" and not found.exhaustive
    assert found.transfer == pytest.approx((transfer, transfer), abs=1e-6)
    assert found.truthful.holds is found.balanced.holds is found.one_price.holds is None
    votes = np.array(np.meshgrid(*[[False, True]] * (n + m))).reshape(n + m, -1).T
    expected = rule.accepts(votes[:, :n], votes[:, n:])
    assert (found.rule.accepts(votes[:, :n], votes[:, n:]) == expected).all()
    assert "it looks like a vote at 0.371" in found.story


def test_first_best_is_broken() -> None:
    def first_best(bids, asks):
        x = bids.sum() >= asks.sum()
        transfer = x * (bids.sum() + asks.sum()) / 2
        return x, transfer / bids.size, transfer / asks.size

    for n, m in ((1, 1), (2, 3), (40, 30)):
        limits = [parse_prior("uniform(0, 1)")] * n, [Uniform(0, n / m)] * m
        found = characterise_by_search(first_best, *limits, rng=0, evaluations=3000)
        assert found.verdict == "not-truthful"
        witness = found.truthful.witness
        assert isinstance(witness, Deviation)
        bids, asks = np.array(witness.bids), np.array(witness.asks)
        own = (bids if witness.side == "buyer" else asks).copy()
        truth, honest = own[witness.member], first_best(bids, asks)
        own[witness.member] = witness.lie
        lied = first_best(*((own, asks) if witness.side == "buyer" else (bids, own)))
        before, after = (
            truth * x - p if witness.side == "buyer" else r - truth * x
            for x, p, r in (honest, lied)
        )
        assert after - before == pytest.approx(witness.gain)


def test_decisions_alone() -> None:
    """Without payments: what no payments can mend, and what needs two prices."""
    found = characterise_by_search(
        lambda b, a: b.sum() >= a.sum(), [UNIT] * 2, [UNIT] * 2, rng=1, evaluations=3000
    )
    assert found.verdict == "not-truthful" and found.balanced is None
    witness = found.two_prices.witness
    assert isinstance(witness, TwoPivots) and witness.first.side == witness.second.side
    same = "asks" if witness.first.side == "buyer" else "bids"
    assert getattr(witness.first, same) == getattr(witness.second, same)
    odd = characterise_by_search(
        lambda b, a: int((b > 0.5).sum()) == 1, [UNIT] * 2, [UNIT], rng=1, evaluations=3000
    )
    assert odd.verdict == "not-truthful" and "not monotone" in odd.story


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (2, 3)])
def test_two_prices_are_told_from_one(n, m) -> None:
    mechanism = RankedPrices()
    trade = GroupTrade(n, m, "uniform(0, 1)", "uniform(0, 1)")

    def black_box(bids, asks):
        outcome = mechanism.decide(trade, GroupReports(bids, asks))
        return outcome.x, float(outcome.pays), float(outcome.receives)

    found = characterise_by_search(black_box, [UNIT] * n, [UNIT] * m, rng=2, evaluations=3000)
    assert found.truthful.holds is None and found.verdict == "undecided"
    assert found.one_price.holds is False and isinstance(found.one_price.witness, TwoPivots)
    assert found.balanced.holds is False and isinstance(found.balanced.witness, Imbalance)
    assert "it needs two prices" in found.story


def test_the_seed_decides_and_the_budget_holds() -> None:
    calls = []

    def counted(bids, asks):
        calls.append(1)
        return vote(Majority(), 1.0, 2, 2)(bids, asks)

    told: list[float] = []
    arguments = ([UNIT] * 2, [UNIT] * 2)
    first = characterise_by_search(
        counted, *arguments, rng=7, evaluations=500, progress=lambda part, _: told.append(part)
    )
    assert 500 <= len(calls) < 500 + 100
    assert told == sorted(told) and told[-1] == 1.0
    again = characterise_by_search(counted, *arguments, rng=7, evaluations=500)
    assert first.to_dict() == again.to_dict()


def test_constant_rules_leave_everything_open() -> None:
    found = characterise_by_search(lambda b, a: (0, 0, 0), [UNIT], [UNIT], rng=0, evaluations=100)
    assert found.transfer is None and found.rule is None and found.verdict == "undecided"
    assert found.to_dict()["rule"] is None


def test_a_rule_of_many_is_not_written_down() -> None:
    found = characterise_by_search(
        vote(Majority(), 5.0, 10, 10), [UNIT] * 10, [UNIT] * 10, rng=0, evaluations=6000
    )
    assert found.rule is None and found.transfer == pytest.approx((5.0, 5.0), abs=1e-5)
    small = characterise_by_search(lambda b, a: b[0] >= 0.5, [UNIT], [UNIT], rng=0, evaluations=200)
    assert small.rule == Coalitions([([0], [])])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: characterise_by_search(lambda b, a: 1, [(1, 0)], [UNIT], rng=0), ReportError,
         "reports of buyer 1"),
        (lambda: characterise_by_search(lambda b, a: 1, [UNIT], [3], rng=0), ReportError,
         "reports of seller 1"),
        (lambda: characterise_by_search(lambda b, a: 1, [], [UNIT], rng=0), ReportError,
         "a buyer and a seller"),
        (lambda: characterise_by_search(lambda b, a: 0.5, [UNIT], [UNIT], rng=0), MechanismError,
         "characterise_smooth"),
    ],
)  # fmt: skip
def test_refusals(make, error, words) -> None:
    with pytest.raises(error, match=words):
        make()
