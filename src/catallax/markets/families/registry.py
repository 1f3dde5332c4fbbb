"""The register of constraints: from specifications to a feasible family, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, TypeVar

from catallax.errors import (
    ConstraintError,
    FileFormatError,
    OutputError,
    UnknownNameError,
    nearest,
)
from catallax.markets.families.bound import Parts
from catallax.markets.families.constraint import Constraint
from catallax.markets.families.family import Family

__all__ = ["bind", "names", "parse_constraints", "register", "written_constraints"]

_KINDS: dict[str, type[Constraint]] = {}
AnyConstraint = TypeVar("AnyConstraint", bound=Constraint)


def register(constraint: type[AnyConstraint]) -> type[AnyConstraint]:
    """Make a kind of constraint known to market files (a class decorator)."""
    _KINDS[constraint.kind] = constraint
    return constraint


def names() -> list[str]:
    """List the kinds of constraints that market files may name.

    Examples
    --------
    >>> from catallax.markets import families
    >>> "cap" in families.names()
    True
    """
    return list(_KINDS)


def make_constraint(spec: Mapping[str, Any] | Constraint, where: str) -> Constraint:
    """Build a constraint from its specification.

    Raises
    ------
    UnknownNameError
        If the kind or a key is unknown.
    ConstraintError
        If a key is missing or holds something else than it should.
    """
    if isinstance(spec, Constraint):
        return spec
    given = dict(spec)
    kind = given.pop("kind", None)
    if kind not in _KINDS:
        raise UnknownNameError(f"{where}: unknown kind {kind!r}: {nearest(kind, _KINDS)}")
    fields = _KINDS[kind].__dataclass_fields__  # type: ignore[attr-defined]
    for key in given:
        if key not in fields:
            raise UnknownNameError(f"{where}: {kind} has no key '{key}': {nearest(key, fields)}")
    for key in fields:
        if key not in given:
            raise ConstraintError(f"{where}: {kind} needs '{key}'")
    return _KINDS[kind](**given)


def bind(specs: Iterable[Mapping[str, Any] | Constraint], parts: Parts, where: str) -> Family:
    """Bind a market's constraints to its agents and edges.

    Parameters
    ----------
    specs
        Specifications, as in a market file, or constraints.
    parts
        The market's agents and edges.
    where
        What errors call the market.

    Returns
    -------
    Family

    Raises
    ------
    ConstraintError
        If a constraint is wrong in itself, or does not fit the market.
    UnknownNameError
        If a kind, key, column or group is unknown.
    UnknownAgentError
        If a constraint names nobody.
    """
    places = ((f"{where} constraints[{k}]", spec) for k, spec in enumerate(specs))
    return Family(parts, tuple(make_constraint(spec, at).bind(parts, at) for at, spec in places))


def parse_constraints(entries: object, where: str) -> tuple[dict[str, Any] | Constraint, ...]:
    """Check that a market's constraints are a list of specifications.

    Parameters
    ----------
    entries
        A list of objects, each with a ``kind``, or of constraints.
    where
        What errors call the market.

    Returns
    -------
    tuple
        Specifications; a constraint that has none, such as an oracle, stays as it is.

    Raises
    ------
    FileFormatError
        If an entry is no object with a kind.
    """
    if isinstance(entries, Mapping) and where.endswith(".toml"):
        raise FileFormatError(
            f"{where}: [constraints] is one table, and there can be several constraints: "
            "write [[constraints]], with two brackets"
        )
    if isinstance(entries, Mapping | str) or not isinstance(entries, Iterable):
        raise FileFormatError(f"{where}: constraints must be a list of objects")
    found: list[dict[str, Any] | Constraint] = []
    for position, entry in enumerate(entries):
        if isinstance(entry, Constraint):
            found.append(_specified(entry))
        elif isinstance(entry, Mapping) and isinstance(entry.get("kind"), str):
            found.append(deepcopy(dict(entry)))
        else:
            raise FileFormatError(
                f"{where} constraints[{position}]: a constraint needs a kind, "
                'as in {"kind": "cap", "limit": 1}'
            )
    return tuple(found)


def _specified(constraint: Constraint) -> dict[str, Any] | Constraint:
    """Give the specification of a constraint of a registered kind."""
    if _KINDS.get(constraint.kind) is not type(constraint):
        return constraint
    fields = constraint.__dataclass_fields__  # type: ignore[attr-defined]
    return deepcopy({"kind": constraint.kind} | {key: getattr(constraint, key) for key in fields})


def written_constraints(
    constraints: Iterable[Mapping[str, Any] | Constraint],
) -> Iterator[Mapping[str, Any]]:
    """Give the specifications of a market's constraints, for a file.

    Raises
    ------
    OutputError
        If one is an oracle, which no file can hold.
    """
    for constraint in constraints:
        if isinstance(constraint, Constraint):
            raise OutputError(
                f"a constraint of kind '{constraint.kind}' is a Python function and cannot be "
                "written to a file; write the market without it and add it after reading"
            )
        yield constraint
