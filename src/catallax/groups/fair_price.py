"""Among votes that gain as good as the same, the one that leaves both sides best off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.groups.best_price import candidates
from catallax.groups.best_rules import Demands, rule_at
from catallax.groups.best_vote import BestVote
from catallax.groups.evaluate import GroupEvaluation, evaluate
from catallax.groups.requirements import as_fraction
from catallax.groups.sums.series.streamed import quickly
from catallax.groups.trade import GroupTrade
from catallax.groups.vote import Vote

__all__ = ["HAIR", "fairest_vote"]

Array = NDArray[np.float64]

HAIR = 1e-3
"""Gains within this part of the best, and chances within this much, count as equal."""
# Gains that are divided differently by no more than this part of them are divided alike.
_EVEN = 1e-2
# An expected gain below this part of what is at stake is a rounding.
_NOTHING = 1e-10

# How many prices are tried, and how many judged in full: fewer where one takes long.
_TRIED, _TRIED_SLOWLY = 120, 24
_JUDGED, _JUDGED_SLOWLY = 12, 5
# Where prices are put between two neighbours: one right above the lower, where votes turn.
_BETWEEN = (0.001, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class _Judged:
    """A vote and what it brings."""

    vote: Vote
    value: GroupEvaluation

    @property
    def uneven(self) -> float:
        return abs(self.value.buyers_utility - self.value.sellers_utility)


@quickly()
def fairest_vote(trade: GroupTrade, mechanism: BestVote) -> Vote:
    """Return the vote that leaves both sides best off among those that gain as much as any.

    Where the price hardly matters for whether a trade takes place, it only divides the gain. Of
    all prices at which the best rule gains within a thousandth of the best vote, this takes those
    with the largest chance that neither side is worse off, again within a thousandth; of these,
    where there are any, those that pay the sellers no more than their largest possible cost, and
    take from the buyers no less than their smallest possible value; of these the one that divides
    the expected gain most evenly between the two sides. At each price it looks at the rule that
    trades even where the votes let expect no gain, and at the one that does not.

    Parameters
    ----------
    trade
        The groups and their priors.
    mechanism
        The best vote, with what is demanded of it.

    Returns
    -------
    Vote
        The best vote itself where no other price is better by more than a hair.

    Examples
    --------
    >>> trade = GroupTrade(10, 1, "uniform(20, 100)", "uniform(5, 15)")
    >>> value = evaluate(trade, fairest_vote(trade, BestVote()))
    >>> value.ir_both > 0.999, round(value.buyers_utility / value.sellers_utility, 1)
    (True, 1.0)
    """
    chosen = mechanism.choose(trade)
    if chosen.gains <= 0:
        return chosen.vote
    demands = mechanism.demands(trade)
    mixed = len(trade.buyers.parts) > 1 or len(trade.sellers.parts) > 1
    slow = mixed or demands.better_off is not None
    margins = (0.0,) if demands.better_off is not None else (0.0, _NOTHING * trade.scale)
    special = _special(trade)
    near = _near_prices(trade, demands, chosen.gains, chosen.vote.price, slow=slow)
    base = _Judged(chosen.vote, evaluate(trade, chosen.vote))

    def judged(prices: Iterable[float]) -> list[_Judged]:
        made = []
        for price in prices:
            rules = []
            # Where the votes let expect no gain at all, no trade leaves both sides as well off.
            for margin in margins:
                found = rule_at(trade, price, demands, margin=margin)
                if found.gains >= chosen.gains * (1 - HAIR):
                    rule = found.rule()
                    rules += [] if rule in rules else [rule]
            votes = [Vote(price, rule) for rule in rules]
            made += [_Judged(vote, evaluate(trade, vote)) for vote in votes]
        return made

    most = _JUDGED_SLOWLY if slow else _JUDGED
    seen = [
        base,
        *judged([chosen.vote.price, *special[np.isin(special, near)], *_spread(near, most)]),
    ]
    best = _best(seen, base, trade)
    prices = np.sort([one.vote.price for one in seen])
    at = int(np.searchsorted(prices, best.vote.price))
    low, high = prices[max(at - 1, 0)], prices[min(at + 1, prices.size - 1)]
    inside = near[(near > low) & (near < high) & (near != best.vote.price)]
    seen += judged(_spread(inside, most // 2))
    best = _best(seen, base, trade)
    if best is base:
        return base.vote
    for digits in range(1, 7):
        shorter = float(f"{best.vote.price:.{digits}g}")
        if abs(shorter - best.vote.price) > 0.02 * abs(best.vote.price):
            continue
        for one in judged([shorter]):
            if _best([*seen, one], one, trade) is one:
                return one.vote
    return best.vote


def _best(seen: list[_Judged], preferred: _Judged, trade: GroupTrade) -> _Judged:
    """Return the best for both sides; of equals the preferred one, or the one next to it."""
    most = max(one.value.ir_both for one in seen)
    kept = [one for one in seen if one.value.ir_both >= most - HAIR]
    least, largest = trade.buyers.support[0], trade.sellers.support[1]
    least, largest = least - HAIR * abs(least), largest + HAIR * abs(largest)
    kept = [one for one in kept if least <= one.vote.price * trade.n_buyers <= largest] or kept
    even = min(one.uneven for one in kept) + _EVEN * max(one.value.gains_from_trade for one in kept)
    kept = [one for one in kept if one.uneven <= even]
    if any(one is preferred for one in kept):
        return preferred
    return min(kept, key=lambda one: abs(one.vote.price - preferred.vote.price))


def _near_prices(
    trade: GroupTrade, demands: Demands, gains: float, price: float, *, slow: bool
) -> Array:
    """Return prices at which the best rule gains as much, within a hair."""
    most = _TRIED_SLOWLY if slow else _TRIED
    tried = np.unique([*_spread(candidates(trade), most), *_special(trade), price])
    enough = _enough(trade, demands, gains)
    kept = np.array([enough(float(one)) for one in tried])
    # The best price is as good as itself, though rules are not all tried here.
    kept |= tried == price
    found = tried[kept].tolist()
    # Between neighbours of which one is good enough there may be more.
    gaps = np.flatnonzero(kept[:-1] | kept[1:])
    for gap in gaps[np.argsort(np.abs(tried[gaps] - price))][: most // 8]:
        low, high = tried[gap], tried[gap + 1]
        found += [one for part in _BETWEEN if enough(one := float(low + part * (high - low)))]
    return np.unique(found)


def _special(trade: GroupTrade) -> Array:
    """Return the prices that all buyers, and that all sellers are sure to accept."""
    n = trade.n_buyers
    low, high = trade.buyers.support[0] / n, trade.sellers.support[1] / n
    # A price that is rounded down would lose the consent of a seller who is certain of her cost.
    if np.isfinite(high) and as_fraction(high) * n < as_fraction(trade.sellers.support[1]):
        high = math.nextafter(high, math.inf)
    found = np.array([low, high])
    return found[np.isfinite(found)]


def _enough(trade: GroupTrade, demands: Demands, gains: float) -> Callable[[float], bool]:
    return lambda price: rule_at(trade, price, demands).gains >= gains * (1 - HAIR)


def _spread(numbers: Array, most: int) -> list[float]:
    """Return so many of some numbers at most, the ends among them."""
    if numbers.size > most:
        numbers = numbers[np.unique(np.linspace(0, numbers.size - 1, most).astype(int))]
    return numbers.tolist()
