"""Ways to break a file: its bytes, its lines and cells, or the values inside a document."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

__all__ = ["broken_document", "broken_table", "broken_text"]

NUMBERS = [
    "0", "-0.0", "-1", "1e308", "-1e308", "1e-320", "1e400", "nan", "inf", "-inf", "1,5", "0x10",
    "1_000", "9007199254740993", "1" * 400, "+0.5", ".5", "5.", "1e", "\u0663", "\u00bd",
]  # fmt: skip
TEXTS = [
    "", " ", "\x00", "\u00e9", "\ud800", "x" * 5000, "../x", "-", "#", "null", "true", "a\nb", "'",
    '"', "\x1b[31m", "\u202e", "b1", "u", "market.toml", "=1+1",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -0.0, -1, 1.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"),
    2**53 + 1, 2**64, 10**400, [], {}, [[]], [None], {"": {}}, *TEXTS,
]  # fmt: skip


def broken_text(data: bytes, rng: random.Random) -> bytes:
    """Break bytes: cut, double, flip, encode differently, or change line ends."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(BYTE_WAYS)(data, rng)
    return data


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _without_slice(data: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.randrange(len(data) + 1) for _ in "ab")
    return data[:first] + data[min(last, first + 40) :]


def _doubled_slice(data: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.randrange(len(data) + 1) for _ in "ab")
    return data[:last] + data[first:]


def _flipped(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return b"\x00"
    place = rng.randrange(len(data))
    return data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]


def _inserted(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    piece = rng.choice([*NUMBERS, *TEXTS, *',;:"[]{}=\n\t', "\r\n", "[[", "]]", "\\u0000"])
    return data[:place] + piece.encode("utf-8", "surrogatepass") + data[place:]


def _encoded(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    name = rng.choice(["utf-8-sig", "utf-16", "utf-32-le", "latin-1", "cp1252"])
    return text.encode(name, "replace")


def _line_ends(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n", b"", b" \n", b"\n \n"]))


def _swapped(data: bytes, rng: random.Random) -> bytes:
    old, new = rng.choice([(b",", b";"), (b",", b"\t"), (b".", b","), (b'"', b"'"), (b'"', b""),
                           (b"=", b":"), (b"0", b"O"), (b"1", b"-1"), (b"id", b"ID")])  # fmt: skip
    return data.replace(old, new, rng.choice([1, 1, -1]))


BYTE_WAYS: list[Callable[[bytes, random.Random], bytes]] = [
    _cut, _without_slice, _doubled_slice, _flipped, _inserted, _inserted, _encoded, _line_ends,
    _swapped,
]  # fmt: skip


def broken_table(data: bytes, rng: random.Random) -> bytes:
    """Break a CSV table: its cells, rows and columns; or its bytes."""
    if rng.random() < 0.25:
        return broken_text(data, rng)
    rows = [line.split(",") for line in data.decode("utf-8").splitlines()]
    for _ in range(rng.choice((1, 1, 2, 3))):
        row = rng.randrange(len(rows))
        column = rng.randrange(len(rows[row])) if rows[row] else 0
        way = rng.randrange(8)
        if way <= 2 and rows[row]:
            rows[row][column] = rng.choice([*NUMBERS, *TEXTS])
        elif way == 3:
            rows.insert(rng.randrange(len(rows) + 1), list(rows[row]))
        elif way == 4 and len(rows) > 1:
            del rows[row]
        elif way == 5:
            rows[row] = rows[row][:column]
        elif way == 6:
            rows[row].append(rng.choice(["", "x", "1"]))
        else:
            for each in rows:
                if column < len(each):
                    del each[column]
    return "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass") + b"\n"


def broken_document(data: bytes, rng: random.Random) -> bytes:
    """Break a JSON document: values, keys, lists; or its bytes."""
    if rng.random() < 0.2:
        return broken_text(data, rng)
    document = json.loads(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        document = _changed(document, rng)
    text = json.dumps(document, indent=rng.choice([None, 1]))
    return text.encode("utf-8", "surrogatepass")


def _changed(document: Any, rng: random.Random) -> Any:
    """Change one place of a document, chosen with equal chances among all."""
    places = [((), document), *_places(document)]
    path, value = rng.choice(places)
    if not path:
        return rng.choice(VALUES) if rng.random() < 0.1 else _inside(document, rng)
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    way = rng.randrange(6)
    if way == 0:
        del holder[last]
    elif way == 1 and isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), value)
    elif way == 2 and isinstance(holder, dict):
        holder[rng.choice([f"{last}s", str(last)[:-1], str(last).upper(), "extra", ""])] = (
            holder.pop(last)
        )
    elif way == 3 and isinstance(value, int | float):
        holder[last] = rng.choice([-value, str(value), *_scaled(value), [value]])
    elif way == 4:
        holder[last] = rng.choice([other for _, other in places])
    else:
        holder[last] = rng.choice(VALUES)
    # What a value was replaced with may hold the very place: written out, nothing is shared.
    return json.loads(json.dumps(document)) if _is_finite(document) else {}


def _scaled(value: float) -> tuple[float, float]:
    """Return a number much enlarged and much reduced; one that no float holds stays whole."""
    try:
        return value * 1e300, value / 1e300
    except OverflowError:
        return int(value) * 10**300, int(value) // 10**300


def _inside(document: Any, rng: random.Random) -> Any:
    if isinstance(document, dict):
        return {**document, rng.choice(["extra", "constraints", "edges"]): rng.choice(VALUES)}
    return [document]


def _is_finite(document: Any) -> bool:
    try:
        json.dumps(document)
    except (ValueError, RecursionError):
        return False
    return True


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(document, dict):
        pairs = list(document.items())
    elif isinstance(document, list):
        pairs = list(enumerate(document))
    else:
        return []
    found = []
    for key, value in pairs:
        found.append(((*path, key), value))
        found += _places(value, (*path, key))
    return found
