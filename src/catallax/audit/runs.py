"""Running a mechanism, once for each profile of reports, within a budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.audit.problems import Branch, Inspector
from catallax.errors import (
    MissingDependencyError,
    MissingPriorError,
    UnsupportedMarketError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from catallax.audit.setting import Agent, Setting
    from catallax.markets import Market

__all__ = ["Own", "Run", "Runner"]

Array = NDArray[np.float64]

# Errors by which a mechanism, or this installation, declines a market; no fault of the rule.
REFUSALS = (UnsupportedMarketError, MissingPriorError, MissingDependencyError)

# Numbers kept of past runs; beyond it they are forgotten and made again when asked for.
_MEMORY = 20_000_000
# A tick that an outcome states is believed up to this part of the amounts in play.
_MOST_TICK = 2.0**-20


class Own(NamedTuple):
    """What one outcome of the coin means for one agent.

    Attributes
    ----------
    chance
        Probability of the outcome.
    partner
        Position of the partner on the other side, or -1.
    price
        What she pays, or receives; 0.0 without a trade.
    transfer
        What she receives besides.
    """

    chance: float
    partner: int
    price: float
    transfer: float


@dataclass(frozen=True, eq=False)
class Run:
    """What a mechanism did at one profile of reports.

    Attributes
    ----------
    setting
        Of which market.
    branches
        The outcomes of its coin; none where something is wrong.
    problem
        What is wrong: how it failed, or what its outcome cannot be.
    tick
        What weights were rounded to, in money; 0.0 where they were not.
    """

    setting: Setting = field(repr=False)
    branches: tuple[Branch, ...]
    problem: str | None
    tick: float = 0.0

    def own(self, agent: Agent) -> tuple[Own, ...]:
        """Return what every outcome of the coin means for an agent."""
        buyer = agent.role == "buyer"
        at = agent.index if buyer else len(self.setting.market.buyers) + agent.index
        found = []
        for branch in self.branches:
            mine = (branch.buyer if buyer else branch.seller) == agent.index
            place = int(mine.argmax()) if mine.size else 0
            extra = 0.0 if branch.transfers is None else float(branch.transfers[at])
            if mine.size and mine[place]:
                partner = int((branch.seller if buyer else branch.buyer)[place])
                price = float((branch.pays if buyer else branch.receives)[place])
                found.append(Own(branch.chance, partner, price, extra))
            else:
                found.append(Own(branch.chance, -1, 0.0, extra))
        return tuple(found)

    def same_as(self, other: Run) -> bool:
        """Whether another run has the same trades at the same prices, to the last digit."""

        def facts(run: Run) -> list[tuple[Any, ...]]:
            return [
                (
                    branch.chance,
                    branch.buyer.tolist(),
                    branch.seller.tolist(),
                    branch.pays.tolist(),
                    branch.receives.tolist(),
                    None if branch.transfers is None else branch.transfers.tolist(),
                )
                for branch in run.branches
            ]

        return self.problem == other.problem and facts(self) == facts(other)

    def utility(self, agent: Agent, values: Array) -> float:
        """Return what an agent gets in expectation over the coin, at true values."""
        return sum(
            own.chance * gain_of(self.setting, agent, values, own) for own in self.own(agent)
        )

    @cached_property
    def surplus(self) -> float:
        """What is left with the mechanism in expectation over its coin."""
        return sum(branch.chance * branch.surplus for branch in self.branches)

    def utilities(self, values: Array) -> list[Array]:
        """Return all agents' utilities at true values, buyers first, in every outcome."""
        n_buyers, size = len(self.setting.market.buyers), self.setting.n_agents
        found = []
        for branch in self.branches:
            gained = np.zeros(size) if branch.transfers is None else branch.transfers.copy()
            worth, cost = self.setting.worth(values, branch.buyer, branch.seller)
            gained[branch.buyer] += worth - branch.pays
            gained[n_buyers + branch.seller] += branch.receives - cost
            found.append(gained)
        return found


def gain_of(setting: Setting, agent: Agent, values: Array, own: Own) -> float:
    """Return an agent's utility in one outcome of the coin, at true values."""
    if own.partner < 0:
        return own.transfer
    mine, theirs = np.array([agent.index]), np.array([own.partner])
    if agent.role == "buyer":
        return float(setting.worth(values, mine, theirs)[0][0]) - own.price + own.transfer
    return own.price - float(setting.worth(values, theirs, mine)[1][0]) + own.transfer


