"""Properties of mechanisms: one small file for each, and how it is checked."""

from catallax.audit.properties.base import CurveProperty, Property, RunProperty
from catallax.audit.properties.registry import get, names, register

# isort: off
# The order here is the order in which properties are reported.
from catallax.audit.properties.feasibility import Feasibility
from catallax.audit.properties.dominant import TruthfulBuyers, TruthfulSellers
from catallax.audit.properties.bayesian import BayesianBuyers, BayesianSellers
from catallax.audit.properties.rationality import ExPostRationality, InterimRationality
from catallax.audit.properties.budget import StrongBudget, WeakBudget
from catallax.audit.properties.expected_budget import StrongExpectedBudget, WeakExpectedBudget
from catallax.audit.properties.monotone import Monotone
from catallax.audit.properties.thresholds import ThresholdPayments
from catallax.audit.properties.partners import PartnerIndependence
from catallax.audit.properties.caps import CapMonotone
from catallax.audit.properties.losers import IrrelevantLosers
from catallax.audit.properties.renaming import Renaming

# isort: on

__all__ = [
    "BayesianBuyers",
    "BayesianSellers",
    "CapMonotone",
    "CurveProperty",
    "ExPostRationality",
    "Feasibility",
    "InterimRationality",
    "IrrelevantLosers",
    "Monotone",
    "PartnerIndependence",
    "Property",
    "Renaming",
    "RunProperty",
    "StrongBudget",
    "StrongExpectedBudget",
    "ThresholdPayments",
    "TruthfulBuyers",
    "TruthfulSellers",
    "WeakBudget",
    "WeakExpectedBudget",
    "get",
    "names",
    "register",
]
