"""The register of properties."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from catallax.audit.properties.base import Property
from catallax.errors import UnknownNameError, nearest

__all__ = ["chosen", "get", "names", "register"]

_PROPERTIES: dict[str, Property] = {}
AnyProperty = TypeVar("AnyProperty", bound=Property)


def register(kind: type[AnyProperty]) -> type[AnyProperty]:
    """Make a property known by its slug (a class decorator).

    Parameters
    ----------
    kind
        A subclass of `Property` that can be made without arguments.

    Returns
    -------
    type
        The same class.
    """
    _PROPERTIES[kind.slug] = kind()
    return kind


def names() -> list[str]:
    """List the slugs of all properties.

    Examples
    --------
    >>> from catallax.audit import properties
    >>> properties.names()[:3]
    ['feasibility', 'dsic-buyers', 'dsic-sellers']
    """
    return list(_PROPERTIES)


def get(name: str | Property) -> Property:
    """Find a property.

    Parameters
    ----------
    name
        A slug, or a property itself.

    Returns
    -------
    Property

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message names the nearest.

    Examples
    --------
    >>> from catallax.audit import properties
    >>> properties.get("weak-budget-ex-post").meaning
    'In every outcome buyers pay at least what sellers receive and transfers cost.'
    """
    if isinstance(name, Property):
        return name
    if name not in _PROPERTIES:
        raise UnknownNameError(f"unknown property '{name}': {nearest(name, _PROPERTIES)}")
    return _PROPERTIES[name]


def chosen(names: str | Property | Iterable[str | Property] | None) -> list[Property]:
    """Return the properties asked for; all without a word."""
    if names is None:
        return list(_PROPERTIES.values())
    if isinstance(names, str | Property):
        names = [names]
    return list(dict.fromkeys(get(name) for name in names))
