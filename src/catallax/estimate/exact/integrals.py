"""Integrals whose error is computed along with them: over a line, under a prior, of a tail.

All integrands are asked at many points at once. The interval is cut wherever something is known to
happen (atoms, ends of pieces and plateaus), and cells whose Gauss and Kronrod sums differ are
halved until the differences are small against the whole; a jump that nobody announced is thereby
found to the last float.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import PriorError

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = [
    "Integral",
    "Tail",
    "cuts_of",
    "edges_between",
    "expectation",
    "has_mean",
    "integrate",
    "tail_of",
]

Array = NDArray[np.float64]
Integrand = Callable[[Array], Array]
"""From points, shape (points,), to one row for each quantity, shape (quantities, points)."""

RELATIVE = 1e-11
"""What the sum of all differences is brought to, relative to the integral."""

_MOST_CELLS = 20_000
_MOST_ROUNDS = 200
_FARTHEST = 1e300
# Nodes of smooth priors are closer than the cells of an integral have to be.
_MANY, _EVERY = 300, 4
_FAINT = 1e-25
_EPSILON = float(np.finfo(np.float64).eps)

# Kronrod's points of degree 23 and, at every second of them, Gauss's weights of degree 13.
_HALF = (
    (0.991455371120812639206854697526329, 0.022935322010529224963732008058970, 0.0),
    (0.949107912342758524526189684047851, 0.063092092629978553290700663189204, 0.1294849661688697),
    (0.864864423359769072789712788640926, 0.104790010322250183839876322541518, 0.0),
    (0.741531185599394439863864773280788, 0.140653259715525918745189590510238, 0.2797053914892767),
    (0.586087235467691130294144161315426, 0.169004726639267902826583426598550, 0.0),
    (0.405845151377397166906606412076961, 0.190350578064785409913256402421014, 0.3818300505051189),
    (0.207784955007898467600689403773245, 0.204432940075298892414161999234649, 0.0),
)
_CENTRE = (0.0, 0.209482141084727828012999174891714, 0.4179591836734694)
_TABLE = np.array(
    [(-x, kronrod, gauss) for x, kronrod, gauss in _HALF] + [_CENTRE] + [*reversed(_HALF)]
)
POINTS, KRONROD, GAUSS = _TABLE.T.copy()


class Integral(NamedTuple):
    """Integrals and bounds on their errors, one for each quantity; shape (quantities,)."""

    value: Array
    error: Array

    def plus(self, other: Integral) -> Integral:
        """Add another one."""
        return Integral(self.value + other.value, self.error + other.error)


def integrate(
    function: Integrand,
    edges: ArrayLike,
    *,
    units: Sequence[int] = (0,),
    under: Prior | None = None,
    relative: float = RELATIVE,
) -> Integral:
    """Integrate several functions between the first and the last of the edges.

    Parameters
    ----------
    function
        The integrand.
    edges
        Where to cut; infinite ones do not count.
    units
        For each quantity the number of its unit: the error is judged by the largest integral of
        the same unit.
    under
        A prior whose density, without atoms, to multiply with.
    relative
        The error to reach, relative to the largest integral of the unit.

    Returns
    -------
    Integral
        With the error that was reached, be it more.

    Examples
    --------
    >>> import numpy as np
    >>> found = integrate(lambda x: np.sqrt(x)[None], [0.0, 1.0])
    >>> round(float(found.value[0]), 12), bool(found.error[0] < 1e-11)
    (0.666666666667, True)
    """
    cut = np.unique(np.asarray(edges, dtype=np.float64))
    cut = cut[np.isfinite(cut)]
    kinds = np.asarray(units)
    if cut.size < 2:
        return Integral(np.zeros(kinds.size), np.zeros(kinds.size))
    low, high = cut[:-1], cut[1:]
    values, errors = _sums(function, low, high, under)
    for _ in range(_MOST_ROUNDS):
        allowed = relative * _scale(values.sum(axis=1), kinds)
        if (errors.sum(axis=1) <= allowed).all() or low.size > _MOST_CELLS:
            break
        # The share of the permitted error that each cell uses.
        with np.errstate(divide="ignore", invalid="ignore"):
            used = np.where(errors > 0, errors / allowed[:, None], 0.0).max(axis=0)
        middle = _middle(low, high)
        split = (used > 0.5 / low.size) & (low < middle) & (middle < high)
        if not split.any():
            break
        at = middle[split]
        new_low = np.concatenate([low[split], at])
        new_high = np.concatenate([at, high[split]])
        new_values, new_errors = _sums(function, new_low, new_high, under)
        low, high = np.append(low[~split], new_low), np.append(high[~split], new_high)
        values = np.append(values[:, ~split], new_values, axis=1)
        errors = np.append(errors[:, ~split], new_errors, axis=1)
    rounding = 4 * _EPSILON * np.abs(values).sum(axis=1)
    return Integral(values.sum(axis=1), errors.sum(axis=1) + rounding)


def _scale(total: Array, kinds: NDArray[np.int64]) -> Array:
    """Return for each quantity the largest integral of its unit."""
    return np.array([np.abs(total[kinds == kind]).max() for kind in kinds])


def _middle(low: Array, high: Array) -> Array:
    """Return where to halve cells: where they span orders of magnitude, in the logarithm."""
    # Halves first, lest a sum overflow.
    middle = low / 2 + high / 2
    far = ((low > 0) & (high / 4 > low)) | ((high < 0) & (low / 4 < high))
    with np.errstate(invalid="ignore"):
        return np.where(far, np.sign(low) * np.sqrt(np.abs(low)) * np.sqrt(np.abs(high)), middle)


def _sums(
    function: Integrand, low: Array, high: Array, under: Prior | None = None
) -> tuple[Array, Array]:
    """Return Kronrod sums of cells, and their differences from Gauss; shape (quantities, cells)."""
    half = high / 2 - low / 2
    at = (low / 2 + high / 2)[:, None] + half[:, None] * POINTS
    # Not at the ends themselves, where jumps are, if there is a float in between.
    inside = np.nextafter(low, np.inf)
    at = np.clip(at, inside[:, None], np.maximum(inside, np.nextafter(high, -np.inf))[:, None])
    at[inside >= high] = low[inside >= high, None]
    spread = half[:, None] if under is None else _shares(under, at, low, high)
    asked = np.atleast_2d(function(at.ravel()))
    asked = asked.reshape(asked.shape[0], *at.shape) * spread
    fine = asked @ KRONROD
    return fine, np.abs(fine - asked @ GAUSS)


def _shares(prior: Prior, at: Array, low: Array, high: Array) -> Array:
    """Return the density times half a cell; where it misses the probability, make it right."""
    with np.errstate(all="ignore"):
        # As logarithms, for far out in a tail the density alone underflows.
        height = np.exp(prior._log_density(at) + np.log(high / 2 - low / 2)[:, None])
    # Next to a pole, and where a density underflows, only the probability of the cell is known.
    unknown = ~np.isfinite(height).all(axis=1) | (height.max(axis=1) <= 0)
    height[unknown] = 1.0
    from_below = np.stack([prior.cdf(low), prior.probability_below(high)])
    from_above = np.stack([prior.sf(low), prior.probability_at_least(high)])
    upper = from_below[1] > from_above[0]
    exact = np.where(upper, from_above[0] - from_above[1], from_below[1] - from_below[0])
    exact = np.maximum(exact, 0.0)
    # A difference of two probabilities is no better than they are.
    noise = 64 * _EPSILON * np.where(upper, from_above[0], from_below[1])
    found = height @ KRONROD
    off = unknown | (np.abs(found - exact) > noise + 1e-12 * exact)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(off & (found > 0), exact / found, 1.0)
    return height * factor[:, None]


def expectation(
    prior: Prior, function: Integrand, breaks: ArrayLike = (), units: Sequence[int] = (0,)
) -> Integral:
    """Return the expectations of several functions of a value.

    Parameters
    ----------
    prior
        The prior.
    function
        The functions; each is asked exactly at the atoms.
    breaks
        Where they may have a kink or a jump.
    units
        As in `integrate`.

    Returns
    -------
    Integral
        The sum over the atoms and the integral over the smooth pieces.

    Examples
    --------
    >>> from catallax.priors import parse_prior
    >>> prior = parse_prior("mixture([uniform(0, 1), point(2)], [0.5, 0.5])")
    >>> expectation(prior, lambda x: (x * x)[None]).value.round(12).tolist()
    [2.166666666667]
    """
    parts = prior._parts()
    total = Integral(np.zeros(len(units)), np.zeros(len(units)))
    if parts.atoms.size:
        asked = function(parts.atoms) * parts.masses
        rounding = 4 * _EPSILON * np.abs(asked).sum(axis=1)
        total = total.plus(Integral(asked.sum(axis=1), rounding))
    inner = np.concatenate([cuts_of(prior), np.asarray(breaks, dtype=np.float64).ravel()])
    for start, end in parts.pieces:
        edges = edges_between(prior, inner, start, end)
        total = total.plus(integrate(function, edges, units=units, under=prior))
    return total


@lru_cache(maxsize=128)
def cuts_of(prior: Prior) -> Array:
    """Return where to cut an integral under a prior: some of its nodes, ascending.

    Next to a finite end of the support, what has a probability of 1e-25 is one cell, to be halved
    only if it should matter.
    """
    nodes = prior._nodes()
    if nodes.size < _MANY:
        return nodes
    low, high = prior.support
    kept = np.ones(nodes.size, bool)
    if np.isfinite(low):
        kept &= prior.cdf(nodes) > _FAINT
    if np.isfinite(high):
        kept &= prior.sf(nodes) > _FAINT
    return nodes[kept][::_EVERY]


def edges_between(prior: Prior, inner: Array, start: float, end: float) -> Array:
    """Cut an interval; an infinite one as far out as anything counts."""
    inside = inner[np.isfinite(inner) & (inner > start) & (inner < end)]
    ends = [x for x in (start, end) if np.isfinite(x)]
    edges = np.unique(np.concatenate([inside, ends]))
    if not edges.size:
        return edges
    for side, infinite, tail in (
        (1.0, end == np.inf, prior.sf),
        (-1.0, start == -np.inf, prior.cdf),
    ):
        outermost = float(edges[-1] if side > 0 else edges[0])
        reach = abs(outermost)
        # Only of a heavy tail is there anything beyond the nodes.
        if infinite and reach > 0 and reach * float(tail(outermost)) > 1e-20:
            edges = np.append(edges, side * np.geomspace(reach, max(reach, _FARTHEST), 200))
    return np.unique(edges)


def has_mean(prior: Prior) -> bool:
    """Whether a prior has a finite mean."""
    try:
        return bool(np.isfinite(prior.mean))
    except PriorError:  # of those that have none at all
        return False


class Tail:
    """The integral of P(V >= y) over y >= x, or of P(V <= y) over y <= x, as a function of x.

    Parameters
    ----------
    prior
        A prior with a finite mean.
    side
        1 for the upper tail, which is E[max(V - x, 0)]; -1 for the lower, E[max(x - V, 0)].

    Attributes
    ----------
    beyond
        How much of it lies so far out that only the prior's mean tells of it.

    Examples
    --------
    >>> from catallax.priors import parse_prior
    >>> upper = Tail(parse_prior("pareto(2)"), 1)
    >>> upper(np.array([0.0, 1.0, 2.0])).round(12).tolist()
    [2.0, 1.0, 0.5]
    """

    def __init__(self, prior: Prior, side: int) -> None:
        parts = prior._parts()
        self._probability = prior.probability_at_least if side > 0 else lambda y: prior.cdf(0.0 - y)
        self._side = side
        ends = np.array([x for piece in parts.pieces for x in piece])
        own = np.concatenate([parts.atoms, ends[np.isfinite(ends)]])
        pieces = [edges_between(prior, prior._nodes(), *piece) for piece in parts.pieces]
        grid = np.unique(np.concatenate([own, *pieces]))
        self._grid = _refined(self._probability, np.unique(side * grid))
        cells, errors = _sums(self._probability, self._grid[:-1], self._grid[1:])
        self._rest, self._errors = _from_above(cells[0]), _from_above(errors[0])
        self.beyond = self._missing(prior)
        self._rest += self.beyond

    def _missing(self, prior: Prior) -> float:
        """Return what the mean tells of the tail beyond the last cell."""
        last = float(self._grid[-1])
        near, far = prior.support[:: self._side]
        left = abs(last) * float(self._probability(np.array(last)))
        if np.isfinite(far) or not np.isfinite(near) or left < 1e-14 * self._rest[0]:
            return 0.0
        return max(self._side * (prior.mean - near) - float(self._rest[0]), 0.0)

    def __call__(self, x: Array) -> Array:
        """Return the tail's integral from x on."""
        y = self._side * x
        low, high = self._grid[0], self._grid[-1]
        inside = np.clip(y, low, high)
        at = np.clip(np.searchsorted(self._grid, inside, side="left"), 0, self._grid.size - 1)
        part, _ = _sums(self._probability, inside, self._grid[at])
        out = self._rest[at] + part[0]
        return np.where(y < low, out + (low - y), np.where(y > high, 0.0, out))

    def error(self, x: Array) -> Array:
        """Return bounds on the errors of these values."""
        inside = np.clip(self._side * x, self._grid[0], self._grid[-1])
        # The cell that x is in counts as a whole.
        at = np.maximum(np.searchsorted(self._grid, inside, side="left") - 1, 0)
        return self._errors[at] + 16 * _EPSILON * self(x)


def _from_above(cells: Array) -> Array:
    """Return the sums over each cell and all above it, and 0."""
    return np.append(np.cumsum(cells[::-1])[::-1], 0.0)


def _refined(function: Callable[[Array], Array], grid: Array) -> Array:
    """Halve cells until their errors are small against the tail and against themselves."""
    for _ in range(_MOST_ROUNDS):
        low, high = grid[:-1], grid[1:]
        values, errors = _sums(function, low, high)
        middle = _middle(low, high)
        least = np.maximum(1e-15 * _from_above(values[0])[:-1], 3e-13 * values[0])
        # The points themselves are rounded, which no halving mends.
        least = np.maximum(least, _EPSILON * np.maximum(np.abs(low), np.abs(high)) * function(low))
        split = (errors[0] > least) & (low < middle) & (middle < high)
        if not split.any() or grid.size > _MOST_CELLS:
            break
        grid = np.unique(np.append(grid, middle[split]))
    return grid


@lru_cache(maxsize=128)
def tail_of(prior: Prior, side: int) -> Tail:
    """Return a `Tail`, kept for the next time."""
    return Tail(prior, side)
