"""What no outcome can be, and what is wrong with one that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms import Lottery, Outcome

if TYPE_CHECKING:
    from catallax.markets import Market

__all__ = ["Branch", "Inspector"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Branch:
    """One outcome of a mechanism's coin, as arrays.

    Attributes
    ----------
    chance
        Its probability; 1.0 without a coin.
    buyer, seller
        The trades, by position. Shape (trades,).
    pays, receives
        Prices. Shape (trades,).
    transfers
        What each agent receives besides, buyers first; None where there is nothing.
    """

    chance: float
    buyer: Indices
    seller: Indices
    pays: Array
    receives: Array
    transfers: Array | None

    @property
    def surplus(self) -> float:
        """What is left with the mechanism."""
        given = 0.0 if self.transfers is None else float(self.transfers.sum())
        return float(self.pays.sum() - self.receives.sum()) - given


class Inspector:
    """Looks at what a mechanism returns for a market, and says what is wrong with it."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.n_buyers, self.n_sellers = len(market.buyers), len(market.sellers)

    @cached_property
    def _edges(self) -> dict[tuple[int, int], int] | None:
        """The number of every edge; None where everybody may trade with everybody."""
        graph = self.market.graph
        if graph.complete:
            return None
        pairs = zip(graph.buyer.tolist(), graph.seller.tolist(), strict=True)
        return {pair: number for number, pair in enumerate(pairs)}

    def branches(self, result: Any) -> tuple[tuple[Branch, ...], str | None]:
        """Return the outcomes as arrays, or what is wrong with them.

        Parameters
        ----------
        result
            Whatever a mechanism returned.

        Returns
        -------
        tuple
            The branches, and None; or no branch, and what is wrong.
        """
        if isinstance(result, Outcome):
            outcomes = [(1.0, result)]
        elif isinstance(result, Lottery):
            outcomes = [(float(chance), outcome) for chance, outcome in result.outcomes]
        else:
            found = "nothing" if result is None else _a(type(result).__name__)
            return (), f"it returns {found}, not an Outcome or a Lottery"
        found = []
        for chance, outcome in outcomes:
            branch = self._branch(chance, outcome)
            if isinstance(branch, str):
                return (), branch
            found.append(branch)
        return tuple(found), None

    def _branch(self, chance: float, outcome: Outcome) -> Branch | str:
        try:
            buyer, seller = (
                _whole(side, word)
                for side, word in (
                    (outcome.buyer_index, "buyers"),
                    (outcome.seller_index, "sellers"),
                )
            )
            pays, receives = (
                _amounts(side, "prices") for side in (outcome.buyer_pays, outcome.seller_receives)
            )
            given = outcome.transfers
            transfers = None if given is None else _amounts(given, "transfers")
        except (TypeError, ValueError, OverflowError) as error:
            return f"its trades or prices are no arrays of numbers ({error})"
        problem = self._numbers(buyer, seller, pays, receives, transfers)
        if problem is None and buyer.size:
            problem = self._trades(buyer, seller)
        return problem or Branch(chance, buyer, seller, pays, receives, transfers)

    def _numbers(
        self, buyer: Indices, seller: Indices, pays: Array, receives: Array, transfers: Array | None
    ) -> str | None:
        if not buyer.size == seller.size == pays.size == receives.size:
            sizes = f"{buyer.size}, {seller.size}, {pays.size} and {receives.size}"
            return f"the numbers of its buyers, sellers and prices differ: {sizes}"
        for word, side, count in (
            ("buyer", buyer, self.n_buyers),
            ("seller", seller, self.n_sellers),
        ):
            outside = (side < 0) | (side >= count)
            if outside.any():
                at = int(side[outside][0])
                many = f"{word}s 0 to {count - 1}" if count > 1 else f"only {word} 0"
                has = many if count else f"no {word}"
                return f"it trades {word} {at} by position, and the market has {has}"
        for word, prices, side in (("pays", pays, buyer), ("receives", receives, seller)):
            wrong = np.flatnonzero(~np.isfinite(prices))
            if wrong.size:
                agents = self.market.buyers if word == "pays" else self.market.sellers
                return f"{agents.label(int(side[wrong[0]]))} {word} {prices[wrong[0]]}"
        if transfers is not None:
            if transfers.size != self.n_buyers + self.n_sellers:
                agents = self.n_buyers + self.n_sellers
                return f"it makes {transfers.size} transfers to {agents} agents"
            if not np.isfinite(transfers).all():
                return "it makes a transfer that is not a finite number"
        with np.errstate(over="ignore"):
            total = np.abs(pays).sum() + np.abs(receives).sum()
            total += 0.0 if transfers is None else np.abs(transfers).sum()
        if not np.isfinite(total):
            return "its prices are too large to be added up"
        return None

    def _trades(self, buyer: Indices, seller: Indices) -> str | None:
        market = self.market
        for side, agents in ((buyer, market.buyers), (seller, market.sellers)):
            if len(set(side.tolist())) < side.size:
                values, counts = np.unique(side, return_counts=True)
                return f"{agents.label(int(values[counts > 1][0]))} trades more than once"
        edges = self._numbered(buyer.tolist(), seller.tolist())
        if isinstance(edges, str):
            return edges
        if not market.constraints:
            return None
        if not market.family.allows(edges):
            return f"its trades together are not feasible: {self._pairs(buyer, seller)}"
        for out in range(len(edges)):
            if not market.family.allows(edges[:out] + edges[out + 1 :]):
                kept = np.arange(len(edges)) != out
                part = self._pairs(buyer[kept], seller[kept]) or "no trade"
                return (
                    f"the market's family is not downward closed, on which mechanisms rely: it "
                    f"allows {self._pairs(buyer, seller)} but not {part}"
                )
        return None

    def _numbered(self, buyer: list[int], seller: list[int]) -> list[int] | str:
        if self._edges is None:
            return [i * self.n_sellers + j for i, j in zip(buyer, seller, strict=True)]
        numbers = []
        for i, j in zip(buyer, seller, strict=True):
            number = self._edges.get((i, j))
            if number is None:
                market = self.market
                return (
                    f"it trades {market.buyers.label(i)} with {market.sellers.label(j)}, "
                    "who have no edge"
                )
            numbers.append(number)
        return numbers

    def _pairs(self, buyer: Indices, seller: Indices) -> str:
        market = self.market
        return ", ".join(
            f"({market.buyers.ids[int(i)]!r}, {market.sellers.ids[int(j)]!r})"
            for i, j in zip(buyer, seller, strict=True)
        )


def _whole(side: Any, word: str) -> Indices:
    """Return positions as integers; a mask or floats are none."""
    given = np.asarray(side).reshape(-1)
    if not given.size:
        return np.zeros(0, np.int64)
    if given.dtype.kind not in "iu":
        raise TypeError(f"positions of {word} are whole numbers, and not {given.dtype}")
    return given.astype(np.int64)


def _amounts(side: Any, word: str) -> Array:
    """Return amounts of money as floats; text and complex numbers are none."""
    given = np.asarray(side).reshape(-1)
    if not given.size:
        return np.zeros(0)
    if given.dtype.kind not in "iufO":
        raise TypeError(f"{word} are numbers, and not {given.dtype}")
    if given.dtype.kind == "O" and any(isinstance(one, str | bytes) for one in given):
        raise TypeError(f"{word} are numbers, and not text")
    return given.astype(np.float64)


def _a(word: str) -> str:
    return f"an {word}" if word[:1] in "AEIOUaeiou" else f"a {word}"
