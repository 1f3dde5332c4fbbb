"""Trade between two groups: one decision and one price for each side, by a vote or without one.

Examples
--------
>>> from catallax import groups
>>> trade = groups.GroupTrade(5, 5, "uniform(0, 1)", "uniform(0, 1)")
>>> trade.expected_gain
0.0
"""

from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, get, names, register
from catallax.groups.boolean_rules import BooleanRule, Coalitions
from catallax.groups.characterise import Characterisation, characterise
from catallax.groups.characterise_search import characterise_by_search
from catallax.groups.characterise_smooth import SmoothCharacterisation, characterise_smooth
from catallax.groups.limits import first_best_rate, smooth_bound, vote_limit
from catallax.groups.problem import GroupProblem, Member
from catallax.groups.requirements import VotingRuleError
from catallax.groups.rule_tables import RuleTable, black_box
from catallax.groups.rule_words import make_rule
from catallax.groups.rules import Anonymous, Majority, Quota, Unanimity, VotingRule
from catallax.groups.smooth import Smooth
from catallax.groups.tail_bounds import forced_trade_bounds
from catallax.groups.trade import Group, GroupReports, GroupTrade
from catallax.groups.two_prices import RankedPrices, TwoPrices
from catallax.groups.weighted_rules import WeightedQuota
from catallax.groups.worst_case import uniform_against_half

__all__ = [
    "Anonymous",
    "BooleanRule",
    "Characterisation",
    "Coalitions",
    "Group",
    "GroupClaims",
    "GroupMechanism",
    "GroupOutcome",
    "GroupProblem",
    "GroupReports",
    "GroupTrade",
    "Majority",
    "Member",
    "Quota",
    "RankedPrices",
    "RuleTable",
    "Smooth",
    "SmoothCharacterisation",
    "TwoPrices",
    "Unanimity",
    "VotingRule",
    "VotingRuleError",
    "WeightedQuota",
    "black_box",
    "characterise",
    "characterise_by_search",
    "characterise_smooth",
    "first_best_rate",
    "forced_trade_bounds",
    "get",
    "make_rule",
    "names",
    "register",
    "smooth_bound",
    "uniform_against_half",
    "vote_limit",
]
