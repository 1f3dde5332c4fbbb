"""All deviations of all members at all profiles of discrete priors, in exact fractions."""

from __future__ import annotations

import itertools
from fractions import Fraction

from catallax.groups import GroupMechanism, GroupOutcome, GroupReports, GroupTrade


def supports(trade: GroupTrade) -> list[list[float]]:
    """List every member's possible values, buyers first; all priors have to be discrete."""
    groups = (trade.buyers, trade.sellers)
    atoms = [group.prior_of(k).atoms for group in groups for k in range(len(group))]
    assert all(abs(masses.sum() - 1) < 1e-12 for _, masses in atoms), "a prior is not discrete"
    return [values.tolist() for values, _ in atoms]


def outcomes(mechanism: GroupMechanism, trade: GroupTrade) -> dict[tuple[float, ...], GroupOutcome]:
    """Decide on every profile of possible values."""
    n = trade.n_buyers
    return {
        profile: mechanism.decide(trade, GroupReports(profile[:n], profile[n:]))
        for profile in itertools.product(*supports(trade))
    }


def utility(outcome: GroupOutcome, value: float, *, buyer: bool) -> Fraction:
    x, money = Fraction(outcome.x), outcome.pays if buyer else outcome.receives
    return Fraction(value) * x - money if buyer else money - Fraction(value) * x


def check_no_lie_pays(
    mechanism: GroupMechanism,
    trade: GroupTrade,
    *,
    balanced: bool,
    tolerance: Fraction | float = 0,
) -> int:
    """Look at every lie of every member at every profile, and at every budget.

    Parameters
    ----------
    mechanism, trade
        What to look at; the priors have finitely many values each.
    balanced
        Whether the buyers have to pay exactly what the sellers receive.
    tolerance
        For mechanisms whose payments are quadratures.

    Returns
    -------
    int
        How many lies made their teller strictly worse off: none would be a test of nothing.
    """
    decided = outcomes(mechanism, trade)
    values, n, harmed = supports(trade), trade.n_buyers, 0
    for profile, honest in decided.items():
        if balanced:
            assert n * honest.pays == trade.n_sellers * honest.receives, (profile, honest)
        for member, true in enumerate(profile):
            best = utility(honest, true, buyer=member < n)
            for lie in values[member]:
                told = decided[(*profile[:member], lie, *profile[member + 1 :])]
                gained = utility(told, true, buyer=member < n) - best
                assert gained <= tolerance, (mechanism, profile, member, lie, float(gained))
                harmed += gained < 0
    return harmed