class Runner:
    """Runs a mechanism and remembers what it did.

    Parameters
    ----------
    setting
        The market and the mechanism.
    watch
        Called with every new profile and its run.
    """

    def __init__(self, setting: Setting, watch: Callable[[Array, Run], None] | None = None) -> None:
        self.setting = setting
        self.inspector = Inspector(setting.market)
        self.watch = watch
        self.spent = 0
        self._clears: bool | None = None  # whether it has ever taken the market; None: not known
        self._known: dict[bytes, Run] = {}
        self._twins: dict[str, Runner] = {}

    def twin(self, name: str, make: Callable[[], Setting]) -> Runner:
        """Return the runner of a variant of the market, made when it is first asked for."""
        if name not in self._twins:
            self._twins[name] = Runner(make())
        return self._twins[name]

    @property
    def spent_in_all(self) -> int:
        """How often the mechanism was run, on variants of the market too."""
        return self.spent + sum(twin.spent for twin in self._twins.values())

    def __call__(self, values: Array) -> Run:
        """Run the mechanism at a profile of reports, unless that is known."""
        key = values.tobytes()
        run = self._known.get(key)
        if run is None:
            if len(self._known) * max(values.size, 20) > _MEMORY:
                self._known.clear()
            run = self._known[key] = self._fresh(values)[1]
            if self.watch is not None:
                self.watch(values, run)
        return run

    def taken(self, values: Array) -> Run:
        """Run the mechanism on a variant of a market that it takes: to refuse this is a fault."""
        try:
            return self(values)
        except REFUSALS as error:
            return Run(self.setting, (), f"it refuses the market: {_said(error)}")

    def spread(self, count: int) -> list[tuple[Array, Run]]:
        """Return some of the profiles that are known, with their runs: half of them with ties."""
        keys = list(self._known)
        values = np.frombuffer(b"".join(keys), np.float64).reshape(len(keys), self.setting.size)
        tied = np.flatnonzero((np.diff(np.sort(values, axis=1), axis=1) == 0).any(axis=1))
        chosen = {
            int(places[at])
            for places in (np.arange(len(keys)), tied)
            for at in np.linspace(0, places.size - 1, min(count // 2, places.size)).astype(int)
        }
        return [(values[place], self._known[keys[place]]) for place in sorted(chosen)]

    def again(self, values: Array) -> Run:
        """Run the mechanism anew, whatever is known."""
        return self._fresh(values)[1]

    def result(self, values: Array) -> Any:
        """Run the mechanism and return what it returns, or None where that is wrong."""
        result, run = self._fresh(values)
        self._known.setdefault(values.tobytes(), run)
        return None if run.problem else result

    def _fresh(self, values: Array) -> tuple[Any, Run]:
        setting = self.setting
        try:
            result, problem = self._cleared(values)
            self._clears = True
        except REFUSALS as error:
            if not self._clears and not self._clears_elsewhere():
                raise
            problem = f"it refuses the market, but not at other reports: {_said(error)}"
            result = None
        if problem is None:
            branches, problem = self.inspector.branches(result)
            return result, Run(setting, branches, problem, _tick(result, setting, values))
        return None, Run(setting, (), problem)

    def _cleared(self, values: Array) -> tuple[Any, str | None]:
        """Let the mechanism clear the market; return the result, or what went wrong."""
        self.spent += 1
        setting = self.setting
        result: Any = None
        problem: str | None = None
        before = _parts(setting.market)
        try:
            result = setting.mechanism.clear(setting.market, setting.reports(values))
        except REFUSALS:
            raise
        except BaseException as error:  # whatever happens in it is a finding about it
            if not _its_own(error, setting.mechanism):
                raise
            problem = f"it raises {type(error).__name__}: {_said(error)}"
        changed = [
            name for name, part in _parts(setting.market).items() if part is not before[name]
        ]
        for name in changed:
            object.__setattr__(setting.market, name, before[name])
        if changed and problem is None:
            problem = f"it changes the market it is given ({', '.join(changed)})"
        return result, problem

    def _clears_elsewhere(self) -> bool:
        """Whether a mechanism that refuses the market does so only at some reports."""
        if self._clears is None:
            self._clears = False
            for values in self.setting.simple_profiles():
                try:
                    self._cleared(values)
                except REFUSALS:
                    continue
                self._clears = True
                break
        return self._clears


def _its_own(error: BaseException, mechanism: Any) -> bool:
    """Whether a mechanism has raised this itself, and not somebody who wants to interrupt it."""
    if isinstance(error, Exception | SystemExit | GeneratorExit):
        return True
    return type(error).__module__ == type(mechanism).__module__


def _said(error: BaseException) -> str:
    """Return the message of an error in one line, whatever its class does."""
    try:
        return " ".join(str(error).split()) or "no message"
    except Exception:  # somebody else's __str__
        return "no message"


def _parts(market: Market) -> dict[str, Any]:
    """Return what a market is made of; what it works out later is not among it."""
    return {name: getattr(market, name) for name in market.__dataclass_fields__}


def _tick(result: Any, setting: Setting, values: Array) -> float:
    """Return the largest tick of an outcome or a lottery, which excuses differences of its size.

    Only where there are constraints, and a small part of the amounts: nobody excuses himself.
    """
    if not setting.market.constraints:
        return 0.0
    outcomes = [result] if not hasattr(result, "outcomes") else [one for _, one in result.outcomes]
    stated = [getattr(one, "tick", None) for one in outcomes]
    found = max(
        (float(one) for one in stated if isinstance(one, float | int) and one > 0), default=0.0
    )
    scale = setting.market.scale
    return min(found, _MOST_TICK * setting.largest(values, 0.0 if scale is None else scale.amount))
