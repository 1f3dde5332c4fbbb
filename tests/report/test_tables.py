"""Tables for people."""

from __future__ import annotations

import io
from fractions import Fraction

import pytest
from rich.console import Console, RenderableType

import catallax as cx
from catallax.mechanisms import Lottery, get, names
from catallax.priors import make_prior
from catallax.report.mechanisms import mechanisms_table
from catallax.report.numbers import aligned, amount, chance, count
from catallax.report.outcomes.lotteries import lottery_tables
from catallax.report.outcomes.tables import outcome_tables
from catallax.report.priors.tables import prior_document, prior_tables
from tests.report.markets import outcome, pair


def printed(renderable: RenderableType, *, width: int = 120, colour: bool = False) -> str:
    page = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        highlight=False,
        emoji=False,
    )
    with page.capture() as capture:
        page.print(renderable)
    return capture.get()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([0.5, 1234.25, 0.0], ["0.50", "1,234.25", "0.00"]),
        ([3, 12000], ["3", "12,000"]),
        ([0.1 + 0.2], ["0.30"]),
        ([0.125], ["0.125"]),
        ([-0.0, 1], ["0", "1"]),
        ([1 / 3, 100.0], ["0.333", "100.000"]),
        ([1e-9, 1e12], ["1e-09", "1e+12"]),
        ([2e15 + 2], ["2e+15"]),
        ([float("inf"), 0.5], ["inf", "0.50"]),
        ([1e-9, 3e-9], ["1e-09", "3e-09"]),
    ],
)
def test_columns_of_numbers(values: list[float], expected: list[str]) -> None:
    assert aligned(values) == expected
    assert len({len(text.partition(".")[2]) for text in aligned(values) if "e" not in text}) <= 2


def test_rounding_errors_of_sums_are_shown_as_zero() -> None:
    assert aligned([0.25, -5e-17], noise=1e-12) == ["0.25", "0.00"]
    assert aligned([-5e-17, 0.25])[0] != "0.00"


def test_amounts_and_counts() -> None:
    assert amount(54159.3, "USD") == "54,159.30 USD"
    assert (count(1, "trade"), count(1204, "trade")) == ("1 trade", "1,204 trades")


def test_decimal_points_meet() -> None:
    text = printed(outcome_tables(outcome(18, 16, 60)))
    rows = [line for line in text.splitlines() if line.split()[:1] and line.split()[0][0] == "b"]
    rows = [line for line in rows if len(line.split()) == 5 and line.split()[1][0] == "s"]
    assert len(rows) == len(outcome(18, 16, 60)) > 3
    places = {tuple(k for k, letter in enumerate(line) if letter == ".") for line in rows}
    assert len(places) == 1


def test_tables_are_cut_only_where_asked_and_say_so() -> None:
    what = outcome(18, 16, 60)
    whole, cut = printed(outcome_tables(what)), printed(outcome_tables(what, most_rows=3))
    assert "more" not in whole
    assert f"and {len(what) - 3} more trades: use --json or --out" in cut
    assert "more" not in printed(outcome_tables(what, most_rows=len(what)))


def test_names_and_currencies_are_text_and_no_commands() -> None:
    market = cx.Market(
        [{"id": "[red]b[/red] :smile:", "bid": 2.0}],
        [{"id": "s\n\x1b[2J", "ask": 0.5}],
        name="[bold]m",
        currency="[x]",
    )
    what = cx.clear(market, "first-best")
    text = printed(outcome_tables(what, {"b": what.explain("[red]b[/red] :smile:")}))
    for word in ("[red]b[/red] :smile:", "s\\n\\x1b[2J", "[bold]m", "buyer pays ([x])"):
        assert word in text
    assert "\x1b" not in text


def test_long_identifiers_are_folded_and_not_lost() -> None:
    identifier = "123456789012345678901234567890"
    market = cx.Market([{"id": identifier, "bid": 2.0}], [{"id": "s", "ask": 0.5}])
    text = printed(outcome_tables(cx.clear(market, "first-best")), width=60)
    digits = "".join(line.split()[0] for line in text.splitlines() if line[2:3].isdigit())
    assert identifier in digits


def test_a_deficit_stands_out() -> None:
    assert "a deficit" in printed(outcome_tables(pair(0.9, 0.2)))
    assert "a deficit" not in printed(outcome_tables(pair(0.2, 0.9)))
    assert "\x1b[" in printed(outcome_tables(pair(0.9, 0.2)), colour=True)


def test_every_mechanism_is_listed() -> None:
    text = printed(mechanisms_table([get(name) for name in names()]), width=200)
    for name in names():
        assert name in text and get(name).summary in text


def test_long_lists_of_ironed_intervals_are_cut() -> None:
    values = [value for k in range(1, 60) for value in (k * k, k * k + 0.01)]
    document = prior_document(make_prior({"kind": "empirical", "values": values}), points=3)
    blocks = len(document["ironed_values"])
    assert blocks > 5
    assert f"and {blocks - 5} more intervals" in printed(prior_tables(document, 5))
    assert "more intervals" not in printed(prior_tables(document))


