"""The second best of one pair, at the multiplier that integrals with a known error give."""

from __future__ import annotations

from typing import Literal

from catallax.estimate.exact.pair import Pair, Region, region_values
from catallax.estimate.exact.regions import balancing
from catallax.mechanisms.second_best import find_multiplier
from catallax.mechanisms.second_best_budget import Expected

__all__ = ["balanced"]

# A surplus of this, relative to the gains, is none.
_BALANCED = 1e-11
# So many steps lead to a root; or, where atoms make a jump likely, are worth a try.
_MOST_STEPS, _TRY = 80, 30


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
    budget = _Budget(pair)
    share = _root(budget)
    if share is not None:
        return [(1.0, balancing(pair, share))]
    found = find_multiplier(budget)
    parts = zip(found.probabilities, found.shares, strict=True)
    return [(p, balancing(pair, share)) for p, share in parts]


class _Budget:
    """Expected surplus and gains at any share of virtual values."""

    method: Literal["bilateral"] = "bilateral"

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._known: dict[float, Expected] = {}
        atoms = pair.buyer.atoms[0].size + pair.seller.atoms[0].size
        self.steps = _TRY if atoms else _MOST_STEPS

    def __call__(self, share: float) -> Expected:
        if share not in self._known:
            found = region_values(self._pair, balancing(self._pair, share), "own")
            self._known[share] = Expected(found.surplus, found.gains_from_trade, 0.0)
        return self._known[share]


def _root(budget: _Budget) -> float | None:
    """Return the share at which the surplus passes through zero, if it does so without a jump."""
    from scipy import optimize

    if budget(0.0).surplus >= 0.0 or budget(1.0).surplus <= 0.0:
        return None
    share, _ = optimize.brentq(
        lambda k: budget(k).surplus,
        0.0,
        1.0,
        xtol=1e-14,
        maxiter=budget.steps,
        full_output=True,
        disp=False,
    )
    at = budget(float(share))
    return float(share) if abs(at.surplus) <= _BALANCED * at.gains else None
