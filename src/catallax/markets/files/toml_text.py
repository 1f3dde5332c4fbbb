"""TOML out: the standard library reads it and does not write it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from catallax.errors import OutputError

__all__ = ["toml_key", "toml_section", "toml_value"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_key(name: str) -> str:
    """Return a key, quoted where it must be."""
    return name if _BARE.fullmatch(name) else toml_value(name)


def toml_value(value: Any) -> str:
    r"""Return a value on one line; floats come back bit for bit.

    Raises
    ------
    OutputError
        If TOML has no such value.

    Examples
    --------
    >>> toml_value({"kind": "point", "value": 1e-9, "my key": [1, "a\x7f"]})
    '{kind = "point", value = 1e-09, "my key" = [1, "a\\u007f"]}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON escapes are TOML escapes, but for DEL, which JSON leaves bare.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        items = (f"{toml_key(str(key))} = {toml_value(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if hasattr(value, "tolist"):
        return toml_value(value.tolist())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    raise OutputError(f"market.toml cannot hold {value!r}; write the market as .json")


def toml_section(header: str, content: Mapping[str, Any]) -> str:
    """Return a section, a key a line."""
    lines = [f"{toml_key(str(key))} = {toml_value(value)}" for key, value in content.items()]
    return "\n".join([header, *lines, ""])
