"""The best feasible matching and every agent's threshold.

`best_matching` takes a graph and one weight for each agent, and returns a `Matching`: who
trades with whom, and for every agent the weight at which she would just trade, with the agent
that sets it. `order` decides all ties; `kernels` hold the Numba code, arrays in and arrays out.
"""

from catallax.matching.limits import time_limit
from catallax.matching.order import rank_agents
from catallax.matching.result import NOBODY, Matching, PairBounds, Thresholds
from catallax.matching.solve import best_matching

__all__ = [
    "NOBODY",
    "Matching",
    "PairBounds",
    "Thresholds",
    "best_matching",
    "rank_agents",
    "time_limit",
]
