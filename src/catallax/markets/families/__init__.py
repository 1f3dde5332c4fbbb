"""Feasible families: caps, quotas, conflicts, knapsacks, explicit lists and oracles.

One small file a kind. Each is bound to a market by `bind`, which turns names into positions;
a `Family` then tells which sets of trades are allowed, and what structure it has.
"""

from catallax.markets.families.bound import Parts
from catallax.markets.families.cap import Cap
from catallax.markets.families.conflicts import Conflicts
from catallax.markets.families.constraint import Constraint
from catallax.markets.families.explicit import ExplicitFamily
from catallax.markets.families.family import Family
from catallax.markets.families.knapsack import KnapsackConstraint
from catallax.markets.families.oracle import Oracle
from catallax.markets.families.quota import Quota
from catallax.markets.families.registry import (
    bind,
    names,
    parse_constraints,
    register,
    written_constraints,
)
from catallax.markets.families.usage import GroupUsage, Usage, usage

__all__ = [
    "Cap",
    "Conflicts",
    "Constraint",
    "ExplicitFamily",
    "Family",
    "GroupUsage",
    "KnapsackConstraint",
    "Oracle",
    "Parts",
    "Quota",
    "Usage",
    "bind",
    "names",
    "parse_constraints",
    "register",
    "usage",
    "written_constraints",
]
