"""Laws of draws from values that share no lattice: what can be listed is, the rest is a series.

Sums are listed as far as there are large atoms among them. What is left is spread over so many
sums that Vaaler's series, whose error is half of the probability that lies about a period over
the number of frequencies from the total, comes below 1e-7. Its transform is nothing at most of
the frequencies; these are passed over, with a bound of what they could add.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Terms, added, weighted
from catallax.groups.sums.draws.measure import TIE
from catallax.groups.sums.draws.transform import phases
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.series.vaaler import fejer, largest, weights_of
from catallax.groups.sums.values.bivariate import Bivariate
from catallax.groups.sums.values.mixture import Mixture, mixture_of
from catallax.groups.sums.values.multisets import divided, listed
from catallax.groups.sums.values.plan import OUTSIDE, PHASE, Plan, Rest, planned
from catallax.groups.sums.values.product import Added, Frequencies
from catallax.groups.sums.values.several import Several
from catallax.groups.sums.values.sides import chosen, listed_sides
from catallax.groups.sums.values.tally import Ends
from catallax.groups.sums.waiting import attempt, tell
from catallax.matching.parallel import both

__all__ = ["scattered_terms"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

# What listing may cost, and how many frequencies there may be.
_LISTING, _LISTING_QUICKLY = 2.0**30, 2.0**25
_FIRST, _MOST, _MOST_QUICKLY = 1 << 20, 1 << 30, 1 << 18
# How much may be summed at single frequencies; 2^35 takes half a minute on two cores.
_MOST_KEPT, _MOST_LISTABLE = 1 << 37, 1 << 29
_STRETCH, _ROWS = 1 << 20, 1 << 22
_NOTHING, _UNLIKELY = 1e-15, 1e-12
# With more cases than this, listing some of them makes the rest no easier.
_MOST_CASES = 64
_ROUNDING = 2.0**-52


def scattered_terms(
    voters: Sequence[Voters], total: float, allowed: float, *, quick: bool
) -> list[Terms] | None:
    """Return P(votes, sum >= total) for draws without densities, with a bound that is proved.

    Parameters
    ----------
    voters
        All members.
    total
        What the sum is compared with; what differs by rounding counts as a tie, and as reached.
    allowed
        How large the error may be; so many frequencies are taken as bring it about.
    quick
        Whether to do without what takes long.

    Returns
    -------
    list of Terms or None
        None for more work than a minute's. The error may be larger than allowed.

    References
    ----------
    Vaaler, Some extremal functions in Fourier analysis (1985), theorem 18.

    Examples
    --------
    Of three draws, all 0.3 or the golden section, some are in favour; three times 0.3 is 0.9:

    >>> from catallax.priors import Empirical
    >>> group = [Voters(Empirical([0.3, (5**0.5 - 1) / 2]), 3, 1, 0.5)]
    >>> found = scattered_terms(group, 3 * 0.3, 1e-7, quick=False)
    >>> found[0].values.round(9).tolist(), found[0].error < 1e-12
    ([0.125, 0.375, 0.375, 0.125], True)
    """
    members = [one.count * max(abs(end) for end in one.measure.support) for one in voters]
    total -= TIE * math.fsum(members)
    most = _MOST_QUICKLY if quick else _MOST
    cost = _LISTING_QUICKLY if quick else _LISTING
    if len(voters) > 1:
        # In a search, where it only says which of many prices is the better one, nothing is listed.
        several = None if quick else chosen(voters, cost)
        found = None if several is None else _by_kinds(several, total, allowed, most)
        if found is not None and _error(found) <= allowed:
            return found
        plain = _series(mixture_of(voters, None), total, allowed, most)
        return min((way for way in (found, plain) if way is not None), key=_error, default=None)
    division = divided(voters[0], cost)
    rest = mixture_of(voters, division)
    unlisted = float(rest.chances.sum())
    listing = division is not None and unlisted <= allowed / 8
    plain = None
    if not listing:
        # Where nothing ties the whole law may do without lists.
        plain = _series(
            mixture_of(voters, None), total, allowed, most, listable=division is not None
        )
        few = rest.chances.size <= _MOST_CASES
        if division is None or not few or (plain is not None and _error(plain) <= allowed):
            return plain
    assert division is not None
    line, error = listed(division, total)
    found = [Terms(0, weighted(line, voters[0].weight), error + _NOTHING)]
    if listing:
        return [*found, Terms(0, np.zeros(1), unlisted)]
    series = _series(rest, total, allowed, most)
    ways = [way for way in (plain, None if series is None else found + series) if way is not None]
    return min(ways, key=_error, default=None)


def _by_kinds(several: Several, total: float, allowed: float, most: int) -> list[Terms] | None:
    """List what can be of members of several kinds; the rest is a series."""
    series: list[Terms] | None = [Terms(0, np.zeros(1), several.unlisted)]
    if several.unlisted > allowed / 8:
        series = _series(several, total, allowed, most)
    if series is None:
        return None
    line, error = listed_sides(several, total)
    return [Terms(0, line, error + _NOTHING), *series]


def _error(found: Sequence[Terms]) -> float:
    return math.fsum(one.error for one in found)


def _series(
    whole: Rest, total: float, allowed: float, most: int, *, listable: bool = False
) -> list[Terms] | None:
    """Sum with more and more frequencies, until the error is allowed.

    If large atoms could be listed instead, this ends where the error does not fall as it does
    without them, or where much would have to be summed.
    """
    rest, left_out = whole.likely(_UNLIKELY)
    if rest is None:
        return [Terms(0, np.zeros(1), left_out)]
    affordable = _MOST_LISTABLE if listable else _MOST_KEPT
    count, found, before = min(_FIRST, most), None, math.inf
    attempts, tried = 0, 0
    if listable:
        early = _summed(rest, total, max(count >> 4, 2), affordable)
        before = math.inf if early is None else _error(early[0])
    while True:
        plan = planned(rest, total, count)
        if plan.excess > 1.0:
            # As many as there may be, if that is worth another attempt.
            count = math.floor(count / (1.05 * plan.excess))
            if found is None or count < 2 * tried:
                break
            continue
        with attempt(attempts):
            more = _added(plan, affordable)
        attempts, tried = attempts + 1, count
        if more is None:
            break
        found, worked = more
        error, near = _error(found), found[-1].error
        if error <= allowed or count >= most or (listable and error > before / 8):
            break
        # Only what is near falls, with the width where there is a density.
        spare = 1.15 if isinstance(rest, Several) else 1.05
        left = max(allowed - 1.1 * (error - near), allowed / 8)
        wanted = min(most, math.ceil(count * max(spare * near / left, 1.05)))
        if worked * (wanted / count) > affordable:
            break
        count, before = wanted, math.inf
    return None if found is None else [*found, Terms(0, np.zeros(1), left_out + OUTSIDE)]


def _summed(
    rest: Rest, total: float, count: int, affordable: float
) -> tuple[list[Terms], float] | None:
    """Sum so many frequencies with Vaaler's weights; None if that is too much work."""
    plan = planned(rest, total, count)
    return None if plan.excess > 1.0 else _added(plan, affordable)


