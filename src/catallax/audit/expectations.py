"""Expectations over values: exact for few profiles of discrete priors, else with an interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from math import log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.audit.candidates import breakpoints
from catallax.audit.profiles import MOST_PROFILES, all_profiles, count_profiles, draw

if TYPE_CHECKING:
    from catallax.audit.runs import Run, Runner
    from catallax.audit.search import Search
    from catallax.audit.setting import Agent, Setting

__all__ = [
    "LEVEL",
    "Average",
    "Mean",
    "TypeTable",
    "average_surplus",
    "bounded_mean",
    "expected_outcomes",
    "judged",
    "type_tables",
]

Array = NDArray[np.float64]

LEVEL = 0.999
"""With what probability an interval covers the expectation."""

# The largest share of her money that a gambler stakes.
_STAKE = 0.75


@dataclass(frozen=True)
class Mean:
    """An expectation.

    Attributes
    ----------
    mean
        The expectation itself, or the mean of a sample.
    interval
        Where the expectation lies, with probability `LEVEL`; None where it is exact.
    least, most
        The smallest and the largest number that went into it.
    count
        How many.
    """

    mean: float
    interval: tuple[float, float] | None
    least: float
    most: float
    count: int


def bounded_mean(sample: Array, width: float, level: float = LEVEL) -> Mean:
    """Estimate an expectation with an interval that rare large values cannot fool.

    Parameters
    ----------
    sample
        Independent draws; shape (n,).
    width
        How far values can be from zero; what the sample shows counts if it is more.
    level
        With what probability the interval covers the expectation.

    Returns
    -------
    Mean

    Notes
    -----
    A normal interval would be wrong here: a report a little off the truth gains a little nearly
    always and loses much rarely, and a sample in which the rare case is missing has hardly any
    variance. This interval holds for every law on [-width, width] and every number of draws: it
    keeps the means against which no gambler, who stakes before each draw what the draws before
    it suggest, would have multiplied her money by 2 / (1 - level).

    References
    ----------
    Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting (2024),
    Theorem 3.

    Examples
    --------
    >>> import numpy as np
    >>> found = bounded_mean(np.tile([0.0, 1.0], 2000), width=1.0)
    >>> found.mean, round(found.interval[0], 2), round(found.interval[1], 2)
    (0.5, 0.47, 0.53)
    """
    n = sample.size
    mean, least, most = float(sample.mean()), float(sample.min()), float(sample.max())
    reach = max(width, abs(least), abs(most))
    if not reach:
        return Mean(mean, (mean, mean), least, most, n)
    scaled = (sample + reach) / (2 * reach)
    # Mean and variance of the draws before each, as if half a draw more had been seen.
    before = np.arange(n)
    middles = (0.5 + np.cumsum(scaled)) / (before + 2)
    spreads = (0.25 + np.cumsum((scaled - middles) ** 2)) / (before + 2)
    earlier = np.concatenate([[0.25], spreads[:-1]])
    odds = 2.0 / (1.0 - level)
    stake = np.sqrt(2.0 * log(odds) / (n * earlier))

    def refuted(at: float) -> tuple[bool, bool]:
        """Say whether a gambler on larger values, or on smaller ones, has won against a mean."""
        up = np.cumsum(np.log1p(np.minimum(stake, _STAKE / max(at, 1e-12)) * (scaled - at)))
        down = np.cumsum(np.log1p(-np.minimum(stake, _STAKE / max(1 - at, 1e-12)) * (scaled - at)))
        return bool(up.max() >= log(odds)), bool(down.max() >= log(odds))

    centre = float(scaled.mean())
    low = _edge(lambda at: refuted(at)[0], 0.0, centre)
    high = 1.0 - _edge(lambda at: refuted(1.0 - at)[1], 0.0, 1.0 - centre)
    return Mean(mean, ((2 * low - 1) * reach, (2 * high - 1) * reach), least, most, n)


def _edge(refuted: Callable[[float], bool], out: float, kept: float) -> float:
    """Bisect for the last mean that is refuted, below one that is not."""
    if not refuted(out):
        return out
    for _ in range(40):
        middle = (out + kept) / 2
        if refuted(middle):
            out = middle
        else:
            kept = middle
    return out


def money_width(setting: Setting) -> float:
    """Return how far apart values can be, but for one chance in a billion."""
    ends = []
    for prior in set(setting.priors):
        if prior is not None:
            low, high = prior.support
            ends.append(low if np.isfinite(low) else float(prior.quantile(1e-9)))
            ends.append(high if np.isfinite(high) else float(prior.quantile(1 - 1e-9)))
    return max(ends) - min(ends) if ends else 0.0


# ------------------------------------------------------------------------------- by own report


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


def type_tables(search: Search, allowed: int, roles: set[str]) -> list[TypeTable]:
    """Find out what agents can expect from their reports.

    Parameters
    ----------
    search
        The search, whose runner and random numbers are used.
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
    setting = search.setting
    setting.require_priors("this")
    numbers = [n for n in setting.agents() if setting.agent(n).role in roles]
    if not numbers:
        return []
    count = count_profiles(setting)
    if count is not None and count <= max(allowed, 1):
        return _exact_tables(search, allowed - count, numbers)
    return _sampled_tables(search, 2 * allowed // 5, numbers)


def _exact_tables(search: Search, left: int, numbers: list[int]) -> list[TypeTable]:
    setting, runner = search.setting, search.runner
    tables = []
    for turn, number in enumerate(numbers):
        agent = setting.agent(number)
        others = count_profiles(setting, agent.slots)
        assert others is not None
        types = _types(setting, agent)
        extra = _extra_reports(setting, agent, types)
        affordable = max(0, left // (len(numbers) - turn) // others)
        complete = len(extra) <= affordable
        if not complete:
            extra = extra[search.rng.permutation(len(extra))[:affordable]]
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


def _types(setting: Setting, agent: Agent) -> Array:
    """Return all possible values of an agent with discrete priors; shape (types, slots)."""
    chosen = [setting.priors[slot] for slot in agent.slots]
    atoms = [prior.atoms[0] for prior in chosen if prior is not None]
    grids = np.meshgrid(*atoms, indexing="ij")
    return np.stack([grid.ravel() for grid in grids], axis=1)


def _extra_reports(setting: Setting, agent: Agent, types: Array) -> Array:
    """Return reports outside the support at which expectations can differ."""
    if len(agent.slots) != 1:
        low, high = types.min() - 1.0, types.max() + 1.0
        single = [
            np.where(np.arange(types.shape[1]) == k, high, low) for k in range(types.shape[1])
        ]
        halves = types / 2
        return np.unique(np.concatenate([single, halves, [np.full(types.shape[1], low)]]), axis=0)
    slot = agent.slots[0]
    prior = setting.priors[slot]
    assert prior is not None
    weights = [types.ravel()]
    for other, law in enumerate(setting.priors):
        if other == slot or law is None:
            continue
        atoms = law.atoms[0]
        weigh = law.virtual_value if other < setting.n_first else law.virtual_cost
        weights += [atoms, weigh(atoms)]
    levels = np.unique(np.concatenate(weights))
    levels = levels[np.isfinite(levels)]
    invert = prior.smallest_value if agent.role == "buyer" else prior.largest_cost
    found = [levels, invert(levels, False), invert(levels, True), breakpoints(prior, agent.role)]
    points = np.unique(np.concatenate(found))
    points = points[np.isfinite(points) & (points >= setting.lowest(slot))]
    middles = (points[1:] + points[:-1]) / 2
    ends = [max(points[0] - 1.0, setting.lowest(slot)), points[-1] + 1.0]
    every = np.union1d(np.union1d(points, middles), ends)
    return np.setdiff1d(every, types.ravel())[:, None]


def _sampled_tables(search: Search, allowed: int, numbers: list[int]) -> list[TypeTable]:
    setting, rng = search.setting, search.rng
    reports = {n: _spread_reports(setting, setting.agent(n)) for n in numbers}
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
            search.runner,
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


def _spread_reports(setting: Setting, agent: Agent) -> Array:
    """Return some reports over the bulk of a prior, its breakpoints included."""
    levels = [0.02, 0.15, 0.35, 0.5, 0.65, 0.85, 0.98]
    columns = []
    for slot in agent.slots:
        prior = setting.priors[slot]
        assert prior is not None
        points = prior.quantile(levels)
        if len(agent.slots) == 1:
            ends = breakpoints(prior, agent.role)
            ends = (
                ends[np.unique(np.linspace(0, ends.size - 1, 5).astype(int))] if ends.size else ends
            )
            points = np.union1d(points, ends[ends >= setting.lowest(slot)])
        columns.append(points)
    if len(columns) == 1:
        return columns[0][:, None]
    together = np.stack(columns, axis=1)
    # A buyer of several items: all values high or low together, shaded, and one item alone.
    low = np.min(together, axis=0) - 1.0
    alone = [np.where(np.arange(len(columns)) == k, together[-2], low) for k in range(len(columns))]
    return np.unique(np.concatenate([together, together[1:-1] * 0.7, alone]), axis=0)


def judged(search: Search, agent: Agent, reports: Array, runs: int, level: float) -> Mean:
    """Compare a report with the truth, or value the truth alone, on fresh draws.

    Parameters
    ----------
    search
        The search.
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
    before = search.runner.spent
    weighted = ((1.0, draw(search.setting, search.rng)) for _ in range(draws))
    found = sampled_mean(search.runner, agent, reports, weighted, level)
    search.fresh_runs(before)
    return found


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


# -------------------------------------------------------------------------------- over everybody


@dataclass(frozen=True, eq=False)
class Average:
    """The surplus over everybody's values.

    Attributes
    ----------
    surplus
        Its expectation.
    size
        The largest sum of prices seen, for rounding.
    """

    surplus: Mean
    size: float


def average_surplus(search: Search, allowed: int) -> Average:
    """Average what is left with the mechanism over all profiles, or over a sample."""
    search.setting.require_priors("this")
    return surplus_of(search.runner, max(2, allowed), search.rng)


def surplus_of(runner: Runner, allowed: int, rng: np.random.Generator) -> Average:
    """Average the surplus: exactly if all profiles can be run, else over `allowed` draws."""
    setting = runner.setting
    count = count_profiles(setting)
    exact = count is not None and count <= min(allowed, MOST_PROFILES)
    weighted = (
        all_profiles(setting) if exact else ((1.0, draw(setting, rng)) for _ in range(allowed))
    )
    chances, found, size, trades = [], [], 0.0, 1
    for weight, values in weighted:
        run = runner(values)
        if run.problem:
            continue
        chances.append(weight)
        found.append(run.surplus)
        for branch in run.branches:
            size = max(size, float(np.abs(branch.receives).sum()), float(np.abs(branch.pays).sum()))
            trades = max(trades, branch.pays.size)
    if not found:
        return Average(Mean(0.0, None if exact else (-np.inf, np.inf), 0.0, 0.0, 0), 0.0)
    sample = np.array(found)
    if exact:
        mean = float(np.dot(chances, sample) / np.sum(chances))
        spread = Mean(mean, None, float(sample.min()), float(sample.max()), sample.size)
        return Average(spread, size)
    return Average(bounded_mean(sample, money_width(setting) * trades), size)
