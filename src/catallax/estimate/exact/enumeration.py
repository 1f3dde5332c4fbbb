"""Markets whose agents have finitely many values each: all profiles, each with its probability."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.batch.clearing import Block
from catallax.estimate.batch.forms import batch_form
from catallax.estimate.batch.tally import COLUMNS, Tally, tally_branches, tally_outcomes
from catallax.estimate.draws import Draws, sampler_of
from catallax.estimate.exact.result import ExactValues

if TYPE_CHECKING:
    from catallax.markets import Agents, Market
    from catallax.mechanisms import Mechanism

__all__ = ["MOST_AT_ONCE", "MOST_ONE_BY_ONE", "count_profiles", "enumerated_values"]

Array = NDArray[np.float64]

MOST_AT_ONCE = 2**18
"""Up to so many profiles are looked at where a mechanism clears many at once."""

MOST_ONE_BY_ONE = 2**12
"""Up to so many profiles are looked at where they are cleared one by one."""

_BLOCK = 2**12


def count_profiles(market: Market) -> int | None:
    """Count the profiles of values and costs; None if they are not finitely many.

    Examples
    --------
    >>> import catallax as cx
    >>> dice = "discrete([1, 2, 3, 4, 5, 6], [0.25, 0.15, 0.15, 0.15, 0.15, 0.15])"
    >>> count_profiles(cx.Market([{"id": "b", "prior": dice}], [{"id": "s", "prior": dice}]))
    36
    """
    count = 1
    for side in (market.buyers, market.sellers):
        for prior, members in side.groups():
            if prior._parts().pieces:
                return None
            count *= prior.atoms[0].size ** members.size
    return count


def enumerated_values(market: Market, mechanism: Mechanism) -> ExactValues | None:
    """Compute what a mechanism achieves by clearing every profile there is.

    Parameters
    ----------
    market
        A market whose agents all have priors.
    mechanism
        Any mechanism.

    Returns
    -------
    ExactValues or None
        None if some prior is continuous, or there are more than `MOST_AT_ONCE` profiles
        (`MOST_ONE_BY_ONE` with constraints, and for mechanisms from elsewhere).

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    UnsupportedMarketError
        If the mechanism does not apply to the market.
    """
    count = count_profiles(market)
    form = batch_form(mechanism, market)
    if count is None or count > (MOST_ONE_BY_ONE if form is None else MOST_AT_ONCE):
        return None
    sampler = sampler_of(market)
    sums: list[Array] = []
    for draws, chances in _profiles(market, count):
        if form is None:
            tally: Tally = tally_outcomes(sampler, mechanism, draws, lambda done: None)
        else:
            block = Block(market, draws)
            tally = tally_branches(block, form(block))
        sums.append(tally.totals.T * chances)
    rows = np.concatenate(sums, axis=1)
    values = {name: fsum(row) for name, row in zip(COLUMNS, rows, strict=True)}
    # Every total is a sum of a few numbers; the sums over profiles are rounded once.
    agents = len(market.buyers) + len(market.sellers)
    size = float(np.abs(rows[:4]).sum(axis=1).max())
    scale = max(abs(values[name]) for name in COLUMNS[:4])
    lost = 4 * np.finfo(np.float64).eps * (agents + 1)
    bound = lost * (size / scale if scale > 0 else 1.0)
    return ExactValues(**values, method="enumeration", error_bound=float(bound))


def _profiles(market: Market, count: int) -> Iterator[tuple[Draws, Array]]:
    """Yield all profiles, block by block, with their probabilities."""
    everyone = [*_atoms(market.buyers), *_atoms(market.sellers)]
    sizes = [values.size for values, _ in everyone]
    cut = len(market.buyers)
    for start in range(0, count, _BLOCK):
        rest = np.arange(start, min(start + _BLOCK, count))
        reports = np.empty((rest.size, len(everyone)))
        chances = np.ones(rest.size)
        for agent in range(len(everyone) - 1, -1, -1):
            values, masses = everyone[agent]
            rest, which = np.divmod(rest, sizes[agent])
            reports[:, agent] = values[which]
            chances *= masses[which]
        yield Draws(reports[:, :cut].copy(), reports[:, cut:].copy()), chances


def _atoms(side: Agents) -> list[tuple[Array, Array]]:
    """Give every agent's possible values and their probabilities."""
    found: dict[int, tuple[Array, Array]] = {}
    for prior, members in side.groups():
        found |= dict.fromkeys(members.tolist(), prior.atoms)
    return [found[agent] for agent in range(len(side))]
