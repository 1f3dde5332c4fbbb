"""Agents by id and by belief; reports by order and by id; warnings about the units."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from catallax.errors import (
    CatallaxError,
    MissingPriorError,
    MissingReportError,
    ReportError,
    UnknownAgentError,
)
from catallax.markets import Agents, Market, Reports, check_reports, far_outside
from catallax.priors import Prior

SPECS = ["uniform(0, 1)", "uniform(0, 2)", "point(0.5)"]


def market(**others) -> Market:
    """Return a market whose buyers hold three priors in turn."""
    buyers = {"id": [f"b{k}" for k in range(9)], "prior": SPECS * 3}
    return Market(buyers | others, {"id": [1, 2], "ask": [0.1, 0.2], "prior": SPECS[:2]})


def prior_of(agents: Agents, position: int) -> Prior:
    prior = agents.prior(position)
    assert prior is not None
    return prior


def test_virtual_values_are_those_of_each_agent_s_own_prior():
    buyers = market().buyers
    bids = np.linspace(0, 1, 9)
    values = [prior_of(buyers, k).virtual_value(bids[k]) for k in range(9)]
    costs = [prior_of(buyers, k).virtual_cost(bids[k]) for k in range(9)]
    assert buyers.virtual_values(bids).tolist() == values
    assert buyers.virtual_costs(bids).tolist() == costs


def test_inverses_take_agents_in_any_order():
    buyers = market().buyers
    which = np.array([7, 0, 7, 5, 3])
    levels = np.array([0.5, 0.0, 0.5, 0.5, 0.25])
    strict = np.array([True, False, False, True, True])
    values = buyers.smallest_values(levels, strict, which)
    costs = buyers.largest_costs(levels, strict, which)
    for k, agent in enumerate(which):
        prior = prior_of(buyers, agent)
        assert values[k] == prior.smallest_value(levels[k], strict[k])
        assert costs[k] == prior.largest_cost(levels[k], strict[k])
    assert buyers.smallest_values(0.0, False, [1, 0]).tolist() == [1.0, 0.5]
    assert buyers.smallest_values([], True, []).shape == (0,)


def test_samples_depend_on_the_seed_alone_and_fit_the_priors():
    buyers = market().buyers
    draws = buyers.sample(7)
    assert draws.tolist() == buyers.sample(np.random.default_rng(7)).tolist()
    assert draws.tolist() != buyers.sample(8).tolist()
    assert (draws[2::3] == 0.5).all()


def test_a_missing_prior_names_the_first_agent_without_one():
    agents = Market({"id": ["a", "b"], "prior": ["point(1)", None]}, []).buyers
    with pytest.raises(MissingPriorError, match=r"buyer 'b' has no prior.*column 'prior'"):
        agents.virtual_values([1, 1])
    with pytest.raises(MissingPriorError, match="buyer 'b'"):
        agents.smallest_values([0, 0], False, [0, 1])
    assert agents.smallest_values([0.0], False, [0]).tolist() == [1.0]
    with pytest.raises(CatallaxError, match="2 buyers need 2 values"):
        agents.virtual_values([1])


def test_a_missing_prior_names_the_line_of_a_file(tmp_path):
    (tmp_path / "market.toml").write_text('[buyers]\ntable = "b.csv"\n[sellers]\ntable = "s.csv"\n')
    lines = ["id,bid,prior", "a,1,point(1)", "", "b,1,", "c,1,point(1)", "d,2,", ""]
    (tmp_path / "b.csv").write_text("\n".join(lines))
    (tmp_path / "s.csv").write_text("id,ask\n")
    buyers = Market.read(tmp_path).buyers
    with pytest.raises(
        MissingPriorError, match=r"b\.csv line 4: buyer 'b' has.*\(1 more has none\)"
    ):
        buyers.virtual_values([1, 1, 1, 1])
    (tmp_path / "b.csv").unlink()
    with pytest.raises(MissingPriorError, match=r"^buyer 'b' has no prior"):
        buyers.virtual_values([1, 1, 1, 1])


def test_agents_by_id():
    sides = market()
    assert sides.buyers.index("b3") == 3
    assert sides.sellers.index(2) == sides.sellers.index("2") == 1
    number: Any = np.int64(1)
    assert sides.sellers.index(number) == 0
    assert "b3" in sides.buyers
    assert "b9" not in sides.buyers
    assert (sides.buyers.label(3), sides.sellers.label(0)) == ("buyer 'b3'", "seller 1")
    with pytest.raises(UnknownAgentError, match=r"no buyer 'b33': did you mean 'b3'\?"):
        sides.buyers.index("b33")
    for wrong in (True, 3, "x", "\u0661", "02", "+2", "-0"):
        with pytest.raises(UnknownAgentError):
            sides.sellers.index(wrong)
    with pytest.raises(UnknownAgentError, match="no buyers"):
        Market([], []).buyers.index("a")
    with pytest.raises(CatallaxError, match="one entry per agent"):
        Agents("buyer", pl.Series(["a"]), prior_of=[0, 0])


# ------------------------------------------------------------------------------------------ reports


def test_reports_by_order_mapping_and_frame():
    bare = market()
    bids = [k / 10 for k in range(9)]
    assert Reports.of(bare, bids=bids).asks.tolist() == [0.1, 0.2]
    mapping = {f"b{k}": bids[k] for k in reversed(range(9))}
    assert Reports.of(bare, bids=mapping).bids.tolist() == bids
    frame = pl.DataFrame({"id": list(mapping), "bid": list(mapping.values())})
    for given in (frame, frame.to_pandas(), frame.to_dicts(), frame.to_dict(as_series=False)):
        assert Reports.of(bare, bids=given).bids.tolist() == bids
    assert Reports.of(bare, bids=bids, asks={2: 0.9}).asks.tolist() == [0.1, 0.9]
    assert Reports.of(bare, bids=np.array(bids), asks={"2": 0.9}).asks.tolist() == [0.1, 0.9]


def test_reports_that_do_not_fit():
    bare = market()
    with pytest.raises(MissingReportError, match="buyer 'b0' has no bid"):
        bare.require_reports()
    with pytest.raises(MissingReportError, match="buyer 'b1' has no bid"):
        Reports.of(bare, bids={"b0": 1})
    assert bare.reports is None
    full = market(bid=[0.5] * 9)
    with pytest.raises(UnknownAgentError, match="no buyer 'x'"):
        Reports.of(full, bids={"x": 1})
    with pytest.raises(ReportError, match="seller 1 reports twice"):
        Reports.of(full, asks={1: 0.5, "1": 0.7})
    with pytest.raises(ReportError, match="buyer 'b4' has a bid that is NaN"):
        Reports.of(full, bids={"b4": float("nan")})
    with pytest.raises(ReportError, match="8 bids for 9 buyers"):
        Reports.of(full, bids=[1.0] * 8)
    with pytest.raises(ReportError, match="buyer 'b2' has a bid that is infinite"):
        check_reports(full, Reports([0, 0, np.inf, *[0] * 6], [0, 0]))
    with pytest.raises(ReportError, match=r"seller 2 has the negative ask -0\.5"):
        check_reports(full, Reports([0] * 9, [0, -0.5]))


@pytest.mark.parametrize("bad", [["x"], [None], [True], [[1.0]], np.array([[1.0]]), ["1"]])
def test_reports_are_numbers(bad):
    with pytest.raises(ReportError):
        Reports(bad, [])


def test_reports_are_copies_and_read_only():
    bids = np.array([1.0])
    reports = Reports(bids, [])
    bids[0] = 2
    assert reports.bids.tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        reports.bids[0] = 3


# ------------------------------------------------------------------------------------ far outside


@pytest.mark.parametrize(
    ("prior", "inside", "outside"),
    [
        ("uniform(0, 2)", [-1.0, 0.0, 2.0, 3.0], [-1.01, 3.01, 1e12]),
        ("point(2)", [1.0, 2.0, 3.0], [0.99, 3.01]),
        ("exponential(1)", [0.0, 1.0, 20.0, -5.0], [21.0, 1e9]),
        ("normal(0, 1)", [-5.9, 0.0, 5.9], [-6.1, 6.1]),
    ],
)
def test_what_is_far_outside(prior, inside, outside):
    def warned(values: list[float]) -> list[str]:
        buyers = {"id": list(range(len(values))), "bid": values, "prior": [prior] * len(values)}
        sides = Market(buyers, [])
        return far_outside(sides, sides.require_reports())

    assert warned(inside) == []
    for value in outside:
        assert len(warned([value])) == 1
    (line,) = warned([*inside, *outside])
    assert f"{outside[0]!r} of buyer {len(inside)}" in line
    assert f"and {len(outside) - 1} more bid" in line
    assert prior.split("(")[0] in line


def test_one_warning_a_side_and_none_without_a_prior():
    prior = ["uniform(0, 1)"]
    both = Market(
        {"id": ["a", "b"], "bid": [5, 5], "prior": [*prior, None]},
        {"id": ["s"], "ask": [7], "prior": prior},
    )
    warned = far_outside(both, both.require_reports())
    assert [line.split(" lies")[0] for line in warned] == [
        "the bid 5.0 of buyer 'a'",
        "the ask 7.0 of seller 's'",
    ]
