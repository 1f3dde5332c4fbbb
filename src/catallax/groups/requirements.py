"""How many have to agree: a count, or a part of the whole that means what is written."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from numbers import Real
from typing import SupportsFloat, TypeGuard

import numpy as np

from catallax.errors import VotingRuleError

__all__ = ["Requirement", "as_fraction", "is_finite", "least_amount", "read_requirement"]

Requirement = int | str
"""A count, or a part such as "80%" or "2/3"."""


_REMEDY = 'write a count such as 3, or a part such as 0.8, "80%" or "2/3"'


def is_finite(value: object) -> TypeGuard[float]:
    """Tell whether something is a finite number that a float holds; True and "3" are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return bool(abs(value) <= sys.float_info.max)


def as_fraction(value: SupportsFloat) -> Fraction:
    """Return a number as the decimal that is written, not as its nearest binary number.

    Examples
    --------
    >>> as_fraction(0.7)
    Fraction(7, 10)
    """
    if isinstance(value, int | Fraction):
        return Fraction(value)
    return Fraction(repr(float(value)))


def read_requirement(value: object, what: str) -> Requirement:
    """Return a quota in its one way of writing.

    Parameters
    ----------
    value
        A count: an integer, or its text. Or a part of the whole: a number between 0 and 1, or text
        such as "80%", "2/3", "0.8" or "all".
    what
        What the quota is called in error messages.

    Returns
    -------
    int or str
        The count; or the part as a percentage or a fraction.

    Raises
    ------
    VotingRuleError
        If it is neither. The number 1.0 is refused, for it could be one member or all of them.

    Examples
    --------
    >>> [read_requirement(value, "buyers") for value in (3, 0.8, "0.125", "2/3", "all")]
    [3, '80%', '12.5%', '2/3', '100%']
    """
    if isinstance(value, str):
        return _read_text(value, what)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        if value < 0:
            raise VotingRuleError(f"the quota of {what} is {value}, below zero; {_REMEDY}")
        return int(value)
    if not isinstance(value, Real) or isinstance(value, bool):
        raise VotingRuleError(f"the quota of {what} is {value!r}, which is no quota; {_REMEDY}")
    part = float(value)
    if not 0 < part < 1:  # NaN too
        remedy = 'write "100%" for all of them, or 1 for one' if part == 1 else _REMEDY
        raise VotingRuleError(f"the quota of {what} is {part}, which is no part; {remedy}")
    return _written(as_fraction(value))


def _read_text(text: str, what: str) -> Requirement:
    bare = text.strip().replace(" ", "")
    if bare == "all":
        return "100%"
    if bare.isdecimal():
        return int(bare)
    percent = bare.endswith("%")
    try:
        part = Fraction(bare.removesuffix("%")) / (100 if percent else 1)
    except (ValueError, ZeroDivisionError):
        part = Fraction(-1)
    if not 0 <= part <= 1 or (part == 1 and not percent):
        raise VotingRuleError(f"the quota of {what} is {text!r}, which is no quota; {_REMEDY}")
    return _written(part)


def _written(part: Fraction) -> str:
    percent = part * 100
    rest = percent.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{part.numerator}/{part.denominator}"
    digits = 0
    while (percent * 10**digits).denominator != 1:
        digits += 1
    whole, after = divmod(int(percent * 10**digits), 10**digits)
    return f"{whole}.{after:0{digits}d}%" if digits else f"{whole}%"


def least_amount(requirement: Requirement, total: int, unit: int = 1) -> int:
    """Return the smallest whole number that reaches a quota.

    Parameters
    ----------
    requirement
        A quota as `read_requirement` returns it.
    total
        What a part is a part of.
    unit
        What a count counts in.

    Examples
    --------
    >>> least_amount("70%", 10), least_amount("2/3", 10), least_amount(4, 10)
    (7, 7, 4)
    """
    if isinstance(requirement, int):
        return requirement * unit
    divisor = 100 if requirement.endswith("%") else 1
    return math.ceil(Fraction(requirement.removesuffix("%")) / divisor * total)
