"""The best rule at a given price: trade when the votes say that a gain is to be expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb, fsum, inf, nextafter

import numpy as np
from numpy.typing import NDArray

from catallax.groups.ballots import SideLaw, kinds_law, side_law
from catallax.groups.exact_votes import expected_gain
from catallax.groups.requirements import as_fraction
from catallax.groups.rules import Anonymous, VotingRule
from catallax.groups.score_rules import Scores
from catallax.groups.sums.draws.voters import voters_of
from catallax.groups.trade import Group, GroupTrade
from catallax.groups.vote import Prices

__all__ = ["Demands", "RuleAt", "rule_at"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

# Scores are whole numbers of this part of all scores: finely, and where weights are listed.
_FINE, _COARSE = 2**40, 2**12
# Rules by numbers of votes are all tried where they are no more than this.
_MOST_RULES = 4_000
# Below this chance of a no, what a yes leaves of the mean is next to nothing but rounding.
_RARE = 1e-6


@dataclass(frozen=True)
class Demands:
    """What a vote has to grant besides a large gain.

    Attributes
    ----------
    better_off
        The least probability that each side's total utility is nonnegative; None for none.
    buyers, sellers
        The least numbers of members in favour.
    """

    better_off: float | None
    buyers: int
    sellers: int


@dataclass(frozen=True)
class RuleAt:
    """The best rule at a price.

    Attributes
    ----------
    gains
        Its expected gain.
    rule
        Makes the rule.
    """

    gains: float
    rule: Callable[[], VotingRule]


def rule_at(
    trade: GroupTrade,
    price: float,
    demands: Demands,
    *,
    exact: bool = False,
    margin: float = 0.0,
) -> RuleAt:
    """Return the best rule at a price.

    Parameters
    ----------
    trade
        The groups and their priors.
    price
        What each buyer pays in a trade.
    demands
        What the rule has to grant besides.
    exact
        Try all rules where that is possible and may help.
    margin
        What the votes have to let expect for a trade; not with a demanded probability.

    Returns
    -------
    RuleAt
    """
    prices = Prices.of(as_fraction(price), trade.n_buyers, trade.n_sellers)
    if len(trade.buyers.parts) > 1 or len(trade.sellers.parts) > 1:
        return _by_scores(trade, prices, demands, margin)
    total = None if demands.better_off is None else float(prices.pays * trade.n_buyers)
    buyers = side_law(trade.buyers, prices.least_bid, None, total)
    sellers = side_law(trade.sellers, prices.largest_ask, None, total)
    table = _Table(buyers, sellers, demands)
    starts = (
        table.free(margin) if demands.better_off is None else table.demanded(demands.better_off)
    )
    if demands.better_off is not None and exact:
        starts = table.tried(demands.better_off, starts)
    n, m = trade.n_buyers, trade.n_sellers

    def made() -> VotingRule:
        return Anonymous.from_least(_least(buyers.votes, sellers.votes, starts, n, m), m)

    return RuleAt(table.gains(starts), made)


def _least(buyers: Whole, sellers: Whole, starts: Whole, n: int, m: int) -> Whole:
    """Return how many sellers are needed for every number of buyers, possible ones or not."""
    needed = np.append(sellers, m + 1)[starts]
    # Numbers that never come up take what is needed for the next smaller that does.
    at = np.searchsorted(buyers, np.arange(n + 1), side="right") - 1
    return np.where(at < 0, m + 1, needed[np.maximum(at, 0)])


# ---------------------------------------------------------------------- members who share a prior


class _Table:
    """Gains and risks of all pairs of numbers of votes, by rows and columns."""

    def __init__(self, buyers: SideLaw, sellers: SideLaw, demands: Demands) -> None:
        self.buyers, self.sellers, self.demands = buyers, sellers, demands
        self.value = _rising(buyers.sums / buyers.chance)
        self.worth = _rising(sellers.sums / sellers.chance)
        self.tails = {
            name: np.append(np.cumsum(column[::-1])[::-1], 0.0)
            for name, column in (("chance", sellers.chance), ("sums", sellers.sums))
        }

    def consenting(self, starts: Whole) -> Whole:
        """Take out the pairs in which too few are in favour."""
        first = int(np.searchsorted(self.sellers.votes, self.demands.sellers))
        starts = np.maximum(starts, first)
        starts[self.buyers.votes < self.demands.buyers] = self.sellers.votes.size
        return starts

    def free(self, margin: float = 0.0) -> Whole:
        """Return where the expected gain reaches the margin in each row."""
        return self.consenting(np.searchsorted(self.worth, margin - self.value))

    def gains(self, starts: Whole) -> float:
        """Return the expected gain of a rule."""
        chance, sums = self.tails["chance"][starts], self.tails["sums"][starts]
        return fsum(self.buyers.sums * chance) + fsum(self.buyers.chance * sums)

    def risks(self, starts: Whole) -> tuple[float, float]:
        """Return the probabilities that a side is worse off."""
        worse = np.append(np.cumsum(self.sellers.worse[::-1])[::-1], 0.0)[starts]
        first = float(self.buyers.worse @ self.tails["chance"][starts])
        return first, float(self.buyers.chance @ worse)

    def demanded(self, better_off: float) -> Whole:
        """Charge each side's risk until both are small enough."""
        most = 1.0 - better_off + 1e-12
        risk = [_falling(law.worse / law.chance) for law in (self.buyers, self.sellers)]

        def charged(first: float, second: float) -> Whole:
            value = self.value - first * risk[0]
            worth = self.worth - second * risk[1]
            return self.consenting(np.searchsorted(worth, -value))

        large = 1e6 * float(np.abs(np.concatenate([self.value, self.worth])).max(initial=1.0))
        charges = [0.0, 0.0]
        for _ in range(2):
            for side in (0, 1):
                charges[side] = _smallest(
                    lambda charge, side=side: self.risks(
                        charged(*((charge, charges[1]) if side == 0 else (charges[0], charge)))
                    )[side] <= most,
                    large,
                )  # fmt: skip
        starts = charged(*charges)
        if max(self.risks(starts)) > most:
            # Raising one charge only ever lowers both risks: this is the last resort.
            starts = np.full(starts.size, self.sellers.votes.size)
        return starts

    def tried(self, better_off: float, starts: Whole) -> Whole:
        """Try every rule that counts votes, where there are not too many."""
        rows, columns = self.buyers.votes.size, self.sellers.votes.size
        if comb(rows + columns, rows) > _MOST_RULES:
            return starts
        best, found = self.gains(starts), starts
        for rising in combinations_with_replacement(range(columns + 1), rows):
            rule = self.consenting(np.array(rising[::-1]))
            if max(self.risks(rule)) <= 1.0 - better_off + 1e-12:
                gained = self.gains(rule)
                if gained > best + 1e-15 * abs(best):
                    best, found = gained, rule
        return found


