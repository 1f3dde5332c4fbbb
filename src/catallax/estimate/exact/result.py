"""What is known exactly of a mechanism on a market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import fsum, isfinite
from typing import Literal

__all__ = ["TOLERANCE", "ExactValues", "Method", "mixed"]

TOLERANCE = 1e-9
"""The largest relative error with which a value still counts as exact."""

Method = Literal["quadrature", "enumeration", "order statistics"]


@dataclass(frozen=True)
class ExactValues:
    """Expectations over the priors, and over the mechanism's own chance if it randomises.

    Attributes
    ----------
    gains_from_trade
        Values less costs, summed over the trades, in the market's currency.
    buyers_utility, sellers_utility
        Values less payments, and receipts less costs, with lump sums; summed over a side.
    surplus
        What is left with the mechanism; negative: a deficit. The three sum to the gains.
    trades
        Number of trades.
    trade_probability
        Probability of any trade at all.
    method
        How they were computed.
    error_bound
        Bound on their errors, as it came out of the computation: for trades and probability
        relative to each, for amounts relative to the largest of the four amounts.
    """

    gains_from_trade: float
    buyers_utility: float
    sellers_utility: float
    surplus: float
    trades: float
    trade_probability: float
    method: Method
    error_bound: float

    @property
    def amounts(self) -> tuple[float, float, float, float]:
        """Gains, the utilities of both sides, and surplus."""
        return self.gains_from_trade, self.buyers_utility, self.sellers_utility, self.surplus

    @property
    def scale(self) -> float:
        """The largest of the amounts, to which their errors are relative."""
        return max(abs(amount) for amount in self.amounts)

    @property
    def reliable(self) -> bool:
        """Whether all values are finite and the error bound is within `TOLERANCE`."""
        numbers = (*self.amounts, self.trades, self.trade_probability)
        return all(map(isfinite, numbers)) and self.error_bound <= TOLERANCE


def mixed(parts: Sequence[tuple[float, ExactValues]]) -> ExactValues:
    """Return the expectations of a lottery of mechanisms.

    Parameters
    ----------
    parts
        Pairs of a probability and the values of that outcome; of one method.

    Examples
    --------
    >>> one = ExactValues(1.0, 0.5, 0.5, 0.0, 1.0, 1.0, "quadrature", 0.0)
    >>> nothing = ExactValues(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "quadrature", 0.0)
    >>> mixed([(0.25, one), (0.75, nothing)]).gains_from_trade
    0.25
    """
    if len(parts) == 1:
        return parts[0][1]
    names = [field.name for field in fields(ExactValues)][:6]
    numbers = {
        name: fsum(probability * getattr(part, name) for probability, part in parts)
        for name in names
    }
    found = ExactValues(**numbers, method=parts[0][1].method, error_bound=0.0)
    # Absolute errors add up; what they are relative to may cancel.
    counts = max(part.error_bound for _, part in parts)
    money = fsum(probability * part.error_bound * part.scale for probability, part in parts)
    bound = max(counts, money / found.scale if found.scale > 0 else 0.0)
    return ExactValues(**numbers, method=found.method, error_bound=bound)
