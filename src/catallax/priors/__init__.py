"""Distributions of private values, their virtual values, and the inverses that set prices.

Examples
--------
>>> from catallax.priors import parse_prior
>>> prior = parse_prior("uniform(0, 1)")
>>> float(prior.virtual_value(0.75)), float(prior.smallest_value(0.0))
(0.5, 0.5)
"""

from catallax.priors.base import Prior, register
from catallax.priors.curves import IronedInterval
from catallax.priors.density import DensityPrior
from catallax.priors.intervals import Intervals
from catallax.priors.mixture import Mixture
from catallax.priors.piecewise import Piecewise
from catallax.priors.profile import RevenueCurve, VirtualTable, revenue_curve, virtual_table
from catallax.priors.registry import make_prior, names, parse_prior
from catallax.priors.regular import EqualRevenue, Exponential, Pareto, Uniform
from catallax.priors.scipy_prior import Scipy, ScipyDiscrete
from catallax.priors.smooth import Beta, Lognormal, Normal
from catallax.priors.steps import Discrete, Empirical, Point, StepPrior

__all__ = [
    "Beta",
    "DensityPrior",
    "Discrete",
    "Empirical",
    "EqualRevenue",
    "Exponential",
    "Intervals",
    "IronedInterval",
    "Lognormal",
    "Mixture",
    "Normal",
    "Pareto",
    "Piecewise",
    "Point",
    "Prior",
    "RevenueCurve",
    "Scipy",
    "ScipyDiscrete",
    "StepPrior",
    "Uniform",
    "VirtualTable",
    "make_prior",
    "names",
    "parse_prior",
    "register",
    "revenue_curve",
    "virtual_table",
]
