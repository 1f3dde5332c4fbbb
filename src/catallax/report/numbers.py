"""Numbers as people read them: one number of decimals a column, digits in groups of three."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

__all__ = ["aligned", "amount", "chance", "count", "number"]

# Six digits tell apart what a reader compares; the exact numbers are in --json and --out.
_DIGITS = 6
_MOST_DECIMALS = 8


def aligned(values: Iterable[float], *, noise: float = 0.0) -> list[str]:
    """Write the numbers of a column so that their decimal points meet.

    Parameters
    ----------
    values
        The numbers; infinities are allowed.
    noise
        Numbers that are smaller are errors of rounding, and written as zero.

    Returns
    -------
    list of str
        One text a number. They take as many decimals as they need, two at the least where any
        has a fraction; numbers of very different sizes are written with an exponent instead.

    Examples
    --------
    >>> aligned([0.5, 1234.25, 0.0])
    ['0.50', '1,234.25', '0.00']
    >>> aligned([3.0, 12000.0])
    ['3', '12,000']
    >>> aligned([1e-9, 1e12])
    ['1e-09', '1e+12']
    >>> aligned([0.25, -5e-17], noise=1e-12)
    ['0.25', '0.00']
    """
    numbers = [0.0 if abs(value) <= noise else float(value) for value in values]
    decimals = _decimals([value for value in numbers if math.isfinite(value)])
    if decimals is None:
        return [f"{value:.{_DIGITS}g}" for value in numbers]
    # Adding zero makes a negative zero a plain one, also where rounding is what made it zero.
    return [f"{round(value, decimals) + 0.0:,.{decimals}f}" for value in numbers]


def _decimals(numbers: list[float]) -> int | None:
    """Return how many decimals show the numbers, or None where no number of decimals does."""
    largest = max(map(abs, numbers), default=0.0)
    if largest == 0:
        return 0
    if largest >= 1e15:
        return None
    for decimals in (0, 2, 3, 4):
        # Sums of amounts in cents carry errors of rounding, and are shown in cents all the same.
        if all(abs(value - round(value, decimals)) <= 1e-11 * abs(value) for value in numbers):
            return decimals
    decimals = min(max(_DIGITS - 1 - math.floor(math.log10(largest)), 2), _MOST_DECIMALS)
    smallest = min(abs(value) for value in numbers if value)
    return None if smallest < 10.0**-decimals else decimals


def number(value: float) -> str:
    """Write a number that stands alone.

    Examples
    --------
    >>> number(54159.3), number(0.375), number(-0.0)
    ('54,159.30', '0.375', '0')
    """
    return aligned([value])[0]


def amount(value: float, currency: str = "") -> str:
    """Write an amount of money, with its currency if there is one.

    Examples
    --------
    >>> amount(54159.3, "USD"), amount(0.375)
    ('54,159.30 USD', '0.375')
    """
    return f"{number(value)} {currency}".rstrip()


def chance(probability: Fraction | float) -> str:
    """Write a probability: a fraction as it is, another number with six digits.

    Examples
    --------
    >>> from fractions import Fraction
    >>> chance(Fraction(1, 2)), chance(0.25), chance(1 / 3)
    ('1/2', '0.25', '0.333333')
    """
    return str(probability) if isinstance(probability, Fraction) else f"{probability:.{_DIGITS}g}"


def count(how_many: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> count(1, "trade"), count(1204, "trade")
    ('1 trade', '1,204 trades')
    """
    return f"{how_many:,} {noun}{'' if how_many == 1 else 's'}"
