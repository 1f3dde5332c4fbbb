"""What is refused: one line each, with the key and the remedy."""

import json

import numpy as np
import pytest

from catallax.errors import PriorError
from catallax.priors import Empirical, Pareto, Uniform, make_prior, parse_prior, virtual_table
from tests.priors.conftest import EVERY

BAD = [
    ({"kind": "uniform", "low": 2, "high": 1}, "low = 2 is above high = 1; swap them"),
    ({"kind": "uniform", "low": 1, "high": 1}, "write point(1)"),
    ({"kind": "uniform", "low": 0, "high": float("nan")}, "high = nan must be finite"),
    ({"kind": "uniform", "low": "-inf", "high": 1}, "low = -inf must be finite"),
    ({"kind": "uniform", "low": 0, "high": True}, "high = True is not a number"),
    ({"kind": "uniform", "low": 0, "high": "x"}, "high = 'x' is not a number"),
    ({"kind": "uniform", "low": 0}, "'high' is missing; write uniform(low, high)"),
    ({"kind": "uniform", "lowe": 0, "high": 1}, "unknown key 'lowe': did you mean 'low'?"),
    ({"kind": "unifrom", "low": 0, "high": 1}, "unknown kind 'unifrom': did you mean 'uniform'?"),
    ({"low": 0, "high": 1}, "'kind' is missing"),
    ({"kind": "normal", "mean": 0, "sd": 0}, "sd = 0 must be above 0"),
    ({"kind": "normal", "mean": 0, "sd": -1}, "sd = -1 must be above 0"),
    ({"kind": "normal", "mean": 0, "sd": 1, "low": 3, "high": 2}, "swap them"),
    ({"kind": "exponential", "scale": float("inf")}, "scale = inf must be finite"),
    ({"kind": "beta", "a": 0, "b": 1}, "a = 0 must be above 0"),
    ({"kind": "pareto", "alpha": -1}, "alpha = -1 must be above 0"),
    ({"kind": "lognormal", "median": 0, "sigma": 1}, "median = 0 must be above 0"),
    ({"kind": "equal-revenue", "low": 0, "high": 1}, "low = 0 must be above 0"),
    ({"kind": "discrete", "values": [], "probabilities": []}, "values is empty"),
    ({"kind": "discrete", "values": [1, 2], "probabilities": [0.5, 0.4]}, "sum to 0.9, not 1"),
    (
        {"kind": "discrete", "values": [1, 2], "probabilities": [1.5, -0.5]},
        "probabilities[1] = -0.5",
    ),
    ({"kind": "discrete", "values": [1, 2], "probabilities": [1]}, "1 entries for 2 values"),
    ({"kind": "discrete", "values": [1, np.nan], "probabilities": [0.5, 0.5]}, "values[1] = nan"),
    ({"kind": "discrete", "values": [1, "b"], "probabilities": [0.5, 0.5]}, "values[1] = 'b'"),
    ({"kind": "discrete", "values": 3, "probabilities": [1]}, "values must be a list of numbers"),
    ({"kind": "empirical", "values": [1, np.inf]}, "values[1] = inf must be a finite number"),
    ({"kind": "empirical", "values": [1, 2], "weights": [0, 0]}, "weights must have a positive"),
    ({"kind": "empirical", "values": [1, 2], "weights": [1]}, "weights has 1 entries for 2 values"),
    (
        {"kind": "discrete", "values": [True, False], "probabilities": [0.5, 0.5]},
        "values[0] = True is not a number",
    ),
    (
        {"kind": "discrete", "values": ["1", "2"], "probabilities": [0.5, 0.5]},
        "values[0] = '1' is not a number",
    ),
    ({"kind": "empirical", "values": np.array([True])}, "values[0] = True is not a number"),
    ({"kind": "intervals", "low": [0], "high": [True]}, "high[0] = True is not a number"),
    ({"kind": "empirical", "values": [1, 10**400]}, "values has a number that is too large"),
    ({"kind": "point", "value": 10**400}, "value is too large"),
    ({"kind": "empirical"}, "'values' is missing"),
    ({"kind": "empirical", "column": "v"}, "a column is given without a table"),
    ({"kind": "empirical", "table": "t.csv"}, "a table is given without a column"),
    ({"kind": "empirical", "table": "no.csv", "column": "v"}, "does not exist; check the name"),
    ({"kind": "piecewise", "values": [0, 1, 2], "cdf": [0, 0.6, 0.5]}, "cdf must not decrease"),
    ({"kind": "piecewise", "values": [0, 2, 1], "cdf": [0, 0.5, 1]}, "values must not decrease"),
    (
        {"kind": "piecewise", "values": [0, 1], "cdf": [0, 0.9]},
        "cdf ends at 0.9; the last one",
    ),
    ({"kind": "piecewise", "values": [0, 1], "cdf": [-0.1, 1]}, "cdf[0] = -0.1"),
    ({"kind": "piecewise", "values": [0, 1], "cdf": [1]}, "cdf has 1 entries for 2 values"),
    ({"kind": "intervals", "low": [1, 2], "high": [2, 2]}, "answer 1: high = 2 must be above low"),
    ({"kind": "intervals", "low": [1], "high": [2, 3]}, "high has 2 entries for 1 low"),
    ({"kind": "mixture", "components": [], "weights": []}, "components is empty"),
    (
        {"kind": "mixture", "components": ["uniform(0, 1)", {"kind": "point"}], "weights": [1, 0]},
        "components[1]: 'value' is missing",
    ),
    (
        {"kind": "mixture", "components": ["uniform(0, 1)"], "weights": [0.5]},
        "weights sum to 0.5, not 1",
    ),
    ({"kind": "scipy", "name": "gama", "a": 2}, "did you mean 'gamma'?"),
    ({"kind": "scipy", "name": "gamma"}, "'a' is missing; write scipy('gamma', a, loc?, scale?)"),
    ({"kind": "scipy", "name": "gamma", "a": -1}, "is no distribution at a=-1"),
    ({"kind": "scipy", "name": "gamma", "a": 1, "shape": 2}, "unknown key 'shape'"),
    ({"kind": "scipy", "name": "poisson", "mu": 2}, "write discrete(values, probabilities)"),
]


