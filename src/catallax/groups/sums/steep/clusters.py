"""Densities at a resolution: smooth parts, and clusters of what is finer.

A cluster takes in a place where a density is steep, jumps, or changes within less than the
resolution. It is cut out by a smooth taper, so that what is left has a transform that ends where
the resolution says, and clusters can be looked at by themselves, on a scale of their own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.draws.measure import POINTS, Measure, total_variation
from catallax.groups.sums.draws.transform import END_DERIVATIVES, characteristic

__all__ = [
    "BAND",
    "Cluster",
    "Fall",
    "Part",
    "clusters_of",
    "rest_of",
    "tapered",
    "wave_of",
    "wide_of",
]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

BAND = 160.0
"""Smooth parts have nothing at frequencies beyond this over the resolution."""
# A taper from 1 to 0 is a normal distribution function of so many deviations in all.
_DEVIATIONS = 15.0
_DEGREES = np.arange(POINTS) + 0.5
# A smooth part is cut into so many cells along a taper, a cluster itself into more.
_SMOOTH, _CLOSE = 8, 16
# Cells are too narrow for a resolution if they are this part of it.
_NARROW = 0.25
_NOTHING, _JUMP = 1e-15, 1e-11
_SAME = 2.0**-50
_ORDERS = range(12)
_MOST_CELLS = 1 << 17


@dataclass(frozen=True, eq=False)
class Part:
    """A density by the distance from an anchor: one layer of cells, ascending and apart."""

    anchor: float
    measure: Measure

    def apart(self, place: float) -> float:
        """Return how far the anchor is beyond a place."""
        return float(Fraction(self.anchor) - Fraction(place))


@dataclass(frozen=True, eq=False)
class Cluster:
    """Where a density is finer than a resolution.

    Attributes
    ----------
    anchor
        What places are measured from.
    start, end
        All that is fine lies between.
    radius
        How far the taper reaches beyond.
    parts
        The density on the whole of it, before it is tapered off.
    """

    anchor: float
    start: float
    end: float
    radius: float
    parts: tuple[Part, ...]

    @property
    def support(self) -> tuple[float, float]:
        """The outer ends of the taper, from the anchor."""
        return self.start - self.radius, self.end + self.radius

    def taper(self, at: Array) -> Array:
        """Return 1 next to what is fine, and 0 outside, by the distance from the anchor."""
        scale = _DEVIATIONS / (math.sqrt(2.0) * self.radius)
        beyond = np.maximum(at - self.end, self.start - at)
        tapers = 0.5 * special.erfc(scale * (beyond - self.radius / 2))
        return np.where(beyond <= 0, 1.0, np.where(beyond < self.radius, tapers, 0.0))


def clusters_of(
    parts: Sequence[Part],
    frame: float,
    radius: float,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> list[Cluster]:
    """Find where densities are finer than a resolution.

    Parameters
    ----------
    parts
        The densities.
    frame
        A place near them, from which places are told apart.
    radius
        The resolution.
    within
        Where to look, by the distance from the frame.
    """
    fine: list[tuple[float, float, float, float]] = []
    for part in parts:
        own, offset = part.measure, part.apart(frame)
        width = own.high - own.low
        narrow = np.flatnonzero((width < _NARROW * radius) & (own.coefficients[:, 0] > _NOTHING))
        fine.extend(
            (float(own.low[k] + offset), float(own.high[k] + offset), float(width[k]), part.anchor)
            for k in narrow
        )
    fine.extend((place, place, math.inf, place + frame) for place in _jumps(parts, frame, radius))
    groups: list[list[tuple[float, float, float, float]]] = []
    last = -math.inf
    for cell in sorted(fine):
        if cell[0] > within[1] or cell[1] < within[0]:
            continue
        if cell[0] - last > 2.0 * radius:
            groups.append([])
        groups[-1].append(cell)
        last = max(last, cell[1])
    clusters = []
    for group in groups:
        start, end = group[0][0], max(cell[1] for cell in group)
        low, high, _, anchor = min(group, key=lambda cell: cell[2])
        # The anchor of a block may be far away; then it is where the narrowest cell is.
        if not start - radius <= float(Fraction(anchor) - Fraction(frame)) <= end + radius:
            anchor = frame + (high if high == end else low)
        shift = float(Fraction(frame) - Fraction(anchor))
        one = Cluster(anchor, start + shift, end + shift, radius, ())
        clusters.append(replace(one, parts=_inside(parts, anchor, one.support)))
    return clusters


def _inside(parts: Sequence[Part], anchor: float, support: tuple[float, float]) -> tuple[Part, ...]:
    found = []
    for part in parts:
        offset = part.apart(anchor)
        own = part.measure.restricted(support[0] - offset, support[1] - offset)
        if own.low.size:
            found.append(Part(part.anchor, own))
    return tuple(found)


def _jumps(parts: Sequence[Part], frame: float, radius: float) -> list[float]:
    """Return places at which a density or a derivative jumps, as seen at the last frequency."""
    last = BAND / radius
    places, sizes = [], []
    for part in parts:
        own, offset = part.measure, part.apart(frame)
        half = (own.high - own.low) / 2
        wide = half >= _NARROW * radius / 2
        scale = (half[wide, None] * last) ** -np.arange(1.0, POINTS + 1.0)
        signs = (-1.0) ** (np.arange(POINTS)[:, None] + np.arange(POINTS))
        rows = own.coefficients[wide]
        places += [own.high[wide] + offset, own.low[wide] + offset]
        sizes += [rows @ END_DERIVATIVES.T * scale, rows @ (END_DERIVATIVES * signs).T * -scale]
    at, size = (np.concatenate([np.empty((0, *shape)), *rows])
                for shape, rows in (((), places), ((POINTS,), sizes)))  # fmt: skip
    if not at.size:
        return []
    order = np.argsort(at)
    at, size = at[order], size[order]
    reach = _SAME * float(np.abs(at).max(initial=0.0) + abs(frame))
    starts = np.flatnonzero(np.append(True, np.diff(at) > reach))
    jumps = np.abs(np.add.reduceat(size, starts, axis=0)).sum(axis=1)
    return at[starts][jumps > _JUMP].tolist()


# -------------------------------------------------------------------------------- tapered densities


def tapered(cluster: Cluster) -> Measure:
    """Return the density of a cluster, tapered off, as frequencies up to its band see it."""
    low, high = cluster.support
    cells = math.ceil(_CLOSE * (high - low) / cluster.radius)
    edges = np.linspace(low, high, cells + 1)
    found = _projected(cluster.parts, cluster.anchor, edges, cluster.taper)
    return _measure(edges, found)


def rest_of(parent: Cluster, children: Sequence[Cluster], radius: float) -> Measure:
    """Return what is in a cluster and in none of those inside it, by the place from its anchor.

    Parameters
    ----------
    parent
        A cluster.
    children
        Those of its density, at a finer resolution.
    radius
        The finer resolution.
    """
    low, high = parent.support
    edges = np.linspace(low, high, math.ceil(_SMOOTH * (high - low) / radius) + 1)
    if edges.size > _MOST_CELLS:
        raise OverflowError
    kept = _outside(children, parent.anchor)
    found = _projected(
        parent.parts, parent.anchor, edges, lambda at: parent.taper(at) - (1.0 - kept(at))
    )
    return _measure(edges, found)


def _outside(children: Sequence[Cluster], frame: float) -> Callable[[Array], Array]:
    shifts = [float(Fraction(frame) - Fraction(child.anchor)) for child in children]

    def kept(at: Array) -> Array:
        left = np.ones(at.shape)
        for child, shift in zip(children, shifts, strict=True):
            left = left - child.taper(at + shift)
        return left

    return kept


def wide_of(parts: Sequence[Part], children: Sequence[Cluster], radius: float) -> Measure:
    """Return what is in no cluster, as cells by their places: next to clusters they are even.

    Parameters
    ----------
    parts
        All of a density.
    children
        Its clusters.
    radius
        The resolution.
    """
    zones = [
        (child.anchor + child.support[0], child.anchor + child.support[1]) for child in children
    ]
    found = []
    for layer, (anchors, cells) in enumerate(_layered(parts)):
        edges = _edges(cells, zones, radius)
        if edges.size > _MOST_CELLS:
            raise OverflowError
        own = [Part(anchor, measure) for anchor, measure in anchors]
        coefficients = _projected(own, 0.0, edges, _outside(children, 0.0))
        found.append(_measure(edges, coefficients, layer))
    return _joined(found)


def _layered(parts: Sequence[Part]) -> list[tuple[list[tuple[float, Measure]], Array]]:
    """Put parts that do not overlap together; return them with the ends of their cells."""
    layers: list[tuple[list[tuple[float, Measure]], list[Array], float]] = []
    order = sorted(parts, key=lambda part: part.anchor + float(part.measure.low[0]))
    for part in order:
        low, high = part.anchor + part.measure.low, part.anchor + part.measure.high
        ends = [low, high]
        reach = _SAME * max(abs(low[0]), abs(high[-1]))
        for k, (own, more, last) in enumerate(layers):
            if last <= low[0] + reach:
                layers[k] = ([*own, (part.anchor, part.measure)], [*more, *ends], float(high[-1]))
                break
        else:
            layers.append(([(part.anchor, part.measure)], ends, float(high[-1])))
    return [(own, np.unique(np.concatenate(ends))) for own, ends, _ in layers]


def _edges(cells: Array, zones: Sequence[tuple[float, float]], radius: float) -> Array:
    """Return ends of cells: the given ones, and even ones next to clusters."""
    apart = np.append(True, np.diff(cells) > _SAME * np.abs(cells[1:]))
    cells = cells[apart]
    if cells.size < 2:
        return cells
    touched = np.zeros(cells.size - 1, dtype=bool)
    for start, end in zones:
        touched |= (cells[:-1] < end) & (cells[1:] > start)
    step = radius / _SMOOTH
    found = [cells[~np.append(touched, False) & ~np.append(False, touched)]]
    ends = np.flatnonzero(np.diff(np.concatenate([[0], touched.astype(int), [0]])))
    for first, last in ends.reshape(-1, 2):
        start, end = float(cells[first]), float(cells[last])
        # Next to a zone in a long cell it is enough to go some way.
        inner = [start, end]
        for a, b in zones:
            inner += [x for x in (a - 16.0 * radius, b + 16.0 * radius) if start < x < end]
        marks = np.unique(inner)
        for x, y in itertools.pairwise(marks.tolist()):
            near = y - x < 16.0 * radius or any(a < y and b > x for a, b in zones)
            count = max(1, math.ceil((y - x) / step)) if near else 1
            if count > _MOST_CELLS:
                raise OverflowError
            found.append(np.linspace(x, y, count + 1))
    return np.unique(np.concatenate(found))


def _projected(
    parts: Sequence[Part], frame: float, edges: Array, factor: Callable[[Array], Array]
) -> Array:
    """Return the coefficients of densities times a smooth factor on even cells."""
    out = np.zeros((edges.size - 1, POINTS))
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    for part in parts:
        own, offset = part.measure, part.apart(frame)
        ends = edges - offset
        which, inner, low, high = own.cut(ends)
        kept = (low < high) & (inner >= 1) & (inner <= half.size)
        low, high, which, inner = low[kept], high[kept], which[kept], inner[kept] - 1
        at, weight = own.pieces(which, low, high).nodes()
        at = at + offset
        bins = np.repeat(inner, POINTS)
        inside = np.clip((at - middle[bins]) / half[bins], -1.0, 1.0)
        terms = legendre.legvander(inside, POINTS - 1) * (weight * factor(at))[:, None] * _DEGREES
        np.add.at(out, bins, terms)
    return out


def _measure(edges: Array, coefficients: Array, layer: int = 0) -> Measure:
    none = np.empty(0)
    kept = np.abs(coefficients).max(axis=1, initial=0.0) > 0
    return Measure(
        none, none, edges[:-1][kept], edges[1:][kept], coefficients[kept],
        np.full(int(kept.sum()), layer, dtype=np.int64),
    )  # fmt: skip


def _joined(found: Sequence[Measure]) -> Measure:
    none = np.empty(0)
    if not found:
        return Measure(none, none, none, none, np.empty((0, POINTS)), np.empty(0, dtype=np.int64))
    return Measure(
        none,
        none,
        np.concatenate([one.low for one in found]),
        np.concatenate([one.high for one in found]),
        np.concatenate([one.coefficients for one in found]),
        np.concatenate([one.layer for one in found]),
    )


def wave_of(measure: Measure, step: float, count: int, shift: float = 0.0) -> Complex:
    """Return the transform of a density that is moved by a shift."""
    return characteristic(measure, step, count, -shift)


class Fall:
    """A bound of the transform of a smooth part, by derivatives of many orders.

    Parameters
    ----------
    measure
        A density without atoms; it may be below zero.
    """

    def __init__(self, measure: Measure) -> None:
        # What the cells miss of what they stand for is about the last of their coefficients.
        self.missed = 2.0 * float(np.abs(measure.coefficients[:, -2:]).sum())
        _, weight = measure.nodes()
        self.size = float(np.abs(weight).sum())
        # On a scale of its own nothing overflows.
        self.scale = float(np.ptp(measure.support)) or 1.0
        own = replace(measure, low=measure.low / self.scale, high=measure.high / self.scale)
        sums = [total_variation(own, order) for order in _ORDERS] if measure.low.size else []
        self.jumps = [one[0] for one in sums]
        self.whole = [sum(one) for one in sums]

    def __call__(self, u: Array) -> Array:
        """Return the bound at positive frequencies."""
        u = u * self.scale
        best = np.full(u.size, self.size)
        ends = np.zeros(u.size)
        for order, (jump, whole) in enumerate(zip(self.jumps, self.whole, strict=True)):
            best = np.fmin(best, ends + whole / u ** (order + 1))
            ends = ends + jump / u ** (order + 1)
        return best
