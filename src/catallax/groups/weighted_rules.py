"""Quotas of shares: votes that weigh as much as their owners' shares, added up exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import VotingRuleError
from catallax.groups.requirements import (
    Requirement,
    as_fraction,
    least_amount,
    read_requirement,
)
from catallax.groups.rules import BoolArray, VotingRule, as_votes, of, register_rule

__all__ = ["WeightedQuota", "WholeShares"]

Shares = tuple[float, ...]


@dataclass(frozen=True)
class WholeShares:
    """One side of a weighted quota in whole numbers: no sum of these is ever rounded.

    Attributes
    ----------
    weights
        Each member's share, in units so small that all are whole.
    need
        The least sum of weights that is enough.
    unit
        How many of these units are one share; a sum divided by it is in shares again.
    """

    weights: tuple[int, ...]
    need: int
    unit: int

    @property
    def total(self) -> int:
        """The sum of all weights."""
        return sum(self.weights)

    def reached(self, votes: BoolArray) -> BoolArray:
        """Say whether those in favour hold enough; votes of shape ``(..., members)``."""
        # The weights may exceed 64 bits, so they are added up in limbs of 32 and carried once.
        limbs, need = _limbs(self.weights, self.need)
        sums = votes.astype(np.int64) @ limbs - need
        for place in range(sums.shape[-1] - 1):
            sums[..., place + 1] += sums[..., place] >> 32
        return np.asarray(sums[..., -1] >= 0)


@lru_cache(maxsize=64)
def _limbs(weights: tuple[int, ...], need: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    count = max(1, -(-max(need, *weights).bit_length() // 32))
    mask = 2**32 - 1
    digits = [[(weight >> 32 * place) & mask for place in range(count)] for weight in weights]
    goal = [(need >> 32 * place) & mask for place in range(count)]
    return np.array(digits, dtype=np.int64), np.array(goal, dtype=np.int64)


@register_rule
@dataclass(frozen=True, init=False)
class WeightedQuota(VotingRule):
    """Those in favour have to hold so much of the shares of their side, as in a collective sale.

    Parameters
    ----------
    buyer_shares, seller_shares
        Each member's share, nonnegative, in any unit; None where every member has one share.
    buyers, sellers
        A part of all shares: 0.8, "80%" or "2/3"; or an integer, in the unit of the shares. All
        shares by default. Zero does not ask this side.

    Notes
    -----
    Shares and quotas mean the decimals that are written: 0.1 + 0.2 of shares reach a quota of 0.3.

    Examples
    --------
    >>> rule = WeightedQuota(seller_shares=[5, 3, 2], buyers="50%", sellers="80%")
    >>> rule.accepts([True], [[True, True, False], [True, False, True]]).tolist()
    [True, False]
    >>> rule.describe(1, 3)
    '1 of 1 buyer and sellers with 8 of 10 shares'
    """

    kind = "weighted-quota"
    buyer_shares: Shares | None
    seller_shares: Shares | None
    buyers: Requirement
    sellers: Requirement

    def __init__(
        self,
        buyer_shares: Iterable[float] | None = None,
        seller_shares: Iterable[float] | None = None,
        *,
        buyers: object = "100%",
        sellers: object = "100%",
    ) -> None:
        object.__setattr__(self, "buyer_shares", _read_shares(buyer_shares, "buyer"))
        object.__setattr__(self, "seller_shares", _read_shares(seller_shares, "seller"))
        object.__setattr__(self, "buyers", read_requirement(buyers, "buyers"))
        object.__setattr__(self, "sellers", read_requirement(sellers, "sellers"))
        for word, side in (("buyers", self._buyers), ("sellers", self._sellers)):
            if side is not None and side.need > side.total:
                raise VotingRuleError(
                    f"the rule '{self.kind}' needs {getattr(self, word)} of the {word}' "
                    f"{show(side.total, side.unit)} shares, which can never be; ask for at most "
                    "all of them"
                )

    @cached_property
    def _buyers(self) -> WholeShares | None:
        return None if self.buyer_shares is None else _whole(self.buyer_shares, self.buyers)

    @cached_property
    def _sellers(self) -> WholeShares | None:
        return None if self.seller_shares is None else _whole(self.seller_shares, self.sellers)

    def sides(self, n: int, m: int) -> tuple[WholeShares, WholeShares]:
        """Return both sides in whole numbers, for n buyers and m sellers.

        Raises
        ------
        VotingRuleError
            If there are not as many shares as members.
        """
        self.check(n, m)
        buyers = _whole((1.0,) * n, self.buyers) if self._buyers is None else self._buyers
        sellers = _whole((1.0,) * m, self.sellers) if self._sellers is None else self._sellers
        return buyers, sellers

    def accepts(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> BoolArray:
        """Say whether those in favour hold enough shares on both sides."""
        buyers, sellers = as_votes(buyer_votes), as_votes(seller_votes)
        first, second = self.sides(buyers.shape[-1], sellers.shape[-1])
        return np.logical_and(first.reached(buyers), second.reached(sellers))

    def check(self, n: int, m: int) -> None:
        """Refuse groups that have not as many members as there are shares."""
        given = (self.buyer_shares, self.seller_shares)
        quotas = (self.buyers, self.sellers)
        for shares, quota, size, word in zip(
            given, quotas, (n, m), ("buyer", "seller"), strict=True
        ):
            if shares is not None and len(shares) != size:
                raise VotingRuleError(
                    f"the rule '{self.kind}' has {len(shares)} {word}s' shares and there are "
                    f"{of(size, size, word).split(' of ')[1]}; give one share for each"
                )
            if shares is None and least_amount(quota, size) > size:
                raise VotingRuleError(
                    f"the rule '{self.kind}' needs {of(int(quota), size, word)}, which can never "
                    f"be; ask for at most {size}"
                )

    def least_sellers(self, n: int, m: int) -> NDArray[np.int64] | None:
        """Return the rule in counts where all members of a side have equal shares."""
        first, second = self.sides(n, m)
        if len(set(first.weights)) > 1 or len(set(second.weights)) > 1:
            return None
        need = [-(-side.need // side.weights[0]) if side.need else 0 for side in (first, second)]
        return np.where(np.arange(n + 1) >= need[0], need[1], m + 1).astype(np.int64)

    def describe(self, n: int, m: int) -> str:
        """Return how much of each side's shares the rule asks for."""
        parts = []
        given = (self.buyer_shares, self.seller_shares)
        for shares, side, word in zip(given, self.sides(n, m), ("buyer", "seller"), strict=True):
            if side.need == 0:
                continue
            need, total = show(side.need, side.unit), show(side.total, side.unit)
            if shares is None:
                parts.append(of(side.need, side.total, word))
            else:
                parts.append(f"{word}s with {need} of {total} shares")
        return " and ".join(parts) if parts else "nobody"

    def tally(self, buyer_votes: ArrayLike, seller_votes: ArrayLike) -> str:
        """Return how many shares those in favour hold."""
        votes = as_votes(buyer_votes), as_votes(seller_votes)
        parts = []
        given = (self.buyer_shares, self.seller_shares)
        sides = self.sides(votes[0].size, votes[1].size)
        for cast, shares, side, word in zip(votes, given, sides, ("buyer", "seller"), strict=True):
            held = sum(weight for weight, vote in zip(side.weights, cast, strict=True) if vote)
            counted = of(int(cast.sum()), cast.size, word)
            if shares is not None:
                total = show(side.total, side.unit)
                counted += f" with {show(held, side.unit)} of {total} shares"
            parts.append(counted)
        return " and ".join(parts) + " are in favour"

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is written in a file."""
        shares = {"buyer_shares": self.buyer_shares, "seller_shares": self.seller_shares}
        written = {key: list(value) for key, value in shares.items() if value is not None}
        return {"kind": self.kind, **written, "buyers": self.buyers, "sellers": self.sellers}


def _read_shares(shares: Iterable[float] | None, word: str) -> Shares | None:
    if shares is None:
        return None
    numbers: list[float] = []
    for position, share in enumerate(shares):
        try:
            number = float(share)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(share, bool | str) or not (math.isfinite(number) and number >= 0):
            raise VotingRuleError(
                f"the share of {word} {position + 1} is {share!r}; write a number from 0 up"
            )
        numbers.append(number)
    if not numbers or sum(numbers) <= 0:
        raise VotingRuleError(f"the {word}s' shares sum to 0; give somebody a share above 0")
    return tuple(numbers)


def _whole(shares: Shares, requirement: Requirement) -> WholeShares:
    """Return shares as whole numbers, in the largest unit that makes them whole."""
    exact = [as_fraction(share) for share in shares]
    unit = math.lcm(*(share.denominator for share in exact))
    weights = tuple(int(share * unit) for share in exact)
    return WholeShares(weights, least_amount(requirement, sum(weights), unit), unit)


def show(amount: int, unit: int) -> str:
    """Return a sum of whole shares in the unit in which they were given."""
    return f"{float(Fraction(amount, unit)):,.12g}"
