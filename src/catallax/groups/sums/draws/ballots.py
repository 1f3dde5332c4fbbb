"""How many votes, and what sum: polynomials in the votes, at many frequencies at once.

A member's vote and value have the transform ``no + yes z^w`` where z marks votes of weight w.
The product over all members holds, for every total of votes, the transform of the sum on that
event. Carried along is what is linear in a second pair of transforms: the terms with exactly one
draw from a density, or expected sums. In the end weights over the frequencies make probabilities of
the transforms, one for each total of votes.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft
from scipy import special

from catallax.groups.sums.draws.transform import powers
from catallax.groups.sums.waiting import tell

__all__ = ["Ballots", "Leaf", "Terms", "added", "product", "size_of", "weigh", "weighted"]

fft: Any = scipy_fft  # its types say nothing

Array = NDArray[np.float64]
Values = NDArray[Any]

_SMALLEST = 1e-300
_FEW = 64
_CELLS = 1 << 21
_NEGLIGIBLE = 1e-17
_ROUNDING = 2.0**-52


@dataclass(frozen=True, eq=False)
class Ballots:
    """Transforms for each total of votes.

    Attributes
    ----------
    first
        The total of votes that column 0 stands for.
    chances
        The probability of each total, shape (totals,).
    mean, variance, widest
        Of the total of votes, and the largest single weight: what is kept of the totals.
    plain
        The transforms, shape (frequencies, totals).
    once
        The terms that are linear in the second pair, of the same shape; None where not wanted.
    """

    first: int
    chances: Array
    mean: float
    variance: float
    widest: int
    plain: Values
    once: Values | None = None

    def trimmed(self) -> Ballots:
        """Leave out totals at both ends that have no probability to speak of (Bernstein)."""
        reach = 15.0 * self.widest + math.sqrt((15.0 * self.widest) ** 2 + 90.0 * self.variance)
        low = max(self.first, math.floor(self.mean - reach))
        high = min(self.first + self.chances.size - 1, math.ceil(self.mean + reach))
        inner = slice(low - self.first, high + 1 - self.first)
        once = None if self.once is None else self.once[:, inner]
        return replace(
            self, first=low, chances=self.chances[inner], plain=self.plain[:, inner], once=once
        )


@dataclass(frozen=True, eq=False)
class Leaf:
    """Members that are alike.

    Attributes
    ----------
    count
        How many.
    weight
        Of the vote of each.
    chance
        The probability that one is in favour.
    no, yes
        The transforms without and with a vote in favour, shape (frequencies,).
    no_once, yes_once
        The second pair, if wanted.
    """

    count: int
    weight: int
    chance: float
    no: Values
    yes: Values
    no_once: Values | None = None
    yes_once: Values | None = None

    def ballots(self) -> Ballots:
        """Return the transforms for each total of their votes."""
        n, w = self.count, self.weight
        if w == 0:
            return self._silent()
        mean, variance = n * self.chance, n * self.chance * (1.0 - self.chance)
        reach = 15.0 + math.sqrt(225.0 + 90.0 * variance)
        low, high = max(0, math.floor(mean - reach)), min(n, math.ceil(mean + reach))
        votes = np.arange(low, high + 1)
        plain = self._terms(n, votes)
        once = None
        if self.no_once is not None and self.yes_once is not None:
            once = n * (
                self.no_once[:, None] * self._terms(n - 1, votes)
                + self.yes_once[:, None] * self._terms(n - 1, votes - 1)
            )
        return Ballots(
            low * w,
            _spread(_binomial(n, self.chance, votes)[None], w)[0],
            w * mean,
            w * w * variance,
            w,
            _spread(plain, w),
            None if once is None else _spread(once, w),
        )

    def _silent(self) -> Ballots:
        """Return a single column for members without a vote."""
        both = self.no + self.yes
        plain = powers(both, self.count)[:, None]
        once = None
        if self.no_once is not None and self.yes_once is not None:
            one = self.count * (self.no_once + self.yes_once)
            once = (one * powers(both, self.count - 1))[:, None]
        return Ballots(0, np.ones(1), 0.0, 0.0, 0, plain, once)

    def _terms(self, n: int, votes: NDArray[np.int64]) -> Values:
        """Return C(n, k) yes^k no^(n - k), by logarithms; nothing for k outside 0..n."""
        inside = (votes >= 0) & (votes <= n)
        k = np.clip(votes, 0, n)
        if n <= _FEW:
            yes, no = _all_powers(self.yes, n), _all_powers(self.no, n)
            terms = special.binom(n, k) * yes[:, k] * no[:, n - k]
        else:
            logs = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
            terms = np.exp(_log(self.yes)[:, None] * k + _log(self.no)[:, None] * (n - k) + logs)
            terms = terms.real if np.isrealobj(self.yes) else terms
        return np.where(inside, terms, 0.0)


def _all_powers(base: Values, most: int) -> Values:
    """Return the powers 0, ..., most, shape (frequencies, most + 1)."""
    table = np.ones((base.size, max(most, 0) + 1), dtype=base.dtype)
    for exponent in range(1, most + 1):
        table[:, exponent] = table[:, exponent - 1] * base
    return table


def _binomial(n: int, chance: float, votes: NDArray[np.int64]) -> Array:
    if chance <= 0 or chance >= 1:
        return (votes == (0 if chance <= 0 else n)).astype(np.float64)
    logs = special.gammaln(n + 1) - special.gammaln(votes + 1) - special.gammaln(n - votes + 1)
    return np.exp(logs + votes * np.log(chance) + (n - votes) * np.log1p(-chance))


def _log(values: Values) -> Values:
    safe = np.where(np.abs(values) < _SMALLEST, _SMALLEST, values)
    return np.log(safe.astype(np.complex128))


def _spread(columns: Values, weight: int) -> Values:
    """Put votes of a weight at multiples of it."""
    if weight == 1:
        return columns
    out = np.zeros((columns.shape[0], (columns.shape[1] - 1) * weight + 1), dtype=columns.dtype)
    out[:, ::weight] = columns
    return out


def product(leaves: Sequence[Leaf]) -> Ballots:
    """Multiply the transforms of all members, the smallest factors first.

    Parameters
    ----------
    leaves
        At least one; all with the second pair, or all without.

    Returns
    -------
    Ballots
        For each total of votes.
    """
    heap = []
    for position, leaf in enumerate(leaves):
        ballots = leaf.ballots()
        heap.append((ballots.chances.size, position, ballots))
    heapq.heapify(heap)
    position = len(heap)
    while len(heap) > 1:
        _, _, a = heapq.heappop(heap)
        _, _, b = heapq.heappop(heap)
        both = _multiplied(a, b).trimmed()
        heapq.heappush(heap, (both.chances.size, position, both))
        position += 1
    return heap[0][2]


def _multiplied(a: Ballots, b: Ballots) -> Ballots:
    once = None
    if a.once is not None and b.once is not None:
        once = _convolved(a.plain, b.once) + _convolved(a.once, b.plain)
    chances = np.maximum(_convolved(a.chances[None], b.chances[None])[0].real, 0.0)
    return Ballots(
        a.first + b.first,
        chances,
        a.mean + b.mean,
        a.variance + b.variance,
        max(a.widest, b.widest),
        _convolved(a.plain, b.plain),
        once,
    )


def _convolved(a: Values, b: Values) -> Values:
    """Multiply polynomials row by row; directly if one of them has few terms."""
    if a.shape[1] > b.shape[1]:
        a, b = b, a
    length = a.shape[1] + b.shape[1] - 1
    terms = np.flatnonzero(np.abs(a).max(axis=0) > 0)
    if terms.size <= 24:
        out = np.zeros((b.shape[0], length), dtype=np.result_type(a, b))
        for term in terms:
            out[:, term : term + b.shape[1]] += a[:, term, None] * b
        return out
    size = fft.next_fast_len(length, real=np.isrealobj(a) and np.isrealobj(b))
    if np.isrealobj(a) and np.isrealobj(b):
        joined = fft.rfft(a, size, axis=1) * fft.rfft(b, size, axis=1)
        return fft.irfft(joined, size, axis=1)[:, :length]
    joined = fft.fft(a, size, axis=1) * fft.fft(b, size, axis=1)
    return fft.ifft(joined, size, axis=1)[:, :length]


# ------------------------------------------------------------------------- summed over frequencies


@dataclass(frozen=True, eq=False)
class Terms:
    """One number for each total of votes.

    Attributes
    ----------
    first
        The total of votes that the first number stands for.
    values
        The numbers.
    error
        Bounds the error of every sum of them.
    """

    first: int
    values: Array
    error: float


def added(found: Sequence[Terms]) -> Terms:
    """Add up terms, each to those of the same total of votes."""
    if not found:
        return Terms(0, np.zeros(1), 0.0)
    first = min(one.first for one in found)
    values = np.zeros(max(one.first + one.values.size for one in found) - first)
    for one in found:
        values[one.first - first : one.first - first + one.values.size] += one.values
    return Terms(first, values, math.fsum(one.error for one in found))


def weighted(line: Array, weight: int) -> Array:
    """Turn numbers for how many are in favour into numbers for the votes that those cast."""
    spread = np.zeros((line.size - 1) * weight + 1)
    np.add.at(spread, np.arange(line.size) * weight, line)
    return spread


def size_of(leaves: Sequence[Leaf]) -> tuple[Array, Array | None]:
    """Bound the product of all transforms, and its linear terms, at each frequency."""
    bare = [
        replace(
            leaf,
            weight=0,
            no=np.abs(leaf.no),
            yes=np.abs(leaf.yes),
            no_once=None if leaf.no_once is None else np.abs(leaf.no_once),
            yes_once=None if leaf.yes_once is None else np.abs(leaf.yes_once),
        )
        for leaf in leaves
    ]
    whole = product(bare)
    return whole.plain[:, 0], None if whole.once is None else whole.once[:, 0]


def weigh(
    leaves: Sequence[Leaf], plain: Values, once: Values | None = None, *, aloud: bool = False
) -> Terms:
    """Add up, over all frequencies, weights times the transforms for each total of votes.

    Parameters
    ----------
    leaves
        The members.
    plain
        Weights of the product, shape (frequencies,).
    once
        Weights of its linear terms; none if left out.
    aloud
        Whether to say how far this is, to whoever waits.

    Returns
    -------
    Terms
        The real parts. Frequencies at which nothing is left are passed over; the error says what
        that and rounding come to.
    """
    size, size_once = size_of(leaves)
    reach = np.abs(plain) * size
    if once is not None and size_once is not None:
        reach = reach + np.abs(once) * size_once
    kept = np.flatnonzero(reach > _NEGLIGIBLE / reach.size)
    dropped = float(reach.sum() - reach[kept].sum())
    members = sum(leaf.count for leaf in leaves)
    error = dropped + _ROUNDING * (members + 32) * float(reach[kept].sum())
    if not kept.size:
        return Terms(0, np.zeros(1), error)
    length = 1 + sum(leaf.count * leaf.weight for leaf in leaves)
    rows = max(1, min(kept.size, _CELLS // min(length, 4096)))
    first, values = 0, np.zeros(1)
    for start in range(0, kept.size, rows):
        if aloud and start:
            tell(start / kept.size, "summing frequencies")
        some = kept[start : start + rows]
        ballots = product([_at(leaf, some) for leaf in leaves])
        found = np.real(plain[some] @ ballots.plain)
        if once is not None and ballots.once is not None:
            found = found + np.real(once[some] @ ballots.once)
        first, values = ballots.first, (found if start == 0 else values + found)
    return Terms(first, values, error)


def _at(leaf: Leaf, which: NDArray[np.int64]) -> Leaf:
    return replace(
        leaf,
        no=leaf.no[which],
        yes=leaf.yes[which],
        no_once=None if leaf.no_once is None else leaf.no_once[which],
        yes_once=None if leaf.yes_once is None else leaf.yes_once[which],
    )
