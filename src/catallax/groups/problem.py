"""A question of two groups as a file holds it: members, reports, shares, a price and a rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from catallax.errors import MissingPriorError, MissingReportError, VotingRuleError
from catallax.groups.boolean_rules import Coalitions
from catallax.groups.rules import VotingRule
from catallax.groups.trade import GroupReports, GroupTrade
from catallax.groups.weighted_rules import WeightedQuota
from catallax.priors import Point, Prior

__all__ = ["GroupProblem", "Member", "read_rule"]

Role = Literal["buyer", "seller"]


@dataclass(frozen=True)
class Member:
    """One member of a group.

    Attributes
    ----------
    id
        Text or an integer.
    report
        The bid or the ask, if one was made.
    share
        How much the member's vote weighs in a weighted quota, if anything was said.
    prior
        The prior of the member's value, if there is one.
    """

    id: str | int
    report: float | None = None
    share: float | None = None
    prior: Prior | None = None


@dataclass(frozen=True)
class GroupProblem:
    """Two groups, what they report, and how they mean to decide.

    Attributes
    ----------
    buyers, sellers
        The members of each side.
    name, currency
        What people call it, and what amounts are in.
    mechanism
        The slug of a mechanism for groups, if the file names one.
    price
        The price of a vote.
    rule
        The voting rule.
    parameters
        Other parameters of the mechanism.
    where
        What errors call the file.

    Examples
    --------
    >>> club = GroupProblem((Member("ann", 0.7), Member("bob", 0.4)), (Member("cy", 0.2),))
    >>> club.reports.bids.tolist(), club.voters.n_buyers
    ([0.7, 0.4], 2)
    """

    buyers: tuple[Member, ...]
    sellers: tuple[Member, ...]
    name: str = "groups"
    currency: str = ""
    mechanism: str | None = None
    price: float | None = None
    rule: VotingRule | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    where: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Check that nobody is left out alone, and that the rule is for these groups."""
        for members, role in ((self.buyers, "buyer"), (self.sellers, "seller")):
            for what in ("report", "share"):
                blank = [one for one in members if getattr(one, what) is None]
                if 0 < len(blank) < len(members):
                    raise MissingReportError(
                        f"{self._place}{role} {blank[0].id!r} has no {what} and others have; give "
                        f"every {role} one, or none"
                    )
        if self.rule is not None:
            try:
                self.rule.check(len(self.buyers), len(self.sellers))
            except VotingRuleError as error:
                raise VotingRuleError(f"{self._place}rule: {error}") from None

    @classmethod
    def read(cls, path: str | Path, *, with_rule: bool = True) -> GroupProblem:
        """Read a group decision file; see `catallax.groups.files.read_groups`."""
        from catallax.groups.files import read_groups

        return read_groups(path, with_rule=with_rule)

    def write(self, path: str | Path) -> Path:
        """Write a group decision file; see `catallax.groups.files.write_groups`."""
        from catallax.groups.files import write_groups

        return write_groups(self, path)

    @property
    def _place(self) -> str:
        return f"{self.where} " if self.where else ""

    @property
    def arguments(self) -> dict[str, Any]:
        """The parameters for `groups.get`, price and rule among them where they are given."""
        named = {"price": self.price, "rule": self.rule}
        return {key: one for key, one in named.items() if one is not None} | dict(self.parameters)

    @cached_property
    def reports(self) -> GroupReports:
        """The bids and asks.

        Raises
        ------
        MissingReportError
            If a side has made no reports.
        """
        columns = []
        for members, role in ((self.buyers, "buyer"), (self.sellers, "seller")):
            for member in members:
                if member.report is None:
                    raise MissingReportError(
                        f"{self._place}{role} {member.id!r} has made no report, which a decision "
                        f"needs; give every {role} one"
                    )
            columns.append([member.report for member in members])
        return GroupReports(*columns)

    @cached_property
    def trade(self) -> GroupTrade:
        """The groups with their priors.

        Raises
        ------
        MissingPriorError
            If a member has none.
        """
        for members, role in ((self.buyers, "buyer"), (self.sellers, "seller")):
            for member in members:
                if member.prior is None:
                    raise MissingPriorError(
                        f"{self._place}{role} {member.id!r} has no prior, which this needs; give "
                        f"the {role}s one with 'prior', or the member"
                    )
        return self._trade()

    @cached_property
    def voters(self) -> GroupTrade:
        """The groups for a mechanism that looks at no priors, such as a vote at a given price.

        Members without a prior are taken to be certain of what they report. Nothing that averages
        over priors means anything here.
        """
        return self._trade()

    def _trade(self) -> GroupTrade:
        sides = []
        for members in (self.buyers, self.sellers):
            stated = [
                Point(member.report or 0.0) if member.prior is None else member.prior
                for member in members
            ]
            same = all(prior is stated[0] for prior in stated)
            sides.append(stated[0] if same else stated)
        return GroupTrade(len(self.buyers), len(self.sellers), *sides)