def many(number: int) -> Lottery:
    parts = [pair(0.9, 0.2 + 0.001 * k, name="[b]m", currency="[x]") for k in range(number)]
    chances = tuple((Fraction(1, number), part) for part in parts)
    return Lottery(parts[0].market, "[i]wheel", chances)


def test_a_lottery_shows_expectations_and_every_outcome() -> None:
    lottery = many(3)
    text = printed(lottery_tables(lottery, {"b": "So it is."}, summary="turns"))
    assert text.count("with probability 1/3") == 3
    for word in ("[b]m", "expected, [x]", "[i]wheel: turns", "So it is.", "none drawn"):
        assert word in text
    (row,) = [line.split() for line in text.splitlines() if line.split()[:1] == ["expected,"]]
    assert float(row[3]) == pytest.approx(0.699)
    assert ", drawn" not in text


def test_the_drawn_outcome_is_marked() -> None:
    lottery = many(3)
    text = printed(lottery_tables(lottery, drawn=lottery.outcomes[1][1]))
    assert text.count("1/3, drawn") == 1
    (row,) = [line.split() for line in text.splitlines() if "first-best, drawn" in line]
    assert "0.699" in row
    assert "\x1b[" in printed(lottery_tables(lottery, drawn=lottery.outcomes[1][1]), colour=True)


def test_lotteries_of_many_outcomes_are_cut_and_say_so() -> None:
    text = printed(lottery_tables(many(30), most_rows=4))
    assert "and 26 more outcomes: use --json or --out" in text
    assert text.count("with probability 1/30") == 4
    assert "more outcome" not in printed(lottery_tables(many(30)))


def test_lotteries_fit_a_small_screen() -> None:
    text = printed(lottery_tables(many(2)), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_probabilities() -> None:
    assert [chance(Fraction(2, 6)), chance(0.5), chance(2 / 3)] == ["1/3", "0.5", "0.666667"]


def test_an_objective_that_counts_trades_has_no_currency() -> None:
    market = cx.Market([{"id": "b", "bid": 3}], [{"id": "s", "ask": 1}], currency="USD")
    for mechanism, words in (
        (cx.mechanisms.PostedPrice(2.0), ["objective", "1", "trades"]),
        ("first-best", ["objective", "2", "USD"]),
    ):
        lines = printed(outcome_tables(cx.clear(market, mechanism))).splitlines()
        assert words in [line.split() for line in lines]


def bare(renderable: RenderableType) -> str:
    """Print on a wide page, without blanks at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in printed(renderable, width=400).splitlines())


def test_constraints_and_how_full_they_are() -> None:
    pytest.importorskip("ortools")
    sides = (
        [{"id": f"b{k}", "bid": 9 - k, "days": 7 if k < 2 else 3} for k in range(4)],
        [{"id": f"s{k}", "ask": k, "zone": f"z{k:02}"} for k in range(14)],
    )
    rules = [
        {"kind": "quota", "over": "buyers", "column": "days", "limits": {"7": 1, "3": 3}},
        {"kind": "quota", "over": "sellers", "column": "zone", "limits": 1},
        {"kind": "cap", "limit": 2},
        {"kind": "conflicts", "over": "sellers", "pairs": [["s0", "s1"]]},
    ]
    text = bare(outcome_tables(cx.clear(cx.Market(*sides, constraints=rules), "first-best")))
    assert "\n  quota days: 7: 1 of 1 (full), 3: 1 of 3\n" in text
    assert "\n  cap: 2 of 2 (full)\n  conflicts: in force\n" in text
    assert "quota zone: z00: 1 of 1 (full), z01: 0 of 1, z02: 1 of 1 (full), z03" in text
    assert "and 2 more groups\n" in text
    assert "in force" not in printed(outcome_tables(cx.clear(cx.Market(*sides), "first-best")))


def test_groups_of_edges_are_counted_by_edge() -> None:
    pytest.importorskip("ortools")
    edges = [("b1", "s1", "x"), ("b0", "s1", "y"), ("b1", "s0", "y"), ("b0", "s0", "x")]
    market = cx.Market(
        [{"id": "b0", "bid": 9}, {"id": "b1", "bid": 8}],
        [{"id": "s0", "ask": 1}, {"id": "s1", "ask": 2}],
        [{"buyer": b, "seller": s, "line": line} for b, s, line in edges],
        constraints=[{"kind": "quota", "over": "edges", "column": "line", "limits": 2},
                     {"kind": "cap", "limit": 1}],
    )  # fmt: skip
    result = cx.clear(market, "first-best")
    (trade,) = zip(result.trades["buyer"], result.trades["seller"], strict=True)
    line = next(line for b, s, line in edges if (b, s) == trade)
    shown = {name: f"{name}: {int(name == line)} of 2" for name in "xy"}
    text = bare(outcome_tables(result))
    assert f"quota line: {shown['x']}, {shown['y']}\n" in text
