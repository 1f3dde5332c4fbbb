"""What a mechanism for two groups is, what it decides, and the register of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from inspect import signature
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError, ReportError, UnknownNameError, nearest
from catallax.groups.trade import GroupReports, GroupTrade

__all__ = ["GroupClaims", "GroupMechanism", "GroupOutcome", "get", "names", "register"]

Array = NDArray[np.float64]

_LARGEST = 1e300


@dataclass(frozen=True)
class GroupClaims:
    """The properties a mechanism for groups claims.

    Attributes
    ----------
    truthful
        "DSIC" where no member gains by a lie, whatever the others report.
    budget
        "strong" where the buyers together pay what the sellers together receive, always.
    better_off
        When each side's total utility is nonnegative, in words.
    """

    truthful: Literal["DSIC", "none"]
    budget: Literal["strong", "none"]
    better_off: str


@dataclass(frozen=True)
class GroupOutcome:
    """What a mechanism decides on one profile of reports.

    Attributes
    ----------
    mechanism
        Slug of the mechanism.
    n_buyers, n_sellers
        The sizes of the groups.
    x
        The probability of the trade; 0 or 1 for a deterministic mechanism.
    pays
        What every buyer pays, an exact number.
    receives
        What every seller receives, an exact number.
    reason
        Why, in one sentence.
    details
        More about the decision, such as the price and the votes; plain data.

    Examples
    --------
    >>> outcome = GroupOutcome("vote", 2, 3, 1.0, Fraction(3, 10), Fraction(1, 5), "all agree")
    >>> outcome.buyer_pays.tolist(), outcome.seller_receives.tolist(), outcome.surplus
    ([0.3, 0.3], [0.2, 0.2, 0.2], Fraction(0, 1))
    """

    mechanism: str
    n_buyers: int
    n_sellers: int
    x: float
    pays: Fraction
    receives: Fraction
    reason: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def buyer_pays(self) -> Array:
        """What each buyer pays, shape (n_buyers,), rounded to floating point."""
        return np.full(self.n_buyers, float(self.pays))

    @property
    def seller_receives(self) -> Array:
        """What each seller receives, shape (n_sellers,), rounded to floating point."""
        return np.full(self.n_sellers, float(self.receives))

    @property
    def surplus(self) -> Fraction:
        """What is left with the mechanism, exactly: 0 in a strongly balanced one."""
        return self.n_buyers * self.pays - self.n_sellers * self.receives

    def buyer_utilities(self, values: Array) -> Array:
        """Return every buyer's utility at these values, shape (n_buyers,)."""
        return self.x * values - float(self.pays)

    def seller_utilities(self, costs: Array) -> Array:
        """Return every seller's utility at these costs, shape (n_sellers,)."""
        return float(self.receives) - self.x * costs

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as `catallax groups decide --json` prints it."""
        return {
            "mechanism": self.mechanism,
            "trade": self.x if 0 < self.x < 1 else bool(self.x),
            "buyer_pays": float(self.pays),
            "seller_receives": float(self.receives),
            "buyers_pay": float(self.n_buyers * self.pays),
            "sellers_receive": float(self.n_sellers * self.receives),
            "surplus": float(self.surplus),
            "reason": self.reason,
            **self.details,
        }


class GroupMechanism(ABC):
    """A rule that turns the reports of two groups into one decision and two payments.

    A mechanism is a frozen dataclass whose fields are its parameters. It names itself (`slug`),
    says in one sentence what it does (`summary`) and declares what it claims.
    """

    slug: ClassVar[str]
    summary: ClassVar[str]
    claims: ClassVar[GroupClaims]

    def decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        """Decide on the trade and on what every member pays or receives.

        Parameters
        ----------
        trade
            The groups and their priors.
        reports
            One bid for each buyer and one ask for each seller.

        Returns
        -------
        GroupOutcome
            The decision, payments and the reason.

        Raises
        ------
        ReportError
            If a report is missing, or outside its owner's prior where that rules it out (see
            `GroupTrade.check`).
        """
        trade.check(reports, self._prices(trade))
        outcome = self._decide(trade, reports)
        for size, each in ((trade.n_buyers, outcome.pays), (trade.n_sellers, outcome.receives)):
            if abs(size * each) > _LARGEST:
                raise ReportError("the price is too large a number; give amounts in larger units")
        return outcome

    def _prices(self, trade: GroupTrade) -> tuple[float, float] | None:
        """Return at what bid and at what ask a report turns from a no to a yes, where it does."""
        del trade
        return None

    @abstractmethod
    def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        """Decide on reports that were checked."""


_REGISTRY: dict[str, type[GroupMechanism]] = {}

AnyMechanism = TypeVar("AnyMechanism", bound="type[GroupMechanism]")


def register(mechanism: AnyMechanism) -> AnyMechanism:
    """Make a mechanism for groups known by its slug (a class decorator)."""
    _REGISTRY[mechanism.slug] = mechanism
    return mechanism


def names() -> list[str]:
    """List the slugs of all registered mechanisms for groups."""
    return list(_REGISTRY)


def get(mechanism: str | GroupMechanism, **parameters: Any) -> GroupMechanism:
    """Find a mechanism for groups.

    Parameters
    ----------
    mechanism
        A slug such as "forced-trade", or a mechanism, which is returned.
    **parameters
        Its parameters, such as the price and the rule of a vote.

    Returns
    -------
    GroupMechanism
        The mechanism.

    Raises
    ------
    UnknownNameError
        If there is none of this name, or it has no such parameter; the message names the nearest.
    CatallaxError
        If a parameter is missing or wrong.
    """
    if isinstance(mechanism, GroupMechanism):
        return mechanism
    if mechanism not in _REGISTRY:
        raise UnknownNameError(
            f"unknown mechanism for groups '{mechanism}': {nearest(mechanism, _REGISTRY)}"
        )
    wanted = signature(_REGISTRY[mechanism]).parameters
    for key in parameters:
        if key not in wanted:
            raise UnknownNameError(
                f"'{mechanism}' has no parameter '{key}': {nearest(key, wanted)}"
            )
    missing = [k for k, one in wanted.items() if one.default is one.empty and k not in parameters]
    if missing:
        raise CatallaxError(f"'{mechanism}' needs {' and '.join(missing)}; give it")
    return _REGISTRY[mechanism](**parameters)
