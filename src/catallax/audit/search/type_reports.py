"""At which reports the expectations of an agent are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.audit.search.candidates import breakpoints

if TYPE_CHECKING:
    from catallax.audit.setting import Agent, Setting

__all__ = ["extra_reports", "possible_values", "spread_reports"]

Array = NDArray[np.float64]


def possible_values(setting: Setting, agent: Agent) -> Array:
    """Return all possible values of an agent with discrete priors; shape (types, slots)."""
    chosen = [setting.priors[slot] for slot in agent.slots]
    atoms = [prior.atoms[0] for prior in chosen if prior is not None]
    grids = np.meshgrid(*atoms, indexing="ij")
    return np.stack([grid.ravel() for grid in grids], axis=1)


def extra_reports(setting: Setting, agent: Agent, types: Array) -> Array:
    """Return reports outside the support at which expectations can differ."""
    if len(agent.slots) != 1:
        low, high = types.min() - 1.0, types.max() + 1.0
        single = [
            np.where(np.arange(types.shape[1]) == k, high, low) for k in range(types.shape[1])
        ]
        halves = types / 2
        return np.unique(np.concatenate([single, halves, [np.full(types.shape[1], low)]]), axis=0)
    slot = agent.slots[0]
    prior = setting.priors[slot]
    assert prior is not None
    weights = [types.ravel()]
    for other, law in enumerate(setting.priors):
        if other == slot or law is None:
            continue
        atoms = law.atoms[0]
        weigh = law.virtual_value if other < setting.n_first else law.virtual_cost
        weights += [atoms, weigh(atoms)]
    levels = np.unique(np.concatenate(weights))
    levels = levels[np.isfinite(levels)]
    invert = prior.smallest_value if agent.role == "buyer" else prior.largest_cost
    found = [levels, invert(levels, False), invert(levels, True), breakpoints(prior, agent.role)]
    points = np.unique(np.concatenate(found))
    points = points[np.isfinite(points) & (points >= setting.lowest(slot))]
    middles = (points[1:] + points[:-1]) / 2
    ends = [max(points[0] - 1.0, setting.lowest(slot)), points[-1] + 1.0]
    every = np.union1d(np.union1d(points, middles), ends)
    return np.setdiff1d(every, types.ravel())[:, None]


def spread_reports(setting: Setting, agent: Agent) -> Array:
    """Return some reports over the bulk of a prior, its breakpoints included."""
    levels = [0.02, 0.15, 0.35, 0.5, 0.65, 0.85, 0.98]
    columns = []
    for slot in agent.slots:
        prior = setting.priors[slot]
        assert prior is not None
        points = prior.quantile(levels)
        if len(agent.slots) == 1:
            ends = breakpoints(prior, agent.role)
            ends = (
                ends[np.unique(np.linspace(0, ends.size - 1, 5).astype(int))] if ends.size else ends
            )
            points = np.union1d(points, ends[ends >= setting.lowest(slot)])
        columns.append(points)
    if len(columns) == 1:
        return columns[0][:, None]
    together = np.stack(columns, axis=1)
    # A buyer of several items: all values high or low together, shaded, and one item alone.
    low = np.min(together, axis=0) - 1.0
    alone = [np.where(np.arange(len(columns)) == k, together[-2], low) for k in range(len(columns))]
    return np.unique(np.concatenate([together, together[1:-1] * 0.7, alone]), axis=0)
