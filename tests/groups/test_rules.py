"""Voting rules: plain counting over all profiles of votes, exact shares, refusals, files."""

from __future__ import annotations

import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.errors import CatallaxError, UnknownNameError, VotingRuleError
from catallax.groups.boolean_rules import BooleanRule, Coalitions
from catallax.groups.rule_words import make_rule
from catallax.groups.rules import Anonymous, Majority, Quota, Unanimity, VotingRule, broken_pair
from catallax.groups.weighted_rules import WeightedQuota


def profiles(size: int) -> np.ndarray:
    return np.array(list(itertools.product([False, True], repeat=size))).reshape(-1, size)


def every_profile(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(b, s) for b in profiles(n) for s in profiles(m)]
    return np.array([b for b, _ in pairs]), np.array([s for _, s in pairs])


def is_monotone(rule: VotingRule, n: int, m: int) -> bool:
    accepted = {}
    for buyers, sellers in zip(*every_profile(n, m), strict=True):
        votes = (*buyers.tolist(), *sellers.tolist())
        accepted[votes] = bool(rule.accepts(buyers, sellers))
    return all(
        accepted[votes] <= accepted[(*votes[:k], True, *votes[k + 1 :])]
        for votes in accepted
        for k in range(n + m)
    )


RULES = [
    (Unanimity(), lambda k, s, n, m: k == n and s == m),
    (Majority(), lambda k, s, n, m: 2 * k > n and 2 * s > m),
    (Quota(1, 0), lambda k, s, n, m: k >= 1),
    (Quota("2/3", 0.5), lambda k, s, n, m: 3 * k >= 2 * n and 2 * s >= m),
    (Quota("0%", "100%"), lambda k, s, n, m: s == m),
    (WeightedQuota(buyers=0.5, sellers=1), lambda k, s, n, m: 2 * k >= n and s >= 1),
]


@pytest.mark.parametrize(("rule", "plain"), RULES, ids=range(len(RULES)))
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (4, 2), (3, 3)])
def test_rules_that_count_agree_with_counting(rule, plain, n, m) -> None:
    buyers, sellers = every_profile(n, m)
    expected = [
        plain(int(b.sum()), int(s.sum()), n, m) for b, s in zip(buyers, sellers, strict=True)
    ]
    assert rule.accepts(buyers, sellers).tolist() == expected
    table = rule.counts(n, m)
    assert table.shape == (n + 1, m + 1)
    for k in range(n + 1):
        for s in range(m + 1):
            assert table[k, s] == plain(k, s, n, m)
    # A table of counts says the same, with its own arithmetic.
    same = Anonymous(table)
    assert same.accepts(buyers, sellers).tolist() == expected
    assert (same.counts(n, m) == table).all()
    assert Anonymous.from_least(rule.least_sellers(n, m), m) == same
    assert is_monotone(rule, n, m)


def test_leading_dimensions_are_broadcast() -> None:
    buyers, sellers = profiles(2), profiles(3)
    for rule in (Majority(), WeightedQuota([1, 2], [0.5, 1, 3], buyers=2, sellers=0.5)):
        grid = rule.accepts(buyers[:, None], sellers[None])
        assert grid.shape == (4, 8)
        for i, j in itertools.product(range(4), range(8)):
            assert grid[i, j] == rule.accepts(buyers[i], sellers[j])
    for rule in (
        Anonymous([[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]]),
        Coalitions([([0, 1], [2])]),
        BooleanRule(lambda b, s: b.any()),
    ):
        assert rule.accepts(buyers[:, None], sellers[None]).shape == (4, 8)
        assert rule.accepts(buyers[0], sellers).shape == (8,)
        assert rule.accepts(buyers[0], sellers[0]).shape == ()


# --------------------------------------------------------------------------------- exact quotas


def test_a_part_means_the_decimal_that_is_written() -> None:
    # In binary 0.07 * 100 is above 7, and 0.1 * 30 above 3.
    assert 0.07 * 100 > 7 and 0.1 + 0.2 > 0.3
    assert Quota(0.07, 0.29).needs(100, 100) == (7, 29)
    assert Quota("1/3", "33.3%").needs(30, 1000) == (10, 333)
    assert Quota(0.8, "80%") == Quota("80%", Fraction(4, 5))
    rule = WeightedQuota([0.1, 0.2, 0.7], buyers=0.3, sellers="0%")
    assert rule.accepts([[True, True, False], [False, True, False]], [True]).tolist() == [
        True,
        False,
    ]


