"""Values on a common lattice: the step they share, and sums of them as whole numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from catallax.groups.sums.draws.bounds import Draws, window
from catallax.groups.sums.draws.measure import TIE, Measure

__all__ = ["Lattice", "common_step", "lattice_of"]

fft: Any = scipy_fft  # its types say nothing

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Complex = NDArray[np.complex128]

MOST_POINTS = 1 << 23
"""Sums of values are put on a lattice of at most so many points."""
_WHOLE = 1 << 14
_NEGLIGIBLE = 1e-16
_DIGITS = 9
# So much of a step values may be off it.
_COARSE = 2.0**-7
_ROUNDING = 2.0**-52


def common_step(values: Sequence[Array], most: float = MOST_POINTS) -> float | None:
    """Return the largest step such that each list of values lies on a lattice of that step.

    Each list has a lattice of its own, through its first value; only differences count.

    Parameters
    ----------
    values
        Ascending values of several priors.
    most
        A step that divides the largest difference into more parts than this does not count.

    Returns
    -------
    float or None
        The step; 1 where all lists have a single value.

    Examples
    --------
    >>> common_step([np.array([0.1, 0.4]), np.array([5.0, 5.25])])
    0.05
    >>> common_step([np.array([0.0, 1.0, 2.0**0.5])]) is None
    True
    """
    apart = [one - one[0] for one in values if one.size > 1]
    differences = np.unique(np.concatenate(apart)) if apart else np.empty(0)
    differences = differences[differences > 0]
    if not differences.size:
        return 1.0
    largest = float(differences[-1])
    slack = 8.0 * _ROUNDING * max(float(np.abs(one).max()) for one in values if one.size)
    for digits in range(_DIGITS + 1):
        if slack * 10.0**digits > _COARSE:
            break  # so fine a step any differences would share
        scaled = differences * 10.0**digits
        whole = np.rint(scaled)
        if (np.abs(scaled - whole) <= slack * 10.0**digits).all() and whole[0] > 0:
            shared = int(np.gcd.reduce(whole.astype(np.int64)))
            parts = int(whole[-1]) // shared
            return shared / 10.0**digits if parts <= most else None
    step = _shared(differences, slack * 64)
    if step is None or largest / step > most:
        return None
    # No value may be farther off than a draw is from a tie.
    off = np.abs(differences - step * np.rint(differences / step))
    return step if (off <= slack * 4).all() else None


def _shared(differences: Array, slack: float) -> float | None:
    """Euclid's algorithm on numbers that are rounded."""
    step = float(differences[0])
    for difference in differences[1:]:
        a, b = float(difference), step
        while b > slack:
            a, b = b, abs(a - round(a / b) * b)
        step = a
        if step <= slack * 1e3:
            return None
    # Told from the largest difference the step is the most accurate.
    return float(differences[-1]) / round(float(differences[-1]) / step)


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the sum of the atoms of some draws lies: ``origin + step s`` for whole s.

    Attributes
    ----------
    step
        The distance of neighbours.
    starts
        For each kind of draw the value at whole number 0.
    origin
        The sum of all draws at whole number 0.
    first, last
        The whole numbers that are kept; the rest has a probability of at most 1e-16.
    points
        The length of the transform, more than are kept.
    slack
        What differs from a total by no more than that, and the total's own rounding, reaches it.
    """

    step: float
    starts: tuple[float, ...]
    origin: float
    first: int
    last: int
    points: int
    slack: float

    @property
    def error(self) -> float:
        """What is not kept."""
        return _NEGLIGIBLE

    @property
    def frequencies(self) -> int:
        """How many frequencies a real law has."""
        return self.points // 2 + 1

    @property
    def folds(self) -> Array:
        """How often each frequency counts, shape (frequencies,)."""
        folds = np.full(self.frequencies, 2.0)
        folds[0] = 1.0
        if self.points % 2 == 0:
            folds[-1] = 1.0
        return folds

    def whole(self, values: Array, kind: int) -> Integers:
        """Return values of one kind of draw as whole numbers."""
        return np.rint((values - self.starts[kind]) / self.step).astype(np.int64)

    def transform(self, measure: Measure, kind: int) -> Complex:
        """Return E[exp(i u s)] of the atoms at all frequencies."""
        numbers = self.whole(measure.atoms, kind)
        if numbers.size * self.frequencies <= 1 << 22:
            turns = np.outer(np.arange(self.frequencies), numbers) % self.points
            return np.exp(2j * math.pi / self.points * turns) @ measure.masses.astype(complex)
        line = np.bincount(numbers % self.points, weights=measure.masses, minlength=self.points)
        return np.conj(fft.rfft(line))

    def transform_at(self, measure: Measure, kind: int, frequencies: Integers) -> Complex:
        """Return what `transform` does at some frequencies."""
        turns = np.outer(frequencies, self.whole(measure.atoms, kind)) % self.points
        return np.exp(2j * math.pi / self.points * turns) @ measure.masses.astype(complex)

    def least(self, total: float) -> int:
        """Return the smallest whole number whose sum reaches a total, up to a rounding."""
        exact = (total - self.origin) / self.step
        near = round(exact)
        slack = (self.slack + TIE * abs(total)) / self.step
        return near if abs(exact - near) <= slack else math.ceil(exact)

    def tail(self, total: float) -> Complex:
        """Return weights k with P(sum >= total) = Re sum(k * transform)."""
        start = min(max(self.least(total), self.first), self.last + 1)
        length = self.last + 1 - start
        turns = np.arange(self.frequencies)
        half = math.pi / self.points
        weights = np.empty(self.frequencies, dtype=np.complex128)
        weights[0] = length
        if self.frequencies > 1:
            wave = (turns[1:] * (start + self.last)) % (2 * self.points)
            above = (turns[1:] * length) % (2 * self.points)
            weights[1:] = (
                np.exp(-1j * half * wave) * np.sin(half * above) / np.sin(half * turns[1:])
            )
        return weights * self.folds / self.points

    def pairing(self, values: Array) -> Complex:
        """Return weights k with E[f(sum)] = Re sum(k * transform), from f at the kept numbers."""
        line = np.zeros(self.points)
        line[np.arange(self.first, self.last + 1) % self.points] = values
        return fft.rfft(line) * self.folds / self.points

    def sums(self) -> Array:
        """Return the sums that are kept, ascending."""
        return self.origin + self.step * np.arange(self.first, self.last + 1, dtype=np.float64)

    def law(self, transform: Complex) -> Array:
        """Return the probabilities of the kept sums from their transform."""
        line = fft.irfft(np.conj(transform), self.points)
        return np.maximum(line[np.arange(self.first, self.last + 1) % self.points], 0.0)


def lattice_of(draws: Sequence[Draws]) -> Lattice | None:
    """Return the lattice on which the atoms of draws and their sums lie.

    Parameters
    ----------
    draws
        Draws; their densities are ignored.

    Returns
    -------
    Lattice or None
        None if there is none, or it has too many points.
    """
    atoms = [one.measure.atoms for one in draws]
    step = common_step(atoms)
    if step is None:
        return None
    starts = tuple(float(one[0]) if one.size else 0.0 for one in atoms)
    spans = [round((float(one[-1]) - float(one[0])) / step) if one.size else 0 for one in atoms]
    counts = [one.count for one in draws]
    origin = math.fsum(count * start for count, start in zip(counts, starts, strict=True))
    first, last = 0, sum(count * span for count, span in zip(counts, spans, strict=True))
    if last + 1 > _WHOLE:
        kept = [
            replace(one, measure=_only_atoms(one.measure))
            for one in draws
            if one.measure.atoms.size
        ]
        low, high = window(kept, _NEGLIGIBLE)
        # One draw fewer must fit in as well.
        low -= max(spans) * step
        inner = origin - math.fsum(
            count * start
            for count, start, one in zip(counts, starts, atoms, strict=True)
            if not one.size
        )
        first = max(first, math.floor((low - inner) / step))
        last = min(last, math.ceil((high - inner) / step))
    if last - first + 1 > MOST_POINTS:
        return None
    points = fft.next_fast_len(last - first + 2, real=True)
    extents = [float(np.abs(one).max(initial=0.0)) for one in atoms]
    slack = TIE * math.fsum(n * most for n, most in zip(counts, extents, strict=True))
    return Lattice(step, starts, origin, first, last, points, slack)


def _only_atoms(measure: Measure) -> Measure:
    """Return the atoms as a law of their own."""
    none = measure.restricted(math.inf)
    return Measure(
        measure.atoms,
        measure.masses / measure.atom_mass,
        none.low,
        none.high,
        none.coefficients,
        none.layer,
    )
