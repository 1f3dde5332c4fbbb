"""What identifies a cell: all that its record depends on, and nothing else."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import catallax as cx
from catallax.errors import CatallaxError
from catallax.estimate.simulate import simulate
from catallax.estimate.study import FIELDS, cells_of, compute_cell, quantile_field, study_of_text
from catallax.estimate.study import fingerprint as fingerprint_module
from catallax.estimate.study import rules as rules_module
from catallax.estimate.study.recipes import PriorPair, Recipe
from tests.estimate.study.fake import STUDY


def keys(text: str, path: Path | str = "study.toml") -> set[str]:
    return {cell.key for cell in cells_of(study_of_text(text, path))}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ('name = "small"', 'name = "large"', True),
        ('name = "small"', 'name = "small"\ndescription = "text"', True),
        ("seeds = [1, 2, 3]", "seeds = { count = 3 }", True),
        ("seeds = [1, 2, 3]", "seeds = [3, 1, 2]", True),
        ('name = "uniform"', 'name = "flat"', True),
        ('"uniform(0, 1)"', '{ kind = "uniform", low = 0.0, high = 1 }', True),
        ("degree = 2", "degree = 2.0", True),
        ("[[markets]]\ngraph", '[[markets]]\nname = "other"\ngraph', True),
        ("samples = 100", "samples = 101", False),
        ("samples = 100", 'samples = 100\ndraws = "antithetic"', False),
        ("samples = 100", "samples = 100\nexact = false", False),
        ("samples = 100", "samples = 100\nuntil = 0.5", False),
        ("samples = 100", "samples = 100\nconditional = true", False),
        ("seeds = [1, 2, 3]", "seeds = [4, 5, 6]", False),
        ("n = [2, 3]", "n = [4, 5]", None),
        ('"uniform(0, 1)"', '"uniform(0, 2)"', None),
        ("degree = 2", "degree = 2.5", None),
        ("degree = 2", "degree = 2\ngraph_seed = 1", None),
        ("sparse-random", "spatial", None),
    ],
)
def test_what_a_record_depends_on_changes_its_hash(
    before: str, after: str, same: bool | None
) -> None:
    assert before in STUDY
    old, new = keys(STUDY), keys(STUDY.replace(before, after, 1))
    assert len(old) == len(new) == 36
    if same is None:
        # One of the two markets is another, and the other one is the same.
        assert len(old & new) == 18
    else:
        assert (old == new) is same and (same or not old & new)


def test_the_content_of_a_market_file_counts(tmp_path: Path) -> None:
    text = '[study]\nname = "x"\nsamples = 100\nseeds = [1]\nmechanisms = ["gsom"]\n'
    text += '[[markets]]\npath = "market.json"\n'
    file = tmp_path / "market.json"
    cx.instances.get("horse-market").write(file)
    first = keys(text, tmp_path / "study.toml")
    file.write_text(file.read_text().replace("\n", "\n  "))
    assert keys(text, tmp_path / "study.toml") == first
    file.write_text(file.read_text().replace('"high": 40', '"high": 41'))
    assert keys(text, tmp_path / "study.toml") != first


def test_the_code_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    first = keys(STUDY)
    monkeypatch.setattr("catallax.estimate.study.cells.code_fingerprint", lambda: "other")
    assert not first & keys(STUDY)


def test_every_source_that_computes_and_every_library_is_in_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again() -> str:
        fingerprint_module.code_fingerprint.cache_clear()
        fingerprint_module.versions.cache_clear()
        return fingerprint_module.code_fingerprint()

    before = again()
    sources = dict(fingerprint_module._sources(Path(cx.__file__).parent))
    for name in ("compiled.py", "matching/plain/kernels_sweep.py", "estimate/study/cells.py"):
        assert name in sources
    assert "markets/data/neighbourhood-energy/market.toml" in sources
    assert not [name for name in sources if name.startswith(("cli/", "report/")) or "pyc" in name]
    read = fingerprint_module._sources
    monkeypatch.setattr(fingerprint_module, "_sources", lambda package: read(package)[1:])
    assert again() != before
    monkeypatch.undo()
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    assert again() != before
    monkeypatch.undo()
    monkeypatch.setattr(cx, "__version__", "0.0")
    assert again() != before
    monkeypatch.undo()
    assert again() == before


OWN = """
from dataclasses import dataclass
from catallax.mechanisms import Claims, SeparableMechanism

