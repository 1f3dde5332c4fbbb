"""McAfee's rule on complete markets of agents alike, with continuous priors.

To what trade reduction brings (`catallax.estimate.exact.trade_reduction`) McAfee's rule adds
something where the price p = (b_(k+1) + s_(k+1)) / 2 fits between s_(k) and b_(k): given k and p,
the k buyers are draws above p and the k sellers below, so that the k-th pair gains G_k(p) and its
mirror, and either side k times its own part. With p - d and p + d for the next two, the
probability of this is an integral over p and d.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.estimate.exact.counts import probabilities
from catallax.estimate.exact.integrals import (
    cuts_of,
    integrate,
)
from catallax.estimate.exact.laws import FAINT, Array, Law, cells_of, in_chunks, logs_of, steps_of
from catallax.estimate.exact.order_statistics import Alike
from catallax.estimate.exact.sides import marks_of
from catallax.estimate.exact.trade_reduction import NOTHING, both_sides, state

if TYPE_CHECKING:
    from catallax.estimate.exact.result import ExactValues

__all__ = ["mcafee_values"]

# Of the cuts of a prior, one in so many is a cut for prices to begin with.
_EVERY = 4
_POLE = 1e4


def mcafee_values(market: Alike) -> ExactValues | None:
    """Compute what McAfee's rule achieves.

    Parameters
    ----------
    market
        A market whose priors have no atoms.

    Returns
    -------
    ExactValues or None
        None if a prior has an atom, or its density has a pole.

    References
    ----------
    McAfee, A dominant strategy double auction (1992), section 2.
    """
    sides = None if _has_poles(market) else both_sides(market)
    if sides is None:
        return None
    buyers, sellers = Law(market.buyer, 1), Law(market.seller, -1)
    n, m = market.n_buyers, market.n_sellers
    points = [cuts_of(market.buyer)[::_EVERY], cuts_of(market.seller)[::_EVERY]]
    marks = np.concatenate([marks_of(market.buyer), marks_of(market.seller)])
    # Halfway between two marks, what happens at either can happen at once.
    halfway = (marks[:, None] / 2 + marks / 2).ravel()
    edges = np.unique(np.concatenate([*points, marks, halfway]))
    most = min(n, m) - 1
    if most < 1:
        return state(market, *sides, NOTHING)

    def rows(price: Array) -> Array:
        chance = probabilities(n - 1, buyers.beyond(price))[:, 1 : most + 1]
        chance *= probabilities(m - 1, sellers.beyond(-price))[:, 1 : most + 1]
        return _fitting_rows(buyers, sellers, (n, m), n * m * chance, price)

    extra = integrate(lambda price: in_chunks(rows, price), edges, units=(0, 0, 1, 1, 1, 1, 0))
    return state(market, *sides, extra)


def _has_poles(market: Alike) -> bool:
    """Whether a density is unbounded, so that a product of two is hard to integrate."""
    for prior in (market.buyer, market.seller):
        ends = marks_of(prior)
        height = prior.density(np.append(np.nextafter(ends, -np.inf), np.nextafter(ends, np.inf)))
        spread = np.diff(prior.quantile(np.array([0.25, 0.75])))
        if (height * spread > _POLE).any():
            return True
    return False


def _fitting_rows(
    buyers: Law, sellers: Law, sizes: tuple[int, int], chance: Array, price: Array
) -> Array:
    """Sum over k, given the probabilities that k buyers and k sellers accept a price.

    Returns
    -------
    ndarray of float64
        Shape (7, points): the density of a price that fits, the same for one pair alone, and in
        expectation the gain of the last pair, the buyers' and the sellers' gain beside it, the
        error of these, and that of the first two.
    """
    out = np.zeros((7, price.size))
    counts = np.flatnonzero((chance > FAINT).any(axis=0))
    if not counts.size:
        return out
    window = slice(counts[0], counts[-1] + 1)
    powers = np.arange(counts[0] + 1, counts[-1] + 2, dtype=np.float64)
    near, near_error = _next_pair(buyers, sellers, sizes, powers, price)
    weight, off = chance[:, window] * near, chance[:, window] * near_error
    above, above_error = buyers.excess(price, powers)
    below, below_error = sellers.excess(-price, powers)
    out[0] = weight.sum(axis=1)
    out[1] = weight[:, 0] if window.start == 0 else 0.0
    out[2] = (weight * (above + below)).sum(axis=1)
    out[3] = (weight * powers * above).sum(axis=1)
    out[4] = (weight * powers * below).sum(axis=1)
    inner = powers * (weight * (above_error + below_error) + off * (above + below))
    out[5], out[6] = inner.sum(axis=1), off.sum(axis=1)
    return out


def _next_pair(
    buyers: Law, sellers: Law, sizes: tuple[int, int], powers: Array, price: Array
) -> tuple[Array, Array]:
    """Integrate over d the densities of a next value at price - d and a next cost at price + d.

    Of n - 1 - k other buyers below the price all are below p - d, and mirrored for sellers.
    """
    n, m = sizes
    left = np.maximum(buyers.within(price), 1e-300)
    right = np.maximum(sellers.within(-price), 1e-300)
    low, high = powers[0], powers[-1]
    bounds = (n - high, n - low), (m - high, m - low)
    cuts = []
    for law, x, share, (fewest, most) in (
        (buyers, price, left, bounds[0]),
        (sellers, -price, right, bounds[1]),
    ):
        steps = steps_of(fewest, most)
        cut = x[:, None] - law.where_within(share[:, None] * np.exp(-steps / fewest))
        marks = x[:, None] - law.marks
        cuts.append(np.concatenate([cut, np.clip(marks, 0.0, cut[:, -1:])], axis=1))
    farthest = np.minimum(cuts[0].max(axis=1), cuts[1].max(axis=1))
    d, fine, coarse = cells_of(np.minimum(np.concatenate(cuts, axis=1), farthest[:, None]))
    x, y = price[:, None] - d, price[:, None] + d
    height = 2.0 * buyers.density(x) * sellers.density(-y)
    one = logs_of(buyers.within(x) / left[:, None])
    other = logs_of(sellers.within(-y) / right[:, None])
    exponent = one[:, :, None] * (n - 1 - powers) + other[:, :, None] * (m - 1 - powers)
    raised = np.exp(exponent) * height[:, :, None]
    found = np.einsum("pdk,pd->pk", raised, fine)
    return found, np.abs(found - np.einsum("pdk,pd->pk", raised, coarse))
