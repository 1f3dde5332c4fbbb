"""A mechanism of somebody else, audited: python examples/audit_own_mechanism.py

Partners split the difference between bid and ask. That balances every budget, and nobody who is
honest loses; but whoever shades her report pays less or gets more.
"""

from dataclasses import dataclass, replace

import catallax as cx
from catallax.audit import check_mechanism
from catallax.mechanisms import Claims, FirstBest


@dataclass(frozen=True)
class SplitTheDifference(FirstBest):
    """The most gains from trade; each pair trades midway between bid and ask."""

    slug = "split-the-difference"
    summary = "the most gains from trade, at prices midway between bid and ask"
    claims = Claims("none", "none", "ex post", "strong ex post")

    def clear(self, market, reports):
        best = super().clear(market, reports)
        middle = (reports.bids[best.buyer_index] + reports.asks[best.seller_index]) / 2
        return replace(best, mechanism=self.slug, buyer_pays=middle, seller_receives=middle)


if __name__ == "__main__":
    market = cx.Market(
        buyers=[{"id": "b1", "bid": 0.75, "prior": "uniform(0, 1)"}],
        sellers=[{"id": "s1", "ask": 0.25, "prior": "uniform(0, 1)"}],
    )
    wanted = ["dsic-buyers", "strong-budget-ex-post"]
    report = cx.audit(market, SplitTheDifference(), wanted, budget=500)
    for finding in report:
        print(f"{finding.name}: {finding.verdict}; {finding.story}")

    # What it claims, on a battery of markets: the one line that belongs into its test suite.
    print(check_mechanism(SplitTheDifference(), budget=25))
