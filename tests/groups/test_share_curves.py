"""The data of the figure: shares against size, and Theorem 4.3's bounds beside exact values."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from catallax.errors import CatallaxError
from catallax.groups.share_curves import bounds_table, share_curves
from catallax.groups.worst_case import uniform_against_half
from catallax.priors import Point, Uniform


def test_the_three_panels() -> None:
    told: list[float] = []
    curves = share_curves([1, 5, 100], progress=lambda part, _: told.append(part))
    assert told == pytest.approx(np.arange(1, 10) / 9)
    above, equal, below = 0, 1, 2
    # Table 1's exact values, and the best vote's.
    assert curves.forced_trade[above, 1:] == pytest.approx([0.289420, 0.787385], abs=1e-6)
    assert curves.best_vote[above, 1:] == pytest.approx([0.8814, 0.945], abs=1e-3)
    assert (curves.forced_trade[[equal, below]] == 0).all()
    assert curves.best_vote[equal, 1] == pytest.approx(0.8404, abs=1e-4)
    assert curves.best_vote[equal, 2] == pytest.approx(math.sqrt(3) / 2, abs=2e-3)
    # One buyer and one seller with equal means: 1/2 is the best price, 3/4 of first best.
    assert curves.best_vote[equal, 0] == pytest.approx(0.75)
    for shares in (curves.forced_trade, curves.best_vote, curves.smooth, curves.smooth_balanced):
        assert ((shares >= 0) & (shares <= 1)).all()
    assert (curves.best_vote >= curves.forced_trade - 1e-12).all()
    assert (curves.smooth_balanced <= curves.smooth + 1e-9).all()
    # A constant is smooth, and so is a dictator: lotteries keep at least what forced trade does.
    assert (curves.smooth_balanced >= curves.forced_trade - 1e-9).all()
    # Members of mean 0.5 within 0.4: each side's 0.1 at most, whatever the size.
    assert (curves.smooth[equal] * curves.first_best[equal] <= 0.2 + 1e-9).all()
    plain = json.loads(json.dumps(curves.to_dict(), allow_nan=False))
    assert [panel["buyer_mean"] for panel in plain["panels"]] == [0.51, 0.5, 0.49]
    assert plain["panels"][1]["best_vote"] == curves.best_vote[equal].tolist()
    assert plain["sizes"] == [1, 5, 100]


def test_the_worst_case_of_the_paper_as_a_curve() -> None:
    """Uniform values against a certain 1/2: the curves are those in closed form."""

    def prior(mean: float):
        return Point(0.5) if mean == 0.5 else Uniform(0, 1)

    sizes = [2, 7, 50]
    curves = share_curves(sizes, [(0.5000001, 0.5)], prior)
    for k, n in enumerate(sizes):
        exact = uniform_against_half(n)
        assert curves.first_best[0, k] == pytest.approx(exact.first_best, rel=1e-7)
        share = exact.best_vote / exact.first_best
        assert curves.best_vote[0, k] == pytest.approx(share, rel=1e-6)
        assert curves.smooth[0, k] == pytest.approx(exact.smooth / exact.first_best, rel=1e-6)


def test_bounds_stand_beside_exact_values() -> None:
    rows = bounds_table([5, 100, 1000], "uniform(0.15, 0.95)", "uniform(0.05, 0.85)")
    assert [row.n for row in rows] == [5, 100, 1000]
    assert rows[1].better_off == pytest.approx(0.969987, abs=1e-6)
    assert rows[0].share == pytest.approx(0.822756, abs=1e-6)
    for row in rows:
        assert row.bounds.better_off <= row.better_off + 1e-9
        printed = row.bounds.share_printed
        assert printed is not None
        assert printed <= row.bounds.share <= row.share + 1e-9
    assert rows[2].bounds.share > 0.99 > rows[1].bounds.share


def test_nothing_to_gain_has_no_share() -> None:
    with pytest.raises(CatallaxError, match="no share"):
        share_curves([3], [(0.1, 5.0)])
