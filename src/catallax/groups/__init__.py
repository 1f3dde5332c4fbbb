"""Trade between two groups: one decision and one price for each side, by a vote or without one.

Examples
--------
>>> from catallax import groups
>>> trade = groups.GroupTrade(5, 5, "uniform(0, 1)", "uniform(0, 1)")
>>> trade.expected_gain
0.0
"""

from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, get, names, register
from catallax.groups.rule_words import make_rule
from catallax.groups.trade import Group, GroupReports, GroupTrade

__all__ = [
    "Group",
    "GroupClaims",
    "GroupMechanism",
    "GroupOutcome",
    "GroupReports",
    "GroupTrade",
    "get",
    "make_rule",
    "names",
    "register",
]
