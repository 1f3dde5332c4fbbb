"""What one side of a mechanism looks at: how reports weigh, and which report has a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact.integrals import cuts_of
from catallax.markets.agents import Role
from catallax.priors.combination import weighing

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["REPORT", "Side", "combined", "images", "marks_of", "virtual"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Side(NamedTuple):
    """How reports weigh.

    Attributes
    ----------
    weight
        The weights of reports.
    critical
        The smallest bid of a weight (or the largest ask); strictly beyond it where flagged.
    kinks
        Reports at which the weight jumps or bends.
    plain
        Whether the weight is the report itself.
    """

    weight: Callable[[Array], Array]
    critical: Callable[[Array, Flags], Array]
    kinks: Array
    plain: bool = False


REPORT = Side(lambda report: report, lambda level, strict: level, np.empty(0), plain=True)


def virtual(prior: Prior, role: Role) -> Side:
    """Return the weighing by ironed virtual values, or costs."""
    blocks = prior.ironed_values if role == "buyer" else prior.ironed_costs
    ends = np.array([end for block in blocks for end in (block.low, block.high)])
    if role == "buyer":
        return Side(prior.virtual_value, prior.smallest_value, ends)
    return Side(prior.virtual_cost, prior.largest_cost, ends)


def combined(prior: Prior, role: Role, share: float) -> Side:
    """Return the weighing by values and virtual values combined, as of the second best."""
    found = weighing(prior, role, share)

    def weight(reports: Array) -> Array:
        weights = found.weight(reports)
        # A share of zero of an infinite virtual value is nothing.
        return np.where(np.isnan(weights), reports, weights)

    return Side(weight if share == 0.0 else found.weight, found.critical, found.kinks)


def images(
    prior: Prior, own: Side, other: Side, matter: Callable[[Array], Flags] | None = None
) -> Array:
    """Return the other side's reports that meet what is special of this side.

    Parameters
    ----------
    prior, own
        This side.
    other
        The other side.
    matter
        Which reports of this side count; all by default.
    """
    marks = np.concatenate([own.kinks, marks_of(prior)])
    # A step has two levels: the one it comes from, and its own.
    points = np.concatenate([marks, np.nextafter(marks, -np.inf), np.nextafter(marks, np.inf)])
    points = np.concatenate([points, cuts_of(prior)])
    levels = own.weight(points if matter is None else points[matter(points)])
    levels = levels[np.isfinite(levels)]
    met = other.critical(np.tile(levels, 2), np.repeat([False, True], levels.size))
    return met[np.isfinite(met)]


def marks_of(prior: Prior) -> Array:
    """Return the atoms of a prior and the finite ends of its smooth pieces."""
    parts = prior._parts()
    ends = np.array([end for piece in parts.pieces for end in piece])
    return np.concatenate([parts.atoms, ends[np.isfinite(ends)]])