@dataclass(frozen=True)
class Own(SeparableMechanism):
    slug = "own"
    summary = "the first best by another name"
    claims = Claims("DSIC", "DSIC", "ex post", "none")
"""


def test_the_source_of_a_mechanism_from_elsewhere_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "mechanism_of_mine.py"
    module.write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    text = STUDY.replace('"mcafee"', '"mechanism_of_mine:Own"')
    before = cells_of(study_of_text(text))
    cell = next(cell for cell in before if cell.rule.source is not None)
    assert sum(cell.rule.source is not None for cell in before) == 12
    assert compute_cell(cell)["share_of_first_best"] == pytest.approx(1.0)
    module.write_text(OWN + "# changed\n")
    del sys.modules["mechanism_of_mine"]
    rules_module._source_hash.cache_clear()
    after = cells_of(study_of_text(text))
    assert len({cell.key for cell in before} & {cell.key for cell in after}) == 24
    # A worker with the new source refuses a cell of the old one.
    with pytest.raises(CatallaxError, match="its source is not the one"):
        compute_cell(cell)
    rules_module._source_hash.cache_clear()


def test_a_mechanism_is_looked_up_beside_the_study_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    # A folder of the same name stands in the current folder, and must not be taken for it.
    (tmp_path / "beside_it").mkdir()
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "beside_it.py").write_text(OWN)
    text = STUDY.replace('"mcafee"', '"beside_it:Own"')
    study = study_of_text(text, "studies/study.toml")
    (rule,) = (rule for rule in study.rules if rule.source is not None)
    assert rule.build().summary == "the first best by another name"
    # Wherever the study lies, it is the same cell.
    monkeypatch.chdir(folder)
    assert {cell.key for cell in cells_of(study_of_text(text, "study.toml"))} == {
        cell.key for cell in cells_of(study)
    }
    other = tmp_path / "other"
    other.mkdir()
    (other / "beside_it.py").write_text(OWN)
    with pytest.raises(CatallaxError, match="there is another module 'beside_it' already"):
        study_of_text(text, other / "study.toml")
    with pytest.raises(CatallaxError) as refused:
        study_of_text(text.replace("beside_it", "nowhere_at_all"), other / "study.toml")
    assert str(refused.value) == (
        f"{other / 'study.toml'}: mechanisms: mechanism 'nowhere_at_all:Own': cannot import "
        f"module 'nowhere_at_all' (looked in {other} and the current folder)"
    )
    del sys.modules["beside_it"]
    rules_module._source_hash.cache_clear()


def test_what_is_taken_for_a_module_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "only_a_folder").mkdir()
    text = STUDY.replace('"mcafee"', '"only_a_folder:Own"')
    with pytest.raises(CatallaxError, match=r"as there is no only_a_folder\.py; name the file"):
        study_of_text(text, tmp_path / "study.toml")
    del sys.modules["only_a_folder"]
    with pytest.raises(CatallaxError, match="between module and class, 'mine:MedianAsk'"):
        study_of_text(STUDY.replace('"mcafee"', '"mine.MedianAsk"'))


def test_two_names_for_one_cell_are_refused() -> None:
    twice = '\n[[markets]]\nname = "again"\ninstance = "double-auction"\nparameters = { n = 3 }\n'
    with pytest.raises(CatallaxError, match=r"'double-auction \(n = 3\), gsom, seed 1' and 'again"):
        cells_of(study_of_text(STUDY + twice))


# -------------------------------------------------------------------------------------- computing


def test_a_record_says_what_simulate_finds() -> None:
    for cell in cells_of(study_of_text(STUDY))[::5]:
        record = compute_cell(cell)
        assert set(record) == set(FIELDS)
        market = cell.setting.recipe.build(cell.seed)
        if cell.rule.label == "mcafee" and not market.graph.complete:
            assert record["status"] == "skipped"
            assert str(record["reason"]).startswith("mcafee needs every buyer")
            assert record["gains_from_trade"] is None
            continue
        found = simulate(market, [cell.rule.label], samples=100, rng=cell.seed)
        (estimates,) = found.estimates.values()
        for name in ("gains_from_trade", "share_of_first_best", "surplus", "trades"):
            one = getattr(estimates, name)
            told = (record[name], record[f"{name}_stderr"], record[f"{name}_exact"])
            assert told == (one.mean, one.stderr, one.exact)
        assert record["first_best"] == found.first_best.mean
        assert estimates.gains is not None
        assert record[quantile_field("gains_from_trade", 0.5)] == estimates.gains.quantile(0.5)
        assert (record["n_buyers"], record["n_edges"]) == (
            len(market.buyers), market.graph.n_edges,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ('draws = "antithetic"\nexact = false', {"draws": "antithetic", "exact": False}),
        ('draws = "sobol"\nexact = false', {"draws": "sobol", "exact": False}),
        ("until = 0.05\nexact = false", {"until": 0.05, "exact": False}),
        ("conditional = true", {"conditional": True}),
    ],
)
def test_options_reach_the_simulation(line: str, options: dict[str, Any]) -> None:
    text = STUDY.replace("samples = 100", f"samples = 20_000\n{line}")
    cell = cells_of(study_of_text(text))[-18]
    record = compute_cell(cell)
    market = cell.setting.recipe.build(cell.seed)
    found = simulate(market, ["gsom"], samples=20_000, rng=cell.seed, **options)
    assert record["gains_from_trade"] == found["gsom"].gains_from_trade.mean
    assert record["gains_from_trade_stderr"] == found["gsom"].gains_from_trade.stderr
    assert (record["samples"], record["reached"]) == (found.samples, found.reached)
    assert record["reached"] is (True if "until" in options else None)
    told = found["gsom"].variance_reduction.get("gains_from_trade")
    assert record["variance_reduction"] == told
    assert (told is None) is ("until" in options)


def test_a_mechanism_that_needs_a_prior_is_skipped_with_the_reason(tmp_path: Path) -> None:
    market = cx.Market([{"id": "b", "bid": 1.0}], [{"id": "s", "ask": 0.0}], name="bare")
    market.write(tmp_path / "bare.json")
    text = '[study]\nname = "x"\nsamples = 100\nseeds = [1]\nmechanisms = ["gsom"]\n'
    study = study_of_text(text + '[[markets]]\npath = "bare.json"\n', tmp_path / "study.toml")
    record = compute_cell(cells_of(study)[0])
    assert record["status"] == "skipped"
    assert "has no prior" in str(record["reason"])


# ---------------------------------------------------------------------------------------- recipes

UNIFORM = PriorPair.read("uniform(0, 1)", "point(0.25)", Path(), "here")


def test_each_seed_draws_another_graph_unless_it_is_fixed() -> None:
    sizes = (("n_buyers", 20), ("n_sellers", 30), ("degree", 3.0))
    varying = Recipe("graph", "sparse-random", sizes, pair=UNIFORM)
    fixed = dataclasses.replace(varying, parameters=(*sizes, ("seed", 1)))
    one, other = varying.build(1), varying.build(2)
    assert varying.varies and not fixed.varies
    assert (one.graph.buyer.tolist(), one.graph.seller.tolist()) != (
        other.graph.buyer.tolist(), other.graph.seller.tolist(),
    )  # fmt: skip
    assert one.equals(varying.build(1)) and fixed.build(1).equals(fixed.build(2))
    assert one.equals(fixed.build(5))
    assert varying.identity(1) != varying.identity(2)
    assert fixed.identity(1) == fixed.identity(2)


def test_other_priors_leave_the_rest_of_a_market_as_it_is() -> None:
    for name in ("neighbourhood-energy", "horse-market"):
        own = cx.instances.get(name)
        market = Recipe("instance", name, pair=UNIFORM).build(1)
        assert market.buyers.ids.equals(own.buyers.ids)
        assert market.buyers.table.equals(own.buyers.table)
        assert market.edge_table.equals(own.edge_table)
        assert np.array_equal(market.graph.seller, own.graph.seller)
        assert market.constraints == own.constraints
        assert {repr(prior) for prior in market.buyers.priors} == {"uniform(0, 1)"}
        assert {repr(prior) for prior in market.sellers.priors} == {"point(0.25)"}
        assert market.bids is None and market.asks is None


def test_priors_with_infinite_ends_and_tables_survive_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "seen.csv").write_text("value\n1\n2\n2\n5\n")
    pair = PriorPair.read(
        {"kind": "empirical", "table": "seen.csv", "column": "value"},
        "normal(0.5, 1, low=0)",
        tmp_path,
        "here",
    )
    (tmp_path / "seen.csv").unlink()
    values, costs = pair.build()
    assert values.mean == 2.5
    assert costs.support == (0.0, np.inf)
