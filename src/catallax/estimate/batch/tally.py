"""What one block of profiles comes to, mechanism by mechanism: a row of totals for each profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.batch.clearing import Block, Branch
from catallax.markets import Reports
from catallax.markets.unit_demand import UnitDemandReports
from catallax.matching import best_matching
from catallax.mechanisms import FirstBest, Lottery, Mechanism, Outcome, clear

if TYPE_CHECKING:
    from catallax.estimate.draws import Draws, Sampler

__all__ = ["COLUMNS", "Seen", "Tally", "first_best_gains", "tally_branches", "tally_outcomes"]

Array = NDArray[np.float64]

COLUMNS = (
    "gains_from_trade",
    "buyers_utility",
    "sellers_utility",
    "surplus",
    "trades",
    "trade_probability",
)
"""The totals of a profile, expectations over the mechanism's own coin."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Amounts that were seen, each with its probability given the draw; None where all are 1."""

    amounts: Array
    weights: Array | None = None

    @classmethod
    def of(cls, parts: Sequence[tuple[float, Array]]) -> Seen:
        """Join the amounts of several outcomes."""
        amounts = np.concatenate([amount for _, amount in parts] or [np.empty(0)])
        if all(probability == 1.0 for probability, _ in parts):
            return cls(amounts)
        weights = [np.full(amount.size, probability) for probability, amount in parts]
        return cls(amounts, np.concatenate(weights))


@dataclass(frozen=True, eq=False)
class Tally:
    """What a mechanism brings in the profiles of a block.

    Attributes
    ----------
    totals
        The columns `COLUMNS`; shape (profiles, 6).
    gains, buyer_pays, seller_receives
        Gains of every outcome, and prices of every trade.
    """

    totals: Array
    gains: Seen
    buyer_pays: Seen
    seller_receives: Seen


def tally_branches(block: Block, branches: Sequence[Branch], *, listing: bool = True) -> Tally:
    """Add up what a mechanism decides for all rows at once; list prices only if that is wanted."""
    from catallax.estimate.batch.kernels_tally import add_up

    cut = block.n_buyers
    totals = np.zeros((len(block), len(COLUMNS)))
    gains, pays, receives = [], [], []
    # Outcomes of one probability count alike, and sorting them needs no weights.
    alike = len({branch.probability for branch in branches}) == 1
    for branch in branches:
        weight = 1.0 if alike else branch.probability
        sums, all_paid, all_received = add_up(
            branch.trades, branch.prices, block.reports, cut, listing
        )
        values, costs, paid, received, count = sums.T
        given = np.zeros(2)
        if branch.transfers is not None:
            given = np.array([branch.transfers[:cut].sum(), branch.transfers[cut:].sum()])
        parts = (
            values - costs,
            values - paid + given[0],
            received - costs + given[1],
            paid - received - given.sum(),
            count,
            count > 0,
        )
        for column, part in enumerate(parts):
            totals[:, column] += branch.probability * part
        gains.append((weight, values - costs))
        pays.append((weight, all_paid))
        receives.append((weight, all_received))
    return Tally(totals, Seen.of(gains), Seen.of(pays), Seen.of(receives))


def tally_outcomes(
    sampler: Sampler, mechanism: Mechanism, draws: Draws, advance: Callable[[int], None]
) -> Tally:
    """Clear one profile after the other, and add up.

    Parameters
    ----------
    sampler
        Whose draws these are.
    mechanism
        Any mechanism.
    draws
        The profiles.
    advance
        Called with 1 after each profile.
    """
    totals = np.zeros((len(draws), len(COLUMNS)))
    gains, pays, receives = [], [], []
    for row in range(len(draws)):
        result = clear(sampler.market, mechanism, reports_of(sampler, draws, row))
        outcomes = result.outcomes if isinstance(result, Lottery) else ((1.0, result),)
        for chance, outcome in outcomes:
            probability = float(chance)
            totals[row] += probability * _totals(outcome)
            gains.append((probability, np.array([outcome.gains.sum()])))
            pays.append((probability, np.asarray(outcome.buyer_pays, np.float64)))
            receives.append((probability, np.asarray(outcome.seller_receives, np.float64)))
        advance(1)
    return Tally(totals, Seen.of(gains), Seen.of(pays), Seen.of(receives))


def _totals(outcome: Outcome) -> Array:
    """Give the columns of one outcome."""
    cut = len(outcome.market.buyers)
    given = np.zeros(2)
    if outcome.transfers is not None:
        given = np.array([outcome.transfers[:cut].sum(), outcome.transfers[cut:].sum()])
    values = outcome.reports.bids[outcome.buyer_index].sum()
    costs = outcome.reports.asks[outcome.seller_index].sum()
    paid, received = outcome.buyer_pays.sum(), outcome.seller_receives.sum()
    return np.array(
        [
            values - costs,
            values - paid + given[0],
            received - costs + given[1],
            paid - received - given.sum(),
            len(outcome),
            len(outcome) > 0,
        ],
        np.float64,
    )


def reports_of(sampler: Sampler, draws: Draws, row: int) -> Any:
    """Make the reports of one profile: everybody tells the truth."""
    if sampler.unit_demand is not None:
        return UnitDemandReports(draws.values[row], draws.costs[row])
    return Reports(draws.values[row], draws.costs[row])


def first_best_gains(sampler: Sampler, draws: Draws, block: Block | None) -> Array:
    """Find the largest gains of every profile.

    Parameters
    ----------
    sampler
        Whose draws these are.
    draws
        The profiles.
    block
        The same, where the market is plain; else None.

    Returns
    -------
    ndarray of float64
        Shape (profiles,).
    """
    if sampler.unit_demand is not None:
        gains = draws.values - draws.costs[:, sampler.unit_demand.seller]
        return np.maximum(gains.max(axis=1, initial=0.0), 0.0)
    if block is not None:
        from catallax.estimate.batch.kernels_tally import add_up

        matched = block.matched(FirstBest(), lambda: block.reports)
        reports = block.reports
        # In the same order as in `tally_branches`, so that the company a mechanism is in shows
        # in no bit of its numbers.
        sums, _, _ = add_up(matched.trades, reports, reports, block.n_buyers, False)
        return sums[:, 0] - sums[:, 1]
    market, gains = sampler.market, np.empty(len(draws))
    for row in range(len(draws)):
        bids, asks = draws.values[row], draws.costs[row]
        best = best_matching(market.family, bids, asks, scale=market.scale)
        gains[row] = bids[best.buyer].sum() - asks[best.seller].sum()
    return gains
