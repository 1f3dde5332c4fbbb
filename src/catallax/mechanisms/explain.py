"""Reasons: for every agent the report that decides, who sets it, and a sentence about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, log10
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.house import of_the_house
from catallax.mechanisms.outcome import NOBODY, Reasons

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.matching import Matching, Thresholds
    from catallax.mechanisms.base import SeparableMechanism
    from catallax.mechanisms.outcome import Outcome, Role

__all__ = ["Reasons", "ThresholdReasons", "as_shown", "money"]


def money(amount: float, currency: str = "", tick: float | None = None) -> str:
    """Write an amount for people, with its currency if there is one.

    Amounts that were counted in ticks are written to a decimal place that is larger than one.

    Examples
    --------
    >>> money(0.6000000000000001, "USD"), money(1e-9), money(54159.3)
    ('0.6 USD', '1e-09', '54159.3')
    >>> money(0.0100000000093, "USD", 2.0**-37)
    '0.01 USD'
    """
    return f"{as_shown(amount, tick):.12g} {currency}".rstrip()


def as_shown(amount: float, tick: float | None = None) -> float:
    """Give the number that people read for an amount."""
    if tick is not None:
        # The place of the next power of ten above ten ticks; the sum takes a minus from zero.
        amount = round(float(amount), -ceil(log10(tick)) - 1) + 0.0
    return float(f"{amount:.12g}")


@dataclass(frozen=True, eq=False)
class ThresholdReasons:
    """Reasons of a separable mechanism: every price is some agent's weight, seen through a prior.

    Attributes
    ----------
    mechanism
        The mechanism that set the weights.
    matching
        The matching and its thresholds.
    """

    mechanism: SeparableMechanism
    matching: Matching

    @cached_property
    def _waiting(self) -> dict[Role, Thresholds]:
        return {"buyer": self.matching.waiting_buyers, "seller": self.matching.waiting_sellers}

    def critical(
        self, outcome: Outcome, role: Role
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the critical report of every agent of a side, and who sets it."""
        market, matching = outcome.market, self.matching
        waiting = self._waiting[role]
        if role == "buyer":
            trading, price = matching.trading_buyers, outcome.buyer_pays
            n_agents = len(market.buyers)
            needed = self.mechanism.critical_bids(market, waiting)
        else:
            trading, price = matching.trading_sellers, outcome.seller_receives
            n_agents = len(market.sellers)
            needed = self.mechanism.critical_asks(market, waiting)
            needed = np.where(_is_refused(market, waiting, needed), np.nan, needed)
        report = np.full(n_agents, np.nan)
        source = np.full(n_agents, NOBODY)
        report[trading.agent], source[trading.agent] = price, trading.source
        report[waiting.agent], source[waiting.agent] = needed, waiting.source
        return report, source

    def explain(self, outcome: Outcome, role: Role, index: int) -> str:
        """Say in one sentence why an agent trades or not, and who decides it."""
        trade = outcome.partner(role, index)
        if trade is not None:
            return self._of_trader(outcome, role, index, trade)
        return self._of_waiting(outcome, role, index)

    def _of_trader(self, outcome: Outcome, role: Role, index: int, trade: int) -> str:
        market = outcome.market
        if role == "buyer":
            thresholds, price = self.matching.trading_buyers, outcome.buyer_pays[trade]
            partner = market.sellers.label(int(outcome.seller_index[trade]))
            verb, limits = "pays", ("the lowest bid that still trades", "the bid to exceed")
        else:
            thresholds, price = self.matching.trading_sellers, outcome.seller_receives[trade]
            partner = market.buyers.label(int(outcome.buyer_index[trade]))
            verb, limits = "receives", ("the highest ask that still trades", "the ask to undercut")
        strictly = _is_strict(thresholds, trade, price, role)
        return (
            f"{_subject(outcome, role, index)}, trades with {partner} and {verb} "
            f"{money(price, market.currency, outcome.tick)}, {limits[strictly]}: "
            f"{self._setter(outcome, role, thresholds, trade, price)}."
        )

    def _of_waiting(self, outcome: Outcome, role: Role, index: int) -> str:
        market = outcome.market
        thresholds = self.matching.waiting(index, buyers=role == "buyer")
        subject = f"{_subject(outcome, role, index)} and does not trade"
        if not thresholds.agent.size:
            others = "seller" if role == "buyer" else "buyer"
            if market.constraints and _has_edge(market, role, index):
                return f"{subject}: the constraints leave no room for it, whatever the report."
            return f"{subject}: there is no {others} to trade with."
        if role == "buyer":
            report = float(self.mechanism.critical_bids(market, thresholds)[0])
        else:
            report = float(self.mechanism.critical_asks(market, thresholds)[0])
            if _is_refused(market, thresholds, np.array([report]))[0]:
                # No report would do, so the sentence tells what would have to happen besides.
                setter = self._setter(outcome, role, thresholds, 0, -np.inf)
                return f"{subject}; no ask would: asks below 0 are refused; {setter}."
        setter = self._setter(outcome, role, thresholds, 0, report)
        if not np.isfinite(report):
            word = "bid" if role == "buyer" else "ask"
            return f"{subject}; no {word} would: {self._limit(market, role, index)}{setter}."
        strictly = _is_strict(thresholds, 0, report, role, outcome.tick)
        if role == "buyer":
            bound = "a bid of more than" if strictly else "a bid of at least"
        else:
            bound = "an ask of less than" if strictly else "an ask of at most"
        return f"{subject}; {bound} {money(report, market.currency, outcome.tick)} would: {setter}."

    def _limit(self, market: Market, role: Role, index: int) -> str:
        """Begin the reason why no report would do: a prior counts nothing beyond its end."""
        buyers = role == "buyer"
        agents = market.buyers if buyers else market.sellers
        scale = self.mechanism.buyer_scale if buyers else self.mechanism.seller_scale
        prior = agents.prior(index)
        if prior is None or scale in ("bid", "ask"):
            return ""
        under = f"under the prior {agents.prior_label(index)} "
        end = float(prior.support[1 if buyers else 0])
        if not np.isfinite(end):
            return f"{under}none counts for enough; "
        every = "bid above" if buyers else "ask below"
        return f"{under}every {every} {money(end)} counts as {money(end)}; "

    def _setter(
        self, outcome: Outcome, role: Role, thresholds: Thresholds, place: int, report: float
    ) -> str:
        """Name the agent that sets a threshold, her report, and how reports were weighed."""
        if thresholds.source[place] == NOBODY:
            possible = bool(np.isfinite(report))
            return self._several(outcome, role, int(thresholds.agent[place]), possible=possible)
        market, mechanism = outcome.market, self.mechanism
        own = self._own_rule(outcome, role, thresholds, place, report)
        if own:
            return own
        source, level = int(thresholds.source[place]), thresholds.level[place]
        if source >= 0:
            said = f"a bid of {money(outcome.said('buyer', source))}"
            label, scale = market.buyers.label(source), mechanism.buyer_scale
        else:
            said = f"an ask of {money(outcome.said('seller', -1 - source))}"
            label, scale = market.sellers.label(-1 - source), mechanism.seller_scale
        sentence = f"{label} sets it with {said}"
        if scale not in ("bid", "ask"):
            sentence += f" ({scale} {money(level)})"
        tie = self._tie(outcome, role, thresholds, place, report)
        if tie:
            return f"{sentence}{tie} and {label} is listed first"
        own_scale = mechanism.buyer_scale if role == "buyer" else mechanism.seller_scale
        if own_scale not in ("bid", "ask") and np.isfinite(report):
            strictly = _is_strict(thresholds, place, report, role)
            passes = "just meets" if thresholds.wins_ties[place] else "is the first to pass"
            sentence += f", which it {'only equals' if strictly else passes}"
            sentence += f" in {own_scale}"
        return sentence

    def _own_rule(
        self, outcome: Outcome, role: Role, thresholds: Thresholds, place: int, report: float
    ) -> str:
        """Say that no rival sets a threshold but the mechanism, as a reserve price does."""
        if of_the_house(self.mechanism) or self.mechanism.pays_level(role):
            return ""  # none of ours has such a rule, and this looks at all reports
        if not np.isfinite(report):
            return ""
        buyers, index = role == "buyer", int(thresholds.agent[place])
        away = -np.inf if buyers else np.inf
        at = self._weight(outcome, role, index, report)
        beyond = self._weight(outcome, role, index, float(np.nextafter(report, away)))
        if beyond != away or not (at - thresholds.level[place]) * np.sign(away) < 0:
            return ""
        side, word = ("below", "bid") if buyers else ("above", "ask")
        shown = money(report, outcome.market.currency)
        return f"the mechanism's own rule sets it ({side} {shown} no {word} counts)"

    def _weight(self, outcome: Outcome, role: Role, index: int, report: float) -> float:
        """Return what an agent weighs at another report."""
        bids, asks = outcome.reports.bids.copy(), outcome.reports.asks.copy()
        (bids if role == "buyer" else asks)[index] = report
        reports = replace(outcome.reports, bids=bids, asks=asks)
        return float(self.mechanism.weights(outcome.market, reports)[role != "buyer"][index])

    def _tie(
        self, outcome: Outcome, role: Role, thresholds: Thresholds, place: int, report: float
    ) -> str:
        """Say which reports only equal a rival listed earlier; nothing where that is no matter."""
        buyers, market, mechanism = role == "buyer", outcome.market, self.mechanism
        index, source = int(thresholds.agent[place]), int(thresholds.source[place])
        rival = source if buyers else -1 - source
        if thresholds.wins_ties[place] or not 0 <= rival < index:
            return ""
        word = "bid" if buyers else "ask"
        said = money(outcome.said(role, index))
        weights = self.matching.buyer_weights if buyers else self.matching.seller_weights
        equal = bool(weights[index] == thresholds.level[place])
        if (mechanism.buyer_scale if buyers else mechanism.seller_scale) in ("bid", "ask"):
            return "; the two are equal," if equal else ""
        one = slice(place, place + 1)
        alone = replace(
            thresholds,
            agent=thresholds.agent[one],
            level=thresholds.level[one],
            wins_ties=np.ones(1, np.bool_),
            source=thresholds.source[one],
        )
        critical = mechanism.critical_bids if buyers else mechanism.critical_asks
        first = float(critical(market, alone)[0])
        if not np.isfinite(first):
            return ""
        if money(first) != money(report):  # bids that count alike, where a prior has steps
            if not np.isfinite(report):
                pool = f"from {money(first)} {'on' if buyers else 'down'}"
            elif buyers:
                pool = f"from {money(first)} to below {money(report)}"
            else:
                pool = f"from {money(first)} down to above {money(report)}"
            if equal:
                return f"; the {word} of {said} counts for as much, as does any {pool},"
            return f"; any {word} {pool} counts for as much,"
        if equal:
            return f"; the {word} of {said} counts for as much,"
        if _is_strict(thresholds, place, report, role):
            return f"; {'a bid' if buyers else 'an ask'} of {money(report)} counts for as much,"
        return ""

    def _several(self, outcome: Outcome, role: Role, index: int, *, possible: bool) -> str:
        """Say who would trade instead, where a threshold is the sum of several weights.

        The market is matched again with the agent kept out, or brought in at any cost.
        """
        from catallax.markets.scale import Scale
        from catallax.matching import best_matching

        market, matching = outcome.market, self.matching
        weights = [matching.buyer_weights.copy(), matching.seller_weights.copy()]
        own = weights[0] if role == "buyer" else weights[1]
        trades = outcome.partner(role, index) is not None
        finite = np.abs(np.concatenate(weights))
        large = float(finite[np.isfinite(finite)].max(initial=1.0)) * 4 * (1 + finite.size)
        outside = -np.inf if role == "buyer" else np.inf
        own[index] = outside if trades else (large if role == "buyer" else -large)
        scale = market.scale if trades else Scale(large, public=False)
        other = best_matching(market.family, *weights, scale=scale)
        comes, goes = [], []
        reports = outcome.reports
        for side, word, said, before, after in (
            (market.buyers, "bid", reports.bids, matching.buyer, other.buyer),
            (market.sellers, "ask", reports.asks, matching.seller, other.seller),
        ):
            for names, members in (
                (comes, np.setdiff1d(after, before)),
                (goes, np.setdiff1d(before, after)),
            ):
                names.extend(
                    f"{side.label(k)} ({word} {money(float(said[k]))})"
                    for k in members.tolist()
                    if (side.role, k) != (role, index)
                )
        if not possible:
            needs = [
                *([f"{_list(comes)} to come in"] if comes else []),
                *([f"{_list(goes)} to drop out"] if goes else []),
            ]
            return f"it would take {' and '.join(needs)}" if needs else "that is not enough"
        changes = [
            *([f"{_list(comes)} would come in"] if comes else []),
            *([f"{_list(goes)} would drop out"] if goes else []),
        ]
        if not changes:
            return "nobody else would be moved by it"
        word = "bid" if role == "buyer" else "ask"
        return f"{'without' if trades else 'with'} that {word} " + " and ".join(changes)


