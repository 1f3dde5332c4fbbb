"""How often each of some values is drawn: all ways, and two lists of sums matched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.compiled import compiled

__all__ = ["extended", "lengths", "matched", "multiplied"]

Array = NDArray[np.float64]
Short = NDArray[np.float32]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]


@compiled
def extended(
    left: Integers,
    votes: Integers,
    sums: Array,
    logs: Array,
    value: float,
    vote: int,
    log: float,
    log_tail: float,
    factorials: Array,
    least: float,
    out_left: Integers,
    out_votes: Integers,
    out_sums: Array,
    out_logs: Array,
) -> int:
    """Let each way to draw the values so far draw the next one any number of times.

    Returns how many ways there are; with arrays of that length for them they are written down.
    Passed over is what has, with all its continuations together, a probability whose logarithm
    is below `least`.
    """
    filled = 0
    share = 1.0 / (1.0 + np.exp(min(log_tail - log, 700.0)))
    for state in range(left.size):
        rest = left[state]
        # Probabilities rise up to about here, and fall from here on.
        start = min(int((rest + 1) * share), rest)
        for step in (-1, 1):
            times = start if step < 0 else start + 1
            while 0 <= times <= rest:
                chance = logs[state] + times * log - factorials[times]
                missing = rest - times
                after = -factorials[missing]
                if missing > 0:
                    after += missing * log_tail
                if chance + after < least:
                    break
                if out_left.size:
                    out_left[filled] = missing
                    out_votes[filled] = votes[state] + times * vote
                    out_sums[filled] = sums[state] + times * value
                    out_logs[filled] = chance
                filled += 1
                times += step
    return filled


@compiled
def matched(first: Array, masses: Array, second: Array, tails: Array, total: float) -> float:
    """Return the probability that two sums, each from an ascending list, reach a total."""
    found, carry = 0.0, 0.0
    at = second.size
    for k in range(first.size):
        while at > 0 and first[k] + second[at - 1] >= total:
            at -= 1
        # Kahan's sum: there may be millions of them.
        more = masses[k] * tails[at] - carry
        after = found + more
        carry = (after - found) - more
        found = after
    return found


@compiled
def _one_row(
    first: Array, first_i: Array, second: Array, second_i: Array, real: Array, imag: Array
) -> None:
    """Write down the product of a complex row and a matrix."""
    real[:] = 0.0
    imag[:] = 0.0
    for k in range(first.size):
        a, b = first[k], first_i[k]
        for c in range(real.size):
            real[c] += a * second[k, c] - b * second_i[k, c]
            imag[c] += a * second_i[k, c] + b * second[k, c]


@compiled
def lengths(first: Short, first_i: Short, second: Short, second_i: Short) -> Short:
    """Return the absolute values of what `multiplied` does, from short numbers."""
    rows, columns = first.shape[0], second.shape[1]
    found = np.empty((rows, columns), dtype=np.float32)
    real, imag = np.empty(columns, dtype=np.float32), np.empty(columns, dtype=np.float32)
    for r in range(rows):
        _one_row(first[r], first_i[r], second, second_i, real, imag)
        for c in range(columns):
            found[r, c] = np.sqrt(real[c] * real[c] + imag[c] * imag[c])
    return found


@compiled
def multiplied(first: Array, first_i: Array, second: Array, second_i: Array) -> Complex:
    """Return the product of two complex matrices, given as real and imaginary parts."""
    rows, columns = first.shape[0], second.shape[1]
    found = np.empty((rows, columns), dtype=np.complex128)
    real, imag = np.empty(columns), np.empty(columns)
    for r in range(rows):
        _one_row(first[r], first_i[r], second, second_i, real, imag)
        for c in range(columns):
            found[r, c] = complex(real[c], imag[c])
    return found
