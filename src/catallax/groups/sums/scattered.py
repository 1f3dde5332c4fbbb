"""Laws of draws from values that share no lattice: what can be listed is, the rest is a series.

Sums are listed as far as there are large atoms among them. What is left is spread over so many
sums that Vaaler's series, whose error is half of the probability that lies about a period over
the number of frequencies from the total, comes below 1e-7. Its transform is nothing at most of
the frequencies; these are passed over, with a bound of what they could add.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.ballots import Terms, added, weighted
from catallax.groups.sums.bounds import Draws, window
from catallax.groups.sums.measure import TIE, Measure
from catallax.groups.sums.mixture import Mixture, Part
from catallax.groups.sums.multisets import Division, Heap, divided, listed
from catallax.groups.sums.transform import phases
from catallax.groups.sums.vaaler import fejer, interval, weights_of
from catallax.groups.sums.voters import Voters

__all__ = ["scattered_terms"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

# What listing may cost, and how many frequencies there may be, alone and times the values.
_LISTING, _LISTING_QUICKLY = 2.0**30, 2.0**25
_FIRST, _MOST, _MOST_QUICKLY = 1 << 20, 1 << 30, 1 << 18
_MOST_WORK = 1 << 36
# And how many frequencies may be summed one by one, times the totals of votes.
_MOST_KEPT, _MOST_LISTABLE = 1 << 33, 1 << 29
_STRETCH, _ROWS = 1 << 20, 1 << 22
_OUTSIDE, _NOTHING, _UNLIKELY = 1e-12, 1e-15, 1e-12
# Frequencies are passed over that together add no more than this.
_PASSED = 4e-9
# As long as so many sums takes to find one phase.
_PHASE = 16
# So many frequencies tell how far transforms usually fall.
_SAMPLE = 1 << 12
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
    division = divided(voters[0], cost) if len(voters) == 1 else None
    rest = _mixture(voters, division)
    unlisted = float(rest.chances.sum())
    listing = division is not None and unlisted <= allowed / 8
    plain = None
    if not listing:
        # Where nothing ties the whole law may do without lists.
        plain = _series(_mixture(voters, None), total, allowed, most, listable=division is not None)
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


def _error(found: Sequence[Terms]) -> float:
    return math.fsum(one.error for one in found)


def _mixture(voters: Sequence[Voters], division: Division | None) -> Mixture:
    """Return what was not listed."""
    if division is None:
        parts = tuple(_part(one, one.measure, one.mean) for one in voters)
        return Mixture(parts, np.array([[one.count for one in voters]]), np.ones(1))
    one = voters[0]
    heaps = [heap for heap in (division.first, division.second) if heap.values.size]
    parts = tuple(_part(one, _measure(one.measure, heap), one.mean) for heap in heaps)
    left = ~division.kept
    draws = division.draws[left]
    counts = np.stack([division.count - draws, draws][2 - len(parts) :], axis=1)
    return Mixture(parts, counts, division.chances[left])


def _measure(whole: Measure, heap: Heap) -> Measure:
    order = np.argsort(heap.values)
    return replace(whole, atoms=heap.values[order], masses=heap.chances[order])


def _part(one: Voters, measure: Measure, centre: float) -> Part:
    draws = Draws(one.count, measure, one.bar)
    return Part(draws, one.weight, draws.split()[1].atom_mass, centre)


def _series(
    rest: Mixture, total: float, allowed: float, most: int, *, listable: bool = False
) -> list[Terms] | None:
    """Sum with more and more frequencies, until the error is allowed.

    If large atoms could be listed instead, this ends where the error does not fall as it does
    without them, or where much would have to be summed.
    """
    likely = rest.chances > _UNLIKELY
    left_out = float(rest.chances[~likely].sum())
    if not likely.any():
        return [Terms(0, np.zeros(1), left_out)]
    rest = replace(rest, counts=rest.counts[likely], chances=rest.chances[likely])
    affordable = _MOST_LISTABLE if listable else _MOST_KEPT
    count, found, before = min(_FIRST, most), None, math.inf
    if listable:
        early = _summed(rest, total, max(count >> 4, 2), affordable)
        before = math.inf if early is None else _error(early[0])
    while True:
        more = _summed(rest, total, count, affordable)
        if more is None:
            break
        found, worked = more
        error = _error(found)
        if error <= allowed or count >= most or (listable and error > before / 8):
            break
        # What is near falls with the width where there is a density.
        wanted = min(most, math.ceil(count * max(1.05 * error / allowed, 2.0)))
        if worked * (wanted / count) > affordable:
            break
        count, before = wanted, math.inf
    return None if found is None else [*found, Terms(0, np.zeros(1), left_out + _OUTSIDE)]


def _window(rest: Mixture) -> tuple[float, float]:
    """Return where the sum lies in all cases, but for a probability of 1e-12."""
    ends = []
    for counts in rest.counts:
        draws = [
            replace(part.draws, count=count)
            for count, part in zip(counts.tolist(), rest.parts, strict=True)
            if count
        ]
        ends.append(window(draws, _OUTSIDE))
    return min(low for low, _ in ends), max(high for _, high in ends)


def _summed(
    rest: Mixture, total: float, count: int, affordable: float
) -> tuple[list[Terms], int] | None:
    """Sum so many frequencies with Vaaler's weights; None if that is too much work.

    Returned is how much it was, too.
    """
    ends, period = interval(*_window(rest), total)
    step = 2.0 * math.pi / period
    members = int(rest.counts[0].sum())
    centres = [part.centre for part in rest.parts]
    centre = float((rest.counts @ np.array(centres))[0])
    places = [end - centre for end in ends]
    points = sum(part.draws.measure.atoms.size for part in rest.parts)
    totals = 1 + sum(part.draws.count * part.weight for part in rest.parts)
    block, direct = _block(rest, step, count)
    blocks = -(-(count + block // 2) // block)
    if blocks * points > _MOST_WORK:
        return None
    half = block // 2
    rounding = members * _ROUNDING * 128.0
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    slack = [part.pace * (half + 0.5) * step if block > 1 else 0.0 for part in rest.parts]
    found: list[Terms] = []
    near, error, worked = 0.0, 0.0, 0
    for start in range(0, blocks, _STRETCH):
        stop = min(start + _STRETCH, blocks)
        waves = [part.waves(step, start, stop) for part in rest.parts] if direct else []
        lengths = (
            [np.abs(no) + np.abs(yes) for no, yes in waves]
            if direct
            else [part.lengths(block * step, start, stop) for part in rest.parts]
        )
        each = [np.minimum(one + more, 1.0) for one, more in zip(lengths, slack, strict=True)]
        size = rest.size(each)
        at = np.arange(start, stop, dtype=np.float64) * block
        # Weights are at most 2 / (pi k), and half of the Fejer sum adds two ends' 1 / N.
        reach = block * (2.0 / (math.pi * np.maximum(at - half, 1.0)) + 2.0 / count)
        kept = np.flatnonzero(reach * size > block * _PASSED / count)
        reach[kept] = 0.0
        error += float(reach @ size)
        worked += kept.size * points * _PHASE * (not direct)
        if worked > affordable:
            return None
        for some in np.array_split(kept, max(1, math.ceil(kept.size * block * totals / _ROWS))):
            if not some.size:
                continue
            k = (at[some][:, None] + offsets).ravel()
            if not direct:
                both = [
                    [wave.ravel() for wave in part.at(step, at[some], offsets)]
                    for part in rest.parts
                ]
                inside = (k >= 0) & (k < count)
                size = rest.size([np.abs(no) + np.abs(yes) for no, yes in both])
                reach = 2.0 / (math.pi * np.maximum(k, 1.0)) + 2.0 / count
                faint = inside & (reach * size <= _PASSED / count)
                error += float(reach[faint] @ size[faint])
                inside &= ~faint
                k, both = k[inside], [[wave[inside] for wave in pair] for pair in both]
            else:
                both = [[wave[some] for wave in pair] for pair in waves]
            worked += math.ceil(k.size * totals * rest.chances.size * rest.effort)
            if not k.size:
                continue
            size = rest.size([np.abs(no) + np.abs(yes) for no, yes in both])
            reach = 2.0 / (math.pi * np.maximum(k, 1.0)) + 2.0 / count
            error += rounding * float(reach @ size)
            turns = [phases(k, -place / period) for place in places]
            weights = weights_of(k, turns, places, period, count)
            folds = fejer(k, count)
            whole = rest.whole([no + yes for no, yes in both])
            near += sum(float(folds @ (whole * wave).real) for wave in turns)
            found.extend(rest.votes(both, weights))
    bound = error + max(near, 0.0) / (2.0 * count)
    return [added(found), Terms(0, np.zeros(1), bound)], worked


def _block(rest: Mixture, step: float, count: int) -> tuple[int, bool]:
    """Return how many neighbouring frequencies to look at once, and whether closely at all.

    The longer the blocks, the fewer there are, and the more of them have to be looked at closely.
    """
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        least = rest.size([np.array([1.0])] * (len(rest.parts) - 1) + [np.array([middle])])
        low, high = (middle, high) if float(least[0]) <= _PASSED / 4 else (low, middle)
    last = rest.parts[-1]
    sample = np.floor((np.arange(_SAMPLE) + 0.5) * (count / _SAMPLE))
    sizes = np.sort(sum(np.abs(one[:, 0]) for one in last.at(step, sample, np.zeros(1))))
    blocks = np.array([1, *(5 + 2 * np.arange(2000))])
    moved = np.where(blocks > 1, last.pace * blocks / 2 * step, 0.0) + last.coarse
    close = 1.0 - np.searchsorted(sizes, low - moved) / sizes.size
    costs = (0.5 + close * (blocks + _PHASE)) / blocks
    least = int(np.argmin(costs))
    return (int(blocks[least]), False) if costs[least] < 1.0 else (1, True)
