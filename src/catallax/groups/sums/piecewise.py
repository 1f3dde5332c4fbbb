"""Functions that are polynomials on contiguous cells: densities, tails and expected excesses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.blocks import Block
from catallax.groups.sums.measure import CUBICS, POINTS, SPOTS, Measure

__all__ = ["Piecewise", "density_of", "overshoots_of", "tail_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Piecewise:
    """A function that is a polynomial on contiguous cells, and constant beyond them."""

    ends: Array
    coefficients: Array
    below: float
    above: float

    @cached_property
    def few(self) -> Array:
        """Weights that integrate cubic polynomials times the function, for runs of cells."""
        from catallax.groups.sums.kernels import merged

        few = np.diff(self.ends)[:, None] / 2 * (self.coefficients[:, :4] @ CUBICS)
        return np.asarray(merged(self.ends[:-1], self.ends[1:], few, SPOTS))


def _contiguous(measure: Measure) -> tuple[Array, NDArray[np.int64]]:
    """Return the ends of all cells, the gaps between them too, and which cell each is (or -1)."""
    ends = np.unique(np.concatenate([measure.low, measure.high]))
    which = np.full(ends.size - 1, -1, dtype=np.int64)
    which[np.searchsorted(ends, measure.low)] = np.arange(measure.low.size)
    return ends, which


def density_of(block: Block) -> Piecewise:
    """Return the density of a block."""
    ends, which = _contiguous(block.measure)
    inside = which >= 0
    coefficients = np.zeros((which.size, POINTS))
    half = np.diff(ends) / 2
    coefficients[inside] = block.measure.coefficients[which[inside]] / half[inside, None]
    return Piecewise(ends, coefficients, 0.0, 0.0)


def tail_of(block: Block) -> Piecewise:
    """Return the probability that a value is at least y, as a function of y."""
    ends, own = _masses(block.measure)
    coefficients = _to_the_end(own)
    return Piecewise(ends, coefficients, float(2.0 * own[:, 0].sum()), 0.0)


def overshoots_of(block: Block, room: float) -> Piecewise:
    """Return E[max(value - y, 0)] as a function of y, down to so far below the block."""
    ends, own = _masses(block.measure)
    own = np.concatenate([np.zeros((1, POINTS)), own])
    ends = np.append(ends[0] - room, ends)
    half = np.diff(ends) / 2
    return Piecewise(ends, _to_the_end(half[:, None] * _to_the_end(own)), 0.0, 0.0)


def _masses(measure: Measure) -> tuple[Array, Array]:
    """Return the ends of contiguous cells, and the coefficients of the measure on each."""
    ends, which = _contiguous(measure)
    inside = which >= 0
    own = np.zeros((which.size, measure.coefficients.shape[1]))
    own[inside] = measure.coefficients[which[inside]]
    return ends, own


def _to_the_end(own: Array) -> Array:
    """Return the integrals from y to the last end as functions of y, of one degree more.

    Parameters
    ----------
    own
        Legendre coefficients on contiguous cells, times half the width of each.
    """
    masses, terms = 2.0 * own[:, 0], own.shape[1]
    above = np.append(np.cumsum(masses[::-1])[::-1], 0.0)
    # The integral of a Legendre polynomial from s to 1.
    coefficients = np.zeros((own.shape[0], terms + 1))
    coefficients[:, 0] = above[1:] + own[:, 0]
    coefficients[:, 1] -= own[:, 0]
    for degree in range(1, terms):
        part = own[:, degree] / (2 * degree + 1)
        coefficients[:, degree - 1] += part
        coefficients[:, degree + 1] -= part
    return coefficients
