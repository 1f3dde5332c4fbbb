"""What a voting rule is: a monotone Boolean function of the votes of both sides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import VotingRuleError

__all__ = [
    "NEVER",
    "RULES",
    "BoolArray",
    "VotingRule",
    "as_votes",
    "broken_pair",
    "of",
    "register_rule",
]

BoolArray = NDArray[np.bool_]

RULES: dict[str, type[VotingRule]] = {}
"""Every kind of voting rule, by the name it has in files."""

NEVER = "more than everybody, so it never trades"
"""What a rule asks for that no votes meet."""

Rule = TypeVar("Rule", bound="type[VotingRule]")


def register_rule(rule: Rule) -> Rule:
    """Make a class of rules known to `make_rule` under its `kind` (a class decorator)."""
    RULES[rule.kind] = rule
    return rule


class VotingRule(ABC):
    """A monotone Boolean function of the votes of both sides.

    A member votes yes or no; a rule says whether the trade takes place. One more yes never
    prevents it. Rules are frozen dataclasses: immutable, equal by value, hashable.
    """

    kind: ClassVar[str]
    """The name of this kind of rule in files."""

    @abstractmethod
    def accepts(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> BoolArray:
        """Say whether the trade takes place.

        Parameters
        ----------
        buyer_votes, seller_votes
            Booleans, shapes ``(..., n)`` and ``(..., m)``: who is in favour. The leading
            dimensions are broadcast against each other.

        Returns
        -------
        ndarray of bool
            Of the shape of the leading dimensions.

        Raises
        ------
        VotingRuleError
            If the rule is not for groups of these sizes.
        """

    @abstractmethod
    def check(self, n: int, m: int) -> None:
        """Refuse the rule if it is not for n buyers and m sellers, or not monotone.

        Raises
        ------
        VotingRuleError
            With a witness, or with the remedy.
        """

    def counts(self, n: int, m: int) -> BoolArray | None:
        """Return which numbers of votes accept, if nothing else about them counts.

        Parameters
        ----------
        n, m
            The numbers of buyers and sellers.

        Returns
        -------
        ndarray of bool or None
            Shape ``(n + 1, m + 1)``: whether k buyers and l sellers in favour are enough; None
            for a rule that looks at who they are.
        """
        least = self.least_sellers(n, m)
        return None if least is None else np.arange(m + 1) >= least[:, None]

    def least_sellers(self, n: int, m: int) -> NDArray[np.int64] | None:
        """Return how many sellers must be in favour, for each number of buyers that are.

        This is `counts` in n + 1 numbers, for large groups.

        Returns
        -------
        ndarray of int64 or None
            Shape ``(n + 1,)``, nonincreasing; m + 1 where no number is enough.
        """
        del n, m
        return None

    @abstractmethod
    def describe(self, n: int, m: int) -> str:
        """Return what the rule asks for in words, e.g. ``"3 of 5 buyers and 3 of 5 sellers"``."""

    def tally(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> str:
        """Return the votes that were cast in words, as this rule counts them.

        Parameters
        ----------
        buyer_votes, seller_votes
            Booleans, shapes ``(n,)`` and ``(m,)``.
        """
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        return (
            f"{of(int(buyers.sum()), buyers.size, 'buyer')} and "
            f"{of(int(sellers.sum()), sellers.size, 'seller')} are in favour"
        )

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file; `make_rule` reads it back."""


def as_votes(votes: ArrayLike) -> BoolArray:
    """Return votes as an array of booleans, shape ``(..., members)``."""
    array = np.asarray(votes)
    if array.dtype != np.bool_:
        whole = np.asarray(array, dtype=np.float64)
        if not ((whole == 0) | (whole == 1)).all():
            raise VotingRuleError("a vote is neither yes nor no; write True or False")
        array = whole != 0
    if not array.ndim:
        raise VotingRuleError("votes come as one array per side; write [True] for one member")
    return array


def of(number: int, total: int, word: str) -> str:
    """Return ``"3 of 5 buyers"``."""
    return f"{number} of {total} {word}{'s' if total != 1 else ''}"


def broken_pair(
    accepts: Callable[[BoolArray], bool], size: int
) -> tuple[BoolArray, BoolArray] | None:
    """Return two profiles of votes that show a Boolean function not to be monotone.

    Parameters
    ----------
    accepts
        The function, of ``size`` votes.
    size
        Their number; the function is called 2^size times.

    Returns
    -------
    tuple of ndarray, or None
        A profile that is accepted, and one with a single further yes that is not.
    """
    profiles = (np.arange(2**size)[:, None] >> np.arange(size)) & 1 == 1
    table = np.array([bool(accepts(profile)) for profile in profiles])
    for member in range(size):
        without = np.flatnonzero(~profiles[:, member])
        lost = without[table[without] & ~table[without | (1 << member)]]
        if lost.size:
            return profiles[lost[0]], profiles[lost[0] | (1 << member)]
    return None
