"""Exact inverses in floating point: the smallest float at which a rising test turns true."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import PriorError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_MAGNITUDE = np.int64(0x7FFF_FFFF_FFFF_FFFF)
_SIGN = np.int64(-0x8000_0000_0000_0000)
# Steps double up to here; a farther guess is left to bisection. Also keeps the sums below 2**63.
_LONGEST_STEP = np.int64(1 << 40)


def elementwise(
    function: Callable[..., FloatArray], *arguments: ArrayLike, what: str = "argument"
) -> FloatArray:
    """Apply a function of one-dimensional arrays to arguments of any common shape.

    Raises
    ------
    PriorError
        An argument is NaN or not a number.
    """
    given = [_floats(argument, what) for argument in arguments]
    if any(np.isnan(array).any() for array in given):
        raise PriorError(f"the {what} is NaN; leave out what is not known")
    if len(given) > 1:
        given = list(np.broadcast_arrays(*given))
    shape = given[0].shape
    # Tails overflow and underflow on purpose.
    with np.errstate(all="ignore"):
        return function(*[array.ravel() for array in given]).reshape(shape)[()]


def _floats(argument: ArrayLike, what: str) -> FloatArray:
    try:
        return np.asarray(argument, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise PriorError(f"the {what} is not a number: {error}") from None


def inverted(
    function: Callable[[FloatArray, BoolArray], FloatArray], level: ArrayLike, strict: ArrayLike
) -> FloatArray:
    """Apply a function of levels, and of whether to exceed them, as `elementwise` does."""
    given = _floats(level, "level")
    try:
        levels, marks = np.broadcast_arrays(given, np.asarray(strict, dtype=bool))
    except ValueError as error:
        raise PriorError(f"a level and its strictness do not fit together: {error}") from None
    beyond = marks.ravel()
    return elementwise(lambda t: function(t, beyond), levels, what="level")


def read_only(array: FloatArray) -> FloatArray:
    """Return a view of an array through which nobody can write."""
    view = array.view()
    view.flags.writeable = False
    return view


def to_order(x: FloatArray) -> IntArray:
    """Return the place of floats in their order: neighbours differ by one, both zeros are 0."""
    bits = np.ascontiguousarray(x, dtype=np.float64).view(np.int64)
    return np.where(bits >= 0, bits, -(bits & _MAGNITUDE))


def from_order(order: IntArray) -> FloatArray:
    """Undo :func:`to_order`."""
    bits = np.where(order >= 0, order, (-order) | _SIGN)
    return np.ascontiguousarray(bits).view(np.float64)


def smallest_float(
    holds: Callable[[FloatArray, IntArray], BoolArray],
    guess: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Find the smallest float in ``[low, high]`` at which a rising test holds.

    The test is only asked inside the interval, and taken to hold at `high`. A guess that is right
    costs two evaluations; the others gallop away from the guess and are then bisected, in units
    of the last place, so that the answer is exact and not merely close.

    Parameters
    ----------
    holds
        ``holds(x, which)`` tests the floats `x`, the candidates for the entries `which`.
    guess, low, high
        Arrays of one length.

    Returns
    -------
    ndarray of float64
        For each entry the smallest float that passes.
    """
    if guess.size == 0:
        return np.empty(0)
    floor, good = to_order(low), to_order(high)
    start = np.clip(to_order(np.where(np.isnan(guess), high, guess)), floor, good)
    bad = floor - 1  # every candidate is above `bad`
    everyone = np.arange(guess.size)
    passed = holds(from_order(start), everyone)
    good = np.where(passed, start, good)
    bad = np.where(passed, bad, start)
    step = np.ones(guess.size, dtype=np.int64)
    which = everyone[good - 1 != bad]
    while which.size:  # gallop: downwards from a guess that held, upwards from one that did not
        near = np.where(
            passed[which],
            np.maximum(good[which] - step[which], floor[which]),
            np.minimum(bad[which] + step[which], good[which] - 1),
        )
        held = holds(from_order(near), which)
        good[which] = np.where(held, near, good[which])
        bad[which] = np.where(held, bad[which], near)
        step[which] *= 2
        turned = held != passed[which]
        which = which[~(turned | (step[which] > _LONGEST_STEP))]
        which = which[good[which] - 1 != bad[which]]
    which = everyone[good - 1 != bad]
    while which.size:
        below, above = bad[which], good[which]
        middle = (below >> 1) + (above >> 1) + (below & above & 1)
        held = holds(from_order(middle), which)
        good[which] = np.where(held, middle, above)
        bad[which] = np.where(held, below, middle)
        which = which[good[which] - 1 != bad[which]]
    return from_order(good)
