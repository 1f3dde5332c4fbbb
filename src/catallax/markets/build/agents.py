"""From a table of ids to agents with their priors and reports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from catallax.errors import (
    DuplicateIdError,
    UnknownNameError,
)
from catallax.markets.agents import Agents, Role
from catallax.markets.build.priors import PriorColumn
from catallax.markets.reports import refuse_beyond, refuse_negative_asks
from catallax.markets.tables.cells import clean_ids, finite_numbers
from catallax.markets.tables.origin import Origin
from catallax.markets.tables.table import Table, check_names, extra_columns
from catallax.priors import Prior

__all__ = ["build_agents"]

WORDS: Mapping[str, str] = {"buyer": "bid", "seller": "ask"}


def build_agents(
    table: Table,
    role: Role,
    priors: Mapping[str, Prior],
    *,
    integers: bool = False,
    types: Mapping[str, str] | None = None,
    unnamed: Mapping[str, Prior] | None = None,
    largest: float | None = None,
    within: pl.Series | None = None,
) -> tuple[Agents, np.ndarray | None]:
    """Return the agents of a table, and their reports where the table has them.

    Parameters
    ----------
    table
        With the columns id, bid or ask (optional), prior (optional) and any others.
    role
        ``"buyer"`` or ``"seller"``.
    priors
        The market's named priors.
    integers
        Read textual ids as integers.
    types
        Declared types of other columns.
    unnamed
        Priors under names that only stand for them in the column.
    largest
        The largest report that the market allows, or None.
    within
        The market of each row, where ids are unique only within one.

    Returns
    -------
    tuple
        `Agents`, and float64 reports of shape ``(n,)`` or None.

    Raises
    ------
    CatallaxError
        One subclass per cause, naming the row and the agent.
    """
    word, origin = WORDS[role], table.origin
    check_names(table, ["id"], [word, "prior"])
    other = "ask" if word == "bid" else "bid"
    if other in table.columns and word not in table.columns:
        raise UnknownNameError(
            f"{origin.table}: {role}s have a column '{other}' and none '{word}': "
            f"did you mean '{word}'?"
        )
    ids = clean_ids(table.columns.get("id", []), origin, role, integers=integers, new=True)
    _refuse_duplicates(ids, origin, role, within)

    def label(row: int) -> str:
        return f"{role} {ids[row]!r}"

    column = table.get("prior")
    distinct, names, prior_of = (), (), None
    if column is not None:
        distinct, names, prior_of = PriorColumn(priors, origin, label, unnamed).read(column)
    others = extra_columns(table, ("id", word, "prior"), types)
    agents = Agents(role, ids, distinct, names, prior_of, others, origin)
    reports = table.get(word)
    if reports is None:
        return agents, None
    values = finite_numbers(reports, origin, word, label)
    refuse_beyond(agents, values, word, largest, origin)
    if role == "seller":
        refuse_negative_asks(agents, values, origin)
    return agents, values


def _refuse_duplicates(ids: pl.Series, origin: Origin, role: str, within: pl.Series | None) -> None:
    keys = ids
    if within is not None:
        pairs = pl.DataFrame({"market": within, "id": ids})
        if pairs.hash_rows().n_unique() == len(ids):  # fast, and sure where all differ
            return
        keys = pairs.to_struct()
    if keys.n_unique() == len(keys):
        return
    again = ~keys.is_first_distinct()
    row = int(again.arg_max() or 0)
    first = int(keys.index_of(keys[row]) or 0)
    where = "" if within is None else f" of market {within[row]!r}"
    raise DuplicateIdError(
        f"{origin.at(row)}: {role} {ids[row]!r}{where} was already listed at "
        f"{origin.at(first).removeprefix(origin.name).strip()}; give every {role} an id of its own"
    )
