"""Black-box rules on finitely many reports: every profile, with its decision and payments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import MechanismError, ReportError
from catallax.groups.base import GroupMechanism
from catallax.groups.trade import GroupReports, GroupTrade
from catallax.groups.witnesses import Deviation, Profile, Side

__all__ = ["BlackBox", "RuleTable", "answer_of", "black_box", "tabulate"]

Array = NDArray[np.float64]
BlackBox = Callable[[Array, Array], Any]
"""A function of bids (n,) and asks (m,) that returns x, or (x, payment, receipt)."""


@dataclass(frozen=True, eq=False)
class RuleTable:
    """A rule for two groups on finitely many reports.

    Attributes
    ----------
    reports
        For each member, buyers first, the reports it may make: ascending, distinct.
    n_buyers
        How many of them are buyers.
    x
        The probability of a trade, shape ``(len(reports[0]), len(reports[1]), ...)``.
    pays, receives
        What each buyer pays and what each seller receives, of the same shape; None where only the
        decision is known.

    Examples
    --------
    >>> table = tabulate(lambda bids, asks: bids[0] >= asks[0], [[1, 2]], [[1, 2]])
    >>> table.x.tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """

    reports: tuple[Array, ...]
    n_buyers: int
    x: Array
    pays: Array | None = None
    receives: Array | None = None

    def __post_init__(self) -> None:
        """Check shapes and numbers."""
        given = tuple(_ascending(one, k, self.n_buyers) for k, one in enumerate(self.reports))
        if not 0 < self.n_buyers < len(given):
            raise ReportError("a rule for two groups needs a buyer and a seller")
        object.__setattr__(self, "reports", given)
        shape = tuple(one.size for one in given)
        if (self.pays is None) != (self.receives is None):
            raise MechanismError("a rule has both a payment and a receipt, or neither")
        for name in ("x", "pays", "receives"):
            values = getattr(self, name)
            if values is None:
                continue
            array = np.array(values, dtype=np.float64)
            if array.shape != shape:
                raise MechanismError(
                    f"the table of {name} has the shape {array.shape} and the reports ask for "
                    f"{shape}; give one entry for each profile"
                )
            if not np.isfinite(array).all():
                raise MechanismError(f"the table of {name} has an entry that is no finite number")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if ((self.x < 0) | (self.x > 1)).any():
            raise MechanismError("the table of x has an entry outside [0, 1]")

    @property
    def n_sellers(self) -> int:
        """The number of sellers."""
        return len(self.reports) - self.n_buyers

    @property
    def profiles(self) -> int:
        """How many profiles of reports there are."""
        return self.x.size

    @property
    def deterministic(self) -> bool:
        """Whether every profile is decided for certain."""
        return bool(((self.x == 0) | (self.x == 1)).all())

    def side(self, axis: int) -> tuple[Side, int]:
        """Return the side of a member, and the position on it."""
        if axis < self.n_buyers:
            return "buyer", axis
        return "seller", axis - self.n_buyers

    def at(self, index: Sequence[Any]) -> tuple[Profile, Profile]:
        """Return the bids and asks of a profile."""
        values = tuple(float(one[k]) for one, k in zip(self.reports, index, strict=True))
        return values[: self.n_buyers], values[self.n_buyers :]

    def best_lie(self) -> tuple[Deviation | None, int]:
        """Return the deviation that gains most, and how many were looked at.

        Returns
        -------
        tuple
            The deviation, None if no member has two reports; its gain may be zero or less.
        """
        best: Deviation | None = None
        count = 0
        for axis, values in enumerate(self.reports):
            if values.size < 2:
                continue
            gains = self._gains(axis)  # (true report, lie, others)
            gains[np.arange(values.size), np.arange(values.size)] = -np.inf
            count += gains.size - self.profiles
            place = np.unravel_index(int(np.argmax(gains)), gains.shape)
            gain = float(gains[place])
            if best is None or gain > best.gain:
                index = list(place[2:])
                index.insert(axis, place[0])
                side, member = self.side(axis)
                best = Deviation(side, member, *self.at(index), float(values[place[1]]), gain)
        return best, count

    def _gains(self, axis: int) -> Array:
        """Return what each lie gains for each true report of a member."""
        if self.pays is None or self.receives is None:
            raise MechanismError("the rule says nothing about payments")
        sign = 1.0 if axis < self.n_buyers else -1.0
        money = -self.pays if axis < self.n_buyers else self.receives
        x, money = np.moveaxis(self.x, axis, 0), np.moveaxis(money, axis, 0)
        true = sign * self.reports[axis].reshape(-1, 1, *([1] * (x.ndim - 1)))
        utility = true * x[None] + money[None]
        honest = np.arange(x.shape[0])
        return utility - utility[honest, honest][:, None]


def _ascending(values: ArrayLike, position: int, n_buyers: int) -> Array:
    side, member = ("buyer", position) if position < n_buyers else ("seller", position - n_buyers)
    array = np.unique(np.asarray(values, dtype=np.float64))
    if not array.size or not np.isfinite(array).all():
        raise ReportError(
            f"{side} {member + 1} has no reports, or one that is no finite number; list finite ones"
        )
    array.flags.writeable = False
    return array


def black_box(mechanism: GroupMechanism, trade: GroupTrade) -> BlackBox:
    """Return a mechanism as a function of bids and asks alone.

    Parameters
    ----------
    mechanism
        The mechanism.
    trade
        The groups, whose priors have to allow the reports that will be asked about.

    Returns
    -------
    callable
        Which returns (x, what each buyer pays, what each seller receives).

    Examples
    --------
    >>> from catallax.groups import GroupTrade, RankedPrices
    >>> rule = black_box(RankedPrices(), GroupTrade(1, 1, "uniform(0, 1)", "uniform(0, 1)"))
    >>> rule(np.array([0.75]), np.array([0.5]))
    (1.0, 0.5, 0.75)
    """

    def ask(bids: Array, asks: Array) -> tuple[float, float, float]:
        outcome = mechanism.decide(trade, GroupReports(bids, asks))
        return outcome.x, float(outcome.pays), float(outcome.receives)

    return ask


def tabulate(
    rule: BlackBox, buyers: Sequence[ArrayLike], sellers: Sequence[ArrayLike]
) -> RuleTable:
    """Ask a rule about every profile of finitely many reports.

    Parameters
    ----------
    rule
        A function of bids ``(n,)`` and asks ``(m,)``: it returns x, or (x, payment, receipt) with
        what each buyer pays and what each seller receives.
    buyers, sellers
        The reports that each member may make, one list for each.

    Returns
    -------
    RuleTable
        The rule as a table.

    Raises
    ------
    MechanismError
        If the rule fails, or returns what no rule can.
    """
    given = [np.unique(np.asarray(one, dtype=np.float64)) for one in (*buyers, *sellers)]
    shape = tuple(one.size for one in given)
    answers: list[tuple[float, ...]] = []
    for bids, asks in _all_profiles(given, len(buyers)):
        answers.append(answer_of(rule, bids, asks))
        if len(answers[-1]) != len(answers[0]):
            raise MechanismError("the rule returns payments for some reports and not for others")
    if not answers:
        raise ReportError("a rule for two groups needs at least one report for each member")
    columns = [np.array(column).reshape(shape) for column in zip(*answers, strict=True)]
    return RuleTable(tuple(given), len(buyers), *columns)


def _all_profiles(reports: Sequence[Array], n: int) -> Iterator[tuple[Array, Array]]:
    for values in itertools.product(*(one.tolist() for one in reports)):
        yield np.array(values[:n]), np.array(values[n:])


def answer_of(rule: BlackBox, bids: Array, asks: Array) -> tuple[float, ...]:
    """Ask a rule about one profile: (x,) or (x, payment, receipt), all finite."""
    try:
        given = rule(bids.copy(), asks.copy())
    except Exception as error:
        raise MechanismError(
            f"the rule failed at bids {bids.tolist()} and asks {asks.tolist()}: "
            f"{type(error).__name__}: {error}"
        ) from error
    parts = given if isinstance(given, tuple) else (given,)
    if len(parts) not in (1, 3):
        raise MechanismError(
            f"the rule returned {len(parts)} values; return x, or (x, payment, receipt)"
        )
    names = ("decision", "payment of each buyer", "receipt of each seller")
    answer = tuple(_shared(part, name) for part, name in zip(parts, names, strict=False))
    if not 0.0 <= answer[0] <= 1.0:
        raise MechanismError(f"the rule returned the decision {answer[0]}; return 0, 1 or between")
    return answer


def _shared(value: Any, name: str) -> float:
    try:
        numbers = np.asarray(value, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        numbers = np.array([math.nan])
    if not numbers.size or not np.isfinite(numbers).all():
        raise MechanismError(f"the rule returned {value!r} as the {name}; return a finite number")
    if (numbers != numbers[0]).any():
        raise MechanismError(
            f"the {name} is not the same for all members: the theorems are about groups that share "
            "one decision and one payment a side"
        )
    return float(numbers[0])
