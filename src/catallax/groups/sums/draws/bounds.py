"""Where a sum of independent draws lies, and how fast its transform falls: rigorous bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.measure import Measure, total_variation
from catallax.groups.sums.draws.transform import characteristic

__all__ = [
    "Decay",
    "Draws",
    "decay_of",
    "first_terms",
    "misfit",
    "moments",
    "quiet_reach",
    "usual_spread",
    "window",
    "without_atoms",
]

Array = NDArray[np.float64]

_ORDERS = (1, 2, 3, 4)
_LEVELS = 48
_KINDS = 6
_SOME, _MANY = 24, 400
_FAINT = 1e-10
_OCTAVES = np.exp2(np.arange(-20.0, 120.0, 0.5))


@dataclass(frozen=True, eq=False)
class Draws:
    """Independent draws from one measure.

    Parameters
    ----------
    count
        How many.
    measure
        Of one of them.
    bar
        From where on their owners are in favour.
    """

    count: int
    measure: Measure
    bar: float = -math.inf

    def decay(self, u: Array) -> Array:
        """Bound the transforms of the density below the bar and above it, together."""
        below, above = self.split()
        return decay_of(below)(u) + decay_of(above)(u) + self.lost

    def split(self) -> tuple[Measure, Measure]:
        """Return the parts of the measure whose owner is not in favour, and is."""
        return _split(self.measure, self.bar)

    @property
    def lost(self) -> float:
        """The probability of what was left out of the measure."""
        return self.measure.lost_below + self.measure.lost_above


class Decay:
    """A bound of |E[exp(i u V)]| for the part of a measure that has a density.

    A density of total variation T has a transform of at most T / u; if it is continuous, its
    derivative's variation over u squared bounds it, and so on. Of a density that is unbounded,
    what exceeds a level counts with its probability, and the rest with its variation. Every level
    and every order up to 4 gives a bound, and the least is taken.

    Parameters
    ----------
    measure
        Its atoms are ignored.
    """

    def __init__(self, measure: Measure) -> None:
        self.mass = measure.cell_mass
        self.variation, self.above = _levels(measure)
        self.jumps = np.zeros(len(_ORDERS) + 1)
        self.rest = np.zeros(len(_ORDERS))
        if measure.low.size:
            with np.errstate(all="ignore"):
                sums = [total_variation(measure, order) for order in (0, *_ORDERS)]
            self.jumps = np.array([one[0] for one in sums])
            self.rest = np.array([sum(one) for one in sums[1:]])

    def __call__(self, u: Array) -> Array:
        """Return the bound at positive frequencies."""
        if self.mass <= 0:
            return np.zeros(u.shape)
        best = np.minimum(self.mass, (self.variation / u[:, None] + self.above).min(axis=1))
        ends = np.zeros(u.shape)
        for order, rest in zip(_ORDERS, self.rest, strict=True):
            ends = ends + self.jumps[order - 1] / u**order
            if math.isfinite(rest):
                best = np.fmin(best, ends + rest / u ** (order + 1))
        return best


@lru_cache(maxsize=1024)
def _split(measure: Measure, bar: float) -> tuple[Measure, Measure]:
    return measure.restricted(end=bar), measure.restricted(start=bar)


@lru_cache(maxsize=1024)
def decay_of(measure: Measure) -> Decay:
    """Return the bound for a measure."""
    return Decay(measure)


def _levels(measure: Measure) -> tuple[Array, Array]:
    """Return the variation of the density cut at levels, and the probability above each."""
    variation, above = np.zeros(_LEVELS), np.zeros(_LEVELS)
    if not measure.low.size:
        return variation, above
    layers = measure.ordered_heights()
    top = max(float(np.abs(line).max()) for line, _, _ in layers)
    span = max(measure.support[1] - measure.support[0], 1e-300)
    levels = np.geomspace(min(1e-2 * measure.cell_mass / span, top), top, _LEVELS)
    for line, heights, weights in layers:
        for k, level in enumerate(levels):
            variation[k] += np.abs(np.diff(np.clip(line, -level, level))).sum()
            above[k] += np.maximum(np.abs(heights) - level, 0.0) @ weights
    return variation, above


def moments(measure: Measure) -> tuple[float, float]:
    """Return the mean and the variance of a measure, as if its total were 1."""
    at, weight = measure.nodes()
    total = float(weight.sum())
    if total <= 0:
        return 0.0, 0.0
    mean = float(at @ weight) / total
    return mean, float(((at - mean) ** 2) @ weight) / total


def usual_spread(draws: Sequence[Draws]) -> float:
    """Return about the standard deviation of a sum, without what far tails add to it."""
    squares = []
    for one in draws:
        at, weight = one.measure.nodes()
        if not at.size:
            continue
        order = np.argsort(at)
        below = np.cumsum(weight[order])
        low, high = (at[order[np.searchsorted(below, q * below[-1])]] for q in (0.1, 0.9))
        width = float(high - low) / 2.56
        squares.append(one.count * (width**2 if width > 0 else moments(one.measure)[1]))
    return math.sqrt(math.fsum(squares))


def window(draws: Sequence[Draws], tolerance: float) -> tuple[float, float]:
    """Return an interval that a sum of draws leaves with a probability of at most `tolerance`.

    Chernoff's bound at some dozens of exponents; the smallest and the largest possible sum where
    they are closer.

    Parameters
    ----------
    draws
        Draws; what their measures have lost is not looked at.
    tolerance
        The probability, both ends together.

    Returns
    -------
    tuple of float
        Its ends.
    """
    level = math.log(2.0 / tolerance)
    sums = [(one.count, one.measure, *moments(one.measure)) for one in draws]
    centre = math.fsum(count * mean for count, _, mean, _ in sums)
    spread = math.sqrt(math.fsum(count * variance for count, _, _, variance in sums))
    low, high = (math.fsum(d.count * d.measure.support[k] for d in draws) for k in (0, 1))
    if spread <= 0:
        return low, high
    reach = max(max(m.support[1] - mean, mean - m.support[0]) for _, m, mean, _ in sums)
    exponents = np.unique(
        np.concatenate(
            [
                math.sqrt(2 * level) / spread * np.geomspace(0.05, 8.0, 33),
                np.geomspace(0.5, 200.0, 25) / reach,
            ]
        )
    )
    exponents = exponents[exponents * reach < 2000.0]
    above, below = np.zeros(exponents.size), np.zeros(exponents.size)
    for count, measure, mean, _ in sums:
        up, down = _log_moments(measure, mean, exponents)
        above += count * up
        below += count * down
    high = min(high, centre + float(((above + level) / exponents).min()))
    low = max(low, centre - float(((below + level) / exponents).min()))
    return low, high


def _log_moments(measure: Measure, mean: float, exponents: Array) -> tuple[Array, Array]:
    """Return log E[exp(s (V - mean))] and log E[exp(-s (V - mean))]."""
    at, weight = measure.nodes(frequency=float(exponents[-1]))
    kept = weight > 0  # a density of almost zero may be below it by a rounding
    at, weight = at[kept] - mean, weight[kept]
    found = []
    for sign in (1.0, -1.0):
        top = np.max(sign * at)
        # Reduced by the largest exponent, so that nothing overflows.
        sums = np.array([np.exp(s * (sign * at - top)) @ weight for s in exponents])
        found.append(np.log(sums) + exponents * top)
    return found[0], found[1]


def first_terms(draws: Sequence[Draws], u: Array) -> Array:
    """Bound the transform of a sum, less the terms with at most one draw from a density.

    Parameters
    ----------
    draws
        Draws; each has atoms of total a and a density whose transform is at most b.
    u
        Positive frequencies.

    Returns
    -------
    ndarray of float64
        The product of all (a + b), less that of all a, less what is linear in b.
    """
    atoms = [one.measure.atom_mass for one in draws]
    dense = [one.decay(u) for one in draws]
    counts = [one.count for one in draws]
    whole = np.ones(u.shape)
    for count, a, b in zip(counts, atoms, dense, strict=True):
        whole = whole * np.minimum(a + b, 1.0) ** count
    zero = sum(count for count, a in zip(counts, atoms, strict=True) if a == 0)
    if zero >= 2:
        return whole
    ones = [
        count * b * a ** (count - 1) * _product(atoms, counts, without=k)
        for k, (count, a, b) in enumerate(zip(counts, atoms, dense, strict=True))
    ]
    return np.maximum(whole - _product(atoms, counts) - np.sum(ones, axis=0), 0.0)


def misfit(draws: Sequence[Draws], step: float) -> float:
    """Bound what probabilities of a sum miss because measures are not quite their priors.

    A measure differs from its prior by probability that is misplaced inside cells. Of one draw
    such a part of probability p in a cell of width w changes P(sum >= total) by at most p, and by
    at most p times the probability that the sum of the others lies in an interval of length w:
    w times the largest density, which is at most the integral of the transform's size over pi.
    Draws are exchanged one by one, so that the others are measures or priors, and their
    transforms at most the bound for the measure and the distance.

    Parameters
    ----------
    draws
        What is summed.
    step
        Frequencies are looked at from here on.
    """
    distance = math.fsum(one.count * one.measure.error for one in draws)
    if distance <= _FAINT:
        return distance
    u = step * _OCTAVES
    sizes = [
        np.minimum(one.measure.atom_mass + one.decay(u) + one.measure.misplaced, 1.0)
        for one in draws
    ]
    found = 0.0
    for k, one in enumerate(draws):
        others = np.ones(u.size)
        for j, (other, size) in enumerate(zip(draws, sizes, strict=True)):
            others = others * size ** (other.count - (j == k))
        # The bounds fall, those beyond the last like its square at least, or else it is large.
        density = (u[0] + float(others[:-1] @ np.diff(u)) + float(others[-1]) * u[-1]) / math.pi
        found += one.count * min(one.measure.error, one.measure.moved * density)
    return found


def without_atoms(draws: Sequence[Draws], u: Array) -> Array:
    """Bound the transform of a sum, less the term with no draw from a density."""
    whole, atoms = np.ones(u.shape), 1.0
    for one in draws:
        mass = one.measure.atom_mass
        whole = whole * np.minimum(mass + one.decay(u), 1.0) ** one.count
        atoms *= mass**one.count
    return np.maximum(whole - atoms, 0.0)


def _product(values: Sequence[float], counts: Sequence[int], without: int = -1) -> float:
    pairs = enumerate(zip(values, counts, strict=True))
    return math.prod(value**count for k, (value, count) in pairs if k != without)


def quiet_reach(draws: Sequence[Draws], step: float, count: int) -> tuple[int, float]:
    """Return how far beyond `count` frequencies the transform of the sum stays below a bound.

    The transform of a sum of many draws moves fast, but that of one draw does not: between two
    points at a distance d it moves by at most d E|V - mean|. So one draw is looked at on a coarse
    grid, and the bound there to the power of the number of draws.

    Parameters
    ----------
    draws
        What is summed.
    step
        The distance of the frequencies.
    count
        From which one on.

    Returns
    -------
    tuple of int and float
        The number of frequencies up to which the bound holds, and the bound of the transforms of
        all votes together.
    """
    kinds = sorted(draws, key=lambda one: -one.count)[:_KINDS]
    spreads = []
    for one in kinds:
        at, weight = one.measure.nodes()
        total = float(weight.sum())
        mean = float(at @ weight) / total if total > 0 else 0.0
        spreads.append((mean, float(np.abs(at - mean) @ weight)))
    widest = max(spread for _, spread in spreads)
    if widest <= 0:
        return count, 1.0
    members = sum(one.count for one in kinds)
    points = 1 << (20 if members >= _MANY else 21)
    grid = (0.5 if members >= _SOME else 0.25) / widest
    reach = int(points * min(grid / step, 1024.0))
    if reach <= 4 * count:
        return count, 1.0
    grid = step * reach / points
    size = np.ones(points)
    for one, (mean, spread) in zip(kinds, spreads, strict=True):
        parts = [np.abs(characteristic(part, grid, points, mean)) for part in one.split()]
        size *= np.minimum(parts[0] + parts[1] + spread * grid / 2, 1.0) ** one.count
    first = int(step * count / grid)
    return reach, float(size[first:].max())
