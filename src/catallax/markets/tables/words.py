"""Numbers that JSON lacks, as words, so that every document is JSON and nothing is lost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["number_words", "plain_words", "word_of"]

_NUMBERS = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def word_of(value: float) -> str:
    """Return the word for a number that is not finite."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def number_words(value: Any) -> Any:
    """Return a prior's specification with numbers for their words; inverse of `plain_words`."""
    if isinstance(value, str):
        return _NUMBERS.get(value, value)
    if isinstance(value, dict):
        return {key: number_words(item) for key, item in value.items()}
    return [number_words(item) for item in value] if isinstance(value, list) else value


def plain_words(value: Any) -> Any:
    """Return a specification in what JSON has.

    Examples
    --------
    >>> plain_words({"kind": "intervals", "low": (0.0, 2.5), "high": (1.0, float("inf"))})
    {'kind': 'intervals', 'low': [0.0, 2.5], 'high': [1.0, 'Infinity']}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_words(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain_words(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_words(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return word_of(value)
    return value
