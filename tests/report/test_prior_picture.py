"""The picture of a prior."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from catallax.errors import PriorError
from catallax.priors import Prior, make_prior, parse_prior
from catallax.report.priors.picture import draw_prior, save_prior_picture

DISCRETE = "discrete([1, 2, 3, 5, 9], [0.3, 0.1, 0.3, 0.1, 0.2])"


def curve(axes: Axes, name: str) -> np.ndarray:
    (line,) = [line for line in axes.lines if line.get_gid() == name]
    return np.asarray(line.get_xydata(), dtype=float)


def names(axes: Axes) -> set[str]:
    return {str(line.get_gid()) for line in axes.lines}


def test_the_curves_are_those_of_the_prior() -> None:
    prior = parse_prior(DISCRETE)
    law, revenue, value, cost = draw_prior(prior).axes
    masses = curve(law, "masses")
    assert masses.tolist() == [[1, 0.3], [2, 0.1], [3, 0.3], [5, 0.1], [9, 0.2]]
    for axes, virtual in ((value, prior.virtual_value), (cost, prior.virtual_cost)):
        before, after = curve(axes, "before-ironing"), curve(axes, "after-ironing")
        assert np.array_equal(before[:, 1], virtual(before[:, 0], ironed=False))
        assert np.array_equal(after[:, 1], virtual(after[:, 0]))
        assert (np.diff(after[:, 1]) >= 0).all()
    # One shaded band for each ironed interval.
    assert len(value.patches) == len(prior.ironed_values) == 2
    assert len(cost.patches) == len(prior.ironed_costs) == 1
    assert len(revenue.patches) == 2


@pytest.mark.parametrize(
    "spec",
    [
        DISCRETE,
        "uniform(0, 250)",
        "beta(0.5, 0.5)",
        "equal-revenue(1, 10)",
        "mixture([uniform(0, 1), uniform(3, 4), point(2)], [0.5, 0.4, 0.1])",
    ],
)
def test_the_hull_is_concave_and_above_the_revenue(spec: str) -> None:
    revenue = draw_prior(parse_prior(spec)).axes[1]
    raw, hull = curve(revenue, "revenue"), curve(revenue, "hull")
    order = np.argsort(hull[:, 0], kind="stable")
    height = np.interp(raw[:, 0], hull[order, 0], hull[order, 1])
    assert (height >= raw[:, 1] - 1e-9 * raw[:, 1].max()).all()
    sold, best = np.unique(hull[:, 0], return_index=True)
    assert sold[0] == 0 and sold[-1] == pytest.approx(1)
    apart = sold[np.append(True, np.diff(sold) > 1e-7)]
    slopes = np.diff(np.interp(apart, sold, hull[best, 1])) / np.diff(apart)
    assert (np.diff(slopes) <= 1e-5 * np.abs(slopes).max()).all()


@pytest.mark.parametrize(
    ("prior", "expected"),
    [
        (parse_prior("point(3)"), "probability of each value"),
        (parse_prior("uniform(0, 1)"), "density"),
        (parse_prior("normal(0, 1)"), "density"),
        (parse_prior("pareto(2)"), "density"),
        (parse_prior("lognormal(10, 0.8)"), "density"),
        (parse_prior("equal-revenue(1, 10)"), "density (line, left)"),
        (make_prior({"kind": "empirical", "values": list(range(200))}), "60 bins (200 atoms)"),
        (make_prior({"kind": "empirical", "values": list(range(20_000))}), "20,000 atoms"),
    ],
    ids=lambda value: value.kind if isinstance(value, Prior) else "",
)
def test_every_kind_of_law(prior: Prior, expected: str, tmp_path: Path) -> None:
    figure = draw_prior(prior)
    assert expected in figure.axes[0].get_title(loc="left")
    for axes in figure.axes[2:4]:
        assert "after-ironing" in names(axes)
        assert np.isfinite(axes.get_ylim()).all()
    path = tmp_path / "prior.svg"
    save_prior_picture(prior, path)
    text = path.read_text(encoding="utf-8")
    for label in ("revenue curve", "virtual value", "virtual cost", "its concave hull"):
        assert label in text


def test_a_pole_of_the_density_leaves_the_rest_visible() -> None:
    law = draw_prior(parse_prior("beta(0.5, 0.5)")).axes[0]
    assert np.nanmax(curve(law, "density")[:, 1]) > 100
    assert law.get_ylim()[1] < 10


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_prior_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{place}.{suffix}" for place in ("one", "two")]
    for path in paths:
        save_prior_picture(parse_prior(DISCRETE), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_prior_without_virtual_values_has_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match="infinite"):
        save_prior_picture(parse_prior("pareto(0.5)"), tmp_path / "prior.svg")
    assert list(tmp_path.iterdir()) == []
