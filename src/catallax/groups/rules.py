"""Voting rules that count votes: unanimity, majority, quotas, and any table of counts."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import VotingRuleError
from catallax.groups.requirements import (
    Requirement,
    least_amount,
    read_requirement,
)
from catallax.groups.voting_rule import (
    NEVER,
    RULES,
    BoolArray,
    VotingRule,
    as_votes,
    broken_pair,
    of,
    register_rule,
)

__all__ = [
    "RULES",
    "Anonymous",
    "BoolArray",
    "Majority",
    "Quota",
    "SidedRule",
    "Unanimity",
    "VotingRule",
    "VotingRuleError",
    "as_votes",
    "broken_pair",
    "of",
    "register_rule",
    "standing",
]

# ------------------------------------------------------------------------------------- both sides


class SidedRule(VotingRule):
    """A rule that needs so many buyers and so many sellers."""

    @abstractmethod
    def needs(self, n: int, m: int) -> tuple[int, int]:
        """Return how many of n buyers and of m sellers have to be in favour."""

    def accepts(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> BoolArray:
        """Say whether enough of each side are in favour."""
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        self.check(buyers.shape[-1], sellers.shape[-1])
        first, second = self.needs(buyers.shape[-1], sellers.shape[-1])
        return np.logical_and(buyers.sum(axis=-1) >= first, sellers.sum(axis=-1) >= second)

    def check(self, n: int, m: int) -> None:
        """Refuse a quota that is larger than its side."""
        for need, size, word in zip(self.needs(n, m), (n, m), ("buyer", "seller"), strict=True):
            if need > size:
                raise VotingRuleError(
                    f"the rule '{self.kind}' needs {of(need, size, word)}, which can never be; "
                    f"ask for at most {size}"
                )

    def least_sellers(self, n: int, m: int) -> NDArray[np.int64]:
        """Return how many sellers must be in favour, for each number of buyers that are."""
        self.check(n, m)
        first, second = self.needs(n, m)
        return np.where(np.arange(n + 1) >= first, second, m + 1).astype(np.int64)

    def describe(self, n: int, m: int) -> str:
        """Return how many of each side the rule asks for."""
        sides = zip(self.needs(n, m), (n, m), ("buyer", "seller"), strict=True)
        asked = [of(need, size, word) for need, size, word in sides if need > 0]
        return " and ".join(asked) if asked else "nobody"


@register_rule
@dataclass(frozen=True)
class Unanimity(SidedRule):
    """All members of both sides have to be in favour.

    Examples
    --------
    >>> bool(Unanimity().accepts([True, True], [True, False]))
    False
    """

    kind = "unanimity"

    def needs(self, n: int, m: int) -> tuple[int, int]:
        """Return n and m."""
        return n, m

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file."""
        return {"kind": self.kind}


@register_rule
@dataclass(frozen=True)
class Majority(SidedRule):
    """More than half of the members of each side have to be in favour.

    Examples
    --------
    >>> Majority().needs(4, 5)
    (3, 3)
    """

    kind = "majority"

    def needs(self, n: int, m: int) -> tuple[int, int]:
        """Return the smallest numbers above n / 2 and m / 2."""
        return n // 2 + 1, m // 2 + 1

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file."""
        return {"kind": self.kind}


@register_rule
@dataclass(frozen=True, init=False)
class Quota(SidedRule):
    """At least so many members of each side have to be in favour.

    Parameters
    ----------
    buyers, sellers
        A count (an integer), or a part of the side: 0.8, "80%" or "2/3", which is what is
        written and not the nearest binary number, so that 0.7 of 10 members are 7. All members are
        "100%"; 0 does not ask this side. By default all members.

    Examples
    --------
    >>> Quota(buyers=2, sellers="80%").needs(3, 358)
    (2, 287)
    >>> Quota(buyers=4).check(3, 3)
    Traceback (most recent call last):
        ...
    catallax.errors.VotingRuleError: the rule 'quota' needs 4 of 3 buyers,
    which can never be; ask for at most 3
    """

    kind = "quota"
    buyers: Requirement
    sellers: Requirement

    def __init__(self, buyers: object = "100%", sellers: object = "100%") -> None:
        object.__setattr__(self, "buyers", read_requirement(buyers, "buyers"))
        object.__setattr__(self, "sellers", read_requirement(sellers, "sellers"))

    def needs(self, n: int, m: int) -> tuple[int, int]:
        """Return the smallest whole numbers that reach the quotas."""
        return least_amount(self.buyers, n), least_amount(self.sellers, m)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file."""
        return {"kind": self.kind, "buyers": self.buyers, "sellers": self.sellers}


