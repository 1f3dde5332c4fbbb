"""Exact values where there are any, and honest estimates where there are none.

`simulate` draws values and costs from the priors of a market, clears it with every mechanism on
the same draws, and returns a `Simulation`.
"""

from catallax.estimate.distribution import Distribution
from catallax.estimate.result import QUANTITIES, Estimate, MechanismEstimates, Simulation
from catallax.estimate.simulate import simulate

__all__ = [
    "QUANTITIES",
    "Distribution",
    "Estimate",
    "MechanismEstimates",
    "Simulation",
    "simulate",
]
