"""First best: what two groups gain in expectation if they trade whenever that pays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from catallax.groups.sums.draws.bounds import usual_spread
from catallax.groups.sums.draws.voters import Voters, silent
from catallax.groups.sums.series.densities import excess_terms
from catallax.groups.sums.series.dither import dithered_excess
from catallax.groups.sums.series.line import heavy, line_excess
from catallax.groups.sums.steep.folded_excess import fold_excess
from catallax.groups.sums.steep.pairs import pair_excess
from catallax.groups.sums.values.atoms import AtomLaw, law_of_atoms

__all__ = ["expected_excess"]

_NOTHING = 1e-15
_COARSE = 2e-8


def expected_excess(buyers: Sequence[Voters], sellers: Sequence[Voters]) -> tuple[float, float]:
    """Return E[max(sum of values - sum of costs, 0)] and a bound of its error, in money.

    Parameters
    ----------
    buyers, sellers
        The members; votes are not looked at.

    Returns
    -------
    tuple of float
        The first best and the bound.

    References
    ----------
    Xu, Zhang, Conitzer (AAAI 2024), section 3.

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> value, error = expected_excess(
    ...     [Voters(Uniform(0, 1), 1)], [Voters(Uniform(0, 1), 1, sign=-1)]
    ... )
    >>> round(value, 9), error < 1e-7
    (0.166666667, True)
    """
    voters = [silent(one) for one in (*buyers, *sellers)]
    low, high = (math.fsum(v.count * v.support[k] for v in voters) for k in (0, 1))
    if high <= 0 or low >= 0:
        return (math.fsum(v.count * v.mean for v in voters) if low >= 0 else 0.0), 0.0
    if sum(one.count for one in voters) == 2:
        return pair_excess(voters)
    few = math.prod(one.measure.atom_mass**one.count for one in voters) > _NOTHING
    laws = [law_of_atoms(side) for side in (buyers, sellers)] if few else []
    listed = [law for law in laws if law is not None]
    if len(listed) == 2 and all(not one.measure.low.size for one in voters):
        return _excess_of_atoms(*listed)
    known = len(listed) == 2
    if few and all(not one.measure.low.size for one in voters):
        found = dithered_excess(voters)
        if found is not None:
            return found
    more, error, negative = _excess_of_densities(voters, less=known, rough=few and not known)
    if known:
        first, bound = _excess_of_atoms(*listed)
        if negative:
            values, costs = listed
            first -= values.mean * costs.mass + values.mass * costs.mean
        more, error = more + first, error + bound
    if negative:
        more += math.fsum(one.count * one.mean for one in voters)
    if error > 4.0 * _COARSE * max(one.count * abs(one.mean) for one in voters):
        folded = fold_excess(voters)
        if folded is not None and folded[1] < error:
            return folded
    return more, error


def _excess_of_densities(
    voters: Sequence[Voters], *, less: bool, rough: bool
) -> tuple[float, float, bool]:
    """Return what `excess_terms` does, or the same along the whole line, where that errs less."""
    if rough:
        return excess_terms(voters, less=less, rough=True)
    draws = [one.draws for one in voters]
    unit = usual_spread(draws)
    ways: list[tuple[float, float, bool]] = []
    if not heavy(draws, unit):
        ways.append(excess_terms(voters, less=less, rough=False))
        if ways[0][1] <= _COARSE * unit:
            return ways[0]
    line = line_excess(voters, less=less)
    if line is not None:
        ways.append((*line, True))
    if not ways or (len(ways) == 1 and ways[0][1] > _COARSE * unit):
        ways.append(excess_terms(voters, less=less, rough=False))
    return min(ways, key=lambda way: way[1])


def _excess_of_atoms(values: AtomLaw, negative: AtomLaw) -> tuple[float, float]:
    """Return E[max(V - C, 0)] from the laws of V and of -C, and its error."""
    costs, masses = 0.0 - negative.values[::-1], negative.masses[::-1]
    middle = float(np.median(values.values))
    below = np.append(0.0, np.cumsum(masses))
    means = np.append(0.0, np.cumsum(masses * (costs - middle)))
    at = np.searchsorted(costs, values.values, side="right")
    found = float(values.masses @ ((values.values - middle) * below[at] - means[at]))
    extent = max(float(np.abs(x - middle).max()) for x in (values.values, costs))
    return found, (values.error + negative.error + _NOTHING) * extent
