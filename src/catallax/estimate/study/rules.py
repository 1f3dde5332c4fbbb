"""The mechanisms of a study: by name, with parameters, or from elsewhere with their source."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from catallax.errors import CatallaxError, FileFormatError, UnknownNameError, nearest
from catallax.mechanisms import Mechanism
from catallax.mechanisms import get as get_mechanism

__all__ = ["Rule", "rule_of"]


@dataclass(frozen=True)
class Rule:
    """A mechanism of a study.

    Attributes
    ----------
    mechanism
        A slug, or module:Class.
    parameters
        Those that are not the usual ones.
    source
        A hash of the source of a mechanism from elsewhere; None for ours.
    folder
        Where its module is looked up first; no part of what the mechanism is.

    Examples
    --------
    >>> rule_of({"mechanism": "posted-price", "price": 0.5}).label
    'posted-price(price=0.5)'
    """

    mechanism: str
    parameters: tuple[tuple[str, Any], ...] = ()
    source: str | None = None
    folder: str | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """The mechanism in one line."""
        chosen = ", ".join(f"{name}={value}" for name, value in self.parameters)
        return f"{self.mechanism}({chosen})" if chosen else self.mechanism

    def build(self) -> Mechanism:
        """Make the mechanism.

        Raises
        ------
        CatallaxError
            If it cannot be made, or its source is another than the study was defined with.
        """
        rule = _mechanism(self.mechanism, self.folder)
        if self.source is not None and _source_hash(type(rule).__module__) != self.source:
            raise CatallaxError(
                f"mechanism '{self.mechanism}': its source is not the one that the study was "
                "started with; run the study again, with the same source everywhere"
            )
        made: Any = rule  # a frozen dataclass, as its parameters were looked up in its fields
        return dataclasses.replace(made, **dict(self.parameters)) if self.parameters else rule

    def identity(self) -> list[Any]:
        """Say all that the mechanism depends on but our own code, in what JSON has."""
        return [self.mechanism, [list(pair) for pair in self.parameters], self.source]


def rule_of(given: Any, where: str = "mechanisms", folder: Path | None = None) -> Rule:
    """Read a mechanism as a study file names it.

    Parameters
    ----------
    given
        A name, or a table with the key ``mechanism`` and parameters of that mechanism.
    where
        What errors call the place.
    folder
        Where the module of a mechanism from elsewhere is looked up first; by default only where
        Python looks.

    Returns
    -------
    Rule

    Raises
    ------
    UnknownNameError
        If there is no such mechanism or parameter.
    FileFormatError
        If a parameter is not a number or text.
    """
    parameters = dict(given) if isinstance(given, Mapping) else {}
    name = parameters.pop("mechanism", None) if isinstance(given, Mapping) else given
    if not isinstance(name, str):
        raise FileFormatError(
            f"{where}: {json.dumps(given, default=str)} names no mechanism; write a name, or "
            '{ mechanism = "posted-price", price = 0.5 }'
        )
    place = None if folder is None else str(folder.absolute())
    try:
        rule = _mechanism(name, place)
    except CatallaxError as failure:
        raise type(failure)(f"{where}: {failure}") from None
    fields = dataclasses.fields(rule) if dataclasses.is_dataclass(rule) else ()
    known = [field.name for field in fields if field.init]
    for key, value in parameters.items():
        if key not in known:
            raise UnknownNameError(
                f"{where}: '{name}' has no parameter '{key}': {nearest(key, known)}"
            )
        if not isinstance(value, str | int | float):
            raise FileFormatError(f"{where}: '{name}': {key} = {value!r} is no number and no text")
    foreign = type(rule).__module__.partition(".")[0] != "catallax"
    made = Rule(
        name,
        tuple(sorted(parameters.items())),
        _source_hash(type(rule).__module__) if foreign else None,
        place if foreign else None,
    )
    try:
        made.build()
    except (CatallaxError, TypeError, ValueError) as failure:
        raise FileFormatError(f"{where}: '{made.label}': {failure}") from None
    return made


def _mechanism(name: str, folder: str | None) -> Mechanism:
    """Make a mechanism by name; one from elsewhere is looked up in a folder first."""
    module, colon, _ = name.partition(":")
    if not colon or not module:
        return get_mechanism(name)
    # It stays there, as for a script of that folder: a mechanism may import late. On another
    # machine the folder need not be.
    if folder is not None and folder not in sys.path and Path(folder).is_dir():
        sys.path.insert(0, folder)
    top = module.partition(".")[0]
    if not _is_somewhere(top):
        here = {"", str(Path.cwd())} & set(sys.path)
        looked = [] if folder is None or folder == str(Path.cwd()) else [folder]
        looked.append("the current folder" if here else "where Python looks for modules")
        raise UnknownNameError(
            f"mechanism '{name}': cannot import module '{top}' (looked in {' and '.join(looked)})"
        )
    if folder is not None:
        _refuse_another(name, top, Path(folder) / f"{top}.py")
    return get_mechanism(name)


def _refuse_another(name: str, module: str, beside: Path) -> None:
    """Refuse a module that was imported from another place than where it would be looked up."""
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if module in sys.modules and beside.is_file() and not (loaded and beside.samefile(loaded)):
        raise UnknownNameError(
            f"mechanism '{name}': there is another module '{module}' already, "
            f"{loaded or 'a part of Python'}; give {beside} another name"
        )


def _is_somewhere(module: str) -> bool:
    try:
        return module in sys.modules or find_spec(module) is not None
    except ValueError:  # a module without a specification
        return True


@lru_cache
def _source_hash(module_name: str) -> str:
    """Hash the source of a module; of a package, all of its sources."""
    top = sys.modules[module_name.partition(".")[0]]
    try:
        file = Path(inspect.getsourcefile(top) or "")
    except TypeError:
        file = Path()
    if not file.is_file():
        raise CatallaxError(
            f"the source of module '{module_name}' cannot be read, so that nobody could tell when "
            "it changes; put it into a file"
        )
    package = hasattr(top, "__path__")
    files = sorted(file.parent.rglob("*.py")) if package else [file]
    digest = hashlib.sha256()
    for each in files:
        content = each.read_bytes()
        digest.update(f"{each.relative_to(file.parent).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
