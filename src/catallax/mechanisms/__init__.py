"""Mechanisms: what each maximises and what everybody pays.

One small file each. `clear` runs one on a market; `get`, `names` and `register` are the
registry. A mechanism derives from `Mechanism`, or from `SeparableMechanism` when it maximises
a sum of buyers' weights less sellers' weights.
"""

from catallax.mechanisms.base import Claims, Mechanism, SeparableMechanism
from catallax.mechanisms.bilateral_rules import BilateralRule, MultiQuantile, PostQuantile
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.registry import clear, get, names, register

# isort: off
# The order here is the order in which mechanisms are listed.
from catallax.mechanisms.first_best import FirstBest
from catallax.mechanisms.gsom import SellersOffering
from catallax.mechanisms.gbom import BuyersOffering
from catallax.mechanisms.gsom_bic import BalancedSellersOffering
from catallax.mechanisms.gbom_bic import BalancedBuyersOffering
from catallax.mechanisms.lottery import Lottery
from catallax.mechanisms.random_offerer import BalancedRandomOfferer, RandomOfferer
from catallax.mechanisms.balanced import RandomOffererBalanced
from catallax.mechanisms.second_best import SecondBest
from catallax.mechanisms.meta_auction import MetaAuctionBuyers, MetaAuctionSellers
from catallax.mechanisms.posted_price import PostedPrice
from catallax.mechanisms.trade_reduction import TradeReduction
from catallax.mechanisms.mcafee import McAfee
from catallax.mechanisms.hybrid import Hybrid
from catallax.mechanisms.unit_demand import UnitDemandBuyersOffering
from catallax.mechanisms.sapp import SellerAdjustedPostedPrice

# Built on the mechanisms above.
from catallax.mechanisms.certificate import Certificate, certificate
from catallax.mechanisms.decomposition import Decomposition, decompose
from catallax.mechanisms.many import clear_many
from catallax.mechanisms.outcomes import Outcomes

# isort: on

__all__ = [
    "BalancedBuyersOffering",
    "BalancedRandomOfferer",
    "BalancedSellersOffering",
    "BilateralRule",
    "BuyersOffering",
    "Certificate",
    "Claims",
    "Decomposition",
    "FirstBest",
    "Hybrid",
    "Lottery",
    "McAfee",
    "Mechanism",
    "MetaAuctionBuyers",
    "MetaAuctionSellers",
    "MultiQuantile",
    "Outcome",
    "Outcomes",
    "PostQuantile",
    "PostedPrice",
    "RandomOfferer",
    "RandomOffererBalanced",
    "SecondBest",
    "SellerAdjustedPostedPrice",
    "SellersOffering",
    "SeparableMechanism",
    "TradeReduction",
    "UnitDemandBuyersOffering",
    "certificate",
    "clear",
    "clear_many",
    "decompose",
    "get",
    "names",
    "register",
]