def read_rule(
    given: Any, buyers: tuple[Member, ...], sellers: tuple[Member, ...], where: str
) -> VotingRule:
    """Return the rule of a file, where shares come from the members and coalitions name ids.

    Parameters
    ----------
    given
        One line of text, or keys.
    buyers, sellers
        The members.
    where
        What errors call the rule.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    from catallax.groups.rule_words import make_rule

    spec = dict(given) if isinstance(given, Mapping) else given
    kind = spec.get("kind") if isinstance(spec, dict) else None
    if isinstance(spec, dict) and kind == WeightedQuota.kind:
        for key, members in (("buyer_shares", buyers), ("seller_shares", sellers)):
            stated = [member.share for member in members]
            if key not in spec and any(share is not None for share in stated):
                spec[key] = stated
        if "buyer_shares" not in spec and "seller_shares" not in spec:
            raise VotingRuleError(
                f"{where}: a weighted quota needs the members' shares; give each a 'share'"
            )
    if isinstance(spec, dict) and kind == Coalitions.kind and isinstance(spec.get("enough"), list):
        places = [{one.id: k for k, one in enumerate(side)} for side in (buyers, sellers)]
        spec["enough"] = [_by_position(one, places, where) for one in spec["enough"]]
    return make_rule(spec, where=where)


def _by_position(coalition: Any, places: list[dict[str | int, int]], where: str) -> Any:
    if not isinstance(coalition, list) or len(coalition) != 2:
        raise VotingRuleError(
            f"{where}: {coalition!r} is no coalition; write the ids of its buyers and of its "
            'sellers, as in [["ann"], ["cy", "dee"]]'
        )
    found = []
    for ids, known, role in zip(coalition, places, ("buyer", "seller"), strict=True):
        listed = ids if isinstance(ids, list) else [ids]
        for one in listed:
            if not isinstance(one, str | int) or one not in known:
                raise VotingRuleError(
                    f"{where}: the coalition names {role} {one!r}, and there is none; name ids of "
                    f"the {role}s in two lists"
                )
        found.append([known[one] for one in listed])
    return found


def written_rule(problem: GroupProblem) -> Any:
    """Return the rule as a file holds it; what the members' shares say is left out."""
    rule = problem.rule
    if rule is None:
        return None
    spec = rule.to_dict()
    if isinstance(rule, Coalitions):
        sides = (problem.buyers, problem.sellers)
        spec["enough"] = [
            [[side[k].id for k in part] for side, part in zip(sides, one, strict=True)]
            for one in rule.enough
        ]
    if isinstance(rule, WeightedQuota):
        sides = (("buyer_shares", problem.buyers), ("seller_shares", problem.sellers))
        for key, members in sides:
            stated = [member.share for member in members]
            if spec.get(key) == stated:
                del spec[key]
            elif key not in spec and None not in stated:
                spec[key] = [1.0] * len(members)
    return spec


def check_price(price: Any, where: str) -> float | None:
    """Return a finite price, or None where there is none.

    Raises
    ------
    VotingRuleError
        If it is no number.
    """
    if price is None:
        return None
    number = isinstance(price, int | float) and not isinstance(price, bool)
    if not number or not math.isfinite(price):
        raise VotingRuleError(f"{where}: the price is {price!r}; write a finite number")
    return float(price)
