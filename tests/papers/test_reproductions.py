"""Published results again: every figure agrees, and a wrong one would not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catallax import papers
from catallax.errors import CatallaxError
from catallax.groups import GroupTrade, evaluate
from catallax.papers import registry
from catallax.papers.groups_table1 import family, groups_table1, paired_error, published_cells
from catallax.papers.reproduction import Row

# Exact values known to six digits: (probability that both are better off, share), by means.
KNOWN = {
    ("uniform", 5): ((0.686002, 0.972646), (0.463714, 0.822756), (0.288782, 0.289420)),
    ("bernoulli", 5): ((0.465888, 0.809666), (0.351799, 0.558165), (0.269096, 0.150045)),
    ("normal", 5): ((0.803533, 0.992334), (0.539557, 0.899157), (0.302244, 0.362211)),
    ("mixed", 5): ((0.566350, 0.909773), (0.401815, 0.694844), (0.278051, 0.210518)),
    ("uniform", 100): ((0.999987, 1.0), (0.969987, 0.999902), (0.445257, 0.787385)),
    ("bernoulli", 100): ((0.966758, 0.999784), (0.748958, 0.975858), (0.382021, 0.508986)),
    ("normal", 100): ((1.0, 1.0), (0.995577, 0.999998), (0.511210, 0.870675)),
    ("mixed", 100): ((0.997216, 0.999999), (0.870442, 0.997086), (0.381763, 0.655673)),
}
CHEAP = ("bilateral-uniform", "negative-expected-gain", "equal-revenue", "pareto")
MEANS = ((0.6, 0.4), (0.55, 0.45), (0.51, 0.49))


@pytest.fixture(scope="module")
def table1() -> papers.Reproduction:
    return papers.reproduce("groups-table1")


def test_all_numbers_of_table_1_agree(table1: papers.Reproduction) -> None:
    assert len(table1.rows) == 72
    assert [row.what for row in table1.rows if not row.agrees] == []
    # Not one of them is more than four published standard errors away.
    for row in table1.rows:
        assert row.unit is not None
        stated = row.unit[1]
        assert abs(row.difference) <= 4 * stated + 5e-7 or stated == 0


def test_the_exact_values_are_the_known_ones(table1: papers.Reproduction) -> None:
    ours = {row.what: row.ours for row in table1.rows}
    for (name, n), cells in KNOWN.items():
        for means, (both, share) in zip(MEANS, cells, strict=True):
            where = f"{name}, n = {n}, means {means[0]:g} and {means[1]:g}"
            assert ours[f"{where}: both better off"] == pytest.approx(both, abs=1e-6)
            assert ours[f"{where}: share of first best"] == pytest.approx(share, abs=1e-6)


def test_the_published_error_of_the_share_is_too_wide() -> None:
    """The delta method on paired draws, against a sample; theirs leaves a covariance out."""
    (cell,) = (c for c in published_cells() if (c["family"], c["n"]) == ("uniform", 100)
               and c["mean_buyer"] == 0.51)  # fmt: skip
    trade = GroupTrade(100, 100, family("uniform", 0.51), family("uniform", 0.49))
    found = evaluate(trade, "forced-trade", monte_carlo=20_000, rng=1)
    share = found.share_of_first_best
    assert share is not None
    assert found.check is not None
    ours = paired_error(trade, share, found.first_best)
    sampled = found.check.stderr["share_of_first_best"] * (20_000 / 1e6) ** 0.5
    assert ours == pytest.approx(sampled, rel=0.05)
    assert cell["share_stderr"] > 1.3 * ours


def test_figures_are_drawn_from_the_table(table1: papers.Reproduction) -> None:
    figures = papers.reproduce("groups-figures")
    assert figures.agrees
    assert [chart.name for chart in figures.charts] == ["figure-1", "figure-2"]
    ours = {row.what: row.ours for row in table1.rows}
    left = figures.charts[0].panels[0]
    assert left.places == ("n = 5", "n = 100", "n = 10,000")
    assert left.bars["uniform"][0] == ours["uniform, n = 5, means 0.55 and 0.45: both better off"]


def test_a_wrong_figure_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = published_cells()[:1]
    cells[0]["ir_published"] += 0.003
    monkeypatch.setattr("catallax.papers.groups_table1.published_cells", lambda: cells)
    found = groups_table1(registry.Options())
    assert not found.agrees
    assert [row.verdict for row in found.rows] == ["differs", "agrees"]


def test_bounds_hold_on_one_side() -> None:
    row = Row("share", 0.5, 0.6, 0.0)
    assert not row.agrees
    assert replace(row, bound="at least").agrees
    assert not replace(row, bound="at most").agrees


def test_published_results_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheap ones of each target; `catallax reproduce --all` goes through all."""
    from catallax.papers import closed_forms, unit_demand

    families = [pair for pair in closed_forms.FAMILIES if pair[0] in CHEAP]
    monkeypatch.setattr(closed_forms, "FAMILIES", families)
    monkeypatch.setattr(unit_demand, "CASES", unit_demand.CASES[:2])
    for target, rows in {
        "closed-forms": 17, "mcafee": 28, "worst-random-offerer": 10, "unit-demand": 4,
    }.items():  # fmt: skip
        found = papers.reproduce(target, monte_carlo=200)
        assert len(found.rows) == rows, target
        assert [row.what for row in found.rows if not row.agrees] == []


def test_the_guarantee_names_the_market_that_is_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    """On some of its families; `catallax reproduce guarantee` goes through all."""
    from catallax.papers import guarantee

    names = ("one pair, equal revenue against a power", "a star of one buyer")
    few = [(name, markets[:2]) for name, markets in guarantee._families() if name in names]
    monkeypatch.setattr(guarantee, "_families", lambda: iter(few))
    found = papers.reproduce("guarantee", monte_carlo=50)
    assert found.agrees and len(found.rows) == 6
    for what in ("gains", "profits"):
        least = min(
            (row for row in found.rows if f": {what}" in row.what), key=lambda row: row.ours
        )
        (note,) = (note for note in found.notes if "smallest share found" in note)
        assert f"{what} {least.ours:.6f} = 1/{1 / least.ours:.6f} ({least.what}, " in note
        assert least.what.endswith(f"a power (2): {what}")


def test_the_remark_on_gsom_bic() -> None:
    found = papers.reproduce("gsom-bic-remark")
    assert found.agrees
    assert found.rows[0].ours == 0.375


def test_unknown_targets_are_refused() -> None:
    with pytest.raises(CatallaxError, match="groups-table1"):
        papers.reproduce("groups-table")
    with pytest.raises(CatallaxError, match="monte_carlo"):
        papers.reproduce("groups-table1", monte_carlo=1)
