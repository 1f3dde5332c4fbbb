"""The door of this room: the best matching of a market, by whichever solver fits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catallax.markets.families import Family
from catallax.markets.graph import Graph
from catallax.markets.scale import Scale
from catallax.matching.plain.ranked import match_by_rank
from catallax.matching.result import Matching

__all__ = ["best_matching"]


def best_matching(
    feasible: Graph | Family,
    buyer_weights: NDArray[np.float64],
    seller_weights: NDArray[np.float64],
    *,
    scale: Scale | None = None,
) -> Matching:
    """Match so that the traders' buyer weights less seller weights sum to the most.

    Parameters
    ----------
    feasible
        Who may trade with whom, and which trades may take place together.
    buyer_weights
        Weight of each buyer (a bid or a virtual value); -inf keeps her out. Shape (n_buyers,).
    seller_weights
        Weight of each seller (an ask or a virtual cost); +inf keeps her out. Shape (n_sellers,).
    scale
        The largest amount that matters, where constraints ask for rounding to ticks (see
        `Market.scale`); by default the largest weight.

    Returns
    -------
    Matching
        The trades, and the threshold of every agent with its source.

    Raises
    ------
    ValueError
        If the weights have the wrong shape or one is NaN.
    SolverTimeLimitError
        If constraints make the problem so hard that no optimum is proved in time.

    Notes
    -----
    Without constraints only single weights are compared, so nothing is rounded: sparse graphs
    are swept by weight, complete graphs are sorted. Caps and quotas of one grouping a side are
    a network flow, all else an integer program, oracles a search; these round to ticks. At
    equal weight a trade takes place, and on either side the agent listed first in the market
    wins.

    Examples
    --------
    >>> import numpy as np
    >>> from catallax.markets import Graph
    >>> graph = Graph(2, 1, [0, 1], [0, 0])
    >>> best = best_matching(graph, np.array([0.7, 0.4]), np.array([0.2]))
    >>> best.buyer.tolist(), best.seller.tolist(), best.trading_buyers.level.tolist()
    ([0], [0], [0.4])
    """
    graph = feasible.parts.graph if isinstance(feasible, Family) else feasible
    structure = feasible.structure if isinstance(feasible, Family) else "plain"
    buyer_weights = np.asarray(buyer_weights, float)
    seller_weights = np.asarray(seller_weights, float)
    if buyer_weights.shape != (graph.n_buyers,) or seller_weights.shape != (graph.n_sellers,):
        raise ValueError("one weight is needed for every buyer and every seller")
    if np.isnan(buyer_weights).any() or np.isnan(seller_weights).any():
        raise ValueError("a weight is NaN: weights must be numbers or infinities")
    if structure == "plain":
        return match_by_rank(graph, buyer_weights, seller_weights)
    assert isinstance(feasible, Family)
    if structure == "network":
        from catallax.matching.constrained.flow import match_by_flow

        return match_by_flow(feasible, buyer_weights, seller_weights, scale)
    from catallax.matching.constrained.program import match_by_program

    return match_by_program(feasible, buyer_weights, seller_weights, scale)
