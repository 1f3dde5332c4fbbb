"""From words to priors: keys of market files, and the one-line form."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catallax.errors import PriorError, nearest
from catallax.priors.base import KINDS, Prior

__all__ = ["make_prior", "names", "parse_prior"]

_CONSTANTS = {"inf": math.inf, "nan": math.nan, "None": None}


def names() -> list[str]:
    """List the kinds of priors that market files may name.

    Examples
    --------
    >>> from catallax import priors
    >>> "uniform" in priors.names()
    True
    """
    return list(KINDS)


def make_prior(
    spec: Mapping[str, Any] | Prior | str, *, base: Path | None = None, where: str = ""
) -> Prior:
    """Make a prior from the keys of a market file.

    Parameters
    ----------
    spec
        The keys with their values, ``kind`` among them; or a prior, which is returned; or text,
        as for `parse_prior`.
    base
        The folder in which tables are looked up; the working directory if left out.
    where
        What the prior is called in error messages, e.g. ``"market.toml [priors.bidders]"``.

    Returns
    -------
    Prior
        The prior.

    Raises
    ------
    PriorError
        It is not a distribution; the message names `where`, the key and the remedy.

    Examples
    --------
    >>> make_prior({"kind": "uniform", "low": 0, "high": 1})
    uniform(0, 1)
    >>> make_prior({"kind": "uniform", "low": 0, "hihg": 1}, where="market.toml [priors.u]")
    Traceback (most recent call last):
        ...
    catallax.errors.PriorError: market.toml [priors.u]: unknown key 'hihg': did you mean 'high'?
    """
    try:
        if isinstance(spec, Prior):
            return spec
        if isinstance(spec, str):
            return _parse(spec, base)
        if not isinstance(spec, Mapping):
            raise PriorError(f"{spec!r} is not a prior; write uniform(0, 1) or its keys")
        given = dict(spec)
        if "kind" not in given:
            raise PriorError(f"'kind' is missing: {nearest('', KINDS)}")
        return _kind(given.pop("kind")).from_spec(given, base)
    except PriorError as error:
        raise PriorError(f"{where}: {error}" if where else str(error)) from None


def parse_prior(text: str, *, base: Path | None = None) -> Prior:
    """Read a prior from one line of text.

    Parameters
    ----------
    text
        ``"uniform(0, 1)"``, JSON, or the path of a ``.json`` file.
    base
        The folder in which tables are looked up.

    Returns
    -------
    Prior
        The prior.

    Raises
    ------
    PriorError
        The text cannot be understood, or is not a distribution.

    Examples
    --------
    >>> parse_prior("normal(mean=0.5, sd=0.1, low=0)").support
    (0.0, inf)
    >>> parse_prior("mixture([uniform(0, 1), point(2)], [0.5, 0.5])").mean
    1.25
    """
    return make_prior(text, base=base)


def _kind(name: object) -> type[Prior]:
    if not isinstance(name, str) or name not in KINDS:
        raise PriorError(f"unknown kind {name!r}: {nearest(name, KINDS)}")
    return KINDS[name]


def _parse(text: str, base: Path | None) -> Prior:
    line = text.strip()
    if line.startswith("{"):
        return make_prior(_json(line, "the JSON text"), base=base)
    if line.lower().endswith(".json"):
        path = (base or Path()) / line
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise PriorError(f"{line} cannot be read: {reason}") from None
        return make_prior(_json(content, line), base=path.parent, where=line)
    source = line
    for kind in KINDS:  # a hyphen is no part of a Python name
        source = source.replace(kind + "(", kind.replace("-", "_") + "(")
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise PriorError(f"cannot understand {_clip(text)!r}; write e.g. uniform(0, 1)") from None
    made = _evaluate(tree.body, text, base)
    if not isinstance(made, Prior):
        raise PriorError(f"{_clip(text)!r} is not a prior; write e.g. uniform(0, 1)")
    return made


def _json(content: str, name: str) -> Mapping[str, Any]:
    try:
        read = json.loads(content)
    except (json.JSONDecodeError, RecursionError) as error:
        raise PriorError(f"{name} is not JSON: {error}") from None
    if not isinstance(read, dict):
        raise PriorError(f"{name} is not an object with the keys of a prior")
    return read


def _evaluate(node: ast.expr, text: str, base: Path | None) -> Any:
    """Evaluate numbers, text, lists, keys and kinds of priors, and nothing else."""
    match node:
        case ast.Constant(value=int() | float() | str() as value) if not isinstance(value, bool):
            return value
        case ast.Constant(value=None):
            return None
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Name(id=name):
            raise PriorError(f"unknown word {name!r} in {_clip(text)!r}; write e.g. uniform(0, 1)")
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _evaluate(operand, text, base)
            if isinstance(number, int | float):
                return -number if isinstance(sign, ast.USub) else number
        case ast.List(elts=entries) | ast.Tuple(elts=entries):
            return [_evaluate(entry, text, base) for entry in entries]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {_evaluate(k, text, base): _evaluate(v, text, base) for k, v in pairs if k}
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            named = {k.arg: _evaluate(k.value, text, base) for k in keywords if k.arg is not None}
            if len(named) == len(keywords):
                given = [_evaluate(argument, text, base) for argument in args]
                return _kind(name.replace("_", "-")).from_call(given, named, base)
        case _:
            pass
    raise PriorError(f"cannot understand {ast.unparse(node)!r} in {_clip(text)!r}")


def _clip(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
