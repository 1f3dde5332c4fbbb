"""A mechanism of somebody else: the first best among buyers that meet a reserve price."""

from dataclasses import dataclass

import numpy as np

from catallax.mechanisms import Claims, SeparableMechanism


@dataclass(frozen=True)
class Reserve(SeparableMechanism):
    """The most gains from trade among buyers that bid a reserve price or more."""

    price: float = 30.0

    slug = "reserve"
    summary = "the most gains from trade, at a reserve price or more"
    claims = Claims("DSIC", "DSIC", "ex post", "none")

    def weights(self, market, reports):
        return np.where(reports.bids >= self.price, reports.bids, -np.inf), reports.asks

    def critical_bids(self, market, thresholds):
        return np.maximum(thresholds.level, self.price)
