"""Densities next to the points where they are steep: cells by their distance from an anchor.

The floats next to 1 are 1e-16 apart, and beta(0.1, 0.1) has 3 % of its probability closer to 1. So
cells are kept as distances from the ends of the support; what floats cannot tell of a pole there
follows the power of the distance that it follows farther out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.cells import measure_of
from catallax.groups.sums.draws.measure import FIT, NODES, POINTS, Measure
from catallax.priors import Mixture, Prior

__all__ = ["Block", "blocks_of", "single_layers"]

Array = NDArray[np.float64]

# A pole is a power of the distance from so small a part of the piece on.
_POWER_FROM = 2.0**-26
_NEAR = 1e-9
# Cells so different in size are in blocks of their own, unless they are many.
_UNLIKE, _MOST_RUNS, _NARROW = 8.0, 8, 1e-2
# Deeper than this the probability of two draws is nothing, or floats end.
_DEEPEST, _STEEP, _SMALLEST = 1e-9, 0.1, 1e-290
# It is looked at from there, half as far away, and so on.
_MARKS = (1.0, 0.5, 0.25, 0.125, 0.0625)
# A pole is not quite the power that it is taken for.
_NOT_QUITE, _QUITE = 2e-8, 1e-14
# As near are its cells to a prior, in parts, where it is read octave by octave.
_READ = 1e-11


@dataclass(frozen=True, eq=False)
class Block:
    """A density by the distance from an anchor.

    Parameters
    ----------
    anchor
        Where the distance is 0.
    measure
        Of the distance; one layer, without atoms.
    bottom, depth
        The probability next to the anchor of which nothing more is known, and how near it is.
    error
        By how much more the cells may miss the prior.
    """

    anchor: float
    measure: Measure
    bottom: float = 0.0
    depth: float = 0.0
    error: float = 0.0

    @property
    def moved(self) -> float:
        """Bound the error of E|value - y| for any y: what the cells miss is next to the anchor."""
        return self.error * _POWER_FROM * float(np.ptp(self.measure.support)) + (
            self.bottom * self.depth
        )

    def within(self, distance: float) -> float:
        """Return the probability that the anchor is no farther than that."""
        return self.measure.restricted(-distance, distance).cell_mass

    def blurred(self, finest: float) -> Block:
        """Return the block with what lies so near to the anchor spread out evenly, on each side."""
        own = self.measure
        for near in (
            (own.low >= 0) & (own.high <= finest),
            (own.low >= -finest) & (own.high <= 0),
        ):
            cells = np.flatnonzero(near)
            if cells.size < 2:
                continue
            flat = np.zeros((1, POINTS))
            flat[0, 0] = own.coefficients[cells, 0].sum()
            own = replace(
                own,
                low=np.concatenate([own.low[: cells[0] + 1], own.low[cells[-1] + 1 :]]),
                high=np.concatenate([own.high[: cells[0]], own.high[cells[-1] :]]),
                coefficients=np.concatenate(
                    [own.coefficients[: cells[0]], flat, own.coefficients[cells[-1] + 1 :]]
                ),
                layer=np.delete(own.layer, cells[1:]),
            )
        return replace(self, measure=own)

    def mirrored(self) -> Block:
        """Return the block of the negative of the value."""
        return replace(self, anchor=0.0 - self.anchor, measure=self.measure.mirrored())

    def parts(self, bar: float) -> tuple[Block, Block]:
        """Return what lies below a bar, and the rest."""
        own = self.measure
        if math.isinf(bar):
            none = own.chosen(np.zeros(own.low.size, dtype=bool))
            parts = (none, own) if bar < 0 else (own, none)
        else:
            place = bar - self.anchor
            parts = own.restricted(end=place), own.restricted(start=place)
        return replace(self, measure=parts[0]), replace(self, measure=parts[1])


@lru_cache(maxsize=256)
def blocks_of(prior: Prior) -> tuple[Block, ...]:
    """Return the density of a prior as blocks.

    Parameters
    ----------
    prior
        Any prior; its atoms are not looked at.
    """
    if isinstance(prior, Mixture):
        return tuple(
            replace(
                block,
                measure=_scaled(block.measure, weight),
                bottom=weight * block.bottom,
                error=weight * block.error,
            )
            for weight, one in prior._weighted
            for block in blocks_of(one)
        )
    measure = measure_of(prior).smooth
    if not measure.low.size:
        return ()
    ends = _steep_ends(prior, measure)
    if not ends:
        return tuple(block for one in single_layers(measure) for block in _runs(one))
    found = []
    places = sorted(ends)
    turns = [-math.inf, *((a + b) / 2 for a, b in itertools.pairwise(places)), math.inf]
    for place, start, end in zip(places, turns[:-1], turns[1:], strict=True):
        own = measure.restricted(start=start, end=end)
        own = replace(own, low=own.low - place, high=own.high - place)
        block = Block(place, own)
        for side in ends[place]:
            block = _continued(prior, block, side)
        found.append(block)
    return tuple(found)


def _runs(measure: Measure) -> list[Block]:
    """Cut a layer where its cells change their size, so that narrow peaks have anchors."""
    width = measure.high - measure.low
    unlike = np.maximum(width[1:], width[:-1]) > _UNLIKE * np.minimum(width[1:], width[:-1])
    starts = np.concatenate([[0], 1 + np.flatnonzero(unlike), [width.size]])
    if starts.size > _MOST_RUNS:
        return [Block(0.0, measure)]
    found = []
    for start, stop in itertools.pairwise(starts.tolist()):
        own = measure.chosen((np.arange(width.size) >= start) & (np.arange(width.size) < stop))
        size = max(abs(float(own.low[0])), abs(float(own.high[-1])))
        narrow = own.high[-1] - own.low[0] < _NARROW * size
        place = float(own.low[own.low.size // 2]) if narrow else 0.0
        found.append(Block(place, replace(own, low=own.low - place, high=own.high - place)))
    return found


def _scaled(measure: Measure, weight: float) -> Measure:
    return replace(measure, coefficients=weight * measure.coefficients)


def single_layers(measure: Measure) -> list[Measure]:
    """Return the layers of a density one by one, the cells of each ascending."""
    found = []
    for layer in np.unique(measure.layer):
        own = np.flatnonzero(measure.layer == layer)
        own = own[np.argsort(measure.low[own], kind="stable")]
        found.append(
            replace(
                measure,
                low=measure.low[own],
                high=measure.high[own],
                coefficients=measure.coefficients[own],
                layer=measure.layer[own],
            )
        )
    return found


def _steep_ends(prior: Prior, measure: Measure) -> dict[float, list[int]]:
    """Return the ends of pieces at which the density is too steep for floats, and their sides."""
    extent = float(np.ptp(measure.support))
    found: dict[float, list[int]] = {}
    for pair in prior._parts().pieces:
        for end, side in zip(pair, (1, -1), strict=True):
            if (np.abs(measure.pins - end) <= _NEAR * extent).any():
                found.setdefault(float(end), []).append(side)
    return found


def _continued(prior: Prior, block: Block, side: int) -> Block:
    """Replace the cells next to a pole by those of a power of the distance."""
    place, own = block.anchor, block.measure
    # What lies on the other side, or beyond the next steep end, is none of its business.
    reach = own.support[1] if side > 0 else -own.support[0]
    size = 2.0 ** math.floor(math.log2(reach)) if reach > 0 else 0.0
    marks = [abs((place + side * size * _POWER_FROM * part) - place) for part in _MARKS]
    masses = [_next_to(prior, place, side, mark) for mark in marks]
    if not masses[-1] > 0 or any(b >= a for a, b in itertools.pairwise(masses)):
        return replace(block, bottom=masses[0], depth=marks[0])
    slopes = [
        math.log(masses[k] / masses[k + 1]) / math.log(marks[k] / marks[k + 1])
        for k in range(len(marks) - 1)
    ]
    power = 2.0 * slopes[1] - slopes[0]
    first = marks[0]
    # Another pole, if it is no steeper than this one or than a power of 0.1, has next to nothing
    # where the bottom is.
    depth = max(first * _DEEPEST ** (1.0 / (power + min(power, _STEEP))), _SMALLEST)
    octaves = max(1, math.ceil(math.log2(first / depth)))
    highs = first * 2.0 ** -np.arange(octaves, dtype=np.float64)
    lows = highs / 2
    bent = abs(slopes[0] - slopes[1])
    read = place == 0 and bent > _NOT_QUITE
    found = _octaves(prior, side, lows, highs) if read else None
    if found is not None:
        coefficients, bottom = found
        missed = _READ * masses[0]
    else:
        # One octave has the shape of every other.
        shape = ((3.0 + NODES) / 4.0) ** (power - 1.0) @ FIT.T
        shape = shape / (2.0 * shape[0])
        upto = masses[0] * (highs / first) ** power
        coefficients = (upto * (1.0 - 0.5**power))[:, None] * shape
        bottom = float(upto[-1] * 0.5**power)
        missed = _not_a_power(power, slopes) * masses[0]
    flat = np.zeros((1, POINTS))
    flat[0, 0] = bottom / 2
    pole = Measure(
        np.empty(0),
        np.empty(0),
        np.append(0.0, lows[::-1]),
        np.append(lows[-1], highs[::-1]),
        np.concatenate([flat, coefficients[::-1]]),
        np.zeros(octaves + 1, dtype=np.int64),
    )
    pole = pole if side > 0 else pole.mirrored()
    if side > 0:
        parts = [own.restricted(end=0.0), pole, own.restricted(start=first)]
    else:
        parts = [own.restricted(end=-first), pole, own.restricted(start=0.0)]
    return replace(
        block,
        measure=_joined(own, parts),
        bottom=max(block.bottom, bottom),
        depth=max(block.depth, float(lows[-1])),
        error=block.error + missed,
    )


def _octaves(prior: Prior, side: int, lows: Array, highs: Array) -> tuple[Array, float] | None:
    """Return what the prior itself says of octaves next to 0, where floats are fine enough."""
    half = (highs - lows) / 2
    at = (lows + half)[:, None] + half[:, None] * NODES
    with np.errstate(all="ignore"):
        heights = np.asarray(prior.density(side * at)) * half[:, None]
        if side > 0:
            below = np.asarray(prior.probability_below(np.append(highs, lows[-1])))
            below = below - float(prior.cdf(0.0))
        else:
            below = np.asarray(prior.sf(0.0 - np.append(highs, lows[-1])))
            below = below - float(prior.probability_at_least(0.0))
    masses = below[:-1] - below[1:]
    coefficients = heights @ FIT.T
    if not np.isfinite(coefficients).all():
        return None
    if (np.abs(2.0 * coefficients[:, 0] - masses) > _READ * below[:-1]).any():
        return None
    return coefficients * (masses / (2.0 * coefficients[:, 0]))[:, None], float(below[-1])


def _not_a_power(power: float, slopes: Sequence[float]) -> float:
    """Bound which part of the probability next to a pole its power misplaces.

    Of a density that is a power of the distance times a smooth function, slopes half as far away
    differ by half as much: they differ by the distance, and what is missed is no more than that.
    What is not halved is how well the slope is known, and that far down the power is off by as
    much, times the logarithm of the distance, where less than a part e^-1 of the probability is
    left. If slopes differ by more than a distance does, as those of x^(k - 1) exp(-x^k) do, the
    slope is off by a power of the distance itself, and what is missed is the sum of all further
    bends.
    """
    bends = [a - b for a, b in itertools.pairwise(slopes)]
    if abs(bends[0]) <= _NOT_QUITE:
        rest = max(abs(a - 2.0 * b) for a, b in itertools.pairwise(bends)) + _QUITE
        return min(_NOT_QUITE, 4.0 * abs(bends[0]) + 4.0 * rest / power)
    return min(1.0, 4.0 * abs(bends[0]) / (power * (1.0 - 0.5**power)))


def _next_to(prior: Prior, place: float, side: int, distance: float) -> float:
    """Return the probability strictly between an end and a place next to it."""
    if side > 0:
        return float(prior.probability_below(place + distance) - prior.cdf(place))
    return float(prior.sf(place - distance) - prior.probability_at_least(place))


def _joined(like: Measure, parts: Sequence[Measure]) -> Measure:
    return replace(
        like,
        low=np.concatenate([one.low for one in parts]),
        high=np.concatenate([one.high for one in parts]),
        coefficients=np.concatenate([one.coefficients for one in parts]),
        layer=np.zeros(sum(one.low.size for one in parts), dtype=np.int64),
    )
