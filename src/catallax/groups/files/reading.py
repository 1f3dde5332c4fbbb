"""Reading group decision files: both groups, a price and a voting rule."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catallax.errors import (
    CatallaxError,
    FileFormatError,
    UnknownNameError,
    VotingRuleError,
    nearest,
)
from catallax.groups.files.rules import read_rule
from catallax.groups.files.sides import SideReader
from catallax.groups.member import Member
from catallax.groups.requirements import as_fraction, is_finite
from catallax.groups.vote import Prices
from catallax.markets.files.document import load_json
from catallax.markets.tables.words import number_words
from catallax.priors import make_prior
from catallax.text_files import decoded

__all__ = ["KEYS", "content_of_groups", "count_reports"]

KEYS = (
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


_BALLOTS = ("vote", "best-vote", "forced-trade")
"""The mechanisms for which a report is a yes or a no, or nothing."""


def content_of_groups(
    path: str | Path,
    *,
    with_rule: bool = True,
    mechanism: str | None = None,
    price: float | None = None,
) -> dict[str, Any]:
    """Return what a group decision file says, as the fields of `GroupProblem`.

    Parameters
    ----------
    path, with_rule
        See `GroupProblem.read`.
    mechanism, price
        What takes the place of the file's when it is decided; reports are checked for it.

    Raises
    ------
    CatallaxError
        One subclass per cause; the message names the file, the row, the member and the remedy.
    """
    path = Path(path)
    where = str(path)
    content = _content(path, where)
    for key in content:
        if key not in KEYS:
            raise UnknownNameError(f"{where}: unknown key '{key}': {nearest(key, KEYS)}")
    named = {
        str(name): make_prior(number_words(spec), base=path.parent, where=f"{where} prior '{name}'")
        for name, spec in _mapping(content, "priors", where).items()
    }
    reader = SideReader(where, path.parent, named)
    buyers, sellers = (reader.read(content, role) for role in ("buyer", "seller"))
    rule = content.get("rule") if with_rule else None
    named_mechanism = _text(content, "mechanism", "", where) or None
    named_price = _price(content.get("price"), where)
    slug = mechanism or named_mechanism
    paid = price if price is not None else named_price
    _check_reports(reader, buyers, sellers, slug, paid)
    return {
        "buyers": buyers,
        "sellers": sellers,
        "name": _text(content, "name", path.stem, where),
        "currency": _text(content, "currency", "", where),
        "mechanism": named_mechanism,
        "price": named_price,
        "rule": None if rule is None else read_rule(rule, buyers, sellers, f"{where} rule"),
        "parameters": _mapping(content, "parameters", where),
        "where": where,
    }


def _check_reports(
    reader: SideReader,
    buyers: tuple[Member, ...],
    sellers: tuple[Member, ...],
    slug: str | None,
    price: float | None,
) -> None:
    """Refuse reports that are slips of the pen, judged by what they are used for."""
    ballots = slug is None or slug in _BALLOTS
    at: tuple[float | None, float | None] = (None, None)
    if ballots and slug in (None, "vote") and is_finite(price):
        prices = Prices.of(as_fraction(price), len(buyers), len(sellers))
        at = (prices.least_bid, prices.largest_ask)
    reader.check_reports(buyers, "buyer", at[0], ballots=ballots)
    reader.check_reports(sellers, "seller", at[1], ballots=ballots)


def count_reports(path: Path) -> int:
    """Count the reports that a file holds, even one that is no valid group file.

    A table beside the file is not counted: it stays when the file is replaced.
    """
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return 0
    try:
        content = load_json(text.encode(), str(path)) if path.suffix == ".json" else (
            tomllib.loads(text))  # fmt: skip
    except (CatallaxError, tomllib.TOMLDecodeError, RecursionError):
        # Half-edited ballots are ballots as well.
        return len(re.findall(r"\b(?:reports?|bid|ask)\b[\"']?\s*[=:]", text))
    return _reports_in(content)


def _reports_in(content: Any) -> int:
    if isinstance(content, list):
        return sum(_reports_in(one) for one in content)
    if not isinstance(content, dict):
        return 0
    own = sum(content.get(key) is not None for key in ("report", "bid", "ask"))
    many = content.get("reports")
    own += len(many) if isinstance(many, list) else many is not None
    sides = ("buyers", "sellers", "members")
    return own + sum(_reports_in(content[key]) for key in sides if key in content)


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
        return tomllib.loads(decoded(data, where))
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


def _price(price: Any, where: str) -> float | None:
    if price is None:
        return None
    if isinstance(price, str):
        raise VotingRuleError(
            f"{where}: the price is {price!r}, a text; write it as a number, without quotes"
        )
    if not is_finite(price):
        raise VotingRuleError(f"{where}: the price is {price!r}; write a finite number")
    return float(price)
