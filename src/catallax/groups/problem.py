"""A question of two groups as a file holds it: members, reports, shares, a price and a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from catallax.errors import MissingPriorError, MissingReportError, VotingRuleError
from catallax.groups.member import Member
from catallax.groups.rules import Anonymous, VotingRule
from catallax.groups.trade import GroupReports, GroupTrade
from catallax.priors import Point

__all__ = ["GroupProblem"]


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
    >>> from catallax.groups import Member
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
            if isinstance(self.rule, Anonymous):
                self._check_sizes(self.rule)
            try:
                self.rule.check(len(self.buyers), len(self.sellers))
            except VotingRuleError as error:
                raise VotingRuleError(f"{self._place}rule: {error}") from None

    def _check_sizes(self, rule: Anonymous) -> None:
        """Refuse members that are not as many as the vote was made for."""
        made, listed = (rule.n_buyers, rule.n_sellers), (len(self.buyers), len(self.sellers))
        if made != listed:
            numbers = zip(made, ("buyer", "seller"), strict=True)
            sizes = " and ".join(f"{k} {word}{'s' if k != 1 else ''}" for k, word in numbers)
            raise VotingRuleError(
                f"{self._place}rule: the vote was made for {sizes}, and "
                f"{'the file lists' if self.where else 'there are'} {listed[0]} and {listed[1]}; "
                "list everybody: a buyer who did not answer with report 0, a seller with a report "
                "above what she would receive"
            )

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        with_rule: bool = True,
        mechanism: str | None = None,
        price: float | None = None,
    ) -> GroupProblem:
        """Read two groups, their reports, and how they mean to decide.

        Parameters
        ----------
        path
            A ``.json`` or ``.toml`` file. Its keys are ``buyers`` and ``sellers``, and as they
            are wanted ``name``, ``currency``, ``mechanism``, ``price``, ``rule``, ``parameters``
            (of the mechanism) and ``priors`` (by name).
        with_rule
            Read the voting rule; it is left out where another one takes its place.
        mechanism, price
            What will take the place of the file's mechanism and price, if anything: reports are
            judged by what they are used for.

        Returns
        -------
        GroupProblem
            What the file says.

        Raises
        ------
        CatallaxError
            One subclass per cause; the message names the file, the row, the member and the remedy.

        Notes
        -----
        A side is a list of members, or holds ``members`` (such a list), ``table`` (a CSV or
        Parquet file beside the document; with ``ids = "integer"`` its ids are integers), or
        ``size`` and perhaps ``reports`` and ``shares`` (lists). A member has an ``id``, and may
        have a ``report`` (or a ``bid``, an ``ask``), a ``share`` and a ``prior``: a name,
        ``uniform(0, 1)`` or its keys. The ``prior`` of a side is that of all members who have
        none of their own.

        A weighted quota takes its shares from the members, and coalitions name ids.

        A report that its member's prior rules out is refused, for a slip of the pen is likelier
        than a surprise. In a vote a report is only a yes or a no, and either must be possible: a
        prior that lies wholly on one side of the price, as a `point` does at every price,
        foretells how its member will vote and rules nothing out.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "club.toml"
        >>> _ = path.write_text('''
        ... price = 20
        ... rule = "majority"
        ... [buyers]
        ... prior = "uniform(0, 50)"
        ... members = [{id = "ann", report = 30}, {id = "bob", report = 12}]
        ... [sellers]
        ... size = 2
        ... prior = "uniform(0, 40)"
        ... ''')
        >>> club = GroupProblem.read(path)
        >>> club.trade, club.rule
        (GroupTrade(2, 2, uniform(0, 50), uniform(0, 40)), Majority())
        """
        from catallax.groups.files.reading import content_of_groups

        return cls(**content_of_groups(path, with_rule=with_rule, mechanism=mechanism, price=price))

    def write(self, path: str | Path) -> Path:
        """Write it to a file that `read` reads back as it is; its members stand in the document.

        Parameters
        ----------
        path
            A ``.json`` or ``.toml`` file. One that is there is replaced, whole or not at all.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written, or has another suffix.
        VotingRuleError
            If the rule is a Python function.

        Examples
        --------
        >>> import tempfile
        >>> club = GroupProblem((Member("ann", 0.7),), (Member("cy", 0.2),), price=0.5)
        >>> path = club.write(Path(tempfile.mkdtemp()) / "club.json")
        >>> GroupProblem.read(path) == club
        True
        """
        from catallax.groups.files.rules import written_rule
        from catallax.groups.files.writing import write_groups

        head = {
            "name": self.name,
            "currency": self.currency or None,
            "mechanism": self.mechanism,
            "price": self.price,
            "rule": written_rule(self.rule, self.buyers, self.sellers),
            "parameters": dict(self.parameters) or None,
        }
        return write_groups(path, head, {"buyers": self.buyers, "sellers": self.sellers})

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
