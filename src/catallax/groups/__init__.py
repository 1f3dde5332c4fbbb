"""Trade between two groups: one decision and one price for each side, by a vote or without one.

Examples
--------
>>> from catallax import groups
>>> trade = groups.GroupTrade(5, 5, "uniform(0, 1)", "uniform(0, 1)")
>>> trade.expected_gain
0.0
"""

from catallax.errors import VotingRuleError
from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, get, names, register
from catallax.groups.best_vote import BestVote, ChosenVote
from catallax.groups.boolean_rules import BooleanRule, Coalitions
from catallax.groups.characterise import (
    Characterisation,
    SmoothCharacterisation,
    characterise,
    characterise_by_search,
    characterise_smooth,
)
from catallax.groups.evaluate import GroupEvaluation, evaluate, first_best
from catallax.groups.fair_price import fairest_vote
from catallax.groups.forced_trade import ForcedTrade
from catallax.groups.limits import first_best_rate, smooth_bound, vote_limit
from catallax.groups.member import Member
from catallax.groups.problem import GroupProblem
from catallax.groups.recommend import Recommendation, priced_vote, recommend
from catallax.groups.rule_tables import RuleTable, black_box
from catallax.groups.rule_words import make_rule
from catallax.groups.rules import Anonymous, Majority, Quota, Unanimity, VotingRule
from catallax.groups.score_rules import Scores
from catallax.groups.share_curves import ShareCurves, bounds_table, share_curves
from catallax.groups.smooth import Smooth
from catallax.groups.survey import SurveyAnswers, read_survey
from catallax.groups.tail_bounds import forced_trade_bounds
from catallax.groups.trade import Group, GroupReports, GroupTrade
from catallax.groups.two_prices import RankedPrices, TwoPrices
from catallax.groups.vote import Prices, Vote
from catallax.groups.weighted_rules import WeightedQuota
from catallax.groups.worst_case import uniform_against_half

__all__ = [
    "Anonymous",
    "BestVote",
    "BooleanRule",
    "Characterisation",
    "ChosenVote",
    "Coalitions",
    "ForcedTrade",
    "Group",
    "GroupClaims",
    "GroupEvaluation",
    "GroupMechanism",
    "GroupOutcome",
    "GroupProblem",
    "GroupReports",
    "GroupTrade",
    "Majority",
    "Member",
    "Prices",
    "Quota",
    "RankedPrices",
    "Recommendation",
    "RuleTable",
    "Scores",
    "ShareCurves",
    "Smooth",
    "SmoothCharacterisation",
    "SurveyAnswers",
    "TwoPrices",
    "Unanimity",
    "Vote",
    "VotingRule",
    "VotingRuleError",
    "WeightedQuota",
    "black_box",
    "bounds_table",
    "characterise",
    "characterise_by_search",
    "characterise_smooth",
    "evaluate",
    "fairest_vote",
    "first_best",
    "first_best_rate",
    "forced_trade_bounds",
    "get",
    "make_rule",
    "names",
    "priced_vote",
    "read_survey",
    "recommend",
    "register",
    "share_curves",
    "smooth_bound",
    "uniform_against_half",
    "vote_limit",
]
