"""Smooth lotteries: every member moves the probability of a trade, and pays for the move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MechanismError
from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, register
from catallax.groups.components import Component, read_component
from catallax.groups.requirements import is_finite
from catallax.groups.smooth_rule import PairFunction, Parts, SmoothRule, check_rule
from catallax.groups.trade import GroupReports, GroupTrade

__all__ = ["Smooth"]

Array = NDArray[np.float64]
Components = Component | tuple[Component, ...]


@register
@dataclass(frozen=True, init=False)
class Smooth(GroupMechanism):
    """The probability of a trade is a sum of one function of each member's report.

    x = constant + sum of f_i(b_i) + sum of g_j(a_j), and perhaps an average of phi(b_i, a_j) over
    all pairs of a buyer and a seller. The f rise and the g fall; the payments are those of Theorem
    5.1, which charge each member's report for what it moves.

    Parameters
    ----------
    buyers, sellers
        The component functions: the coefficients c0, c1, ... of a polynomial, or a function of
        arrays. One for the side, of which each member has the same part (f_i = f / n); or a list
        of functions or of lists with one for each member. If both are left out, half of the
        probability goes up linearly with the average bid, half down with the average ask.
    pairs
        phi, a function of two arrays that are broadcast against each other.
    constant
        Probability that nobody moves.
    support
        The interval of the reports. By default it is taken from the priors, if they are bounded.
    balanced
        Take the payments that balance the budget (see Notes) rather than those of the paper.

    Raises
    ------
    MechanismError
        If x could leave [0, 1], or a component goes the wrong way; the message shows where.

    Claims
    ------
    Truthful in dominant strategies, in expectation over the lottery. With `balanced` the buyers pay
    what the sellers receive, exactly.

    Notes
    -----
    On the interval [low, high] of reports the payments are

    ``p = low x(low, a) + sum_i int_low^{b_i} z df_i(z)`` and
    ``r = high x(b, high) - sum_j int_{a_j}^high z dg_j(z)``,

    which on [0, 1] are the paper's p = sum b_i f_i(b_i) - int_0^{b_i} f_i and
    r = sum a_j g_j(a_j) + int_{a_j}^1 g_j (in the paper's proof for the sellers the last sign is
    misprinted). How constants are shared among the components does not matter to either. A side
    with the worst reports pays or receives what leaves it nothing.

    Balance asks for more than the paper says: a smooth truthful rule with n p = m r has n b_i x_ij
    = m a_j x_ij for the mixed derivative of a buyer's and a seller's report, so that x is additive
    over all members, and then n p = m r = n sum_i int_low^{b_i} z df_i(z)
    - m sum_j int_{a_j}^high z dg_j(z) and a constant. Here the constant is x(low, high)
    (n low + m high) / 2.

    What cannot be checked is that functions are twice differentiable. Polynomials are checked at
    all their turning points, functions on a grid of 2,001 points (pairs: 201 by 201).

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 5.1 and its proof (Appendix B.3).

    Examples
    --------
    >>> from catallax.groups import GroupReports, GroupTrade
    >>> trade = GroupTrade(2, 2, "uniform(0, 1)", "uniform(0, 1)")
    >>> outcome = Smooth().decide(trade, GroupReports([1, 0.5], [0.5, 0]))
    >>> outcome.x, float(outcome.pays), float(outcome.receives)
    (0.75, 0.15625, 0.59375)
    >>> Smooth(balanced=True).decide(trade, GroupReports([1, 0.5], [0.5, 0])).surplus
    Fraction(0, 1)
    >>> Smooth(buyers=[0, 2]).decide(trade, GroupReports([1, 0.5], [0.5, 0]))
    Traceback (most recent call last):
        ...
    catallax.errors.MechanismError: the probability of a trade would be 2 at the best reports
    (bids 1, asks 0); it has to stay between 0 and 1, so make the components smaller
    """

    buyers: Components | None
    sellers: Components | None
    pairs: PairFunction | None
    constant: float
    support: tuple[float, float] | None
    balanced: bool

    slug = "smooth"
    summary = "a lottery whose odds every member moves smoothly, and pays for (Theorem 5.1)"
    claims = GroupClaims("DSIC", "none", "not guaranteed")

    def __init__(
        self,
        buyers: object = None,
        sellers: object = None,
        pairs: PairFunction | None = None,
        *,
        constant: float = 0.0,
        support: Sequence[float] | None = None,
        balanced: bool = False,
    ) -> None:
        if balanced and pairs is not None:
            raise MechanismError(
                "with pairs of a buyer and a seller the budget cannot balance; leave out pairs, "
                "or balanced"
            )
        if not is_finite(constant):
            raise MechanismError(f"the constant is {constant}; give a probability")
        object.__setattr__(self, "buyers", _read_side(buyers, "f of the buyers"))
        object.__setattr__(self, "sellers", _read_side(sellers, "g of the sellers"))
        object.__setattr__(self, "pairs", pairs)
        object.__setattr__(self, "constant", float(constant))
        object.__setattr__(self, "support", None if support is None else _interval(support))
        object.__setattr__(self, "balanced", bool(balanced))

    def on(self, trade: GroupTrade) -> SmoothRule:
        """Return the rule for two groups, checked.

        Raises
        ------
        MechanismError
            If x could leave [0, 1], a component goes the wrong way, or no support is known.
        """
        low, high = _support_of(trade) if self.support is None else self.support
        return _checked(self, trade.n_buyers, trade.n_sellers, low, high)

    def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        rule = self.on(trade)
        rule.check(reports.bids, reports.asks)
        chance = float(rule.chance(reports.bids, reports.asks))
        n, m = trade.n_buyers, trade.n_sellers
        if self.balanced:
            transfer = Fraction(rule.transfer(reports.bids, reports.asks))
            pays, receives = transfer / n, transfer / m
        else:
            pays = Fraction(rule.payment(reports.bids, reports.asks))
            receives = Fraction(rule.receipt(reports.bids, reports.asks))
        reason = (
            f"trade with probability {chance:.6g}, to which each report adds its part; what is "
            "paid and received is the same whatever is drawn"
        )
        details = {"balanced": self.balanced, "support": [rule.low, rule.high]}
        return GroupOutcome(self.slug, n, m, chance, pays, receives, reason, details)


# -------------------------------------------------------------------------------- reading, checks


def _read_side(given: object, what: str) -> Components | None:
    if given is None:
        return None
    given = given.tolist() if isinstance(given, np.ndarray) else given
    if isinstance(given, Sequence) and len(given) and not isinstance(given[0], int | float):
        return tuple(read_component(one, f"{what} (member {k + 1})") for k, one in enumerate(given))
    return read_component(given, what)


def _interval(given: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in given)
    except (TypeError, ValueError, OverflowError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise MechanismError(f"the support is {given!r}; give two finite ends, as in [0, 1]")
    return low, high


def _support_of(trade: GroupTrade) -> tuple[float, float]:
    ends = [part.prior.support for side in (trade.buyers, trade.sellers) for part in side.parts]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise MechanismError(
            f"the priors reach from {low} to {high}, and a smooth rule needs a bounded interval of "
            "reports; give it a support, as in [0, 1]"
        )
    return low, high


@lru_cache(maxsize=32)
def _checked(smooth: Smooth, n: int, m: int, low: float, high: float) -> SmoothRule:
    default = smooth.buyers is None and smooth.sellers is None and smooth.pairs is None
    width = high - low
    rise: Any = [-low / width / 2, 0.5 / width] if default else [0.0]
    fall: Any = [high / width / 2, -0.5 / width] if default else [0.0]
    f = _members(smooth.buyers or read_component(rise, "f"), n, "buyer")
    g = _members(smooth.sellers or read_component(fall, "g"), m, "seller")
    rule = SmoothRule(f, g, smooth.pairs, smooth.constant, low, high)
    check_rule(rule)
    return rule


def _members(given: Components, size: int, word: str) -> Parts:
    if not isinstance(given, tuple):
        return ((given, 1.0 / size),) * size
    if len(given) != size:
        raise MechanismError(
            f"there are {len(given)} component functions for {size} {word}s; give one for each, "
            "or one for the side"
        )
    return tuple((one, 1.0) for one in given)