def _added(plan: Plan, affordable: float) -> tuple[list[Terms], float] | None:
    """Sum the frequencies of a plan; None if that turns out to be too much work.

    Returned is how much it was, too. The last error is what lies next to both ends.
    """
    found: list[Terms] = []
    near, error, worked = 0.0, 0.0, 0.0
    for start in range(0, plan.blocks, 2 * _STRETCH):
        tell(start / plan.blocks, "summing frequencies")
        middle, stop = (min(start + k * _STRETCH, plan.blocks) for k in (1, 2))
        for part in both(partial(_stretch, plan, start, middle, affordable),
                         partial(_stretch, plan, middle, stop, affordable)):  # fmt: skip
            found.extend(part.terms)
            near, error, worked = near + part.near, error + part.error, worked + part.worked
        if worked > affordable:
            return None
    beside = max(near, 0.0) / (2.0 * plan.count)
    return [added(found), Terms(0, np.zeros(1), error), Terms(0, np.zeros(1), beside)], worked


@dataclass
class _Part:
    """What a stretch of frequencies comes to."""

    terms: list[Terms] = field(default_factory=list)
    near: float = 0.0
    error: float = 0.0
    worked: float = 0.0

    def add(self, more: Added) -> None:
        """Take what compiled sums come to."""
        self.terms.append(more.terms)
        self.near += more.beside

    def take(self, plan: Plan, middles: Array, offsets: Array, stop: float) -> None:
        """Sum at frequencies up to one, given as middles with neighbours."""
        waves = [
            [wave.ravel() for wave in part.at(plan.step, middles, offsets)]
            for part in plan.rest.parts
        ]
        k = np.add.outer(middles, offsets).ravel()
        k[k >= stop] = -1.0
        near, far = (_phases(middles, offsets, -place / plan.period) for place in plan.places)
        share = (plan.places[1] - plan.places[0]) / plan.period
        if plan.tally is not None:
            ends = Ends(k, near, far, share, plan.count)
            found = plan.tally.added(waves, ends, plan.passed / plan.count)
            self.terms.append(found.terms)
            self.near += found.beside
            self.worked += found.work
            return
        assert isinstance(plan.rest, Mixture)
        rest, inside = plan.rest, (k >= 0) & (k < plan.count)
        size = rest.size([np.abs(no) + np.abs(yes) for no, yes in waves])
        reach = largest(k, plan.count)
        limit = plan.passed / plan.count if plan.sieve is None else plan.sieve.limit(reach)
        faint = inside & (reach * size <= limit)
        self.error += float(reach[faint] @ size[faint])
        inside &= ~faint
        if not inside.any():
            return
        k, reach, size = k[inside], reach[inside], size[inside]
        near, far = near[inside], far[inside]
        each = [[wave[inside] for wave in pair] for pair in waves]
        members = int(rest.counts[0].sum())
        self.error += members * _ROUNDING * 128.0 * float(reach @ size)
        weights = weights_of(k, [near, far], plan.places, plan.period, plan.count)
        whole = rest.whole([no + yes for no, yes in each])
        self.near += float(fejer(k, plan.count) @ (whole * (near + far)).real)
        self.terms.extend(rest.votes(each, weights))
        self.worked += k.size * plan.effort


