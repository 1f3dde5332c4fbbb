"""What properties of expectations given the own value share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.judgement import Violation
from catallax.audit.properties.words import amount, number, report_words, truth_words
from catallax.audit.search.expectations import TypeTable, exact_mean, outcome_numbers, sampled_mean
from catallax.audit.search.means import Mean
from catallax.audit.search.profiles import all_profiles, count_profiles, draw

if TYPE_CHECKING:
    from catallax.audit.runs import Runner
    from catallax.audit.search.search import Search
    from catallax.audit.setting import Role

__all__ = [
    "NOBODY_LOOKED_AT",
    "again_in_expectation",
    "draws_of",
    "expected_story",
    "mean_over_others",
    "said_of_tables",
]

NOBODY_LOOKED_AT = "nobody's reports could be looked at"
"""What is said where there is no table of expectations."""

# Up to so many profiles of the others are all looked at when a witness is run again.
_MOST_AGAIN = 1024


def mean_over_others(runner: Runner, violation: Violation, reports: np.ndarray) -> Mean:
    """Return the expected gain of the last report over the first, or the utility of the only one.

    Exact if the others' profiles are few; else over draws with a fixed seed.
    """
    setting, agent = runner.setting, violation.agent
    assert agent is not None
    count = count_profiles(setting, agent.slots)
    if count is not None and count <= _MOST_AGAIN:
        return exact_mean(runner, agent, reports)
    rng = np.random.default_rng(0)
    weighted = ((1.0, draw(setting, rng)) for _ in range(draws_of(violation)))
    return sampled_mean(runner, agent, reports, weighted)


def draws_of(violation: Violation) -> int:
    """Return with how many draws to look again: twice as many as it was found with."""
    return 2 * int(violation.details.get("samples", 250))


def reports_of(violation: Violation) -> np.ndarray:
    """Return the truth, and the report if there is one; shape (1 or 2, slots)."""
    assert violation.agent is not None
    truth = violation.values[list(violation.agent.slots)]
    if violation.report is None:
        return truth[None, :]
    return np.stack([truth, np.atleast_1d(violation.report)])


def again_in_expectation(runner: Runner, violation: Violation) -> Violation | None:
    """Look at a type and a report (or at the truth alone) afresh."""
    setting, agent = runner.setting, violation.agent
    assert agent is not None
    if not setting.has_priors:
        return None
    reports = reports_of(violation)
    truth = zip(agent.slots, reports[0].tolist(), strict=True)
    if not all(setting.supported(slot, value) for slot, value in truth):
        return None
    mean = mean_over_others(runner, violation, reports)
    sign = 1.0 if violation.report is not None else -1.0
    low = sign * mean.mean
    if mean.interval is not None:
        low = mean.interval[0] if sign > 0 else -mean.interval[1]
    rounding = setting.own_rounding(agent, violation.values, *reports[0].tolist())
    if mean.count == 0 or low <= rounding:
        return None
    return Violation(sign * mean.mean, violation.values, agent, violation.report, violation.details)


def expected_story(runner: Runner, violation: Violation) -> str:
    """Tell what a type expects from a report, and from the truth."""
    agent = violation.agent
    assert agent is not None and violation.report is not None
    gained = amount(violation.amount, runner.setting.market.currency)
    truth, lie = (_expects(runner, violation, report) for report in reports_of(violation))
    return (
        f"{truth_words(agent, violation.values)} gains {gained} in expectation by "
        f"{report_words(agent, violation.report)}: then {lie}, at the truth {truth}"
    )


def _expects(runner: Runner, violation: Violation, report: np.ndarray) -> str:
    """Say what one report leads to on average."""
    setting, agent = runner.setting, violation.agent
    assert agent is not None
    count = count_profiles(setting, agent.slots)
    exact = count is not None and count <= _MOST_AGAIN
    rng = np.random.default_rng(0)
    weighted = (
        all_profiles(setting, agent.slots)
        if exact
        else ((1.0, draw(setting, rng)) for _ in range(draws_of(violation)))
    )
    total, chance, money = 0.0, 0.0, 0.0
    for weight, values in weighted:
        profile = values.copy()
        profile[list(agent.slots)] = report
        run = runner(profile)
        if not run.problem:
            chances, receipts = outcome_numbers(setting, agent, run)
            total, chance, money = (
                total + weight,
                chance + weight * float(chances.sum()),
                money + weight * receipts,
            )
    if not total:
        return "nothing"
    verb, word = ("buys", "paying") if agent.role == "buyer" else ("sells", "receiving")
    paid = money / total if agent.role == "seller" else -money / total
    return (
        f"{verb} with probability {number(float(f'{chance / total:.6g}'))}, {word} "
        f"{amount(paid + 0.0)} on average"
    )


def said_of_tables(tables: list[TypeTable], search: Search) -> str:
    """Say what went into tables of expectations."""
    if not tables:
        return "there is nobody to look at"
    tried = len(tables)
    roles: set[Role] = {table.agent.role for table in tables}
    size = sum(len(search.setting.agents(role)) for role in roles)
    word = f"{min(roles)}s" if len(roles) == 1 else "agents"
    who = f"every one of {size} {word}" if tried == size else f"{tried} of {size} {word}"
    if size == 1:
        who = f"the only {word[:-1]}"
    reports = max(len(table.reports) for table in tables)
    profiles = max(table.profiles for table in tables)
    if tables[0].exact:
        over = (
            f"all {profiles} profiles of the others" if profiles > 1 else "the others' only profile"
        )
        all_ = "all" if all(table.complete for table in tables) else "some of the"
        return (
            f"exactly, over {over}, for {who}, at all possible "
            f"values and {all_} reports that can matter (up to {reports})"
        )
    return (
        f"for {who} at up to {reports} reports on {profiles} draws of the others; the best of them "
        "judged on fresh draws (the intervals cover with 99.9 percent, all together)"
    )
