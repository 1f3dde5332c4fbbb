"""Weighted sums of transforms over frequencies, for every total of votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums_ballots import Leaf, product

__all__ = ["Terms", "size_of", "weigh"]

Array = NDArray[np.float64]
Values = NDArray[Any]

_CELLS = 1 << 21
_NEGLIGIBLE = 1e-17
_ROUNDING = 2.0**-52


@dataclass(frozen=True, eq=False)
class Terms:
    """One number for each total of votes.

    Attributes
    ----------
    first
        The total of votes that the first number stands for.
    values
        The numbers.
    error
        Bounds the error of every sum of them.
    """

    first: int
    values: Array
    error: float


def size_of(leaves: Sequence[Leaf]) -> tuple[Array, Array | None]:
    """Bound the product of all transforms, and its linear terms, at each frequency."""
    bare = [
        replace(
            leaf,
            weight=0,
            no=np.abs(leaf.no),
            yes=np.abs(leaf.yes),
            no_once=None if leaf.no_once is None else np.abs(leaf.no_once),
            yes_once=None if leaf.yes_once is None else np.abs(leaf.yes_once),
        )
        for leaf in leaves
    ]
    whole = product(bare)
    return whole.plain[:, 0], None if whole.once is None else whole.once[:, 0]


def weigh(leaves: Sequence[Leaf], plain: Values, once: Values | None = None) -> Terms:
    """Add up, over all frequencies, weights times the transforms for each total of votes.

    Parameters
    ----------
    leaves
        The members.
    plain
        Weights of the product, shape (frequencies,).
    once
        Weights of its linear terms; none if left out.

    Returns
    -------
    Terms
        The real parts. Frequencies at which nothing is left are passed over; the error says what
        that and rounding come to.
    """
    size, size_once = size_of(leaves)
    reach = np.abs(plain) * size
    if once is not None and size_once is not None:
        reach = reach + np.abs(once) * size_once
    kept = np.flatnonzero(reach > _NEGLIGIBLE / reach.size)
    dropped = float(reach.sum() - reach[kept].sum())
    members = sum(leaf.count for leaf in leaves)
    error = dropped + _ROUNDING * (members + 32) * float(reach[kept].sum())
    if not kept.size:
        return Terms(0, np.zeros(1), error)
    length = 1 + sum(leaf.count * leaf.weight for leaf in leaves)
    rows = max(1, min(kept.size, _CELLS // min(length, 4096)))
    first, values = 0, np.zeros(1)
    for start in range(0, kept.size, rows):
        some = kept[start : start + rows]
        ballots = product([_at(leaf, some) for leaf in leaves])
        found = np.real(plain[some] @ ballots.plain)
        if once is not None and ballots.once is not None:
            found = found + np.real(once[some] @ ballots.once)
        first, values = ballots.first, (found if start == 0 else values + found)
    return Terms(first, values, error)


def _at(leaf: Leaf, which: NDArray[np.int64]) -> Leaf:
    return replace(
        leaf,
        no=leaf.no[which],
        yes=leaf.yes[which],
        no_once=None if leaf.no_once is None else leaf.no_once[which],
        yes_once=None if leaf.yes_once is None else leaf.yes_once[which],
    )
