"""Laws that are rough on every scale a series can hold: tens of millions of frequencies, in turn.

Sums of values without a common step, and of needles, have a transform that does not fall for good.
Vaaler's series errs by no more than half of the probability that lies about a period over the
number of frequencies from the total. With enough of them that is less than 1e-7, which is proved
whatever the law looks like. They are summed stretch by stretch, and most at once have nothing left.
The event that all draws lie in needles is too narrow for that, and is summed on its own scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Leaf, Terms, added, weigh
from catallax.groups.sums.draws.bounds import Draws, misfit, moments, window, without_atoms
from catallax.groups.sums.draws.measure import POINTS, Measure
from catallax.groups.sums.draws.transform import phases, powers, stretch
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.series.vaaler import fejer, interval, weights_of
from catallax.groups.sums.waiting import attempt, tell

__all__ = ["patient", "quickly", "streamed_terms"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_STRETCH = 1 << 18
_FIRST, _MOST = 1 << 21, 1 << 26
# So many frequencies times points to sum at each, and times totals of votes, are affordable.
_MOST_WORK, _MOST_TOTALS = 1 << 33, 1 << 10
# And so many frequencies times totals fit the memory at once.
_AT_ONCE = 1 << 24
_OUTSIDE, _PASSED = 1e-12, 1e-9
# A needle is at most about so much of the support wide.
_NARROW = 1e-4
_ROUNDING = 2.0**-52


_patience: ContextVar[bool] = ContextVar("patience", default=True)


def patient() -> bool:
    """Tell whether one law may take a minute."""
    return _patience.get()


@contextmanager
def quickly() -> Iterator[None]:
    """Do without such laws: for searches that look at a hundred prices and keep one.

    Examples
    --------
    >>> with quickly():
    ...     patient()
    False
    >>> patient()
    True
    """
    before = _patience.set(False)
    try:
        yield
    finally:
        _patience.reset(before)


def streamed_terms(voters: Sequence[Voters], total: float, allowed: float) -> list[Terms] | None:
    """Return P(votes, sum >= total), with a bound that holds for any law.

    Parameters
    ----------
    voters
        All members; where probability is beyond all cells it counts as an error.
    total
        What the sum is compared with. If it is itself a possible sum, its probability is in
        the bound.
    allowed
        How large the error may be; so many frequencies are taken as bring it about.

    Returns
    -------
    list of Terms or None
        None for more work than a minute's. The error may be larger than allowed.

    References
    ----------
    Vaaler, Some extremal functions in Fourier analysis (1985), theorem 18.

    Examples
    --------
    >>> from catallax.priors import Empirical
    >>> found = streamed_terms([Voters(Empirical([0.0, 1.0, 2**0.5]), 3)], 2.9, 1e-6)
    >>> round(float(found[0].values.sum()), 5), found[0].error < 1e-6
    (0.2963, True)
    """
    draws = [one.draws for one in voters]
    points = sum(one.measure.atoms.size + POINTS * one.measure.low.size for one in draws)
    totals = 1 + sum(one.count * one.weight for one in voters)
    most = min(_MOST, _MOST_WORK // max(points, 1))
    if most < _FIRST or totals > _MOST_TOTALS:
        return None
    casts = [_Cast(one, one.draws, one.chance, one.mean) for one in voters]
    needles = _in_needles(voters)
    found = [_refined(needles, [], total, allowed / 8, most)] if needles else []
    found.append(_refined(casts, needles, total, allowed, most))
    lost = math.fsum(one.count * one.lost for one in draws)
    low, high = window(draws, _OUTSIDE)
    missed = lost + misfit(draws, 2.0 * math.pi / (high - low)) + _too_near(needles)
    return [*found, Terms(0, np.zeros(1), missed)]


@dataclass(frozen=True, eq=False)
class _Cast:
    """Members, and the part of their draws that is summed, about a centre."""

    voters: Voters
    draws: Draws
    chance: float
    centre: float


def _in_needles(voters: Sequence[Voters]) -> list[_Cast]:
    """Return the members with nothing but the steepest place of each density, if that counts."""
    casts, chance = [], 1.0
    for one in voters:
        own = one.measure
        if not own.low.size:
            return []
        needle = own.chosen(_near(own)).smooth
        chance *= needle.cell_mass**one.count
        if chance <= _OUTSIDE:
            return []
        part = Draws(one.count, needle, one.bar)
        casts.append(_Cast(one, part, part.split()[1].cell_mass / needle.cell_mass,
                           moments(needle)[0]))  # fmt: skip
    return casts


def _cut(casts: list[_Cast], less: list[_Cast], step: float, count: int) -> float:
    """Bound what a plain series leaves out, where nothing but needles keeps transforms up."""
    if not less or any(one.draws.measure.atoms.size for one in casts):
        return math.inf
    rest = []
    for one, needle in zip(casts, less, strict=True):
        whole, own = one.draws.measure, needle.draws.measure
        # To the bounds a needle is like an atom. Its cells are those of the whole.
        wide = whole.chosen(~_near(whole))
        point = replace(wide, atoms=own.low[:1], masses=np.array([own.cell_mass]))
        rest.append(replace(one.draws, measure=point))
    grid = count * np.exp2(np.arange(0.0, 90.0, 0.5))
    between = np.ceil(grid * (math.sqrt(2.0) - 1.0)) + 1.0
    return float((without_atoms(rest, step * grid) * 2.0 / (math.pi * grid)) @ between)


def _near(measure: Measure) -> NDArray[np.bool_]:
    """Say which cells are part of the needle, if there is any."""
    peak = int(np.argmax(measure.coefficients[:, 0] / (measure.high - measure.low)))
    reach = _NARROW * float(np.ptp(measure.support))
    return (measure.low >= measure.low[peak] - reach) & (measure.high <= measure.high[peak] + reach)


def _too_near(needles: Sequence[_Cast]) -> float:
    """Bound the probability that all are in needles, and floats too coarse to compare the sum.

    The density of a sum is at most that of any of its terms.
    """
    if not needles:
        return 0.0
    chance, peaks, sizes = 1.0, [], []
    for one in needles:
        own = one.draws.measure
        heights = np.abs(own.coefficients).sum(axis=1) * 2.0 / (own.high - own.low)
        peaks.append(float(heights.max()) * np.unique(own.layer).size / own.cell_mass)
        sizes.append(one.draws.count * max(abs(end) for end in own.support))
        chance *= own.cell_mass**one.draws.count
    return chance * min(1.0, 8 * _ROUNDING * math.fsum(sizes) * min(peaks))


def _refined(
    casts: list[_Cast], less: list[_Cast], total: float, allowed: float, most: int
) -> Terms:
    """Sum with more and more frequencies, until the error is allowed."""
    ends, period = interval(*window([one.draws for one in casts], _OUTSIDE), total)
    count = _FIRST
    for longer in (1, 2, 4, 8):
        cut = _cut(casts, less, 2.0 * math.pi / period, longer * count)
        if cut <= allowed / 2:
            found = _summed(casts, less, ends, period, longer * count, falls=True)
            return replace(found, error=found.error + cut + _OUTSIDE)
    attempts = 0
    with attempt(attempts):
        found = _summed(casts, less, ends, period, count)
    while found.error > allowed and count < most:
        # What is near falls with the width, where there is a density at all.
        count = min(most, count * 2 ** max(1, math.ceil(math.log2(found.error / allowed))))
        attempts += 1
        with attempt(attempts):
            found = _summed(casts, less, ends, period, count)
    return replace(found, error=found.error + _OUTSIDE)


def _summed(
    casts: list[_Cast],
    less: list[_Cast],
    ends: tuple[float, float],
    period: float,
    count: int,
    *,
    falls: bool = False,
) -> Terms:
    """Sum so many frequencies, less those of a part of the same draws.

    Vaaler's series, with its error; the plain one, without, where transforms fall fast enough.
    """
    step = 2.0 * math.pi / period
    centre = math.fsum(one.draws.count * one.centre for one in casts)
    members = sum(one.draws.count for one in casts)
    totals = 1 + sum(one.draws.count * one.voters.weight for one in casts)
    places = [end - centre for end in ends]
    radius = max(abs(end - one.centre) for one in casts for end in one.draws.measure.support)
    near, error = 0.0, 0.0
    terms: list[Terms] = []
    for start in range(0, count, _STRETCH):
        tell(start / count, "summing frequencies")
        k = np.arange(start, min(start + _STRETCH, count), dtype=np.float64)
        waves = [phases(k, -place / period) for place in places]
        weights = weights_of(k, waves, places, period, 0 if falls else count)
        folds = fejer(k, count)
        # Phases inside a stretch are rounded by their length.
        rounding = members * _ROUNDING * (k.size * step * radius + 32.0)
        for sign, parts in ((1.0, casts), (-1.0, less)):
            leaves = [
                _leaf(part, one.centre, step, k) for part, one in zip(parts, casts, strict=False)
            ]
            if not leaves:
                continue
            whole, size, others = _products(leaves)
            near += sign * sum(float(folds @ (whole * wave).real) for wave in waves)
            reach = np.abs(weights) * size
            kept = np.flatnonzero(reach > _PASSED / count)
            error += float(reach.sum() - reach[kept].sum())
            error += rounding * float((np.abs(weights) + folds / count) @ others)
            if not kept.size:
                continue
            for some in np.array_split(kept, math.ceil(kept.size * totals / _AT_ONCE)):
                terms.append(weigh([_at(leaf, some) for leaf in leaves], sign * weights[some]))
    found = added(terms)
    bound = error + (0.0 if falls else max(near, 0.0) / (2.0 * count))
    return replace(found, error=found.error + bound)


def _products(leaves: Sequence[Leaf]) -> tuple[Complex, Array, Array]:
    """Return the transform of the sum, a bound of it, and the same without any one draw."""
    whole = np.ones(leaves[0].no.size, dtype=np.complex128)
    size, least = np.ones(whole.size), np.ones(whole.size)
    for leaf in leaves:
        apart = np.abs(leaf.no) + np.abs(leaf.yes)
        size *= powers(apart, leaf.count)
        least = np.minimum(least, np.maximum(apart, 1e-300))
        whole *= powers(leaf.no + leaf.yes, leaf.count)
    return whole, size, size / least


def _leaf(one: _Cast, centre: float, step: float, k: Array) -> Leaf:
    start, stop = int(k[0]), int(k[-1]) + 1
    no, yes = (stretch(part, step, start, stop, centre) for part in one.draws.split())
    return Leaf(one.draws.count, one.voters.weight, one.chance, no, yes)


def _at(leaf: Leaf, which: NDArray[np.int64]) -> Leaf:
    return replace(leaf, no=leaf.no[which], yes=leaf.yes[which])
