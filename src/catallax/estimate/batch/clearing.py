"""Many profiles of one plain graph at once: the best matchings and everybody's thresholds.

A profile is a row. Its agents stand at *positions*: buyer i at i, seller j at n - 1 - j, with n
agents in all; of equal weights the smaller position comes first, which is the order of
`catallax.matching.order`. What comes out is what `catallax.mechanisms.clear` finds row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.matching import PairBounds, Thresholds
from catallax.mechanisms import SeparableMechanism

if TYPE_CHECKING:
    from collections.abc import Callable

    from catallax.estimate.draws import Draws
    from catallax.markets import Agents, Graph, Market
    from catallax.priors import Prior

__all__ = [
    "Block",
    "Branch",
    "Matched",
    "Pairs",
    "by_prior",
    "clear_separable",
    "joined",
    "ordered",
]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.integer]


def ordered(weights: Array) -> Places:
    """Sort every row, heaviest first, the smaller position first of equals.

    Parameters
    ----------
    weights
        Shape (profiles, n).

    Returns
    -------
    ndarray of int64
        The positions by rank; shape (profiles, n).

    Examples
    --------
    >>> import numpy as np
    >>> ordered(np.array([[1.0, 3.0, 3.0]])).tolist()
    [[1, 2, 0]]
    """
    from catallax.estimate.batch.kernels_tally import tied

    keys = -weights
    rows = np.argsort(keys, axis=1)
    again = tied(keys, rows)
    if again.any():  # a stable sort is several times slower
        rows[again] = np.argsort(keys[again], axis=1, kind="stable")
    return rows


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of all rows, row after row, buyers in market order; shapes (pairs,).

    Attributes
    ----------
    row
        The profile of each.
    buyer, seller
        The agents, by index.
    bounds
        What the partners could do otherwise.
    """

    row: Places
    buyer: Places
    seller: Places
    bounds: PairBounds


@dataclass(frozen=True, eq=False)
class Matched:
    """The best matchings of all rows at given weights.

    Attributes
    ----------
    graph
        Who may trade with whom.
    weights
        At positions; shape (profiles, n).
    rows
        Positions by rank; shape (profiles, n).
    trades
        Who trades; shape (profiles, n).
    setter
        The position of the agent that sets each trader's threshold.
    """

    graph: Graph
    weights: Array
    rows: Places
    trades: Flags
    setter: NDArray[np.int32]

    @classmethod
    def of(cls, graph: Graph, weights: Array) -> Matched:
        """Match every row."""
        rows = ordered(weights)
        trades, setter = np.empty(rows.shape, np.bool_), np.empty(rows.shape, np.int32)
        if graph.complete:
            from catallax.estimate.batch.kernels_complete import complete_rows

            complete_rows(graph.n_buyers, rows, trades, setter)
        elif max(graph.n_buyers, graph.n_sellers) <= 64:
            from catallax.estimate.batch.kernels_small import small_rows

            small_rows(*graph.by_buyer, graph.n_sellers, rows, trades, setter)
        else:
            from catallax.estimate.batch.kernels_graph import sweep_rows

            sweep_rows(*graph.by_buyer, graph.n_sellers, rows, trades, setter)
        return cls(graph, weights, rows, trades, setter)

    @cached_property
    def everybody(self) -> NDArray[np.int32]:
        """As `setter`, and for all others whom they would have to beat; -1: nothing helps."""
        if self.graph.complete:
            return self.setter
        from catallax.estimate.batch.kernels_graph import entry_rows

        setter = self.setter.copy()
        sides = (*self.graph.by_buyer, *self.graph.by_seller)
        entry_rows(*sides, self.rows, self.trades, setter)
        return setter

    def thresholds(
        self, who: Flags, setter: NDArray[np.int32], *, buyers: bool
    ) -> tuple[NDArray[np.int64], Thresholds]:
        """State the thresholds of some agents of one side, row after row.

        Parameters
        ----------
        who
            Which; shape (profiles, n).
        setter
            `setter` or `everybody`.
        buyers
            Which side.

        Returns
        -------
        tuple
            The places of the agents among all rows (row times n plus position), and their
            thresholds.
        """
        from catallax.estimate.batch.kernels_tally import listed

        n, cut = self.weights.shape[1], self.graph.n_buyers
        start, stop = (0, cut) if buyers else (cut, n)
        at, *stated = listed(who, start, stop, self.weights, setter, cut)
        return at, Thresholds(*stated)

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs, and what the partners could do otherwise."""
        count, n = self.weights.shape
        partner = np.empty((count, self.graph.n_buyers), np.int32)
        elsewhere = np.empty((count, n), np.int32)
        if self.graph.complete:
            from catallax.estimate.batch.kernels_complete import complete_pair_rows

            complete_pair_rows(self.graph.n_buyers, self.rows, partner, elsewhere)
        else:
            from catallax.estimate.batch.kernels_graph import pair_rows

            sides = (*self.graph.by_buyer, *self.graph.by_seller)
            pair_rows(*sides, self.rows, self.trades, partner, elsewhere)
        row, buyer = np.nonzero(partner >= 0)
        seller = partner[row, buyer]
        levels = []
        for place, nobody in ((buyer, np.inf), (n - 1 - seller, -np.inf)):
            other = elsewhere[row, place]
            levels.append(np.where(other >= 0, self.weights[row, other], nobody))
        return Pairs(row, buyer, seller, PairBounds(np.zeros(row.size), *levels))


@dataclass(frozen=True, eq=False)
class Branch:
    """What a mechanism decides for every row of a block: one outcome of its lotteries.

    Attributes
    ----------
    probability
        Of this outcome; the same in every row.
    trades
        Who trades, at positions; shape (profiles, n).
    prices
        What buyers pay and sellers receive; 0 for those that do not trade.
    rule
        The rule whose matching this is, if `matched` is the matching.
    matched
        The matching, where the rule is that of a `SeparableMechanism`.
    transfers
        What each agent receives apart from trades, at positions, in every row; None for nothing.
    """

    probability: float
    trades: Flags
    prices: Array
    rule: SeparableMechanism | None = None
    matched: Matched | None = None
    transfers: Array | None = None


@dataclass(frozen=True, eq=False)
class Block:
    """Profiles of a plain market, and what was found out about them so far."""

    market: Market
    draws: Draws
    known: dict[object, Matched] = field(default_factory=dict)
    surprises: dict[object, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the profiles."""
        return len(self.draws)

    @property
    def n_buyers(self) -> int:
        """The number of buyers."""
        return len(self.market.buyers)

    @cached_property
    def reports(self) -> Array:
        """Values and costs at positions; shape (profiles, n)."""
        return joined(self.draws.values, self.draws.costs)

    def matched(self, name: object, weigh: Callable[[], Array]) -> Matched:
        """Match at some weights; those of the same name are matched once.

        Parameters
        ----------
        name
            What the weights are called.
        weigh
            Gives the weights at positions.
        """
        if name not in self.known:
            self.known[name] = Matched.of(self.market.graph, weigh())
        return self.known[name]


