"""The second best of one pair, at the multiplier that integrals with a known error give."""

from __future__ import annotations

from typing import Literal

from catallax.estimate.exact_pair import Pair, Region, region_values
from catallax.estimate.exact_regions import balancing
from catallax.mechanisms.second_best import find_multiplier
from catallax.mechanisms.second_best_budget import Expected

__all__ = ["balanced"]


def balanced(pair: Pair) -> list[tuple[float, Region]]:
    """Find where a pair trades in the second best.

    Parameters
    ----------
    pair
        The pair.

    Returns
    -------
    list
        One region, or two with their probabilities where the expected surplus jumps over zero.

    References
    ----------
    Myerson and Satterthwaite, Efficient mechanisms for bilateral trading (1983), Theorem 2.
    """
    found = find_multiplier(_Budget(pair))
    parts = zip(found.probabilities, found.shares, strict=True)
    return [(p, balancing(pair, share)) for p, share in parts]


class _Budget:
    """Expected surplus and gains at any share of virtual values."""

    method: Literal["bilateral"] = "bilateral"

    def __init__(self, pair: Pair) -> None:
        self._pair = pair

    def __call__(self, share: float) -> Expected:
        found = region_values(self._pair, balancing(self._pair, share), "own")
        return Expected(found.surplus, found.gains_from_trade, 0.0)
