"""A limit on the sum of a quantity over the trades."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from catallax.errors import ConstraintError
from catallax.markets.families.bound import Knapsack, Parts
from catallax.markets.families.constraint import Constraint
from catallax.markets.families.quota import column_of
from catallax.markets.families.registry import register

__all__ = ["KnapsackConstraint"]


@register
@dataclass(frozen=True)
class KnapsackConstraint(Constraint):
    """The amounts of the traded edges sum to at most `limit`.

    Attributes
    ----------
    column
        A column of the edges' table with amounts, none negative.
    limit
        The largest sum.
    """

    kind = "knapsack"
    column: str
    limit: float

    def bind(self, parts: Parts, where: str) -> Knapsack:
        """Read the amounts as the decimals they were written as, and count them in whole ticks."""
        values = column_of(parts, "edges", self.column, where, "knapsack")
        try:
            amounts = values.cast(pl.Float64).to_list()
        except pl.exceptions.PolarsError:
            raise ConstraintError(f"{where}: the column '{self.column}' is not numeric") from None
        for number, amount in enumerate(amounts):
            if amount is None or not np.isfinite(amount) or amount < 0:
                raise ConstraintError(
                    f"{where}: the edge {parts.name(number)} has the amount {amount} in the "
                    f"column '{self.column}'; write a number that is not negative"
                )
        if isinstance(self.limit, bool) or not isinstance(self.limit, int | float):
            raise ConstraintError(f"{where}: 'limit' must be a number, not {self.limit!r}")
        if not 0 <= self.limit < np.inf:  # whole numbers beyond all floats included
            raise ConstraintError(
                f"{where}: 'limit' is {self.limit}; it must be finite and not negative"
            )
        # 0.1 + 0.2 is to fit into 0.3: amounts are taken as the decimals they print as.
        exact = [Fraction(repr(float(amount))) for amount in amounts]
        # A limit that never binds does not add to the digits.
        most = self.limit if isinstance(self.limit, int) else repr(float(self.limit))
        exact.append(min(Fraction(most), sum(exact, Fraction(0))))
        unit = _common_unit(exact)
        whole = [int(value / unit) for value in exact]
        if sum(whole) >= 2**62:
            raise ConstraintError(
                f"{where}: the amounts in '{self.column}' span too many digits to be summed "
                "exactly; round them"
            )
        return Knapsack(np.array(whole[:-1], dtype=np.int64), whole[-1])


def _common_unit(values: list[Fraction]) -> Fraction:
    """Find the largest number of which all values are whole multiples."""
    from math import gcd, lcm

    denominator = lcm(*(value.denominator for value in values))
    numerator = gcd(*(int(value * denominator) for value in values)) or 1
    return Fraction(numerator, denominator)
