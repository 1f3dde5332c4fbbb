"""The terms of a law of sums with two draws or more from densities, as a Fourier series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Leaf, Terms, product, weigh
from catallax.groups.sums.draws.bounds import Draws, misfit
from catallax.groups.sums.draws.measure import Measure
from catallax.groups.sums.draws.transform import characteristic
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.series.circle import Circle, circle_of

__all__ = ["all_votes", "excess_terms", "planned", "series_terms", "tapered_terms"]

Array = NDArray[np.float64]

_NOTHING = 1e-15
# A taper that leaves the lower two thirds of the frequencies as they are, and a Gaussian one:
# exp(-36) is nothing.
_FLAT, _STEEP = 8, 36.0
_SAFE = 4.0


def series_terms(
    voters: Sequence[Voters],
    total: float,
    *,
    less: bool,
    rough: bool,
    plan: Circle | None = None,
) -> list[Terms]:
    """Return P(votes, sum >= total, two draws or more from densities).

    Parameters
    ----------
    voters
        All members.
    total
        What the sum is compared with.
    less
        Whether terms with fewer such draws have to be taken off.
    rough
        Whether they are wanted too, for they could not be had otherwise.
    plan
        What `planned` says, if it was asked already.

    Returns
    -------
    list of Terms
        To be added up.
    """
    draws, below = _up_to(voters, total)
    circle = circle_of(draws, rough=rough) if plan is None else plan
    centre = math.fsum(one.count * one.mean for one in voters)
    weights = circle.tail(total, centre, below=below)
    cast = list(zip(voters, circle.draws, strict=True))
    whole = [_leaf(one, circle, draw) for one, draw in cast]
    error = circle.cut + circle.outside + misfit(circle.draws, circle.step)
    if rough:
        sums = product([Leaf(leaf.count, 0, 1.0, leaf.no, leaf.yes) for leaf in whole])
        error += circle.jump_error(sums.plain[:, 0], total, centre)
    sign = -1.0 if below else 1.0
    found = weigh(whole, sign * weights, aloud=True)
    parts = [Terms(found.first, found.values, found.error + error)]
    if less:
        few = [_atoms_and_once(one, circle, draw) for one, draw in cast]
        parts.append(weigh(few, -sign * weights, -sign * weights))
    if below:
        parts.extend(all_votes(voters, less=less))
    return parts


def planned(voters: Sequence[Voters], total: float) -> tuple[Circle, float]:
    """Return window and frequencies of `series_terms`, and the bound that it will have.

    Parameters
    ----------
    voters, total
        As for `series_terms`.
    """
    circle = circle_of(_up_to(voters, total)[0])
    return circle, circle.cut + circle.outside + misfit(circle.draws, circle.step)


def tapered_terms(
    voters: Sequence[Voters], total: float, plan: Circle, *, less: bool, count: int
) -> list[Terms]:
    """Return what `series_terms` does, for densities so peaked that their series has no end.

    The series is tapered off, which is to smooth the law of the sum over some 1 / u of the last
    frequency u. Where the law is smooth next to the total that changes nothing; how much it
    changes is seen by tapering off at half of the frequencies. What may hide from both is
    probability on a narrower place, which would show in the density there, smoothed over two
    widths: so that is compared as well.

    Parameters
    ----------
    voters, total, plan, less
        As for `series_terms`.
    count
        How many frequencies.

    Returns
    -------
    list of Terms
        With an estimate of the error, four times as large as it was found to be.
    """
    below = _up_to(voters, total)[1]
    circle = plan.widened(count)
    centre = math.fsum(one.count * one.mean for one in voters)
    sign = -1.0 if below else 1.0
    weights = sign * circle.tail(total, centre, below=below)
    share = np.arange(count) / count
    cast = list(zip(voters, circle.draws, strict=True))
    whole = [_leaf(one, circle, draw) for one, draw in cast]
    few = [_atoms_and_once(one, circle, draw) for one, draw in cast] if less else []

    def summed(tapered: NDArray[np.complex128]) -> list[Terms]:
        parts = [weigh(whole, tapered)]
        return [*parts, weigh(few, -tapered, -tapered)] if less else parts

    found = summed(weights * np.exp(-_STEEP * share**_FLAT))
    rough = summed(weights * np.exp(-_STEEP * (2.0 * share) ** _FLAT))
    moved = math.fsum(
        float(np.abs(_aligned(a, b)).sum()) for a, b in zip(found, rough, strict=True)
    )
    hidden = _hidden(
        _transform(whole, few), circle, min(max(total, circle.low), circle.high), centre
    )
    error = _SAFE * (moved + hidden) + circle.outside + misfit(circle.draws, circle.step)
    parts = [*found, Terms(0, np.zeros(1), error)]
    if below:
        parts.extend(all_votes(voters, less=less))
    return parts


def _aligned(a: Terms, b: Terms) -> Array:
    first = min(a.first, b.first)
    out = np.zeros(max(a.first + a.values.size, b.first + b.values.size) - first)
    out[a.first - first : a.first - first + a.values.size] += a.values
    out[b.first - first : b.first - first + b.values.size] -= b.values
    return out


def _transform(whole: Sequence[Leaf], few: Sequence[Leaf]) -> NDArray[np.complex128]:
    """Return the transform of the sum, whatever the votes, less that of its few terms."""
    found = product([replace(leaf, weight=0) for leaf in whole]).plain[:, 0]
    if few:
        taken = product([replace(leaf, weight=0) for leaf in few])
        assert taken.once is not None
        found = found - taken.plain[:, 0] - taken.once[:, 0]
    return np.asarray(found, dtype=np.complex128)


def _hidden(
    transform: NDArray[np.complex128], circle: Circle, total: float, centre: float
) -> float:
    """Estimate the probability that lies closer to the total than the series can tell.

    A probability m on next to one point adds m / (s sqrt(2 pi)) to a density that is smoothed by
    a Gaussian of deviation s, and half of that if s is twice as large.
    """
    wave = transform * np.exp(-1j * circle.frequencies * (total - centre))
    wave[1:] *= 2.0
    share = np.arange(circle.count) / circle.count
    width = math.sqrt(2.0 * _STEEP) / (circle.count * circle.step)
    densities = [
        float((wave * np.exp(-_STEEP * (times * share) ** 2)).real.sum()) / circle.period
        for times in (1.0, 2.0, 4.0)
    ]
    most = max(abs(densities[0] - densities[1]), abs(densities[1] - densities[2]))
    return 2.0 * math.sqrt(2.0 * math.pi) * width * most


def _up_to(voters: Sequence[Voters], total: float) -> tuple[list[Draws], bool]:
    """Cut off what decides alone whether the total is reached, where a side is unbounded.

    Returns
    -------
    tuple
        The draws, and whether the probability that the total is not reached is to be taken: a
        draw above what is missing at worst reaches it alone.
    """
    draws = [one.draws for one in voters]
    below = any(one.measure.lost_below > 0 for one in draws)
    above = any(one.measure.lost_above > 0 for one in draws)
    low, high = (math.fsum(one.count * one.measure.support[k] for one in draws) for k in (0, 1))
    if above and below:
        # Both sides are unbounded: the one that reaches much farther is cut. What the other lacks
        # beyond its quantiles at 1e-20 stays counted as lost.
        centre = math.fsum(one.count * one.mean for one in voters)
        above, below = (high - centre > s * (centre - low) for s in (8.0, 0.125))
        below = not below
    if above == below:
        return draws, False
    cut = []
    for one in draws:
        start, end = one.measure.support
        if above and total - (low - start) < end:
            one = replace(one, measure=one.measure.restricted(end=total - (low - start)))
        elif below and total - (high - end) > start:
            one = replace(one, measure=one.measure.restricted(start=total - (high - end)))
        cut.append(one)
    return cut, above


def _distance(draws: Sequence[Draws]) -> float:
    return math.fsum(one.count * one.measure.error for one in draws)


def _leaf(one: Voters, circle: Circle, draw: Draws) -> Leaf:
    no, yes = (characteristic(m, circle.step, circle.count, one.mean) for m in draw.split())
    return Leaf(one.count, one.weight, one.chance, no, yes)


def _atoms_and_once(one: Voters, circle: Circle, draw: Draws) -> Leaf:
    """Return the atoms' transforms, and the density's as the second pair."""

    def both(measure: Measure) -> list[NDArray[np.complex128]]:
        parts = replace(draw, measure=measure).split()
        return [characteristic(part, circle.step, circle.count, one.mean) for part in parts]

    atoms, dense = both(draw.measure.without_cells), both(draw.measure.smooth)
    return Leaf(one.count, one.weight, one.chance, *atoms, *dense)


def all_votes(voters: Sequence[Voters], *, less: bool = False) -> list[Terms]:
    """Return P(votes), or with `less` P(votes, two draws or more from densities)."""
    plain = [
        Leaf(v.count, v.weight, v.chance, np.array([v.refusal]), np.array([v.chance]))
        for v in voters
    ]
    found = product(plain)
    parts = [Terms(found.first, found.plain[0].real, _NOTHING)]
    if less:
        few = []
        for one in voters:
            atoms = [np.array([part.atom_mass]) for part in one.draws.split()]
            dense = [one.refusal - atoms[0], one.chance - atoms[1]]
            few.append(Leaf(one.count, one.weight, one.chance, *atoms, *dense))
        taken = product(few)
        assert taken.once is not None
        parts.append(Terms(taken.first, -(taken.plain[0] + taken.once[0]).real, _NOTHING))
    return parts


# -------------------------------------------------------------------------------------- excess


def excess_terms(voters: Sequence[Voters], *, less: bool, rough: bool) -> tuple[float, float, bool]:
    """Return E[max(sum, 0)] on the event of a draw from a density, and its error in money.

    Where a single draw can make the sum positive, whatever the others are, E[max(-sum, 0)] is
    returned instead: it needs no more of the tails than what cannot.

    Parameters
    ----------
    voters
        The members of both sides, without votes.
    less
        Whether the event of no such draw has to be taken off.
    rough
        Whether it is wanted too.

    Returns
    -------
    tuple
        The expectation, the bound, and whether it is that of the negative sum.
    """
    draws, below = _up_to(voters, 0.0)
    circle = circle_of(draws, excess=True, rough=rough)
    centre = math.fsum(one.count * one.mean for one in voters)
    weights = circle.excess(centre, below=below)
    cast = list(zip(voters, circle.draws, strict=True))
    found = weigh([_leaf(one, circle, draw) for one, draw in cast], weights)
    extent = max(abs(circle.low), abs(circle.high))
    value = float(found.values.sum())
    error = found.error + circle.cut + (_distance(circle.draws) + 4 * _NOTHING) * extent
    if less:
        atoms = [replace(draw, measure=draw.measure.without_cells) for draw in circle.draws]
        leaves = [_leaf(one, circle, draw) for one, draw in zip(voters, atoms, strict=True)]
        taken = weigh(leaves, -weights)
        value, error = value + float(taken.values.sum()), error + taken.error
    if below:
        lost = math.fsum(d.count * d.lost for d in circle.draws)
        far = math.fsum(
            v.count * v.shortfall(d.measure.support[0])
            for v, d in zip(voters, circle.draws, strict=True)
            if d.measure.lost_below > 0
        )
        return value, error + far + lost * 4.0 * extent, True
    more, bound = _beyond(voters, circle, centre)
    return value + more, error + bound, False


def _beyond(voters: Sequence[Voters], circle: Circle, centre: float) -> tuple[float, float]:
    """Return what the tails that were cut off add to the expected excess, and its error.

    A draw so large that it was cut off makes the sum positive, up to a probability that is bounded
    here; one so small that it was cut off makes it negative.
    """
    chance = math.fsum(draw.count * draw.lost for draw in circle.draws)
    if chance == 0:
        return 0.0, 0.0
    others = max(sum(draw.count for draw in circle.draws) - 1, 1)
    more, bound = 0.0, 0.0
    for one, draw in zip(voters, circle.draws, strict=True):
        (start, end), measure = draw.measure.support, draw.measure
        if measure.lost_above > 0:
            size = one.mean_beyond(end)
            more += draw.count * (size + (centre - one.mean) * measure.lost_above)
            short = sum(v.count * v.shortfall(-end / others) for v in voters)
            bound += draw.count * (measure.lost_above * short + abs(size) * chance)
        if measure.lost_below > 0:
            over = sum(v.count * v.overshoot(-start / others) for v in voters)
            bound += draw.count * measure.lost_below * over
    return more, bound + 2.0 * chance * chance * abs(centre)
