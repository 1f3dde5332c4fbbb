"""Ironing of laws with densities: the concave hull of the revenue curve, stretch by stretch.

At the price p a buyer is worth R = p P(V >= p). The ironed virtual value is the slope of the
concave hull of R over q = P(V >= p); by duality, a level t is the ironed virtual value from the
price on that maximises R - t q = P(V >= p) (p - t). On a stretch where the raw virtual value
rises this maximum is where it equals t, or at an end of the stretch; an atom is a stretch of one
price. The maximum of a lower stretch minus that of a higher one falls in t (its slope is minus the
difference of their q, by the envelope theorem), so two stretches change places at exactly one
level. Walking up the stretches with a stack, as for the hull of points, gives every ironed
interval with its level, without a grid deciding its ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

from catallax.priors.floats import FloatArray, from_order, to_order
from catallax.priors.roots import gallop, root

__all__ = ["Law", "Piece", "Stretch", "Switch", "hull"]

Function = Callable[[FloatArray], FloatArray]

# A fall of the raw virtual value by less than this, relative to what it is computed from, is noise.
_NOISE = 4e-12
_LARGEST = float(np.finfo(np.float64).max)
# A density changes by less than this between one and sixteen floats from an end, unless it
# vanishes there or has a pole.
_STEADY = 0.9
# The ratio at an end and one float inside differ by less than this where the density is one.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Piece:
    """An interval on which a law has a smooth density.

    Parameters
    ----------
    start, end
        The interval; `end` may be +inf and `start` -inf.
    tail_start, tail_end
        P(V > start) and P(V >= end).
    nodes
        Ascending points inside, dense enough to see every rise and fall of `raw`.
    ratio
        ``P(V >= x) / density(x)`` inside the interval.
    tail, density
        P(V >= x), and the density, inside the interval.
    """

    start: float
    end: float
    tail_start: float
    tail_end: float
    nodes: FloatArray
    ratio: Function
    tail: Function
    density: Function

    def raw(self, x: FloatArray) -> FloatArray:
        """Return the virtual value inside the interval."""
        return x - self.ratio(x)

    def inside(self, x: FloatArray) -> FloatArray:
        """Move points at or beyond the ends one float inside, where the density is defined."""
        return np.clip(x, np.nextafter(self.start, np.inf), np.nextafter(self.end, -np.inf))

    def phi(self, x: float) -> float:
        """Return the raw virtual value at a point, or its limit at an end."""
        if x == np.inf:
            return self.top()
        if x == self.start > -np.inf:
            return self.bottom
        if x == self.end:
            # Where nothing is left to sell the ratio tends to 0.
            return x if self.tail_end == 0.0 else x - self._limit(x, self.tail_end, -1)
        return float(self.raw(self.inside(np.array([x])))[0])

    @cached_property
    def bottom(self) -> float:
        """The limit of the raw virtual value at a finite start."""
        return self.start - self._limit(self.start, self.tail_start, 1)

    def _limit(self, end: float, tail: float, way: int) -> float:
        """Return the limit of the ratio at an end: the density there may be that of a neighbour."""
        near = from_order(to_order(np.array([end])) + way * np.array([1, 16]))
        at, one, far = self.ratio(np.append(end, near)).tolist()
        if abs(at - one) <= _SAME * abs(one):
            return at
        vanishes = at == np.inf and far < _STEADY * one
        has_a_pole = at == 0.0 and one < _STEADY * far
        if vanishes or has_a_pole:
            return at
        # Where the density is steady, leave out what lies between the end and the float inside.
        with np.errstate(all="ignore"):
            exact = float(tail / self.density(near[:1])[0])
        return exact if abs(exact - one) <= _SAME * abs(one) else one

    def top(self) -> float:
        """Return the limit of the raw virtual value at the upper end."""
        if self.end < np.inf:
            return self.phi(self.end)
        far = max(abs(float(self.nodes[-1])), 1.0) * 1e100
        limit = self.phi(far) if np.isfinite(far) else np.inf
        return limit if limit < far * 1e-60 else np.inf


@dataclass(frozen=True, eq=False)
class Law:
    """The buyer's side of a prior: smooth pieces, atoms, and what revenue tends to.

    Parameters
    ----------
    pieces
        Disjoint and ascending; what lies between is atoms and gaps.
    atoms, masses, tails
        Ascending atoms, their probabilities, and P(V >= atom).
    limit
        The limit of ``p P(V >= p)`` as p grows: positive only for tails like 1/p.
    ratio
        ``P(V >= x) / density(x)`` inside any piece.
    """

    pieces: tuple[Piece, ...]
    atoms: FloatArray
    masses: FloatArray
    tails: FloatArray
    limit: float
    ratio: Function


@dataclass(frozen=True, eq=False)
class Stretch:
    """A range of prices on which the raw virtual value rises; a single price without a piece."""

    start: float
    end: float
    tail_start: float
    tail_end: float
    limit: float
    piece: Piece | None = None
    nodes: FloatArray | None = None
    levels: FloatArray | None = None

    @cached_property
    def lowest(self) -> float:
        """The raw virtual value at the start."""
        return -np.inf if self.piece is None else self.piece.phi(self.start)

    @cached_property
    def highest(self) -> float:
        """The raw virtual value at the end."""
        return -np.inf if self.piece is None else self.piece.phi(self.end)

    def price(self, level: float) -> float:
        """Return the price that maximises P(V >= p) (p - level) on the stretch."""
        if self.piece is None or self.nodes is None or self.levels is None:
            return self.start
        if level <= self.lowest:
            return self.start
        if level >= self.highest:
            return self.end
        phi = self.piece.phi
        at = int(np.searchsorted(self.levels, level, side="left"))
        below = float(self.nodes[at - 1]) if at > 0 else self.start
        above = float(self.nodes[at]) if at < self.nodes.size else self.end
        below = gallop(phi, level, above, -1.0) if below == -np.inf else below
        above = gallop(phi, level, below, 1.0) if above == np.inf else above
        if phi(below) >= level or below >= above:
            return below
        if phi(above) <= level:
            return above
        return root(lambda x: phi(x) - level, below, above)

    def tail(self, price: float) -> float:
        """Return P(V >= price)."""
        if price == self.start or self.piece is None:
            return self.tail_start
        if price == self.end:
            return self.tail_end
        return float(self.piece.tail(np.array([price]))[0])

    def worth(self, level: float) -> float:
        """Return the largest P(V >= p) (p - level) on the stretch."""
        price = self.price(level)
        if price == np.inf:
            return self.limit
        return self.tail(price) * (price - level)


class Switch(NamedTuple):
    """A stretch that the hull uses, and the level at which it takes over from the one before."""

    stretch: Stretch
    level: float


def hull(law: Law) -> tuple[list[Switch], float]:
    """Return the stretches that the concave hull of the revenue curve uses, ascending.

    Parameters
    ----------
    law
        A law, on the buyer's side.

    Returns
    -------
    switches : list of Switch
        Ascending in price and in level; the first takes over at -inf.
    top : float
        The level at which nothing is sold any more.
    """
    stack: list[Switch] = []
    for stretch in _stretches(law):
        level = -np.inf
        while stack:
            level = _change(stack[-1], stretch)
            if level > stack[-1].level:
                break
            stack.pop()
            level = -np.inf
        stack.append(Switch(stretch, level))
    while True:
        top = _nothing(stack[-1], law)
        if top >= stack[-1].level or len(stack) == 1:
            return stack, top
        stack.pop()


def _change(switch: Switch, higher: Stretch) -> float:
    """Return the level at which a higher stretch takes over from a lower one."""
    lower, since = switch
    if lower.piece is None and higher.piece is None and lower.tail_start > higher.tail_start:
        sold = lower.tail_start - higher.tail_start
        return lower.start - higher.tail_start * ((higher.start - lower.start) / sold)
    if lower.end == higher.start and lower.tail_end == higher.tail_start:
        highest = lower.highest
        if higher.piece is None or highest <= higher.lowest:
            return highest  # the raw virtual value just jumps up, or an atom ends the piece

    def ahead(level: float) -> float:
        return lower.worth(level) - higher.worth(level)

    ceiling = lower.end if lower.end < np.inf else max(0.0, _finite(lower.highest))
    floor = since
    if floor == -np.inf:
        width = max(abs(lower.start) if np.isfinite(lower.start) else 0.0, abs(ceiling), 1e-300)
        floor, step = ceiling - width, 2.0
        while ahead(floor) <= 0:
            if floor == -_LARGEST:
                return -np.inf  # the higher stretch is better at every level
            # Faster and faster: there may be hundreds of orders of magnitude to go.
            width = width * step if width < _LARGEST / step else _LARGEST
            floor, step = max(ceiling - width, -_LARGEST), min(step * step, 2.0**256)
    elif ahead(floor) <= 0:
        return floor
    if floor >= ceiling or ahead(ceiling) >= 0:
        return ceiling
    return _polish(root(ahead, floor, ceiling), lower, higher)


def _polish(level: float, lower: Stretch, higher: Stretch) -> float:
    """Replace the level by the mean between its two ends, in the form that does not cancel.

    This is a Newton step, and the mean is stationary in the two ends.
    """
    low, high = lower.price(level), higher.price(level)
    if not (np.isfinite(low) and np.isfinite(high)):
        return level
    upper, sold = higher.tail(high), lower.tail(low) - higher.tail(high)
    if sold <= 0:
        return level
    return low - upper * ((high - low) / sold)


def _nothing(switch: Switch, law: Law) -> float:
    """Return the level at which it is best to sell nothing."""
    last, since = switch
    if law.limit == 0.0:
        return last.end  # where nothing is left to sell, or infinity
    # A tail like 1/p: the revenue left at the price infinity is the limit.
    highest = last.highest if last.end == np.inf else last.end

    def ahead(level: float) -> float:
        return last.worth(level) - law.limit

    floor = since if since > -np.inf else min(-1.0, highest) * 2
    while since == -np.inf and ahead(floor) <= 0:
        floor *= 2
    if highest <= floor or ahead(floor) <= 0:
        return floor
    ceiling = max(highest, 0.0)
    if ahead(ceiling) >= 0:
        return ceiling
    return root(ahead, floor, ceiling)


def _finite(x: float) -> float:
    return x if np.isfinite(x) else 0.0


def _stretches(law: Law) -> list[Stretch]:
    """Return the rising stretches and the atoms, ascending in price."""
    found: list[Stretch] = [
        Stretch(float(v), float(v), float(q), float(q), law.limit)
        for v, q in zip(law.atoms, law.tails, strict=True)
    ]
    for piece in law.pieces:
        found.extend(_rising(piece, law.limit))
    # An atom comes before the piece that starts at its value, and after the one that ends there.
    found.sort(key=lambda stretch: (stretch.start, -stretch.tail_start, stretch.end))
    return found


def _rising(piece: Piece, limit: float) -> list[Stretch]:
    """Cut a piece where its raw virtual value turns, and return the rising stretches."""
    nodes = piece.nodes
    phi = piece.raw(nodes)
    turns = _turns(nodes, phi)
    if len(turns) % 2 and piece.end == np.inf and limit == 0.0:
        turns.pop()  # with a revenue that vanishes the virtual value must rise in the end: noise
    cuts = [piece.start, *(_extremum(piece, at, sign) for at, sign in turns), piece.end]
    out: list[Stretch] = []
    for k in range(0, len(cuts) - 1, 2):
        low, high = cuts[k], cuts[k + 1]
        if low >= high:
            out.append(_single(piece, low, limit))
            continue
        inner = (nodes > low) & (nodes < high)
        levels = np.maximum.accumulate(phi[inner]) if inner.any() else phi[:0]
        ends = (low, high, _tail(piece, low), _tail(piece, high))
        out.append(Stretch(*ends, limit, piece, nodes[inner], levels))
    if len(cuts) % 2 and piece.end < np.inf:  # the last stretch falls: only its end can be best
        out.append(_single(piece, piece.end, limit))
    return out


def _single(piece: Piece, price: float, limit: float) -> Stretch:
    tail = _tail(piece, price)
    return Stretch(price, price, tail, tail, limit)


def _tail(piece: Piece, price: float) -> float:
    if price == piece.start:
        return piece.tail_start
    if price == piece.end:
        return piece.tail_end
    return float(piece.tail(np.array([price]))[0])


def _turns(nodes: FloatArray, phi: FloatArray) -> list[tuple[int, int]]:
    """Return where phi turns, first a top (index, -1), then a bottom (index, 1), and so on.

    Noise is left out. A phi that falls from the start has its first top at index 0.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        slack = _NOISE * (np.abs(nodes) + np.abs(nodes - phi))
    slack[~np.isfinite(slack)] = 0.0
    if not (phi[1:] < np.maximum.accumulate(phi)[:-1] - slack[1:]).any():
        return []
    turns: list[tuple[int, int]] = []
    best, way = 0, 1
    for k in range(1, phi.size):
        if way * phi[k] > way * phi[best]:
            best = k
        elif way * phi[best] - slack[k] > way * phi[k]:
            turns.append((best, -way))
            best, way = k, -way
    return turns


def _extremum(piece: Piece, at: int, sign: int) -> float:
    """Refine a turning point between its neighbouring nodes."""
    nodes = piece.nodes
    if at == 0:
        return piece.start if piece.start > -np.inf else float(nodes[0])
    low, high = nodes[at - 1], nodes[min(at + 1, nodes.size - 1)]
    found: Any = optimize.minimize_scalar(
        lambda x: sign * piece.phi(float(x)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10 * (high - low)},
    )
    point = float(found.x)
    return (
        point if sign * piece.phi(point) < sign * float(piece.phi(nodes[at])) else float(nodes[at])
    )
