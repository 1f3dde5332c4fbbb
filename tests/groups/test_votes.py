"""Votes, forced trade and the best vote: against enumeration, all rules, known values, lies."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from catallax.errors import CatallaxError, ReportError, VotingRuleError
from catallax.groups import (
    Anonymous,
    BestVote,
    BooleanRule,
    Coalitions,
    ForcedTrade,
    GroupReports,
    GroupTrade,
    Majority,
    Quota,
    Scores,
    Unanimity,
    Vote,
    WeightedQuota,
    evaluate,
    first_best,
    make_rule,
)
from catallax.groups.best_price import candidates
from catallax.groups.best_rules import Demands, rule_at
from catallax.groups.rules import VotingRule
from catallax.priors import Discrete
from tests.groups.deviations import check_no_lie_pays

FIELDS = ("ir_buyers", "ir_sellers", "ir_both", "gains_from_trade", "first_best",
          "trade_probability", "buyers_utility", "sellers_utility")  # fmt: skip


def random_prior(rng: np.random.Generator) -> Discrete:
    """A prior on eighths, so that sums are exact and often tie."""
    values = rng.choice(9, int(rng.integers(1, 4)), replace=False) / 8
    masses = rng.integers(1, 5, values.size)
    return Discrete(values, masses / masses.sum())


def random_trade(rng: np.random.Generator, n: int, m: int, *, mixed: bool) -> GroupTrade:
    sides = []
    for size in (n, m):
        pool = [random_prior(rng) for _ in range(2 if mixed else 1)]
        sides.append([pool[int(rng.integers(len(pool)))] for _ in range(size)])
    return GroupTrade(n, m, *sides)


def profiles(trade: GroupTrade):
    """All profiles with their probabilities."""
    groups = (trade.buyers, trade.sellers)
    atoms = [group.prior_of(k).atoms for group in groups for k in range(len(group))]
    for row in itertools.product(
        *(zip(*(a.tolist() for a in pair), strict=True) for pair in atoms)
    ):
        values, masses = zip(*row, strict=True)
        yield values[: trade.n_buyers], values[trade.n_buyers :], math.prod(masses)


def by_enumeration(trade: GroupTrade, mechanism) -> dict[str, float]:
    """Every field from all profiles, one decision each."""
    n, m = trade.n_buyers, trade.n_sellers
    found: dict[str, float] = {name: 0.0 for name in FIELDS}
    for bids, asks, chance in profiles(trade):
        outcome = mechanism.decide(trade, GroupReports(bids, asks))
        gain = sum(bids) - sum(asks)
        buyers = outcome.x * sum(bids) - float(n * outcome.pays)
        sellers = float(m * outcome.receives) - outcome.x * sum(asks)
        content = buyers >= -1e-12, sellers >= -1e-12
        row = (content[0], content[1], all(content), outcome.x * gain, max(gain, 0.0),
               outcome.x, buyers, sellers)  # fmt: skip
        for name, number in zip(FIELDS, row, strict=True):
            found[name] += chance * number
    return found


def monotone_functions(size: int) -> list[tuple[bool, ...]]:
    """All monotone Boolean functions of votes, as tables: 2, 3, 6, 20, 168 of them."""
    if size == 0:
        return [(False,), (True,)]
    smaller = monotone_functions(size - 1)
    return [
        (*low, *high)
        for low in smaller
        for high in smaller
        if all(a <= b for a, b in zip(low, high, strict=True))
    ]


def rules_for(rng: np.random.Generator, n: int, m: int) -> list[VotingRule]:
    shares = [rng.integers(0, 6, size).astype(float) for size in (n, m)]
    for part in shares:
        part[0] += 1
    table = None
    if n + m <= 4:
        functions = monotone_functions(n + m)
        table = np.array(functions[int(rng.integers(len(functions)))])
    weights = 1 << np.arange(n + m)
    rules: list[VotingRule] = [
        Unanimity(), Majority(), Quota("50%", "1"), Quota(0, "60%"),
        WeightedQuota(shares[0], shares[1], buyers="60%", sellers="40%"),
        Scores(rng.integers(0, 5, n).tolist(), rng.integers(0, 5, m).tolist(), 6, 1, 0),
        Coalitions([([0], []), ([], list(range(m)))]),
    ]  # fmt: skip
    if table is not None:
        rules.append(BooleanRule(lambda b, s: bool(table[int(np.append(b, s) @ weights)])))
    return rules


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (2, 2), (1, 3), (3, 2)])
def test_exact_values_are_those_of_enumeration(n: int, m: int) -> None:
    rng = np.random.default_rng([n, m])
    for round_ in range(6):
        trade = random_trade(rng, n, m, mixed=bool(round_ % 2))
        price = float(rng.integers(0, 9)) / 8 * (m / n if rng.integers(2) else 1)
        mechanisms = [ForcedTrade(), BestVote(), *(Vote(price, r) for r in rules_for(rng, n, m))]
        for mechanism in mechanisms:
            exact = evaluate(trade, mechanism)
            for name, number in by_enumeration(trade, mechanism).items():
                assert getattr(exact, name) == pytest.approx(number, abs=1e-12), (mechanism, name)
            assert exact.method == "exact"
            assert exact.error_bound < 1e-6


def best_of_all(trade: GroupTrade) -> float:
    """The largest expected gain over all prices and all monotone functions of all votes."""
    n, m = trade.n_buyers, trade.n_sellers
    groups = (trade.buyers, trade.sellers)
    atoms = {v for k in range(n) for v in groups[0].prior_of(k).atoms[0].tolist()}
    atoms |= {c * m / n for k in range(m) for c in groups[1].prior_of(k).atoms[0].tolist()}
    points = sorted(atoms)
    prices = [*points, *((a + b) / 2 for a, b in itertools.pairwise(points))]
    tables = np.array(monotone_functions(n + m), float)
    best = -math.inf
    for price in prices:
        gains = np.zeros(2 ** (n + m))
        for bids, asks, chance in profiles(trade):
            votes = [bid >= price for bid in bids]
            votes += [m * ask <= n * price * (1 + 1e-15) for ask in asks]
            place = sum(vote << k for k, vote in enumerate(votes))
            gains[place] += chance * (sum(bids) - sum(asks))
        best = max(best, float((tables @ gains).max()))
    return best


def test_there_are_168_monotone_functions_of_four_votes() -> None:
    assert [len(monotone_functions(k)) for k in range(5)] == [2, 3, 6, 20, 168]


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 2), (2, 1), (2, 2), (1, 3)])
def test_the_best_vote_is_the_best_of_all_monotone_functions(n: int, m: int, mixed: bool) -> None:
    rng = np.random.default_rng([n, m, mixed])
    better = 0
    for _ in range(12):
        trade = random_trade(rng, n, m, mixed=mixed)
        chosen = BestVote().choose(trade)
        assert chosen.gains == pytest.approx(best_of_all(trade), abs=1e-12)
        forced = evaluate(trade, "forced-trade").gains_from_trade
        assert chosen.gains >= forced - 1e-12
        better += chosen.gains > forced + 1e-9
    assert better > 0


@pytest.mark.parametrize("size", [3, 4])
def test_the_best_vote_is_the_best_anonymous_one(size: int) -> None:
    rng = np.random.default_rng(size)
    for _ in range(3):
        trade = random_trade(rng, size, size, mixed=False)
        chosen = BestVote().choose(trade)
        points = sorted({*trade.buyers.prior_of(0).atoms[0], *trade.sellers.prior_of(0).atoms[0]})
        prices = [*points, *((a + b) / 2 for a, b in itertools.pairwise(points))]
        best = -math.inf
        for price in map(float, prices):
            for least in itertools.combinations_with_replacement(range(size + 2), size + 1):
                rule = Anonymous.from_least(least[::-1], size)
                best = max(best, quick_gain(trade, price, rule))
        assert chosen.gains == pytest.approx(best, abs=1e-12)


def quick_gain(trade: GroupTrade, price: float, rule: Anonymous) -> float:
    """The expected gain of a rule of counts, from binomials."""
    n, m = trade.n_buyers, trade.n_sellers
    sides = []
    for prior, size, sign in ((trade.buyers.prior_of(0), n, 1), (trade.sellers.prior_of(0), m, -1)):
        values, masses = prior.atoms
        yes = values >= price if sign > 0 else values <= price
        p = float(masses[yes].sum())
        up = float(values[yes] @ masses[yes]) / p if p else 0.0
        down = float(values[~yes] @ masses[~yes]) / (1 - p) if p < 1 else 0.0
        sides.append([
            (math.comb(size, k) * p**k * (1 - p) ** (size - k), sign * (k * up + (size - k) * down))
            for k in range(size + 1)
        ])  # fmt: skip
    return sum(
        chance * other * (value + cost)
        for k, (chance, value) in enumerate(sides[0])
        for l_, (other, cost) in enumerate(sides[1])
        if l_ >= rule.least[k]
    )


@pytest.mark.parametrize(
    ("n", "means", "share"),
    # Above and at equal means; a sample of four million profiles agrees with the first.
    [(5, (0.51, 0.49), 0.8814), (100, (0.51, 0.49), 0.9450), (5, (0.5, 0.5), 0.8404)],
)
def test_known_shares_of_the_best_vote(n: int, means, share: float) -> None:
    priors = [f"uniform({mean - 0.4}, {mean + 0.4})" for mean in means]
    trade = GroupTrade(n, n, *priors)
    best = evaluate(trade, "best-vote", monte_carlo=100_000, rng=n)
    assert best.share_of_first_best == pytest.approx(share, abs=5e-5)
    forced = evaluate(trade, "forced-trade")
    assert (best.share_of_first_best or 0) > (forced.share_of_first_best or 0)
    assert best.check is not None
    for name in FIELDS:
        error = best.check.stderr[name]
        assert abs(getattr(best.check, name) - getattr(best, name)) < 5 * error + 1e-12


@pytest.mark.parametrize(
    "priors", ["uniform(0, 1)", "lognormal(1, 1)", "mixture([point(0), uniform(0, 2)], [0.4, 0.6])"]
)
def test_no_price_of_a_fine_grid_is_better(priors: str) -> None:
    from catallax.groups.best_rules import Demands, rule_at

    trade = GroupTrade(4, 3, priors, "exponential(0.8)")
    chosen = BestVote().choose(trade)
    free = Demands(None, 0, 0)
    for price in np.linspace(0.0, 4.0, 801):
        assert rule_at(trade, float(price), free).gains <= chosen.gains * (1 + 1e-9)


def test_demands_are_met_and_cost_something() -> None:
    trade = GroupTrade(4, 4, "uniform(0.11, 0.91)", "uniform(0.09, 0.89)")
    free = evaluate(trade, "best-vote")
    safe = evaluate(trade, BestVote(least_better_off=0.9))
    assert min(free.ir_buyers, free.ir_sellers) < 0.9
    assert min(safe.ir_buyers, safe.ir_sellers) >= 0.9 - 1e-9
    assert free.gains_from_trade > safe.gains_from_trade > 0
    with_consent = BestVote(least_buyers=2, least_sellers="75%").choose(trade)
    table = with_consent.vote.rule.counts(4, 4)
    assert table is not None
    assert not table[:2].any()
    assert not table[:, :3].any()
    assert table[4, 4]
    assert with_consent.gains <= free.gains_from_trade
    for mixed in (BestVote(least_better_off=0.9), BestVote(least_buyers=3)):
        with pytest.raises(CatallaxError, match=r"demand"):
            mixed.choose(GroupTrade(2, 1, ["uniform(0, 1)", "uniform(0, 2)"], "uniform(0, 1)"))
    assert BestVote(least_better_off=0).choose(trade).gains == pytest.approx(free.gains_from_trade)


def test_members_of_different_priors_may_have_to_consent() -> None:
    trade = GroupTrade(3, 2, ["uniform(0, 1)", "uniform(0, 2)", "uniform(0, 2)"], "uniform(0, 1)")
    mechanism = BestVote(least_buyers=2, least_sellers=1)
    rule = mechanism.choose(trade).vote.rule
    votes = np.array(list(itertools.product([False, True], repeat=5)))
    accepted = rule.accepts(votes[:, :3], votes[:, 3:])
    assert accepted.any()
    assert not (accepted & ((votes[:, :3].sum(1) < 2) | (votes[:, 3:].sum(1) < 1))).any()
    exact = evaluate(trade, mechanism, monte_carlo=40_000, rng=0)
    assert exact.check is not None
    assert abs(exact.gains_from_trade - exact.check.gains_from_trade) < (
        5 * exact.check.stderr["gains_from_trade"]
    )


def test_many_members_of_different_priors_are_scored_roughly() -> None:
    """With too many kinds to list, scores are coarse, and still near the best at any price."""
    priors = [f"uniform(0, {1 + k / 20})" for k in range(15)]
    trade = GroupTrade(15, 1, priors, "uniform(4, 12)")
    exact = evaluate(trade, "best-vote", monte_carlo=20_000, rng=5)
    assert exact.check is not None
    assert abs(exact.gains_from_trade - exact.check.gains_from_trade) < (
        5 * exact.check.stderr["gains_from_trade"]
    )
    assert exact.gains_from_trade >= evaluate(trade, "forced-trade").gains_from_trade
    assert exact.gains_from_trade <= first_best(trade)[0]


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (2, 2), (1, 3), (3, 2)])
def test_no_lie_pays_and_budgets_balance(n: int, m: int) -> None:
    rng = np.random.default_rng([7, n, m])
    harmed = 0
    for _ in range(3):
        trade = random_trade(rng, n, m, mixed=True)
        price = float(rng.integers(1, 8)) / 8
        harmed += check_no_lie_pays(ForcedTrade(), trade, balanced=True)
        harmed += check_no_lie_pays(BestVote(), trade, balanced=True)
        for rule in rules_for(rng, n, m):
            harmed += check_no_lie_pays(Vote(price, rule), trade, balanced=True)
    assert harmed > 0


def test_amounts_mean_the_decimals_that_are_written() -> None:
    """Three times 0.7 is 2.1, whatever floats make of it; and so it is for all tenths."""
    for tenths, n in itertools.product(range(1, 30), (1, 2, 3, 6, 7)):
        price, total = tenths / 10, round(tenths * n, 0) / 10
        trade = GroupTrade(n, 1, "uniform(0, 3)", "uniform(0, 30)")
        outcome = Vote(price, "unanimity").decide(trade, GroupReports([price] * n, [total]))
        assert outcome.x == 1.0, (price, n)
        assert n * outcome.pays == outcome.receives
        above = math.nextafter(total, math.inf)
        assert Vote(price, "unanimity").decide(trade, GroupReports([price] * n, [above])).x == 0.0


def test_amounts_beyond_all_floats_are_refused() -> None:
    with pytest.raises(ReportError, match="larger unit"):
        Vote(1e308, "majority").prices(GroupTrade(3, 1, "point(1e308)", "point(0)"))


def test_a_rule_that_is_not_monotone_is_refused() -> None:
    def odd(buyers, sellers) -> bool:
        return (buyers.sum() + sellers.sum()) % 2 == 1

    trade = GroupTrade(2, 1, "uniform(0, 1)", "uniform(0, 1)")
    with pytest.raises(VotingRuleError, match="not monotone"):
        evaluate(trade, Vote(0.5, BooleanRule(odd)))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Vote(float("nan"), "majority"), "price"),
        (lambda: Vote("much", "majority"), "price"),
        (lambda: BestVote(least_better_off=2), "probability"),
        (
            lambda: BestVote(least_buyers=3).choose(GroupTrade(2, 2, *["uniform(0, 1)"] * 2)),
            "at most 2",
        ),
        (lambda: evaluate(GroupTrade(1, 1, *["uniform(0, 1)"] * 2), "smooth"), "no exact law"),
        (
            lambda: evaluate(GroupTrade(1, 1, *["uniform(0, 1)"] * 2), "best-vote", monte_carlo=9),
            "rng",
        ),
        (lambda: evaluate(GroupTrade(1, 1, *["uniform(0, 1)"] * 2), "vote"), "needs price"),
        (lambda: evaluate(GroupTrade(1, 1, *["uniform(0, 1)"] * 2), "best-vot"), "best-vote"),
    ],
)
def test_bad_input(make, match: str) -> None:
    with pytest.raises(CatallaxError, match=match):
        make()


def test_amounts_tie_as_they_are_written() -> None:
    """Exact laws against enumeration in fractions, at prices where sums meet the transfer."""
    halves = "discrete([0.2, 0.7], [0.5, 0.5])"
    for trade, price in (
        (GroupTrade(2, 3, "point(1.1)", halves), 0.3),  # a seller receives 0.2
        (GroupTrade(3, 3, "point(0.3)", "point(0.1)"), 0.3),
        (GroupTrade(3, 3, "point(0.3)", "point(0.1)"), 0.1),
        (GroupTrade(3, 1, "discrete([0, 0.3], [0.75, 0.25])", "point(0.9)"), 0.3),
    ):
        found = evaluate(trade, "vote", price=price, rule="unanimity")
        assert (found.ir_buyers, found.ir_sellers, found.ir_both) == (1.0, 1.0, 1.0)
    # Prices that are tried are decimals too, so that who would not lose by one votes for it.
    tried = candidates(GroupTrade(3, 1, "point(0.2)", "discrete([0, 0.3], [0.5, 0.5])"))
    assert 0.1 in tried.tolist()
    tried = candidates(GroupTrade(3, 2, "point(0.2)", "discrete([0, 0.1], [0.5, 0.5])"))
    assert any(Vote(price).prices(GroupTrade(3, 2, "point(0)", "point(0)")).largest_ask == 0.1
               for price in tried.tolist())  # fmt: skip


def test_votes_that_tell_next_to_nothing_still_make_a_rule() -> None:
    """A need far beyond all points is "always" or "never", not a number too large to write."""
    trade = GroupTrade(3, 7, ["lognormal(0.4, 1)", "piecewise([0, 1, 2], [0, 0.9, 1])",
                              "equal-revenue(0.1, 2)"], "point(0.5)")  # fmt: skip
    found = evaluate(trade, "best-vote")
    assert found.gains_from_trade >= 0
    assert found.gains_from_trade <= found.first_best


def test_a_decision_says_which_condition_is_met_or_how_many_are_short() -> None:
    trade = GroupTrade(3, 1, "uniform(0, 9)", "uniform(0, 99)")
    rule = Anonymous.from_least([2, 1, 1, 0], 1)  # 1 buyer and the seller, or 3 buyers
    for bids, ask, end in (
        ([5, 5, 0], 9, "3 buyers (the first is met)"),
        ([5, 5, 5], 99, "3 buyers (the second is met); the seller is overruled"),
        ([5, 5, 0], 99, "3 buyers (1 seller or 1 buyer short)"),
        ([5, 0, 0], 99, "3 buyers (1 seller short)"),
        ([0, 0, 0], 9, "3 buyers (1 buyer short)"),
        ([0, 0, 0], 99, "3 buyers (1 buyer and 1 seller short)"),
    ):
        said = Vote(4, rule).decide(trade, GroupReports(bids, [ask]))
        assert said.reason.endswith(end), said.reason
        assert said.reason.startswith("trade") == ("met" in end)
    one = Vote(4, "majority").decide(trade, GroupReports([5, 5, 0], [9]))
    assert one.reason.endswith("1 of 1 seller")
    one = Vote(4, "unanimity").decide(trade, GroupReports([0, 5, 0], [99]))
    assert one.reason.endswith("(2 buyers and 1 seller short)")
    many = GroupTrade(5, 5, "uniform(0, 1)", "uniform(0, 1)")
    rule = Anonymous.from_least([5, 4, 3, 2, 1, 0], 5)
    one = Vote(0.5, rule).decide(many, GroupReports([1, 1, 1, 1, 0], [1, 1, 1, 1, 0.1]))
    assert one.reason.endswith("2 further pairs (met: 4 buyers and 1 seller)")
    one = Vote(0.5, rule).decide(many, GroupReports([1, 0, 0, 0, 0], [1, 1, 0, 1, 0]))
    assert one.reason.endswith("2 further pairs (2 votes short)")


@pytest.mark.parametrize(
    "spec",
    [
        {"least": None, "sellers": 2}, {"least": [1.9, 1.9, 0.5], "sellers": 2},
        {"least": [1, 0], "sellers": 2.7}, {"least": [1, 0], "sellers": float("nan")},
        {"least": 0, "sellers": 2}, {"least": [], "sellers": 2}, {"least": [[1]], "sellers": 2},
        {"least": [1, "a"], "sellers": 2}, {"least": {}, "sellers": 2},
        {"least": [1, 0], "sellers": []}, {"least": [1, 0], "sellers": 0}, {"table": 10**401},
    ],
)  # fmt: skip
def test_an_odd_table_of_numbers_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(VotingRuleError):
        make_rule({"kind": "anonymous", **spec})


@pytest.mark.parametrize("sellers", [1, 2])
def test_a_price_too_large_for_sums_is_refused(sellers: int) -> None:
    trade = GroupTrade(2, sellers, "uniform(0, 1e308)", "uniform(0, 1)")
    with pytest.raises(CatallaxError, match="too large"):
        Vote(1e308, "quota(0, 1)").decide(trade, GroupReports([1e308, 1e308], [0.5] * sellers))


def test_who_nearly_always_agrees_has_the_mean_of_those_who_would_not() -> None:
    """What is left of the mean is smaller than its rounding."""
    costs = ["exponential(1)", "uniform(0, 0.1)"]
    trade = GroupTrade(1, 2, "uniform(0, 1)", costs)
    found = rule_at(trade, 100.0, Demands(None, 0, 0))
    assert found.gains == 0.0
