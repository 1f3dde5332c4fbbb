"""Group decision files: a JSON or TOML document with both groups, a price and a voting rule."""

from __future__ import annotations

import json
import math
import secrets
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catallax.errors import (
    FileFormatError,
    OutputError,
    ReportError,
    UnknownNameError,
    nearest,
)
from catallax.groups.problem import (
    GroupProblem,
    Member,
    Role,
    check_price,
    read_rule,
    written_rule,
)
from catallax.groups.trade import _possible as possible_reports
from catallax.markets.cells import clean_ids, finite_numbers
from catallax.markets.csv_tables import read_table
from catallax.markets.document import load_json
from catallax.markets.origin import Origin
from catallax.markets.tables import Table, as_table, check_names
from catallax.markets.toml_text import toml_section, toml_value
from catallax.markets.words import number_words, plain_words
from catallax.priors import Prior, make_prior

__all__ = ["read_groups", "write_groups"]

_KEYS = (
    "name",
    "currency",
    "mechanism",
    "price",
    "rule",
    "parameters",
    "buyers",
    "sellers",
    "priors",
)
_SIDE_KEYS = ("members", "table", "ids", "size", "reports", "shares", "prior")
_WORDS = {"buyer": "bid", "seller": "ask"}


def read_groups(path: str | Path) -> GroupProblem:
    """Read two groups, their reports, and how they mean to decide.

    Parameters
    ----------
    path
        A ``.json`` or ``.toml`` file. Its keys are ``buyers`` and ``sellers``, and as they are
        wanted ``name``, ``currency``, ``mechanism``, ``price``, ``rule``, ``parameters`` (of the
        mechanism) and ``priors`` (by name).

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
    A side is a list of members, or holds ``members`` (such a list), ``table`` (a CSV or Parquet
    file beside the document; with ``ids = "integer"`` its ids are integers), or ``size`` and
    perhaps ``reports`` and ``shares`` (lists). A member has an ``id``, and may have a ``report``
    (or a ``bid``, an ``ask``), a ``share`` and a ``prior``: a name, ``uniform(0, 1)`` or its keys.
    The ``prior`` of a side is that of all members who have none of their own.

    A weighted quota takes its shares from the members, and coalitions name ids. A report that its
    member's prior rules out is refused, for a slip of the pen is likelier than a surprise.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "club.toml"
    >>> _ = path.write_text('''
    ... price = 20
    ... rule = "majority"
    ... [buyers]
    ... prior = "uniform(0, 50)"
    ... members = [{id = "ann", report = 30}, {id = "bob", report = 12}, {id = "cy", report = 25}]
    ... [sellers]
    ... size = 2
    ... prior = "uniform(0, 40)"
    ... ''')
    >>> club = read_groups(path)
    >>> club.trade, club.rule
    (GroupTrade(3, 2, uniform(0, 50), uniform(0, 40)), Majority())
    """
    path = Path(path)
    where = str(path)
    content = _content(path, where)
    for key in content:
        if key not in _KEYS:
            raise UnknownNameError(f"{where}: unknown key '{key}': {nearest(key, _KEYS)}")
    named = {
        str(name): make_prior(number_words(spec), base=path.parent, where=f"{where} prior '{name}'")
        for name, spec in _mapping(content, "priors", where).items()
    }
    reader = _SideReader(where, path.parent, named)
    buyers, sellers = (reader.read(content, role) for role in ("buyer", "seller"))
    rule = content.get("rule")
    return GroupProblem(
        buyers=buyers,
        sellers=sellers,
        name=_text(content, "name", path.stem, where),
        currency=_text(content, "currency", "", where),
        mechanism=_text(content, "mechanism", "", where) or None,
        price=check_price(content.get("price"), where),
        rule=None if rule is None else read_rule(rule, buyers, sellers, f"{where} rule"),
        parameters=_mapping(content, "parameters", where),
        where=where,
    )


