"""Mechanisms with a fault each, as users could write them, for audits to find."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

import catallax as cx
from catallax.markets.families import Constraint
from catallax.markets.families.bound import Parts, Predicate
from catallax.matching import best_matching
from catallax.mechanisms import Claims, Mechanism, MetaAuctionSellers, Outcome, SellersOffering
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.first_best import FirstBest
from catallax.mechanisms.gsom_bic import _average
from catallax.mechanisms.stated_reasons import StatedReason, StatedReasons

DSIC = Claims("DSIC", "DSIC", "ex post", "none")


class _Planted(Mechanism):
    slug = "planted"
    summary = "a mechanism with a fault"
    claims = DSIC


@dataclass(frozen=True)
class PayYourBid(_Planted):
    """First-best trades at everybody's own report."""

    def clear(self, market, reports):
        found = FirstBest().clear(market, reports)
        bids, asks = reports.bids[found.buyer_index], reports.asks[found.seller_index]
        return replace(found, buyer_pays=bids, seller_receives=asks)


@dataclass(frozen=True)
class LemmaA8(_Planted):
    """GSOM-BIC with the closed form of Lemma A.8, which forgets the partner's other seller."""

    claims = Claims("DSIC", "BIC", "ex post", "weak ex post")

    def clear(self, market, reports):
        found = SellersOffering().clear(market, reports)
        assert isinstance(found.reasons, ThresholdReasons)
        receives = found.buyer_pays - found.reasons.matching.pair_bounds.slack
        return replace(found, seller_receives=receives)


@dataclass(frozen=True)
class LeftEnds(SellersOffering):
    """GSOM in which those who lose ties on a plateau are charged its left end, too."""

    slug = "planted"

    def critical_bids(self, market, thresholds):
        return market.buyers.smallest_values(thresholds.level, False, thresholds.agent)


@dataclass(frozen=True)
class Greedy(_Planted):
    """The best pair first, then the best of the rest; prices from the true optimum."""

    def clear(self, market, reports):
        best = FirstBest().clear(market, reports)
        graph = market.graph
        ends = (
            [(i, j) for i in range(graph.n_buyers) for j in range(graph.n_sellers)]
            if graph.complete
            else list(zip(graph.buyer.tolist(), graph.seller.tolist(), strict=True))
        )
        ends.sort(key=lambda end: reports.asks[end[1]] - reports.bids[end[0]])
        trades: list[tuple[int, int]] = []
        for i, j in ends:
            free = all(i != other[0] and j != other[1] for other in trades)
            if free and reports.bids[i] >= reports.asks[j]:
                trades.append((i, j))
        buyer, seller = (np.array([end[k] for end in trades], np.int32) for k in (0, 1))
        critical = [best.reasons.critical(best, role)[0] for role in ("buyer", "seller")]
        pays, receives = critical[0][buyer], critical[1][seller]
        bids, asks = reports.bids[buyer], reports.asks[seller]
        return replace(
            best,
            buyer_index=buyer,
            seller_index=seller,
            buyer_pays=np.where(np.isfinite(pays), np.minimum(pays, bids), bids),
            seller_receives=np.where(np.isfinite(receives), np.maximum(receives, asks), asks),
            weights=bids - asks,
        )


@dataclass(frozen=True)
class PairedByReport(_Planted):
    """GSOM-BIC in a complete market, but the highest bid is paired with the lowest ask."""

    claims = Claims("DSIC", "BIC", "ex post", "weak ex post")

    def clear(self, market, reports):
        found = SellersOffering().clear(market, reports)
        assert isinstance(found.reasons, ThresholdReasons)
        buyer, seller = found.buyer_index, found.seller_index
        seller = seller[np.argsort(reports.asks[seller], kind="stable")]
        order = np.argsort(-reports.bids[buyer], kind="stable")
        paired = np.empty_like(seller)
        paired[order] = seller
        matching = replace(found.reasons.matching, seller=paired)
        receives = _average(market, matching, found.buyer_pays)
        receives = np.clip(receives, reports.asks[paired], found.buyer_pays)
        return replace(found, seller_index=paired, seller_receives=receives)


