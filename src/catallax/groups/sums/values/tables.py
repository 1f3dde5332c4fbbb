"""The phases of values, and of the ends of an interval, at very many frequencies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.transform import phases
from catallax.groups.sums.values.mixture import Part

__all__ = ["Grid", "Tables", "Total"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# Digits of frequencies; with many values shorter ones. And so many phases are gathered at once.
_BITS, _MANY, _FEW_BITS, _AT_ONCE = 10, 1 << 11, 6, 1 << 17


@dataclass(frozen=True)
class Total:
    """What the interval is, and the frequencies.

    Attributes
    ----------
    step
        Between frequencies.
    places, period
        The interval, and what sums are taken modulo.
    count
        How many frequencies there are in all.
    passed
        What those that are passed over may add, of all of them together.
    """

    step: float
    places: Sequence[float]
    period: float
    count: int
    passed: float


class Grid(NamedTuple):
    """Frequencies, as the kernels take them: one of the first plus one of the second.

    Parameters
    ----------
    rows, columns
        Both, the number of the second a multiple of `LANES`; no frequency where it is NaN.
    heads, tails
        The phases at the first ones times the probabilities, and at the second ones; the real
        and the imaginary parts.
    """

    rows: Array
    columns: Array
    heads: tuple[Array, Array]
    tails: tuple[Array, Array]


class Tables:
    """The phases of all values, and of both ends of an interval, at many frequencies.

    A frequency is written with two digits and a rest; its phases are products of three.

    Parameters
    ----------
    parts
        The draws.
    total
        The interval, and all frequencies.
    """

    def __init__(self, parts: Sequence[Part], total: Total) -> None:
        from catallax.groups.sums.values.kernels_product import LANES

        each = [(one, part.centre) for part in parts for one in part.draws.split()]
        values = np.concatenate([one.atoms - centre for one, centre in each])
        self.total = total
        self.starts = np.cumsum([0, *(one.atoms.size for one, _ in each)])
        self.masses = np.concatenate([*(one.masses for one, _ in each), [1.0, 1.0]])
        ends = [-place / total.period for place in total.places]
        self.turns = np.append(values * (total.step / (2.0 * math.pi)), ends)
        self.digit = 1 << (_BITS if self.turns.size <= _MANY else _FEW_BITS)
        digits = np.arange(self.digit, dtype=np.float64)
        self.low = phases(digits[:, None], self.turns)
        self.high = phases(self.digit * digits[:, None], self.turns)
        lanes = self.low.reshape(-1, LANES, self.turns.size).transpose(0, 2, 1)
        self.tails = _apart(lanes.reshape(lanes.shape[0], -1))
        self.digits = *_apart(self.high), *_apart(self.low)
        self.columns = digits

    @property
    def stretch(self) -> int:
        """How many frequencies share all but two digits."""
        return self.digit * self.digit

    def all(self, start: int, stop: int) -> Grid:
        """Return all frequencies from one to another, and some that follow.

        Parameters
        ----------
        start, stop
            The first one, and the first one that is left out, at most a `stretch` further.
        """
        heads = phases(float(start), self.turns) * self.masses * self.high
        rows = start + self.digit * self.columns[: -(-(stop - start) // self.digit)]
        return Grid(rows, self.columns, _apart(heads), self.tails)

    def some(self, k: Integers) -> Iterator[Grid]:
        """Return some frequencies, not very many at once.

        Parameters
        ----------
        k
            Whole numbers, ascending; what is not a frequency is passed over.
        """
        from catallax.groups.sums.values.kernels_product import LANES, gathered

        k = k[(k >= 0) & (k < self.total.count)]
        most = max(LANES, _AT_ONCE // self.turns.size)
        for stretch in np.unique(k // self.stretch).tolist():
            start = stretch * self.stretch
            inside = k[np.searchsorted(k, start) : np.searchsorted(k, start + self.stretch)] - start
            head = (phases(float(start), self.turns) * self.masses)[None]
            for first in range(0, inside.size, most):
                some = inside[first : first + most]
                groups = -(-some.size // LANES)
                tails = np.empty((2, groups, self.turns.size * LANES))
                tails[:, -1] = 0.0
                gathered(*self.digits, *np.divmod(some, self.digit), *tails)
                columns = np.full(groups * LANES, math.nan)
                columns[: some.size] = some
                yield Grid(np.array([float(start)]), columns, _apart(head), (tails[0], tails[1]))


def _apart(waves: Complex) -> tuple[Array, Array]:
    return np.ascontiguousarray(waves.real), np.ascontiguousarray(waves.imag)
