"""Amounts of any size, shares that never vary, means that are infinite: no false certainty."""

from __future__ import annotations

from typing import Any

import pytest

import catallax as cx
from catallax.estimate import Simulation
from catallax.estimate.result import exact_estimate


@pytest.mark.parametrize("exponent", [-600, 600])
@pytest.mark.parametrize("draws", ["plain", "antithetic"])
def test_very_large_and_small_amounts_have_errors_too(exponent: int, draws: Any) -> None:
    """The unit of money moves no bit, though squares of amounts are no numbers any more."""

    def found(unit: float) -> Simulation:
        sides = [[{"id": k, "prior": f"uniform(0, {unit!r})"} for k in range(3)] for _ in range(2)]
        how = {"samples": 300, "draws": draws, "conditional": True, "exact": False}
        return cx.simulate(cx.Market(*sides), ["gsom", "mcafee"], **how)

    one, other, unit = found(1.0), found(2.0**exponent), 2.0**exponent
    for name in ("gsom", "mcafee"):
        ours, theirs = one[name], other[name]
        assert theirs.share_of_first_best == ours.share_of_first_best
        assert dict(theirs.variance_reduction) == dict(ours.variance_reduction)
        assert theirs.trades == ours.trades
        for quantity in ("gains_from_trade", "buyers_utility", "surplus"):
            here, there = getattr(ours, quantity), getattr(theirs, quantity)
            assert (there.mean, there.stderr) == (here.mean * unit, here.stderr * unit)
            assert there.mean > 0 and there.stderr > 0


def test_what_is_no_number_any_more_is_an_error() -> None:
    sides = [[{"id": k, "prior": f"uniform({low}, 1.7e308)"} for k in range(9)]
             for low in ("1.6e308", "0")]  # fmt: skip
    with pytest.raises(cx.CatallaxError, match="too large for a floating-point number"):
        cx.simulate(cx.Market(*sides), ["posted-price", "first-best"], 50, exact=False)


@pytest.mark.parametrize("samples", [2, 200])
def test_the_same_share_in_every_draw_is_not_said_to_be_certain(samples: int) -> None:
    """Seller 0 takes part rarely; where she was not seen, nobody knows what is lost with her."""
    often, rarely = "uniform(2, 3)", "discrete([0, 9], [0.01, 0.99])"
    market = cx.Market(
        [{"id": "b", "prior": often}],
        [{"id": "s", "prior": "uniform(0, 1)"}, {"id": "rare", "prior": rarely}],
    )
    share = cx.simulate(market, ["gsom"], samples, exact=False)["gsom"].share_of_first_best
    assert share is not None and share.mean == pytest.approx(1.0, abs=1e-12)
    low, high = share.interval()
    assert 1.5 / (samples + 4) < (high - low) / 2
    if samples > 2:
        assert (high - low) / 2 < 4 / samples
    best = cx.simulate(market, ["first-best"], samples, exact=False)["first-best"]
    assert best.share_of_first_best == exact_estimate(1.0)


def test_an_infinite_mean_is_said() -> None:
    heavy = cx.Market(
        [{"id": "b", "prior": "pareto(0.5)"}], [{"id": "s", "prior": "uniform(0, 1)"}]
    )
    found = cx.simulate(heavy, ["first-best", "posted-price"], 200)
    assert len(found.caveats) == 1 and "buyers' prior pareto(0.5)" in found.caveats[0]
    light = cx.Market(
        [{"id": "b", "prior": "pareto(1.5)"}], [{"id": "s", "prior": "uniform(0, 1)"}]
    )
    assert cx.simulate(light, ["first-best"], 200, exact=False).caveats == ()
