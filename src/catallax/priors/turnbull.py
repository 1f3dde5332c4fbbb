"""Maximum likelihood for interval-censored answers, with a certificate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize

from catallax.errors import PriorError
from catallax.priors.floats import FloatArray, IntArray

__all__ = ["Turnbull", "turnbull"]

_GAP = 1e-9
_ROUNDS = 500


class Turnbull(NamedTuple):
    """A maximum likelihood distribution over innermost intervals.

    Parameters
    ----------
    low, high
        The innermost intervals ``[low, high)``, ascending.
    probabilities
        The mass of each.
    gap
        The log likelihood per unit of weight is within this of the largest possible one.
    """

    low: FloatArray
    high: FloatArray
    probabilities: FloatArray
    gap: float


def turnbull(low: FloatArray, high: FloatArray, weights: FloatArray) -> Turnbull:
    """Maximise the likelihood of answers ``low <= value < high``.

    The likelihood is concave in the probabilities. Rounds of quadratic programs over a growing
    support (Wang's constrained Newton method) alternate with self-consistency steps, until the
    Karush-Kuhn-Tucker conditions bound what is left to gain by 1e-9.

    Parameters
    ----------
    low, high, weights
        The answers.

    Returns
    -------
    Turnbull
        The distribution.

    Raises
    ------
    PriorError
        The bound was not reached.

    Examples
    --------
    >>> import numpy as np
    >>> fit = turnbull(np.array([0.0, 1.0]), np.array([2.0, 3.0]), np.ones(2))
    >>> fit.low.tolist(), fit.high.tolist(), fit.probabilities.tolist()
    ([1.0], [2.0], [1.0])
    """
    kept = weights > 0
    low, high, weights = low[kept], high[kept], weights[kept] / weights[kept].sum()
    left, right = _innermost(low, high)
    first = np.searchsorted(left, low, side="left")
    last = np.searchsorted(left, high, side="left")  # innermost intervals [first, last)
    ranges, which = np.unique(np.stack([first, last], axis=1), axis=0, return_inverse=True)
    weights = np.bincount(which.ravel(), weights=weights).astype(np.float64)
    chances = np.full(left.size, 1.0 / left.size)
    gap = np.inf
    for _ in range(_ROUNDS):
        slope = _slope(chances, ranges, weights)
        gap = float(slope.max() - 1.0)
        if gap <= _GAP:
            return Turnbull(left, right, chances, max(gap, 0.0))
        chances = chances * slope  # self-consistency: never lowers the likelihood
        chances = _newton(chances / chances.sum(), ranges, weights)
    raise PriorError(
        f"the likelihood of the intervals is within {gap:.1e} of its maximum, not {_GAP:.0e}; "
        "round the ends or merge rare answers"
    )


def _innermost(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the intervals from a lower end to the next end, where that is an upper one."""
    lows, highs = np.unique(low), np.unique(high)
    following = highs[np.searchsorted(highs, lows, side="right")]
    lower = np.append(lows[1:], np.inf)
    # Another lower end at or before the next upper end: at a tie [., x) ends before [x, .) starts.
    inner = (lower >= following) | (following == np.inf) & (lower == np.inf)
    return lows[inner], following[inner]


def _probability(chances: FloatArray, ranges: IntArray) -> FloatArray:
    sums = np.append(0.0, np.cumsum(chances))
    return sums[ranges[:, 1]] - sums[ranges[:, 0]]


def _slope(chances: FloatArray, ranges: IntArray, weights: FloatArray) -> FloatArray:
    """Return the derivative of the log likelihood; at most 1 everywhere at the maximum."""
    share = weights / np.maximum(_probability(chances, ranges), 1e-300)
    jumps = np.zeros(chances.size + 1)
    np.add.at(jumps, ranges[:, 0], share)
    np.add.at(jumps, ranges[:, 1], -share)
    return np.cumsum(jumps)[:-1]


def _newton(chances: FloatArray, ranges: IntArray, weights: FloatArray) -> FloatArray:
    """Solve the quadratic program around the present point, and go as far as it pays."""
    slope = _slope(chances, ranges, weights)
    padded = np.concatenate([[-np.inf], slope, [-np.inf]])
    peaks = (slope >= padded[:-2]) & (slope >= padded[2:]) & (slope > 1.0)
    support = np.flatnonzero((chances > 1e-14) | peaks)
    root = np.sqrt(weights)
    now = _probability(chances, ranges)
    covers = (ranges[:, :1] <= support) & (support < ranges[:, 1:])
    matrix = covers * (root / now)[:, None]
    # The row of ones keeps the sum at 1; scaled so that it binds without spoiling the rest.
    heavy = 1e3
    system = np.vstack([matrix, np.full(support.size, heavy)])
    target = np.append(2.0 * root, heavy)
    try:
        solved, _ = optimize.nnls(system, target, maxiter=50 * support.size + 100)
    except RuntimeError:
        return chances
    if solved.sum() <= 0:
        return chances
    proposal = np.zeros_like(chances)
    proposal[support] = solved / solved.sum()
    present = float(np.dot(weights, np.log(now)))
    step = 1.0
    while step > 1e-10:
        trial = (1.0 - step) * chances + step * proposal
        reached = _probability(trial, ranges)
        if (reached > 0).all() and float(np.dot(weights, np.log(reached))) > present:
            return trial
        step /= 2
    return chances
