"""The conditional form of Lemma 5.3, for every rule that charges thresholds, as controls.

Fix all reports but agent a's. By her own report alone she decides whether she trades, and so
whether she pushes out the one agent that sets her threshold: the gains are then larger by
``v_a - w`` (for a seller by ``w - c_a``), with w the value or cost of that agent. Drawing a's
report afresh from her prior, this difference has an expectation in closed form, as in the lemma
(which sums it over the sellers of the first best). The difference less that expectation is zero on
average, whatever the others report; so is, by the same argument, her utility less its expectation.

Summed over all agents, the first of these holds what the gains owe to each agent's report taken
alone. Subtracting it leaves only what reports do together, which is little in a market of many
(Efron and Stein 1981).

References
----------
arXiv 2604.00129, Definition 5.2 and Lemma 5.3; Efron and Stein, The jackknife estimate of variance
(1981).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.priors.moments import mean_at_least, mean_at_most

if TYPE_CHECKING:
    from catallax.estimate.batch.clearing import Block, Branch

__all__ = ["CONTROLS", "controls"]

Array = NDArray[np.float64]

CONTROLS = 4
"""Two for the gains, from buyers' and from sellers' reports, and two for the utilities."""


def controls(block: Block, branch: Branch) -> Array | None:
    """Return numbers that vary with the gains and utilities of a branch and are zero on average.

    Parameters
    ----------
    block
        The profiles, drawn from the market's priors, all of which have finite means.
    branch
        What a mechanism decides for them.

    Returns
    -------
    ndarray of float64
        Shape (profiles, `CONTROLS`); None if the mechanism is not one that charges thresholds.

    Examples
    --------
    >>> import catallax as cx
    >>> from catallax.estimate.batch.clearing import Block
    >>> from catallax.estimate.batch.forms import batch_form
    >>> from catallax.estimate.draws import Draws
    >>> market = cx.instances.get("bilateral-uniform")
    >>> block = Block(market, Draws(np.array([[0.75]]), np.array([[0.25]])))
    >>> (branch,) = batch_form(cx.mechanisms.get("first-best"), market)(block)
    >>> controls(block, branch).round(12).tolist()  # a gain of 1/2, where 9/32 was to be expected
    [[0.21875, 0.21875, 0.21875, 0.21875]]
    """
    if branch.matched is None or branch.rule is None:
        return None
    if branch.rule not in block.surprises:  # several mechanisms share a rule
        out = np.empty((len(block), CONTROLS))
        out[:, 0], out[:, 2] = _side(block, branch, buyers=True)
        out[:, 1], out[:, 3] = _side(block, branch, buyers=False)
        block.surprises[branch.rule] = out
    return branch.probability * block.surprises[branch.rule]


def _side(block: Block, branch: Branch, *, buyers: bool) -> tuple[Array, Array]:
    """Sum the surprises of one side's agents: in the gains, and in their utilities."""
    assert branch.matched is not None and branch.rule is not None
    matched, market, n = branch.matched, block.market, block.reports.shape[1]
    setter = matched.everybody
    at, known = matched.thresholds(setter >= 0, setter, buyers=buyers)
    reports, trades = block.reports.reshape(-1)[at], matched.trades.reshape(-1)[at]
    row = at // n
    displaced = block.reports.reshape(-1)[row * n + setter.reshape(-1)[at]]
    side, rule = (market.buyers, branch.rule) if buyers else (market.sellers, branch.rule)
    critical = (rule.critical_bids if buyers else rule.critical_asks)(market, known)
    chance, partial = np.empty(at.size), np.empty(at.size)
    for prior, members in side.groups(known.agent):
        limits = critical[members]
        if buyers:
            chance[members] = prior.probability_at_least(limits)
            partial[members] = mean_at_least(prior, limits)
        else:
            chance[members] = prior.cdf(limits)
            partial[members] = mean_at_most(prior, limits)
    sign = 1.0 if buyers else -1.0
    surprises = []
    for reference in (displaced, critical):
        # Nobody trades at an infinite critical report, and nobody pays it.
        amount = np.where(chance > 0.0, reference, 0.0)
        surprise = np.where(trades, reports - amount, 0.0) - (partial - amount * chance)
        surprises.append(sign * np.bincount(row, surprise, len(block)))
    return surprises[0], surprises[1]
