"""Trade reduction and McAfee's rule on complete markets of agents alike, with continuous priors.

Let b_(i) be the i-th highest value, s_(i) the i-th lowest cost, and D_i the event that the first
best has i trades or more, b_(i) >= s_(i). Given b_(i+1) = z, the i values above it are independent
draws above z, and the least of them exceeds z on average by G_i(z), the integral of
``(P(V > t) / P(V > z)) ** i`` over t >= z; D_(i+1) is then that i + 1 sellers ask at most z. Trade
reduction lets the i-th pair trade exactly in D_(i+1), so ::

    gains            sum over i of E[(b_(i) - s_(i)) D_(i+1)]
    buyers' utility  sum over i of i E[(b_(i) - b_(i+1)) D_(i+1)]

are integrals over the law of b_(i+1), and over that of s_(i+1).

McAfee's rule adds something where the price p = (b_(k+1) + s_(k+1)) / 2 fits between s_(k) and
b_(k): given k and p, the k buyers are draws above p and the k sellers below, so that the k-th pair
gains G_k(p) and its mirror, and either side k times its own part. With p - d and p + d for the
next two, the probability of this is an integral over p and d.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact_counts import at_least, probabilities
from catallax.estimate.exact_integrals import (
    GAUSS,
    KRONROD,
    POINTS,
    Integral,
    cuts_of,
    expectation,
    integrate,
    tail_of,
)
from catallax.estimate.exact_order_statistics import Alike, stated
from catallax.estimate.exact_sides import marks_of

if TYPE_CHECKING:
    from catallax.estimate.exact_result import ExactValues
    from catallax.priors import Prior

__all__ = ["mcafee_values", "trade_reduction_values"]

Array = NDArray[np.float64]

_CHUNK = 64
# Of the cuts of a prior, one in so many is a cut for prices to begin with.
_EVERY = 4
# Terms of less probability than this are left out.
_FAINT = 1e-22
# Where the integrals over one variable inside another are cut, in units of the decay of the
# slowest term; beyond the last everything is below 1e-26.
_STEPS = np.append(2.0 ** np.arange(-2, 6), 60.0)
# Of few draws, which may come from a tail that is a power, more finely.
_FINE_STEPS = np.concatenate(
    [[0.25, 0.5], np.arange(1.0, 8.0), np.arange(8.0, 20.0, 2.0), np.arange(20.0, 61.0, 4.0)]
)
_FEW = 8
_POLE = 1e4


@dataclass(frozen=True, eq=False)
class _Law:
    """A prior seen from the side where its agents trade: values, or costs with a minus sign."""

    prior: Prior
    sign: int

    def beyond(self, x: Array) -> Array:
        """Return the probability of more than x."""
        return self.prior.sf(x) if self.sign > 0 else self.prior.probability_below(0.0 - x)

    def within(self, x: Array) -> Array:
        """Return the probability of at most x."""
        return self.prior.cdf(x) if self.sign > 0 else self.prior.probability_at_least(0.0 - x)

    def density(self, x: Array) -> Array:
        """Return the density; 0 next to a pole, where its integral says nothing."""
        height = self.prior.density(self.sign * x)
        return np.where(np.isfinite(height), height, 0.0)

    def where_beyond(self, chance: Array) -> Array:
        """Return where the probability of more falls to a chance."""
        with np.errstate(all="ignore"):
            if self.sign > 0:
                return self.prior._upper_quantile(chance.ravel()).reshape(chance.shape)
            return 0.0 - self.prior._quantile(chance.ravel()).reshape(chance.shape)

    def where_within(self, chance: Array) -> Array:
        """Return where the probability of at most that is a chance."""
        return 0.0 - _Law(self.prior, -self.sign).where_beyond(chance)

    @cached_property
    def marks(self) -> Array:
        """Where smooth pieces end, ascending."""
        return np.unique(self.sign * marks_of(self.prior))

    def excess(self, z: Array, powers: Array) -> tuple[Array, Array]:
        """Return by how much the least of some draws above z exceeds it on average.

        Parameters
        ----------
        z
            Shape (points,).
        powers
            How many draws; ascending, shape (powers,).

        Returns
        -------
        tuple of ndarray
            The excess and bounds on its error, shapes (points, powers).
        """
        left = np.maximum(self.beyond(z), 1e-300)
        first, last = powers[0], powers[-1]
        steps = _steps(first, last)
        cuts = self.where_beyond(left[:, None] * np.exp(-steps / first)) - z[:, None]
        farthest = cuts[:, -1:]
        marks = np.clip(self.marks - z[:, None], 0.0, farthest)
        d, fine, coarse = _cells(np.concatenate([cuts, marks], axis=1))
        ratio = self.beyond((z[:, None] + d).ravel()).reshape(d.shape) / left[:, None]
        found, error = _powers(ratio, powers, fine, coarse)
        if first == 1:  # in a heavy tail one draw alone may lie beyond all cuts
            tail = tail_of(self.prior, self.sign)
            found[:, 0] = tail(self.sign * z) / left
            error[:, 0] = tail.error(self.sign * z) / left
        return found, error


def _steps(fewest: float, most: float) -> Array:
    """Return where to cut integrals of powers, in units of the decay of the lowest."""
    steps = _FINE_STEPS if fewest <= _FEW else _STEPS
    halvings = np.arange(np.ceil(np.log2(most / fewest)), 0, -1)
    return np.append(steps[0] * 2.0**-halvings, steps)


def _cells(cuts: Array) -> tuple[Array, Array, Array]:
    """Return points between 0 and the cuts of each row, with weights of two rules."""
    reach = np.nan_to_num(np.maximum(cuts, 0.0), nan=0.0, posinf=0.0)
    edges = np.sort(np.concatenate([np.zeros((len(reach), 1)), reach], axis=1), axis=1)
    half = np.diff(edges, axis=1)[:, :, None] / 2
    points = edges[:, :-1, None] + half * (1.0 + POINTS)
    shape = (len(reach), -1)
    return (
        points.reshape(shape),
        (half * KRONROD).reshape(shape),
        (half * GAUSS).reshape(shape),
    )


def _powers(base: Array, powers: Array, fine: Array, coarse: Array) -> tuple[Array, Array]:
    """Integrate powers of a function; shapes (points, powers)."""
    raised = np.exp(_logs(base)[:, :, None] * powers)
    found = np.einsum("pdk,pd->pk", raised, fine)
    return found, np.abs(found - np.einsum("pdk,pd->pk", raised, coarse))


# ------------------------------------------------------------------------------ trade reduction

_REDUCED = (0, 0, 1, 1, 1)
"""Units of: trades, any trade, sum of reports that trade, utility, and the error in these."""


def _reduced(own: _Law, count: int, other: _Law, others: int, centre: float) -> Integral:
    """Return what trade reduction brings one side."""
    most = min(count, others)

    def rows(z: Array) -> Array:
        chance = probabilities(count - 1, own.beyond(z))[:, 1:most]
        chance *= count * at_least(probabilities(others, other.within(z)))[:, 2 : most + 1]
        return _reduced_rows(own, chance, z, centre)

    prior = own.prior
    breaks = np.concatenate([marks_of(other.prior), cuts_of(other.prior)])
    return expectation(prior, lambda x: _in_chunks(rows, own.sign * x), breaks, _REDUCED)


def _reduced_rows(own: _Law, chance: Array, z: Array, centre: float) -> Array:
    """Sum over i, given the probabilities of its terms at each z."""
    out = np.zeros((5, z.size))
    counts = np.flatnonzero((chance > _FAINT).any(axis=0))
    if not counts.size:
        return out
    window = slice(counts[0], counts[-1] + 1)
    powers = np.arange(counts[0] + 1, counts[-1] + 2, dtype=np.float64)
    excess, error = own.excess(z, powers)
    chance = chance[:, window]
    out[0] = chance.sum(axis=1)
    out[1] = chance[:, 0] if window.start == 0 else 0.0
    out[2] = (chance * (z[:, None] - centre + excess)).sum(axis=1)
    out[3] = (chance * powers * excess).sum(axis=1)
    out[4] = (chance * powers * error).sum(axis=1)
    return out


def _in_chunks(rows: Callable[[Array], Array], points: Array) -> Array:
    """Apply a function to neighbouring points at a time."""
    order = np.argsort(points, kind="stable")
    parts = [rows(points[order[k : k + _CHUNK]]) for k in range(0, points.size, _CHUNK)]
    out = np.empty((len(parts[0]), points.size))
    out[:, order] = np.concatenate(parts, axis=1)
    return out


def trade_reduction_values(market: Alike) -> ExactValues | None:
    """Compute what trade reduction achieves.

    Parameters
    ----------
    market
        A market whose priors have no atoms.

    Returns
    -------
    ExactValues or None
        None if a prior has an atom.

    References
    ----------
    McAfee, A dominant strategy double auction (1992).
    """
    sides = _both(market)
    return None if sides is None else _state(market, *sides, _NOTHING)


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
    sides = None if _has_poles(market) else _both(market)
    if sides is None:
        return None
    buyers, sellers = _Law(market.buyer, 1), _Law(market.seller, -1)
    n, m = market.n_buyers, market.n_sellers
    points = [cuts_of(market.buyer)[::_EVERY], cuts_of(market.seller)[::_EVERY]]
    marks = np.concatenate([marks_of(market.buyer), marks_of(market.seller)])
    # Halfway between two marks, what happens at either can happen at once.
    halfway = (marks[:, None] / 2 + marks / 2).ravel()
    edges = np.unique(np.concatenate([*points, marks, halfway]))
    most = min(n, m) - 1
    if most < 1:
        return _state(market, *sides, _NOTHING)

    def rows(price: Array) -> Array:
        chance = probabilities(n - 1, buyers.beyond(price))[:, 1 : most + 1]
        chance *= probabilities(m - 1, sellers.beyond(-price))[:, 1 : most + 1]
        return _fitting_rows(buyers, sellers, (n, m), n * m * chance, price)

    extra = integrate(lambda price: _in_chunks(rows, price), edges, units=(0, 0, 1, 1, 1, 1, 0))
    return _state(market, *sides, extra)


_NOTHING = Integral(np.zeros(7), np.zeros(7))


def _both(market: Alike) -> tuple[Integral, Integral] | None:
    """Return what trade reduction brings buyers and sellers; None if a prior has an atom."""
    if market.buyer.atoms[0].size or market.seller.atoms[0].size:
        return None
    n, m, centre = market.n_buyers, market.n_sellers, market.price
    buyers, sellers = market.buyer, market.seller
    return (
        _reduced(_Law(buyers, 1), n, _Law(sellers, 1), m, centre),
        _reduced(_Law(sellers, -1), m, _Law(buyers, -1), n, -centre),
    )


def _state(market: Alike, buyers: Integral, sellers: Integral, extra: Integral) -> ExactValues:
    """State what both sides get from trade reduction, and from prices that fit."""
    fits, alone, pair, bought, sold = extra.value[:5].tolist()
    trades, again = float(buyers.value[0]), float(sellers.value[0])
    # Reports are counted from one amount on both sides, which drops out of their sum.
    gains = float(buyers.value[2] + sellers.value[2])
    utilities = float(buyers.value[3]) + bought, float(sellers.value[3]) + sold
    money = [*buyers.error[2:4], *sellers.error[2:4], buyers.value[4], sellers.value[4]]
    money += [*extra.error[2:5], 2 * extra.value[5]]
    counts = [abs(trades - again), buyers.error[0], *extra.error[:2], extra.value[6]]
    return stated(
        (gains + pair, *utilities),
        float(2 * sum(money)),
        (trades + fits, float(buyers.value[1]) + alone),
        float(sum(counts)),
    )


# ---------------------------------------------------------------------------------- McAfee's rule


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
    buyers: _Law, sellers: _Law, sizes: tuple[int, int], chance: Array, price: Array
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
    counts = np.flatnonzero((chance > _FAINT).any(axis=0))
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
    buyers: _Law, sellers: _Law, sizes: tuple[int, int], powers: Array, price: Array
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
        steps = _steps(fewest, most)
        cut = x[:, None] - law.where_within(share[:, None] * np.exp(-steps / fewest))
        marks = x[:, None] - law.marks
        cuts.append(np.concatenate([cut, np.clip(marks, 0.0, cut[:, -1:])], axis=1))
    farthest = np.minimum(cuts[0].max(axis=1), cuts[1].max(axis=1))
    d, fine, coarse = _cells(np.minimum(np.concatenate(cuts, axis=1), farthest[:, None]))
    x, y = price[:, None] - d, price[:, None] + d
    height = 2.0 * buyers.density(x) * sellers.density(-y)
    one = _logs(buyers.within(x) / left[:, None])
    other = _logs(sellers.within(-y) / right[:, None])
    exponent = one[:, :, None] * (n - 1 - powers) + other[:, :, None] * (m - 1 - powers)
    raised = np.exp(exponent) * height[:, :, None]
    found = np.einsum("pdk,pd->pk", raised, fine)
    return found, np.abs(found - np.einsum("pdk,pd->pk", raised, coarse))


def _logs(ratio: Array) -> Array:
    """Return logarithms of probabilities, finite also where there is none."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(np.clip(ratio, 0.0, 1.0)), -1e4)
