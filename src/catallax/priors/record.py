"""Priors as records: written to files, read from them, compared and pickled."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from catallax.errors import PriorError, nearest
from catallax.priors.checks import short, show

__all__ = ["Record", "key_of"]


class Record:
    """A frozen dataclass that is written as keys and values, or on one line."""

    kind: ClassVar[str]
    """The name of this kind of prior in market files."""

    def spec(self) -> dict[str, Any]:
        """Return the prior as it is written in a market file, without loss."""
        return {"kind": self.kind} | {
            key_of(field): _plain(getattr(self, field.name))
            for field in self._fields()
            if getattr(self, field.name) is not None
        }

    def describe(self) -> str:
        """Return the prior in one line; `parse_prior` reads it back unless it is long."""
        shown = [
            f"{key_of(field)}={_shown(getattr(self, field.name))}"
            if field.default is not dataclasses.MISSING
            else _shown(getattr(self, field.name))
            for field in self._fields()
            if not _is_default(field, getattr(self, field.name))
        ]
        return f"{self.kind}({', '.join(shown)})"

    @classmethod
    def from_spec(cls, given: Mapping[str, Any], base: Path | None = None) -> Self:
        """Make a prior of this kind from the keys of a market file, `kind` left out.

        Parameters
        ----------
        given
            The keys and their values.
        base
            The folder that tables are looked up in.

        Returns
        -------
        Prior
            The prior.

        Raises
        ------
        PriorError
            A key is unknown or missing, or a value is not what the prior needs.
        """
        del base  # only kinds with tables look at it
        cls._check_keys(given, [key_of(field) for field in cls._fields()])
        for field in cls._fields():
            if field.default is dataclasses.MISSING and key_of(field) not in given:
                raise PriorError(f"{key_of(field)!r} is missing; {cls.usage()}")
        return cls(**given)

    @classmethod
    def from_call(cls, args: Sequence[Any], given: Mapping[str, Any], base: Path | None) -> Self:
        """Make a prior of this kind from the arguments of its one-line form."""
        names = cls._positional(args)
        if len(args) > len(names):
            raise PriorError(f"{len(args)} arguments are too many; {cls.usage()}")
        named = dict(zip(names, args, strict=False))
        for key in given:
            if key in named:
                raise PriorError(f"{key!r} is given twice; {cls.usage()}")
        return cls.from_spec(named | dict(given), base)

    @classmethod
    def _positional(cls, args: Sequence[Any]) -> list[str]:
        del args
        return [key_of(field) for field in cls._fields()]

    @classmethod
    def usage(cls) -> str:
        """Return the arguments of this kind, as the remedy of an error message."""
        names = [
            key_of(field) + ("" if field.default is dataclasses.MISSING else "?")
            for field in cls._fields()
        ]
        return f"write {cls.kind}({', '.join(names)})"

    @classmethod
    def _check_keys(cls, given: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in given:
            if key not in known:
                raise PriorError(f"unknown key {key!r}: {nearest(key, known)}")

    @classmethod
    def _fields(cls) -> list[dataclasses.Field[Any]]:
        return list(dataclasses.fields(cls))  # pyright: ignore[reportArgumentType]

    def _set(self, **values: Any) -> None:
        """Set fields while the frozen instance is being made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @cached_property
    def _identity(self) -> tuple[Any, ...]:
        fields = (getattr(self, field.name) for field in self._fields())
        return tuple(x.tobytes() if isinstance(x, np.ndarray) else x for x in fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or type(other) is not type(self):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash((self.kind, self._identity))

    def __repr__(self) -> str:
        return self.describe()

    def __getstate__(self) -> dict[str, Any]:
        # What was derived is derived again: it is large, and holds functions.
        return {field.name: getattr(self, field.name) for field in self._fields()}

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return a field's name in market files, where a method has taken it in the class."""
    return field.metadata.get("key", field.name)


def _is_default(field: dataclasses.Field[Any], value: object) -> bool:
    if field.default is dataclasses.MISSING or isinstance(value, np.ndarray):
        return False
    return value is None or value == field.default


def _plain(value: Any) -> Any:
    """Write a field with lists, floats and strings only; infinity as text, for JSON has none."""
    if isinstance(value, np.ndarray):
        numbers = value.tolist()
        return numbers if np.isfinite(value).all() else [_plain(number) for number in numbers]
    if isinstance(value, float) and np.isinf(value):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, Record):
        return value.spec()
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return short(value)
    if isinstance(value, float):
        return show(value)
    if isinstance(value, Record):
        return value.describe()
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(entry) for entry in value) + "]"
    return repr(value)
