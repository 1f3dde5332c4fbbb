"""The paper's worst case: uniform values against a certain cost of one half."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from catallax.errors import CatallaxError
from catallax.groups.sums import expected_excess
from catallax.groups.sums.draws.voters import Voters
from catallax.priors import Point, Uniform

__all__ = ["UniformAgainstHalf", "uniform_against_half"]


@dataclass(frozen=True)
class UniformAgainstHalf:
    """The example of Theorems 4.4 and 5.2: n values uniform on [0, 1], all costs 1/2.

    Attributes
    ----------
    n
        Members a side.
    first_best
        Exactly.
    first_best_limit
        sqrt(n / (24 pi)), which it tends to.
    best_vote
        The most that a truthful deterministic rule gains, exactly.
    best_vote_limit
        sqrt(n / (32 pi)), which it tends to: sqrt(3) / 2 of first best.
    smooth
        The most that a smooth truthful rule gains, 1/8.
    smooth_share_limit
        sqrt(3 pi / (8 n)), what that share tends to.
    """

    n: int
    first_best: float
    first_best_limit: float
    best_vote: float
    best_vote_limit: float
    smooth: float
    smooth_share_limit: float


def uniform_against_half(n: int) -> UniformAgainstHalf:
    """Return exact values and limits of the paper's worst case.

    Parameters
    ----------
    n
        Members a side, at least 1.

    Returns
    -------
    UniformAgainstHalf
        The paper treats votes for whole numbers (1 - tau) n and in the limit. By de Moivre's
        formula E[(S - n q)^+] = (1 - q) k C(n, k) q^k (1 - q)^(n - k), with k the smallest whole
        number above n q, no such restriction is needed: the best vote gains the largest half of
        this over all q = 1 - tau.

    Raises
    ------
    CatallaxError
        If n is not positive.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorems 4.4 and 5.2, Appendices A.9 and B.4.

    Examples
    --------
    >>> example = uniform_against_half(1)
    >>> example.first_best, example.best_vote, example.smooth
    (0.125, 0.125, 0.125)
    """
    if n < 1:
        raise CatallaxError(f"n is {n}; a group has at least one member")
    return UniformAgainstHalf(
        n=n,
        first_best=_irwin_hall_excess(n),
        first_best_limit=math.sqrt(n / (24 * math.pi)),
        best_vote=max(_best_of_quota(n, k) for k in range(1, n + 1)),
        best_vote_limit=math.sqrt(n / (32 * math.pi)),
        smooth=0.125,
        smooth_share_limit=math.sqrt(3 * math.pi / (8 * n)),
    )


def _best_of_quota(n: int, k: int) -> float:
    """Return the gain of the best price at which k of n votes are just enough.

    Half of (1 - q) k C(n, k) q^k (1 - q)^(n - k) is largest at q = k / (n + 1), and k is then the
    smallest whole number above n q.
    """
    q = k / (n + 1)
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    log += k * math.log(q) + (n - k + 1) * math.log1p(-q)
    return k * math.exp(log) / 2


def _irwin_hall_excess(n: int) -> float:
    """Return E[(sum of n uniform values - n/2)^+]."""
    if n > 60:  # alternating sums lose their digits; the law of sums keeps them
        buyers, sellers = [Voters(Uniform(0, 1), n)], [Voters(Point(0.5), n, sign=-1)]
        return expected_excess(buyers, sellers)[0]
    # E (S - a)^+ = sum over j > a of (-1)^(n - j) C(n, j) (j - a)^(n + 1) / (n + 1)!
    half = Fraction(n, 2)
    total = sum(
        (-1) ** (n - j) * math.comb(n, j) * (j - half) ** (n + 1) for j in range(n // 2 + 1, n + 1)
    )
    return float(Fraction(total) / math.factorial(n + 1))
