"""Draws: their laws, their mirrors, their blocks and seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import catallax as cx
from catallax.estimate.draws import Plan, sampler_of, seed_of
from tests.estimate.markets import sparse_market

MARKET = cx.Market(
    [{"id": "b", "prior": "exponential(1)"}, {"id": "c", "prior": "uniform(2, 3)"}],
    [{"id": "s", "prior": "mixture([uniform(0, 1), point(0.5)], [0.5, 0.5])"}],
)


def all_draws(kind: str, samples: int, seed: int = 3) -> np.ndarray:
    sampler = sampler_of(MARKET)
    plan = Plan.plan(kind, samples, 3, growing=False)
    blocks = [sampler.draw(plan, seed, number) for number in range(plan.blocks)]
    assert sum(map(len, blocks)) == plan.samples
    return np.concatenate([np.column_stack([one.values, one.costs]) for one in blocks])


@pytest.mark.parametrize("kind", ["plain", "antithetic", "sobol"])
def test_every_kind_draws_from_the_priors(kind: str) -> None:
    drawn = all_draws(kind, 6000)
    uniform = drawn[:, 1] - 2
    assert stats.kstest(drawn[:, 0], "expon").pvalue > 1e-3
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert np.mean(drawn[:, 2] == 0.5) == pytest.approx(0.5, abs=0.03)
    assert abs(np.corrcoef(drawn[:, 0], uniform)[0, 1]) < 0.06
    assert np.isfinite(drawn).all()


def test_mirrors_stand_side_by_side() -> None:
    drawn = all_draws("antithetic", 3000)
    np.testing.assert_allclose(drawn[::2, 1] + drawn[1::2, 1], 5.0, rtol=1e-12)
    levels = -np.expm1(-drawn[:, 0])
    np.testing.assert_allclose(levels[::2] + levels[1::2], 1.0, rtol=1e-9)


def test_randomisations_of_sobol_points_are_independent_and_even() -> None:
    plan = Plan.plan("sobol", 6000, 3, growing=False)
    assert plan.unit == 128 and plan.samples % 128 == 0 and plan.samples // 128 >= 32
    drawn = all_draws("sobol", 6000)[:, 1].reshape(-1, plan.unit) - 2
    # One point in each of as many equal cells, every time; and never the same points.
    cells = np.sort(np.floor(drawn * plan.unit), axis=1)
    assert (cells == np.arange(plan.unit)).all()
    assert len(np.unique(drawn[:, 0])) == len(drawn)
    apart = np.corrcoef(drawn)[np.triu_indices(len(drawn), 1)]
    assert abs(apart.mean()) < 0.02


def test_a_randomisation_longer_than_a_block_goes_on_in_the_next() -> None:
    sampler = sampler_of(MARKET)
    long, short = Plan("sobol", 64, 64, 16), Plan("sobol", 64, 64, 64)
    parts = [sampler.draw(long, 5, number).values for number in range(4)]
    np.testing.assert_array_equal(np.concatenate(parts), sampler.draw(short, 5, 0).values)


def test_blocks_depend_on_seed_and_number_alone() -> None:
    sampler, plan = sampler_of(MARKET), Plan.plan("plain", 5000, 3, growing=False)
    again = sampler.draw(plan, 7, 3).values
    np.testing.assert_array_equal(again, sampler_of(MARKET).draw(plan, 7, 3).values)
    assert not np.array_equal(again, sampler.draw(plan, 7, 2).values)
    assert not np.array_equal(again, sampler.draw(plan, 8, 3).values)


def test_seeds() -> None:
    assert seed_of(7) == seed_of(np.int64(7)) == 7
    drawn = seed_of(np.random.default_rng(1))
    assert drawn == seed_of(np.random.default_rng(1)) and drawn >= 0
    sequence = np.random.SeedSequence(1)
    assert seed_of(sequence) == seed_of(sequence) != seed_of(np.random.SeedSequence(2))
    for wrong in (-1, 1.5, "7", True):
        with pytest.raises(cx.CatallaxError, match=r"seed|rng"):
            seed_of(wrong)


def test_large_markets_have_small_blocks() -> None:
    sizes = [
        Plan.plan("plain", 10**6, columns, growing=False).block for columns in (2, 10**3, 10**7)
    ]
    assert sizes == [1024, 64, 2]


def test_plans_that_cannot_be() -> None:
    for kind, samples, message in (
        ("plan", 100, "did you mean 'plain'"),
        ("plain", 1, "at least 2"),
        ("antithetic", 3, "at least 4"),
        ("sobol", 255, "at least 256"),
    ):
        with pytest.raises(cx.CatallaxError, match=message):
            Plan.plan(kind, samples, 3, growing=False)
    with pytest.raises(cx.CatallaxError, match="use draws='antithetic'"):
        Plan.plan("sobol", 1000, 30_000, growing=False)


def test_a_market_without_priors_cannot_be_drawn() -> None:
    with pytest.raises(cx.MissingPriorError, match="seller 's' has no prior"):
        sampler_of(cx.Market([{"id": "b", "prior": "uniform(0, 1)"}], [{"id": "s", "ask": 0.2}]))
    assert sampler_of(sparse_market(4)).sizes == (4, 4)
