"""Needles, and values without a common step: the bounds of long series, against other ways."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catallax.groups.sums import Voters, probability_at_least
from catallax.groups.sums.draws.ballots import Terms
from catallax.groups.sums.series.streamed import streamed_terms
from catallax.groups.sums.values.atoms import atom_terms
from catallax.priors import Empirical, parse_prior


def by_votes(found: list[Terms], size: int) -> np.ndarray:
    line = np.zeros(size)
    for terms in found:
        line[terms.first : terms.first + terms.values.size] += terms.values
    return line


@pytest.mark.parametrize("share", [0.3, 0.52])
def test_values_without_a_common_step_are_where_a_list_of_sums_says(share: float) -> None:
    values = np.sqrt([2.0, 3.0, 5.0, 6.0, 7.0, 10.0, 11.0, 13.0]) % 1.0
    group = [Voters(Empirical(values.tolist()), 9, 1, 0.5)]
    listed = atom_terms(group, 9 * share)
    found = streamed_terms(group, 9 * share, 1e-6)
    assert listed is not None and found is not None
    missed = by_votes(found, 10) - by_votes(listed, 10)
    # Every sum of entries is within the bound: so is that of all that miss in one direction.
    error = sum(one.error for one in found)
    assert max(missed[missed > 0].sum(), -missed[missed < 0].sum()) <= error + 1e-13
    assert error <= 1e-6


def test_a_tie_is_in_the_bound() -> None:
    """All nine draws are 0.3 with a probability of 2^-9, and then the sum ties."""
    group = [Voters(Empirical([0.3, 2.0**-0.5]), 9)]
    found = streamed_terms(group, 9 * 0.3, 1.0)
    assert found is not None
    assert sum(one.error for one in found) > 2.0**-10


def uniforms_reach(n: int, total: float) -> float:
    """P(U_1 + ... + U_n >= total), Irwin and Hall."""
    below = n - total  # by symmetry
    parts = [(-1) ** k * math.comb(n, k) * max(below - k, 0.0) ** n for k in range(n + 1)]
    return math.fsum(parts) / math.factorial(n) if 0 < below < n else float(below >= n)


@pytest.mark.parametrize(("width", "part"), [(1e-6, 3.7), (1e-9, 5.2), (1e-6, -20.0)])
def test_nine_draws_of_which_all_may_be_in_a_needle(width: float, part: float) -> None:
    n, start, end = 9, 0.5, 0.5 + width
    width = end - start
    total = n * start + part * width
    exact = 0.5**n * uniforms_reach(n, part)
    for wide in range(1, n + 1):
        # Next to a wide draw where it is in a needle counts with its mean, up to width squared.
        missing = total - (n - wide) * (start + width / 2)
        exact += math.comb(n, wide) * 0.5**n * uniforms_reach(wide, missing)
    prior = parse_prior(f"mixture([uniform(0, 1), uniform({start!r}, {end!r})], [0.5, 0.5])")
    found = streamed_terms([Voters(prior, n)], total, 1e-6)
    assert found is not None
    error = sum(one.error for one in found)
    assert abs(by_votes(found, 1).sum() - exact) <= error + 1e-11
    assert error < 1e-6


def test_twenty_draws_of_which_all_may_be_in_a_needle() -> None:
    """It is one event in a million, and it alone is not as likely as not to reach the total."""
    needle = parse_prior("piecewise([0, 0.5, 0.500000001, 1], [0, 0.25, 0.75, 1])")
    found, error = probability_at_least([Voters(needle, 20)], 10.0)
    # Of the rest one draw from a half that is wide decides, up to the needles' own width.
    assert abs(found - (0.5 + 2.0**-21)) <= error + 4e-9
    assert error < 4e-8
