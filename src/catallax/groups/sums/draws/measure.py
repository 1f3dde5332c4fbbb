"""Laws as atoms and polynomials on cells: what sums of draws are computed from.

Transforms, tails and restrictions to a vote are exact for what is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

__all__ = [
    "FIT",
    "NODES",
    "POINTS",
    "SPOTS",
    "TIE",
    "WEIGHTS",
    "Measure",
    "total_variation",
    "weights_of_runs",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

TIE = 64 * 2.0**-52
"""Sums that differ by no more than this, times the sizes of what is added up, count as equal."""

POINTS = 16
NODES, WEIGHTS = legendre.leggauss(POINTS)
_VALUES = legendre.legvander(NODES, POINTS - 1)
# Values at the nodes times this are Legendre coefficients.
FIT = (_VALUES * WEIGHTS[:, None] * (np.arange(POINTS) + 0.5)).T
SPOTS = legendre.leggauss(4)[0]
# The integrals of Legendre polynomials times the polynomial that is 1 at one of the spots.
CUBICS = (2.0 / (2.0 * np.arange(4) + 1.0))[:, None] * np.linalg.inv(legendre.legvander(SPOTS, 3))
_ENDS = legendre.legvander(np.array([-1.0, 1.0]), POINTS - 1)


@dataclass(frozen=True, eq=False)
class Measure:
    """Atoms, and a density that is a polynomial on each of some cells.

    Attributes
    ----------
    atoms, masses
        Values of positive probability, ascending, and their probabilities.
    low, high
        Ends of the cells, shape (cells,).
    coefficients
        Legendre coefficients of density times half the width, shape (cells, 16): twice the first
        one is the probability of the cell.
    layer
        Which part of a mixture a cell belongs to; cells of one layer do not overlap.
    error
        The distance in total variation to what it stands for, as far as that was cut into cells.
    misplaced, moved
        The probability that is misplaced inside its cell, and the same times the cells' widths.
    lost_below, lost_above
        The probability of what was left out at either end.
    pins, pinned
        Where so much probability lies next to one point that floats cannot tell where, and how
        much.
    """

    atoms: Array
    masses: Array
    low: Array
    high: Array
    coefficients: Array
    layer: Integers
    error: float = 0.0
    misplaced: float = 0.0
    moved: float = 0.0
    lost_below: float = 0.0
    lost_above: float = 0.0
    pins: Array = field(default_factory=lambda: np.empty(0))
    pinned: Array = field(default_factory=lambda: np.empty(0))

    @cached_property
    def atom_mass(self) -> float:
        """The probability of all atoms."""
        return float(self.masses.sum())

    @cached_property
    def cell_mass(self) -> float:
        """The probability of all cells."""
        return float(2.0 * self.coefficients[:, 0].sum())

    @cached_property
    def few(self) -> Array:
        """Weights that integrate cubic polynomials times the density, for runs of cells."""
        return weights_of_runs(self.low, self.high, self.coefficients)

    @property
    def smooth(self) -> Measure:
        """The part without the atoms."""
        none = np.empty(0)
        return replace(self, atoms=none, masses=none)

    @cached_property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value; (0, 0) of nothing."""
        ends = np.concatenate([self.atoms, self.low, self.high])
        return (float(ends.min()), float(ends.max())) if ends.size else (0.0, 0.0)

    @property
    def without_cells(self) -> Measure:
        """The atoms alone."""
        none = np.empty(0)
        empty = np.empty((0, POINTS))
        return Measure(self.atoms, self.masses, none, none, empty, np.empty(0, dtype=np.int64))

    def nodes(self, frequency: float = 0.0) -> tuple[Array, Array]:
        """Return points and weights, atoms first, that integrate oscillations up to a frequency.

        Parameters
        ----------
        frequency
            The largest u for which E[exp(i u V)] is wanted.
        """
        width = self.high - self.low
        times = np.maximum(1, np.ceil(width * frequency / 8.0)).astype(np.int64)
        if times.size and times.max() == 1:
            at = (self.low + width / 2)[:, None] + (width / 2)[:, None] * NODES
            weight = (self.coefficients @ _VALUES.T) * WEIGHTS
        else:
            at, weight = self._subdivided(times)
        return (
            np.concatenate([self.atoms, at.ravel()]),
            np.concatenate([self.masses, weight.ravel()]),
        )

    def _subdivided(self, times: Integers) -> tuple[Array, Array]:
        which = np.repeat(np.arange(times.size), times)
        start = np.concatenate([[0], np.cumsum(times)[:-1]])
        share = (np.arange(which.size) - start[which]).astype(np.float64)
        parts = times[which].astype(np.float64)
        inside = (2.0 * share[:, None] + 1.0 + NODES) / parts[:, None] - 1.0
        heights = _clenshaw(self.coefficients[which], inside)
        half = (self.high - self.low)[which] / 2
        at = (self.low[which] + half)[:, None] + half[:, None] * inside
        return at, heights * WEIGHTS / parts[:, None]

    def mirrored(self) -> Measure:
        """Return the measure of the negative of the value."""
        signs = np.where(np.arange(POINTS) % 2, -1.0, 1.0)
        return replace(
            self,
            atoms=0.0 - self.atoms[::-1],
            masses=self.masses[::-1],
            low=0.0 - self.high[::-1],
            high=0.0 - self.low[::-1],
            coefficients=self.coefficients[::-1] * signs,
            layer=self.layer[::-1],
            lost_below=self.lost_above,
            lost_above=self.lost_below,
            pins=0.0 - self.pins,
        )

    def restricted(self, start: float = -math.inf, end: float = math.inf) -> Measure:
        """Return the part with ``start <= value < end``; nothing is counted as lost."""
        inside = (self.atoms >= start) & (self.atoms < end)
        low, high = np.maximum(self.low, start), np.minimum(self.high, end)
        kept = np.flatnonzero(low < high)
        low, high = low[kept], high[kept]
        coefficients = self.coefficients[kept].copy()
        cut = np.flatnonzero((low > self.low[kept]) | (high < self.high[kept]))
        if cut.size:
            coefficients[cut] = self.reread(kept[cut], low[cut], high[cut])
        return replace(
            self,
            atoms=self.atoms[inside],
            masses=self.masses[inside],
            low=low,
            high=high,
            coefficients=coefficients,
            layer=self.layer[kept],
            lost_below=self.lost_below if start == -math.inf else 0.0,
            lost_above=self.lost_above if end == math.inf else 0.0,
        )

    def chosen(self, cells: NDArray[np.bool_]) -> Measure:
        """Return the atoms and the density on some of the cells."""
        if cells.all():
            return self
        return replace(
            self,
            low=self.low[cells],
            high=self.high[cells],
            coefficients=self.coefficients[cells],
            layer=self.layer[cells],
        )

    def cut(self, places: Array) -> tuple[Integers, Integers, Array, Array]:
        """Cut the cells at ascending places; return of each part its cell, stretch, and ends.

        Stretch k lies before the k-th place, and the last one after all of them.
        """
        after = np.searchsorted(places, self.low, side="right")
        before = np.searchsorted(places, self.high, side="left")
        parts = np.maximum(before - after, 0) + 1
        which = np.repeat(np.arange(parts.size), parts)
        at = np.arange(which.size) - np.repeat(np.cumsum(parts) - parts, parts)
        padded = np.append(places, np.inf)
        inner = after[which] + at
        low = np.where(at == 0, self.low[which], padded[np.maximum(inner - 1, 0)])
        high = np.where(at == parts[which] - 1, self.high[which], padded[inner])
        return which, inner, low, high

    def pieces(self, cells: Integers, low: Array, high: Array) -> Measure:
        """Return the density on parts of cells, without atoms.

        Parameters
        ----------
        cells
            Which cell each part belongs to.
        low, high
            The parts.
        """
        kept = low < high
        cells, low, high = cells[kept], low[kept], high[kept]
        return replace(
            self.smooth,
            low=low,
            high=high,
            coefficients=self.reread(cells, low, high),
            layer=self.layer[cells],
        )

    def reread(self, cells: Integers, low: Array, high: Array) -> Array:
        """Return coefficients of the same density on parts of cells, shape (cells, 16)."""
        own_low, own_high = self.low[cells], self.high[cells]
        width = own_high - own_low
        start, end = (low - own_low) / width * 2 - 1, (high - own_low) / width * 2 - 1
        inside = ((start + end)[:, None] + (end - start)[:, None] * NODES) / 2
        share = (end - start)[:, None] / 2
        return (_clenshaw(self.coefficients[cells], inside) * share) @ FIT.T

    def trimmed(self, start: float, end: float) -> Measure:
        """Return the measure without what lies outside [start, end]; that is counted as lost."""
        inner = self.restricted(start, np.nextafter(end, math.inf))
        below = self.restricted(end=start)
        above = self.restricted(start=float(np.nextafter(end, math.inf)))
        return replace(
            inner,
            lost_below=self.lost_below + below.atom_mass + below.cell_mass,
            lost_above=self.lost_above + above.atom_mass + above.cell_mass,
        )

    def ordered_heights(self) -> list[tuple[Array, Array, Array]]:
        """Return, for each layer, densities along the line, and points' densities and weights."""
        width = self.high - self.low
        nodes = (self.coefficients @ _VALUES.T) * (2.0 / width)[:, None]
        ends = (self.coefficients @ _ENDS.T) * (2.0 / width)[:, None]
        weights = (width / 2)[:, None] * WEIGHTS
        found = []
        for layer in np.unique(self.layer):
            own = np.flatnonzero(self.layer == layer)
            own = own[np.argsort(self.low[own], kind="stable")]
            apart = np.append(self.low[own][1:] > self.high[own][:-1], True)
            rows = np.concatenate(
                [ends[own, :1], nodes[own], ends[own, 1:], np.where(apart, 0.0, np.nan)[:, None]],
                axis=1,
            ).ravel()
            line = np.concatenate([[0.0], rows[~np.isnan(rows)]])
            found.append((line, nodes[own].ravel(), weights[own].ravel()))
        return found


