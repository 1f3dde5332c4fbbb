"""The skeleton of a market's files: which keys there are, and what they hold.

Agents and edges are not looked at here, however many there are; they go through tables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catallax.errors import FileFormatError, UnknownNameError, nearest
from catallax.text_files import decoded

__all__ = [
    "AgentSection",
    "Document",
    "EdgeSection",
    "FolderDocument",
    "load_json",
    "validate",
]

Types = dict[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class MarketSection(_Strict):
    """What people call the market, and what everybody knows of its reports.

    `by` names the column that tells many markets apart.
    """

    name: str | None = None
    by: str | None = None
    currency: str = ""
    largest_report: float | None = None
    unnamed_priors: list[str] = Field(default_factory=list)


class AgentSection(_Strict):
    """One side of a folder's market: its table, and how to read it."""

    table: str
    ids: Literal["text", "integer"] = "text"
    columns: Types = Field(default_factory=dict)


class EdgeSection(_Strict):
    """The edges of a folder's market."""

    table: str
    columns: Types = Field(default_factory=dict)


class FolderDocument(_Strict):
    """``market.toml``."""

    market: MarketSection = Field(default_factory=MarketSection)
    buyers: AgentSection
    sellers: AgentSection
    edges: EdgeSection | None = None
    priors: dict[str, Any] = Field(default_factory=dict)
    constraints: Any = ()
    witness: dict[str, Any] = Field(default_factory=dict)  # what an audit keeps here; not read


class ColumnTypes(_Strict):
    """Declared types of other columns, where JSON has no such type."""

    buyers: Types = Field(default_factory=dict)
    sellers: Types = Field(default_factory=dict)
    edges: Types = Field(default_factory=dict)


class Document(_Strict):
    """A market in one JSON file."""

    name: str | None = None
    currency: str = ""
    largest_report: float | None = None
    buyers: list[Any]
    sellers: list[Any]
    edges: list[Any] | None = None
    priors: dict[str, Any] = Field(default_factory=dict)
    constraints: Any = ()
    columns: ColumnTypes = Field(default_factory=ColumnTypes)
    witness: dict[str, Any] = Field(default_factory=dict)  # what an audit keeps here; not read


Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], content: Mapping[str, Any], where: str) -> Model:
    """Return a document of the right shape.

    Raises
    ------
    UnknownNameError
        If there is a key that means nothing here, with the nearest that does.
    FileFormatError
        If a key is missing or holds something else than it should.
    """
    try:
        return model.model_validate(content)
    except ValidationError as failure:
        # An unknown key explains a missing one ('buyer' for 'buyers'), so it comes first.
        errors = sorted(failure.errors(), key=lambda error: error["type"] != "extra_forbidden")
        raise _readable(errors[0], model, where) from None


_KINDS = {
    "string_type": "text",
    "list_type": "an array",
    "dict_type": "a table of keys and values",
    "model_type": "a table of keys and values",
}


def _readable(error: Any, model: type[BaseModel], where: str) -> FileFormatError | UnknownNameError:
    *above, key = error["loc"]
    inside = f" in '{'.'.join(map(str, above))}'" if above else ""
    if error["type"] == "extra_forbidden":
        options = _model_at(model, above).model_fields
        return UnknownNameError(f"{where}: unknown key '{key}'{inside}: {nearest(key, options)}")
    if error["type"] == "missing":
        example = {"table": f'table = "{above[-1] if above else key}.csv"'}.get(str(key), "add it")
        return FileFormatError(f"{where}: there is no '{key}'{inside}; {example}")
    expected = _KINDS.get(error["type"])
    if expected is None:
        message = error["msg"]
        return FileFormatError(f"{where}: '{key}'{inside}: {message[:1].lower()}{message[1:]}")
    given = {dict: "an object", list: "an array", str: "text", type(None): "null"}
    kind = given.get(type(error["input"]), f"{error['input']!r}")
    return FileFormatError(f"{where}: '{key}'{inside} is {kind[:60]}; write {expected}")


def _model_at(model: type[BaseModel], path: list[Any]) -> type[BaseModel]:
    for key in path:
        field = model.model_fields.get(str(key))
        kinds = [] if field is None else [field.annotation, *_arguments(field.annotation)]
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                model = kind
    return model


def _arguments(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", ())


# ------------------------------------------------------------------------------------------- JSON


class _Repeated(dict[str, Any]):
    """An object in which a key occurs twice."""

    key = ""


def _hook(found: list[_Repeated]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Return a maker of objects that takes down those in which a key occurs twice."""

    def make(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) == len(pairs):
            return content
        repeated = _Repeated(content)
        keys = [key for key, _ in pairs]
        repeated.key = next(key for place, key in enumerate(keys) if key in keys[:place])
        found.append(repeated)
        return repeated

    return make


def load_json(text: str | bytes, where: str) -> dict[str, Any]:
    """Return the object that a JSON text holds.

    Raises
    ------
    FileFormatError
        If the text is empty, cut off, not UTF-8, no JSON, no object, or says a key twice.
    """
    if isinstance(text, bytes):
        text = decoded(text, where)
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise FileFormatError(
            f'{where}: the file is empty; it needs at least {{"buyers": [], "sellers": []}}'
        )
    repeated: list[_Repeated] = []
    try:
        content = json.loads(text, object_pairs_hook=_hook(repeated))
    except json.JSONDecodeError as failure:
        place = f"{where} line {failure.lineno} column {failure.colno}"
        cut = failure.pos >= len(text.rstrip()) or failure.msg.startswith("Unterminated")
        remedy = "the text is cut off; fetch the whole file" if cut else "mend the JSON there"
        raise FileFormatError(
            f"{place}: {failure.msg[:1].lower()}{failure.msg[1:]}; {remedy}"
        ) from None
    except (RecursionError, ValueError):
        raise FileFormatError(
            f"{where}: an array is nested too deep or a number too long; this is no market"
        ) from None
    if not isinstance(content, dict):
        kind = "an array" if isinstance(content, list) else repr(content)[:40]
        raise FileFormatError(
            f'{where}: holds {kind} where an object is expected; wrap it: {{"buyers": [...], '
            '"sellers": [...]}'
        )
    if repeated:
        path, key = _find_repeated(content, "") or ("", repeated[0].key)
        place = f"{where} {path}" if path else where
        raise FileFormatError(f"{place}: the key '{key}' occurs twice; leave one out")
    return content


def _find_repeated(value: Any, path: str) -> tuple[str, str] | None:
    if isinstance(value, _Repeated):
        return path, value.key
    if isinstance(value, dict):
        steps = ((f"{path}.{key}" if path else str(key), item) for key, item in value.items())
    elif isinstance(value, list):
        steps = ((f"{path}[{number}]", item) for number, item in enumerate(value))
    else:
        return None
    for inner, item in steps:
        if isinstance(item, dict | list):
            found = _find_repeated(item, inner)
            if found is not None:
                return found
    return None
