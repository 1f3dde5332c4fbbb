"""The amount against which sums of reports are rounded, where constraints ask for it."""

from __future__ import annotations

import sys
from typing import NamedTuple

from catallax.errors import ReportError

__all__ = ["Scale", "as_largest_report"]


class Scale(NamedTuple):
    """The largest amount that matters in a market.

    Attributes
    ----------
    amount
        The amount, in units of money.
    public
        Whether the market states it, so that no report can lie beyond it; else it is what the
        priors speak of, beyond which reports are odd but heard.

    Examples
    --------
    >>> Scale(100.0, public=True).amount
    100.0
    """

    amount: float
    public: bool


def as_largest_report(value: object, where: str) -> float | None:
    """Check the largest report that a market states; None where it states none.

    Raises
    ------
    ReportError
        If it is not a positive, finite number.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReportError(f"{where}: largest_report is {value!r}; write a positive number")
    if not 0 < value <= sys.float_info.max:
        raise ReportError(f"{where}: largest_report is {value!r}; write a positive, finite number")
    return float(value)
