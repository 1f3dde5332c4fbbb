"""Writing group decision files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catallax.errors import OutputError
from catallax.groups.member import Member
from catallax.markets.files.toml_text import toml_section, toml_value
from catallax.markets.tables.words import plain_words
from catallax.priors import Prior
from catallax.staging import Staging
from catallax.text_files import writing_to

__all__ = ["write_groups"]

Sides = Mapping[str, tuple[Member, ...]]


def write_groups(path: str | Path, head: Mapping[str, Any], sides: Sides) -> Path:
    """Write the keys of a group decision file and its members, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written, or has another suffix.
    """
    path = Path(path)
    if path.suffix not in (".json", ".toml"):
        raise OutputError(f"{path}: groups are written as .json or .toml; name one of these")
    document = _document(head, sides)
    text = _json(*document) if path.suffix == ".json" else _toml(*document)
    with writing_to(path), Staging() as staging:
        staging.add(path, lambda place: place.write_text(text, encoding="utf-8", newline="\n"))
    return path


def _document(head: Mapping[str, Any], sides: Sides) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the keys of the document, and the priors by the names that the members use."""
    names: dict[Prior, str] = {}
    for member in (*sides["buyers"], *sides["sellers"]):
        if member.prior is not None:
            names.setdefault(member.prior, f"prior-{len(names) + 1}")
    document = {key: _plain(value) for key, value in head.items() if value is not None}
    for section, members in sides.items():
        document[section] = [_record(member, names) for member in members]
    return document, {name: plain_words(prior.spec()) for prior, name in names.items()}


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


def _json(head: dict[str, Any], priors: dict[str, Any]) -> str:
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


def _toml(head: dict[str, Any], priors: dict[str, Any]) -> str:
    sides = {section: head.pop(section) for section in ("buyers", "sellers")}
    lines = [f"{key} = {toml_value(value)}" for key, value in head.items()]
    for section, records in sides.items():
        members = "\n".join(f"  {toml_value(record)}," for record in records)
        lines += ["", f"[{section}]", f"members = [\n{members}\n]"]
    sections = [toml_section(f"\n[priors.{name}]", spec) for name, spec in priors.items()]
    return "\n".join([*lines, *sections]) + ("" if sections else "\n")