def weights_of_runs(low: Array, high: Array, coefficients: Array) -> Array:
    """Return weights that integrate cubic polynomials times what coefficients stand for.

    Parameters
    ----------
    low, high, coefficients
        Contiguous cells or those of one density, as in `Measure`.
    """
    from catallax.groups.sums.draws.kernels import merged

    return np.asarray(merged(low, high, coefficients[:, :4] @ CUBICS, SPOTS))


def total_variation(measure: Measure, order: int) -> tuple[float, float]:
    """Return how much a derivative of the density moves, at the cells' ends and inside them.

    Parameters
    ----------
    measure
        Atoms are ignored.
    order
        Of the derivative.

    Returns
    -------
    tuple of float
        The sum of its jumps, and the integral of the absolute next derivative.
    """
    width = measure.high - measure.low
    own = legendre.legder(measure.coefficients, order, axis=1)
    own = own * (2.0 / width)[:, None] ** (order + 1)
    after = legendre.legder(own, axis=1) * (2.0 / width)[:, None]
    inside = np.abs(after @ _VALUES[:, : after.shape[1]].T) @ WEIGHTS * (width / 2)
    ends = own @ _ENDS[:, : own.shape[1]].T
    jumps = 0.0
    for layer in np.unique(measure.layer):
        at = np.flatnonzero(measure.layer == layer)
        at = at[np.argsort(measure.low[at], kind="stable")]
        touching = measure.low[at][1:] <= measure.high[at][:-1]
        left, right = ends[at, 0], ends[at, 1]
        jumps += abs(left[0]) + abs(right[-1])
        between = np.where(
            touching, np.abs(left[1:] - right[:-1]), np.abs(left[1:]) + np.abs(right[:-1])
        )
        jumps += float(between.sum())
    return float(jumps), float(inside.sum())


def _clenshaw(coefficients: Array, inside: Array) -> Array:
    """Evaluate one Legendre series per row at the points of its row."""
    above = np.zeros(inside.shape)
    here = np.zeros(inside.shape)
    for k in range(POINTS - 1, 0, -1):
        a, b = (2 * k + 1) / (k + 1), (k + 1) / (k + 2)
        here, above = coefficients[:, k, None] + a * inside * here - b * above, here
    return coefficients[:, 0, None] + inside * here - 0.5 * above
