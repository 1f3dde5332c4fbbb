"""The members of one side of a group decision file: inline, from a table, or only their number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catallax.errors import FileFormatError, ReportError, UnknownNameError, nearest
from catallax.groups.member import Member
from catallax.groups.trade import rules_out
from catallax.markets.agents import Role
from catallax.markets.tables.cells import clean_ids, finite_numbers
from catallax.markets.tables.csv_tables import read_table
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import Table, as_table, check_names
from catallax.markets.tables.words import number_words
from catallax.priors import Point, Prior, make_prior

__all__ = ["MEMBER_KEYS", "SIDE_KEYS", "WORDS", "SideReader"]

SIDE_KEYS = ("members", "table", "ids", "size", "reports", "shares", "prior")
MEMBER_KEYS = ("id", "report", "share", "prior")
WORDS = {"buyer": "bid", "seller": "ask"}
"""What else a report may be called."""


class SideReader:
    """Reads the members of one side after the other."""

    def __init__(self, where: str, folder: Path, named: Mapping[str, Prior]) -> None:
        self.where, self.folder, self.named = where, folder, named
        self.seen: dict[str, Prior] = {}
        self.origins: dict[Role, Origin] = {}

    def read(self, content: Mapping[str, Any], role: Role) -> tuple[Member, ...]:
        """Return the members of one side of a document.

        Raises
        ------
        CatallaxError
            One subclass per cause, naming the row and the member.
        """
        section = f"{role}s"
        if section not in content:
            raise FileFormatError(f"{self.where}: there is no '{section}'; list its members")
        given = content[section]
        side: dict[str, Any] = given if isinstance(given, dict) else {"members": given}
        for key in side:
            if key not in SIDE_KEYS:
                raise UnknownNameError(
                    f"{self.where}: unknown key '{key}' in '{section}': {nearest(key, SIDE_KEYS)}"
                )
        kinds = [key for key in ("members", "table", "size", "reports") if key in side]
        if not kinds or (len(kinds) > 1 and kinds != ["size", "reports"]):
            found = " and ".join(kinds) or "none of them"
            raise FileFormatError(
                f"{self.where}: '{section}' has {found}; give its 'members', a 'table' or a 'size'"
            )
        if "shares" in side and "size" not in kinds and "reports" not in kinds:
            raise FileFormatError(
                f"{self.where}: '{section}' has 'shares' beside its {kinds[0]}; give each member a "
                "'share' there"
            )
        common = side.get("prior")
        prior = None
        if common is not None:
            prior = self._prior(common, f"{self.where}: the prior of '{section}'")
        table, integers = self._table(side, role), side.get("ids") == "integer"
        if not table.height:
            raise FileFormatError(
                f"{self.where}: '{section}' has no members; a trade needs at least one on each side"
            )
        return self._members(table, role, prior, integers=integers)

    def _table(self, side: Mapping[str, Any], role: Role) -> Table:
        section = f"{role}s"
        if "table" in side:
            name = side["table"]
            if not isinstance(name, str):
                raise FileFormatError(
                    f"{self.where}: 'table' in '{section}' is {name!r}; write the name of a file"
                )
            return read_table(self.folder, name, section, self.where)
        origin = Origin(self.where, "json", section, folder=self.folder)
        if "members" in side:
            members = side["members"]
            if not isinstance(members, list):
                raise FileFormatError(
                    f"{self.where}: '{section}' is {members!r}; write a list of members, as in "
                    '[{"id": "ann", "report": 3}]'
                )
            return as_table(members, origin)
        columns: dict[str, Any] = {}
        for key, column in (("reports", "report"), ("shares", "share")):
            if key in side:
                if not isinstance(side[key], list):
                    raise FileFormatError(
                        f"{self.where}: '{key}' in '{section}' is {side[key]!r}; write a list"
                    )
                columns[column] = side[key]
        size = side.get("size", len(columns.get("report", [])))
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise FileFormatError(
                f"{self.where}: 'size' of '{section}' is {size!r}; write a whole number"
            )
        for column, values in columns.items():
            if len(values) != size:
                raise FileFormatError(
                    f"{self.where}: '{section}' has {len(values)} {column}s and {size} members; "
                    "give one for each"
                )
        return Table({"id": list(range(1, size + 1)), **columns}, size, origin)

    def _members(
        self, table: Table, role: Role, prior: Prior | None, *, integers: bool
    ) -> tuple[Member, ...]:
        origin, word = table.origin, WORDS[role]
        both = [name for name in ("report", word) if name in table.columns]
        if len(both) > 1:
            raise FileFormatError(
                f"{origin.table}: there is a column 'report' and a column '{word}'; keep one"
            )
        report = both[0] if both else "report"
        required, *others = (report if key == "report" else key for key in MEMBER_KEYS)
        check_names(table, [required], others)
        ids = clean_ids(table.columns["id"], origin, role, integers=integers, new=True).to_list()
        first: dict[Any, int] = {}
        for row, one in enumerate(ids):
            if first.setdefault(one, row) != row:
                raise FileFormatError(
                    f"{origin.at(row)}: {role} {one!r} was already listed at "
                    f"{origin.at(first[one])}; give every {role} an id of its own"
                )

        def label(row: int) -> str:
            return f"{role} {ids[row]!r}"

        columns: dict[str, Any] = {"report": [None] * len(ids), "share": [None] * len(ids)}
        for name, column in (("report", report), ("share", "share")):
            values = table.get(column)
            if values is not None:
                columns[name] = finite_numbers(values, origin, column, label).tolist()
        priors = self._priors(table, label, prior)
        for row, share in enumerate(columns["share"]):
            if share is not None and share < 0:
                raise ReportError(
                    f"{origin.at(row)}: {label(row)} has the share {share!r}; write 0 or more"
                )
        self.origins[role] = origin
        return tuple(
            Member(*one)
            for one in zip(ids, columns["report"], columns["share"], priors, strict=True)
        )

    def _priors(
        self, table: Table, label: Callable[[int], str], common: Prior | None
    ) -> list[Prior | None]:
        column = table.get("prior")
        if column is None:
            return [common] * table.height
        found: list[Prior | None] = []
        for row, entry in enumerate(column):
            blank = entry is None or (isinstance(entry, str) and not entry.strip())
            if blank or (isinstance(entry, float) and math.isnan(entry)):
                found.append(common)
                continue
            where = f"{table.origin.at(row)}: the prior of {label(row)}"
            found.append(self._prior(entry, where))
        return found

    def _prior(self, entry: Any, where: str) -> Prior:
        if isinstance(entry, str):
            if entry in self.named:
                return self.named[entry]
            if entry not in self.seen:
                if "(" not in entry and not entry.strip().startswith("{"):
                    raise UnknownNameError(
                        f"{where} is '{entry}', which is not among the priors of the file: "
                        f"{nearest(entry, self.named)}"
                    )
                self.seen[entry] = make_prior(entry, base=self.folder, where=where)
            return self.seen[entry]
        if isinstance(entry, dict):
            entry = {key: one for key, one in entry.items() if one is not None}
        key = repr(entry)
        if key not in self.seen:
            self.seen[key] = make_prior(number_words(entry), base=self.folder, where=where)
        return self.seen[key]

    def check_reports(
        self, members: Sequence[Member], role: Role, price: float | None, *, ballots: bool
    ) -> None:
        """Refuse reports that their members' priors rule out.

        Parameters
        ----------
        members
            Of one side, as `read` has returned them.
        role
            Which side it is.
        price
            Where reports are ballots: the least bid, or the largest ask, in favour; None where
            the price is not known yet.
        ballots
            Whether they are. Then a prior of one amount rules nothing out at any price.

        Raises
        ------
        ReportError
            Naming the row and the member.
        """
        for row, member in enumerate(members):
            prior, report = member.prior, member.report
            if prior is None or report is None or (ballots and isinstance(prior, Point)):
                continue
            if rules_out(prior, np.array(report), role, price):
                raise ReportError(
                    f"{self.origins[role].at(row)}: {role} {member.id!r} reports {report!r}, "
                    f"outside the prior {prior.describe()}; correct the report or widen the prior"
                )
