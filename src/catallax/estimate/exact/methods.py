"""Exact expectations, where there are any, by whatever method gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.estimate.exact.bilateral import bilateral_values
from catallax.estimate.exact.complete import complete_values
from catallax.estimate.exact.enumeration import enumerated_values
from catallax.estimate.exact.result import ExactValues
from catallax.mechanisms.registry import get

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms import Mechanism

__all__ = ["ExactValues", "exact_values"]

# Beyond these, densities and their products are no numbers any more, and integrals miss them.
_SMALL, _LARGE = 1e-100, 1e100


def exact_values(market: Market, mechanism: str | Mechanism) -> ExactValues | None:
    """Compute what a mechanism achieves in expectation, if there is an exact way.

    Markets in which one pair can trade, by quadrature; complete markets whose buyers share a prior,
    and whose sellers do, through order statistics; and markets whose agents have finitely many
    values, by clearing all profiles.

    Parameters
    ----------
    market
        A market whose agents all have priors. Its reports do not matter.
    mechanism
        A slug, "module:Class", or a mechanism.

    Returns
    -------
    ExactValues or None
        None if there is no exact way, or if it did not reach a relative error of 1e-9; and of
        integrals if amounts are beyond 1e100, or below 1e-100.

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    UnsupportedMarketError
        If the mechanism does not apply to the market.

    Examples
    --------
    >>> import catallax as cx
    >>> found = exact_values(cx.instances.get("bilateral-uniform"), "second-best")
    >>> round(found.gains_from_trade * 64, 9), found.method
    (9.0, 'quadrature')
    """
    chosen = get(mechanism)
    for side in (market.buyers, market.sellers):
        list(side.groups())  # which raises where a prior is missing
    integrals = (bilateral_values, complete_values) if _of_usual_size(market) else ()
    for way in (*integrals, enumerated_values):
        found = way(market, chosen)
        if found is not None and found.reliable:
            return found
    return None


def _of_usual_size(market: Market) -> bool:
    """Whether all priors lie where densities can be multiplied."""
    levels = np.array([0.01, 0.25, 0.5, 0.75, 0.99])
    for side in (market.buyers, market.sellers):
        for prior, _ in side.groups():
            quantiles = prior.quantile(levels)
            spread = float(np.ptp(quantiles))
            if np.abs(quantiles).max() > _LARGE or 0.0 < spread < _SMALL:
                return False
    return True
