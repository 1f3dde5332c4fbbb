"""The virtual value of a law with densities, laid out in rising parts and plateaus."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from catallax.priors.curves import Curve, IronedInterval, reaches
from catallax.priors.floats import BoolArray, FloatArray, IntArray, smallest_float
from catallax.priors.hull import Law, Stretch, Switch, hull

__all__ = ["SmoothCurve"]

# A fall by less than this, relative to the numbers it is computed from, is rounding.
_ROUNDING = 1e-9


class _Segment(NamedTuple):
    """A range of values: a plateau (no stretch), or part of a rising stretch."""

    start: float
    end: float
    low: float
    high: float
    stretch: Stretch | None


class SmoothCurve(Curve):
    """The virtual value of a law with densities, atoms and gaps.

    On rising parts it is the raw virtual value, kept between the levels at which the part begins
    and ends; there its last bits may not be monotone.

    Parameters
    ----------
    law
        The law, on the buyer's side.
    """

    def __init__(self, law: Law) -> None:
        self._law = law
        switches, self._top = hull(law)
        self._segments = _lay_out(switches, self._top)
        self._starts = np.array([segment.start for segment in self._segments])
        self._lows = np.array([segment.low for segment in self._segments])
        self._highs = np.array([segment.high for segment in self._segments])
        self.low = float(self._starts[0])
        pieces = [segment.stretch.piece if segment.stretch else None for segment in self._segments]
        self._rises = np.array([piece is not None for piece in pieces])
        ends = np.array([p.end if p else np.inf for p in pieces])
        # The density is defined one float inside the pieces.
        self._least = np.nextafter([p.start if p else -np.inf for p in pieces], np.inf)
        self._most = np.nextafter(ends, -np.inf)
        self._first = self._segments[0].stretch

    def rises(self) -> bool:
        """Return whether the ironed virtual value is nondecreasing on the nodes, up to rounding."""
        x = np.sort(np.concatenate([self._law.atoms, *(p.nodes for p in self._law.pieces)]))
        levels = self.ironed(x)
        highest = np.maximum.accumulate(levels)
        with np.errstate(all="ignore"):
            slack = _ROUNDING * (np.abs(x) + np.abs(highest))
        slack[~np.isfinite(slack)] = 0.0
        return bool((levels >= highest - slack).all())

    def ironed(self, x: FloatArray) -> FloatArray:
        """Return the slope of the hull."""
        at = np.searchsorted(self._starts, x, side="right") - 1
        out = np.where(at < 0, -np.inf, self._highs[at])
        some = np.flatnonzero((at >= 0) & self._rises[at] & (x < np.inf))
        if some.size:
            at = at[some]
            out[some] = self._between(x[some], self._least[at], self._most[at])
            out[some] = np.clip(out[some], self._lows[at], self._highs[at])
        # The one start of a piece where the limit counts: elsewhere the hull passes above it.
        if self._first is not None and self._first.piece is not None and np.isfinite(self.low):
            out[x == self.low] = np.clip(self._first.lowest, self._lows[0], self._highs[0])
        return out

    def _between(self, x: FloatArray, least: FloatArray, most: FloatArray) -> FloatArray:
        """Return the raw virtual value inside a piece, between its first and its last float."""
        inside = np.clip(x, least, most)
        return inside - self._law.ratio(inside)

    def raw(self, x: FloatArray) -> FloatArray:
        """Return the virtual value before ironing."""
        starts, fixed, least, most = self._raw_steps
        at = np.searchsorted(starts, x, side="right") - 1
        out = np.where(at < 0, -np.inf, fixed[at])
        some = np.flatnonzero((at >= 0) & np.isnan(fixed[at]))
        if some.size:
            at = at[some]
            out[some] = self._between(x[some], least[at], most[at])
            beyond = x == np.inf
            if beyond.any():
                out[beyond] = self._law.pieces[-1].top()
        return out

    @cached_property
    def _raw_steps(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Where pieces, gaps and atoms begin; their value (NaN in pieces); the pieces inside."""
        law = self._law
        steps: dict[float, tuple[float, float, float]] = {}
        for piece in law.pieces:
            if piece.end < np.inf:
                steps[piece.end] = (piece.phi(piece.end), 0.0, 0.0)
        for piece in law.pieces:  # a piece that follows at once replaces the gap
            least, most = np.nextafter(piece.start, np.inf), np.nextafter(piece.end, -np.inf)
            if piece.start > -np.inf:
                steps[piece.start] = (piece.bottom, 0.0, 0.0)
            if least <= most:
                steps[float(least) if piece.start > -np.inf else -np.inf] = (np.nan, least, most)
        begins = {piece.start for piece in law.pieces}
        support = np.unique(np.concatenate([[p.start for p in law.pieces], law.atoms]))
        after = np.append(support[1:], support[-1])[np.searchsorted(support, law.atoms)]
        sold = np.maximum(law.tails - law.masses, 0.0)
        for value, following, mass, left in zip(law.atoms, after, law.masses, sold, strict=True):
            atom = float(value)
            # Where a density begins behind the atom, nobody values it at the price in between.
            gap = 0.0 if atom in begins else following - atom
            steps[atom] = (atom - left * (gap / mass), 0.0, 0.0)
        starts = sorted(steps)
        columns = np.array([steps[start] for start in starts])
        return np.array(starts), columns[:, 0], columns[:, 1], columns[:, 2]

    def smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Return the smallest float that reaches the level."""
        at = np.searchsorted(self._highs, level, side="left")
        at = np.where(strict, np.searchsorted(self._highs, level, side="right"), at)
        out = np.append(self._starts, np.inf)[at]
        inside = (at < len(self._segments)) & np.isfinite(level)
        at = np.minimum(at, len(self._segments) - 1)
        inside &= self._rises[at] & ~reaches(self._lows[at], level, strict)
        for k in np.unique(at[inside]):
            which = np.flatnonzero(inside & (at == k))
            out[which] = self._inside(self._segments[k], level[which], strict[which])
        out[level == -np.inf] = self.low
        out[level == np.inf] = np.inf
        return out

    def _inside(self, segment: _Segment, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Invert the virtual value on a rising part."""
        guess = _invert(segment, level)

        def holds(x: FloatArray, some: IntArray) -> BoolArray:
            return reaches(self.ironed(x), level[some], strict[some])

        low = np.full(level.shape, segment.start)
        high = np.full(level.shape, segment.end)
        return smallest_float(holds, guess, low, high)

    @property
    def intervals(self) -> tuple[IronedInterval, ...]:
        """The plateaus that hold more than one atom and the gap after it."""
        law = self._law
        starts = np.array([piece.start for piece in law.pieces])
        ends = np.array([piece.end for piece in law.pieces])
        top = max([*law.atoms[-1:].tolist(), *ends[-1:].tolist()])
        found: list[IronedInterval] = []
        for segment in self._segments:
            low, high = segment.start, min(segment.end, top)
            if segment.stretch is None and low < high:
                atoms = np.count_nonzero((law.atoms >= low) & (law.atoms < high))
                if atoms > 1 or ((starts < high) & (ends > low)).any():
                    found.append(IronedInterval(low, high, segment.high))
        return tuple(found)


