"""Any monotone rule: by the coalitions that are enough, or by a function of the votes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import VotingRuleError
from catallax.groups.rules import BoolArray, VotingRule, as_votes, broken_pair, register_rule
from catallax.groups.voting_rule import NEVER

__all__ = ["BooleanRule", "Coalitions"]

LARGEST_CHECK = 20
"""Up to so many members a function is checked on all profiles of votes."""

Coalition = tuple[tuple[int, ...], tuple[int, ...]]


@register_rule
@dataclass(frozen=True, init=False)
class Coalitions(VotingRule):
    """The trade takes place when all members of one of some coalitions are in favour.

    Every monotone Boolean function is of this form, with its smallest accepted sets.

    Parameters
    ----------
    enough
        Pairs (buyers, sellers) of positions, counted from 0. An empty list never trades; the
        coalition of nobody always does. Coalitions that contain another are left out.

    Examples
    --------
    >>> rule = Coalitions([([0], []), ([1, 2], [0])])
    >>> rule.accepts([[False, True, True]], [True]).tolist()
    [True]
    >>> rule.describe(3, 1)
    'buyer 1, or buyers 2 and 3 with seller 1'
    """

    kind = "coalitions"
    enough: tuple[Coalition, ...]

    def __init__(self, enough: Iterable[Any]) -> None:
        sets = {_read_coalition(coalition) for coalition in enough}
        least = [one for one in sets if not any(other < one for other in sets)]
        object.__setattr__(self, "enough", tuple(sorted(map(_written, least))))

    def accepts(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> BoolArray:
        """Say whether some coalition is in favour as a whole."""
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        self.check(buyers.shape[-1], sellers.shape[-1])
        shape = np.broadcast_shapes(buyers.shape[:-1], sellers.shape[:-1])
        result = np.zeros(shape, dtype=np.bool_)
        for first, second in self.enough:
            whole = buyers[..., list(first)].all(axis=-1) & sellers[..., list(second)].all(axis=-1)
            result = result | whole
        return np.asarray(result)

    def check(self, n: int, m: int) -> None:
        """Refuse a coalition with a member that is not there."""
        for first, second in self.enough:
            for members, size, word in ((first, n, "buyer"), (second, m, "seller")):
                if members and members[-1] >= size:
                    raise VotingRuleError(
                        f"the rule '{self.kind}' names {word} {members[-1] + 1} and there are "
                        f"{size}; name members from 1 to {size}"
                    )

    def describe(self, n: int, m: int) -> str:
        """Return the coalitions in words, members counted from 1."""
        self.check(n, m)
        if not self.enough:
            return NEVER
        if self.enough == (((), ()),):
            return "nobody"
        shown = [_named(coalition) for coalition in self.enough[:6]]
        more = [f"one of {len(self.enough) - 6} further coalitions"] if self.enough[6:] else []
        return ", or ".join(shown + more)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file, members counted from 0."""
        return {"kind": self.kind, "enough": [[list(b), list(s)] for b, s in self.enough]}


def _read_coalition(given: Any) -> frozenset[tuple[int, int]]:
    try:
        buyers, sellers = given
        found = {(side, member) for side, part in enumerate((buyers, sellers)) for member in part}
        if all(isinstance(k, int | np.integer) and k >= 0 for _, k in found):
            return frozenset((side, int(k)) for side, k in found)
    except (TypeError, ValueError):
        pass
    raise VotingRuleError(
        f"{given!r} is no coalition; write the positions of its buyers and of its sellers, counted "
        "from 0, as in [[0, 2], [1]]"
    )


def _written(coalition: frozenset[tuple[int, int]]) -> Coalition:
    first, second = (tuple(sorted(k for at, k in coalition if at == side)) for side in (0, 1))
    return first, second


