"""What a prior looks like: arrays for tables and pictures."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from catallax.errors import PriorError
from catallax.priors.base import Prior
from catallax.priors.floats import FloatArray

__all__ = ["RevenueCurve", "VirtualTable", "revenue_curve", "virtual_table"]

Side = Literal["buyer", "seller"]


class VirtualTable(NamedTuple):
    """A prior at ascending points.

    Parameters
    ----------
    v
        The points: evenly spaced over the bulk of the prior, its atoms, and the ends of the
        ironed intervals.
    cdf, density
        P(V <= v), and the density of the smooth part.
    value_raw, value
        The virtual value before and after ironing; None where the best revenue is infinite.
    cost_raw, cost
        The virtual cost before and after ironing; None where it does not exist.
    """

    v: FloatArray
    cdf: FloatArray
    density: FloatArray
    value_raw: FloatArray | None
    value: FloatArray | None
    cost_raw: FloatArray | None
    cost: FloatArray | None


class RevenueCurve(NamedTuple):
    """Revenue (or cost) against the probability of a sale, and its hull.

    Parameters
    ----------
    q
        The probability that the price is accepted, ascending from 0.
    price
        The price.
    revenue
        ``q * price``.
    hull
        The concave hull of the revenue for a buyer, the convex hull of the cost for a seller. Its
        slope is the ironed virtual value, or cost.
    """

    q: FloatArray
    price: FloatArray
    revenue: FloatArray
    hull: FloatArray


def virtual_table(prior: Prior, n: int = 200) -> VirtualTable:
    """Tabulate a prior with its virtual values and costs.

    Parameters
    ----------
    prior
        Any prior.
    n
        How many evenly spaced points; atoms (at most `n` of them) and the ends of ironed
        intervals are added.

    Returns
    -------
    VirtualTable
        Arrays of one length.

    Examples
    --------
    >>> from catallax.priors import Uniform
    >>> table = virtual_table(Uniform(0, 1), 3)
    >>> table.v.tolist(), table.value.tolist()
    ([0.0, 0.5, 1.0], [-1.0, 0.0, 1.0])
    """
    values, costs = _virtual(prior, "buyer"), _virtual(prior, "seller")
    v = np.union1d(
        _points(prior, n, "buyer" if values else None),
        _points(prior, n, "seller" if costs else None),
    )
    return VirtualTable(
        v,
        prior.cdf(v),
        prior.density(v),
        prior.virtual_value(v, ironed=False) if values else None,
        prior.virtual_value(v) if values else None,
        prior.virtual_cost(v, ironed=False) if costs else None,
        prior.virtual_cost(v) if costs else None,
    )


def revenue_curve(prior: Prior, n: int = 400, side: Side = "buyer") -> RevenueCurve:
    """Tabulate the revenue curve of a buyer, or the cost curve of a seller, with its hull.

    Parameters
    ----------
    prior
        Any prior.
    n
        How many evenly spaced prices; atoms and the ends of ironed intervals are added.
    side
        Whose prior it is.

    Returns
    -------
    RevenueCurve
        Arrays of one length.

    Raises
    ------
    PriorError
        The best revenue is infinite, so that there is no hull; or the values span too much.

    Examples
    --------
    >>> from catallax.priors import Discrete
    >>> curve = revenue_curve(Discrete([1, 2], [0.5, 0.5]), 2)
    >>> curve.q.tolist(), curve.revenue.tolist(), curve.hull.tolist()
    ([0.0, 0.5, 0.5, 1.0], [0.0, 1.0, 0.5, 1.0], [0.0, 1.0, 1.0, 1.0])
    """
    buyer = side == "buyer"
    plateaus = prior.ironed_values if buyer else prior.ironed_costs
    price = _points(prior, n, side)
    price = price[::-1] if buyer else price  # in either case the chance of a sale ascends
    sold = prior.probability_at_least(price) if buyer else prior.cdf(price)
    short = prior.sf(price) if buyer else prior.probability_below(price)
    ironed = np.zeros(price.size, dtype=bool)
    for low, high, _ in plateaus:
        ironed |= (price > low) & (price < high)
    in_gap = (sold == np.append(-1.0, sold[:-1])) & (sold > 0)  # a worse price sells as much
    corner = ~ironed & ~in_gap
    # At an atom the chance of a sale jumps from P(V > v) to P(V >= v), at the same price.
    jump = sold > short
    order = np.argsort(np.concatenate([2 * np.flatnonzero(jump), 2 * np.arange(price.size) + 1]))
    q = np.concatenate([short[jump], sold])[order]
    prices = np.concatenate([price[jump], price])[order]
    revenue = q * prices
    hull = np.interp(q, np.append(0.0, sold[corner]), np.append(0.0, (sold * price)[corner]))
    hull = np.maximum(hull, revenue) if buyer else np.minimum(hull, revenue)
    return RevenueCurve(q, prices, revenue, hull)


def _virtual(prior: Prior, side: Side) -> bool:
    """Return whether virtual values, or costs, exist."""
    try:
        _ = prior.ironed_values if side == "buyer" else prior.ironed_costs
    except PriorError:
        return False
    return True


def _points(prior: Prior, n: int, side: Side | None) -> FloatArray:
    """Return evenly spaced points over the bulk, some atoms, and the ends of plateaus."""
    if n < 2:
        raise PriorError(f"n = {n} points are too few; ask for 2 or more")
    low, high = prior.support
    low = low if np.isfinite(low) else float(prior.quantile(1e-3))
    high = high if np.isfinite(high) else float(prior.quantile(1.0 - 1e-3))
    if not np.isfinite(high - low):
        raise PriorError(
            f"{prior.describe()} spans more than a number can hold, so no curve can be drawn; "
            "use a larger unit of money"
        )
    atoms, masses = prior.atoms
    if atoms.size > n:  # the largest of them
        atoms = atoms[np.sort(np.argsort(-masses, kind="stable")[:n])]
    plateaus = (
        () if side is None else prior.ironed_values if side == "buyer" else prior.ironed_costs
    )
    ends = np.array([end for block in plateaus[:n] for end in (block.low, block.high)])
    ends = ends[np.isfinite(ends)]  # all of them, for the hull has its corners there
    return np.unique(np.concatenate([np.linspace(low, high, n), atoms, ends]))
