"""Means over seeds, with intervals that say what they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from catallax.estimate.study import Study, load_results, run_study
from catallax.estimate.study.cells import Record
from catallax.estimate.study.results import average_of
from tests.estimate.study import fake


def records(values: np.ndarray, errors: np.ndarray, *, exact: bool = False) -> list[Record]:
    return [
        {"surplus": float(value), "surplus_stderr": float(error), "surplus_exact": exact}
        for value, error in zip(values, errors, strict=True)
    ]


def test_on_one_market_errors_add_up() -> None:
    rng = np.random.default_rng(1)
    values, errors = rng.normal(size=7), rng.random(7)
    found = average_of(records(values, errors), "surplus", varies=False)
    assert found is not None
    assert found.mean == pytest.approx(values.mean())
    assert found.reach == pytest.approx(stats.norm.ppf(0.975) * np.sqrt((errors**2).sum()) / 7)
    assert (found.exact, found.seeds, found.graphs) == (False, 7, 1)


def test_over_random_graphs_the_seeds_differences_count() -> None:
    values = np.random.default_rng(2).normal(size=6)
    found = average_of(records(values, np.zeros(6), exact=True), "surplus", varies=True)
    assert found is not None
    low, high = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert found.interval == pytest.approx((low, high))
    # The mean of some graphs is never the mean of all, however exact each is.
    assert (found.exact, found.graphs) == (False, 6)


def test_intervals_over_random_graphs_cover_the_mean_of_all_graphs() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(2000):
        graphs = rng.normal(1.0, 0.3, size=5)
        errors = np.full(5, 0.1)
        found = average_of(records(rng.normal(graphs, errors), errors), "surplus", varies=True)
        assert found is not None
        inside += found.interval[0] <= 1.0 <= found.interval[1]
    assert 0.93 < inside / 2000 < 0.97


def test_exact_values_stay_exact_and_nothing_is_none() -> None:
    found = average_of(
        records(np.array([0.5, 0.5]), np.zeros(2), exact=True), "surplus", varies=False
    )
    assert found is not None and (found.mean, found.reach, found.exact) == (0.5, 0.0, True)
    assert average_of([{"surplus": None}], "surplus", varies=False) is None
    assert average_of([], "surplus", varies=True) is None


def test_results_are_looked_up_by_market_and_mechanism(study: Study) -> None:
    run_study(study, workers=1, compute=fake.record_of)
    results = load_results(study)
    whole, sparse = study.settings[0], study.settings[2]
    gsom, _, mcafee = study.rules
    found = results.average(whole, gsom, "surplus")
    assert found is not None
    mine = [
        float(record["surplus"] or 0.0)
        for cell, record in zip(results.cells, results.records, strict=True)
        if record is not None and cell.setting == whole and cell.rule == gsom
    ]
    assert len(mine) == 3 and found.mean == pytest.approx(np.mean(mine))
    assert results.average(sparse, mcafee, "surplus") is None
    assert results.skipped == (("sparse-random", "mcafee", "complete graphs only", 6),)