@given(
    st.lists(
        st.one_of(st.integers(0, 9), st.decimals(0, 9, places=3).map(float), st.floats(0, 1e9)),
        min_size=1,
        max_size=5,
    ).filter(lambda shares: sum(shares) > 0),
    st.fractions(0, 1, max_denominator=12),
)
def test_weighted_quotas_agree_with_fractions(shares, quota) -> None:
    text = f"{quota.numerator}/{quota.denominator}" if 0 < quota < 1 else f"{int(quota) * 100}%"
    rule = WeightedQuota(seller_shares=shares, buyers="0%", sellers=text)
    exact = [Fraction(repr(float(share))) for share in shares]
    cast = profiles(len(shares))
    expected = [
        sum((e for e, vote in zip(exact, row, strict=True) if vote), Fraction(0))
        >= quota * sum(exact)
        for row in cast
    ]
    assert rule.accepts([True], cast).tolist() == expected
    assert rule == make_rule(rule.to_dict()) == pickle.loads(pickle.dumps(rule))


def test_shares_of_very_different_size_lose_nothing() -> None:
    rule = WeightedQuota([1e25, 1e-25, 1.0], buyers="0%", sellers="0%")
    assert rule.accepts([False] * 3, [False])
    needed = WeightedQuota([1e25, 1e-25, 1.0])  # all of it
    assert needed.accepts([True] * 3, [True])
    assert not needed.accepts([True, False, True], [True])


def test_counts_of_shares_are_in_the_unit_of_the_shares() -> None:
    rule = WeightedQuota(seller_shares=[1.5, 2.5, 4], buyers=1, sellers=4)
    assert rule.accepts([True], [[True, True, False], [False, False, True]]).all()
    assert not rule.accepts([True], [True, False, False])
    assert rule.describe(2, 3) == "1 of 2 buyers and sellers with 4 of 8 shares"
    assert rule.tally([True, False], [True, False, True]) == (
        "1 of 2 buyers and 2 of 3 sellers with 5.5 of 8 shares are in favour"
    )
    assert rule.counts(2, 3) is None
    equal = WeightedQuota([2, 2, 2], [5], buyers=3, sellers="100%")
    assert (equal.counts(3, 1) == Quota(2, 1).counts(3, 1)).all()


# ------------------------------------------------------------------------------- any monotone rule


def monotone_functions(size: int) -> list[tuple[bool, ...]]:
    """List all monotone Boolean functions as tables over `profiles(size)`."""
    rows = profiles(size).astype(int)
    above = [
        (a, b) for a, x in enumerate(rows) for b, y in enumerate(rows) if (x <= y).all() and a != b
    ]
    return [
        table
        for table in itertools.product([False, True], repeat=2**size)
        if all(table[a] <= table[b] for a, b in above)
    ]


def test_coalitions_are_all_the_monotone_functions() -> None:
    """Dedekind's numbers: 3, 6, 20, 168."""
    assert [len(monotone_functions(size)) for size in (1, 2, 3)] == [3, 6, 20]
    functions = monotone_functions(4)
    assert len(functions) == 168
    buyers, sellers = every_profile(2, 2)
    cast = np.hstack([buyers, sellers])
    seen = set()
    for table in functions:
        enough = [
            (np.flatnonzero(row[:2]), np.flatnonzero(row[2:]))
            for row, accepted in zip(cast, table, strict=True)
            if accepted
        ]
        rule = Coalitions(enough)
        assert rule.accepts(buyers, sellers).tolist() == list(table)
        assert make_rule(rule.to_dict()) == rule
        seen.add(rule)
        lookup = {tuple(row): accepted for row, accepted in zip(cast.tolist(), table, strict=True)}
        function = BooleanRule(lambda b, s, lookup=lookup: lookup[(*b.tolist(), *s.tolist())])
        function.check(2, 2)
        assert function.accepts(buyers, sellers).tolist() == list(table)
    assert len(seen) == 168


def test_every_function_that_is_not_monotone_is_refused_with_a_true_witness() -> None:
    cast = profiles(3)
    good = set(monotone_functions(3))
    for table in itertools.product([False, True], repeat=8):
        lookup = {tuple(row): accepted for row, accepted in zip(cast.tolist(), table, strict=True)}
        pair = broken_pair(lambda votes, lookup=lookup: lookup[tuple(votes.tolist())], 3)
        rule = BooleanRule(lambda b, s, lookup=lookup: lookup[(*b.tolist(), *s.tolist())])
        if table in good:
            assert pair is None
            rule.check(2, 1)
        else:
            assert pair is not None
            low, high = pair
            assert (high & ~low).sum() == 1 and not (low & ~high).any()
            assert lookup[tuple(low.tolist())] and not lookup[tuple(high.tolist())]
            with pytest.raises(VotingRuleError, match=r"not monotone: .* enough, but .* not"):
                rule.accepts([True, True], [False])


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2)])
def test_tables_of_counts_are_checked(shape) -> None:
    refused = 0
    for bits in itertools.product([False, True], repeat=shape[0] * shape[1]):
        table = np.array(bits).reshape(shape)
        monotone = all(
            table[k, s] <= table[i, j]
            for k, s, i, j in itertools.product(*map(range, shape), *map(range, shape))
            if k <= i and s <= j
        )
        if monotone:
            assert (Anonymous(table).counts(shape[0] - 1, shape[1] - 1) == table).all()
        else:
            refused += 1
            with pytest.raises(VotingRuleError, match="not monotone"):
                Anonymous(table)
    assert refused


