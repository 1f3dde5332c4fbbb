"""The second best of one pair, at the multiplier that integrals with a known error give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from catallax.estimate.exact_regions import Region, combined, efficient, region_values
from catallax.mechanisms.second_best import find_multiplier
from catallax.mechanisms.second_best_budget import Expected

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["balanced"]


def balanced(buyer: Prior, seller: Prior) -> list[tuple[float, Region]]:
    """Find where a pair trades in the second best.

    Parameters
    ----------
    buyer, seller
        Priors of finite means.

    Returns
    -------
    list
        One region, or two with their probabilities where the expected surplus jumps over zero.

    References
    ----------
    Myerson and Satterthwaite, Efficient mechanisms for bilateral trading (1983), Theorem 2.
    """
    found = find_multiplier(_Budget(buyer, seller))
    parts = zip(found.probabilities, found.shares, strict=True)
    return [(p, _region(buyer, seller, share)) for p, share in parts]


def _region(buyer: Prior, seller: Prior, share: float) -> Region:
    # Without a share of virtual values it is the first best, be they infinite.
    return combined(buyer, seller, share) if share > 0 else efficient(buyer, seller)


class _Budget:
    """Expected surplus and gains at any share of virtual values."""

    method: Literal["bilateral"] = "bilateral"

    def __init__(self, buyer: Prior, seller: Prior) -> None:
        self._buyer, self._seller = buyer, seller

    def __call__(self, share: float) -> Expected:
        region = _region(self._buyer, self._seller, share)
        found = region_values(self._buyer, self._seller, region, "own")
        return Expected(found.surplus, found.gains_from_trade, 0.0)
