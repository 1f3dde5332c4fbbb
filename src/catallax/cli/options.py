"""What options of several commands mean."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from catallax.errors import CatallaxError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catallax.markets import Market

__all__ = ["picture_paths", "within_time"]


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