# ------------------------------------------------------------------------------- tables of counts


@register_rule
@dataclass(frozen=True, init=False)
class Anonymous(VotingRule):
    """Any monotone rule that looks only at how many buyers and sellers are in favour.

    Parameters
    ----------
    table
        Booleans, shape ``(n + 1, m + 1)``: whether k buyers and l sellers are enough.

    Attributes
    ----------
    least
        For each number k of buyers in favour the least number of sellers that is enough; m + 1
        where none is. Such a nonincreasing list is the same as a monotone table, and shorter.
    n_sellers
        m.

    Raises
    ------
    VotingRuleError
        If the table is not monotone, with the two counts that show it.

    Examples
    --------
    >>> rule = Anonymous([[False, False], [False, True], [True, True]])
    >>> rule.least
    (2, 1, 0)
    >>> Anonymous([[False, True], [True, False]])
    Traceback (most recent call last):
        ...
    catallax.errors.VotingRuleError: the rule is not monotone: 0 buyers and
    1 seller in favour are enough, but 1 buyer and 1 seller are not; a further yes must not prevent
    a trade
    """

    kind = "anonymous"
    least: tuple[int, ...]
    n_sellers: int

    def __init__(self, table: ArrayLike) -> None:
        accepting = as_votes(table)
        if accepting.ndim != 2 or min(accepting.shape) < 1:
            raise VotingRuleError(
                f"a table of counts has one row for each number of buyers in favour and one column "
                f"for each number of sellers, not the shape {accepting.shape}"
            )
        for axis in (0, 1):
            after, before = np.moveaxis(accepting, axis, 0)[1:], np.moveaxis(accepting, axis, 0)
            lost = np.argwhere(before[:-1] & ~after)
            if lost.size:
                low = lost[0] if axis == 0 else lost[0][::-1]
                high = low + (np.arange(2) == axis)
                raise VotingRuleError(
                    f"the rule is not monotone: {_both(low)} in favour are enough, but "
                    f"{_both(high)} are not; a further yes must not prevent a trade"
                )
        least = (~accepting).sum(axis=1)
        object.__setattr__(self, "least", tuple(least.tolist()))
        object.__setattr__(self, "n_sellers", accepting.shape[1] - 1)

    @classmethod
    def from_least(cls, least: ArrayLike, n_sellers: int) -> Anonymous:
        """Make the rule from the least numbers of sellers, for groups too large for a table.

        Parameters
        ----------
        least
            Integers, shape ``(n + 1,)``, nonincreasing; above `n_sellers` where none is enough.
        n_sellers
            The number of sellers.

        Raises
        ------
        VotingRuleError
            If the numbers increase somewhere, or are not whole.

        Examples
        --------
        >>> Anonymous.from_least([2, 1, 0], 1) == Anonymous([[0, 0], [0, 1], [1, 1]])
        True
        """
        sellers = _whole(n_sellers, "the number of sellers")
        if sellers.ndim or sellers < 1:
            raise VotingRuleError(f"the number of sellers is {n_sellers!r}; give one from 1 up")
        wanted = _whole(least, "the least numbers of sellers")
        if wanted.ndim != 1 or not wanted.size:
            raise VotingRuleError(
                "the least numbers of sellers come in one list: for 0 buyers in favour, 1, 2, ..."
            )
        numbers = np.clip(wanted, 0, int(sellers) + 1).astype(np.int64)
        rises = np.flatnonzero(np.diff(numbers) > 0)
        if rises.size:
            k, enough = int(rises[0]), int(numbers[rises[0]])
            raise VotingRuleError(
                f"the rule is not monotone: {_both((k, enough))} in favour are enough, but "
                f"{_both((k + 1, enough))} are not; a further yes must not prevent a trade"
            )
        made = cls.__new__(cls)
        object.__setattr__(made, "least", tuple(numbers.tolist()))
        object.__setattr__(made, "n_sellers", int(sellers))
        return made

    @property
    def n_buyers(self) -> int:
        """The number of buyers."""
        return len(self.least) - 1

    def accepts(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> BoolArray:
        """Say whether the numbers of votes are enough."""
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        self.check(buyers.shape[-1], sellers.shape[-1])
        least = np.array(self.least)[buyers.sum(axis=-1)]
        return np.asarray(sellers.sum(axis=-1) >= least)

    def check(self, n: int, m: int) -> None:
        """Refuse groups of other sizes than the table's."""
        if (n, m) != (self.n_buyers, self.n_sellers):
            raise VotingRuleError(
                f"the table of the rule 'anonymous' is for {self.n_buyers} buyers and "
                f"{self.n_sellers} sellers, not for {n} and {m}; give it {n + 1} rows and "
                f"{m + 1} columns"
            )

    def least_sellers(self, n: int, m: int) -> NDArray[np.int64]:
        """Return how many sellers must be in favour, for each number of buyers that are."""
        self.check(n, m)
        return np.array(self.least, dtype=np.int64)

    def describe(self, n: int, m: int) -> str:
        """Return the corners of the table in words."""
        self.check(n, m)
        corners = _corners(self.least, m)
        if not corners:
            return NEVER
        if corners == [(0, 0)]:
            return "nobody"
        shown = [_counted(corner) for corner in corners[: len(_PLACES)]]
        rest = len(corners) - len(_PLACES)
        if rest > 0:
            shown.append(f"one of {rest} further pairs" if rest > 1 else "one further pair")
        return "at least " + ", or ".join(shown)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file."""
        return {"kind": self.kind, "least": list(self.least), "sellers": self.n_sellers}


_PLACES = ("first", "second", "third", "fourth")
"""The pairs of counts that a description shows."""


def standing(rule: VotingRule, buyer_votes: BoolArray, seller_votes: BoolArray) -> str:
    """Say which of a rule's conditions is met, or how many votes the nearest is short of.

    Parameters
    ----------
    rule
        The rule.
    buyer_votes, seller_votes
        Who is in favour, shapes ``(n,)`` and ``(m,)``.

    Returns
    -------
    str
        Words in brackets with a space before; none for a rule that looks at who the members are,
        or whose only condition is met.

    Examples
    --------
    >>> rule = Anonymous.from_least([2, 1, 1, 0], 1)
    >>> standing(rule, np.array([True, True, False]), np.array([True]))
    ' (the first is met)'
    >>> standing(Majority(), np.array([True, False, False]), np.array([True]))
    ' (1 buyer short)'
    """
    n, m = buyer_votes.size, seller_votes.size
    least = rule.least_sellers(n, m)
    if least is None:
        return ""
    corners = _corners(tuple(least.tolist()), m)
    cast = int(buyer_votes.sum()), int(seller_votes.sum())
    short = [tuple(max(need - one, 0) for need, one in zip(pair, cast, strict=True))
             for pair in corners]  # fmt: skip
    if (0, 0) in short:
        if len(corners) == 1:
            return ""
        met = [k for k, one in enumerate(short) if one == (0, 0)]
        if met[-1] >= len(_PLACES):
            return f" (met: {_counted(corners[met[0]])})"
        *most, last = (f"the {_PLACES[k]}" for k in met)
        places = f"{', '.join(most)} and {last}" if most else last
        return f" ({places} {'is' if len(met) == 1 else 'are'} met)"
    if not short:
        return ""
    fewest = min(map(sum, short))
    nearest = list(dict.fromkeys(one for one in short if sum(one) == fewest))
    if len(nearest) > 2:
        return f" ({fewest} vote{'s' if fewest > 1 else ''} short)"
    return f" ({' or '.join(map(_missing, nearest))} short)"


def _missing(counts: tuple[int, ...]) -> str:
    sides = zip(counts, ("buyer", "seller"), strict=True)
    return " and ".join(f"{k} {word}{'s' if k > 1 else ''}" for k, word in sides if k)


def _whole(numbers: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return whole numbers as they are given, and refuse all others."""
    try:
        given = np.asarray(numbers)
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise VotingRuleError(f"{what}: {numbers!r} is no whole number") from None
    wrong = given.dtype.kind not in "iuf" or not np.isfinite(found).all()
    if wrong or (found != np.rint(found)).any():
        raise VotingRuleError(f"{what}: {numbers!r} is no whole number")
    return found


def _corners(least: tuple[int, ...], m: int) -> list[tuple[int, int]]:
    """Return the smallest pairs of counts that are enough."""
    before = (m + 1, *least)
    return [(k, enough) for k, enough in enumerate(least) if enough <= m and enough < before[k]]


def _counted(pair: Any) -> str:
    return _missing(tuple(int(number) for number in pair)) or "nobody"


def _both(pair: Any) -> str:
    buyers, sellers = (int(number) for number in pair)
    first = f"{buyers} buyer{'s' if buyers != 1 else ''}"
    return f"{first} and {sellers} seller{'s' if sellers != 1 else ''}"
