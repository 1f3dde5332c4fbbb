"""Group decision files: a JSON or TOML document with both groups, a price and a voting rule."""

from __future__ import annotations

import json
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catallax.errors import (
    FileFormatError,
    OutputError,
    UnknownNameError,
    nearest,
)
from catallax.groups.members import SideReader
from catallax.groups.problem import (
    GroupProblem,
    Member,
    check_price,
    read_rule,
    written_rule,
)
from catallax.markets.files.document import load_json
from catallax.markets.files.toml_text import toml_section, toml_value
from catallax.markets.tables.words import number_words, plain_words
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


def read_groups(path: str | Path, *, with_rule: bool = True) -> GroupProblem:
    """Read two groups, their reports, and how they mean to decide.

    Parameters
    ----------
    path
        A ``.json`` or ``.toml`` file. Its keys are ``buyers`` and ``sellers``, and as they are
        wanted ``name``, ``currency``, ``mechanism``, ``price``, ``rule``, ``parameters`` (of the
        mechanism) and ``priors`` (by name).
    with_rule
        Read the voting rule; it is left out where another one takes its place.

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
    reader = SideReader(where, path.parent, named)
    buyers, sellers = (reader.read(content, role) for role in ("buyer", "seller"))
    rule = content.get("rule") if with_rule else None
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
