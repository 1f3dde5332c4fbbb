"""Priors as atoms and polynomials on cells: what sums of draws are computed from.

A density is replaced by polynomials of degree 15 on cells that are halved until the last
coefficients vanish, so that transforms, tails and restrictions to a vote are exact for what is
kept, and the distance to the prior is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from catallax.priors import Mixture, Prior, StepPrior

__all__ = ["Measure", "measure_of", "total_variation"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

POINTS = 16
NODES, WEIGHTS = legendre.leggauss(POINTS)
_VALUES = legendre.legvander(NODES, POINTS - 1)
# Values at the nodes times this are Legendre coefficients.
_FIT = (_VALUES * WEIGHTS[:, None] * (np.arange(POINTS) + 0.5)).T
_ENDS = legendre.legvander(np.array([-1.0, 1.0]), POINTS - 1)

FAINT = 1e-20
"""What lies beyond the quantiles at this probability is left out, and counted."""
_TINY = 1e-17
_RELATIVE = 1e-14
_IDLE = 1e-11
_SLOPES = 2.0 * np.arange(POINTS) * (np.arange(POINTS) + 1)
_LEVELS = 64


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
    lost_below, lost_above
        The probability of what was left out at either end.
    """

    atoms: Array
    masses: Array
    low: Array
    high: Array
    coefficients: Array
    layer: Integers
    error: float = 0.0
    lost_below: float = 0.0
    lost_above: float = 0.0

    @cached_property
    def atom_mass(self) -> float:
        """The probability of all atoms."""
        return float(self.masses.sum())

    @cached_property
    def cell_mass(self) -> float:
        """The probability of all cells."""
        return float(2.0 * self.coefficients[:, 0].sum())

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
            coefficients[cut] = self._reread(kept[cut], low[cut], high[cut])
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
            coefficients=self._reread(cells, low, high),
            layer=self.layer[cells],
        )

    def _reread(self, cells: Integers, low: Array, high: Array) -> Array:
        """Return coefficients of the same density on parts of cells."""
        own_low, own_high = self.low[cells], self.high[cells]
        width = own_high - own_low
        start, end = (low - own_low) / width * 2 - 1, (high - own_low) / width * 2 - 1
        inside = ((start + end)[:, None] + (end - start)[:, None] * NODES) / 2
        share = (end - start)[:, None] / 2
        return (_clenshaw(self.coefficients[cells], inside) * share) @ _FIT.T

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


# --------------------------------------------------------------------------------- from priors


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
    low, high, coefficients = (np.concatenate([one[k] for one in cells]) for k in range(3))
    return Measure(
        parts.atoms,
        parts.masses,
        low,
        high,
        coefficients,
        np.zeros(low.size, dtype=np.int64),
        error=math.fsum(one[3] for one in cells),
        lost_below=_lost(prior, float(low[0]), -1),
        lost_above=_lost(prior, float(high[-1]), 1),
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
        lost_below=math.fsum(weight * m.lost_below for weight, m in parts),
        lost_above=math.fsum(weight * m.lost_above for weight, m in parts),
    )


def _between(prior: Prior) -> Callable[[Array, Array], Array]:
    """Return P(a < V < b), taken from the side on which it is accurate."""

    def mass(a: Array, b: Array) -> Array:
        lower = prior.probability_below(b) - prior.cdf(a)
        upper = prior.sf(a) - prior.probability_at_least(b)
        return np.where(prior.cdf(a) < 0.5, lower, upper)

    return mass


def _cut(prior: Prior, start: float, end: float) -> tuple[Array, Array, Array, float]:
    """Cut one smooth piece into cells; return their ends, coefficients, and the distance."""
    edges = _seeds(prior, start, end)
    low, high = edges[:-1], edges[1:]
    mass = _between(prior)
    extent = float(np.ptp(prior.quantile([0.1, 0.9]))) or float(edges[-1] - edges[0])
    done: list[tuple[Array, Array, Array]] = []
    before = np.full(low.size, math.inf)
    error = 0.0
    for level in range(_LEVELS):
        if not low.size:
            break
        half = (high - low) / 2
        at = (low + half)[:, None] + half[:, None] * NODES
        height = prior.density(at)
        usable = np.atleast_1d(np.isfinite(height).all(axis=1))
        series = (np.where(usable[:, None], height, 0.0) * half[:, None]) @ _FIT.T
        exact = mass(low, high)
        last = np.abs(series[:, -4:]).sum(axis=1)
        size = np.abs(series).max(axis=1)
        # Points are rounded, and a steep density feels it; halving cells does not help there, nor
        # where it did not before.
        grain = np.spacing(np.maximum(np.abs(low), np.abs(high)))
        noise = grain / half * (np.abs(series) @ _SLOPES)
        idle = (last <= _IDLE * size) & (last >= before * size / 4)
        good = (last <= np.maximum(_RELATIVE * size, _TINY)) | (last <= noise) | idle
        # The probability of the cell finds a peak between the nodes.
        missed = np.abs(2.0 * series[:, 0] - exact)
        good &= usable & (missed <= 1e-9 * exact + 1e-14)
        stuck = ~good & ((exact <= _TINY) | (half <= 2.0 * grain) | (level == _LEVELS - 1))
        flat = np.zeros((int(stuck.sum()), POINTS))
        flat[:, 0] = exact[stuck] / 2
        off = (missed > 4e-16) & (series[:, 0] > 0)
        series[off] *= (exact[off] / (2.0 * series[off, 0]))[:, None]
        done.append((low[good], high[good], series[good]))
        done.append((low[stuck], high[stuck], flat))
        # Misplaced by less than a millionth of the spread, probability counts in proportion.
        share = np.minimum(1.0, (high - low) / extent * 1e6)
        wrong = 2.0 * last + np.maximum(missed - 4e-16, 0.0)
        error += float((share * wrong)[good].sum())
        rest = ~(good | stuck)
        before = np.tile(last[rest] / np.maximum(size[rest], 1e-300), 2)
        middle = low[rest] + half[rest]
        low, high = np.concatenate([low[rest], middle]), np.concatenate([middle, high[rest]])
    first, second, series = (np.concatenate([one[k] for one in done]) for k in range(3))
    order = np.argsort(first, kind="stable")
    return first[order], second[order], series[order], error


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
