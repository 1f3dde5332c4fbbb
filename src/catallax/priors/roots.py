"""Where a function changes its sign, over hundreds of orders of magnitude."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize

from catallax.priors.floats import from_order, smallest_float, to_order

__all__ = ["gallop", "root"]

_TIGHT = 4 * np.finfo(np.float64).eps
# In floats: a factor of sixteen.
_FEW_BINADES = 1 << 54


def root(function: Callable[[float], float], below: float, above: float) -> float:
    """Return where a function changes its sign; it may be infinite at an end."""

    def bounded(x: float) -> float:
        return min(max(function(x), -1e300), 1e300)

    below, above = _within_few_binades(bounded, below, above)
    try:
        found = optimize.brentq(bounded, below, above, xtol=5e-324, rtol=_TIGHT)
    except RuntimeError:
        # Over hundreds of orders of magnitude halving an interval leads nowhere, but halving the
        # number of floats in it does.
        sign = 1.0 if bounded(above) > 0 else -1.0
        turned = smallest_float(
            lambda x, _: np.array([sign * bounded(point) >= 0 for point in x.tolist()]),
            *(np.array([end]) for end in (above, below, above)),
        )
        return float(turned[0])
    return float(found)  # pyright: ignore[reportArgumentType]


def _within_few_binades(
    function: Callable[[float], float], below: float, above: float
) -> tuple[float, float]:
    """Return ends between which a function changes its sign, none many times the other.

    Interpolation finds its way from there; from ends hundreds of orders of magnitude apart it
    takes dozens of steps to get to where it works.
    """
    low, high = (int(end) for end in to_order(np.array([below, above])))
    if high - low <= _FEW_BINADES:
        return below, above
    sign = 1.0 if function(above) > 0 else -1.0
    while high - low > _FEW_BINADES:
        middle = (low + high) // 2
        point = float(from_order(np.array([middle]))[0])
        if sign * function(point) >= 0:
            high, above = middle, point
        else:
            low, below = middle, point
    return below, above


def gallop(phi: Callable[[float], float], level: float, origin: float, way: float) -> float:
    """Walk away from a point, doubling, until the level is passed."""
    step = max(abs(origin), 1.0)
    point = origin
    while np.isfinite(point) and way * (phi(point) - level) < 0:
        point = origin + way * step
        step *= 2
    return float(np.clip(point, -1e300, 1e300))
