"""The ironed combination of value and virtual value for priors with densities, atoms and gaps.

Candidate prices are vertices (q, H(q)) of the curve that `catallax.priors.combination` describes;
its concave hull follows the raw combination where that rises and cuts straight across elsewhere.
Which vertices the hull uses tells where it is cut; the ends of every cut are then refined to
where the raw combination equals the slope, so that no grid decides them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import optimize

from catallax.priors.base import Prior
from catallax.priors.curves import BoolArray, Curve, IronedInterval, reaches
from catallax.priors.floats import FloatArray, IntArray, smallest_float
from catallax.priors.moments import tail_integral

__all__ = ["Bounds", "SmoothCombination"]

# A vertex this far below a chord, relative to the curve, lies on it up to rounding.
_NOISE = 1e-11
_TIGHT = 4 * np.finfo(np.float64).eps


class Bounds(NamedTuple):
    """Between which prices a trade can be, on the buyer's side (x = -c for a seller, side -1)."""

    side: int
    low: float
    high: float
    above: bool


class _Vertex(NamedTuple):
    """A price, P(V >= price), the piece it is inside of (-1: none), and whether it is inside."""

    price: float
    sold: float
    piece: int
    inside: bool


class _Segment(NamedTuple):
    """Values from `start` on: a plateau at `low` = `high`, or the raw weight between the two."""

    start: float
    end: float
    low: float
    high: float
    smooth: bool