def _phases(middles: Array, offsets: Array, turn: float) -> Complex:
    return np.multiply.outer(phases(middles, turn), phases(offsets, turn)).ravel()


def _stretch(plan: Plan, start: int, stop: int, affordable: float) -> _Part:
    """Sum some of the blocks; ends early if that is too much work."""
    found = _Part()
    if start == stop:
        return found
    if plan.product is not None and plan.direct:
        size = plan.product.stretch
        for some in range(start, stop, size):
            found.add(plan.product.all(some, min(some + size, stop)))
        # Pairs of frequencies are no more than was planned.
        found.worked = (stop - start) * plan.effort * (not isinstance(plan.product, Bivariate))
        return found
    if plan.direct:
        row = math.isqrt(stop - start - 1) + 1
        heads = np.arange(start, stop, row, dtype=np.float64)
        rows = max(1, (_ROWS >> 2) // (row * plan.totals))
        for some in range(0, heads.size, rows):
            found.take(plan, heads[some : some + rows], np.arange(row, dtype=np.float64), stop)
            if found.worked > affordable:
                break
        return found
    if plan.sieve is not None:
        blocks, found.error = plan.sieve.kept(plan.block, start, stop)
        if plan.product is not None:
            half = plan.block // 2
            k = np.add.outer(blocks * plan.block, np.arange(plan.block) - half).ravel()
            assert isinstance(plan.product, Frequencies)
            found.add(plan.product.at(k))
            found.worked = k.size * plan.effort
            return found
        middles = np.asarray(blocks * plan.block, dtype=np.float64)
        _taken(found, plan, middles, affordable)
        return found
    block, half, count = plan.block, plan.block // 2, plan.count
    each = []
    for part in plan.rest.parts:
        slack = part.pace * (half + 0.5) * plan.step
        each.append(np.minimum(part.lengths(block * plan.step, start, stop) + slack, 1.0))
    size = plan.sizes(each)
    at: Array = np.arange(start, stop, dtype=np.float64) * block
    reach = block * largest(at - half, count)
    kept = np.flatnonzero(reach * size > block * plan.passed / count)
    reach[kept] = 0.0
    found.error += float(reach @ size)
    found.worked += kept.size * plan.points * PHASE
    _taken(found, plan, at[kept], affordable)
    return found


def _taken(found: _Part, plan: Plan, middles: Array, affordable: float) -> None:
    """Sum the blocks that matter; ends early if that is too much work."""
    half = plan.block // 2
    rows = max(1, (_ROWS >> 2) // (plan.block * plan.totals))
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    for some in range(0, middles.size, rows):
        if found.worked > affordable:
            break
        found.take(plan, middles[some : some + rows], offsets, math.inf)
