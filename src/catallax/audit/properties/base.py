"""What a property of a mechanism is, and the register of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from catallax.audit.candidates import Landscape
from catallax.audit.curves import Curve, explore
from catallax.errors import UnknownNameError, nearest

if TYPE_CHECKING:
    from catallax.audit.expectations import TypeTable
    from catallax.audit.result import Finding
    from catallax.audit.runs import Run, Runner
    from catallax.audit.search import Search
    from catallax.audit.setting import Agent, Setting

__all__ = [
    "CurveProperty",
    "Need",
    "Property",
    "RunProperty",
    "Violation",
    "get_property",
    "property_names",
    "register_property",
]

Array = NDArray[np.float64]
Need = Literal["runs", "curves", "types", "average", "own"]


@dataclass(frozen=True, eq=False)
class Violation:
    """A property failing somewhere.

    Attributes
    ----------
    amount
        By how much, in money; 0.0 where what fails is no amount.
    values
        The true values of all; see `Setting`.
    agent
        The agent concerned, or None.
    report
        What she reports instead of the truth, or None.
    details
        What the story needs besides.
    """

    amount: float
    values: Array
    agent: Agent | None = None
    report: float | Array | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Property(ABC):
    """A property that mechanisms have or lack.

    A property names itself (`slug`), says in one sentence what it means (`meaning`), and what
    it needs to be looked at: "runs" (every run of the mechanism), "curves" (every report of an
    agent), "types" (expectations over the others' values), "average" (expectations over all
    values) or "own" runs.
    """

    slug: ClassVar[str]
    meaning: ClassVar[str]
    need: ClassVar[Need]

    @property
    def sides(self) -> tuple[Literal["buyer", "seller"], ...]:
        """Whose reports it is about."""
        return ("buyer", "seller")

    def excuse(self, setting: Setting) -> str | None:
        """Say why the property does not apply to a market and a mechanism; None if it does."""
        return None

    def companions(self) -> tuple[Property, ...]:
        """Return what is judged with it in every run: itself, and what would imply it."""
        return (self,)

    @abstractmethod
    def check(self, search: Search) -> Finding:
        """Say whether the property holds, from what a search has seen."""

    def undecided_by(self, tables: list[TypeTable], setting: Setting) -> bool:
        """Whether a sample of types leaves a property about expectations open."""
        return False

    @abstractmethod
    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Look at one violation afresh.

        Parameters
        ----------
        runner
            Of the market in which it is to be looked for, perhaps a smaller one.
        violation
            Values, agent and report.

        Returns
        -------
        Violation or None
            The same violation with its amount here; None if the property holds there.
        """

    def anew(self, runner: Runner, violation: Violation) -> Violation | None:
        """Look for the worst violation of the same agent in a market that has become smaller.

        Parameters
        ----------
        runner
            Of the market.
        violation
            What was violated before: another report, or another value, may be better now.

        Returns
        -------
        Violation or None
            By default there is nothing to look for.
        """
        return None

    @abstractmethod
    def story(self, runner: Runner, violation: Violation) -> str:
        """Tell a violation in one line."""


class RunProperty(Property):
    """A property of every outcome, whoever reports what."""

    need: ClassVar[Need] = "runs"
    anywhere: ClassVar[bool] = False
    """Whether it must hold at all reports, and not only at values that are possible."""

    @abstractmethod
    def judge(self, setting: Setting, values: Array, run: Run) -> Violation | None:
        """Say whether it fails in one run."""

    def check(self, search: Search) -> Finding:
        """Report the worst of all runs; where no run has an outcome, say that nothing is known."""
        checked = search.runs_seen if self.anywhere else search.outcomes_seen
        return search.finding(
            self,
            search.worst_run(self),
            how=search.said_of_runs(),
            checked=checked,
            exact=search.exhaustive,
            verdict=None if checked else "undecided",
            story=None if checked else "there was no outcome to look at",
        )

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Run once more."""
        return self.judge(runner.setting, violation.values, runner(violation.values))


class CurveProperty(Property):
    """A property of what one agent can get by her reports, the others' fixed."""

    need: ClassVar[Need] = "curves"

    @abstractmethod
    def judge(self, setting: Setting, curve: Curve) -> Violation | None:
        """Say where it fails worst on a curve."""

    def excuse(self, setting: Setting) -> str | None:
        """Leave out a side on which nobody reports a single number."""
        if setting.unit is not None and self.sides == ("buyer",):
            return "the buyer reports a value for each item, and this is about single numbers"
        return None

    def anew(self, runner: Runner, violation: Violation) -> Violation | None:
        """Explore the agent's reports once more."""
        agent = violation.agent
        if agent is None or len(agent.slots) != 1:
            return None
        curve = explore(runner, Landscape(runner, violation.values), agent)
        return self.judge(runner.setting, curve)

    def check(self, search: Search) -> Finding:
        """Report the worst of all curves."""
        curves = [curve for curve in search.curves if curve.agent.role in self.sides]
        violations = [self.judge(search.setting, curve) for curve in curves]
        return self._finding(
            search,
            [one for one in violations if one is not None],
            search.said_of_curves(),
            checked=sum(len(curve.reports) for curve in curves),
            exact=search.exhaustive,
        )

    def _finding(
        self, search: Search, found: list[Violation], how: str, *, checked: int, exact: bool
    ) -> Finding:
        """Report the worst; where nobody's reports were tried, say that nothing is known."""
        open_ = not checked and any(search.setting.agents(side) for side in self.sides)
        return search.finding(
            self,
            max(found, key=lambda one: one.amount, default=None),
            how=how,
            checked=checked,
            exact=exact,
            verdict="undecided" if open_ else None,
            story="nobody's reports could be tried" if open_ else None,
        )


_PROPERTIES: dict[str, Property] = {}
AnyProperty = TypeVar("AnyProperty", bound=Property)


def register_property(kind: type[AnyProperty]) -> type[AnyProperty]:
    """Make a property known by its slug (a class decorator).

    Parameters
    ----------
    kind
        A subclass of `Property` that can be made without arguments.

    Returns
    -------
    type
        The same class.
    """
    _PROPERTIES[kind.slug] = kind()
    return kind


def property_names() -> list[str]:
    """List the slugs of all properties.

    Examples
    --------
    >>> from catallax.audit import property_names
    >>> property_names()[:3]
    ['feasibility', 'dsic-buyers', 'dsic-sellers']
    """
    return list(_PROPERTIES)


def get_property(name: str | Property) -> Property:
    """Find a property.

    Parameters
    ----------
    name
        A slug, or a property itself.

    Returns
    -------
    Property

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message names the nearest.

    Examples
    --------
    >>> from catallax.audit import get_property
    >>> get_property("weak-budget-ex-post").meaning
    'In every outcome buyers pay at least what sellers receive and transfers cost.'
    """
    if isinstance(name, Property):
        return name
    if name not in _PROPERTIES:
        raise UnknownNameError(f"unknown property '{name}': {nearest(name, _PROPERTIES)}")
    return _PROPERTIES[name]


def chosen(names: str | Property | Iterable[str | Property] | None) -> list[Property]:
    """Return the properties asked for; all without a word."""
    if names is None:
        return list(_PROPERTIES.values())
    if isinstance(names, str | Property):
        names = [names]
    return list(dict.fromkeys(get_property(name) for name in names))
