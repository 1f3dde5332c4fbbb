"""What options and arguments of several commands mean."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cyclopts import Parameter

from catallax.errors import CatallaxError, OutputError

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms import Mechanism

__all__ = [
    "FLAG",
    "MANY",
    "QUIET",
    "allow_local_modules",
    "checked_plot",
    "checked_seed",
    "find_mechanism",
    "picture_paths",
    "read_markets",
    "read_sources",
    "within_time",
]

FLAG = Parameter(negative="", show_default=False)
QUIET = Parameter(negative="", alias="-q", show_default=False)
Read = TypeVar("Read")

MANY = Parameter(negative="", consume_multiple=(1, None), show_default=False)


def allow_local_modules() -> None:
    """Let module:Class name a mechanism of the caller's own in the current folder."""
    if "" not in sys.path:
        sys.path.insert(0, "")


def find_mechanism(name: str) -> Mechanism:
    """Find the mechanism that --mechanism names.

    Parameters
    ----------
    name
        Its slug, or module:Class.

    Raises
    ------
    CatallaxError
        If there is none.
    """
    from catallax import mechanisms

    if ":" in name:
        allow_local_modules()
    return mechanisms.get(name)


def read_markets(
    sources: Sequence[str],
    command: str,
    *,
    quiet: bool,
    check: Callable[[Market], object] | None = None,
) -> list[Market]:
    """Read all markets that a command names, before anything is printed or written.

    Parameters
    ----------
    sources
        The arguments.
    command
        The command as one writes it, for the error if there are none.
    quiet
        Whether to show no progress.
    check
        Called with each market; raises what it finds wrong.

    Raises
    ------
    CatallaxError
        If none is named, one is no market, or standard input is named twice.
    """
    from catallax.cli.sources import read_source

    return read_sources(sources, command, read_source, quiet=quiet, check=check)


def read_sources(
    sources: Sequence[str],
    command: str,
    read: Callable[[str], Read],
    *,
    quiet: bool,
    check: Callable[[Read], object] | None = None,
) -> list[Read]:
    """Read what a command names, as `read_markets` does, by a reader of the command's own."""
    from catallax.cli.output import tracked
    from catallax.cli.sources import STANDARD_INPUT

    if not sources:
        raise CatallaxError(
            f"no market is named: {command} (a folder, a .json file, - for standard input, or "
            "instance:NAME)"
        )
    if list(sources).count(STANDARD_INPUT) > 1:
        raise CatallaxError("standard input ('-') can be read only once: name it once")
    markets: list[Read] = []
    for source in tracked(sources, len(sources), "reading", quiet=quiet):
        markets.append(read(source))
        if check is not None:
            check(markets[-1])
    return markets


def checked_seed(seed: int) -> int:
    """Return what --seed says.

    Raises
    ------
    CatallaxError
        If it is below 0.
    """
    if seed < 0:
        raise CatallaxError(f"--seed {seed}: a seed is a whole number of at least 0")
    return seed


def within_time(seconds: float | None) -> AbstractContextManager[None]:
    """Bound the time that solvers may take for each clearing.

    Parameters
    ----------
    seconds
        What --time-limit says; None for the usual.

    Raises
    ------
    CatallaxError
        If it is not more than 0.
    """
    if seconds is None:
        return nullcontext()
    # Not a number is no more than zero either.
    if not seconds > 0:
        raise CatallaxError(f"--time-limit {seconds:g}: allow more than 0 seconds")
    from catallax.matching import time_limit

    return time_limit(seconds)


def checked_plot(plot: Path | None) -> Path | None:
    """Return what --plot says, before any work is done for it.

    Raises
    ------
    OutputError
        If it is no name of a picture that can be drawn.
    """
    if plot is not None:
        from catallax.report.canvas import check_plot_path

        check_plot_path(plot)
    return plot


def picture_paths(plot: Path | None, markets: Sequence[Market]) -> list[Path]:
    """Give the file of each market's picture; none where no picture is wanted.

    Parameters
    ----------
    plot
        What --plot says; for several markets the name contains {market}.
    markets
        The markets.

    Raises
    ------
    OutputError
        If one file would be written for several markets.
    """
    from catallax.report.text import file_stem

    if plot is None:
        return []
    if len(markets) > 1 and "{market}" not in plot.name:
        raise OutputError(
            f"{plot} would be written once for each of {len(markets)} markets: put {{market}} into "
            f"the name, as in --plot '{plot.stem}-{{market}}{plot.suffix}'"
        )
    return [plot.with_name(plot.name.replace("{market}", file_stem(one.name))) for one in markets]
