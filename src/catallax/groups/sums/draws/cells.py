"""Priors cut into cells on which their densities are polynomials.

Cells are halved until the last of 16 coefficients vanish, so that the distance to the prior is
known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.measure import FIT, NODES, POINTS, Measure
from catallax.priors import Mixture, Prior, StepPrior

__all__ = ["FAINT", "measure_of"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

FAINT = 1e-20
"""What lies beyond the quantiles at this probability is left out, and counted."""
_TINY = 1e-17
_RELATIVE = 1e-14
_IDLE = 1e-11
_SLOPES = 2.0 * np.arange(POINTS) * (np.arange(POINTS) + 1)
_LEVELS = 64
# Probability that cannot be placed better than by a part of the spread is pinned.
_PINNED, _PIN_WIDTH = 1e-9, 1e-12


@lru_cache(maxsize=4096)
def measure_of(prior: Prior) -> Measure:
    """Return a prior as atoms and cells.

    Parameters
    ----------
    prior
        Any prior.

    Returns
    -------
    Measure
        It; beyond the quantiles at 1e-20 and 1 - 1e-20 of an unbounded prior nothing.

    Examples
    --------
    >>> from catallax.priors import Normal
    >>> measure = measure_of(Normal(0, 1))
    >>> measure.low.size < 40, abs(measure.cell_mass - 1) < 1e-14
    (True, True)
    """
    parts = prior._parts()
    if isinstance(prior, StepPrior) or not parts.pieces:
        return _atoms_only(parts.atoms, parts.masses)
    if isinstance(prior, Mixture):
        return _mixed(prior, parts.atoms, parts.masses)
    cells = [_cut(prior, start, end) for start, end in parts.pieces]
    low = np.concatenate([one.low for one in cells])
    high = np.concatenate([one.high for one in cells])
    return Measure(
        parts.atoms,
        parts.masses,
        low,
        high,
        np.concatenate([one.coefficients for one in cells]),
        np.zeros(low.size, dtype=np.int64),
        error=math.fsum(one.error for one in cells),
        misplaced=math.fsum(one.misplaced for one in cells),
        moved=math.fsum(one.moved for one in cells),
        lost_below=_lost(prior, float(low[0]), -1),
        lost_above=_lost(prior, float(high[-1]), 1),
        pins=np.concatenate([one.pins for one in cells]),
        pinned=np.concatenate([one.pinned for one in cells]),
    )


def _lost(prior: Prior, end: float, side: int) -> float:
    low, high = prior.support
    if side < 0:
        return float(prior.probability_below(end)) if low == -math.inf else 0.0
    return float(prior.sf(end)) if high == math.inf else 0.0


def _atoms_only(atoms: Array, masses: Array) -> Measure:
    none = np.empty(0)
    cells = np.empty((0, POINTS))
    return Measure(atoms, masses, none, none, cells, np.empty(0, dtype=np.int64))


def _mixed(prior: Mixture, atoms: Array, masses: Array) -> Measure:
    """Cut each component by itself, so that a narrow one is not overlooked."""
    parts = [(weight, measure_of(one)) for weight, one in prior._weighted]
    layers: list[Integers] = []
    for _, measure in parts:
        first = int(layers[-1].max()) + 1 if layers and layers[-1].size else len(layers)
        layers.append(measure.layer + first)
    return Measure(
        atoms,
        masses,
        np.concatenate([m.low for _, m in parts]),
        np.concatenate([m.high for _, m in parts]),
        np.concatenate([weight * m.coefficients for weight, m in parts]),
        np.concatenate(layers),
        error=math.fsum(weight * m.error for weight, m in parts),
        misplaced=math.fsum(weight * m.misplaced for weight, m in parts),
        moved=math.fsum(weight * m.moved for weight, m in parts),
        lost_below=math.fsum(weight * m.lost_below for weight, m in parts),
        lost_above=math.fsum(weight * m.lost_above for weight, m in parts),
        pins=np.concatenate([m.pins for _, m in parts]),
        pinned=np.concatenate([weight * m.pinned for weight, m in parts]),
    )


def _between(prior: Prior) -> Callable[[Array, Array], Array]:
    """Return P(a < V < b), taken from the side on which it is accurate."""

    def mass(a: Array, b: Array) -> Array:
        lower = prior.probability_below(b) - prior.cdf(a)
        upper = prior.sf(a) - prior.probability_at_least(b)
        return np.where(prior.cdf(a) < 0.5, lower, upper)

    return mass


class _Piece(NamedTuple):
    """The cells of a smooth piece, and of them what `Measure` tells of all."""

    low: Array
    high: Array
    coefficients: Array
    error: float
    misplaced: float
    moved: float
    pins: Array
    pinned: Array


def _cut(prior: Prior, start: float, end: float) -> _Piece:
    """Cut one smooth piece into cells."""
    edges = _seeds(prior, start, end)
    low, high = edges[:-1], edges[1:]
    mass = _between(prior)
    extent = float(np.ptp(prior.quantile([0.1, 0.9]))) or float(edges[-1] - edges[0])
    done: list[tuple[Array, Array, Array]] = []
    pins: list[float] = []
    before = np.full(low.size, math.inf)
    error, misplaced, moved = 0.0, 0.0, 0.0
    for level in range(_LEVELS):
        if not low.size:
            break
        half = (high - low) / 2
        at = (low + half)[:, None] + half[:, None] * NODES
        height = prior.density(at)
        usable = np.atleast_1d(np.isfinite(height).all(axis=1))
        series = (np.where(usable[:, None], height, 0.0) * half[:, None]) @ FIT.T
        exact = mass(low, high)
        last = np.abs(series[:, -4:]).sum(axis=1)
        size = np.abs(series).max(axis=1)
        # Points are rounded, and a steep density feels it; halving cells does not help there, nor
        # where it did not before.
        grain = np.spacing(np.maximum(np.abs(low), np.abs(high)))
        noise = grain / half * (np.abs(series) @ _SLOPES)
        idle = (last <= _IDLE * size) & np.isfinite(before) & (last >= before * size / 4)
        good = (last <= np.maximum(_RELATIVE * size, _TINY)) | (last <= noise) | idle
        # The probability of the cell finds a peak between the nodes.
        missed = np.abs(2.0 * series[:, 0] - exact)
        # Rounded ends move it, if the density is steep; next to a pole that is no excuse.
        shaken = 8.0 * grain * np.where(usable & (half > 64.0 * grain), height.max(axis=1), 0.0)
        good &= usable & (missed <= 1e-9 * exact + 1e-14 + shaken)
        stuck = ~good & ((exact <= _TINY) | (half <= 2.0 * grain) | (level == _LEVELS - 1))
        flat = np.zeros((int(stuck.sum()), POINTS))
        flat[:, 0] = exact[stuck] / 2
        off = (missed > 4e-16) & (series[:, 0] > 0)
        series[off] *= (exact[off] / (2.0 * series[off, 0]))[:, None]
        done.append((low[good], high[good], series[good]))
        done.append((low[stuck], high[stuck], flat))
        pins.extend((low + half)[stuck & (exact > _PINNED)].tolist())
        # Misplaced by less than a millionth of the spread, probability counts in proportion.
        share = np.minimum(1.0, (high - low) / extent * 1e6)
        wrong = 2.0 * last + np.maximum(missed - 4e-16, 0.0)
        error += float((share * wrong)[good].sum())
        misplaced += float(wrong[good].sum())
        moved += float(((high - low) * wrong)[good].sum())
        rest = ~(good | stuck)
        before = np.tile(last[rest] / np.maximum(size[rest], 1e-300), 2)
        middle = low[rest] + half[rest]
        low, high = np.concatenate([low[rest], middle]), np.concatenate([middle, high[rest]])
    first, second, series = (np.concatenate([one[k] for one in done]) for k in range(3))
    order = np.argsort(first, kind="stable")
    reach = _PIN_WIDTH * extent
    edges = np.array([start, end])
    nears = mass(np.array([start, end - reach]), np.array([start + reach, end]))
    for near, edge in zip(nears.tolist(), edges.tolist(), strict=True):
        if math.isfinite(edge) and near > _PINNED:  # a pole, though cells go on to the last floats
            pins = [pin for pin in pins if abs(pin - edge) > reach] + [edge]
    at = np.array(sorted(pins))
    at = at[np.append(True, np.diff(at) > reach)] if at.size else at
    around = mass(np.maximum(at - reach, start), np.minimum(at + reach, end))
    return _Piece(
        first[order], second[order], series[order], error, misplaced, moved, at,
        np.maximum(around, 0.0),
    )  # fmt: skip


def _seeds(prior: Prior, start: float, end: float) -> Array:
    """Return the first ends of cells: quantiles where the piece is unbounded."""
    ends = []
    if start == -math.inf:
        levels = np.array([FAINT, 1e-12, 1e-6, 1e-3, 0.1])
        ends.extend(np.asarray(prior._quantile(levels)).tolist())
    else:
        ends.append(start)
    if end == math.inf:
        levels = np.array([0.1, 1e-3, 1e-6, 1e-12, FAINT])
        ends.extend(np.asarray(prior._upper_quantile(levels)).tolist())
    else:
        ends.append(end)
    inside = np.array(ends)
    inside = inside[np.isfinite(inside) & (inside >= start) & (inside <= end)]
    return np.unique(inside)
