"""Functions that are polynomials on contiguous cells: densities, tails and expected excesses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.blocks import Block
from catallax.groups.sums.draws.measure import POINTS, Measure, weights_of_runs

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
        half = np.diff(self.ends)[:, None] / 2
        return weights_of_runs(self.ends[:-1], self.ends[1:], half * self.coefficients)


def density_of(block: Block) -> Piecewise:
    """Return the density of a block."""
    ends, own = _masses(block.measure)
    return Piecewise(ends, own / (np.diff(ends)[:, None] / 2), 0.0, 0.0)


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
    ends = np.unique(np.concatenate([measure.low, measure.high]))  # gaps are cells too
    own = np.zeros((ends.size - 1, POINTS))
    own[np.searchsorted(ends, measure.low)] = measure.coefficients
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