def test_a_large_function_is_trusted_or_refused() -> None:
    def chair(buyers, sellers):
        return buyers[0] and sellers.sum() > 10

    with pytest.raises(VotingRuleError, match=r"too large .* trusted=True"):
        BooleanRule(chair).check(15, 15)
    rule = BooleanRule(chair, "the chair", trusted=True)
    assert rule.accepts(np.ones(15, bool), np.ones(15, bool))


# ----------------------------------------------------------------------------------- words, files


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("majority", Majority()),
        (" unanimity ", Unanimity()),
        ("quota(80%, 2)", Quota("80%", 2)),
        ("quota(sellers=2/3)", Quota(sellers="2/3")),
        ("quota()", Quota()),
    ],
)
def test_one_line(text, rule) -> None:
    assert make_rule(text) == rule == make_rule(rule.to_dict()) == make_rule(rule)


def test_dictionaries() -> None:
    for rule in (
        Anonymous([[0, 0], [1, 1]]),
        WeightedQuota([1, 2], [3], buyers="50%", sellers=3),
        Coalitions([([], []), ([1], [0])]),
    ):
        assert make_rule(rule.to_dict()) == rule
    assert make_rule({"kind": "anonymous", "table": [[0, 0], [1, 1]]}) == Anonymous(
        [[0, 0], [1, 1]]
    )
    with pytest.raises(VotingRuleError, match="cannot be written"):
        BooleanRule(lambda b, s: True).to_dict()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: make_rule("majorty"), UnknownNameError, "did you mean 'majority'"),
        (lambda: make_rule("boolean"), UnknownNameError, "unknown voting rule"),
        (lambda: make_rule({"kind": "quota", "seller": 2}), UnknownNameError, "'sellers'"),
        (lambda: make_rule({"buyers": 2}), VotingRuleError, "'kind' is missing"),
        (lambda: make_rule({"kind": "coalitions"}), VotingRuleError, "'enough' is missing"),
        (lambda: make_rule("quota(1,2,3)"), VotingRuleError, "twice"),
        (lambda: make_rule("quota(1"), VotingRuleError, "closing bracket"),
        (lambda: make_rule("quota(five)"), VotingRuleError, "no quota; write a count"),
        (lambda: make_rule("quota(120%)"), VotingRuleError, "no quota"),
        (lambda: make_rule(7), VotingRuleError, "no voting rule"),
        (lambda: Quota(1.0), VotingRuleError, "100%"),
        (lambda: Quota(-1), VotingRuleError, "below zero"),
        (lambda: Quota(True), VotingRuleError, "no quota"),
        (lambda: Quota(float("nan")), VotingRuleError, "no part"),
        (lambda: Quota(4).check(3, 3), VotingRuleError, "4 of 3 buyers"),
        (lambda: Quota(4).accepts([True], [True]), VotingRuleError, "4 of 1 buyer"),
        (lambda: WeightedQuota([1, -1]), VotingRuleError, "share of buyer 2 is -1"),
        (lambda: WeightedQuota([0, 0]), VotingRuleError, "sum to 0"),
        (lambda: WeightedQuota([1, 2], buyers=4), VotingRuleError, "can never be"),
        (lambda: WeightedQuota([1, 2]).check(3, 1), VotingRuleError, "2 buyers' shares"),
        (lambda: WeightedQuota(sellers=4).check(3, 1), VotingRuleError, "4 of 1 seller"),
        (lambda: Anonymous([True]), VotingRuleError, "one row for each number"),
        (lambda: Anonymous([[1, 1]]).check(2, 2), VotingRuleError, "3 rows and 3 columns"),
        (lambda: Anonymous.from_least([1, 2], 2), VotingRuleError, "not monotone"),
        (lambda: Coalitions([([3], [])]).check(3, 3), VotingRuleError, "names buyer 4"),
        (lambda: Coalitions([3]), VotingRuleError, "no coalition"),
        (lambda: Coalitions([([-1], [])]), VotingRuleError, "no coalition"),
        (lambda: Majority().accepts([0.5], [1]), VotingRuleError, "neither yes nor no"),
        (lambda: Majority().accepts(True, [1]), VotingRuleError, "one array per side"),
    ],
)
def test_refusals(make, error, words) -> None:
    with pytest.raises(error, match=words) as caught:
        make()
    assert isinstance(caught.value, CatallaxError)
    assert "\n" not in str(caught.value)
