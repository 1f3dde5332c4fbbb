"""The register of named markets: how one is added, found and described."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from catallax.errors import CatallaxError, UnknownNameError, nearest
from catallax.markets.market import Market

__all__ = ["Instance", "Known", "describe", "get", "names", "path", "register"]


@dataclass(frozen=True)
class Known:
    """A number that is known of an instance.

    Attributes
    ----------
    value
        The number.
    formula
        Where it comes from, in words or symbols.
    source
        Who says so.
    """

    value: float
    formula: str
    source: str


@dataclass(frozen=True)
class Instance:
    """What is to be said of a named market.

    Attributes
    ----------
    name, summary, source
        Texts for people.
    parameters
        Names and values (the defaults, unless others were asked for).
    known
        What is known at these parameters: expectations over the priors unless it says otherwise.
    """

    name: str
    summary: str
    source: str
    parameters: Mapping[str, Any]
    known: Mapping[str, Known]


@dataclass(frozen=True)
class _Entry:
    summary: str
    source: str
    build: Callable[..., Market]
    known: Callable[..., Mapping[str, Known]]


_ENTRIES: dict[str, _Entry] = {}

Build = Callable[..., Market]


def register(
    name: str,
    *,
    summary: str,
    source: str,
    known: Callable[..., Mapping[str, Known]] | None = None,
) -> Callable[[Build], Build]:
    """Register a function that builds a market; its arguments are the parameters.

    Parameters
    ----------
    name
        A slug.
    summary, source
        One line each.
    known
        Returns the known facts at given parameters; it takes all but those it does not name.

    Returns
    -------
    Callable
        A decorator.
    """

    def keep(build: Build) -> Build:
        _ENTRIES[name] = _Entry(summary, source, build, known or _nothing)
        return build

    return keep


def _nothing() -> Mapping[str, Known]:
    return {}


def names() -> list[str]:
    """Return the names of all instances, in alphabetical order.

    Examples
    --------
    >>> "offering-remark" in names()
    True
    """
    return sorted(_ENTRIES)


def _entry(name: str) -> _Entry:
    if name not in _ENTRIES:
        raise UnknownNameError(f"there is no instance '{name}': {nearest(name, _ENTRIES)}")
    return _ENTRIES[name]


def _parameters(name: str, entry: _Entry, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters, those given turned into numbers like their defaults."""
    values = {key: p.default for key, p in inspect.signature(entry.build).parameters.items()}
    for key, value in given.items():
        if key not in values:
            raise UnknownNameError(
                f"instance '{name}' has no parameter '{key}': {nearest(key, values)}"
            )
        kind = type(values[key])
        try:
            number = kind(value)
            if isinstance(value, float) and number != value:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            word = "a whole number" if kind is int else "a number"
            raise CatallaxError(
                f"instance '{name}': the parameter {key} is {value!r}; give {word}"
            ) from None
        values[key] = number
    return values


def get(name: str, **parameters: Any) -> Market:
    """Return a named market, with reports drawn from its priors where none are fixed.

    Parameters
    ----------
    name
        One of `names`.
    **parameters
        See ``describe(name).parameters``; where there is a ``seed``, the same seed gives the same
        market.

    Returns
    -------
    Market

    Raises
    ------
    UnknownNameError
        If there is no such instance, or parameter.
    CatallaxError
        If a parameter is out of range.

    Examples
    --------
    >>> market = get("offering-remark")
    >>> market.require_reports()
    <reports: 1 bids, 2 asks>
    """
    entry = _entry(name)
    return entry.build(**_parameters(name, entry, parameters))


def describe(name: str, **parameters: Any) -> Instance:
    """Return the source of a named market and what is known of it.

    Parameters
    ----------
    name
        One of `names`.
    **parameters
        At which to know; the defaults for those left out.

    Returns
    -------
    Instance

    Raises
    ------
    UnknownNameError
        If there is no such instance, or parameter.

    Examples
    --------
    >>> describe("bilateral-uniform").known["first best"]
    Known(value=0.16666666666666666, formula='1/6', source='Myerson and Satterthwaite (1983)')
    """
    entry = _entry(name)
    values = _parameters(name, entry, parameters)
    wanted = inspect.signature(entry.known).parameters
    known = entry.known(**{key: value for key, value in values.items() if key in wanted})
    return Instance(name, entry.summary, entry.source, values, dict(known))


def path(name: str) -> Path:
    """Return the folder of an instance that is shipped as files.

    Parameters
    ----------
    name
        Such as ``"neighbourhood-energy"``.

    Returns
    -------
    pathlib.Path
        A folder that `Market.read` reads.

    Raises
    ------
    UnknownNameError
        If the instance is made by a formula, or there is none of this name.

    Examples
    --------
    >>> sorted(file.name for file in path("neighbourhood-energy").iterdir())
    ['buyers.csv', 'edges.csv', 'market.toml', 'sellers.csv']
    """
    _entry(name)
    data = resources.files("catallax.markets") / "data"
    shipped = sorted(folder.name for folder in data.iterdir() if folder.is_dir())
    if name not in shipped:
        raise UnknownNameError(
            f"instance '{name}' is made by a formula and has no files (these have: "
            f"{', '.join(shipped)}); write it with Market.write"
        )
    return Path(str(data / name))
