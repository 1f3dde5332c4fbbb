"""Mechanisms: what each maximises and what everybody pays.

One small file each. `clear` runs one on a market; `get`, `names` and `register` are the
registry. A mechanism derives from `Mechanism`, or from `SeparableMechanism` when it maximises
a sum of buyers' weights less sellers' weights.
"""

from catallax.mechanisms.base import Claims, Mechanism, SeparableMechanism
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.registry import clear, get, names, register

# isort: split
# The order here is the order in which mechanisms are listed.
from catallax.mechanisms.first_best import FirstBest
from catallax.mechanisms.gsom import SellersOffering
from catallax.mechanisms.gbom import BuyersOffering  # noqa: I001
from catallax.mechanisms.lottery import Lottery
from catallax.mechanisms.second_best import SecondBest
from catallax.mechanisms.posted_price import PostedPrice
from catallax.mechanisms.trade_reduction import TradeReduction  # noqa: I001
from catallax.mechanisms.mcafee import McAfee
from catallax.mechanisms.hybrid import Hybrid

__all__ = [
    "BuyersOffering",
    "Claims",
    "FirstBest",
    "Hybrid",
    "Lottery",
    "McAfee",
    "Mechanism",
    "Outcome",
    "PostedPrice",
    "SecondBest",
    "SellersOffering",
    "SeparableMechanism",
    "TradeReduction",
    "clear",
    "get",
    "names",
    "register",
]
