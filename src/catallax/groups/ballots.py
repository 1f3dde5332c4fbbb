"""The votes of one side with what they tell of its total value: the rows of every exact sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums import VoteLaw, ballot_law, vote_law
from catallax.groups.sums.draws.voters import Voters, voters_of
from catallax.groups.sums.waiting import within
from catallax.groups.trade import Group

__all__ = ["MOST_TOTALS", "SideLaw", "kinds_law", "side_law"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_TOTALS = 2_000_000
"""Totals of weighted votes are told apart up to this many."""


@dataclass(frozen=True, eq=False)
class SideLaw:
    """The law of one side's votes, each total of votes a row.

    Attributes
    ----------
    votes
        Totals of the weights of those in favour, ascending. Shape (rows,).
    chance
        The probability of each.
    sums
        The expected total value (for sellers minus the total cost) on the event of each.
    reached
        The probability of each and that the side's total utility is nonnegative in a trade;
        None where it was not asked for.
    error
        Bounds the error of every sum of entries of `reached` from one of them on.
    """

    votes: Whole
    chance: Array
    sums: Array
    reached: Array | None = None
    error: float = 0.0

    @property
    def worse(self) -> Array:
        """The probability of each total and that the side is worse off in a trade."""
        assert self.reached is not None
        return np.maximum(self.chance - self.reached, 0.0)


def side_law(
    group: Group, price: float, weights: Sequence[int] | None = None, total: float | None = None
) -> SideLaw:
    """Return the law of a side's votes at a price.

    Parameters
    ----------
    group
        The side.
    price
        A buyer who values at least this much is in favour; a seller whose cost is at most this.
    weights
        The weight of each member's vote; 1 each if left out.
    total
        What the side pays (sellers: receives) in all, if `reached` is wanted.
    """
    numbers = None if weights is None else np.array(weights, dtype=np.int64)
    return _law(voters_of(group, price, numbers), group, total)


def _law(voters: list[Voters], group: Group, total: float | None) -> SideLaw:
    if total is None:
        votes, chance, sums = ballot_law(voters)
        return SideLaw(votes, chance, sums)
    buyers = group.word == "buyer"
    with within(0.0, 0.5) if buyers else within(0.5, 1.0):
        law: VoteLaw = vote_law(voters, total if buyers else -total)
    return SideLaw(law.votes, law.chance, law.sums, law.reached, law.error)


def kinds_law(
    group: Group, price: float, total: float | None = None
) -> tuple[SideLaw, Whole, list[Voters]] | None:
    """Return the law of how many members of each kind are in favour.

    Parameters
    ----------
    group
        The side; members with the same prior are of one kind.
    price
        See `side_law`.
    total
        See `side_law`.

    Returns
    -------
    tuple or None
        The law, whose votes only number the rows; how many of each kind are in favour in each
        row, shape (rows, kinds); and the kinds. None if there are too many such rows to list.
    """
    kinds = voters_of(group, price)
    sizes = [one.count + 1 for one in kinds]
    rows = 1
    for size in sizes:
        rows *= size
        if rows > MOST_ROWS:
            return None
    radix = np.cumprod([1, *sizes[:-1]])
    marked = [
        Voters(one.prior, one.count, int(weight), one.price, one.sign)
        for one, weight in zip(kinds, radix, strict=True)
    ]
    law = _law(marked, group, total)
    counts = law.votes[:, None] // radix % np.array(sizes)
    return law, counts, kinds


MOST_ROWS = 20_000
"""Numbers of votes by kind are listed up to this many."""