def _is_refused(
    market: Market, thresholds: Thresholds, asks: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which sellers would have to ask less than 0, and may not; see `refuse_negative_asks`."""
    lows = np.array([prior.support[0] for prior in market.sellers.priors] + [0.0])
    may_not = lows[market.sellers.prior_of[thresholds.agent]] >= 0
    below = ~thresholds.wins_ties & (asks == 0) & (thresholds.level == 0)
    return may_not & np.isfinite(asks) & ((asks < 0) | below)


def _is_strict(
    thresholds: Thresholds, place: int, report: float, role: Role, tick: float | None = None
) -> bool:
    """Tell whether the report as it is shown to people would itself not be enough."""
    # Where the report is itself the weight, an agent that loses ties must pass the level.
    # An inverse of a virtual value has passed it, if only by what the text rounds away.
    shown = as_shown(report, tick)
    short = shown < report if role == "buyer" else shown > report
    if thresholds.wins_ties[place]:
        return bool(short and tick is not None)
    return bool(short or report == thresholds.level[place])


def _has_edge(market: Market, role: Role, index: int) -> bool:
    """Tell whether an agent has anybody to trade with at all."""
    graph = market.graph
    if graph.complete:
        return graph.n_edges > 0
    return bool((graph.buyer == index).any() if role == "buyer" else (graph.seller == index).any())


def _list(labels: list[str]) -> str:
    """Join labels for a sentence, the first few of them by name."""
    shown = labels[:6] + ([f"{len(labels) - 6} more"] if len(labels) > 6 else [])
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def _subject(outcome: Outcome, role: Role, index: int) -> str:
    """Begin a sentence about an agent with what she reported."""
    if role == "buyer":
        label, deed = outcome.market.buyers.label(index), "bid"
    else:
        label, deed = outcome.market.sellers.label(index), "asked"
    return f"{label[0].upper()}{label[1:]} {deed} {money(outcome.said(role, index))}"
