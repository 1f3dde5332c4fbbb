"""Where words go: results to standard output, warnings, errors and progress to standard error."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from catallax.errors import CatallaxError
from catallax.progress import Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = [
    "TERMINAL_ROWS",
    "announce_compiling",
    "busy",
    "complain",
    "json_line",
    "print_lines",
    "progress_bar",
    "row_limit",
    "show",
    "tracked",
    "warn",
]

# What fits a terminal; a file or a pipe takes more, and machines read --json.
TERMINAL_ROWS = 40
_FILE_ROWS = 1_000
# Where no screen limits the width; longer cells are folded, and nothing is lost.
_FILE_WIDTH = 120

Item = TypeVar("Item")


def complain(message: str) -> None:
    """Print an error in one line."""
    _print_error("error", message)


def warn(message: str) -> None:
    """Print a warning in one line."""
    _print_error("warning", message)


def announce_compiling(*, quiet: bool) -> None:
    """Let somebody who watches know why the first use of a machine takes so long."""
    from catallax.compiled import on_compiling

    def tell() -> None:
        print(
            "compiling for this machine: half a minute at most, once for each command",
            file=sys.stderr,
        )

    on_compiling(None if quiet or not sys.stderr.isatty() else tell)


def _print_error(kind: str, message: str) -> None:
    line = " ".join(str(message).splitlines())
    colour = {"error": "31", "warning": "33"}[kind]
    head = f"\x1b[1;{colour}m{kind}:\x1b[0m" if _is_colourful(sys.stderr) else f"{kind}:"
    print(f"{head} {line}", file=sys.stderr)


def _is_colourful(stream: Any) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def show(renderable: RenderableType) -> None:
    """Print a table or a text for people: as it is, in colour where a terminal shows it."""
    from rich.console import Console

    screen = Console(file=sys.stdout, markup=False, highlight=False, emoji=False)
    if screen.is_terminal:
        screen.print(renderable)
        return
    page = Console(
        file=io.StringIO(), width=_FILE_WIDTH, markup=False, highlight=False, emoji=False,
        color_system=None,
    )  # fmt: skip
    with page.capture() as printed:
        page.print(renderable)
    # Tables are padded to their width, which only a screen needs.
    for line in printed.get().splitlines():
        sys.stdout.write(f"{line.rstrip()}\n")


def row_limit() -> int:
    """Return how many rows of a table to print."""
    return TERMINAL_ROWS if sys.stdout.isatty() else _FILE_ROWS


def json_line(document: Any) -> str:
    """Write an object as one line of JSON, with numbers as JSON knows them.

    Raises
    ------
    CatallaxError
        If a number is not finite: JSON has no such number.

    Examples
    --------
    >>> json_line({"market": "one", "gain": 0.5})
    '{"market": "one", "gain": 0.5}'
    """
    try:
        return json.dumps(document, allow_nan=False)
    except ValueError as error:
        raise CatallaxError(
            "a result is too large for a floating-point number, which JSON cannot hold: "
            "state the amounts in a larger unit"
        ) from error


def print_lines(lines: Iterable[str]) -> None:
    """Print lines for machines."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def tracked(items: Iterable[Item], total: int, doing: str, *, quiet: bool) -> Iterator[Item]:
    """Yield items, with a progress bar where somebody watches and there are several."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    screen = Console(file=sys.stderr, markup=False, highlight=False)
    yield from track(items, doing, total=total, console=screen, transient=True)


@contextmanager
def busy(doing: str, *, quiet: bool) -> Iterator[None]:
    """Show that something goes on, and for how long, where nobody knows how long it takes."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    screen = Console(file=sys.stderr, markup=False, highlight=False)
    words = TextColumn("{task.description}", markup=False)
    with Bars(SpinnerColumn(), words, TimeElapsedColumn(), console=screen, transient=True) as bars:
        bars.add_task(doing, total=None)
        yield


@contextmanager
def progress_bar(doing: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Show a bar where somebody watches; yields what moves it, or None."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    from catallax.report.text import shortened

    screen = Console(file=sys.stderr, markup=False, highlight=False)
    # Names are anybody's: what looks like mark-up in them is none.
    words = TextColumn("{task.description}", markup=False)
    columns = (words, BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bars(*columns, console=screen, transient=True) as bars:
        about = shortened(doing, 30)
        task = bars.add_task(about, total=1.0)

        def moved(part: float, what: str) -> None:
            words = f"{about}: {shortened(what, 50)}"
            bars.update(task, completed=part, description=words)

        yield moved