@dataclass(frozen=True)
class TwiceTheCap:
    """A seller's rule whose price rises twice as fast as the cap."""

    @property
    def poster(self) -> Literal["buyer", "seller"]:
        return "seller"

    def price(self, prior, cap, report):
        del prior
        steep = np.maximum(report, 2 * np.minimum(cap, 1e6) - 0.5)
        return np.where(report <= cap, steep, np.inf)


@dataclass(frozen=True)
class NotCapMonotone(MetaAuctionSellers):
    """A meta-auction whose rule asks more under a larger cap."""

    rule: Any = field(default_factory=TwiceTheCap)

    slug = "planted"


@dataclass(frozen=True)
class PairsOnly(Constraint):
    """Two trades or none: a cap that is not downward closed, and that says nothing of it."""

    kind = "pairs-only"

    def bind(self, parts: Parts, where: str) -> Predicate:
        return Predicate(lambda edges: len(edges) in (0, 2))


@dataclass(frozen=True)
class SlightlyOff(FirstBest):
    """Buyers are charged a millionth more than the threshold."""

    slug = "planted"
    off: float = 1e-6

    def clear(self, market, reports):
        found = super().clear(market, reports)
        return replace(found, buyer_pays=found.buyer_pays + self.off)


@dataclass(frozen=True)
class Raises(_Planted):
    """It divides by zero as soon as somebody asks more than 0.5."""

    def clear(self, market, reports):
        if (reports.asks > 0.5).any():
            raise ZeroDivisionError("division by zero")
        return FirstBest().clear(market, reports)


@dataclass(frozen=True)
class PaysNaN(_Planted):
    """A price of 0 / 0 where the bid is the ask."""

    def clear(self, market, reports):
        found = FirstBest().clear(market, reports)
        tie = found.gains == 0
        return replace(found, buyer_pays=np.where(tie, np.nan, found.buyer_pays))


@dataclass(frozen=True)
class HiddenCoin(_Planted):
    """It tosses a coin and does not say so."""

    coin: Any = field(default_factory=lambda: np.random.default_rng(0), compare=False)

    def clear(self, market, reports):
        found = FirstBest().clear(market, reports)
        return (
            found if self.coin.random() < 0.5 else replace(found, buyer_pays=found.buyer_pays / 2)
        )


@dataclass(frozen=True)
class NoSuchEdge(_Planted):
    """The first best of the complete market, whatever the edges are."""

    def clear(self, market, reports):
        complete = cx.Graph.complete_graph(len(market.buyers), len(market.sellers))
        best = best_matching(complete, reports.bids, reports.asks)
        prices = reports.asks[best.seller]
        return Outcome(
            market, reports, "planted", "sort", best.buyer, best.seller, prices, prices,
            reports.bids[best.buyer] - prices, None,
        )  # fmt: skip


@dataclass(frozen=True)
class StrictWords(_Planted):
    """The first best in strict terms: who only equals a seller's ask loses, and is told otherwise.

    Who bids less than `least` loses too, whatever the reasons say.
    """

    least: float = 0.0

    def clear(self, market, reports):
        best = FirstBest().clear(market, reports)
        bids, asks = reports.bids[best.buyer_index], reports.asks[best.seller_index]
        kept = (bids > asks) & (bids >= self.least)
        critical = {role: best.reasons.critical(best, role) for role in ("buyer", "seller")}

        def state(role, index):
            report, source = (part[index] for part in critical[role])
            return StatedReason(float(report), int(source), "somebody sets it")

        return replace(
            best,
            buyer_index=best.buyer_index[kept],
            seller_index=best.seller_index[kept],
            buyer_pays=best.buyer_pays[kept],
            seller_receives=best.seller_receives[kept],
            weights=(bids - asks)[kept],
            reasons=StatedReasons(state),
        )


@dataclass(frozen=True)
class MiddlePrices(_Planted):
    """The first best, at prices midway between bid and ask."""

    def clear(self, market, reports):
        found = FirstBest().clear(market, reports)
        middle = (reports.bids[found.buyer_index] + reports.asks[found.seller_index]) / 2
        return replace(found, buyer_pays=middle, seller_receives=middle)
