"""Prices that somebody else's mechanism sets are never given another mechanism's reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import catallax as cx
from catallax.mechanisms import FirstBest, Lottery, Mechanism


@dataclass(frozen=True)
class Halfway(FirstBest):
    slug = "halfway"
    summary = "midway between bid and ask"

    def clear(self, market, reports):
        best = super().clear(market, reports)
        middle = (reports.bids[best.buyer_index] + reports.asks[best.seller_index]) / 2
        return replace(best, mechanism=self.slug, buyer_pays=middle, seller_receives=middle)


@dataclass(frozen=True)
class Fewer(Mechanism):
    slug = "fewer"
    summary = "one trade less"

    def clear(self, market, reports):
        best = FirstBest().clear(market, reports)
        parts = ("buyer_index", "seller_index", "buyer_pays", "seller_receives", "weights")
        return replace(best, **{name: getattr(best, name)[1:] for name in parts})


@dataclass(frozen=True)
class Sometimes(Mechanism):
    slug = "sometimes"
    summary = "halfway or the first best"

    def clear(self, market, reports):
        both = Halfway().clear(market, reports), FirstBest().clear(market, reports)
        return Lottery(market, self.slug, tuple((0.5, one) for one in both))


HORSES = cx.instances.get("horse-market")


def test_changed_prices_have_no_reason() -> None:
    outcome = cx.clear(HORSES, Halfway())
    assert outcome.explain("A1") == (
        "Buyer 'A1' bid 30, trades with seller 'B1' and pays 20 £; halfway does not say why."
    )
    assert outcome.explain("A9").endswith("and does not trade; halfway does not say why.")
    assert outcome.agents["critical_report"].null_count() == len(outcome.agents)
    assert outcome.agents["set_by"].null_count() == len(outcome.agents)


def test_changed_trades_have_no_reason() -> None:
    assert "does not say why" in cx.clear(HORSES, Fewer()).explain("A1")


def test_in_a_lottery_only_the_changed_outcome_loses_its_reasons() -> None:
    changed, kept = (one for _, one in cx.clear(HORSES, Sometimes()).outcomes)
    assert "does not say why" in changed.explain("A1")
    assert kept.explain("A1") == cx.clear(HORSES, "first-best").explain("A1")


def test_what_keeps_its_prices_keeps_its_reasons() -> None:
    @dataclass(frozen=True)
    class Same(FirstBest):
        slug = "same"

    assert "the lowest bid that still trades" in cx.clear(HORSES, Same()).explain("A1")
