"""Priors from tables, and interval-censored answers."""

import gzip
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.errors import PriorError
from catallax.priors import (
    Empirical,
    Intervals,
    make_prior,
    parse_prior,
    revenue_curve,
    virtual_table,
)
from tests.priors.conftest import EVERY

ANSWERS = Path(__file__).parents[3] / "shared" / "data" / "cv_wtp_intervals.csv"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_of_a_table(tmp_path, suffix):
    frame = pl.DataFrame({"value": [0.1, 3.0, 0.1], "w": [1, 2, 3]})
    path = tmp_path / f"history.{suffix}"
    frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
    spec = {"kind": "empirical", "table": path.name, "column": "value"}
    prior = make_prior(spec, base=tmp_path)
    assert prior == Empirical([0.1, 3.0, 0.1])
    assert make_prior(spec | {"weights": "w"}, base=tmp_path) == Empirical([0.1, 3, 0.1], [1, 2, 3])
    assert make_prior(prior.spec()) == prior


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("value\n1\nx\n", "h.csv line 3: value = 'x' is not a number; correct it"),
        ("value,w\n1,1\n,1\n", "h.csv line 3: value is empty"),
        ("price\n1\n", "has no column 'value'"),
        ("value\n1\nnan\n", "values[1] = nan"),
        ("value\n", "values is empty"),
        ("", "h.csv: the file is empty; it needs a header line"),
        ("value,value\n1,2\n", "the column 'value' occurs twice"),
        ("value\n1\n2,5\n", "h.csv line 3: there are 2 cells and 1 column; if 2,5 is one number,"),
        ('value\n1\n\n"2,5"\n', "h.csv line 4: value = '2,5' is not a number; write 2.5"),
        ('value,w\n"a\nb",1\n', "h.csv line 2: value = 'a\\nb' is not a number; correct it"),
        ('w,value\n"a\nb",1\nc,x\n', "h.csv line 4: value = 'x' is not a number"),
        ("value;w\n2,5;1\n", "h.csv line 1: the columns are separated by semicolons"),
        ('value\n1\n"2\n', "h.csv line 3: a quote is opened and never closed"),
        ("value\r1\r", "h.csv line 1: the lines end in carriage returns alone"),
        ("value,w\n\n1,1\n\n,1\n", "h.csv line 5: value is empty"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    (tmp_path / "h.csv").write_text(text)
    spec = {"kind": "empirical", "table": "h.csv", "column": "value"}
    with pytest.raises(PriorError) as caught:
        make_prior(spec, base=tmp_path, where="market.toml [priors.p]")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_text_is_not_taken_for_old_line_ends(tmp_path):
    (tmp_path / "h.csv").write_bytes(b"\x8b\r\x08\xff\r\n1\n")
    spec = {"kind": "empirical", "table": "h.csv", "column": "value"}
    with pytest.raises(PriorError, match=r"h\.csv line 1: this is not UTF-8 text"):
        make_prior(spec, base=tmp_path)


def test_a_column_of_row_numbers_needs_no_name(tmp_path):
    (tmp_path / "h.csv").write_text(",value\n0,1\n1,2.5\n")
    spec = {"kind": "empirical", "table": "h.csv", "column": "value"}
    assert make_prior(spec, base=tmp_path) == Empirical([1, 2.5])


def test_blank_lines_are_no_rows(tmp_path):
    (tmp_path / "h.csv").write_text("value\n1\n\n2.5\n\n")
    spec = {"kind": "empirical", "table": "h.csv", "column": "value"}
    assert make_prior(spec, base=tmp_path) == Empirical([1, 2.5])


def test_a_table_whose_name_is_a_pattern(tmp_path):
    (tmp_path / "h[1].csv").write_text("value\n1\n")
    (tmp_path / "h1.csv").write_text("value\n7\n")
    pl.DataFrame({"value": [2.0]}).write_parquet(tmp_path / "*.parquet")
    for name, value in (("h[1].csv", 1), ("*.parquet", 2)):
        spec = {"kind": "empirical", "table": name, "column": "value"}
        assert make_prior(spec, base=tmp_path) == Empirical([value])


def test_compressed_content_is_refused(tmp_path):
    (tmp_path / "h.csv").write_bytes(gzip.compress(b"value\n1\n"))
    spec = {"kind": "empirical", "table": "h.csv", "column": "value"}
    with pytest.raises(PriorError, match="not UTF-8 text"):
        make_prior(spec, base=tmp_path)


@pytest.mark.parametrize(
    "column",
    [
        [True, False],
        [date(2024, 1, 1), date(2024, 1, 2)],
        [timedelta(1), timedelta(2)],
        pl.Series(["1", "2"], dtype=pl.Categorical),
    ],
)
def test_a_parquet_column_that_holds_no_numbers(tmp_path, column):
    pl.DataFrame({"value": column}).write_parquet(tmp_path / "h.parquet")
    spec = {"kind": "empirical", "table": "h.parquet", "column": "value"}
    with pytest.raises(PriorError, match=r"'value' is of type .*, not numbers") as caught:
        make_prior(spec, base=tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["exponential(1e308)", "discrete([-1e308, 1e308], [0.5, 0.5])"])
def test_curves_that_overflow_are_refused(text):
    with pytest.raises(PriorError, match="spans more than a number can hold"):
        revenue_curve(parse_prior(text))
    with pytest.raises(PriorError, match="spans more than a number can hold"):
        virtual_table(parse_prior(text))


MEANS = {
    "albemarle_pamlico": 154.3,
    "alentejo_park": 19.4,
    "exxon_valdez": 54.1,
    "kakadu_major": 111.5,
    "kakadu_minor": 99.5,
    "swedish_forests": 2141.8,
    "us_carbon_tax": 89.2,
}


@pytest.mark.parametrize("good", MEANS)
def test_turnbull_lower_bound_means(tmp_path, good):
    if not ANSWERS.exists():
        pytest.skip("the contingent valuation answers are not at hand")
    pl.read_csv(ANSWERS).filter(pl.col("dataset") == good).write_csv(tmp_path / "answers.csv")
    spec = {"table": "answers.csv", "low": "wtp_low", "high": "wtp_high", "weights": "weight"}
    prior = make_prior({"kind": "intervals", **spec}, base=tmp_path)
    assert isinstance(prior, Intervals)
    assert prior.mean == pytest.approx(MEANS[good], abs=0.05)
    assert prior.fit.gap <= 1e-9
    assert make_prior(prior.spec()) == prior


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 6)), min_size=1, max_size=25))
def test_turnbull_against_self_consistency(answers):
    """The maximum beats every step of plain self-consistency, and satisfies its conditions."""
    low = np.array([start for start, _ in answers], dtype=float)
    high = low + [width for _, width in answers]
    fit = Intervals(low, high).fit
    inside = (low[:, None] <= fit.low) & (fit.high <= high[:, None])
    overlaps = (low[:, None] < fit.high) & (fit.low < high[:, None])
    assert (inside == overlaps).all()  # innermost: each answer takes all of it or nothing
    reached = inside @ fit.probabilities
    slope = (inside / reached[:, None]).mean(axis=0)
    assert slope.max() <= 1 + 1e-8
    chances = np.full(fit.low.size, 1 / fit.low.size)
    for _ in range(200):
        chances = chances * (inside / (inside @ chances)[:, None]).mean(axis=0)
    assert np.log(reached).sum() >= np.log(inside @ chances).sum() - 1e-7


