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

__all__ = [
    "BuyersOffering",
    "Claims",
    "FirstBest",
    "Mechanism",
    "Outcome",
    "SellersOffering",
    "SeparableMechanism",
    "clear",
    "get",
    "names",
    "register",
]
