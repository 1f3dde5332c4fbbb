"""Reading and writing text files, with what goes wrong said in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catallax.errors import FileFormatError, OutputError

__all__ = ["decoded", "writing_to"]


def decoded(content: bytes, where: str) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises
    ------
    FileFormatError
        If it is something else; with the line.

    Examples
    --------
    >>> decoded(b"id,bid", "buyers.csv")
    'id,bid'
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = content[: failure.start].count(b"\n") + 1
        raise FileFormatError(
            f"{where} line {line}: this is not UTF-8 text; save the file as UTF-8"
        ) from None


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Say what is wrong where a place cannot be written.

    Raises
    ------
    OutputError
        If the system refuses, or a name is no text that a file can hold.
    """
    try:
        yield
    except OSError as failure:
        reason = failure.strerror or str(failure)
        raise OutputError(f"{path}: cannot be written ({reason}); choose another place") from None
    except UnicodeEncodeError:
        raise OutputError(
            f"{path}: a name holds a lone surrogate, which no UTF-8 file can; rename it"
        ) from None
