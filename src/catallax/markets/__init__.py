"""Markets: who may trade with whom, what is believed, and what was reported."""

from __future__ import annotations

from catallax.markets.agents import Agents
from catallax.markets.graph import Graph
from catallax.markets.many import Markets
from catallax.markets.market import Market
from catallax.markets.reports import Reports, check_reports, far_outside

__all__ = ["Agents", "Graph", "Market", "Markets", "Reports", "check_reports", "far_outside"]