def _content(path: Path, where: str) -> dict[str, Any]:
    if path.suffix not in (".json", ".toml"):
        raise FileFormatError(f"{where}: this is neither .json nor .toml; give one of these")
    try:
        data = path.read_bytes()
    except OSError as failure:
        siblings = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        hint = nearest(path.name, siblings) if siblings else ""
        hint = f": {hint}" if hint.startswith("did you mean") else "; check the name"
        raise FileFormatError(f"{where}: cannot be read ({failure.strerror}){hint}") from None
    if path.suffix == ".json":
        return load_json(data, where)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as failure:
        line = data[: failure.start].count(b"\n") + 1
        raise FileFormatError(
            f"{where} line {line}: this is not UTF-8 text; save the file as UTF-8"
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as failure:
        message = " ".join(str(failure).split()) or "it is nested too deep"
        raise FileFormatError(f"{where}: this is no TOML: {message}; mend it there") from None


def _text(content: Mapping[str, Any], key: str, default: str, where: str) -> str:
    value = content.get(key, default)
    if not isinstance(value, str):
        raise FileFormatError(f"{where}: '{key}' is {value!r}; write text")
    return value


def _mapping(content: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise FileFormatError(f"{where}: '{key}' is {value!r}; write a table of keys and values")
    return value


class _SideReader:
    """Reads the members of one side after the other."""

    def __init__(self, where: str, folder: Path, named: Mapping[str, Prior]) -> None:
        self.where, self.folder, self.named = where, folder, named
        self.seen: dict[str, Prior] = {}

    def read(self, content: Mapping[str, Any], role: Role) -> tuple[Member, ...]:
        section = f"{role}s"
        if section not in content:
            raise FileFormatError(f"{self.where}: there is no '{section}'; list its members")
        given = content[section]
        side: dict[str, Any] = given if isinstance(given, dict) else {"members": given}
        for key in side:
            if key not in _SIDE_KEYS:
                raise UnknownNameError(
                    f"{self.where}: unknown key '{key}' in '{section}': {nearest(key, _SIDE_KEYS)}"
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
        origin, word = table.origin, _WORDS[role]
        both = [name for name in ("report", word) if name in table.columns]
        if len(both) > 1:
            raise FileFormatError(
                f"{origin.table}: there is a column 'report' and a column '{word}'; keep one"
            )
        report = both[0] if both else "report"
        check_names(table, ["id"], [report, "share", "prior"])
        ids = clean_ids(table.columns["id"], origin, role, integers=integers).to_list()
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
        for row, value in enumerate(columns["report"]):
            self._check_report(value, priors[row], origin, row, label)
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

    def _check_report(
        self,
        value: float | None,
        prior: Prior | None,
        origin: Origin,
        row: int,
        label: Callable[[int], str],
    ) -> None:
        if value is None or prior is None:
            return
        low, high = possible_reports(prior)
        if not low <= value <= high:
            raise ReportError(
                f"{origin.at(row)}: {label(row)} reports {value!r}, outside the prior "
                f"{prior.describe()}; correct the report or widen the prior"
            )


# ----------------------------------------------------------------------------------------- writing


def write_groups(problem: GroupProblem, path: str | Path) -> Path:
    """Write two groups to a file that `read_groups` reads back as they are.

    Parameters
    ----------
    problem
        What to write. Its members are written into the document itself.
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
    >>> from catallax.groups.problem import GroupProblem, Member
    >>> club = GroupProblem((Member("ann", 0.7),), (Member("cy", 0.2),), price=0.5)
    >>> path = write_groups(club, Path(tempfile.mkdtemp()) / "club.json")
    >>> read_groups(path) == club
    True
    """
    path = Path(path)
    if path.suffix not in (".json", ".toml"):
        raise OutputError(f"{path}: groups are written as .json or .toml; name one of these")
    text = _json(problem) if path.suffix == ".json" else _toml(problem)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as failure:
        reason = failure.strerror or str(failure)
        raise OutputError(f"{path}: cannot be written ({reason}); choose another place") from None
    except UnicodeEncodeError:
        raise OutputError(
            f"{path}: a name holds a lone surrogate, which no UTF-8 file can; rename it"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _document(problem: GroupProblem) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the keys of the document, and the priors by the names that the members use."""
    names: dict[Prior, str] = {}
    for member in (*problem.buyers, *problem.sellers):
        if member.prior is not None:
            names.setdefault(member.prior, f"prior-{len(names) + 1}")
    head: dict[str, Any] = {"name": problem.name}
    optional = {
        "currency": problem.currency or None,
        "mechanism": problem.mechanism,
        "price": problem.price,
        "rule": written_rule(problem),
        "parameters": dict(problem.parameters) or None,
    }
    head |= {key: _plain(value) for key, value in optional.items() if value is not None}
    for section, members in (("buyers", problem.buyers), ("sellers", problem.sellers)):
        head[section] = [_record(member, names) for member in members]
    return head, {name: plain_words(prior.spec()) for prior, name in names.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if value is None or isinstance(value, str | int | float):
        return value
    raise OutputError(f"the parameter {value!r} cannot be written to a file; leave it out")


def _record(member: Member, names: Mapping[Prior, str]) -> dict[str, Any]:
    prior = None if member.prior is None else names[member.prior]
    record = {"id": member.id, "report": member.report, "share": member.share, "prior": prior}
    return {key: value for key, value in record.items() if value is not None}


def _json(problem: GroupProblem) -> str:
    head, priors = _document(problem)
    parts = []
    for key, value in (head | ({"priors": priors} if priors else {})).items():
        if key in ("buyers", "sellers"):
            records = ",\n  ".join(_dump(one) for one in value)
            parts.append(f'"{key}": [\n  {records}\n ]')
        else:
            parts.append(f"{_dump(key)}: {_dump(value)}")
    return "{" + ",\n ".join(parts) + "}\n"


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise OutputError("a parameter is not finite, and JSON has no such number") from None


def _toml(problem: GroupProblem) -> str:
    head, priors = _document(problem)
    sides = {section: head.pop(section) for section in ("buyers", "sellers")}
    lines = [f"{key} = {toml_value(value)}" for key, value in head.items()]
    for section, records in sides.items():
        members = "\n".join(f"  {toml_value(record)}," for record in records)
        lines += ["", f"[{section}]", f"members = [\n{members}\n]"]
    sections = [toml_section(f"\n[priors.{name}]", spec) for name, spec in priors.items()]
    return "\n".join([*lines, *sections]) + ("" if sections else "\n")
