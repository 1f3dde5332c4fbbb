"""Priors seen from the side where agents trade, and how far the least of many draws reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact.integrals import (
    GAUSS,
    KRONROD,
    POINTS,
    tail_of,
)
from catallax.estimate.exact.sides import marks_of

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["FAINT", "Array", "Law", "cells_of", "in_chunks", "logs_of", "steps_of"]

Array = NDArray[np.float64]
_CHUNK = 64
# Terms of less probability than this are left out.
FAINT = 1e-22
# Where the integrals over one variable inside another are cut, in units of the decay of the
# slowest term; beyond the last everything is below 1e-26.
_STEPS = np.append(2.0 ** np.arange(-2, 6), 60.0)
# Of few draws, which may come from a tail that is a power, more finely.
_FINE_STEPS = np.concatenate(
    [[0.25, 0.5], np.arange(1.0, 8.0), np.arange(8.0, 20.0, 2.0), np.arange(20.0, 61.0, 4.0)]
)
_FEW = 8


@dataclass(frozen=True, eq=False)
class Law:
    """A prior seen from the side where its agents trade: values, or costs with a minus sign."""

    prior: Prior
    sign: int

    def beyond(self, x: Array) -> Array:
        """Return the probability of more than x."""
        return self.prior.sf(x) if self.sign > 0 else self.prior.probability_below(0.0 - x)

    def within(self, x: Array) -> Array:
        """Return the probability of at most x."""
        return self.prior.cdf(x) if self.sign > 0 else self.prior.probability_at_least(0.0 - x)

    def density(self, x: Array) -> Array:
        """Return the density; 0 next to a pole, where its integral says nothing."""
        height = self.prior.density(self.sign * x)
        return np.where(np.isfinite(height), height, 0.0)

    def where_beyond(self, chance: Array) -> Array:
        """Return where the probability of more falls to a chance."""
        with np.errstate(all="ignore"):
            if self.sign > 0:
                return self.prior._upper_quantile(chance.ravel()).reshape(chance.shape)
            return 0.0 - self.prior._quantile(chance.ravel()).reshape(chance.shape)

    def where_within(self, chance: Array) -> Array:
        """Return where the probability of at most that is a chance."""
        return 0.0 - Law(self.prior, -self.sign).where_beyond(chance)

    @cached_property
    def marks(self) -> Array:
        """Where smooth pieces end, ascending."""
        return np.unique(self.sign * marks_of(self.prior))

    def excess(self, z: Array, powers: Array) -> tuple[Array, Array]:
        """Return by how much the least of some draws above z exceeds it on average.

        Parameters
        ----------
        z
            Shape (points,).
        powers
            How many draws; ascending, shape (powers,).

        Returns
        -------
        tuple of ndarray
            The excess and bounds on its error, shapes (points, powers).
        """
        left = np.maximum(self.beyond(z), 1e-300)
        first, last = powers[0], powers[-1]
        steps = steps_of(first, last)
        cuts = self.where_beyond(left[:, None] * np.exp(-steps / first)) - z[:, None]
        farthest = cuts[:, -1:]
        marks = np.clip(self.marks - z[:, None], 0.0, farthest)
        d, fine, coarse = cells_of(np.concatenate([cuts, marks], axis=1))
        ratio = self.beyond((z[:, None] + d).ravel()).reshape(d.shape) / left[:, None]
        found, error = powers_of(ratio, powers, fine, coarse)
        if first == 1:  # in a heavy tail one draw alone may lie beyond all cuts
            tail = tail_of(self.prior, self.sign)
            found[:, 0] = tail(self.sign * z) / left
            error[:, 0] = tail.error(self.sign * z) / left
        return found, error


def steps_of(fewest: float, most: float) -> Array:
    """Return where to cut integrals of powers, in units of the decay of the lowest."""
    steps = _FINE_STEPS if fewest <= _FEW else _STEPS
    halvings = np.arange(np.ceil(np.log2(most / fewest)), 0, -1)
    return np.append(steps[0] * 2.0**-halvings, steps)


def cells_of(cuts: Array) -> tuple[Array, Array, Array]:
    """Return points between 0 and the cuts of each row, with weights of two rules."""
    reach = np.nan_to_num(np.maximum(cuts, 0.0), nan=0.0, posinf=0.0)
    edges = np.sort(np.concatenate([np.zeros((len(reach), 1)), reach], axis=1), axis=1)
    half = np.diff(edges, axis=1)[:, :, None] / 2
    points = edges[:, :-1, None] + half * (1.0 + POINTS)
    shape = (len(reach), -1)
    return (
        points.reshape(shape),
        (half * KRONROD).reshape(shape),
        (half * GAUSS).reshape(shape),
    )


def powers_of(base: Array, powers: Array, fine: Array, coarse: Array) -> tuple[Array, Array]:
    """Integrate powers of a function; shapes (points, powers)."""
    raised = np.exp(logs_of(base)[:, :, None] * powers)
    found = np.einsum("pdk,pd->pk", raised, fine)
    return found, np.abs(found - np.einsum("pdk,pd->pk", raised, coarse))


def in_chunks(rows: Callable[[Array], Array], points: Array) -> Array:
    """Apply a function to neighbouring points at a time."""
    order = np.argsort(points, kind="stable")
    parts = [rows(points[order[k : k + _CHUNK]]) for k in range(0, points.size, _CHUNK)]
    out = np.empty((len(parts[0]), points.size))
    out[:, order] = np.concatenate(parts, axis=1)
    return out


def logs_of(ratio: Array) -> Array:
    """Return logarithms of probabilities, finite also where there is none."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(np.clip(ratio, 0.0, 1.0)), -1e4)
