"""Checks of the numbers a prior is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import numpy as np

from catallax.errors import PriorError
from catallax.priors.floats import FloatArray

__all__ = ["as_number", "as_numbers", "as_weights", "check_ordered", "short", "show"]


def as_number(value: object, key: str, *, positive: bool = False) -> float:
    """Return a finite float, or say which key is not one."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise PriorError(f"{key} = {value!r} is not a number") from None
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise PriorError(f"{key} = {value!r} is not a number")
    try:
        number = float(value)
    except OverflowError:
        raise PriorError(f"{key} is too large; it must be below 1.8e308") from None
    if not math.isfinite(number):
        raise PriorError(f"{key} = {number} must be finite")
    if positive and number <= 0:
        raise PriorError(f"{key} = {show(number)} must be above 0")
    return number


def as_numbers(values: object, key: str, *, infinite: bool = False) -> FloatArray:
    """Return a read-only vector of finite floats, or name the entry that is not one."""
    _refuse_words(values, key, text=infinite)
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError:
        raise PriorError(f"{key} has a number that is too large; keep below 1.8e308") from None
    except (TypeError, ValueError):
        entries = values if isinstance(values, Sequence) and not isinstance(values, str) else []
        for position, entry in enumerate(entries):
            if not isinstance(entry, Sequence) or isinstance(entry, str):
                as_number(entry, f"{key}[{position}]")
        raise PriorError(f"{key} must be a list of numbers") from None
    if array.ndim != 1:
        raise PriorError(f"{key} must be a list of numbers")
    if array.size == 0:
        raise PriorError(f"{key} is empty; give at least one number")
    wrong = np.isnan(array) if infinite else ~np.isfinite(array)
    if wrong.any():
        position = int(np.argmax(wrong))
        raise PriorError(f"{key}[{position}] = {array[position]} must be a finite number")
    array.flags.writeable = False
    return array


def _refuse_words(values: object, key: str, *, text: bool) -> None:
    """Refuse booleans and text, of which numpy would make numbers; `text` lets "inf" pass."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        return
    wrong = (bool, np.bool_) if text else (bool, np.bool_, str)
    entries = values if isinstance(values, list | tuple) else np.array(values, dtype=object).ravel()
    for position, entry in enumerate(entries):
        if isinstance(entry, wrong):
            raise PriorError(f"{key}[{position}] = {entry!r} is not a number")


def as_weights(weights: object, key: str, size: int, counted: str) -> FloatArray:
    """Return nonnegative weights, not all zero, one for each of `size` things."""
    array = as_numbers(weights, key)
    if array.size != size:
        raise PriorError(f"{key} has {array.size} entries for {size} {counted}; give one for each")
    if (array < 0).any():
        position = int(np.argmax(array < 0))
        raise PriorError(f"{key}[{position}] = {show(array[position])} must not be negative")
    if not 0 < array.sum() < math.inf:
        raise PriorError(f"{key} must have a positive, finite sum")
    return array


def check_ordered(low: float, high: float) -> None:
    """Refuse an interval that is empty or a single point."""
    if low > high:
        raise PriorError(f"low = {show(low)} is above high = {show(high)}; swap them")
    if low == high:
        raise PriorError(f"low and high are both {show(low)}; write point({show(low)})")


def show(number: float) -> str:
    """Write a float as short as it reads back exactly."""
    text = repr(float(number))
    return text.removesuffix(".0")


def short(numbers: FloatArray, most: int = 20) -> str:
    """Write a list of numbers, or how many there are."""
    if numbers.size > most:
        return f"[{numbers.size:,} numbers]"
    return "[" + ", ".join(show(number) for number in numbers) + "]"
