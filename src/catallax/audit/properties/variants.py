"""Markets that differ from a market only in what should not matter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from catallax.audit.setting import Setting
from catallax.markets import Agents
from catallax.markets.families import Family
from catallax.markets.families.bound import Parts
from catallax.markets.unit_demand import UnitDemand

if TYPE_CHECKING:
    pass

__all__ = ["bystanders", "renamed", "with_bystanders_changed", "with_bystanders_moved"]


def bystanders(setting: Setting) -> list[int]:
    """Return the agents that have nobody to trade with, by number."""
    market = setting.market
    graph, n_buyers = market.graph, len(market.buyers)
    if graph.complete:
        lonely = not (n_buyers and len(market.sellers))
        return list(range(setting.n_agents)) if lonely else []
    busy = {*graph.buyer.tolist(), *(n_buyers + graph.seller.astype(int)).tolist()}
    return [number for number in range(setting.n_agents) if number not in busy]


def with_bystanders_moved(setting: Setting, values: np.ndarray, idle: list[int]) -> np.ndarray:
    """Return a profile in which bystanders report more, and never less than 0."""
    moved = values.copy()
    shift = max(setting.typical, float(np.abs(values).max(initial=0.0)), 1.0)
    for number in idle:
        slots = list(setting.agent(number).slots)
        moved[slots] = np.maximum(values[slots] + 0.75 * shift, 0.0)
    return moved


def with_bystanders_changed(setting: Setting, idle: list[int]) -> Setting:
    """Return the market with other beliefs about bystanders, and columns that mean nothing.

    Parameters
    ----------
    setting
        The market.
    idle
        Who cannot trade, by number.

    Returns
    -------
    Setting
        The market in which every table has one more column, and each bystander the prior of
        somebody else of her side, if there is another.
    """
    market = setting.market
    sides = {}
    first = 0
    for side in (market.buyers, market.sellers):
        members = [number - first for number in idle if first <= number < first + len(side)]
        sides[f"{side.role}s"] = _other_beliefs(side, members)
        first += len(side)
    edges = market.edge_table
    if not market.graph.complete:
        edges = _widened(edges, [7] * market.graph.n_edges)
    return _rebuilt(setting, sides["buyers"], sides["sellers"], edges)


def _widened(table: pl.DataFrame, column: list[int]) -> pl.DataFrame:
    """Add a column that no constraint can have named."""
    name = "audit"
    while name in table.columns:
        name += "-"
    added = pl.Series(name, column, dtype=pl.Int64)
    return pl.DataFrame([*table.get_columns(), added])


def _other_beliefs(side: Agents, members: list[int]) -> Agents:
    """Give bystanders another prior of their side, and everybody a column that means nothing."""
    prior_of = side.prior_of.copy()
    for index in members:
        if prior_of[index] >= 0 and len(side.priors) > 1:
            prior_of[index] = (prior_of[index] + 1) % len(side.priors)
    table = _widened(side.table, list(range(len(side))))
    return Agents(side.role, side.ids, side.priors, side.prior_names, prior_of, table)


def renamed(setting: Setting) -> Setting:
    """Return the market with identifiers that sort the other way round, of the other type.

    Text becomes integers, and integers text; whose name came first has the last one now.
    Constraints are bound to positions, and stay.
    """
    market = setting.market
    sides: dict[str, Agents] = {}
    for side in (market.buyers, market.sellers):
        back = side.ids.rank("ordinal", descending=True).cast(pl.Int64)
        if side.ids.dtype == pl.Int64:
            width = len(str(len(side)))
            ids = pl.Series([f"n{k:0{width}d}" for k in back.to_list()], dtype=pl.String)
        else:
            ids = back
        sides[side.role] = Agents(
            side.role, ids, side.priors, side.prior_names, side.prior_of, side.table
        )
    return _rebuilt(setting, sides["buyer"], sides["seller"], market.edge_table)


def _rebuilt(setting: Setting, buyers: Agents, sellers: Agents, edges: pl.DataFrame) -> Setting:
    """Return a setting with other tables, whose constraints are bound as before."""
    market = setting.market
    family = Family(Parts(buyers, sellers, market.graph, edges), market.family.bound)
    changed = market._changed(buyers=buyers, sellers=sellers, edge_table=edges, family=family)
    unit = None if setting.unit is None else UnitDemand.of(changed)
    return replace(setting, market=changed, unit=unit)