def joined(buyers: Array, sellers: Array) -> Array:
    """Put two sides into rows by position."""
    return np.concatenate([buyers, sellers[:, ::-1]], axis=1)


def by_prior(side: Agents, values: Array, function: Callable[[Prior, Array], Array]) -> Array:
    """Apply a function of a prior and numbers to the columns that have the prior."""
    groups = list(side.groups())
    if len(groups) == 1:
        return function(groups[0][0], values)
    out = np.empty(values.shape)
    for prior, members in groups:
        out[:, members] = function(prior, values[:, members])
    return out


def clear_separable(block: Block, rule: SeparableMechanism, weigh: Callable[[], Array]) -> Branch:
    """Clear every row by a rule that charges thresholds; see `SeparableMechanism.clear`.

    Parameters
    ----------
    block
        The profiles.
    rule
        Turns thresholds into reports.
    weigh
        Gives the rule's weights at positions.
    """
    from catallax.estimate.batch.kernels_tally import charge

    matched = block.matched(rule, weigh)
    trades, setter = matched.trades, matched.setter
    n, cut = trades.shape[1], block.n_buyers
    prices, reports = np.empty(trades.shape), block.reports.reshape(-1)
    if type(rule).critical_bids is SeparableMechanism.critical_bids:  # the level itself
        charge(trades, setter, matched.weights, 0, cut, prices)
    else:
        prices[:, :cut] = 0.0
        at, known = matched.thresholds(trades, setter, buyers=True)
        critical = rule.critical_bids(block.market, known)
        prices.reshape(-1)[at] = np.minimum(critical, reports[at])
    if type(rule).critical_asks is SeparableMechanism.critical_asks:
        charge(trades, setter, matched.weights, cut, n, prices)
    else:
        prices[:, cut:] = 0.0
        at, known = matched.thresholds(trades, setter, buyers=False)
        critical = rule.critical_asks(block.market, known)
        prices.reshape(-1)[at] = np.maximum(critical, reports[at])
    return Branch(1.0, trades, prices, rule, matched)