class SmoothCombination(Curve):
    """The ironed combination for a prior with a density, perhaps with atoms and gaps."""

    def __init__(self, prior: Prior, share: float, bounds: Bounds) -> None:
        self._share = share
        self._high = bounds.high
        side = bounds.side
        if side > 0:
            self._tail, self._beyond = prior.probability_at_least, prior.sf
            self._phi: Callable[[FloatArray], FloatArray] = lambda x: prior.virtual_value(x, False)
        else:
            self._tail = lambda x: prior.cdf(0.0 - np.asarray(x))
            self._beyond = lambda x: prior.probability_below(0.0 - np.asarray(x))
            self._phi = lambda x: 0.0 - prior.virtual_cost(0.0 - x, False)
        self._rest = tail_integral(prior, side) if share < 1.0 else None
        vertices = self._vertices(prior, bounds)
        self._segments = self._cut(vertices) if vertices else []
        if not self._segments:
            self._segments = [_Segment(np.inf, np.inf, -np.inf, -np.inf, False)]
        self._starts = np.array([segment.start for segment in self._segments])
        self._highs = np.array([segment.high for segment in self._segments])
        self.low = float(self._starts[0])

    # ------------------------------------------------------------------ the hull

    def _vertices(self, prior: Prior, bounds: Bounds) -> list[_Vertex]:
        """Return candidate prices, ascending, inside the bounds; all above `high` is sold there."""
        parts, nodes = prior._parts(), prior._nodes()
        pieces, atoms = list(parts.pieces), parts.atoms
        if bounds.side < 0:
            pieces = [(0.0 - end, 0.0 - start) for start, end in pieces[::-1]]
            atoms, nodes = 0.0 - atoms[::-1], 0.0 - nodes[::-1]
        self._pieces = pieces
        found = [
            _Vertex(x, float(self._tail(x)), -1, False)
            for x in atoms.tolist()
            if x < bounds.high and (x > bounds.low if bounds.above else x >= bounds.low)
        ]
        for k, (start, end) in enumerate(pieces):
            start, end = max(start, bounds.low), min(end, bounds.high)
            if start >= end:
                continue
            inner = nodes[(nodes > start) & (nodes < end)]
            if np.isfinite(start) and np.isfinite(end):
                inner = np.union1d(inner, np.linspace(start, end, 66)[1:-1])
            tails = self._tail(inner)
            found.append(_Vertex(start, float(self._beyond(start)), k, False))
            found.extend(
                _Vertex(float(x), float(q), k, True) for x, q in zip(inner, tails, strict=True)
            )
            found.append(_Vertex(end, float(self._tail(end)), k, False))
        # An atom comes before the piece that starts at its price, after the one that ends there.
        found.sort(key=lambda vertex: (vertex.price, -vertex.sold, vertex.piece < 0))
        top = float(self._tail(bounds.high)) if bounds.high < np.inf else 0.0
        if top > 0:
            found.append(_Vertex(bounds.high, top, -1, False))
        return found

    def _cut(self, vertices: list[_Vertex]) -> list[_Segment]:
        """Return plateaus and rising parts side by side, ascending."""
        if not self._is_regular(vertices):
            vertices = _spread(vertices)
            hull = self._hull(vertices)
        else:
            hull = list(range(len(vertices)))
        segments: list[_Segment] = []
        for one, two in pairwise(hull):
            left, right = vertices[one], vertices[two]
            if left.price == right.price:
                continue  # an atom at the end of a piece
            if two == one + 1 and left.piece >= 0 and left.piece == right.piece:
                if segments and segments[-1].smooth:
                    segments[-1] = segments[-1]._replace(end=right.price)
                else:
                    segments.append(_Segment(left.price, right.price, -np.inf, np.inf, True))
            else:
                if _is_gap(left, right):
                    start, end, level = left.price, right.price, self._raw_at(right.price)
                else:
                    start, end, level = self._plateau(one, two, vertices)
                if segments and segments[-1].smooth:
                    segments[-1] = segments[-1]._replace(end=start)
                segments.append(_Segment(start, end, level, level, False))
        last = vertices[hull[-1]]
        if last.price < np.inf:
            segments.append(_Segment(last.price, np.inf, last.price, last.price, False))
        return self._joined(segments)

    @staticmethod
    def _joined(segments: list[_Segment]) -> list[_Segment]:
        """Let every rising part start where the one before ends, and keep the levels ascending."""
        out: list[_Segment] = []
        for k, segment in enumerate(segments):
            start = out[-1].end if out and segment.smooth else segment.start
            low = out[-1].high if out else -np.inf
            if segment.smooth:
                high = segments[k + 1].low if k + 1 < len(segments) else np.inf
                segment = segment._replace(start=start, low=low, high=max(low, high))
            else:
                level = max(low, segment.low)
                segment = segment._replace(low=level, high=level)
            if segment.start < segment.end:
                out.append(segment)
        return out

    def _hull(self, vertices: list[_Vertex]) -> list[int]:
        """Return which vertices the concave hull passes through, ascending in price."""
        heights = self._heights(vertices)
        noise = _NOISE * float(np.abs(heights[np.isfinite(heights)]).max(initial=1e-300))
        kept: list[int] = []
        for k in range(len(vertices) - 1, -1, -1):  # in q from 0 on
            if vertices[k].price == np.inf or k == len(vertices) - 1:
                kept.append(k)  # where everything ends
            elif np.isfinite(heights[k]) and vertices[k].sold > 0.0:
                if kept and _is_gap(vertices[k], vertices[kept[-1]]):
                    # As many are sold at both ends: which is higher must not be up to rounding.
                    missing = heights[kept[-1]] - heights[k]
                    if missing > noise:
                        continue
                    if missing >= -noise and vertices[kept[-1]].piece >= 0:
                        kept.append(k)
                        continue
                    kept.pop()
                while kept and _is_below(kept, k, vertices, heights, noise):
                    last = kept.pop()
                    if kept and _is_gap(vertices[last], vertices[kept[-1]]):
                        kept.pop()
                kept.append(k)
        return kept[::-1]

    def _heights(self, vertices: list[_Vertex]) -> FloatArray:
        """Return H at every vertex."""
        price = np.array([vertex.price for vertex in vertices])
        sold = np.array([vertex.sold for vertex in vertices])
        with np.errstate(invalid="ignore"):
            heights = price * sold
        if self._rest is not None:
            finite = np.isfinite(price)
            heights[finite] += (1.0 - self._share) * self._rest(price[finite])
        return heights

    def _is_regular(self, vertices: list[_Vertex]) -> bool:
        """Whether nothing has to be ironed: one piece, rising, with at most an atom at its top."""
        body = [vertex for vertex in vertices if vertex.piece >= 0]
        above = vertices[len(body) :]
        if not body or any(vertex.piece != body[0].piece for vertex in body):
            return False
        if vertices[: len(body)] != body or any(v.price != body[-1].price for v in above):
            return False
        x = np.array([vertex.price for vertex in body if vertex.inside])
        levels = self.raw(x)
        with np.errstate(invalid="ignore", over="ignore"):
            slack = 1e-12 * (np.abs(x) + np.abs(levels))
        slack[~np.isfinite(slack)] = 0.0
        return not (levels[1:] < np.maximum.accumulate(levels)[:-1] - slack[1:]).any()

    def _plateau(self, one: int, two: int, vertices: list[_Vertex]) -> tuple[float, float, float]:
        """Refine an ironed interval: both ends where the raw weight equals the chord's slope."""
        left, right = vertices[one], vertices[two]
        heights = self._heights([left, right])
        level = float((heights[0] - heights[1]) / (left.sold - right.sold))
        ends = (self._end_near(one, vertices), self._end_near(two, vertices))
        if ends[0] is None and ends[1] is None:
            return left.price, right.price, level

        def at(t: float) -> tuple[float, float]:
            found = [
                vertex.price if near is None else self._root(t, *near)
                for vertex, near in zip((left, right), ends, strict=True)
            ]
            return found[0], found[1]

        def ahead(t: float) -> float:
            worth = [self._worth(x, t, v) for x, v in zip(at(t), (left, right), strict=True)]
            return worth[0] - worth[1]

        spans = [(self._raw_at(near[0]), self._raw_at(near[1])) for near in ends if near]
        low, high = max(s[0] for s in spans), min(s[1] for s in spans)
        if low < high and ahead(low) > 0 > ahead(high):
            level = float(optimize.brentq(ahead, low, high, xtol=5e-324, rtol=_TIGHT))  # type: ignore[arg-type]
        start, end = at(level)
        return start, end, level

    def _worth(self, price: float, level: float, vertex: _Vertex) -> float:
        """Return ``H - level q`` at a price."""
        sold = vertex.sold if price == vertex.price else float(self._tail(price))
        rest = 0.0 if self._rest is None else float(self._rest(np.array([price]))[0])
        return sold * (price - level) + (1.0 - self._share) * rest

    def _end_near(self, k: int, vertices: list[_Vertex]) -> tuple[float, float] | None:
        """Return the neighbours between which the end of an interval lies; None: it is fixed."""
        vertex = vertices[k]
        if not vertex.inside:
            return None
        low, high = vertices[k - 1], vertices[k + 1]
        ends = (low.price, high.price)
        if not (np.isfinite(ends[0]) and np.isfinite(ends[1])):
            return None
        if low.piece != vertex.piece or high.piece != vertex.piece:
            return None
        return ends if self._raw_at(ends[0]) < self._raw_at(ends[1]) else None

    def _root(self, level: float, low: float, high: float) -> float:
        if self._raw_at(low) >= level:
            return low
        if self._raw_at(high) <= level:
            return high
        found = optimize.brentq(lambda x: self._raw_at(x) - level, low, high, rtol=_TIGHT)
        return float(found)  # type: ignore[arg-type]

    # ------------------------------------------------------------------ the weight

    def raw(self, x: FloatArray) -> FloatArray:
        """Return the combination before ironing."""
        if self._share == 0.0:  # far out a virtual value is infinite, and 0 times that no number
            return x
        with np.errstate(invalid="ignore", over="ignore"):
            return (1.0 - self._share) * x + self._share * self._phi(x)

    def _raw_at(self, x: float) -> float:
        return float(self.raw(self._inside(np.array([x])))[0])

    def _inside(self, x: FloatArray) -> FloatArray:
        """Move the ends of a piece one float inside it, where the density is defined."""
        for start, end in self._pieces:
            x = np.where(x == start, np.nextafter(start, np.inf), x)
            x = np.where(x == end, np.nextafter(end, -np.inf), x)
        return x

    def ironed(self, x: FloatArray) -> FloatArray:
        """Return the combination after ironing."""
        at = np.searchsorted(self._starts, x, side="right") - 1
        out = np.where(at < 0, -np.inf, self._highs[np.maximum(at, 0)])
        for k, segment in enumerate(self._segments):
            if segment.smooth:
                here = np.flatnonzero((at == k) & (x < np.inf))
                if here.size:
                    levels = self.raw(self._inside(x[here]))
                    out[here] = np.clip(levels, segment.low, segment.high)
        return out

    def smallest(self, level: FloatArray, strict: BoolArray) -> FloatArray:
        """Return the smallest float that reaches the level."""
        left = np.searchsorted(self._highs, level, side="left")
        right = np.searchsorted(self._highs, level, side="right")
        at = np.where(strict, right, left)
        out = np.append(self._starts, np.inf)[at]
        out[level == np.inf] = np.inf
        for k, segment in enumerate(self._segments):
            if segment.smooth:
                inside = (at == k) & np.isfinite(level)
                inside &= ~reaches(np.full(level.shape, segment.low), level, strict)
                which = np.flatnonzero(inside)
                if which.size:
                    out[which] = self._invert(segment, level[which], strict[which])
        return out

    def _invert(self, segment: _Segment, level: FloatArray, strict: BoolArray) -> FloatArray:
        from scipy.optimize import elementwise as vector

        low, high = _finite_ends(segment, level, self._ends_reach)

        def gap(x: FloatArray, t: FloatArray) -> FloatArray:
            return np.clip(self.raw(self._inside(x)) - t, -1e300, 1e300)

        with np.errstate(all="ignore"):
            found = vector.find_root(gap, (low, high), args=(level,))
            guess = np.where(found.success, found.x, high)

        def holds(x: FloatArray, some: IntArray) -> BoolArray:
            return reaches(self.ironed(x), level[some], strict[some])

        start = np.full(level.shape, segment.start)
        end = np.full(level.shape, segment.end)
        return smallest_float(holds, guess, start, end)

    def _ends_reach(self, x: FloatArray, level: FloatArray) -> BoolArray:
        return self.raw(self._inside(x)) >= level

    @property
    def intervals(self) -> tuple[IronedInterval, ...]:
        """The plateaus below the top."""
        return tuple(
            IronedInterval(segment.start, segment.end, segment.high)
            for segment in self._segments
            if not segment.smooth and segment.end < np.inf
        )