def _rising(numbers: Array) -> Array:
    """Undo what rounding did to numbers that never fall."""
    return np.maximum.accumulate(numbers)


def _falling(numbers: Array) -> Array:
    """Undo what rounding did to numbers that never rise."""
    return np.maximum.accumulate(numbers[::-1])[::-1]


def _smallest(enough: Callable[[float], bool], large: float) -> float:
    """Return the smallest charge that is enough, to a relative 1e-9."""
    if enough(0.0):
        return 0.0
    low, high = 0.0, large
    for _ in range(90):
        middle = (low * high) ** 0.5 if low > 0 else high / 1024
        if enough(middle):
            high = middle
        else:
            low = middle
        if low > 0 and high - low <= 1e-9 * high:
            break
        if high < 1e-12 * large:
            break
    return high


# ------------------------------------------------------------------- members of different priors


def _by_scores(trade: GroupTrade, prices: Prices, demands: Demands, margin: float = 0.0) -> RuleAt:
    """Return the rule that adds up what every yes adds to the expected gain."""
    sides = ((trade.buyers, prices.least_bid), (trade.sellers, prices.largest_ask))
    parts = [_added(group, price) for group, price in sides]
    without = sum(part[1] for part in parts)
    without -= margin
    adds = [part[0] for part in parts]
    fine = all(_few(group, price) for group, price in sides)
    whole = sum(float(part.sum()) for part in adds)
    if not whole > 0:
        # Nobody's vote tells anything: trade always or never.
        scores = [np.zeros(part.size, np.int64) for part in adds]
        need = 0 if without >= 0 else 1
    else:
        unit = whole / (_FINE if fine else _COARSE)
        scores = [np.round(part / unit).astype(np.int64) for part in adds]
        points = sum(int(part.sum()) for part in scores)
        # Beyond "always" and "never" a need says no more, and may be too large to be written.
        wanted = min(max(-without / unit, -1.0), points + 1.0)
        need = max(int(np.ceil(wanted - (1e-9 if fine else 0.0))), 0)
        # The same rule in the smallest whole numbers: people read them.
        common = int(np.gcd.reduce(np.concatenate(scores))) or 1
        scores, need = [part // common for part in scores], -(-need // common)
    rule = Scores(scores[0].tolist(), scores[1].tolist(), need, demands.buyers, demands.sellers)
    return RuleAt(expected_gain(rule, trade, prices), lambda: rule)


def _added(group: Group, price: float) -> tuple[Array, float]:
    """Return what a yes of each member adds to the expected total, and the total without any."""
    adds, without = np.zeros(group.size), []
    kinds = voters_of(group, price)
    for kind, (_, who) in zip(kinds, group.parts, strict=True):
        yes, no = kind.chance, kind.refusal
        agreed = kind.mean_in_favour
        refused = kind.mean - agreed
        if 0 < no < _RARE:  # what is left of the difference is rounding
            refused = kind.mean_below(nextafter(kind.bar, -inf))
        if no <= 0 or yes <= 0:
            without.append(kind.count * kind.mean)
            continue
        adds[who] = max(agreed / yes - refused / no, 0.0)
        without.append(kind.count * refused / no)
    return adds, fsum(without)


def _few(group: Group, price: float) -> bool:
    return kinds_law(group, price) is not None
