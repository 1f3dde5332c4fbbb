"""Names that other people chose, made safe for a terminal and for file names."""

from __future__ import annotations

import re

__all__ = ["file_stem", "one_line", "shortened"]

# File systems allow 255 bytes a name; what is added to the stem needs some of them.
_LONGEST_STEM = 100
# Names that Windows keeps for devices, whatever their suffix.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def one_line(text: object) -> str:
    r"""Write a text so that it stays on its line and cannot command a terminal.

    Examples
    --------
    >>> one_line("two\nlines"), one_line("Zoë"), one_line("\x1b[31m")
    ('two\\nlines', 'Zoë', '\\x1b[31m')
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text)
    )


def shortened(text: object, length: int) -> str:
    """Cut a text to a length, with an ellipsis where something is missing.

    Examples
    --------
    >>> shortened("neighbour-17", 20), shortened("123456789012345678901234567890", 12)
    ('neighbour-17', '12345…567890')
    """
    line = one_line(text)
    if len(line) <= length:
        return line
    # Both ends: identifiers that share a beginning differ in how they end.
    tail = length // 2
    return f"{line[: length - tail - 1]}…{line[-tail:]}"


def file_stem(name: object) -> str:
    """Turn a name into the beginning of a file name that every file system takes.

    Letters and digits of any script, dots, hyphens and underscores stay.

    Examples
    --------
    >>> file_stem("Palm M515"), file_stem("../a/b: c"), file_stem("...")
    ('Palm-M515', 'a-b-c', 'market')
    """
    stem = re.sub(r"[^\w.-]+", "-", str(name)).strip("-. ")
    stem = stem.encode("utf-8")[:_LONGEST_STEM].decode("utf-8", "ignore").strip("-. ")
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    return stem or "market"
