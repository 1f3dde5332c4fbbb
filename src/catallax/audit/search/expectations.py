"""What agents can expect from their reports, over the others' values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.audit.search.means import LEVEL, Mean, bounded_mean, money_width
from catallax.audit.search.profiles import all_profiles, count_profiles, draw
from catallax.audit.search.type_reports import extra_reports, possible_values, spread_reports

if TYPE_CHECKING:
    from catallax.audit.runs import Run, Runner
    from catallax.audit.setting import Agent, Setting

__all__ = [
    "TypeTable",
    "exact_mean",
    "expected_outcomes",
    "fresh_mean",
    "outcome_numbers",
    "sampled_mean",
    "type_tables",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TypeTable:
    """What an agent can expect from each of her reports, the others being honest.

    Attributes
    ----------
    agent
        Who.
    reports
        Shape (r, slots).
    types
        Which of the reports are possible values.
    chance
        Probability of getting each item (of trading, where there is one number); shape
        (r, slots).
    money
        Expected receipts, prices paid being negative; shape (r,).
    exact
        Whether these are expectations and no means of a sample.
    complete
        Whether all reports that can matter are there.
    profiles
        How many profiles of the others went into it.
    gain_somewhere, loss_somewhere
        The most that a type gains by a report, and loses at the truth, at a single profile.
    """

    agent: Agent
    reports: Array
    types: NDArray[np.int64]
    chance: Array
    money: Array
    exact: bool
    complete: bool
    profiles: int
    gain_somewhere: float
    loss_somewhere: float

    @cached_property
    def utility(self) -> Array:
        """Expected utility of each type (rows) at each report."""
        return _utility(self.agent, self.reports[self.types], self.chance, self.money)

    @cached_property
    def gain(self) -> Array:
        """What each type gains by each report over the truth."""
        return self.utility - self.utility[np.arange(self.types.size), self.types][:, None]

    def rounding(self, setting: Setting) -> float:
        """Return what is nothing but rounding in these expectations."""
        amounts = (self.reports[self.types], self.money)
        most = [float(np.abs(part).max(initial=0.0)) for part in amounts]
        return setting.own_rounding(self.agent, setting.medians, *most)

    @property
    def best(self) -> tuple[int, int]:
        """The type, as a position in `reports`, and the report with the largest gain."""
        row, report = np.unravel_index(int(np.argmax(self.gain)), self.gain.shape)
        return int(self.types[row]), int(report)

    @property
    def poorest(self) -> int:
        """The type, as a position in `reports`, that expects the least at the truth."""
        return int(self.types[int(np.argmin(self.honest))])

    @property
    def honest(self) -> Array:
        """What each type expects at the truth."""
        return self.utility[np.arange(self.types.size), self.types]


def _utility(agent: Agent, types: Array, chance: Array, money: Array) -> Array:
    sign = 1.0 if agent.role == "buyer" else -1.0
    return sign * types @ chance.T + money


def outcome_numbers(setting: Setting, agent: Agent, run: Run) -> tuple[Array, float]:
    """Return chances of the items and expected receipts of an agent in a run."""
    chance, money = np.zeros(len(agent.slots)), 0.0
    for own in run.own(agent):
        money += own.chance * own.transfer
        if own.partner >= 0:
            item = int(setting._edge_of[own.partner]) if len(agent.slots) > 1 else 0
            chance[item] += own.chance
            money += own.chance * (own.price if agent.role == "seller" else -own.price)
    return chance, money


def expected_outcomes(
    runner: Runner, agent: Agent, reports: Array, weighted: Iterator[tuple[float, Array]]
) -> Iterator[tuple[float, Array, Array]]:
    """Run an agent's reports against profiles of the others.

    Parameters
    ----------
    runner
        Runs the mechanism.
    agent
        Who reports.
    reports
        Shape (r, slots).
    weighted
        Probabilities and profiles; the agent's own entries are written over.

    Yields
    ------
    tuple
        The probability, chances of items (r, slots) and receipts (r,). Profiles at which the
        mechanism fails are passed over.
    """
    slots = list(agent.slots)
    for weight, values in weighted:
        chance, money = np.zeros(reports.shape), np.zeros(len(reports))
        for row, report in enumerate(reports):
            profile = values.copy()
            profile[slots] = report
            run = runner(profile)
            if run.problem:
                break
            chance[row], money[row] = outcome_numbers(runner.setting, agent, run)
        else:
            yield weight, chance, money


def _table(
    runner: Runner,
    agent: Agent,
    reports: Array,
    types: NDArray[np.int64],
    weighted: Iterator[tuple[float, Array]],
    *,
    exact: bool,
    complete: bool,
) -> TypeTable | None:
    total, chance, money = 0.0, np.zeros(reports.shape), np.zeros(len(reports))
    gain, loss, count = 0.0, 0.0, 0
    for weight, chances, receipts in expected_outcomes(runner, agent, reports, weighted):
        total, count = total + weight, count + 1
        chance += weight * chances
        money += weight * receipts
        here = _utility(agent, reports[types], chances, receipts)
        honest = here[np.arange(types.size), types]
        gain = max(gain, float((here - honest[:, None]).max()))
        loss = max(loss, -float(honest.min()))
    if not total:
        return None
    return TypeTable(
        agent, reports, types, chance / total, money / total, exact, complete, count, gain, loss
    )


def type_tables(
    runner: Runner, rng: np.random.Generator, allowed: int, roles: set[str]
) -> list[TypeTable]:
    """Find out what agents can expect from their reports.

    Parameters
    ----------
    runner
        Runs the mechanism.
    rng
        What profiles are drawn with.
    allowed
        How often the mechanism may be run.
    roles
        Whose reports.

    Returns
    -------
    list of TypeTable
        Exact ones of all agents, if all profiles of discrete priors can be run; else sampled
        ones, of as many agents as can be afforded, from two fifths of the runs.
    """
    setting = runner.setting
    setting.require_priors("this")
    numbers = [n for n in setting.agents() if setting.agent(n).role in roles]
    if not numbers:
        return []
    count = count_profiles(setting)
    if count is not None and count <= max(allowed, 1):
        return _exact_tables(runner, rng, allowed - count, numbers)
    return _sampled_tables(runner, rng, 2 * allowed // 5, numbers)


def _exact_tables(
    runner: Runner, rng: np.random.Generator, left: int, numbers: list[int]
) -> list[TypeTable]:
    setting = runner.setting
    tables = []
    for turn, number in enumerate(numbers):
        agent = setting.agent(number)
        others = count_profiles(setting, agent.slots)
        assert others is not None
        types = possible_values(setting, agent)
        extra = extra_reports(setting, agent, types)
        affordable = max(0, left // (len(numbers) - turn) // others)
        complete = len(extra) <= affordable
        if not complete:
            extra = extra[rng.permutation(len(extra))[:affordable]]
        reports = np.concatenate([types, extra])
        before = runner.spent
        table = _table(
            runner,
            agent,
            reports,
            np.arange(len(types)),
            all_profiles(setting, agent.slots),
            exact=True,
            complete=complete,
        )
        left -= min(runner.spent - before, others * len(extra))
        if table is not None:
            tables.append(table)
    return tables


def _sampled_tables(
    runner: Runner, rng: np.random.Generator, allowed: int, numbers: list[int]
) -> list[TypeTable]:
    setting = runner.setting
    reports = {n: spread_reports(setting, setting.agent(n)) for n in numbers}
    most = max(len(r) for r in reports.values())
    sides = [[n for n in numbers if setting.agent(n).role == role] for role in ("buyer", "seller")]
    shuffled = [[side[k] for k in rng.permutation(len(side))] for side in sides]
    # From each side in turn, at least one of each.
    turns = [n for pair in zip_longest(*shuffled) for n in pair if n is not None]
    tried = turns[: max(2, allowed // (8 * most))]
    tables = []
    for number in sorted(tried):
        agent = setting.agent(number)
        draws = max(2, allowed // len(tried) // len(reports[number]))
        types = np.array(
            [
                k
                for k, report in enumerate(reports[number])
                if all(
                    setting.supported(s, float(x)) for s, x in zip(agent.slots, report, strict=True)
                )
            ]
        )
        table = _table(
            runner,
            agent,
            reports[number],
            types,
            ((1.0, draw(setting, rng)) for _ in range(draws)),
            exact=False,
            complete=False,
        )
        if table is not None:
            tables.append(table)
    return tables


def fresh_mean(
    runner: Runner,
    rng: np.random.Generator,
    agent: Agent,
    reports: Array,
    runs: int,
    level: float,
) -> Mean:
    """Compare a report with the truth, or value the truth alone, on fresh draws.

    Parameters
    ----------
    runner
        Runs the mechanism.
    rng
        What profiles are drawn with.
    agent
        Who.
    reports
        The truth, and perhaps another report; shape (1 or 2, slots).
    runs
        How often the mechanism may be run.
    level
        With what probability the interval is to cover the expectation.

    Returns
    -------
    Mean
        Of the gain over the truth; of the utility at the truth, if that is the only report.
    """
    draws = max(2, runs // len(reports))
    weighted = ((1.0, draw(runner.setting, rng)) for _ in range(draws))
    return sampled_mean(runner, agent, reports, weighted, level)


def sampled_mean(
    runner: Runner,
    agent: Agent,
    reports: Array,
    weighted: Iterator[tuple[float, Array]],
    level: float = LEVEL,
) -> Mean:
    """Average the gain of the last report over the first, or the utility at the only one."""
    found = []
    for _, chance, money in expected_outcomes(runner, agent, reports, weighted):
        utility = _utility(agent, reports[:1], chance, money)[0]
        found.append(utility[-1] - (utility[0] if len(reports) > 1 else 0.0))
    sample = np.array(found) if found else np.zeros(1)
    return bounded_mean(sample, money_width(runner.setting), level)


def exact_mean(runner: Runner, agent: Agent, reports: Array) -> Mean:
    """Do the same over all profiles of the others."""
    total, mean, least, most, count = 0.0, 0.0, np.inf, -np.inf, 0
    weighted = all_profiles(runner.setting, agent.slots)
    for weight, chance, money in expected_outcomes(runner, agent, reports, weighted):
        utility = _utility(agent, reports[:1], chance, money)[0]
        value = float(utility[-1] - (utility[0] if len(reports) > 1 else 0.0))
        total, mean, count = total + weight, mean + weight * value, count + 1
        least, most = min(least, value), max(most, value)
    if not total:
        return Mean(0.0, None, 0.0, 0.0, 0)
    return Mean(mean / total, None, least, most, count)
