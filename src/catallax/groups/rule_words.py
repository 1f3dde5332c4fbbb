"""From words to voting rules: keys of files, and the one-line form."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from catallax.errors import CatallaxError, UnknownNameError, VotingRuleError, nearest
from catallax.groups import boolean_rules, weighted_rules  # noqa: F401  (they register their kinds)
from catallax.groups.requirements import read_requirement
from catallax.groups.rules import RULES, Anonymous, Quota, VotingRule

__all__ = ["make_rule"]

_PARTS = {"two thirds": "2/3", "three quarters": "3/4"}
"""Parts of a side that have names."""
_QUOTAS = '{kind = "weighted-quota", buyers = 1, sellers = "80%"}'


def make_rule(spec: VotingRule | Mapping[str, Any] | str, *, where: str = "") -> VotingRule:
    """Make a voting rule from the keys of a file or from one line.

    Parameters
    ----------
    spec
        The keys with their values, ``kind`` among them; or one line such as ``"majority"``,
        ``"two thirds"`` or ``"80%"`` (of either side) or ``"quota(80%, 2)"``; or a rule, which is
        returned.
    where
        What the rule is called in error messages, e.g. ``"club.toml [rule]"``.

    Returns
    -------
    VotingRule
        The rule.

    Raises
    ------
    UnknownNameError
        If there is no such kind of rule, or no such key.
    VotingRuleError
        If the rule is not monotone or its parts are wrong.

    Examples
    --------
    >>> make_rule("quota(80%, sellers=2)")
    Quota(buyers='80%', sellers=2)
    >>> make_rule({"kind": "quota", "byers": 3})
    Traceback (most recent call last):
        ...
    catallax.errors.UnknownNameError: unknown key 'byers': did you mean 'buyers'?
    """
    if isinstance(spec, VotingRule):
        return spec
    try:
        if isinstance(spec, str):
            return _of_line(spec)
        if not isinstance(spec, Mapping):
            raise VotingRuleError(f"{spec!r} is no voting rule; write majority, or quota(80%, 2)")
        given = dict(spec)
        if "kind" not in given:
            raise VotingRuleError(f"'kind' is missing: {nearest('', RULES)}")
        return _make(given.pop("kind"), given)
    except CatallaxError as error:
        raise (type(error)(f"{where}: {error}") if where else error) from None


def _make(kind: object, given: dict[str, Any]) -> VotingRule:
    if not isinstance(kind, str) or kind not in RULES:
        known = [*RULES, *_PARTS, "80%"]
        raise UnknownNameError(f"unknown voting rule {kind!r}: {nearest(kind, known)}")
    if kind == weighted_rules.WeightedQuota.kind and not given.keys() & {"buyers", "sellers"}:
        raise VotingRuleError(
            f"a weighted quota says how much of each side's shares it asks for; write {_QUOTAS}"
        )
    if kind == Anonymous.kind and "least" in given:
        known = ["least", "sellers"]
        _check_keys(given, known, required=known)
        return _made(
            kind, Anonymous.from_least, {"least": given["least"], "n_sellers": given["sellers"]}
        )
    parameters = inspect.signature(RULES[kind]).parameters
    required = [name for name, one in parameters.items() if one.default is one.empty]
    _check_keys(given, list(parameters), required)
    return _made(kind, RULES[kind], given)


def _made(kind: str, make: Callable[..., VotingRule], given: dict[str, Any]) -> VotingRule:
    try:
        return make(**given)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, CatallaxError):
            raise
        raise VotingRuleError(f"the rule '{kind}' cannot be made: {error}") from None


def _check_keys(given: Mapping[str, Any], known: list[str], required: list[str]) -> None:
    for key in given:
        if key not in known:
            raise UnknownNameError(f"unknown key {key!r}: {nearest(key, known)}")
    for key in required:
        if key not in given:
            raise VotingRuleError(f"{key!r} is missing; add it")


def _of_line(line: str) -> VotingRule:
    """Read ``name``, a part of either side, or ``name(value, key=value)`` of counts and parts."""
    name, mark, inside = line.strip().partition("(")
    name = name.strip()
    if not mark and name not in RULES:
        part = _PARTS.get(name.replace("-", " "), name)
        if part.endswith("%") or "/" in part:
            return Quota(*[read_requirement(part, side) for side in ("buyers", "sellers")])
    if mark and not inside.endswith(")"):
        raise VotingRuleError(f"{line!r} has no closing bracket; write it as quota(80%, 2)")
    given: dict[str, Any] = {}
    written = [part.strip() for part in inside.removesuffix(")").split(",")] if mark else []
    if written == [""]:
        written = []
    if written and name not in ("quota",):
        raise VotingRuleError(f"only a quota is written with numbers in one line, not {line!r}")
    for position, part in enumerate(written):
        key, equals, value = part.partition("=")
        if not equals:
            key, value = ("buyers", "sellers")[position] if position < 2 else "", part
        if not key or key.strip() in given:
            raise VotingRuleError(f"{line!r} gives a quota twice; write quota(BUYERS, SELLERS)")
        given[key.strip()] = value.strip()
    return _make(name, given)
