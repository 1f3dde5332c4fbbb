"""Simulations as tables and as pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from rich.console import Console

import catallax as cx
from catallax.estimate import Estimate, Simulation
from catallax.estimate.words import half_width, written
from catallax.report.simulation.picture import draw_simulation, save_simulation_picture
from catallax.report.simulation.tables import simulation_tables

MARKET = cx.Market(
    [{"id": f"b{k}", "prior": "uniform(0, 1)"} for k in range(3)],
    [{"id": f"s{k}", "prior": "uniform(0, 1)"} for k in range(3)],
    [("b0", "s0"), ("b0", "s1"), ("b1", "s1"), ("b2", "s2"), ("b2", "s0")],
    name="three $ a side",
    currency="EUR",
)


@pytest.fixture(scope="module")
def found() -> Simulation:
    return cx.simulate(MARKET, ["first-best", "gsom", "mcafee"], 600, rng=3, exact=False)


def printed(simulation: Simulation, width: int = 100) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(simulation_tables(simulation))
    return captured.get()


def test_estimates_are_written_to_the_digits_that_their_errors_leave() -> None:
    given = [
        Estimate(0.86034, 0.00051, False),
        Estimate(-12345.678, 12.0, False),
        Estimate(0.75, 0.0, True),
        Estimate(54159.25, 0.0, True),
        Estimate(0.0, 0.0, False),
        Estimate(3e-9, 1e-9, False),
        Estimate(4e-301, 0.0, True),
        Estimate(-2.5e-9, 0.0, False),
    ]
    assert [written(one) for one in given] == [
        "0.8603 ± 0.0010",
        "-12,346 ± 24",
        "= 0.750000",
        "= 54,159.25",
        "0",
        "0.0000000030 ± 0.0000000020",
        "= 4e-301",
        "-2.5e-09",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_tables_hold_every_number(found: Simulation, width: int) -> None:
    text = printed(found, width)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    for one in found:
        for name in ("gains_from_trade", "buyers_utility", "surplus", "trades"):
            assert written(getattr(one, name)) in words, name
    assert "amounts in EUR" in words and "600 plain draws, seed 3" in words
    assert "mcafee skipped: mcafee needs every buyer" in words
    assert "first-best" in words and "how it varies" in words


def curve(axes: Axes, name: str) -> np.ndarray:
    (line,) = [line for line in axes.lines if line.get_gid() == name]
    return np.asarray(line.get_xydata(), dtype=float)


def test_the_picture_shows_the_numbers(found: Simulation) -> None:
    figure = draw_simulation(found)
    left, right = figure.axes
    assert left.get_xlabel() == "expected amount (EUR)"
    assert right.get_xlabel() == "price of a trade (EUR)"
    assert [label.get_text() for label in left.get_yticklabels()] == ["first-best", "gsom"]
    (gains,) = left.containers[-1:]
    points, _, bars = gains.lines
    assert points.get_xdata().tolist() == [one.gains_from_trade.mean for one in found]
    for one, (start, end) in zip(found, bars[0].get_segments(), strict=True):
        assert end[0] - start[0] == pytest.approx(2 * half_width(one.gains_from_trade))
    # Bars to the right of zero less what a deficit takes away are the gains.
    for row, one in enumerate(found):
        parts = [bar for bar in left.patches if str(bar.get_gid()).endswith(f"-{row}")]
        ends = [bar.get_x() + bar.get_width() for bar in parts]
        starts = [bar.get_x() for bar in parts]
        assert max(ends) + min(*starts, 0.0) == pytest.approx(one.gains_from_trade.mean)
        assert one.buyer_pays is not None and one.seller_receives is not None
        for name, seen in (
            ("buyers-pay", one.buyer_pays),
            ("sellers-receive", one.seller_receives),
        ):
            assert curve(right, f"{name}-{row}")[0, 0] == seen.quantile(0.5)
            wide = curve(right, f"{name}-{row}-wide")[:, 0]
            assert wide.tolist() == [seen.quantile(0.05), seen.quantile(0.95)]
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "three $ a side" in texts and "not applicable: mcafee" in texts


def test_without_trades(tmp_path: Path) -> None:
    market = cx.Market([{"id": "b", "prior": "point(1)"}], [{"id": "s", "prior": "point(2)"}])
    for exact in (True, False):
        simulation = cx.simulate(market, ["gsom"], 20, exact=exact)
        figure = draw_simulation(simulation)
        assert "no trades" in [text.get_text() for text in figure.axes[1].texts]
        assert "any trade" in printed(simulation)


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_picture_is_the_same_bytes(found: Simulation, tmp_path: Path, suffix: str) -> None:
    for name in ("one", "two"):
        save_simulation_picture(found, tmp_path / f"{name}.{suffix}")
    one, two = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("one", "two"))
    assert one == two and len(one) > 5000


def test_it_is_readable_without_colour(found: Simulation) -> None:
    """Buyers and sellers differ by hatching and by marks, not by colour alone."""
    left, right = draw_simulation(found).axes
    looks = {
        str(bar.get_gid()).partition("-")[0]: (
            str(bar.get_hatch() or ""),
            sum(bar.get_facecolor()[:3]) > 2.9,
        )
        for bar in left.patches
    }
    assert looks == {"buyers": ("", False), "sellers": ("////", False), "mechanism": ("", True)}
    marks = {str(line.get_marker()) for line in right.lines} - {"None"}
    assert marks == {"o", "s"}