@pytest.mark.parametrize(("spec", "message"), BAD)
def test_bad_specs(spec, message):
    with pytest.raises(PriorError) as caught:
        make_prior(spec, where="market.toml [priors.p]")
    text = str(caught.value)
    assert text.startswith("market.toml [priors.p]: ")
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uniform(0, 1", "cannot understand"),
        ("uniform(0, 1, 2)", "3 arguments are too many; write uniform(low, high)"),
        ("uniform(0, low=1)", "'low' is given twice"),
        ("uniform(0, one)", "unknown word 'one'"),
        ("unifrom(0, 1)", "did you mean 'uniform'?"),
        ("__import__('os').system('true')", "cannot understand"),
        ("uniform(0, 2 ** 999)", "cannot understand '2 ** 999'"),
        ("[1, 2]", "is not a prior"),
        ("7", "is not a prior"),
        ("", "cannot understand ''"),
        ("{", "is not JSON"),
        ("no-such-file.json", "cannot be read"),
        ("point(nan)", "value = nan must be finite"),
    ],
)
def test_bad_lines(text, message):
    with pytest.raises(PriorError) as caught:
        parse_prior(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_infinite_revenue_is_refused_only_where_it_is_needed():
    for prior in (Pareto(0.5), parse_prior("mixture([uniform(0, 1), pareto(0.5)], [0.5, 0.5])")):
        with pytest.raises(PriorError, match="the best revenue is infinite"):
            prior.virtual_value(2.0)
        with pytest.raises(PriorError, match="the best revenue is infinite"):
            _ = prior.ironed_values
        assert prior.virtual_cost(2.0) > 2.0
        assert prior.mean == np.inf
        table = virtual_table(prior, 20)
        assert table.value is None and table.cost is not None


def test_nan_and_wrong_arguments():
    prior = Uniform(0, 1)
    for method in (prior.cdf, prior.virtual_value, prior.virtual_cost, prior.smallest_value):
        with pytest.raises(PriorError, match="is NaN"):
            method([0.5, np.nan])
        with pytest.raises(PriorError, match="not a number"):
            method("half")
        with pytest.raises(PriorError, match="not a number"):
            method(10**400)
    with pytest.raises(PriorError, match="not a number"):
        prior.smallest_value([[1, 2], [3]])
    with pytest.raises(PriorError, match="do not fit together"):
        prior.smallest_value([1, 2], [True, True, False])
    with pytest.raises(PriorError, match="outside"):
        prior.quantile(1.5)


def test_priors_cannot_be_changed():
    prior = Empirical([1, 2])
    with pytest.raises(AttributeError):
        setattr(prior, "values", [3])  # noqa: B010  (it is frozen, and that is the test)
    with pytest.raises(ValueError, match="read-only"):
        prior.values[0] = 3
    for text in EVERY:
        for array in parse_prior(text).atoms:
            assert not array.flags.writeable


def test_json_file(tmp_path):
    (tmp_path / "sample.csv").write_text("id,value,w\na,1,1\nb,2.5,3\n")
    path = tmp_path / "prior.json"
    path.write_text(
        json.dumps({"kind": "empirical", "table": "sample.csv", "column": "value", "weights": "w"})
    )
    assert parse_prior(str(path)) == parse_prior("empirical([1, 2.5], [1, 3])")
    path.write_text('{"kind": "uniform", "low": 0, "high"')
    with pytest.raises(PriorError, match="is not JSON"):
        parse_prior(str(path))
