"""Where markets come from: files, standard input, and named instances."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from catallax.errors import CatallaxError, FileFormatError

if TYPE_CHECKING:
    from catallax.markets import Market, Markets

__all__ = ["STANDARD_INPUT", "instance_parts", "read_any_source", "read_source"]

Read = TypeVar("Read")

INSTANCE = "instance:"
# What `main` writes for the argument "-".
STANDARD_INPUT = "<stdin>"


def read_source(source: str) -> Market:
    """Read the market that an argument names.

    Parameters
    ----------
    source
        A folder, a .json file, a market.toml, `STANDARD_INPUT` for JSON on standard input, or
        "instance:NAME", with parameters as in "instance:sparse-random?n_buyers=1000&seed=3".

    Returns
    -------
    Market
        The market, checked.

    Raises
    ------
    CatallaxError
        If there is none, or it is not a market; the message says where and what.
    """
    from catallax.markets import Market

    return _read(source, Market.read)


def read_any_source(source: str) -> Market | Markets:
    """Read the market that an argument names, or the many markets of a folder.

    Raises
    ------
    CatallaxError
        As `read_source`.
    """
    from catallax.markets.files.either import read_market_or_markets

    return _read(source, read_market_or_markets)


def _read(source: str, read_path: Callable[[Path], Read]) -> Market | Read:
    from catallax.markets import Market

    if source == STANDARD_INPUT:
        return Market.from_json(sys.stdin.read(), where=STANDARD_INPUT)
    if source.startswith(INSTANCE):
        from catallax.markets import instances

        name, parameters = instance_parts(source.removeprefix(INSTANCE))
        return instances.get(name, **parameters)
    if not Path(source).exists():
        raise FileFormatError(
            f"{source}: there is no such file or folder (a market is a folder with a market.toml, "
            "a .json file, - for standard input, or instance:NAME)"
        )
    return read_path(Path(source))


def instance_parts(text: str) -> tuple[str, dict[str, str]]:
    """Split the name of an instance from its parameters.

    Parameters
    ----------
    text
        The name, perhaps with parameters after a question mark.

    Returns
    -------
    tuple
        The name, and the parameters as they were written.

    Raises
    ------
    CatallaxError
        If the parameters are not written as they should be.

    Examples
    --------
    >>> instance_parts("sparse-random?n_buyers=1000&seed=3")
    ('sparse-random', {'n_buyers': '1000', 'seed': '3'})
    """
    name, mark, query = text.partition("?")
    if not mark:
        return name, {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise CatallaxError(
            f"instance '{text}': write parameters as '{name}?first=1&second=2'"
        ) from error
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise CatallaxError(f"instance '{text}': a parameter is given twice")
    return name, parameters