def _named(coalition: Coalition) -> str:
    parts = []
    for members, word in zip(coalition, ("buyer", "seller"), strict=True):
        if members:
            *most, last = (str(k + 1) for k in members)
            plural = "s" if most else ""
            joined = f"{', '.join(most)} and {last}" if most else last
            parts.append(f"{word}{plural} {joined}")
    return " with ".join(parts)


@dataclass(frozen=True)
class BooleanRule(VotingRule):
    """Any function of the votes, if it is monotone.

    Parameters
    ----------
    function
        ``function(buyer_votes, seller_votes) -> bool`` of two arrays of booleans, shapes ``(n,)``
        and ``(m,)``.
    words
        What the function asks for, for reasons.
    trusted
        Do not check it. Groups of more than 20 members in all have too many profiles of votes to
        look at each, and then somebody has to answer for the function.

    Notes
    -----
    Before its first use for groups of given sizes the function is called on all profiles of votes,
    2^(n + m) times.

    Examples
    --------
    >>> veto = BooleanRule(lambda buyers, sellers: buyers[0] and sellers.sum() >= 2, "a veto")
    >>> bool(veto.accepts([True, False], [True, False, True]))
    True
    >>> BooleanRule(lambda buyers, sellers: buyers.sum() == 1).check(2, 1)
    Traceback (most recent call last):
        ...
    catallax.errors.VotingRuleError: the function is not monotone: buyer 2 in favour is
    enough, but buyers 1 and 2 are not; a further yes must not prevent a trade
    """

    function: Callable[[BoolArray, BoolArray], Any]
    words: str = "what the function asks for"
    trusted: bool = False
    _checked: set[tuple[int, int]] = field(
        default_factory=set, init=False, repr=False, compare=False
    )

    kind = "boolean"

    def accepts(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> BoolArray:
        """Call the function on every profile."""
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        n, m = buyers.shape[-1], sellers.shape[-1]
        self.check(n, m)
        shape = np.broadcast_shapes(buyers.shape[:-1], sellers.shape[:-1])
        first = np.broadcast_to(buyers, (*shape, n)).reshape(-1, n)
        second = np.broadcast_to(sellers, (*shape, m)).reshape(-1, m)
        pairs = zip(first, second, strict=True)
        return np.array([self._call(*pair) for pair in pairs], dtype=np.bool_).reshape(shape)

    def _call(self, buyers: BoolArray, sellers: BoolArray) -> bool:
        return bool(self.function(buyers.copy(), sellers.copy()))

    def check(self, n: int, m: int) -> None:
        """Refuse the function if it is not monotone, with a witness."""
        if self.trusted or (n, m) in self._checked:
            return
        if n + m > LARGEST_CHECK:
            raise VotingRuleError(
                f"a function of {n + m} votes is too large to be checked (at most "
                f"{LARGEST_CHECK}); write BooleanRule(function, trusted=True) and answer for it, "
                "or use a quota, a table of counts or coalitions"
            )
        pair = broken_pair(lambda votes: self._call(votes[:n], votes[n:]), n + m)
        if pair is not None:
            low, high = (_names_of(votes, n) for votes in pair)
            raise VotingRuleError(
                f"the function is not monotone: {low} enough, but {high.replace(' in favour', '')} "
                "not; a further yes must not prevent a trade"
            )
        self._checked.add((n, m))

    def describe(self, n: int, m: int) -> str:
        """Return the words that came with the function."""
        del n, m
        return self.words

    def to_dict(self) -> dict[str, Any]:
        """Refuse: a function cannot be written to a file."""
        raise VotingRuleError(
            "a Python function cannot be written to a file; write the rule as coalitions"
        )


def _names_of(votes: BoolArray, n: int) -> str:
    members = np.flatnonzero(votes)
    if not members.size:
        return "nobody in favour is"
    coalition = tuple(members[members < n].tolist()), tuple((members[members >= n] - n).tolist())
    return f"{_named(coalition)} in favour {'is' if members.size == 1 else 'are'}"
