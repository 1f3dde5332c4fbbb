"""Sums with heavy tails: Fourier integrals along the whole line, with no window.

A window that holds the tails of infinite variances is so wide that a series on it never ends. But
away from frequency 0 the transform of a tail is smooth, whatever its length: an integral over
frequencies that are finer and finer towards 0 needs some dozens of them an octave. What is beyond
the quantiles at 1e-20 decides alone, and its mean is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Leaf, Terms, product, weigh
from catallax.groups.sums.draws.bounds import Draws, first_terms, usual_spread, without_atoms
from catallax.groups.sums.draws.measure import FIT, NODES, POINTS, WEIGHTS, Measure
from catallax.groups.sums.draws.transform import deviation, powers
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.series.densities import all_votes

__all__ = ["heavy", "line_excess", "line_terms"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_NOTHING = 1e-15
_MOMENTS = 1e-12
# Frequencies beyond which the integral has less than this left are passed over.
_REST = 1e-9
_GRID = np.exp2(np.arange(0.0, 120.0, 0.25))
_MOST_PANELS = 6000
# Where the transform of a sum falls like a power of the frequency it is smooth, far out too.
_FAR, _FAR_OF_EXCESS = 3e3, 1e7
_MOST_WORK = 1e8
_LEVELS = 24
# A panel is fine enough if it misses no more than this; where coefficients fall, it misses less
# than the last of them.
_FAINT, _FALLING, _RELATIVE = 1e-12, 0.1, 1e-10
# What is hidden in the last panels is at most about what was left beyond them.
_SAFE = 4.0
_LONG = 300.0
# Votes are told apart by these: 1, -1, and two that are conjugate.
_MARKS = (1.0, -1.0, complex(math.cos(2.0), math.sin(2.0)), complex(math.cos(2.0), -math.sin(2.0)))


@dataclass(frozen=True, eq=False)
class Line:
    """Frequencies and weights: the integral of f over them is ``weights @ f(frequencies)``.

    Attributes
    ----------
    frequencies, weights
        Gauss-Legendre on panels; positive, ascending.
    error
        What the panels may miss.
    """

    frequencies: Array
    weights: Array
    error: float


def heavy(draws: Sequence[Draws], spread: float) -> bool:
    """Say whether a sum has a tail that a window can hardly hold.

    Parameters
    ----------
    draws
        What is summed.
    spread
        About the standard deviation of the sum, without its tails.
    """
    ends = [abs(end) for one in draws for end in one.measure.support]
    return max(ends) > _LONG * spread


# ----------------------------------------------------------------------------- where to integrate


def _last_frequency(
    draws: Sequence[Draws],
    unit: float,
    bound: Callable[[Array], Array],
    allowed: float,
    most: float,
) -> tuple[float, float] | None:
    """Return where the integrand has nothing left, and what is left there."""
    u = _GRID * (1e-3 / unit)
    size = bound(u) * np.diff(np.append(u, u[-1] * 2.0**0.25))
    rest = np.cumsum(size[::-1])[::-1]
    enough = np.flatnonzero(rest <= allowed)
    if not enough.size or u[enough[0]] * unit > most:
        return None
    return float(u[enough[0]]), float(rest[enough[0]])


def _line(
    function: Callable[[Array], Array], first: float, last: float, size: float, work: float
) -> Line | None:
    """Cut the frequencies into panels until functions of them are polynomials.

    Parameters
    ----------
    function
        Returns rows of values at frequencies: what is integrated, and others as smooth as the
        transforms of single totals of votes.
    first, last
        From where to where octaves are cut; below the first all is smooth.
    size
        What errors are measured against.
    work
        How many points of the measures each frequency costs.
    """
    octaves = max(1, math.ceil(math.log2(last / first)))
    ends = np.append(0.0, np.geomspace(first, last, octaves + 1))
    low, high = ends[:-1], ends[1:]
    kept_at: list[Array] = []
    kept_weights: list[Array] = []
    error, panels = 0.0, 0
    for _ in range(_LEVELS):
        panels += low.size
        if panels > _MOST_PANELS or panels * POINTS * work > _MOST_WORK:
            return None
        half = (high - low) / 2
        at = (low + half)[:, None] + half[:, None] * NODES
        values = function(at.ravel()).reshape(-1, low.size, POINTS)
        series = np.abs(values @ FIT.T) / (np.arange(POINTS) + 0.5)
        tails = series[:, :, -3:].sum(axis=2).max(axis=0) * half
        inner = series[:, :, -6:-3].sum(axis=2).max(axis=0) * half
        # Gauss's rule errs by coefficients from 32 on; those up to 15 fell so fast before.
        fall = np.minimum(1.0, tails / np.maximum(inner, 1e-300))
        missed = tails * np.where(fall <= _FALLING, fall, 1.0)
        sizes = series.max(axis=2).max(axis=0) * half
        good = (missed <= _FAINT * size) | (tails <= _RELATIVE * sizes)
        kept_at.append(at[good].ravel())
        kept_weights.append((half[good, None] * WEIGHTS).ravel())
        error += float(missed[good].sum())
        low, high, middle = low[~good], high[~good], (low + half)[~good]
        if not low.size:
            break
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    else:
        return None
    points, weights = np.concatenate(kept_at), np.concatenate(kept_weights)
    order = np.argsort(points)
    return Line(points[order], weights[order], error)


def _work(draws: Sequence[Draws]) -> float:
    return float(sum(d.measure.atoms.size + POINTS * d.measure.low.size for d in draws))


# ----------------------------------------------------------------------------------- probabilities


def line_terms(voters: Sequence[Voters], total: float, *, less: bool) -> list[Terms] | None:
    """Return P(votes, sum >= total, two draws or more from densities) as an integral.

    Parameters
    ----------
    voters
        All members.
    total
        What the sum is compared with.
    less
        Whether terms with fewer such draws have to be taken off.

    Returns
    -------
    list of Terms or None
        To be added up; None where the integral needs too many frequencies.

    References
    ----------
    Gil-Pelaez, Note on the inversion theorem (1951).
    """
    draws = [one.draws for one in voters]
    unit = usual_spread(draws) or 1.0
    found = _last_frequency(
        draws, unit, lambda u: first_terms(draws, u) / (math.pi * u), _REST, _FAR
    )
    if found is None:
        return None
    last, rest = found
    reach = math.fsum(one.count * _mean_size(one) for one in voters) + abs(total)
    first = 1e-13 / reach
    shift = math.fsum(one.count * one.mean for one in voters) - total

    def smooth(u: Array) -> Array:
        whole = [_leaf(one, u) for one in voters]
        few = [_atoms_and_once(one, u) for one in voters] if less else None
        rows = []
        for mark in _MARKS:
            found = _marked(whole, mark)
            rows.append(found if few is None else found - _marked_few(few, mark))
        # Real combinations of the totals of votes: only their imaginary part is integrated.
        wave = np.exp(1j * u * shift) / u
        return np.imag(wave * np.array([rows[0], rows[1], (rows[2] + rows[3]) / 2]))

    line = _line(smooth, first, last, 1.0, 2.0 * _work(draws))
    if line is None:
        return None
    u = line.frequencies
    weights = line.weights * np.exp(1j * u * shift) / (1j * math.pi * u)
    error = _SAFE * rest + line.error + first * reach + _misfit(draws)
    whole = weigh([_leaf(one, u) for one in voters], weights)
    parts = [Terms(whole.first, whole.values, whole.error + error)]
    if less:
        few = [_atoms_and_once(one, u) for one in voters]
        parts.append(weigh(few, -weights, -weights))
    parts.extend(replace(one, values=one.values / 2) for one in all_votes(voters, less=less))
    return parts


def _leaf(one: Voters, u: Array, parts: Sequence[Measure] | None = None) -> Leaf:
    no, yes = (
        part.atom_mass + part.cell_mass - deviation(part, u, one.mean)
        for part in (parts or one.draws.split())
    )
    return Leaf(one.count, one.weight, one.chance, no, yes)


def _atoms_and_once(one: Voters, u: Array) -> Leaf:
    """Return the atoms' transforms, and the density's as the second pair."""
    parts = one.draws.split()
    atoms, dense = (_leaf(one, u, some) for some in ([p.without_cells for p in parts],
                                                    [p.smooth for p in parts]))  # fmt: skip
    return replace(atoms, no_once=dense.no, yes_once=dense.yes)


def _marked(leaves: Sequence[Leaf], mark: complex) -> Complex:
    """Return the transform of the sum, every vote counted as a factor."""
    out = np.ones(leaves[0].no.size, dtype=np.complex128)
    for leaf in leaves:
        out = out * powers(leaf.no + mark**leaf.weight * leaf.yes, leaf.count)
    return out


def _marked_few(leaves: Sequence[Leaf], mark: complex) -> Complex:
    """Return the same of at most one draw from a density."""
    silent = [
        replace(
            leaf,
            weight=0,
            yes=mark**leaf.weight * leaf.yes,
            yes_once=None if leaf.yes_once is None else mark**leaf.weight * leaf.yes_once,
        )
        for leaf in leaves
    ]
    found = product(silent)
    assert found.once is not None
    return np.asarray(found.plain[:, 0] + found.once[:, 0])


def _mean_size(one: Voters) -> float:
    """Return about E|draw|, from above."""
    at, weight = one.measure.nodes()
    lost = one.measure.lost_below + one.measure.lost_above
    return float(np.abs(at) @ np.abs(weight)) + abs(one.mean) + lost


def _misfit(draws: Sequence[Draws]) -> float:
    return math.fsum(one.count * (one.measure.error + one.lost) for one in draws)


# -------------------------------------------------------------------------------------- excess


def line_excess(voters: Sequence[Voters], *, less: bool) -> tuple[float, float] | None:
    """Return E[max(-sum, 0)] on the event of a draw from a density, and its error in money.

    Half of E|sum| less the mean; E|sum| is the integral of (1 - Re transform) / u^2, times 2 / pi.

    Parameters
    ----------
    voters
        The members of both sides, without votes.
    less
        Whether the event of no such draw has to be taken off.

    Returns
    -------
    tuple of float or None
        None where the integral needs too many frequencies.
    """
    draws = [one.draws for one in voters]
    unit = usual_spread(draws) or 1.0
    found = _last_frequency(
        draws, unit, lambda u: without_atoms(draws, u) / (u * u), _REST * unit, _FAR_OF_EXCESS
    )
    if found is None:
        return None
    last, rest = found
    shift = math.fsum(one.count * one.mean for one in voters)
    extent = math.fsum(
        d.count * max(abs(end - v.mean) for end in d.measure.support)
        for d, v in zip(draws, voters, strict=True)
    ) + abs(shift)

    def fallen(u: Array) -> Array:
        whole = _fallen(voters, [d.measure for d in draws], u, shift)
        if less:
            whole = whole - _fallen(voters, [d.measure.without_cells for d in draws], u, shift)
        return whole

    line = _line(lambda u: (fallen(u) / (u * u))[None], 1.0 / extent, last, unit, _work(draws))
    if line is None:
        return None
    u = line.frequencies
    size = math.fsum(one.count * _mean_size(one) for one in voters)
    masses = [[d.measure.atom_mass + d.measure.cell_mass for d in draws],
              [d.measure.atom_mass for d in draws]]  # fmt: skip
    moments = [[_first_moment(d.measure) for d in draws],
               [_first_moment(d.measure.without_cells) for d in draws]]  # fmt: skip
    counts = [d.count for d in draws]
    total, mean = _of_all(counts, masses[0], moments[0])
    if less:
        other = _of_all(counts, masses[1], moments[1])
        total, mean = total - other[0], mean - other[1]
    absolute = 2.0 / math.pi * (float(line.weights @ (fallen(u) / (u * u))) + total / last)
    error = _SAFE * rest + line.error + _MOMENTS * size
    for one, draw in zip(voters, draws, strict=True):
        error += draw.count * draw.measure.error * (unit + _mean_size(one))
        error += draw.count * abs(_unplaced(one))
    far, missed = _far_below(voters, draws, shift)
    return (absolute - mean) / 2 + far, error + missed


def _fallen(voters: Sequence[Voters], measures: Sequence[Measure], u: Array, shift: float) -> Array:
    """Return the mass of the sum less the real part of its transform, accurate at small u."""
    mass, size, angle = 1.0, np.zeros(u.size), u * shift
    for one, measure in zip(voters, measures, strict=True):
        own = measure.atom_mass + measure.cell_mass
        if own <= 0:
            return np.zeros(u.size)
        apart = deviation(measure, u, one.mean) / own
        square = apart.real * apart.real + apart.imag * apart.imag
        with np.errstate(divide="ignore"):
            size += one.count * 0.5 * np.log1p(np.maximum(square - 2.0 * apart.real, -1.0))
        angle = angle + one.count * np.arctan2(-apart.imag, 1.0 - apart.real)
        mass *= own**one.count
    return mass * (2.0 * np.sin(angle / 2) ** 2 - np.expm1(size) * np.cos(angle))


def _first_moment(measure: Measure) -> float:
    at, weight = measure.nodes()
    return float(at @ weight)


def _unplaced(one: Voters) -> float:
    """Return by how much the mean is not that of the cells and of the tails beyond them."""
    found, (start, end) = _first_moment(one.measure), one.measure.support
    if one.measure.lost_above > 0:
        found += one.mean_beyond(end)
    if one.measure.lost_below > 0:
        found += one.mean_below(start)
    return one.mean - found


def _of_all(
    counts: Sequence[int], masses: Sequence[float], moments: Sequence[float]
) -> tuple[float, float]:
    """Return the mass of a sum of draws, and its first moment."""
    total = math.prod(mass**count for count, mass in zip(counts, masses, strict=True))
    if total <= 0:
        return 0.0, 0.0
    parts = zip(counts, masses, moments, strict=True)
    return total, total * math.fsum(count * moment / mass for count, mass, moment in parts)


def _far_below(
    voters: Sequence[Voters], draws: Sequence[Draws], shift: float
) -> tuple[float, float]:
    """Return what draws below the cut add to E[max(-sum, 0)], and what that misses.

    Such a draw makes the sum negative, up to a probability that is bounded here; one above makes
    it positive.
    """
    chance = math.fsum(one.count * one.lost for one in draws)
    others = max(sum(one.count for one in draws) - 1, 1)
    more, bound = 0.0, 0.0
    for one, draw in zip(voters, draws, strict=True):
        (start, end), measure = draw.measure.support, draw.measure
        if measure.lost_below > 0:
            size = one.mean_below(start)
            more -= draw.count * (size + (shift - one.mean) * measure.lost_below)
            over = sum(v.count * v.overshoot(-start / others) for v in voters)
            bound += draw.count * (measure.lost_below * over + abs(size) * chance)
        if measure.lost_above > 0:
            short = sum(v.count * v.shortfall(-end / others) for v in voters)
            bound += draw.count * measure.lost_above * short
    return more, bound + 2.0 * chance * chance * abs(shift)
