"""Votes with weights of both sides added up: what a side lacks the other can make up for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import VotingRuleError
from catallax.groups.rules import BoolArray, VotingRule, as_votes, of, register_rule
from catallax.groups.voting_rule import NEVER

__all__ = ["MOST_TOLD", "Scores"]

MOST_TOLD = 10**6
"""If there are more points they are told as parts of all: nobody reads twelve digits."""
_LARGEST = 2**62


@register_rule
@dataclass(frozen=True, init=False)
class Scores(VotingRule):
    """Everybody in favour adds a score, and the sum over both sides has to reach a number.

    This is the form of the best vote among members with different priors: a score is what a yes
    adds to the expected gain.

    Parameters
    ----------
    buyer_scores, seller_scores
        Whole numbers from 0 up, one for each member.
    need
        The sum that is enough, a whole number.
    least_buyers, least_sellers
        How many of each side have to be in favour besides.

    Examples
    --------
    >>> rule = Scores([3, 1], [2], 4)
    >>> rule.accepts([[True, False], [False, True]], [True]).tolist()
    [True, False]
    """

    kind = "scores"
    buyer_scores: tuple[int, ...]
    seller_scores: tuple[int, ...]
    need: int
    least_buyers: int
    least_sellers_: int

    def __init__(
        self,
        buyer_scores: Iterable[int],
        seller_scores: Iterable[int],
        need: int,
        least_buyers: int = 0,
        least_sellers: int = 0,
    ) -> None:
        object.__setattr__(self, "buyer_scores", _read(buyer_scores, "buyer"))
        object.__setattr__(self, "seller_scores", _read(seller_scores, "seller"))
        numbers = {"need": need, "least_buyers": least_buyers, "least_sellers": least_sellers}
        for name, number in numbers.items():
            if isinstance(number, bool) or not isinstance(number, int):
                raise VotingRuleError(f"{name} is {number!r}; write a whole number")
            object.__setattr__(self, "least_sellers_" if name == "least_sellers" else name, number)
        if sum(self.buyer_scores) + sum(self.seller_scores) + abs(need) >= _LARGEST:
            raise VotingRuleError("the scores are too large; write them in a larger unit")

    def check(self, n: int, m: int) -> None:
        """Refuse groups that have not as many members as there are scores."""
        given = (self.buyer_scores, self.seller_scores)
        for scores, size, word in zip(given, (n, m), ("buyer", "seller"), strict=True):
            if len(scores) != size:
                raise VotingRuleError(
                    f"the rule '{self.kind}' has {len(scores)} {word}s' scores for {size} "
                    f"{word}s; give one for each"
                )

    def accepts(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> BoolArray:
        """Say whether the scores of those in favour reach what is needed."""
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        self.check(buyers.shape[-1], sellers.shape[-1])
        total = buyers @ np.array(self.buyer_scores, dtype=np.int64)
        total = total + sellers @ np.array(self.seller_scores, dtype=np.int64)
        enough = (buyers.sum(axis=-1) >= self.least_buyers) & (
            sellers.sum(axis=-1) >= self.least_sellers_
        )
        return np.asarray((total >= self.need) & enough)

    def describe(self, n: int, m: int) -> str:
        """Return what the rule asks for in words."""
        sides = ((self.least_buyers, n, "buyer"), (self.least_sellers_, m, "seller"))
        parts = [of(least, size, word) for least, size, word in sides if least > 0]
        if self.need > self.points:
            return NEVER
        if self.need > 0:
            parts.insert(0, _points(self.need, self.points))
        return " and ".join(parts) if parts else "nobody"

    @property
    def points(self) -> int:
        """The sum of all scores."""
        return sum(self.buyer_scores) + sum(self.seller_scores)

    def tally(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> str:
        """Return the votes and the points of those in favour."""
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        points = int(buyers @ np.array(self.buyer_scores, dtype=np.int64))
        points += int(sellers @ np.array(self.seller_scores, dtype=np.int64))
        votes = super().tally(buyers, sellers).removesuffix(" are in favour")
        told = _points(points, self.points)
        if self.points > MOST_TOLD:
            # Where the percentages look alike the numbers decide.
            told += f" ({points:,}; {self.need:,} are needed)"
        return f"{votes}, with {told}, are in favour"

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file."""
        return {
            "kind": self.kind,
            "buyer_scores": list(self.buyer_scores),
            "seller_scores": list(self.seller_scores),
            "need": self.need,
            "least_buyers": self.least_buyers,
            "least_sellers": self.least_sellers_,
        }


def _points(count: int, whole: int) -> str:
    if whole > MOST_TOLD:
        return f"{count / whole:.4%} of all points"
    return f"{count:,} of {whole:,} point{'s' if whole != 1 else ''}"


def _read(scores: Iterable[int], word: str) -> tuple[int, ...]:
    found = []
    for position, score in enumerate(scores):
        whole = isinstance(score, int | np.integer) and not isinstance(score, bool)
        if not whole or score < 0:
            raise VotingRuleError(
                f"the score of {word} {position + 1} is {score!r}; write a whole number from 0 up"
            )
        found.append(int(score))
    return tuple(found)