def _lay_out(switches: list[Switch], top: float) -> list[_Segment]:
    """Lay the stretches that the hull uses side by side, with the plateaus between them."""
    segments: list[_Segment] = []
    for k, (stretch, since) in enumerate(switches):
        following = switches[k + 1] if k + 1 < len(switches) else None
        until = following.level if following else top
        begin = stretch.price(since) if since > -np.inf else stretch.start
        end = stretch.price(until) if until < np.inf else stretch.end
        if begin < end:
            segments.append(_Segment(begin, end, since, until, stretch))
        begin = following.stretch.price(until) if following else np.inf
        if end < begin:
            segments.append(_Segment(end, begin, until, until, None))
    return segments


def _invert(segment: _Segment, level: FloatArray) -> FloatArray:
    """Return where the raw virtual value of a rising part equals a level, nearly to the float."""
    from scipy.optimize import elementwise  # heavy

    stretch = segment.stretch
    if stretch is None or stretch.piece is None or stretch.nodes is None:
        return np.full(level.shape, segment.start)
    piece, nodes = stretch.piece, stretch.nodes
    nodes = nodes[(nodes > segment.start) & (nodes < segment.end)]
    ends = [x for x in (segment.start, segment.end) if np.isfinite(x)]
    far = np.geomspace(1.0, 1e300, 600)
    reach = [nodes, ends]
    if segment.end == np.inf:
        reach.append((nodes[-1] if nodes.size else segment.start) + far)
    if segment.start == -np.inf:
        reach.append((nodes[0] if nodes.size else segment.end) - far)
    points = np.unique(np.concatenate([np.asarray(x, dtype=np.float64) for x in reach]))
    with np.errstate(all="ignore"):
        heights = np.maximum.accumulate(piece.raw(piece.inside(points)))
    at = np.clip(np.searchsorted(heights, level, side="left"), 1, points.size - 1)
    below, above = points[at - 1], points[at]
    found = elementwise.find_root(
        lambda x, t: np.clip(piece.raw(piece.inside(x)) - t, -1e300, 1e300),
        (below, above),
        args=(level,),
        tolerances={"xatol": 5e-324, "xrtol": 1e-15, "fatol": 0.0, "frtol": 0.0},
    )
    return np.where(found.success, found.x, above)
