"""Members of one kind whose draws are from two heaps of values: compiled sums over frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from catallax.groups.sums.draws.ballots import Terms, weighted
from catallax.groups.sums.values.mixture import Mixture

__all__ = ["Ends", "Found", "Tally", "tally_of"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]

# With more draws from the second heap their binomial coefficients would be too large.
_MOST_OTHERS = 512
# All but so much is looked at, and where less matters all but the next larger one.
_OUTSIDES = np.exp2(-np.arange(54.0))
_RUN = 1024
_ROUNDING = 2.0**-52


@dataclass(frozen=True, eq=False)
class Ends:
    """Frequencies, and the interval there.

    Attributes
    ----------
    k
        Whole numbers; those below 0 are passed over.
    near, far
        The phases of the ends of the interval.
    share
        The interval's part of the period.
    count
        How many frequencies there are in all.
    """

    k: Array
    near: Complex
    far: Complex
    share: float
    count: int


@dataclass(frozen=True, eq=False)
class Found:
    """What was added up.

    Attributes
    ----------
    terms
        For each total of votes; the error is that of rounding and of what was passed over.
    beside
        What lies next to both ends.
    work
        How many products that took.
    """

    terms: Terms
    beside: float
    work: float


@dataclass(frozen=True, eq=False)
class Tally:
    """A mixture of one kind of members, as the kernel takes it.

    Attributes
    ----------
    members, weight
        How many members, and the weight of the vote of each.
    chances
        The probability that d draws are from the second heap, for d = 0, 1, ...
    parts
        The probabilities of no vote and of a vote, from the first heap and from the second one.
    lows, highs, usual
        Which numbers of votes of draws from the first heap are likely, for each d and all but a
        probability of 2^-bits, and how likely.
    ways
        Binomial coefficients.
    """

    members: int
    weight: int
    chances: Array
    parts: Array
    lows: Integers
    highs: Integers
    usual: Array
    ways: Array

    def sizes(self, each: Sequence[Array]) -> Array:
        """Bound the transform of the sum by bounds of those of the parts' draws."""
        from catallax.groups.sums.values.kernels_tally import sizes

        first = each[0]
        second = each[1] if len(each) > 1 else np.zeros(first.size)
        return np.asarray(sizes(self.members, self.chances, first, second))

    def added(self, each: Sequence[Sequence[Complex]], ends: Ends, passed: float) -> Found:
        """Add up Vaaler's weights times the transforms, for each number of votes.

        Parameters
        ----------
        each
            The transforms of the parts' draws, without and with a vote.
        ends
            The frequencies, and the interval.
        passed
            Frequencies that add no more than this are passed over.
        """
        from catallax.groups.sums.values.kernels_tally import tallied

        nothing = np.zeros(ends.k.size, dtype=np.complex128)
        second = each[1] if len(each) > 1 else (nothing, nothing)
        line, sums = np.zeros(self.members + 1), np.zeros(4)
        tallied(
            ends.k, ends.near, ends.far, ends.share, ends.count, passed, self.members,
            self.chances, *each[0], *second, self.parts, self.lows, self.highs,
            self.usual, self.ways, line, sums,
        )  # fmt: skip
        # Phases, products of so many, binomial coefficients by logarithms, and a run added up.
        steps = 132 * self.members + 16 * float(special.gammaln(self.members + 1.0)) + 3 * _RUN
        # All weights of frequencies up to 2^30 come to less than 64, and so much is left out.
        error = float(sums[1] + _ROUNDING * steps * sums[2]) + 64 * float(_OUTSIDES[-1])
        return Found(Terms(0, weighted(line, self.weight), error), float(sums[0]), float(sums[3]))


def tally_of(mixture: Mixture) -> Tally | None:
    """Return what the kernel takes; None for members of several kinds, or too many other draws.

    Parameters
    ----------
    mixture
        One or two parts.
    """
    first = mixture.parts[0]
    members = first.draws.count
    kind = all(part.draws.count == members for part in mixture.parts)
    if not kind or len(mixture.parts) > 2 or (mixture.counts.sum(axis=1) != members).any():
        return None
    others = mixture.counts[:, 1] if len(mixture.parts) > 1 else np.zeros(1, dtype=np.int64)
    most = int(others.max())
    if most > _MOST_OTHERS:
        return None
    chances = np.zeros(most + 1)
    np.add.at(chances, others, mixture.chances)
    shares = [one.atom_mass for part in mixture.parts for one in part.draws.split()]
    lows, highs, usual = _usual(members, most, *shares[:2])
    ways = special.binom(*np.ogrid[: most + 1, : most + 1])
    parts = np.array([*shares, 0.0, 0.0][:4])
    return Tally(members, first.weight, chances, parts, lows, highs, usual, ways)


def _usual(members: int, most: int, no: float, yes: float) -> tuple[Integers, Integers, Array]:
    """Return likely numbers of votes of draws from the first heap, and how likely they are."""
    left = members - np.arange(most + 1)
    if no == 0.0 or yes == 0.0:
        none = np.zeros((most + 1, 1), dtype=np.int64)
        return none, none, np.ones((most + 1, 1))
    lows, highs, rows = [], [], []
    for count in left.tolist():
        votes = np.arange(count + 1)
        logs = special.gammaln(count + 1.0) - special.gammaln(votes + 1.0)
        logs -= special.gammaln(count - votes + 1.0)
        chances = np.exp(logs + votes * np.log(yes) + (count - votes) * np.log(no))
        below = np.searchsorted(np.cumsum(chances), _OUTSIDES / 2)
        above = np.searchsorted(np.cumsum(chances[::-1]), _OUTSIDES / 2)
        lows.append(np.minimum(below, count))
        highs.append(np.maximum(count - above, lows[-1]))
        rows.append(chances[lows[-1][-1] : highs[-1][-1] + 1])
    usual = np.zeros((most + 1, max(row.size for row in rows)))
    for out, row in zip(usual, rows, strict=True):
        out[: row.size] = row
    return np.array(lows), np.array(highs), usual
