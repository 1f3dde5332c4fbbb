"""Truthful two-sided markets: who trades, at what prices, and why.

Names are imported when they are first used, so that ``import catallax`` and the command
line start at once.

Examples
--------
>>> import catallax as cx
>>> market = cx.Market(
...     buyers=[{"id": "b1", "bid": 0.9}],
...     sellers=[{"id": "s1", "ask": 0.2}],
... )
>>> cx.clear(market, "first-best").totals["gains_from_trade"]
0.7
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catallax import errors, groups, mechanisms
    from catallax.audit.audit import audit
    from catallax.errors import (
        CatallaxError,
        ConstraintError,
        DuplicateEdgeError,
        DuplicateIdError,
        FileFormatError,
        MechanismError,
        MissingDependencyError,
        MissingPriorError,
        MissingReportError,
        OutputError,
        PriorError,
        ReportError,
        SolverTimeLimitError,
        UnknownAgentError,
        UnknownNameError,
        UnsupportedMarketError,
        VotingRuleError,
    )
    from catallax.estimate import Simulation, simulate
    from catallax.markets import Agents, Graph, Market, Markets, Reports, instances
    from catallax.mechanisms import Lottery, Outcome, Outcomes, clear, clear_many
    from catallax.priors import Prior, make_prior, parse_prior

__version__ = "0.1.0"

__all__ = [
    "Agents",
    "CatallaxError",
    "ConstraintError",
    "DuplicateEdgeError",
    "DuplicateIdError",
    "FileFormatError",
    "Graph",
    "Lottery",
    "Market",
    "Markets",
    "MechanismError",
    "MissingDependencyError",
    "MissingPriorError",
    "MissingReportError",
    "Outcome",
    "Outcomes",
    "OutputError",
    "Prior",
    "PriorError",
    "ReportError",
    "Reports",
    "Simulation",
    "SolverTimeLimitError",
    "UnknownAgentError",
    "UnknownNameError",
    "UnsupportedMarketError",
    "VotingRuleError",
    "__version__",
    "audit",
    "clear",
    "clear_many",
    "errors",
    "groups",
    "instances",
    "make_prior",
    "mechanisms",
    "parse_prior",
    "simulate",
]

# Where each public name lives.
_HOME = {
    "Agents": "catallax.markets",
    "Graph": "catallax.markets",
    "Lottery": "catallax.mechanisms",
    "Market": "catallax.markets",
    "Markets": "catallax.markets",
    "Outcome": "catallax.mechanisms",
    "Outcomes": "catallax.mechanisms",
    "Prior": "catallax.priors",
    "Reports": "catallax.markets",
    "Simulation": "catallax.estimate",
    "clear": "catallax.mechanisms",
    "clear_many": "catallax.mechanisms",
    "make_prior": "catallax.priors",
    "parse_prior": "catallax.priors",
    "simulate": "catallax.estimate",
} | {name: "catallax.errors" for name in __all__ if name.endswith("Error")}
_MODULES = {
    "audit": "catallax.audit",  # the module, which can be called as the function it is named after
    "errors": "catallax.errors",
    "groups": "catallax.groups",
    "instances": "catallax.markets.instances",
    "mechanisms": "catallax.mechanisms",
}


# Type checkers see the imports above instead, and so notice a name that is not there.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            value: object = import_module(_MODULES[name])
        elif name in _HOME:
            value = getattr(import_module(_HOME[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value  # the next use finds it without coming here
        return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
