"""Posted prices for one pair, whose seller's cost is known to stay below a cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError
from catallax.priors.combination import weighing

if TYPE_CHECKING:
    from catallax.priors import Prior

__all__ = ["LAMBDA", "BilateralRule", "MultiQuantile", "PostQuantile"]

Array = NDArray[np.float64]

LAMBDA = 0.317844
"""The share of quantiles with which Theorem 5.4 reaches 1/3.15."""


class BilateralRule(Protocol):
    """A rule by which one partner of a pair posts a price to the other.

    The seller's prior is censored at a cap: a larger cost counts as infinite. In a meta-auction
    that the sellers run, buyers are truthful if the rule is *cap-monotone*: a larger cap never
    turns a trade into none, so the price must not rise with the cap.
    """

    @property
    def poster(self) -> Literal["buyer", "seller"]:
        """Who posts the price, knowing the own report."""
        ...

    def price(self, prior: Prior, cap: Array, report: Array) -> Array:
        """Post prices for pairs whose sellers have one prior.

        Parameters
        ----------
        prior
            The sellers' prior, not yet censored.
        cap
            Largest cost of each seller that counts; shape (k,).
        report
            What the poster of each pair reports; shape (k,).

        Returns
        -------
        ndarray of float64
            Shape (k,). For no trade at any price: -inf of a buyer, +inf of a seller.
        """
        ...


@dataclass(frozen=True)
class PostQuantile:
    """The buyer posts the price that is best for her: the most of F(p) (b - p) up to the cap.

    Of equally good prices the highest. In quantiles: p = F^-1(q) with q the best of q (b - F^-1(q))
    over q <= F(cap).

    References
    ----------
    arXiv 2604.00129, section 4; Fei (2022).

    Examples
    --------
    >>> import numpy as np
    >>> from catallax.priors import Uniform
    >>> PostQuantile().price(Uniform(0, 1), np.array([1.0, 0.25]), np.array([0.8, 0.8])).tolist()
    [0.4, 0.25]
    """

    @property
    def poster(self) -> Literal["buyer", "seller"]:
        """The buyer."""
        return "buyer"

    def price(self, prior: Prior, cap: Array, report: Array) -> Array:
        """Post the best price for each buyer."""
        price = np.array(prior.largest_cost(report))
        capped = np.flatnonzero(price > cap)
        # Where the virtual cost is ironed across the cap, the best price lies inside, and the
        # censored prior has to be ironed anew; elsewhere the cap itself is best.
        ironed = np.zeros(capped.size, bool)
        for block in prior.ironed_costs:
            ironed |= (block.low < cap[capped]) & (cap[capped] < block.high)
        price[capped] = _largest_possible(prior, cap[capped])
        for k in capped[ironed]:
            censored = weighing(prior, "seller", 1.0, high=float(cap[k]))
            price[k] = censored.critical(report[k])
        return price


def _largest_possible(prior: Prior, bound: Array) -> Array:
    """Return the largest possible cost up to a bound; -inf if there is none."""
    parts = prior._parts()
    atoms = np.append(-np.inf, parts.atoms)
    found = atoms[np.searchsorted(parts.atoms, bound, side="right")]
    for start, end in parts.pieces:
        inside = bound > start
        found[inside] = np.maximum(found[inside], np.minimum(bound[inside], end))
    return found


@dataclass(frozen=True)
class MultiQuantile:
    """The seller posts the cost whose quantile is 1/lambda times her own, if it is within the cap.

    An ask outside the prior is the price itself where the formula would fall below it.

    Parameters
    ----------
    lambda_
        The share, in (0, 1].
    position
        Which quantile an ask at an atom has: from 0, the lower end of the atom, to 1, the upper
        end F(c), as the paper writes.

    Notes
    -----
    Theorem 5.4 holds for priors without atoms; with atoms it holds for the *average* over positions
    from 0 to 1 (as if costs were perturbed a little), and not for F(c). Costs 0, 2 and 4 of
    probability 0.3, 0.6 and 0.1, and a buyer of value 3: every price would be 4, so the seller
    gains nothing, the buyer's best price gains 0.9, and half of that is less than 1.5 / 3.15.

    References
    ----------
    arXiv 2604.00129, section 4 and Lemma 4.12 (cap-monotone).

    Examples
    --------
    >>> import numpy as np
    >>> from catallax.priors import Uniform
    >>> rule = MultiQuantile(0.5)
    >>> rule.price(Uniform(0, 1), np.array([1.0, 0.5]), np.array([0.3, 0.3])).tolist()
    [0.6, inf]
    """

    lambda_: float = LAMBDA
    position: float = 1.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not 0 < self.lambda_ <= 1:
            raise CatallaxError(f"lambda_ = {self.lambda_} must be above 0 and at most 1")
        if not 0 <= self.position <= 1:
            raise CatallaxError(f"position = {self.position} must be between 0 and 1")

    @property
    def poster(self) -> Literal["buyer", "seller"]:
        """The seller."""
        return "seller"

    def price(self, prior: Prior, cap: Array, report: Array) -> Array:
        """Post the price of each seller."""
        below, within = prior.probability_below(report), prior.cdf(report)
        quantile = below + self.position * (within - below)
        price = np.maximum(prior.quantile(np.minimum(quantile / self.lambda_, 1.0)), report)
        return np.where(price <= cap, price, np.inf)