def test_right_censored_answers_are_the_kaplan_meier_curve():
    """Events just after 1, 2 and 4, one answer lost at 3: the classic product-limit estimate."""
    prior = Intervals([1, 2, 3, 4], ["1.5", 2.5, None, 4.5])
    assert prior.atoms[0].tolist() == [1.0, 2.0, 4.0]
    assert prior.atoms[1] == pytest.approx([0.25, 0.25, 0.5], abs=1e-6)


@pytest.mark.parametrize("text", EVERY)
@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_revenue_curves(text, side):
    prior = parse_prior(text)
    q, price, revenue, hull = revenue_curve(prior, 300, side)
    assert (np.diff(q) >= 0).all() and (q >= 0).all() and (q <= 1).all()
    assert revenue == pytest.approx(q * price, nan_ok=False)
    sign = 1.0 if side == "buyer" else -1.0
    assert (sign * (hull - revenue) >= 0).all()
    rising = np.diff(q) > 1e-7
    slopes = sign * (np.diff(hull)[rising] / np.diff(q)[rising])
    scale = 1e-6 * (1 + np.abs(slopes).max())
    assert (np.diff(slopes) <= scale).all()  # concave, or convex


@pytest.mark.parametrize("text", EVERY)
def test_virtual_tables(text):
    table = virtual_table(parse_prior(text), 50)
    assert (np.diff(table.v) > 0).all()
    for column in table:
        assert column is not None
        assert column.shape == table.v.shape
        assert not np.isnan(column).any()