def _spread(vertices: list[_Vertex]) -> list[_Vertex]:
    """Leave out inner points that sell so nearly the same that a slope would be rounding."""
    out: list[_Vertex] = []
    for vertex in vertices:
        if vertex.inside and out and out[-1].sold - vertex.sold < 1e-9 * out[-1].sold:
            continue
        out.append(vertex)
    return out


def _is_gap(left: _Vertex, right: _Vertex) -> bool:
    """Whether two vertices are the ends of a gap in the support."""
    return left.sold == right.sold and left.piece >= 0 and left.price < right.price < np.inf


def _is_below(
    kept: list[int], k: int, vertices: list[_Vertex], heights: FloatArray, noise: float
) -> bool:
    """Whether the last vertex kept lies below the chord from the one before it to the k-th."""
    at = kept[-1]
    if vertices[at].price == np.inf or vertices[at].sold == 0.0:
        return False
    q0, h0 = 0.0, 0.0
    before = kept[:-2] if len(kept) > 1 and _is_gap(vertices[at], vertices[kept[-2]]) else kept[:-1]
    if before and vertices[before[-1]].price < np.inf:
        q0, h0 = vertices[before[-1]].sold, float(heights[before[-1]])
    q1, h1, q2, h2 = vertices[at].sold, heights[at], vertices[k].sold, heights[k]
    if q2 <= q1:
        return bool(h1 <= h2)
    chord = h0 + (h2 - h0) * ((q1 - q0) / (q2 - q0))
    neighbours = at == k + 1 and vertices[k].piece == vertices[at].piece >= 0
    # Between neighbours on a smooth part, what little is missing is rounding.
    return bool(h1 < chord - noise if neighbours else h1 <= chord)


def _finite_ends(
    segment: _Segment,
    level: FloatArray,
    reached: Callable[[FloatArray, FloatArray], BoolArray],
) -> tuple[FloatArray, FloatArray]:
    """Return finite points around each level of a rising part that may be unbounded."""
    low, high = np.full(level.shape, segment.start), np.full(level.shape, segment.end)
    origin = segment.start if np.isfinite(segment.start) else segment.end
    origin = origin if np.isfinite(origin) else 0.0
    with np.errstate(all="ignore"):
        if segment.end == np.inf:
            step = np.maximum(np.abs(level), 1.0)
            high = origin + step
            for _ in range(1000):
                short = ~reached(high, level) & (high < 1e300)
                if not short.any():
                    break
                step = np.where(short, step * 2, step)
                high = origin + step
        if segment.start == -np.inf:
            step = np.maximum(np.abs(level), 1.0)
            low = origin - step
            for _ in range(1000):
                short = reached(low, level) & (low > -1e300)
                if not short.any():
                    break
                step = np.where(short, step * 2, step)
                low = origin - step
    return low, high
