"""Smooth lotteries: Theorem 5.1's payments, no lie pays, balance, refusals, and its black box."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate

from catallax.errors import MechanismError, ReportError
from catallax.groups import GroupReports, GroupTrade, evaluate
from catallax.groups.characterise.smooth import characterise_smooth
from catallax.groups.components import Polynomial, SmoothFunction, read_component
from catallax.groups.rule_tables import RuleTable
from catallax.groups.smooth import Smooth
from catallax.groups.witnesses import Deviation, Interaction, Reversal
from tests.groups.test_characterise import implementable

UNIT = "uniform(0, 1)"


def trade(n: int, m: int, prior: str = UNIT) -> GroupTrade:
    return GroupTrade(n, m, prior, prior)


RULES = {
    "linear": Smooth(),
    "balanced": Smooth(balanced=True),
    "polynomials": Smooth(buyers=[0, 0, 0.5], sellers=[0.4, -0.2, 0, -0.2]),
    "functions": Smooth(
        buyers=lambda z: 0.3 * np.sin(z) ** 2, sellers=lambda z: 0.5 * np.exp(-z), constant=0.1
    ),
    "balanced-functions": Smooth(
        buyers=lambda z: 0.3 * np.sqrt(1 + z), sellers=lambda z: 0.5 / (1 + z), balanced=True
    ),
    "pairs": Smooth(pairs=lambda b, a: b**2 * (1 - a) ** 3),
    "everything": Smooth([0, 0.2], [0.2, -0.2], lambda b, a: 0.6 * np.tanh(b) * np.exp(-a)),
}


def paper_payments(rule, bids: np.ndarray, asks: np.ndarray) -> tuple[float, float]:
    """The formulas of Theorem 5.1 on [0, 1], from x alone, constants given to the first member."""

    def x(b, a):
        return float(rule.chance(b, a))

    p = r = 0.0
    zero, one = np.zeros_like(bids), np.ones_like(asks)
    for i, bid in enumerate(bids):

        def f(z, i=i):
            moved = zero.copy()
            moved[i] = z
            return x(moved, asks) - (0.0 if i == 0 else x(zero, asks))

        p += bid * f(bid) - integrate.quad(f, 0, bid, epsabs=1e-12)[0]
    for j, ask in enumerate(asks):

        def g(z, j=j):
            moved = one.copy()
            moved[j] = z
            return x(bids, moved) - (0.0 if j == 0 else x(bids, one))

        r += ask * g(ask) + integrate.quad(g, ask, 1, epsabs=1e-12)[0]
    return p, r


@pytest.mark.parametrize("name", ["linear", "polynomials", "functions", "pairs", "everything"])
def test_payments_are_those_of_the_theorem(name) -> None:
    rng = np.random.default_rng(0)
    for n, m in [(1, 1), (2, 3), (3, 1)]:
        groups = trade(n, m)
        for _ in range(3):
            bids, asks = rng.random(n), rng.random(m)
            outcome = RULES[name].decide(groups, GroupReports(bids, asks))
            expected = paper_payments(RULES[name].on(groups), bids, asks)
            assert (float(outcome.pays), float(outcome.receives)) == pytest.approx(
                expected, abs=1e-9
            )


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (1, 3), (2, 2)])
def test_no_lie_pays(name, n, m) -> None:
    """All deviations on a grid, in expectation over the lottery."""
    grid = np.linspace(0, 1, 4)
    groups = trade(n, m)

    def black_box(bids, asks):
        outcome = RULES[name].decide(groups, GroupReports(bids, asks))
        return outcome.x, float(outcome.pays), float(outcome.receives)

    found = characterise_smooth(black_box, [grid] * n, [grid] * m)
    assert found.verdict == "smooth-truthful"
    assert found.separable.holds and found.monotone.holds and found.truthful.holds
    assert found.balanced.holds == ("balanced" in name)
    assert found.additive.holds == (name not in ("pairs", "everything"))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 2), (2, 7)])
def test_the_balanced_budget_is_exact(n, m) -> None:
    rng = np.random.default_rng(1)
    for name in ("balanced", "balanced-functions"):
        for _ in range(10):
            reports = GroupReports(rng.random(n), rng.random(m))
            outcome = RULES[name].decide(trade(n, m), reports)
            assert n * outcome.pays == m * outcome.receives
            assert outcome.surplus == Fraction(0)


def test_other_intervals() -> None:
    """On [2, 5] the lowest bids pay 2 x and the highest asks receive 5 x: nothing is left."""
    groups = GroupTrade(2, 3, "uniform(2, 5)", "uniform(2, 5)")
    rule = Smooth(buyers=[-0.2, 0.1], sellers=[0.6, -0.1])
    outcome = rule.decide(groups, GroupReports([2, 2], [3, 4, 5]))
    assert outcome.buyer_utilities(np.full(2, 2.0)) == pytest.approx(0.0)
    outcome = rule.decide(groups, GroupReports([2, 5], [5, 5, 5]))
    assert outcome.seller_utilities(np.full(3, 5.0)) == pytest.approx(0.0)
    grid = np.linspace(2, 5, 4)
    for one in (rule, Smooth(), Smooth(balanced=True)):

        def black_box(bids, asks, one=one):
            given = one.decide(groups, GroupReports(bids, asks))
            return given.x, float(given.pays), float(given.receives)

        found = characterise_smooth(black_box, [grid] * 2, [grid] * 3)
        assert found.truthful.holds and found.separable.holds


def test_expected_gains_against_all_profiles_of_discrete_priors() -> None:
    priors = ["discrete([0, 0.5, 1], [0.2, 0.5, 0.3])", "discrete([0.25, 0.75], [0.5, 0.5])"]
    groups = GroupTrade(2, 3, priors, ["point(0.5)", priors[0], priors[1]])
    for name in ("linear", "polynomials", "functions"):
        rule = RULES[name].on(groups) if name != "linear" else Smooth(support=[0, 1]).on(groups)
        gain = chance = 0.0
        sides = (groups.buyers, groups.sellers)
        laws = [side.prior_of(k).atoms for side in sides for k in range(len(side))]
        for places in itertools.product(*(range(len(values)) for values, _ in laws)):
            values = np.array([v[k] for (v, _), k in zip(laws, places, strict=True)])
            mass = np.prod([w[k] for (_, w), k in zip(laws, places, strict=True)])
            x = rule.chance(values[:2], values[2:])
            chance += mass * x
            gain += mass * x * (values[:2].sum() - values[2:].sum())
        assert rule.expected(groups) == pytest.approx((gain, chance), abs=1e-12)
    with pytest.raises(MechanismError, match="pairs"):
        RULES["pairs"].on(groups).expected(groups)


def test_expected_gains_of_densities_against_samples() -> None:
    groups = GroupTrade(3, 2, "beta(2, 3)", "normal(0.5, 0.2, 0, 1)")
    rule = RULES["functions"].on(groups)
    values, costs = groups.sample(3, 50_000)
    x = rule.chance(values, costs)
    assert x.shape == (50_000,)
    gains = x * (values.sum(axis=1) - costs.sum(axis=1))
    gain, chance = rule.expected(groups)
    assert abs(gains.mean() - gain) < 4 * gains.std() / np.sqrt(gains.size)
    assert abs(x.mean() - chance) < 4 * x.std() / np.sqrt(x.size)


def test_polynomials_and_functions_agree() -> None:
    for coefficients in ([0.3], [0, 0.5], [0.1, 0.2, -0.1, 0.05]):
        exact = Polynomial(tuple(coefficients))
        other = SmoothFunction(lambda z, exact=exact: exact(z))
        ends = np.array([0.7, -0.3, 0.7, 1.2])
        assert exact.integral(-0.5, ends) == pytest.approx(other.integral(-0.5, ends), abs=1e-12)
        for sign in (1, -1):
            assert (exact.turn(0, 1, sign) is None) == (other.turn(0, 1, sign) is None)
    # A dip narrower than the grid of functions is seen by polynomials.
    first, second = 0.25015, 0.25035
    dip = Polynomial((0.0, 3 * first * second, -1.5 * (first + second), 1.0))
    assert dip.turn(0, 1, 1) == pytest.approx((first, second))
    assert SmoothFunction(dip).turn(0, 1, 1) is None


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Smooth(buyers=[0, 0.5, -0.5]).on(trade(2, 2)), MechanismError,
         "buyer 1 goes down from 0.5 to 1"),
        (lambda: Smooth(sellers=[0, 0.5]).on(trade(2, 2)), MechanismError, "seller 1 goes up"),
        (lambda: Smooth(buyers=[lambda z: z / 4, lambda z: -z]).on(trade(2, 2)), MechanismError,
         "buyer 2 goes down"),
        (lambda: Smooth(pairs=lambda b, a: b * a).on(trade(2, 2)), MechanismError,
         "seller 1 goes up"),
        (lambda: Smooth(buyers=[0, 1.5]).on(trade(2, 2)), MechanismError,
         "would be 1.5 at the best"),
        (lambda: Smooth(constant=-0.1).on(trade(1, 1)), MechanismError, "would be -0.1"),
        (lambda: Smooth(buyers=[[0, 0.1]] * 3).on(trade(2, 2)), MechanismError,
         "3 component functions for 2 buyers"),
        (lambda: Smooth(buyers="x"), MechanismError, "coefficients of a polynomial"),
        (lambda: Smooth(buyers=[0, float("nan")]), MechanismError, "coefficients"),
        (lambda: Smooth(support=[1, 0]), MechanismError, "two finite ends"),
        (lambda: Smooth(support=3), MechanismError, "two finite ends"),
        (lambda: Smooth(constant=float("inf")), MechanismError, "constant is inf"),
        (lambda: Smooth(pairs=lambda b, a: b, balanced=True), MechanismError, "cannot balance"),
        (lambda: Smooth().on(trade(1, 1, "exponential(1)")), MechanismError, "give it a support"),
        (lambda: Smooth(support=[0, 0.5]).decide(trade(1, 1), GroupReports([0.7], [0.1])),
         ReportError, "bid 0.7 of buyer 1"),
        (lambda: Smooth(buyers=lambda z: 1 / (z - z)).on(trade(1, 1)), MechanismError,
         "not finite at 0"),
        (lambda: Smooth(buyers=lambda z: z[5, 5]).on(trade(1, 1)), MechanismError, "failed"),
        (lambda: read_component([], "f"), MechanismError, "coefficients"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_refusals(make, error, words) -> None:
    with pytest.raises(error, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


# --------------------------------------------------------------------------------- the black box


def test_an_interaction_has_a_true_witness() -> None:
    grid = np.linspace(0, 1, 3)
    rules = {
        "product": lambda b, a: b[0] * b[1],
        "sellers": lambda b, a: (1 - a[0]) * (1 - a[1]),
        "of-the-best": lambda b, a: b.max() * (1 - a.mean()),
    }
    for rule in rules.values():
        found = characterise_smooth(rule, [grid] * 2, [grid] * 2)
        assert found.verdict == "not-truthful" and found.monotone.holds
        witness = found.separable.witness
        assert isinstance(witness, Interaction)
        own = np.array(witness.bids if witness.side == "buyer" else witness.asks)
        corners = []
        for first, second in itertools.product((0, 1), repeat=2):
            moved = own.copy()
            for k, take in zip(range(2), (first, second), strict=True):
                if take:
                    moved[witness.members[k]] = witness.others[k]
            sides = (moved, witness.asks) if witness.side == "buyer" else (witness.bids, moved)
            corners.append(rule(*map(np.array, sides)))
        mixed = corners[3] - corners[2] - corners[1] + corners[0]
        assert mixed == pytest.approx(witness.difference) and abs(mixed) > 0.01


def test_a_reversal_has_a_true_witness() -> None:
    grid = np.linspace(0, 1, 5)
    for rule in (lambda b, a: (b[0] - 0.4) ** 2, lambda b, a: 0.5 * a[0] + 0.2 * b[0]):
        found = characterise_smooth(rule, [grid], [grid])
        witness = found.monotone.witness
        assert isinstance(witness, Reversal) and found.verdict == "not-truthful"
        before = rule(np.array(witness.bids), np.array(witness.asks))
        moved = (witness.other,)
        sides = (moved, witness.asks) if witness.side == "buyer" else (witness.bids, moved)
        after = rule(*map(np.array, sides))
        assert (before, after) == pytest.approx(witness.chances) and after < before
        better = witness.other > witness.bids[0]
        assert better if witness.side == "buyer" else witness.other < witness.asks[0]


def test_components_add_up_to_the_rule() -> None:
    grid = np.linspace(0, 1, 4)

    def rule(b, a):
        return 0.1 + 0.2 * b[0] ** 2 * (1 - a[0]) + 0.3 * b[1] * (2 - a.sum()) / 2

    found = characterise_smooth(rule, [grid] * 2, [grid] * 2)
    assert found.separable.holds and not found.additive.holds
    for asks in itertools.product(grid, repeat=2):
        f = found.components("buyer", asks)
        for i, j in itertools.product(range(4), repeat=2):
            assert f[0][i] + f[1][j] == pytest.approx(rule(grid[[i, j]], np.array(asks)))
        assert f[1][0] == 0 and (np.diff(f[0]) >= 0).all()
    for bids in itertools.product(grid, repeat=2):
        g = found.components("seller", bids)
        for i, j in itertools.product(range(4), repeat=2):
            assert g[0][i] + g[1][j] == pytest.approx(rule(np.array(bids), grid[[i, j]]))


def test_wrong_payments_are_caught() -> None:
    grid = np.linspace(0, 1, 5)
    found = characterise_smooth(lambda b, a: (b[0], b[0] ** 2, 0.0), [grid], [grid])
    assert found.separable.holds and found.verdict == "not-truthful"
    assert isinstance(found.truthful.witness, Deviation)
    right = characterise_smooth(lambda b, a: (b[0], b[0] ** 2 / 2, 0.0), [grid], [[0.5]])
    assert right.verdict == "smooth-truthful" and not right.balanced.holds


@pytest.mark.parametrize(
    ("x", "n"),
    [
        (lambda b, a: (b[0] + b[1]) / 2, 2),
        (lambda b, a: b[0] * b[1], 2),
        (lambda b, a: (b[0] + b[1] + b[0] * b[1]) / 3, 2),
        (lambda b, a: (np.exp(b[0]) + b[1] ** 2) / 4, 2),
    ],
)
def test_mixed_differences_against_all_payments_on_a_fine_grid(x, n) -> None:
    """On a fine grid the linear inequalities find payments exactly for the separable rules."""
    grid = np.linspace(0, 1, 14)
    found = characterise_smooth(x, [grid] * n, [[0.5]])
    assert implementable(found.table, balanced=False) == found.separable.holds


def test_smooth_and_balanced_asks_for_additive_over_both_sides() -> None:
    """Separable on each side but not over both: truthful payments exist, balanced ones do not."""
    grid = np.linspace(0, 1, 24)
    for rule, additive in (
        (lambda b, a: (b[0] + 1 - a[0]) / 2, True),
        (lambda b, a: b[0] * (1 - a[0]), False),
    ):
        found = characterise_smooth(rule, [grid], [grid])
        assert found.separable.holds and found.additive.holds == additive
        assert implementable(found.table, balanced=False)
        assert implementable(found.table, balanced=True) == additive


def test_a_vote_is_no_smooth_rule() -> None:
    """It jumps: mixed differences do not vanish, and no deviation gains."""
    grid = np.linspace(0, 1, 3)

    def vote(bids, asks):
        x = bids.min() >= 0.5
        return x, 0.5 * x, 0.5 * x

    found = characterise_smooth(vote, [grid] * 2, [grid])
    assert not found.separable.holds and found.truthful.holds


def test_tables_are_rules() -> None:
    table = RuleTable((np.array([0.0, 1.0]), np.array([0.0, 1.0])), 1, [[0.5, 0.0], [1.0, 0.5]])
    found = characterise_smooth(table)
    assert found.additive.holds and found.truthful is None and found.checked == 4
    assert found.to_dict()["verdict"] == "smooth-truthful"


def test_what_needs_no_sample_is_exact_beside_one() -> None:
    trade = GroupTrade(2, 3, "uniform(0, 1)", "beta(2, 3)")
    found = evaluate(trade, "smooth", monte_carlo=4000, rng=1)
    gains, chance = Smooth().on(trade).expected(trade)
    assert (found.gains_from_trade, found.trade_probability) == (gains, chance)
    assert "gains_from_trade" not in found.stderr
    assert found.stderr["buyers_utility"] > 0
    values, costs = trade.sample(1, 20_000)
    x = Smooth().on(trade).chance(values, costs)
    drawn = x * (values.sum(axis=1) - costs.sum(axis=1))
    assert abs(drawn.mean() - gains) < 5 * drawn.std() / 20_000**0.5
    assert abs(x.mean() - chance) < 5 * x.std() / 20_000**0.5
